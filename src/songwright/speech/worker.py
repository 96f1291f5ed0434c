"""The process in which espeak-ng runs: one request on standard input, the answer on standard output, then it ends.

espeak-ng is used through its C interface from a process of its own because it may hang when it changes the language,
because it is GPL, and so that it can be killed. Nothing of songwright but this module is loaded here.
"""

import ctypes
import json
import os
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

_SYNCHRONOUS, _CHARS_UTF8, _PHONEMES_IN_TEXT = 2, 1, 0x100
_PHONEME_EVENTS, _DONT_EXIT = 1, 0x8000
_RATE, _VOLUME, _PITCH, _PITCH_RANGE = 1, 2, 3, 4
_END, _WORD, _PHONEME = 0, 1, 7
UNKNOWN_VOICE, NO_LIBRARY = 3, 4
"""Exit codes that the parent knows (it cannot be imported here)."""
_SEPARATED = ord("_") << 8  # phonemes of a word parted by underscores, words by spaces


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Espeak:
    """The library, loaded once."""

    def __init__(self) -> None:
        import espeakng_loader

        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path()
        self.sample_rate = self.library.espeak_Initialize(
            _SYNCHRONOUS, 0, str(data).encode(), _PHONEME_EVENTS | _DONT_EXIT
        )
        if self.sample_rate <= 0:
            raise RuntimeError("espeak-ng could not be started")
        self.library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._voice = "-"
        self._samples = bytearray()
        self._events: list[list[Any]] = []
        self._callback = _Callback(self._receive)
        self.library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(samples, count * 2)
        i = 0
        while events[i].type != _END:
            if events[i].type == _PHONEME:
                name = bytes(events[i].id.string).split(b"\0")[0].decode("utf-8", "replace")
                self._events.append([name, events[i].sample])
            elif events[i].type == _WORD:
                self._events.append(["", events[i].sample])
            i += 1
        return 0

    def voice(self, name: str, *, again: bool = False) -> None:
        """Chooses a voice. That reads its dictionary, so one that is chosen already is chosen `again` only on request.

        Sound wants it: what was spoken before would be heard in what follows.
        """
        if name == self._voice and not again:
            return
        if self.library.espeak_SetVoiceByName(name.encode()) != 0:
            raise LookupError(name)
        self._voice = name

    def phonemes(self, text: str) -> list[list[str]]:
        """Returns the phonemes of each word that espeak hears, stress marks kept."""
        words: list[list[str]] = []
        pointer = ctypes.c_char_p(text.encode())
        while pointer.value:
            clause = self.library.espeak_TextToPhonemes(ctypes.byref(pointer), _CHARS_UTF8, _SEPARATED)
            if clause:
                decoded = clause.decode("utf-8", "replace")
                words.extend([p for p in word.split("_") if p] for word in decoded.split())
        return words

    def speak(self, text: str, rate: int, pitch: int, pitch_range: int, volume: int) -> tuple[bytes, list[list[Any]]]:
        """Returns 16-bit samples and [phoneme, first sample] rows; a row without name begins a word."""
        self._samples, self._events = bytearray(), []
        self.library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # its own seed is the time of day
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_PITCH_RANGE, pitch_range), (_VOLUME, volume)):
            self.library.espeak_SetParameter(parameter, value, 0)
        data = text.encode()
        if self.library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _CHARS_UTF8 | _PHONEMES_IN_TEXT, None, None) != 0:
            raise RuntimeError("espeak-ng could not speak")
        return bytes(self._samples), self._events


def _answer(request: dict[str, Any], write: Callable[[bytes], Any]) -> None:
    espeak = _Espeak()
    audio: list[bytes] = []
    rows: list[Any] = []
    for item in request["items"]:
        espeak.voice(item["voice"])
        if request["task"] == "phonemes":
            rows.append(espeak.phonemes(item["text"]))
        else:
            samples, events = _spoken_apart(espeak, item)
            audio.append(samples)
            rows.append({"bytes": len(samples), "events": events})
    head = json.dumps({"sample_rate": espeak.sample_rate, "rows": rows}).encode()
    write(struct.pack("<Q", len(head)) + head)
    for samples in audio:
        write(samples)


def _speak(espeak: _Espeak, item: dict[str, Any]) -> tuple[bytes, list[list[Any]]]:
    espeak.voice(item["voice"], again=True)
    return espeak.speak(item["text"], item["rate"], item["pitch"], item["pitch_range"], item["volume"])


def _spoken_apart(espeak: _Espeak, item: dict[str, Any]) -> tuple[bytes, list[list[Any]]]:
    """Returns what `_Espeak.speak` does, spoken by a copy of this process, where there can be one.

    The engine's oscillators run on from one utterance to the next and cannot be set back. A copy that has never spoken
    says the same words the same way, whatever else is said.
    """
    if not hasattr(os, "fork"):
        return _speak(espeak, item)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            samples, events = _speak(espeak, item)
            head = json.dumps(events).encode()
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(struct.pack("<Q", len(head)) + head + samples)
            code = 0
        finally:
            os._exit(code)  # a copy leaves without closing what belongs to the first
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if status != 0 or len(answer) < 8:
        raise RuntimeError("espeak-ng could not speak")
    (size,) = struct.unpack("<Q", answer[:8])
    return answer[8 + size :], json.loads(answer[8 : 8 + size])


def main(source: BinaryIO, target: BinaryIO) -> int:
    """Reads one request, writes its answer; returns the exit code."""
    try:
        _answer(json.loads(source.read()), target.write)
    except Exception as error:  # the parent reads one line and decides
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return {LookupError: UNKNOWN_VOICE, ModuleNotFoundError: NO_LIBRARY, OSError: NO_LIBRARY}.get(type(error), 1)
    target.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer, sys.stdout.buffer))
