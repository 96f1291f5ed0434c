"""Lets a language model behind an OpenAI-compatible endpoint write the words; the embedded writer stays the measure.

Used only when ``SONGWRIGHT_LLM_MODEL`` is set. The model is given the embedded lines' syllable counts. Every line that
comes back is checked; one that does not fit is replaced by the embedded line of the same place.
"""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace

from songwright.brief.llm import MODEL_VARIABLE, TIMEOUT_SECONDS, wanted
from songwright.errors import MissingDependencyError
from songwright.lyrics.assemble import Written
from songwright.lyrics.metre import line_lengths
from songwright.lyrics.request import LyricRequest
from songwright.lyrics.words import has_words

__all__ = ["MODEL_VARIABLE", "instructions", "merge", "rewrite", "wanted"]

TOLERANCE = 1
"""Syllables by which a model's line may miss its count."""
_MAX_CHARACTERS = 160
_NAMES = {"en": "English", "zh": "Chinese", "ru": "Russian"}
_SCRIPTS = {
    "zh": re.compile(r"[\u3400-\u9fff]"),
    "ru": re.compile(r"[а-яё]", re.IGNORECASE),
    "en": re.compile(r"[a-z]", re.IGNORECASE),
}


def rewrite(
    written: Written,
    request: LyricRequest,
    *,
    may_change: Sequence[Sequence[bool]] | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> tuple[Written, tuple[str, ...]]:
    """Returns the words with the model's lines where they fit, and notes on what happened.

    The address and key come from ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY``. If anything goes wrong the words stay.

    Args:
        written: by the embedded writer.
        request: what is wanted.
        may_change: which lines the model may write; all without it.
        timeout_seconds: how long it may take.

    Raises:
        MissingDependencyError: the package ``openai`` is not installed.
    """
    try:
        import openai
    except ImportError as error:
        raise MissingDependencyError("openai", "llm") from error
    flags = [list(row) for row in may_change] if may_change else [[True] * len(lines) for lines in written.sections]
    try:
        client = openai.OpenAI(
            api_key=os.environ.get("OPENAI_API_KEY") or "none", timeout=timeout_seconds, max_retries=0
        )
        with client:
            answer = client.chat.completions.create(
                model=os.environ.get(MODEL_VARIABLE, "").strip(),
                temperature=0,
                messages=[
                    {"role": "system", "content": instructions(request.language)},
                    {"role": "user", "content": _question(written, request, flags)},
                ],
            )
        content = answer.choices[0].message.content or ""
    except (openai.OpenAIError, AttributeError, IndexError, TypeError, ValueError) as error:
        return written, (f"the language model did not answer ({type(error).__name__}): the words are our own",)
    return merge(written, request, content, flags)


def merge(
    written: Written, request: LyricRequest, content: str, flags: Sequence[Sequence[bool]]
) -> tuple[Written, tuple[str, ...]]:
    """Returns the words with each line of the model's answer that fits its place, and a note.

    Args:
        written: by the embedded writer.
        request: what is wanted.
        content: the model's answer, JSON, perhaps with words or a fence around it.
        flags: which lines may be replaced.
    """
    found = re.search(r"\{.*\}", content, re.DOTALL)
    try:
        data = json.loads(found[0]) if found else None
    except ValueError:
        data = None
    answer = data.get("sections") if isinstance(data, dict) else None
    if not isinstance(answer, list) or not isinstance(data, dict):
        return written, ("the language model answered nonsense: the words are our own",)
    offered = [_offered(answer[i] if i < len(answer) else None, lines) for i, lines in enumerate(written.sections)]
    asked = [
        line
        for row, old in zip(offered, written.sections, strict=True)
        for pair in zip(row, old, strict=True)
        for line in pair
    ]
    lengths = dict(zip(asked, line_lengths(asked, request.language), strict=True))
    sections, taken, total = [], 0, 0
    for row, old, may in zip(offered, written.sections, flags, strict=True):
        lines = []
        for new, line, flag in zip(row, old, may, strict=True):
            fitting = flag and bool(new) and abs(lengths[new] - lengths[line]) <= TOLERANCE
            taken, total = taken + fitting, total + flag
            lines.append(new if fitting else line)
        sections.append(tuple(lines))
    title = data.get("title")
    if taken and not request.title and isinstance(title, str) and _clean(title, request.language):
        written = replace(written, title=_clean(title, request.language)[:60])
    note = f"a language model wrote {taken} of {total} lines; the others did not fit their metre"
    return replace(written, sections=_same_refrains(written, tuple(sections), request)), (
        note if taken < total else f"a language model wrote the {total} lines",
    )


def instructions(language: str) -> str:
    """Returns what the model is told."""
    return (
        f"You write song lyrics in {_NAMES.get(language, language)}: plain, concrete, modern words that sing well. "
        'Answer with one JSON object alone: {"title": "...", "sections": [["line", ...], ...]}. '
        "Keep the number of sections and lines, and in each line exactly the number of syllables given "
        "(Chinese: characters). Lines rhyme as in the pattern lines. Choruses are the same each time."
    )


def _question(written: Written, request: LyricRequest, flags: Sequence[Sequence[bool]]) -> str:
    rows = []
    for section, lines, may in zip(written.sections, written.sections, flags, strict=True):
        counts = line_lengths(section, request.language)
        rows.append(
            [
                {"syllables": count, ("pattern" if flag else "keep"): line}
                for count, line, flag in zip(counts, lines, may, strict=True)
            ]
        )
    return json.dumps(
        {
            "wish": request.prompt[:2000],
            "subject": request.subject,
            "title": request.title,
            "moods": request.moods,
            "style": request.style,
            "roles": [section.role for section in request.sections],
            "sections": rows,
        },
        ensure_ascii=False,
    )


def _offered(row: object, old: Sequence[str]) -> list[str]:
    """Returns a cleaned line for each place; empty where the answer has none."""
    values = row if isinstance(row, list) else []
    return [_clean(values[i], "") if i < len(values) and isinstance(values[i], str) else "" for i in range(len(old))]


def _clean(text: str, language: str) -> str:
    plain = " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())
    bracketed = any(c in plain for c in "[]{}<>|\\")
    usable = has_words(plain) and len(plain) <= _MAX_CHARACTERS and not bracketed
    return plain if usable and (language not in _SCRIPTS or _SCRIPTS[language].search(plain)) else ""


def _same_refrains(
    old: Written, sections: tuple[tuple[str, ...], ...], request: LyricRequest
) -> tuple[tuple[str, ...], ...]:
    """Returns the sections with those that were the same words still the same."""
    first: dict[tuple[str, ...], tuple[str, ...]] = {}
    for before, after in zip(old.sections, sections, strict=True):
        first.setdefault(before, after)
    return tuple(first[before] for before in old.sections)
