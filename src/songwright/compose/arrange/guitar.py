"""Guitar grips: chords as a hand finds them on six strings in standard tuning."""

import itertools
from functools import lru_cache

from songwright.score.theory import Chord
from songwright.score.voice_leading import guide_tones

STRINGS = (40, 45, 50, 55, 59, 64)
"""Open strings, low to high."""

_REACH = 3
_HIGHEST_POSITION = 9


@lru_cache(maxsize=4096)
def guitar_shape(chord: Chord, low: int, high: int, near: int | None = None) -> tuple[int, ...]:
    """Returns a chord as a guitarist grips it: neighbouring strings within four frets, the bass lowest.

    Args:
        chord: what to grip.
        low: lowest pitch wanted.
        high: highest pitch wanted.
        near: the lowest pitch of the grip before, or None.
    """
    tones = {(chord.root + i) % 12 for i in chord.intervals}
    best: tuple[float, tuple[int, ...]] | None = None
    for position, string in itertools.product(range(_HIGHEST_POSITION), range(4)):
        for grip in _grips(position, string, tones, chord.bass_pitch_class, low, high):
            cost = _cost(grip, chord, position, near)
            if best is None or (cost, grip) < best:
                best = (cost, grip)
    if best is None:
        bass = low + (chord.bass_pitch_class - low) % 12
        return tuple(p for p in sorted({bass, *(bass + (pc - bass) % 12 for pc in tones)}) if p <= max(high, bass))
    return best[1]


def _grips(position: int, lowest: int, tones: set[int], bass: int, low: int, high: int) -> list[tuple[int, ...]]:
    """Returns the pitches of every grip of one hand position whose bass is on one string."""
    frets = range(max(1, position), position + _REACH + 1)
    rows: list[list[int]] = []
    for string in range(lowest, 6):
        reachable = [STRINGS[string] + fret for fret in ((0, *frets) if position <= 2 else frets)]
        wanted = {bass} if not rows else tones
        rows.append([p for p in reachable if p % 12 in wanted and low <= p <= high])
        if not rows[-1]:
            rows.pop()
            break
    if len(rows) < 3:
        return []
    return [grip for grip in itertools.product(*rows) if all(a < b for a, b in itertools.pairwise(grip))]


def _cost(grip: tuple[int, ...], chord: Chord, position: int, near: int | None) -> float:
    """Returns how unwelcome a grip is: tones missing, thick low thirds, high positions, few strings, a long way."""
    classes = [p % 12 for p in grip]
    missing = sum(pc not in classes for pc in guide_tones(chord))
    colours = sum((chord.root + i) % 12 not in classes for i in chord.intervals if i > 11)
    thick = sum(b - a <= 4 and a < 50 for a, b in itertools.pairwise(grip))
    third = None if chord.third is None else (chord.root + chord.third) % 12
    doubled = max(0, classes.count(third) - 1) if third is not None else 0
    way = 0.0 if near is None else 0.06 * abs(grip[0] - near)
    return 5.0 * missing + 1.5 * colours + 1.2 * thick + 0.7 * doubled + 0.3 * position + 0.5 * (6 - len(grip)) + way
