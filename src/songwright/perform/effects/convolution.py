"""Fast convolution of long waveforms, block by block (overlap-add); silent blocks cost nothing."""

import numpy as np
from numpy.typing import NDArray

_SMALLEST_FFT = 1 << 14
_ROWS = 8
"""Transforms made at once: the library then works on several in one vector instruction."""
_TOGETHER = 1 << 18
"""Samples transformed at once at most; more would leave the processor's cache."""


def convolve(
    waveform: NDArray[np.float32], response: NDArray[np.floating], *, onto: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Returns the waveform filtered by an impulse response, cut at the waveform's length.

    Args:
        waveform: (channels, samples).
        response: (taps,) for all channels, or (channels out, taps) with a waveform of one channel or as many.
        onto: another waveform (channels out, samples) to which the result is added, and which is returned.

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
    out = np.zeros((channels, num_samples), np.float32) if onto is None else onto
    sounding = [start for start in range(0, num_samples, step) if waveform[:, start : start + step].any()]
    together = max(1, min(_ROWS // channels, _TOGETHER // size))
    for first in range(0, len(sounding), together):
        starts = sounding[first : first + together]
        blocks = np.zeros((len(starts), len(waveform), size), np.float32)
        for block, start in zip(blocks, starts, strict=True):
            part = waveform[:, start : start + step]
            block[:, : part.shape[1]] = part
        spectra = fft.rfft(blocks, axis=2, overwrite_x=True)
        if len(waveform) == channels:
            spectra *= spectrum
        else:
            spectra = spectra * spectrum
        for wet, start in zip(fft.irfft(spectra, size, axis=2, overwrite_x=True), starts, strict=True):
            here = out[:, start : start + size]
            here += wet[:, : here.shape[1]]
    return out
