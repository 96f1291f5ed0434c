"""espeak-ng from outside: phonemes of texts, and spoken phonemes with the place of each in the sound.

Every call starts one worker process for one language, with a timeout, and kills it if it hangs.
"""

import json
import re
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import SongwrightError

TIMEOUT_SECONDS = 30.0
VOICES = {"en": "en-us", "zh": "cmn", "ru": "ru"}
"""espeak voice of each language that is treated by name; other languages are their own code."""
LARGEST_REQUEST = 400
"""Texts in one process; more go to further processes."""
UNKNOWN_VOICE, NO_LIBRARY = 3, 4
"""Exit codes of the worker that mean something."""

_MARKS = re.compile(r"^[',%=|]+|[_|]+$")
_WORKER = Path(__file__).with_name("worker.py")


class SpeechError(SongwrightError):
    """The speech engine failed or hung."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A phoneme in a spoken line.

    Attributes:
        symbol: espeak mnemonic without stress marks.
        stress: 0 none, 1 stressed, 2 secondary.
        start_sample, end_sample: where it sounds.
        word: index of the spoken word it belongs to.
    """

    symbol: str
    stress: int
    start_sample: int
    end_sample: int
    word: int


@dataclass(frozen=True)
class Spoken:
    """A spoken line.

    Attributes:
        waveform: (samples,) in [-1, 1].
        sample_rate: samples per second.
        phones: in order, pauses left out.
    """

    waveform: NDArray[np.float32]
    sample_rate: int
    phones: tuple[Phone, ...]


@dataclass(frozen=True, slots=True)
class Utterance:
    """What to speak.

    Attributes:
        text: plain text, or mnemonics in double brackets: ``"[[h@l'oU||w'3:ld]]"``.
        variant: espeak voice variant such as ``f2``; empty for the plain voice.
        words_per_minute: 80 to 450.
        pitch: 0 to 99; 50 is the variant's own.
        pitch_range: 0 is flat.
        volume: 100 is espeak's own; at it the loudest variants clip.
    """

    text: str
    variant: str = ""
    words_per_minute: int = 90
    pitch: int = 50
    pitch_range: int = 0
    volume: int = 100


def phonemes(texts: Sequence[str], language: str) -> list[list[list[str]]]:
    """Returns, for each text, the phonemes of each word that espeak hears in it, stress marks kept.

    Words that espeak runs together (``of the``) come as one. Numbers and abbreviations are spoken out.

    Args:
        texts: each a word or a line.
        language: ``en``, ``zh``, ``ru`` or an espeak voice.

    Raises:
        SpeechError: espeak failed, hung, or has no such voice.
    """
    voice = VOICES.get(language, language)
    rows, _, _ = _ask("phonemes", [{"voice": voice, "text": _clean(text)} for text in texts])
    return list(rows)


def speak(utterances: Sequence[Utterance], language: str) -> list[Spoken]:
    """Returns the sound of each utterance.

    An utterance sounds the same, bit for bit, whatever is spoken beside it; on systems without `os.fork` the same
    utterances in the same order do.

    Raises:
        SpeechError: espeak failed, hung, or has no such voice.
    """
    voice = VOICES.get(language, language)
    items = [
        {
            "voice": f"{voice}+{u.variant}" if u.variant else voice,
            "text": _clean(u.text),
            "rate": u.words_per_minute,
            "pitch": u.pitch,
            "pitch_range": u.pitch_range,
            "volume": u.volume,
        }
        for u in utterances
    ]
    rows, audio, sample_rate = _ask("speak", items)
    result, at = [], 0
    for row in rows:
        samples = np.frombuffer(audio, np.int16, row["bytes"] // 2, at)
        at += row["bytes"]
        waveform = samples.astype(np.float32) / np.float32(32768.0)
        result.append(Spoken(waveform, sample_rate, _phones(row["events"], len(samples))))
    return result


def split_marks(phoneme: str) -> tuple[str, int]:
    """Returns a mnemonic without its marks, and its stress: 0 none, 1 stressed, 2 secondary."""
    stress = 1 if "'" in phoneme[:2] else 2 if "," in phoneme[:2] else 0
    return _MARKS.sub("", phoneme), stress


def _phones(events: list[list[Any]], num_samples: int) -> tuple[Phone, ...]:
    phones = []
    word = -1
    for i, (name, start) in enumerate(events):
        if not name:
            word += 1
            continue
        symbol, stress = ("", 0) if name.startswith("_") else split_marks(name)
        end = next((sample for label, sample in events[i + 1 :] if label), num_samples)
        if symbol and end > start:
            phones.append(Phone(symbol, stress, start, min(end, num_samples), max(word, 0)))
    return tuple(phones)


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).encode("utf-8", "replace").decode()


def _ask(task: str, items: list[dict[str, Any]]) -> tuple[list[Any], bytes, int]:
    """Returns rows, sound and sample rate of any number of items; one process for each `LARGEST_REQUEST` of them."""
    rows: list[Any] = []
    audio = b""
    sample_rate = 22050
    for first in range(0, len(items), LARGEST_REQUEST):
        head, sound = _run({"task": task, "items": items[first : first + LARGEST_REQUEST]})
        rows += head["rows"]
        audio += sound
        sample_rate = head["sample_rate"]
    return rows, audio, sample_rate


def _run(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Returns the answer of one worker; one that was struck down by a signal gets a second chance."""
    data = json.dumps(request).encode()
    done = _work(data)
    if done.returncode < 0:
        done = _work(data)
    if done.returncode != 0 or len(done.stdout) < 8:
        raise SpeechError(_reason(done, request))
    (size,) = struct.unpack("<Q", done.stdout[:8])
    head: dict[str, Any] = json.loads(done.stdout[8 : 8 + size])
    return head, done.stdout[8 + size :]


def _work(data: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", str(_WORKER)]
    try:
        return subprocess.run(command, input=data, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise SpeechError(
            f"espeak-ng gave no answer within {TIMEOUT_SECONDS:.0f} s and was stopped; try again, "
            "or reinstall it: pip install --force-reinstall espeakng-loader"
        ) from None


def _reason(done: subprocess.CompletedProcess[bytes], request: dict[str, Any]) -> str:
    """Returns in one line why a worker gave no answer, and what to do."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    last = lines[-1] if lines else ""
    if done.returncode == UNKNOWN_VOICE:
        name = last.removeprefix("LookupError:").strip(" '\"") or str(request["items"][0]["voice"])
        return f"espeak-ng does not speak the language '{name}'; give a code such as en, zh, ru, de, fr, es or ja"
    if done.returncode == NO_LIBRARY:
        return f"singing needs the package 'espeakng-loader': pip install espeakng-loader ({last})"
    how = (
        f"it was ended by signal {-done.returncode}, twice"
        if done.returncode < 0
        else f"it ended with {done.returncode}"
    )
    return f"espeak-ng failed: {last or how}; try again, or reinstall it: pip install --force-reinstall espeakng-loader"
