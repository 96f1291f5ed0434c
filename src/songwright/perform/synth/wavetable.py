"""Band-limited periodic waves whose filter is part of the table.

A low-pass over a periodic wave only scales and turns its harmonics. So each note has one table for each of a row of
cutoffs, and a filter sweep walks from table to table: no recursion, nothing above half the sample rate, any number of
detuned oscillators from the same tables.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

TABLE_SIZE = 2048
NUM_CUTOFFS = 24
LOWEST_CUTOFF_HZ = 60.0
HIGHEST_CUTOFF_HZ = 20000.0


def harmonics(shape: str, count: int, pulse_width: float = 0.5) -> NDArray[np.complex128]:
    """Returns (count,) complex amplitudes of the harmonics of a wave, first harmonic first.

    Args:
        shape: ``saw, square, triangle, sine, organ, strings``.
        count: how many harmonics.
        pulse_width: share of the period that a square is high.
    """
    n = np.arange(1, count + 1)
    if shape == "saw":
        amplitude = 2.0 / (np.pi * n) * np.exp(1j * np.pi / 2)
    elif shape == "square":
        amplitude = 4.0 / (np.pi * n) * np.sin(np.pi * n * pulse_width) * np.exp(-1j * np.pi * n * pulse_width)
    elif shape == "triangle":
        amplitude = np.where(n % 2 == 1, 8.0 / (np.pi * n) ** 2, 0.0).astype(complex)
    elif shape == "organ":
        drawbars = {1: 1.0, 2: 0.7, 3: 0.5, 4: 0.35, 6: 0.25, 8: 0.2}
        amplitude = np.array([drawbars.get(int(k), 0.0) for k in n], dtype=complex) * 1j
    elif shape == "strings":
        amplitude = 2.0 / (np.pi * n**0.9) * np.exp(1j * np.pi * (n * n * 0.31))
    else:
        amplitude = np.where(n == 1, 1.0, 0.0) * -1j
    return np.asarray(amplitude, dtype=np.complex128)


def cutoffs() -> NDArray[np.float64]:
    """Returns (NUM_CUTOFFS,) cutoffs of the tables, evenly spaced in pitch."""
    return np.geomspace(LOWEST_CUTOFF_HZ, HIGHEST_CUTOFF_HZ, NUM_CUTOFFS)


@lru_cache(maxsize=256)
def tables(
    shape: str, semitone: int, sample_rate: int, resonance: float = 0.7, order: int = 1, pulse_width: float = 0.5
) -> NDArray[np.float32]:
    """Returns (NUM_CUTOFFS, TABLE_SIZE + 1) one period behind every cutoff; the last column is the first.

    Args:
        shape: see `harmonics`.
        semitone: highest MIDI note the table is played at; harmonics that would pass half the sample rate are left out.
        sample_rate: hertz.
        resonance: quality of the low-pass; 0.7 is flat, 4 rings.
        order: how many two-pole stages.
        pulse_width: of a square.
    """
    frequency = 440.0 * 2.0 ** ((semitone - 69) / 12)
    count = int(max(1, min(TABLE_SIZE // 2 - 1, 0.46 * sample_rate / frequency)))
    wave = harmonics(shape, count, pulse_width)
    s = 1j * frequency * np.arange(1, count + 1)[None, :] / cutoffs()[:, None]  # (cutoffs, harmonics)
    response = (1.0 / (1.0 + s / resonance + s * s)) ** order
    spectrum = np.zeros((NUM_CUTOFFS, TABLE_SIZE // 2 + 1), dtype=np.complex128)
    spectrum[:, 1 : count + 1] = wave * response * (TABLE_SIZE / 2)
    table = np.fft.irfft(spectrum, axis=1)  # (cutoffs, TABLE_SIZE)
    return np.concatenate([table, table[:, :1]], axis=1).astype(np.float32)


def play(
    table: NDArray[np.float32], phase: NDArray[np.float64], cutoff_hz: NDArray[np.float32] | float
) -> NDArray[np.float32]:
    """Returns (samples,) the wave at every phase and cutoff.

    Args:
        table: from `tables`.
        phase: (samples,) in periods, any value.
        cutoff_hz: (samples,) or one value.
    """
    position = (phase - np.floor(phase)) * TABLE_SIZE
    index = position.astype(np.int32)
    fraction = (position - index).astype(np.float32)
    octaves = np.log(HIGHEST_CUTOFF_HZ / LOWEST_CUTOFF_HZ)
    level = np.log(np.clip(cutoff_hz, LOWEST_CUTOFF_HZ, HIGHEST_CUTOFF_HZ) / LOWEST_CUTOFF_HZ)
    level = np.asarray(level * ((NUM_CUTOFFS - 1) / octaves), dtype=np.float32)
    if level.ndim == 0:
        low = int(min(NUM_CUTOFFS - 2, int(level)))
        mixed = table[low] + (float(level) - low) * (table[low + 1] - table[low])
        here = mixed[index]
        return np.asarray(here + fraction * (mixed[index + 1] - here), dtype=np.float32)
    row = np.minimum(level.astype(np.int32), NUM_CUTOFFS - 2)
    blend = level - row
    flat = table.ravel()
    at = row * (TABLE_SIZE + 1) + index
    lower = flat[at] + fraction * (flat[at + 1] - flat[at])
    at += TABLE_SIZE + 1
    upper = flat[at] + fraction * (flat[at + 1] - flat[at])
    return np.asarray(lower + blend * (upper - lower), dtype=np.float32)
