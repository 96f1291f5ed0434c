"""Rhythms for words: every syllable of a line gets its onset, by dynamic programming over the grid of sixteenths.

What a rhythm costs: stressed syllables off the beat and unstressed ones on it, notes too short to speak or too long for
their place in a word, a close without rest, distance from the rhythm of a parallel line, and how seldom real tunes go
that way, by onset transitions of the learned rhythm cells.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from songwright.compose.melody.features import Floats, cell_onsets
from songwright.compose.melody.model import RhythmModel
from songwright.compose.melody.phrase_plan import Setting
from songwright.compose.melody.rhythm import DENSITY_WEIGHT, SYNCOPATION_SHARE, SYNCOPATION_WEIGHT, Slots

STRESS_COST = 4.5
"""Of a stressed syllable on the weakest place."""
UNSTRESSED_COST = 1.6
"""Of an unstressed syllable on the strongest place."""
UPBEAT_COST = 0.6
"""Of beginning before the bar line, for a line that begins unstressed."""
HABIT_WEIGHT = 0.8
"""Of the learned transitions, in nats."""
RAP_HABIT_WEIGHT = 0.25
HABIT_NOISE = 0.7
"""Every song has rhythmic habits of its own: spread of the noise on the transitions."""
LIKENESS_COST = 1.1
"""Of an onset where the parallel line has none."""
SAME_COST = 4.0
"""Of a syllable of the same words elsewhere than in the parallel line."""
SHORTEST_SECONDS = {"sung": 0.13, "rap": 0.1, "spoken": 0.1}
EASY_SECONDS = {"sung": 0.19, "rap": 0.12, "spoken": 0.14}
BREATH_SECONDS = 0.25
LONGEST_FINAL_SECONDS = 2.4
CLOSE_SECONDS = {"stressed": 0.5, "unstressed": 0.32}
"""How long a line's last syllable wants to be held; so does its last stressed one where only the word's end follows."""
LIGHT_ENDS = {"en": 0.44, "zh": 0.0}
OTHER_LIGHT_ENDS = 0.88
"""In how many lines that end in an unstressed syllable after a stressed one of its word the stress is held as long or
longer: 258 lines of OpenEWLD, 1,272 of OpenScore Lieder. Mandarin holds its last syllable, whatever its tone."""
ANTICIPATED = 0.75
"""How strong a place is that anticipates a beat and is held over it, as a share of the beat."""


@dataclass(frozen=True, slots=True)
class LineSyllable:
    """What rhythm and pitch need to know of a syllable.

    Attributes:
        stress: 0 unstressed to 1 stressed.
        ends_word: whether the next syllable begins a word.
        pause: whether a comma or the like follows.
        is_open: whether it ends in its vowel.
        tone: Mandarin tone, 0 elsewhere.
    """

    stress: float
    ends_word: bool = True
    pause: bool = False
    is_open: bool = True
    tone: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """Where a line may be sung, in sixteenths from its first bar line.

    Attributes:
        upbeat: how far before the bar line it may begin.
        end: where its last note must have ended.
        steps: up to the next line's first bar line.
    """

    upbeat: int
    end: int
    steps: int


def upbeat_room(syllables: tuple[LineSyllable, ...], setting: Setting, delivery: str) -> int:
    """Returns the sixteenths that a line wants before its bar line: room for what comes before its first stress."""
    lead = next((i for i, s in enumerate(syllables) if s.stress >= 0.5), 0)
    if not 1 <= lead <= 4:
        return 0
    step = setting.bar_seconds / setting.bar_steps
    each = max(1, int(np.ceil(EASY_SECONDS[delivery] / step - 1e-6)))
    each = each if delivery == "rap" else max(2, each)
    return min(lead * each, setting.bar_steps // 2)


def breath_steps(setting: Setting) -> int:
    """Returns the sixteenths of rest between two lines: an eighth at least, and a quarter of a second."""
    return max(2, int(np.ceil(BREATH_SECONDS / (setting.bar_seconds / setting.bar_steps) - 1e-6)))


def strengths(setting: Setting) -> Floats:
    """Returns how strong each place of the bar is, by the length of the note on it: (steps, gaps), 0 to 1.

    Beats are strong; a place at most an eighth before a beat is nearly as strong if the note is held over the beat.
    """
    steps, beat = setting.bar_steps, setting.plan.beat_ticks // 240
    level = np.zeros(steps)
    level[::2] = 0.25
    if setting.metre == "6/8":
        level[::2] = 0.2
    level[::beat] = 0.85
    if steps == 4 * beat:
        level[2 * beat] = 0.95
    level[0] = 1.0
    table = np.repeat(level[:, None], 2 * steps + 1, axis=1)
    for place in range(steps):
        if level[place] >= 0.8:
            continue
        for ahead in (1, 2):
            strong = level[(place + ahead) % steps]
            if strong >= 0.8 and ahead < beat:
                table[place, ahead + 1 :] = np.maximum(table[place, ahead + 1 :], ANTICIPATED * strong)
                break
    return table


def habits(model: RhythmModel, setting: Setting, per_cell: float, syncopation: float) -> tuple[Floats, Floats]:
    """Returns the learned ways of going on: log-probabilities of gaps by place, and of the first onset.

    Args:
        model: of the metre.
        setting: of the song.
        per_cell: notes in a rhythm cell, on average.
        syncopation: wanted share of anticipations.

    Returns:
        (cell steps, 2 cell steps + 1) of gaps, (cell steps,) of first onsets.
    """
    return _habits(
        id(model), _Model(model), setting.group, setting.cell_steps, round(per_cell * 2) / 2, round(syncopation, 2)
    )


@dataclass(frozen=True)
class _Model:
    """A model that the cache tells from others by identity alone."""

    model: RhythmModel

    def __hash__(self) -> int:
        return id(self.model)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Model) and other.model is self.model


@lru_cache(maxsize=256)
def _habits(_: int, held: _Model, group: int, steps: int, per_cell: float, syncopation: float) -> tuple[Floats, Floats]:
    model = held.model
    places = np.arange(4)
    scores = model.scores(
        np.full(4, group), places, np.full(4, int(np.searchsorted(model.density_edges, per_cell))),
        np.full(4, int(np.searchsorted(model.syncopation_edges, syncopation))), np.full((4, 3), -1),
    )  # fmt: skip
    scores = scores - DENSITY_WEIGHT * (model.onsets - per_cell) ** 2
    scores = scores - SYNCOPATION_WEIGHT * (model.syncopation - syncopation) ** 2
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = (weights / weights.sum(axis=1, keepdims=True)).mean(axis=0)
    counts = np.full((steps, 2 * steps + 1), 2e-4)
    first = np.full(steps, 2e-3)
    last = np.zeros(steps)
    for cell, weight in zip(model.tables.cells, weights, strict=True):
        onsets = cell_onsets(cell)
        if not onsets or weight < 1e-7:
            continue
        first[onsets[0]] += weight
        last[onsets[-1]] += weight
        for a, b in pairwise(onsets):
            counts[a, b - a] += weight
    opening = first / first.sum()
    for place in range(steps):
        counts[place, steps - place : 2 * steps - place] += last[place] * opening
    counts[:, 0] = 0.0
    with np.errstate(divide="ignore"):
        return np.log(counts / counts.sum(axis=1, keepdims=True)), np.log(opening)


@dataclass(frozen=True)
class RhythmWishes:
    """What bends the rhythm of one line.

    Attributes:
        delivery: ``sung``, ``rap`` or ``spoken``.
        syncopation: 0 to 1, as in the style book.
        noise: (bar steps, gaps) added to the costs: the song's habits; empty for none.
        like: onsets of the parallel line.
        same: how many syllables at the beginning are the same words as the parallel line's.
        light_end: whether the stress is held where the line ends unstressed, and the end of its word follows lightly.
    """

    delivery: str = "sung"
    syncopation: float = 0.3
    noise: Floats | None = None
    like: tuple[int, ...] = ()
    same: int = 0
    light_end: bool = False


def word_rhythm(
    model: RhythmModel, syllables: tuple[LineSyllable, ...], span: Span, setting: Setting, wishes: RhythmWishes
) -> Slots:
    """Returns (start, length) in sixteenths for every syllable of a line, the cheapest way through.

    Args:
        model: of the metre.
        syllables: of the line, at least one.
        span: where it may be sung.
        setting: of the song.
        wishes: what bends it.
    """
    search = _Search(model, syllables, span, setting, wishes)
    onsets = search.run()
    return _with_lengths(onsets, syllables, span, setting, search.held)


def held_syllable(syllables: tuple[LineSyllable, ...]) -> int:
    """Returns the syllable that is held where a line ends lightly: the stressed one of its last word, else the last."""
    for place in range(len(syllables) - 1, -1, -1):
        if syllables[place].stress >= 0.5:
            return place
        if place and syllables[place - 1].ends_word:
            break
    return len(syllables) - 1


class _Search:
    """Viterbi over (syllable, place); costs of a note depend on its place and the gap to the next."""

    def __init__(
        self,
        model: RhythmModel,
        syllables: tuple[LineSyllable, ...],
        span: Span,
        setting: Setting,
        wishes: RhythmWishes,
    ) -> None:
        self.syllables, self.span, self.setting, self.wishes = syllables, span, setting, wishes
        self.held = held_syllable(syllables) if wishes.light_end else len(syllables) - 1
        self.step_seconds = setting.bar_seconds / setting.bar_steps
        self.places = np.arange(-span.upbeat, max(span.end, len(syllables) - span.upbeat + 1))
        self.max_gap = min(2 * setting.cell_steps, setting.bar_steps * 5 // 4, len(self.places))
        bars = max(1.0, span.end / setting.bar_steps)
        per_cell = len(syllables) / bars * setting.cell_steps / setting.bar_steps
        wanted = SYNCOPATION_SHARE[setting.group] * wishes.syncopation
        gaps, self.first = habits(model, setting, per_cell, wanted)
        weight = RAP_HABIT_WEIGHT if wishes.delivery != "sung" else HABIT_WEIGHT
        bar_places = self.places % setting.bar_steps
        self.base = -weight * gaps[bar_places % setting.cell_steps, : self.max_gap + 1]
        if wishes.noise is not None:
            self.base = self.base + wishes.noise[bar_places, : self.max_gap + 1]
        self.strength = strengths(setting)[bar_places, : self.max_gap + 1]
        self.strong = strengths(setting)[bar_places]

    def run(self) -> tuple[int, ...]:
        """Returns the onsets."""
        n, width = len(self.syllables), len(self.places)
        best = self._opening()
        back = np.zeros((n, width), np.int64)
        for i in range(n - 1):
            costs = self.base + self._stress(i, self.strength) + self._gap(i)[None, :]  # (places, gaps)
            table = np.full((width, width), np.inf)  # from, to
            for gap in range(1, self.max_gap + 1):
                rows = np.arange(width - gap)
                table[rows, rows + gap] = best[rows] + costs[rows, gap]
            if self.wishes.like:
                table = table + self._likeness(i + 1)
            back[i + 1] = table.argmin(axis=0)
            best = table.min(axis=0)
        at = int((best + self._closing()).argmin())
        path = [at]
        for i in range(n - 1, 0, -1):
            at = int(back[i, at])
            path.append(at)
        return tuple(int(self.places[p]) for p in reversed(path))

    def _opening(self) -> Floats:
        places = self.places
        odd = 0.2 if self.wishes.delivery == "rap" else 1.0
        before = (
            UPBEAT_COST + 0.08 * -places + odd * (places % 2) if self.syllables[0].stress < 0.5 else 5.0 + 0.0 * places
        )
        bar = self.setting.bar_steps
        late = -HABIT_WEIGHT * self.first[(places % bar) % self.setting.cell_steps] + np.where(
            places >= bar // 2, 4.0, 0.0
        )
        cost = np.where(places < 0, before, late) + np.where(places >= bar, 8.0, 0.0)
        cost = cost + (self._likeness(0)[0] if self.wishes.like else 0.0)
        return np.asarray(cost, np.float64)

    def _stress(self, i: int, strength: Floats) -> Floats:
        stress = self.syllables[i].stress
        return np.asarray(STRESS_COST * stress * (1.0 - strength) + UNSTRESSED_COST * (1.0 - stress) * strength)

    def _gap(self, i: int) -> Floats:
        """Returns the cost of each gap after a syllable, (gaps,)."""
        syllable, delivery = self.syllables[i], self.wishes.delivery
        gaps = np.arange(self.max_gap + 1)
        seconds = gaps * self.step_seconds
        cost = np.where(seconds < SHORTEST_SECONDS[delivery] - 1e-6, 9.0, 0.0)
        cost = cost + np.where(seconds < EASY_SECONDS[delivery] - 1e-6, 0.9, 0.0)
        cost = cost + 2.0 * (1.0 - syllable.stress) * np.maximum(0.0, seconds - 0.4)
        cost = cost + 3.0 * np.maximum(0.0, seconds - 1.2)
        if i == self.held:
            cost = cost + 5.0 * np.maximum(0.0, 1.0 - seconds / CLOSE_SECONDS["stressed"])
        elif not syllable.ends_word:
            cost = cost + 4.0 * np.maximum(0.0, seconds - 0.55)
        if syllable.pause:
            cost = cost + np.where(seconds < 0.3, 1.2, 0.0) - np.where(seconds >= 0.45, 1.0, 0.0)
        return np.asarray(cost)

    def _closing(self) -> Floats:
        """Returns the cost of the last syllable by its place: held long enough, and neither too early nor too late."""
        last = len(self.syllables) - 1
        room = np.maximum(self.span.end - self.places, 0)
        seconds = room * self.step_seconds
        wanted = CLOSE_SECONDS["stressed" if self.syllables[last].stress >= 0.5 else "unstressed"]
        wanted = min(wanted, 0.2) if self.wishes.delivery == "rap" else wanted
        gaps = np.clip(room, 1, self.strong.shape[1] - 1)
        strength = self.strong[np.arange(len(self.places)), gaps]
        cost = self._stress(last, strength) + 5.0 * np.maximum(0.0, 1.0 - seconds / wanted)
        cost = cost + np.where(room < 1, 50.0, 0.0)
        spare = self.span.end - self.places - self.setting.bar_steps * 7 // 8
        return np.asarray(cost + 0.22 * np.maximum(0, spare))

    def _likeness(self, i: int) -> Floats:
        """Returns the cost of going from a place to another beside the parallel line's onsets, (from, to)."""
        like = np.array(self.wishes.like)
        off = (~np.isin(self.places, like)).astype(np.float64) * LIKENESS_COST
        passed = np.searchsorted(np.sort(like), self.places)  # how many of its onsets lie before each place
        skipped = np.maximum(0, passed[None, :] - passed[:, None] - np.isin(self.places, like)[:, None])
        cost = off[None, :] + 0.5 * LIKENESS_COST * skipped
        if len(like) == len(self.syllables):
            cost = cost + np.where(self.places == self.wishes.like[i], 0.0, 0.6)[None, :]
        if i < min(self.wishes.same, len(like)):
            cost = cost + np.where(self.places == self.wishes.like[i], 0.0, SAME_COST)[None, :]
        if i == 0:
            first = SAME_COST * (self.places != self.wishes.like[0]) * (self.wishes.same > 0)
            cost = np.broadcast_to(off + 0.5 * LIKENESS_COST * passed + first, cost.shape)
        return np.asarray(cost)


def _with_lengths(
    onsets: tuple[int, ...], syllables: tuple[LineSyllable, ...], span: Span, setting: Setting, held: int
) -> Slots:
    """Returns the notes: joined within the line but for a rest at commas, the last one held, then breath.

    After a held syllable the last one is no longer than it.
    """
    seconds = setting.bar_seconds / setting.bar_steps
    slots = []
    for onset, following, syllable in zip(onsets, onsets[1:], syllables, strict=False):
        gap = following - onset
        rest = 0
        if syllable.pause and gap * seconds >= 0.4:
            rest = min(gap // 3, max(1, round(0.2 / seconds)))
        slots.append((onset, max(1, gap - rest)))
    longest = max(2, round(LONGEST_FINAL_SECONDS / seconds))
    last = min(max(1, span.end - onsets[-1]), longest)
    beat = setting.plan.beat_ticks // 240
    if last > 2 * beat and (onsets[-1] + last) % beat:
        last -= (onsets[-1] + last) % beat
    if held < len(slots):
        last = min(last, max(length for _, length in slots[held:]))
    return (*slots, (onsets[-1], last))
