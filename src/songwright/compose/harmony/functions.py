"""Chord functions: what a chord is to its key, coarse enough to learn from data, and how a style's vocabulary meets them.

A function is a root (semitones above the tonic) and one of four qualities: major, minor, dominant seventh, diminished.
Colour (sevenths, ninths, suspensions) is the style's, not the model's. Spelling of symbols lives here too.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from songwright.compose.style import Style
from songwright.score.theory import Chord, Key, name_of, parse_roman, pitch_class

MAJOR, MINOR, DOMINANT, DIMINISHED = range(4)
NUM_QUALITIES = 4
NUM_FUNCTIONS = 12 * NUM_QUALITIES
START = NUM_FUNCTIONS
"""The token before the first chord of a section."""

TONIC, SUBDOMINANT, DOMINANT_CLASS = range(3)
_CLASS_OF_DEGREE = {
    0: TONIC, 3: TONIC, 4: TONIC, 9: TONIC,
    1: SUBDOMINANT, 2: SUBDOMINANT, 5: SUBDOMINANT, 8: SUBDOMINANT, 6: DOMINANT_CLASS,
    7: DOMINANT_CLASS, 10: DOMINANT_CLASS, 11: DOMINANT_CLASS,
}  # fmt: skip

_LETTER_STEPS = {0: 0, 1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 6: 3, 7: 4, 8: 5, 9: 5, 10: 6, 11: 6}
_RAISED_STEPS = {1: 0, 3: 1, 8: 4}
_LETTERS = "CDEFGAB"


def quality_of(chord: Chord) -> int:
    """Returns the coarse quality of a chord: `MAJOR`, `MINOR`, `DOMINANT` or `DIMINISHED`."""
    tones = {i % 12 for i in chord.intervals}
    if chord.third == 3:
        return DIMINISHED if 6 in tones and 7 not in tones else MINOR
    if 10 in tones:
        return DOMINANT
    return MAJOR


def function_of(chord: Chord, tonic: int = 0) -> int:
    """Returns the function of a chord over a tonic: root above the tonic times four, plus the quality."""
    return (chord.root - tonic) % 12 * NUM_QUALITIES + quality_of(chord)


def class_of(function: int) -> int:
    """Returns `TONIC`, `SUBDOMINANT` or `DOMINANT_CLASS`."""
    return _CLASS_OF_DEGREE[function // NUM_QUALITIES]


def spell(chord: Chord, key: Key) -> str:
    """Returns the chord's symbol as a musician writes it in the key: in C major bVII is ``Bb``, the V of vi ``E7``."""
    root = _note_name(chord.root, key, raised=quality_of(chord) == DIMINISHED)
    slash = "" if chord.bass is None else f"/{_note_name(chord.bass, key, raised=False)}"
    return f"{root}{chord.quality}{slash}"


def _note_name(note: int, key: Key, *, raised: bool) -> str:
    degree = (note - key.tonic) % 12
    tonic = name_of(key.tonic, flats=key.flats)
    steps = _RAISED_STEPS.get(degree) if raised else None
    letter = _LETTERS[(_LETTERS.index(tonic[0]) + (_LETTER_STEPS[degree] if steps is None else steps)) % 7]
    sign = (note - pitch_class(letter) + 6) % 12 - 6
    if abs(sign) > 1:
        return name_of(note, flats=key.flats)
    return letter + ("#" if sign == 1 else "b" if sign == -1 else "")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The chords a style may use in a mode, joined to the model's functions.

    Attributes:
        romans: the style's roman numerals.
        chords: the same over tonic C.
        functions: function of each.
        transfer: (NUM_FUNCTIONS, entries): which share of a function's probability each entry takes.
        borrowed: whether each entry has a tone outside the mode (the leading tone of minor excepted).
        tonic: index of the entry that ends a song.
    """

    romans: tuple[str, ...]
    chords: tuple[Chord, ...]
    functions: tuple[int, ...]
    transfer: NDArray[np.float64]
    borrowed: tuple[bool, ...]
    tonic: int

    def index(self, roman: str) -> int:
        """Returns the entry that serves a roman numeral: the same, else the same function, degree or class."""
        if roman in self.romans:
            return self.romans.index(roman)
        function = function_of(parse_roman(roman))
        return min(range(len(self.romans)), key=lambda i: (_distance(function, self.functions[i]), i))


def _distance(a: int, b: int) -> int:
    """Returns how far two functions are: 0 same, 1 same root and kind of third, 2 same root, 3 same class, 4 else."""
    if a == b:
        return 0
    if a // NUM_QUALITIES == b // NUM_QUALITIES:
        minor_thirds = (MINOR, DIMINISHED)
        return 1 if (a % NUM_QUALITIES in minor_thirds) == (b % NUM_QUALITIES in minor_thirds) else 2
    return 3 if class_of(a) == class_of(b) else 4


_SHARES = (1.0, 1.0, 0.5, 0.0)
"""Share of a function's probability that goes to the nearest entries, by `_distance`; farther ones get nothing."""


def make_vocabulary(romans: tuple[str, ...], key: Key) -> Vocabulary:
    """Returns the vocabulary of roman numerals in a key's mode.

    Args:
        romans: at least one; a tonic chord is added in front where there is none.
        key: its mode says which chords are at home.
    """
    chords = [parse_roman(r) for r in romans]
    if not any(c.root == 0 for c in chords):
        romans = ("i" if key.is_minor else "I", *romans)
        chords = [parse_roman(r) for r in romans]
    functions = tuple(function_of(c) for c in chords)
    transfer = np.zeros((NUM_FUNCTIONS, len(chords)))
    for function in range(NUM_FUNCTIONS):
        near = [_distance(function, f) for f in functions]
        share = _SHARES[min(min(near), 3)]
        owners = [i for i, n in enumerate(near) if n == min(near)]
        transfer[function, owners] = share / len(owners)
    home = {(p - key.tonic) % 12 for p in key.pitch_classes} | ({11} if key.is_minor else set())
    if len(key.pitch_classes) < 7:
        home |= {0, 2, 3, 5, 7, 8, 10} if key.is_minor else {0, 2, 4, 5, 7, 9, 11}
    borrowed = tuple(bool({p % 12 for p in c.pitch_classes} - home) for c in chords)
    return Vocabulary(tuple(romans), tuple(chords), functions, transfer, borrowed, _tonic(chords, key))


def _tonic(chords: list[Chord], key: Key) -> int:
    """Returns the entry on the first degree, of the key's third if there is one."""
    home = [i for i, c in enumerate(chords) if c.root == 0 and c.bass is None] or [
        i for i, c in enumerate(chords) if c.root == 0
    ]
    fitting = [i for i in home if chords[i].third in (None, 3 if key.is_minor else 4)]
    return (fitting or home)[0]


@lru_cache(maxsize=64)
def _vocabulary(romans: tuple[str, ...], mode: str) -> Vocabulary:
    return make_vocabulary(romans, Key(0, mode))


def vocabulary_of(style: Style, key: Key) -> Vocabulary:
    """Returns a style's vocabulary in the mode of a key."""
    return _vocabulary(style.harmony.minor if key.is_minor else style.harmony.major, key.mode)
