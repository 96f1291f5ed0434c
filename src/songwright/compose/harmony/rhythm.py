"""Harmonic rhythm: how long the chords of a loop last, by the style's habits and the learned model."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from songwright.compose.harmony.model import DURATIONS, NO_DURATION, Context, HarmonyModel
from songwright.compose.style import Style

_OFF_BASE = 0.12
"""Weight of a length other than the loop's usual one."""


def length_index(beats: int) -> int:
    """Returns the index of the nearest of the model's lengths."""
    return min(range(len(DURATIONS)), key=lambda i: (abs(DURATIONS[i] - beats), i))


def chord_lengths(style: Style, beats_per_bar: int, beat_quarters: float) -> tuple[tuple[int, float], ...]:
    """Returns (felt beats, weight) of the style's chord lengths in a metre.

    A metre that the style does not name takes the lengths in bars instead.

    Args:
        style: the style book.
        beats_per_bar: felt beats of a bar.
        beat_quarters: quarter notes of a felt beat.
    """
    named = set()
    for meter in style.meters:
        top, _, bottom = meter.partition("/")
        named.add(int(top) * 4 / int(bottom))
    bar_quarters = beats_per_bar * beat_quarters
    top, _, bottom = style.meters[0].partition("/")
    scale = 1.0 if bar_quarters in named else bar_quarters / (int(top) * 4 / int(bottom))
    found: dict[int, float] = {}
    for quarters, weight in style.harmony.chord_beats.items():
        beats = float(quarters) * scale / beat_quarters
        if beats > beats_per_bar:
            beats = round(beats / beats_per_bar) * beats_per_bar
        length = max(1, round(beats))
        found[length] = found.get(length, 0.0) + weight
    return tuple(sorted(found.items()))


@dataclass(frozen=True)
class Rhythm:
    """Draws the lengths of a loop's chords.

    Attributes:
        model: the learned tables.
        context: mode, group, role and metre.
        beats_per_bar: felt beats of a bar.
        weights: (felt beats, weight) as from `chord_lengths`.
    """

    model: HarmonyModel
    context: Context
    beats_per_bar: int
    weights: tuple[tuple[int, float], ...]

    @cached_property
    def _usual(self) -> NDArray[np.float64]:
        """What the model expects at the beginning of a section."""
        return self.model.next_duration(self.context, 0) + 1e-3

    def draw(self, num_bars: int, random: np.random.Generator) -> tuple[int, ...]:
        """Returns lengths in felt beats that fill a loop: mostly the same, quicker where the model is, as at cadences.

        The halves of a loop of four bars or more usually have the same rhythm.

        Args:
            num_bars: length of the loop.
            random: where the choice comes from.
        """
        bar = self.beats_per_bar
        total = num_bars * bar
        longest = max(bar, total // 2)
        choices = [(b, w) for b, w in self.weights if b <= longest] or [(min(bar, total), 1.0)]
        p = np.array([w for _, w in choices])
        base = choices[int(random.choice(len(choices), p=p / p.sum()))][0]
        if num_bars >= 4 and num_bars % 2 == 0 and base <= total // 4:
            first = self._fill(total // 2, base, random)
            return (*first, *(first if random.random() < 0.75 else self._fill(total // 2, base, random)))
        return self._fill(total, base, random)

    def _fill(self, total: int, base: int, random: np.random.Generator) -> tuple[int, ...]:
        lengths: list[int] = []
        while sum(lengths) < total:
            lengths.append(self._next(sum(lengths), total, base, lengths, random))
        return tuple(lengths)

    def _next(self, beat: int, total: int, base: int, before: list[int], random: np.random.Generator) -> int:
        bar = self.beats_per_bar
        past = [*(length_index(b) for b in reversed(before[-2:])), NO_DURATION, NO_DURATION]
        left = min(4, (total - beat + bar - 1) // bar)
        context = replace(
            self.context, lengths=(past[0], past[1]), bar=beat // bar % 8, beat=beat % bar, bars_left=left
        )
        learned = (self.model.next_duration(context, 0) + 1e-3) / self._usual
        options = []
        for length, weight in self.weights:
            inside = beat % bar + length <= bar or (beat % bar == 0 and length % bar == 0)
            if inside and beat + length <= total:
                sticky = 1.0 if length == base else _OFF_BASE
                options.append((length, weight * sticky * float(learned[length_index(length)]) ** 0.5))
        if not options:
            return min(bar - beat % bar, total - beat)
        p = np.array([w for _, w in options])
        return options[int(random.choice(len(options), p=p / p.sum()))][0]
