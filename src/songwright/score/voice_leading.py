"""Chords as pitches: voicings of a chord in a register, and the nearest way from one to the next.

Pure functions of chords and pitches. What a guitarist's hand can grip, and when a part plays, live in `compose`.
"""

import itertools
from functools import lru_cache

from songwright.errors import InputError
from songwright.score.theory import Chord

VOICINGS = ("close", "triad", "drop2", "shell", "rootless", "spread", "open", "power", "octaves")
"""The shapes that `voice` makes."""

_MUD = ((40, 11), (45, 6), (52, 4), (57, 2))
"""Below the pitch, an interval to the next voice up to so many semitones sounds thick (Piston, Orchestration)."""


def guide_tones(chord: Chord) -> tuple[int, ...]:
    """Returns the pitch classes that tell the chord's colour: third (or what is suspended for it) and seventh."""
    colour = chord.third if chord.third is not None else next((i for i in chord.intervals if i in (2, 5)), chord.fifth)
    intervals = (colour,) if chord.seventh is None else (colour, chord.seventh)
    return tuple((chord.root + i) % 12 for i in intervals)


def chosen_tones(chord: Chord, num_voices: int, *, root: bool = True) -> tuple[int, ...]:
    """Returns the pitch classes that so many voices should hold, the ones that may not be missed first.

    Args:
        chord: what is voiced; a foreign slash bass is left to the bass player.
        num_voices: how many; a chord with fewer tones gives all it has.
        root: whether the root is among them before the plain fifth.
    """
    above = {i % 12: i for i in chord.intervals if i}
    colour = [(pc - chord.root) % 12 for pc in guide_tones(chord)]
    extensions = [i % 12 for i in sorted(chord.intervals, reverse=True) if i > 12]
    fifth = [chord.fifth] if chord.fifth in above else []
    altered = fifth if chord.fifth != 7 else []
    rest = [i for i in above if i not in (*colour, *extensions, *fifth)]
    order = [*colour, *altered, *extensions[:1], *([0] if root else []), *rest, *extensions[1:], *fifth]
    if root and len(above) == 2:
        order = [0, *colour, *order]
    tones = list(dict.fromkeys((chord.root + i) % 12 for i in order))
    return tuple(tones[:num_voices])


def voice(
    chord: Chord,
    *,
    style: str,
    low: int,
    high: int,
    num_voices: int = 4,
    previous: tuple[int, ...] | None = (),
) -> tuple[int, ...]:
    """Returns a chord as ascending MIDI pitches inside a register.

    Args:
        chord: what sounds.
        style: one of `VOICINGS`: ``close`` within an octave where the voices fit, ``triad`` without sevenths,
            ``drop2`` the second voice from above an octave down, ``shell`` root, third, seventh, ``rootless`` third,
            fifth, seventh, ninth, ``spread`` tenths over the bass, ``open`` the bass apart below a close group,
            ``power`` root, fifth and octave, ``octaves`` the root twice.
        low: lowest pitch allowed.
        high: highest pitch allowed; fewer voices are used where the register is too narrow.
        num_voices: how many voices are wanted.
        previous: the voicing before, to move little from; none for the middle of the register.

    Raises:
        InputError: the style is unknown or the register narrower than a seventh holds nothing.
    """
    if style not in VOICINGS:
        raise InputError(f"voicing '{style}' is not known; one of {', '.join(VOICINGS)}")
    shapes = (style, "open", "close") if style == "spread" else (style, "close") if style == "open" else (style,)
    for count, shape in itertools.product(range(max(1, num_voices), 0, -1), shapes):
        candidates = _candidates(chord, shape, low, high, count)
        if candidates:
            return _best(candidates, tuple(previous or ()), low, high)
    nearest = [p for p in range(low, high + 1) if p % 12 in chord.pitch_classes]
    if not nearest:
        raise InputError(f"no tone of {chord.symbol()} lies between {low} and {high}")
    return (min(nearest, key=lambda p: abs(2 * p - low - high)),)


def lead_voices(previous: tuple[int, ...], chord: Chord, low: int, high: int, num_voices: int = 4) -> tuple[int, ...]:
    """Returns the voicing with the least total motion from the one before.

    Voices do not cross and common tones stay where they are; parallel fifths and octaves between the outer voices are
    avoided when another voicing moves at most two semitones a voice further.

    Args:
        previous: ascending pitches; empty to begin in the middle of the register.
        chord: where to go; every tone that `chosen_tones` asks for is in the result.
        low: lowest pitch allowed.
        high: highest pitch allowed.
        num_voices: how many voices.
    """
    if not previous:
        return voice(chord, style="close", low=low, high=high, num_voices=num_voices)
    needed = set(chosen_tones(chord, num_voices))
    near_low, near_high = max(low, previous[0] - 9), min(high, previous[-1] + 9)
    pitches = [p for p in range(near_low, near_high + 1) if p % 12 in needed]
    options = [c for c in itertools.combinations(pitches, num_voices) if needed <= {p % 12 for p in c} and _compact(c)]
    if not options:
        return voice(chord, style="close", low=low, high=high, num_voices=num_voices, previous=previous)
    moves = {c: motion(previous, c) for c in options}
    within = min(moves.values()) + 2 * num_voices
    near = [c for c in options if moves[c] <= within]
    kept = set(previous)
    return min(near, key=lambda c: (parallel_outer(previous, c), moves[c], -len(kept & set(c)), c[-1] - c[0], c))


def motion(previous: tuple[int, ...], following: tuple[int, ...]) -> int:
    """Returns how many semitones all voices move; voices that come or go count from their nearest neighbour."""
    if len(previous) == len(following):
        return sum(abs(a - b) for a, b in zip(previous, following, strict=True))
    few, many = sorted((previous, following), key=len)
    return sum(min(abs(a - b) for b in few) for a in many)


def parallel_outer(previous: tuple[int, ...], following: tuple[int, ...]) -> bool:
    """Whether the outer voices move the same way from a fifth (or octave) into a fifth (or octave)."""
    if len(previous) < 2 or len(following) < 2:
        return False
    before, after = (previous[-1] - previous[0]) % 12, (following[-1] - following[0]) % 12
    step = following[0] - previous[0]
    return before == after and before in (0, 7) and step * (following[-1] - previous[-1]) > 0


def _compact(pitches: tuple[int, ...]) -> bool:
    return all(1 < b - a <= 12 for a, b in itertools.pairwise(pitches))


def _best(candidates: tuple[tuple[int, ...], ...], previous: tuple[int, ...], low: int, high: int) -> tuple[int, ...]:
    """Returns the candidate that moves least, sounds clear and stays near the middle."""
    middle = (low + high) / 2

    def cost(pitches: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        away = abs(sum(pitches) / len(pitches) - middle)
        if not previous:
            return away + 4.0 * _thickness(pitches), pitches
        moved = motion(previous, pitches) + 2.0 * parallel_outer(previous, pitches)
        return moved + 0.5 * max(0.0, away - 2.0) + 4.0 * _thickness(pitches), pitches

    return min(candidates, key=cost)


def _thickness(pitches: tuple[int, ...]) -> int:
    """Returns how many neighbours lie closer than their register bears, and whether the top rubs a semitone."""
    thick = sum(any(a < limit and b - a <= width for limit, width in _MUD) for a, b in itertools.pairwise(pitches))
    return thick + (len(pitches) > 2 and pitches[-1] - pitches[-2] == 1)


@lru_cache(maxsize=8192)
def _candidates(chord: Chord, style: str, low: int, high: int, num_voices: int) -> tuple[tuple[int, ...], ...]:
    """Returns every voicing of a shape inside the register, with exactly so many voices."""
    root, bass = chord.root, chord.bass_pitch_class
    if style == "octaves":
        found = [tuple(p + 12 * i for i in range(min(num_voices, 2))) for p in range(low, high + 1) if p % 12 == root]
    elif style == "power":
        shape = (0, chord.fifth if chord.fifth == 6 else 7, 12)[:num_voices]
        found = [tuple(p + i for i in shape) for p in range(low, high + 1) if p % 12 == root]
    elif style == "shell":
        tones = guide_tones(chord) if num_voices == 2 else (root, *_shell_rest(chord))[: max(1, num_voices)]
        found = [s for s in _stacks(tones, low, high, len(tones)) if num_voices == 2 or s[0] % 12 == root]
    elif style == "rootless":
        found = _stacks(_rootless_tones(chord, num_voices), low, high, num_voices)
    elif style in ("spread", "open") and num_voices >= 3:
        found = _over_bass(chord, bass, low, high, num_voices, wide=style == "spread")
    else:
        plain = Chord(root, _plain_triad(chord)) if style == "triad" else chord
        found = _stacks(chosen_tones(plain, num_voices), low - 12, high, num_voices)
        if style == "drop2" and num_voices >= 3:
            found = [tuple(sorted({*s[:-2], s[-2] - 12, s[-1]})) for s in found if s[-2] - 12 not in s]
    return tuple(sorted({s for s in found if s[0] >= low and s[-1] <= high}))


def _shell_rest(chord: Chord) -> tuple[int, ...]:
    guides = guide_tones(chord)
    return guides if len(guides) == 2 else (*guides, (chord.root + chord.fifth) % 12)


def _plain_triad(chord: Chord) -> str:
    if chord.third is None:
        return "sus2" if 2 in chord.intervals else "sus4" if 5 in chord.intervals else "5"
    if chord.third == 3:
        return "dim" if chord.fifth == 6 else "m"
    return "aug" if chord.fifth == 8 else ""


def _rootless_tones(chord: Chord, num_voices: int) -> tuple[int, ...]:
    """Returns third, seventh, ninth and fifth (or what the symbol puts there); triads keep their root."""
    if chord.seventh is None or chord.quality in ("dim7", "m7b5"):
        return chosen_tones(chord, num_voices)
    tones = list(chosen_tones(chord, num_voices, root=False))
    ninth = (chord.root + 2) % 12
    plain = not any(i > 12 for i in chord.intervals) and chord.third is not None and chord.fifth == 7
    if plain and num_voices >= 3 and ninth not in tones:
        tones = [*tones[:2], ninth, *tones[2:]]
    return tuple(tones[:num_voices])


def _stacks(tones: tuple[int, ...], low: int, high: int, num_voices: int) -> list[tuple[int, ...]]:
    """Returns every inversion of the tones piled as closely as they go, doubled upwards if voices are left."""
    circle = sorted(set(tones))
    found = []
    for base in range(low, high + 1):
        if base % 12 not in circle:
            continue
        turn = circle.index(base % 12)
        pitches = [base]
        for i in range(1, num_voices):
            pitches.append(pitches[-1] + ((circle[(turn + i) % len(circle)] - pitches[-1] - 1) % 12) + 1)
        if pitches[-1] <= high:
            found.append(tuple(pitches))
    return found


def _over_bass(chord: Chord, bass: int, low: int, high: int, num_voices: int, *, wide: bool) -> list[tuple[int, ...]]:
    """Returns the bass with the other tones above it: a close group, or with every second one an octave higher."""
    upper = chosen_tones(chord, num_voices - 1, root=bass != chord.root or len(chord.intervals) < num_voices)
    wanted = tuple(pc for pc in upper if pc != bass or len(upper) < num_voices) or upper
    found = []
    for base in range(low, high + 1):
        if base % 12 != bass:
            continue
        for group in _stacks(wanted, base + (7 if wide else 5), min(high, base + 31), num_voices - 1):
            opened = tuple(sorted(p + 12 * (wide and i % 2) for i, p in enumerate(group)))
            if opened[0] - base <= 19 and len(set(opened)) == len(opened):
                found.append((base, *opened))
    return found
