"""Dividing phonemes into syllables: one nucleus each, with the consonants before it that may begin a word."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from songwright.lyrics.phonology.vowels import is_vowel
from songwright.lyrics.sheet import SheetSyllable

Sounds = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phoneme:
    """One sound of a word.

    Attributes:
        symbol: espeak mnemonic without marks.
        stress: 0 none, 1 stressed, 2 secondary.
    """

    symbol: str
    stress: int = 0

    @property
    def is_nucleus(self) -> bool:
        """Whether it carries a syllable."""
        return is_vowel(self.symbol)


@dataclass(frozen=True, slots=True)
class Sound:
    """A syllable before it has letters.

    Attributes:
        phonemes: in order.
        nucleus: index of the vowel.
        stress: 0 none, 1 stressed, 2 secondary.
    """

    phonemes: Sounds
    nucleus: int
    stress: int = 0

    def spelled(self, text: str, tone: int = 0) -> SheetSyllable:
        """Returns it with its letters."""
        return SheetSyllable(text, self.phonemes, self.nucleus, self.stress, tone)


def syllabify(phonemes: Sequence[Phoneme], may_begin: Callable[[Sounds], bool]) -> list[Sound]:
    """Returns the syllables of a word, consonants with the vowel after them as far as `may_begin` allows.

    A word without any vowel becomes one syllable with a neutral vowel at its end; nothing in, nothing out.
    """
    if not phonemes:
        return []
    nuclei = [i for i, p in enumerate(phonemes) if p.is_nucleus]
    if not nuclei:
        return [Sound((*(p.symbol for p in phonemes), "@"), len(phonemes))]
    starts = [0]
    for before, after in pairwise(nuclei):
        cluster = tuple(p.symbol for p in phonemes[before + 1 : after])
        starts.append(after - onset_length(cluster, may_begin))
    sounds = []
    for start, end, nucleus in zip(starts, [*starts[1:], len(phonemes)], nuclei, strict=True):
        symbols = tuple(p.symbol for p in phonemes[start:end])
        sounds.append(Sound(symbols, nucleus - start, phonemes[nucleus].stress))
    return sounds


def onset_length(cluster: Sounds, may_begin: Callable[[Sounds], bool]) -> int:
    """Returns how many consonants at the end of a cluster go with the vowel after it."""
    return next((n for n in range(len(cluster), 0, -1) if may_begin(cluster[-n:])), 0)


def with_stress(sounds: Sequence[Sound]) -> list[Sound]:
    """Returns the syllables with one primary stress at least, put where espeak left a word unstressed."""
    if not sounds or any(s.stress == 1 for s in sounds):
        return list(sounds)
    weak = {"@", "@L", "3", "I", "i"}
    best = next((i for i, s in enumerate(sounds) if s.stress == 2), None)
    if best is None:
        best = next((i for i, s in enumerate(sounds) if s.phonemes[s.nucleus] not in weak), 0)
    return [Sound(s.phonemes, s.nucleus, 1) if i == best else s for i, s in enumerate(sounds)]


def split_edges(text: str) -> tuple[str, str, str]:
    """Returns what stands before the letters and digits of a word, the word, and what stands after it."""
    places = [i for i, c in enumerate(text) if c.isalnum()]
    if not places:
        return text, "", ""
    first, last = places[0], places[-1] + 1
    return text[:first], text[first:last], text[last:]
