"""Parts of a prompt that are not to be read as wishes: lyrics, titles and other quoted words."""

import re
from dataclasses import dataclass

from songwright.brief.text import BARRIER

_QUOTED = (
    r"(?:\"([^\"\n]{1,200})\"|“([^”\n]{1,200})”|«([^»\n]{1,200})»|「([^」\n]{1,200})」|『([^』\n]{1,200})』"
    r"|„([^“”\n]{1,200})[“”])"
)
_LYRICS_CUE = r"(?:\bwith\s+(?:the\s+)?lyrics|\blyrics|\bwords|歌词|歌詞|(?<!\w)текст\w*|(?<!\w)слова)"
_LYRICS_QUOTED = re.compile(
    _LYRICS_CUE + r"\s*(?:are|is|是|为)?\s*[:,-]?\s*" + _QUOTED.replace('[^\\"\\n]{1,200}', '[^"]{1,5000}'),
    re.IGNORECASE,
)
_LYRICS_REST = re.compile(_LYRICS_CUE + r"\s*[:]\s*(.+)\Z", re.IGNORECASE | re.DOTALL)
_LYRICS_TAGGED = re.compile(
    r"(?:\A|\n)\s*(\[(?:intro|verse|chorus|pre-?chorus|bridge|outro|hook|куплет|припев|主歌|副歌|前奏)[^\]\n]*\].*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_TITLE_CUE = (
    r"(?:\b(?:called|titled|entitled|named|title(?:\s+is)?|song\s+title)|под\s+названием|(?<!\w)названи\w+|"
    r"(?<!\w)назови\w*|歌名|曲名|标题|標題|题目|題目|名为|名為|名字叫做?|叫做|叫|题为)"
)
_TITLE_QUOTED = re.compile(
    _TITLE_CUE + r"\s*(?:is|是|:|-)?\s*(?:" + _QUOTED + r"|《([^》\n]{1,200})》|'([^'\n]{2,80})')", re.I
)
_TITLE_FIELD = re.compile(r"(?:\btitle|(?<!\w)название|歌名|标题|標題)\s*[:]\s*([^.,;|\n，。；]{1,80})", re.IGNORECASE)
_TITLE_CAPITALS = re.compile(
    r"\b(?:called|titled|entitled|named)\s+([A-Z][\w']*(?:\s+(?:(?:of|the|in|and|a|to|for|on)\s+)*[A-Z][\w']*)*)"
)
_BOOK_TITLE = re.compile(r"《([^》\n]{1,200})》(?!\s*(?:那|的感觉|的风格|配乐|风格|一样|这种|類|类))")
_OTHER_BOOK = re.compile(r"《[^》\n]{1,200}》(?=\s*(?:那|的感觉|的风格|配乐|风格|一样|这种|類|类))")
_QUOTED_BAND = re.compile(
    r"(?:\bstyle of|\bband|\bartist|стиле|духе|манере|групп\w*)\s+(?=[\"“«„])" + _QUOTED, re.IGNORECASE
)
_NO_TITLE = re.compile(r"(?:\babout|(?<!\w)про|(?<!\w)о|关于|關於)\s*$", re.IGNORECASE)
_OTHER_SONG = re.compile(r"(?:\blike|\bsimilar to|\bstyle of|как|похож\w* на|в стиле|像|类似|模仿)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Regions:
    """A prompt without its quotations.

    Attributes:
        text: as long as the prompt, with barriers where something was taken out.
        lyrics: words to sing; empty if there are none.
        title: the song's title; empty if it is not named.
    """

    text: str
    lyrics: str = ""
    title: str = ""


def take_quotations(text: str) -> Regions:
    """Returns a normalised prompt with lyrics and title taken out of it."""
    text = _QUOTED_BAND.sub(lambda match: re.sub(r"[\"“”«»„]", " ", match[0]), text)
    text, lyrics = _take(text, (_LYRICS_QUOTED, _LYRICS_TAGGED, _LYRICS_REST))
    text, title = _take(text, (_TITLE_QUOTED, _BOOK_TITLE, _TITLE_FIELD, _TITLE_CAPITALS))
    other = _OTHER_BOOK.search(text)
    if other:
        text = mask(text, *other.span())
    if not title:
        quoted = re.search(_QUOTED, text)
        if quoted and _OTHER_SONG.search(text[: quoted.start()]):
            text = mask(text, *quoted.span())
        elif quoted and not _NO_TITLE.search(text[: quoted.start()]) and any(c.isalnum() for c in quoted[0]):
            text, title = _take(text, (re.compile(_QUOTED),))
    return Regions(text, lyrics, title)


def _take(text: str, patterns: tuple[re.Pattern[str], ...]) -> tuple[str, str]:
    """Returns the text with the first match of the first pattern that matches masked, and what it caught."""
    for pattern in patterns:
        match = pattern.search(text)
        caught = next((group for group in match.groups() if group), "").strip() if match else ""
        if match and caught:
            return mask(text, match.start(), match.end()), caught
    return text, ""


def mask(text: str, start: int, end: int) -> str:
    """Returns the text with barriers from `start` to `end`."""
    return text[:start] + BARRIER * (end - start) + text[end:]
