"""Completes half-written words: finds what is missing, and writes it to fit what is given."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from songwright.lyrics.assemble import assemble, finish, line_of
from songwright.lyrics.bank import Bank, Frame, load_bank
from songwright.lyrics.metre import line_lengths, shapes, words_of
from songwright.lyrics.request import LyricRequest, SectionRequest
from songwright.lyrics.sheet import Delivery, LyricLine, LyricSection, LyricSheet
from songwright.lyrics.wishes import Wishes, weigh
from songwright.seeding import generator

SUNG_ROLES = ("verse", "prechorus", "chorus", "bridge")
_OPEN_LINE = re.compile(r"[\s.…?？。_\-–—]*")
_USUAL_LINES = {"verse": 4, "prechorus": 2, "chorus": 4, "bridge": 4}
_USUAL_SYLLABLES = {"en": 8.0, "ru": 8.0, "zh": 7.0}


@dataclass(frozen=True)
class _Gap:
    """A run of missing lines in a section.

    Attributes:
        section, first, size: where.
        lengths: wanted syllables of each.
        partners: last word that each should rhyme with; empty for none.
    """

    section: int
    first: int
    size: int
    lengths: tuple[float, ...]
    partners: tuple[str, ...]


def is_open(line: LyricLine) -> bool:
    """Returns whether a line stands for one that is still to be written: dots or question marks alone."""
    return _OPEN_LINE.fullmatch(line.text) is not None and not line.backing


def missing(sheet: LyricSheet, request: LyricRequest) -> tuple[tuple[str | None, ...], ...]:
    """Returns each section's lines as text, None for those to be written.

    A sung section without lines gets as many as its sister, or as the request says, or the usual number; a verse that
    is shorter than its longest sister is filled up; what is cut off by ``[verse 8 bars]`` without words stays silent.
    """
    wanted = {section.role: section.num_lines for section in reversed(request.sections)}
    most: dict[str, int] = {}
    for section in sheet.sections:
        most[section.role] = max(most.get(section.role, 0), len(section.lines))
    found = []
    for section in sheet.sections:
        lines: list[str | None] = [None if is_open(line) else line.text for line in section.lines]
        if section.role in SUNG_ROLES and not (section.num_bars and not lines):
            target = most[section.role]
            if not target:
                target = wanted.get(section.role, _USUAL_LINES[section.role])
            if not lines or section.role == "verse":
                lines += [None] * (target - len(lines))
        found.append(tuple(lines))
    return tuple(found)


def complete_with_bank(sheet: LyricSheet, request: LyricRequest) -> LyricSheet:
    """Returns the sheet with what is missing written by the embedded bank; given lines are never changed.

    Raises:
        InputError: the language has no bank.
    """
    bank = load_bank(request.language)
    texts = [list(lines) for lines in missing(sheet, request)]
    if all(line is not None for lines in texts for line in lines):
        return sheet
    _repeat_refrains(sheet, texts)
    given = " ".join(line for lines in texts for line in lines if line)
    request = replace(
        request, prompt=f"{request.prompt} {given}", sections=tuple(_requests(sheet, texts, request)), title=""
    )
    written = assemble(request).sections
    order = [i for i, lines in enumerate(texts) if lines]
    for index, lines in zip(order, written, strict=True):
        if all(line is None for line in texts[index]):
            texts[index] = list(lines)
    filler = _Filler(bank, weigh(request, bank), request)
    for gap in list(_gaps(texts, sheet, request.language)):
        texts[gap.section][gap.first : gap.first + gap.size] = filler.lines(gap, texts)
    return _with_texts(sheet, texts, request.language)


def _repeat_refrains(sheet: LyricSheet, texts: list[list[str | None]]) -> None:
    """Gives a chorus or prechorus without words those of its sister."""
    for role in ("chorus", "prechorus"):
        whole = next(
            (t for s, t in zip(sheet.sections, texts, strict=True) if s.role == role and t and None not in t), None
        )
        for section, lines in zip(sheet.sections, texts, strict=True):
            if whole and section.role == role and lines and all(line is None for line in lines):
                lines[:] = whole


def _requests(sheet: LyricSheet, texts: Sequence[Sequence[str | None]], request: LyricRequest) -> list[SectionRequest]:
    asked = {section.role: section.syllables for section in reversed(request.sections)}
    found = []
    for section, lines in zip(sheet.sections, texts, strict=True):
        sisters = [
            line for s, t in zip(sheet.sections, texts, strict=True) if s.role == section.role for line in t if line
        ]
        own = [line for line in lines if line] or sisters
        lengths = line_lengths(own, request.language) if own else []
        usual = asked.get(section.role, _USUAL_SYLLABLES.get(request.language, 8.0))
        if lines:
            found.append(SectionRequest(section.role, len(lines), sum(lengths) / len(lengths) if lengths else usual))
    return found


def _gaps(texts: Sequence[Sequence[str | None]], sheet: LyricSheet, language: str) -> list[_Gap]:
    gaps = []
    for index, lines in enumerate(texts):
        own = [line for line in lines if line]
        if not own:
            continue
        lengths = dict(zip(own, line_lengths(own, language), strict=True))
        mean = sum(lengths.values()) / len(lengths)
        first = 0
        while first < len(lines):
            size = 0
            while first + size < len(lines) and lines[first + size] is None:
                size += 1
            if size:
                places = range(first, first + size)
                wanted = tuple(_length(texts, sheet, index, i, lengths, mean, language) for i in places)
                gaps.append(_Gap(index, first, size, wanted, tuple(_partner(lines, i, language) for i in places)))
            first += size + 1
    return gaps


def _length(
    texts: Sequence[Sequence[str | None]],
    sheet: LyricSheet,
    index: int,
    place: int,
    lengths: Mapping[str, int],
    mean: float,
    language: str,
) -> float:
    """Returns the length that a missing line should have: its sister's, else that of the line two before or after."""
    role = sheet.sections[index].role
    for other, lines in enumerate(texts):
        line = lines[place] if place < len(lines) else None
        if other != index and sheet.sections[other].role == role and line:
            return float(line_lengths([line], language)[0])
    for near in (place - 2, place + 2):
        line = texts[index][near] if 0 <= near < len(texts[index]) else None
        if line and line in lengths:
            return float(lengths[line])
    return mean


def _partner(lines: Sequence[str | None], place: int, language: str) -> str:
    """Returns the last word of the given line that a missing one should rhyme with: two before, else next to it."""
    within = place % 4
    near = {0: (2, 1), 1: (2, -1), 2: (-2, 1), 3: (-2, -1)}[within]
    for step in near:
        line = lines[place + step] if 0 <= place + step < len(lines) else None
        if line:
            return _last(line, language)
    return ""


def _last(line: str, language: str) -> str:
    words = words_of(line)
    return (words[-1][-1] if language == "zh" else words[-1]) if words else ""


class _Filler:
    """Finds lines of the bank for gaps; remembers what it used."""

    def __init__(self, bank: Bank, wishes: Wishes, request: LyricRequest) -> None:
        self._bank = bank
        self._wishes = wishes
        self._frames = [
            f
            for f in bank.frames
            if not f.archaic and not any(True for _ in f.slots()) and set(f.roles) & {"verse", "bridge", "rap"}
        ]
        draws = generator(request.seed, "lyrics", "complete").random(len(self._frames))
        self._draws = {frame.name: float(x) for frame, x in zip(self._frames, draws, strict=True)}
        self._used: set[str] = set()
        self._families: dict[str, str] = {}

    def lines(self, gap: _Gap, texts: Sequence[Sequence[str | None]]) -> list[str]:
        """Returns lines for a gap: runs of two and four from one frame, the rest one by one."""
        sung = {line.casefold() for lines in texts for line in lines if line}
        found: list[str] = []
        while len(found) < gap.size:
            at = len(found)
            size = 4 if gap.size - at >= 4 else 2 if gap.size - at >= 2 else 1
            best = self._best(gap, at, size, sung)
            found += best
            sung |= {line.casefold() for line in best}
        return found

    def _best(self, gap: _Gap, at: int, size: int, sung: set[str]) -> list[str]:
        ranked = []
        for frame in self._frames:
            for first in range(0, len(frame.lines) - size + 1, 1 if size == 1 else 2):
                window = [finish(line) for line in frame.lines[first : first + size]]
                if not any(line.casefold() in sung for line in window):
                    ranked.append((self._worth(frame, first, window, gap, at), frame.name, first, window))
        if not ranked:
            return [finish(self._frames[0].lines[0])] * size
        _, name, _, window = max(ranked, key=lambda row: row[:3])
        self._used.add(name)
        return window

    def _worth(self, frame: Frame, first: int, window: Sequence[str], gap: _Gap, at: int) -> float:
        metre = self._bank.metres[frame.metre]
        worth = 2.0 * self._wishes.weight(frame.themes) + 0.6 * self._draws[frame.name]
        for i, line in enumerate(window):
            worth -= 1.5 * abs(len(metre.template(first + i)) - gap.lengths[at + i]) / len(window)
            partner = gap.partners[at + i]
            if partner:
                last = _last(line, self._bank.language)
                if last == partner:
                    worth -= 3.0
                elif last in self._bank.families and self._bank.families[last] == self._family(partner):
                    worth += 4.0
        if frame.mood != "neutral" and self._wishes.tone != "neutral":
            worth += 0.4 if frame.mood == self._wishes.tone else -2.0
        return (
            worth
            - (1.0 if frame.name in self._used else 0.0)
            - (0.8 if len(window) == 1 and first == 0 and len(frame.lines) > 1 else 0.0)
        )

    def _family(self, word: str) -> str:
        """Returns the rhyme family of a word: by the table, else by its sound, which names the families of English."""
        if word in self._bank.families or not word:
            return self._bank.families.get(word, "")
        if word not in self._families:
            found = shapes([word], self._bank.language)
            self._families[word] = found[0].rhyme if found else ""
        return self._families[word]


def _with_texts(sheet: LyricSheet, texts: Sequence[Sequence[str | None]], language: str) -> LyricSheet:
    sections = []
    for section, lines in zip(sheet.sections, texts, strict=True):
        old = section.lines
        delivery: Delivery = next((line.delivery for line in old if not is_open(line)), "sung")
        rows = [
            old[i] if i < len(old) and not is_open(old[i]) else line_of(text or "", language, delivery)
            for i, text in enumerate(lines)
        ]
        sections.append(LyricSection(section.role, tuple(rows), section.label, section.num_bars))
    num = sum(len(lines) for lines in texts) - sum(not is_open(line) for line in sheet.lines())
    note = f"{num} lines that were missing were written"
    return replace(sheet, sections=tuple(sections), notes=(*sheet.notes, note) if num else sheet.notes)


__all__ = ["SUNG_ROLES", "complete_with_bank", "is_open", "missing"]
