"""Progressions: the chords of one role, sampled from the learned model inside a style's vocabulary.

A progression is a loop of a few bars. It is drawn chord by chord (`draw`), judged as a circle (`Loop.log_probability`:
its end must lead back to its beginning), and bent to constraints by `constraints.resample`.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from songwright.compose.harmony.functions import START, Vocabulary
from songwright.compose.harmony.model import DURATIONS, NO_DURATION, NO_ECHO, Context, HarmonyModel


@dataclass(frozen=True, slots=True)
class Slot:
    """One chord of a progression: an entry of the vocabulary, from a felt beat on, for some beats."""

    entry: int
    start_beat: int
    num_beats: int


@dataclass(frozen=True, slots=True)
class Progression:
    """The chords of one section role.

    Attributes:
        slots: in order, without gaps, from beat 0.
        num_bars: length.
        beats_per_bar: felt beats of a bar.
    """

    slots: tuple[Slot, ...]
    num_bars: int
    beats_per_bar: int

    @property
    def num_beats(self) -> int:
        """Felt beats of the whole."""
        return self.num_bars * self.beats_per_bar

    def entries(self) -> tuple[int, ...]:
        """Returns the entries in order."""
        return tuple(slot.entry for slot in self.slots)

    def with_entry(self, index: int, entry: int) -> "Progression":
        """Returns a copy in which one chord is another."""
        slots = list(self.slots)
        slots[index] = replace(slots[index], entry=entry)
        return replace(self, slots=tuple(slots))


def length_index(beats: int) -> int:
    """Returns the index of the nearest of the model's lengths."""
    return min(range(len(DURATIONS)), key=lambda i: (abs(DURATIONS[i] - beats), i))


class Loop:
    """The model seen through one style, mode, role and loop length; keeps the distributions that it has computed.

    Args:
        model: the learned tables.
        vocabulary: chords of the style.
        context: mode, group, role and metre; the rest is filled in.
        num_bars: length of the loop.
        weights: (entries,): how much the style or the mode favours each entry; 1 is neutral.
    """

    def __init__(
        self,
        model: HarmonyModel,
        vocabulary: Vocabulary,
        context: Context,
        num_bars: int,
        weights: NDArray[np.float64],
    ) -> None:
        self.model, self.vocabulary, self.context, self.num_bars = model, vocabulary, context, num_bars
        self.weights = weights
        self._cache: dict[Context, NDArray[np.float64]] = {}

    @property
    def beats_per_bar(self) -> int:
        """Felt beats of a bar."""
        return self.context.beats_per_bar

    def context_at(self, slots: tuple[Slot, ...], index: int, before: tuple[int, ...] = ()) -> Context:
        """Returns the context of a chord.

        Args:
            slots: the progression, at least up to the chord.
            index: which chord.
            before: functions that came before the loop, latest first; none at the beginning of a section.
        """
        slot = slots[index]
        functions = self.vocabulary.functions
        past = [functions[s.entry] for s in reversed(slots[max(0, index - 3) : index])]
        past = (past + list(before) + [START] * 3)[:3]
        bar, beat = divmod(slot.start_beat, self.beats_per_bar)
        echo = NO_ECHO
        back = slot.start_beat - 4 * self.beats_per_bar
        if back >= 0:
            echo = next(functions[s.entry] for s in slots if s.start_beat <= back < s.start_beat + s.num_beats)
        return replace(
            self.context,
            history=(past[0], past[1], past[2]),
            bar=bar % 8,
            beat=beat,
            bars_left=min(4, self.num_bars - bar),
            echo=echo,
        )

    def distribution(self, context: Context) -> NDArray[np.float64]:
        """Returns the probability of each entry (entries,)."""
        known = self._cache.get(context)
        if known is None:
            p = self.model.next_function(context) @ self.vocabulary.transfer * self.weights + 1e-6
            known = p / p.sum()
            self._cache[context] = known
        return known

    def draw(self, lengths: tuple[int, ...], random: np.random.Generator, temperature: float = 0.9) -> Progression:
        """Returns a progression drawn chord by chord.

        Args:
            lengths: felt beats of each chord; they sum to the loop.
            random: where the choice comes from.
            temperature: 1 draws as the model says; lower draws likelier chords.
        """
        slots: tuple[Slot, ...] = ()
        beat = 0
        for length in lengths:
            slots = (*slots, Slot(0, beat, length))
            p = self.distribution(self.context_at(slots, len(slots) - 1)) ** (1.0 / temperature)
            if len(slots) > 1:
                p[slots[-2].entry] *= 0.02
            entry = int(random.choice(len(p), p=p / p.sum()))
            slots = (*slots[:-1], Slot(entry, beat, length))
            beat += length
        return Progression(slots, self.num_bars, self.beats_per_bar)

    def log_probability(self, progression: Progression) -> float:
        """Returns the log-probability of the chords, the way back to the first one included."""
        slots = progression.slots
        total = 0.0
        for i in range(len(slots)):
            total += float(np.log(self.distribution(self.context_at(slots, i))[slots[i].entry]))
        functions = [self.vocabulary.functions[s.entry] for s in reversed(slots)]
        again = self.context_at(slots[:1], 0, tuple(functions[:3]))
        return total + float(np.log(self.distribution(again)[slots[0].entry]))


@dataclass(frozen=True)
class Rhythm:
    """Harmonic rhythm: how long chords last.

    Attributes:
        model: the learned tables.
        context: mode, group, role and metre.
        weights: felt beats and how usual they are in the style.
    """

    model: HarmonyModel
    context: Context
    weights: tuple[tuple[int, float], ...]

    @cached_property
    def _usual(self) -> NDArray[np.float64]:
        """What the model expects of lengths at a bar's beginning, nothing known."""
        return self.model.next_duration(self.context, 0) + 1e-3

    def draw(self, num_bars: int, random: np.random.Generator) -> tuple[int, ...]:
        """Returns lengths in felt beats that fill a loop: mostly the same, moved where the model moves at a phrase's end.

        Args:
            num_bars: length of the loop.
            random: where the choice comes from.
        """
        bar = self.context.beats_per_bar
        total = num_bars * bar
        choices = [(b, w) for b, w in self.weights if b <= max(bar, total // 2)] or [(min(bar, total), 1.0)]
        p = np.array([w for _, w in choices])
        base = choices[int(random.choice(len(choices), p=p / p.sum()))][0]
        pattern: list[int] = []
        half = total // 2 if num_bars >= 8 and num_bars % 2 == 0 else total
        while sum(pattern) < half:
            pattern.append(self._next(sum(pattern), half, base, pattern, random))
        if half == total:
            return tuple(pattern)
        return tuple(pattern + (pattern if random.random() < 0.7 else self._tail(half, base, random)))

    def _tail(self, half: int, base: int, random: np.random.Generator) -> list[int]:
        pattern: list[int] = []
        while sum(pattern) < half:
            pattern.append(self._next(sum(pattern), half, base, pattern, random))
        return pattern

    def _next(self, beat: int, total: int, base: int, before: list[int], random: np.random.Generator) -> int:
        bar = self.context.beats_per_bar
        lengths = [length_index(b) for b in reversed(before[-2:])] + [NO_DURATION] * 2
        context = replace(
            self.context,
            lengths=(lengths[0], lengths[1]),
            bar=beat // bar % 8,
            beat=beat % bar,
            bars_left=min(4, (total - beat + bar - 1) // bar),
        )
        learned = (self.model.next_duration(context, 0) + 1e-3) / self._usual
        options = []
        for length, weight in self.weights:
            fits = beat % bar + length <= bar or (beat % bar == 0 and length % bar == 0)
            if fits and beat + length <= total:
                sticky = 1.0 if length == base else 0.12
                options.append((length, weight * sticky * float(learned[length_index(length)]) ** 0.5))
        if not options:
            return min(bar - beat % bar, total - beat)
        p = np.array([w for _, w in options])
        return options[int(random.choice(len(options), p=p / p.sum()))][0]
