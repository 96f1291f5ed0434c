"""Harmony voices: who sings above and below the lead, and which notes, word for word with it.

A harmony is the cheapest way through the tones three to nine semitones from the lead: chord tones where a note is long
or on the beat, parallel steps between.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from songwright.compose.arrange.context import Context
from songwright.compose.vocals import VocalPlan
from songwright.score.song import Note, Singer
from songwright.score.theory import Chord, Key
from songwright.score.voices import SINGERS, VOICE_TYPES

NEAREST, FARTHEST = 3, 9
"""Semitones between a harmony and the lead."""

_INTERVAL_COST = {3: 0.0, 4: 0.0, 5: 1.8, 6: 2.8, 7: 2.4, 8: 0.5, 9: 0.4}
_OTHER_GENDER = 3.0
_SAME_SIDE = 7.0
"""How much worse a place is for a singer of the other gender, and beside another harmony on its side of the lead."""


@dataclass(frozen=True, slots=True)
class Backing:
    """A backing singer.

    Attributes:
        singer: who.
        side: 1 above the lead, -1 below.
        low, high: what the voice reaches.
        cost: how badly the place beside the lead suits the voice; 0 is perfect.
    """

    singer: Singer
    side: int
    low: int
    high: int
    cost: float


def backing_singers(context: Context, vocals: VocalPlan) -> tuple[Backing, ...]:
    """Returns two backing singers, the one whose place beside the lead suits the better first.

    They stand on two sides of the lead, or on one where nobody could sing the other: over a bass, under a soprano.

    Args:
        context: of the arrangement.
        vocals: the lead; the backing singers are others than its own.
    """
    pitches = sorted(note.pitch for note in vocals.notes)
    if not pitches:
        return ()
    low, high = pitches[len(pitches) // 10], pitches[-1 - len(pitches) // 20]
    gender = VOICE_TYPES[vocals.voice_type].gender if vocals.voice_type in VOICE_TYPES else "female"
    seats = [
        _seat(context, name, side, low, high, gender)
        for side in (1, -1)
        for name, house in SINGERS.items()
        if name != vocals.singer.name and (house.voice_type != "child" or gender == "child")
    ]
    first = min(seats, key=lambda b: (b.cost, b.singer.name, b.side))
    rest = [b for b in seats if b.singer.name != first.singer.name]
    second = min(rest, key=lambda b: (b.cost + _SAME_SIDE * (b.side == first.side), b.singer.name, b.side))
    return first, second


def _seat(context: Context, name: str, side: int, low: int, high: int, gender: str) -> Backing:
    """Returns a singer set above or below the lead, with what speaks against it."""
    voice = VOICE_TYPES[SINGERS[name].voice_type]
    near, far = (low + NEAREST, high + 5) if side > 0 else (low - 5, high - NEAREST)
    outside = max(0, far - voice.high) + max(0, voice.low - near)
    strained = max(0, far - voice.tessitura[1]) + max(0, voice.tessitura[0] - near)
    luck = float(context.random("voice", "cast", name, side).random())
    other = _OTHER_GENDER * (voice.gender != gender)
    cost = 2.5 * outside + 0.3 * strained + other + luck
    return Backing(Singer(name), side, voice.low, voice.high, cost)


def harmony_line(
    context: Context, lead: Sequence[Note], key: Key, seat: Backing, beside: Sequence[int | None] = ()
) -> list[int | None]:
    """Returns the pitch of the harmony under each note of a line; None where the voice does not reach.

    Args:
        context: for the chords and the metre.
        lead: the line, in order.
        key: whose scale is walked.
        seat: who sings, on which side of the lead.
        beside: another harmony of the same line, not to be met.
    """
    rows = [[p for p in _candidates(note, seat) if seat.low <= p <= seat.high] for note in lead]
    other = tuple(beside) or (None,) * len(lead)
    found: list[int | None] = [None] * len(lead)
    start = 0
    while start < len(lead):
        if not rows[start]:
            start += 1
            continue
        end = start
        while end < len(lead) and rows[end]:
            end += 1
        found[start:end] = _walk(context, lead[start:end], rows[start:end], key, other[start:end])
        start = end
    return found


def fits(context: Context, lead: Sequence[Note], pitches: Sequence[int | None], key: Key) -> bool:
    """Whether a harmony is worth singing: it reaches nearly all of the line, and nothing on a beat rubs the chord."""
    rubs = strong = foreign = 0
    for note, pitch in zip(lead, pitches, strict=True):
        chord = heard_under(context, note)
        tones = chord.pitch_classes if chord is not None else key.pitch_classes
        if pitch is not None and is_strong(context, note):
            strong += 1
            foreign += pitch % 12 not in tones
            rubs += pitch % 12 not in tones and (pitch - 1) % 12 in tones
    return not rubs and 4 * foreign <= strong and 5 * sum(p is None for p in pitches) <= len(lead)


def _candidates(note: Note, seat: Backing) -> list[int]:
    return [note.pitch + seat.side * distance for distance in range(NEAREST, FARTHEST + 1)]


def _walk(
    context: Context, lead: Sequence[Note], rows: Sequence[Sequence[int]], key: Key, other: Sequence[int | None]
) -> list[int]:
    """Returns the cheapest way through the candidates (Viterbi)."""
    costs: list[dict[int, float]] = []
    origins: list[dict[int, int]] = []
    for i, (note, row) in enumerate(zip(lead, rows, strict=True)):
        chord = heard_under(context, note)
        here: dict[int, float] = {}
        back: dict[int, int] = {}
        for pitch in row:
            own = _note_cost(context, note, pitch, chord, key, other[i])
            if i == 0:
                here[pitch], back[pitch] = own, pitch
                continue
            held = heard_under(context, lead[i - 1]) == chord
            ways = {p: c + _step_cost(lead[i - 1].pitch, note.pitch, p, pitch, held=held) for p, c in costs[-1].items()}
            back[pitch] = min(ways, key=lambda p: (ways[p], p))
            here[pitch] = own + ways[back[pitch]]
        costs.append(here)
        origins.append(back)
    path = [min(costs[-1], key=lambda p: (costs[-1][p], p))]
    for back in reversed(origins[1:]):
        path.append(back[path[-1]])
    return path[::-1]


def heard_under(context: Context, note: Note) -> Chord | None:
    """Returns the chord that a note is heard over: the next one where it is pulled forward and held into it."""
    change = context.chords.next_change(note.start_ticks)
    if change is not None:
        tick, following = change
        near = tick - note.start_ticks <= context.plan.beat_ticks // 2
        if near and note.end_ticks - tick > tick - note.start_ticks:
            return following
    return context.chords.at(note.start_ticks)


def is_strong(context: Context, note: Note) -> bool:
    """Whether the ear measures a note by the chord: on a beat, or long."""
    beat = context.plan.beat_ticks
    return note.start_ticks % beat == 0 or note.duration_ticks >= beat


def _note_cost(context: Context, note: Note, pitch: int, chord: Chord | None, key: Key, other: int | None) -> float:
    apart = abs(pitch - note.pitch)
    cost = _INTERVAL_COST[apart]
    strong = is_strong(context, note)
    tones = chord.pitch_classes if chord is not None else key.pitch_classes
    if pitch % 12 not in tones:
        cost += 9.0 if strong else 1.2
        cost += 8.0 if pitch % 12 not in key.pitch_classes else 0.0
        cost += (6.0 if strong else 1.5) * any((pitch - t) % 12 == 1 for t in tones)
    elif apart == 6 and note.pitch % 12 in tones:
        cost -= 1.6
    if other is not None:
        between = abs(pitch - other) % 12
        cost += 7.0 if between in (1, 11) else 3.0 if between in (2, 10) else 2.0 if between == 0 else 0.0
        if (other > note.pitch) == (pitch > note.pitch):
            cost += 5.0 * (apart <= abs(other - note.pitch))  # the second stands outside the first
    return cost


def _step_cost(lead_before: int, lead_now: int, before: int, now: int, *, held: bool) -> float:
    moved, led = now - before, lead_now - lead_before
    cost = 0.14 * abs(moved) + 0.22 * abs(moved - led)
    if led == 0 and moved != 0:
        cost += 2.5 if held else 0.6
    if abs(moved) > 7:
        cost += 4.0
    if moved and led and abs(before - lead_before) == 7 and abs(now - lead_now) == 7:
        cost += 1.5
    return cost
