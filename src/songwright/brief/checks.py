"""Says whether a Brief can be made into a song: flags are checked here, before any work starts.

A prompt's absurd numbers never come this far: the reader lists them as not understood.
"""

import difflib
import math
from collections.abc import Collection

from songwright.brief.brief import Brief
from songwright.brief.numbers import MAX_DURATION_SECONDS, MAX_TEMPO_BPM, MIN_DURATION_SECONDS, MIN_TEMPO_BPM
from songwright.brief.words import styles_known
from songwright.errors import InputError
from songwright.score.instruments import INSTRUMENTS
from songwright.score.song import SECTION_ROLES
from songwright.score.theory import MODES, parse_key
from songwright.score.voices import SINGERS, VOICE_TYPES

VOICES = ("", "female", "male", "child", "choir")
VOICE_SOURCES = {"espeak": False, "festival": False, "flite": False, "piper": True, "bank": True}
"""What can speak for a singer, and whether it takes a path after a colon."""
TEMPO_WORDS = ("", "very_slow", "slow", "medium", "fast", "very_fast")


def validate(brief: Brief, styles: Collection[str] = ()) -> Brief:
    """Returns the brief if a song can be made of it.

    Args:
        brief: from the reader, a file, or flags.
        styles: names of the style books; those that the vocabulary knows if empty.

    Raises:
        InputError: a field holds what it may not; one line that says what was expected.
    """
    _number("tempo", brief.tempo_bpm, MIN_TEMPO_BPM, MAX_TEMPO_BPM, "bpm")
    _number("duration", brief.duration_seconds, MIN_DURATION_SECONDS, MAX_DURATION_SECONDS, "seconds")
    _number("energy", brief.energy, 0.0, 1.0, "")
    if brief.key and brief.key not in MODES:
        parse_key(brief.key)
    _meter(brief.meter)
    for style in brief.styles:
        _one_of("style", style, styles or styles_known())
    for name in (*brief.instruments, *brief.excluded_instruments):
        _one_of("instrument", name, ("drums", *INSTRUMENTS))
    for role in brief.form:
        _one_of("section", role, SECTION_ROLES)
    _one_of("voice", brief.voice, VOICES)
    _one_of("voice type", brief.voice_type, ("", *VOICE_TYPES))
    _one_of("singer", brief.singer, ("", *SINGERS))
    _source(brief.voice_source)
    _one_of("tempo word", brief.tempo_word, TEMPO_WORDS)
    return brief


def _number(name: str, value: float | None, low: float, high: float, unit: str) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{name} '{value}' is no number: expected {low:g} to {high:g} {unit}".rstrip())
    if not low <= value <= high:
        raise InputError(f"{name} {value:g} is out of range: expected {low:g} to {high:g} {unit}".rstrip())


def _meter(meter: str) -> None:
    if not meter:
        return
    over, _, under = meter.partition("/")
    if not (over.isdecimal() and 1 <= int(over) <= 15 and under in ("2", "4", "8", "16")):
        raise InputError(f"metre '{meter}' is none: expected beats and their value, such as 4/4, 3/4, 6/8 or 12/8")


def _source(name: str) -> None:
    kind, _, rest = name.partition(":")
    known = kind in VOICE_SOURCES and bool(rest) == VOICE_SOURCES[kind]
    if name and not known:
        listed = ", ".join(f"{k}:PATH" if path else k for k, path in VOICE_SOURCES.items())
        raise InputError(f"unknown voice source '{name}': one of {listed}")


def _one_of(what: str, name: str, known: Collection[str]) -> None:
    if name in known:
        return
    wanted = name.lower().replace("-", "_").replace(" ", "_")
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4)
    listed = ", ".join(near or sorted(filter(None, known))[:12])
    raise InputError(
        f"unknown {what} '{name}'; nearest: {listed}" if near else f"unknown {what} '{name}'; one of {listed}…"
    )
