"""Bass: lines of the style book laid under the chords, and composed basses (walking, root and fifth, pedal, tumbao)."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from songwright.compose.arrange.context import Context, Performance, Player, Stint
from songwright.compose.arrange.lines import (
    Event,
    Run,
    choose_runs,
    degree_interval,
    heard_chord,
    key_interval,
    lay_out,
)
from songwright.compose.arrange.slides import slide_bends
from songwright.compose.arrange.touch import Touch
from songwright.score.instruments import instrument
from songwright.score.song import TICKS_PER_QUARTER, Note, PitchBend
from songwright.score.theory import Chord

_GHOST, _ACCENT = -34.0, 12.0


def write_bass(context: Context, player: Player) -> Performance:
    """Returns what the bass plays in the whole song."""
    notes: list[Note] = []
    bends: list[PitchBend] = []
    for stint in player.stints:
        touch = Touch(context, stint, player.part.id, base=81, depth=0.8)
        previous = _centre(player)
        for run in choose_runs(context, player.part, stint):
            maker = _GENERATORS.get(run.pattern.generator)
            if maker is not None:
                written = maker(context, player, stint, run, previous, touch)
            else:
                written, slid = _write_line(context, player, stint, run, previous, touch)
                bends.extend(slid)
            if written:
                previous = written[-1].pitch
            notes.extend(written)
        notes = _lead_on(context, player, stint, notes)
    return Performance(tuple(sorted(notes)), (), tuple(bends))


def ring_bass(context: Context, player: Player, velocity: int) -> list[Note]:
    """Returns the held root of the last chord."""
    chord = context.chords.at(context.ring_start)
    if chord is None:
        return []
    pitch = _root(player, chord.bass_pitch_class, _centre(player))
    length = context.ring_bars * context.plan.bar_ticks
    return [Note(context.ring_start, length, pitch, velocity)]


def _centre(player: Player) -> int:
    low, high = _bounds(player)
    return low + min(8, (high - low) // 2)


def _bounds(player: Player) -> tuple[int, int]:
    """Returns the range: the part's register inside the instrument's, never under an octave."""
    what = instrument(player.instrument)
    low = max(player.part.register[0], what.low)
    return low, max(low + 12, min(player.part.register[1], what.high))


def _root(player: Player, pitch_class: int, near: int) -> int:
    """Returns where a root lies: in the lower part of the range, near the note before."""
    low, high = _bounds(player)
    centre = _centre(player)
    choices = [p for p in range(low, min(high, low + 16) + 1) if p % 12 == pitch_class % 12]
    return min(choices, key=lambda p: (abs(p - near) + 1.2 * abs(p - centre), p))


def _fit(player: Player, pitch: int) -> int:
    """Returns a pitch moved by octaves into what the instrument plays, two or three notes past the register allowed."""
    what = instrument(player.instrument)
    low, high = _bounds(player)
    while pitch > min(what.high, high + 3):
        pitch -= 12
    while pitch < max(what.low, low - 3) and pitch + 12 <= what.high:
        pitch += 12
    return pitch


def _write_line(
    context: Context, player: Player, stint: Stint, run: Run, previous: int, touch: Touch
) -> tuple[list[Note], list[PitchBend]]:
    notes: list[Note] = []
    bends: list[PitchBend] = []
    root = previous
    for event in lay_out(context, run, stint.section.first_bar):
        chord, change = heard_chord(context, event)
        if chord is None:
            continue
        root = _root(player, chord.bass_pitch_class, root)
        if run.pattern.from_ != "key" and event.symbol.isdigit() and _arrives(context, event.start):
            event = replace(event, symbol="8" if event.symbol == "8" else "1")
        pitch = _pitch(context, player, stint, event, chord, root, run.pattern.from_)
        if pitch is None:
            continue
        held = event.end - event.start
        if change is not None and (event.symbol not in ("1", "8") or event.end - change < context.plan.beat_ticks // 2):
            held = change - event.start
        elif change is not None:
            notes.append(_note(player, event, change - event.start, pitch, touch))
            following = context.chords.at(change)
            if following is not None:
                root = _root(player, following.bass_pitch_class, root)
                event = replace(event, start=change)
                pitch, held = root, event.end - change
        note = _note(player, event, held, pitch, touch)
        if event.slide:
            bends.extend(slide_bends(context, note, notes[-1].pitch if notes else previous))
        notes.append(note)
    return notes, bends


def _arrives(context: Context, tick: int) -> bool:
    """Whether another chord begins here, on a beat: the bass says so, whatever degree its figure has."""
    place = context.chords.index_at(tick)
    if not context.chords.spans or tick % context.plan.beat_ticks or context.chords.spans[place][0] != tick:
        return False
    before = context.chords.spans[place - 1][2] if place else None
    return before is None or before.bass_pitch_class != context.chords.spans[place][2].bass_pitch_class


def _note(player: Player, event: Event, length: int, pitch: int, touch: Touch) -> Note:
    gate = 0.35 if event.ghost else 0.5 if event.staccato else player.part.gate
    extra = _GHOST if event.ghost else _ACCENT if event.accent else 0.0
    return Note(event.start, max(30, int(length * gate)), pitch, touch(event.start, extra))


def _pitch(
    context: Context, player: Player, stint: Stint, event: Event, chord: Chord, root: int, counted_from: str
) -> int | None:
    key = context.key_of(stint.section)
    if event.symbol in "<>^":
        change = context.chords.next_change(event.start)
        following = change[1] if change is not None else chord
        target = _root(player, following.bass_pitch_class, root)
        step = {"<": -1, ">": 1, "^": 7 if target - 5 < _bounds(player)[0] else -5}[event.symbol]
        return _fit(player, target + step + 12 * event.octaves)
    if counted_from == "key":
        interval = key_interval(event.symbol, key)
        base = _root(player, key.tonic, _centre(player))
        return None if interval is None else _fit(player, base + interval + 12 * event.octaves)
    interval = degree_interval(event.symbol, chord, key)
    if interval is None:
        return None
    if chord.bass is not None and interval % 12 and event.symbol not in ("1", "8"):
        # over a slash chord the other degrees count from the chord's own root, above the sounding bass
        interval += (chord.root - chord.bass) % 12
        interval -= 12 if interval > 14 else 0
    return _fit(player, root + interval + 12 * event.octaves)


def _lead_on(context: Context, player: Player, stint: Stint, notes: list[Note]) -> list[Note]:
    """Returns the notes with the last beat before a new section turned, sometimes, into a step to its first root."""
    plan = context.plan
    end = stint.end_bar * plan.bar_ticks
    chord = context.chords.at(end)
    random = context.random(stint.section.label, player.part.id, "lead on")
    if end >= context.ring_start or chord is None or context.style.feel.programmed or random.random() > 0.6:
        return notes
    beat = plan.beat_ticks
    last = [i for i, n in enumerate(notes) if end - beat <= n.start_ticks < end]
    if not last or any(n.start_ticks < end - beat < n.end_ticks - 60 for n in notes[max(0, last[0] - 2) : last[0]]):
        return notes
    target = _root(player, chord.bass_pitch_class, notes[last[0]].pitch)
    side = 1 if notes[last[0]].pitch > target else -1
    scale = set(context.key_of(stint.section).pitch_classes)
    far = next((p for p in (target + 3 * side, target + 4 * side) if p % 12 in scale), target + 3 * side)
    near = next((p for p in (target + 2 * side, target + side) if p % 12 in scale), target + side)
    velocity, half = notes[last[0]].velocity, beat // 2
    turn = [
        Note(end - beat, int(half * 0.9), _fit(player, far), min(124, velocity + 2)),
        Note(end - half, int(half * 0.9), _fit(player, near), min(124, velocity + 6)),
    ]
    return notes[: last[0]] + turn


# ----------------------------------------------------------------------------------------------------- composed basses


def _walking(context: Context, player: Player, stint: Stint, run: Run, previous: int, touch: Touch) -> list[Note]:
    """Returns a walking bass: roots where chords begin, chord tones on strong beats, the last beat leads on."""
    plan, beat = context.plan, context.plan.beat_ticks
    start, end = run.first_bar * plan.bar_ticks, run.end_bar * plan.bar_ticks
    low, high = _bounds(player)
    random = context.random(stint.section.label, player.part.id, "walk", run.first_bar)
    spans = context.chords.within(start, end, merge=True)
    notes: list[Note] = []
    pitch = previous
    for i, (a, b, chord) in enumerate(spans):
        key = context.key_of(stint.section)
        ticks = list(range(a, b, beat))
        upcoming = spans[i + 1][2] if i + 1 < len(spans) else (context.chords.at(b) or chord)
        first = _walk_root(player, chord.bass_pitch_class, pitch, notes)
        target = _near(upcoming.bass_pitch_class, first + (5 if first < (low + high) / 2 else -5), low, high)
        line = _walk_line(first, target, chord, [pc for pc in key.pitch_classes], len(ticks), low, high, random)
        for place, (tick, p) in enumerate(zip(ticks, line, strict=True)):
            length = min(beat, b - tick)
            accent = 3.0 if (tick // beat) % 2 else 0.0
            notes.append(Note(tick, max(60, int(length * 0.92)), p, touch(tick, accent)))
            skip = place and plan.beat_ticks == TICKS_PER_QUARTER and random.random() < 0.09 * stint.intensity
            if skip and length == beat:
                notes[-1] = replace(notes[-1], duration_ticks=int(beat * 0.45))
                notes.append(Note(tick + beat // 2, int(beat * 0.3), p, touch(tick + beat // 2, -22.0)))
        pitch = line[-1]
    return notes


def _near(pitch_class: int, wish: int, low: int, high: int) -> int:
    return min((p for p in range(low, high + 1) if p % 12 == pitch_class % 12), key=lambda p: (abs(p - wish), p))


def _walk_root(player: Player, pitch_class: int, pitch: int, notes: list[Note]) -> int:
    """Returns the first note over a chord: its root nearest to where the line is."""
    low, high = _bounds(player)
    return _near(pitch_class, pitch, low, high)


def _walk_line(
    first: int,
    target: int,
    chord: Chord,
    scale: list[int],
    count: int,
    low: int,
    high: int,
    random: np.random.Generator,
) -> list[int]:
    """Returns `count` notes from `first` that arrive one step before `target`, the best of many weighed lines."""
    if count <= 1:
        return [first][:count]
    chord_tones = set(chord.pitch_classes)
    passing = {pc for pc in scale if all((pc - tone) % 12 != 1 or tone == chord.root for tone in chord_tones)}
    colours = chord_tones | passing
    best: dict[int, tuple[float, list[int]]] = {first: (0.0, [first])}
    for place in range(1, count):
        last = place == count - 1
        strong = place % 2 == 0
        allowed = [target - 1, target + 1, target - 2, target + 2, target + 7, target - 5] if last else None
        following: dict[int, tuple[float, list[int]]] = {}
        candidates = [p for p in (allowed or range(low, high + 1)) if low <= p <= high]
        for at, (cost, line) in best.items():
            way = at - line[-2] if len(line) > 1 else 0
            for p in candidates:
                step = abs(p - at)
                if step == 0 or step > 9 or (p == target and last):
                    continue
                price = (
                    cost + random.random() * 1.2 + (0.0 if step <= 2 else 0.45 * (step - 2) - 0.2 * (step in (3, 4)))
                )
                price += 0.6 * (way * (p - at) < 0)
                if not last:
                    price += 0.0 if p % 12 in chord_tones else 0.5 if p % 12 in colours and not strong else 2.2
                    price += 0.5 * (p in line)
                else:
                    price += 0.0 if abs(p - target) == 1 else 0.5 if p % 12 in colours else 1.4
                price += 0.05 * max(0, abs(p - (low + high) / 2) - 7)
                if p not in following or price < following[p][0]:
                    following[p] = (price, [*line, p])
        best = following or {at: (c, [*line, at]) for at, (c, line) in best.items()}
    return min(best.values(), key=lambda row: (row[0], row[1]))[1]


def _root_fifth(context: Context, player: Player, stint: Stint, run: Run, previous: int, touch: Touch) -> list[Note]:
    """Returns roots and fifths by turns on the strong beats, the fifth below where there is room."""
    plan, beat = context.plan, context.plan.beat_ticks
    beats = plan.bar_ticks // beat
    grid = [0] if beats == 3 else list(range(0, beats, 2)) if beats > 2 else [0, 1]
    low, _ = _bounds(player)
    notes: list[Note] = []
    root = previous
    for bar in range(run.first_bar, run.end_bar):
        begin = bar * plan.bar_ticks
        for count, place in enumerate(grid):
            tick = begin + place * beat
            following = begin + (grid[count + 1] * beat if count + 1 < len(grid) else plan.bar_ticks)
            chord = context.chords.at(tick)
            if chord is None:
                continue
            root = _root(player, chord.bass_pitch_class, root)
            turn = (count if beats != 3 else bar - run.first_bar) % 2
            same = count == 0 or context.chords.at(begin + grid[count - 1] * beat) == chord
            pitch = root
            if turn and same and chord.bass is None:
                pitch = root - 12 + chord.fifth if root - 12 + chord.fifth >= low - 1 else root + chord.fifth
            notes.append(Note(tick, int((following - tick) * player.part.gate), pitch, touch(tick)))
    return notes


def _pedal(context: Context, player: Player, stint: Stint, run: Run, previous: int, touch: Touch) -> list[Note]:
    """Returns the key's tonic (or the run's first root) held under all chords, struck again every bar."""
    plan = context.plan
    key = context.key_of(stint.section)
    chord = context.chords.at(run.first_bar * plan.bar_ticks)
    tonic = key.tonic if chord is None or key.tonic in chord.pitch_classes else chord.bass_pitch_class
    pitch = _root(player, tonic, previous)
    bars = range(run.first_bar, run.end_bar)
    return [Note(b * plan.bar_ticks, int(plan.bar_ticks * 0.97), pitch, touch(b * plan.bar_ticks)) for b in bars]


def _tumbao(context: Context, player: Player, stint: Stint, run: Run, previous: int, touch: Touch) -> list[Note]:
    """Returns the son bass: nothing on one, the fifth on the and of two, the next chord's root on four, tied over."""
    plan, beat = context.plan, context.plan.beat_ticks
    notes: list[Note] = []
    root = previous
    for bar in range(run.first_bar, run.end_bar):
        begin = bar * plan.bar_ticks
        chord = context.chords.at(begin)
        if chord is None:
            continue
        if bar == stint.section.first_bar:
            root = _root(player, chord.bass_pitch_class, root)
            notes.append(Note(begin, int(beat * 1.4), root, touch(begin)))
        middle = context.chords.at(begin + 3 * beat // 2) or chord
        root = _root(player, middle.bass_pitch_class, root)
        fifth = root + middle.fifth if root + middle.fifth <= _bounds(player)[1] else root - 12 + middle.fifth
        notes.append(Note(begin + 3 * beat // 2, int(beat * 1.4), _fit(player, fifth), touch(begin + 3 * beat // 2)))
        following = context.chords.at(begin + plan.bar_ticks) or chord
        anticipated = _root(player, following.bass_pitch_class, root)
        tick = begin + plan.bar_ticks - beat
        length = beat * 2 if bar + 1 < run.end_bar else beat
        notes.append(Note(tick, int(length * 0.95), anticipated, touch(tick, 8.0)))
    return notes


_GENERATORS: dict[str, Callable[[Context, Player, Stint, Run, int, Touch], list[Note]]] = {
    "walking": _walking,
    "root_fifth": _root_fifth,
    "pedal": _pedal,
    "tumbao": _tumbao,
}
