"""Stress of sung syllables, looked up for many songs at once; and which language words are in."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from songwright.collection.lines import with_lines
from songwright.errors import SongwrightError
from songwright.lyrics.phonetics import sound_out_words
from songwright.score.song import Song, Syllable

_MARKS: dict[str, frozenset[str]] = {
    "en": frozenset(("the", "and", "of", "to", "my", "thy", "is", "that", "with", "for", "thou", "her", "his", "she",
                     "when", "are", "from", "i", "you", "it", "your")),
    "de": frozenset(("und", "der", "die", "das", "ich", "nicht", "mein", "ist", "ein", "mir", "dich", "du", "mich",
                     "wie", "sie", "den", "dem", "auf", "im", "es", "zu", "o")),
    "fr": frozenset(("le", "la", "les", "et", "de", "des", "que", "je", "dans", "qui", "est", "un", "une", "mon", "ma",
                     "vous", "pour", "l'amour", "sur", "tu", "au", "ne", "pas")),
    "it": frozenset(("il", "che", "di", "non", "per", "mi", "la", "è", "un", "amor", "del", "più", "mio", "ti", "se",
                     "core", "o", "e", "io")),
    "la": frozenset(("et", "in", "est", "deus", "domine", "dei", "qui", "nobis", "gloria", "tuam", "ave", "maria")),
    "es": frozenset(("el", "que", "los", "en", "y", "mi", "una", "por", "las", "con", "no", "amor")),
}  # fmt: skip


_SMALL = {
    "de": (
        "und der die das den dem des ein eine einen einem einer ich du er sie es wir ihr mir dir mich dich "
        "sich ihm ihn uns euch ist sind war bin bist hat in im an am auf aus bei beim mit von vom zu zum zur "
        "so wie als wenn dass daß ob um durch für vor nach mein dein sein kein nur noch was wer o nicht doch "
        "da man will soll kann hab ach denn wo ins ans"
    ),
    "fr": (
        "le la les de des du et que qui je tu il elle on nous vous ils ne pas un une mon ma mes ton ta tes "
        "son sa ses au aux en dans sur par pour si se me te est ce y"
    ),
    "it": (
        "il lo la i gli le di del della dei a al alla da dal in nel con su sul per e ed o che non mi ti si ci "
        "se un una è ma mio mia tuo tua"
    ),
    "es": ("el la los las de del y que en un una mi tu su por con no se me te a al es"),
}
_LIGHT = {language: frozenset(words.split()) for language, words in _SMALL.items()}
"""Small words that sound stressed only when they are spoken alone."""


def language_of(words: Iterable[str]) -> str:
    """Returns the espeak code of the language that most small words are of; empty if none stands out."""
    seen = Counter(_plain(word) for word in words)
    scores = {code: sum(seen[mark] for mark in marks) for code, marks in _MARKS.items()}
    ranked = sorted(scores, key=lambda code: -scores[code])
    total = sum(seen.values())
    if total == 0 or scores[ranked[0]] < 0.04 * total or scores[ranked[0]] < 1.2 * scores[ranked[1]]:
        return ""
    return ranked[0]


def with_stress(songs: Sequence[Song], language: str) -> list[Song]:
    """Returns the songs with the lines of their words, and the stress of each syllable as far as espeak knows its word.

    A word that is sung on more or fewer syllables than it is spoken with keeps its main stress at the same share of
    the word. If espeak fails, the songs stay as they are.

    Args:
        songs: of one corpus.
        language: of the corpus; ``"?"`` finds it for each song.
    """
    codes = [language if language != "?" else language_of(w for w, _ in _words(s.syllables)) for s in songs]
    tables = {}
    for code in sorted(set(codes) - {"", "?"}):
        texts = {_plain(w) for s, c in zip(songs, codes, strict=True) if c == code for w, _ in _words(s.syllables)}
        tables[code] = _stresses(sorted(texts - {""}), code)
    return [
        with_lines(_stressed(song, tables[code], code) if song.syllables and tables.get(code) else song, code)
        for song, code in zip(songs, codes, strict=True)
    ]


def _plain(word: str) -> str:
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", word.lower().replace("’", "'"))


def _words(syllables: Sequence[Syllable]) -> list[tuple[str, list[Syllable]]]:
    """Returns the words and their syllables: neighbours of one word whose texts together spell it."""
    out: list[tuple[str, list[Syllable]]] = []
    for _, group in groupby(syllables, key=lambda s: (s.word, s.line)):
        spelled: list[Syllable] = []
        for syllable in group:
            spelled.append(syllable)
            if len("".join(s.text for s in spelled)) >= len(syllable.word):
                out.append((syllable.word or syllable.text, spelled))
                spelled = []
        if spelled:
            out.append((spelled[0].word or spelled[0].text, spelled))
    return out


def _stresses(words: list[str], language: str) -> dict[str, tuple[int, ...]]:
    """Returns the stress of the syllables of each word, spoken on its own."""
    try:
        sounded = sound_out_words(words, language)
    except SongwrightError:
        return {}
    return {text: tuple(s.stress for s in word.syllables) for text, word in zip(words, sounded, strict=True)}


def _stressed(song: Song, table: dict[str, tuple[int, ...]], language: str) -> Song:
    found: list[Syllable] = []
    for word, syllables in _words(song.syllables):
        plain = _plain(word)
        spoken = (0,) if plain in _LIGHT.get(language, ()) else table.get(plain, ())
        for i, syllable in enumerate(syllables):
            stress = _stress_at(spoken, i, len(syllables)) if spoken else syllable.stress
            found.append(replace(syllable, stress=stress, language=language))
    return replace(song, syllables=tuple(found))


def _stress_at(spoken: tuple[int, ...], index: int, count: int) -> int:
    if len(spoken) == count:
        return spoken[index]
    if 1 not in spoken:
        return 0
    place = min(count - 1, round(spoken.index(1) * max(0, count - 1) / max(1, len(spoken) - 1)))
    return int(index == place)
