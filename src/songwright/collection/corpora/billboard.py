"""McGill Billboard: chords bar by bar and sections of songs of the charts; no notes."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from songwright.collection.chord_names import harte_symbol, spans
from songwright.collection.corpus import Corpus, Source
from songwright.collection.form import role_of_name, sections
from songwright.errors import DataError
from songwright.score.song import TICKS_PER_QUARTER, KeyChange, MeterChange, SectionRole, Song, TempoChange
from songwright.score.theory import name_of, pitch_class

_MIN_BARS = 8


def find(data: Path) -> Iterator[Source]:
    """Yields the songs of the index, each title of an artist once."""
    root = data / "mcgill-billboard"
    table = root / "index.csv"
    if not table.is_file():
        raise DataError(table, "expected the corpus's index")
    seen: set[str] = set()
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = f"{row['title']} / {row['artist']}".lower()
            path = root / "salami_chords" / f"{int(row['id']):04d}.txt"
            if row["title"] and name not in seen and path.is_file():
                seen.add(name)
                yield Source(path.stem, path, song=f"billboard/{name}")


@dataclass
class _Line:
    """One phrase: when it begins, its section's role and letter, its bars of chord labels, metre and tonic."""

    seconds: float
    role: SectionRole
    letter: str
    bars: list[list[str]]
    meter: tuple[int, int]
    tonic: int


@dataclass
class _Reading:
    """What holds while an annotation is read."""

    meter: tuple[int, int] = (4, 4)
    tonic: int = 0
    role: SectionRole = "intro"
    letter: str = ""
    lines: list[_Line] = field(default_factory=list)
    ends: float = 0.0


def read(source: Source) -> Song:
    """Returns the chords and sections of one song.

    Raises:
        DataError: it holds no chords.
    """
    reading = _Reading()
    for text in source.path.read_text(encoding="utf-8", errors="replace").splitlines():
        _read_line(text, reading)
    lines = reading.lines
    if sum(len(line.bars) for line in lines) < _MIN_BARS:
        raise DataError(source.path, f"fewer than {_MIN_BARS} bars of chords")
    at = 0
    rows: list[tuple[int, str]] = []
    meters: list[MeterChange] = []
    keys: list[KeyChange] = []
    parts: list[tuple[int, int, SectionRole, str]] = []
    minor = _is_minor(lines)
    for line in lines:
        start, meter = at, MeterChange(at, *line.meter)
        if not meters or (meters[-1].numerator, meters[-1].denominator) != line.meter:
            meters.append(meter)
        key = f"{name_of(line.tonic, flats=_flat(line.tonic, minor))} {'minor' if minor else 'major'}"
        if not keys or keys[-1].key != key:
            keys.append(KeyChange(at, key))
        for bar in line.bars:
            rows.extend(_bar_chords(bar, at, meter.bar_ticks, flats=_flat(line.tonic, minor)))
            at += meter.bar_ticks
        parts.append((start, at, line.role, line.letter))
    return Song(
        title=f"Billboard {source.id}",
        style="pop",
        duration_ticks=at,
        tempos=(TempoChange(0, _bpm(reading)),),
        meters=tuple(meters),
        keys=tuple(keys),
        chords=spans(_told(rows), at),
        sections=sections(parts),
    )


def _read_line(line: str, reading: _Reading) -> None:
    if line.startswith("# metre:"):
        top, _, bottom = line.split(":")[1].strip().partition("/")
        reading.meter = (int(top), int(bottom))
    elif line.startswith("# tonic:"):
        reading.tonic = pitch_class(line.split(":")[1].strip())
    if line.startswith("#") or "\t" not in line:
        return
    when, _, body = line.partition("\t")
    if "|" not in body:
        if body.strip() in ("silence", "end") and reading.lines and not reading.ends:
            reading.ends = float(when)
        return
    head, _, rest = body.partition("|")
    bars, _, tail = rest.rpartition("|")
    names = [n.strip() for n in head.split(",") if n.strip()]
    if names and re.fullmatch(r"[A-Z]+'*", names[0]):
        reading.letter = names.pop(0)
    role = next((r for r in (role_of_name(n) for n in names if not n.startswith("(")) if r), None)
    if role:
        reading.role = role
    times = re.search(r"\bx(\d+)", tail)
    found = [bar.split() for bar in bars.split("|")] * (min(64, int(times.group(1))) if times else 1)
    reading.lines.append(_Line(float(when), reading.role, reading.letter, found, reading.meter, reading.tonic))


def _bar_chords(labels: Sequence[str], at: int, length: int, *, flats: bool) -> Iterator[tuple[int, str]]:
    """Yields the chords of one bar; an empty symbol goes on with the one before."""
    shown = [c for c in labels if not c.startswith("(") and c not in ("->", "&")]
    for i, label in enumerate(shown):
        tick = at + i * length // len(shown)
        if label.startswith("&"):
            yield tick, "N.C."
        elif label not in (".", "*"):
            yield tick, harte_symbol(label, flats=flats)


def _told(rows: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    eighth = TICKS_PER_QUARTER // 2
    return [(round(tick / eighth) * eighth, symbol) for tick, symbol in rows]


def _flat(tonic: int, minor: bool) -> bool:
    return (tonic + (3 if minor else 0)) % 12 in (1, 3, 5, 8, 10)


def _is_minor(lines: Sequence[_Line]) -> bool:
    """Returns whether the chords on the tonic are mostly minor."""
    count = [0, 0]
    for line in lines:
        for label in (c for bar in line.bars for c in bar):
            match = re.match(r"^([A-G][#b]*):(maj|min|7|9)", label)
            if match and pitch_class(match.group(1)) == line.tonic:
                count[match.group(2) == "min"] += 1
    return count[1] > count[0]


def _bpm(reading: _Reading) -> float:
    """Returns quarters a minute from the times of the phrases."""
    lines = reading.lines
    seconds = (reading.ends or lines[-1].seconds) - lines[0].seconds
    counted = lines if reading.ends else lines[:-1]
    quarters = sum(len(x.bars) * x.meter[0] * 4 / x.meter[1] for x in counted)
    return round(min(260.0, max(40.0, 60.0 * quarters / seconds)), 1) if seconds > 5 and quarters else 120.0


CORPUS = Corpus(
    name="mcgill-billboard",
    licence="CC0-1.0",
    attribution="McGill Billboard annotations (Burgoyne, Wild and Fujinaga, ISMIR 2011)",
    find=find,
    read=read,
)
