"""Lets a language model behind an OpenAI-compatible endpoint expand a prompt; the built-in reader stays the judge.

Used only when ``SONGWRIGHT_LLM_MODEL`` is set. What the reader understood as said is kept; the model fills the rest,
every field is checked, and if the endpoint fails or answers nonsense the reader's Brief is returned with a note.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from songwright.brief.brief import Brief
from songwright.brief.checks import VOICES, validate
from songwright.brief.conclusions import mood_energy
from songwright.brief.reader import read_prompt
from songwright.brief.words import styles_known
from songwright.errors import InputError, MissingDependencyError
from songwright.score.instruments import INSTRUMENTS
from songwright.score.song import SECTION_ROLES

MODEL_VARIABLE = "SONGWRIGHT_LLM_MODEL"
TIMEOUT_SECONDS = 20.0
_MAX_LISTED = 12
_MAX_TEXT = 120


def wanted(environment: Mapping[str, str] | None = None) -> bool:
    """Returns whether the person asked for a language model."""
    return bool((os.environ if environment is None else environment).get(MODEL_VARIABLE, "").strip())


def understand(text: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Brief:
    """Returns the Brief of a prompt: by the built-in reader, and by a language model as well if one is set.

    Args:
        text: what the person wrote.
        timeout_seconds: how long the model may take.

    Raises:
        InputError: the text holds no word or is too long.
        MissingDependencyError: a model is set but the package ``openai`` is not installed.
    """
    brief = read_prompt(text)
    return expand(brief, timeout_seconds=timeout_seconds) if wanted() else brief


def expand(brief: Brief, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Brief:
    """Returns the brief with open fields filled by the model named in ``SONGWRIGHT_LLM_MODEL``.

    The address and key come from ``OPENAI_BASE_URL`` and ``OPENAI_API_KEY``. If anything goes wrong the brief is
    returned as it was, with a note that says what happened.

    Raises:
        MissingDependencyError: the package ``openai`` is not installed.
    """
    try:
        import openai
    except ImportError as error:
        raise MissingDependencyError("openai", "llm") from error
    model = os.environ.get(MODEL_VARIABLE, "").strip()
    try:
        client = openai.OpenAI(
            api_key=os.environ.get("OPENAI_API_KEY") or "none", timeout=timeout_seconds, max_retries=0
        )
        with client:
            answer = client.chat.completions.create(
                model=model,
                temperature=0,
                messages=[
                    {"role": "system", "content": instructions()},
                    {"role": "user", "content": brief.prompt},
                ],
            )
        content = answer.choices[0].message.content or ""
    except (openai.OpenAIError, AttributeError, IndexError, TypeError, ValueError) as error:
        return _with_note(brief, f"the language model did not answer ({type(error).__name__}): read without it")
    return merge(brief, content)


def merge(brief: Brief, content: str) -> Brief:
    """Returns the brief with the model's answer put where nothing was said; a note tells if the answer is unusable.

    Args:
        brief: from the built-in reader.
        content: the model's answer, JSON, perhaps with words or a fence around it.
    """
    found = re.search(r"\{.*\}", content, re.DOTALL)
    try:
        data = json.loads(found[0]) if found else None
    except ValueError:
        data = None
    if not isinstance(data, dict):
        return _with_note(brief, "the language model answered nonsense: read without it")
    values: dict[str, Any] = {}
    for name, read in _FIELDS.items():
        value = read(data.get(name))
        if value in (None, "", ()) or brief.origin(name) == "said":
            continue
        try:
            validate(Brief(**{name: value}))
        except InputError:
            continue
        values[name] = value
    kept = set(brief.instruments)
    if "excluded_instruments" in values:
        values["excluded_instruments"] = tuple(name for name in values["excluded_instruments"] if name not in kept)
    if "instruments" in values:
        barred = set(brief.excluded_instruments)
        values["instruments"] = tuple(name for name in values["instruments"] if name not in barred)
    if not values:
        return _with_note(brief, "the language model's answer held nothing usable: read without it")
    return _with_note(brief.with_inferred(**values), f"a language model filled in: {', '.join(values)}")


def instructions() -> str:
    """Returns what the model is told: the fields, and the names that it may use."""
    return "\n".join(
        [
            "You turn a wish for a song into a JSON object. Answer with the object alone. Leave out what is open.",
            f"styles: list, main one first, of: {', '.join(styles_known())}",
            f"moods: list of: {', '.join(mood_energy())}",
            "energy: 0 (calm) to 1 (wild). era: such as 1980s. tempo_bpm: number, 20 to 400. meter: such as 4/4.",
            "key: such as A minor. duration_seconds: number, 10 to 900. title, subject: in the language of the wish.",
            f"voice: one of {', '.join(filter(None, VOICES))}. form: list of: {', '.join(SECTION_ROLES)}",
            f"instruments, excluded_instruments: lists of: drums, {', '.join(INSTRUMENTS)}",
            "A named artist is a hint to style and era only.",
        ]
    )


def _with_note(brief: Brief, note: str) -> Brief:
    return brief.with_inferred(notes=(*brief.notes, note))


def _names(value: Any) -> tuple[str, ...] | None:
    if not isinstance(value, list):
        return None
    names = [x.strip().lower().replace(" ", "_").replace("-", "_") for x in value[:_MAX_LISTED] if isinstance(x, str)]
    return tuple(dict.fromkeys(filter(None, names)))


def _known_names(known: Callable[[], Any]) -> Callable[[Any], tuple[str, ...] | None]:
    def read(value: Any) -> tuple[str, ...] | None:
        return tuple(name for name in _names(value) or () if name in known())

    return read


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join("".join(c for c in value if c.isprintable() or c.isspace()).split())[:_MAX_TEXT]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _era(value: Any) -> str | None:
    return (
        value
        if isinstance(value, str) and re.fullmatch(r"(1[89]|20)\d0s|medieval|baroque|renaissance", value)
        else None
    )


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "styles": _known_names(styles_known),
    "moods": _known_names(mood_energy),
    "instruments": _known_names(lambda: {"drums", *INSTRUMENTS}),
    "excluded_instruments": _known_names(lambda: {"drums", *INSTRUMENTS}),
    "form": _known_names(lambda: SECTION_ROLES),
    "energy": _number,
    "tempo_bpm": _number,
    "duration_seconds": _number,
    "era": _era,
    "key": _text,
    "meter": _text,
    "voice": _text,
    "title": _text,
    "subject": _text,
}
