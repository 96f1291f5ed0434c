"""Text made safe to sing: bytes to text, and text without what no voice can say."""

import re
import unicodedata

from songwright.errors import InputError

_BREAKS = re.compile("\r\n|[\r\n\v\f\x85\u2028\u2029]")
_SPACES = re.compile("[ \t\u00a0\u1680\u2000-\u200a\u202f\u205f]+")
_KEPT_SIGNS = "°№©®™" + "+=<>~|^`"
_SILENT = "\xad\ufeff♪♫♬♩"
"""Left out without a word."""
_JOINERS = "\u200c\u200d"
_COMMON_HANZI = range(0xB0, 0xD8)
"""First bytes of the 3,755 commonest characters in GB 2312."""


def decode(data: bytes) -> str:
    """Returns the text of a file in UTF-8, UTF-16, GB 18030, Windows-1251 or Windows-1252, whichever it is.

    Raises:
        InputError: it is no text.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _decoded(data, encoding)
    if b"\0" in data:
        even, odd = data[::2].count(0), data[1::2].count(0)
        return _decoded(data, "utf-16-le" if odd > even else "utf-16-be")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _guessed(data)


def _decoded(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"these lyrics are no text that can be read ({encoding}): save the file as UTF-8") from error
    if text.count("\0") > 0:
        raise InputError("these lyrics are no text: expected a plain text, LRC or SRT file")
    return text


def _guessed(data: bytes) -> str:
    """Returns the text under the encoding that makes the most of its high bytes into common letters."""
    options: list[tuple[float, str]] = []
    try:
        text = data.decode("gb18030")
        foreign = [c for c in text if ord(c) > 127]
        common = sum(_is_common_han(c) for c in foreign)
        options.append((common / max(1, len(foreign)), text))
    except UnicodeDecodeError:
        pass
    text = data.decode("cp1251", "replace")
    foreign = [c for c in text if ord(c) > 127]
    runs = re.findall("[А-яЁё]+", text)
    lower = sum(1 for run in runs if len(run) > 1 for c in run if c.islower() or run[0] == c)
    mixed = len(re.findall("[a-zA-Z][А-яЁё]|[А-яЁё][a-zA-Z]", text))
    options.append(((0.95 * lower - 2 * mixed) / max(1, len(foreign)), text))
    best, text = max(options, key=lambda option: option[0])
    return text if best > 0.5 else data.decode("cp1252", "replace")


def _is_common_han(char: str) -> bool:
    if char in "，。！？、：；“”（）【】《》…—　":
        return True
    try:
        return char.encode("gb2312")[0] in _COMMON_HANZI and len(char.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


def split_lines(text: str) -> list[str]:
    """Returns the lines of a text, whatever breaks them, in NFC."""
    return _BREAKS.split(unicodedata.normalize("NFC", text))


def clean(text: str) -> tuple[str, bool]:
    """Returns a line (or a piece of one) without emoji, control characters and direction marks, and whether any were.

    Spaces of all kinds become single plain ones and are kept at the ends.
    """
    kept: list[str] = []
    dropped = False
    for i, char in enumerate(text):
        if char.isascii():
            if (char < " " and char != "\t") or char == "\x7f":
                dropped = True
            else:
                kept.append(char)
            continue
        kind = unicodedata.category(char)
        if char in _JOINERS:
            if 0 < i < len(text) - 1 and text[i - 1].isalpha() and unicodedata.category(text[i + 1])[0] in "LM":
                kept.append(char)
            continue
        if char in _SILENT:
            continue
        if (
            (kind in ("So", "Cc", "Cf", "Cs", "Co", "Cn") and char not in _KEPT_SIGNS)
            or "\ufe00" <= char <= "\ufe0f"
            or (char == "\u20e3" or "\U0001f3fb" <= char <= "\U0001f3ff")
        ):
            dropped = True
            continue
        kept.append(char)
    return _SPACES.sub(" ", "".join(kept)), dropped
