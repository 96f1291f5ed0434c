"""Drum patterns of a style book as hits in bars: reading lanes, changing metre, choosing by section and energy.

What a song does with the patterns (fills, crashes, joints) is in `drums` and `percussion`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Part, Pattern
from songwright.score.song import MeterChange
from songwright.seeding import generator

TIMEKEEPERS = ("closed_hat", "pedal_hat", "open_hat", "ride", "ride_bell", "shaker", "cabasa", "maracas")
BEATS_OF_FOUR = {2: (0, 1), 3: (0, 2, 3), 5: (0, 1, 2, 0, 3), 6: (0, 1, 2, 3, 2, 3), 7: (0, 1, 2, 3, 0, 2, 3)}


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """One stroke before it is a note.

    Attributes:
        tick: from the start of the song (or of the bar, where said).
        drum: a name of `score.drums.DRUMS`.
        mark: letter of the pattern language: ``X x o g f r t``.
        step_ticks: length of the pattern's step, for rolls.
        gain: factor on the velocity (crescendos, dynamics).
    """

    tick: int
    drum: str
    mark: str
    step_ticks: int = 240
    gain: float = 1.0


@dataclass(frozen=True, slots=True)
class _Meter:
    bar: int
    beat: int
    compound: bool

    @classmethod
    def of(cls, numerator: int, denominator: int) -> "_Meter":
        bar = MeterChange(0, numerator, denominator).bar_ticks
        compound = denominator == 8 and numerator % 3 == 0
        return cls(bar, 1440 if compound else 3840 // denominator, compound)


def pattern_bars(pattern: Pattern, plan: SongPlan) -> tuple[tuple[Hit, ...], ...]:
    """Returns the bars of a groove in the song's metre, ticks counted from each bar line."""
    source, target = _meters(pattern, plan)
    hits = _lane_hits(pattern, source)
    count = max(1, pattern.steps // pattern.grid)
    bars = []
    for index in range(count):
        inside = [replace(h, tick=h.tick - index * source.bar) for h in hits if h.tick // source.bar == index]
        bars.append(tuple(sorted(inside if source == target else _change_meter(inside, source, target))))
    return tuple(bars)


def fill_hits(pattern: Pattern, plan: SongPlan) -> tuple[Hit, ...]:
    """Returns a fill's hits in the song's metre, ticks counted back from the bar line it leads to (below 0)."""
    source, target = _meters(pattern, plan)
    length = pattern.steps * source.bar // pattern.grid
    out = {}
    for hit in _lane_hits(pattern, source):
        tick = hit.tick - length
        beat = tick // source.beat
        moved = replace(hit, tick=beat * target.beat + _place(tick - beat * source.beat, source, target))
        out[moved.tick, moved.drum] = moved
    return tuple(sorted(out.values()))


def fill_ticks(pattern: Pattern, plan: SongPlan) -> int:
    """Returns how much time a fill takes in the song's metre."""
    source, target = _meters(pattern, plan)
    return pattern.steps * source.bar // pattern.grid * target.beat // source.beat


def _meters(pattern: Pattern, plan: SongPlan) -> tuple[_Meter, _Meter]:
    numerator, _, denominator = pattern.meter.partition("/")
    return _Meter.of(int(numerator), int(denominator)), _Meter.of(plan.numerator, plan.denominator)


def _lane_hits(pattern: Pattern, meter: _Meter) -> list[Hit]:
    step = meter.bar // pattern.grid
    hits = []
    for drum, lane in pattern.lanes.items():
        for index in range(pattern.steps):
            mark = lane[index % len(lane)]
            if mark != ".":
                hits.append(Hit(index * step, drum, mark, step))
    return hits


def _change_meter(hits: Iterable[Hit], source: _Meter, target: _Meter) -> list[Hit]:
    """Returns a bar's hits moved beat by beat into another metre: a backbeat stays on the last beat."""
    have, want = source.bar // source.beat, target.bar // target.beat
    order = tuple(i * have // want for i in range(want))
    if have == 4 and want in BEATS_OF_FOUR:
        order = BEATS_OF_FOUR[want]
    out: dict[tuple[int, str], Hit] = {}
    hits = list(hits)
    for new_beat, beat in enumerate(order):
        inside = [h for h in hits if h.tick // source.beat == beat]
        for hit in inside:
            place = _place(hit.tick - beat * source.beat, source, target)
            moved = replace(hit, tick=new_beat * target.beat + place)
            out.setdefault((moved.tick, moved.drum), moved)
        if target.compound and not source.compound:
            for drum in sorted({h.drum for h in inside if h.drum in TIMEKEEPERS}):
                base = new_beat * target.beat
                if (base, drum) in out and (base + target.beat * 2 // 3, drum) in out:
                    out.setdefault((base + target.beat // 3, drum), Hit(base + target.beat // 3, drum, "o", 480))
    rest = want * target.beat
    return [h for h in out.values() if h.tick < min(rest, target.bar)]


def _place(ticks: int, source: _Meter, target: _Meter) -> int:
    """Returns where in a target beat something lies that lay `ticks` after a source beat."""
    share = ticks / source.beat
    if target.compound and not source.compound:
        share = 0.0 if share < 0.4 else 2 / 3
    elif source.compound and not target.compound:
        share = 0.0 if share < 0.2 else 0.5 if share < 0.75 else 0.75
    return round(share * target.beat)


def choose_groove(part: Part, plan: SongPlan, section: SectionPlan, intensity: float, seed: int) -> Pattern | None:
    """Returns the groove of a section; the same role at the same intensity always has the same.

    Patterns of the song's metre, of this role, and whose energy range holds the intensity come first; where none
    fits, the nearest does.
    """
    steady = [p for p in part.pattern if not p.fill and p.probability >= 1.0]
    steady = steady or [p for p in part.pattern if not p.fill]
    return _nearest(steady, part, plan, section.role, intensity, seed)


def choose_variation(
    part: Part, plan: SongPlan, section: SectionPlan, intensity: float, groove: Pattern, seed: int
) -> Pattern | None:
    """Returns the pattern that stands in for a groove in some bars, or None."""
    rare = [p for p in part.pattern if not p.fill and p.probability < 1.0 and p.meter == groove.meter]
    rare = [p for p in rare if _holds(p, intensity) and (not p.sections or section.role in p.sections)]
    return _nearest(rare, part, plan, section.role, intensity, seed)


def _holds(pattern: Pattern, intensity: float) -> bool:
    return pattern.energy[0] - 1e-9 <= intensity <= pattern.energy[1] + 1e-9


def _nearest(
    patterns: list[Pattern], part: Part, plan: SongPlan, role: str, intensity: float, seed: int
) -> Pattern | None:
    meter = f"{plan.numerator}/{plan.denominator}"
    compound = plan.beat_ticks == 1440

    def cost(pattern: Pattern) -> tuple[float, float]:
        miss = max(pattern.energy[0] - intensity, intensity - pattern.energy[1], 0.0)
        foreign = 0.0 if pattern.meter == meter else 4.0
        if foreign and pattern.meter in ("6/8", "12/8", "9/8") and compound:
            foreign = 2.0
        elsewhere = 0.0 if not pattern.sections else (-0.5 if role in pattern.sections else 3.0)
        luck = generator(seed, "groove", part.id, part.pattern.index(pattern)).random()
        return (round(foreign + elsewhere + (3.0 * miss + 0.6 if miss > 1e-9 else 0.0), 6), luck)

    return min(patterns, key=cost, default=None)
