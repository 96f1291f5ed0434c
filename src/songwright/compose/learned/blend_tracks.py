"""The tracks of a blend: each bar of a track between itself and its partner's, over the blended harmony.

Where the network hears no difference yet from the nearer song's own bar, that bar's own notes stand, as they were
played; they follow the harmony where it moved.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from songwright.compose.learned.bars.cells import base_of, part_bars, sounding
from songwright.compose.learned.bars.coder import between
from songwright.compose.learned.bars.kinds import CELL, DRUM_CLASSES, KNOWN
from songwright.compose.learned.bars.writing import (
    Line,
    Roll,
    kit_notes,
    kit_of,
    line_notes,
    line_of,
    roll_notes,
    roll_of,
)
from songwright.compose.learned.blend_sides import Side, partner, player_of
from songwright.compose.learned.blend_voices import (
    Decided,
    Meeting,
    folded,
    following,
    moved_lead,
    second_voice,
    sung_track,
)
from songwright.compose.learned.feel import Feel
from songwright.compose.tokens.grid import PITCH, START, GridPlayer
from songwright.compose.tokens.vocabulary import TICKS_PER_STEP
from songwright.neural.bar_network import Bars
from songwright.score.song import Note, PitchBend, Track

Ints = NDArray[np.int64]
CROWDED = 0.25
"""A melody in which more than this share of the beginnings are of several notes is read as chords."""

_KIND = {"melody": "tune", "vocal": "tune", "counter_melody": "tune", "bass": "bass", "chords": "chords",
         "pad": "chords", "drums": "drums"}  # fmt: skip


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
        return second_voice(meeting, track, moved_lead(near.tracks, done))
    other = partner(track, near, far)
    decided = None if other is None else _decided(meeting, place, other)
    if track.role == "vocal" and any(note.syllable is not None for note in track.notes):
        return sung_track(meeting, track, decided)
    if decided is None or not decided.changed.any():
        return following(meeting, track, ())
    assert other is not None
    windows = decided.windows[decided.changed].tolist()
    written = _written(meeting, track, decided, far.tracks[other])
    return _with_windows(meeting, following(meeting, track, windows), windows, written, feel)


def _decided(meeting: Meeting, place: int, other: int) -> Decided | None:
    """Returns what the networks write where both songs play; None if that is nowhere."""
    near, far, coder = meeting.near, meeting.far, meeting.coder
    mine, theirs = player_of(near, place), player_of(far, other)
    if mine is None or theirs is None:
        return None
    kind = _KIND[near.song.tracks[place].role]
    if kind == "tune" and near.song.tracks[place].role != "vocal" and _is_crowded(mine.notes):
        kind = "chords"
    shapes = {name: network.shape for name, network in coder.networks.items()}
    base = _bases(kind, (near, mine), (far, theirs))
    read = [
        part_bars(kind, shapes, side.windows, player.notes, side.chord, own, side.shift)
        for side, player, own in zip((near, far), (mine, theirs), base, strict=True)
    ]
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
    return Decided(windows, ~_same(own, new), new, base[0], kind)


def _bases(kind: str, first: tuple[Side, GridPlayer], second: tuple[Side, GridPlayer]) -> tuple[int, int]:
    """Returns what pitches of both parts are counted from: of the second so that both lie about as high above it."""
    base = base_of(first[1].notes[:, PITCH], kind, int(first[0].shift[0]))
    middles = [
        float(np.median(player.notes[:, PITCH])) + int(side.shift[0]) if len(player.notes) else 60.0
        for side, player in (first, second)
    ]
    return base, 12 * round((middles[1] - middles[0] + base) / 12)


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


def _written(meeting: Meeting, track: Track, decided: Decided, other: Track) -> list[Note]:
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
            pitch = drums[value] if drums else folded(value - shift, low, high)
            tick = near.tick(start)
            carried.append(Note(tick, max(1, near.tick(start + steps) - tick), pitch, min(127, 4 * level + 2)))
    loudest = sorted(carried, key=lambda note: (note.start_ticks, note.pitch, -note.duration_ticks, -note.velocity))
    single = {(note.start_ticks, note.pitch): note for note in reversed(loudest)}
    return _even(sorted(single.values())) if track.role == "pad" else sorted(single.values())


def _even(notes: Sequence[Note]) -> list[Note]:
    """Returns notes of which those that begin together end together, with the longest: a pad lets nothing go early."""
    longest: dict[int, int] = {}
    for note in notes:
        longest[note.start_ticks] = max(note.duration_ticks, longest.get(note.start_ticks, 0))
    return [replace(note, duration_ticks=longest[note.start_ticks]) for note in notes]


def _drums_of(track: Track, other: Track) -> dict[int, int]:
    """Returns the drum for each class: the one the track plays most, else the other, else the class's first."""
    counts = [Counter(note.pitch for note in t.notes) for t in (track, other)]
    found = {}
    for place, drums in enumerate(DRUM_CLASSES):
        best = next((max(drums, key=lambda d: (count[d], -d)) for count in counts if any(count[d] for d in drums)), -1)
        found[place] = best if best >= 0 else drums[0]
    return found


def _with_windows(meeting: Meeting, track: Track, windows: Sequence[int], written: Sequence[Note], feel: Feel) -> Track:
    """Returns a track with new notes in some windows, played as the track plays; what stood there is gone."""
    near = meeting.near
    own = {note.start_ticks: note for note in track.notes}
    new = [_as_played(note, own, track, feel) for note in written]
    at, _ = near.windows_of_ticks([note.start_ticks for note in track.notes])
    gone = np.isin(at, list(windows))
    notes = sorted([*(note for note, lost in zip(track.notes, gone, strict=True) if not lost), *new])
    if _KIND.get(track.role) in ("tune", "bass"):
        fresh = {id(note) for note in new}
        for i in range(len(notes) - 1):
            a, b = notes[i], notes[i + 1]
            if a.start_ticks < b.start_ticks < a.end_ticks and (id(a) in fresh or id(b) in fresh):
                notes[i] = replace(a, duration_ticks=b.start_ticks - a.start_ticks)
    return replace(track, notes=tuple(notes), bends=_bends(near, track, windows))


def _bends(near: Side, track: Track, windows: Sequence[int]) -> tuple[PitchBend, ...]:
    """Returns a track's bends without those that belonged to notes that are gone; none is left hanging there."""
    bends = track.bends
    for window in windows if bends else ():
        start = int(near.windows.starts[window])
        begin, end = near.tick(start), near.tick(start + int(near.windows.steps[window]))
        inside = [bend for bend in bends if begin <= bend.tick < end]
        held = next((bend.value for bend in reversed(bends) if bend.tick < begin), 0)
        if not inside and not held:
            continue
        kept = [bend for bend in bends if not begin <= bend.tick < end]
        after = inside[-1].value if inside else held
        kept += [PitchBend(begin, 0)] if held else []
        kept += [PitchBend(end, after)] if after and all(bend.tick != end for bend in kept) else []
        bends = tuple(sorted(kept))
    return bends


def _as_played(note: Note, own: Mapping[int, Note], track: Track, feel: Feel) -> Note:
    """Returns a new note with the length and the offset of the track's own note at its place, where they agree."""
    there = own.get(note.start_ticks)
    if there is not None and abs(there.duration_ticks - note.duration_ticks) < TICKS_PER_STEP * CELL:
        note = replace(note, duration_ticks=there.duration_ticks)
    return feel.played(note, track)
