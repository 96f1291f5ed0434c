"""Humdrum ``**kern`` as songs: `parse_kern` for a text, `read_kern` for a file. A track a staff.

Spines that split and join, chords, ties, dynamics, metres, keys, tempo, words of ``**text``. Graces, cues and
ornaments are passed over, repeats not unfolded. Measures of unusual length get a metre of their own.
Reference: Huron, The Humdrum Toolkit: Reference Manual, 1994, ``**kern``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from songwright.errors import DataError, InputError
from songwright.files import slug
from songwright.score.roles import guess_key, guess_mode, guess_roles
from songwright.score.song import (
    TICKS_PER_QUARTER,
    KeyChange,
    MeterChange,
    Note,
    Song,
    TempoChange,
    Track,
    check,
)
from songwright.score.sung import Place
from songwright.score.theory import key_of_signature
from songwright.score.words_on_notes import Heard, with_words

MAX_BYTES = 50_000_000
WHOLE = 4 * TICKS_PER_QUARTER
_LETTERS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_LOUDNESS = {"ppp": 28, "pp": 40, "p": 54, "mp": 66, "mf": 78, "f": 94, "ff": 108, "fff": 120, "sf": 100, "sfz": 104,
             "fz": 104, "fp": 80}  # fmt: skip
_PLAIN = 76
_KEY = re.compile(r"^\*([A-Ga-g])([#-]?):")
_INSTRUMENTS = {"violon": "violin", "violin": "violin", "cell": "cello", "viola": "viola", "canto": "voice",
                "voice": "voice", "song": "voice", "flut": "flute"}  # fmt: skip


@dataclass
class _Staff:
    """What one staff collects.

    Attributes:
        notes: start, length, pitch, velocity.
        words: index of the note (as collected) and its text.
        open_ties: by pitch, the index of a note that goes on.
        name: as the score calls it.
    """

    notes: list[tuple[Fraction, Fraction, int, int]] = field(default_factory=list)
    words: list[tuple[int, str]] = field(default_factory=list)
    open_ties: dict[int, int] = field(default_factory=dict)
    name: str = ""


@dataclass
class _Spine:
    """One column: its kind, the staff it writes on, and where its next sign begins."""

    kind: str
    staff: int
    at: Fraction = Fraction(0)
    cue: bool = False


def read_kern(path: Path) -> Song:
    """Returns the music of a file.

    Raises:
        DataError: it cannot be read, is too large, or is not such a text.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(path, "larger than 50 MB: this is no score")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}") from error
    try:
        return parse_kern(text)
    except InputError as error:
        raise DataError(path, str(error)) from error


def parse_kern(text: str) -> Song:
    """Returns the song of a Humdrum text.

    Raises:
        InputError: it has no ``**kern`` spine, no notes, or rows that do not fit its spines.
    """
    reader = _Reader()
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.rstrip("\r\n")
        if line.startswith("!"):
            reader.comment(line)
        elif line.strip():
            reader.row(line.split("\t"), number)
    song = reader.song()
    check(song)
    return song


class _Reader:
    """Reads row after row."""

    def __init__(self) -> None:
        self.staves: list[_Staff] = []
        self._spines: list[_Spine] = []
        self._now = Fraction(0)
        self._bars: list[tuple[Fraction, tuple[int, int] | None]] = []
        self._meters: dict[Fraction, tuple[int, int]] = {}
        self._signatures: dict[Fraction, int] = {}
        self._keys: dict[Fraction, str] = {}
        self._tempos: dict[Fraction, float] = {}
        self._title = ""
        self._velocity = _PLAIN

    def comment(self, line: str) -> None:
        """Takes the title, and a metronome mark, from reference records."""
        if line.startswith("!!!OTL") and not self._title:
            self._title = line.partition(":")[2].strip()
        found = re.match(r"^!!!OMD.*?\[(half|quarter|eighth)(-dot)?\]\s*=\s*(\d+)", line)
        if found:
            unit = {"half": 2.0, "quarter": 1.0, "eighth": 0.5}[found.group(1)] * (1.5 if found.group(2) else 1.0)
            self._tempos.setdefault(self._now, unit * float(found.group(3)))

    def row(self, cells: list[str], number: int) -> None:
        """Takes one row of tokens."""
        if cells[0].startswith("**"):
            for kind in cells:
                if kind == "**kern":
                    self.staves.append(_Staff())
                self._spines.append(_Spine(kind, len(self.staves) - 1))
            return
        if not self._spines:
            raise InputError("no **kern spine at the beginning: this is no Humdrum text")
        if len(cells) != len(self._spines):
            raise InputError(f"line {number}: {len(cells)} columns, expected {len(self._spines)}")
        if cells[0].startswith("*"):
            self._interpretations(cells)
        elif cells[0].startswith("="):
            self._barline(cells[0])
        else:
            self._data(cells)

    def _interpretations(self, cells: list[str]) -> None:
        spines: list[_Spine] = []
        skip = 0
        for i, (cell, spine) in enumerate(zip(cells, self._spines, strict=True)):
            if skip:
                skip -= 1
                continue
            if cell == "*^":
                spines += [spine, replace(spine)]
            elif cell == "*v":
                run = 1
                while i + run < len(cells) and cells[i + run] == "*v" and self._spines[i + run].staff == spine.staff:
                    run += 1
                spine.at = max(s.at for s in self._spines[i : i + run])
                spines.append(spine)
                skip = run - 1
            elif cell == "*-":
                continue
            elif cell == "*+":
                spines += [spine, _Spine("", spine.staff, spine.at)]
            else:
                if spine.kind == "**kern":
                    self._setting(cell, spine)
                spines.append(spine)
        self._spines = spines

    def _setting(self, cell: str, spine: _Spine) -> None:
        if match := re.match(r"^\*M(\d+)/(\d+)$", cell):
            top, bottom = int(match.group(1)), int(match.group(2))
            if 0 < top <= 64 and bottom in (1, 2, 4, 8, 16, 32, 64):
                self._meters[self._now] = (top, bottom)
        elif match := re.match(r"^\*k\[([a-g#\-n]*)\]", cell):
            self._signatures.setdefault(self._now, match.group(1).count("#") - match.group(1).count("-"))
        elif match := _KEY.match(cell):
            name = match.group(1).upper() + match.group(2).replace("-", "b")
            self._keys.setdefault(self._now, f"{name} {'minor' if match.group(1).islower() else 'major'}")
        elif match := re.match(r"^\*MM(\d+(?:\.\d+)?)", cell):
            self._tempos.setdefault(self._now, float(match.group(1)))
        elif cell.startswith('*I"'):
            self.staves[spine.staff].name = cell[3:].strip(" .")
        elif cell in ("*cue", "*Xcue"):
            spine.cue = cell == "*cue"

    def _barline(self, cell: str) -> None:
        self._now = max(s.at for s in self._spines)
        for spine in self._spines:
            spine.at = self._now
        if not self._bars or self._bars[-1][0] != self._now:
            self._bars.append((self._now, None))

    def _data(self, cells: list[str]) -> None:
        for cell, spine in zip(cells, self._spines, strict=True):
            if spine.kind == "**dynam" and cell.strip("<>[]() ") in _LOUDNESS:
                self._velocity = _LOUDNESS[cell.strip("<>[]() ")]
        sounding = [
            (cell, spine)
            for cell, spine in zip(cells, self._spines, strict=True)
            if spine.kind == "**kern" and cell != "." and "q" not in cell.lower()
        ]
        if sounding:
            due = [s.at for s in self._spines if s.kind == "**kern" and s.at >= self._now]
            self._now = min(due, default=self._now)
        first: dict[int, int] = {}
        for cell, spine in sounding:
            start = max(self._now, spine.at)
            before = len(self.staves[spine.staff].notes)
            spine.at = start + self._sound(cell, start, spine)
            if len(self.staves[spine.staff].notes) > before:
                first.setdefault(spine.staff, before)
        for spine in self._spines:
            if spine.kind in ("", "**text", "**dynam", "**fing"):
                spine.at = self._now
        for cell, spine in zip(cells, self._spines, strict=True):
            if spine.kind == "**text" and cell not in (".", "", "|") and spine.staff in first:
                self.staves[spine.staff].words.append((first[spine.staff], cell))

    def _sound(self, cell: str, start: Fraction, spine: _Spine) -> Fraction:
        """Adds the notes of a token and returns how long it lasts."""
        staff = self.staves[spine.staff]
        longest = Fraction(0)
        last = Fraction(0)
        for token in cell.split(" "):
            found = re.search(r"(\d+)(?:%(\d+))?(\.*)", token)
            length = _length(found) if found else last
            last = length
            longest = max(longest, length)
            match = re.search(r"(([A-Ga-g])\2*)(#+|-+|n)?", token)
            if not match or "r" in token or "yy" in token or spine.cue or length <= 0:
                continue
            letters, sign = match.group(1), match.group(3) or ""
            octave = 3 + len(letters) if letters[0].islower() else 4 - len(letters)
            pitch = 12 * (octave + 1) + _LETTERS[letters[0].lower()] + sign.count("#") - sign.count("-")
            if not 0 <= pitch <= 127:
                raise InputError(f"note '{token}' out of range")
            going = staff.open_ties.pop(pitch, None) if "_" in token or "]" in token else None
            if going is not None and staff.notes[going][0] + staff.notes[going][1] == start:
                begin, before, _, velocity = staff.notes[going]
                staff.notes[going] = (begin, before + length, pitch, velocity)
            else:
                going = len(staff.notes)
                staff.notes.append((start, length, pitch, min(127, self._velocity + 12 * ("^" in token))))
            if "[" in token or "_" in token:
                staff.open_ties[pitch] = going
        return longest

    def song(self) -> Song:
        """Returns what was read."""
        if not any(staff.notes for staff in self.staves):
            raise InputError("no notes in it")
        end = max([self._now, *(s + n for staff in self.staves for s, n, *_ in staff.notes)])
        meters, last = self._metres(end)
        tracks: list[Track] = []
        heard: dict[int, list[Heard]] = {}
        for i, staff in reversed(list(enumerate(self.staves))):
            if staff.notes:
                notes, words = _notes(staff)
                if words:
                    heard[len(tracks)] = words
                name = staff.name or f"Staff {i + 1}"
                tracks.append(Track(f"{slug(name, 36)}-{i + 1}", "counter_melody", _instrument(name), name, notes))
        roles = guess_roles(tracks)
        song = Song(
            title=self._title or "Untitled",
            duration_ticks=last,
            tempos=tuple(TempoChange(round(t), min(400.0, max(20.0, bpm))) for t, bpm in self._at_start(self._tempos,
                                                                                                   100.0)),
            meters=meters,
            keys=self._keys_of(tracks),
            tracks=roles,
        )  # fmt: skip
        return with_words(song, heard, mark_vocal=True)

    def _at_start(self, found: dict[Fraction, float], usual: float) -> list[tuple[Fraction, float]]:
        rows = sorted(found.items())
        return rows if rows and rows[0][0] == 0 else [(Fraction(0), rows[0][1] if rows else usual), *rows]

    def _keys_of(self, tracks: Sequence[Track]) -> tuple[KeyChange, ...]:
        """Returns the keys that the score names, else those of its signatures, major or minor by the notes."""
        found = dict(self._keys)
        if not found:
            found = {
                t: key_of_signature(fifths, guess_mode(fifths, tracks))
                for t, fifths in self._signatures.items()
                if -7 <= fifths <= 7
            }
        if not found:
            return (guess_key(tracks),)
        rows = sorted(found.items())
        keys = [KeyChange(0, rows[0][1])]
        for tick, key in rows[1:]:
            if key != keys[-1].key:
                keys.append(KeyChange(round(tick), key))
        return tuple(keys)

    def _metres(self, end: Fraction) -> tuple[tuple[MeterChange, ...], int]:
        """Returns the metres, one of its own for each measure of unusual length, and the end of the last bar."""
        lines = sorted({Fraction(0), *(t for t, _ in self._bars), end})
        marks = sorted(self._meters.items())
        meters: list[MeterChange] = []
        at = 0
        for begin, stop in pairwise(lines):
            nominal = next((m for t, m in reversed(marks) if t <= begin), marks[0][1] if marks else (4, 4))
            length = round(stop) - round(begin)
            shown = nominal if length == WHOLE * nominal[0] // nominal[1] else _meter_of(length)
            if not meters or (meters[-1].numerator, meters[-1].denominator) != shown:
                meters.append(MeterChange(round(begin), *shown))
            at = round(stop)
        return tuple(meters) or (MeterChange(0, 4, 4),), max(1, at)


def _length(found: re.Match[str]) -> Fraction:
    top, bottom, dots = found.groups()
    plain = Fraction(2 ** len(top)) if int(top) == 0 else Fraction(int(bottom or 1), int(top))
    return WHOLE * plain * (2 - Fraction(1, 2 ** len(dots)))


def _meter_of(ticks: int) -> tuple[int, int]:
    for unit in (4, 8, 16, 32):
        if ticks and ticks % (WHOLE // unit) == 0:
            return ticks // (WHOLE // unit), unit
    return max(1, -(-ticks // (WHOLE // 64))), 64


def _instrument(name: str) -> str:
    return next((v for k, v in _INSTRUMENTS.items() if k in name.lower()), "acoustic_grand_piano")


def _notes(staff: _Staff) -> tuple[tuple[Note, ...], list[Heard]]:
    rows = [Note(round(s), max(1, round(s + n) - round(s)), p, v) for s, n, p, v in staff.notes]
    order = sorted(range(len(rows)), key=lambda i: (rows[i].start_ticks, rows[i].pitch, rows[i].duration_ticks))
    rank = {old: new for new, old in enumerate(order)}
    heard = []
    for index, text in staff.words:
        begins, ends = not text.startswith("-"), not text.endswith("-")
        place: Place = ("single" if ends else "begin") if begins else ("end" if ends else "middle")
        if text.strip("-_ "):
            heard.append(Heard(rank[index], text.strip("-"), place))
    return tuple(rows[i] for i in order), heard
