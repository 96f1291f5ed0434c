"""What a player needs of a track: sounding times in seconds instead of ticks, and the contract every player obeys.

Here: the tempo map as arrays, `Performance`, and the `Player` protocol. Sound itself lives in `sampler`, `synth` and
`fluid`; levels and spaces live in the mixer.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from songwright.score.drums import drum_group
from songwright.score.song import TICKS_PER_QUARTER, Control, Note, Singer, Song, Syllable, Track

_RPN_LSB, _RPN_MSB, _DATA_MSB, _DATA_LSB = 100, 101, 6, 38
_MIN_NOTE_SECONDS = 0.001


@dataclass(frozen=True)
class Performance:
    """The notes of one track, or of some of its drums, as they sound.

    Attributes:
        start_seconds: onsets, micro-timing included, never below 0; in order, equal onsets by pitch. (notes,)
        end_seconds: note-offs, after the onset by at least a millisecond. (notes,)
        pitches: MIDI note numbers. (notes,)
        velocities: 1 to 127. (notes,)
        controls: (seconds, controller, value) in order.
        bends: (seconds, value) in order, -8192 to 8191.
        bend_range_semitones: what a full bend reaches, from RPN 0 of the track, otherwise 2.
        syllables: what is sung on each note, None where nothing is; empty on tracks that nobody sings. (notes,)
        singer: who sings.
    """

    start_seconds: NDArray[np.float64]
    end_seconds: NDArray[np.float64]
    pitches: NDArray[np.int64]
    velocities: NDArray[np.int64]
    controls: tuple[tuple[float, int, int], ...] = ()
    bends: tuple[tuple[float, int], ...] = ()
    bend_range_semitones: float = 2.0
    syllables: tuple[Syllable | None, ...] = ()
    singer: Singer | None = None

    @property
    def num_notes(self) -> int:
        """How many notes there are."""
        return len(self.pitches)


class Player(Protocol):
    """Turns a performance into dry sound. Players are cheap to make, and safe to share between threads."""

    @property
    def identity(self) -> str:
        """What decides how this player sounds: kind, soundfont, seed. The same text promises the same sound."""
        ...

    def render(
        self, performance: Performance, instrument: str, *, sample_rate: int, num_samples: int
    ) -> NDArray[np.float32]:
        """Returns the sound without reverb or chorus, natural tails kept as far as they fit.

        Args:
            performance: what is played.
            instrument: key into `instruments.INSTRUMENTS`.
            sample_rate: samples per second.
            num_samples: length of the result.

        Returns:
            (channels, samples), that is (2, num_samples), unclipped.
        """
        ...


def seconds_at(song: Song, ticks: ArrayLike) -> NDArray[np.float64]:
    """Returns the time of every tick, through the song's tempo map (`Song.seconds_at` for whole arrays).

    Args:
        song: whose tempo map.
        ticks: any shape; ticks below 0 run back at the first tempo.
    """
    positions = np.asarray(ticks, dtype=np.float64)
    changes = np.array([t.tick for t in song.tempos], dtype=np.float64)
    seconds_per_tick = np.array([60.0 / (t.bpm * TICKS_PER_QUARTER) for t in song.tempos])
    at_change = np.concatenate(([0.0], np.cumsum(np.diff(changes) * seconds_per_tick[:-1])))
    index = np.maximum(np.searchsorted(changes, positions, side="right") - 1, 0)
    seconds: NDArray[np.float64] = at_change[index] + (positions - changes[index]) * seconds_per_tick[index]
    return seconds


def performance(song: Song, track: Track, *, pitches: Collection[int] | None = None) -> Performance:
    """Returns how a track sounds in time.

    Args:
        song: whose tempo map.
        track: one of its tracks.
        pitches: keep only these notes (the mixer makes one stem of each group of drums); all if None.
    """
    notes = [n for n in track.notes if pitches is None or n.pitch in pitches]
    rows = np.array(
        [(n.start_ticks + n.offset_ticks, n.end_ticks + n.offset_ticks, n.pitch, n.velocity) for n in notes],
        dtype=np.int64,
    ).reshape(-1, 4)  # (notes, 4)
    start = np.maximum(seconds_at(song, rows[:, 0]), 0.0)
    end = np.maximum(seconds_at(song, rows[:, 1]), start + _MIN_NOTE_SECONDS)
    order = np.lexsort((rows[:, 2], start))
    controls = sorted(track.controls, key=lambda c: c.tick)
    bends = sorted(track.bends, key=lambda b: b.tick)
    texts = {syllable.id: syllable for syllable in song.syllables} if track.singer is not None else {}
    control_seconds = np.maximum(seconds_at(song, [c.tick for c in controls]), 0.0).tolist()
    bend_seconds = np.maximum(seconds_at(song, [b.tick for b in bends]), 0.0).tolist()
    return Performance(
        start_seconds=start[order],
        end_seconds=end[order],
        pitches=rows[order, 2],
        velocities=rows[order, 3],
        controls=tuple((s, c.controller, c.value) for s, c in zip(control_seconds, controls, strict=True)),
        bends=tuple((s, b.value) for s, b in zip(bend_seconds, bends, strict=True)),
        bend_range_semitones=_bend_range(controls),
        syllables=tuple(texts.get(_syllable_of(notes[i])) for i in order) if texts else (),
        singer=track.singer,
    )


def _syllable_of(note: Note) -> int:
    return -1 if note.syllable is None else note.syllable


def _bend_range(controls: Sequence[Control]) -> float:
    """Returns the last pitch bend range set through RPN 0 (semitones in data entry MSB, cents in LSB)."""
    selected = (127, 127)
    semitones, cents = 2, 0
    for control in controls:
        if control.controller == _RPN_MSB:
            selected = (control.value, selected[1])
        elif control.controller == _RPN_LSB:
            selected = (selected[0], control.value)
        elif control.controller == _DATA_MSB and selected == (0, 0):
            semitones = control.value
        elif control.controller == _DATA_LSB and selected == (0, 0):
            cents = control.value
    return semitones + cents / 100.0


def song_seconds(song: Song) -> float:
    """Returns the time of the last bar's end or of the last note-off, whichever is later; the ring comes on top."""
    ends = [n.end_ticks + n.offset_ticks for track in song.tracks for n in track.notes]
    return float(seconds_at(song, max([song.duration_ticks, *ends])))


def kick_seconds(song: Song) -> NDArray[np.float64]:
    """Returns the onsets of every kick of the drum tracks, in order, doubles within a millisecond merged."""
    ticks = [
        n.start_ticks + n.offset_ticks
        for track in song.tracks
        if track.is_drums
        for n in track.notes
        if drum_group(n.pitch) == "kick"
    ]
    seconds = np.sort(np.maximum(seconds_at(song, ticks), 0.0))
    return seconds[np.diff(seconds, prepend=-1.0) > 1e-3]


SUNG_GAP_SECONDS = 0.4
"""Shorter rests of the lead voice count as singing."""


def sung_seconds(song: Song) -> NDArray[np.float64]:
    """Returns where the lead voice sings: (stretches, 2) of begin and end in seconds, in order and apart."""
    spans = sorted(
        (n.start_ticks + n.offset_ticks, n.end_ticks + n.offset_ticks)
        for track in song.tracks
        if track.role == "vocal"
        for n in track.notes
    )
    stretches: list[list[float]] = []
    for begin, end in np.maximum(seconds_at(song, np.array(spans).reshape(-1, 2)), 0.0).tolist():
        if stretches and begin - stretches[-1][1] < SUNG_GAP_SECONDS:
            stretches[-1][1] = max(stretches[-1][1], end)
        else:
            stretches.append([begin, end])
    return np.array(stretches, dtype=np.float64).reshape(-1, 2)
