"""A line of the sheet as rhythm and melody see it: stresses, word ends, pauses, open vowels, tones."""

from dataclasses import dataclass
from itertools import pairwise

from songwright.compose.melody.words_rhythm import LineSyllable
from songwright.lyrics.sheet import LyricLine, SheetSyllable, Word, join_words

PRIMARY, MONOSYLLABLE, SECONDARY = 1.0, 0.85, 0.45
"""Weights of a long word's main stress, of a stressed word of one syllable, of a secondary stress."""
TONE_WORD_START, TONE_LATER = 0.5, 0.3
"""Weights in Mandarin, which has no stress but in words: their first syllable, and others but the neutral tone."""
PAUSES = tuple(",;:.!?…—、，。；：！？")
QUESTIONS = ("?", "？")
NEUTRAL_TONE = 5

_TONE_ENDS = {1: 1, 2: 1, 3: -1, 4: -1}
"""Whether a Mandarin tone ends high (level, rising) or low (dipping, falling)."""


@dataclass(frozen=True)
class WordLine:
    """A line ready to be set.

    Attributes:
        syllables: with weights.
        sheet: the same syllables with their sounds.
        texts: what is printed under each; words without a vowel (some Russian prepositions) join a neighbour.
        words: the word of each syllable, as written.
        languages: of each syllable.
        delivery: ``sung``, ``rap`` or ``spoken``.
        question: whether it ends in a question mark.
        key: its words without case and punctuation: lines of the same key are the same words.
        backing: weight of the answering words, in syllables.
    """

    syllables: tuple[LineSyllable, ...]
    sheet: tuple[SheetSyllable, ...]
    texts: tuple[str, ...]
    words: tuple[str, ...]
    languages: tuple[str, ...]
    delivery: str
    question: bool
    key: str
    backing: int = 0

    @property
    def directions(self) -> tuple[int, ...]:
        """Where speech melody goes into each syllable: 1 up, -1 down, 0 free (always 0 without tones)."""
        return tone_directions(tuple(s.tone for s in self.syllables))


def tone_directions(tones: tuple[int, ...]) -> tuple[int, ...]:
    """Returns for each Mandarin syllable whether the tune into it should rise (1) or fall (-1); 0 leaves it free.

    Two syllables are compared by where their tones end: tones 1 and 2 high, 3 and 4 low; the neutral tone asks nothing.

    Args:
        tones: 1 to 5, 0 where there is none.

    Reference: Wong and Diehl, "How can the lyrics of a song in a tone language be understood?", Psychology of Music
    2002, who compare the end levels of neighbouring tones.
    """
    ends = [_TONE_ENDS.get(tone, 0) for tone in tones]
    pairs = pairwise(ends)
    return (0, *((0 if not a or not b else (b - a) // 2) for a, b in pairs))[: len(tones)]


def word_line(line: LyricLine) -> WordLine:
    """Returns a sounded line ready to be set."""
    syllables: list[LineSyllable] = []
    texts: list[str] = []
    words: list[str] = []
    languages: list[str] = []
    for word, written in _with_silent(line.words):
        count = len(word.syllables)
        pause = written.rstrip("\"'»”’)").endswith(PAUSES)
        for i, syllable in enumerate(word.syllables):
            last = i == count - 1
            syllables.append(
                LineSyllable(
                    _weight(word, i),
                    ends_word=last,
                    pause=last and pause,
                    is_open=syllable.is_open,
                    tone=syllable.tone,
                )
            )
            before, _, after = written.partition(word.text) if count else ("", "", "")
            texts.append((before if i == 0 else "") + syllable.text + (after if last else ""))
            words.append(written)
            languages.append(word.language)
    text = line.text.strip()
    return WordLine(
        tuple(syllables),
        line.syllables,
        tuple(texts),
        tuple(words),
        tuple(languages),
        line.delivery,
        text.endswith(QUESTIONS),
        "".join(c for c in text.lower() if c.isalnum() or c == " "),
        sum(len(word.syllables) for word in line.backing),
    )


def _with_silent(words: tuple[Word, ...]) -> list[tuple[Word, str]]:
    """Returns the words that sound, each as written together with silent ones before it (or after the last)."""
    found: list[tuple[Word, str]] = []
    waiting: tuple[Word, ...] = ()
    for word in words:
        if word.syllables:
            found.append((word, join_words((*waiting, word))))
            waiting = ()
        else:
            waiting = (*waiting, word)
    if waiting and found:
        word, written = found[-1]
        found[-1] = (word, join_words((Word(written), *waiting)))
    return found


def _weight(word: Word, i: int) -> float:
    syllable = word.syllables[i]
    if syllable.tone:
        return 0.0 if syllable.tone == NEUTRAL_TONE else TONE_WORD_START if i == 0 else TONE_LATER
    if syllable.stress == 1:
        return PRIMARY if len(word.syllables) > 1 else MONOSYLLABLE
    return SECONDARY if syllable.stress == 2 else 0.0
