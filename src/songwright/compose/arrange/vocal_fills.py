"""What a lead instrument says between sung lines: the rhythm and direction of what was sung, as a line of its own.

A quoted line of words is full of repeated notes; an instrument that repeats them stammers. So the rhythm is kept, with
repeated notes joined, and the pitches walk the way the voice went: chord tones on beats, the scale between.
"""

from collections.abc import Sequence

from songwright.compose.arrange.context import Context
from songwright.score.song import Note
from songwright.score.theory import Key

_SHORTEST = 2
"""Fewer notes are no answer."""


def answer(
    context: Context, said: Sequence[Note], begin: int, stop: int, bounds: tuple[int, int], key: Key, velocity: int
) -> list[Note]:
    """Returns an instrument's answer, nothing where there is no room for two notes.

    Args:
        context: for the chords and the beat.
        said: the notes to answer, in order.
        begin: from where there is room.
        stop: until where.
        bounds: lowest and highest pitch.
        key: whose scale is walked.
        velocity: of the first note; the line fades a little.
    """
    low, high = bounds
    rhythm = _rhythm(context, said, begin, stop)
    if len(rhythm) < _SHORTEST:
        return []
    start = _tones(context, rhythm[0][0], key)
    options = [p for p in range(low, high + 1) if p % 12 in start]
    pitch = min(options, key=lambda p: (abs(p - (low + high) / 2 - 1), p))
    found: list[Note] = []
    way = 1
    for i, (tick, length, turn) in enumerate(rhythm):
        if i:
            way = turn or way
            pitch, way = _next(context, pitch, way, tick, bounds, key, resting=i == len(rhythm) - 1)
        found.append(Note(tick, length, pitch, max(30, velocity - 2 * i)))
    return found


def _rhythm(context: Context, said: Sequence[Note], begin: int, stop: int) -> list[tuple[int, int, int]]:
    """Returns (start, length, direction from the note before) of each note; repeated notes of up to a beat are one."""
    beat = context.plan.beat_ticks
    joined: list[Note] = []
    for note in said:
        same = joined and note.pitch == joined[-1].pitch
        if same and note.end_ticks - joined[-1].start_ticks <= beat and len(said) > _SHORTEST + 1:
            before = joined[-1]
            joined[-1] = Note(before.start_ticks, note.end_ticks - before.start_ticks, note.pitch, note.velocity)
        else:
            joined.append(note)
    if not joined:
        return []
    part = context.part_ticks
    shift = begin + (joined[0].start_ticks - begin) % part - joined[0].start_ticks
    rows: list[tuple[int, int, int]] = []
    for i, note in enumerate(joined):
        tick = note.start_ticks + shift
        if tick >= stop - beat // 8:
            break
        rise = note.pitch - joined[i - 1].pitch if i else 0
        rows.append((tick, max(60, min(note.duration_ticks, stop - tick) * 9 // 10), (rise > 0) - (rise < 0)))
    if rows:
        tick, length, turn = rows[-1]
        rows[-1] = (tick, max(length, min(beat * 3 // 2, stop - tick)), turn)
    return rows


def _tones(context: Context, tick: int, key: Key) -> set[int]:
    chord = context.chords.at(tick)
    return set(chord.pitch_classes) if chord is not None else {key.tonic, (key.tonic + 7) % 12}


def _next(
    context: Context, pitch: int, way: int, tick: int, bounds: tuple[int, int], key: Key, *, resting: bool
) -> tuple[int, int]:
    """Returns the next pitch that way, and the way it really went: turned about at the edge of the register."""
    tones = _tones(context, tick, key)
    strong = resting or tick % context.plan.beat_ticks == 0
    rubbing = {(t + side) % 12 for t in tones for side in (1, -1)}
    allowed = tones if strong else tones | (set(key.pitch_classes) - rubbing)
    for turn in (way, -way):
        reach = range(pitch + turn, pitch + 8 * turn, turn)
        found = next((p for p in reach if p % 12 in allowed and bounds[0] <= p <= bounds[1]), None)
        if found is not None:
            return found, turn
    return pitch, way
