"""A line of text as words: where words end in each script, and what stands in parentheses."""

import re
import unicodedata
from dataclasses import dataclass

_HAN = re.compile("[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")
_HAN_GAP = re.compile(f"(?<={_HAN.pattern}) (?= *{_HAN.pattern})")
_WIDE = "[…—“”‘’·\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f\uff00-\uffef]"
_WIDE_GAP = re.compile(rf"(?<={_WIDE}) +(?={_WIDE})|(?<=\d) +(?={_HAN.pattern})|(?<={_HAN.pattern}) +(?=\d)")
_CLOSE = re.compile("(?:(?![「『《〈【〔（［｛])[\u3001-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65])+")
_PAUSES = ("—", "…", "...", "--")
"""Between letters these end a word; hyphens and single dots do not."""
_GROUP = re.compile(r"[(（]([^()（）]*)[)）]")
_PARENTHESES = re.compile("[()（）]")


@dataclass(frozen=True, slots=True)
class Token:
    """A word and where it begins in its line."""

    at: int
    text: str


def is_han(char: str) -> bool:
    """Returns whether a character is a Chinese one."""
    return _HAN.match(char) is not None


def split_words(text: str, language: str) -> list[Token]:
    """Returns the words of a line, each with the punctuation that touches it.

    Words end at spaces, and before and after every Chinese character; Japanese is divided at spaces alone. A space
    between two Chinese characters marks a phrase: it becomes a comma of the language. A dash or other sign
    that stands alone goes to the word before it.
    """
    by_character = language != "ja"
    text = _HAN_GAP.sub("，", text) if by_character else _WIDE_GAP.sub("、", text)
    found: list[Token] = []
    prefix, prefix_at = "", 0
    for match in re.finditer(r"\S+", text):
        pieces, rest = _pieces(match.group(), match.start(), by_character)
        if pieces and found and not prefix and (close := _CLOSE.match(pieces[0].text)):
            found[-1] = Token(found[-1].at, found[-1].text + close.group())
            pieces[0] = Token(pieces[0].at + close.end(), pieces[0].text[close.end() :])
        if pieces and prefix:
            pieces[0] = Token(prefix_at, prefix + pieces[0].text)
            prefix = ""
        found += pieces
        if rest and (prefix or _is_opening(rest)):
            prefix_at = prefix_at if prefix else match.end() - len(rest)
            prefix += rest
        elif rest and found:
            found[-1] = Token(found[-1].at, found[-1].text + rest)
        elif rest:
            prefix_at = prefix_at if prefix else match.start()
            prefix += rest
    if prefix and found:
        found[-1] = Token(found[-1].at, found[-1].text + prefix)
    return found


def _is_opening(text: str) -> bool:
    return all(unicodedata.category(char) in ("Ps", "Pi") for char in text)


def _pieces(text: str, at: int, by_character: bool) -> tuple[list[Token], str]:
    """Returns the words of a text without spaces, and signs at its end that belong to no word of it."""
    found: list[Token] = []
    prefix, start, last = "", at, ""
    for i, char in enumerate(text):
        kind = "han" if by_character and is_han(char) else "letter" if _is_spoken(char) else "sign"
        if kind == "sign":
            opens = unicodedata.category(char) in ("Ps", "Pi") and (last != "letter" or not _is_spoken(text[i - 1]))
            if prefix or not found or opens:
                start = start if prefix else at + i
                prefix += char
            else:
                found[-1] = Token(found[-1].at, found[-1].text + char)
            continue
        if kind == "letter" and last == "letter" and not prefix and not found[-1].text.endswith(_PAUSES):
            found[-1] = Token(found[-1].at, found[-1].text + char)
        else:
            found.append(Token(start if prefix else at + i, prefix + char))
            prefix = ""
        last = kind
    return found, prefix


def _is_spoken(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN"


def has_words(text: str) -> bool:
    """Returns whether anything in a text can be said."""
    return any(unicodedata.category(c)[0] in "LN" for c in text)


def take_groups(text: str, *, inside: bool) -> tuple[str, list[str], bool]:
    """Returns a line without what stands in parentheses, the groups in them, and whether one is open at its end.

    What is taken away leaves spaces, so that places in the line stay what they were.

    Args:
        text: the line.
        inside: whether parentheses were open at the end of the line before.
    """
    if inside and not re.match(r"[^(（]*[)）]", text):
        inside = False
    if inside:
        text = "(" + text
    groups: list[str] = []

    def take(match: re.Match[str]) -> str:
        groups.append(match.group(1).strip())
        return " " * len(match.group())

    before = ""
    while before != text:
        before, text = text, _GROUP.sub(take, text)
    tail = re.search(r"[(（]([^()（）]*)$", text)
    if tail:
        groups.append(tail.group(1).strip())
        text = text[: tail.start()] + " " * len(tail.group())
    if inside:
        text = text[1:]
    return _PARENTHESES.sub(" ", text), [g for g in groups if g], tail is not None
