"""Any other espeak language: its phonemes as they are, letters divided by the vowels that are written."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from songwright.lyrics.phonology.spelling import even_texts
from songwright.lyrics.phonology.syllabify import Phoneme, Sounds, split_edges, syllabify, with_stress
from songwright.lyrics.sheet import SheetSyllable
from songwright.speech.espeak import split_marks

_ROMANCE = frozenset(("fr", "it", "es", "pt", "ro", "ca"))
_TONAL = frozenset(["vi", "yue", "th", "hak", "my", "shn"])
_VOWELS = "aeiouyáàâäãåāăąæéèêëēėęěíìîïīįóòôöõøōőœúùûüūůűųýÿαεηιουωάέήίόύώаеёиоуыэюяіїєў"
_LIQUIDS = ("r", "l", "R", "r/", "*", "j", "w", "l/")


class Other:
    """A language of espeak by its code."""

    def __init__(self, language: str) -> None:
        self.language = language

    def lookups(self, texts: Sequence[str]) -> set[str]:
        """Returns what to ask espeak for, given the texts of a line."""
        return {core for core in (_core(text) for text in texts) if core}

    def syllables(self, texts: Sequence[str], sounds: Mapping[str, Sounds]) -> list[tuple[SheetSyllable, ...]]:
        """Returns the syllables of each text; those of one text spell it."""
        return [self._word(text, sounds.get(_core(text), ())) for text in texts]

    def _word(self, text: str, marked: Sounds) -> tuple[SheetSyllable, ...]:
        phonemes = []
        for mark in marked:
            symbol, stress = split_marks(mark)
            if self.language in _TONAL:
                symbol = re.sub(r"\d+$", "", symbol)
            if symbol:
                phonemes.append(Phoneme(symbol, stress))
        if self.language[:2] in _ROMANCE:
            phonemes = _glides(phonemes)
        sounds = with_stress(syllabify(phonemes, _may_begin))
        texts = even_texts(text, len(sounds), _VOWELS)
        return tuple(sound.spelled(piece) for sound, piece in zip(sounds, texts, strict=True))


def _glides(phonemes: list[Phoneme]) -> list[Phoneme]:
    """Returns the phonemes with weak i, u and y before a vowel as the glides that they are (cuore, nuit)."""
    glides = {"i": "j", "u": "w", "y": "w", "U": "w"}
    plain = [p for i, p in enumerate(phonemes) if p.symbol != ";" or not i or not phonemes[i - 1].is_nucleus]
    result = list(plain)
    for i, (p, after) in enumerate(pairwise(plain)):
        if p.symbol in glides and not p.stress and after.is_nucleus:
            result[i] = Phoneme(glides[p.symbol])
    return result


def _core(text: str) -> str:
    return split_edges(text)[1].lower()


def _may_begin(cluster: Sounds) -> bool:
    """One consonant, or a stop or f before a liquid."""
    if len(cluster) == 1:
        return cluster[0] not in ("N", ":")
    return len(cluster) == 2 and cluster[0][0] in "pbtdkgfv" and cluster[1] in _LIQUIDS
