"""Which language a text is in: `detect_language`, by script, letters and the commonest words."""

import functools
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from songwright.errors import InputError

_SCRIPTS: tuple[tuple[str, str], ...] = (
    ("kana", r"[\u3040-\u30ff]"),
    ("han", r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]"),
    ("hangul", r"[\uac00-\ud7af\u1100-\u11ff]"),
    ("cyrillic", r"[\u0400-\u052f]"),
    ("greek", r"[\u0370-\u03ff\u1f00-\u1fff]"),
    ("arabic", r"[\u0600-\u06ff\u0750-\u077f]"),
    ("hebrew", r"[\u0590-\u05ff]"),
    ("devanagari", r"[\u0900-\u097f]"),
    ("thai", r"[\u0e00-\u0e7f]"),
    ("latin", r"[a-zA-Z\u00c0-\u024f\u1e00-\u1eff]"),
)
_CODES = {"kana": "ja", "han": "zh", "hangul": "ko", "greek": "el", "arabic": "ar", "hebrew": "he",
          "devanagari": "hi", "thai": "th"}  # fmt: skip
_PATTERNS = tuple((name, re.compile(pattern)) for name, pattern in _SCRIPTS)


@dataclass(frozen=True, slots=True)
class _Marks:
    """What tells a language in Latin letters: its commonest words, and letters that few others have."""

    words: frozenset[str]
    letters: str


@functools.cache
def _marks() -> Mapping[str, _Marks]:
    data = tomllib.loads(resources.files("songwright.lyrics").joinpath("languages.toml").read_text(encoding="utf-8"))
    return {code: _Marks(frozenset(entry["words"].split()), entry["letters"]) for code, entry in data.items()}


_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def detect_language(text: str) -> str:
    """Returns the espeak code of the language that most of a text is in; ``en`` where nothing tells.

    Chinese, Russian and other languages with a script of their own are told by script (one character of Chinese counts
    as two letters), Ukrainian from Russian by its letters, languages in Latin letters by their commonest words and
    accented letters.
    """
    sample = text[:20_000]
    counts = Counter({name: len(pattern.findall(sample)) for name, pattern in _PATTERNS})
    counts["han"] *= 2
    if counts["kana"] and 5 * counts["kana"] >= counts["han"] / 2:
        counts["kana"] += counts["han"]
    script, most = counts.most_common(1)[0]
    if not most:
        return "en"
    if script == "cyrillic":
        return _cyrillic(sample.casefold())
    return _CODES[script] if script in _CODES else _latin(sample.casefold())


def is_right_to_left(text: str) -> bool:
    """Returns whether a text has letters that are written from right to left."""
    return _RIGHT_TO_LEFT.search(text) is not None


def check_language(code: str) -> str:
    """Returns a language code in its plain form: ``cmn`` and ``zh-CN`` are ``zh``, ``en-US`` is ``en``.

    Raises:
        InputError: it does not look like a language code.
    """
    short = code.strip().lower().replace("_", "-")
    if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{1,8})*", short):
        raise InputError(f"'{code[:40]}' is no language code: expected one such as en, zh, ru or de")
    first = short.split("-")[0]
    return "zh" if first in ("cmn", "zho", "chi") else {"eng": "en", "rus": "ru"}.get(first, first)


def _cyrillic(text: str) -> str:
    ukrainian = len(re.findall("[іїєґ]", text))
    russian = len(re.findall("[ыэъё]", text))
    return "uk" if ukrainian > 2 * russian and ukrainian * 60 > len(text) else "ru"


def _latin(text: str) -> str:
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text.replace("’", "'"))
    words = [w for i, w in enumerate(words) if w not in (*words[max(0, i - 1) : i], *words[i + 1 : i + 2])]
    scores = {
        code: sum(word in marks.words for word in words) + 0.7 * sum(text.count(letter) for letter in marks.letters)
        for code, marks in _marks().items()
    }
    best = max(scores, key=lambda language: scores[language])
    if len(set(words) & _marks()[best].words) < 2 and not any(letter in text for letter in _marks()[best].letters):
        return "en"
    enough = scores[best] >= max(1.5, 0.06 * len(words)) and scores[best] > 1.15 * scores["en"]
    return best if enough else "en"
