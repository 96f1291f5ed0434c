"""Chords of a whole song: one progression for each role, laid out over the plan, with a cadence at the end."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from songwright.compose.harmony.constraints import Constraints, resample
from songwright.compose.harmony.functions import (
    START,
    Vocabulary,
    function_of,
    spell,
    vocabulary_of,
)
from songwright.compose.harmony.model import (
    GROUPS,
    NO_DURATION,
    ROLES,
    Context,
    load_model,
)
from songwright.compose.harmony.progression import Loop, Progression, Rhythm
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Idiom, Style
from songwright.score.song import ChordSpan
from songwright.score.theory import Chord, Key, parse_roman
from songwright.seeding import generator

_GROUP_OF_FAMILY = {"jazz": "openewld", "latin": "openewld", "classical": "lieder"}
_MODEL_ROLES = {
    "head": "verse", "theme": "verse", "drop": "chorus", "build": "prechorus", "interlude": "intro",
    "breakdown": "bridge",
}  # fmt: skip
_BORROWS = {
    "intro": ("verse", "chorus", "head", "theme", "drop"), "outro": ("chorus", "verse", "head", "theme", "drop"),
    "interlude": ("verse", "chorus", "head", "theme"), "breakdown": ("chorus", "verse", "drop"),
    "solo": ("verse", "head", "chorus", "theme"), "drop": ("chorus",), "build": ("drop", "chorus", "verse"),
}  # fmt: skip
"""Roles that take the progression of another role that the song has."""


@dataclass(frozen=True, slots=True)
class Bars:
    """A progression as chords over tonic C: (start, length, chord) in felt beats, exact."""

    spans: tuple[tuple[Fraction, Fraction, Chord], ...]
    num_bars: int


def write_harmony(
    plan: SongPlan, style: Style, *, seed: int, constraints: Constraints | None = None
) -> tuple[ChordSpan, ...]:
    """Returns the chords of a song, without gaps or overlaps, from tick 0 to its end.

    Args:
        plan: form, key and metre.
        style: vocabulary, harmonic rhythm and idioms.
        seed: of the song.
        constraints: soft wishes for the progressions.

    Raises:
        DataError: the learned tables are missing or broken.
    """
    writer = _Writer(plan, style, seed, constraints)
    spans: list[ChordSpan] = []
    for section in plan.sections:
        spans.extend(writer.section(section))
    return joined(spans)


def joined(spans: list[ChordSpan]) -> tuple[ChordSpan, ...]:
    """Returns the chords with equal neighbours made one."""
    result: list[ChordSpan] = []
    for span in spans:
        last = result[-1] if result else None
        if last and last.symbol == span.symbol:
            result[-1] = replace(last, duration_ticks=last.duration_ticks + span.duration_ticks)
        else:
            result.append(span)
    return tuple(result)


def felt_beats(plan: SongPlan) -> int:
    """Returns felt beats of a bar."""
    return max(1, plan.bar_ticks // plan.beat_ticks)


class _Writer:
    """Writes each role's progression once, and lays progressions over sections."""

    def __init__(self, plan: SongPlan, style: Style, seed: int, constraints: Constraints | None) -> None:
        self.plan, self.style, self.seed, self.constraints = plan, style, seed, constraints
        self.vocabulary = vocabulary_of(style, plan.key)
        self.model = load_model()
        self.beats = felt_beats(plan)
        self.roles = {section.role for section in plan.sections}
        self._bars: dict[str, Bars] = {}

    def section(self, section: SectionPlan) -> list[ChordSpan]:
        """Returns the chords of one section."""
        bars = self.bars_of(section.role)
        spans = laid_out(bars, section.num_bars, self.beats)
        key = Key((self.plan.key.tonic + section.key_shift) % 12, self.plan.key.mode)
        if section is self.plan.sections[-1]:
            spans = self._with_ending(spans, section)
        start = self.plan.start_ticks(section)
        beat_ticks = Fraction(self.plan.bar_ticks, self.beats)
        result = []
        for first, length, chord in spans:
            a, b = round(first * beat_ticks), round((first + length) * beat_ticks)
            result.append(ChordSpan(start + a, b - a, spell(chord.transposed(key.tonic), key)))
        return result

    def bars_of(self, role: str) -> Bars:
        """Returns the progression of a role, written at its first use."""
        if role not in self._bars:
            lender = next((r for r in _BORROWS.get(role, ()) if r in self.roles and r != role), None)
            self._bars[role] = self.bars_of(lender) if lender and lender not in _BORROWS else self._write(role)
        return self._bars[role]

    def _write(self, role: str) -> Bars:
        random = generator(self.seed, "harmony", role)
        longest = max(s.num_bars for s in self.plan.sections if s.role == role)
        idioms = matching_idioms(self.style, self.plan.key, role)
        free = self.constraints is None or not self.constraints.holds_for(role)
        takes_idiom = bool(idioms) and random.random() < self.style.harmony.idiom_share
        if takes_idiom and free:
            weights = np.array([idiom.weight for idiom in idioms])
            idiom = idioms[int(random.choice(len(idioms), p=weights / weights.sum()))]
            return idiom_bars(idiom, self.beats)
        choices = [(int(n), w) for n, w in self.style.harmony.loop_bars.items() if int(n) <= longest] or [
            (longest, 1.0)
        ]
        p = np.array([w for _, w in choices])
        num_bars = choices[int(random.choice(len(choices), p=p / p.sum()))][0]
        return self._sampled(role, num_bars, random)

    def _sampled(self, role: str, num_bars: int, random: np.random.Generator) -> Bars:
        context = start_context(self.style, self.plan.key, role, self.beats)
        beat_quarters = self.plan.beat_ticks / 960
        weights = tuple(
            (max(1, round(float(quarters) / beat_quarters)), weight)
            for quarters, weight in self.style.harmony.chord_beats.items()
        )
        loop = Loop(self.model, self.vocabulary, context, num_bars, entry_weights(self.vocabulary, self.plan.key))
        lengths = Rhythm(self.model, context, weights).draw(num_bars, random)
        constraints = self.constraints if self.constraints and self.constraints.holds_for(role) else None
        progression = resample(loop.draw(lengths, random), loop, random, constraints)
        return bars_from(progression, self.vocabulary)

    def _with_ending(
        self, spans: list[tuple[Fraction, Fraction, Chord]], section: SectionPlan
    ) -> list[tuple[Fraction, Fraction, Chord]]:
        """Returns the last section's chords ending on the tonic, which is held through the tail, after a cadence."""
        total = Fraction(section.num_bars * self.beats)
        tail = Fraction(min(self.plan.tail_bars or 1, section.num_bars) * self.beats)
        tonic = self.vocabulary.chords[self.vocabulary.tonic]
        kept = [(s, min(length, total - tail - s), c) for s, length, c in spans if s < total - tail]
        if kept and kept[-1][2].root == 0:
            first, length, _ = kept[-1]
            half = length if length <= self.beats else Fraction(self.beats)
            kept[-1] = (first, length - half, kept[-1][2])
            kept = [row for row in kept if row[1] > 0]
            kept.append((first + length - half, half, self._approach()))
        return [*kept, (total - tail, tail, tonic)]

    def _approach(self) -> Chord:
        """Returns the style's chord that leads home: its dominant, else what the model hears before the tonic."""
        order = ("V7", "V", "V7sus4", "v", "bVII", "IV", "iv")
        degrees = [parse_roman(roman).root for roman in order]
        chords = self.vocabulary.chords
        for roman in order:
            wanted = function_of(parse_roman(roman))
            match = next((c for c in chords if function_of(c) == wanted), None)
            if match:
                return match
        return min(chords, key=lambda c: degrees.index(c.root) if c.root in degrees else 99)


def start_context(style: Style, key: Key, role: str, beats_per_bar: int) -> Context:
    """Returns the model's context at the beginning of a section."""
    group = "pop909" if "mandarin" in style.name else _GROUP_OF_FAMILY.get(style.family, "billboard")
    name = _MODEL_ROLES.get(role, role)
    return Context(
        mode=int(key.is_minor),
        group=GROUPS.index(group),
        role=ROLES.index(name if name in ROLES and group in ("billboard", "pop909") else "other"),
        history=(START, START, START),
        lengths=(NO_DURATION, NO_DURATION),
        beats_per_bar=beats_per_bar if beats_per_bar in (2, 3, 4) else 4,
        bar=0,
        beat=0,
        bars_left=4,
    )


def entry_weights(vocabulary: Vocabulary, key: Key) -> NDArray[np.float64]:
    """Returns how much a mode other than plain major and minor favours each entry."""
    if key.mode in ("major", "minor"):
        return np.ones(len(vocabulary.romans))
    return np.where(np.array(vocabulary.borrowed), 0.15, 1.0)


def matching_idioms(style: Style, key: Key, role: str) -> tuple[Idiom, ...]:
    """Returns the style's idioms for a mode and a role."""
    exact = [i for i in style.harmony.idioms if i.mode == key.mode]
    like = [i for i in style.harmony.idioms if i.mode == ("minor" if key.is_minor else "major")]
    pool = exact or like
    return tuple(i for i in pool if role in i.sections) or tuple(i for i in pool if not i.sections)


def idiom_bars(idiom: Idiom, beats: int) -> Bars:
    """Returns an idiom's bars; several chords in a bar share it equally."""
    spans = []
    bars = [bar.split() for bar in idiom.chords.split("|") if bar.strip()]
    for number, bar in enumerate(bars):
        for i, roman in enumerate(bar):
            length = Fraction(beats, len(bar))
            spans.append((number * beats + i * length, length, parse_roman(roman)))
    return Bars(tuple(spans), len(bars))


def bars_from(progression: Progression, vocabulary: Vocabulary) -> Bars:
    """Returns a sampled progression as chords."""
    return Bars(
        tuple((Fraction(s.start_beat), Fraction(s.num_beats), vocabulary.chords[s.entry]) for s in progression.slots),
        progression.num_bars,
    )


def laid_out(bars: Bars, num_bars: int, beats: int) -> list[tuple[Fraction, Fraction, Chord]]:
    """Returns a progression repeated over a section; what remains takes the end of the loop, so that it still closes."""
    loops, rest = divmod(num_bars, bars.num_bars)
    spans: list[tuple[Fraction, Fraction, Chord]] = []
    for n in range(loops):
        spans += [(s + n * bars.num_bars * beats, length, c) for s, length, c in bars.spans]
    cut, base = Fraction((bars.num_bars - rest) * beats), Fraction(loops * bars.num_bars * beats)
    for start, length, chord in bars.spans if rest else ():
        end = start + length
        if end > cut:
            spans.append((base + max(start, cut) - cut, end - max(start, cut), chord))
    return spans
