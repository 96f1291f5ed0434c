"""Equaliser: low and high cut, shelves and a peak, designed as second-order sections and applied as one convolution."""

import numpy as np
from numpy.typing import NDArray

from songwright.audio.recursive import butterworth, impulse_response
from songwright.perform.effects.convolution import convolve

_TAPS = 1 << 13


def shelf(kind: str, frequency_hz: float, gain_db: float, sample_rate: int) -> NDArray[np.float64]:
    """Returns a low or high shelf of slope 1 as one section (6,).

    Reference: Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
    """
    a = 10.0 ** (gain_db / 40.0)
    w = 2 * np.pi * min(frequency_hz, 0.45 * sample_rate) / sample_rate
    cos, alpha = np.cos(w), np.sin(w) / 2 * np.sqrt(2.0)
    sign = 1.0 if kind == "low" else -1.0
    root = 2 * np.sqrt(a) * alpha
    b0 = a * ((a + 1) - sign * (a - 1) * cos + root)
    b1 = sign * 2 * a * ((a - 1) - sign * (a + 1) * cos)
    b2 = a * ((a + 1) - sign * (a - 1) * cos - root)
    a0 = (a + 1) + sign * (a - 1) * cos + root
    a1 = -sign * 2 * ((a - 1) + sign * (a + 1) * cos)
    a2 = (a + 1) + sign * (a - 1) * cos - root
    return np.asarray(np.array([b0, b1, b2, a0, a1, a2]) / a0)


def peak(frequency_hz: float, gain_db: float, q: float, sample_rate: int) -> NDArray[np.float64]:
    """Returns a peaking filter as one section (6,), from the same source as `shelf`."""
    a = 10.0 ** (gain_db / 40.0)
    w = 2 * np.pi * min(frequency_hz, 0.45 * sample_rate) / sample_rate
    alpha = np.sin(w) / (2 * q)
    section = np.array([1 + alpha * a, -2 * np.cos(w), 1 - alpha * a, 1 + alpha / a, -2 * np.cos(w), 1 - alpha / a])
    return np.asarray(section / section[3])


def sections(
    sample_rate: int,
    *,
    low_cut_hz: float = 0.0,
    high_cut_hz: float = 0.0,
    low_shelf_db: float = 0.0,
    low_shelf_hz: float = 120.0,
    high_shelf_db: float = 0.0,
    high_shelf_hz: float = 8000.0,
    peak_hz: float = 1000.0,
    peak_db: float = 0.0,
    peak_q: float = 1.0,
) -> NDArray[np.float64]:
    """Returns the equaliser's second-order sections (sections, 6); those that do nothing are left out."""
    rows: list[NDArray[np.float64]] = []
    if low_cut_hz > 0:
        rows.extend(butterworth(2, low_cut_hz, sample_rate, "highpass"))
    if 0 < high_cut_hz < 0.49 * sample_rate:
        rows.extend(butterworth(2, high_cut_hz, sample_rate))
    if low_shelf_db:
        rows.append(shelf("low", low_shelf_hz, low_shelf_db, sample_rate))
    if high_shelf_db:
        rows.append(shelf("high", high_shelf_hz, high_shelf_db, sample_rate))
    if peak_db:
        rows.append(peak(peak_hz, peak_db, peak_q, sample_rate))
    return np.array(rows).reshape(-1, 6)


def filtered(waveform: NDArray[np.float32], sos: NDArray[np.float64], *, taps: int = _TAPS) -> NDArray[np.float32]:
    """Returns the waveform through second-order sections, by their impulse response of so many taps.

    Args:
        waveform: (channels, samples).
        sos: (sections, 6).
        taps: long enough for the filters to have died away.
    """
    if len(sos) == 0:
        return waveform
    return convolve(waveform, impulse_response(sos, min(taps, max(1, waveform.shape[1]))))


def eq(
    waveform: NDArray[np.float32],
    sample_rate: int,
    *,
    low_cut_hz: float = 0.0,
    high_cut_hz: float = 0.0,
    low_shelf_db: float = 0.0,
    low_shelf_hz: float = 120.0,
    high_shelf_db: float = 0.0,
    high_shelf_hz: float = 8000.0,
    peak_hz: float = 1000.0,
    peak_db: float = 0.0,
    peak_q: float = 1.0,
) -> NDArray[np.float32]:
    """Returns the waveform equalised: cuts fall by 12 dB an octave, shelves have slope 1; 0 leaves a part out."""
    sos = sections(
        sample_rate, low_cut_hz=low_cut_hz, high_cut_hz=high_cut_hz, low_shelf_db=low_shelf_db,
        low_shelf_hz=low_shelf_hz, high_shelf_db=high_shelf_db, high_shelf_hz=high_shelf_hz,
        peak_hz=peak_hz, peak_db=peak_db, peak_q=peak_q,
    )  # fmt: skip
    return filtered(waveform, sos)
