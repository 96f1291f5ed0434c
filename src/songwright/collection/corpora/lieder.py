"""OpenScore Lieder: songs for voice and piano with words; chords from automatic roman-numeral analyses.

The analyses count measures as their own reader did. Of the ways to count, the one whose chords hold most of the notes
is taken; an analysis that fits none is left out.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from songwright.collection.bars import regular_bars
from songwright.collection.chord_names import spans
from songwright.collection.corpus import Corpus, Source
from songwright.collection.homophony import chord_fit
from songwright.collection.parts import clean_words, is_single, lead_line, merged
from songwright.collection.romantext import Analysed, analysis
from songwright.errors import DataError
from songwright.score.musicxml import read_musicxml
from songwright.score.song import TICKS_PER_QUARTER, ChordSpan, Song, TrackRole
from songwright.score.theory import signature_of
from songwright.score.xml_file import load_xml

_MIN_FIT = 0.62
"""Share of the sounding time that must be chord tones for an analysis to be believed."""
_RUSSIAN = ("Tchaikovsky", "Glinka", "Rachmaninoff", "Mussorgsky", "Borodin", "Rimsky")


def find(data: Path) -> Iterator[Source]:
    """Yields the songs."""
    root = data / "openscore-lieder" / "scores"
    for path in sorted(root.rglob("*.mxl")):
        name = path.parent.relative_to(root).as_posix()
        yield Source(f"{name}/{path.stem}", path, song=f"lieder/{name}")


def read(source: Source) -> Song:
    """Returns one song: each voice a single line with its words, the piano's staves together.

    Raises:
        DataError: it is broken, or nobody sings in it.
    """
    song = read_musicxml(source.path)
    voices = [t for t in song.tracks if any(n.syllable is not None for n in t.notes)]
    if not voices:
        raise DataError(source.path, "no part with words")
    lead = max(voices, key=lambda t: sum(n.syllable is not None for n in t.notes))
    others = [t for t in song.tracks if t is not lead and t.notes]
    piano = [t for t in others if t.instrument.endswith(("piano", "grand")) or "pian" in t.name.lower()]
    song = replace(song, chords=_chords(source.path, song))
    tracks = [replace(lead_line(lead), id="voice", name="Voice", role="vocal", instrument="voice")]
    if piano:
        tracks.append(replace(merged(piano, piano[0]), id="piano", name="Piano", role="chords",
                              instrument="acoustic_grand_piano"))  # fmt: skip
    for i, track in enumerate(t for t in others if t not in piano):
        sung = any(n.syllable is not None for n in track.notes)
        role: TrackRole = "backing_vocal" if sung else "counter_melody" if is_single(track.notes) else "pad"
        tracks.append(replace(track, id=f"part-{i + 1}", role=role))
    style = "russian_romance" if any(name in source.id for name in _RUSSIAN) else "lied"
    return regular_bars(clean_words(replace(song, tracks=tuple(tracks), style=style, sections=())))


def _chords(path: Path, song: Song) -> tuple[ChordSpan, ...]:
    file = path.parent / "analysis_automatic.rntxt"
    if not file.is_file():
        return ()
    rows = list(analysis(file.read_text(encoding="utf-8", errors="replace")))
    if not rows:
        return ()
    best: tuple[float, tuple[ChordSpan, ...]] = (0.0, ())
    for numbers in _countings(path, song):
        found = _placed(rows, song, numbers)
        fit = chord_fit(song.tracks, found)
        if fit > best[0] + 1e-9:
            best = (fit, found)
    return best[1] if best[0] >= _MIN_FIT else ()


def _countings(path: Path, song: Song) -> Iterator[dict[int, int]]:
    """Yields ways to number the bars: number to index of the bar."""
    count = len(song.bar_starts())
    text = load_xml(path).decode("utf-8", "replace")
    first = text[text.find("<part ") : text.find("</part>")]
    numbers: dict[int, int] = {}
    for index, name in enumerate(re.findall(r"<measure [^>]*number=\"([^\"]*)\"", first)):
        if name.isdigit() and index < count:
            numbers.setdefault(int(name), index)
    yield numbers
    yield {i + 1: i for i in range(count)}
    yield {i: i for i in range(count)}


def _placed(rows: Sequence[Analysed], song: Song, numbers: dict[int, int]) -> tuple[ChordSpan, ...]:
    starts = song.bar_starts()
    ticks = [m.tick for m in song.meters]
    flats = signature_of(song.keys[0].key) < 0
    placed = []
    for row in rows:
        index = numbers.get(row.measure)
        if index is None or row.chord is None:
            continue
        meter = song.meters[bisect_right(ticks, starts[index]) - 1]
        beat = TICKS_PER_QUARTER * 4 // meter.denominator
        if meter.denominator >= 8 and meter.numerator % 3 == 0 and meter.numerator > 3:
            beat *= 3
        at = starts[index] + min(round((row.beat - 1) * beat), meter.bar_ticks - 1)
        eighth = TICKS_PER_QUARTER // 2
        at = starts[index] + round((at - starts[index]) / eighth) * eighth
        placed.append((at, row.chord.symbol(flats=flats)))
    return spans(sorted(placed, key=lambda p: p[0]), song.duration_ticks)


CORPUS = Corpus(
    name="openscore-lieder",
    licence="CC0-1.0",
    attribution="OpenScore Lieder Corpus, musescore.com/openscore-lieder-corpus",
    find=find,
    read=read,
    language="?",
)
