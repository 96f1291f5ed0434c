"""Single-line tunes in ABC: fiddle tunes printed from 1778 to 1903, and Nottingham's with chords, for measuring."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from songwright.collection.bars import regular_bars
from songwright.collection.corpus import Corpus, Source
from songwright.collection.parts import lead_line
from songwright.errors import DataError
from songwright.score.abc import parse_abc, split_tunes
from songwright.score.song import Song

_MIN_NOTES = 16
_RHYTHMS = {"waltz": "waltz", "march": "march", "quick step": "march", "quickstep": "march", "hymn": "hymn"}
_ODD_BARS = 0.1
"""Share of bars of unusual length above which a tune is taken for badly barred."""


@lru_cache(maxsize=4)
def _tunes(path: Path) -> tuple[str, ...]:
    return tuple(split_tunes(path.read_text(encoding="utf-8", errors="replace")))


def find_folk(data: Path) -> Iterator[Source]:
    """Yields the tunes of the three books; a tune's song is its first title, wherever it stands."""
    root = data / "folk-abc"
    for path in sorted(root.rglob("*.abc")):
        for index, tune in enumerate(_tunes(path)):
            name = f"{path.relative_to(root).with_suffix('').as_posix()}/{index}"
            yield Source(name, path, index, song=f"folk/{_slug(_field(tune, 'T')) or name}",
                         about=(f"rhythm={_field(tune, 'R').lower()}",))  # fmt: skip


def find_nottingham(data: Path) -> Iterator[Source]:
    """Yields Nottingham's tunes with their official split."""
    root = data / "nottingham"
    table = root / "split.json"
    splits: dict[str, str] = {}
    if table.is_file():
        found = json.loads(table.read_text(encoding="utf-8"))
        splits = {Path(str(name)).stem: str(side) for side, names in found.items() if isinstance(names, list)
                  for name in names}  # fmt: skip
    for path in sorted((root / "abc").glob("*.abc")):
        tune = (_tunes(path) or ("",))[0]
        side = splits.get(path.stem)
        yield Source(path.stem, path, song=f"folk/{_slug(_field(tune, 'T')) or path.stem}",
                     split="valid" if side == "valid" else "train" if side == "train" else None,
                     about=(f"rhythm={_field(tune, 'R').lower()}",))  # fmt: skip


def _field(tune: str, letter: str) -> str:
    match = re.search(rf"(?m)^{letter}:\s*(.*?)\s*$", tune)
    return match.group(1) if match else ""


def _slug(title: str) -> str:
    return re.sub(r"\W+", "", title).lower()


def read(source: Source) -> Song:
    """Returns one tune as a single line, each repeated strain once.

    Raises:
        DataError: it is too short, or its bars do not add up.
    """
    tunes = _tunes(source.path)
    song = regular_bars(parse_abc(tunes[source.part], unfold=False))
    tune = max(song.tracks, key=lambda t: len(t.notes))
    tune = replace(lead_line(tune), id="tune", name="Tune", role="melody", instrument="violin")
    if len(tune.notes) < _MIN_NOTES:
        raise DataError(source.path, f"fewer than {_MIN_NOTES} notes")
    if odd_bars(song) > _ODD_BARS:
        raise DataError(source.path, "its bars do not add up")
    style = next((s for word, s in _RHYTHMS.items() if word in source.note("rhythm")), "folk_dance")
    return replace(song, tracks=(tune,), style=style, syllables=(), sections=())


def odd_bars(song: Song) -> float:
    """Returns the share of bars that do not have the commonest length."""
    starts = [*song.bar_starts(), song.duration_ticks]
    lengths = Counter(b - a for a, b in pairwise(starts))
    return 1.0 - max(lengths.values()) / max(1, lengths.total())


FOLK = Corpus(
    name="folk-abc",
    licence="public domain tunes; transcriptions distributed with the encoders' permission (music21 corpus)",
    attribution="Aird's Airs (J. Campin), O'Neill's Music of Ireland 1850 and Ryan's Mammoth Collection (J. Chambers, "
    "J. Walsh and others), from the music21 corpus",
    find=find_folk,
    read=read,
)
NOTTINGHAM = Corpus(
    name="nottingham",
    licence="GPL-3.0",
    attribution="Nottingham Music Database, E. Foxley; cleaned edition by Jukedeck",
    find=find_nottingham,
    read=read,
    usable=False,
    why_not="copyleft",
)
