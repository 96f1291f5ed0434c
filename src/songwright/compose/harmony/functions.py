"""Chord functions: what a chord is to its key, coarse enough to learn, and how a style's vocabulary meets them.

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
        chords: over tonic C.
        functions: function of each.
        transfer: (NUM_FUNCTIONS, entries): which share of a function's probability each entry takes.
        borrowed: whether each entry has a tone outside the mode (the leading tone of minor excepted).
        tonic: index of the entry that ends a song.
    """

    chords: tuple[Chord, ...]
    functions: tuple[int, ...]
    transfer: NDArray[np.float64]
    borrowed: tuple[bool, ...]
    tonic: int

    def __len__(self) -> int:
        """Number of entries."""
        return len(self.chords)

    def index(self, roman: str) -> int:
        """Returns the entry that serves a roman numeral: the same chord, else the same function, root or class."""
        chord = parse_roman(roman)
        if chord in self.chords:
            return self.chords.index(chord)
        function = function_of(chord)
        return min(range(len(self.chords)), key=lambda i: (_chord_distance(function, self.chords[i]), i))


def _chord_distance(function: int, chord: Chord) -> int:
    """Returns how far a chord is from a function.

    0 the same (a chord without a third is major or minor as need be), 1 same root and kind of third, 2 same root,
    3 same class, 4 else.
    """
    root, quality = divmod(function, NUM_QUALITIES)
    if root != chord.root:
        return 3 if class_of(function) == class_of(function_of(chord)) else 4
    own = quality_of(chord)
    if quality == own or (chord.third is None and quality in (MAJOR, MINOR)):
        return 0
    minor_thirds = (MINOR, DIMINISHED)
    return 1 if (quality in minor_thirds) == (own in minor_thirds) else 2


_SHARES = (1.0, 1.0, 0.5, 0.0)
"""Share of a function's probability that goes to the nearest entries, by `_chord_distance`."""


def make_vocabulary(romans: tuple[str, ...], key: Key) -> Vocabulary:
    """Returns the vocabulary of roman numerals in a key's mode.

    Args:
        romans: of the style; in the church modes each chord is bent to the scale, and the chord that names the mode
            (IV of dorian, bVII of mixolydian, II of lydian, bII of phrygian) is added.
        key: its mode says which chords are at home.
    """
    home = _home(key)
    chords = [parse_roman(r) for r in romans]
    if key.mode in _MODE_CHORDS:
        bent = [c for chord in chords if (c := _bent(chord, home))]
        chords = list(dict.fromkeys([*bent, parse_roman(_MODE_CHORDS[key.mode])]))
    if not any(c.root == 0 for c in chords):
        chords.insert(0, Chord(0, "m" if key.is_minor else ""))
    functions = tuple(function_of(c) for c in chords)
    transfer = np.zeros((NUM_FUNCTIONS, len(chords)))
    for function in range(NUM_FUNCTIONS):
        near = [_chord_distance(function, c) for c in chords]
        share = _SHARES[min(min(near), 3)]
        owners = [i for i, n in enumerate(near) if n == min(near)]
        transfer[function, owners] = share / len(owners)
    if key.mode in ("mixolydian", "lydian", "phrygian"):
        mode_chord = chords.index(parse_roman(_MODE_CHORDS[key.mode]))
        for quality in (MAJOR, MINOR, DOMINANT):
            transfer[7 * NUM_QUALITIES + quality, mode_chord] += _MODE_SHARE
    borrowed = tuple(bool({p % 12 for p in c.pitch_classes} - home) for c in chords)
    return Vocabulary(tuple(chords), functions, transfer, borrowed, _tonic(chords, key))


_MODE_SHARE = 0.4
"""Share of the dominant's probability that goes to the chord that names a mode, which stands in its place."""

_MODE_CHORDS = {"dorian": "IV", "mixolydian": "bVII", "lydian": "II", "phrygian": "bII"}


def _home(key: Key) -> set[int]:
    """Returns the tones of the mode above its tonic, the leading tone of minor among them."""
    if len(key.pitch_classes) < 7 or key.mode in ("minor", "harmonic_minor", "melodic_minor"):
        return {0, 2, 3, 5, 7, 8, 10, 11} if key.is_minor else {0, 2, 4, 5, 7, 9, 11}
    return {(p - key.tonic) % 12 for p in key.pitch_classes}


def _bent(chord: Chord, home: set[int]) -> Chord | None:
    """Returns the chord with its third and seventh moved into the scale; None if root or fifth lie outside."""
    if {p % 12 for p in chord.pitch_classes} <= home:
        return chord
    tones = {name: next((i for i in steps if (chord.root + i) % 12 in home), None)
             for name, steps in (("third", (4, 3)), ("fifth", (7,)), ("seventh", (11, 10)))}  # fmt: skip
    if chord.root not in home or tones["third"] is None or tones["fifth"] is None:
        return None
    triad = "m" if tones["third"] == 3 else ""
    if chord.seventh is None or tones["seventh"] is None:
        return Chord(chord.root, triad)
    return Chord(
        chord.root, {(3, 10): "m7", (4, 10): "7", (4, 11): "maj7"}.get((tones["third"], tones["seventh"]), triad)
    )


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
