"""Fast convolution of long waveforms, block by block (overlap-add); silent blocks cost nothing."""

import numpy as np
from numpy.typing import NDArray

_SMALLEST_FFT = 1 << 14


def convolve(waveform: NDArray[np.float32], response: NDArray[np.floating]) -> NDArray[np.float32]:
    """Returns the waveform filtered by an impulse response, cut at the waveform's length.

    Args:
        waveform: (channels, samples).
        response: (taps,) for all channels, or (channels out, taps) with a waveform of one channel or as many.

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
    out = np.zeros((channels, num_samples), np.float32)
    for start in range(0, num_samples, step):
        block = waveform[:, start : start + step]
        if not block.any():
            continue
        wet = fft.irfft(fft.rfft(block, size, axis=1) * spectrum, size, axis=1, overwrite_x=True)
        stop = min(start + block.shape[1] + taps - 1, num_samples)
        out[:, start:stop] += wet[:, : stop - start]
    return out
