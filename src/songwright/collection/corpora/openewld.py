"""OpenEWLD: lead sheets, a tune with chord symbols and mostly words."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from songwright.collection.bars import regular_bars
from songwright.collection.corpus import Corpus, Source
from songwright.collection.parts import clean_words, lead_line
from songwright.errors import DataError
from songwright.score.musicxml import read_musicxml
from songwright.score.song import KeyChange, Song, TrackRole
from songwright.score.theory import key_of_signature, parse_chord, parse_key, signature_of

_STYLES = (
    ("Blues", "blues"),
    ("Funk / Soul", "soul"),
    ("Folk, World, & Country", "folk"),
    ("Latin", "bossa_nova"),
)
_USUAL = "jazz"
"""The other songs are standards of 1900 to 1940; where the tables call them pop or rock, they speak of later covers."""


def find(data: Path) -> Iterator[Source]:
    """Yields the lead sheets, with the genres of the corpus's table."""
    root = data / "openewld"
    genres = _genres(root / "OpenEWLD.db")
    for path in sorted((root / "dataset").rglob("*.mxl")):
        key = path.relative_to(root).as_posix()
        about = (f"genres={'|'.join(genres.get(key, ()))}", f"author={path.parent.parent.name}", f"title={path.stem}")
        yield Source(path.relative_to(root / "dataset").with_suffix("").as_posix(), path,
                     song=f"openewld/{path.stem}", about=about)  # fmt: skip


def _genres(path: Path) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    if not path.is_file():
        return found
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "select works.path_leadsheet, work_genres.genre from works join work_genres using (id) "
            "order by works.id, work_genres.occurrences desc, work_genres.genre"
        )
        for sheet, genre in rows:
            found[str(sheet)].append(str(genre))
    except sqlite3.Error as error:
        raise DataError(path, f"not the corpus's table: {error}") from error
    finally:
        connection.close()
    return found


def read(source: Source) -> Song:
    """Returns one lead sheet: its tune as a single line, its chords."""
    song = regular_bars(read_musicxml(source.path))
    if not song.chords:
        raise DataError(source.path, "no chord symbols")
    best = max(song.tracks, key=lambda t: (t.role == "vocal", t.role == "melody", len(t.notes)))
    line = lead_line(best)
    role: TrackRole = "vocal" if any(n.syllable is not None for n in line.notes) else "melody"
    line = replace(line, id="lead", name="Lead", role=role, instrument="voice" if role == "vocal" else "flute")
    song = clean_words(replace(song, tracks=(line,), sections=()))
    return replace(song, keys=_keys(song), style=_style(source, song))


def _keys(song: Song) -> tuple[KeyChange, ...]:
    """Returns the keys; sheets that call a minor key by its relative major, shown by the last chord, are minor."""
    chords = [c for c in (parse_chord(s.symbol) for s in song.chords) if c is not None]
    if len(song.keys) != 1 or not chords:
        return song.keys
    key = parse_key(song.keys[0].key)
    last = chords[-1]
    if key.mode == "major" and last.is_minor and last.root == (key.tonic + 9) % 12:
        return (KeyChange(0, key_of_signature(signature_of(song.keys[0].key), "minor")),)
    return song.keys


def _style(source: Source, song: Song) -> str:
    """Returns the style book nearest to what the tables say; waltzes by their metre."""
    if {m.numerator for m in song.meters} == {3}:
        return "waltz"
    if source.note("author") == "[Traditional]":
        return "folk"
    genres = source.note("genres").split("|")
    if "Jazz" in genres or "Stage & Screen" in genres:
        return _USUAL
    return next((style for genre, style in _STYLES if genre in genres), _USUAL)


CORPUS = Corpus(
    name="openewld",
    licence="MIT",
    attribution="OpenEWLD, (c) 2018 Federico Simonetta, DOI 10.5281/zenodo.4332855",
    find=find,
    read=read,
    language="en",
)
