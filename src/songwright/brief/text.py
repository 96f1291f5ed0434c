"""Free text made regular: normalising, splitting into words of three scripts, stems. Nothing here knows a meaning."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from songwright.errors import InputError

MAX_CHARACTERS = 20_000
BARRIER = "\u241e"
"""Stands where a part of the prompt was taken out (a title, a number): no phrase reaches across it."""

Script = Literal["en", "zh", "ru", ""]

_TOKEN = re.compile(
    r"(?P<zh>[\u3400-\u9fff\uf900-\ufaff])"
    r"|(?P<ru>[\u0400-\u052f]+)"
    r"|(?P<en>[a-z\u00c0-\u024f\d]+(?:[&'][a-z\u00c0-\u024f\d]+)*(?:/[co]\b)?)"
    r"|(?P<space>\s+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_RNB = re.compile(r"\br\s*(?:&|\+|'?\s?n\s?'?|\band\b)\s*b\b", re.IGNORECASE)
_SOFT = {"-", "\u2010", "\u2011", "&", "'", "\u00b7", "/", "\u2044"}
_ENDINGS = (
    "иями ями ами иях ях ах ого его ому ему ыми ими иею ией ий ый ой ая яя ое ее ые ие ую юю ых их ым им ом ем ов ев ей"
    " ам ям ью ия ии ию ье ья а я о е ы и у ю ь й"
)
_RUSSIAN_ENDINGS = tuple(sorted(re.findall(r"\w+", _ENDINGS), key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class Token:
    """One word, Chinese character or mark.

    Attributes:
        key: what vocabularies know it by: lower case, Russian stemmed.
        script: ``en`` (Latin letters and digits), ``zh``, ``ru``, or empty for a mark.
        start, end: its place in the normalised text.
        joined: whether no space lies between it and the token before.
    """

    key: str
    script: Script
    start: int
    end: int
    joined: bool = False

    @property
    def is_break(self) -> bool:
        """Whether it is a mark that ends a phrase."""
        return not self.script


def normalise(text: str) -> str:
    """Returns the text in NFKC with plain quotes and dashes, without control characters, ends trimmed.

    Raises:
        InputError: nothing is left, or it is longer than `MAX_CHARACTERS`.
    """
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"the prompt has {len(text)} characters: at most {MAX_CHARACTERS} are read; shorten it")
    text = unicodedata.normalize("NFKC", text)
    kept = (c if c in "\n\t" or unicodedata.category(c)[0] != "C" else " " for c in text.replace("\r\n", "\n"))
    text = "".join(kept).replace("’", "'").replace("‘", "'").replace("`", "'").replace("—", " - ").replace("–", "-")
    text = text.replace("−", "-").strip()
    text = re.sub(r"[^\S\n]+", " ", re.sub(r"\s*\n\s*", "\n", text))
    text = _RNB.sub("R&B", text)
    if not any(c.isalnum() for c in text):
        raise InputError("the prompt is empty: say in a few words what song you want, e.g. 'a calm jazz waltz'")
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"the prompt is too long: at most {MAX_CHARACTERS} characters are read; shorten it")
    return text


def language_of(text: str) -> str:
    """Returns ``en``, ``zh`` or ``ru`` by the script of most of the text; a Chinese character counts as two letters."""
    chinese = 2 * len(re.findall(r"[\u3400-\u9fff]", text))
    russian = len(re.findall(r"[\u0400-\u04ff]", text))
    latin = len(re.findall(r"[A-Za-z]", text))
    if russian >= max(chinese, 1) and 2 * russian >= latin:
        return "ru"
    return "zh" if chinese and 2 * chinese >= latin else "en"


def stem(word: str) -> str:
    """Returns a Russian word (lower case) without its inflection; at least three letters stay."""
    word = word.replace("ё", "е")
    for ending in _RUSSIAN_ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def lower(text: str) -> str:
    """Returns the text in lower case, character for character, so that places stay the same."""
    return "".join(c if len(low := c.lower()) != 1 else low for c in text)


def _without_accents(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


def tokens_of(text: str, simplified: dict[int, int]) -> list[Token]:
    """Returns the tokens of normalised text; hyphens and slashes between words are no tokens.

    Args:
        text: from `normalise`.
        simplified: traditional characters to simplified ones, as for `str.translate`.
    """
    found: list[Token] = []
    spaced = True
    for match in _TOKEN.finditer(lower(text)):
        script = match.lastgroup
        raw = match.group()
        if script == "space" and "\n" not in raw:
            spaced = True
            continue
        if script == "other" and raw in _SOFT and not spaced:
            continue
        if script == "en":
            key = raw[:-2] if raw.endswith("'s") and len(raw) > 3 else raw
            key = key if key.isascii() else _without_accents(key)
            found.append(Token(key, "en", match.start(), match.end(), not spaced))
        elif script == "ru":
            found.append(Token(stem(raw), "ru", match.start(), match.end(), not spaced))
        elif script == "zh":
            found.append(Token(raw.translate(simplified), "zh", match.start(), match.end(), not spaced))
        else:
            found.append(Token(raw, "", match.start(), match.end(), not spaced))
        spaced = False
    return found
