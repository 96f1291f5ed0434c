"""Curves applied to sound without aliasing: four times the sample rate inside, block by block.

Both filters are matrix products over short frames, which is the quickest way numpy has to run a polyphase filter.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from songwright.audio.frames import frame_products

_FACTOR = 4
_FRAME = 32
_REACH = 12
"""Samples at the outer rate that the filter reaches to each side."""
_BLOCK = 1 << 14


@lru_cache(maxsize=1)
def _matrices() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the matrices that raise and lower the rate of a frame with its surroundings.

    (frame + 2 reach, 4 frame) and (4 (frame + 2 reach), frame); a windowed sinc with its edge at 20 kHz of 44.1.
    """
    taps = np.arange(-_REACH * _FACTOR, _REACH * _FACTOR + 1) / _FACTOR
    edge = 0.94
    window = np.i0(7.0 * np.sqrt(np.maximum(0.0, 1 - (taps / (_REACH + 0.25)) ** 2))) / np.i0(7.0)
    kernel = edge * np.sinc(edge * taps) * window
    outer = np.arange(-_REACH, _FRAME + _REACH)
    inner = np.arange(_FRAME * _FACTOR)
    index = inner[None, :] - outer[:, None] * _FACTOR + _REACH * _FACTOR
    up = np.where((index >= 0) & (index < len(kernel)), kernel[np.clip(index, 0, len(kernel) - 1)], 0.0)
    wide = np.arange(-_REACH * _FACTOR, (_FRAME + _REACH) * _FACTOR)
    index = np.arange(_FRAME)[None, :] * _FACTOR - wide[:, None] + _REACH * _FACTOR
    down = np.where((index >= 0) & (index < len(kernel)), kernel[np.clip(index, 0, len(kernel) - 1)], 0.0) / _FACTOR
    return up.astype(np.float32), down.astype(np.float32)


def shaped(
    waveform: NDArray[np.float32], curve: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Returns the waveform through a memoryless curve, four times oversampled; silent blocks stay silent.

    Args:
        waveform: (channels, samples).
        curve: maps amplitudes to amplitudes, zero to zero; may work in place.
    """
    up, down = _matrices()
    channels, num_samples = waveform.shape
    out = np.zeros_like(waveform)
    margin = 2 * _FRAME  # the filters reach 12 + 12 samples
    for start in range(0, num_samples, _BLOCK):
        stop = min(start + _BLOCK, num_samples)
        low, high = max(0, start - margin), min(num_samples, stop + margin)
        if not waveform[:, low:high].any():
            continue
        inner = -(-(stop - start) // _FRAME) * _FRAME + 2 * _FRAME  # computed at the inner rate, a frame more per side
        block = np.zeros((channels, inner + 2 * _REACH), np.float32)
        offset = start - _FRAME - _REACH
        first, last = max(0, offset), min(num_samples, offset + block.shape[1])
        block[:, first - offset : last - offset] = waveform[:, first:last]
        raised = curve(frame_products(block, up, _FRAME)).reshape(channels, -1)  # (C, 4 inner)
        skip = (_FRAME - _REACH) * _FACTOR
        lowered = frame_products(raised[:, skip : raised.shape[1] - skip], down, _FRAME * _FACTOR)
        out[:, start:stop] = lowered.reshape(channels, -1)[:, : stop - start]
    return out
