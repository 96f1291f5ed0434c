"""From the sum of the stems to the finished mix: bus effects, glue, loudness, true-peak limiter."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.audio import loudness
from songwright.perform.effects.chain import apply_chain
from songwright.perform.effects.control import HOP, apply_gain
from songwright.perform.effects.dynamics import compressor, limiter_gain
from songwright.score.song import MasterMix

CEILING_DBTP = -1.0
"""True peak that a mix never passes."""
BUS_LUFS = -18.0
"""Loudness at which the bus effects are fed, so that their thresholds mean the same in every song."""
TOLERANCE_LU = 0.5

_MARGIN_DB = 0.12
_SANE_LIMITING_DB = 10.0
_LARGEST_GAIN_DB = 60.0


@dataclass(frozen=True)
class Mastered:
    """The finished mix.

    Attributes:
        waveform: (2, samples).
        loudness_lufs: integrated, measured on it; -70 for silence.
        true_peak_dbtp: measured on it; -120 for silence.
        limiting_db: the limiter's deepest moment.
        notes: what a listener should know, e.g. that the loudness could not be had.
    """

    waveform: NDArray[np.float32]
    loudness_lufs: float
    true_peak_dbtp: float
    limiting_db: float
    notes: tuple[str, ...] = ()


def master(
    waveform: NDArray[np.float32], sample_rate: int, settings: MasterMix, *, beat_seconds: float = 0.5
) -> Mastered:
    """Returns the mix at the asked loudness, its true peak at most `CEILING_DBTP`; the waveform is used up.

    Args:
        waveform: (2, samples), the sum of the stems.
        sample_rate: samples per second.
        settings: bus effects and loudness.
        beat_seconds: a quarter note, for bus effects that move with the beat.
    """
    before = loudness.integrated_lufs(waveform, sample_rate)
    if before <= loudness.FLOOR_LUFS:
        return Mastered(waveform, loudness.FLOOR_LUFS, loudness.true_peak_dbtp(waveform), 0.0, ("the song is silent",))
    waveform *= np.float32(10 ** ((BUS_LUFS - before) / 20))
    waveform = apply_chain(waveform, sample_rate, settings.inserts, beat_seconds=beat_seconds)
    waveform = compressor(waveform, sample_rate, threshold_db=-10.0, ratio=1.6, attack_ms=30.0, release_ms=180.0)
    return _limited(waveform, sample_rate, settings.loudness_lufs)


def _limited(waveform: NDArray[np.float32], sample_rate: int, target_lufs: float) -> Mastered:
    """Returns the waveform brought to a loudness under the ceiling.

    Gain and limiting are found on control curves alone: K-weighted energy and true peaks of every 32 samples, both of
    which scale with the gain. The audio itself is touched once, and measured afterwards.
    """
    with ThreadPoolExecutor(2) as pool:
        measured = pool.submit(loudness.energy, waveform, sample_rate, HOP)
        peaks = loudness.hop_peaks(waveform, HOP)
        energies = measured.result()
    ceiling = 10 ** ((CEILING_DBTP - _MARGIN_DB) / 20)
    gain_db, curve = _solve(energies, peaks, ceiling, sample_rate, target_lufs)
    factor = 10 ** (gain_db / 20)
    result = apply_gain(waveform, curve * factor, out=waveform)
    reached, peak = _measured(result, sample_rate)
    if peak > CEILING_DBTP:
        result *= np.float32(10 ** ((CEILING_DBTP - 0.01 - peak) / 20))
        reached, peak = _measured(result, sample_rate)
    deepest = max(0.0, float(-20 * np.log10(max(curve.min(), 1e-6))))
    notes = []
    if deepest > _SANE_LIMITING_DB:
        notes.append(f"the limiter had to hold back {deepest:.0f} dB to reach {target_lufs:g} LUFS")
    if abs(reached - target_lufs) > TOLERANCE_LU:
        notes.append(f"the loudness is {reached:.1f} LUFS: the music is too sparse for {target_lufs:g}")
    return Mastered(result, reached, peak, deepest, tuple(notes))


def _measured(waveform: NDArray[np.float32], sample_rate: int) -> tuple[float, float]:
    """Returns the integrated loudness and the true peak, measured side by side."""
    with ThreadPoolExecutor(2) as pool:
        loud = pool.submit(loudness.integrated_lufs, waveform, sample_rate)
        peak = loudness.true_peak_dbtp(waveform)
        return loud.result(), peak


def _solve(
    energies: NDArray[np.float64],
    peaks: NDArray[np.float32],
    ceiling: float,
    sample_rate: int,
    target_lufs: float,
) -> tuple[float, NDArray[np.float64]]:
    """Returns the gain and the limiter's curve that give the loudness: secant steps, kept within bounds."""

    def at(gain_db: float) -> tuple[float, NDArray[np.float64]]:
        factor = 10 ** (gain_db / 20)
        curve = limiter_gain(peaks * np.float32(factor), ceiling, sample_rate)
        shaped = energies * np.square(0.5 * (curve[:-1] + curve[1:]) * factor)
        return loudness.gated(loudness.windows(shaped, HOP, sample_rate, 0.4)), curve

    low = loudness.gated(loudness.windows(energies, HOP, sample_rate, 0.4))
    gain_db = target_lufs - low
    slope = 1.0
    value, curve = at(gain_db)
    for _ in range(8):
        missing = target_lufs - value
        if abs(missing) < 0.03 or gain_db >= _LARGEST_GAIN_DB:
            break
        step = float(np.clip(missing / slope, -12.0, 12.0))
        following, next_curve = at(min(gain_db + step, _LARGEST_GAIN_DB))
        slope = float(np.clip((following - value) / step, 0.15, 1.0))
        gain_db, value, curve = min(gain_db + step, _LARGEST_GAIN_DB), following, next_curve
    return gain_db, curve
