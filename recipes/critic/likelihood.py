"""What the network's likelihood of a tune is worth to the critic: usual value, spread, weight, and worth in nats."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from corruptions import CORRUPTIONS
from numpy.typing import NDArray

from songwright.compose.learned.composer import load_composer
from songwright.compose.learned.critic import MOST_SPREADS, Critic
from songwright.compose.learned.critic_likelihood import tune_likelihood
from songwright.score.song import Song
from songwright.seeding import generator
from songwright.training.shards import Split

Floats = NDArray[np.float64]
Take = Callable[[Split, str, int], list[Song]]
CORPORA = ("pop909-hands", "openewld")
PIECES = 12
"""Of each corpus and side. The network learned from the training side: the usual value is that of the other."""


def learn_likelihood(take: Take, folder: Path, critic: Critic) -> dict[str, float]:
    """Returns the row of the table.

    The weight is that of a logistic regression on (total of all other terms, gain of the likelihood) over pieces held
    apart from the network. `nats` gives critic and likelihood an equal voice among candidates of an edit, where all
    but the edit is the same: the usual step of mean log-probability from a piece to its own spoilt forms over the usual
    step of the total. (A regression on both steps would leave the likelihood no voice: the total was learned from these
    very ways of spoiling, and a network's candidates are spoilt in other ways.)

    Args:
        take: returns pieces of a side and corpus.
        folder: of the exported composer.
        critic: with the other terms' weights.
    """
    reader = load_composer(folder)
    rows: list[tuple[bool, float, float]] = []
    steps: list[tuple[float, float]] = []
    for corpus in CORPORA:
        pieces = take("valid", corpus, PIECES)
        for i, piece in enumerate(pieces):
            spoilt = [c(piece, generator(i, "critic", k, corpus), pieces[i - 1]) for k, c in CORRUPTIONS.items()]
            found = [
                (critic.score(song).total, nats)
                for song in (piece, *(s for s in spoilt if s is not None))
                if (nats := tune_likelihood(reader, song)) is not None
            ]
            rows += [(j == 0, *pair) for j, pair in enumerate(found)]
            steps += [(found[0][0] - other[0], found[0][1] - other[1]) for other in found[1:]]
    real, total, likelihood = (np.array(column) for column in zip(*rows, strict=True))
    mean, spread = float(likelihood[real].mean()), float(likelihood[real].std())
    costs = np.minimum(np.maximum(0.0, (mean - likelihood) / spread), MOST_SPREADS) ** 2
    usual = float(costs[real].mean())
    weights = np.where(real, 0.5 / real.sum(), 0.5 / (~real).sum()) * len(real)
    weight = _logistic(np.column_stack([total, usual - costs]), real, weights)
    moves = np.array(steps)
    usual_steps = np.median(np.abs(moves), axis=0)
    print(f"likelihood: AUC alone {_auc(likelihood, real):.3f}, total {_auc(total, real):.3f}, "
          f"both {_auc(total * weight[0] + (usual - costs) * weight[1], real):.3f} ({len(rows)} tunes); "
          f"above its own spoilt forms: {np.mean(moves[:, 1] > 0):.3f}, total {np.mean(moves[:, 0] > 0):.3f}, "
          f"both with an equal voice {np.mean(moves @ (1 / usual_steps) > 0):.3f}")  # fmt: skip
    row = {"mean": mean, "spread": spread, "cost": usual, "weight": max(0.0, weight[1] / weight[0])}
    return {name: round(value, 5) for name, value in {**row, "nats": float(usual_steps[1] / usual_steps[0])}.items()}


def _logistic(inputs: Floats, labels: NDArray[np.bool_], weights: Floats) -> Floats:
    """Returns the slopes of a plain logistic regression."""
    scale = inputs.std(axis=0)
    rows = np.column_stack([inputs / scale, np.ones(len(inputs))])
    theta = np.zeros(rows.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(rows @ theta, -30, 30)))
        curve = (rows * (weights * np.maximum(p * (1 - p), 1e-6))[:, None]).T @ rows + np.eye(len(theta))
        theta -= np.linalg.solve(curve, rows.T @ (weights * (p - labels)) + theta)
    slopes: Floats = theta[:-1] / scale
    return slopes


def _auc(scores: Floats, real: NDArray[np.bool_]) -> float:
    return float(np.mean(scores[real][:, None] > scores[~real]))
