"""The tag: two bars in which the whole band strikes together and stops, before the last chord. Rings are elsewhere."""

from songwright.compose.arrange.context import Context, Player, Stint
from songwright.compose.arrange.voicings import VoicingMaker
from songwright.score.drums import DRUMS
from songwright.score.instruments import instrument
from songwright.score.song import Note

TAG_BARS = 2
_FEWEST_BARS = 4
"""A last section shorter than this (the last chord included) has no tag."""

_ENSEMBLE = ("bass", "comp", "pad", "arpeggio", "riff")


def tag_start(context: Context) -> int | None:
    """Returns where the tag begins; None where the song ends otherwise or is too short for one."""
    last = context.plan.sections[-1]
    if context.style.devices.ending != "tag" or not context.ring_bars or last.num_bars < _FEWEST_BARS:
        return None
    return context.ring_start - TAG_BARS * context.plan.bar_ticks


def tag_accents(context: Context) -> list[tuple[int, int]]:
    """Returns (start, length) of each stroke: one and the push before three, then every beat but the last."""
    start = tag_start(context)
    if start is None:
        return []
    beat, bar = context.plan.beat_ticks, context.plan.bar_ticks
    count = bar // beat
    push = beat + (beat * 2 // 3 if beat % 1440 == 0 else beat // 2)
    first = [start] if count < 3 else [start, start + push]
    second = [start + bar + i * beat for i in range(max(1, count - 1))]
    return [(tick, beat * 2 // 5) for tick in (*first, *second)]


def with_tag(context: Context, player: Player, notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """Returns what a player plays with the tag in place of its own last two bars; the lead goes on in the stops.

    Args:
        context: of the arrangement.
        player: whose notes they are.
        notes: without the last chord.
    """
    start = tag_start(context)
    if start is None or not _plays_at(context, player, start):
        return notes
    if player.part.kind == "drums":
        return _struck(context, notes, start)
    if player.part.kind not in (*_ENSEMBLE, "counter", "percussion"):
        return notes
    kept = [_cut(note, start) for note in notes if note.start_ticks < start]
    if player.part.kind in _ENSEMBLE:
        kept.extend(_chords(context, player))
    return tuple(sorted(kept))


def _plays_at(context: Context, player: Player, tick: int) -> bool:
    return any(a <= tick < b for a, b in map(context.span_of, player.stints))


def _cut(note: Note, end: int) -> Note:
    if note.end_ticks <= end:
        return note
    return Note(note.start_ticks, end - note.start_ticks, note.pitch, note.velocity, note.offset_ticks)


def _chords(context: Context, player: Player) -> list[Note]:
    """Returns the strokes of a pitched player: the chord, or the bass that leads on to the last one."""
    stint = player.stints[-1]
    tag = Stint(stint.section, stint.intensity, stint.end_bar - TAG_BARS, stint.end_bar)
    voicings = VoicingMaker(context, player, tag)
    velocity = round(84 + 24 * stint.intensity)
    notes: list[Note] = []
    for tick, length in tag_accents(context):
        chord = context.chords.at(tick)
        if chord is None:
            continue
        pitches = voicings.at(tick, chord)
        if player.part.kind == "bass":
            pitches = (_deep(player, chord.bass_pitch_class),)
        notes.extend(Note(tick, length, pitch, velocity) for pitch in pitches)
    final = context.chords.at(context.ring_start)
    if player.part.kind == "bass" and final is not None:
        step = context.plan.beat_ticks // (3 if context.plan.beat_ticks % 1440 == 0 else 2)
        goal = _deep(player, final.bass_pitch_class)
        count = context.plan.beat_ticks // step
        side = -1 if goal - count >= instrument(player.instrument).low else 1
        for i in range(count):
            tick = context.ring_start - (count - i) * step
            notes.append(Note(tick, step * 9 // 10, goal + side * (count - i), velocity - 6))
    return notes


def _deep(player: Player, pitch_class: int) -> int:
    """Returns the lowest pitch of a class that the player has."""
    low = max(player.part.register[0], instrument(player.instrument).low)
    return low + (pitch_class - low) % 12


def _struck(context: Context, notes: tuple[Note, ...], start: int) -> tuple[Note, ...]:
    """Returns drums that strike with the band and leave the stops free; the fill of the last beat stays."""
    free = context.ring_start - context.plan.beat_ticks
    kept = [note for note in notes if not start <= note.start_ticks < free]
    velocity = round(80 + 30 * context.plan.sections[-1].energy)
    cymbal = "ride" if "none" in context.style.devices.impacts else "crash"
    accents = tag_accents(context)
    for i, (tick, length) in enumerate(accents):
        drums = ("kick", cymbal) if i == 0 else ("kick", "snare")
        kept.extend(Note(tick, length, DRUMS[drum], velocity) for drum in drums)
    return tuple(sorted(kept))
