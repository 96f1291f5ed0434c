"""Pitches over a given rhythm: particles walk through the phrase under the learned model, the best by the rules stays.

Rules and their weights stand here as constants; what is forbidden (out of range, out of the scale) is never drawn.
"""

from dataclasses import dataclass, field

import numpy as np

from songwright.compose.melody.features import (
    INTERVALS,
    LAGS,
    NO_INTERVAL,
    SCALE,
    SCALE_ALONE,
    Floats,
    Ints,
    PitchContext,
    accent,
    compound_accent,
    interval_class,
    interval_token,
    length_class,
)
from songwright.compose.melody.model import MelodyModel
from songwright.compose.melody.phrase_plan import Harmony, PhrasePlan, Setting
from songwright.compose.melody.rhythm import Slots

NUM_PARTICLES = 32
NETWORK_SHARE, TABLE_SHARE = 0.44, 0.53
"""Exponents of a network's and the table's probabilities where both judge, fitted on held-out tunes.

See `benchmarks/learned_shares.py`. Each knows what the other does not: the network chords to come, the form and the
whole tune so far; the table the rhythm to come.
"""

TEMPERATURE = 1.08
LIKELIHOOD_WEIGHT = 0.35
"""Of the mean log-likelihood of a note, in the choice among particles."""
CONTOUR_WEIGHT = 0.014
"""Cost of a semitone away from the phrase's arch, squared, while drawing."""
LEAP_WEIGHT = 1.3
RESOLVE_WEIGHT = 0.45
SKIP_REWARD = 0.3
"""Of thirds and wider: the choice among particles leans to steps, this sets it upright (see benchmarks/melody.py)."""
LONG_TONE_WEIGHT = 0.1
CLIMAX_WEIGHT = 1.2
CADENCE_WEIGHT = 1.5
FOREIGN_CLOSE = 4.0
"""Cost of a phrase's last note that is no chord tone."""
MEAN_WEIGHT = 0.12
MONOTONY_WEIGHT = 0.35
STILL_WEIGHT = 0.8
"""Cost of a fourth equal note in a row."""


@dataclass(frozen=True)
class Past:
    """The last notes of the phrase before, which this one goes on from: (step, pitch above the tonic)."""

    notes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Guide:
    """A tune to follow: for some notes, by index, a MIDI pitch and the cost of every semitone away from it."""

    pitches: dict[int, tuple[int, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Bend:
    """What words add to the models.

    Attributes:
        intervals: (notes, 25) added to the scores of the intervals into each note.
        chord_tones: cost of a note on a beat that is no chord tone.
    """

    intervals: Floats
    chord_tones: float = 0.0


@dataclass(frozen=True)
class _Note:
    """One note's fixed circumstances."""

    step: int
    length: int
    harmony: Harmony
    accent: int
    place: int
    length_before: int
    quotes: tuple[int, ...]


def write_pitches(
    model: MelodyModel,
    plan: PhrasePlan,
    setting: Setting,
    slots: Slots,
    random: np.random.Generator,
    *,
    past: Past | None = None,
    guide: Guide | None = None,
    shift: int = 0,
    bend: Bend | None = None,
) -> tuple[int, ...]:
    """Returns a MIDI pitch for every note of a rhythm.

    Args:
        model: learned weights.
        plan: range, centre, cadence, climax.
        setting: chords, key and style.
        slots: the rhythm, in steps from the phrase's first bar line.
        random: draws.
        past: the end of the phrase before.
        guide: a tune to follow.
        shift: semitones of the section's lift.
        bend: what words add.
    """
    walk = _Walk(model, plan, setting, slots, random, past or Past(), guide or Guide(), shift)
    walk.bend = bend
    return walk.run()


class _Walk:
    """Particles that sing a phrase note by note."""

    def __init__(
        self,
        model: MelodyModel,
        plan: PhrasePlan,
        setting: Setting,
        slots: Slots,
        random: np.random.Generator,
        past: Past,
        guide: Guide,
        shift: int,
    ) -> None:
        self.model, self.plan, self.setting, self.random, self.guide = model, plan, setting, random, guide
        self.bend: Bend | None = None
        self.tonic = setting.plan.key.tonic + shift
        self.past = past.notes[-3:]
        self.notes = self._circumstances(slots, shift)
        known = [p for _, p in self.past]
        self.count = model.network.particles if model.network else NUM_PARTICLES
        self.reader = model.network.begin(plan, setting, slots, past, shift) if model.network and slots else None
        self.pitches = np.zeros((self.count, len(known) + len(slots)), np.int64)
        self.pitches[:, : len(known)] = known
        self.offset = len(known)
        self.copying = np.zeros((self.count, len(LAGS)), np.int64)
        self.classes = np.zeros((self.count, len(slots)), np.int64)
        span = len(slots)
        arch = np.sin(np.pi * np.clip((np.arange(span) + 1) / (span + 1), 0, 1) ** (1.3 if plan.climax else 0.8))
        height = (plan.high - plan.low) * (0.5 if plan.climax else 0.4)
        tilt = float(random.normal(0.0, 3.0)) * (0.3 if plan.climax else 1.0)
        self.contour = plan.centre - self.tonic + height * (arch - arch.mean()) + tilt * np.linspace(-1, 1, span)

    def _circumstances(self, slots: Slots, shift: int) -> list[_Note]:
        setting, plan = self.setting, self.plan
        steps = setting.bar_steps
        lag_steps = setting.cell_steps if setting.bar_steps % setting.cell_steps else steps
        index_of = {step: i + len(self.past) for i, (step, _) in enumerate(slots)}
        starts = [s for s, _ in (*self.past, *slots)]
        notes = []
        for k, (step, length) in enumerate(slots):
            i = k + len(self.past)
            place = 3 if k == len(slots) - 1 else 2 if k == len(slots) - 2 else 0 if k == 0 else 1
            notes.append(
                _Note(
                    step,
                    length,
                    setting.harmony_of(plan.start_ticks, step, length, shift),
                    compound_accent(step) if setting.metre == "6/8" else accent(step, setting.cell_steps),
                    place,
                    length_class(step - starts[i - 1]) if i else 2,
                    tuple(index_of.get(step - lag * lag_steps, -1) for lag in LAGS),
                )
            )
        return notes

    def run(self) -> tuple[int, ...]:
        """Sings all notes and returns the best particle's pitches."""
        likelihood = np.zeros(self.count)
        rows = np.arange(self.count)
        for k, note in enumerate(self.notes):
            i = self.offset + k
            before = self.pitches[:, i - 1] if i else np.full(self.count, round(self.plan.centre - self.tonic))
            learned = self._learned(k, note, before)
            learned = learned - _log_sum(learned)
            scores = learned / TEMPERATURE + self._rules(k, note, before)
            drawn = (scores + self.random.gumbel(size=scores.shape)).argmax(axis=1)
            likelihood += np.maximum(learned[rows, drawn], -8.0)
            self.pitches[:, i] = before + INTERVALS[drawn]
            if self.reader is not None:
                self.reader.feed(self.pitches[:, i])
            self.classes[:, k] = note.harmony.classes[self.pitches[:, i] % 12]
            for lag in range(len(LAGS)):
                j = note.quotes[lag]
                self.copying[:, lag] = 0 if j < 0 else np.where(self.pitches[:, i] == self.pitches[:, j], 1, 2)
        total = LIKELIHOOD_WEIGHT * likelihood / max(1, len(self.notes)) + self._judged()
        best = int(total.argmax())
        return tuple(int(p) + self.tonic for p in self.pitches[best, self.offset :])

    def _learned(self, k: int, note: _Note, before: Ints) -> Floats:
        """Returns what is learned of the 25 intervals, (particles, 25)."""
        table = self.model.interval_scores(self._context(k, note, before))
        if self.reader is None:
            return table
        return NETWORK_SHARE * self.reader.scores(before) + TABLE_SHARE * (table - _log_sum(table))

    def _context(self, k: int, note: _Note, before: Ints) -> PitchContext:
        i, n = self.offset + k, self.count

        def full(value: int) -> Ints:
            return np.full(n, value)

        token = interval_token(before - self.pitches[:, i - 2]) if i > 1 else full(NO_INTERVAL)
        older = interval_token(self.pitches[:, i - 2] - self.pitches[:, i - 3]) if i > 2 else full(NO_INTERVAL)
        quoted = np.full((n, len(LAGS)), -99)
        quoted_interval = np.full((n, len(LAGS)), 99)
        for lag, j in enumerate(note.quotes):
            if j >= 0:
                quoted[:, lag] = self.pitches[:, j]
                if j > 0:
                    quoted_interval[:, lag] = self.pitches[:, j] - self.pitches[:, j - 1]
        return PitchContext(
            before=before,
            interval_before=token,
            class_before=interval_class(older),
            tone_before=self.classes[:, k - 1] if k else full(SCALE_ALONE),
            tones=np.broadcast_to(note.harmony.classes, (n, 12)),
            centre=np.full(n, float(self.contour[k])),
            quoted=quoted,
            quoted_interval=quoted_interval,
            copying=self.copying,
            mode=full(self.setting.mode),
            group=full(self.setting.group),
            accent=full(note.accent),
            length=full(length_class(note.length)),
            length_before=full(note.length_before),
            chord_root=full(note.harmony.root),
            place=full(note.place),
        )

    def _rules(self, k: int, note: _Note, before: Ints) -> Floats:
        """Returns what is added to the scores of the 25 intervals, (particles, 25)."""
        candidate = before[:, None] + INTERVALS
        degree = candidate % 12
        low, high = self.plan.low - self.tonic, self.plan.high - self.tonic
        scores = np.where(
            (candidate < low) | (candidate > high), -200.0 - 10 * np.abs(candidate - (low + high) / 2), 0.0
        )
        passing = note.place == 1 and note.length < 4 and note.accent >= 3
        scores = scores + np.maximum(note.harmony.passing if passing else note.harmony.bias, -60.0)[degree]
        if k:
            leads = np.isneginf(self.notes[k - 1].harmony.bias[before % 12])
            scores = scores - np.where(leads[:, None] & (INTERVALS != 1), 12.0, 0.0)
        scores = scores - CONTOUR_WEIGHT * (candidate - self.contour[k]) ** 2
        classes = note.harmony.classes[degree]
        if note.length >= 4 and note.place != 3:
            scores = scores - LONG_TONE_WEIGHT * (classes >= SCALE)
        size = np.abs(INTERVALS)
        scores = scores + SKIP_REWARD * (size > 2)
        scores = scores - np.where(
            size > 4, LEAP_WEIGHT * (0.3 - self.setting.style.melody.leaps) * (size - 2) / 5, 0.0
        )
        i = self.offset + k
        if i > 1:
            last = (before - self.pitches[:, i - 2])[:, None]
            leapt = np.abs(last) >= 5
            scores = scores + np.where(leapt & (INTERVALS * last < 0) & (size <= 4), RESOLVE_WEIGHT, 0.0)
            scores = scores - np.where(leapt & (INTERVALS * last > 0) & (size > 2), 2 * RESOLVE_WEIGHT, 0.0)
        if i > 2:
            still = (before == self.pitches[:, i - 2]) & (before == self.pitches[:, i - 3])
            scores = scores - np.where(still[:, None] & (INTERVALS == 0), STILL_WEIGHT, 0.0)
        if note.place == 3:
            scores = scores + self._cadence(note, degree, classes, size)
        if k in self.guide.pitches:
            pitch, weight = self.guide.pitches[k]
            scores = scores - weight * np.abs(candidate - (pitch - self.tonic))
        if self.bend is not None:
            scores = scores + self.bend.intervals[k]
            if note.accent <= 2 and note.harmony.root < 12:
                scores = scores - self.bend.chord_tones * (classes >= SCALE)
        return np.asarray(scores)

    def _cadence(self, note: _Note, degree: Ints, classes: Ints, size: Ints) -> Floats:
        """Returns the bias of a phrase's last note: a chord tone reached calmly, at home or open."""
        home = np.isin(degree, (0,)) & (classes < SCALE)
        scores = np.where((classes >= SCALE) & (note.harmony.root < 12), -FOREIGN_CLOSE, 0.0)
        scores = scores - np.where(size > 5, 1.0, 0.0)
        if self.plan.cadence == "full":
            return np.asarray(scores + np.where(home, 2 * CADENCE_WEIGHT, 0.0) + np.where(classes == 0, 0.5, 0.0))
        return np.asarray(scores - np.where(home, CADENCE_WEIGHT, 0.0))

    def _judged(self) -> Floats:
        """Returns the rules' judgement of each particle's whole phrase."""
        own = self.pitches[:, self.offset :]
        n = own.shape[1]
        top = own.max(axis=1)
        at_top = own == top[:, None]
        score = np.where(at_top.sum(axis=1) == 1, 0.5, 0.0)
        if self.plan.climax:
            place = at_top.argmax(axis=1) / max(1, n - 1)
            score += CLIMAX_WEIGHT * ((place > 0.25) & (place < 0.9))
            score -= 0.25 * np.maximum(0, self.plan.high - self.tonic - top)
        span = top - own.min(axis=1)
        score -= 0.3 * np.maximum(0, 7 - span)
        if n > 3:
            moves = np.diff(own, axis=1)
            score -= MONOTONY_WEIGHT * np.maximum(0, (moves == 0).sum(axis=1) - 0.35 * (n - 1))
            zigzag = (np.abs(moves[:, 1:]) >= 3) & (np.abs(moves[:, :-1]) >= 3)
            score -= 0.4 * np.maximum(0, zigzag.sum(axis=1) - 1)
        score -= MEAN_WEIGHT * (own.mean(axis=1) + self.tonic - self.plan.centre) ** 2
        return np.asarray(score)


def _log_sum(scores: Floats) -> Floats:
    top = scores.max(axis=1, keepdims=True)
    result: Floats = np.log(np.exp(scores - top).sum(axis=1, keepdims=True)) + top
    return result
