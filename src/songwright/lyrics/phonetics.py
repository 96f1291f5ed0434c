"""The sounds of a sheet: syllables, stress and tone of every word; rhyme and metre.

Each word is divided into stretches of one writing, each stretch is sounded in its language by `phonology`, and espeak
is asked once per language for the whole sheet.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Protocol

from songwright.lyrics.phonology.english import English
from songwright.lyrics.phonology.mandarin import Mandarin
from songwright.lyrics.phonology.other import Other
from songwright.lyrics.phonology.rhyme import rhyme_key, rhymes
from songwright.lyrics.phonology.russian import Russian
from songwright.lyrics.sheet import LyricLine, LyricSheet, SheetSyllable, Word
from songwright.speech.espeak import phonemes

__all__ = ["metre", "rhyme_key", "rhymes", "sound_out", "sound_out_words", "stress_marks"]

Sounds = tuple[str, ...]


class Phonology(Protocol):
    """A language that sounds the words of a line."""

    @property
    def language(self) -> str:
        """Its code."""
        ...

    def lookups(self, texts: Sequence[str]) -> set[str]:
        """Returns what to ask espeak for."""
        ...

    def syllables(self, texts: Sequence[str], sounds: Mapping[str, Sounds]) -> list[tuple[SheetSyllable, ...]]:
        """Returns the syllables of each text, given espeak's answers."""
        ...


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a word in one writing."""

    text: str
    language: str
    word: int


_SCRIPTS = (
    ("han", "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"),
    ("kana", "\u3040-\u30ff"),
    ("hangul", "\uac00-\ud7af\u1100-\u11ff"),
    ("cyrillic", "\u0400-\u052f"),
    ("greek", "\u0370-\u03ff"),
    ("hebrew", "\u0590-\u05ff"),
    ("arabic", "\u0600-\u06ff"),
    ("devanagari", "\u0900-\u097f"),
    ("thai", "\u0e00-\u0e7f"),
    ("latin", "A-Za-z\u00c0-\u024f\u1e00-\u1eff"),
)
_RUNS = re.compile(
    "|".join(f"(?P<{name}>[{chars}][{chars}\u0300-\u036f]*)" for name, chars in _SCRIPTS) + r"|(?P<digits>\d+)"
)
_OF_SCRIPT = {
    "han": ("zh", {"ja", "yue", "hak"}), "kana": ("ja", {"ja"}), "hangul": ("ko", {"ko"}),
    "greek": ("el", {"el", "grc"}), "hebrew": ("he", {"he"}), "thai": ("th", {"th"}),
    "cyrillic": ("ru", {"uk", "be", "bg", "sr", "mk", "kk", "ky", "tt", "ba", "cv", "ru"}),
    "arabic": ("ar", {"ar", "fa", "ur", "sd", "ug"}), "devanagari": ("hi", {"hi", "mr", "ne", "kok"}),
}  # fmt: skip
_NOT_LATIN = {language for default, others in _OF_SCRIPT.values() for language in {default, *others}}


def sound_out(sheet: LyricSheet) -> LyricSheet:
    """Returns the sheet with language and syllables of every word; words without sound keep no syllables.

    Raises:
        SpeechError: espeak failed, or does not know the language of the sheet.
    """
    lines = [part for line in sheet.lines() for part in (line.words, line.backing)]
    sounded = iter(_sounded_lines(lines, sheet.language))
    sections = []
    for section in sheet.sections:
        rows = tuple(replace(line, words=next(sounded), backing=next(sounded)) for line in section.lines)
        sections.append(replace(section, lines=rows))
    return replace(sheet, sections=tuple(sections))


def sound_out_words(texts: Sequence[str], language: str) -> list[Word]:
    """Returns the words of one line, sounded.

    Args:
        texts: words in order; neighbours matter (``the`` before a vowel, tones of Mandarin, Russian prepositions).
        language: ``en``, ``zh``, ``ru`` or another espeak language code; foreign letters are read in their language.

    Raises:
        SpeechError: espeak failed, or does not know the language.
    """
    return list(_sounded_lines([tuple(Word(text) for text in texts)], language)[0])


def metre(line: LyricLine) -> str:
    """Returns a digit for each syllable of the lead: 1 where it has primary stress, else 0."""
    return "".join("1" if s.stress == 1 else "0" for s in line.syllables)


def stress_marks(line: LyricLine) -> tuple[int, ...]:
    """Returns the sung stress of each syllable of the lead: 1 stressed, 2 secondary, 0 none.

    Function words of one syllable have none; in Mandarin the first character of each word has it, particles and neutral
    tones never.
    """
    return tuple(s.stress for s in line.syllables)


def _phonology(language: str) -> Phonology:
    named: dict[str, Callable[[], Phonology]] = {"en": English, "zh": Mandarin, "ru": Russian}
    return named[language]() if language in named else Other(language)


def _sounded_lines(lines: Sequence[tuple[Word, ...]], base: str) -> list[tuple[Word, ...]]:
    base = base or "en"
    pieces = [list(_pieces(words, base)) for words in lines]
    phonologies = {piece.language: _phonology(piece.language) for row in pieces for piece in row}
    wanted: dict[str, set[str]] = {language: set() for language in phonologies}
    for row in pieces:
        for language, texts in _runs(row):
            wanted[language] |= phonologies[language].lookups(texts)
    tables = {language: _ask(sorted(keys), language) for language, keys in sorted(wanted.items())}
    result = []
    for words, row in zip(lines, pieces, strict=True):
        syllables: list[list[SheetSyllable]] = [[] for _ in words]
        languages = [""] * len(words)
        found: list[tuple[SheetSyllable, ...]] = []
        for language, texts in _runs(row):
            found += phonologies[language].syllables(texts, tables[language])
        for piece, group in zip(row, found, strict=True):
            syllables[piece.word] += group
            languages[piece.word] = languages[piece.word] or piece.language
        result.append(
            tuple(
                replace(word, language=language or base, syllables=_spelling(word.text, group))
                for word, language, group in zip(words, languages, syllables, strict=True)
            )
        )
    return result


def _spelling(text: str, syllables: list[SheetSyllable]) -> tuple[SheetSyllable, ...]:
    """Returns syllables that together spell the word, stretches without sound put to their neighbours."""
    if not syllables or "".join(s.text for s in syllables) == text:
        return tuple(syllables)
    edges, at = [0], 0
    for syllable in syllables:
        place = text.find(syllable.text, at) if syllable.text else -1
        edges.append(max(place, at) if place >= 0 else at)
        at = place + len(syllable.text) if place >= 0 else at
    edges = [0, *edges[2:], len(text)]
    pieces = list(pairwise(edges))
    return tuple(replace(s, text=text[a:b]) for s, (a, b) in zip(syllables, pieces, strict=True))


def _runs(row: Iterable[_Piece]) -> Iterator[tuple[str, list[str]]]:
    for language, group in groupby(row, key=lambda piece: piece.language):
        yield language, [piece.text for piece in group]


def _pieces(words: Sequence[Word], base: str) -> Iterator[_Piece]:
    """Yields the stretches of a line, each in one language; what is between them goes to the one before."""
    scripts = [m.lastgroup or "" for word in words for m in _RUNS.finditer(word.text) if m.lastgroup != "digits"]
    of_line = {_language(script, base) for script in scripts}
    spoken = base if base in of_line or not of_line else sorted(of_line)[0]
    for index, word in enumerate(words):
        marks: list[tuple[int, str]] = []
        for match in _RUNS.finditer(word.text):
            script = match.lastgroup or ""
            language = _language(script, base) if script != "digits" else ""
            if not language:
                language = spoken
            if not marks or marks[-1][1] != language:
                marks.append((match.start(), language))
        for k, (start, language) in enumerate(marks):
            end = marks[k + 1][0] if k + 1 < len(marks) else len(word.text)
            yield _Piece(word.text[start if k else 0 : end], language, index)


def _language(script: str, base: str) -> str:
    if script == "latin":
        return "en" if base in _NOT_LATIN else base
    default, others = _OF_SCRIPT[script]
    return base if base in others else default


def _ask(keys: list[str], language: str) -> dict[str, Sounds]:
    if not keys:
        return {}
    rows = phonemes(keys, language)
    return {
        key: tuple(p for word in row for p in word if not p.startswith("("))
        for key, row in zip(keys, rows, strict=True)
    }
