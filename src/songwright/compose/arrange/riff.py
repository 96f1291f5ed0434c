"""Riffs and loops: figures that carry a section, over the chord or over the key."""

from songwright.compose.arrange.context import Context, Performance, Player, Stint
from songwright.compose.arrange.lines import Event, choose_runs, degree_interval, heard_chord, key_interval, lay_out
from songwright.compose.arrange.slides import slide_bends
from songwright.compose.arrange.touch import Touch
from songwright.score.instruments import instrument
from songwright.score.song import Note, PitchBend
from songwright.score.theory import Chord


def write_riff(context: Context, player: Player) -> Performance:
    """Returns what a riff player plays; with `voicing` power or octaves every note becomes a fifth or octave."""
    notes: list[Note] = []
    bends: list[PitchBend] = []
    for stint in player.stints:
        touch = Touch(context, stint, player.part.id, base=82)
        previous: int | None = None
        for run in choose_runs(context, player.part, stint):
            for event in lay_out(context, run, stint.section.first_bar):
                chord, change = heard_chord(context, event)
                if chord is None:
                    continue
                pitch = _pitch(context, player, stint, event, chord, run.pattern.from_)
                if pitch is None:
                    continue
                end = event.end if change is None or run.pattern.from_ == "key" else change
                extra = 11.0 if event.accent else -32.0 if event.ghost else 0.0
                gate = 0.3 if event.ghost else 0.5 if event.staccato else player.part.gate
                length = max(30, int((end - event.start) * gate))
                velocity = touch(event.start, extra)
                made = [Note(event.start, length, p, velocity) for p in _thickened(player, pitch)]
                if event.slide and previous is not None:
                    bends.extend(slide_bends(context, made[0], previous))
                notes.extend(made)
                previous = pitch
    return Performance(tuple(sorted(set(notes))), (), tuple(bends))


def _pitch(context: Context, player: Player, stint: Stint, event: Event, chord: Chord, counted_from: str) -> int | None:
    key = context.key_of(stint.section)
    low, high = player.part.register
    if counted_from == "key":
        # where the harmony leaves the tonic the riff moves along with the chord
        root = key.tonic if key.tonic in chord.pitch_classes else chord.root
        interval = key_interval(event.symbol, key)
    else:
        interval, root = degree_interval(event.symbol, chord, key), chord.root
    if interval is None:
        return None
    base = next(p for p in range(low, low + 12) if p % 12 == root)
    pitch = base + interval + 12 * event.octaves
    what = instrument(player.instrument)
    while pitch > max(high, low + 19) or pitch > what.high:
        pitch -= 12
    while pitch < what.low:
        pitch += 12
    return pitch


def _thickened(player: Player, pitch: int) -> tuple[int, ...]:
    if player.part.voicing == "power":
        return pitch, pitch + 7
    if player.part.voicing == "octaves":
        return pitch, pitch + 12
    return (pitch,)
