"""Four-part chorales for measuring: Bach's as JSON on a grid of sixteenths, and machine-made ones as MIDI."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from songwright.collection.corpus import Corpus, Source
from songwright.collection.homophony import chords_of_parts
from songwright.errors import DataError, InputError
from songwright.score.midi import read_midi
from songwright.score.roles import guess_key
from songwright.score.song import TICKS_PER_QUARTER, MeterChange, Note, Song, TempoChange, Track, TrackRole

_SIXTEENTH = TICKS_PER_QUARTER // 4
_PARTS: tuple[tuple[str, TrackRole], ...] = (
    ("soprano", "melody"), ("alto", "counter_melody"), ("tenor", "counter_melody"), ("bass", "bass"),
)  # fmt: skip


@lru_cache(maxsize=2)
def _table(path: Path) -> dict[str, list[list[list[int]]]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(path, f"not the corpus's JSON: {error}") from error
    return dict(found)


def find_jsb(data: Path) -> Iterator[Source]:
    """Yields the chorales with their official split."""
    path = data / "jsb-chorales" / "Jsb16thSeparated.json"
    for split in ("train", "valid"):
        for index in range(len(_table(path).get(split, ()))):
            yield Source(f"{split}/{index}", path, index, song=f"jsb/{split}/{index}", split=split)


def read_jsb(source: Source) -> Song:
    """Returns one chorale; -1 is a rest, a pitch that stays is one note."""
    frames = _table(source.path)[source.split or "train"][source.part]
    tracks = []
    for voice, (name, role) in enumerate(_PARTS):
        at = 0
        notes = []
        for pitch, run in groupby(int(f[voice]) if voice < len(f) else -1 for f in frames):
            length = len(list(run)) * _SIXTEENTH
            if pitch >= 0:
                notes.append(Note(at, length, pitch, 80))
            at += length
        tracks.append(Track(name, role, "choir_aahs", name.capitalize(), tuple(notes)))
    return _song(f"JSB {source.id}", tracks, len(frames) * _SIXTEENTH)


def find_fakes(data: Path) -> Iterator[Source]:
    """Yields the machine-made chorales."""
    root = data / "js-fakes"
    for path in sorted(root.rglob("*.mid")):
        yield Source(path.relative_to(root).with_suffix("").as_posix(), path, song=f"js-fakes/{path.stem}")


def read_fakes(source: Source) -> Song:
    """Returns one machine-made chorale."""
    song = read_midi(source.path)
    if len(song.tracks) != len(_PARTS):
        raise DataError(source.path, f"{len(song.tracks)} parts; expected four")
    tracks = [
        Track(name, role, "choir_aahs", name.capitalize(), t.notes)
        for t, (name, role) in zip(song.tracks, _PARTS, strict=True)
    ]
    return _song(f"JS Fake {source.id}", tracks, song.duration_ticks)


def _song(title: str, tracks: Sequence[Track], end: int) -> Song:
    whole = 4 * TICKS_PER_QUARTER
    song = Song(
        title=title,
        style="chorale",
        duration_ticks=max(whole, -(-end // whole) * whole),
        tempos=(TempoChange(0, 90.0),),
        meters=(MeterChange(0, 4, 4),),
        keys=(guess_key(tracks),),
        tracks=tuple(t for t in tracks if t.notes),
    )
    if not song.tracks:
        raise InputError(f"{title}: no notes in it")
    return replace(song, chords=chords_of_parts(song))


JSB = Corpus(
    name="jsb-chorales",
    licence="no licence file (music: public domain)",
    attribution="JSB Chorales, github.com/czhuang/JSB-Chorales-dataset",
    find=find_jsb,
    read=read_jsb,
    usable=False,
    why_not="unlicensed edition, kept for measuring",
)
FAKES = Corpus(
    name="js-fakes",
    licence="CC-BY-4.0",
    attribution="JS Fake Chorales, Omar Peracha",
    find=find_fakes,
    read=read_fakes,
    usable=False,
    why_not="machine-made",
)
