"""The lead: the tune on its instrument, in its range, phrased, with swells, vibrato and scoops."""

from dataclasses import replace

from songwright.compose.arrange.context import Context, Performance, Player
from songwright.compose.arrange.slides import slide_bends
from songwright.compose.arrange.touch import Touch
from songwright.score.instruments import instrument
from songwright.score.song import Control, Note, PitchBend

_BLOWN = ("strings", "ensemble", "brass", "reed", "pipe", "organ")
_VIBRATO = ("strings", "ensemble", "reed", "pipe", "brass", "lead", "world")
_BENDING = ("guitar", "strings", "reed", "brass", "pipe", "lead", "world")
_LEGATO = ("strings", "ensemble", "brass", "reed", "pipe", "lead", "organ")


def write_lead(context: Context, player: Player) -> Performance:
    """Returns the tune where this player leads, in its range, phrased for its family; beside a voice, its fills too."""
    family = instrument(player.instrument).family
    notes: list[Note] = []
    controls: list[Control] = []
    bends: list[PitchBend] = []
    shift = octave_shift(context, player)
    for stint in player.stints:
        touch = Touch(context, stint, player.part.id, base=85, depth=0.8)
        start, end = context.span_of(stint)
        own = [n for n in context.tune.between(start, end) if start <= n.start_ticks < end]
        phrased = [_inside(n, player) for n in _phrased(context, own, shift, touch, legato=family in _LEGATO)]
        if context.room is not None:
            fills = [n for n in context.room.fills.between(start, end) if start <= n.start_ticks < end]
            phrased = sorted([*phrased, *_phrased(context, fills, 0, touch, legato=family in _LEGATO)])
        notes.extend(phrased)
        if family in _BENDING:
            bends.extend(_scoops(context, player, phrased, family, stint.section.role))
        if family in _BLOWN or family in _VIBRATO:
            controls.extend(_breath(context, own, family))
    return Performance(tuple(notes), tuple(controls), tuple(bends))


def octave_shift(context: Context, player: Player) -> int:
    """Returns the octaves (in semitones) that bring the player's tune best into register and instrument."""
    what = instrument(player.instrument)
    spans = [context.span_of(stint) for stint in player.stints]
    pitches = [n.pitch for a, b in spans for n in context.tune.between(a, b)]
    low, high = max(what.low, player.part.register[0]), min(what.high, player.part.register[1])
    if not pitches:
        return 0

    def cost(shift: int) -> tuple[float, int]:
        outside = sum(max(what.low - p - shift, p + shift - what.high, 0) for p in pitches) * 10.0
        unusual = sum(max(low - p - shift, p + shift - high, 0) for p in pitches)
        return outside + unusual + 0.5 * abs(shift) / 12, abs(shift)

    return min((0, 12, -12, 24, -24), key=cost)


def _inside(note: Note, player: Player) -> Note:
    what = instrument(player.instrument)
    pitch = note.pitch
    while pitch > what.high:
        pitch -= 12
    while pitch < what.low:
        pitch += 12
    return note if pitch == note.pitch else replace(note, pitch=pitch)


def _phrased(context: Context, own: list[Note], shift: int, touch: Touch, *, legato: bool) -> list[Note]:
    """Returns the notes with velocities that follow the line, joined where the instrument joins them."""
    beat = context.plan.beat_ticks
    notes = []
    centre = sum(n.pitch for n in own) / len(own) if own else 0.0
    for i, note in enumerate(own):
        high = (note.pitch - centre) * 0.7
        long = 4.0 if note.duration_ticks >= beat else 0.0
        written = (note.velocity - 90) * 0.4
        following = own[i + 1] if i + 1 < len(own) else None
        length = note.duration_ticks
        gap = following.start_ticks - note.end_ticks if following is not None else beat
        if following is not None and 0 <= gap <= beat // 8 and following.pitch != note.pitch:
            length = following.start_ticks - note.start_ticks + (14 if legato else 0)
        velocity = touch(note.start_ticks, high + long + written)
        notes.append(replace(note, pitch=note.pitch + shift, velocity=velocity, duration_ticks=max(1, length)))
    return notes


def _breath(context: Context, own: list[Note], family: str) -> list[Control]:
    """Returns expression swells and late vibrato on long notes."""
    beat = context.plan.beat_ticks
    controls: list[Control] = []
    for note in own:
        if note.duration_ticks < beat * 5 // 4:
            if family in _BLOWN and (not controls or controls[-1].tick < note.start_ticks):
                controls.append(Control(note.start_ticks, 11, 108))
            continue
        length = note.duration_ticks
        if family in _BLOWN:
            for share, value in ((0.0, 92), (0.2, 100), (0.4, 110), (0.6, 118), (0.8, 110), (0.95, 98)):
                controls.append(Control(note.start_ticks + int(length * share), 11, value))
        if family in _VIBRATO:
            controls.append(Control(note.start_ticks, 1, 0))
            for share, value in ((0.35, 18), (0.5, 34), (0.7, 44)):
                controls.append(Control(note.start_ticks + int(length * share), 1, value))
            controls.append(Control(note.end_ticks - 1, 1, 0))
    return sorted(set(controls))


def _scoops(context: Context, player: Player, notes: list[Note], family: str, role: str) -> list[PitchBend]:
    """Returns notes bent up from below where a player would: into long notes after a breath or a leap; or glides."""
    beat = context.plan.beat_ticks
    glides = player.instrument == "portamento_lead"
    chance = min(0.5, 2.5 * context.style.melody.ornaments)
    random = context.random(role, player.part.id, "scoop")
    bends: list[PitchBend] = []
    for i, note in enumerate(notes):
        dice = float(random.random())
        before = notes[i - 1] if i else None
        if glides and before is not None and note.start_ticks - before.end_ticks < beat // 8:
            bends.extend(slide_bends(context, note, before.pitch, 55.0))
            continue
        breath = before is None or note.start_ticks - before.end_ticks >= beat // 2 or note.pitch - before.pitch >= 4
        if breath and note.duration_ticks >= beat and dice < chance:
            bends.extend(slide_bends(context, note, note.pitch - (2 if family == "guitar" else 1), 90.0))
    return bends
