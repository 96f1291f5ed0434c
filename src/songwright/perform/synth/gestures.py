"""Sounds that fill a stretch of time: risers, falls, impacts, reversed swells, the crackle of a record."""

import numpy as np
from numpy.typing import NDArray

from songwright.seeding import generator

GESTURES = ("noise_riser", "noise_fall", "impact", "reverse_swell", "vinyl_noise")
_BLOCK = 512


def gesture(name: str, pitch: int, num_samples: int, sample_rate: int, seed: int) -> NDArray[np.float32]:
    """Returns (2, samples) a gesture that lasts num_samples (an impact and a fall ring on by themselves).

    Args:
        name: one of `GESTURES`.
        pitch: MIDI note of the tonal part.
        num_samples: length of the note.
        sample_rate: hertz.
        seed: of the song.
    """
    random = generator(seed, "gesture", name)
    if name == "impact":
        return _impact(sample_rate, random)
    if name == "vinyl_noise":
        return _vinyl(num_samples, sample_rate, random)
    noise = random.standard_normal((2, num_samples))
    x = np.linspace(0.0, 1.0, num_samples)
    if name == "noise_fall":
        cutoff, level = 9000.0 * (120.0 / 9000.0) ** x, (1.0 - x) ** 1.5
    else:
        cutoff = 250.0 * (12000.0 / 250.0) ** (x**1.3)
        level = x**2 if name == "noise_riser" else np.expm1(4.0 * x) / np.expm1(4.0)
    swept = _sweep(noise, cutoff, sample_rate)
    if name == "noise_riser":
        frequency = 440.0 * 2.0 ** ((pitch - 69 + 12.0 * x) / 12)
        tone = np.sin(2 * np.pi * np.cumsum(frequency) / sample_rate)
        swept = swept + 0.12 * tone * (1.0 + 0.5 * np.sin(2 * np.pi * np.cumsum(2.0 + 14.0 * x) / sample_rate))
    fade = min(num_samples, int(0.004 * sample_rate))
    level = level * np.minimum(1.0, np.arange(num_samples, 0, -1) / max(fade, 1))
    return np.asarray(0.3 * swept * level, dtype=np.float32)


def _sweep(noise: NDArray[np.float64], cutoff: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Returns noise through a band that moves, filtered block by block with its state carried on."""
    from scipy.signal import butter, sosfilt

    out = np.empty_like(noise)
    state = np.zeros((1, noise.shape[0], 2))
    for first in range(0, noise.shape[1], _BLOCK):
        centre = min(cutoff[first], 0.4 * sample_rate)
        sos = butter(1, [centre * 0.6, min(centre * 1.6, 0.48 * sample_rate)], "bandpass", fs=sample_rate, output="sos")
        out[:, first : first + _BLOCK], state = sosfilt(sos, noise[:, first : first + _BLOCK], axis=1, zi=state)
    return out * 1.6


def _impact(sample_rate: int, random: np.random.Generator) -> NDArray[np.float32]:
    from scipy.signal import butter, sosfilt

    t = np.arange(int(2.8 * sample_rate)) / sample_rate
    boom = np.sin(2 * np.pi * np.cumsum(34.0 + 60.0 * np.exp(-t / 0.06)) / sample_rate) * np.exp(-t / 0.7)
    noise = random.standard_normal((2, len(t)))
    dark = sosfilt(butter(2, 900.0, fs=sample_rate, output="sos"), noise, axis=1) * np.exp(-t / 0.45)
    bright = sosfilt(butter(2, 5000.0, "highpass", fs=sample_rate, output="sos"), noise, axis=1) * np.exp(-t / 0.12)
    mixed = 0.8 * boom + 0.5 * dark + 0.12 * bright
    mixed[:, -1000:] *= np.linspace(1.0, 0.0, 1000)
    return np.asarray(0.7 * np.tanh(mixed), dtype=np.float32)


def _vinyl(num_samples: int, sample_rate: int, random: np.random.Generator) -> NDArray[np.float32]:
    from scipy.signal import butter, sosfilt

    hiss = random.standard_normal((2, num_samples)) * 0.004
    count = max(1, int(num_samples / sample_rate * 9))
    clicks = np.zeros((2, num_samples))
    at = random.integers(0, num_samples, count)
    clicks[:, at] = random.exponential(0.06, count) * random.choice([-1.0, 1.0], count)
    shaped = sosfilt(butter(1, [600.0, 7000.0], "bandpass", fs=sample_rate, output="sos"), clicks, axis=1)
    rumble = sosfilt(butter(2, 60.0, fs=sample_rate, output="sos"), random.standard_normal((2, num_samples)), axis=1)
    return np.asarray(hiss + shaped + 0.05 * rumble, dtype=np.float32)
