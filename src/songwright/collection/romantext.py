"""Roman-numeral analyses in RomanText as chord symbols: `numeral_chord`, `analysis`.

Reference: Tymoczko et al., The RomanText Format, ISMIR 2019.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from songwright.score.theory import Chord, pitch_class

_KEY = re.compile(r"^([A-Ga-g])([#b-]*):$")
_NUMERAL = re.compile(r"^([#b]*)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i|Cad|N|Ger|It|Fr)(.*)$")
_MAJOR = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
_MINOR = {"i": 0, "ii": 2, "iii": 3, "iv": 5, "v": 7, "vi": 8, "vii": 10}
_INVERSIONS = {"": 0, "53": 0, "5": 0, "6": 1, "63": 1, "64": 2, "7": 0, "65": 1, "43": 2, "42": 3, "2": 3, "9": 0}
_SIXTHS = {"It": ("7", 8), "Ger": ("7", 8), "Fr": ("7b5", 8)}


@dataclass(frozen=True, slots=True)
class Analysed:
    """One chord of an analysis: measure number, beat (from 1, music21's beats), chord (None if not understood)."""

    measure: int
    beat: float
    chord: Chord | None


def analysis(text: str) -> Iterator[Analysed]:
    """Yields the chords of an analysis in order; lines that are no measures are passed over."""
    key: tuple[int, bool] | None = None
    for line in text.splitlines():
        match = re.match(r"^m(\d+)[a-z]?\s+(.*)$", line.strip())
        if not match:
            continue
        measure, beat = int(match.group(1)), 1.0
        for token in match.group(2).split():
            named = _KEY.match(token)
            if named:
                key = (pitch_class(named.group(1).upper() + named.group(2).replace("-", "b")), token[0].islower())
            elif re.fullmatch(r"b\d+(\.\d+)?", token):
                beat = float(token[1:])
            elif key is not None and _NUMERAL.match(token):
                yield Analysed(measure, beat, numeral_chord(token, *key))


def numeral_chord(text: str, tonic: int, minor: bool) -> Chord | None:
    """Returns the chord of a numeral such as ``"V65/ii"`` in a key; None if it is not understood.

    Args:
        text: the numeral.
        tonic: pitch class of the key.
        minor: whether the key is minor.
    """
    head, *over = text.split("/")
    for upper in reversed(over):
        match = _NUMERAL.match(upper)
        if not match or match.group(2).lower() not in _MAJOR:
            return None
        tonic += (_MINOR if minor else _MAJOR)[match.group(2).lower()]
        tonic += match.group(1).count("#") - match.group(1).count("b")
        minor = match.group(2).islower()
    match = _NUMERAL.match(head)
    return _chord(match.group(1), match.group(2), match.group(3), tonic, minor) if match else None


def _chord(sign: str, numeral: str, figures: str, tonic: int, minor: bool) -> Chord | None:
    found = re.search(r"\d+", figures)
    digits = found.group() if found else ""
    if digits not in _INVERSIONS:
        return None
    inversion = _INVERSIONS[digits]
    if numeral in _SIXTHS:
        quality, degree = _SIXTHS[numeral]
        root = tonic + degree
        return Chord(root % 12, quality)
    if numeral == "N":
        return _inverted(Chord((tonic + 1) % 12), inversion)
    if numeral == "Cad":
        return Chord(tonic % 12, "m" if minor else "", (tonic + 7) % 12)
    lower = numeral.lower()
    root = tonic + (_MINOR if minor else _MAJOR)[lower] + sign.count("#") - sign.count("b")
    diminished = "o" in figures or "ø" in figures
    if lower == "vii" and minor and diminished and not sign:
        root = tonic + 11
    return _inverted(Chord(root % 12, _quality(numeral, figures, digits, minor)), inversion)


def _quality(numeral: str, figures: str, digits: str, minor: bool) -> str:
    seventh = digits in ("7", "65", "43", "42", "2", "9")
    if "ø" in figures:
        return "m7b5"
    if "o" in figures:
        return "dim7" if seventh else "dim"
    if "+" in figures:
        return "augmaj7" if seventh else "aug"
    if numeral.islower():
        return "m7" if seventh else "m"
    if not seventh:
        return ""
    dominant = numeral == "V" or (minor and numeral == "VII")
    return "7" if dominant else "maj7"


def _inverted(chord: Chord, inversion: int) -> Chord:
    tones = chord.pitch_classes
    if inversion == 0 or inversion >= len(tones):
        return chord
    return Chord(chord.root, chord.quality, tones[inversion])
