"""Entropy of the tune's pitch classes."""

import numpy as np

from songwright.evaluation.piece import Piece


def pitch_class_entropy(piece: Piece) -> float | None:
    """Returns the entropy of the tune's 12 pitch classes in bits (0 to 3.58), by number of notes.

    Reference:
        Wu and Yang, "The Jazz Transformer on the front line", ISMIR 2020, section 5 (H over the whole piece).
    """
    if not len(piece.melody):
        return None
    counts = np.bincount(piece.melody[:, 2] % 12, minlength=12)
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())
