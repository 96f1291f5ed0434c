"""Log-mel spectra: what the phoneme recogniser hears. Training and use share this one place."""

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16000
HOP = 160
FRAME_RATE = SAMPLE_RATE / HOP
NUM_BANDS = 48
_WINDOW = 400
_SIZE = 512
_LOW_HZ, _HIGH_HZ = 60.0, 7600.0
_FLOOR = 1e-7
"""Of the largest power in the line: what lies 70 dB below is silence."""
_ACTIVE_DB = 35.0
"""Frames this close to the loudest decide the mean spectrum."""


def log_mel(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns (frames, bands) normalised log-mel spectra of a line; frame i is centred on sample ``i * HOP``.

    The mean spectrum of the active frames is taken away, so that a voice's tilt and the level do not matter.

    Args:
        waveform: (samples,) at `SAMPLE_RATE`.
    """
    padded = np.pad(waveform.astype(np.float32), (_WINDOW // 2, _WINDOW // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP]
    window = np.hanning(_WINDOW).astype(np.float32)
    bank = mel_bank(_SIZE, SAMPLE_RATE, NUM_BANDS, _LOW_HZ, _HIGH_HZ)
    power = np.empty((len(frames), NUM_BANDS), np.float32)
    for first in range(0, len(frames), 1024):
        spectrum = np.fft.rfft(frames[first : first + 1024] * window, _SIZE, axis=1)  # (T, F)
        power[first : first + 1024] = (np.square(spectrum.real) + np.square(spectrum.imag)) @ bank
    return normalised(power)


def normalised(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the log of band powers, (frames, bands), less the mean of the active frames, in units of 10 dB."""
    top = float(power.max(initial=0.0))
    if top <= 1e-12:
        return np.zeros_like(power)
    level = np.log10(power / top + _FLOOR)
    loudness = np.log10(power.sum(axis=1) + 1e-30)
    active = loudness > loudness.max() - _ACTIVE_DB / 10.0
    result: NDArray[np.float32] = (level - level[active].mean(axis=0)).astype(np.float32)
    return result


def mel_bank(size: int, sample_rate: int, count: int, low_hz: float, high_hz: float) -> NDArray[np.float32]:
    """Returns (bins, bands): triangles evenly spaced on the mel scale."""
    frequency = np.fft.rfftfreq(size, 1.0 / sample_rate)
    mels = np.linspace(_mel(low_hz), _mel(high_hz), count + 2)
    edges = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    f = frequency[:, None]
    rising, falling = (f - low) / (centre - low), (high - f) / (high - centre)
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def _mel(hz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hz / 700.0))
