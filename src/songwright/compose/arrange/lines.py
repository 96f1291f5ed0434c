"""The token lines of style books, read and laid out in time: bass, riff and arpeggio lines, comping figures.

A pattern becomes `Event`s in ticks, in the song's metre whatever the pattern's own. What a token means as pitch is
the writers' business (`degree_interval` helps them).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from songwright.compose.arrange.context import Context, Stint
from songwright.compose.arrange.drum_patterns import BEATS_OF_FOUR
from songwright.compose.plan import SongPlan
from songwright.compose.style import Part, Pattern
from songwright.score.song import MeterChange
from songwright.score.theory import MODES, Chord, Key

_SAME = 0.13
"""Sections of one role whose intensities lie no further apart play the same figures."""

_TOKEN = re.compile(r"^(\d+(?:\+\d+)*|[#b]+\d+|[A-Za-z]|[<>^])([',!?*~]*)$")


@dataclass(frozen=True, slots=True)
class Event:
    """One token laid out in time.

    Attributes:
        start, end: ticks; the end of the last step it is held over.
        symbol: the token without its suffixes.
        octaves: up (above 0) or down.
        accent, ghost, staccato, slide: what the suffixes say.
    """

    start: int
    end: int
    symbol: str
    octaves: int = 0
    accent: bool = False
    ghost: bool = False
    staccato: bool = False
    slide: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive bars that play the same pattern."""

    pattern: Pattern
    first_bar: int
    end_bar: int


def parse_token(token: str) -> tuple[str, str] | None:
    """Returns a token's symbol and suffixes; None if it is no token."""
    if token == "*":
        return "*", ""
    match = _TOKEN.match(token)
    return (match.group(1), match.group(2)) if match else None


def steps_of_bar(pattern: Pattern, bar: int, plan: SongPlan) -> list[tuple[int, int, str]]:
    """Returns (start, end, token) of every step of one of a pattern's bars, in ticks from the song's bar line.

    In another metre beats are kept whole, as the drums keep them: three of four are the first and the last two.
    Between a metre of twos and one of threes the half of a beat becomes its last third, and back.
    """
    tokens = pattern.tokens[bar * pattern.grid : (bar + 1) * pattern.grid]
    numerator, denominator = (int(x) for x in pattern.meter.split("/"))
    own_bar = MeterChange(0, numerator, denominator).bar_ticks
    if (numerator, denominator) == (plan.numerator, plan.denominator):
        edges = [step * own_bar // pattern.grid for step in range(pattern.grid + 1)]
        return list(zip(edges, edges[1:], tokens, strict=False))
    compound = denominator == 8 and numerator % 3 == 0
    have = numerator // 3 if compound else numerator
    want = plan.bar_ticks // plan.beat_ticks
    order = BEATS_OF_FOUR.get(want, ()) if have == 4 else ()
    order = order or tuple(i * have // want for i in range(want))
    own_beat = own_bar / have
    bend = _place_in_beat(compound, (pattern.grid / have) % 3 == 0, plan)
    rows = []
    for target, source in enumerate(order):
        for step, token in enumerate(tokens):
            share = step * own_bar / pattern.grid / own_beat - source
            if -1e-9 <= share < 1 - 1e-9:
                rows.append((round((target + bend(max(0.0, share))) * plan.beat_ticks), token))
    ends = [*(start for start, _ in rows[1:]), plan.bar_ticks]
    return [(start, end, token) for (start, token), end in zip(rows, ends, strict=True) if end > start]


def _place_in_beat(compound: bool, threes: bool, plan: SongPlan) -> Callable[[float], float]:
    """Returns the map from a place in a pattern's beat to one in the song's, both 0 to 1."""
    to_compound = plan.denominator == 8 and plan.numerator % 3 == 0
    if to_compound and not compound and not threes:
        return lambda share: share * 4 / 3 if share <= 0.5 else 2 / 3 + (share - 0.5) * 2 / 3
    if compound and not to_compound:
        return lambda share: share * 0.75 if share <= 2 / 3 else 0.5 + (share - 2 / 3) * 1.5
    return lambda share: share


def bars_of(pattern: Pattern) -> int:
    """Returns the number of bars of a pattern (1 for a generator)."""
    return max(1, pattern.steps // pattern.grid)


def choose_runs(context: Context, part: Part, stint: Stint) -> list[Run]:
    """Returns what a part plays in a stint: the section's pattern, with variations at phrase ends.

    The choice depends on the section's role, not on its number, so that repeats play the same figure.
    """
    section = stint.section
    base, variations = _candidates(context.plan, part, stint)
    if not base:
        return []
    pattern = min(base, key=lambda p: context.random(section.role, part.id, "luck", part.pattern.index(p)).random())
    runs: list[Run] = []
    for bar in range(stint.first_bar, stint.end_bar):
        place = bar - section.first_bar
        chosen = pattern
        for variation in variations:
            dice = context.random(section.role, part.id, "variation", place).random()
            if place % 4 == 3 and dice < variation.probability:
                chosen = variation
                break
        if runs and runs[-1].pattern is chosen:
            runs[-1] = replace(runs[-1], end_bar=bar + 1)
        else:
            runs.append(Run(chosen, bar, bar + 1))
    return runs


def _candidates(plan: SongPlan, part: Part, stint: Stint) -> tuple[list[Pattern], list[Pattern]]:
    """Returns the patterns that fit a stint, and its variations."""
    meter = f"{plan.numerator}/{plan.denominator}"
    patterns = [p for p in part.pattern if not p.fill]
    patterns = [p for p in patterns if p.meter == meter] or patterns
    role = stint.section.role
    patterns = [p for p in patterns if role in p.sections] or [p for p in patterns if not p.sections]
    first = next((s.energy for s in plan.sections if s.role == role), stint.intensity)
    intensity = first if abs(stint.intensity - first) <= _SAME else stint.intensity
    energy = min(1.0, max(0.0, intensity + 0.2 * (plan.density - 1.0)))

    def distance(pattern: Pattern) -> float:
        low, high = pattern.energy
        return max(low - energy, energy - high, 0.0)

    nearest = min((distance(p) for p in patterns if p.probability >= 1.0), default=0.0)
    fitting = [p for p in patterns if distance(p) <= nearest + 1e-9]
    return [p for p in fitting if p.probability >= 1.0] or fitting[:1], [p for p in fitting if p.probability < 1.0]


def lay_out(context: Context, run: Run, origin_bar: int) -> list[Event]:
    """Returns the events of a run in order.

    Args:
        context: of the arrangement.
        run: bars and pattern.
        origin_bar: the bar from which the pattern's bars are counted (the section's first).
    """
    count = bars_of(run.pattern)
    events: list[Event] = []
    for bar in range(run.first_bar, run.end_bar):
        origin = bar * context.plan.bar_ticks
        for start, end, token in steps_of_bar(run.pattern, (bar - origin_bar) % count, context.plan):
            if token == "-":
                if events and events[-1].end == origin + start:
                    events[-1] = replace(events[-1], end=origin + end)
            elif token != ".":
                parsed = parse_token(token)
                if parsed is not None:
                    events.append(_event(origin + start, origin + end, *parsed))
    return events


def _event(start: int, end: int, symbol: str, marks: str) -> Event:
    return Event(
        start=start,
        end=end,
        symbol=symbol,
        octaves=marks.count("'") - marks.count(","),
        accent="!" in marks,
        ghost="?" in marks,
        staccato="*" in marks,
        slide="~" in marks,
    )


def heard_chord(context: Context, event: Event) -> tuple[Chord | None, int | None]:
    """Returns the chord an event plays, and where the chord changes under it (None if it does not).

    A note struck shortly before a change and held into it anticipates the new chord.
    """
    chord = context.chords.at(event.start)
    change = context.chords.next_change(event.start)
    if change is None or change[0] > event.end:
        return chord, None
    tick, following = change
    if event.end >= tick and tick - event.start <= context.plan.beat_ticks // 2 and event.end - tick > 0:
        return following, None
    return chord, tick if tick < event.end else None


_STEPS = {1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 11}


def degree_interval(symbol: str, chord: Chord, key: Key) -> int | None:
    """Returns the semitones above the chord's root that a degree token means, e.g. 3 for ``"3"`` over Am.

    Args:
        symbol: such as ``"5"``, ``"b7"``, ``"9"``.
        chord: the chord that sounds.
        key: decides degrees that the chord leaves open.

    Returns:
        None if the symbol is no degree.
    """
    sign = symbol.count("#") - symbol.count("b")
    digits = symbol.lstrip("#b")
    if not digits.isdigit() or not 1 <= int(digits) <= 15:
        return None
    octave, step = divmod(int(digits) - 1, 7)
    step += 1
    if symbol[0] in "#b":
        return 12 * octave + _STEPS[step] + sign
    scale = {(pc - chord.root) % 12 for pc in key.pitch_classes}
    if step == 1:
        interval = 0
    elif step == 3:
        interval = chord.third if chord.third is not None else _open_third(chord, scale)
    elif step == 5:
        interval = chord.fifth
    elif step == 7:
        seventh = chord.seventh
        interval = seventh if seventh is not None else (10 if 10 in scale or 11 not in scale else 11)
    else:
        plain = _STEPS[step]
        other = plain + 1 if step == 4 else plain - 1
        interval = plain if plain in scale or other not in scale else other
    return 12 * octave + interval


def _open_third(chord: Chord, scale: set[int]) -> int:
    """Returns what a chord without a third plays in its place: its fourth or second, else the key's third."""
    for interval in (5, 2):
        if interval in chord.intervals:
            return interval
    return 3 if 3 in scale and 4 not in scale else 4


def key_interval(symbol: str, key: Key) -> int | None:
    """Returns the semitones above the tonic that a degree counted from the key means."""
    sign = symbol.count("#") - symbol.count("b")
    digits = symbol.lstrip("#b")
    if not digits.isdigit() or not 1 <= int(digits) <= 15:
        return None
    octave, step = divmod(int(digits) - 1, 7)
    if symbol[0] in "#b":
        return 12 * octave + _STEPS[step + 1] + sign
    scale = MODES[key.mode]
    if len(scale) == 7:
        return 12 * octave + scale[step]
    return 12 * octave + (MODES["minor"] if key.is_minor else MODES["major"])[step]
