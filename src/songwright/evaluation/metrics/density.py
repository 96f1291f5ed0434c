"""How sections differ in how much happens."""

import numpy as np

from songwright.evaluation.piece import Piece


def density_contrast(piece: Piece) -> float | None:
    """Returns how much the tune's onsets a bar vary between the sections in which it plays: deviation over mean.

    A bar here is the piece's first bar length; sections without the tune are left out.
    """
    if len(piece.section_ticks) < 2 or not len(piece.melody):
        return None
    starts = piece.melody[:, 0]
    bar = piece.bar_ticks[1] - piece.bar_ticks[0]
    first = np.searchsorted(starts, piece.section_ticks[:, 0])
    last = np.searchsorted(starts, piece.section_ticks[:, 1])
    lengths = (piece.section_ticks[:, 1] - piece.section_ticks[:, 0]) / bar
    density = ((last - first) / np.maximum(lengths, 1e-9))[(last > first) & (lengths >= 2)]
    return float(density.std() / density.mean()) if len(density) > 1 else None
