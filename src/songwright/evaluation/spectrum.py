"""Short-time spectra that the metrics on audio share: one pass over the file, little memory."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 11025
WINDOW = 2048
HOP = 128
CHROMA_EVERY = 8


@dataclass(frozen=True, slots=True)
class Features:
    """What tempo and key are measured from.

    Attributes:
        onset_strength: (frames,) rise of the log spectrum, at `frame_rate`.
        chroma: (12,) energy of each pitch class over the whole signal, from C.
        frame_rate: frames a second.
    """

    onset_strength: NDArray[np.float64]
    chroma: NDArray[np.float64]
    frame_rate: float


def read_mono(path: Path, sample_rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
    """Returns a sound file as (samples,) at another rate, the mean of its channels."""
    import soundfile
    import soxr

    with soundfile.SoundFile(path) as file:
        resampler = soxr.ResampleStream(file.samplerate, sample_rate, 1, dtype="float32", quality="LQ")
        blocks = []
        while len(block := file.read(1 << 18, dtype="float32", always_2d=True)):
            blocks.append(resampler.resample_chunk(block.mean(axis=1)))
        blocks.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    return np.concatenate(blocks)


def features(waveform: NDArray[np.float32], sample_rate: int = SAMPLE_RATE) -> Features:
    """Returns onset strength and chroma of a mono signal.

    Args:
        waveform: (samples,).
        sample_rate: hertz.
    """
    short = 512  # samples: 46 ms, for onsets
    padded = np.pad(waveform, (short // 2, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, short)[: len(waveform) : HOP]
    bands = _bands(short, sample_rate)
    window = np.hanning(short).astype(np.float32)
    strength = np.zeros(len(frames))
    previous: NDArray[np.float32] | None = None
    for first in range(0, len(frames), 4096):
        magnitude = np.abs(np.fft.rfft(frames[first : first + 4096] * window, axis=1)).astype(np.float32)  # (T, F)
        level = np.log1p(100.0 * magnitude @ bands)  # (T, bands)
        lead = level[:1] if previous is None else previous
        rise = np.diff(np.concatenate([lead, level]), axis=0)
        strength[first : first + 4096] = np.maximum(rise, 0.0).sum(axis=1)
        previous = level[-1:]
    return Features(strength, chroma(waveform, sample_rate), sample_rate / HOP)


def chroma(waveform: NDArray[np.float32], sample_rate: int = SAMPLE_RATE) -> NDArray[np.float64]:
    """Returns (12,) energies of the pitch classes between 65 and 2100 Hz, from spectral peaks, summing to 1."""
    size = 4 * WINDOW
    hop = size // 2
    padded = np.pad(waveform, (0, size))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    frequency = np.fft.rfftfreq(size, 1.0 / sample_rate)
    use = (frequency >= 65.0) & (frequency <= 2100.0)
    pitch = 69.0 + 12.0 * np.log2(np.maximum(frequency, 1.0) / 440.0)
    near = np.exp(-0.5 * ((pitch - np.round(pitch)) / 0.2) ** 2)
    classes = np.zeros((len(frequency), 12))
    classes[np.arange(len(frequency)), np.round(pitch).astype(int) % 12] = near * use
    total = np.zeros(12)
    window = np.hanning(size)
    for first in range(0, len(frames), 256):
        magnitude = np.abs(np.fft.rfft(frames[first : first + 256] * window, axis=1))
        peaks = np.zeros_like(magnitude)
        middle = magnitude[:, 1:-1]
        is_peak = (middle > magnitude[:, :-2]) & (middle >= magnitude[:, 2:])
        peaks[:, 1:-1] = np.where(is_peak, middle, 0.0)
        energy = np.sqrt(peaks) @ classes  # (T, 12)
        total += (energy / (energy.max(axis=1, keepdims=True) + 1e-9)).sum(axis=0)
    return total / max(float(total.sum()), 1e-9)


def _bands(size: int, sample_rate: int, count: int = 24) -> NDArray[np.float32]:
    """Returns (bins, bands): triangles evenly spaced in log frequency from 40 Hz to 5 kHz."""
    frequency = np.fft.rfftfreq(size, 1.0 / sample_rate)
    edges = np.geomspace(40.0, min(5000.0, sample_rate / 2.2), count + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    f = frequency[:, None]
    rising, falling = (f - low) / (centre - low), (high - f) / (high - centre)
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
