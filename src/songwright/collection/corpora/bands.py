"""Multi-track MIDI of whole bands: Freedoom's game music, and OpenMSX for measuring."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from songwright.collection.corpus import Corpus, Source
from songwright.errors import DataError
from songwright.score.midi import read_midi
from songwright.score.song import TICKS_PER_QUARTER, Note, Song, TempoChange, Track

_GRID = TICKS_PER_QUARTER // 24
_MIN_NOTES = 8
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
    """Returns one piece on a grid of 24 places a quarter; echoes (copies of a track, later or as loud) are left out."""
    song = read_midi(source.path)
    tracks = [replace(t, notes=_on_grid(t), controls=(), bends=()) for t in song.tracks]
    tracks = [t for t in _without_echoes(tracks) if len(t.notes) >= _MIN_NOTES]
    if not tracks:
        raise DataError(source.path, "no player with eight notes")
    bpm = min(400.0, max(20.0, song.tempos[0].bpm))
    last = max(n.end_ticks for t in tracks for n in t.notes)
    put = replace(song, tracks=tuple(tracks), tempos=_calm(song.tempos, bpm))
    return replace(put, style=_style(put), sections=(), duration_ticks=max(song.duration_ticks, last))


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
    """Returns the tracks whose tune no earlier, fuller track has already: same pitches in the same rhythm."""
    kept: list[Track] = []
    seen: set[tuple[tuple[int, int], ...]] = set()
    for track in tracks:
        first = track.notes[0].start_ticks if track.notes else 0
        shape = tuple((n.start_ticks - first, n.pitch) for n in track.notes[:64])
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
