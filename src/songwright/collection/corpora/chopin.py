"""First editions of Chopin: piano music; of several editions of one work the first is taken."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from songwright.collection.bars import regular_bars
from songwright.collection.corpus import Corpus, Source
from songwright.collection.parts import merged
from songwright.errors import DataError
from songwright.score.kern import read_kern
from songwright.score.song import Song


def find(data: Path) -> Iterator[Source]:
    """Yields one edition of each piece; files are named work-edition-publisher-piece."""
    seen: set[str] = set()
    for path in sorted((data / "chopin-kern").glob("*.krn")):
        work, _, _, *piece = path.stem.split("-")
        name = "-".join([work, *piece])
        if name not in seen:
            seen.add(name)
            yield Source(path.stem, path, song=f"chopin/{name}")


def read(source: Source) -> Song:
    """Returns one piece: both hands as one player; of songs the voice too; other instruments by their own.

    Raises:
        DataError: it is broken, or has no piano.
    """
    song = read_kern(source.path)
    piano = [t for t in song.tracks if t.instrument == "acoustic_grand_piano"]
    others = [t for t in song.tracks if t.instrument != "acoustic_grand_piano"]
    if not piano:
        raise DataError(source.path, "no piano in it")
    tracks = [replace(t, role="vocal" if any(n.syllable is not None for n in t.notes) else "melody") for t in others]
    tracks.append(replace(merged(piano, piano[0]), id="piano", name="Piano", role="chords"))
    return regular_bars(replace(song, tracks=tuple(tracks), style="lied" if others else "piano_solo", sections=()))


CORPUS = Corpus(
    name="chopin-kern",
    licence="CC-BY-4.0",
    attribution="First Editions of Fryderyk Chopin's Music, (c) 2017-2021 The Fryderyk Chopin Institute, nifc.pl, "
    "chopinscores.org",
    find=find,
    read=read,
    language="?",
)
