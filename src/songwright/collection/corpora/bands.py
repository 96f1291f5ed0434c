"""Multi-track MIDI of whole bands: Freedoom's game music, and OpenMSX for measuring."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path

from songwright.collection.corpus import Corpus, Source
from songwright.collection.parts import mean_pitch
from songwright.errors import DataError
from songwright.score.instruments import instrument
from songwright.score.midi import read_midi
from songwright.score.roles import polyphony
from songwright.score.song import TICKS_PER_QUARTER, Note, Song, TempoChange, Track, TrackRole

_GRID = TICKS_PER_QUARTER // 24
_MIN_NOTES = 8
_COMPARED = 64
"""Notes at the beginning by which a copy of a track is known."""
_GUITARS = ("overdriven_guitar", "distortion_guitar")


def find_freedoom(data: Path) -> Iterator[Source]:
    """Yields Freedoom's pieces."""
    return _find(data, "freedoom-midi")


def find_openmsx(data: Path) -> Iterator[Source]:
    """Yields OpenMSX's pieces."""
    return _find(data, "openmsx-midi")


def _find(data: Path, name: str) -> Iterator[Source]:
    for path in sorted((data / name).rglob("*.mid")):
        yield Source(path.stem, path, song=f"{name}/{path.stem}")


def read(source: Source) -> Song:
    """Returns one piece on a grid of 24 places a quarter; echoes and doublings are left out."""
    song = read_midi(source.path)
    tracks = [replace(t, notes=_on_grid(t), controls=(), bends=()) for t in song.tracks]
    tracks = [t for t in _without_echoes(tracks) if len(t.notes) >= _MIN_NOTES]
    if not tracks:
        raise DataError(source.path, "no player with eight notes")
    bpm = min(400.0, max(20.0, song.tempos[0].bpm))
    last = max(n.end_ticks for t in tracks for n in t.notes)
    put = replace(song, tracks=with_roles(tracks), tempos=_calm(song.tempos, bpm))
    return replace(put, style=_style(put), sections=(), duration_ticks=max(song.duration_ticks, last))


def with_roles(tracks: Sequence[Track]) -> tuple[Track, ...]:
    """Returns the players with the roles that their notes show, whatever their names: names are often titles here.

    Basses are bass guitars and the low single lines; long chords are pads, shorter ones chords; of the other single
    lines the highest, busiest and most moving is the melody.
    """
    roles = [_role(track) for track in tracks]
    lines = [i for i, role in enumerate(roles) if role == "counter_melody"]
    lead = max(lines, key=lambda i: (_lead(tracks[i]), -i), default=None)
    if lead is not None:
        roles[lead] = "melody"
    return tuple(replace(track, role=role) for track, role in zip(tracks, roles, strict=True))


def _role(track: Track) -> TrackRole:
    if track.is_drums:
        return track.role
    family = instrument(track.instrument).family
    thick, mean = polyphony(track.notes), mean_pitch(track)
    length = sum(n.duration_ticks for n in track.notes) / len(track.notes)
    if family in ("sound", "percussive"):
        return "effects"
    if (family == "bass" and mean < 56) or (thick < 1.25 and mean < 48):
        return "bass"
    if thick < 1.25:
        return "counter_melody"
    return "pad" if length > 1.5 * TICKS_PER_QUARTER and family not in ("guitar", "piano") else "chords"


def _lead(track: Track) -> float:
    """Returns how much a single line looks like the tune."""
    notes = track.notes
    moves = sum(a.pitch != b.pitch for a, b in pairwise(notes)) / len(notes)
    return min(mean_pitch(track), 76.0) / 2 + min(len(notes), 300) / 15.0 + 10.0 * moves


def _calm(tempos: Sequence[TempoChange], first: float) -> tuple[TempoChange, ...]:
    """Returns the tempo map without the small steps of a slowing-down: only changes by a tenth or more."""
    out = [TempoChange(0, first)]
    for tempo in tempos[1:]:
        if abs(tempo.bpm / out[-1].bpm - 1) >= 0.1 and 20 <= tempo.bpm <= 400:
            out.append(tempo)
    return tuple(out)


def _on_grid(track: Track) -> tuple[Note, ...]:
    found = []
    for n in track.notes:
        start = round(n.start_ticks / _GRID) * _GRID
        length = max(_GRID, round(n.duration_ticks / _GRID) * _GRID)
        offset = n.start_ticks - start if track.is_drums else 0
        found.append(Note(start, length, n.pitch, n.velocity, offset))
    return tuple(next(g) for _, g in groupby(sorted(found), key=lambda n: (n.start_ticks, n.pitch)))


def _without_echoes(tracks: Sequence[Track]) -> list[Track]:
    """Returns the tracks whose pitches no earlier track has already in the same order: echoes and doublings."""
    kept: list[Track] = []
    seen: set[tuple[int, ...]] = set()
    for track in tracks:
        shape = tuple(n.pitch for n in track.notes[:_COMPARED])
        if shape not in seen or track.is_drums:
            kept.append(track)
            seen.add(shape)
    return kept


def _style(song: Song) -> str:
    """Returns the style book that the players suggest: loud guitars are metal, a kit is rock, else film music."""
    loud = sum(len(t.notes) for t in song.tracks if t.instrument in _GUITARS)
    kit = any(t.role == "drums" for t in song.tracks)
    total = sum(len(t.notes) for t in song.tracks)
    if kit and loud >= 0.15 * total:
        return "metal"
    return "rock" if kit else "cinematic"


FREEDOOM = Corpus(
    name="freedoom-midi",
    licence="BSD-3-Clause",
    attribution="Contributors to the Freedoom project",
    find=find_freedoom,
    read=read,
)
OPENMSX = Corpus(
    name="openmsx-midi",
    licence="GPL-2.0",
    attribution="OpenMSX, OpenTTD project",
    find=find_openmsx,
    read=read,
    usable=False,
    why_not="copyleft",
)
