"""OpenScore String Quartets: four single lines."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from songwright.collection.bars import regular_bars
from songwright.collection.corpus import Corpus, Source
from songwright.collection.parts import mean_pitch
from songwright.errors import DataError
from songwright.score.musicxml import read_musicxml
from songwright.score.song import Song, TrackRole


def find(data: Path) -> Iterator[Source]:
    """Yields the quartets; movements of one work lie in one file."""
    root = data / "openscore-quartets" / "scores"
    for path in sorted(root.rglob("*.mxl")):
        name = path.parent.relative_to(root).as_posix()
        yield Source(f"{name}/{path.stem}", path, song=f"quartets/{name}")


def read(source: Source) -> Song:
    """Returns one quartet: the first violin has the tune, the lowest part is the bass."""
    song = read_musicxml(source.path)
    tracks = [t for t in song.tracks if t.notes]
    if len(tracks) < 3:
        raise DataError(source.path, f"{len(tracks)} parts; expected a quartet's")
    lowest = min(tracks, key=mean_pitch)
    roles: list[TrackRole] = [
        "melody" if i == 0 else "bass" if t is lowest else "counter_melody" for i, t in enumerate(tracks)
    ]
    put = tuple(replace(t, role=role) for t, role in zip(tracks, roles, strict=True))
    return regular_bars(replace(song, tracks=put, style="quartet", sections=()))


CORPUS = Corpus(
    name="openscore-quartets",
    licence="CC0-1.0",
    attribution="OpenScore String Quartets, musescore.com/openscore-string-quartets",
    find=find,
    read=read,
)
