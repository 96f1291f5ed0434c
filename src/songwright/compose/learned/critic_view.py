"""`Heard`: what the critic hears of a song — tune, bass, chords, drums, form — as arrays made once for all terms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.score.drums import DRUM_GROUPS, drum_group
from songwright.score.song import TICKS_PER_QUARTER, Note, Song, Track
from songwright.score.theory import parse_chord, parse_key

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

STEPS = 16
"""Parts of a bar on which patterns are compared."""

_TUNE = ("vocal", "melody")
_BACKING = ("chords", "pad", "counter_melody", "backing_vocal")


@dataclass(frozen=True, slots=True)
class Heard:
    """A song in arrays; whatever it does not have is empty. Rows of notes are start, duration and pitch, in order.

    Attributes:
        bars: (B + 1,) ticks of the bar lines, the end included.
        beats: (B,) ticks of a beat in each bar (a dotted quarter in compound metres).
        tune: (N, 3) the highest note of vocal and melody at each onset, one at a time.
        bass: (M, 3) the lowest note of the bass at each onset, one at a time.
        backing: (K, 3) chords, pads and second voices.
        strokes: (S, 3) start, index in `DRUM_GROUPS`, velocity.
        chords: (C, 4) start, end, root and bass pitch class; no chord is left out.
        tones: (C, 12) the pitch classes of each chord.
        scale: (B, 12) the pitch classes of the key at each bar line.
        tonics: (B,) pitch class of the tonic at each bar line.
        sections: (P, 2) start and end.
        roles: (P,) role of each section.
    """

    bars: Ints
    beats: Ints
    tune: Ints
    bass: Ints
    backing: Ints
    strokes: Ints
    chords: Ints
    tones: Bools
    scale: Bools
    tonics: Ints
    sections: Ints
    roles: tuple[str, ...]

    @property
    def num_bars(self) -> int:
        """How many bars there are."""
        return len(self.bars) - 1

    def bar_of(self, ticks: Ints) -> Ints:
        """Returns the bar of each tick."""
        return np.clip(np.searchsorted(self.bars, ticks, side="right") - 1, 0, self.num_bars - 1)

    def chord_at(self, ticks: Ints) -> Ints:
        """Returns the chord under each tick, -1 for none."""
        if not len(self.chords):
            return np.full(len(ticks), -1, dtype=np.int64)
        found = np.searchsorted(self.chords[:, 0], ticks, side="right") - 1
        return np.where((found >= 0) & (ticks < self.chords[np.maximum(found, 0), 1]), found, -1)

    def on_chord(self, ticks: Ints, pitches: Ints) -> tuple[Bools, Bools]:
        """Returns which pitches are tones of the chord under them, and which have a chord under them."""
        found = self.chord_at(ticks)
        known = found >= 0
        if not len(self.chords):
            return known, known
        return known & self.tones[np.maximum(found, 0), pitches % 12], known

    def place(self, ticks: Ints) -> Ints:
        """Returns how far each tick lies from its bar line."""
        return ticks - self.bars[self.bar_of(ticks)]

    def strong(self, ticks: Ints) -> Bools:
        """Returns which ticks are strong beats: the bar line, and the middle of a bar of four beats."""
        bar = self.bar_of(ticks)
        place, length = ticks - self.bars[bar], np.diff(self.bars)[bar]
        even = length == 4 * self.beats[bar]
        found: Bools = (place == 0) | (even & (place * 2 == length))
        return found

    def grid(self, ticks: Ints) -> Bools:
        """Returns (B, 16): where in each bar something begins."""
        grid = np.zeros((self.num_bars, STEPS), dtype=bool)
        bar = self.bar_of(ticks)
        steps = (ticks - self.bars[bar]) * STEPS // np.maximum(np.diff(self.bars)[bar], 1)
        grid[bar, np.clip(steps, 0, STEPS - 1)] = True
        return grid


def hear(song: Song) -> Heard:
    """Returns a song as the critic hears it; how notes are played (their offsets) is left out."""
    lines = [*song.bar_starts(), song.duration_ticks]
    bars = np.array(lines if len(lines) > 1 else [0, 4 * TICKS_PER_QUARTER], dtype=np.int64)
    spans = [(c, found) for c in song.chords if (found := parse_chord(c.symbol)) is not None]
    tones = np.zeros((len(spans), 12), dtype=bool)
    for i, (_, chord) in enumerate(spans):
        tones[i, list(chord.pitch_classes)] = True
    scale, tonics = _keys(song, bars)
    return Heard(
        bars=bars,
        beats=_beats(song, bars),
        tune=_line(song.tracks, _TUNE, highest=True),
        bass=_line(song.tracks, ("bass",), highest=False),
        backing=_rows([note for track in song.tracks if track.role in _BACKING for note in track.notes]),
        strokes=_strokes(song.tracks),
        chords=_array([(c.start_ticks, c.end_ticks, f.root, f.bass_pitch_class) for c, f in spans], 4),
        tones=tones,
        scale=scale,
        tonics=tonics,
        sections=_array([(s.start_ticks, s.end_ticks) for s in song.sections], 2),
        roles=tuple(s.role for s in song.sections),
    )


def _array(rows: Sequence[tuple[int, ...]], width: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(-1, width)


def _rows(notes: Sequence[Note]) -> Ints:
    return _array(sorted((n.start_ticks, n.duration_ticks, n.pitch) for n in notes), 3)


def _line(tracks: Sequence[Track], roles: Sequence[str], *, highest: bool) -> Ints:
    """Returns one note at a time: the outermost at every onset, cut where the next begins."""
    rows = _rows([note for track in tracks if track.role in roles for note in track.notes])
    if not len(rows):
        return rows
    rows = rows[np.lexsort((-rows[:, 2] if highest else rows[:, 2], rows[:, 0]))]
    rows = rows[np.concatenate([[True], np.diff(rows[:, 0]) > 0])]
    following = np.append(rows[1:, 0], np.iinfo(np.int64).max)
    return np.column_stack([rows[:, 0], np.minimum(rows[:, 1], following - rows[:, 0]), rows[:, 2]])


def _strokes(tracks: Sequence[Track]) -> Ints:
    number = {name: i for i, name in enumerate(DRUM_GROUPS)}
    rows = [
        (n.start_ticks, number[drum_group(n.pitch)], n.velocity) for t in tracks if t.role == "drums" for n in t.notes
    ]
    return _array(sorted(rows), 3)


def _beats(song: Song, bars: Ints) -> Ints:
    starts = [meter.tick for meter in song.meters]
    compound = [m.denominator >= 8 and m.numerator % 3 == 0 for m in song.meters]
    beats = [
        TICKS_PER_QUARTER * 4 // m.denominator * (3 if c else 1) for m, c in zip(song.meters, compound, strict=True)
    ]
    return np.array(beats, dtype=np.int64)[np.searchsorted(starts, bars[:-1], side="right") - 1]


def _keys(song: Song, bars: Ints) -> tuple[Bools, Ints]:
    keys = [parse_key(change.key) for change in song.keys]
    scales = np.zeros((len(keys), 12), dtype=bool)
    for row, key in zip(scales, keys, strict=True):
        row[list(key.pitch_classes)] = True
    at = np.searchsorted([change.tick for change in song.keys], bars[:-1], side="right") - 1
    return scales[at], np.array([key.tonic for key in keys], dtype=np.int64)[at]
