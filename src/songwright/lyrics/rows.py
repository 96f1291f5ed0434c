"""Files of timed lyrics as rows of text: LRC (plain and enhanced), SRT and WebVTT.

What the rows say (tags, parentheses, repeats) is read in `plain`, the same for all formats.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from songwright.lyrics.clean import clean

_STAMP = r"(\d{1,3}):(\d{2})(?:[.:](\d{1,3}))?"
_LINE_STAMPS = re.compile(rf"^\s*((?:\[{_STAMP}\]\s*)+)(.*)$", re.S)
_ONE_STAMP = re.compile(rf"\[{_STAMP}\]")
_WORD_STAMP = re.compile(rf"<{_STAMP}>|\[{_STAMP}\]")
_ANGLE_STAMP = re.compile(rf"<{_STAMP}>")
_ID_TAG = re.compile(r"^\s*\[\s*([A-Za-z_#]{1,10})\s*:([^\[\]]*)\]\s*$")
_ID_NAMES = {"ti": "title", "title": "title", "ar": "", "al": "", "by": "", "au": "", "re": "", "ve": "", "tool": "",
             "length": "", "offset": "offset", "la": "language", "lang": "language", "language": "language", "#": "",
             "id": "", "hash": "", "sign": "", "qq": "", "total": "", "kana": "", "lr": "", "artist": "",
             "album": "", "author": ""}  # fmt: skip
_CUE = re.compile(
    r"^\s*(?:(\d{1,3}):)?(\d{1,3}):(\d{2})[,.](\d{1,3})\s*-->\s*(?:(\d{1,3}):)?(\d{1,3}):(\d{2})[,.](\d{1,3})\b.*$"
)
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|\{\\[^{}]*\}")
_LONG_GAP_SECONDS = 3.0
"""A line that comes this much later than lines usually do begins a stanza, where nothing else says so."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file.

    Attributes:
        text: cleaned; empty for a blank line.
        start_seconds: its time stamp.
        marks: (place in `text`, seconds) of stamps inside the line, rising.
    """

    text: str
    start_seconds: float | None = None
    marks: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """A file as rows.

    Attributes:
        rows: in the order of singing.
        ids: what its id tags say, by ``title`` and ``language``.
        has_dropped: whether emoji or control characters were left out.
    """

    rows: tuple[Row, ...]
    ids: dict[str, str]
    has_dropped: bool


def read_rows(lines: Sequence[str]) -> Rows:
    """Returns the rows of a file of lyrics of any format, told by its content."""
    if any(_CUE.match(line) for line in lines):
        return _read_srt(lines)
    ids: dict[str, str] = {}
    rows: list[tuple[float, Row]] = []
    dropped = timed = many = False
    latest = 0.0
    shift = 0.0
    for line in lines:
        id_tag = _ID_TAG.match(line)
        name = _ID_NAMES.get(id_tag.group(1).lower()) if id_tag else None
        if id_tag and name is not None:
            value, _ = clean(id_tag.group(2))
            if name == "offset":
                shift = _number(value) / 1000.0
            elif name and value.strip():
                ids.setdefault(name, value.strip()[:200])
            continue
        found = _LINE_STAMPS.match(line)
        row, lost = _row(found.group(5) if found else line, stamped=found is not None)
        dropped |= lost
        if found is None:
            if row.marks:
                start = row.marks[0][1]
                timed, latest = True, max(latest, start)
                row = replace(row, start_seconds=start)
            rows.append((latest if row.start_seconds is None else row.start_seconds, row))
            continue
        stamps = [_seconds(*m.groups()) for m in _ONE_STAMP.finditer(found.group(1))]
        timed, many = True, many or len(stamps) > 1
        for i, stamp in enumerate(stamps):
            rows.append((stamp, replace(row, start_seconds=stamp, marks=row.marks if i == 0 else ())))
        latest = max(latest, stamps[0])
    if timed:
        rows.sort(key=lambda entry: entry[0])
    out = [_shifted(row, shift) if shift else row for _, row in rows]
    return Rows(tuple(_with_stanzas(out) if timed else out), ids, dropped)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if abs(value) < 1e7 else 0.0


def _seconds(minutes: str, seconds: str, fraction: str | None) -> float:
    return round(60 * int(minutes) + int(seconds) + (int(fraction) / 10 ** len(fraction) if fraction else 0.0), 3)


def _row(text: str, *, stamped: bool) -> tuple[Row, bool]:
    """Returns a line without the stamps inside it, and whether anything unsingable was dropped."""
    kept, marks = "", []
    dropped = False
    at = 0
    for match in (_WORD_STAMP if stamped else _ANGLE_STAMP).finditer(text):
        piece, lost = clean(text[at : match.start()])
        kept, dropped, at = _joined(kept, piece), dropped or lost, match.end()
        groups = match.groups()
        marks.append((len(kept), _seconds(*(groups[:3] if groups[0] else groups[3:6]))))
    piece, lost = clean(text[at:])
    kept = _joined(kept, piece)
    lead = len(kept) - len(kept.lstrip())
    places = tuple((max(0, place - lead), seconds) for place, seconds in marks)
    return Row(kept.strip(), None, places), dropped or lost


def _joined(kept: str, piece: str) -> str:
    return kept + (piece[1:] if kept.endswith(" ") and piece.startswith(" ") else piece)


def _shifted(row: Row, shift: float) -> Row:
    """Returns a row `shift` seconds earlier: a positive offset of LRC shows words sooner."""
    if row.start_seconds is None:
        return row
    marks = tuple((place, round(max(0.0, seconds - shift), 3)) for place, seconds in row.marks)
    return replace(row, start_seconds=round(max(0.0, row.start_seconds - shift), 3), marks=marks)


def _with_stanzas(rows: list[Row]) -> list[Row]:
    """Returns the rows with a blank one before every line that comes late, unless blank rows or tags are there."""
    while rows and not rows[-1].text:
        rows.pop()
    if any(not row.text or row.text.startswith("[") for row in rows):
        return rows
    steps = [
        b.start_seconds - a.start_seconds
        for a, b in pairwise(rows)
        if a.start_seconds is not None and b.start_seconds is not None
    ]
    if len(steps) < 4:
        return rows
    usual = max(0.5, median(steps))
    out: list[Row] = []
    for row in rows:
        before = out[-1].start_seconds if out else None
        if before is not None and row.start_seconds is not None:
            gap = row.start_seconds - before
            if gap > 1.8 * usual and gap > usual + _LONG_GAP_SECONDS:
                out.append(Row(""))
        out.append(row)
    return out


def _read_srt(lines: Sequence[str]) -> Rows:
    """Returns the lines of subtitles, a cue's further lines at their share of its time."""
    cues: list[tuple[float, float, list[str]]] = []
    dropped = False
    for i, line in enumerate(lines):
        found = _CUE.match(line)
        if found:
            times = [float(g or 0) if k % 4 != 3 else int(g) / 10 ** len(g) for k, g in enumerate(found.groups())]
            start, end = (3600 * h + 60 * m + s + f for h, m, s, f in (times[:4], times[4:]))
            if cues and i and cues[-1][2] and re.fullmatch(r"\s*\d+\s*", lines[i - 1]):
                cues[-1][2].pop()
            cues.append((start, max(start, end), []))
        elif cues:
            text, lost = clean(_MARKUP.sub("", line))
            dropped |= lost
            if text.strip() or (cues[-1][2] and not lines[i - 1].strip()):
                cues[-1][2].append(re.sub(r"^\s*[-–—]\s+", "", text).strip())
    cues = [(start, end, [t for t in texts if t]) for start, end, texts in cues]
    cues = sorted((c for c in cues if c[2]), key=lambda c: c[0])
    rows: list[Row] = []
    before: float | None = None
    lengths = [c[1] - c[0] for c in cues]
    pause = max(_LONG_GAP_SECONDS, 1.2 * median(lengths)) if lengths else _LONG_GAP_SECONDS
    for start, end, texts in cues:
        if before is not None and start - before > pause:
            rows.append(Row(""))
        total, sung = sum(map(len, texts)), 0
        for text in texts:
            rows.append(Row(text, round(start + (end - start) * sung / total, 3)))
            sung += len(text)
        before = end
    return Rows(tuple(rows), {}, dropped)
