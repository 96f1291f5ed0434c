"""Progressions: the chords of one role, sampled from the learned model inside a style's vocabulary.

A progression is a loop of a few bars. It is drawn chord by chord (`Loop.draw`), judged as a circle
(`Loop.log_probability`: its end must lead back to its beginning), and bent to wishes by `constraints.resample`.
"""

from dataclasses import dataclass, replace
from itertools import groupby
from math import log

import numpy as np
from numpy.typing import NDArray

from songwright.compose.harmony.functions import START, Vocabulary
from songwright.compose.harmony.model import NO_ECHO, Context, HarmonyModel, Known

Place = tuple[int, int, int, int, int, int, int]
"""Three functions before (latest first), bar, beat, bars left, and the function four bars earlier."""


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
        twins: for each slot the earlier slot whose chord it repeats, or itself.
    """

    slots: tuple[Slot, ...]
    num_bars: int
    beats_per_bar: int
    twins: tuple[int, ...]

    def entries(self) -> tuple[int, ...]:
        """Returns the entries in order."""
        return tuple(slot.entry for slot in self.slots)

    def with_entry(self, index: int, entry: int) -> "Progression":
        """Returns a copy in which one chord, and those that repeat it, is another."""
        leader = self.twins[index]
        slots = tuple(
            replace(s, entry=entry) if t == leader else s for s, t in zip(self.slots, self.twins, strict=True)
        )
        return replace(self, slots=slots)


def period_twins(lengths: tuple[int, ...], num_bars: int, beats_per_bar: int) -> tuple[int, ...]:
    """Returns the twins of a period: the second half repeats the first but for its last quarter (a a′).

    Args:
        lengths: felt beats of each chord.
        num_bars: length of the whole.
        beats_per_bar: felt beats of a bar.
    """
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).tolist()
    half = num_bars * beats_per_bar // 2
    twins = list(range(len(lengths)))
    for i, start in enumerate(starts):
        if half <= start < half + half * 5 // 8 and start - half in starts:
            twins[i] = starts.index(start - half)
    return tuple(twins)


@dataclass(frozen=True, slots=True)
class Meter:
    """Felt beats of a bar, and bars of a loop."""

    beats_per_bar: int
    num_bars: int


class Loop:
    """The model seen through one style, mode, role and loop length; keeps the distributions that it has computed.

    Attributes:
        habit: (entries,): how often the style uses each entry, whatever comes before.

    Args:
        model: the learned tables.
        vocabulary: chords of the style.
        context: mode, group and role; the rest is filled in.
        meter: shape of the loop.
        weights: (entries,): how much the style or the mode favours each entry; 1 is neutral.
    """

    def __init__(
        self,
        model: HarmonyModel,
        vocabulary: Vocabulary,
        context: Context,
        meter: Meter,
        weights: NDArray[np.float64],
    ) -> None:
        self.vocabulary, self.meter = vocabulary, meter
        self._model, self._context, self._weights = model, context, weights
        self.habit = (weights + 0.02) / (weights + 0.02).sum()
        self._cache: dict[Place, NDArray[np.float64]] = {}
        self._known: Known = {}

    def place(self, slots: tuple[Slot, ...], index: int, before: tuple[int, ...] = ()) -> Place:
        """Returns what the model needs to know about the place of a chord.

        Args:
            slots: the progression, at least up to the chord.
            index: which chord.
            before: functions that came before the loop, latest first; none at the beginning of a section.
        """
        start, beats = slots[index].start_beat, self.meter.beats_per_bar
        functions = self.vocabulary.functions
        past = [functions[s.entry] for s in slots[max(0, index - 3) : index][::-1]]
        if index < 3:
            past = [*past, *before, START, START, START]
        bar, beat = divmod(start, beats)
        echo = NO_ECHO
        back = start - 4 * beats
        if back >= 0:
            echo = next(functions[s.entry] for s in slots if s.start_beat <= back < s.start_beat + s.num_beats)
        return past[0], past[1], past[2], bar % 8, beat, min(4, self.meter.num_bars - bar), echo

    def distribution(self, place: Place) -> NDArray[np.float64]:
        """Returns the probability of each entry (entries,)."""
        known = self._cache.get(place)
        if known is None:
            h1, h2, h3, bar, beat, left, echo = place
            context = replace(self._context, history=(h1, h2, h3), bar=bar, beat=beat, bars_left=left, echo=echo)
            p = self._model.next_function(context, self._known) @ self.vocabulary.transfer * self._weights + 1e-6
            known = p / p.sum()
            self._cache[place] = known
        return known

    def log_at(self, slots: tuple[Slot, ...], index: int, before: tuple[int, ...] = ()) -> float:
        """Returns the log-probability of one chord; the arguments are those of `place`."""
        return log(self.distribution(self.place(slots, index, before))[slots[index].entry])

    def draw(
        self,
        lengths: tuple[int, ...],
        twins: tuple[int, ...],
        random: np.random.Generator,
        first: NDArray[np.float64] | None = None,
        temperature: float = 0.85,
    ) -> Progression:
        """Returns a progression drawn chord by chord.

        Args:
            lengths: felt beats of each chord; they sum to the loop.
            twins: see `Progression`.
            random: where the choice comes from.
            first: (entries,) factors of the first chord; even without.
            temperature: 1 draws as the model says; lower draws likelier chords.
        """
        slots: tuple[Slot, ...] = ()
        beat = 0
        for i, length in enumerate(lengths):
            slots = (*slots, Slot(0, beat, length))
            p = self.distribution(self.place(slots, i)) ** (1.0 / temperature)
            if i:
                p[slots[i - 1].entry] *= 0.02
            elif first is not None:
                p *= first
            entry = slots[twins[i]].entry if twins[i] < i else int(random.choice(len(p), p=p / p.sum()))
            slots = (*slots[:i], Slot(entry, beat, length))
            beat += length
        return Progression(slots, self.meter.num_bars, self.meter.beats_per_bar, twins)

    def log_probability(self, progression: Progression) -> float:
        """Returns the log-probability of the chords that are free, the loop read as a circle.

        The first chord counts once: half as the beginning of a section, half as what follows the last chord.
        """
        slots = progression.slots
        total = sum(self.log_at(slots, i) for i, twin in enumerate(progression.twins) if twin == i and i)
        last = tuple(self.vocabulary.functions[s.entry] for s in slots[:-4:-1])
        return total + 0.5 * (self.log_at(slots[:1], 0) + self.log_at(slots[:1], 0, last))

    def roots(self, progression: Progression) -> tuple[int, ...]:
        """Returns the roots above the tonic, neighbours that are equal joined."""
        roots = (self.vocabulary.chords[e].root for e in progression.entries())
        return tuple(root for root, _ in groupby(roots))
