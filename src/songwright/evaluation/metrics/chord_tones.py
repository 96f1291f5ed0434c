"""How often the tune agrees with the harmony where it is heard most."""

import numpy as np

from songwright.evaluation.piece import Piece, bar_of


def chord_tone_ratio(piece: Piece) -> float | None:
    """Returns the share of tune notes beginning on the first or middle beat of a bar that belong to the chord there."""
    if not len(piece.chords) or not len(piece.melody):
        return None
    bars = bar_of(piece, piece.melody[:, 0])
    inside = (bars >= 0) & (bars < piece.num_bars)
    notes, bars = piece.melody[inside], bars[inside]
    within = notes[:, 0] - piece.bar_ticks[bars]
    lengths = np.diff(piece.bar_ticks)[bars]
    strong = (within == 0) | (2 * within == lengths)
    current = np.searchsorted(piece.chords[:, 0], notes[:, 0], side="right") - 1
    bits = np.where(current >= 0, piece.chords[np.maximum(current, 0), 1], 0)
    use = strong & (bits > 0)
    if not use.any():
        return None
    return float(((bits[use] >> (notes[use, 2] % 12)) & 1).mean())
