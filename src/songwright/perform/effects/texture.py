"""Small machines and old media: bit and rate reduction, vinyl; and the width of the picture."""

import numpy as np
from numpy.typing import NDArray

from songwright.audio.recursive import butterworth
from songwright.perform.effects.filters import filtered, sections
from songwright.seeding import generator

_BLOCK = 1 << 16
_NOISE_SECONDS = 8.0
_FADE_SECONDS = 0.25


def width(waveform: NDArray[np.float32], sample_rate: int, *, amount: float = 1.0) -> NDArray[np.float32]:
    """Returns the waveform with another width: 0 mono, 1 as it was, 2 twice the difference of the sides."""
    same, other = np.float32(0.5 + 0.5 * amount), np.float32(0.5 - 0.5 * amount)
    out = np.empty_like(waveform)
    for start in range(0, waveform.shape[1], _BLOCK):
        left, right = waveform[:, start : start + _BLOCK]
        out[0, start : start + _BLOCK] = same * left + other * right
        out[1, start : start + _BLOCK] = other * left + same * right
    return out


def lofi(
    waveform: NDArray[np.float32],
    sample_rate: int,
    *,
    bits: float = 12.0,
    rate_hz: float = 16000.0,
    antialias: float = 1.0,
) -> NDArray[np.float32]:
    """Returns the waveform as an early sampler kept it: fewer bits, a lower rate, samples held.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        bits: of each sample.
        rate_hz: the sampler's rate.
        antialias: above 0, what the lower rate cannot hold is filtered out first; 0 lets it fold over.
    """
    steps = np.float32(2.0 ** (bits - 1))
    rate = min(rate_hz, float(sample_rate))
    source = waveform
    if antialias > 0 and rate < 0.95 * sample_rate:
        source = filtered(waveform, butterworth(6, 0.42 * rate, sample_rate))
    out = np.empty_like(waveform)
    for start in range(0, waveform.shape[1], _BLOCK):
        times = np.arange(start, min(start + _BLOCK, waveform.shape[1]))
        held = np.minimum(np.ceil(np.floor(times * (rate / sample_rate)) * (sample_rate / rate)).astype(int), times)
        out[:, start : start + _BLOCK] = np.rint(source[:, held] * steps) / steps
    return out


def vinyl(
    waveform: NDArray[np.float32], sample_rate: int, *, noise_db: float = -48.0, wear: float = 0.4
) -> NDArray[np.float32]:
    """Returns the waveform as from a record: narrower band, surface noise, clicks and rumble while it plays.

    Args:
        waveform: (2, samples); silence stays silence.
        sample_rate: samples per second.
        noise_db: level of the surface noise.
        wear: 0 new to 1 worn: more clicks, less treble.
    """
    if not waveform.any():
        return waveform
    band = sections(sample_rate, low_cut_hz=30.0, high_cut_hz=min(15000.0 - 8500.0 * wear, 0.48 * sample_rate))
    out = filtered(waveform, band)
    noise = _surface(sample_rate, wear) * np.float32(10 ** (noise_db / 20))
    length, num_samples = noise.shape[1], waveform.shape[1]
    fade = min(int(_FADE_SECONDS * sample_rate), num_samples // 2)
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    edges = np.ones(num_samples, np.float32)
    edges[:fade] = ramp
    edges[num_samples - fade :] = np.minimum(edges[num_samples - fade :], ramp[::-1])
    for start in range(0, num_samples, length):
        part = out[:, start : start + length]
        part += noise[:, : part.shape[1]] * edges[start : start + length]
    return out


def _surface(sample_rate: int, wear: float) -> NDArray[np.float32]:
    """Returns a turn or two of groove noise that joins to itself: hiss, rumble, clicks; its RMS is 1 at most."""
    random = generator(0, "vinyl")
    length = int(_NOISE_SECONDS * sample_rate)
    spectrum = np.fft.rfft(random.standard_normal((2, length)), axis=1)
    frequencies = np.maximum(np.fft.rfftfreq(length, 1 / sample_rate), 1.0)
    shape = (frequencies > 20) * (1.2 * (30.0 / np.maximum(frequencies, 30.0)) + 0.05) / (1 + (frequencies / 6000) ** 2)
    hiss = np.fft.irfft(spectrum * shape, length, axis=1)
    hiss *= 0.5 / np.sqrt(np.mean(np.square(hiss)))
    count = int((4 + 26 * wear) * _NOISE_SECONDS)
    clicks = np.zeros((2, length))
    places = random.integers(0, length - 64, count)
    sizes = random.choice((-1.0, 1.0), count) * random.exponential(6.0 + 10.0 * wear, count)
    balance = random.uniform(0.3, 1.0, (2, count))
    pulse = np.exp(-np.arange(48) / 7.0) * np.cos(np.arange(48) * 0.9)
    for place, size, share in zip(places, sizes, balance.T, strict=True):
        clicks[:, place : place + 48] += size * share[:, None] * pulse
    return np.asarray(hiss + clicks, dtype=np.float32)
