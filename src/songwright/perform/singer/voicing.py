"""Envelopes, pitch and noise shares become sound: one response for each closing of the glottis, and noise between.

The model is WORLD's (minimum-phase responses placed at the pulses, noise shaped by the aperiodicity), written here
once more for three reasons: the noise comes from the song's own generator instead of a state that threads share,
breath is louder while the glottis is open, and the phases are spread a little, so that a low voice does not buzz.
"""

import numpy as np
from numpy.typing import NDArray

from songwright.perform.singer.world import HOP_SECONDS

_BLOCK = 32
"""Responses made at once: more would leave the processor's cache."""
_SPREAD_SECONDS, _SPREAD_HZ = 0.00045, 550.0
_OPEN_SHARE = 0.55
_LOWEST_HZ = 45.0
_CREST = 0.38  # of a period: where the glottis is widest, after it closed


def synthesise(
    f0_hz: NDArray[np.float64],
    log_power: NDArray[np.float32],
    noise: NDArray[np.float32],
    sample_rate: int,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Returns sound, (samples,): `HOP_SECONDS` for each frame.

    Args:
        f0_hz: pitch, 0 where unvoiced. (frames,)
        log_power: natural logarithm of the power envelope. (frames, bins)
        noise: amplitude share of noise, 0 to 1. (frames, bins)
        sample_rate: of the sound; the bins reach from 0 to its half.
        rng: draws the noise.
    """
    hop = HOP_SECONDS * sample_rate
    size = 2 * (log_power.shape[1] - 1)
    count = int(len(f0_hz) * hop)
    out = np.zeros(count + 2 * size, dtype=np.float32)
    phase, voiced = _phase(f0_hz, count, hop, sample_rate)
    hz = np.linspace(0, sample_rate / 2, log_power.shape[1])
    log_power = log_power + np.log(np.clip(hz / _LOWEST_HZ, 0.02, 1.0) ** 2).astype(np.float32)
    _pulses(out, phase, voiced, f0_hz, log_power, noise, sample_rate)
    _noise(out, phase, voiced, log_power, noise, sample_rate, rng)
    return out[size : size + count]


def _phase(
    f0_hz: NDArray[np.float64], count: int, hop: float, sample_rate: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Returns the phase of the folds in periods, and whether they vibrate, at every sample."""
    position = np.arange(count) / hop
    voiced = f0_hz > 0
    filled = np.interp(np.arange(len(f0_hz)), np.flatnonzero(voiced), f0_hz[voiced]) if voiced.any() else f0_hz + 100.0
    track = np.interp(position, np.arange(len(f0_hz)), filled)
    return np.cumsum(track) / sample_rate, voiced[np.minimum((position + 0.5).astype(int), len(f0_hz) - 1)]


def _pulses(
    out: NDArray[np.float32],
    phase: NDArray[np.float64],
    voiced: NDArray[np.bool_],
    f0_hz: NDArray[np.float64],
    log_power: NDArray[np.float32],
    noise: NDArray[np.float32],
    sample_rate: int,
) -> None:
    """Adds the response of the tract to every closing of the glottis."""
    from scipy import fft

    crossed = np.flatnonzero(np.diff(np.floor(phase)) > 0)
    crossed = crossed[voiced[crossed]]
    if not len(crossed):
        return
    step = phase[crossed + 1] - phase[crossed]
    exact = crossed + (np.ceil(phase[crossed]) - phase[crossed]) / step
    size = 2 * (log_power.shape[1] - 1)
    frames = exact / (HOP_SECONDS * sample_rate)
    angle = (2 * np.pi / size * np.arange(log_power.shape[1])).astype(np.float32)
    ahead = np.pi / 4 * (np.arange(log_power.shape[1]) % 8)  # the spread phases also ring before the pulse: an eighth
    spread = _spread(log_power.shape[1], sample_rate) - ahead.astype(np.float32)
    tonal = log_power + np.log(np.maximum(1 - noise * noise, np.float32(1e-6)))
    fold = np.full(size // 2 + 1, 1.0 / size, dtype=np.float32)
    fold[[0, -1]] *= np.float32(0.5)
    for first in range(0, len(exact), _BLOCK):
        at = exact[first : first + _BLOCK]
        rows = _between(tonal, frames[first : first + _BLOCK])
        rows -= np.log(step[first : first + _BLOCK, None]).astype(np.float32)
        rows *= np.float32(0.5)
        cepstrum = fft.dct(rows, type=1, axis=1)  # the inverse transform of what is real and even
        cepstrum *= fold
        response = fft.rfft(cepstrum, n=size, axis=1)  # half of it, folded: (log amplitude + i phase) / 2
        start = np.floor(at).astype(int)
        turn = (start - at).astype(np.float32)[:, None] * angle
        turn += 2 * response.imag
        turn += spread
        magnitude = np.exp(rows, out=rows)
        shaped = np.empty(response.shape, dtype=np.complex64)
        np.multiply(magnitude, np.cos(turn), out=shaped.real)
        np.multiply(magnitude, np.sin(turn), out=shaped.imag)
        waves = fft.irfft(shaped, axis=1)
        for wave, sample in zip(waves, start.tolist(), strict=True):
            begin = size + sample - size // 8
            out[begin : begin + size] += wave


def _between(rows: NDArray[np.float32], frames: NDArray[np.float64]) -> NDArray[np.float32]:
    index = np.clip(frames.astype(int), 0, len(rows) - 1)
    part = (frames - index).astype(np.float32)[:, None]
    return np.asarray(rows[index] * (1 - part) + rows[np.minimum(index + 1, len(rows) - 1)] * part)


def _spread(bins: int, sample_rate: int) -> NDArray[np.float32]:
    """Returns a fixed smooth phase over frequency: different delays of less than a millisecond. (bins,)."""
    width = sample_rate / 2 / (bins - 1)
    hz = np.arange(bins) * width
    waves = [np.sin(2 * np.pi * hz / (_SPREAD_HZ * k) + k * k) / k**0.5 for k in (1.0, 1.7, 2.9, 4.6)]
    delay = _SPREAD_SECONDS * np.sum(waves, axis=0) * np.clip(hz / 400.0, 0, 1)
    return np.asarray(-2 * np.pi * np.cumsum(delay) * width, dtype=np.float32)


def _noise(
    out: NDArray[np.float32],
    phase: NDArray[np.float64],
    voiced: NDArray[np.bool_],
    log_power: NDArray[np.float32],
    noise: NDArray[np.float32],
    sample_rate: int,
    rng: np.random.Generator,
) -> None:
    """Adds noise, loudest while the glottis is open."""
    from scipy import fft

    size = 2 * (log_power.shape[1] - 1)
    hop = HOP_SECONDS * sample_rate
    white = rng.standard_normal(len(phase), dtype=np.float32)
    depth = _eased(voiced, 2 * int(0.003 * sample_rate) + 1) * np.float32(_OPEN_SHARE)
    cycle = (phase - np.floor(phase)).astype(np.float32)
    swing = 1 - depth * np.cos(np.float32(2 * np.pi) * (cycle - np.float32(_CREST - 0.5)))
    white *= swing / np.sqrt(1 + np.float32(0.5) * depth * depth)
    length = 2 * int(np.ceil(hop))
    centres = (np.arange(len(log_power)) * hop).round().astype(int)
    padded = np.pad(white, length)
    offsets = np.arange(length) - length // 2
    window = np.clip(1 - np.abs(offsets) / hop, 0, 1).astype(
        np.float32
    )  # neighbours share their noise: they add up to 1
    loud = np.flatnonzero(log_power.max(axis=1) > -28.0)
    for first in range(0, len(loud), _BLOCK):
        mine = loud[first : first + _BLOCK]
        pieces = np.zeros((len(mine), size), np.float32)
        later = pieces[:, size // 4 : size // 4 + length]  # so that what rings ahead does not come round
        np.multiply(padded[length + centres[mine][:, None] + offsets], window, out=later)
        spectrum = fft.rfft(pieces, axis=1)
        spectrum *= np.exp(np.float32(0.5) * log_power[mine]) * noise[mine]
        waves = fft.irfft(spectrum, axis=1)
        for wave, centre in zip(waves, centres[mine].tolist(), strict=True):
            begin = size + centre - length // 2 - size // 4
            out[begin : begin + size] += wave


def _eased(voiced: NDArray[np.bool_], size: int) -> NDArray[np.float32]:
    """Returns 0 and 1 joined by slopes of an odd number of samples, as `smoothed` does where little changes."""
    window = np.hanning(size + 2)[1:-1]
    window /= window.sum()
    steps = np.zeros(len(voiced) + size - 1)
    for place in (np.flatnonzero(voiced[1:] != voiced[:-1]) + 1).tolist():
        steps[place : place + size] += window if voiced[place] else -window
    return np.asarray((np.cumsum(steps)[size // 2 : size // 2 + len(voiced)] + voiced[0]).astype(np.float32))
