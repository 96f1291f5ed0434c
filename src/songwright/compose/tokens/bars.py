"""Bars of a song on the grid, and what is in force in each: metre, tempo, key.

Time is counted from each bar line, so that bars whose length is no whole number of steps push nothing out of place.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.vocabulary import (
    MAX_BAR_STEPS,
    METERS,
    MODE_NAMES,
    TEMPOS_BPM,
    TICKS_PER_STEP,
    meter_steps,
)
from songwright.errors import InputError
from songwright.score.song import TICKS_PER_QUARTER, MeterChange, Song
from songwright.score.theory import Key, parse_key

Ints = NDArray[np.int64]
TEMPO_SLACK = 0.75
"""A bar keeps the tempo of the one before unless it is further off than this share of a bin."""

_METER_PLACES = {meter: place for place, meter in enumerate(METERS)}


@dataclass(frozen=True)
class GridBars:
    """The bars of a song.

    Attributes:
        ticks: (bars + 1,) where they begin in the song, and where the last ends.
        steps: (bars,) their lengths on the grid.
        meters: (bars,) places in `METERS`; a bar may be shorter than its metre.
    """

    ticks: Ints
    steps: Ints
    meters: Ints

    def step_of(self, ticks: Ints) -> Ints:
        """Returns the step nearest to each tick, counted from the beginning of the song; it goes on after the end."""
        starts = np.concatenate([[0], np.cumsum(self.steps)])
        bar = np.clip(np.searchsorted(self.ticks, ticks, side="right") - 1, 0, len(self.steps))
        limit = np.append(self.steps, np.iinfo(np.int64).max >> 1)[bar]
        inside = np.minimum((ticks - self.ticks[bar] + TICKS_PER_STEP // 2) // TICKS_PER_STEP, limit)
        found: Ints = starts[bar] + inside
        return found

    def nearest(self, tick: int) -> int:
        """Returns the bar whose beginning is nearest to a tick."""
        starts = self.ticks[:-1]
        at = int(np.searchsorted(starts, tick))
        options = [i for i in (at - 1, at) if 0 <= i < len(starts)]
        return min(options, key=lambda i: abs(int(starts[i]) - tick))


def grid_bars(song: Song) -> GridBars:
    """Returns the bars of a song, at least one, reaching over the beginning of its last note."""
    reach = max((n.start_ticks for t in song.tracks for n in t.notes), default=0) + 1
    end = max(song.duration_ticks, reach)
    meters = [m for m in song.meters if m.tick < end]
    if reach > song.duration_ticks:
        last = meters[-1]
        end = last.tick - (last.tick - reach) // last.bar_ticks * last.bar_ticks
    ticks: list[int] = []
    steps: list[int] = []
    places: list[int] = []
    for meter, stop in zip(meters, [*(m.tick for m in meters[1:]), end], strict=True):
        place, length = _meter_place(meter), meter.bar_ticks
        for start in range(meter.tick, stop, length):
            bar_end = min(start + length, stop)
            for at in range(start, bar_end, MAX_BAR_STEPS * TICKS_PER_STEP):
                part = min(bar_end - at, MAX_BAR_STEPS * TICKS_PER_STEP)
                ticks.append(at)
                steps.append(max(1, (part + TICKS_PER_STEP // 2) // TICKS_PER_STEP))
                places.append(place)
    return GridBars(
        np.array([*ticks, end], dtype=np.int64), np.array(steps, dtype=np.int64), np.array(places, dtype=np.int64)
    )


def _meter_place(meter: MeterChange) -> int:
    """Returns the place of a metre, or of the next longer one that tokens have (two whole notes at most)."""
    numerator, denominator = meter.numerator, meter.denominator
    if denominator > 32:
        numerator, denominator = -(-numerator * 32 // denominator), 32
    return _METER_PLACES[min(numerator, 2 * denominator), denominator]


def meter_changes(steps: Ints, meters: Ints) -> tuple[MeterChange, ...]:
    """Returns the metres that give these bars: a change follows every bar that is shorter than its metre."""
    changes = []
    tick = 0
    short = True
    before = -1
    for length, meter in zip(steps.tolist(), meters.tolist(), strict=True):
        if short or meter != before:
            changes.append(MeterChange(tick, *METERS[meter]))
        short, before = length != meter_steps(meter), meter
        tick += length * TICKS_PER_STEP
    return tuple(changes)


def dense_tempos(song: Song, bars: GridBars) -> Ints:
    """Returns (bars,) the tempo bin of each bar: its mean tempo, held until it moves by most of a bin."""
    ticks = np.array([t.tick for t in song.tempos], dtype=np.float64)
    seconds_per_tick = np.array([60.0 / (t.bpm * TICKS_PER_QUARTER) for t in song.tempos])
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(ticks) * seconds_per_tick[:-1])])
    at = np.searchsorted(ticks, bars.ticks, side="right") - 1
    passed = seconds[at] + (bars.ticks - ticks[at]) * seconds_per_tick[at]
    bpm = np.diff(bars.ticks) * 60.0 / (TICKS_PER_QUARTER * np.maximum(np.diff(passed), 1e-9))
    exact = np.clip(np.log2(bpm / 120.0) * 16.0 + TEMPOS_BPM.index(120.0), 0, len(TEMPOS_BPM) - 1)
    found = []
    current = -10.0
    for value in exact.tolist():
        if abs(value - current) > TEMPO_SLACK:
            current = float(round(value))
        found.append(int(current))
    return np.array(found, dtype=np.int64)


def key_number(key: Key) -> int:
    """Returns the number of a key."""
    return key.tonic * len(MODE_NAMES) + MODE_NAMES.index(key.mode)


def key_of(number: int) -> Key:
    """Returns the key of a number; the inverse of `key_number`."""
    tonic, mode = divmod(number, len(MODE_NAMES))
    return Key(tonic, MODE_NAMES[mode])


def dense_keys(song: Song, bars: GridBars) -> Ints:
    """Returns (bars,) the key of each bar; changes move to the nearest bar line, unknown keys change nothing."""
    found = np.zeros(len(bars.steps), dtype=np.int64)
    for change in song.keys:
        if change.tick >= bars.ticks[-1]:
            break
        try:
            key = parse_key(change.key)
        except InputError:
            continue
        if key.mode in MODE_NAMES:
            found[bars.nearest(change.tick) :] = key_number(key)
    return found
