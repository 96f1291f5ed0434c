"""Comping: chords in rhythm from the style's figures, strummed, stabbed or picked, below the lead."""

from dataclasses import replace

import numpy as np

from songwright.compose.arrange.context import Context, Performance, Player, Stint
from songwright.compose.arrange.lines import Event, Run, choose_runs, heard_chord, lay_out
from songwright.compose.arrange.touch import Touch
from songwright.compose.arrange.voicings import VoicingMaker
from songwright.score.instruments import instrument
from songwright.score.song import TICKS_PER_QUARTER, Control, Note

_EXTRA = {"X": 13.0, "o": -15.0, "*": -4.0, "D": 12.0, "U": 8.0, "u": -5.0, "m": -30.0, "b": 2.0, "t": -3.0}
_WEAK = ("o", "u", "m")
_SUSTAINING = ("acoustic_grand_piano", "bright_piano", "electric_grand", "electric_piano", "electric_piano_fm")


def write_comping(context: Context, player: Player) -> Performance:
    """Returns what a chord player plays in the whole song."""
    notes: list[Note] = []
    controls: list[Control] = []
    for stint in player.stints:
        touch = Touch(context, stint, player.part.id, base=74)
        voicings = VoicingMaker(context, player, stint)
        random = context.random(stint.section.label, player.part.id, "hand")
        for run in choose_runs(context, player.part, stint):
            notes.extend(write_run(context, player, stint, run, voicings, touch, random))
        if player.instrument in _SUSTAINING and player.part.gate >= 0.9 and not context.style.feel.programmed:
            controls.extend(_pedal(context, stint))
    return Performance(tuple(_without_overlaps(notes)), tuple(controls), ())


def write_run(
    context: Context,
    player: Player,
    stint: Stint,
    run: Run,
    voicings: VoicingMaker,
    touch: Touch,
    random: np.random.Generator,
) -> list[Note]:
    """Returns the notes of one run of a comping figure."""
    notes: list[Note] = []
    for event in thinned(context, lay_out(context, run, stint.section.first_bar)):
        chord, change = heard_chord(context, event)
        if chord is None:
            continue
        place = context.chords.next_change(event.start)
        looked_up = place[0] if place is not None and chord == place[1] and place[0] < event.end else event.start
        voices = voicings.at(looked_up, chord)
        if change is not None and event.end - change >= TICKS_PER_QUARTER // 2:
            notes.extend(_strike(context, player, replace(event, end=change), voices, voicings, touch, random))
            following = context.chords.at(change)
            if following is not None:
                again = replace(event, start=change)
                voices = voicings.at(change, following)
                notes.extend(_strike(context, player, again, voices, voicings, touch, random))
        else:
            event = event if change is None else replace(event, end=change)
            notes.extend(_strike(context, player, event, voices, voicings, touch, random))
    return notes


def thinned(context: Context, events: list[Event]) -> list[Event]:
    """Returns a figure without its weak strokes where the voice is busy; what sounds before them sounds on.

    Weak are soft, muted and ghost strokes, and plain ones off the half beats. A figure that consists of such strokes
    (a skank, a bubble, a stab) stays whole: without them nothing of it is left.
    """
    room, beat = context.room, context.plan.beat_ticks
    if room is None:
        return events
    half = beat // 3 if beat % 1440 == 0 else beat // 2

    def is_weak(event: Event) -> bool:
        soft = event.ghost or event.symbol in _WEAK
        return not event.accent and (soft or event.start % half != 0)

    if sum(map(is_weak, events)) * 5 > 3 * len(events):
        return events
    kept: list[Event] = []
    for event in events:
        weak = is_weak(event)
        busy = weak and room.is_busy(event.start - beat, event.start + beat, beat)
        if not busy:
            kept.append(event)
        elif kept and kept[-1].end == event.start and kept[-1].symbol not in _WEAK:
            kept[-1] = replace(kept[-1], end=event.end)
    return kept


def _strike(
    context: Context,
    player: Player,
    event: Event,
    voices: tuple[int, ...],
    voicings: VoicingMaker,
    touch: Touch,
    random: np.random.Generator,
) -> list[Note]:
    """Returns one stroke of the hand."""
    length = event.end - event.start
    chosen = _voices_of(event, voices)
    chosen = tuple(sorted({voicings.playable(p + 12 * event.octaves) for p in chosen}))
    if context.room is not None:
        chosen = voicings.clear_of_lead(chosen, event.start, event.start + max(length, int(length * player.part.gate)))
    elif event.symbol != "b":
        chosen = voicings.clear_of_lead(chosen, event.start, event.start + length)
    if event.symbol == "m":
        return [Note(event.start, 40, p, touch(event.start, _EXTRA["m"])) for p in chosen[:3]]
    gate = 0.35 if event.symbol == "*" or event.staccato else player.part.gate
    extra = _EXTRA.get(event.symbol, 0.0) + (12.0 if event.accent else 0.0) - (28.0 if event.ghost else 0.0)
    spread = _spread(context, player, event, len(chosen), random)
    sounding = max(40, int(length * gate))
    velocity = touch(event.start, extra)
    notes = []
    for i, pitch in enumerate(chosen):
        top = 4 if i == len(chosen) - 1 else 0
        level = int(np.clip(velocity + top + random.normal() * 2.0, 15, 124))
        notes.append(Note(event.start, sounding, pitch, level, spread[i]))
    return notes


def _voices_of(event: Event, voices: tuple[int, ...]) -> tuple[int, ...]:
    """Returns which voices of the voicing a token strikes."""
    if event.symbol[0].isdigit():
        numbers = [int(number) for number in event.symbol.split("+")]
        return tuple(voice_number(voices, number) for number in numbers)
    if event.symbol == "b":
        return voices[:1]
    if event.symbol == "t":
        return voices[1:]
    if event.symbol in ("u", "U") and len(voices) > 4:
        return voices[-4:]
    return voices


def voice_number(voices: tuple[int, ...], number: int) -> int:
    """Returns voice 1, 2, … from the lowest; numbers past the highest go on an octave higher."""
    octave, index = divmod(number - 1, len(voices))
    return voices[index] + 12 * octave


def _spread(context: Context, player: Player, event: Event, count: int, random: np.random.Generator) -> list[int]:
    """Returns the offset of each voice, low to high: a strum, or the small unevenness of fingers."""
    milliseconds = abs(player.part.strum_ms)
    if count < 2:
        return [0] * count
    if milliseconds < 1:
        if context.style.feel.programmed:
            return [0] * count
        return [context.ticks_of_ms(float(random.uniform(0, 7))) for _ in range(count)]
    upward = event.symbol in ("u", "U") or (player.part.strum_ms < 0 and event.symbol not in ("d", "D"))
    hurry = 0.7 if event.symbol in ("u", "U", "X", "D") else 1.0
    whole = context.ticks_of_ms(milliseconds * hurry * float(random.uniform(0.85, 1.15)))
    order = [round(whole * i / (count - 1)) for i in range(count)]
    return order[::-1] if upward else order


def _pedal(context: Context, stint: Stint) -> list[Control]:
    """Returns the sustain pedal: caught after each change of chord, lifted before the next."""
    start, end = context.span_of(stint)
    lift = TICKS_PER_QUARTER // 16
    controls = []
    for a, b, _ in context.chords.within(start, end):
        controls.append(Control(a + lift, 64, 100))
        controls.append(Control(max(a + lift + 1, b - lift), 64, 0))
    return controls


def _without_overlaps(notes: list[Note]) -> list[Note]:
    """Returns the notes in order; one that is struck again while it sounds ends just before."""
    ordered = sorted(notes)
    following: dict[int, int] = {}
    kept: list[Note] = []
    for note in reversed(ordered):
        limit = following.get(note.pitch)
        if limit is not None and limit == note.start_ticks:
            continue
        if limit is not None and note.end_ticks > limit:
            note = replace(note, duration_ticks=max(1, limit - note.start_ticks))
        following[note.pitch] = note.start_ticks
        kept.append(note)
    return kept[::-1]


def ring_chord(context: Context, player: Player, velocity: int) -> list[Note]:
    """Returns the last chord, held: struck at once, or rolled by hands that roll."""
    chord = context.chords.at(context.ring_start)
    if chord is None or not player.stints:
        return []
    voices = VoicingMaker(context, player, player.stints[-1]).at(context.ring_start, chord)
    length = context.ring_bars * context.plan.bar_ticks
    family = instrument(player.instrument).family
    rolled = 0 if context.style.feel.programmed or family not in ("guitar", "piano") else 45
    step = context.ticks_of_ms(rolled) if context.style.devices.ending in ("ritardando", "tag") else 0
    step = step or context.ticks_of_ms(abs(player.part.strum_ms) / max(1, len(voices) - 1))
    return [Note(context.ring_start, length, p, max(20, velocity - i), i * step) for i, p in enumerate(voices)]
