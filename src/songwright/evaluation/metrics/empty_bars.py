"""How much room the tune leaves."""

import numpy as np

from songwright.evaluation.piece import Piece


def empty_bar_share(piece: Piece) -> float | None:
    """Returns the share of bars, from the tune's first to its last, in which no tune note sounds."""
    if not len(piece.melody):
        return None
    starts, ends = piece.melody[:, 0], piece.melody[:, 0] + piece.melody[:, 1]
    begins = np.searchsorted(piece.bar_ticks, starts, side="right") - 1
    finishes = np.searchsorted(piece.bar_ticks, ends, side="left") - 1
    sounding = np.zeros(max(piece.num_bars, 1), dtype=bool)
    for first, last in zip(np.maximum(begins, 0).tolist(), finishes.tolist(), strict=True):
        sounding[first : last + 1] = True
    where = np.flatnonzero(sounding)
    return float(1.0 - sounding[where[0] : where[-1] + 1].mean()) if len(where) else None
