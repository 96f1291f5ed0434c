"""Open Hymnal: hymns in four parts with words."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from songwright.collection.bars import regular_bars
from songwright.collection.corpus import Corpus, Source
from songwright.collection.homophony import chords_of_parts
from songwright.collection.parts import clean_words, lead_line, mean_pitch
from songwright.errors import DataError
from songwright.score.abc import read_abc
from songwright.score.song import Song, TrackRole


def find(data: Path) -> Iterator[Source]:
    """Yields the hymns; settings of one text to several tunes are songs of their own."""
    for path in sorted((data / "open-hymnal").glob("*.abc")):
        title = re.search(r"(?m)^T:\s*(.*?)\s*$", path.read_text(encoding="utf-8", errors="replace"))
        name = re.sub(r"\W+", "", title.group(1) if title else path.stem).lower()
        yield Source(path.stem, path, song=f"hymn/{name}")


def read(source: Source) -> Song:
    """Returns one hymn: the top voice sings, the lowest is the bass; chords are what the parts sound on the beats.

    Raises:
        DataError: it has no words or fewer than two parts.
    """
    song = read_abc(source.path, unfold=False)
    tracks = [t for t in song.tracks if len(t.notes) >= 8]
    sung = [t for t in tracks if any(n.syllable is not None for n in t.notes)]
    if not sung or len(tracks) < 2:
        raise DataError(source.path, "no words, or a single part")
    lead = max(sung, key=lambda t: (sum(n.syllable is not None for n in t.notes), mean_pitch(t)))
    others = sorted((t for t in tracks if t is not lead), key=mean_pitch, reverse=True)
    put = [replace(lead_line(lead), id="voice", name="Voice", role="vocal", instrument="voice")]
    for i, track in enumerate(others):
        role: TrackRole = "bass" if i == len(others) - 1 else "counter_melody"
        bare = tuple(replace(n, syllable=None) for n in track.notes)
        put.append(replace(track, id=f"part-{i + 2}", role=role, instrument="church_organ", notes=bare))
    song = regular_bars(clean_words(replace(song, tracks=tuple(put), style="hymn", sections=())))
    return replace(song, chords=chords_of_parts(song))


CORPUS = Corpus(
    name="open-hymnal",
    licence="public domain",
    attribution="Open Hymnal Project, openhymnal.org",
    find=find,
    read=read,
    language="en",
)
