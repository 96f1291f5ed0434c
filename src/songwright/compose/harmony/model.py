"""The learned model of harmony: the probability of the next chord's function and of its length.

Counts of contexts are smoothed by interpolation with the discounts of modified Kneser–Ney (Chen and Goodman, "An
empirical study of smoothing techniques for language modeling", 1999, section 3), each context backing off to a more
general one. Several such experts (chords before, corpus group, place in the phrase and role, the chord four bars
earlier) are multiplied with learned exponents (Hinton, "Products of experts", 1999; Heskes 1998, "logarithmic opinion
pools"). Counts and exponents come from `recipes/harmony/build.py`; this module reads and evaluates them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from songwright.compose.harmony.functions import NUM_FUNCTIONS, NUM_QUALITIES, START
from songwright.errors import DataError

TABLES_PATH = Path(__file__).parent.parent / "tables" / "harmony.npz"

GROUPS = ("billboard", "pop909", "openewld", "lieder")
"""Corpora that the counts keep apart."""

ROLES = ("other", "verse", "chorus", "bridge", "prechorus", "intro", "outro", "solo")
DURATIONS = (1, 2, 3, 4, 6, 8, 12, 16)
"""Lengths in felt beats."""

NO_ECHO = START + 1
NO_DURATION = len(DURATIONS)
_BASE = 64

Contexts = tuple[tuple[int, ...], ...]
Known = dict[int, NDArray[np.float64]]


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


@dataclass(frozen=True, slots=True)
class Shape:
    """How a chain of contexts is built.

    Attributes:
        num_outcomes: how many things it tells apart.
        parents: for each level the level it backs off to; -1 for the uniform distribution.
        experts: the levels that are multiplied.
        num_buckets: how many sets of exponents there are.
    """

    num_outcomes: int
    parents: tuple[int, ...]
    experts: tuple[int, ...]
    num_buckets: int


FUNCTION_SHAPE = Shape(
    NUM_FUNCTIONS,
    (-1, 0, 0, 2, 3, 2, 5, 6, 1, 1, 8, 2, 5, 0, 2, 14, 14),
    (0, 1, 2, 4, 7, 9, 10, 11, 12, 13, 15, 16),
    len(GROUPS) * 3,
)
DURATION_SHAPE = Shape(
    len(DURATIONS),
    (-1, 0, 0, 2, 2, 4, 4, 6, 3, 7, 0, 10, 2, 12, 13),
    (0, 1, 3, 5, 7, 8, 9, 10, 11, 13, 14),
    len(GROUPS) * 2,
)


def function_contexts(c: Context) -> Contexts:
    """Returns the contexts of the next function, one for each level of `FUNCTION_SHAPE`."""
    h1, h2, h3 = c.history
    m, g, left = c.mode, c.group, c.bars_left
    place = c.bar * 2 + (c.beat > 0)
    return (
        (m,),
        (m, g),
        (m, h1),
        (m, h1, h2),
        (m, h1, h2, h3),
        (m, g, h1),
        (m, g, h1, h2),
        (m, g, h1, h2, h3),
        (m, g, place),
        (m, g, c.role),
        (m, g, place, c.role, left),
        (m, h1, place, left),
        (m, g, h1, place),
        (m, c.echo),
        (m, h1, c.echo),
        (m, h1, h2, c.echo),
        (m, g, h1, c.echo),
    )


def function_bucket(c: Context) -> int:
    """Returns which set of exponents serves the next function."""
    kind = 0 if c.history[0] == START else 1 if c.echo == NO_ECHO else 2
    return c.group * 3 + kind


def duration_contexts(c: Context, function: int) -> Contexts:
    """Returns the contexts of the length of a function, one for each level of `DURATION_SHAPE`."""
    d1, d2 = c.lengths
    b, g, beat = c.beats_per_bar, c.group, c.beat
    same = int(c.echo == function)
    return (
        (b,),
        (b, g),
        (b, beat),
        (b, g, beat),
        (b, beat, d1),
        (b, beat, d1, d2),
        (b, g, beat, d1),
        (b, g, beat, d1, d2),
        (b, g, beat, c.bar, c.bars_left),
        (b, g, beat, c.bar, d1, d2),
        (b, function),
        (b, function, c.mode, beat, c.history[0]),
        (b, beat, c.echo_length, same),
        (b, beat, d1, c.echo_length, same),
        (b, g, beat, d1, c.echo_length, same),
    )


def duration_bucket(c: Context) -> int:
    """Returns which set of exponents serves the next length."""
    return c.group * 2 + (c.echo_length != NO_DURATION)


def pack(contexts: Contexts) -> list[int]:
    """Returns each context as one integer: the level, then six bits for each number."""
    keys = []
    for level, context in enumerate(contexts):
        key = level + 1
        for value in context:
            key = key * _BASE + value
        keys.append(key)
    return keys


@dataclass(frozen=True)
class Chain:
    """Smoothed counts of one outcome under many contexts.

    Attributes:
        shape: levels, back-off, experts.
        contexts: packed contexts, sorted.
        firsts: where each context's outcomes begin, and the end of the last.
        outcomes: what was seen, context after context.
        shares: discounted share of each outcome in its context.
        backoff: weight of the more general level in each context.
        exponents: (buckets, experts).
    """

    shape: Shape
    contexts: NDArray[np.int64]
    firsts: NDArray[np.int64]
    outcomes: NDArray[np.uint8]
    shares: NDArray[np.float64]
    backoff: NDArray[np.float64]
    exponents: NDArray[np.float64]

    def experts(self, contexts: Contexts, known: Known | None = None) -> NDArray[np.float64]:
        """Returns the log-probabilities that each expert gives (experts, outcomes).

        Args:
            contexts: one for each level.
            known: distributions of packed contexts met before, to read and to add to.
        """
        keys = pack(contexts)
        known = {} if known is None else known
        new = [i for i, key in enumerate(keys) if key not in known]
        where = self.contexts.searchsorted([keys[i] for i in new]).tolist() if new else []
        uniform = np.full(self.shape.num_outcomes, 1.0 / self.shape.num_outcomes)
        for i, at in zip(new, where, strict=True):
            parent = self.shape.parents[i]
            p = uniform if parent < 0 else known[keys[parent]]
            if at < len(self.contexts) and self.contexts[at] == keys[i]:
                first, end = self.firsts[at], self.firsts[at + 1]
                p = p * self.backoff[at]
                p[self.outcomes[first:end]] += self.shares[first:end]
            known[keys[i]] = p
        logs: NDArray[np.float64] = np.log(np.array([known[keys[i]] for i in self.shape.experts]))
        return logs

    def distribution(self, contexts: Contexts, bucket: int, known: Known | None = None) -> NDArray[np.float64]:
        """Returns the probability of each outcome (outcomes,); the arguments are those of `experts`."""
        pooled = self.exponents[bucket] @ self.experts(contexts, known)
        p: NDArray[np.float64] = np.exp(pooled - pooled.max())
        p /= p.sum()
        return p


@dataclass(frozen=True)
class HarmonyModel:
    """The chain of functions, the chain of lengths, and how melody notes fall on chords.

    Attributes:
        functions: what comes next.
        durations: how long it lasts.
        melody: (strong or weak beat, quality, interval above the root): log-probability of a melody note over a chord.
    """

    functions: Chain
    durations: Chain
    melody: NDArray[np.float64]

    def next_function(self, context: Context, known: Known | None = None) -> NDArray[np.float64]:
        """Returns the probability of each of the functions (NUM_FUNCTIONS,).

        Args:
            context: what came before, and where.
            known: memory for many questions, empty at first.
        """
        return self.functions.distribution(function_contexts(context), function_bucket(context), known)

    def next_duration(self, context: Context, function: int) -> NDArray[np.float64]:
        """Returns the probability of each of `DURATIONS` for a function that begins here."""
        return self.durations.distribution(duration_contexts(context, function), duration_bucket(context))


def make_chain(shape: Shape, arrays: Mapping[str, NDArray[np.generic]], where: Path | str = "tables") -> Chain:
    """Returns a chain from its stored arrays.

    Args:
        shape: what the arrays must fit.
        arrays: ``steps`` between sorted packed contexts, ``sizes`` (outcomes of each), ``outcomes``, ``counts``,
            ``discounts`` (levels, 3) of counts 1, 2, 3 and more, ``exponents`` (buckets, experts).
        where: the file, for messages.

    Raises:
        DataError: an array is missing or does not fit.
    """
    parts = ("steps", "sizes", "outcomes", "counts", "discounts", "exponents")
    missing = [part for part in parts if part not in arrays]
    if missing:
        raise DataError(where, f"the harmony tables lack {', '.join(missing)}: run recipes/harmony/build.py")
    steps, sizes, outcomes, counts, discounts, exponents = (arrays[part] for part in parts)
    contexts = np.cumsum(steps, dtype=np.int64)
    firsts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    fits = (
        steps.shape == sizes.shape
        and outcomes.shape == counts.shape == (firsts[-1],)
        and discounts.shape == (len(shape.parents), 3)
        and exponents.shape == (shape.num_buckets, len(shape.experts))
        and len(sizes) > 0
        and bool((np.asarray(sizes, dtype=np.int64) > 0).all() and (np.asarray(counts, dtype=np.int64) > 0).all())
        and int(outcomes.max()) < shape.num_outcomes
        and bool(np.isfinite(exponents.astype(np.float64)).all())
    )
    if not fits:
        raise DataError(where, "the harmony tables do not fit this version: run recipes/harmony/build.py")
    taken = discounts.astype(np.float64)[
        np.repeat(_levels_of(contexts), sizes.astype(np.int64)),
        np.minimum(counts.astype(np.int64), 3) - 1,
    ]
    totals = np.add.reduceat(counts.astype(np.float64), firsts[:-1])
    shares = (counts.astype(np.float64) - taken) / np.repeat(totals, sizes.astype(np.int64))
    backoff = np.add.reduceat(taken, firsts[:-1]) / totals
    return Chain(
        shape, contexts, firsts, outcomes.astype(np.uint8), shares, backoff, exponents.astype(np.float64)
    )  # fmt: skip


def level_of(key: int) -> int:
    """Returns the level of a packed context: what is left above its six-bit numbers."""
    while key >= _BASE:
        key //= _BASE
    return key - 1


def _levels_of(contexts: NDArray[np.int64]) -> NDArray[np.int64]:
    top = contexts.copy()
    while (top >= _BASE).any():
        top = np.where(top >= _BASE, top // _BASE, top)
    return top - 1


def model_from_arrays(arrays: Mapping[str, NDArray[np.generic]], where: Path | str = "tables") -> HarmonyModel:
    """Returns the model held by the arrays of a table file.

    Raises:
        DataError: an array is missing or of the wrong shape.
    """

    def named(prefix: str) -> dict[str, NDArray[np.generic]]:
        return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}

    melody = arrays.get("melody")
    if melody is None or melody.shape != (2, NUM_QUALITIES, 12):
        raise DataError(where, "the harmony tables lack the melody table: run recipes/harmony/build.py")
    return HarmonyModel(
        make_chain(FUNCTION_SHAPE, named("functions_"), where),
        make_chain(DURATION_SHAPE, named("durations_"), where),
        melody.astype(np.float64),
    )


@lru_cache(maxsize=1)
def load_model() -> HarmonyModel:
    """Returns the model that ships with songwright.

    Raises:
        DataError: the table file is missing or broken.
    """
    try:
        with TABLES_PATH.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise DataError(TABLES_PATH, f"cannot read the harmony tables: {error}") from error
    return model_from_arrays(arrays, TABLES_PATH)
