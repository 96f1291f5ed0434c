"""`LyricSheet`: what is sung, as plain data: sections, lines, words, syllables.

Reading files is in `read`, looking up sounds in `phonetics`, timing in `timing`, writing words in `writer`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from songwright.score.song import SectionRole

Delivery = Literal["sung", "rap", "spoken"]


@dataclass(frozen=True, slots=True)
class SheetSyllable:
    """A syllable with its sound.

    Attributes:
        text: the letters it takes of its word; the syllables of a word together spell it.
        phonemes: espeak mnemonics without stress or tone marks.
        nucleus: index of the vowel (or syllabic consonant) in `phonemes`.
        stress: 0 none, 1 stressed, 2 secondary.
        tone: Mandarin tone 1 to 5; 0 elsewhere.
    """

    text: str
    phonemes: tuple[str, ...]
    nucleus: int
    stress: int = 0
    tone: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it ends in its vowel, so that it may be sung on several notes."""
        return self.nucleus == len(self.phonemes) - 1


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written, punctuation attached.

    Attributes:
        text: as written, e.g. ``"don't,"``.
        language: ``en``, ``zh``, ``ru`` or another espeak language code; empty until its sounds are looked up.
        syllables: empty until its sounds are looked up, and for what has no sound.
    """

    text: str
    language: str = ""
    syllables: tuple[SheetSyllable, ...] = ()


@dataclass(frozen=True, slots=True)
class LyricLine:
    """One line.

    Attributes:
        words: in order.
        backing: words in parentheses, answered by the backing voices after or under the line.
        delivery: ``sung``, ``rap`` or ``spoken``.
        start_seconds: where the file that it came from sets it (LRC, SRT); None otherwise.
        word_seconds: start of each word, from enhanced LRC; empty otherwise.
    """

    words: tuple[Word, ...] = ()
    backing: tuple[Word, ...] = ()
    delivery: Delivery = "sung"
    start_seconds: float | None = None
    word_seconds: tuple[float, ...] = ()

    @property
    def text(self) -> str:
        """The line as written, without what the backing voices answer."""
        return join_words(self.words)

    @property
    def syllables(self) -> tuple[SheetSyllable, ...]:
        """All syllables of the lead, in order."""
        return tuple(s for word in self.words for s in word.syllables)


@dataclass(frozen=True, slots=True)
class LyricSection:
    """A part of the form; without lines it is instrumental.

    Attributes:
        role: one of `score.song.SECTION_ROLES`.
        lines: in order; empty where nobody sings.
        label: as the person wrote it, e.g. ``"Chorus 2"``; empty when it was concluded.
        num_bars: length asked for, e.g. by ``[intro 8 bars]``; None leaves it open.
    """

    role: SectionRole
    lines: tuple[LyricLine, ...] = ()
    label: str = ""
    num_bars: int | None = None


@dataclass(frozen=True, slots=True)
class LyricSheet:
    """The words of a song.

    Attributes:
        sections: in order.
        language: the main one: ``en``, ``zh``, ``ru`` or another espeak language code.
        title: if the file names one.
        notes: what the person should know, e.g. tags that were not understood.
    """

    sections: tuple[LyricSection, ...] = ()
    language: str = "en"
    title: str = ""
    notes: tuple[str, ...] = ()

    def lines(self) -> Iterator[LyricLine]:
        """Yields all lines in order."""
        for section in self.sections:
            yield from section.lines

    @property
    def num_syllables(self) -> int:
        """Syllables of the lead."""
        return sum(len(line.syllables) for line in self.lines())


def join_words(words: tuple[Word, ...]) -> str:
    """Returns words as a line of text, with spaces between them.

    There are none between Chinese characters, nor between those and numbers. A dash that a word carries at its end
    stands free again.
    """
    text = ""
    for word in words:
        if text[-1:] in ("—", "–") and text[-2:-1].isalnum() and not _is_wide(text[-2]):
            text = f"{text[:-1]} {text[-1]}"
        last, first = text[-1:], word.text[:1]
        tight = (last.isdigit() and _is_character(first)) or (_is_character(last) and first.isdigit())
        tight = tight or (_is_wide(text.rstrip(_SIGNS)[-1:]) and _is_wide(word.text.lstrip(_SIGNS)[:1]))
        text += word.text if tight or not text else f" {word.text}"
    return text


_SIGNS = "…—“”‘’·"
"""Signs that both Chinese and Latin text use."""


def _is_wide(char: str) -> bool:
    wide = "\u3000" <= char <= "\u303f" or "\u3400" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef"
    return bool(char) and (wide or _is_character(char))


def _is_character(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff" or "\U00020000" <= char <= "\U0002fa1f"
