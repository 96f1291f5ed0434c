"""What steps and leaps a tune is made of."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from songwright.evaluation.piece import Piece
from songwright.score.song import TICKS_PER_QUARTER

LARGEST = 12
_LONGEST_REST_TICKS = 2 * TICKS_PER_QUARTER


def interval_histogram(pieces: Sequence[Piece]) -> NDArray[np.float64]:
    """Returns (25,) shares of the intervals from -12 to 12 semitones between tune notes less than two beats apart.

    Larger intervals count as the octave; every piece has the same weight.
    """
    total = np.zeros(2 * LARGEST + 1)
    for piece in pieces:
        rows = piece.melody
        if len(rows) < 2:
            continue
        near = rows[1:, 0] - (rows[:-1, 0] + rows[:-1, 1]) < _LONGEST_REST_TICKS
        steps = np.clip(np.diff(rows[:, 2])[near], -LARGEST, LARGEST)
        if len(steps):
            total += np.bincount(steps + LARGEST, minlength=2 * LARGEST + 1) / len(steps)
    shares: NDArray[np.float64] = total / max(float(total.sum()), 1e-9)
    return shares


def interval_distance(reference: Sequence[Piece], estimate: Sequence[Piece]) -> float:
    """Returns the total variation distance (0 to 1) between the interval histograms of two sets."""
    return float(0.5 * np.abs(interval_histogram(reference) - interval_histogram(estimate)).sum())
