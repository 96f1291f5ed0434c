"""Reading a recording at another speed, and the voice's lowpass: pure functions on arrays."""

import functools
import math

import numpy as np
from numpy.typing import NDArray

_TAPS, _PHASES = 8, 2048
_MAX_CUTOFF = 0.45
_OPEN_CUTOFF = 0.42
"""A lowpass above this share of the sample rate is left out: it would do nothing one hears."""
CONTROL_STEP = 64
"""Samples between two points of a curve that moves slower than sound."""


def unroll(
    recording: NDArray[np.float32], loop: tuple[int, int] | None, length: int, repeats: int | None = None
) -> NDArray[np.float32]:
    """Returns `length` samples of a recording whose loop is written out, fewer if it ends before.

    Args:
        recording: (samples,).
        loop: first sample of the loop and the one after its last; None plays straight through.
        length: samples wanted.
        repeats: leave the loop after so many extra rounds and play on; None stays in it.
    """
    if loop is None or repeats == 0:
        return recording[:length]
    start, end = loop
    rounds = max(0, math.ceil((length - end) / (end - start))) if repeats is None else repeats
    head, body = recording[:end], recording[start:end]
    after = recording[:0] if repeats is None else recording[end:]
    return np.concatenate((head, np.tile(body, rounds), after))[:length]


def resample(source: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """Returns the source played `ratio` times as fast, band-limited to the new rate, (samples / ratio,)."""
    if abs(ratio - 1.0) < 1e-6 or len(source) == 0:
        return source
    import soxr

    return np.asarray(soxr.resample(source, ratio, 1.0, quality="HQ"), np.float32)


@functools.cache
def _kernel() -> NDArray[np.float32]:
    """Windowed sinc for every fraction of a sample, unit gain at zero frequency, (phases + 1, taps)."""
    fraction = np.arange(_PHASES + 1)[:, None] / _PHASES
    distance = np.arange(_TAPS)[None, :] - (_TAPS // 2 - 1) - fraction
    window = np.i0(7.0 * np.sqrt(np.maximum(0.0, 1.0 - (distance / (_TAPS / 2)) ** 2)))
    taps = np.sinc(distance * 0.97) * window
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), np.float32)


def read_at(source: NDArray[np.float32], positions: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns the source between its samples, for speeds near 1 (bends and vibrato).

    Args:
        source: (samples,).
        positions: rising places in samples from 0 on; what lies past the end is silent. (n,)
    """
    kernel = _kernel()
    padded = np.concatenate((np.zeros(_TAPS // 2 - 1, np.float32), source, np.zeros(_TAPS, np.float32)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _TAPS)
    result = np.empty(len(positions), np.float32)
    for start in range(0, len(positions), 8192):
        part = np.minimum(positions[start : start + 8192], len(source))
        whole = part.astype(np.int64)
        phase = ((part - whole) * _PHASES + 0.5).astype(np.int64)
        np.einsum("ij,ij->i", windows[whole], kernel[phase], out=result[start : start + 8192])
    return result


def lowpass(
    source: NDArray[np.float32], cutoff_hz: float, resonance_cb: float, sample_rate: int
) -> NDArray[np.float32]:
    """Returns the source through the voice's resonant lowpass, 12 dB per octave, (samples,)."""
    gain = _filter_gain(resonance_cb)
    if cutoff_hz >= _OPEN_CUTOFF * sample_rate and resonance_cb <= 0:
        return source * np.float32(gain)
    from scipy.signal import lfilter

    return np.asarray(lfilter(*_biquad(cutoff_hz, resonance_cb, sample_rate), source), np.float32)


def sweep_lowpass(
    source: NDArray[np.float32],
    cutoff_cents: NDArray[np.float64],
    resonance_cb: float,
    sample_rate: int,
    grid_cents: float,
) -> NDArray[np.float32]:
    """Returns the source through the lowpass while its cutoff moves, (samples,).

    Args:
        source: (samples,).
        cutoff_cents: absolute cents (6900 is 440 Hz) for every `CONTROL_STEP` samples, at least to the end.
        resonance_cb: peak height.
        sample_rate: samples per second.
        grid_cents: the cutoff is rounded to this; each step costs as much as some hundred samples.
    """
    from scipy.signal import lfilter

    highest = hz_to_cents(_MAX_CUTOFF * sample_rate)
    steps = np.round(np.clip(cutoff_cents[: -(-len(source) // CONTROL_STEP)], -1200.0, highest) / grid_cents)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(steps)) + 1))
    result = np.empty(len(source), np.float32)
    state = np.zeros(2)
    for first, last in zip(starts, [*starts[1:], len(steps)], strict=True):
        part = slice(first * CONTROL_STEP, last * CONTROL_STEP)
        top, bottom = _biquad(cents_to_hz(steps[first] * grid_cents), resonance_cb, sample_rate)
        result[part], state = lfilter(top, bottom, source[part], zi=state)
    return result


def control_seconds(num_samples: int, sample_rate: int) -> NDArray[np.float64]:
    """Returns the times of the points of a slow curve, one past the end included, (ceil(num_samples / step) + 1,)."""
    return np.arange(-(-num_samples // CONTROL_STEP) + 1, dtype=np.float64) * (CONTROL_STEP / sample_rate)


def stretch(points: NDArray[np.float64], num_samples: int) -> NDArray[np.float32]:
    """Returns straight lines between points that lie `CONTROL_STEP` samples apart, (samples,)."""
    low = points.astype(np.float32)
    ramp = np.arange(CONTROL_STEP, dtype=np.float32) / np.float32(CONTROL_STEP)
    lines = low[:-1, None] + np.diff(low)[:, None] * ramp[None, :]  # (points - 1, step)
    return np.asarray(lines.reshape(-1)[:num_samples], np.float32)


def cents_to_hz(cents: float) -> float:
    """Returns the frequency of absolute cents, where 6900 is 440 Hz."""
    return 440.0 * math.exp2((cents - 6900.0) / 1200.0)


def hz_to_cents(hz: float) -> float:
    """Returns the absolute cents of a frequency."""
    return 6900.0 + 1200.0 * math.log2(hz / 440.0)


def _filter_gain(resonance_cb: float) -> float:
    return math.pow(10.0, -(resonance_cb / 10.0 - 3.01) / 40.0)


def _biquad(cutoff_hz: float, resonance_cb: float, sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns numerator and denominator; half of the resonance is taken off the gain (SoundFont 2.04, 8.1.2)."""
    quality = 10.0 ** ((resonance_cb / 10.0 - 3.01) / 20.0)
    omega = 2.0 * math.pi * min(max(cutoff_hz / sample_rate, 1e-4), _MAX_CUTOFF)
    alpha = math.sin(omega) / (2.0 * quality)
    scale = 1.0 / (1.0 + alpha)
    b1 = (1.0 - math.cos(omega)) * scale * _filter_gain(resonance_cb)
    return np.array([b1 / 2, b1, b1 / 2]), np.array([1.0, -2.0 * math.cos(omega) * scale, (1.0 - alpha) * scale])
