"""Bars of one song set before bars of another, as one piece of music: what `imitate` shows the network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from songwright.compose.learned.grammar import PartRules
from songwright.compose.plan import SongPlan
from songwright.compose.reharmonise import chords_for
from songwright.compose.style import load_style
from songwright.compose.tokens.augment import frame_shift
from songwright.compose.tokens.bars import key_number
from songwright.compose.tokens.controls import measure
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.piece import index_piece, part_events
from songwright.score.instruments import instrument
from songwright.score.song import ChordSpan, Note, Song, Track
from songwright.score.theory import Key, parse_chord, parse_key

_HARMONY_STYLE = "pop"
"""Whose chords are found for music that names none."""

_SCALE = (0, 2, 4, 5, 7, 9, 11)
_MOST_NOTES, _MOST_DRUMS = 32, 40
"""Events in a bar."""

_OCTAVES = (0, 12, -12, 24, -24)


@dataclass(frozen=True)
class Scene:
    """Music that is put before the network.

    Attributes:
        song: bars of the reference, then bars of the song in which the parts that are to be written are empty.
        before: by id the tracks of the song with nothing but the reference's notes.
        num_given: bars of the reference.
    """

    song: Song
    before: Mapping[str, Track]
    num_given: int


def steps_between(key: Key, other: Key) -> int:
    """Returns the semitones (-5 to 6) that take one key's signature to another's."""
    up = (other.fifths - key.fifths) * 7 % 12
    return up if up <= 6 else up - 12


def cut_notes(notes: Sequence[Note], start: int, end: int, at: int) -> list[Note]:
    """Returns the notes that begin between two ticks, ended there at the latest, moved so that the first is at `at`."""
    return [
        replace(n, start_ticks=n.start_ticks - start + at, duration_ticks=min(n.duration_ticks, end - n.start_ticks))
        for n in notes
        if start <= n.start_ticks < end
    ]


def cut_chords(chords: Sequence[ChordSpan], start: int, end: int, at: int, up: int = 0) -> tuple[ChordSpan, ...]:
    """Returns the chords between two ticks, cut there, moved so that the first tick is `at`, some semitones higher."""
    found = []
    for span in chords:
        first, last = max(span.start_ticks, start), min(span.end_ticks, end)
        chord = parse_chord(span.symbol) if up else None
        if first < last:
            symbol = span.symbol if chord is None else chord.transposed(up).symbol()
            found.append(ChordSpan(first - start + at, last - first, symbol))
    return tuple(found)


def fitted(notes: Sequence[Note], up: int, track: Track) -> list[Note]:
    """Returns notes for another player: some semitones higher, in the octave where it plays; drums as they are.

    Args:
        notes: of the one who is followed, in order.
        up: semitones.
        track: of the one who follows.
    """
    if track.is_drums or not notes:
        return [replace(note, syllable=None) for note in notes]
    what = instrument(track.instrument)
    usual = sum(note.pitch for note in track.notes) / max(1, len(track.notes))
    here = sum(note.pitch for note in notes) / len(notes) + up

    def cost(octave: int) -> float:
        outside = sum(not what.low <= note.pitch + up + octave <= what.high for note in notes) / len(notes)
        return abs(here + octave - usual) + 60.0 * outside

    by = up + min(_OCTAVES, key=cost)
    moved = [replace(note, pitch=note.pitch + by, syllable=None) for note in notes]
    return [note for note in moved if what.low <= note.pitch <= what.high]


def chords_of(song: Song, plan: SongPlan) -> tuple[ChordSpan, ...]:
    """Returns the chords that a song names, else those found under all that it plays."""
    if song.chords:
        return song.chords
    notes = [note for track in song.tracks if not track.is_drums for note in track.notes]
    return chords_for(notes, plan, load_style(_HARMONY_STYLE)) if notes else ()


def rules_for(scene: Scene, name: str, followed: Track) -> PartRules:
    """Returns what a part may play: the drums of the one it follows, or its range, in the tones of key and chords.

    Args:
        scene: what the network sees.
        name: id of the part.
        followed: the track of the reference.
    """
    track = scene.song.track(name)
    least = _least(scene, name)
    if track.is_drums:
        return PartRules(drums=frozenset(note.pitch for note in followed.notes), most=_MOST_DRUMS, least=least)
    key = parse_key(scene.song.keys[0].key)
    shift = frame_shift(key_number(key))
    tones = {(key.fifths * 7 + step) % 12 for step in _SCALE}
    for span in scene.song.chords:
        chord = parse_chord(span.symbol)
        tones |= set(chord.pitch_classes) if chord is not None else set()
    classes = np.zeros(12, dtype=bool)
    classes[[(tone + shift) % 12 for tone in tones]] = True
    pitches = [note.pitch for note in scene.before[name].notes] or [note.pitch for note in track.notes] or [48, 72]
    return PartRules(min(pitches) + shift, max(pitches) + shift, classes, most=_MOST_NOTES, least=least)


def _least(scene: Scene, name: str) -> tuple[int, ...]:
    """Returns how many events a part has at least in each bar that is written: half of its emptiest given one."""
    bar = scene.song.meters[0].bar_ticks
    counts = [0] * scene.num_given
    for note in scene.before[name].notes:
        counts[note.start_ticks // bar] += 1
    written = scene.song.duration_ticks // bar - scene.num_given
    return (0,) * scene.num_given + (min(counts) // 2,) * written


def measured(scene: Scene, names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Returns the levels of controls (see `tokens.controls`) that some parts have in the reference."""
    found = {}
    for name in names:
        alone = replace(scene.song, tracks=(scene.before[name],), chords=(), syllables=())
        piece = index_piece(encode(alone).codes)
        for place, part in enumerate(piece.parts):
            events, bars = part_events(piece, place, 0, scene.num_given)
            found[name] = measure(events, bars, part.role, piece.bar_steps[: scene.num_given])
    return found
