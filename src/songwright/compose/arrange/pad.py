"""Pads and arpeggios: held chords that move voice by voice, and chords broken into lines."""

from songwright.compose.arrange.comping import voice_number, write_run
from songwright.compose.arrange.context import Context, Performance, Player, Stint
from songwright.compose.arrange.lines import choose_runs, degree_interval, heard_chord, lay_out
from songwright.compose.arrange.touch import Touch
from songwright.compose.arrange.voicings import VoicingMaker
from songwright.score.instruments import instrument
from songwright.score.song import Control, Note

SWELLING = ("strings", "ensemble", "brass", "reed", "pipe")


def write_pad(context: Context, player: Player) -> Performance:
    """Returns what a pad plays: chords held, tones in common tied over; or pulsing, if it has figures."""
    notes: list[Note] = []
    controls: list[Control] = []
    swells = instrument(player.instrument).family in SWELLING
    for stint in player.stints:
        touch = Touch(context, stint, player.part.id, base=66, depth=0.5)
        voicings = VoicingMaker(context, player, stint, over_lead=True)
        random = context.random(stint.section.label, player.part.id, "hand")
        runs = choose_runs(context, player.part, stint)
        if runs:
            for run in runs:
                notes.extend(write_run(context, player, stint, run, voicings, touch, random))
        else:
            notes.extend(_held(context, stint, voicings, touch))
        if swells:
            controls.extend(swell(context, stint))
    return Performance(tuple(sorted(notes)), tuple(controls), ())


def _held(context: Context, stint: Stint, voicings: VoicingMaker, touch: Touch) -> list[Note]:
    """Returns held chords; a tone that the next chord keeps sounds on, for at most four bars."""
    start, end = context.span_of(stint)
    longest = 4 * context.plan.bar_ticks
    open_notes: dict[int, int] = {}
    notes: list[Note] = []

    def close(pitch: int, tick: int) -> None:
        begun = open_notes.pop(pitch)
        notes.append(Note(begun, max(1, tick - begun), pitch, touch(begun)))

    for a, b, chord in context.chords.within(start, end, merge=True):
        pitches = set(voicings.clear_of_lead(voicings.at(a, chord), a, b))
        for pitch in sorted(open_notes):
            if pitch not in pitches or a - open_notes[pitch] >= longest:
                close(pitch, a)
        for pitch in sorted(pitches - set(open_notes)):
            open_notes[pitch] = a
        reached = b
    for pitch in sorted(open_notes):
        close(pitch, reached)
    return notes


def swell(context: Context, stint: Stint, low: int = 78, high: int = 112) -> list[Control]:
    """Returns expression that breathes with the phrases: up over three bars, back over the fourth."""
    start, end = context.span_of(stint)
    bar = context.plan.bar_ticks
    top = round(low + (high - low) * min(1.0, 0.5 + 0.5 * stint.intensity))
    rising = stint.section.role in ("prechorus", "build")
    controls: list[Control] = []
    for tick in range(start, end, bar // 4):
        if rising:
            share = (tick - start) / max(1, end - start)
        else:
            place = (tick - start) / (4 * bar) % 1.0
            share = place / 0.75 if place < 0.75 else 1.0 - (place - 0.75) / 0.25
        value = round(low + (top - low) * share)
        if not controls or controls[-1].value != value:
            controls.append(Control(tick, 11, value))
    return controls


def write_arpeggio(context: Context, player: Player) -> Performance:
    """Returns broken chords: numbers of the style's lines are voices, 1 the lowest."""
    notes: list[Note] = []
    for stint in player.stints:
        touch = Touch(context, stint, player.part.id, base=70)
        voicings = VoicingMaker(context, player, stint, over_lead=True)
        for run in choose_runs(context, player.part, stint):
            for event in lay_out(context, run, stint.section.first_bar):
                chord, change = heard_chord(context, event)
                if chord is None:
                    continue
                voices = voicings.at(event.start, chord)
                if event.symbol[0].isdigit():
                    pitches = tuple(voice_number(voices, int(n)) for n in event.symbol.split("+"))
                else:
                    interval = degree_interval(event.symbol, chord, context.key_of(stint.section))
                    pitches = () if interval is None else (voices[0] + interval,)
                end = event.end if change is None else change
                played = tuple(pitch + 12 * event.octaves for pitch in pitches)
                heard = (
                    end if context.room is None else max(end, event.start + int((end - event.start) * player.part.gate))
                )
                for pitch in _clear(context, played, voices, event.start, heard, player):
                    extra = 10.0 if event.accent else -26.0 if event.ghost else 0.0
                    gate = 0.5 if event.staccato else player.part.gate
                    notes.append(
                        Note(event.start, max(30, int((end - event.start) * gate)), pitch, touch(event.start, extra))
                    )
    return Performance(tuple(sorted(set(notes))), (), ())


def _clear(
    context: Context, pitches: tuple[int, ...], voices: tuple[int, ...], start: int, end: int, player: Player
) -> list[int]:
    """Returns pitches in the instrument's range; one that would rub against the lead gives way to a near chord tone."""
    what = instrument(player.instrument)
    lead = context.lead.between(start, end)

    def rubs(pitch: int) -> bool:
        if context.room is not None:
            return any(abs(pitch - n.pitch) <= 2 for n in lead)
        return any(abs(pitch - n.pitch) == 1 or (abs(pitch - n.pitch) == 2 and n.start_ticks == start) for n in lead)

    found = []
    for pitch in pitches:
        while pitch > what.high:
            pitch -= 12
        while pitch < what.low:
            pitch += 12
        found.append(pitch)
    if not any(map(rubs, found)):
        return found
    classes = {voice % 12 for voice in voices}
    clear = [p for p in range(what.low, what.high + 1) if p % 12 in classes and not rubs(p)]
    return [min(clear, key=lambda p: (abs(p - pitch), p)) if clear and rubs(pitch) else pitch for pitch in found]
