"""Chord labels of the corpora as symbols of `score.theory`: Harte's notation, and sounding pitches."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from songwright.errors import InputError
from songwright.score.song import ChordSpan
from songwright.score.theory import NO_CHORD, QUALITIES, Chord, name_of, parse_chord, pitch_class

_HARTE = re.compile(r"^([A-G][#b]*)(?::([^/(]*)(?:\(([^)]*)\))?)?(?:/(.+))?$")
_KINDS = {
    "": "", "maj": "", "min": "m", "dim": "dim", "aug": "aug", "maj7": "maj7", "min7": "m7", "7": "7", "dim7": "dim7",
    "hdim7": "m7b5", "hdim": "m7b5", "minmaj7": "mmaj7", "maj6": "6", "6": "6", "min6": "m6", "9": "9", "maj9": "maj9",
    "min9": "m9", "sus4": "sus4", "sus2": "sus2", "11": "11", "maj11": "maj11", "min11": "m11", "13": "13",
    "maj13": "maj13", "min13": "m13", "5": "5", "1": "5", "aug7": "aug7", "sus": "sus4", "sus4b7": "7sus4",
}  # fmt: skip
_DEGREES = {1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 11, 8: 12, 9: 14, 10: 16, 11: 17, 12: 19, 13: 21}
_COMMON = ("", "m", "7", "maj7", "m7", "sus4", "sus2", "dim", "aug", "6", "m6", "add9", "madd9", "dim7", "m7b5",
           "7sus4", "9", "maj9", "m9", "mmaj7", "5")  # fmt: skip
_ROUGHER = ("maj7", "m7", "7", "", "m", "dim", "sus4", "sus2")


@lru_cache(maxsize=8192)
def harte_symbol(text: str, *, flats: bool = False) -> str:
    """Returns a chord in Harte's notation, such as ``"F#:min7(*5)/b3"``, as our symbol; ``"N.C."`` for N and X.

    Added and left-out degrees are kept where a quality has exactly these tones, else the nearest quality stands.

    Raises:
        InputError: it is no such label.
    """
    if text.strip() in ("N", "X", "n", "*", "&pause", ""):
        return NO_CHORD
    match = _HARTE.match(text.strip())
    if not match:
        raise InputError(f"'{text}' is no chord label: expected e.g. 'A:min7/b3' or 'N'")
    name, kind, extra, bass = match.groups()
    root = pitch_class(name)
    base = _KINDS.get(kind or "", _nearest_kind(kind or ""))
    tones = {t % 12 for t in QUALITIES[base]}
    if kind is not None and not kind and extra:
        tones = {0}
    for degree in (extra or "").split(","):
        left_out = degree.strip().startswith("*")
        tone = _degree(degree.strip().lstrip("*"))
        if tone is not None:
            tones = tones - {tone % 12} if left_out else tones | {tone % 12}
    quality = base if not extra else _quality_of(frozenset(tones), base)
    low = _degree(bass) if bass else None
    if bass and low is None:
        low = (pitch_class(bass) - root) % 12
    return Chord(root, quality, None if not low or low % 12 == 0 else (root + low) % 12).symbol(flats=flats)


def _nearest_kind(kind: str) -> str:
    return next((q for prefix, q in (("min", "m"), ("maj", ""), ("dim", "dim"), ("aug", "aug"), ("sus", "sus4"))
                 if kind.startswith(prefix)), "")  # fmt: skip


def _degree(text: str) -> int | None:
    match = re.fullmatch(r"([#b]*)(\d+)", text or "")
    if not match or int(match.group(2)) not in _DEGREES:
        return None
    return _DEGREES[int(match.group(2))] + match.group(1).count("#") - match.group(1).count("b")


def _quality_of(tones: frozenset[int], base: str) -> str:
    """Returns the quality that has exactly these pitch classes above the root, else the base."""
    for quality in (*_COMMON, *QUALITIES):
        if {t % 12 for t in QUALITIES[quality]} == tones:
            return quality
    return base


@lru_cache(maxsize=8192)
def sounding_symbol(pitches: tuple[int, ...], *, flats: bool = False) -> str:
    """Returns the symbol of a chord that sounds: the common quality with exactly its pitch classes, root lowest first.

    What fits no quality is named after the largest quality inside it; ``"N.C."`` if there is none.
    """
    if not pitches:
        return NO_CHORD
    low = min(pitches) % 12
    classes = frozenset(p % 12 for p in pitches)
    roots = [low, *sorted(classes - {low})]
    for qualities in (_COMMON, tuple(QUALITIES)):
        for root in roots:
            above = {(c - root) % 12 for c in classes}
            for quality in qualities:
                if {t % 12 for t in QUALITIES[quality]} == above:
                    return Chord(root, quality, None if root == low else low).symbol(flats=flats)
    best = max(
        ((len(QUALITIES[q]), root == low, -_ROUGHER.index(q), root, q) for root in roots for q in _ROUGHER
         if {(root + t) % 12 for t in QUALITIES[q]} <= classes),
        default=None,
    )  # fmt: skip
    if best is None:
        return NO_CHORD if len(classes) > 1 else name_of(low, flats=flats) + "5"
    return Chord(best[3], best[4], None if best[3] == low else low).symbol(flats=flats)


def spans(rows: Iterable[tuple[int, str]], end: int) -> tuple[ChordSpan, ...]:
    """Returns chords without gaps from 0 to the end, repeats joined.

    Args:
        rows: (tick, symbol) in order; of several at one tick the last holds. Each lasts to the next.
        end: where the last one ends.
    """
    found: dict[int, str] = {0: NO_CHORD}
    for tick, symbol in rows:
        if 0 <= tick < end:
            found[tick] = symbol
    joined: list[tuple[int, str]] = []
    for tick in sorted(found):
        if not joined or joined[-1][1] != found[tick]:
            joined.append((tick, found[tick]))
    ends: Sequence[int] = [tick for tick, _ in joined[1:]] + [end]
    if end <= 0 or all(symbol == NO_CHORD for _, symbol in joined):
        return ()
    return tuple(ChordSpan(a, b - a, symbol) for (a, symbol), b in zip(joined, ends, strict=True) if b > a)


def is_symbol(text: str) -> bool:
    """Returns whether the program understands a chord symbol."""
    try:
        parse_chord(text)
    except InputError:
        return False
    return True
