"""Chords for a melody that is given: Viterbi over the learned model, the melody as what is heard.

A hidden semi-Markov model (Rabiner, "A tutorial on hidden Markov models", 1989, sections III and IV D): a state is a
chord with the one before it, it lasts one of the style's chord lengths, and sounds the melody notes over it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from songwright.compose.harmony.functions import NUM_QUALITIES, START, spell, vocabulary_of
from songwright.compose.harmony.model import NO_ECHO, HarmonyModel, Known, load_model
from songwright.compose.harmony.rhythm import chord_lengths
from songwright.compose.harmony.write import colour_weights, entry_weights, felt_beats, joined, start_context
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Style
from songwright.score.song import TICKS_PER_QUARTER, ChordSpan, Note
from songwright.seeding import generator

MELODY_WEIGHT = 0.8
"""How much a felt beat of melody weighs beside one chord of the model."""


_HOME_AT_END = 2.0
"""What a tonic at the end of the song is worth, in nats."""


@dataclass(frozen=True, slots=True)
class _Step:
    """How a boundary was reached: from which one, and the best chord before the last two, for each pair."""

    start: int
    sources: NDArray[np.intp]


def harmonise_melody(
    notes: Sequence[Note], plan: SongPlan, style: Style, *, melody_weight: float = MELODY_WEIGHT
) -> tuple[ChordSpan, ...]:
    """Returns the likeliest chords under a melody, without gaps or overlaps, from tick 0 to the end of the plan.

    Args:
        notes: the melody, in any order; notes of several voices are heard together.
        plan: key, metre and sections.
        style: vocabulary and harmonic rhythm.
        melody_weight: how much a felt beat of melody weighs beside one chord of the model; 0 ignores the melody.

    Raises:
        DataError: the learned tables are missing or broken.
    """
    return _Lattice(plan, style).best(notes, melody_weight)


def melody_fit(
    notes: Sequence[Note], plan: SongPlan, functions: Sequence[int], model: HarmonyModel
) -> NDArray[np.float64]:
    """Returns how well the melody fits chord functions, felt beat by felt beat (beats, functions).

    The fit is the log-probability of each note's interval above the root, less its mean over all functions, weighted
    by how long it sounds in the beat, in felt beats.

    Args:
        notes: the melody.
        plan: key and metre.
        functions: of the chords.
        model: the learned tables.
    """
    beats = felt_beats(plan)
    beat_ticks = plan.bar_ticks / beats
    roots, qualities = np.divmod(np.asarray(functions, dtype=np.int64), NUM_QUALITIES)
    fit = np.zeros((plan.num_bars * beats, len(functions)))
    for note in notes:
        first, end = note.start_ticks / beat_ticks, min(note.end_ticks / beat_ticks, float(len(fit)))
        on_beat = abs(first - round(first)) < 0.05
        weak = int(not (on_beat and round(first) % beats % 2 == 0))
        interval = (note.pitch - plan.key.tonic - roots) % 12
        value = model.melody[weak, qualities, interval]
        value = value - model.melody[weak].mean()
        for beat in range(int(first), int(np.ceil(end))):
            fit[beat] += value * max(0.0, min(end, beat + 1) - max(first, beat))
    return fit


class _Lattice:
    """The chords a style may choose from at every beat, and how likely each is after the two before it."""

    def __init__(self, plan: SongPlan, style: Style) -> None:
        self.plan, self.style = plan, style
        self.model = load_model()
        self.vocabulary = vocabulary_of(style, plan.key)
        self.beats = felt_beats(plan)
        lengths = chord_lengths(style, self.beats, plan.beat_ticks / TICKS_PER_QUARTER)
        total = sum(weight for _, weight in lengths)
        self.lengths = tuple((length, float(np.log(weight / total))) for length, weight in lengths if weight > 0)
        colours = colour_weights(self.vocabulary, generator(plan.seed, "harmony", "colours"))
        self.weights = entry_weights(self.vocabulary, plan.key) * colours
        self._tables: dict[tuple[str, int, int, int], NDArray[np.float64]] = {}
        self._known: Known = {}

    def best(self, notes: Sequence[Note], melody_weight: float) -> tuple[ChordSpan, ...]:
        """Returns the likeliest chords."""
        size, end = len(self.vocabulary), self.plan.num_bars * self.beats
        fit = melody_fit(notes, self.plan, self.vocabulary.functions, self.model) * melody_weight
        heard = np.concatenate([np.zeros((1, size)), np.cumsum(fit, axis=0)])
        scores: dict[int, NDArray[np.float64]] = {0: np.full((size + 1, size + 1), -np.inf)}
        scores[0][size, size] = 0.0
        choice: dict[int, NDArray[np.intp]] = {}
        options: dict[int, list[_Step]] = {}
        for section in self.plan.sections:
            first, last = section.first_bar * self.beats, (section.first_bar + section.num_bars) * self.beats
            for beat in range(first, last):
                if beat not in scores:
                    continue
                table = self._transitions(section, beat - first)
                reached = scores[beat][:, :, None] + table
                sources, arrived = reached.argmax(axis=0), reached.max(axis=0)  # (last chord, next chord)
                for length, cost in self._fitting(beat - first, last - first):
                    after = beat + length
                    value = np.full((size + 1, size + 1), -np.inf)
                    value[:, :size] = arrived + (heard[after] - heard[beat])[None, :] + cost
                    known = scores.get(after)
                    options.setdefault(after, []).append(_Step(beat, sources))
                    if known is None:
                        scores[after] = value
                        choice[after] = np.zeros(value.shape, dtype=np.intp)
                    else:
                        better = value > known
                        choice[after][better] = len(options[after]) - 1
                        scores[after] = np.where(better, value, known)
        home = np.array([chord.root == 0 for chord in self.vocabulary.chords])
        scores[end][:, :size] += _HOME_AT_END * home
        return self._spans(self._path(scores[end], options, choice, end))

    def _fitting(self, beat: int, end: int) -> list[tuple[int, float]]:
        """Returns the lengths that may begin at a beat of a section: inside a bar, or whole bars from a bar line."""
        bar = self.beats
        fitting = [
            (length, cost)
            for length, cost in self.lengths
            if beat + length <= end and (beat % bar + length <= bar or (beat % bar == 0 and length % bar == 0))
        ]
        return fitting or [(min(bar - beat % bar, end - beat), 0.0)]

    def _transitions(self, section: SectionPlan, beat: int) -> NDArray[np.float64]:
        """Returns log-probabilities (two before, one before, next); the last index of the first two is the start."""
        bar, within = divmod(beat, self.beats)
        left = min(4, section.num_bars - bar)
        place = (section.role, bar % 8, within, left)
        if place not in self._tables:
            size = len(self.vocabulary)
            functions = (*self.vocabulary.functions, START)
            context = start_context(self.style, self.plan.key, section.role, self.beats)
            table = np.full((size + 1, size + 1, size), -np.inf)
            seen: dict[tuple[int, int], NDArray[np.float64]] = {}
            for two, one in np.ndindex(size + 1, size + 1):
                past = functions[one], functions[two]
                if past not in seen:
                    here = replace(
                        context, history=(*past, START), bar=bar % 8, beat=within, bars_left=left, echo=NO_ECHO
                    )
                    p = self.model.next_function(here, self._known) @ self.vocabulary.transfer * self.weights + 1e-6
                    seen[past] = np.log(p / p.sum())
                table[two, one] = seen[past]
                if one < size:
                    table[two, one, one] -= 2.0
            self._tables[place] = table
        return self._tables[place]

    def _path(
        self,
        final: NDArray[np.float64],
        options: dict[int, list[_Step]],
        choice: dict[int, NDArray[np.intp]],
        end: int,
    ) -> list[tuple[int, int, int]]:
        """Returns (first beat, last beat, entry) of the best chords, read backwards from the best final pair."""
        before, entry = (int(i) for i in np.unravel_index(int(final.argmax()), final.shape))
        path = []
        while end > 0:
            step = options[end][choice[end][before, entry]]
            path.append((step.start, end, entry))
            before, entry, end = int(step.sources[before, entry]), before, step.start
        return path[::-1]

    def _spans(self, path: list[tuple[int, int, int]]) -> tuple[ChordSpan, ...]:
        key, bar_ticks = self.plan.key, self.plan.bar_ticks
        spans = []
        for first, end, entry in path:
            start, stop = (round(beat * bar_ticks / self.beats) for beat in (first, end))
            symbol = spell(self.vocabulary.chords[entry].transposed(key.tonic), key)
            spans.append(ChordSpan(start, stop - start, symbol))
        return joined(spans)
