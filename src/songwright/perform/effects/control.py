"""Gains that move slowly: computed once every few samples, joined by straight lines when they are applied."""

import numpy as np
from numpy.typing import NDArray

HOP = 32
"""Samples between two values of a control curve: 0.7 ms at 44.1 kHz."""
_ROWS = 1 << 11


def num_points(num_samples: int, hop: int = HOP) -> int:
    """Returns how many values a curve has over so many samples: one at each hop's begin and one after the end."""
    return -(-num_samples // hop) + 1


def apply_gain(
    waveform: NDArray[np.float32], gain: NDArray[np.floating], *, hop: int = HOP, out: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Returns the waveform times a control curve.

    Args:
        waveform: (channels, samples).
        gain: (points,) or (channels, points), see `num_points`.
        hop: samples between the points.
        out: where the result goes; may be the waveform itself.
    """
    result = np.empty_like(waveform) if out is None else out
    curve = np.atleast_2d(gain).astype(np.float32)
    ramp = (np.arange(hop, dtype=np.float32) / np.float32(hop))[None, None, :]
    num_samples = waveform.shape[1]
    for first in range(0, curve.shape[1] - 1, _ROWS):
        part = curve[:, first : first + _ROWS + 1]
        start = first * hop
        stop = min(num_samples, start + (part.shape[1] - 1) * hop)
        base = part[:, :-1, None]
        lines = (part[:, 1:, None] - base) * ramp
        lines += base
        gains = lines.reshape(len(curve), -1)[:, : stop - start]
        np.multiply(waveform[:, start:stop], gains, out=result[:, start:stop])
    return result


def peak_of(waveform: NDArray[np.float32]) -> float:
    """Returns the largest magnitude."""
    return max(float(waveform.max(initial=0.0)), -float(waveform.min(initial=0.0)))


def hop_maximum(waveform: NDArray[np.float32], hop: int = HOP) -> NDArray[np.float32]:
    """Returns the largest magnitude of each hop over all channels. (hops,)."""
    num_samples = waveform.shape[1]
    count = -(-num_samples // hop)
    result = np.zeros(count, np.float32)
    step = _ROWS * hop
    for start in range(0, num_samples, step):
        block = np.abs(waveform[:, start : start + step]).max(axis=0)
        block = np.pad(block, (0, -len(block) % hop))
        result[start // hop : start // hop + len(block) // hop] = block.reshape(-1, hop).max(axis=1)
    return result


def follow(levels: NDArray[np.floating], attack_points: float, release_points: float) -> NDArray[np.float64]:
    """Returns levels smoothed by one speed upwards and another downwards.

    Args:
        levels: (points,).
        attack_points: time constant upwards, in points.
        release_points: time constant downwards, in points.
    """
    rise = 1.0 - float(np.exp(-1.0 / max(attack_points, 1e-3)))
    fall = 1.0 - float(np.exp(-1.0 / max(release_points, 1e-3)))
    value = float(levels[0]) if len(levels) else 0.0
    return np.array([value := value + (level - value) * (rise if level > value else fall) for level in levels.tolist()])
