"""How alike neighbouring bars are in rhythm."""

from songwright.evaluation.piece import Piece, onset_grid


def groove_consistency(piece: Piece) -> float | None:
    """Returns 1 minus the mean Hamming distance of the tune's onsets between neighbouring bars, on 16 steps a bar.

    Pairs of which both bars are empty are left out, so that rests do not count as groove.

    Reference:
        Wu and Yang, "The Jazz Transformer on the front line", ISMIR 2020, section 5 (grooving, neighbours as in MusPy).
    """
    grid = onset_grid(piece, piece.melody)
    sounding = grid[:-1].any(axis=1) | grid[1:].any(axis=1)
    if not sounding.any():
        return None
    distance = (grid[:-1] ^ grid[1:]).mean(axis=1)
    return float(1.0 - distance[sounding].mean())
