"""The tracks of a blend: each bar of a track between itself and its partner's, over the blended harmony.

Where the network hears no difference yet from the nearer song's own bar, that bar's own notes stand, as they were
played; they follow the harmony where it moved.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from songwright.compose.learned.bars.cells import base_of, part_bars, sounding
from songwright.compose.learned.bars.coder import BarCoder, between
from songwright.compose.learned.bars.kinds import CELL, DRUM_CLASSES, HOLD, KNOWN, ONSET
from songwright.compose.learned.bars.writing import (
    WHITE,
    Line,
    Roll,
    kit_notes,
    kit_of,
    line_notes,
    line_of,
    roll_notes,
    roll_of,
)
from songwright.compose.learned.blend_harmony import Harmony, followed, nearest
from songwright.compose.learned.blend_sides import Side, partner, player_of
from songwright.compose.learned.feel import Feel
from songwright.compose.learned.rewrite import with_notes
from songwright.compose.tokens.grid import PITCH, START
from songwright.neural.bar_network import Bars
from songwright.score.song import Note, Track

Ints = NDArray[np.int64]
SUNG = ("vocal", "backing_vocal")
UNPITCHED = ("drums", "percussion", "effects")
CROWDED = 0.25
"""A melody in which more than this share of the beginnings are of several notes is read as chords."""

_KIND = {"melody": "tune", "vocal": "tune", "counter_melody": "tune", "bass": "bass", "chords": "chords",
         "pad": "chords", "drums": "drums"}  # fmt: skip


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
class _Decided:
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


def blended_tracks(meeting: Meeting, tell: Callable[[float], None]) -> tuple[Track, ...]:
    """Returns the tracks of the nearer song, blended with those of the other.

    Args:
        meeting: of both songs.
        tell: told how far it is, 0 to 1.
    """
    tracks = meeting.near.song.tracks
    found: dict[str, Track] = {}
    order = sorted(range(len(tracks)), key=lambda i: tracks[i].role == "backing_vocal")  # after the lead
    feel = Feel(meeting.near.song)
    for count, place in enumerate(order):
        track = tracks[place]
        tell(count / len(order))
        found[track.id] = _blended(meeting, place, feel, found)
    return tuple(found[track.id] for track in tracks)


def _blended(meeting: Meeting, place: int, feel: Feel, done: Mapping[str, Track]) -> Track:
    near, far = meeting.near.song, meeting.far.song
    track = near.tracks[place]
    if track.role == "backing_vocal":
        return _backing(meeting, track, _lead(near.tracks, done))
    other = partner(track, near, far)
    decided = None if other is None else _decided(meeting, place, other)
    if track.role == "vocal" and any(note.syllable is not None for note in track.notes):
        return _sung(meeting, track, decided)
    if decided is None or not decided.changed.any():
        return _following(meeting, track, ())
    assert other is not None
    windows = decided.windows[decided.changed].tolist()
    written = _written(meeting, track, decided, far.tracks[other])
    return _with_windows(meeting, _following(meeting, track, windows), windows, written, feel)


def _decided(meeting: Meeting, place: int, other: int) -> _Decided | None:
    """Returns what the networks write where both songs play; None if that is nowhere."""
    near, far, coder = meeting.near, meeting.far, meeting.coder
    mine, theirs = player_of(near, place), player_of(far, other)
    if mine is None or theirs is None:
        return None
    kind = _KIND[near.song.tracks[place].role]
    if kind == "tune" and near.song.tracks[place].role != "vocal" and _is_crowded(mine.notes):
        kind = "chords"
    shapes = {name: network.shape for name, network in coder.networks.items()}
    read, base = [], []
    for side, player in ((near, mine), (far, theirs)):
        base.append(base_of(player.notes[:, PITCH], kind, int(side.shift[0])))
        read.append(part_bars(kind, shapes, side.windows, player.notes, side.chord, base[-1], side.shift))
    shape = shapes[kind]
    partners = np.maximum(meeting.pairs, 0)
    both = sounding(shape, read[0]) & sounding(shape, read[1])[partners] & (meeting.pairs >= 0)
    if kind not in ("tune", "drums"):
        both &= (near.chord[:, 0] > 0) & (far.chord[partners, 0] > 0)
    windows = np.flatnonzero(both)
    if not len(windows):
        return None
    here, there = read[0].take(windows), read[1].take(partners[windows])
    network = coder.networks[kind]
    start, end = network.encode(here), network.encode(there)
    condition = here.condition if kind == "drums" else KNOWN[meeting.harmony.chord[windows]]
    own = _choose(kind, network.decode(start, here.condition, here.mask), here, near.chord[windows])
    said = network.decode(between(start, end, meeting.share), condition, here.mask)
    new = _choose(kind, said, here, meeting.harmony.chord[windows])
    return _Decided(windows, ~_same(own, new), new, base[0], kind)


def _choose(kind: str, said: Mapping[str, NDArray[np.float32]], bars: Bars, chord: Ints) -> Line | Roll:
    if kind == "drums":
        return kit_of(dict(said), bars.mask)
    if kind == "chords":
        return roll_of(dict(said), bars.mask)
    return line_of(dict(said), bars.mask, chord, from_root=kind == "bass")


def _same(first: Line | Roll, second: Line | Roll) -> NDArray[np.bool_]:
    if isinstance(first, Line):
        assert isinstance(second, Line)
        return first.same(second)
    assert isinstance(second, Roll)
    return first.same(second)


def _is_crowded(notes: Ints) -> bool:
    starts, counts = np.unique(notes[:, START], return_counts=True)
    return len(starts) > 0 and float((counts > 1).mean()) > CROWDED


def _written(meeting: Meeting, track: Track, decided: _Decided, other: Track) -> list[Note]:
    """Returns the new notes of all windows that changed."""
    near, chord = meeting.near, meeting.harmony.chord
    drums = _drums_of(track, other) if decided.kind == "drums" else {}
    low, high = min(note.pitch for note in track.notes), max(note.pitch for note in track.notes)
    carried: list[Note] = []
    for row in np.flatnonzero(decided.changed).tolist():
        window = int(decided.windows[row])
        bars = decided.bars
        if isinstance(bars, Line):
            rows = line_notes(
                bars, row, window, near.windows, chord[window], decided.base, from_root=decided.kind == "bass"
            )
        elif decided.kind == "chords":
            rows = roll_notes(bars, row, window, near.windows, chord[window], decided.base)
        else:
            rows = kit_notes(bars, row, window, near.windows)
        shift = int(near.shift[window])
        for start, value, steps, level, _ in rows.tolist():
            pitch = drums[value] if drums else _folded(value - shift, low, high)
            tick = near.tick(start)
            carried.append(Note(tick, max(1, near.tick(start + steps) - tick), pitch, min(127, 4 * level + 2)))
    return sorted(set(carried))


def _drums_of(track: Track, other: Track) -> dict[int, int]:
    """Returns the drum for each class: the one the track plays most, else the other, else the class's first."""
    counts = [Counter(note.pitch for note in t.notes) for t in (track, other)]
    found = {}
    for place, drums in enumerate(DRUM_CLASSES):
        best = next((max(drums, key=lambda d: (count[d], -d)) for count in counts if any(count[d] for d in drums)), -1)
        found[place] = best if best >= 0 else drums[0]
    return found


def _folded(pitch: int, low: int, high: int) -> int:
    """Returns a pitch moved by octaves into a compass, or as near above or below it as it gets."""
    while pitch > high:
        pitch -= 12
    while pitch < low:
        pitch += 12
    return pitch if pitch <= 127 else pitch - 12


def _following(meeting: Meeting, track: Track, but: Sequence[int]) -> Track:
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


def _with_windows(meeting: Meeting, track: Track, windows: Sequence[int], written: Sequence[Note], feel: Feel) -> Track:
    """Returns a track with new notes in some windows, played as the track plays."""
    near = meeting.near
    own = {note.start_ticks: note for note in track.notes}
    at, _ = near.windows_of_ticks([note.start_ticks for note in written]) if written else (np.zeros(0, int), None)
    for window in windows:
        start = int(near.windows.starts[window])
        begin, end = near.tick(start), near.tick(start + int(near.windows.steps[window]))
        new = [_as_played(written[i], own, track, feel) for i in np.flatnonzero(at == window).tolist()]
        inside = [note for note in track.notes if begin - 120 <= note.start_ticks < begin]
        early = [n for n in inside if int(near.windows_of_ticks([n.start_ticks])[0][0]) == window]
        if early:  # written just before the bar line, meant on it
            track = replace(track, notes=tuple(note for note in track.notes if note not in early))
        track = with_notes(track, new, begin, end)
        if _KIND.get(track.role) in ("tune", "bass"):
            track = replace(track, notes=_until(track.notes, begin))
    return track


def _until(notes: Sequence[Note], tick: int) -> tuple[Note, ...]:
    """Returns notes of which those begun before a tick end there if another begins at it."""
    if not any(note.start_ticks == tick for note in notes):
        return tuple(notes)
    return tuple(
        replace(note, duration_ticks=tick - note.start_ticks) if note.start_ticks < tick < note.end_ticks else note
        for note in notes
    )


def _as_played(note: Note, own: Mapping[int, Note], track: Track, feel: Feel) -> Note:
    """Returns a new note with the length and the offset of the track's own note at its place, where they agree."""
    there = own.get(note.start_ticks)
    if there is not None and abs(there.duration_ticks - note.duration_ticks) < 40 * CELL:
        note = replace(note, duration_ticks=there.duration_ticks)
    return feel.played(note, track)


def _sung(meeting: Meeting, track: Track, decided: _Decided | None) -> Track:
    """Returns a voice with its rhythm and words and the pitches of the blended tune, within its own compass."""
    following = _following(meeting, track, ())
    if decided is None or not decided.changed.any() or not isinstance(decided.bars, Line):
        return following
    near, bars = meeting.near, decided.bars
    low, high = min(n.pitch for n in track.notes), max(n.pitch for n in track.notes)
    window, cell = near.windows_of_ticks([note.start_ticks for note in track.notes])
    rows = {int(w): i for i, w in enumerate(decided.windows.tolist()) if decided.changed[i]}
    moved = {(n.start_ticks, n.syllable): n for n in following.notes}
    notes = []
    for i, note in enumerate(track.notes):
        row = rows.get(int(window[i]))
        kept = moved.get((note.start_ticks, note.syllable), note)
        if row is None:
            notes.append(kept)
            continue
        state, shift = bars.state[row], int(near.shift[window[i]])
        sounding_at = _sounding(state, int(cell[i]))
        if sounding_at is None:
            notes.append(kept)
            continue
        classes = WHITE | (KNOWN[meeting.harmony.chord[window[i], cell[i]]][:12] > 0)
        pitch = _folded(nearest(decided.base - 12 + sounding_at, classes) - shift, low, high)
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


def _lead(tracks: Sequence[Track], done: Mapping[str, Track]) -> dict[int, tuple[int, int]]:
    """Returns the old and the new pitch of the lead voice's notes by where they begin."""
    lead = next((track for track in tracks if track.role == "vocal"), None)
    if lead is None or lead.id not in done:
        return {}
    new = {(n.start_ticks, n.syllable): n.pitch for n in done[lead.id].notes}
    return {n.start_ticks: (n.pitch, new.get((n.start_ticks, n.syllable), n.pitch)) for n in lead.notes}


def _backing(meeting: Meeting, track: Track, lead: Mapping[int, tuple[int, int]]) -> Track:
    """Returns a second voice: what doubled the lead still does, what sang beside it goes with it within the chord."""
    near = meeting.near
    window, cell = near.windows_of_ticks([note.start_ticks for note in track.notes]) if track.notes else ([], [])
    notes = []
    for i, note in enumerate(track.notes):
        w, c = int(window[i]), int(cell[i])
        new, shift = int(meeting.harmony.chord[w, c]), int(near.shift[w])
        was, now = lead.get(note.start_ticks, (0, 0))
        if was == now:
            notes.append(followed(note, int(near.chord[w, c]), new, shift))
        elif (note.pitch - was) % 12 == 0:
            notes.append(replace(note, pitch=_folded(note.pitch + now - was, 0, 127)))
        else:
            classes = (KNOWN[new][:12] > 0) if new else WHITE.copy()
            classes[(now + shift) % 12] = False
            side = nearest(note.pitch + now - was + shift, classes) if classes.any() else note.pitch + shift
            notes.append(replace(note, pitch=_folded(side - shift, 0, 127)))
    return replace(track, notes=tuple(notes)) if notes != list(track.notes) else track
