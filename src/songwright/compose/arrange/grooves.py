"""How drummers of a style play: dynamics and timing, learned from recorded performances (tables/grooves.json).

`drums` asks for velocities, `feel` for timing. The tables are made by recipes/grooves/build.py from the training part
of the Groove MIDI dataset (Gillick et al., "Learning to Groove with Inverse Sequence Transformations", ICML 2019).
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from songwright.compose.arrange.drum_patterns import Hit
from songwright.compose.plan import SongPlan
from songwright.compose.style import Part, Style
from songwright.errors import ConfigError
from songwright.score.drums import DRUMS
from songwright.score.song import TICKS_PER_QUARTER
from songwright.seeding import generator

TABLE_FILE = Path(__file__).parents[1] / "tables" / "grooves.json"
POOLED = "all"
"""The table of all styles together, for styles without drummers of their own."""

TD11_TO_GENERAL_MIDI = {
    36: 36, 38: 38, 40: 38, 37: 37, 48: 50, 50: 50, 45: 47, 47: 47, 43: 43, 58: 43, 46: 46, 26: 46, 42: 42, 22: 42,
    44: 44, 49: 49, 55: 49, 57: 57, 52: 57, 51: 51, 59: 51, 53: 53,
}  # fmt: skip
"""Notes of the electronic kit on which Groove MIDI was recorded → General MIDI drums."""

MARKS = "goxX"
LEVELS = {"g": 42.0, "o": 72.0, "x": 94.0, "X": 112.0}
"""Velocity of each letter of the pattern language where nothing was learned."""

_RELATED = {"gospel": "soul"}  # recorded as fills only
_LEARNED_SHARE = 0.85
_LEARNED_SHARE_OF_KICK = 0.35  # records hold it steadier than jams do
_CURVE_SHARE = 0.45
_KIT_SPREAD = 4.0
_NEAREST_DRUM = {
    "kick_2": "kick", "snare_2": "snare", "high_tom": "high_tom", "mid_tom_2": "mid_tom", "low_tom": "floor_tom_2",
    "floor_tom": "floor_tom_2", "crash": "crash_2", "splash": "crash_2", "china": "crash_2", "ride_2": "ride",
}  # fmt: skip


@lru_cache(maxsize=1)
def load_tables() -> Mapping[str, Any]:
    """Returns the learned tables: style of Groove MIDI → table (see recipes/grooves/README.md).

    Raises:
        ConfigError: the file of the package is missing or broken.
    """
    try:
        tables: dict[str, Any] = json.loads(TABLE_FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"groove tables cannot be read, install songwright again: {error}") from error
    return tables


def groove_table(style: Style) -> Mapping[str, Any]:
    """Returns the table of the drummers that a style borrows.

    Raises:
        ConfigError: the style names drummers that the tables do not know.
    """
    tables, name = load_tables(), style.feel.groove_midi or POOLED
    name = _RELATED.get(name, name)
    if name not in tables:
        raise ConfigError(f"style {style.name}: no groove table '{name}'; there are: {', '.join(sorted(tables))}")
    table: Mapping[str, Any] = tables[name]
    return table


def drum_row(table: Mapping[str, Any], steps: int, drum: str) -> Mapping[str, Any] | None:
    """Returns what a table knows of a drum on a grid of 16 or 12 steps; all styles together when it knows nothing."""
    pooled = load_tables()[POOLED]
    for name in (drum, _NEAREST_DRUM.get(drum, drum)):
        for source in (table, pooled):
            row: Mapping[str, Any] | None = source[f"steps{steps}"].get(name)
            if row is not None:
                return row
    return None


def places(
    ticks: npt.NDArray[np.int64], plan: SongPlan, style: Style
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Returns for each tick whether it lies among triplets, and its step in the bar: of 12 if so, else of 16."""
    inside = ticks % plan.bar_ticks
    if plan.beat_ticks == TICKS_PER_QUARTER * 3 // 2:
        return np.ones(len(ticks), dtype=bool), np.round(inside / 480).astype(np.int64) % 12
    beat, rest = inside // TICKS_PER_QUARTER, inside % TICKS_PER_QUARTER
    third = TICKS_PER_QUARTER // 3
    triplet = (rest % third == 0) & (rest > 0)
    swung = (rest == TICKS_PER_QUARTER // 2) & (style.feel.swing_unit == 8) & (style.feel.swing >= 0.5)
    index = np.where(triplet, beat * 3 + rest // third, np.where(swung, beat * 3 + 2, np.round(inside / 240)))
    steps = np.where(triplet | swung, 12, 16)
    return triplet | swung, index.astype(np.int64) % steps


def levels_of(style: Style, drum: str) -> dict[str, float]:
    """Returns the velocity of each letter for one drum: learned where the style is played by people."""
    if style.feel.programmed or (row := drum_row(groove_table(style), 16, drum)) is None:
        return dict(LEVELS)
    learned = dict(zip(MARKS, row["levels"], strict=True))
    share = _LEARNED_SHARE_OF_KICK if drum in ("kick", "kick_2") else _LEARNED_SHARE
    return {m: share * learned[m] + (1 - share) * LEVELS[m] for m in MARKS}


def velocities(hits: Sequence[Hit], plan: SongPlan, style: Style, part: Part, *, seed: int) -> list[int]:
    """Returns a velocity for each stroke: the letter's level, the style's curve over the bar, a hand's unevenness.

    Args:
        hits: strokes marked ``g o x X``.
        plan: the form.
        style: names the drummers.
        part: the player.
        seed: of the song.
    """
    if not hits:
        return []
    random = generator(seed, "velocity", part.id)
    ticks = np.array([h.tick for h in hits], dtype=np.int64)
    gains = np.array([h.gain for h in hits])
    names = np.array([DRUMS[h.drum] for h in hits])
    marks = np.array([MARKS.index(h.mark) for h in hits])
    noise = random.standard_normal(len(hits))
    if style.feel.programmed:
        return _limited(np.array([LEVELS[m] for m in MARKS])[marks] * gains + 1.2 * noise)
    table = groove_table(style)
    in_triplets, place = places(ticks, plan, style)
    out = np.empty(len(hits))
    for drum in dict.fromkeys(h.drum for h in hits):
        mine = names == DRUMS[drum]
        level = np.array([levels_of(style, drum)[m] for m in MARKS])
        out[mine] = level[marks[mine]]
        spread = 4.0
        out[mine] += _KIT_SPREAD * generator(seed, "kit", part.id, drum).standard_normal()
        for steps, among in ((16, mine & ~in_triplets), (12, mine & in_triplets)):
            row = drum_row(table, steps, drum)
            if row is not None:
                loud = marks[among] == MARKS.index("X")
                out[among] += np.array(row["curve"])[place[among]] * np.where(loud, 0.5, 1.0) * _CURVE_SHARE
                spread = min(9.0, 0.3 * row["spread"])
        uneven = noise[mine]
        uneven[1:] = 0.9 * uneven[1:] + 0.43 * uneven[:-1]
        out[mine] += spread * uneven * np.where(marks[mine] == MARKS.index("X"), 0.6, 1.0)
    return _limited(out * gains)


def _limited(values: npt.NDArray[np.float64]) -> list[int]:
    return [int(v) for v in np.clip(np.round(values), 1, 127)]


class SongTiming:
    """The timing that all live players of one song share, in milliseconds, and what is each drum's own.

    Args:
        plan: the form.
        style: names the drummers.
        seed: of the song.

    The common part drifts smoothly from sixteenth to sixteenth; its size and memory are the drummers', drawn together
    to `TIGHTNESS` because they played freely to a click where a record is a chosen take.
    """

    TIGHTNESS = 0.35

    def __init__(self, plan: SongPlan, style: Style, *, seed: int) -> None:
        self._plan, self._style = plan, style
        self._table = groove_table(style)
        random = generator(seed, "feel", "common")
        memory = min(0.95, max(0.8, float(self._table["drift_correlation"]) ** 0.25))
        spread = self.TIGHTNESS * float(self._table["drift_ms"])
        count = plan.num_bars * plan.bar_ticks // 240 + 18
        shocks = random.standard_normal(count) * spread * float(np.sqrt(1 - memory**2))
        drift = np.empty(count)
        value = random.standard_normal() * spread
        for index, shock in enumerate(shocks):
            drift[index] = value
            value = memory * value + shock
        self._drift = drift
        self._template = {steps: self._mean_lateness(steps) for steps in (16, 12)}

    def _mean_lateness(self, steps: int) -> npt.NDArray[np.float64]:
        rows = list(self._table[f"steps{steps}"].values()) or list(load_tables()[POOLED][f"steps{steps}"].values())
        weights = np.array([float(r["strokes"]) for r in rows])
        late: npt.NDArray[np.float64] = (weights[:, None] * np.array([r["late_ms"] for r in rows])).sum(0)
        return _bounded(late / weights.sum())

    def common_ms(self, ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Returns how late the whole band is at these ticks."""
        in_triplets, place = places(ticks, self._plan, self._style)
        template = np.where(in_triplets, self._template[12][place % 12], self._template[16][place])
        drift = np.interp(ticks / 240, np.arange(len(self._drift)), self._drift)
        return np.asarray(template + drift)

    def drum_ms(self, ticks: npt.NDArray[np.int64], drum: str) -> npt.NDArray[np.float64]:
        """Returns how late a drum is at these ticks: its own mean place against the band's drift."""
        in_triplets, place = places(ticks, self._plan, self._style)
        late = np.zeros(len(ticks))
        for steps, among in ((16, ~in_triplets), (12, in_triplets)):
            row = drum_row(self._table, steps, drum)
            curve = self._template[steps] if row is None else _bounded(np.array(row["late_ms"]))
            late[among] = curve[place[among]]
        return np.asarray(late + np.interp(ticks / 240, np.arange(len(self._drift)), self._drift))

    def jitter_ms(self, drum: str) -> float:
        """Returns the spread of single strokes of a drum around its place."""
        row = drum_row(self._table, 16, drum)
        return self.TIGHTNESS * (12.0 if row is None else float(row["jitter_ms"]))


def _bounded(late_ms: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.clip(0.7 * late_ms, -9.0, 9.0))
