"""`FluidPlayer`: plays a track with the system's fluidsynth program, for those who ask for it.

Our own `sampler` is what sounds by default; this one runs a program that must be installed (it is no dependency).
"""

import hashlib
import shutil
import struct
import subprocess
import tempfile
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.errors import InputError
from songwright.perform.timeline import Performance
from songwright.score.instruments import instrument as find_instrument

_TICKS_PER_SECOND = 10_000
_RPN_CONTROLLERS = (6, 38, 96, 97, 98, 99, 100, 101)
_LATENCY_SAMPLES = 72
"""How late its file player is at least: events wait for the next block of 64 samples, and that for one more."""
_START_SECONDS, _SECONDS_PER_SECOND = 60.0, 1.0
"""A run may take this long: for opening the font, and for each second of sound."""


class FluidPlayer:
    """Plays performances through fluidsynth, without its reverb and chorus, at the level of our own sampler.

    Args:
        path: a .sf2 or .sf3 file.

    Raises:
        InputError: fluidsynth is not installed.
    """

    def __init__(self, path: Path) -> None:
        program = shutil.which("fluidsynth")
        if program is None:
            raise InputError("--player fluidsynth needs the program fluidsynth: install it, or leave the option away")
        self._program = program
        self._path = path

    @cached_property
    def identity(self) -> str:
        """The kind of player and a digest of its soundfont."""
        with self._path.open("rb") as file:
            return f"fluidsynth {hashlib.file_digest(file, 'blake2b').hexdigest()[:32]}"

    def render(
        self, performance: Performance, instrument: str, *, sample_rate: int, num_samples: int
    ) -> NDArray[np.float32]:
        """Returns the dry sound of a track, (2, num_samples): see `timeline.Player`.

        Raises:
            InputError: fluidsynth failed or took too long.
        """
        patch = find_instrument(instrument)
        seconds = num_samples / sample_rate
        with tempfile.TemporaryDirectory(prefix="songwright-") as folder:
            midi, raw = Path(folder, "track.mid"), Path(folder, "track.raw")
            midi.write_bytes(_midi(performance, patch.program, patch.family == "kit", seconds + 0.1))
            self._run(midi, raw, sample_rate, _START_SECONDS + _SECONDS_PER_SECOND * seconds)
            interleaved = np.fromfile(raw, "<f4")
        out = np.zeros((2, num_samples), np.float32)
        sound = interleaved[: len(interleaved) // 2 * 2].reshape(-1, 2).T[:, _LATENCY_SAMPLES:][:, :num_samples]
        out[:, : sound.shape[1]] = sound
        return out

    def _run(self, midi: Path, raw: Path, sample_rate: int, timeout_seconds: float) -> None:
        settings = ("synth.polyphony=2048", "audio.file.endian=little")
        command = [self._program, "-n", "-i", "-q", "-R", "0", "-C", "0", "-g", "1", "-r", str(sample_rate)]
        command += [part for setting in settings for part in ("-o", setting)]
        command += ["-T", "raw", "-O", "float", "-F", str(raw), str(self._path.absolute()), str(midi)]
        try:
            done = subprocess.run(
                command, capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout_seconds, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(f"fluidsynth took longer than {timeout_seconds:.0f} s: use the built-in player") from error
        except OSError as error:
            raise InputError(f"cannot run fluidsynth: {error.strerror}") from error
        if done.returncode or not raw.is_file():
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise InputError(f"fluidsynth failed (exit {done.returncode}): {said[-1] if said else 'no message'}")


def _midi(performance: Performance, program: int, drums: bool, seconds: float) -> bytes:
    """Returns a MIDI file of one track whose ticks are tenths of milliseconds (60 bpm)."""
    channel = 9 if drums else 0
    start: list[tuple[int, ...]] = [(0xC0, program)]
    if performance.bend_range_semitones != 2.0:
        cents = round(performance.bend_range_semitones * 100)
        start += [(0xB0, c, v) for c, v in ((101, 0), (100, 0), (6, cents // 100), (38, cents % 100))]
    events: list[tuple[float, int, tuple[int, ...]]] = [(0.0, 0, message) for message in start]
    for at, controller, value in performance.controls:
        if controller not in _RPN_CONTROLLERS:
            events.append((at, 1, (0xB0, controller, value)))
    for at, value in performance.bends:
        events.append((at, 1, (0xE0, (value + 8192) & 0x7F, (value + 8192) >> 7)))
    columns = (performance.start_seconds, performance.end_seconds, performance.pitches, performance.velocities)
    for on, off, pitch, velocity in zip(*(c.tolist() for c in columns), strict=True):
        events += [(on, 3, (0x90, pitch, velocity)), (off, 2, (0x80, pitch, 0))]
    events.sort(key=lambda e: (round(e[0] * _TICKS_PER_SECOND), e[1]))
    data = bytearray(b"\x00\xff\x51\x03" + struct.pack(">I", 1_000_000)[1:])
    now = 0
    for at, _, message in events:
        tick = round(at * _TICKS_PER_SECOND)
        data += _variable(tick - now) + bytes((message[0] | channel, *message[1:]))
        now = tick
    data += _variable(max(0, round(seconds * _TICKS_PER_SECOND) - now)) + bytes((0xB0 | channel, 3, 0))
    data += b"\x00\xff\x2f\x00"
    header = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, _TICKS_PER_SECOND)
    return header + struct.pack(">4sI", b"MTrk", len(data)) + bytes(data)


def _variable(value: int) -> bytes:
    """Returns a number in MIDI's seven bits to the byte."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))
