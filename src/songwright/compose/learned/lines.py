"""Melodic lines as steps: from each note to the next an interval and a class of the time between their beginnings.

Both are free of the key; classes of time are half octaves, so that the same line in half or double time has the same
steps two classes away. What is compared with the training data is written in them; see `novelty`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.score.song import TICKS_PER_QUARTER, Song, Track

Ints = NDArray[np.int64]
LINE_ROLES = ("vocal", "melody", "counter_melody", "backing_vocal")
"""Roles whose highest notes are lines; where a piece has none of them its chords' highest notes are one."""

BREAK = -128
"""Interval before a line's first note."""

WIDEST = 60
TIME_CLASSES = 13
OCTAVE = 2
"""Classes of time in a doubling."""

_QUARTER = 6


@dataclass(frozen=True)
class Line:
    """One line of n notes.

    Attributes:
        starts: (n,) where notes begin, rising, in quarters.
        lengths: (n,) until the next note begins; of the last its own length; quarters.
        pitches: (n,) MIDI numbers.
        bars: (n,) bar of each, counted from 0.
        bar_quarters: (n,) length of that bar.
        name: what the line is called where it comes from.
    """

    starts: NDArray[np.float64]
    lengths: NDArray[np.float64]
    pitches: Ints
    bars: Ints
    bar_quarters: NDArray[np.float64]
    name: str = ""

    def __len__(self) -> int:
        return len(self.pitches)

    def shares(self) -> NDArray[np.float64]:
        """Returns (n,) how much of a bar each note fills until the next begins; at most one."""
        return np.minimum(self.lengths / self.bar_quarters, 1.0)

    def intervals(self) -> NDArray[np.int8]:
        """Returns (n,) semitones from the note before, `BREAK` for the first."""
        found = np.full(len(self), BREAK, dtype=np.int8)
        found[1:] = np.clip(np.diff(self.pitches), -WIDEST, WIDEST)
        return found

    def times(self) -> NDArray[np.uint8]:
        """Returns (n,) classes of the time since the note before, 0 for the first."""
        found = np.zeros(len(self), dtype=np.uint8)
        found[1:] = time_classes(np.diff(self.starts))
        return found


def time_classes(quarters: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Returns the class of each time: half octaves from an eighth of a quarter to eight quarters."""
    halves = np.rint(OCTAVE * np.log2(np.maximum(quarters, 1e-3))).astype(np.int64) + _QUARTER
    found: NDArray[np.uint8] = np.clip(halves, 0, TIME_CLASSES - 1).astype(np.uint8)
    return found


def make_line(starts: Ints, ends: Ints, pitches: Ints, bar_lines: Ints, per_quarter: int, name: str = "") -> Line:
    """Returns the line of the highest notes.

    Args:
        starts: of the notes, in whole units of any size.
        ends: of the notes.
        pitches: of the notes.
        bar_lines: where bars begin and where the last one ends, rising.
        per_quarter: units in a quarter.
        name: see `Line`.
    """
    at = skyline(starts.tolist(), ends.tolist(), pitches.tolist())
    begin = starts[at]
    lengths = np.diff(begin, append=ends[at[-1:]] if len(at) else begin)
    bars = np.clip(np.searchsorted(bar_lines, begin, side="right") - 1, 0, len(bar_lines) - 2)
    wide = np.diff(bar_lines)[bars] / per_quarter
    return Line(begin / per_quarter, lengths / per_quarter, pitches[at].astype(np.int64), bars, wide, name)


def skyline(starts: Sequence[int], ends: Sequence[int], pitches: Sequence[int]) -> Ints:
    """Returns places of the notes that are the highest of those that begin with them, in order of time.

    A note is not of the line while a higher one that began before it sounds on until it has ended.
    """
    order = sorted(range(len(starts)), key=lambda i: (starts[i], -pitches[i], -ends[i]))
    kept: list[int] = []
    above: list[tuple[int, int]] = []
    for i in order:
        if kept and starts[i] == starts[kept[-1]]:
            continue
        above = [(end, pitch) for end, pitch in above if end > starts[i]]
        if any(pitch > pitches[i] and end >= ends[i] for end, pitch in above):
            continue
        above.append((ends[i], pitches[i]))
        kept.append(i)
    return np.array(kept, dtype=np.int64)


def song_lines(song: Song) -> list[Line]:
    """Returns the lines of a song: of each track of `LINE_ROLES`, without them the highest of all pitched notes."""
    tracks = [track for track in song.tracks if track.role in LINE_ROLES and track.notes]
    if tracks:
        return [_of(song, (track,), track.id) for track in tracks]
    pitched = tuple(track for track in song.tracks if not track.is_drums and track.role != "bass" and track.notes)
    return [_of(song, pitched, "highest notes")] if pitched else []


def _of(song: Song, tracks: Sequence[Track], name: str) -> Line:
    notes = [note for track in tracks for note in track.notes]
    rows = np.array([(note.start_ticks, note.end_ticks, note.pitch) for note in notes], dtype=np.int64)
    return make_line(rows[:, 0], rows[:, 1], rows[:, 2], _bar_lines(song), TICKS_PER_QUARTER, name)


def _bar_lines(song: Song) -> Ints:
    """Returns the tick of every bar line, the last bar's end as if it were whole."""
    starts = song.bar_starts()
    meter = song.meters[-1]
    return np.array([*starts, (starts[-1] if starts else 0) + meter.bar_ticks], dtype=np.int64)
