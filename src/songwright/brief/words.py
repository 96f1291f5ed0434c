"""Loads the vocabulary files and finds words in them: phrases, typing mistakes, function words.

The files are in the folder ``vocabulary``: one per language and ``common.toml``. What is done with a finding is
decided in `reader`.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from typing import Any

from songwright.brief.text import stem, tokens_of

LANGUAGES = ("en", "zh", "ru")
Phrase = tuple[str, ...]

_FIELDS = {
    "styles": "styles", "styles_weak": "styles_weak", "moods": "moods", "energy": "energy", "tempo": "tempo_word",
    "instruments": "instruments", "voices": "voice", "traits": "traits", "images": "images", "eras": "era",
}  # fmt: skip
_CORRECTED = ("styles", "styles_weak", "moods", "tempo", "instruments", "voices", "traits")
_PLAIN_LATIN = re.compile(r"[a-z0-9 ]+")
_PLAIN_RUSSIAN = re.compile(r"[а-яё ]+")
_PLAIN_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
_MIN_TYPO_LETTERS, _MAX_TYPO_LETTERS = 5, 24


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one phrase says.

    Attributes:
        values: pairs of a Brief field and a value, e.g. ``(("styles", "jazz"),)``.
        substitute: whether the instrument only stands for the one that was named.
        artist: the artist's name if the phrase is one; `values` then are a hint.
    """

    values: tuple[tuple[str, str], ...] = ()
    substitute: bool = False
    artist: str = ""


@dataclass(frozen=True)
class Vocabulary:
    """Everything known of one language.

    Attributes:
        language: ``en``, ``zh`` or ``ru``.
        phrases: tokens of a phrase to its meaning.
        cued_artists: names that are ordinary words too, and only count behind "like", "in the style of"…
        sections: tokens to a section role.
        cues: phrases that introduce something, by kind (``subject, artist, not, …``).
        ignored: words that carry no wish.
        ordinary: words that are never mistyped musical ones.
        ambiguous: style words that are ordinary nouns too (``words``), and what shows which they are.
        spellings: keys of single musical words to the words as they are spelled.
    """

    language: str
    phrases: Mapping[Phrase, Meaning]
    cued_artists: Mapping[Phrase, Meaning]
    sections: Mapping[Phrase, str]
    cues: Mapping[str, frozenset[Phrase]]
    ignored: frozenset[Phrase]
    ordinary: frozenset[str]
    ambiguous: Mapping[str, frozenset[str]]
    spellings: Mapping[str, str]

    @cached_property
    def longest(self) -> int:
        """Tokens in the longest phrase."""
        return max(map(len, self.phrases))

    @cached_property
    def typo_targets(self) -> list[str]:
        """Words that a mistyped word may be read as."""
        shortest = _MIN_TYPO_LETTERS - (self.language == "ru")  # Russian keys are stems
        return sorted(key for key in self.spellings if len(key) >= shortest and key.isalpha())

    def meaning(self, keys: Phrase) -> Meaning | None:
        """Returns what the phrase means, also as an English plural; None if it is not known."""
        found = self.phrases.get(keys)
        if found or self.language != "en" or len(keys[-1]) < 4 or not keys[-1].endswith("s"):
            return found
        found = self.phrases.get((*keys[:-1], keys[-1][:-1]))
        return found or (self.phrases.get((*keys[:-1], keys[-1][:-2])) if keys[-1].endswith("es") else None)

    def knows(self, key: str) -> bool:
        """Whether a word needs no correction."""
        return key in self._known or (self.language == "en" and key.endswith("s") and key[:-1] in self._known)

    @property
    def _known(self) -> frozenset[str]:
        return _known_words(self.language)

    def corrected(self, key: str, letters: int) -> str | None:
        """Returns the musical word that `key` is one typing mistake away from; None if there is none or it needs none.

        Exchanged, lost and doubled letters are more likely than wrong ones.

        Args:
            key: a word as in `Token.key`.
            letters: how many letters the written word has.
        """
        if (
            not _MIN_TYPO_LETTERS <= letters <= _MAX_TYPO_LETTERS
            or self.language == "zh"
            or not key.isalpha()
            or self.knows(key)
        ):
            return None
        near = _near_words(self.language)
        found = {word for part in _deletions(key) for word in near.get(part, ()) if _one_edit(key, word)}
        return min(found, key=lambda word: (sorted(word) != sorted(key) and len(word) == len(key), word), default=None)


def split(listed: str) -> list[str]:
    """Returns the phrases of a comma-separated list."""
    return [part.strip() for part in listed.split(",") if part.strip()]


@lru_cache(maxsize=1)
def common() -> dict[str, dict[str, Any]]:
    """Returns ``common.toml`` as it is."""
    return _read("common")


@lru_cache(maxsize=1)
def styles_known() -> tuple[str, ...]:
    """Returns the names of all styles that the vocabulary can name, sorted."""
    return tuple(sorted(_read("en")["styles"]))


@lru_cache(maxsize=1)
def to_simplified() -> dict[int, int]:
    """Returns the table from traditional to simplified characters, as for `str.translate`."""
    table: dict[int, int] = {}
    for pair in _read("characters")["traditional"]["pairs"].split():
        table[ord(pair[0])] = ord(pair[1])
    return table


@lru_cache(maxsize=3)
def load(language: str) -> Vocabulary:
    """Returns the vocabulary of ``en``, ``zh`` or ``ru``; read once."""
    data = _read(language)
    phrases: dict[Phrase, Meaning] = {}
    spellings: dict[str, str] = {}
    _put(phrases, data["idioms"]["phrases"], Meaning())
    for phrase, said in data["compound"].items():
        pairs = (item.split("=", 1) for item in said.split())
        _put(phrases, phrase, Meaning(tuple((name, value) for name, listed in pairs for value in split(listed))))
    for section, name in _FIELDS.items():
        for value, listed in data[section].items():
            _put(phrases, listed, Meaning(((name, value),)), spellings if section in _CORRECTED else None)
    for value, listed in data["substitutes"].items():
        _put(phrases, listed, Meaning((("instruments", value),), substitute=True), spellings)
    cued_artists: dict[Phrase, Meaning] = {}
    for name, described in data["artists"].items():
        _put_artist(phrases, cued_artists, name, described)
    phrases.pop((), None)
    words = data["words"]
    return Vocabulary(
        language=language,
        phrases=phrases,
        cued_artists=cued_artists,
        sections={_keys(phrase): role for role, listed in data["form"].items() for phrase in split(listed)},
        cues={kind: _phrases(listed) for kind, listed in data["cues"].items()},
        ignored=_phrases(words["ignored"]),
        ordinary=frozenset(key for keys in _phrases(words["ordinary"]) for key in keys),
        ambiguous={kind: frozenset(_words(listed)) for kind, listed in data["ambiguous"].items()},
        spellings=spellings,
    )


def listed_twice(language: str) -> list[str]:
    """Returns words that a vocabulary file gives to two meanings, the first of which silently wins."""
    data = _read(language)
    settled = {_keys(phrase) for phrase in data["compound"]}
    first: dict[Phrase, tuple[str, str]] = {}
    twice = []
    for section in (*_FIELDS, "substitutes"):
        for value, listed in data[section].items():
            for phrase in split(listed):
                keys = _keys(phrase)
                if keys not in settled and first.setdefault(keys, (section, value)) != (section, value):
                    twice.append(f"{phrase}: {section}.{value} and {'.'.join(first[keys])}")
    return twice


def _read(name: str) -> dict[str, dict[str, Any]]:
    text = resources.files("songwright.brief").joinpath("vocabulary", f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _keys(phrase: str) -> Phrase:
    """Returns what `tokens_of` makes of a phrase; plain words take a short cut, because there are thousands."""
    if _PLAIN_LATIN.fullmatch(phrase):
        return tuple(phrase.split())
    if _PLAIN_RUSSIAN.fullmatch(phrase):
        return tuple(map(stem, phrase.split()))
    if _PLAIN_CHINESE.fullmatch(phrase):
        return tuple(phrase)
    return tuple(token.key for token in tokens_of(phrase, to_simplified()) if token.script)


def _phrases(listed: str) -> frozenset[Phrase]:
    return frozenset(map(_keys, split(listed)))


def _words(listed: str) -> list[str]:
    return [key for phrase in split(listed) for key in _keys(phrase)]


def _put(
    phrases: dict[Phrase, Meaning], listed: str, meaning: Meaning, spellings: dict[str, str] | None = None
) -> None:
    """Adds every phrase of a list that is not there yet; notes how its words are spelled."""
    for phrase in split(listed):
        keys = _keys(phrase)
        phrases.setdefault(keys, meaning)
        if spellings is not None and len(keys) == 1 and len(phrase) < len(spellings.get(keys[0], phrase + " ")):
            spellings[keys[0]] = phrase


def _put_artist(phrases: dict[Phrase, Meaning], cued_artists: dict[Phrase, Meaning], name: str, described: str) -> None:
    """Adds ``"styles era ?: spellings"``: the question mark says that the name is an ordinary word too."""
    hints, _, listed = described.partition(":")
    values: list[tuple[str, str]] = []
    for hint in hints.split():
        if hint[0].isdigit():
            values.append(("era", hint))
        elif hint != "?":
            values.extend(("styles", style) for style in split(hint))
    meaning = Meaning(tuple(values), artist=name)
    for spelling in [*split(listed), name]:
        if "?" in hints:
            cued_artists[_keys(spelling)] = meaning
        else:
            phrases.setdefault(_keys(spelling), meaning)


@lru_cache(maxsize=3)
def _known_words(language: str) -> frozenset[str]:
    vocabulary = load(language)
    cued = (key for phrases in vocabulary.cues.values() for keys in phrases for key in keys)
    ignored = (key for keys in [*vocabulary.ignored, *vocabulary.sections] for key in keys)
    named = (key for keys in vocabulary.phrases for key in keys)
    return frozenset([*named, *cued, *ignored, *vocabulary.ordinary, *vocabulary.ambiguous["music_nouns"]])


@lru_cache(maxsize=3)
def _near_words(language: str) -> dict[str, list[str]]:
    """Every musical word under itself and under itself less one letter."""
    near: dict[str, list[str]] = {}
    for word in load(language).typo_targets:
        for part in _deletions(word):
            near.setdefault(part, []).append(word)
    return near


def _deletions(word: str) -> set[str]:
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


def _one_edit(a: str, b: str) -> bool:
    """Whether one insertion, deletion, change or exchange of neighbours makes `b` of `a`, the first letter staying."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    if a[0] != b[0] and (a[:2] != b[1::-1]):
        return False
    i = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    if len(a) == len(b):
        return a[i + 1 :] == b[i + 1 :] or (a[i : i + 2] == b[i : i + 2][::-1] and a[i + 2 :] == b[i + 2 :])
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    return longer[i + 1 :] == shorter[i:]
