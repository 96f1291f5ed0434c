"""What is decided about a phrase before a note of it is written, and the setting it is written in."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from songwright.compose.melody.features import CHROMATIC, REACH, SCALE, Floats, Ints, chord_classes
from songwright.compose.plan import SongPlan
from songwright.compose.style import Style
from songwright.errors import InputError
from songwright.score.song import ChordSpan
from songwright.score.theory import MODES, Chord, Key, parse_chord

STEP_TICKS = 240
"""A sixteenth, the grid of the models."""

_GROUPS = {"jazz": 1, "latin": 1, "classical": 2, "folk": 3, "world": 2}
LOOSE_SCALE = (-0.4, -1.6)
"""Scores of the degrees outside a pentatonic or blues scale, in the chord and outside it: tunes lean to five notes."""
LEADING_NOTE = -0.5
"""Score of a note outside the key that leads into a chord tone."""
STRICT_SCALE = (-1.2, -3.0)
"""The same where the scale is the style itself, as in guofeng."""


@dataclass(frozen=True)
class PhrasePlan:
    """One phrase to be written.

    Attributes:
        start_ticks: the bar line of its first full bar.
        num_bars: bars up to the next phrase's first bar line.
        shape: ``"a"``, ``"a'"``, ``"b"``…
        cadence: ``"full"`` comes home, ``"half"`` stays open.
        low, high: lowest and highest pitch allowed.
        centre: where it lies.
        notes_per_bar: wanted density.
        syncopation: 0 to 1.
        climax: whether it holds the section's highest note.
        syllables: exact number of notes, when words are given; None leaves it to the model.
        stresses: 0 or 1 for each syllable (empty: none given).
        rest_bars: bars at its end in which it is silent.
    """

    start_ticks: int
    num_bars: int
    shape: str = "a"
    cadence: str = "half"
    low: int = 60
    high: int = 77
    centre: float = 67.0
    notes_per_bar: float = 4.0
    syncopation: float = 0.3
    climax: bool = False
    syllables: int | None = None
    stresses: tuple[int, ...] = ()
    rest_bars: int = 0

    def __post_init__(self) -> None:
        if (
            self.num_bars - self.rest_bars < 1
            or self.rest_bars < 0
            or self.low + 4 > self.high
            or self.notes_per_bar <= 0
        ):
            raise InputError(f"a phrase needs a bar, a range of at least a third and notes: {self}")
        if self.syllables is not None and self.syllables < 1:
            raise InputError(f"a phrase needs at least one syllable, not {self.syllables}")
        if self.stresses and len(self.stresses) != self.syllables:
            raise InputError(f"{len(self.stresses)} stresses for {self.syllables} syllables")


@dataclass(frozen=True)
class Harmony:
    """One chord as the models see it.

    Attributes:
        root: above the tonic, 12 for none.
        classes: of the twelve degrees.
        bias: added to the score of the twelve degrees; -inf is forbidden.
        passing: the same for short notes off the beat, which may lead into a chord tone from the semitone below.
    """

    root: int
    classes: Ints
    bias: Floats
    passing: Floats


@dataclass(frozen=True)
class Setting:
    """Everything that stays the same for the phrases of a song.

    Attributes:
        plan: metre, key, tempo, form.
        style: what tunes it sings.
        chords: of the whole song.
    """

    plan: SongPlan
    style: Style
    chords: tuple[ChordSpan, ...]
    _cache: dict[Chord | None, Harmony] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def metre(self) -> str:
        """Which of the learned metres serves."""
        if self.plan.denominator == 8 and self.plan.numerator % 3 == 0:
            return "6/8"
        return "3/4" if self.plan.numerator % 3 == 0 else "4/4"

    @property
    def group(self) -> int:
        """Which corpus the style's tunes are like."""
        if self.style.name == "waltz" or (self.metre == "6/8" and self.style.family not in ("folk", "world")):
            return 1 if self.metre == "3/4" else 2
        return _GROUPS.get(self.style.family, 0 if self.metre == "4/4" else 1)

    @property
    def mode(self) -> int:
        """0 major-like, 1 minor-like."""
        return int(self.plan.key.is_minor)

    @property
    def bar_steps(self) -> int:
        """Sixteenths in a bar."""
        return max(1, self.plan.bar_ticks // STEP_TICKS)

    @property
    def cell_steps(self) -> int:
        """Sixteenths in a rhythm cell."""
        return 16 if self.metre == "4/4" else 12

    @property
    def bar_seconds(self) -> float:
        """Length of a bar."""
        return self.plan.bar_ticks / 960 * 60 / self.plan.tempo_bpm

    @cached_property
    def _chord_starts(self) -> Ints:
        return np.array([c.start_ticks for c in self.chords] or [0])

    def key_at(self, tick: int) -> Key:
        """Returns the key, lifts included."""
        shift = self.plan.section_at(tick).key_shift
        return Key((self.plan.key.tonic + shift) % 12, self.plan.key.mode)

    def chord_at(self, tick: int) -> ChordSpan | None:
        """Returns the chord that sounds at a tick."""
        index = int(np.searchsorted(self._chord_starts, tick, side="right")) - 1
        return self.chords[index] if 0 <= index < len(self.chords) else None

    def harmony_of(self, start_ticks: int, step: int, length: int, shift: int) -> Harmony:
        """Returns the chord of a note: the one that sounds in its middle, so that an anticipation hears the next.

        Args:
            start_ticks: first bar line of its phrase.
            step: its beginning from there, in sixteenths.
            length: in sixteenths.
            shift: of the section's key.
        """
        return self.harmony_at(start_ticks + (step + min(length, self.bar_steps) // 2) * STEP_TICKS, shift)

    def harmony_at(self, tick: int, shift: int) -> Harmony:
        """Returns the chord at a tick as the models see it, counted from the tonic `shift` above the song's."""
        span = self.chord_at(max(0, tick))
        chord = parse_chord(span.symbol) if span else None
        above = chord.transposed(-self.plan.key.tonic - shift) if chord else None
        if above not in self._cache:  # a lifted chord is the same to the models as the plain one
            self._cache[above] = describe_chord(above, self.style, self.plan.key)
        return self._cache[above]


def describe_chord(chord: Chord | None, style: Style, key: Key) -> Harmony:
    """Returns how a chord (counted from the tonic) colours the twelve degrees in a style."""
    tones = chord.pitch_classes if chord else ()
    weighty = tones if style.family == "jazz" else _without_extensions(chord)
    classes = chord_classes(int(key.is_minor), chord.root if chord else None, weighty)
    bias = np.full(12, -np.inf)
    for degree in usable_degrees(chord, key, chromatic=style.family == "jazz"):
        bias[degree] = 0.0
    if style.melody.scale in ("pentatonic", "blues"):
        keep = _coloured_scale(style.melody.scale, key)
        in_chord, outside = STRICT_SCALE if style.family == "world" else LOOSE_SCALE
        bias += np.array([0.0 if d in keep else in_chord if d in tones else outside for d in range(12)])
        if style.melody.scale == "blues":
            for degree in keep:
                bias[degree] = max(bias[degree], -1.5 if classes[degree] in (CHROMATIC,) else 0.0)
    if style.melody.scale == "chord" and chord:
        bias += np.where((classes == SCALE) | (classes == CHROMATIC), -1.5, 0.0)
    return Harmony(chord.root if chord else 12, classes, bias, _with_leading_notes(bias, tones, style, key))


def _with_leading_notes(bias: Floats, tones: tuple[int, ...], style: Style, key: Key) -> Floats:
    """Returns the bias with the semitones below chord tones; minor keeps its raised seventh for the dominant."""
    passing = bias.copy()
    if style.family == "world" or style.melody.scale == "chord":
        return passing
    for tone in tones:
        below = (tone - 1) % 12
        if np.isneginf(bias[below]) and not (key.is_minor and below == 11):
            passing[below] = LEADING_NOTE
    return passing


def _without_extensions(chord: Chord | None) -> tuple[int, ...]:
    """Returns a chord's tones up to its seventh: a ninth colours a chord but gives a tune no rest."""
    return tuple((chord.root + i) % 12 for i in chord.intervals if i < 12) if chord else ()


def _coloured_scale(name: str, key: Key) -> tuple[int, ...]:
    if name == "blues":
        return MODES["blues"] if key.is_minor else (0, 2, 3, 4, 5, 7, 9, 10)
    return MODES["minor_pentatonic" if key.is_minor else "major_pentatonic"]


def usable_degrees(chord: Chord | None, key: Key, *, chromatic: bool = False) -> tuple[int, ...]:
    """Returns the degrees that a tune may use over a chord: the scale, bent to the chord's own tones.

    A chord tone outside the scale replaces its neighbour of the same letter: the raised leading tone over V in minor
    puts out the natural seventh.
    """
    scale = set(MODES[key.mode])
    if len(scale) < 7:
        scale |= set(MODES["minor" if key.is_minor else "major"])
    if chord is None:
        return tuple(sorted(scale))
    tones = set(chord.pitch_classes)
    for tone in tones - set(MODES[key.mode] if len(MODES[key.mode]) >= 7 else scale):
        raised = (tone - chord.root) % 12 in (4, 6, 8)
        for neighbour in ((tone - 1) % 12,) if raised else ((tone + 1) % 12,):
            if neighbour not in tones and neighbour != 0:
                scale.discard(neighbour)
    if chromatic:
        return tuple(range(12))
    return tuple(sorted(scale | tones))


NUM_CANDIDATES = 2 * REACH + 1
