"""Rooms and echoes as impulse responses: computed, never recorded; the same for the same settings on every run.

A room is a few early reflections and a tail of noise in bands that fall at their own speed, different left and
right. An echo repeats, darker each time, alternating between the sides.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from songwright.audio.recursive import butterworth, run
from songwright.errors import ConfigError
from songwright.seeding import generator


@dataclass(frozen=True, slots=True)
class Room:
    """How a kind of room answers.

    Attributes:
        predelay_ms: silence before the first answer.
        early_ms: time in which the early reflections fall.
        early_share: energy of the early reflections, of all.
        build_ms: time in which the tail grows.
        low_ratio, high_ratio: decay time below 250 Hz and at 8 kHz, relative to the middle.
        low_cut_hz, high_cut_hz: band of the whole answer.
        width: 0 the same on both sides, 1 unrelated sides.
        dispersion_hz: springs only: below this, higher tones arrive later, as chirps.
    """

    predelay_ms: float
    early_ms: float
    early_share: float
    build_ms: float
    low_ratio: float
    high_ratio: float
    low_cut_hz: float = 150.0
    high_cut_hz: float = 12000.0
    width: float = 1.0
    dispersion_hz: float = 0.0


ROOMS: dict[str, Room] = {
    "room": Room(3.0, 28.0, 0.40, 8.0, 0.95, 0.55, 140.0, 11000.0, 0.85),
    "plate": Room(6.0, 8.0, 0.06, 4.0, 0.85, 0.70, 220.0, 15000.0, 1.0),
    "hall": Room(24.0, 70.0, 0.18, 45.0, 1.15, 0.42, 130.0, 9500.0, 1.0),
    "chamber": Room(12.0, 40.0, 0.25, 18.0, 1.0, 0.55, 150.0, 11000.0, 0.95),
    "ambience": Room(1.0, 45.0, 0.65, 5.0, 0.9, 0.6, 160.0, 13000.0, 0.9),
    "spring": Room(20.0, 30.0, 0.10, 10.0, 0.9, 0.6, 180.0, 5500.0, 0.6, 4200.0),
}
"""Kinds of rooms, by the names of `MasterMix.reverb`."""

_BANDS_HZ = (0.0, 250.0, 700.0, 1800.0, 4000.0, 8000.0)
_NUM_EARLY = 14


def _room(kind: str) -> Room:
    if kind not in ROOMS:
        raise ConfigError(f"unknown reverb '{kind}'; rooms: {', '.join(ROOMS)}")
    return ROOMS[kind]


@lru_cache(maxsize=8)
def room_response(kind: str, decay_seconds: float, sample_rate: int) -> NDArray[np.float32]:
    """Returns the answer of a room to a click, with unit energy on each side. (2, taps).

    Args:
        kind: one of `ROOMS`.
        decay_seconds: time in which the middle frequencies fall by 60 dB.
        sample_rate: samples per second.

    Raises:
        ConfigError: unknown kind, or a decay outside 0.1 to 12 s.

    Reference: shaped noise, Moorer, "About this reverberation business" (1979), section on room simulation.
    """
    room = _room(kind)
    if not 0.1 <= decay_seconds <= 12.0:
        raise ConfigError(f"reverb_seconds must be 0.1 to 12, not {decay_seconds}")
    random = generator(0, "reverb", kind)
    length = int((1.05 * decay_seconds * max(1.0, room.low_ratio) + 0.12) * sample_rate)
    tail = _tail(room, decay_seconds, sample_rate, length, random)
    early = _early(room, sample_rate, length, random)
    tail *= np.sqrt((1 - room.early_share) / np.square(tail).sum(axis=1, keepdims=True))
    early *= np.sqrt(room.early_share / np.square(early).sum(axis=1, keepdims=True))
    answer = _band(room, tail + early, sample_rate)
    shift = int(room.predelay_ms * 1e-3 * sample_rate)
    answer = np.pad(answer, ((0, 0), (shift, 0)))[:, :length]
    fade = int(0.05 * length)
    answer[:, length - fade :] *= np.cos(np.linspace(0.0, np.pi / 2, fade)) ** 2
    answer /= np.sqrt(np.square(answer).sum(axis=1, keepdims=True))
    return answer.astype(np.float32)


def _tail(
    room: Room, decay_seconds: float, sample_rate: int, length: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Returns noise whose bands fall at their own speed. (2, length)."""
    noise = random.standard_normal((2, length))
    share = np.sqrt((1 - room.width) / 2)
    noise = np.array([noise[0], share * noise[0] + np.sqrt(1 - share**2) * noise[1]])
    spectrum = np.fft.rfft(noise, axis=1)
    frequencies = np.asarray(np.fft.rfftfreq(length, 1 / sample_rate), dtype=np.float64)
    if room.dispersion_hz:
        spectrum = _chirped(room, sample_rate, length, random)
    time = np.arange(length) / sample_rate
    result = np.zeros((2, length))
    edges = (*_BANDS_HZ, sample_rate / 2 + 1)
    for i, (low, high) in enumerate(pairwise(edges)):
        weight = _crossover(frequencies, low, high)
        band = np.fft.irfft(spectrum * weight, length, axis=1)
        result += band * np.exp(-6.9078 * time / (decay_seconds * _ratio(room, i)))
    build = max(1, int(room.build_ms * 1e-3 * sample_rate))
    result[:, :build] *= np.sin(np.linspace(0.0, np.pi / 2, min(build, length)))
    return result


def _ratio(room: Room, band: int) -> float:
    """Returns the decay time of a band relative to the middle: low below 250 Hz, falling to high at 8 kHz."""
    ratios = (room.low_ratio, 1.0, 1.0, 0.92, (1 + room.high_ratio) / 2, room.high_ratio)
    return ratios[band]


def _crossover(frequencies: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Returns a band's weight at each frequency; neighbouring bands add up to one (in octaves, half an octave wide)."""
    octave = np.log2(np.maximum(frequencies, 1.0))

    def rise(edge: float) -> NDArray[np.float64]:
        if edge <= 0:
            return np.ones_like(octave)
        return np.asarray(0.5 + 0.5 * np.sin(np.pi / 2 * np.clip((octave - np.log2(edge)) / 0.25, -1.0, 1.0)))

    return np.asarray(rise(low) - rise(high))


def _chirped(room: Room, sample_rate: int, length: int, random: np.random.Generator) -> NDArray[np.complex128]:
    """Returns the spectrum of a spring: a train of echoes, each smeared so that high tones come late."""
    frequencies = np.fft.rfftfreq(length, 1 / sample_rate)
    position = np.clip(frequencies / room.dispersion_hz, 0.0, 0.98)
    delay = 0.012 / np.sqrt(1 - position**2)  # group delay of one pass, seconds
    phase = -2 * np.pi * np.cumsum(delay) * frequencies[1]
    spectra = []
    for side in range(2):
        total = np.zeros(len(frequencies), np.complex128)
        passes = int(min(60, length / sample_rate / 0.035))
        for echo in range(passes):
            jitter = random.uniform(0.0, 0.004) + 0.0013 * side
            at = echo * 0.0363 + jitter
            total += random.choice((-1.0, 1.0)) * np.exp(1j * (phase * (echo + 1) - 2 * np.pi * frequencies * at))
        spectra.append(total)
    return np.array(spectra)


def _early(room: Room, sample_rate: int, length: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Returns the first single reflections of the walls. (2, length)."""
    result = np.zeros((2, length))
    for side in range(2):
        times = np.sort(random.uniform(0.03, 1.0, _NUM_EARLY)) * room.early_ms * 1e-3
        gains = random.choice((-1.0, 1.0), _NUM_EARLY) / (1.0 + 3.0 * times / (room.early_ms * 1e-3))
        np.add.at(result[side], np.minimum((times * sample_rate).astype(int), length - 1), gains)
    return result


def _band(room: Room, answer: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    high = min(room.high_cut_hz, 0.45 * sample_rate)
    cut = np.vstack([
        butterworth(2, room.low_cut_hz, sample_rate, "highpass"),
        butterworth(1, high, sample_rate),
    ])  # fmt: skip
    return run(cut, answer)[0]


@lru_cache(maxsize=8)
def echo_response(delay_seconds: float, feedback: float, sample_rate: int) -> NDArray[np.float32]:
    """Returns the answer of a stereo delay to a click: echoes left, right, left…, ever darker. (2, taps).

    Args:
        delay_seconds: time from echo to echo, at most 4 s.
        feedback: 0 to 0.9, each echo relative to the one before.
        sample_rate: samples per second.

    Raises:
        ConfigError: a setting outside its range.
    """
    if not 0.005 <= delay_seconds <= 4.0:
        raise ConfigError(f"the echo time must be 5 ms to 4 s, not {delay_seconds:.3f} s")
    if not 0.0 <= feedback <= 0.9:
        raise ConfigError(f"delay_feedback must be 0 to 0.9, not {feedback}")
    repeats = 1 if feedback < 1e-3 else 1 + int(np.log(10 ** (-50 / 20)) / np.log(feedback))
    repeats = min(repeats, max(1, int(12.0 / delay_seconds)))
    step = round(delay_seconds * sample_rate)
    ring = int(0.05 * sample_rate)
    sos = np.vstack([
        butterworth(1, 180.0, sample_rate, "highpass"),
        butterworth(1, min(5200.0, 0.4 * sample_rate), sample_rate),
    ])  # fmt: skip
    result = np.zeros((2, step * repeats + ring))
    pulse = np.zeros(ring)
    pulse[0] = 1.0
    for repeat in range(repeats):
        pulse = run(sos, pulse[None])[0][0]
        near = repeat % 2
        start = step * (repeat + 1) - 1
        span = min(ring, result.shape[1] - start)
        result[near, start : start + span] += 0.95 * pulse[:span]
        result[1 - near, start : start + span] += 0.3 * pulse[:span]
        pulse = pulse * feedback
    return result.astype(np.float32)
