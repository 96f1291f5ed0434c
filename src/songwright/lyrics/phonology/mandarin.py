"""Mandarin: every character a syllable with its tone, read by pypinyin's phrases and by a list of words.

Tones are as spoken: third tones before third tones rise, 不 and 一 change before others, particles are neutral.
espeak is not asked: `mandarin_syllables.txt` holds its phonemes of every syllable.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from songwright.lyrics.phonology.data import table
from songwright.lyrics.phonology.numbers import NUMBER, number_words
from songwright.lyrics.phonology.syllabify import Sounds
from songwright.lyrics.phonology.vowels import is_vowel
from songwright.lyrics.sheet import SheetSyllable

PARTICLES = {
    "的": "de5", "了": "le5", "吗": "ma5", "呢": "ne5", "吧": "ba5", "嘛": "ma5", "着": "zhe5", "们": "men5",
    "么": "me5",
}  # fmt: skip
"""What characters are where no word says otherwise."""
_ENDINGS = {"啊": "a5", "呀": "ya5", "啦": "la5", "哪": "na5", "哇": "wa5", "哟": "yo5", "喽": "lou5", "咯": "lo5"}
_DIGITS = "零一二三四五六七八九十百千万亿几两数"
_LIGHT = frozenset("的了吗呢吧嘛着们么得地啊呀啦哇在是把被和与就也都而且但从向对于以之个这那我你他她它很太又再才")
_HAN = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LONGEST = 5


@dataclass(frozen=True, slots=True)
class _Character:
    """A character on its way to a syllable; an empty one is a break."""

    char: str
    text: int = 0
    letters: str = ""
    pinyin: str = ""
    begins_word: bool = True


class Mandarin:
    """Mandarin as `phonetics` asks for it."""

    language = "zh"

    def lookups(self, texts: Sequence[str]) -> set[str]:
        """Returns nothing: espeak is not needed."""
        return set()

    def syllables(self, texts: Sequence[str], sounds: Mapping[str, Sounds]) -> list[tuple[SheetSyllable, ...]]:
        """Returns the syllables of each text of a line; those of one text spell it."""
        characters = _sandhi(_read(_characters(texts)))
        found: list[list[SheetSyllable]] = [[] for _ in texts]
        for character in characters:
            if character.char:
                found[character.text].append(_syllable(character))
        return [tuple(group) for group in found]


def _characters(texts: Sequence[str]) -> list[_Character]:
    """Returns the characters of a line, what is not one put to the letters of its neighbour."""
    result: list[_Character] = []
    for index, text in enumerate(texts):
        at, lead, own = 0, "", len(result)
        while at < len(text):
            number = NUMBER.match(text, at)
            end = number.end() if number else at + 1
            piece = text[at:end]
            chars = "".join(number_words(piece, "zh")) if number else piece if _HAN.match(piece) else ""
            if chars:
                result.append(_Character(chars[0], index, lead + piece))
                result += [_Character(c, index) for c in chars[1:]]
                lead = ""
            else:
                mine = [k for k in range(own, len(result)) if result[k].char]
                if mine:
                    result[mine[-1]] = replace(result[mine[-1]], letters=result[mine[-1]].letters + piece)
                    if result[-1].char:
                        result.append(_Character(""))
                else:
                    lead += piece
                    if result and result[-1].char and not piece.isspace():
                        result.append(_Character(""))
            at = end
    return result


def _read(characters: list[_Character]) -> list[_Character]:
    """Returns the characters with pinyin: the list of words first, then phrases, then particles and usual readings."""
    result: list[_Character] = []
    start = 0
    for end in [*(i for i, c in enumerate(characters) if not c.char), len(characters)]:
        result += _phrase(characters[start:end])
        result += characters[end : end + 1]
        start = end + 1
    return result


def _phrase(characters: list[_Character]) -> list[_Character]:
    text = "".join(c.char for c in characters)
    if not text:
        return []
    words, guesses = table("mandarin_words.txt"), _guesses(text)
    result: list[_Character] = []
    at = 0
    while at < len(text):
        length = next((n for n in range(min(_LONGEST, len(text) - at), 1, -1) if text[at : at + n] in words), 1)
        if length > 1:
            readings = list(words[text[at : at + length]])
            begins = [True, *[False] * (length - 1)]
        else:
            reading, begin = _single(text, at, guesses)
            readings, begins = [reading], [begin]
        for k, (reading, begin) in enumerate(zip(readings, begins, strict=True)):
            result.append(replace(characters[at + k], pinyin=reading, begins_word=begin))
        at += length
    return result


def _guesses(text: str) -> list[tuple[str, bool, bool]]:
    """Returns pypinyin's reading of each character, whether it begins a word, and whether the word has others."""
    from pypinyin import Style, lazy_pinyin
    from pypinyin.seg.mmseg import seg

    guesses: list[tuple[str, bool, bool]] = []
    for word in seg.cut(text):
        readings = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False)
        readings = readings if len(readings) == len(word) else [*readings, *[""] * len(word)][: len(word)]
        guesses += [(reading, k == 0, len(word) > 1) for k, reading in enumerate(readings)]
    return guesses


def _single(text: str, at: int, guesses: list[tuple[str, bool, bool]]) -> tuple[str, bool]:
    char, (guess, begins, in_phrase) = text[at], guesses[at]
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if char == "々" and at:
        return _single(text, at - 1, guesses)
    if char == "地" and _is_adverb(text[at - 2 : at], after):
        return "de5", False
    if char == "只" and before and before in _DIGITS:
        return "zhi1", False
    if char in _ENDINGS and not after and before and before != char:
        return _ENDINGS[char], False
    if char in PARTICLES:
        return PARTICLES[char], False
    if char == "了":
        return "le5", False
    if char == before and in_phrase and not begins:
        return guess, False
    usual = table("mandarin_characters.txt").get(char)
    if usual and not in_phrase:
        return usual[0], True
    return guess, begins


def _is_adverb(before: str, after: str) -> bool:
    """Whether 地 makes an adverb of the two characters before it."""
    if len(before) < 2 or not after:
        return False
    characters = table("mandarin_characters.txt")
    ground = before[1] in characters["地.before"][0] and before[0] != before[1]
    return not ground and after not in characters["地.after"][0]


def _sandhi(characters: list[_Character]) -> list[_Character]:
    """Returns the characters with their tones as spoken together."""
    result = list(characters)
    tones = [int(c.pinyin[-1]) if c.pinyin[-1:].isdigit() else 0 for c in characters]
    for i, character in enumerate(characters):
        following = tones[i + 1] if i + 1 < len(tones) else 0
        before = characters[i - 1].char if i else ""
        after = characters[i + 1].char if i + 1 < len(characters) else ""
        if character.char == "不":
            tones[i] = 2 if following == 4 else 4
        elif character.char == "一" and not _counts(before, after):
            tones[i] = 2 if following == 4 or (following == 5 and after == "个") else 4 if following in (1, 2, 3) else 1
    for i in range(len(tones) - 1):
        if tones[i] == 3 and tones[i + 1] == 3:
            tones[i] = 2
    for i, character in enumerate(characters):
        if character.pinyin[-1:].isdigit():
            result[i] = replace(character, pinyin=f"{character.pinyin[:-1]}{tones[i]}")
    return result


def _counts(before: str, after: str) -> bool:
    """Whether 一 is a digit or an ordinal, which keeps its tone."""
    return (
        before in ("第", "十", *"零二三四五六七八九〇")
        if before
        else False or (bool(after) and after in "零二三四五六七八九一")
    )


def _syllable(character: _Character) -> SheetSyllable:
    name, tone = character.pinyin[:-1], int(character.pinyin[-1]) if character.pinyin[-1:].isdigit() else 5
    name = name.replace("ü", "v").replace("ê", "ea")
    phonemes = table("mandarin_syllables.txt").get(name, ("@",))
    if tone == 5 and phonemes[-1] == "o-":
        phonemes = (*phonemes[:-1], "@")
    nucleus = next(i for i, p in enumerate(phonemes) if is_vowel(p))
    stressed = character.begins_word and tone != 5 and character.char not in _LIGHT
    return SheetSyllable(character.letters, phonemes, nucleus, int(stressed), tone)
