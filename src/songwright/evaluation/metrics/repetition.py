"""How much of a tune comes back."""

import numpy as np

from songwright.evaluation.piece import Piece, bar_of


def repetition_index(piece: Piece) -> float | None:
    """Returns the share of two-bar windows of the tune whose rhythm and intervals occur elsewhere in the piece.

    Windows with fewer than three notes are left out; transposed repeats count, shifts in time inside the bar do not.
    """
    bars = bar_of(piece, piece.melody[:, 0])
    windows: list[tuple[tuple[int, int], ...]] = []
    for bar in range(piece.num_bars - 1):
        rows = piece.melody[(bars == bar) | (bars == bar + 1)]
        if len(rows) < 3:
            continue
        quarter = max(1, (piece.bar_ticks[bar + 1] - piece.bar_ticks[bar]) // 16)
        places = (rows[:, 0] - piece.bar_ticks[bar]) // quarter
        steps = np.diff(rows[:, 2], prepend=rows[0, 2])
        windows.append(tuple(zip(places.tolist(), steps.tolist(), strict=True)))
    if not windows:
        return None
    counts: dict[tuple[tuple[int, int], ...], int] = {}
    for window in windows:
        counts[window] = counts.get(window, 0) + 1
    return sum(counts[w] > 1 for w in windows) / len(windows)
