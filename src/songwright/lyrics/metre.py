"""How many syllables words have, where they are stressed, what they rhyme on."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from songwright.lyrics.bank import count_letters
from songwright.lyrics.phonetics import sound_out_words
from songwright.lyrics.sheet import Word

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+", re.UNICODE)


@dataclass(frozen=True, slots=True)
class WordShape:
    """What the metre needs of a word.

    Attributes:
        stresses: one per syllable: 0 none, 1 main, 2 secondary.
        rhyme: phonemes from the last vowel on, parted by spaces; empty if unknown.
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
        language: of them.

    Raises:
        SpeechError: espeak failed.
    """
    if language == "zh":
        return [WordShape((0,) * (count_letters(word, language) or 0)) for word in words]
    return list(_shapes(tuple(words), language)) if words else []


def fits(stresses: Iterable[int], template: str) -> bool:
    """Returns whether syllables with these stresses may stand on a piece of a template."""
    marks = tuple(stresses)
    return len(marks) == len(template) and all(
        stress != 1 or mark != "." for mark, stress in zip(template, marks, strict=True)
    )


def free_stresses(words: Iterable[WordShape]) -> list[int]:
    """Returns the stresses of words in order, those of one syllable being free to stand anywhere."""
    return [s for word in words for s in (word.stresses if len(word.stresses) > 1 else (0,) * len(word.stresses))]


def line_lengths(lines: Sequence[str], language: str) -> list[int]:
    """Returns how many syllables each line has."""
    if language in ("zh", "ru"):
        return [count_letters(line, language) or 0 for line in lines]
    words = sorted({word for line in lines for word in words_of(line)})
    known = dict(zip(words, shapes(words, language), strict=True))
    return [sum(len(known[word].stresses) for word in words_of(line)) for line in lines]


@lru_cache(maxsize=256)
def _shapes(words: tuple[str, ...], language: str) -> tuple[WordShape, ...]:
    return tuple(_shape(word) for word in sound_out_words(words, language))


def _shape(word: Word) -> WordShape:
    if not word.syllables:
        return WordShape(())
    last = word.syllables[-1]
    return WordShape(tuple(s.stress for s in word.syllables), " ".join(last.phonemes[last.nucleus :]))
