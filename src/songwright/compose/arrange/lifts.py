"""What makes the last chorus the fullest: the lead doubled, chords an octave higher, second takes of guitars."""

from collections.abc import Sequence
from dataclasses import replace

from songwright.compose.arrange.context import Context, Performance, Player, Stint
from songwright.compose.arrange.counter import parallel_note
from songwright.compose.plan import SectionPlan
from songwright.score.instruments import instrument
from songwright.score.song import Note, Track

FULLER = 1.25
"""How many times the onsets of the first verse the last chorus has, unless it reaches an octave further."""


def lead_double(
    context: Context, player: Player, lead: Performance, stints: Sequence[Stint], device: str
) -> list[Note]:
    """Returns the notes that double the lead in the last chorus.

    Args:
        context: of the arrangement.
        player: the lead.
        lead: what it plays.
        stints: where it is doubled.
        device: ``octave_lead`` or ``harmony_lead``.
    """
    what = instrument(player.instrument)
    notes = []
    for stint in stints:
        start, end = context.span_of(stint)
        key = context.key_of(stint.section)
        doubled = [note for note in lead.notes if start <= note.start_ticks < end]
        octave = 12 if max((note.pitch for note in doubled), default=0) + 12 <= what.high else -12
        for note in doubled:
            if device == "octave_lead":
                pitch = note.pitch + octave
            else:
                pitch = parallel_note(context, note, key, 2)
                pitch = pitch if pitch <= what.high else parallel_note(context, note, key, -2)
            if what.low <= pitch <= what.high:
                notes.append(replace(note, pitch=pitch, velocity=max(20, note.velocity - 10), syllable=None))
    return notes


def chords_double(context: Context, player: Player, notes: Sequence[Note], *, pulse: int = 0) -> list[Note]:
    """Returns a chord player's last chorus an octave higher, without what would cover the lead.

    Args:
        context: of the arrangement.
        player: whose part it is.
        notes: what it plays in the song.
        pulse: into how many strokes a beat of a held chord is parted; 0 leaves it whole.
    """
    step = context.plan.beat_ticks // max(1, pulse)
    what = instrument(player.instrument)
    doubled = []
    for stint in player.stints:
        start, end = context.span_of(stint)
        for note in notes:
            if not stint.lifted or not start <= note.start_ticks < end or note.pitch + 12 > what.high:
                continue
            lead = context.lead.between(note.start_ticks, note.end_ticks)
            if all(abs(other.pitch - note.pitch - 12) > 2 for other in lead):
                high = replace(note, pitch=note.pitch + 12, velocity=max(20, note.velocity - 8))
                doubled.extend(_pulsed(high, step) if pulse else [high])
    return doubled


def _pulsed(note: Note, step: int) -> list[Note]:
    """Returns a held note struck again every `step` ticks, the repeats a little softer."""
    count = max(1, note.duration_ticks // step)
    return [
        replace(
            note,
            start_ticks=note.start_ticks + i * step,
            duration_ticks=step * 4 // 5 if count > 1 else note.duration_ticks,
            velocity=note.velocity - (8 if i % 2 else 0),
        )
        for i in range(count)
    ]


def second_take(context: Context, part_id: str, notes: Sequence[Note]) -> tuple[Note, ...]:
    """Returns the same part played once more: other small differences in time and strength."""
    random = context.random(part_id, "second take")
    reach = context.ticks_of_ms(3.0 if context.style.feel.programmed else 7.0)
    late: dict[int, int] = {}
    taken = []
    for note in notes:
        if note.start_ticks not in late:
            late[note.start_ticks] = int(random.integers(-reach, reach + 1))
        velocity = min(124, max(18, note.velocity + int(random.integers(-4, 5))))
        taken.append(replace(note, velocity=velocity, offset_ticks=note.offset_ticks + late[note.start_ticks]))
    return tuple(taken)


def is_fuller(context: Context, tracks: Sequence[Track]) -> bool:
    """Whether the last chorus has clearly more onsets than the first verse, or reaches an octave further."""
    first, last = context.plan.opening, context.plan.climax
    if first is None or last is None:
        return True
    a, b = _fullness(context, tracks, first), _fullness(context, tracks, last)
    return b[0] >= FULLER * a[0] or b[1] >= a[1] + 12


def _fullness(context: Context, tracks: Sequence[Track], section: SectionPlan) -> tuple[float, int]:
    """Returns onsets per bar, and the pitch spread of the pitched tracks in semitones."""
    start, end = context.plan.start_ticks(section), context.plan.end_ticks(section)
    pitches: list[int] = []
    onsets = 0
    for track in tracks:
        inside = [n for n in track.notes if start <= n.start_ticks < end]
        onsets += len(inside)
        if not track.is_drums and track.role != "effects":
            pitches.extend(n.pitch for n in inside)
    return onsets / section.num_bars, max(pitches, default=0) - min(pitches, default=0)
