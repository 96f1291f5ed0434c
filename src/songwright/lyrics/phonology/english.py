"""English: sounds of words as they are sung, from espeak's American voice.

Reduced sounds are replaced by fuller ones, function words lose their stress, vocables (ooh, yeah, mmm) are known by
their spelling, and vowels that espeak runs together (li-on, i-de-a) are parted where the spelling shows two.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from songwright.lyrics.phonology.data import names, table
from songwright.lyrics.phonology.numbers import NUMBER, expand, number_words
from songwright.lyrics.phonology.spelling import english_texts, plain
from songwright.lyrics.phonology.syllabify import Phoneme, Sound, Sounds, split_edges, syllabify, with_stress
from songwright.lyrics.sheet import SheetSyllable
from songwright.speech.espeak import split_marks

FUNCTION_WORDS = names("function_words.txt", "en")
"""Words of one syllable that are sung without stress."""

_FULL = {key: values[0] for key, values in table("english_full.txt").items()}
_WORDS = table("english_words.txt")
_VOCABLES = tuple((re.compile(key), sounds) for key, sounds in table("english_vocables.txt").items())
_NAMES = dict(zip("abcdefghijklmnopqrstuvwxyz", table("number_words.txt")["en.letters"], strict=True))
_INITIALS = names("number_words.txt", "en.initials")
_DOTTED = re.compile(r"[A-Za-z](?:\.[A-Za-z])+")
_AMBIGUOUS = frozenset(("la", "us", "am", "id", "ai", "ac"))
_PARTS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*['’]?|['’][^\W\d_]+(?:['’][^\W\d_]+)*['’]?|\d+")
_ONSETS = frozenset(
    [f"{c} r" for c in ("p", "b", "t", "d", "k", "g", "f", "T", "S")]
    + [f"{c} l" for c in "pbkgfs"]
    + [f"{c} w" for c in "tdkgTshS"]
    + [f"{c} j" for c in "pbfvmkgh"]
    + ["s p", "s t", "s k", "s m", "s n", "s p r", "s t r", "s k r", "s p l", "s k l", "s k w", "s p j", "s k j"]
)


class English:
    """English as `phonetics` asks for it."""

    language = "en"

    def lookups(self, texts: Sequence[str]) -> set[str]:
        """Returns what to ask espeak for, given the texts of a line."""
        return {key for text in texts for part, _ in _parts(text) for key in _spoken(part) if key not in _WORDS}

    def syllables(self, texts: Sequence[str], sounds: Mapping[str, Sounds]) -> list[tuple[SheetSyllable, ...]]:
        """Returns the syllables of each text of a line; those of one text spell it.

        Args:
            texts: words in order, with what is attached to them.
            sounds: espeak's phonemes, marks kept, of everything that `lookups` named.
        """
        bare = [plain(split_edges(text)[1]) for text in texts]
        words = []
        for i, text in enumerate(texts):
            before, after = bare[i - 1] if i else "", bare[i + 1] if i + 1 < len(bare) else ""
            words.append(_word(text, sounds, _in_context(bare[i], before, after)))
        return [_before_vowel(bare[i], word, words[i + 1 :]) for i, word in enumerate(words)]


def split_fire(syllable: SheetSyllable) -> tuple[SheetSyllable, SheetSyllable] | None:
    """Returns ``fire`` or ``hour``, one syllable here, as the two that it may be sung on; None for any other."""
    vowel = syllable.phonemes[syllable.nucleus]
    halves = {"aI3": ("aI", "3"), "aU@": ("aU", "3")}.get(vowel)
    if halves is None:
        return None
    head = (*syllable.phonemes[: syllable.nucleus], halves[0])
    tail = (halves[1], *syllable.phonemes[syllable.nucleus + 1 :])
    cut = max(1, len(syllable.text.rstrip("e.,!?s")) - 1)
    first = SheetSyllable(syllable.text[:cut], head, len(head) - 1, syllable.stress)
    return first, SheetSyllable(syllable.text[cut:], tail, 0)


def _parts(text: str) -> list[tuple[str, str]]:
    """Returns the parts of a text that are looked up by themselves, each with all the letters that it stands for."""
    lead, core, tail = _apostrophes(*split_edges(text))
    if not core:
        return []
    if expand(core, tail, "en") is not None or _DOTTED.fullmatch(core):
        return [(core + ("." if tail.startswith(".") else ""), text)]
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(core):
        match = NUMBER.match(core, at) or _PARTS.match(core, at)
        end = match.end() if match else at + 1
        piece = core[at:end]
        if match:
            found.append((piece, piece))
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + piece)
        at = end
    if lead and lead[-1:] in "№#$€£¥" and found:
        found[0] = (lead[-1] + found[0][0], found[0][1])
    if tail[:1] in ("%", "°") and tail:
        found[-1] = (found[-1][0] + tail[0], found[-1][1])
    if not found:
        return []
    found[0] = (found[0][0], lead + found[0][1])
    found[-1] = (found[-1][0], found[-1][1] + tail)
    return found


def _apostrophes(lead: str, core: str, tail: str) -> tuple[str, str, str]:
    """Takes the apostrophe of 'cause and singin' into the word."""
    if lead[-1:] in ("'", "’") and ("'" + plain(core) in _WORDS or "'" + plain(core) in FUNCTION_WORDS):
        lead, core = lead[:-1], lead[-1] + core
    if tail[:1] in ("'", "’") and (plain(core).endswith("in") or plain(core) + "'" in _WORDS):
        core, tail = core + tail[0], tail[1:]
    return lead, core, tail


def _spoken(part: str) -> list[str]:
    """Returns the words that a part is spoken as, in small letters."""
    if NUMBER.fullmatch(part):
        return number_words(part, "en")
    short = expand(part.rstrip("."), part[len(part.rstrip(".")) :], "en")
    if short is not None:
        return short
    if _DOTTED.fullmatch(part.rstrip(".")):
        return [_NAMES[letter] for letter in plain(part) if letter in _NAMES]
    low = plain(part)
    initials = low in _INITIALS and (low not in _AMBIGUOUS or part.isupper()) and low != "ok"
    if initials or (part.isupper() and 1 < len(low) < 5 and not re.search("[aeiouy']|^[hm]+m$|^sh+$", low)):
        if low in ("am", "us", "la", "id") and low != "la":
            return [low]
        return [_NAMES[letter] for letter in low if letter in _NAMES]
    return [low if low in _WORDS else low if _vocable(low) else _squeezed(low)]


def _vocable(low: str) -> Sounds:
    return next((sounds for pattern, sounds in _VOCABLES if pattern.fullmatch(low)), ())


def _squeezed(low: str) -> str:
    """Returns a word without letters drawn out: looove, freeeee, goooood."""

    def once(match: re.Match[str]) -> str:
        letter, after = match.group(1), low[match.end() : match.end() + 1]
        double = (letter == "e" and after in ("", "t", "p", "l", "d")) or (
            letter == "o" and after and after in "dnkmlt"
        )
        return letter * 2 if double or (letter in "lsf" and not after) else letter

    return re.sub(r"([a-z])\1{2,}", once, low)


def _in_context(word: str, before: str, after: str) -> str:
    """Returns sounds of a word that is read in two ways, where its neighbours tell which."""
    for row, sounds in table("english_homographs.txt").items():
        mark = ">" if ">" in row else "<"
        name, _, neighbours = row.partition(mark)
        if name == word and (after if mark == ">" else before) in neighbours.split(","):
            return " ".join(sounds[1:])
    return ""


def _word(text: str, answers: Mapping[str, Sounds], given: str) -> tuple[SheetSyllable, ...]:
    result: list[SheetSyllable] = []
    for part, letters in _parts(text):
        keys = _spoken(part)
        groups = [_sounded(key, answers.get(key, ()), tuple(given.split())) for key in keys]
        sounds = [sound for group in groups for sound in group]
        if len(keys) > 1 or NUMBER.fullmatch(part) or plain(part.rstrip(".")) != keys[0]:
            whole = len(keys) == 1 and part[:1].isalpha() and "." not in part and plain(part) not in _WORDS
            texts = english_texts(letters, sounds) if whole else _initials(letters, groups)
        else:
            texts = english_texts(letters, sounds)
        result += [sound.spelled(piece) for sound, piece in zip(sounds, texts, strict=True)]
    return tuple(result)


def _initials(letters: str, groups: list[list[Sound]]) -> list[str]:
    """Returns a letter for each name of a letter; of anything else, such as a number, the first syllable has it all."""
    count = sum(len(group) for group in groups)
    places = [i for i, c in enumerate(letters) if c.isalpha()]
    if len(places) != len(groups) or any(c.isdigit() for c in letters):
        return [letters, *[""] * (count - 1)]
    edges = [0, *places[1:], len(letters)]
    return [text for (a, b), group in zip(pairwise(edges), groups, strict=True) for text in _first(letters[a:b], group)]


def _first(text: str, group: list[Sound]) -> list[str]:
    return [text if i == 0 else "" for i in range(len(group))]


def _sounded(key: str, answer: Sounds, given: Sounds) -> list[Sound]:
    """Returns the syllables of one word: by its neighbours if `given`, else as listed, else as espeak answered."""
    marked = given or _WORDS.get(key) or _vocable(key) or answer
    phonemes = _opened(key, [Phoneme(*split_marks(p)) for p in marked])
    sounds = syllabify(phonemes, may_begin)
    if len(sounds) == 1 and key in FUNCTION_WORDS:
        return [Sound(sounds[0].phonemes, sounds[0].nucleus, 0)]
    return with_stress(sounds)


def _opened(key: str, phonemes: list[Phoneme]) -> list[Phoneme]:
    """Returns the phonemes with full sounds, and with vowels parted that are two syllables."""
    result: list[Phoneme] = []
    for i, p in enumerate(phonemes):
        symbol = _FULL.get(p.symbol, p.symbol)
        after = _FULL.get(phonemes[i + 1].symbol, phonemes[i + 1].symbol) if i + 1 < len(phonemes) else ""
        last = result[-1].symbol if result else ""
        if symbol == ";" or (symbol == "r" and last == "r"):
            continue
        if symbol == "n-" or (
            symbol == "n" and after == "t" and i == len(phonemes) - 2 and "n't" in key and last in ("d", "s", "z", "t")
        ):
            result += [Phoneme("@"), Phoneme("n")]
        elif symbol == "3" and last == "aU" and "our" in key:
            result[-1] = Phoneme("aU@", result[-1].stress)
        elif symbol in _PARTED:
            result += _PARTED[symbol](key, after, p.stress, last)
        else:
            result.append(Phoneme(symbol, p.stress))
    return result


def _part_fire(key: str, after: str, stress: int, last: str) -> list[Phoneme]:
    one = re.search(r"ire|yre|oir|iring", key) and "iron" not in key
    return [Phoneme("aI3", stress)] if one else [Phoneme("aI", stress), Phoneme("3")]


def _part_lion(key: str, after: str, stress: int, last: str) -> list[Phoneme]:
    one = after == "r" or re.search(r"isle|[^aeiou]ile", key)
    return [Phoneme("aI", stress)] if one else [Phoneme("aI", stress), Phoneme("@")]


def _part_idea(key: str, after: str, stress: int, last: str) -> list[Phoneme]:
    if after == "r" or "real" in key or ("ear" in key and after[:1] != "a" and not key.endswith("ea")):
        return [Phoneme("i@", stress)]
    if stress:
        return [Phoneme("i:", stress), Phoneme("@")]
    if last in ("l", "n") and after in ("n", "s", "t"):
        return [Phoneme("j"), Phoneme("@")]
    return [Phoneme("i"), Phoneme("@")]


def _part_familiar(key: str, after: str, stress: int, last: str) -> list[Phoneme]:
    if key.endswith(("liar", "niar", "lier", "nior")) and not stress:
        return [Phoneme("j"), Phoneme("3")]
    if re.search(r"i(er|or)s?$", key) and not stress:
        return [Phoneme("i"), Phoneme("3")]
    return [Phoneme("i@3", stress)]


_PARTED = {"aI3": _part_fire, "aI@": _part_lion, "i@": _part_idea, "i@3": _part_familiar}


def may_begin(cluster: Sounds) -> bool:
    """Returns whether consonants may begin an English syllable."""
    if len(cluster) == 1:
        return cluster[0] != "N"
    return " ".join("t" if c == "t#" else c for c in cluster) in _ONSETS


def _before_vowel(
    bare: str, word: tuple[SheetSyllable, ...], following: Sequence[tuple[SheetSyllable, ...]]
) -> tuple[SheetSyllable, ...]:
    """Returns ``the`` with its full vowel where a vowel follows."""
    if bare == "the" and len(word) == 1:
        after = next((w for w in following if w), ())
        if after and after[0].nucleus == 0:
            return (SheetSyllable(word[0].text, ("D", "i"), 1, 0),)
    return word
