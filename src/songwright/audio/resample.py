"""Changing the sample rate."""

import numpy as np
from numpy.typing import NDArray

from songwright.errors import InputError


def resample(waveform: NDArray[np.float32], from_rate: int, to_rate: int) -> NDArray[np.float32]:
    """Returns the waveform at another sample rate (soxr, very high quality, linear phase).

    Args:
        waveform: (channels, samples) or (samples,).
        from_rate: its sample rate.
        to_rate: the sample rate wanted.

    Raises:
        InputError: a rate is not positive.
    """
    if from_rate <= 0 or to_rate <= 0:
        raise InputError(f"sample rates must be positive, not {from_rate} and {to_rate}")
    if from_rate == to_rate:
        return waveform
    import soxr

    result = soxr.resample(np.ascontiguousarray(waveform.T), from_rate, to_rate, quality="VHQ")
    return np.ascontiguousarray(result.T, dtype=np.float32)
