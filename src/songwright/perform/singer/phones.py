"""What is known of a phone from its espeak mnemonic: kind, voicing, where a vowel may be held."""

import re
from functools import lru_cache
from typing import Literal

Kind = Literal[
    "vowel", "nasal", "liquid", "glide", "voiced_fricative", "unvoiced_fricative", "voiced_stop", "unvoiced_stop",
    "unvoiced_affricate", "voiced_affricate",
]  # fmt: skip

_VOWEL_LETTERS = frozenset("aeiouyAEIOUV0@38&QWY")
_HIGH = frozenset("iIuUyYjwW")
_MARKS = re.compile(r"[0-9:#\-_~|'%,=;.\[\]*^`\"!]+")
_VOICED_STOPS, _UNVOICED_STOPS = frozenset("bdgGJ"), frozenset("ptkcq?")
_VOICED_FRICATIVES, _UNVOICED_FRICATIVES = frozenset("vzZDB"), frozenset("fsSTCxXhH")
_VOICED = frozenset({"vowel", "nasal", "liquid", "glide", "voiced_fricative", "voiced_stop", "voiced_affricate"})
_BALANCE_DB: dict[str, float] = {
    "vowel": -2.0, "nasal": -6.0, "liquid": -4.5, "glide": -4.0, "voiced_stop": -8.0, "unvoiced_stop": -10.0,
    "unvoiced_affricate": -10.0, "voiced_affricate": -11.0,
}  # fmt: skip
_STOPS = frozenset({"voiced_stop", "unvoiced_stop", "unvoiced_affricate", "voiced_affricate"})


@lru_cache(maxsize=1024)
def kind_of(symbol: str) -> Kind:
    """Returns the kind of a phone; what is unknown counts as a liquid (voiced, soft, neither held nor released)."""
    if symbol == "t#":
        return "voiced_stop"  # the American flap
    plain = symbol[:1]
    if re.match(r"^[nmlrN]-", symbol) or symbol in ("@L", "@l"):
        return "nasal" if plain in "nmN" else "liquid"
    if plain in ("j", "w") and any(c in _VOWEL_LETTERS for c in symbol[1:]):
        return "vowel"  # iotated vowels come as one phone in Russian
    if symbol.startswith(("tS", "ts", "tC")):
        return "unvoiced_affricate"
    if symbol.startswith(("dZ", "dz")):
        return "voiced_affricate"
    kinds: tuple[tuple[frozenset[str], Kind], ...] = (
        (_VOWEL_LETTERS, "vowel"),
        (frozenset("mnNMJ"), "nasal"),
        (_VOICED_STOPS, "voiced_stop"),
        (_UNVOICED_STOPS, "unvoiced_stop"),
        (_VOICED_FRICATIVES, "voiced_fricative"),
        (_UNVOICED_FRICATIVES, "unvoiced_fricative"),
        (frozenset("jw;"), "glide"),
    )
    return next((kind for letters, kind in kinds if plain in letters), "liquid")


def is_vowel(symbol: str) -> bool:
    """Whether the phone is a vowel."""
    return kind_of(symbol) == "vowel"


def is_voiced(symbol: str) -> bool:
    """Whether the folds vibrate in the phone."""
    return kind_of(symbol) in _VOICED


def is_stop(symbol: str) -> bool:
    """Whether the phone has a closure and a burst."""
    return kind_of(symbol) in _STOPS


@lru_cache(maxsize=1024)
def hold_region(symbol: str) -> tuple[float, float]:
    """Returns the part of a vowel that is held in a long note, as shares of its spoken length.

    A falling diphthong is held on its first target and glides at the end; a rising one (and an iotated vowel) glides
    first; one that does both is held in the middle.
    """
    letters = _MARKS.sub("", symbol)
    if len(letters) < 2 or letters in ("ee", "aa", "oo"):
        return 0.35, 0.7
    rises, falls = letters[0] in _HIGH, letters[-1] in _HIGH or letters[-1] in "3@"
    if rises and len(letters) == 2:
        return 0.55, 0.85
    if rises and falls:
        return 0.42, 0.6
    if rises:
        return 0.5, 0.85
    return (0.14, 0.42) if falls else (0.35, 0.7)


@lru_cache(maxsize=1024)
def balance_db(symbol: str) -> float:
    """Returns how loud a consonant is at its loudest, against the vowels around it."""
    kind = kind_of(symbol)
    if kind == "unvoiced_fricative":
        return -10.0 if symbol[:1] in "sSC" else -17.0 if symbol[:1] in "fT" else -15.0
    if kind == "voiced_fricative":
        return -11.0 if symbol[:1] in "zZ" else -10.0
    return _BALANCE_DB[kind]


def nucleus_of(phonemes: tuple[str, ...], wished: int) -> int:
    """Returns the index of the phone that starts on the note: the one wished if it can be held, otherwise the nearest.

    Args:
        phonemes: of a syllable, at least one.
        wished: what the syllable says.
    """
    held = [i for i, p in enumerate(phonemes) if is_vowel(p)]
    syllabic = [i for i, p in enumerate(phonemes) if kind_of(p) in ("nasal", "liquid")]
    voiced = [i for i, p in enumerate(phonemes) if is_voiced(p)]
    inside = min(max(wished, 0), len(phonemes) - 1)
    if inside == wished and (wished in held or (not held and wished in syllabic)):
        return wished
    for choice in (held, syllabic, voiced):
        if choice:
            return min(choice, key=lambda i: abs(i - inside))
    return inside
