"""Pitch classes, keys, modes and chords: small, exact, spelled as musicians spell them.

Pitch classes are 0 (C) to 11 (B). A `Chord` is a root, the intervals above it, and a bass; a `Key` a tonic and a mode.
Voicings for players live in `compose`; symbols in files are read and written here.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from songwright.errors import InputError

_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")

MODES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "harmonic_minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic_minor": (0, 2, 3, 5, 7, 9, 11),
    "major_pentatonic": (0, 2, 4, 7, 9),
    "minor_pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
}
"""Semitones above the tonic of every mode's scale."""

_MAJOR_LIKE = {"major": 0, "lydian": -5, "mixolydian": 5, "major_pentatonic": 0}
_TO_RELATIVE_MAJOR = {**_MAJOR_LIKE, "dorian": -2, "phrygian": -4, "locrian": 1}

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7), "m": (0, 3, 7), "dim": (0, 3, 6), "aug": (0, 4, 8), "sus2": (0, 2, 7), "sus4": (0, 5, 7),
    "5": (0, 7),
    "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9), "69": (0, 4, 7, 9, 14), "m69": (0, 3, 7, 9, 14),
    "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11), "m7": (0, 3, 7, 10), "mmaj7": (0, 3, 7, 11),
    "dim7": (0, 3, 6, 9), "m7b5": (0, 3, 6, 10), "aug7": (0, 4, 8, 10), "augmaj7": (0, 4, 8, 11),
    "7sus4": (0, 5, 7, 10), "7sus2": (0, 2, 7, 10),
    "9": (0, 4, 7, 10, 14), "maj9": (0, 4, 7, 11, 14), "m9": (0, 3, 7, 10, 14), "9sus4": (0, 5, 7, 10, 14),
    "mmaj9": (0, 3, 7, 11, 14), "add9": (0, 4, 7, 14), "madd9": (0, 3, 7, 14), "add11": (0, 4, 7, 17),
    "11": (0, 4, 7, 10, 14, 17), "m11": (0, 3, 7, 10, 14, 17), "maj11": (0, 4, 7, 11, 14, 17),
    "13": (0, 4, 7, 10, 14, 21), "maj13": (0, 4, 7, 11, 14, 21), "m13": (0, 3, 7, 10, 14, 21),
    "13sus4": (0, 5, 7, 10, 14, 21),
    "7b5": (0, 4, 6, 10), "7b9": (0, 4, 7, 10, 13), "7#9": (0, 4, 7, 10, 15), "7#11": (0, 4, 7, 10, 18),
    "7b13": (0, 4, 7, 10, 20), "maj7#11": (0, 4, 7, 11, 18), "7#5#9": (0, 4, 8, 10, 15), "7b5b9": (0, 4, 6, 10, 13),
    "7#5b9": (0, 4, 8, 10, 13), "9#11": (0, 4, 7, 10, 14, 18), "13b9": (0, 4, 7, 10, 13, 21),
    "9b5": (0, 4, 6, 10, 14), "m9b5": (0, 3, 6, 10, 14),
}  # fmt: skip
"""Semitones above the root of every chord quality, by the suffix that we write."""

_ALIASES = {
    "maj": "", "M": "", "major": "", "min": "m", "-": "m", "minor": "m", "mi": "m", "o": "dim", "°": "dim", "+": "aug",
    "sus": "sus4", "M7": "maj7", "Δ": "maj7", "Δ7": "maj7", "ma7": "maj7", "min7": "m7", "-7": "m7", "mi7": "m7",
    "o7": "dim7", "°7": "dim7", "ø": "m7b5", "ø7": "m7b5", "h7": "m7b5", "hdim7": "m7b5", "min7b5": "m7b5",
    "-7b5": "m7b5",
    "+7": "aug7", "7#5": "aug7", "7+": "aug7", "7aug": "aug7", "maj7#5": "augmaj7", "+M7": "augmaj7", "7sus": "7sus4",
    "sus47": "7sus4", "M9": "maj9", "min9": "m9", "-9": "m9", "9sus": "9sus4", "2": "add9", "add2": "add9",
    "min6": "m6", "-6": "m6", "6/9": "69", "6add9": "69", "m6/9": "m69", "min11": "m11", "-11": "m11", "M13": "maj13",
    "min13": "m13", "7alt": "7#5#9", "alt": "7#5#9", "mM7": "mmaj7", "minmaj7": "mmaj7", "m(maj7)": "mmaj7",
    "mmaj": "mmaj7", "4": "sus4", "min9b5": "m9b5", "1": "5", "sus2sus4": "sus4", "7+9": "7#9", "7-9": "7b9",
}  # fmt: skip

_CHORD = re.compile(r"^([A-G])([#b♯♭]*)(.*?)(?:/([A-G])([#b♯♭]*))?$")
NO_CHORD = "N.C."


def pitch_class(name: str) -> int:
    """Returns the pitch class of a note name such as ``"F#"`` or ``"B♭"``.

    Raises:
        InputError: it is no note name.
    """
    text = name.strip().replace("♯", "#").replace("♭", "b")
    if not re.fullmatch(r"[A-Ga-g][#b]{0,2}", text):
        raise InputError(f"'{name}' is no note: expected a letter A to G, then # or b")
    return (_LETTERS[text[0].upper()] + text.count("#") - text[1:].count("b")) % 12


def name_of(pitch_class: int, *, flats: bool = False) -> str:
    """Returns the name of a pitch class, with sharps or flats."""
    return (_FLAT_NAMES if flats else _SHARP_NAMES)[pitch_class % 12]


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class) and a mode of `MODES`."""

    tonic: int
    mode: str = "major"

    @cached_property
    def pitch_classes(self) -> tuple[int, ...]:
        """The scale from the tonic up."""
        return tuple((self.tonic + step) % 12 for step in MODES[self.mode])

    @property
    def is_minor(self) -> bool:
        """Whether the third above the tonic is minor."""
        return 3 in MODES[self.mode] and 4 not in MODES[self.mode]

    @cached_property
    def fifths(self) -> int:
        """Sharps (above 0) or flats (below 0) of the signature, -6 to 6."""
        relative = (self.tonic + _TO_RELATIVE_MAJOR.get(self.mode, 3 if self.is_minor else 0)) % 12
        count = relative * 7 % 12
        return count - 12 if count > 6 or (count == 6 and self.is_minor) else count

    @property
    def flats(self) -> bool:
        """Whether names in this key are spelled with flats."""
        return self.fifths < 0

    def __str__(self) -> str:
        """The key as `parse_key` reads it."""
        return f"{name_of(self.tonic, flats=self.flats)} {self.mode.replace('_', ' ')}"


_KEY = re.compile(r"^\s*([A-Ga-g])\s*(#|b(?!lues)|♯|♭|-?sharp|-?flat)?\s*[- ]?\s*(.*?)\s*$", re.IGNORECASE)
_MODE_WORDS = {"": "major", "maj": "major", "m": "minor", "min": "minor", "moll": "minor", "dur": "major",
               "aeolian": "minor", "ionian": "major", "natural_minor": "minor"}  # fmt: skip


@lru_cache(maxsize=256)
def parse_key(text: str) -> Key:
    """Returns the key named by text such as ``"A minor"``, ``"Bb"``, ``"F#m"``, ``"D dorian"``.

    Raises:
        InputError: the text names no key.
    """
    match = _KEY.match(text)
    words = match.group(3) if match else ""
    mode_text = words if words in ("m", "M") else words.lower().replace(" ", "_").replace("-", "_")
    mode = "major" if mode_text == "M" else _MODE_WORDS.get(mode_text, mode_text)
    if not match or mode not in MODES:
        raise InputError(f"'{text}' is no key: expected a note and a mode, such as 'A minor', 'Bb major', 'D dorian'")
    sign = (match.group(2) or "").lower().strip("-")
    shift = {"": 0, "#": 1, "♯": 1, "sharp": 1}.get(sign, -1)
    return Key((_LETTERS[match.group(1).upper()] + shift) % 12, mode)


_LINE = "FCGDAEB"
_MODE_FIFTHS = {"minor": -3, "dorian": -2, "phrygian": -4, "lydian": 1, "mixolydian": -1, "locrian": -5}


def signature_of(text: str) -> int:
    """Returns sharps (above 0) or flats (below 0) of a key as it is spelled, -7 to 7: Gb major -6, F# major 6.

    A spelling that would need more than seven is taken by its sound (G# major as Ab major).

    Raises:
        InputError: the text names no key.
    """
    key = parse_key(text)
    letter, sign = text.strip()[0].upper(), (text.strip() + " ")[1]
    shift = 7 if sign in "#♯" else -7 if sign in "b♭" else 0
    mode_fifths = _MODE_FIFTHS.get(key.mode, -3 if key.is_minor else 0)
    count = _LINE.index(letter) - 1 + shift + mode_fifths
    return count if -7 <= count <= 7 and (count - key.fifths) % 12 == 0 else key.fifths


def key_of_signature(fifths: int, mode: str = "major") -> str:
    """Returns the key with this signature, spelled by it: -7 is ``"Cb major"``; the inverse of `signature_of`.

    Args:
        fifths: sharps or, below 0, flats, -7 to 7.
        mode: one of the seven modes of the plain scale; others are read as minor or major by their third.
    """
    at = fifths + 1 - _MODE_FIFTHS.get(mode, -3 if Key(0, mode).is_minor else 0)
    sign = "#" * (at // 7) if at >= 0 else "b" * -(at // 7)
    return f"{_LINE[at % 7]}{sign} {mode.replace('_', ' ')}"


def spell(pitch_class: int, fifths: int, mode: str = "major") -> str:
    """Returns the name of a pitch class as it is written in a key.

    Tones of the signature take its spelling (Cb in six flats, E# in six sharps); others lie between the lowered second
    and the raised fourth of the tonic on the line of fifths. Double accidentals are written as plain notes.

    Args:
        pitch_class: 0 to 11.
        fifths: the signature, -7 to 7.
        mode: a mode of `MODES`; with the signature it tells the tonic.
    """
    tonic = fifths - _MODE_FIFTHS.get(mode, -3 if Key(0, mode).is_minor else 0)
    options = [n for n in range(-8, 13) if (n * 7 - pitch_class) % 12 == 0]
    inside = [n for n in options if fifths - 1 <= n <= fifths + 5]
    at = (inside or sorted(options, key=lambda n: (abs(n - tonic - 0.5), abs(n - 2))))[0] + 1
    return _LINE[at % 7] + ("#" * (at // 7) if at >= 0 else "b" * -(at // 7))


@dataclass(frozen=True)
class Chord:
    """A chord: `root` pitch class, `quality` (a key of `QUALITIES`), and the `bass` pitch class."""

    root: int
    quality: str = ""
    bass: int | None = None

    @property
    def intervals(self) -> tuple[int, ...]:
        """Semitones above the root, extensions above the octave."""
        return QUALITIES[self.quality]

    @cached_property
    def pitch_classes(self) -> tuple[int, ...]:
        """From the root up, in the order of `intervals`; the bass of a slash chord last if it is foreign."""
        tones = [(self.root + i) % 12 for i in self.intervals]
        if self.bass is not None and self.bass not in tones:
            tones.append(self.bass)
        return tuple(tones)

    @property
    def bass_pitch_class(self) -> int:
        """What the bass plays."""
        return self.root if self.bass is None else self.bass

    @property
    def third(self) -> int | None:
        """Semitones of the third above the root, or None for power and suspended chords."""
        return next((i for i in self.intervals if i in (3, 4)), None)

    @property
    def fifth(self) -> int:
        """Semitones of the fifth (6, 7 or 8)."""
        return next((i for i in self.intervals if i in (6, 7, 8)), 7)

    @property
    def seventh(self) -> int | None:
        """Semitones of the seventh (or of the sixth that stands for it), or None for a triad."""
        return next((i for i in self.intervals if i in (9, 10, 11)), None)

    @property
    def is_minor(self) -> bool:
        """Whether it has a minor third."""
        return self.third == 3

    def transposed(self, semitones: int) -> "Chord":
        """Returns the chord that many semitones higher."""
        bass = None if self.bass is None else (self.bass + semitones) % 12
        return Chord((self.root + semitones) % 12, self.quality, bass)

    def symbol(self, *, flats: bool = False) -> str:
        """Returns the symbol that `parse_chord` reads back to an equal chord."""
        slash = "" if self.bass is None else f"/{name_of(self.bass, flats=flats)}"
        return f"{name_of(self.root, flats=flats)}{self.quality}{slash}"


@lru_cache(maxsize=4096)
def parse_chord(symbol: str) -> Chord | None:
    """Returns the chord of a symbol such as ``"F#m7b5/A"``; None for ``"N.C."``.

    Raises:
        InputError: the symbol is not understood.
    """
    text = symbol.strip()
    if text in (NO_CHORD, "NC", "N", "X", ""):
        return None
    body, slash_69 = (text.replace("6/9", "69"), True) if "6/9" in text else (text, False)
    match = _CHORD.match(body)
    if not match:
        raise InputError(f"'{symbol}' is no chord symbol: expected a root A to G and a quality, such as 'Am7' or 'C/E'")
    letter, sign, suffix, bass_letter, bass_sign = match.groups()
    suffix = suffix.replace("♯", "#").replace("♭", "b").strip()
    plain = suffix.replace("(", "").replace(")", "").replace(",", "").replace(" ", "")
    quality = next((q for q in (suffix, plain, _ALIASES.get(suffix), _ALIASES.get(plain)) if q in QUALITIES), None)
    if quality is None:
        raise InputError(f"'{symbol}': quality '{suffix}' is not known" + (" after 6/9" if slash_69 else ""))
    root = pitch_class(letter + sign)
    bass = pitch_class(bass_letter + bass_sign) if bass_letter else None
    return Chord(root, quality, None if bass == root else bass)


_ROMAN = re.compile(r"^([#b]*)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(.*?)(?:/([#b]*)([1-7]))?$")
_ROMAN_DEGREES = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}


@lru_cache(maxsize=4096)
def parse_roman(text: str) -> Chord:
    """Returns a roman numeral as a chord over tonic C: ``"bVII7"``, ``"ii7b5"``, ``"IV/5"`` (degree in the bass).

    Degrees count from the major scale whatever the mode: in minor the triad on the sixth is ``bVI``. Upper case means
    a major third, lower case a minor one; the suffix is a quality without its leading ``m`` (``"ii7"`` is Dm7).

    Raises:
        InputError: it is no roman numeral.
    """
    match = _ROMAN.match(text.strip())
    if not match:
        raise InputError(f"'{text}' is no roman numeral: expected e.g. 'ii7', 'bVII', 'V7b9', 'I/3'")
    sign, numeral, suffix, bass_sign, bass_degree = match.groups()
    root = (_ROMAN_DEGREES[numeral.lower()] + sign.count("#") - sign.count("b")) % 12
    if numeral.islower() and not suffix.startswith(("dim", "o", "°", "ø")):
        suffix = "m" + suffix
    quality = suffix if suffix in QUALITIES else _ALIASES.get(suffix)
    if quality not in QUALITIES:
        raise InputError(f"'{text}': quality '{suffix}' is not known")
    bass = None
    if bass_degree:
        bass = (MODES["major"][int(bass_degree) - 1] + bass_sign.count("#") - bass_sign.count("b")) % 12
    return Chord(root, quality, None if bass == root else bass)


def chord_in_key(roman: str, key: Key) -> Chord:
    """Returns the chord that a roman numeral (see `parse_roman`) means over the key's tonic."""
    return parse_roman(roman).transposed(key.tonic)


_NUMERALS = {0: "I", 1: "bII", 2: "II", 3: "bIII", 4: "III", 5: "IV", 6: "#IV", 7: "V", 8: "bVI", 9: "VI", 10: "bVII",
             11: "VII"}  # fmt: skip
_BASS_DEGREES = {0: "1", 1: "b2", 2: "2", 3: "b3", 4: "3", 5: "4", 6: "#4", 7: "5", 8: "b6", 9: "6", 10: "b7", 11: "7"}


def roman_of(chord: Chord, key: Key) -> str:
    """Returns the roman numeral of a chord over the key's tonic; `chord_in_key` reads it back to an equal chord."""
    numeral = _NUMERALS[(chord.root - key.tonic) % 12]
    suffix = chord.quality
    if suffix.startswith("m") and not suffix.startswith("maj"):
        numeral, suffix = numeral.lower(), suffix[1:]
    elif suffix in ("dim", "dim7"):
        numeral = numeral.lower()
    bass = "" if chord.bass is None else f"/{_BASS_DEGREES[(chord.bass - key.tonic) % 12]}"
    return f"{numeral}{suffix}{bass}"
