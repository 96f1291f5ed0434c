"""The form of a song from its words: lines get bars, sections follow the sheet, the asked length is met around them.

Words are never dropped: what is free are intro, interlude and outro, bars for each line, the tempo where nobody said
one, and how often the chorus returns.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from songwright.brief.brief import Brief
from songwright.compose.form import (
    RITARDANDO,
    USUAL_PARTS,
    FormPart,
    choose_key,
    lay_sections,
    read_meter,
    usual_density,
    usual_tempo,
    usual_title,
)
from songwright.compose.plan import SongPlan
from songwright.compose.style import Style
from songwright.lyrics.sheet import LyricLine, LyricSection, LyricSheet
from songwright.score.song import RING_SECONDS
from songwright.score.theory import Key
from songwright.seeding import generator

RATES = {"sung": 2.6, "rap": 4.6, "spoken": 3.4}
"""Comfortable syllables a second, breath not counted."""
FASTEST = {"sung": 5.5, "rap": 7.0, "spoken": 6.0}
SLOWEST = 1.15
LANGUAGE_RATES = {"zh": 0.85}
"""Mandarin syllables are longer."""
SUNG_SHARE = 0.85
"""Of a line's bars that its syllables take; the rest is breath."""
CHORUS_RATE = 0.85
SHORTEST_SECTION_SECONDS = 15.0
"""Of a section of three lines and more."""
PHRASE_SECONDS = 4.4
"""Usual length of a line."""
PHRASE_SECONDS_SPOKEN = 2.6
"""The same of rap and speech."""
CRAMPED = 0.25
"""Cost of a sung line in a single bar, where stresses crowd between the beats."""
UNITS = (1, 2, 4)
BACKING_SHARE = 0.7
MOST_SIXTEENTHS = {"sung": 0.8, "rap": 0.9, "spoken": 0.8}
"""Share of a bar's sixteenths that may carry a syllable."""
MOST_REPEATS = 4


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line of words and the bars it has.

    Attributes:
        line: the words, sounded.
        index: counted through the song, `Syllable.line` of what is sung.
        section: index into the plan's sections.
        position: of the line in its section.
        first_bar: absolute.
        num_bars: its own; after the last line of a section there may be more.
    """

    line: LyricLine
    index: int
    section: int
    position: int
    first_bar: int
    num_bars: int


@dataclass(frozen=True, slots=True)
class LyricForm:
    """The skeleton of a sung song.

    Attributes:
        plan: the form.
        lines: every line that is sung, in order; those of a repeated chorus each time.
        notes: what the person should know.
    """

    plan: SongPlan
    lines: tuple[PlacedLine, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FormFrame:
    """What is settled before the words are laid out.

    Attributes:
        tempo_bpm: of the song; None takes the style's usual one, which gives way where the brief asks a length.
        key: of the song.
        fixed: whether bars and tempo are those of a form that was planned before its words.
        energies: of each section of the sheet, where planned; empty else.
    """

    tempo_bpm: float | None
    key: Key
    fixed: bool = False
    energies: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class _Block:
    """A section while its bars are open: bars of its lines, and all its bars."""

    section: LyricSection
    lines: tuple[int, ...]
    bars: int
    energy: float


@dataclass(frozen=True, slots=True)
class _Choice:
    """One way to meet the length; None leaves a part out."""

    shift: int
    repeats: int
    intro: int | None
    interlude: int | None
    outro: int | None


LONGEST_TITLE = 40


def lay_out(brief: Brief, style: Style, sheet: LyricSheet, frame: FormFrame | None = None) -> LyricForm:
    """Returns the form that the words of a sheet make.

    Args:
        brief: what was asked: length, tempo, key, metre.
        style: its forms lend energies and the lengths of instrumental sections.
        sheet: sounded, with at least one line that has syllables.
        frame: what was settled before; None settles it here.

    Raises:
        InputError: the brief's metre cannot be used.
    """
    return _Layout(brief, style, sheet, frame).lay()


def comfortable_bars(
    syllables: float, bar_seconds: float, delivery: str, language: str, role: str = "verse", num_lines: int = 4
) -> int:
    """Returns the bars that suit a line: two at most tempos.

    Args:
        syllables: of the line.
        bar_seconds: length of a bar.
        delivery: ``sung``, ``rap`` or ``spoken``.
        language: of the words.
        role: of its section: a chorus takes its time.
        num_lines: of its section, which should not be over at once.
    """
    factor = LANGUAGE_RATES.get(language, 1.0)
    wanted = RATES[delivery] * factor * (CHORUS_RATE if role in ("chorus", "drop") and delivery == "sung" else 1.0)
    phrase = PHRASE_SECONDS if delivery == "sung" else PHRASE_SECONDS_SPOKEN

    def cost(unit: int) -> float:
        seconds = unit * bar_seconds
        rate = syllables / (seconds * SUNG_SHARE)
        odd = abs(math.log2(rate / wanted)) + 0.45 * abs(math.log2(seconds / phrase))
        odd += CRAMPED * (unit == 1 and delivery == "sung")
        odd += 0.5 * max(0.0, math.log2(SHORTEST_SECTION_SECONDS / (seconds * num_lines))) * (num_lines >= 3)
        return odd + 8.0 * (rate > FASTEST[delivery] * factor) + 3.0 * (rate < SLOWEST * factor)

    return min(UNITS, key=lambda unit: (cost(unit), unit))


def weight_of(line: LyricLine) -> float:
    """Returns the syllables that a line must find room for, those of the backing voices counted less."""
    backing = sum(len(word.syllables) for word in line.backing)
    return len(line.syllables) + BACKING_SHARE * backing


class _Layout:
    """Lays out one song."""

    def __init__(self, brief: Brief, style: Style, sheet: LyricSheet, frame: FormFrame | None) -> None:
        self.brief, self.style = brief, style
        self.random = generator(brief.seed, "form", style.name)
        self.numerator, self.denominator = read_meter(brief.meter or style.meters[0])
        self.quarters = self.numerator * 4 / self.denominator
        usual = brief.tempo_bpm or usual_tempo(brief, style, self.random)
        self.frame = frame or FormFrame(None, choose_key(brief, style))
        self.tempo = float(self.frame.tempo_bpm or usual)
        self.language = sheet.language
        self.sheet_title = sheet.title
        self.sections = self._sounding(sheet)
        self.notes: list[str] = []
        weights = [form.weight for form in style.form]
        self.usual = style.form[weights.index(max(weights))].parsed()

    def _sounding(self, sheet: LyricSheet) -> tuple[LyricSection, ...]:
        """Returns the sections without lines that have no sound, an empty section of a known role filled again."""
        found: list[LyricSection] = []
        for section in sheet.sections:
            lines = tuple(line for line in section.lines if line.syllables)
            earlier = next((s.lines for s in found if s.role == section.role and s.lines), ())
            repeats = not section.lines and section.role in ("chorus", "prechorus", "drop")
            found.append(replace(section, lines=earlier if repeats else lines))
        return tuple(found)

    def _title(self) -> str:
        """Returns the title: as said, that of the words, their hook (the chorus's first line), or the subject."""
        if self.brief.title and self.brief.origin("title") == "said":
            return self.brief.title
        heard = [s for s in self.sections if s.lines]
        hook = next((s.lines[0].text for s in heard if s.role in ("chorus", "drop", "head", "theme")), "")
        hook = hook.strip(" ,.;:!?…—-，。；：！？、").strip()
        usual = self.brief.title or usual_title(self.brief, self.style)
        return self.sheet_title or (hook if 0 < len(hook) <= LONGEST_TITLE else usual)

    def lay(self) -> LyricForm:
        """Returns the form."""
        if self.frame.fixed:
            blocks, tempo = self._planned()
        else:
            blocks, tempo = self._fitted()
        parts = [FormPart(b.section.role, b.bars, b.energy) for b in blocks]
        plan = SongPlan(
            title=self._title(),
            style=self.style.name,
            seed=self.brief.seed,
            key=self.frame.key,
            tempo_bpm=float(tempo),
            numerator=self.numerator,
            denominator=self.denominator,
            sections=lay_sections(parts, self.brief, self.style, self.random),
            density=usual_density(self.brief),
            tail_bars=1,
        )
        return LyricForm(plan, _placed(plan, blocks), tuple(self.notes))

    def _planned(self) -> tuple[list[_Block], float]:
        """Returns the blocks of a form that was planned before its words; added bars move the tempo."""
        blocks, tempo = self._blocks(_Choice(0, 0, None, None, None), self.tempo), self.tempo
        before, after = sum(s.num_bars or 0 for s in self.sections), sum(block.bars for block in blocks)
        if self.brief.duration_seconds is not None and self.brief.tempo_bpm is None and after != before:
            tempo = min(round(tempo * after / before, 2), self.style.tempo_bpm[2])
        return blocks, tempo

    @property
    def _exact(self) -> bool:
        """Whether neither length nor tempo may move."""
        return self.brief.duration_seconds is not None and self.brief.tempo_bpm is not None

    # --- blocks -----------------------------------------------------------------------------------------------------

    def _blocks(self, choice: _Choice, tempo: float) -> list[_Block]:
        """Returns the sections with their bars, for one way to meet the length."""
        sections = self._with_edges(list(self.sections), choice)
        bar_seconds = self.quarters * 60 / tempo
        units: dict[str, int] = {
            role: self._unit(role, bar_seconds, choice.shift) for role in {s.role for s in sections if s.lines}
        }
        rows = self._line_bars(sections, units, bar_seconds)
        counts: dict[str, int] = {}
        blocks = []
        for i, (section, lines) in enumerate(zip(sections, rows, strict=True)):
            seen = counts.get(section.role, 0)
            counts[section.role] = seen + 1
            energy = self.frame.energies[i] if i < len(self.frame.energies) else self._energy(section.role, seen)
            blocks.append(_Block(section, lines, self._bars(section, lines), energy))
        if blocks[-1].lines and not (self.frame.fixed and self._exact):  # the last chord rings after the last word
            blocks[-1] = replace(blocks[-1], bars=blocks[-1].bars + (2 if blocks[-1].bars % 2 == 0 else 1))
        return _with_best_chorus(blocks)

    def _with_edges(self, sections: list[LyricSection], choice: _Choice) -> list[LyricSection]:
        for _ in range(choice.repeats):
            sungs = [i for i, s in enumerate(sections) if s.lines]
            last = max((i for i in sungs if sections[i].role in ("chorus", "drop")), default=sungs[-1])
            sections.insert(last + 1, replace(sections[last], num_bars=None))
        if choice.interlude:
            sungs = [i for i, s in enumerate(sections) if s.lines]
            after = [i for i in sungs[:-1] if sections[i].role == "chorus"] or sungs[: max(1, len(sungs) // 2)]
            sections.insert(after[0] + 1, LyricSection("interlude", num_bars=choice.interlude))
        if choice.intro:
            sections.insert(0, LyricSection("intro", num_bars=choice.intro))
        if choice.outro:
            sections.append(LyricSection("outro", num_bars=choice.outro))
        return sections

    def _unit(self, role: str, bar_seconds: float, shift: int) -> int:
        """Returns the usual bars of a line in a role: what suits its middle line, one size up or down by `shift`."""
        lines = [line for s in self.sections if s.role == role for line in s.lines]
        if self.frame.fixed:
            fixed = [s.num_bars // len(s.lines) for s in self.sections if s.role == role and s.lines and s.num_bars]
            if fixed and min(fixed) in UNITS:
                return min(fixed)
        ordered = sorted(lines, key=weight_of)
        middle = ordered[(len(ordered) - 1) // 2]
        fewest = min(len(s.lines) for s in self.sections if s.role == role and s.lines)
        unit = comfortable_bars(weight_of(middle), bar_seconds, middle.delivery, self.language, role, fewest)
        return UNITS[min(max(UNITS.index(unit) + shift, 0), len(UNITS) - 1)]

    def _line_bars(
        self, sections: Sequence[LyricSection], units: dict[str, int], bar_seconds: float
    ) -> list[tuple[int, ...]]:
        """Returns the bars of every line of every section; lines at the same place of a role have the same."""
        longest: dict[tuple[str, int], tuple[float, str]] = {}
        for section in sections:
            for j, line in enumerate(section.lines):
                heaviest = max(longest.get((section.role, j), (0.0, line.delivery)), (weight_of(line), line.delivery))
                longest[section.role, j] = heaviest
        rows = []
        for section in sections:
            row = []
            for j, _ in enumerate(section.lines):
                weight, delivery = longest[section.role, j]
                bars = units[section.role]
                sixteenths = self.quarters * 4 * MOST_SIXTEENTHS[delivery]
                while max(
                    weight / (bars * bar_seconds * SUNG_SHARE) / FASTEST[delivery], weight / (bars * sixteenths)
                ) > 1 and bars < 64:  # fmt: skip
                    bars *= 2
                row.append(bars)
            rows.append(tuple(row))
        return rows

    def _bars(self, section: LyricSection, lines: tuple[int, ...]) -> int:
        if not lines:
            usual = next((bars for role, bars, _ in self.usual if role == section.role), None)
            return section.num_bars or min(usual or USUAL_PARTS.get(section.role, (4, 0.5))[0], 16)
        bars = sum(lines)
        if section.num_bars and section.num_bars > bars:
            return section.num_bars
        bars = max(bars + bars % 2, 4 if section.role in ("verse", "chorus") else 2)
        return bars + 2 if bars % 4 == 2 and bars > 4 and section.role not in ("prechorus", "bridge") else bars

    def _energy(self, role: str, seen: int) -> float:
        own = [energy for r, _, energy in self.usual if r == role]
        own = own or [e for form in self.style.form for r, _, e in form.parsed() if r == role]
        if own:
            return own[min(seen, len(own) - 1)]
        return USUAL_PARTS.get(role, (8, {"verse": 0.5, "chorus": 0.85, "prechorus": 0.62}.get(role, 0.55)))[1]

    # --- length -----------------------------------------------------------------------------------------------------

    def _fitted(self) -> tuple[list[_Block], float]:
        """Returns the blocks and the tempo that meet the asked length best."""
        brief, tempo = self.brief, self.tempo
        if brief.duration_seconds is None:
            choice = next(iter(self._choices(free=False)))
            return self._blocks(choice, tempo), tempo
        sounding = max(1.0, brief.duration_seconds - RING_SECONDS)
        slowdown = sum(1 / r - 1 for r in RITARDANDO) if self.style.devices.ending == "ritardando" else 0.0
        low, high = (
            (tempo, tempo) if brief.tempo_bpm is not None else (self.style.tempo_bpm[0], self.style.tempo_bpm[2])
        )
        best: tuple[float, list[_Block], float] | None = None
        for choice in self._choices(free=True):
            blocks = self._blocks(choice, tempo)
            total = sum(b.bars for b in blocks)
            needed = (total + slowdown) * self.quarters * 60 / sounding
            used = min(max(needed, low), high)
            seconds = (total + slowdown) * self.quarters * 60 / used
            # what remains is met by whole bars of intro, interlude and outro, so it costs little where they can stretch
            off = abs(seconds - sounding) / (self.quarters * 60 / used)
            cost = self._oddness(choice) + 0.6 * off + 4.0 * abs(math.log(used / tempo)) + self._hurry(blocks, used)
            if best is None or cost < best[0] - 1e-9:
                best = (cost, blocks, used)
        assert best is not None
        blocks, used = self._stretched(best[1], best[2], sounding, slowdown)
        total = sum(b.bars for b in blocks)
        needed = (total + slowdown) * self.quarters * 60 / sounding
        if brief.tempo_bpm is None and low <= needed <= high:
            used = round(needed, 2)
        seconds = (total + slowdown) * self.quarters * 60 / used
        if abs(seconds - sounding) > max(2.0, self.quarters * 30 / used + 0.1):
            what = "longer" if seconds > sounding else "shorter"
            self.notes.append(
                f"asked for {brief.duration_seconds:g} s; with all its words the song is {what}: "
                f"{seconds + RING_SECONDS:.0f} s"
            )
        return blocks, used

    def _choices(self, *, free: bool) -> list[_Choice]:
        """Returns the ways to meet the length, the usual one first."""
        roles = [s.role for s in self.sections]
        own_intro, own_outro = roles[0] == "intro", roles[-1] == "outro"
        between = any(not s.lines for s in self.sections[1:-1])
        usual = {role: bars for role, bars, _ in reversed(self.usual)}
        intro = None if own_intro else min(usual.get("intro", 4), 8)
        outro = None if own_outro else min(usual.get("outro", 4), 8)
        interlude = 4 if not between and len([s for s in self.sections if s.lines]) >= 4 else None
        first = _Choice(0, 0, intro, interlude, outro)
        if not free:
            return [first]
        intros = (None,) if own_intro else (intro, 4, 2, None, 8)
        outros = (None,) if own_outro else (outro, 4, 2, 8)
        rows = product((0, -1, 1), range(MOST_REPEATS + 1), intros, (interlude, None, 4, 8), outros)
        return list(dict.fromkeys([first, *(_Choice(*row) for row in rows)]))

    def _oddness(self, choice: _Choice) -> float:
        usual = self._choices(free=False)[0]
        cost = 0.0
        for mine, its in (
            (choice.intro, usual.intro),
            (choice.interlude, usual.interlude),
            (choice.outro, usual.outro),
        ):
            cost += 0.15 * abs((mine or 0) - (its or 0)) / 2
        return cost + (1.6 if choice.shift else 0.0) + 1.3 * choice.repeats

    def _hurry(self, blocks: list[_Block], tempo: float) -> float:
        """Returns the cost of lines sung too fast or too slowly."""
        bar_seconds, cost = self.quarters * 60 / tempo, 0.0
        for block in blocks:
            for line, bars in zip(block.section.lines, block.lines, strict=True):
                rate = weight_of(line) / (bars * bar_seconds * SUNG_SHARE)
                fastest = FASTEST[line.delivery] * LANGUAGE_RATES.get(self.language, 1.0)
                cost += 6.0 * max(0.0, rate / fastest - 1.0) + 0.8 * max(0.0, SLOWEST / rate - 1.0)
        return cost

    def _stretched(
        self, blocks: list[_Block], tempo: float, sounding: float, slowdown: float
    ) -> tuple[list[_Block], float]:
        """Returns the blocks with instrumental sections lengthened or shortened by whole bars to meet the length."""
        bar_seconds = self.quarters * 60 / tempo
        total = sum(b.bars for b in blocks)
        need = round(sounding / bar_seconds - slowdown) - total
        if abs((total + slowdown) * bar_seconds - sounding) <= bar_seconds / 2:
            return blocks, tempo
        blocks = list(blocks)
        free = [i for i, b in enumerate(blocks) if not b.lines and self._is_free(b)]
        free = free or [len(blocks) - 1]
        if need > 0:
            for k in range(need):
                i = free[k % len(free)]
                blocks[i] = replace(blocks[i], bars=blocks[i].bars + 1)
        for i in reversed(range(len(blocks))):
            block = blocks[i]
            least = sum(block.lines) + (i == len(blocks) - 1) if block.lines else 1
            if need < 0 and (block.lines or i in free):
                taken = min(-need, max(0, block.bars - least))
                blocks[i], need = replace(block, bars=block.bars - taken), need + taken
        return blocks, tempo

    def _is_free(self, block: _Block) -> bool:
        """Whether nobody wrote down how long the section is."""
        written = any(s.role == block.section.role and s.num_bars for s in self.sections if not s.lines)
        return not written


def _with_best_chorus(blocks: list[_Block]) -> list[_Block]:
    """Returns the blocks with the last chorus the fullest."""
    mains = [i for i, b in enumerate(blocks) if b.section.role in ("chorus", "drop")]
    if mains:
        top = max(b.energy for b in blocks)
        blocks[mains[-1]] = replace(blocks[mains[-1]], energy=max(top, blocks[mains[-1]].energy))
    return blocks


def _placed(plan: SongPlan, blocks: list[_Block]) -> tuple[PlacedLine, ...]:
    """Returns every line with its place."""
    placed: list[PlacedLine] = []
    for i, (section, block) in enumerate(zip(plan.sections, blocks, strict=True)):
        bar = section.first_bar
        for j, (line, bars) in enumerate(zip(block.section.lines, block.lines, strict=True)):
            placed.append(PlacedLine(line, len(placed), i, j, bar, bars))
            bar += bars
    return tuple(placed)
