"""Fits log-linear models by stochastic gradient (Adagrad, averaged over the last epoch, small L2)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Indices = Callable[[NDArray[np.int64]], NDArray[np.int64]]


def fit(
    indices: Indices,
    target: NDArray[np.int64],
    size: int,
    *,
    epochs: int,
    batch: int,
    rate: float = 0.25,
    decay: float = 2e-6,
) -> NDArray[np.float64]:
    """Returns the weights that make the targets likely.

    Args:
        indices: rows to (templates, rows, candidates) weight indices.
        target: the candidate that came, for each row.
        size: number of weights.
        epochs: passes over the rows.
        batch: rows in a step.
        rate: step size.
        decay: L2.
    """
    random = np.random.Generator(np.random.PCG64(0))
    weights, squares, mean = np.zeros(size), np.full(size, 1e-2), np.zeros(size)
    steps = 0
    for epoch in range(epochs):
        order = random.permutation(len(target))
        for first in range(0, len(order), batch):
            rows = order[first : first + batch]
            index = indices(rows)
            error = softmax(weights[index].sum(axis=0))
            error[np.arange(len(rows)), target[rows]] -= 1.0
            flat = np.broadcast_to(error, index.shape).ravel()
            gradient = np.bincount(index.ravel(), flat, size) / len(rows) + decay * weights
            squares += gradient * gradient
            weights -= rate * gradient / np.sqrt(squares)
            if epoch == epochs - 1:
                mean += weights
                steps += 1
    return mean / max(1, steps)


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns probabilities along the last axis."""
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: NDArray[np.float64] = scores / scores.sum(axis=-1, keepdims=True)
    return result


def nats(weights: NDArray[np.float64], indices: Indices, target: NDArray[np.int64], batch: int = 2048) -> float:
    """Returns the mean negative log-likelihood of the targets."""
    total = 0.0
    for first in range(0, len(target), batch):
        rows = np.arange(first, min(first + batch, len(target)))
        p = softmax(weights[indices(rows)].sum(axis=0))
        total -= float(np.log(p[np.arange(len(rows)), target[rows]]).sum())
    return total / max(1, len(target))
