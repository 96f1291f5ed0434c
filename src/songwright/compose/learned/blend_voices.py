"""What tracks of a blend share, and the tracks that are not written anew: those that follow, and those that sing.

A voice keeps its rhythm and its words and gets the pitches of the blended tune; what sings beside it goes with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from songwright.compose.learned.bars.coder import BarCoder
from songwright.compose.learned.bars.kinds import HOLD, KNOWN, ONSET
from songwright.compose.learned.bars.writing import WHITE, Line, Roll
from songwright.compose.learned.blend_harmony import Harmony, followed, nearest
from songwright.compose.learned.blend_sides import Side
from songwright.score.song import Note, Track

Ints = NDArray[np.int64]
UNPITCHED = ("drums", "percussion", "effects")


@dataclass(frozen=True)
class Meeting:
    """What all tracks of a blend share.

    Attributes:
        near: the song whose form it is.
        far: the other.
        pairs: (W,) windows of the other that go with its windows, -1 for none.
        share: of the other, 0 to 1.
        harmony: of the blend.
        coder: the networks.
    """

    near: Side
    far: Side
    pairs: Ints
    share: float
    harmony: Harmony
    coder: BarCoder


@dataclass(frozen=True)
class Decided:
    """The windows of a track that both songs play.

    Attributes:
        windows: their numbers.
        changed: which of them are no longer those of the nearer song.
        bars: what is written in them, in the order of `windows`.
        base: what pitches are counted from, in the frame.
        kind: of the part.
    """

    windows: Ints
    changed: NDArray[np.bool_]
    bars: Line | Roll
    base: int
    kind: str


def folded(pitch: int, low: int, high: int) -> int:
    """Returns a pitch moved by octaves into a compass, or as near above or below it as it gets."""
    while pitch > high:
        pitch -= 12
    while pitch < low:
        pitch += 12
    return pitch if pitch <= 127 else pitch - 12


def following(meeting: Meeting, track: Track, but: Sequence[int]) -> Track:
    """Returns a track whose notes follow the harmony where it moved; drums and effects have no chords to follow."""
    if track.role in UNPITCHED or not track.notes:
        return track
    near = meeting.near
    window, cell = near.windows_of_ticks([note.start_ticks for note in track.notes])
    old, new = near.chord[window, cell], meeting.harmony.chord[window, cell]
    leave = np.isin(window, list(but))
    shift = near.shift[window]
    notes = [
        note if leave[i] else followed(note, int(old[i]), int(new[i]), int(shift[i]), is_bass=track.role == "bass")
        for i, note in enumerate(track.notes)
    ]
    if all(a is b for a, b in zip(notes, track.notes, strict=True)):
        return track
    return replace(track, notes=tuple(_without_doubles(notes)))


def _without_doubles(notes: Sequence[Note]) -> list[Note]:
    """Returns notes in order, of those that became the same one."""
    seen: dict[tuple[int, int], Note] = {}
    for note in notes:
        key = (note.start_ticks + note.offset_ticks, note.pitch)
        if key not in seen or seen[key].velocity < note.velocity:
            seen[key] = note
    return sorted(seen.values())


def sung_track(meeting: Meeting, track: Track, decided: Decided | None) -> Track:
    """Returns a voice with its rhythm and words and the pitches of the blended tune, within its own compass."""
    moved = following(meeting, track, ())
    if decided is None or not decided.changed.any() or not isinstance(decided.bars, Line):
        return moved
    near, bars = meeting.near, decided.bars
    low, high = min(n.pitch for n in track.notes), max(n.pitch for n in track.notes)
    window, cell = near.windows_of_ticks([note.start_ticks for note in track.notes])
    rows = {int(w): i for i, w in enumerate(decided.windows.tolist()) if decided.changed[i]}
    by_place = {(n.start_ticks, n.syllable): n for n in moved.notes}
    notes = []
    for i, note in enumerate(track.notes):
        row = rows.get(int(window[i]))
        kept = by_place.get((note.start_ticks, note.syllable), note)
        if row is None:
            notes.append(kept)
            continue
        state, shift = bars.state[row], int(near.shift[window[i]])
        sounding_at = _sounding(state, int(cell[i]))
        if sounding_at is None:
            notes.append(kept)
            continue
        classes = WHITE | (KNOWN[meeting.harmony.chord[window[i], cell[i]]][:12] > 0)
        pitch = folded(nearest(decided.base - 12 + sounding_at, classes) - shift, low, high)
        notes.append(replace(note, pitch=pitch if low <= pitch <= high else kept.pitch))
    return replace(track, notes=tuple(notes))


def _sounding(state: Ints, cell: int) -> int | None:
    """Returns the pitch that a line sounds in a cell, or the next one that it begins; None if it has none."""
    before = np.flatnonzero(state[: cell + 1] >= ONSET)
    if len(before) and (state[before[-1] + 1 : cell + 1] == HOLD).all():
        return int(state[before[-1]]) - ONSET
    after = np.flatnonzero(state[cell:] >= ONSET)
    if len(after):
        return int(state[cell + after[0]]) - ONSET
    return int(state[before[-1]]) - ONSET if len(before) else None


def moved_lead(tracks: Sequence[Track], done: Mapping[str, Track]) -> dict[int, tuple[int, int]]:
    """Returns the old and the new pitch of the lead voice's notes by where they begin."""
    lead = next((track for track in tracks if track.role == "vocal"), None)
    if lead is None or lead.id not in done:
        return {}
    new = {(n.start_ticks, n.syllable): n.pitch for n in done[lead.id].notes}
    return {n.start_ticks: (n.pitch, new.get((n.start_ticks, n.syllable), n.pitch)) for n in lead.notes}


def second_voice(meeting: Meeting, track: Track, lead: Mapping[int, tuple[int, int]]) -> Track:
    """Returns a second voice: what doubled the lead still does, what sang beside it goes with it within the chord."""
    near = meeting.near
    window, cell = near.windows_of_ticks([note.start_ticks for note in track.notes])
    notes = []
    for i, note in enumerate(track.notes):
        w, c = int(window[i]), int(cell[i])
        new, shift = int(meeting.harmony.chord[w, c]), int(near.shift[w])
        was, now = lead.get(note.start_ticks, (0, 0))
        if was == now:
            notes.append(followed(note, int(near.chord[w, c]), new, shift))
        elif (note.pitch - was) % 12 == 0:
            notes.append(replace(note, pitch=folded(note.pitch + now - was, 0, 127)))
        else:
            classes = (KNOWN[new][:12] > 0) if new else WHITE.copy()
            classes[(now + shift) % 12] = False
            side = nearest(note.pitch + now - was + shift, classes) if classes.any() else note.pitch + shift
            notes.append(replace(note, pitch=folded(side - shift, 0, 127)))
    return replace(track, notes=tuple(notes)) if notes != list(track.notes) else track
