"""Groove MIDI: drummers on an electronic kit, beats and single fills apart.

Strokes are on the nearest place of the grid; how far off it they were played is in their offsets.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from songwright.collection.corpus import Corpus, Source
from songwright.errors import DataError
from songwright.score.midi import read_midi
from songwright.score.song import TICKS_PER_QUARTER, KeyChange, MeterChange, Note, Song, TempoChange, Track

_STYLES = {
    "rock": "rock", "hiphop": "hip_hop", "funk": "funk", "punk": "punk", "neworleans": "funk", "jazz": "jazz",
    "latin": "latin", "soul": "soul", "country": "country", "afrocuban": "latin", "reggae": "reggae",
    "gospel": "gospel", "pop": "pop", "afrobeat": "afrobeat", "dance": "dance", "blues": "blues",
    "highlife": "afrobeat", "middleeastern": "", "dance/disco": "disco", "latin/brazilian-bossa": "bossa_nova",
    "dance/breakbeat": "drum_and_bass", "jazz/march": "march", "jazz/swing": "swing", "jazz/funk": "funk",
    "afrocuban/rhumba": "salsa",
}  # fmt: skip
_KIT = {22: 42, 26: 46, 40: 38, 37: 37, 43: 43, 47: 45, 48: 48, 50: 50, 52: 49, 55: 57, 57: 57, 58: 43, 59: 51, 23: 46}
"""The kit's own numbers for edges and rims of its pads, by the General MIDI drum that they are."""
_LENGTH = TICKS_PER_QUARTER // 4
_SIXTEENTH = TICKS_PER_QUARTER // 4
_GRIDS = (
    (_SIXTEENTH, 0.0),
    (TICKS_PER_QUARTER // 3, 0.45),
    (TICKS_PER_QUARTER // 8, 0.9),
    (TICKS_PER_QUARTER // 6, 0.9),
)
"""Steps of the grids, and how many ticks (in sixteenths) nearer the strokes of a beat must lie for each."""
_LOST = TICKS_PER_QUARTER // 4
"""What a stroke that falls together with another of its drum counts, in ticks off its place."""
_SPLITS = {"train": "train", "validation": "valid", "test": "test"}


def find(data: Path) -> Iterator[Source]:
    """Yields the performances that keep a beat, fills inside them included."""
    return (source for source in _rows(data) if source.note("beat_type") != "fill")


def find_fills(data: Path) -> Iterator[Source]:
    """Yields the fills that were played on their own, a bar or two each."""
    return (source for source in _rows(data) if source.note("beat_type") == "fill")


def _rows(data: Path) -> Iterator[Source]:
    """Yields the rows of the corpus's table, in its order, with its split."""
    root = data / "groove-midi"
    table = root / "info.csv"
    if not table.is_file():
        raise DataError(table, "expected the corpus's table")
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            path = root / row["midi_filename"]
            if path.is_file():
                about = tuple(f"{key}={row[key]}" for key in ("style", "bpm", "beat_type", "time_signature"))
                yield Source(row["id"], path, song=f"groove-midi/{row['id']}", split=_SPLITS[row["split"]], about=about)  # type: ignore[arg-type]


def read(source: Source) -> Song:
    """Returns one performance, in whole bars of its stated metre."""
    song = read_midi(source.path)
    beats, _, unit = source.note("time_signature").partition("-")
    meter = MeterChange(0, int(beats), int(unit))
    notes = sorted(n for t in song.tracks if t.is_drums for n in t.notes)
    if not notes:
        raise DataError(source.path, "no drums in it")
    placed = _on_grid([replace(n, pitch=_KIT.get(n.pitch, n.pitch)) for n in notes], compound=unit == "8")
    end = -(-(placed[-1].start_ticks + 1) // meter.bar_ticks) * meter.bar_ticks
    style = source.note("style")
    return Song(
        title=f"Groove {source.id}",
        style=_STYLES.get(style, _STYLES.get(style.split("/")[0], "")),
        duration_ticks=end,
        tempos=(TempoChange(0, float(source.note("bpm"))),),
        meters=(meter,),
        keys=(KeyChange(0, "C major"),),
        tracks=(Track("drums", "drums", "standard_kit", "Drums", placed),),
        provenance={"groove": style, "kind": source.note("beat_type")},
    )


def _on_grid(notes: Sequence[Note], *, compound: bool) -> tuple[Note, ...]:
    """Returns each stroke on the nearest place, and how far off it was played.

    Each beat is heard on the grid that lies nearest to its strokes, simple ones first: sixteenths, then triplets, then
    halves of both where strokes on one drum follow each other faster. Of two strokes on one drum at one place the
    louder stays.
    """
    out: list[Note] = []
    for _, group in groupby(notes, key=lambda n: (n.start_ticks + _SIXTEENTH // 2) // TICKS_PER_QUARTER):
        strokes = list(group)
        step = min(_GRIDS[:1] if compound else _GRIDS, key=lambda g: _cost(strokes, *g))[0]
        for note in strokes:
            at = max(0, _nearest(note.start_ticks, step))
            out.append(Note(at, _LENGTH, note.pitch, note.velocity, note.start_ticks - at))
    loudest: dict[tuple[int, int], Note] = {}
    for note in out:
        known = loudest.get((note.start_ticks, note.pitch))
        if known is None or note.velocity > known.velocity:
            loudest[note.start_ticks, note.pitch] = note
    return tuple(sorted(loudest.values()))


def _cost(strokes: Sequence[Note], step: int, price: float) -> float:
    """Returns how badly a grid fits: how far off the strokes are, what it costs, and the strokes that it loses."""
    places = [_nearest(n.start_ticks, step) for n in strokes]
    off = sum(abs(n.start_ticks - p) for n, p in zip(strokes, places, strict=True))
    lost = len(strokes) - len({(p, n.pitch) for n, p in zip(strokes, places, strict=True)})
    plain = all(p % _SIXTEENTH == 0 for p in places)
    return off + (0.0 if plain else price * _SIXTEENTH) + lost * _LOST


def _nearest(tick: int, step: int) -> int:
    return round(tick / step) * step


CORPUS = Corpus(
    name="groove-midi",
    licence="CC-BY-4.0",
    attribution="Groove MIDI Dataset, (c) Google LLC, CC BY 4.0; Gillick, Roberts, Engel, Eck and Bamman, ICML 2019",
    find=find,
    read=read,
    augmentable=False,
)
FILLS = replace(CORPUS, name="groove-fills", folder="groove-midi", find=find_fills)
