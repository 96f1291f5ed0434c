"""How `learned.py` asks the network about music that is there: windows of a song, log-probabilities, wins, intervals.

A window hears some bars before those that count. What is asked is what could have stood at each event of a part, given
everything before it; the measures sum these probabilities up into the coarser events that the tables predict.
"""

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from songwright.collection.catalogue import CORPORA
from songwright.compose.tokens.augment import frame_shift
from songwright.compose.tokens.batches import stack
from songwright.compose.tokens.piece import HARMONY_ROLE, Part, Piece
from songwright.compose.tokens.vocabulary import KIND, POSITION, ROLES, VALUE
from songwright.compose.tokens.windows import MAX_BARS, Choice, ChosenPart, Example, build
from songwright.errors import InputError, SongwrightError
from songwright.score.song import Song
from songwright.seeding import generator
from songwright.splits import held_out

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
HEARD_BARS = 12
MOST_EVENTS = 576
BATCH_EVENTS = 4096
RECIPES = Path(__file__).resolve().parents[1] / "recipes"


class Network(Protocol):
    """What is asked; `onnx_steps.OnnxStepModel` is one."""

    @property
    def max_steps(self) -> int:
        """The most events of a row."""

    def nats(self, codes: NDArray[Any], features: NDArray[Any], mask: NDArray[np.bool_]) -> Floats:
        """Returns (B, K, T) nats."""

    def distributions(
        self, codes: NDArray[Any], features: NDArray[Any], mask: NDArray[np.bool_]
    ) -> Iterator[NDArray[np.floating[Any]]]:
        """Yields stream by stream (N_k, V_k) log-probabilities where the mask is True."""


@dataclass(frozen=True)
class Window:
    """Some bars of a piece.

    Attributes:
        example: its events; one part is to be written.
        start: bar of the piece with which it begins.
        judged: first bar of the piece that counts.
    """

    example: Example
    start: int
    judged: int


@dataclass(frozen=True)
class Reading:
    """What the network says of a window.

    Attributes:
        window: which.
        steps: (n,) events that count: those of the part, and what ends it in each bar.
        bars: (n,) bar of the piece of each.
        nats: (n, 2) of its kind and of its position.
        at: (m,) which of these have a value.
        kept: (m, …) what was kept of the distribution of each value.
    """

    window: Window
    steps: Ints
    bars: Ints
    nats: Floats
    at: Ints
    kept: NDArray[Any]

    @property
    def values(self) -> Ints:
        """(m,) the numbers in the value stream."""
        return self.window.example.codes[VALUE, self.steps[self.at]].astype(np.int64)


Keep = Callable[[Example, Ints, NDArray[np.floating[Any]]], NDArray[Any]]
"""``keep(example, steps (m,), table (m, V))`` returns what is kept of the log-probabilities of the value stream."""


def parts_of(piece: Piece, target: int, heard: Iterable[int]) -> tuple[ChosenPart, ...]:
    """Returns the parts of a window: those that are heard, then the one that is asked about.

    Args:
        piece: of which song.
        target: role of the part, place in `ROLES`; its first player.
        heard: roles of which the first player is heard, where there is one.
    """
    found = {part.role: part for part in reversed(piece.parts) if part.slot == 0}
    given = [ChosenPart(found[role], is_target=False) for role in heard if role in found and role != target]
    return (*given, ChosenPart(found.get(target, Part(target, 0))))


def windows(
    piece: Piece, parts: tuple[ChosenPart, ...], max_steps: int, heard: int = HEARD_BARS, first: int = 0
) -> list[Window]:
    """Returns windows that judge every bar of a piece once, from a first one on.

    Args:
        piece: the song.
        parts: the last one is asked about.
        max_steps: the most events of a row.
        heard: bars before those that count, where there is room.
        first: bar from which on they count.
    """
    places = {(part.role, part.slot): place for place, part in enumerate(piece.parts)}
    rows = [places[p.part.role, p.part.slot] for p in parts if (p.part.role, p.part.slot) in places]
    costs = piece.lengths[rows].sum(axis=0) + 4  # and BAR, SECTION, an empty TRACK
    room = min(MOST_EVENTS, max_steps) - 12 - 8 * len(parts)
    found = []
    while first < piece.num_bars:
        start = max(0, first - heard)
        while start < first and costs[start : first + 1].sum() > room:
            start += 1
        stop = first + 1
        while stop < min(piece.num_bars, start + MAX_BARS) and costs[start : stop + 1].sum() <= room:
            stop += 1
        shift = frame_shift(int(piece.keys[start]))
        example = build(piece, Choice(start, stop, parts, None, shift))
        if example.num_steps <= max_steps:  # a single bar thicker than that is left out
            found.append(Window(example, start, first))
        first = stop
    return found


def read(network: Network, asked: Sequence[Window], keep: Keep) -> list[Reading]:
    """Returns what the network says of windows, in their order.

    Args:
        network: the composer's.
        asked: the windows.
        keep: what is kept of the distributions of the value stream.
    """
    found: list[Reading | None] = [None] * len(asked)
    for group in _groups(asked):
        batch = stack([asked[i].example for i in group])
        bars = np.full(batch.kinds.shape, -1)
        for row, i in enumerate(group):
            window = asked[i]
            own = np.append(-1, window.example.bars[:-1])  # what ends a part in a bar stands behind it
            bars[row, : len(own)] = np.where(own >= 0, own + window.start, -1)
            bars[row, bars[row] < window.judged] = -1
        mask = batch.mask & (bars >= 0)[:, None]
        mask[:, [i for i in range(mask.shape[1]) if i not in (KIND, POSITION, VALUE)]] = False
        codes = batch.codes.astype(np.int64)
        nats = np.zeros((len(group), 2, codes.shape[2]))
        values = np.zeros((0, 0))
        for stream, table in enumerate(network.distributions(codes, batch.features.astype(np.int64), mask)):
            rows, steps = np.nonzero(mask[:, stream])
            if stream in (KIND, POSITION):
                nats[rows, stream, steps] = -table[np.arange(len(rows)), codes[rows, stream, steps]]
            elif stream == VALUE:
                values = table
        owners = np.nonzero(mask[:, VALUE])[0]
        for row, i in enumerate(group):
            steps = np.flatnonzero(mask[row].any(axis=0))
            at = np.flatnonzero(mask[row, VALUE, steps])
            kept = keep(asked[i].example, steps[at], values[owners == row])
            found[i] = Reading(asked[i], steps, bars[row, steps], nats[row][:, steps].T, at, kept)
    return [reading for reading in found if reading is not None]


def _groups(asked: Sequence[Window]) -> Iterator[list[int]]:
    """Yields places of windows of about one length together."""
    group: list[int] = []
    for i in sorted(range(len(asked)), key=lambda i: asked[i].example.num_steps):
        if group and (len(group) + 1) * asked[i].example.num_steps > BATCH_EVENTS:
            yield group
            group = []
        group.append(i)
    if group:
        yield group


def songs_of(name: str, data: Path, limit: int) -> dict[str, Song]:
    """Returns songs of a corpus that nothing learned from, by id, spread evenly; what cannot be read is left out.

    Args:
        name: of the corpus.
        data: folder of the corpora.
        limit: most songs; 0 for all.
    """
    corpus = CORPORA[name]
    sources = [s for s in corpus.find(data) if (s.split == "valid" if s.split else held_out(s.song))]
    found = {}
    for source in spread(sources, limit):
        try:
            found[source.song] = corpus.read(source)
        except SongwrightError:
            continue
    return found


def spread(items: Sequence[Any], limit: int) -> list[Any]:
    """Returns at most so many of the items, evenly spread; 0 for all."""
    if not limit or len(items) <= limit:
        return list(items)
    return [items[int(i * len(items) / limit)] for i in range(limit)]


def recipe_modules(folder: str, *names: str) -> Mapping[str, ModuleType]:
    """Returns modules of a recipe by name; other recipes have modules of the same names."""
    path = RECIPES / folder
    if not path.is_dir():
        raise InputError(f"{path} is missing: the benchmarks run from a whole checkout")
    own = {file.stem for file in path.glob("*.py")}
    aside = {name: sys.modules.pop(name) for name in own if name in sys.modules}
    sys.path.insert(0, str(path))
    try:
        return {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(path))
        for name in own:
            sys.modules.pop(name, None)
        sys.modules.update(aside)


def bootstrap(
    sums: Sequence[float] | Floats, counts: Sequence[float] | Floats, *, seed: int = 0, draws: int = 1000
) -> tuple[float, float, float]:
    """Returns a mean and its 95 % interval over songs, which are drawn again with replacement.

    Args:
        sums: (songs,) of what is measured.
        counts: (songs,) how much of it there is in each.
        seed: of the draws.
        draws: how many.
    """
    given, of = np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if not of.sum():
        return float("nan"), float("nan"), float("nan")
    chosen = generator(seed, "bootstrap").integers(len(given), size=(draws, len(given)))
    below = of[chosen].sum(axis=1)
    means = given[chosen].sum(axis=1)[below > 0] / below[below > 0]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(given.sum() / of.sum()), float(low), float(high)


def wins(costs: Sequence[float]) -> float:
    """Returns whether the first costs least: 1 if it alone does, a share where others cost as much, else 0."""
    least = min(costs)
    return float(costs[0] == least) / sum(cost == least for cost in costs)


HARMONY, MELODY = HARMONY_ROLE, ROLES.index("melody")
