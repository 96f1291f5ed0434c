"""Chords of a whole song: one progression for each role, laid out over the plan, with a cadence at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, zip_longest
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from songwright.compose.harmony.constraints import Constraints, Target, sample
from songwright.compose.harmony.functions import (
    DOMINANT_CLASS,
    START,
    Vocabulary,
    class_of,
    function_of,
    spell,
    vocabulary_of,
)
from songwright.compose.harmony.manners import STRICT_FAMILIES, manners_for
from songwright.compose.harmony.model import GROUPS, NO_DURATION, ROLES, Context, load_model
from songwright.compose.harmony.progression import Loop, Meter, Progression, period_twins
from songwright.compose.harmony.rhythm import Rhythm, chord_lengths
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Idiom, Style
from songwright.score.song import TICKS_PER_QUARTER, ChordSpan
from songwright.score.theory import Chord, Key, parse_roman
from songwright.seeding import generator

_GROUP_OF_FAMILY = {"jazz": "openewld", "latin": "openewld", "classical": "lieder"}
_MODEL_ROLES = {
    "head": "verse", "theme": "verse", "drop": "chorus", "build": "prechorus", "interlude": "intro",
    "breakdown": "bridge",
}  # fmt: skip
_LENDERS = {
    "intro": ("verse", "chorus", "head", "theme", "drop"), "outro": ("chorus", "verse", "head", "theme", "drop"),
    "interlude": ("verse", "chorus", "head", "theme"), "breakdown": ("chorus", "verse", "drop"),
    "solo": ("verse", "head", "chorus", "theme"), "drop": ("chorus",), "build": ("drop", "chorus", "verse"),
}  # fmt: skip
"""Roles that take the progression of another role, the first that the song has."""

_PERIOD_SHARE = 0.6
"""How often a loop of eight bars is a period, a a′."""

_DOMINANTS = ("V7", "V9", "V13", "V7sus4", "Vsus4", "V", "V5")
"""What leads into another key, the best first."""

Span = tuple[Fraction, Fraction, Chord]
"""Start and length in felt beats, and a chord over tonic C."""


@dataclass(frozen=True, slots=True)
class Bars:
    """A progression as chords over tonic C; `as_written` marks a style's idiom, whose basses are not touched."""

    spans: tuple[Span, ...]
    num_bars: int
    as_written: bool = False

    @property
    def roots(self) -> tuple[int, ...]:
        """Roots above the tonic, neighbours that are equal joined."""
        return tuple(root for root, _ in groupby(chord.root for _, _, chord in self.spans))


class HarmonyJudge(Protocol):
    """Says which of several progressions is the best."""

    @property
    def candidates(self) -> int:
        """How many progressions it wants to see."""

    def choose(
        self,
        plan: SongPlan,
        style: Style,
        section: SectionPlan,
        candidates: Sequence[tuple[ChordSpan, ...]],
        num_bars: int,
    ) -> int:
        """Returns the best candidate for a section, each given as its chords, that go round after `num_bars` bars."""


def write_harmony(
    plan: SongPlan,
    style: Style,
    *,
    seed: int,
    constraints: Constraints | None = None,
    judge: HarmonyJudge | None = None,
) -> tuple[ChordSpan, ...]:
    """Returns the chords of a song, without gaps or overlaps, from tick 0 to its end.

    Args:
        plan: form, key and metre.
        style: vocabulary, harmonic rhythm and idioms.
        seed: of the song.
        constraints: soft wishes for the progressions.
        judge: chooses among progressions that the style allows.

    Raises:
        DataError: the learned tables are missing or broken.
    """
    writer = _Writer(plan, style, seed, constraints, judge)
    spans: list[ChordSpan] = []
    for section, following in zip_longest(plan.sections, plan.sections[1:]):
        spans.extend(writer.section(section, following.key_shift if following else section.key_shift))
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

    def __init__(
        self, plan: SongPlan, style: Style, seed: int, constraints: Constraints | None, judge: HarmonyJudge | None
    ) -> None:
        self.plan, self.style, self.seed, self.constraints, self.judge = plan, style, seed, constraints, judge
        self.vocabulary = vocabulary_of(style, plan.key)
        self.model = load_model()
        self.beats = felt_beats(plan)
        self.roles = {section.role for section in plan.sections}
        self.colours = colour_weights(self.vocabulary, generator(seed, "harmony", "colours"))
        self._bars: dict[str, Bars] = {}

    def section(self, section: SectionPlan, next_shift: int) -> list[ChordSpan]:
        """Returns the chords of one section, which ends on the dominant of the next key where that is another."""
        bars = self.bars_of(section.role)
        spans = laid_out(bars, section.num_bars, self.beats)
        spans = spans if bars.as_written else passing(spans, self.vocabulary)
        key = Key((self.plan.key.tonic + section.key_shift) % 12, self.plan.key.mode)
        if section is self.plan.sections[-1]:
            spans = self._with_ending(spans, section)
        if next_shift != section.key_shift:
            spans = self._with_pivot(spans, section, next_shift - section.key_shift)
        return self._placed(spans, section, key)

    def _placed(self, spans: Sequence[Span], section: SectionPlan, key: Key) -> list[ChordSpan]:
        """Returns chords over tonic C as those of a section in its key."""
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
            named = [idiom for idiom in matching_idioms(self.style, self.plan.key, role) if role in idiom.sections]
            lender = next((r for r in _LENDERS.get(role, ()) if r in self.roles), None)
            self._bars[role] = self.bars_of(lender) if lender and not named else self._write(role)
        return self._bars[role]

    def _write(self, role: str) -> Bars:
        random = generator(self.seed, "harmony", role)
        constraints = self.constraints if self.constraints and self.constraints.holds_for(role) else None
        taken = tuple(bars.roots for bars in self._bars.values())
        if constraints is None and random.random() < self.style.harmony.idiom_share:
            idioms = [idiom_bars(i, self.beats) for i in matching_idioms(self.style, self.plan.key, role)]
            weights = [i.weight for i in matching_idioms(self.style, self.plan.key, role)]
            fresh = [(b, w) for b, w in zip(idioms, weights, strict=True) if b.roots not in taken]
            if fresh:
                p = np.array([w for _, w in fresh])
                return fresh[int(random.choice(len(fresh), p=p / p.sum()))][0]
        num_bars = self._loop_bars(role, random)
        if num_bars == 12:
            return blues_bars(self.vocabulary, self.beats, random)
        first = self._sampled(role, num_bars, taken, constraints, random)
        if self.judge is None or constraints is not None:
            return first
        randoms = [generator(self.seed, "harmony", role, "candidate", i) for i in range(1, self.judge.candidates)]
        candidates = [first, *(self._sampled(role, num_bars, taken, None, other) for other in randoms)]
        section = max((s for s in self.plan.sections if s.role == role), key=lambda s: s.num_bars)
        key = Key((self.plan.key.tonic + section.key_shift) % 12, self.plan.key.mode)
        shown = [tuple(self._placed(laid_out(c, section.num_bars, self.beats), section, key)) for c in candidates]
        return candidates[self.judge.choose(self.plan, self.style, section, shown, num_bars)]

    def _loop_bars(self, role: str, random: np.random.Generator) -> int:
        """Returns the length of a role's loop: the style's usual ones that fit the longest section."""
        longest = max(s.num_bars for s in self.plan.sections if s.role == role)
        usual = [(int(n), w) for n, w in self.style.harmony.loop_bars.items()]
        choices = [(n, w) for n, w in usual if n <= longest] or [(min(4, longest), 1.0)]
        p = np.array([w for _, w in choices])
        return choices[int(random.choice(len(choices), p=p / p.sum()))][0]

    def _sampled(
        self,
        role: str,
        num_bars: int,
        taken: tuple[tuple[int, ...], ...],
        constraints: Constraints | None,
        random: np.random.Generator,
    ) -> Bars:
        context = start_context(self.style, self.plan.key, role, self.beats)
        weights = entry_weights(self.vocabulary, self.plan.key) * self.colours
        loop = Loop(self.model, self.vocabulary, context, Meter(self.beats, num_bars), weights)
        usual = chord_lengths(self.style, self.beats, self.plan.beat_ticks / TICKS_PER_QUARTER)
        rhythm = Rhythm(self.model, context, self.beats, usual)
        lengths = rhythm.draw(num_bars, random)
        for _ in range(20):
            if constraints is None or len(lengths) >= constraints.num_chords:
                break
            lengths = rhythm.draw(num_bars, random)
        twins = tuple(range(len(lengths)))
        if num_bars >= 8 and random.random() < _PERIOD_SHARE:
            twins = period_twins(lengths, num_bars, self.beats)
        manners = manners_for(role, self.style.family, is_modal(self.plan.key), self.vocabulary, taken)
        return bars_from(sample(Target(loop, manners, constraints), lengths, twins, random), self.vocabulary)

    def _with_ending(self, spans: list[Span], section: SectionPlan) -> list[Span]:
        """Returns the last section's chords with the tonic held through the tail, reached by a cadence."""
        total = Fraction(section.num_bars * self.beats)
        tail = Fraction(min(self.plan.tail_bars or 1, section.num_bars) * self.beats)
        end = total - tail
        kept = [(s, min(length, end - s), c) for s, length, c in spans if s < end]
        final = (end, tail, self.vocabulary.chords[self.vocabulary.tonic])
        if not kept or self._closes(kept):
            return [*kept, final]
        room = min(kept[-1][1], Fraction(self.beats))
        if kept[-1][2].root == 0 and room > self.beats / 2:
            room = Fraction(self.beats, 2) if self.beats % 2 == 0 else Fraction(1)
        approach = self._approaches(room)
        start = end - room
        cut = [(s, min(length, start - s), c) for s, length, c in kept if s < start]
        part = room / len(approach)
        return [*cut, *((start + i * part, part, chord) for i, chord in enumerate(approach)), final]

    def _with_pivot(self, spans: list[Span], section: SectionPlan, shift: int) -> list[Span]:
        """Returns the chords with the dominant of a key `shift` higher in the last half bar, if the style has one."""
        dominant = next((c for c in map(self._exactly, _DOMINANTS) if c), None)
        if dominant is None:
            return spans
        total = Fraction(section.num_bars * self.beats)
        end = total - max(Fraction(1), Fraction(self.beats // 2))
        kept = [(s, min(length, end - s), c) for s, length, c in spans if s < end]
        return [*kept, (end, total - end, dominant.transposed(shift))]

    def _exactly(self, roman: str) -> Chord | None:
        """Returns the chord of a numeral if the style has it."""
        wanted = parse_roman(roman)
        return next((c for c in self.vocabulary.chords if c == wanted), None)

    def _closes(self, kept: list[Span]) -> bool:
        """Whether the last chords lead to a final tonic by themselves."""
        roots = [root for root, _ in groupby(chord.root for _, _, chord in kept)]
        leading = (7, 11) if self.style.family in STRICT_FAMILIES else (7, 5, 10, 8, 11, 1)
        if roots[-1] == 0:
            return len(roots) > 1 and roots[-2] in leading and kept[-1][1] <= 2 * self.beats
        return roots[-1] in leading

    def _approaches(self, room: Fraction) -> list[Chord]:
        """Returns the chords that lead home: ii and V where there is room and the style is strict, else a dominant."""
        dominant = self._first("V7", "V", "v", "bVII", "IV", "iv", "bVI", "ii")
        if self.style.family in ("jazz", "latin") and room >= 2 and dominant.root == 7:
            return [self._first("ii7", "ii7b5", "IV", "iv", "bVI"), dominant]
        return [dominant]

    def _first(self, *romans: str) -> Chord:
        """Returns the first chord of the vocabulary that does what one of the numerals does."""
        for roman in romans:
            function = function_of(parse_roman(roman))
            match = next((c for c in self.vocabulary.chords if function_of(c) == function and c.bass is None), None)
            if match:
                return match
        return next((c for c in self.vocabulary.chords if c.root), self.vocabulary.chords[0])


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


def is_modal(key: Key) -> bool:
    """Whether the mode is a church mode other than plain major and minor."""
    return key.mode in ("dorian", "phrygian", "lydian", "mixolydian", "locrian")


def entry_weights(vocabulary: Vocabulary, key: Key) -> NDArray[np.float64]:
    """Returns how much the mode favours each entry: a church mode loses its colour with every foreign tone."""
    return np.where(np.array(vocabulary.borrowed) & is_modal(key), 0.15, 1.0)


def colour_weights(vocabulary: Vocabulary, random: np.random.Generator) -> NDArray[np.float64]:
    """Returns weights that let one entry speak for each function, so that a song keeps its colours.

    Where a style has, say, I, Imaj7 and I6, a song mostly uses one of them; a dominant may still change its dress.

    Args:
        vocabulary: of the style.
        random: where the choice comes from.
    """
    weights = np.ones(len(vocabulary))
    for function in sorted(set(vocabulary.functions)):
        same = [i for i, f in enumerate(vocabulary.functions) if f == function]
        p = 0.6 ** np.arange(len(same))
        p *= [1.0 if vocabulary.chords[i].bass is None else 1e-9 for i in same]
        main = int(random.choice(same, p=p / p.sum()))
        rest = 0.15 if class_of(function) == DOMINANT_CLASS else 0.03
        shares = np.array([1.0 if i == main else rest if vocabulary.chords[i].bass is None else 0.0 for i in same])
        weights[same] = shares / max(shares.mean(), 1e-9)
    return weights


_BLUES = (
    (("I7", 1.0),), (("I7", 0.5), ("IV7", 0.5)), (("I7", 1.0),), (("I7", 1.0),),
    (("IV7", 1.0),), (("IV7", 1.0),), (("I7", 1.0),), (("I7", 0.8), ("VI7", 0.2)),
    (("V7", 0.75), ("ii7", 0.25)), (("IV7", 0.7), ("V7", 0.3)), (("I7", 1.0),), (("V7", 0.7), ("I7", 0.3)),
)  # fmt: skip
"""The twelve bars of the blues with their usual variants."""


def blues_bars(vocabulary: Vocabulary, beats: int, random: np.random.Generator) -> Bars:
    """Returns twelve bars of blues in the style's vocabulary; a ii in the ninth bar leads to a V in the tenth."""
    romans = [str(random.choice([r for r, _ in bar], p=[p for _, p in bar])) for bar in _BLUES]
    romans[9] = "V7" if romans[8] == "ii7" else romans[9] if romans[8] == "V7" else "IV7"
    if romans[8] == "ii7" and vocabulary.chords[vocabulary.index("ii7")].root != 2:
        romans[8:10] = ["V7", "IV7"]
    if function_of(vocabulary.chords[vocabulary.tonic]) % 4 == 1:
        minor = {"I7": "i7", "IV7": "iv7", "VI7": "i7", "ii7": "bVI7"}
        romans = [minor.get(r, r) for r in romans]
    spans = [
        (Fraction(n * beats), Fraction(beats), vocabulary.chords[vocabulary.index(r)]) for n, r in enumerate(romans)
    ]
    return Bars(tuple(spans), 12)


def matching_idioms(style: Style, key: Key, role: str) -> tuple[Idiom, ...]:
    """Returns the style's idioms for a mode and a role.

    Those of exactly the mode, else those of major or minor; in a church mode only if they stay in its scale. Those that
    name the role, else those that name none.
    """
    exact = [i for i in style.harmony.idioms if i.mode == key.mode]
    like = [i for i in style.harmony.idioms if i.mode == ("minor" if key.is_minor else "major")]
    if is_modal(key):
        home = {(p - key.tonic) % 12 for p in key.pitch_classes}
        like = [i for i in like if all(set(c.pitch_classes) <= home for c in map(parse_roman, _romans(i)))]
    pool = exact or like
    return tuple(i for i in pool if role in i.sections) or tuple(i for i in pool if not i.sections)


def _romans(idiom: Idiom) -> list[str]:
    return idiom.chords.replace("|", " ").split()


def idiom_bars(idiom: Idiom, beats: int) -> Bars:
    """Returns an idiom's bars; several chords in a bar share it equally."""
    spans = []
    bars = [bar.split() for bar in idiom.chords.split("|") if bar.strip()]
    for number, bar in enumerate(bars):
        for i, roman in enumerate(bar):
            length = Fraction(beats, len(bar))
            spans.append((number * beats + i * length, length, parse_roman(roman)))
    return Bars(tuple(spans), len(bars), as_written=True)


def bars_from(progression: Progression, vocabulary: Vocabulary) -> Bars:
    """Returns a sampled progression as chords."""
    spans = ((Fraction(s.start_beat), Fraction(s.num_beats), vocabulary.chords[s.entry]) for s in progression.slots)
    return Bars(tuple(spans), progression.num_bars)


def passing(spans: list[Span], vocabulary: Vocabulary) -> list[Span]:
    """Returns the chords with the style's inversions where the bass then moves by step, from before and onwards."""
    inversions = [c for c in vocabulary.chords if c.bass is not None]
    result = list(spans)
    for i in range(1, len(spans) - 1):
        start, length, chord = spans[i]
        before, after = result[i - 1][2].bass_pitch_class, spans[i + 1][2].bass_pitch_class
        for other in inversions if before != after and chord.bass is None else ():
            near = all(_steps(other.bass_pitch_class, bass) in (1, 2) for bass in (before, after))
            if near and function_of(other) == function_of(chord):
                result[i] = (start, length, other)
    return result


def _steps(a: int, b: int) -> int:
    """Returns the shortest way between two pitch classes, in semitones."""
    return min((a - b) % 12, (b - a) % 12)


def laid_out(bars: Bars, num_bars: int, beats: int) -> list[Span]:
    """Returns a progression repeated over a section; a rest takes the end of the loop, so that it still closes."""
    loops, rest = divmod(num_bars, bars.num_bars)
    spans: list[Span] = []
    for n in range(loops):
        spans += [(s + n * bars.num_bars * beats, length, c) for s, length, c in bars.spans]
    cut, base = Fraction((bars.num_bars - rest) * beats), Fraction(loops * bars.num_bars * beats)
    for start, length, chord in bars.spans if rest else ():
        end = start + length
        if end > cut:
            spans.append((base + max(start, cut) - cut, end - max(start, cut), chord))
    return spans
