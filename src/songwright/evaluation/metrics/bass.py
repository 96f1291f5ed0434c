"""What the bass does: the root where the bar begins, and the kick drum's company."""

import numpy as np

from songwright.evaluation.piece import Piece, bar_of
from songwright.score.song import TICKS_PER_QUARTER

_TEMPLATES = {"major": (0, 4, 7), "minor": (0, 3, 7), "diminished": (0, 3, 6), "seventh": (0, 4, 7, 10)}


def bass_root_on_one(piece: Piece) -> float | None:
    """Returns the share of bars in which the bass plays the chord's root on the first beat.

    The root is estimated from all pitched notes of the bar alike for every source (template match by sounding time), so
    that pieces without chord symbols can be compared. Bars in which the bass is silent at the start are left out.
    """
    if not len(piece.bass):
        return None
    rows = np.concatenate([piece.bass, piece.accompaniment, piece.melody])
    hits = []
    for start, end in zip(piece.bar_ticks[:-1], piece.bar_ticks[1:], strict=True):
        here = piece.bass[(piece.bass[:, 0] >= start) & (piece.bass[:, 0] < start + TICKS_PER_QUARTER // 4)]
        if not len(here):
            continue
        sounding = np.minimum(rows[:, 0] + rows[:, 1], end) - np.maximum(rows[:, 0], start)
        use = sounding > 0
        weight = np.bincount(rows[use, 2] % 12, sounding[use].astype(float), minlength=12)
        root = _root(weight)
        if root is not None:
            hits.append(int(here[0, 2]) % 12 == root)
    return float(np.mean(hits)) if hits else None


def bass_kick_coincidence(piece: Piece) -> float | None:
    """Returns the share of bass onsets within a 32nd of a kick, over the bars that have both."""
    if not len(piece.bass) or not len(piece.kicks):
        return None
    bars_with_kick = set(bar_of(piece, piece.kicks).tolist())
    starts = piece.bass[:, 0]
    starts = starts[[int(b) in bars_with_kick for b in bar_of(piece, starts)]]
    if not len(starts):
        return None
    after = np.clip(np.searchsorted(piece.kicks, starts), 0, len(piece.kicks) - 1)
    before = np.maximum(after - 1, 0)
    gap = np.minimum(np.abs(piece.kicks[after] - starts), np.abs(piece.kicks[before] - starts))
    return float((gap <= TICKS_PER_QUARTER // 8).mean())


def _root(weight: np.ndarray) -> int | None:
    """Returns the root of the chord template that explains most of the weight, None where nothing stands out."""
    if weight.sum() <= 0 or np.count_nonzero(weight) < 2:
        return None
    scores: dict[int, float] = {}
    for tones in _TEMPLATES.values():
        for root in range(12):
            inside = weight[[(root + t) % 12 for t in tones]]
            score = (inside.sum() - 0.5 * (weight.sum() - inside.sum())) / len(tones) ** 0.5 + 0.1 * weight[root]
            scores[root] = max(scores.get(root, -np.inf), float(score))
    return max(scores, key=lambda r: (scores[r], -r))
