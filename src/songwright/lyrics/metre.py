"""How many syllables words have, where they are stressed and what they rhyme on: what the writer has to know of a line.

English is asked of espeak; Russian is counted by its vowel letters, Chinese by its characters.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from songwright.lyrics.bank import count_letters
from songwright.speech import espeak

_VOWEL = re.compile(r"[aeiouyAEIOUV@03]|n-")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+", re.UNICODE)


@dataclass(frozen=True, slots=True)
class WordShape:
    """What the metre needs of a word.

    Attributes:
        stresses: one per syllable: 0 none, 1 main, 2 secondary.
        rhyme: phonemes from the last vowel on, parted by spaces (all lines of the banks end on a beat); empty if
            unknown.
    """

    stresses: tuple[int, ...]
    rhyme: str = ""


def words_of(line: str) -> list[str]:
    """Returns the words of a line in lower case, punctuation left out."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(line)]


def shapes(words: Sequence[str], language: str) -> list[WordShape]:
    """Returns the shape of each word; one call of espeak for all.

    Args:
        words: single words.
        language: ``en``, ``zh`` or ``ru``; for ``zh`` and ``ru`` only the number of syllables is told.

    Raises:
        SpeechError: espeak failed.
    """
    if language != "en":
        return [WordShape((0,) * (count_letters(word, language) or 0)) for word in words]
    rows = espeak.phonemes(list(words), language) if words else []
    return [_shape([phone for group in row for phone in group]) for row in rows]


def fits(stresses: Sequence[int], template: str) -> bool:
    """Returns whether a word with these stresses may stand on a piece of a template; monosyllables fit anywhere."""
    if len(stresses) != len(template):
        return False
    return len(stresses) == 1 or all(
        mark != "." for mark, stress in zip(template, stresses, strict=True) if stress == 1
    )


def line_lengths(lines: Sequence[str], language: str) -> list[int]:
    """Returns how many syllables each line has."""
    if language == "en":
        words = sorted({word for line in lines for word in words_of(line)})
        known = dict(zip(words, shapes(words, language), strict=True))
        return [sum(len(known[word].stresses) for word in words_of(line)) for line in lines]
    return [count_letters(line, language) or 0 for line in lines]


def _shape(phones: list[str]) -> WordShape:
    marks: list[int] = []
    names: list[tuple[str, bool]] = []
    for phone in phones:
        name, stress = espeak.split_marks(phone)
        vowel = bool(_VOWEL.match(name))
        names.append((name, vowel))
        if vowel:
            marks.append(stress)
    places = [i for i, (_, vowel) in enumerate(names) if vowel]
    tail = names[places[-1] :] if places else []
    return WordShape(tuple(marks), " ".join(_same_sound(name) for name, _ in tail if name))


def _same_sound(name: str) -> str:
    """Returns a mnemonic without what tells only allophones apart."""
    return {
        "O2": "O:",
        "O@": "o@",
        "A@": "A:",
        "i": "i:",
        "t#": "t",
        "t2": "t",
        "r-": "r",
        "@2": "@",
        "I2": "I",
        "0": "A:",
    }.get(name, name.rstrip("#;"))
