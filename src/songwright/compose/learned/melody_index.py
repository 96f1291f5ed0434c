"""`MelodyIndex`: the lines of everything that was learned from, packed, and the longest runs that a song shares.

Its file is of `melody_file`. Runs are found by hashes of grams, all looked up side by side, and then extended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.compose.learned.lines import BREAK, TIME_CLASSES, WIDEST, Ints

GRAMS = (12, 6)
"""Steps of the grams that are looked up: the shorter ones only where nothing shares a longer one."""

LEAST_OF_GRAM = 2.0
"""Bits a step that a gram must have to be looked up: scales, repeated notes and figures have less."""

_INTERVALS = 2 * WIDEST + 1
_BASE, _MIX, _LAST_MIX = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
_SIEVE_SHIFT = 14
_CANDIDATES = 48
_SMOOTHING = 0.05
_FIRST_STEP = 4.0
"""Bits of a line's first step."""

_TIME_BITS = 4
_SEEN = 4
"""A step whose last so many steps stood in the run before says nothing new."""

Codes = NDArray[np.uint32]
Steps = tuple[NDArray[np.int8], NDArray[np.uint8]]
"""Intervals and time classes of lines laid end to end; `lines.BREAK` before each."""


@dataclass(frozen=True, slots=True)
class Run:
    """Steps that a song and the index have in common.

    Attributes:
        song: first step in the song.
        index: first step in the index.
        steps: how many; the notes are one more.
        bits: how surprising they are; see `new_bits`.
    """

    song: int
    index: int
    steps: int
    bits: float


@dataclass(frozen=True, slots=True)
class Source:
    """Where in the training data a step stands.

    Attributes:
        corpus: key of the ledger.
        piece: its id within the shards.
        bar: counted from 0.
        role: of the part.
    """

    corpus: str
    piece: str
    bar: int
    role: str


class MelodyIndex:
    """All lines, end to end.

    Args:
        steps: intervals (n,), `BREAK` at the first note of every stretch, and classes of time (n,).
        advance: (n,) uint8 bars from the note before.
        starts: (s,) first note of every stretch.
        pieces: (s,) piece of each, its place in `names`.
        bars: (s,) bar of the first note.
        roles: (s,) role of each stretch, by name.
        names: of the pieces, the corpus first.
        ledger: licence and attribution of each corpus.
    """

    def __init__(
        self,
        steps: Steps,
        advance: NDArray[np.uint8],
        starts: Ints,
        pieces: Ints,
        bars: Ints,
        roles: Sequence[str],
        names: Sequence[str],
        ledger: Mapping[str, Mapping[str, str]],
    ) -> None:
        self.intervals, self.times = steps
        self.advance, self.starts, self.pieces, self.bars = advance, starts, pieces, bars
        self.roles, self.names, self.ledger = tuple(roles), tuple(names), dict(ledger)
        self._codes = {rhythm: _codes(steps, rhythm=rhythm) for rhythm in (False, True)}
        self._hashes: dict[tuple[int, bool], Codes] = {}
        self._costs = _cost_tables(*steps)

    def __len__(self) -> int:
        return len(self.intervals)

    def source(self, step: int) -> Source:
        """Returns where the note before a step stands, which is where a run beginning with it begins."""
        note = step - 1
        stretch = int(np.searchsorted(self.starts, note, side="right")) - 1
        first = int(self.starts[stretch])
        bar = int(self.bars[stretch]) + int(self.advance[first + 1 : note + 1].sum())
        name = self.names[int(self.pieces[stretch])]
        return Source(name.split("/")[0], name, bar, self.roles[stretch])

    def runs(self, song: Steps, *, rhythm: bool) -> list[Run]:
        """Returns runs of equal steps, the most surprising first; none of fewer than the shorter of `GRAMS` steps.

        Args:
            song: its steps.
            rhythm: whether times must be equal too, not intervals alone.
        """
        codes = _codes(song, rhythm=rhythm)
        costs = self.each_cost(song, rhythm=rhythm)
        for size in GRAMS:
            pairs = self._pairs(codes, costs, size, rhythm=rhythm)
            found = self._best(codes, costs, _diagonals(pairs, size), rhythm=rhythm) if len(pairs) else []
            if found:
                return found
        return []

    def each_cost(self, song: Steps, *, rhythm: bool) -> NDArray[np.float64]:
        """Returns (n,) bits of each step after the one before it, as the index has them; infinite at breaks."""
        by_interval, by_time = self._costs
        rows = np.clip(song[0].astype(np.int64) + WIDEST, 0, _INTERVALS - 1)
        before = np.roll(rows, 1)
        costs = by_interval[before, rows]
        if rhythm:
            times = song[1].astype(np.int64)
            costs = costs + by_time[np.roll(times, 1), times]
        first = np.roll(song[0] == BREAK, 1)  # has no step before it
        return np.where(song[0] == BREAK, np.inf, np.where(first, _FIRST_STEP, costs))

    def _pairs(self, codes: Codes, costs: NDArray[np.float64], size: int, *, rhythm: bool) -> Ints:
        """Returns (n, 2) steps of song and index at which grams with equal hashes begin."""
        mine = _grams(codes, size)
        _, firsts, same = np.unique(mine[: max(0, len(codes) - size + 1)], return_index=True, return_inverse=True)
        bits = [new_bits(codes[i : i + size], costs[i : i + size]) for i in firsts.tolist()]
        telling = [LEAST_OF_GRAM * size <= each < np.inf for each in bits]
        places = np.flatnonzero(np.array(telling, dtype=bool)[same])
        if not len(places):
            return np.zeros((0, 2), dtype=np.int64)
        if (size, rhythm) not in self._hashes:
            self._hashes[size, rhythm] = _grams(self._codes[rhythm], size)
        theirs = self._hashes[size, rhythm]
        sieve = np.zeros(1 << (32 - _SIEVE_SHIFT), dtype=bool)
        sieve[mine[places] >> _SIEVE_SHIFT] = True
        found = np.flatnonzero(sieve[theirs >> _SIEVE_SHIFT])
        order = places[np.argsort(mine[places], kind="stable")]
        low = np.searchsorted(mine[order], theirs[found], side="left")
        count = np.searchsorted(mine[order], theirs[found], side="right") - low
        index = np.repeat(found, count)
        within = np.arange(len(index)) - np.repeat(np.cumsum(count) - count, count)
        return np.stack([order[np.repeat(low, count) + within], index], axis=1)

    def _best(self, codes: Codes, costs: NDArray[np.float64], runs: Ints, *, rhythm: bool) -> list[Run]:
        """Returns the best of runs (n, 3), extended to their whole length."""
        theirs = self._codes[rhythm]
        longest = runs[np.argsort(-runs[:, 2], kind="stable")][:_CANDIDATES]
        found: dict[tuple[int, int], Run] = {}
        for a, b, steps in longest.tolist():
            if not np.array_equal(codes[a : a + steps], theirs[b : b + steps]):
                continue  # equal hashes of other grams
            first, last = _extended(codes, theirs, a, b, steps)
            start = b + first - a
            if (first, start) not in found:
                bits = new_bits(codes[first:last], costs[first:last])
                found[first, start] = Run(first, start, last - first, bits)
        return sorted(found.values(), key=lambda run: (-run.bits, run.song, run.index))


def new_bits(codes: Codes, costs: NDArray[np.float64]) -> float:
    """Returns how surprising a run is: the sum of the costs of its steps.

    What repeats itself within the run says nothing new: a step counts only where it and the three before it have
    not stood in the run already. So neither a note struck again and again nor a figure played for eight bars adds.

    Args:
        codes: (n,) of the steps.
        costs: (n,) of each, in bits.
    """
    steps, total = codes.tolist(), 0.0
    seen: set[tuple[int, ...]] = set()
    for i, cost in enumerate(costs.tolist()):
        gram = tuple(steps[max(0, i - _SEEN + 1) : i + 1])
        if gram not in seen:
            total += cost
            seen.add(gram)
    return total


def _cost_tables(
    intervals: NDArray[np.int8], times: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns bits of each interval after each, and of each class of time after each."""
    inside = np.flatnonzero((intervals[1:] != BREAK) & (intervals[:-1] != BREAK)) + 1
    tables = []
    for row, size in ((intervals.astype(np.int32) + WIDEST, _INTERVALS), (times.astype(np.int32), TIME_CLASSES)):
        counts = np.bincount(row[inside - 1] * size + row[inside], minlength=size * size).reshape(size, size)
        smooth = counts + _SMOOTHING
        tables.append(-np.log2(smooth / smooth.sum(axis=1, keepdims=True)))
    return tables[0], tables[1]


def _codes(steps: Steps, *, rhythm: bool) -> Codes:
    """Returns one number for each step; 0 at breaks."""
    codes: Codes = (steps[0].astype(np.int16) - BREAK).astype(np.uint32) * np.uint32(1 << _TIME_BITS)
    if rhythm:
        codes += np.where(codes, steps[1], np.uint8(0))
    return codes


def _grams(codes: Codes, size: int) -> Codes:
    """Returns the hash of the gram of steps that begins at each step; grams across the end have that of fewer steps."""
    hashed = codes * np.uint32(_MIX)
    hashed ^= hashed >> 15
    pair = _joined(hashed, hashed, 1)
    rolled, length = _joined(pair, hashed, 2), 3
    while length < size:
        rolled, length = _joined(rolled, rolled, length), 2 * length
    rolled ^= rolled >> 16
    rolled *= np.uint32(_LAST_MIX)
    return rolled


def _joined(first: Codes, second: Codes, length: int) -> Codes:
    """Returns hashes of grams of `length` steps and those after them together."""
    factor = np.uint32(pow(_BASE, length, 1 << 32))
    joined = first * factor
    joined[:-length] += second[length:]
    return joined


def _diagonals(pairs: Ints, size: int) -> Ints:
    """Returns (n, 3) first step in the song, first in the index and number of steps of runs of pairs."""
    pairs = pairs[np.lexsort((pairs[:, 0], pairs[:, 1] - pairs[:, 0]))]
    joined = (np.diff(pairs[:, 0]) == 1) & (np.diff(pairs[:, 1]) == 1)
    first = np.flatnonzero(np.concatenate([[True], ~joined]))
    counts = np.diff(np.append(first, len(pairs)))
    return np.column_stack([pairs[first], counts + size - 1])


def _extended(mine: Codes, theirs: Codes, a: int, b: int, steps: int) -> tuple[int, int]:
    """Returns the first and one past the last step in the song of the whole run around a shorter one."""
    first, last, shift = a, a + steps, b - a
    while first > 0 and first + shift > 0 and mine[first - 1] == theirs[first - 1 + shift] and mine[first - 1]:
        first -= 1
    while last < len(mine) and last + shift < len(theirs) and mine[last] == theirs[last + shift] and mine[last]:
        last += 1
    return first, last
