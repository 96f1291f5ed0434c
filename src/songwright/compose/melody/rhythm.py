"""Rhythms of phrases: many are drawn from the learned model, and the one that answers the plan best is kept."""

from dataclasses import dataclass, replace

import numpy as np

from songwright.compose.melody.features import Floats, Ints, cell_onsets
from songwright.compose.melody.model import RhythmModel
from songwright.compose.melody.phrase_plan import PhrasePlan, Setting

NUM_CANDIDATES = 24
WORDS_FACTOR = 4
"""Given syllables are harder to please: so many times more rhythms are drawn."""
DENSITY_WEIGHT = 0.3
"""Cost of one note too many or too few in a bar, squared."""
SYNCOPATION_WEIGHT = 14.0
"""Cost of a cell's distance from the wanted syncopation, squared."""
LIKELIHOOD_WEIGHT = 0.06
STRESS_WEIGHT = 0.8
HOLD_WEIGHT = 3.0
"""Cost of a close whose last note comes late in its bar: full closes, and all but those of pop."""
SYNCOPATION_SHARE = (0.6, 0.3, 0.2, 0.3)
"""Share of notes that anticipate a beat in a style that says 1, by corpus."""
FASTEST_SECONDS = 0.13
"""Notes shorter than this are left to ornaments."""

Slots = tuple[tuple[int, int], ...]
"""Notes as (start, length) in sixteenths from the phrase's first bar line."""


@dataclass(frozen=True)
class Rhythm:
    """The rhythm of a phrase.

    Attributes:
        cells: what was drawn, one for each bar (two in 12/8, half a one in 2/4).
        slots: its notes.
    """

    cells: tuple[int, ...]
    slots: Slots


def write_rhythm(
    model: RhythmModel,
    plan: PhrasePlan,
    setting: Setting,
    random: np.random.Generator,
    *,
    unlike: tuple[int, ...] = (),
    count: int = NUM_CANDIDATES,
) -> Rhythm:
    """Returns the rhythm of a phrase.

    Args:
        model: of the metre.
        plan: density, syncopation, syllables.
        setting: of the song.
        random: draws.
        unlike: cells of a phrase to contrast with.
        count: how many rhythms are drawn to choose from.
    """
    plan = replace(plan, num_bars=plan.num_bars - plan.rest_bars, rest_bars=0)
    num_cells = cells_in(plan.num_bars, setting)
    if plan.syllables is not None:
        count *= WORDS_FACTOR
        plan = replace(plan, notes_per_bar=plan.syllables / plan.num_bars)
    cells, scores = draw_cells(model, plan, setting, random, num_cells, count, unlike)
    best: tuple[float, Rhythm] | None = None
    for row, score in zip(cells, scores, strict=True):
        slots = slots_of(model, row, plan, setting)
        if not slots:
            continue
        if plan.syllables is not None:
            off = abs(len(slots) - plan.syllables)
            slots = with_count(slots, plan.syllables)
            score = score - 1.5 * off + STRESS_WEIGHT * stress_match(slots, plan.stresses, setting)
        if best is None or score > best[0]:
            best = (float(score), Rhythm(tuple(int(c) for c in row), slots))
    if best is None:
        plain = ((0, plan.num_bars * setting.bar_steps - 2),)
        return Rhythm((), plain if plan.syllables is None else with_count(plain, plan.syllables))
    return best[1]


def cells_in(num_bars: int, setting: Setting) -> int:
    """Returns how many cells make so many bars."""
    if setting.bar_steps == 2 * setting.cell_steps:
        return 2 * num_bars
    if setting.bar_steps * 2 == setting.cell_steps:
        return (num_bars + 1) // 2
    return num_bars


def draw_cells(
    model: RhythmModel,
    plan: PhrasePlan,
    setting: Setting,
    random: np.random.Generator,
    num_cells: int,
    count: int,
    unlike: tuple[int, ...],
) -> tuple[Ints, Floats]:
    """Returns (count, num_cells) cells drawn from the model, bent towards the plan, and a score for each row."""
    per_cell = plan.notes_per_bar * plan.num_bars / num_cells
    wanted = SYNCOPATION_SHARE[setting.group] * plan.syncopation
    constant = {
        "group": np.full(count, setting.group),
        "density": np.full(count, int(np.searchsorted(model.density_edges, per_cell))),
        "syncopation": np.full(count, int(np.searchsorted(model.syncopation_edges, wanted))),
    }
    tilt = -DENSITY_WEIGHT * (model.onsets - per_cell) ** 2
    tilt = tilt - SYNCOPATION_WEIGHT * (model.syncopation - wanted) ** 2
    step_seconds = setting.bar_seconds / setting.bar_steps
    if step_seconds < FASTEST_SECONDS:
        tilt = tilt - 6.0 * model.fast * (FASTEST_SECONDS - step_seconds) / FASTEST_SECONDS
    cells = np.full((count, num_cells), -1)
    scores = np.zeros(count)
    for i in range(num_cells):
        place = 3 if i == num_cells - 1 and num_cells > 1 else min(i, 2)
        history = np.stack([cells[:, i - lag] if i >= lag else np.full(count, -1) for lag in (1, 2, 4)], axis=1)
        table = model.scores(place=np.full(count, place), history=history, **constant)
        table = (
            table
            + tilt
            + _fitting(model, setting, cells[:, i - 1] if i else None, i, num_cells, full=plan.cadence == "full")
        )
        if place == 3 and (plan.cadence == "full" or setting.group):
            table = table - HOLD_WEIGHT * np.maximum(model.last_onset, 0) / setting.cell_steps
        if unlike and i < len(unlike):
            table = table - 0.5 * model.tables.alike[unlike[i]]
        drawn = table + random.gumbel(size=table.shape)
        cells[:, i] = drawn.argmax(axis=1)
        log_total = np.log(np.exp(table - table.max(axis=1, keepdims=True)).sum(axis=1)) + table.max(axis=1)
        scores += (table[np.arange(count), cells[:, i]] - log_total) * LIKELIHOOD_WEIGHT
    mean_onsets = model.onsets[cells].mean(axis=1)
    scores -= DENSITY_WEIGHT * 2 * np.abs(mean_onsets - per_cell)
    return cells, scores


def _fitting(
    model: RhythmModel, setting: Setting, before: Ints | None, i: int, num_cells: int, *, full: bool
) -> Floats:
    """Returns the bias of cells by what may stand at this place of a phrase; only a full close may be held a bar."""
    tables = model.tables
    bias = np.zeros(len(tables.cells))
    held = (model.onsets == 0) & (tables.opening == 1)
    bias[model.onsets == 0] = -np.inf
    if i == 0:
        bias[tables.opening == 1] = -np.inf
        bias[model.first_onset > setting.cell_steps // 4] = -np.inf
    if i == num_cells - 1:
        limit = setting.cell_steps * 5 // 8
        bias[model.last_onset > limit] = -np.inf
        if i > 1 and full:
            bias[held] = 0.0
    result = bias[None, :]
    if before is not None:
        rested = tables.closing[before][:, None] == 1
        result = np.where(rested & (tables.opening == 1)[None, :], -np.inf, result)
    return result


def slots_of(model: RhythmModel, cells: Ints, plan: PhrasePlan, setting: Setting) -> Slots:
    """Returns the notes of cells laid out over bars, the last one cut short for breath (less at a full close)."""
    num_bars = plan.num_bars
    texts = [model.tables.cells[c] for c in cells]
    steps = setting.bar_steps
    if steps in (setting.cell_steps * 2, setting.cell_steps // 2):
        line = "".join(texts)
    else:
        line = "".join(_stretched(text, steps) for text in texts)
    line = line[: num_bars * steps]
    slots: list[tuple[int, int]] = []
    for i, mark in enumerate(line):
        if mark == "x":
            slots.append((i, 1))
        elif mark == "-" and slots and sum(slots[-1]) == i:
            slots[-1] = (slots[-1][0], slots[-1][1] + 1)
    if slots:
        breath = max(2, steps // (8 if plan.cadence == "full" else 4))
        start, length = slots[-1]
        room = num_bars * steps - breath - start
        slots[-1] = (start, max(min(length, room), min(2, length)))
    return tuple(slots)


def _stretched(cell: str, steps: int) -> str:
    """Returns a cell cut or lengthened to an unusual bar."""
    if steps <= len(cell):
        return cell[:steps]
    return cell + ("x" + "-" * (steps - len(cell) - 1))


def with_count(slots: Slots, count: int) -> Slots:
    """Returns the rhythm with exactly so many notes: the longest are split, short weak ones joined to those before."""
    notes = list(slots)
    while len(notes) > count:
        weakest = min(range(1, len(notes)), key=lambda i: (notes[i][1] - 4 * (notes[i][0] % 4 == 0), -i))
        start, _ = notes[weakest - 1]
        end = sum(notes[weakest])
        notes[weakest - 1 : weakest + 1] = [(start, end - start)]
    while len(notes) < count:
        longest = max(range(len(notes)), key=lambda i: (notes[i][1], -i))
        start, length = notes[longest]
        if length < 2:
            break
        first = length // 2 if length < 4 else (length // 2 + 1) // 2 * 2
        notes[longest : longest + 1] = [(start, first), (start + first, length - first)]
    return tuple(notes)


def stress_match(slots: Slots, stresses: tuple[int, ...], setting: Setting) -> float:
    """Returns the share of stressed syllables on strong or long notes less that of unstressed ones there."""
    if not stresses or len(stresses) != len(slots):
        return 0.0
    strong = [virtual_stress(s, n, setting) for s, n in slots]
    return sum((1 if a else -1) * (1 if b else -0.5) for a, b in zip(stresses, strong, strict=True)) / len(slots) * 4


def virtual_stress(start: int, length: int, setting: Setting) -> int:
    """Returns 1 where a syllable on this note is naturally stressed: on a main beat, or held over one."""
    beat = setting.plan.beat_ticks // 240
    place = start % setting.bar_steps
    return int(place % (2 * beat) == 0 or (place % beat == 0 and length >= beat) or length >= 2 * beat)


def draw_upbeat(model: RhythmModel, setting: Setting, random: np.random.Generator, share: float) -> Slots:
    """Returns notes that lead into a phrase, at steps below 0; none as a rule.

    Args:
        model: of the metre.
        setting: of the song; at fast tempos there are no sixteenths.
        random: draws.
        share: chance of any upbeat.
    """
    longest = setting.bar_steps // 2
    slow = setting.bar_seconds / setting.bar_steps >= FASTEST_SECONDS
    rows = [
        (text, count)
        for text, count in model.upbeats
        if 0 < text.count("x") <= 3 and len(text) - text.index("x") <= longest and (slow or not _has_sixteenths(text))
    ]
    if not rows or random.random() >= share:
        return ()
    weights = np.array([float(c) for _, c in rows])
    text = rows[int(random.choice(len(rows), p=weights / weights.sum()))][0]
    onsets = cell_onsets(text)
    ends = (*onsets[1:], len(text))
    return tuple((a - len(text), b - a) for a, b in zip(onsets, ends, strict=True))


def _has_sixteenths(text: str) -> bool:
    return "xx" in text or text.endswith("x")
