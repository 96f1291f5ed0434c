"""What is known of sung words beside their notes: where syllables stand in words, and when phones sound."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from songwright.score.song import Syllable

Place = Literal["single", "begin", "middle", "end"]


@dataclass(frozen=True, slots=True)
class SungPhone:
    """A phone as it is sung.

    Attributes:
        symbol: espeak mnemonic.
        syllable: id of the syllable in the song.
        start_seconds, end_seconds: when.
        is_nucleus: whether it is the vowel (or syllabic consonant) that starts on the note.
    """

    symbol: str
    syllable: int
    start_seconds: float
    end_seconds: float
    is_nucleus: bool


def word_places(syllables: Sequence[Syllable]) -> dict[int, Place]:
    """Returns for each syllable's id where it stands in its word.

    Syllables of one word follow each other, carry the same `word`, and together spell it; of a number
    the first has all the digits and the rest no text.
    """
    places: dict[int, Place] = {}
    at = 0
    while at < len(syllables):
        word, text, end = syllables[at].word, syllables[at].text, at + 1
        while word and end < len(syllables) and syllables[end].word == word:
            if text == word and syllables[end].text:
                break
            text += syllables[end].text
            end += 1
        for i in range(at, end):
            first, last = i == at, i == end - 1
            places[syllables[i].id] = "single" if first and last else "begin" if first else "end" if last else "middle"
        at = end
    return places


def join_words(parts: Sequence[tuple[str, Place]]) -> tuple[Syllable, ...]:
    """Returns syllables with ids from 0 and whole words, from texts and places; the inverse of `word_places`."""
    found: list[Syllable] = []
    open_from = 0
    for i, (text, place) in enumerate(parts):
        if place in ("single", "begin"):
            open_from = i
        found.append(Syllable(i, text, text))
        if place in ("end", "middle"):
            word = "".join(t for t, _ in parts[open_from : i + 1])
            found[open_from:] = [Syllable(s.id, s.text, word) for s in found[open_from:]]
    return tuple(found)
