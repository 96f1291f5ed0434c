"""Phrases: written new, taken up with another ending, fitted to other chords, embellished."""

from dataclasses import dataclass, field, replace

import numpy as np

from songwright.compose.melody.features import SCALE
from songwright.compose.melody.model import MelodyModel
from songwright.compose.melody.phrase_plan import STEP_TICKS, PhrasePlan, Setting
from songwright.compose.melody.pitch import Bend, Guide, Past, write_pitches
from songwright.compose.melody.rhythm import Rhythm, Slots, virtual_stress, with_count, write_rhythm
from songwright.compose.plan import Phrase

STRICT = 30.0
"""Cost of a semitone away from a tune that must be kept."""
LOOSE = 0.35


@dataclass(frozen=True)
class Line:
    """A phrase with its notes.

    Attributes:
        plan: what it was written to.
        slots: (start, length) in sixteenths from the first bar line; an upbeat has starts below 0.
        pitches: MIDI notes.
        cells: its rhythm cells.
        graces: index of a note to the MIDI pitch of the grace note before it.
    """

    plan: PhrasePlan
    slots: Slots
    pitches: tuple[int, ...]
    cells: tuple[int, ...] = ()
    graces: dict[int, int] = field(default_factory=dict)

    def steps(self) -> tuple[tuple[int, int], ...]:
        """Returns (absolute step, pitch) of its notes."""
        first = self.plan.start_ticks // STEP_TICKS
        return tuple((first + s, p) for (s, _), p in zip(self.slots, self.pitches, strict=True))

    def phrase(self, setting: Setting) -> Phrase:
        """Returns how a singer breathes it."""
        start = self.plan.start_ticks
        first = min(0, self.slots[0][0]) * STEP_TICKS if self.slots else 0
        stresses = self.plan.stresses or tuple(virtual_stress(s, n, setting) for s, n in self.slots)
        end = start + self.plan.num_bars * setting.plan.bar_ticks
        return Phrase(max(0, start + first), end, self.plan.shape, len(self.slots), stresses)


def write_phrase(
    model: MelodyModel,
    plan: PhrasePlan,
    setting: Setting,
    random: np.random.Generator,
    *,
    before: Line | None = None,
    rhythm: Rhythm | None = None,
    upbeat: Slots = (),
    guide: Guide | None = None,
    unlike: tuple[int, ...] = (),
    bend: Bend | None = None,
) -> Line:
    """Returns a phrase written to its plan, with exactly as many notes as it has syllables if these are given.

    Args:
        model: learned weights.
        plan: of the phrase.
        setting: of the song.
        random: draws.
        before: the phrase that it follows.
        rhythm: a given rhythm; None draws one.
        upbeat: notes that lead into it (they count as syllables).
        guide: a tune to follow (indices count the upbeat).
        unlike: rhythm cells to contrast with.
        bend: what words add.
    """
    inner = plan if plan.syllables is None else replace(
        plan, syllables=max(1, plan.syllables - len(upbeat)), stresses=plan.stresses[len(upbeat) :]
    )  # fmt: skip
    if rhythm is None:
        rhythm = write_rhythm(model.rhythm, inner, setting, random, unlike=unlike)
    elif inner.syllables is not None and len(rhythm.slots) != inner.syllables:
        rhythm = Rhythm(rhythm.cells, with_count(rhythm.slots, inner.syllables))
    slots = (*upbeat, *rhythm.slots)
    shift = lift_at(setting, plan.start_ticks)
    first = plan.start_ticks // STEP_TICKS
    tonic = setting.plan.key.tonic + shift
    past = tuple((s - first, p - tonic) for s, p in (before.steps() if before else ()) if s - first < slots[0][0])
    pitches = write_pitches(model, plan, setting, slots, random, past=Past(past), guide=guide, shift=shift, bend=bend)
    return Line(plan, slots, pitches, rhythm.cells)


def lift_at(setting: Setting, tick: int) -> int:
    """Returns the key's shift in the section of a tick."""
    return setting.plan.section_at(tick).key_shift


def with_new_ending(
    model: MelodyModel,
    line: Line,
    plan: PhrasePlan,
    setting: Setting,
    random: np.random.Generator,
    *,
    keep: float = 0.5,
    new_rhythm: bool = False,
    upbeat: Slots | None = None,
) -> Line:
    """Returns a phrase that begins as another does and ends its own way.

    Args:
        model: learned weights.
        line: the phrase that it takes up.
        plan: of the new phrase; of the same length.
        setting: of the song.
        random: draws.
        keep: share of the phrase, in time, that stays.
        new_rhythm: whether what is new gets another rhythm.
        upbeat: replaces the other's upbeat where it has no room.
    """
    own = tuple(s for s in line.slots if s[0] < 0)
    lead_in = own if upbeat is None else upbeat
    body = tuple(s for s in line.slots if s[0] >= 0)
    cells = line.cells
    end = line.plan.num_bars * setting.bar_steps * keep
    sung_bars = plan.num_bars - plan.rest_bars
    if (new_rhythm or plan.rest_bars > line.plan.rest_bars) and sung_bars > 1:
        other = write_rhythm(model.rhythm, plan, setting, random, count=12)
        kept_bars = min(sung_bars - 1, max(1, round(plan.num_bars * keep)))
        cut = kept_bars * setting.bar_steps
        tail = tuple(s for s in other.slots if s[0] >= cut)
        if tail:
            head = tuple((s, min(n, cut - s)) for s, n in body if s < cut)
            body, cells = (*head, *tail), _joined_cells(line.cells, other.cells, kept_bars / line.plan.num_bars)
    pitch_of = dict(zip((s for s, _ in line.slots), line.pitches, strict=True))
    slots = (*lead_in, *body)
    pitches = {i: (pitch_of[s], STRICT) for i, (s, _) in enumerate(slots) if s in pitch_of and s < end}
    fitted = fitted_guide(line, plan, setting, pitches, slots)
    return write_phrase(model, plan, setting, random, rhythm=Rhythm(cells, body), upbeat=lead_in, guide=Guide(fitted))


def _joined_cells(first: tuple[int, ...], second: tuple[int, ...], share: float) -> tuple[int, ...]:
    """Returns the rhythm cells of a phrase that begins as one does and ends as another."""
    if len(first) != len(second):
        return first
    cut = round(len(first) * share)
    return (*first[:cut], *second[cut:])


def moved(model: MelodyModel, line: Line, start_ticks: int, setting: Setting, random: np.random.Generator) -> Line:
    """Returns a phrase sung again elsewhere: the same notes, but for those that other chords there do not bear."""
    shift = lift_at(setting, start_ticks) - lift_at(setting, line.plan.start_ticks)
    plan = replace(
        line.plan, start_ticks=start_ticks, low=line.plan.low + shift, high=line.plan.high + shift,
        centre=line.plan.centre + shift,
    )  # fmt: skip
    pitches = tuple(p + shift for p in line.pitches)
    wanted = {i: (p, STRICT) for i, p in enumerate(pitches)}
    kept = fitted_guide(replace(line, pitches=pitches), plan, setting, wanted, line.slots)
    if all(weight == STRICT for _, weight in kept.values()):
        return replace(line, plan=plan, pitches=pitches, graces={i: p + shift for i, p in line.graces.items()})
    body = tuple(s for s in line.slots if s[0] >= 0)
    upbeat = tuple(s for s in line.slots if s[0] < 0)
    return write_phrase(model, plan, setting, random, rhythm=Rhythm(line.cells, body), upbeat=upbeat, guide=Guide(kept))


def fitted_guide(
    line: Line, plan: PhrasePlan, setting: Setting, wanted: dict[int, tuple[int, float]], slots: Slots
) -> dict[int, tuple[int, float]]:
    """Returns the guide without strictness where the chords differ and would not bear the note."""
    shift = lift_at(setting, plan.start_ticks)
    old_shift = lift_at(setting, line.plan.start_ticks)
    tonic = setting.plan.key.tonic + shift
    kept = {}
    for i, (pitch, weight) in wanted.items():
        step, length = slots[i]
        here = setting.harmony_of(plan.start_ticks, step, length, shift)
        there = setting.harmony_of(line.plan.start_ticks, step, length, old_shift)
        degree = (pitch - tonic) % 12
        strong = length >= 4 or step % (setting.bar_steps // 2 or 1) == 0
        bears = here.bias[degree] > -2.0 and not (strong and here.classes[degree] >= SCALE)
        same = here is there
        kept[i] = (pitch, weight if same or bears else min(weight, LOOSE))
    return kept


def embellished(line: Line, setting: Setting, random: np.random.Generator) -> Line:
    """Returns a phrase with the style's grace notes and, in jazz, approaches by semitone."""
    share = setting.style.melody.ornaments
    shift = lift_at(setting, line.plan.start_ticks)
    tonic = setting.plan.key.tonic + shift
    pitches, graces = list(line.pitches), {}
    for i, (step, length) in enumerate(line.slots):
        chance = float(random.random())
        harmony = setting.harmony_of(line.plan.start_ticks, step, length, shift)
        if i and length >= 3 and chance < share and pitches[i] != pitches[i - 1]:
            below = setting.style.melody.scale == "blues" or pitches[i] > pitches[i - 1]
            grace = _neighbour(pitches[i], tonic, harmony.bias, -1 if below else 1, setting)
            if grace != pitches[i - 1]:
                graces[i] = grace
        following = line.slots[i + 1] if i + 1 < len(line.slots) else None
        if setting.style.family == "jazz" and following and length <= 2 and step % 4 and chance < share:
            target = pitches[i + 1]
            if following[1] >= 2 and abs(pitches[i] - target) <= 4 and following[0] % 4 == 0 and i:
                pitches[i] = target - 1 if pitches[i] <= target else target + 1
    return replace(line, pitches=tuple(pitches), graces=graces)


def _neighbour(pitch: int, tonic: int, bias: np.ndarray, direction: int, setting: Setting) -> int:
    """Returns the usable note next to a pitch; the semitone below in blues and jazz."""
    if direction < 0 and (setting.style.melody.scale == "blues" or setting.style.family == "jazz"):
        return pitch - 1
    for distance in (1, 2, 3):
        if bias[(pitch + direction * distance - tonic) % 12] > -2.0:
            return pitch + direction * distance
    return pitch + 2 * direction
