"""Section tags as people write them: `parse_tag`, and the words of ``tags.toml``.

Only single tags are read here; what a tag means among lines is in `plain`.
"""

import functools
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from songwright.lyrics.sheet import Delivery
from songwright.score.song import SectionRole

MAX_REPEATS = 8
"""A repeat mark asks for no more than this."""

_MARK = r"[x×хХX✕*]"
_BARE_TIMES = re.compile(
    rf"^(?:{_MARK}\s?(\d{{1,2}})|(\d{{1,2}})\s?{_MARK}|(\d)\s?(?:раза?|times|fois|mal|veces|vezes|volte|遍|次|回))$",
    re.I,
)
_NUMBER = re.compile(r"\d{1,3}|[一二三四五六七八九十]+|[#№]\d*")
_SPLIT = re.compile(r"\s*[:：,，;|｜]\s*|\s+[-–—]\s+")
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_HAN_EDGE = re.compile(
    r"^(?:第[一二三四五六七八九十\d]+[段节]?|最后的?|最終|重复|反复|ラスト|마지막\s?)|(?:[一二三四五六七八九十\d①②③④]+|[a-zA-Z]|部分|段)$"
)


@dataclass(frozen=True, slots=True)
class Tag:
    """A section tag.

    Attributes:
        kind: what ``tags.toml`` calls it; sections of one kind repeat each other.
        role: of the section.
        label: as written, without lengths, repeats and descriptions; empty when it is the role's own name.
        description: what stands after a colon or comma, or around the name.
        delivery: of its lines.
        num_bars: length asked for.
        times: how often the section is sung.
        repeats: whether the tag alone sings the last section of its kind again.
        instrumental: whether nobody sings in it.
        bare: whether the name needs no brackets after a blank line.
        always: whether it needs none anywhere.
    """

    kind: str
    role: SectionRole
    label: str = ""
    description: str = ""
    delivery: Delivery = "sung"
    num_bars: int | None = None
    times: int = 1
    repeats: bool = False
    instrumental: bool = False
    bare: bool = False
    always: bool = False


@functools.cache
def tag_words(group: str) -> frozenset[str]:
    """Returns a list of words from ``tags.toml``, such as ``"speakers"``."""
    return frozenset(_data()["words"][group])


@functools.cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("songwright.lyrics").joinpath("tags.toml").read_text(encoding="utf-8"))


@functools.cache
def _names() -> Mapping[str, Mapping[str, Any]]:
    return {name: kind for kind in _data()["kinds"] for name in kind["names"]}


def normal(text: str) -> str:
    """Returns a name in the form that ``tags.toml`` has: lower case, single spaces, no hyphens."""
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(re.sub(r"[-‐‑–—_./~!?'\"*]+", " ", text).split())


def parse_times(text: str) -> int | None:
    """Returns how often a mark such as ``x2``, ``2 раза`` or ``重复`` asks for, or None if it is none."""
    found = _BARE_TIMES.match(text.strip(" .!,;:"))
    if found:
        count = int(next(g for g in found.groups() if g))
        return min(MAX_REPEATS, count) if count >= 2 else None
    name = normal(text)
    if name in tag_words("three"):
        return 3
    words = name.split()
    if len(words) == 2 and words[0] in tag_words("repeat"):
        return parse_times(words[1]) or (min(MAX_REPEATS, int(words[1])) if words[1] in "2345678" else None)
    return 2 if name in tag_words("repeat") and name != "x" else None


def parse_tag(text: str) -> Tag | None:
    """Returns the section tag that this text is, without its brackets, or None if no name of a section is in it.

    A name may carry a number, a length, a repeat, words of order (``final``), an instrument, and a description after a
    colon or comma; any other words around the name are kept as its description.
    """
    text = " ".join(text.split())
    if not text or len(text) > 200 or re.search(r"[\[\]]", text):
        return None
    head, *rest = _SPLIT.split(text, maxsplit=1)
    description = rest[0] if rest else ""
    head, times = _take_times(head)
    head, num_bars = _take_bars(head)
    description, later_bars = _take_bars(description)
    if description and (more := parse_times(description)):
        times, description = more, ""
    aside = re.search(r"\s*[(（]([^()（）]*)[)）]$", head)
    if aside and aside.start():
        head, description = (
            head[: aside.start()],
            ", ".join(part for part in (aside.group(1).strip(), description) if part),
        )
    again = next((w for w in head.split() if normal(w) in tag_words("again")), "")
    head = " ".join(w for w in head.split() if w != again) or head
    found = _look_up(head)
    if found is None:
        return None
    kind, extra, length = found
    silent = _is_instrumental(head) or normal(description) in tag_words("instrumental")
    if normal(description) in tag_words("instrumental"):
        description = ""
    role: SectionRole = kind["role"]
    return Tag(
        kind=kind["name"],
        role=role,
        label="" if head == role else head,
        description=", ".join(part for part in (extra, description) if part),
        delivery=kind.get("delivery", "sung"),
        num_bars=num_bars or later_bars or length,
        times=times,
        repeats=(kind.get("repeats", False) or bool(again)) and not silent,
        instrumental=kind.get("instrumental", False) or silent,
        bare=kind.get("bare", False) and not extra,
        always=not extra and re.sub(r"[\s\dA-Da-d]*$", "", normal(head)) in tag_words("always"),
    )


def _take_times(head: str) -> tuple[str, int]:
    for pattern in (
        r"\s*[(（]([^()（）]+)[)）]\s*$",
        rf"\s+({_MARK}\s?\d{{1,2}}|\d{{1,2}}\s?{_MARK})$",
        r"\s+(\S+)$",
        r"(重复|重複|反复)$",
    ):
        found = re.search(pattern, head)
        times = parse_times(found.group(1)) if found and found.start() else None
        if found and times:
            return head[: found.start()].strip(), times
    return head, 1


def _take_bars(text: str) -> tuple[str, int | None]:
    """Returns the text without a length in bars, and the length, at most 64."""
    units = "|".join(sorted(tag_words("bars"), key=len, reverse=True))
    found = re.search(rf"[\s(（]*(?<!\d)(\d{{1,3}})[\s-]*(?:{units})(?![^\W\d_])[)）]?", text, re.I)
    if not found or not 1 <= int(found.group(1)) <= 64:
        return text, None
    rest = (text[: found.start()] + " " + text[found.end() :]).strip(" ,，:-")
    return " ".join(rest.split()), int(found.group(1))


def _is_instrumental(head: str) -> bool:
    name = normal(head)
    return any(word in tag_words("instrumental") for word in (name, *name.split())) or name.startswith("纯器乐")


def _look_up(head: str) -> tuple[Mapping[str, Any], str, int | None] | None:
    """Returns the kind that a name means, the words around it that say something else, and bars of a word of length."""
    name = normal(head)
    names = _names()
    if name in names:
        return names[name], "", None
    if _HAN.search(name):
        found = _look_up_han(name)
        if found is not None:
            return found, "", None
    words = name.split()
    if not 1 <= len(words) <= 8:
        return None
    spans = [(i, j) for i in range(len(words)) for j in range(i + 1, len(words) + 1) if " ".join(words[i:j]) in names]
    if not spans:
        return None
    known = tag_words("qualifiers") | tag_words("instruments")
    i, j = max(spans, key=lambda s: (" ".join(words[s[0] : s[1]]) not in known, s[1] - s[0], s[1]))
    kind = names[" ".join(words[i:j])]
    around = words[:i] + words[j:]
    length = next((int(_data()["lengths"][w]) for w in around if w in _data()["lengths"]), None)
    extra = [w for w in around if w not in known and not _NUMBER.fullmatch(w)]
    return kind, " ".join(extra), length


def _look_up_han(name: str) -> Mapping[str, Any] | None:
    """Returns the kind of a name in characters, which stand without spaces beside numbers and instruments."""
    names = _names()
    short = name.replace(" ", "")
    for _ in range(4):
        if short in names:
            return names[short]
        cut = _HAN_EDGE.sub("", short)
        for instrument in tag_words("instruments"):
            if _HAN.search(instrument):
                cut = cut.removeprefix(instrument)
        if cut == short or not cut:
            return None
        short = cut
    return None
