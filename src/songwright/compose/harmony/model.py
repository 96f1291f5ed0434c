"""The learned model of harmony: the probability of the next chord's function and of its length.

Two chains of contexts, from general to particular, are interpolated with the discounts of modified Kneser–Ney
smoothing (Chen and Goodman, "An empirical study of smoothing techniques for language modeling", 1999, section 3).
Contexts hold the chords before, the mode, the corpus group, the place in the phrase, and the chord that sounded four
bars earlier. The counts come from `recipes/harmony/build.py`; this module reads and evaluates them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.compose.harmony.functions import NUM_FUNCTIONS, START
from songwright.errors import DataError

TABLES_PATH = Path(__file__).parent.parent / "tables" / "harmony.npz"

GROUPS = ("billboard", "pop909", "openewld", "lieder")
"""Corpora that the counts keep apart."""

ROLES = ("other", "verse", "chorus", "bridge", "prechorus", "intro", "outro", "solo")
DURATIONS = (1, 2, 3, 4, 6, 8, 12, 16)
"""Lengths in felt beats."""

NO_ECHO = START + 1
NO_DURATION = len(DURATIONS)
MAX_TOKEN = 64


@dataclass(frozen=True, slots=True)
class Context:
    """Everything the model looks at before it says the next chord.

    Attributes:
        mode: 0 major, 1 minor.
        group: index into `GROUPS`.
        role: index into `ROLES`.
        history: the last three functions, latest first, `START` before the first.
        lengths: indices into `DURATIONS` of the last two chords, latest first, `NO_DURATION` before the first.
        beats_per_bar: 2, 3 or 4 felt beats.
        bar: bar within its eight-bar phrase.
        beat: felt beat within the bar.
        bars_left: bars to the end of the section, this one included, at most 4.
        echo: function sounding four bars earlier in the section, or `NO_ECHO`.
        echo_length: index of its length if it began exactly four bars earlier, else `NO_DURATION`.
    """

    mode: int
    group: int
    role: int
    history: tuple[int, int, int]
    lengths: tuple[int, int]
    beats_per_bar: int
    bar: int
    beat: int
    bars_left: int
    echo: int = NO_ECHO
    echo_length: int = NO_DURATION


def function_contexts(c: Context) -> tuple[tuple[int, ...], ...]:
    """Returns the chain of contexts for the next function, from general to particular."""
    h1, h2, h3 = c.history
    m, g = c.mode, c.group
    place = c.bar % 4 * 2 + (c.beat > 0)
    return (
        (m,),
        (m, g),
        (m, g, place),
        (m, h1),
        (m, g, h1),
        (m, g, h1, place, c.role),
        (m, h1, h2),
        (m, g, h1, h2),
        (m, h1, h2, place, min(c.bars_left, 3)),
        (m, h1, h2, h3),
        (m, h1, c.echo),
        (m, h1, h2, c.echo),
        (m, h1, h2, c.echo, place),
    )


def duration_contexts(c: Context, function: int) -> tuple[tuple[int, ...], ...]:
    """Returns the chain of contexts for the length of a function, from general to particular."""
    d1, d2 = c.lengths
    b, g = c.beats_per_bar, c.group
    return (
        (b,),
        (b, c.beat),
        (b, g, c.beat),
        (b, g, c.beat, d1),
        (b, c.beat, d1, d2),
        (b, c.beat, c.bar, d1, d2),
        (b, c.mode, c.beat, d1, function),
        (b, c.beat, d1, d2, c.bar, min(c.bars_left, 3)),
        (b, c.beat, d1, c.echo_length),
        (b, c.beat, d1, c.echo_length, int(c.echo == function)),
    )


NUM_FUNCTION_LEVELS = 13
NUM_DURATION_LEVELS = 10


def pack(context: tuple[int, ...]) -> int:
    """Returns a context as one integer, six bits for each number, room for the outcome left in the lowest six."""
    key = 1
    for value in context:
        key = key * MAX_TOKEN + value
    return key * MAX_TOKEN


@dataclass(frozen=True, slots=True)
class Level:
    """Counts of one level of a chain: sorted packed contexts with outcomes, and the discounts of counts 1, 2, 3+."""

    keys: NDArray[np.int64]
    counts: NDArray[np.float64]
    discounts: NDArray[np.float64]

    def blend(self, context: tuple[int, ...], lower: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the distribution of this level interpolated with the one below."""
        key = pack(context)
        first, last = np.searchsorted(self.keys, (key, key + MAX_TOKEN))
        if first == last:
            return lower
        counts = self.counts[first:last]
        discounts = self.discounts[np.minimum(counts, 3).astype(np.int64) - 1]
        total = counts.sum()
        blended = lower * (discounts.sum() / total)
        blended[self.keys[first:last] - key] += (counts - discounts) / total
        return blended


@dataclass(frozen=True)
class HarmonyModel:
    """The two chains, and how melody notes fall on chords.

    Attributes:
        functions: levels in the order of `function_contexts`.
        durations: levels in the order of `duration_contexts`.
        melody: (strong or weak, quality, interval above the root): log-probability of a melody note over a chord.
    """

    functions: tuple[Level, ...]
    durations: tuple[Level, ...]
    melody: NDArray[np.float64]

    def next_function(self, context: Context) -> NDArray[np.float64]:
        """Returns the probability of each of the functions (NUM_FUNCTIONS,)."""
        p = np.full(NUM_FUNCTIONS, 1.0 / NUM_FUNCTIONS)
        for level, key in zip(self.functions, function_contexts(context), strict=True):
            p = level.blend(key, p)
        return p

    def next_duration(self, context: Context, function: int) -> NDArray[np.float64]:
        """Returns the probability of each of `DURATIONS` for a function that begins here."""
        p = np.full(len(DURATIONS), 1.0 / len(DURATIONS))
        for level, key in zip(self.durations, duration_contexts(context, function), strict=True):
            p = level.blend(key, p)
        return p


def model_from_arrays(arrays: Mapping[str, NDArray[np.generic]], where: Path | str = "tables") -> HarmonyModel:
    """Returns the model held by the arrays of a table file.

    Raises:
        DataError: an array is missing or of the wrong shape.
    """
    chains: list[tuple[Level, ...]] = []
    for chain, size in (("functions", NUM_FUNCTION_LEVELS), ("durations", NUM_DURATION_LEVELS)):
        levels = []
        for i in range(size):
            names = [f"{chain}_{i}_{part}" for part in ("steps", "counts", "discounts")]
            missing = [name for name in names if name not in arrays]
            if missing:
                raise DataError(where, f"the harmony tables lack {', '.join(missing)}: run recipes/harmony/build.py")
            steps, counts, discounts = (arrays[name] for name in names)
            if steps.ndim != 1 or steps.shape != counts.shape or discounts.shape != (3,) or (counts == 0).any():
                raise DataError(where, f"level {i} of {chain} has shapes {steps.shape}, {counts.shape}")
            levels.append(
                Level(np.cumsum(steps, dtype=np.int64), counts.astype(np.float64), discounts.astype(np.float64))
            )
        chains.append(tuple(levels))
    melody = arrays.get("melody")
    if melody is None or melody.shape != (2, 4, 12):
        raise DataError(where, "the harmony tables lack 'melody' of shape (2, 4, 12): run recipes/harmony/build.py")
    return HarmonyModel(chains[0], chains[1], melody.astype(np.float64))


@lru_cache(maxsize=1)
def load_model() -> HarmonyModel:
    """Returns the model that ships with songwright.

    Raises:
        DataError: the table file is missing or broken.
    """
    try:
        with np.load(TABLES_PATH, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError) as error:
        raise DataError(TABLES_PATH, f"cannot read the harmony tables: {error}") from error
    return model_from_arrays(arrays, TABLES_PATH)
