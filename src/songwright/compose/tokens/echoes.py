"""Echoes: what would come next if a part did in this bar what it did one, two, four or eight bars before.

Music repeats by the bar. A network that is shown the next event of those bars need not search for it, and learns to
copy, to vary, or to leave off; where nothing more came then, that is shown too.
"""

from bisect import bisect_right, insort

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.vocabulary import KIND, MAX_BAR_STEPS, POSITION, VALUE, VALUES, Kind
from songwright.compose.tokens.windows import Example

Ints = NDArray[np.int64]
BACK = (1, 2, 4, 8)
"""How many bars before."""

NOTHING_LEFT = MAX_BAR_STEPS + 1
"""Position feature of a bar that is known and holds nothing more; 0 is a bar that is not known."""

SIZES = {"position": MAX_BAR_STEPS + 2, "value": 257}
"""A value is a pitch (1 to 128), a drum (from 129), or the root of a chord as in the feature "root"."""

_VALUES = 1 << 11
_PLACES = _VALUES * 256
_BARS = 64
_LAST = 1 << 20


def echo_values(kinds: Ints, values: Ints) -> Ints:
    """Returns the value feature of notes and chords.

    Args:
        kinds: of each, NOTE or CHORD.
        values: numbers of the value stream.
    """
    number = values - VALUES["chord"].start
    size = (VALUES["chord"].size - 1) // 12
    roots = np.where(number > 0, (number - 1) // size + 2, 1)
    found: Ints = np.where(kinds == Kind.CHORD, roots, values - VALUES["pitch"].start + 1)
    return found


def echoes(example: Example, hole: tuple[int, int]) -> Ints:
    """Returns (8, T): position and value of the next event of each bar of `BACK`, after each event.

    Args:
        example: the example.
        hole: first bar of the hole and the first after it; equal without one.
    """
    codes, parts, bars = example.codes.astype(np.int64), example.parts_of, example.bars
    kinds = codes[KIND]
    sounds = (kinds == Kind.NOTE) | (kinds == Kind.CHORD)
    at = np.flatnonzero(sounds)
    out = np.zeros((2 * len(BACK), example.num_steps), dtype=np.int64)
    seats = (parts * _BARS + bars) * _PLACES
    keys = seats[at] + codes[POSITION, at] * _VALUES + codes[VALUE, at]
    order = np.argsort(keys, kind="stable")
    # An event after all others, so that there is always a next one.
    keys, at = np.append(keys[order], np.iinfo(np.int64).max), np.append(at[order], 0)
    own = np.maximum.accumulate(np.where(kinds != Kind.TIE, np.arange(len(kinds)), 0))
    placed = np.where(sounds | (kinds == Kind.LINE), codes[POSITION], 0) * _VALUES + np.where(sounds, codes[VALUE], 0)
    now = placed[own]
    late = np.arange(example.num_steps) > example.fill
    values = echo_values(kinds[at], codes[VALUE, at])
    for row, back in enumerate(BACK):
        there = bars - back
        known = (parts >= 0) & (there >= 0) & (late | (there < hole[0]) | (there >= hole[1]))
        base = (parts * _BARS + there) * _PLACES
        found = np.searchsorted(keys, base + now, side="right")
        left = known & (keys[found] < base + _PLACES)
        out[2 * row] = np.where(left, codes[POSITION, at[found]], np.where(known, NOTHING_LEFT, 0))
        out[2 * row + 1] = np.where(left, values[found], 0)
    return out


class EchoTracker:
    """The same, one event at a time."""

    def __init__(self) -> None:
        self._events: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        self._known: set[int] = set()
        self._now = (0, 0, _LAST)

    def fork(self) -> "EchoTracker":
        """Returns a tracker that goes on from here by itself."""
        fork = EchoTracker()
        fork._events = {seat: list(events) for seat, events in self._events.items()}
        fork._known, fork._now = set(self._known), self._now
        return fork

    def open_bar(self, bar: int) -> None:
        """A bar begins."""
        self._known.add(bar)

    def open_part(self) -> None:
        """A part begins in the bar."""
        self._now = (0, 0, _LAST)

    def feed_line(self, position: int) -> None:
        """A line of words begins here."""
        self._now = (position, 0, _LAST)

    def feed(self, part: int, bar: int, position: int, value: int, shown: int) -> None:
        """A note or chord has come.

        Args:
            part: of the example.
            bar: of the example.
            position: number in its stream.
            value: number in its stream.
            shown: its value feature.
        """
        self._now = (position, value, _LAST)
        insort(self._events.setdefault((part, bar), []), (position, value, shown))

    def tell(self, part: int, bar: int) -> list[int]:
        """Returns the eight features of a part in a bar."""
        out: list[int] = []
        for back in BACK:
            if bar - back not in self._known:
                out += (0, 0)
                continue
            events = self._events.get((part, bar - back), ())
            at = bisect_right(events, self._now)
            out += (events[at][0], events[at][2]) if at < len(events) else (NOTHING_LEFT, 0)
        return out
