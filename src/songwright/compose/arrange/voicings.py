"""Voicings over time: each part's chords in its register, led smoothly, clear of the lead."""

from songwright.compose.arrange.context import Context, Player, Room, Stint
from songwright.compose.arrange.guitar import guitar_shape
from songwright.score.instruments import instrument
from songwright.score.theory import Chord
from songwright.score.voice_leading import voice

ROOM = 3
"""Semitones that chord players stay below the lead."""

_BESIDE = 2
_FULL = 3
_THIRD = 4
_NARROWEST = 12
_NARROWEST_BROKEN = 16
_FLOOR = 48
_STRETCH = 5
"""How wide a register a chord player and an arpeggio need, how low one is pushed to get it, how far above its own it
may go."""


class VoicingMaker:
    """Voicings of one player through one stint, remembered so that the same chord span sounds the same.

    Args:
        context: of the arrangement.
        player: whose register and voicing.
        stint: where; every stint begins afresh, so that repeats sound alike.
        over_lead: whether the part may lie above the lead (pads, arpeggios) where its register is there.
    """

    def __init__(self, context: Context, player: Player, stint: Stint, *, over_lead: bool = False) -> None:
        self._context = context
        self._style = player.part.voicing
        self._voices = player.part.voices
        what = instrument(player.instrument)
        self._deepest, self._highest = what.low, what.high
        self._guitar = what.family == "guitar" and self._style == "open"
        self.low, self.high, self.above = _zone(context, player, stint, over_lead=over_lead and not self._guitar)
        self._previous: tuple[int, ...] = ()
        self._known: dict[tuple[int, Chord], tuple[int, ...]] = {}

    def at(self, tick: int, chord: Chord) -> tuple[int, ...]:
        """Returns the voicing, low to high, that the chord gets at a tick."""
        place = self._context.chords.index_at(tick)
        found = self._known.get((place, chord))
        if found is None:
            if self._guitar:
                near = self._previous[0] if self._previous else None
                found = guitar_shape(chord, self.low, self.high, near)
            else:
                found = voice(
                    chord,
                    style=self._style,
                    low=self.low,
                    high=self.high,
                    num_voices=self._voices,
                    previous=self._previous,
                )
            self._previous = found
            self._known[place, chord] = found
        return found

    def playable(self, pitch: int) -> int:
        """Returns a pitch moved by octaves into the instrument's range."""
        while pitch > self._highest:
            pitch -= 12
        while pitch < self._deepest:
            pitch += 12
        return pitch

    def clear_of_lead(self, pitches: tuple[int, ...], start: int, end: int) -> tuple[int, ...]:
        """Returns the voices that keep clear of the lead while they sound (all of them if it rests)."""
        lead = [note.pitch for note in self._context.lead.between(start, end)]
        if not lead:
            return pitches
        if self._context.room is not None:
            return self._beside_voice(pitches, lead)
        if self.above:
            return tuple(p for p in pitches if p >= max(lead) + ROOM)
        lowest = min(lead) - ROOM
        clear = tuple(p for p in pitches if p <= lowest)
        if len(clear) >= min(2, len(pitches)):
            return clear
        lower = {p if p <= lowest else p - 12 for p in pitches}
        return tuple(p for p in sorted(lower) if max(self._deepest, self.low - 5) <= p <= lowest) or clear

    def _beside_voice(self, pitches: tuple[int, ...], sung: list[int]) -> tuple[int, ...]:
        """Returns the voices without any within a tone of what is sung; what lies there moves by an octave, or rests.

        Two voices are kept if no more than a tone's distance must be given up for it, never a semitone's.
        """
        low, high = max(self._deepest, self.low - 5), min(self._highest, self.high + 7)
        clear = tuple(p for p in pitches if _apart(p, sung) > _BESIDE)
        if not self._guitar:
            moved = {q for p in pitches if p not in clear for q in (p - 12, p + 12)}
            free = sorted(q for q in moved if low <= q <= high and q not in clear and _apart(q, sung) > _BESIDE)
            taken = {p % 12 for p in clear}
            for pitch in sorted(free, key=lambda q: (abs(2 * q - self.low - self.high), q)):
                if len(clear) < min(_FULL, len(pitches)) and pitch % 12 not in taken:
                    taken.add(pitch % 12)
                    clear = tuple(sorted((*clear, pitch)))
        if len(clear) >= min(2, len(pitches)):
            return clear
        return tuple(p for p in pitches if _apart(p, sung) > 1)


def _apart(pitch: int, sung: list[int]) -> int:
    return min(abs(pitch - other) for other in sung)


def _zone(context: Context, player: Player, stint: Stint, *, over_lead: bool) -> tuple[int, int, bool]:
    """Returns the register left to a part beside the lead, and whether it lies above it.

    An arpeggio that has no room for all its voices on either side stays where it is, among the notes of the lead.
    """
    what = instrument(player.instrument)
    broken = player.part.kind == "arpeggio"
    width = _NARROWEST_BROKEN if broken else _NARROWEST
    low = max(player.part.register[0], what.low)
    high = max(low + width, min(player.part.register[1], what.high))
    lead = sorted(note.pitch for note in context.lead.between(*context.span_of(stint)))
    if not lead:
        return low, high, False
    if context.room is not None:
        top = min(high + _STRETCH, what.high)
        return _zone_beside_voice(context.room, low, high, top, width, over_lead=over_lead)
    under, over = lead[len(lead) * 2 // 5] - ROOM, lead[-1 - len(lead) // 10] + ROOM
    if under - low >= width:
        return low, min(high, under), False
    top = min(high + _STRETCH, what.high)
    if over_lead and top - over >= width:
        return over, min(top, over + width + 3), True
    if broken:
        return low, high, False
    low = max(what.low, min(low, max(under - width, _FLOOR)))
    return low, max(low + width, min(high, under)), False


def _zone_beside_voice(
    room: Room, low: int, high: int, top: int, width: int, *, over_lead: bool
) -> tuple[int, int, bool]:
    """Returns the register beside a singer: a third under the middle of the voice, as far above it, or around it.

    Pads and arpeggios look above first, so that not everybody is below.
    """
    middle = (room.low + room.high) // 2
    under, over = middle - _THIRD, middle + _THIRD
    below = (low, min(high, max(under, low + width)), False) if under - low >= width - 2 else None
    above = (over, min(top, over + width + 3), False) if top - over >= width else None
    return (above or below if over_lead else below or above) or (low, high, False)
