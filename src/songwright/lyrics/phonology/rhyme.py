"""Rhyme: what two words must share at their ends, per language.

English and Russian: from the last stressed vowel on, with sounds that the ear takes for one made equal (voicing of
final consonants in Russian, weak vowels, r-coloured vowels). Mandarin: the final without its medial, in the groups of
rhyme that songs use.
"""

import re
from collections.abc import Sequence

from songwright.lyrics.phonology.data import table
from songwright.lyrics.sheet import SheetSyllable, Word


def _equal(language: str, sound: str) -> str:
    values = table("rhyme_sounds.txt").get(f"{language}:{sound}", (sound,))
    return " ".join(v for v in values if v != "-")


_DEVOICED = {"b": "p", "d": "t", "g": "k", "v": "f", "z": "s", "Z": "S"}
_RUSSIAN_WEAK = {"o": "a", "e": "i"}


def rhyme_key(word: Word) -> str:
    """Returns what words that rhyme have in common; empty for a word without sound."""
    if not word.syllables:
        return ""
    if word.language == "zh":
        return _mandarin(word.syllables[-1])
    tail = _from_stress(word.syllables)
    if word.language == "ru":
        return _russian(tail, word.syllables)
    if word.language == "en":
        parts = [_equal("en", p) for s in tail for p in s.phonemes]
        return re.sub(r"@ (?=[ln]\b)", "@ ", " ".join(p for p in parts if p))
    return " ".join(p for s in tail for p in s.phonemes)


def rhymes(a: Word, b: Word) -> bool:
    """Returns whether two words rhyme; a word rhymes with itself, words of two languages never do."""
    return bool(a.syllables) and a.language == b.language and rhyme_key(a) == rhyme_key(b)


def _from_stress(syllables: Sequence[SheetSyllable]) -> list[SheetSyllable]:
    """Returns the syllables from the last stressed one on, the first without its onset.

    Where a secondary stress comes more than one syllable after the primary (lullaby), the rhyme begins there.
    """
    places = [i for i, s in enumerate(syllables) if s.stress == 1]
    later = [i for i, s in enumerate(syllables) if s.stress == 2]
    at = places[-1] if places else later[-1] if later else len(syllables) - 1
    at = later[-1] if later and later[-1] > at + 1 else at
    first = syllables[at]
    bare = SheetSyllable(first.text, first.phonemes[first.nucleus :], 0, first.stress)
    return [bare, *syllables[at + 1 :]]


def _russian(tail: list[SheetSyllable], syllables: Sequence[SheetSyllable]) -> str:
    parts: list[str] = []
    for k, syllable in enumerate(tail):
        for i, phoneme in enumerate(syllable.phonemes):
            sound = _equal("ru", phoneme)
            if k and i == syllable.nucleus:
                sound = _RUSSIAN_WEAK.get(sound, sound)
            parts.append(sound)
    parts = [p for p in parts if p]
    if len(parts) > 1 and parts[-1] == "j":
        parts.pop()
    for i in range(len(parts) - 1, 0, -1):
        if parts[i] not in _DEVOICED:
            break
        parts[i] = _DEVOICED[parts[i]]
    if len(parts) == 1:  # an open stressed end rhymes with the consonant before it
        last = syllables[-1]
        onset = [_equal("ru", p) for p in last.phonemes[: last.nucleus]]
        parts = [p for p in onset if p][-1:] + parts
    return " ".join(parts)


def _mandarin(syllable: SheetSyllable) -> str:
    tail = syllable.phonemes[syllable.nucleus :]
    name = "_".join(tail)
    return next((group for group, finals in table("mandarin_rhymes.txt").items() if name in finals), name)
