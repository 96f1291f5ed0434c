"""Russian: consonants from espeak, stress from a list where espeak is wrong, vowels as they are sung.

A singer reduces less than a speaker: unstressed o and a are one open a here, other vowels stay as espeak has them.
Prepositions without a vowel (в, к, с) have no syllable: they sound before the next word.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from songwright.lyrics.phonology.data import names, table
from songwright.lyrics.phonology.numbers import NUMBER, expand, number_words
from songwright.lyrics.phonology.spelling import even_texts
from songwright.lyrics.phonology.syllabify import Phoneme, Sound, Sounds, split_edges, syllabify, with_stress
from songwright.lyrics.sheet import SheetSyllable
from songwright.speech.espeak import split_marks

VOWELS = "аеёиоуыэюя"
FUNCTION_WORDS = names("function_words.txt", "ru")
"""Words of one syllable that are sung without stress."""

_VOICED_AT_END = frozenset(("из", "без", "под", "над", "об", "через", "перед", "из-под", "из-за"))
_ONSETS = {"в": "v", "к": "k", "с": "s", "ф": "f"}
_AFTER = {"б": "p", "ж": "S", "ль": "l"}
_VOICED = frozenset(("b", "d", "d;", "dZ", "g", "z", "z;", "Z"))
_VOICELESS = frozenset(("p", "t", "t;", "k", "f", "s", "s;", "S", "S;", "x", "ts", "tS", "tS;"))
_STRESSED = {"а": "A", "я": "A", "о": "o", "ё": "8", "е": "e", "э": "E", "и": "i", "ы": "y", "у": "u", "ю": 'u"'}
_UNSTRESSED = {"а": "a", "я": "I", "о": "a", "ё": "8", "е": "I", "э": "E", "и": "i", "ы": "y", "у": "u", "ю": 'u"'}
_FULL = {key: values[0] for key, values in table("russian_full.txt").items()}
_GLIDED = {"ja": ("j", "A"), "ja#": ("j", "I"), "ju": ("j", "u")}
_VOCABLES = {
    "ммм": "'m-",
    "мм": "'m-",
    "хм": "x 'm-",
    "ооо": "'o",
    "ааа": "'A",
    "ууу": "'u",
    "эээ": "'E",
    "ля": "l ; 'A",
    "на-на": "",
}
_ALL = "всё"
_EVERYTHING_BEFORE = re.compile(
    r"(равно|еще|ещё|это|хорошо|время|будет|было|то|что|вокруг|сначала|пусть|.*(ет|ёт|ит|ло|лось|ется|ится))$"
)
_GENITIVE = names("function_words.txt", "ru.genitive")
_LOCATIVES = names("function_words.txt", "ru.locative")
_GENITIVE_ENDINGS = ("ого", "его", "ой", "ей", "ство")
_ACUTE = "\u0301"
_PARTS = re.compile(rf"[а-яёА-ЯЁіѣїє{_ACUTE}+]+|\d+", re.IGNORECASE)


class Russian:
    """Russian as `phonetics` asks for it."""

    language = "ru"

    def lookups(self, texts: Sequence[str]) -> set[str]:
        """Returns what to ask espeak for, given the texts of a line."""
        return {
            key
            for words in _line(texts)
            for _, keys in words
            for key, _ in keys
            if key not in _ONSETS and key not in _AFTER
        }

    def syllables(self, texts: Sequence[str], sounds: Mapping[str, Sounds]) -> list[tuple[SheetSyllable, ...]]:
        """Returns the syllables of each text of a line; those of one text spell it, those of prepositions are empty."""
        result: list[list[SheetSyllable]] = []
        waiting: tuple[str, ...] = ()
        bare = [split_edges(text)[1].lower() for text in texts]
        for words in _line(texts):
            own: list[SheetSyllable] = []
            for letters, keys in words:
                if len(keys) == 1 and keys[0][0] in _ONSETS:
                    waiting = (*waiting, _ONSETS[keys[0][0]])
                    continue
                if len(keys) == 1 and keys[0][0] in _AFTER:
                    _append(own or next((r for r in reversed(result) if r), []), _AFTER[keys[0][0]])
                    continue
                found = _word(letters, keys, sounds)
                if len(words) > 1 and len(found) == 1 and len({key for _, ((key, _), *_) in words}) == 1:  # о-о-о
                    found = [replace(s, stress=1) for s in found]
                if waiting and found:
                    found[0] = _prepended(found[0], waiting)
                    waiting = ()
                own += found
            if len(words) > 1 and own and bare[len(result)] not in _VOICED_AT_END and not any(s.stress for s in own):
                own[0] = replace(own[0], stress=1)  # кто-то
            if own and result and result[-1] and bare[len(result) - 1] in _VOICED_AT_END:
                _voiced_before(result[-1], own[0])
            result.append(own)
        if waiting:
            _append(next((r for r in reversed(result) if r), []), *waiting)
        return [tuple(group) for group in result]


def _append(group: list[SheetSyllable], *phonemes: str) -> None:
    if group:
        group[-1] = replace(group[-1], phonemes=(*group[-1].phonemes, *phonemes))


def _voiced_before(group: list[SheetSyllable], following: SheetSyllable) -> None:
    """Gives a preposition (из, под) its voiced end back before a vowel or a voiced consonant."""
    last = group[-1].phonemes[-1]
    voiced = {"s": "z", "t": "d", "p": "b", "S": "Z"}.get(last)
    if voiced and following.phonemes[0] not in _VOICELESS:
        group[-1] = replace(group[-1], phonemes=(*group[-1].phonemes[:-1], voiced))


def _prepended(syllable: SheetSyllable, onset: tuple[str, ...]) -> SheetSyllable:
    """Returns a syllable with a preposition before it, voiced like what follows."""
    first = syllable.phonemes[0]
    pairs = {"k": "g", "s": "z"} if first in _VOICED else {"v": "f"} if first in _VOICELESS else {}
    sounds = tuple(pairs.get(p, p) for p in onset)
    if syllable.phonemes[:2] in (("i",),) and sounds[-1:] != ("",):
        return replace(syllable, phonemes=(*sounds, "y", *syllable.phonemes[1:]), nucleus=len(sounds))
    return replace(syllable, phonemes=(*sounds, *syllable.phonemes), nucleus=syllable.nucleus + len(sounds))


Key = tuple[str, int]


def _line(texts: Sequence[str]) -> list[list[tuple[str, list[Key]]]]:
    """Returns the parts of each text: letters, what is looked up, the index of the stressed vowel (-1 open)."""
    bare = [split_edges(text)[1].lower() for text in texts]
    result = []
    for i, text in enumerate(texts):
        following = bare[i + 1] if i + 1 < len(bare) else ""
        result.append(_parts(text, bare[i - 1] if i else "", following))
    return result


def _parts(text: str, before: str, following: str) -> list[tuple[str, list[Key]]]:
    lead, core, tail = split_edges(text)
    if tail.startswith(_ACUTE):
        core, tail = core + _ACUTE, tail[1:]
    if not core:
        return []
    short = expand(core, tail, "ru")
    if short is not None:
        return [(text, [_key(word) for word in short])]
    found: list[tuple[str, list[Key]]] = []
    at = 0
    while at < len(core):
        number = NUMBER.match(core, at)
        match = number or _PARTS.match(core, at)
        end = match.end() if match else at + 1
        piece = core[at:end]
        if match:
            sign = lead[-1:] if number and not found and lead[-1:] in tuple("№#$€£¥₽") else ""
            sign_after = tail[:1] if number and end == len(core) and tail[:1] in ("%", "°") else ""
            words = number_words(sign + piece + sign_after, "ru") if number else []
            found.append((piece, [_key(word) for word in words] if number else [_key(piece, before, following)]))
        elif found:
            found[-1] = (found[-1][0] + piece, found[-1][1])
        at = end
    if found:
        found[0] = (lead + found[0][0], found[0][1])
        found[-1] = (found[-1][0] + tail, found[-1][1])
    return found


def _key(piece: str, before: str = "", following: str = "") -> Key:
    """Returns a word in small letters without marks, and which of its vowels is stressed as written or listed."""
    stressed = _marked(piece)
    low = piece.replace(_ACUTE, "").replace("+", "").lower()
    if low == "все" and _EVERYTHING_BEFORE.match(following):
        low = _ALL
    low = _squeezed(low)
    listed = _paired(low, before) or _listed(low)
    if listed:
        low = listed.replace("+", "")
    if stressed < 0:
        stressed = _marked(listed) if listed else -1
    if stressed < 0 and "ё" in low:
        stressed = sum(c in VOWELS for c in low[: low.index("ё")])
    return low, stressed


def _squeezed(low: str) -> str:
    return low if low in _VOCABLES else re.sub(r"(.)\1{2,}", r"\1", low)


def _marked(piece: str) -> int:
    """Returns which vowel carries a written stress: ``за́мок``, ``з+амок``, ``зАмок``; -1 if none does."""
    count = -1
    capitals = [c for c in piece if c.isalpha() and c.isupper()]
    by_capital = len(capitals) == 1 and piece[:1].islower() and len(piece) > 2
    for i, char in enumerate(piece):
        if char.lower() in VOWELS:
            count += 1
            if piece[i + 1 : i + 2] == _ACUTE or piece[i - 1 : i] == "+" or (by_capital and char.isupper()):
                return count
    return -1


def _word(letters: str, keys: list[Key], answers: Mapping[str, Sounds]) -> list[SheetSyllable]:
    groups = [_sounded(key, stressed, answers.get(key, ())) for key, stressed in keys]
    sounds = [sound for group in groups for sound in group]
    written = sum(c in VOWELS for c in letters.lower())
    if len(keys) > 1 or any(c.isdigit() for c in letters) or not written:
        texts = [letters, *[""] * (len(sounds) - 1)]
    elif written == len(sounds):
        texts = divide(letters)
    else:
        texts = even_texts(letters, len(sounds), VOWELS)
    return [sound.spelled(text) for sound, text in zip(sounds, texts, strict=True)]


def _sounded(key: str, stressed: int, answer: Sounds) -> list[Sound]:
    known = _VOCABLES.get(key, "")
    phonemes = [Phoneme(*split_marks(p)) for p in (known.split() if known else answer)]
    phonemes = _restressed(key, stressed, [q for p in phonemes for q in _opened(p)])
    sounds = syllabify(_sung(phonemes), may_begin)
    if len(sounds) == 1:
        return [Sound(sounds[0].phonemes, sounds[0].nucleus, int(key not in FUNCTION_WORDS))]
    return with_stress(sounds)


def _opened(phoneme: Phoneme) -> list[Phoneme]:
    if phoneme.symbol == "@-":  # espeak's glide into a rolled r
        return []
    if phoneme.symbol == "I^":  # and out of a soft one
        return [Phoneme(";")]
    glide = _GLIDED.get(phoneme.symbol)
    if glide:
        return [Phoneme(glide[0]), Phoneme(glide[1], phoneme.stress)]
    return [phoneme]


def _restressed(key: str, stressed: int, phonemes: list[Phoneme]) -> list[Phoneme]:
    """Returns the phonemes with the stress on a given vowel; the two vowels that change sound accordingly."""
    letters = [c for c in key if c in VOWELS]
    places = [i for i, p in enumerate(phonemes) if p.is_nucleus]
    result = list(phonemes)
    if len(letters) != len(places) or stressed >= len(places):
        return result
    for n, (letter, place) in enumerate(zip(letters, places, strict=True)):
        old = phonemes[place]
        if stressed < 0:
            continue
        if n == stressed and old.stress != 1:
            sound = _STRESSED[letter]
            hard = place and phonemes[place - 1].symbol in ("S", "Z", "ts")
            sound = {"i": "y", "8": "o", "e": "E", 'u"': "u"}.get(sound, sound) if hard else sound
            result[place] = Phoneme(sound, 1)
        elif n != stressed and old.stress:
            result[place] = Phoneme(_weak(letter, n == len(letters) - 1 and key.endswith(letter)))
    return result


def _weak(letter: str, last: bool) -> str:
    return "a" if letter == "я" and last else _UNSTRESSED[letter]


def _sung(phonemes: list[Phoneme]) -> list[Phoneme]:
    return [
        Phoneme(_FULL.get(p.symbol, p.symbol), p.stress) if p.stress != 1 or p.symbol not in ("O",) else p
        for p in phonemes
    ]


def may_begin(cluster: Sounds) -> bool:
    """Returns whether consonants go with the vowel after them: one of them, with stop or fricative before a liquid."""
    solid = tuple(c for c in cluster if c != ";")
    if cluster[0] == ";":
        return False
    if len(solid) < 2:
        return True
    if solid[-1] == "j":
        return False
    return len(solid) == 2 and solid[1] in ("r", "l", "v") and solid[0] not in ("r", "l", "j", "m", "n")


def divide(word: str) -> list[str]:
    """Returns a Russian word divided in writing, one vowel letter each: сер-дце is sung сер-дце, зве-зда, солн-це."""
    low = word.lower()
    places = [i for i, c in enumerate(low) if c in VOWELS]
    edges = [0]
    for before, after in pairwise(places):
        cluster = low[before + 1 : after].lstrip(_ACUTE)
        start = after - len(cluster)
        edges.append(start + _split(cluster))
    edges.append(len(word))
    return [word[a:b] for a, b in pairwise(edges)]


def _split(cluster: str) -> int:
    """Returns how many consonant letters stay with the vowel before."""
    solid = [i for i, c in enumerate(cluster) if c not in "ьъ+-'’"]
    if len(solid) < 2:
        return 0 if not solid or cluster[-1:] not in "ьъ" else len(cluster)
    first = cluster[0]
    if first == "й" or any(c in "ьъ" for c in cluster[1:2]):
        return 2 if cluster[1:2] in ("ь", "ъ") else 1
    if len(solid) == 2:
        return 1 if first in "рлмнй" or cluster[0] == cluster[1] else 0
    return solid[-2] if first in "рлмнй" and cluster[solid[-1]] in "рл" else solid[1]


def _paired(word: str, before: str) -> str:
    """Returns a noun whose case shows in its stress (рек+и, р+еки), as the word before it asks."""
    if word in _LOCATIVES and (before in ("в", "во", "на") or before.endswith(("ом", "ем", "ём"))):
        return f"{word[:-1]}+{word[-1]}"
    genitive, other = table("russian_pairs.txt").get(word, ("", ""))
    return genitive if before in _GENITIVE or before.endswith(_GENITIVE_ENDINGS) else other


def _listed(word: str) -> str:
    """Returns a word with the stress that the list gives it, or nothing."""
    row = table("russian_stress.txt").get(word)
    return row[0] if row else ""
