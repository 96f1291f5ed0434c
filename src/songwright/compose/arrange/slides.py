"""Slides and glides as pitch bends that always return to the written pitch."""

from songwright.compose.arrange.context import Context
from songwright.score.song import Control, Note, PitchBend

GLIDE_RANGE_SEMITONES = 12
"""Bend range that a track with slides announces (RPN 0)."""


def glide_range_controls() -> tuple[Control, ...]:
    """Returns the controllers that set a track's bend range to `GLIDE_RANGE_SEMITONES`."""
    return tuple(
        Control(0, number, value) for number, value in ((101, 0), (100, 0), (6, GLIDE_RANGE_SEMITONES), (38, 0))
    )


def slide_bends(context: Context, note: Note, start_pitch: float, milliseconds: float = 70.0) -> list[PitchBend]:
    """Returns bends that begin a note at another pitch and glide into its own.

    Args:
        context: for the tempo.
        note: what is played.
        start_pitch: where the glide comes from; cut to the bend range.
        milliseconds: length of the glide, at most half of the note.
    """
    distance = max(-GLIDE_RANGE_SEMITONES, min(GLIDE_RANGE_SEMITONES, start_pitch - note.pitch))
    length = min(context.ticks_of_ms(milliseconds), note.duration_ticks // 2)
    if distance == 0 or length < 8:
        return []
    steps = 8
    begin = note.start_ticks + note.offset_ticks
    full = 8191 / GLIDE_RANGE_SEMITONES
    bends = [
        PitchBend(max(0, begin + length * i // steps), round(distance * full * (1 - i / steps) ** 1.5))
        for i in range(steps)
    ]
    return [*bends, PitchBend(begin + length, 0)]
