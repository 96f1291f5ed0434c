"""Voicings over time: each part's chords in its register, led smoothly, under the lead; and guitar shapes."""

from functools import lru_cache

from songwright.compose.arrange.context import Context, Player, Stint
from songwright.score.instruments import instrument
from songwright.score.theory import Chord

_STRINGS = (40, 45, 50, 55, 59, 64)
_ROOM = 3


class VoicingMaker:
    """Voicings of one player through one stint, remembered so that the same chord span sounds the same.

    Args:
        context: of the arrangement.
        player: whose register and voicing.
        stint: where; every stint begins afresh, so that repeats sound alike.
    """

    def __init__(self, context: Context, player: Player, stint: Stint) -> None:
        self._context = context
        what = instrument(player.instrument)
        low, high = player.part.register
        self.low = max(low, what.low)
        self.high = max(self.low + 12, min(high, what.high))
        lead = sorted(n.pitch for n in context.lead.between(*context.span_of(stint)))
        if lead:
            ceiling = lead[len(lead) // 10] - _ROOM
            self.high = max(self.low + 9, min(self.high, ceiling))
        self._style = player.part.voicing
        self._voices = player.part.voices
        self._guitar = what.family == "guitar" and self._style == "open"
        self._previous: tuple[int, ...] | None = None
        self._known: dict[tuple[int, Chord], tuple[int, ...]] = {}

    def at(self, tick: int, chord: Chord) -> tuple[int, ...]:
        """Returns the voicing, low to high, that the chord gets at a tick."""
        place = self._context.chords.index_at(tick)
        found = self._known.get((place, chord))
        if found is None:
            found = self._new(chord)
            self._previous = found
            self._known[place, chord] = found
        return found

    def _new(self, chord: Chord) -> tuple[int, ...]:
        if self._guitar:
            return guitar_shape(chord, self.low, self.high, self._previous[0] if self._previous else None)
        return tuple(
            voice(
                chord,
                style=self._style,
                low=self.low,
                high=self.high,
                num_voices=self._voices,
                previous=self._previous,
            )
        )

    def below_lead(self, pitches: tuple[int, ...], start: int, end: int) -> tuple[int, ...]:
        """Returns the voices that keep clear of the lead while they sound (all of them if it rests)."""
        lowest = self._context.lead.lowest(start, end)
        if lowest is None:
            return pitches
        clear = tuple(p for p in pitches if p <= lowest - _ROOM)
        if len(clear) >= min(2, len(pitches)):
            return clear
        lower = tuple(sorted({p - 12 if p > lowest - _ROOM else p for p in pitches}))
        return tuple(p for p in lower if p >= self.low - 12 and p <= lowest - _ROOM) or clear


def voice(
    chord: Chord, *, style: str, low: int, high: int, num_voices: int, previous: tuple[int, ...] | None
) -> tuple[int, ...]:
    """Returns a voicing near the one before."""
    tones = [(chord.root + i) % 12 for i in chord.intervals]
    if style == "power":
        root = next(p for p in range(low, low + 12) if p % 12 == chord.root)
        return (root, root + 7, root + 12)
    if style in ("rootless", "shell") and len(tones) > 3:
        tones = tones[1:] if style == "rootless" else [tones[0], tones[1], tones[3]]
    tones = tones[-num_voices:] if style == "rootless" else tones[: max(2, num_voices)]
    best: tuple[float, tuple[int, ...]] | None = None
    for start in range(low, high - 6):
        if start % 12 not in tones:
            continue
        pitches = [start]
        i = tones.index(start % 12)
        while len(pitches) < num_voices:
            i += 1
            pitches.append(next(p for p in range(pitches[-1] + 1, pitches[-1] + 13) if p % 12 == tones[i % len(tones)]))
        cost = 3.0 * max(0, pitches[-1] - high)
        centre = sum(previous) / len(previous) if previous else (low + high) / 2
        cost += abs(sum(pitches) / len(pitches) - centre)
        if best is None or cost < best[0]:
            best = (cost, tuple(pitches))
    return best[1] if best else tuple(sorted(low + (t - low) % 12 for t in tones))


@lru_cache(maxsize=2048)
def guitar_shape(chord: Chord, low: int, high: int, near: int | None) -> tuple[int, ...]:
    """Returns a chord as a guitarist grips it: at most six strings within four frets, the bass lowest.

    Args:
        chord: what to grip.
        low: lowest pitch wanted.
        high: highest pitch wanted.
        near: the lowest pitch of the grip before, or None.
    """
    tones = [(chord.root + i) % 12 for i in chord.intervals]
    bass = chord.bass_pitch_class
    wanted = [pc for pc in tones if pc != (chord.root + chord.fifth) % 12]
    best: tuple[float, tuple[int, ...]] | None = None
    for fret in range(9):
        for lowest_string in range(3):
            grip = _grip(fret, lowest_string, tones, bass, low, high)
            if grip is None:
                continue
            missing = sum(pc not in {p % 12 for p in grip} for pc in wanted)
            cost = 4.0 * missing + 0.35 * fret + 0.6 * (6 - len(grip)) + (0.08 * abs(grip[0] - near) if near else 0.0)
            if best is None or cost < best[0]:
                best = (cost, grip)
    if best is None:
        root = next(p for p in range(40, 52) if p % 12 == bass)
        return tuple(sorted({root, *(root + i for i in chord.intervals[1:])}))[:6]
    return best[1]


def _grip(fret: int, lowest_string: int, tones: list[int], bass: int, low: int, high: int) -> tuple[int, ...] | None:
    """Returns the pitches of one hand position, or None if the bass is not under the hand."""
    pitches: list[int] = []
    seen: set[int] = set()
    for string in range(lowest_string, 6):
        open_pitch = _STRINGS[string]
        frets = [f for f in (0, *range(max(1, fret), fret + 4)) if f or fret <= 2]
        fitting = [open_pitch + f for f in frets if low <= open_pitch + f <= high]
        if not pitches:
            chosen = [p for p in fitting if p % 12 == bass]
            if not chosen:
                return None
        else:
            chosen = [p for p in fitting if p % 12 in tones and p > pitches[-1]]
        if not chosen:
            break
        fresh = [p for p in chosen if p % 12 not in seen]
        pitches.append((fresh or chosen)[0])
        seen.add(pitches[-1] % 12)
    return tuple(pitches) if len(pitches) >= 3 else None
