"""Counter-lines: guide tones under the tune, answers in its gaps, parallel lines, and its echo."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from songwright.compose.arrange.context import Context, Performance, Player, Stint
from songwright.compose.arrange.lines import choose_runs
from songwright.compose.arrange.pad import SWELLING, swell
from songwright.compose.arrange.touch import Touch
from songwright.score.instruments import instrument
from songwright.score.song import Control, Note
from songwright.score.theory import Chord, Key


def write_counter(context: Context, player: Player) -> Performance:
    """Returns the counter-line of the whole song; never a semitone against the lead."""
    notes: list[Note] = []
    controls: list[Control] = []
    for stint in player.stints:
        touch = Touch(context, stint, player.part.id, base=70, depth=0.7)
        runs = choose_runs(context, player.part, stint)
        name = runs[0].pattern.generator if runs and context.lead.between(*context.span_of(stint)) else "guide_tones"
        if name in ("thirds", "sixths") and context.room is not None and context.room.is_sung(*context.span_of(stint)):
            name = "guide_tones"  # an instrument that speaks every syllable along covers the words
        line = _GENERATORS.get(name, _guide_tones)(context, player, stint, touch)
        if context.room is None or name not in ("answer", "echo") or len(context.style.parts_of("counter")) < 2:
            line = line or _guide_tones(context, player, stint, touch)  # a tune without gaps leaves nothing to answer
        if context.room is not None:
            line = off_the_words(context, line)
        written = [_clear_of_lead(context, note, player) for note in line]
        notes.extend(note for note in written if note is not None)
        if instrument(player.instrument).family in SWELLING:
            controls.extend(swell(context, stint))
    return Performance(tuple(sorted(set(notes))), tuple(controls), ())


def off_the_words(context: Context, line: Sequence[Note]) -> list[Note]:
    """Returns a line whose notes, where the voice is busy, begin between syllables; what has no place there goes."""
    room, beat = context.room, context.plan.beat_ticks
    if room is None:
        return list(line)
    near = beat // 8
    kept: list[Note] = []
    for note in line:
        onsets = [n.start_ticks for n in room.voices.between(note.start_ticks - near, note.start_ticks + 2 * beat)]
        busy = room.is_busy(note.start_ticks - beat, note.start_ticks + 2 * beat, beat)
        if not busy or all(abs(tick - note.start_ticks) > near for tick in onsets):
            kept.append(note)
            continue
        places = [note.start_ticks + k * context.part_ticks for k in range(1, 5)]
        free = [t for t in places if t + beat <= note.end_ticks and all(abs(t - o) > near for o in onsets)]
        if free:
            kept.append(replace(note, start_ticks=free[0], duration_ticks=note.end_ticks - free[0]))
        elif note.duration_ticks >= 2 * beat:
            kept.append(note)  # long tones may begin with a word: they are heard after it
    return kept


def _bounds(player: Player) -> tuple[int, int]:
    what = instrument(player.instrument)
    low = max(player.part.register[0], what.low)
    return low, max(low + 12, min(player.part.register[1], what.high))


def _clear_of_lead(context: Context, note: Note, player: Player) -> Note | None:
    """Returns the note, shortened or dropped where it would clash with the lead by a semitone."""
    for other in context.lead.between(note.start_ticks, note.end_ticks):
        apart = abs(other.pitch - note.pitch) % 12
        if apart not in (1, 11) or abs(other.pitch - note.pitch) > 13:
            continue
        long_enough = other.duration_ticks >= context.plan.beat_ticks // 2
        if other.start_ticks > note.start_ticks + context.plan.beat_ticks:
            return Note(note.start_ticks, other.start_ticks - note.start_ticks, note.pitch, note.velocity)
        if long_enough or other.start_ticks <= note.start_ticks:
            return None
    return note


def fit_to_chord(pitch: float, chord: Chord, low: int, high: int, *, avoid: int | None = None) -> int:
    """Returns the chord tone nearest to a pitch within bounds, other than `avoid`."""
    tones = [p for p in range(low, high + 1) if (p - chord.root) % 12 in {i % 12 for i in chord.intervals}]
    return min(tones, key=lambda p: (abs(p - pitch) + 100 * (p == avoid), p))


def fit_to_scale(pitch: int, key: Key, chord: Chord | None) -> int:
    """Returns the tone of the key or chord nearest to a pitch."""
    allowed = set(key.pitch_classes)
    if chord is not None:
        allowed = {pc for pc in allowed if all((pc - t) % 12 not in (1, 11) for t in chord.pitch_classes)}
        allowed |= set(chord.pitch_classes)
    return min(range(pitch - 4, pitch + 5), key=lambda p: (p % 12 not in allowed, abs(p - pitch), p))


def _guide_tones(context: Context, player: Player, stint: Stint, touch: Touch) -> list[Note]:
    """Returns thirds and sevenths joined by the smallest steps, one or two notes a chord."""
    low, high = _bounds(player)
    start, end = context.span_of(stint)
    random = context.random(stint.section.role, player.part.id, "guide")
    line: list[Note] = []
    pitch = (low + high) / 2 + 2
    spans = context.chords.within(start, end, merge=True)
    for i, (a, b, chord) in enumerate(spans):
        guides = [x for x in (chord.third, chord.seventh) if x is not None] or [chord.fifth, 0]
        if len(guides) == 1:
            guides.append(chord.fifth)
        choices = [p for p in range(low, high + 1) if (p - chord.root) % 12 in guides]
        lead = [n.pitch for n in context.lead.between(a, b)] or [high + 12]
        goal = min(choices, key=lambda p: (_guide_cost(p, pitch, lead), p))
        length = b - a
        half = context.plan.beat_ticks * max(1, length // context.plan.beat_ticks // 2)
        following = spans[i + 1][2] if i + 1 < len(spans) else None
        if following is not None and length >= 3 * context.plan.beat_ticks and random.random() < 0.55:
            middle = fit_to_scale(goal + (2 if random.random() < 0.5 else -2), context.key_of(stint.section), chord)
            line.append(Note(a, half, goal, touch(a)))
            if middle != goal and low <= middle <= high:
                line.append(Note(a + half, length - half, middle, touch(a + half, -4.0)))
                goal = middle
        else:
            line.append(Note(a, length, goal, touch(a)))
        pitch = goal
    return [Note(n.start_ticks, max(60, int(n.duration_ticks * 0.97)), n.pitch, n.velocity) for n in line]


def _guide_cost(candidate: int, before: float, lead: list[int]) -> float:
    """Returns how unwelcome a guide tone is: far from the last, the lead's own tone, or among the lead's notes."""
    doubled = 2.5 * any((candidate - p) % 12 == 0 for p in lead)
    among = 4.0 * (min(lead) - 3 < candidate < max(lead) + 3)
    return abs(candidate - before) + doubled + among + 0.8 * (candidate == before)


def _answer(context: Context, player: Player, stint: Stint, touch: Touch) -> list[Note]:
    """Returns short answers where the lead rests: the rhythm and shape of what it has just sung, on the chord."""
    plan = context.plan
    beat = plan.beat_ticks
    low, high = _bounds(player)
    start, end = context.span_of(stint)
    key = context.key_of(stint.section)
    notes: list[Note] = []
    for gap_start, gap_end in context.lead.gaps(start, end, beat * 3 // 2):
        begin = -(-gap_start // (beat // 2)) * (beat // 2)
        if begin - gap_start < beat // 4:
            begin += beat // 2
        stop = min(gap_end - beat // 4, begin + 2 * plan.bar_ticks)
        said = [n for n in context.lead.between(max(0, gap_start - 2 * plan.bar_ticks), gap_start)][-5:]
        if len(said) >= 2:
            notes.extend(_quoted(context, said, begin, stop, (low, high), key, touch))
    return notes


def _quoted(
    context: Context,
    said: Sequence[Note],
    begin: int,
    stop: int,
    bounds: tuple[int, int],
    key: Key,
    touch: Callable[[int], int],
) -> list[Note]:
    """Returns an answer to what was said: its rhythm and shape once more, on the chord; nothing under two notes."""
    beat = context.plan.beat_ticks
    low, high = bounds
    origin = said[0].start_ticks
    shift = begin + (origin - begin) % (beat // 2) - origin
    first = fit_to_chord((low + high) / 2 + 3, context.chords.at(begin) or _tonic(key), low, high)
    answered: list[Note] = []
    for note in said:
        tick = note.start_ticks + shift
        if tick < begin or tick >= stop - beat // 8:
            continue
        chord = context.chords.at(tick) or _tonic(key)
        wish = first + (note.pitch - said[0].pitch)
        while wish > high:
            wish -= 12
        while wish < low:
            wish += 12
        strong = tick % beat == 0
        pitch = fit_to_chord(wish, chord, low, high) if strong else fit_to_scale(wish, key, chord)
        length = min(note.duration_ticks, stop - tick)
        answered.append(Note(tick, max(60, int(length * 0.9)), pitch, touch(tick)))
    if len(answered) < 2:
        return []
    last = answered[-1]
    chord = context.chords.at(last.start_ticks) or _tonic(key)
    pitch = fit_to_chord(last.pitch, chord, low, high)
    length = max(last.duration_ticks, min(beat, stop - last.start_ticks))
    return [*answered[:-1], Note(last.start_ticks, length, pitch, last.velocity)]


def _tonic(key: Key) -> Chord:
    return Chord(key.tonic, "m" if key.is_minor else "")


def parallel_note(context: Context, note: Note, key: Key, steps: int) -> int:
    """Returns the pitch that many scale steps from a lead note, bent to the chord on strong beats.

    Args:
        context: for the chords.
        note: of the lead.
        key: whose scale is counted.
        steps: -2 a third below, -5 a sixth below, 2 a third above.
    """
    wanted = range(note.pitch - 10, note.pitch - 1) if steps < 0 else range(note.pitch + 2, note.pitch + 11)
    ideal = note.pitch + {-2: -3.5, -5: -8.5, 2: 3.5, 5: 8.5}[steps]
    chord = context.chords.at(note.start_ticks)
    scale = set(key.pitch_classes)
    tones = set(chord.pitch_classes) if chord is not None else scale
    strong = note.start_ticks % context.plan.beat_ticks == 0 or note.duration_ticks > context.plan.beat_ticks

    def cost(pitch: int) -> tuple[float, int]:
        foreign = pitch % 12 not in scale and pitch % 12 not in tones
        loose = strong and pitch % 12 not in tones
        return abs(pitch - ideal) + 6.0 * foreign + 1.6 * loose, pitch

    return min(wanted, key=cost)


def _parallel(context: Context, player: Player, stint: Stint, touch: Touch, steps: int) -> list[Note]:
    low, high = _bounds(player)
    start, end = context.span_of(stint)
    key = context.key_of(stint.section)
    notes = []
    for note in context.lead.between(start, end):
        if note.start_ticks < start:
            continue
        pitch = parallel_note(context, note, key, steps)
        while pitch > high:
            pitch -= 12
        while pitch < low:
            pitch += 12
        notes.append(Note(note.start_ticks, note.duration_ticks, pitch, touch(note.start_ticks)))
    return notes


def _thirds(context: Context, player: Player, stint: Stint, touch: Touch) -> list[Note]:
    return _parallel(context, player, stint, touch, -2)


def _sixths(context: Context, player: Player, stint: Stint, touch: Touch) -> list[Note]:
    return _parallel(context, player, stint, touch, -5)


def _echo(context: Context, player: Player, stint: Stint, touch: Touch) -> list[Note]:
    """Returns the last notes before each rest of the lead once more, softer, as far as they fit the chord."""
    plan = context.plan
    beat = plan.beat_ticks
    low, high = _bounds(player)
    start, end = context.span_of(stint)
    notes = []
    for gap_start, gap_end in context.lead.gaps(start, end, beat):
        tail = [n for n in context.lead.between(gap_start - plan.bar_ticks, gap_start)][-3:]
        if not tail:
            continue
        shift = -(-(gap_start - tail[0].start_ticks) // (beat // 2)) * (beat // 2)
        for note in tail:
            tick = note.start_ticks + shift
            if tick + beat // 4 > gap_end:
                break
            pitch = note.pitch
            while pitch > high:
                pitch -= 12
            while pitch < low:
                pitch += 12
            chord = context.chords.at(tick)
            pitch = fit_to_scale(pitch, context.key_of(stint.section), chord)
            notes.append(Note(tick, min(note.duration_ticks, gap_end - tick), pitch, touch(tick, -12.0)))
    return notes


_GENERATORS: dict[str, Callable[[Context, Player, Stint, Touch], list[Note]]] = {
    "guide_tones": _guide_tones,
    "answer": _answer,
    "thirds": _thirds,
    "sixths": _sixths,
    "echo": _echo,
}
