"""Fast convolution of long waveforms, block by block (overlap-add); silent blocks cost nothing."""

import numpy as np
from numpy.typing import NDArray

_SMALLEST_FFT = 1 << 14


def convolve(
    waveform: NDArray[np.float32], response: NDArray[np.floating], *, onto: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Returns the waveform filtered by an impulse response, cut at the waveform's length.

    Args:
        waveform: (channels, samples).
        response: (taps,) for all channels, or (channels out, taps) with a waveform of one channel or as many.
        onto: a waveform (channels out, samples) to which the result is added instead, and which is returned.

    Returns:
        (channels out, samples)
    """
    from scipy import fft

    responses = np.atleast_2d(response).astype(np.float32)
    taps, num_samples = responses.shape[1], waveform.shape[1]
    size = max(_SMALLEST_FFT, 1 << (3 * taps - 1).bit_length())  # two thirds or more of each block are new samples
    step = size - taps + 1
    spectrum = fft.rfft(responses, size, axis=1)  # (R, bins)
    channels = max(len(responses), len(waveform))
    out = np.empty((channels, num_samples), np.float32) if onto is None else onto
    tail = np.zeros((channels, taps - 1), np.float32)  # what earlier blocks still have to give
    ringing = False
    for start in range(0, num_samples, step):
        block = waveform[:, start : start + step]
        here = out[:, start : start + step]
        if block.any():
            wet = fft.irfft(fft.rfft(block, size, axis=1) * spectrum, size, axis=1, overwrite_x=True)
            wet[:, : taps - 1] += tail
            tail = wet[:, step : step + taps - 1]
            ringing = True
        elif ringing:
            wet = np.zeros((channels, max(step, taps - 1)), np.float32)
            wet[:, : taps - 1] = tail
            tail = np.zeros_like(tail)
            ringing = False
        elif onto is None:
            here[...] = 0.0
            continue
        else:
            continue
        if onto is None:
            here[...] = wet[:, : here.shape[1]]
        else:
            here += wet[:, : here.shape[1]]
    return out
