"""Loudness and true peak as broadcasters measure them (ITU-R BS.1770-4, EBU Tech 3341).

Everything is computed in blocks, so long music needs little memory beside its own.
"""

import numpy as np
from numpy.typing import NDArray

from songwright.audio.frames import frame_products
from songwright.audio.recursive import FRAME, run

FLOOR_LUFS = -70.0
"""The absolute gate; what is given for silence instead of minus infinity."""

_OFFSET = -0.691
_BLOCK = 1 << 16
_PHASES, _TAPS = 4, 24
_FRAME = 32


def k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Returns the two filters of BS.1770-4 section 2 as second-order sections (2, 6) for any sample rate.

    Reference: analogue prototypes by De Man, "Evaluation of Implementations of the EBU R128 Loudness Measurement".
    """
    k = np.tan(np.pi * 1681.974450955533 / sample_rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    norm = 1 + k / q + k * k
    shelf = [
        (high + band * k / q + k * k) / norm, 2 * (k * k - high) / norm, (high - band * k / q + k * k) / norm,
        1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm,
    ]  # fmt: skip
    k, q = np.tan(np.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    norm = 1 + k / q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm]
    return np.array([shelf, high_pass])


def energy(waveform: NDArray[np.floating], sample_rate: int, hop_length: int) -> NDArray[np.float64]:
    """Returns the K-weighted energy of every hop, summed over its samples and over channels.

    Args:
        waveform: (channels, samples); at most 2 channels (they weigh the same).
        sample_rate: samples per second.
        hop_length: samples per value; the last hop may be shorter.

    Returns:
        (hops,)
    """
    sos = k_weighting(sample_rate)
    num_samples = waveform.shape[1]
    num_hops = -(-num_samples // hop_length)
    step = max(1, _BLOCK // (hop_length * FRAME)) * hop_length * FRAME
    state = None
    result = np.zeros(num_hops)
    for start in range(0, num_samples, step):
        block, state = run(sos, waveform[:, start : start + step], state)
        squares = np.square(block).sum(axis=0)
        squares = np.pad(squares, (0, -len(squares) % hop_length))
        sums = squares.reshape(-1, hop_length).sum(axis=1, dtype=np.float64)
        result[start // hop_length : start // hop_length + len(sums)] = sums
    return result


def windows(
    energies: NDArray[np.float64], hop_length: int, sample_rate: int, window_seconds: float
) -> NDArray[np.float64]:
    """Returns the mean square in windows that move by 100 ms, whole windows only.

    Args:
        energies: of every hop, from `energy`; hops divide 100 ms or come close.
        hop_length: samples per hop.
        sample_rate: samples per second.
        window_seconds: 0.4 for momentary and integrated loudness, 3 for short-term loudness.
    """
    total = np.concatenate(([0.0], np.cumsum(energies)))
    width = round(window_seconds * sample_rate / hop_length)
    count = int((len(energies) - width) * hop_length // (0.1 * sample_rate)) + 1
    if len(energies) < width:
        return np.zeros(0)
    starts = np.minimum(np.round(np.arange(count) * 0.1 * sample_rate / hop_length).astype(int), len(energies) - width)
    return np.asarray((total[starts + width] - total[starts]) / (width * hop_length))


def gated(mean_squares: NDArray[np.float64]) -> float:
    """Returns the loudness of windows after the absolute gate and the relative gate of -10 LU (BS.1770-4)."""
    loud = mean_squares[mean_squares > 10 ** ((FLOOR_LUFS - _OFFSET) / 10)]
    if len(loud) == 0:
        return FLOOR_LUFS
    loud = loud[loud > loud.mean() / 10]
    return to_lufs(float(loud.mean()))


def to_lufs(mean_square: float) -> float:
    """Returns the loudness of a K-weighted mean square."""
    return max(FLOOR_LUFS, _OFFSET + 10 * float(np.log10(max(mean_square, 1e-12))))


def hop_of(sample_rate: int) -> int:
    """Returns the hop that `integrated_lufs` uses: 10 ms."""
    return sample_rate // 100


def integrated_lufs(waveform: NDArray[np.floating], sample_rate: int) -> float:
    """Returns the gated loudness of a whole piece (BS.1770-4), at least `FLOOR_LUFS`.

    Args:
        waveform: (channels, samples). Shorter than 400 ms: filled up with silence.
        sample_rate: samples per second.
    """
    hop = hop_of(sample_rate)
    energies = energy(waveform, sample_rate, hop)
    if len(energies) < 40:
        energies = np.pad(energies, (0, 40 - len(energies)))
    return gated(windows(energies, hop, sample_rate, 0.4))


def short_term_lufs(waveform: NDArray[np.floating], sample_rate: int) -> NDArray[np.float64]:
    """Returns the loudness of the 3 s windows that begin at every 100 ms (EBU Tech 3341)."""
    hop = hop_of(sample_rate)
    mean_squares = windows(energy(waveform, sample_rate, hop), hop, sample_rate, 3.0)
    return np.maximum(FLOOR_LUFS, _OFFSET + 10 * np.log10(np.maximum(mean_squares, 1e-12)))


def _interpolator() -> NDArray[np.float32]:
    """Returns the matrix that turns a frame and its surroundings into its three in-between phases.

    Kaiser-windowed sinc, 24 taps a phase. (frame + taps - 1, 3 * frame)
    """
    position = np.arange(_TAPS) - (_TAPS // 2 - 1)
    matrix = np.zeros((_FRAME + _TAPS - 1, _PHASES - 1, _FRAME))
    for phase in range(1, _PHASES):
        distance = position - phase / _PHASES
        window = np.i0(8.0 * np.sqrt(np.maximum(0.0, 1 - (distance / (_TAPS / 2)) ** 2))) / np.i0(8.0)
        taps = np.sinc(distance) * window
        taps /= taps.sum()
        for i in range(_FRAME):
            matrix[i : i + _TAPS, phase - 1, i] = taps
    return matrix.reshape(_FRAME + _TAPS - 1, -1).astype(np.float32)


def hop_peaks(waveform: NDArray[np.float32], hop_length: int, threshold: float = 0.0) -> NDArray[np.float32]:
    """Returns the largest magnitude between and at the samples of each hop, over both channels, four times oversampled.

    Args:
        waveform: (channels, samples).
        hop_length: a multiple of 32.
        threshold: where no sample comes near this, only the samples themselves are looked at (saves time).

    Returns:
        (hops,); the last hop may be shorter.
    """
    matrix = _interpolator()
    channels, num_samples = waveform.shape
    num_hops = -(-num_samples // hop_length)
    peaks = np.zeros(num_hops, np.float32)
    step = max(1, _BLOCK // hop_length) * hop_length
    before, after = _TAPS // 2 - 1, _TAPS // 2
    for start in range(0, num_samples, step):
        stop = min(start + step, num_samples)
        length = -(-(stop - start) // hop_length) * hop_length
        first = start // hop_length
        block = np.zeros((channels, before + length + after), np.float32)
        low, high = max(0, start - before), min(num_samples, start + length + after)
        block[:, low - start + before : high - start + before] = waveform[:, low:high]
        inner = np.abs(block[:, before : before + length])
        sample_peaks = inner.reshape(channels, -1, _FRAME).max(axis=2)  # (C, frames)
        if sample_peaks.max(initial=0.0) > threshold:
            between = frame_products(block, matrix, _FRAME)
            np.abs(between, out=between)
            np.maximum(sample_peaks, between.max(axis=2), out=sample_peaks)
        together = sample_peaks.max(axis=0).reshape(-1, hop_length // _FRAME).max(axis=1)
        peaks[first : first + len(together)] = together
    return peaks


def true_peak_dbtp(waveform: NDArray[np.floating]) -> float:
    """Returns the true peak in dB relative to full scale (BS.1770-4 annex 2, four times oversampled); -120 for silence.

    Args:
        waveform: (channels, samples).
    """
    floats = waveform.astype(np.float32, copy=False)
    if floats.shape[1] == 0:
        return -120.0
    largest = float(np.abs(floats).max(initial=0.0))
    peak = float(hop_peaks(floats, _FRAME * 8, threshold=largest * 0.25).max())
    return max(-120.0, 20 * float(np.log10(max(peak, 1e-6))))
