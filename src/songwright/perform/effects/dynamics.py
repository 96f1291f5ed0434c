"""Level in time: compressor, gate, transient shaper, limiter.

Levels are followed on a control curve (a value every 64 samples, the limiter's every 32) and the gain is joined by
straight lines; attack times under a millisecond and a half are therefore that long. Nothing is delayed.
"""

import numpy as np
from numpy.typing import NDArray

from songwright.perform.effects.control import HOP, apply_gain, follow, hop_maximum, peak_of

_KNEE_DB = 6.0
_HOP = 64
_SILENCE_DB = -120.0


def to_db(levels: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns amplitudes in dB, at least -120."""
    return np.asarray(20.0 * np.log10(np.maximum(levels, 1e-6)), dtype=np.float64)


def static_gain_db(levels_db: NDArray[np.floating], threshold_db: float, ratio: float) -> NDArray[np.float64]:
    """Returns the gain of a soft-knee compressor for steady levels, 0 or below.

    Reference: Giannoulis, Massberg, Reiss, "Digital Dynamic Range Compressor Design" (2012), equation 4.
    """
    over = np.asarray(levels_db, dtype=np.float64) - threshold_db
    slope = 1.0 / ratio - 1.0
    knee = slope * np.square(np.clip(over + _KNEE_DB / 2, 0.0, _KNEE_DB)) / (2 * _KNEE_DB)
    return knee + slope * np.maximum(0.0, over - _KNEE_DB / 2)


def compressor(
    waveform: NDArray[np.float32],
    sample_rate: int,
    *,
    threshold_db: float = -18.0,
    ratio: float = 3.0,
    attack_ms: float = 10.0,
    release_ms: float = 120.0,
    makeup_db: float = 0.0,
    mix: float = 1.0,
) -> NDArray[np.float32]:
    """Returns the waveform with its loud moments held back; both channels by the same gain.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        threshold_db: peak level from which it acts.
        ratio: decibels in per decibel out above the threshold.
        attack_ms: time constant of the gain's fall.
        release_ms: time constant of its recovery.
        makeup_db: gain afterwards.
        mix: share of the compressed sound (parallel compression).
    """
    wanted = -static_gain_db(to_db(hop_maximum(waveform, _HOP)), threshold_db, ratio)
    points_per_ms = sample_rate / _HOP / 1000.0
    reduction = follow(wanted, attack_ms * points_per_ms, release_ms * points_per_ms)
    gain = 10.0 ** ((makeup_db - reduction) / 20.0) * mix + (1.0 - mix)
    return apply_gain(waveform, points(gain), hop=_HOP)


def points(per_hop: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns a curve of points from a value for each hop: the hop's value at its begin, the last one held."""
    return np.append(per_hop, per_hop[-1:] if len(per_hop) else [1.0])


def gate(
    waveform: NDArray[np.float32], sample_rate: int, *, threshold_db: float = -50.0, release_ms: float = 80.0
) -> NDArray[np.float32]:
    """Returns the waveform with what stays below the threshold faded out.

    Opens within a millisecond, ahead of the onset, and holds for 20 ms; closes by 60 dB with the release's speed.
    """
    from scipy.ndimage import maximum_filter1d

    levels = to_db(hop_maximum(waveform, _HOP))
    points_per_ms = sample_rate / _HOP / 1000.0
    hold = max(1, round(20.0 * points_per_ms))
    opened = maximum_filter1d(levels, 2 * hold + 1, origin=hold - 1, mode="nearest") > threshold_db
    depth = follow(np.where(opened, 0.0, -60.0), 0.2, release_ms * points_per_ms)
    gain = 10.0 ** (depth / 20.0)
    gain[depth < -59.0] = 0.0
    return apply_gain(waveform, points(gain), hop=_HOP)


def transient(
    waveform: NDArray[np.float32], sample_rate: int, *, attack_db: float = 3.0, sustain_db: float = 0.0
) -> NDArray[np.float32]:
    """Returns the waveform with its attacks and its tails made louder or softer, whatever their level.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        attack_db: gain of the strongest attacks.
        sustain_db: gain of the tails.
    """
    levels = to_db(hop_maximum(waveform, _HOP))
    ms = sample_rate / _HOP / 1000.0
    quick, slow = follow(levels, 0.7 * ms, 25.0 * ms), follow(levels, 25.0 * ms, 25.0 * ms)
    body, long = follow(levels, 1.0 * ms, 60.0 * ms), follow(levels, 1.0 * ms, 400.0 * ms)
    onset = np.clip((quick - slow) / 12.0, 0.0, 1.0)
    tail = np.clip((long - body) / 12.0, 0.0, 1.0)
    return apply_gain(waveform, points(10.0 ** ((attack_db * onset + sustain_db * tail) / 20.0)), hop=_HOP)


def limiter(waveform: NDArray[np.float32], sample_rate: int, *, ceiling_db: float = -1.0) -> NDArray[np.float32]:
    """Returns the waveform held under a ceiling of its sample peaks, looking 4 ms ahead."""
    ceiling = 10 ** (ceiling_db / 20.0)
    if peak_of(waveform) <= ceiling:
        return waveform
    return apply_gain(waveform, limiter_gain(hop_maximum(waveform), ceiling, sample_rate))


def limiter_gain(
    peaks: NDArray[np.floating], ceiling: float, sample_rate: int, *, release_ms: float = 120.0
) -> NDArray[np.float64]:
    """Returns the control curve that keeps hops with these peaks under a ceiling.

    The needed reduction is held by an exponential release, spread by the look-ahead and smoothed by a window as wide,
    so that the gain glides down before a peak and has arrived when it comes.

    Args:
        peaks: (hops,) largest magnitude of each hop of 32 samples.
        ceiling: amplitude that must not be passed.
        sample_rate: samples per second.
        release_ms: time constant of the recovery.

    Returns:
        (hops + 1,) gains of at most 1.
    """
    from scipy.ndimage import maximum_filter1d

    needed = np.maximum(0.0, to_db(peaks) - 20.0 * np.log10(ceiling))  # dB
    if not needed.any():
        return np.ones(len(peaks) + 1)
    keep = float(np.exp(-HOP / (release_ms * 1e-3 * sample_rate)))
    value = 0.0
    held = [value := level if level > value * keep else value * keep for level in needed.tolist()]
    at_points = np.maximum(np.append(held, held[-1]), np.append(held[0], held))  # a point serves the hops at both sides
    reach = max(1, round(0.002 * sample_rate / HOP))
    spread = maximum_filter1d(at_points, 2 * reach + 1, mode="nearest")
    window = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(spread, reach, mode="edge")
    smooth = np.convolve(padded, window / window.sum(), mode="valid")
    return np.asarray(10.0 ** (-smooth / 20.0))
