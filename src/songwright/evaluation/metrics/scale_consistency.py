"""How well one scale holds the tune."""

import numpy as np

from songwright.evaluation.piece import Piece

_SCALES = [(0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)]


def scale_consistency(piece: Piece) -> float | None:
    """Returns the largest share of the tune's notes that one of the 24 major and minor scales holds.

    Reference:
        Mogren, "C-RNN-GAN", 2016, section 4 (scale consistency), with natural minor as in MusPy.
    """
    if not len(piece.melody):
        return None
    counts = np.bincount(piece.melody[:, 2] % 12, minlength=12)
    best = max(sum(counts[(tonic + step) % 12] for step in scale) for tonic in range(12) for scale in _SCALES)
    return float(best / counts.sum())
