"""Tempo of a recording, measured from its onsets alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVELS = (1.0, 2.0, 0.5, 3.0, 1 / 3, 1.5, 2 / 3, 4.0, 0.25)
"""Metrical levels at which a listener may tap: the beat, its double, its half…"""


@dataclass(frozen=True, slots=True)
class Tempo:
    """A measured tempo.

    Attributes:
        bpm: the level a listener would most likely tap.
        confidence: 0 to 1: how much the period stands out.
    """

    bpm: float
    confidence: float


def measure_tempo(onset_strength: NDArray[np.float64], frame_rate: float) -> Tempo:
    """Returns the tempo by autocorrelation of the onset strength, weighted to the tempi people tap.

    The period is refined on its long multiples, so the result is exact to about 0.1 %.

    Args:
        onset_strength: (frames,).
        frame_rate: frames a second.

    Reference:
        Ellis, "Beat tracking by dynamic programming", JNMR 2007, section 3 (the tapping prior).
    """
    strength = onset_strength - onset_strength.mean()
    if len(strength) < 4 * frame_rate or not np.any(strength):
        return Tempo(0.0, 0.0)
    size = 1 << int(np.ceil(np.log2(2 * len(strength))))
    spectrum = np.fft.rfft(strength, size)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2, size)[: len(strength)]
    correlation /= np.maximum(len(strength) - np.arange(len(strength)), 1)
    correlation /= correlation[0]
    candidates = np.geomspace(40.0, 240.0, 1200)
    lags = 60.0 / candidates * frame_rate
    positions = np.arange(len(correlation))
    comb = np.zeros(len(candidates))
    for multiple in (1, 2, 4):
        comb += np.interp(lags * multiple, positions, correlation) / 3
    prior = np.exp(-0.5 * (np.log2(candidates / 115.0) / 0.9) ** 2)
    best = int(np.argmax(comb * prior))
    return Tempo(_refine(correlation, candidates[best], frame_rate), float(np.clip(comb[best], 0.0, 1.0)))


def _refine(correlation: NDArray[np.float64], bpm: float, frame_rate: float) -> float:
    """Returns the tempo sharpened on ever longer multiples of its period."""
    lag = 60.0 / bpm * frame_rate
    longest = min(len(correlation) * 0.6, 40.0 * frame_rate)
    multiple = 1
    while lag * multiple * 2 < longest:
        multiple *= 2
        centre = lag * multiple
        reach = max(2.0, centre * 0.02 / multiple**0.5)
        low, high = int(max(1, centre - reach)), int(min(len(correlation) - 2, centre + reach))
        if high <= low:
            break
        peak = low + int(np.argmax(correlation[low : high + 1]))
        left, top, right = correlation[peak - 1 : peak + 2]
        curve = left - 2 * top + right
        offset = 0.5 * (left - right) / curve if curve < 0 else 0.0
        lag = (peak + float(np.clip(offset, -0.5, 0.5))) / multiple
    return float(60.0 * frame_rate / lag)


def at_level(measured_bpm: float, asked_bpm: float) -> float:
    """Returns the measured tempo at the metrical level nearest to the asked one."""
    if measured_bpm <= 0:
        return 0.0
    return min((measured_bpm * level for level in LEVELS), key=lambda bpm: abs(np.log(bpm / asked_bpm)))
