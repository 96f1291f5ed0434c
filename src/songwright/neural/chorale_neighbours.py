"""What voices did in remembered pieces when the networks were in nearly the same state of mind.

What a voice's prediction is made from (`VoiceHead.thoughts`, of all networks side by side) is compared with what it was
before every eighth of the remembered pieces, once for each set of voices that may be known; the nearer a state, the
more its voice's step counts. This is no learning: it uses what training has seen in places that the memory of melodies
(`chorale_memory`) does not find, since here the whole past counts as the networks understand it.

Reference: Khandelwal et al., Generalization through Memorization: Nearest Neighbor Language Models (ICLR 2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from songwright.neural.chorale_features import VOICES, ChoraleFeatures, Ids, features_of
from songwright.neural.chorale_memory import ChoraleMemory
from songwright.neural.chorale_model import QUESTIONS, ChoraleModel, piece_tensors

STRIDE = 2
"""Eighths are compared; between them next to nothing happens."""
DIMS = 64
"""Of the states, along which they differ most."""
_ROWS = 256


@dataclass(frozen=True, slots=True)
class States:
    """States of one voice in one question.

    Attributes:
        mean: (D,) of them.
        projection: (D, DIMS) from what is left of the mean, each number by its deviation, to the places of `states`.
        states: (DIMS, frames).
        lengths: (frames,) half their squared lengths.
    """

    mean: Tensor
    projection: Tensor
    states: Tensor
    lengths: Tensor


class Neighbours:
    """Remembers what states the networks were in, and what came then.

    Args:
        networks: they stay as they are.
        pieces: (frames, 4) codes of the remembered pieces.
        width: squared distance, in deviations, over which a state comes to count e times less than the nearest.
    """

    def __init__(self, networks: Sequence[ChoraleModel], pieces: Sequence[Ids], width: float) -> None:
        self.networks, self.width = networks, width
        every = [features_of(piece) for piece in pieces]
        thoughts = [self._thoughts(features) for features in every]
        self.steps = torch.cat([_steps(features) for features in every])  # (frames, 4)
        self.states = [
            [_states(torch.cat([part[q, :, voice] for part in thoughts])) for voice in range(VOICES)]
            for q in range(len(QUESTIONS.known))
        ]

    def answers(self, features: ChoraleFeatures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns p (Q, frames, 4) of the voices of a piece, and the nearest state's squared distance; NaN off eighths.

        Args:
            features: of the piece.
        """
        shape = len(QUESTIONS.known), len(features.codes), VOICES
        chances, nearest = np.full(shape, np.nan), np.full(shape, np.nan)
        thoughts, steps = self._thoughts(features), _steps(features)
        for q, row in enumerate(self.states):
            for voice, states in enumerate(row):
                p, near = self._compared(states, thoughts[q, :, voice], steps[:, voice], self.steps[:, voice])
                chances[q, ::STRIDE, voice], nearest[q, ::STRIDE, voice] = p.numpy(), near.numpy()
        return chances, nearest

    def _compared(self, states: States, asked: Tensor, steps: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """Returns (F,) what share of the states, by their weights, went the same step, and how far the nearest is."""
        places = (asked.float() - states.mean) @ states.projection
        chances, nearest = torch.empty(len(asked)), torch.empty(len(asked))
        for first in range(0, len(asked), _ROWS):
            rows = slice(first, first + _ROWS)
            near = torch.addmm(
                states.lengths, places[rows], states.states, beta=-1
            )  # -distance² / 2, but for a constant
            best = near.max(dim=1, keepdim=True).values
            weight = near.sub_(best).mul_(2 / self.width).exp_()
            chances[rows] = (weight * (known == steps[rows, None])).sum(1) / weight.sum(1)
            nearest[rows] = (places[rows] ** 2).sum(1) - 2 * best[:, 0]
        return chances, nearest.clamp(min=0)

    @torch.no_grad()
    def _thoughts(self, features: ChoraleFeatures) -> Tensor:
        """Returns (Q, eighths, 4, D) what the networks think, in half precision."""
        piece = piece_tensors(features, ChoraleMemory([], 1).recall(features.codes))  # places have no part in it
        frames = torch.arange(0, len(features.codes), STRIDE)
        parts = [network.thoughts(piece, QUESTIONS.known, frames) for network in self.networks]
        return torch.cat(parts, dim=-1).half()


def _steps(features: ChoraleFeatures) -> Tensor:
    """Returns (eighths, 4) how far each voice went from the frame before, in codes."""
    return torch.from_numpy((features.codes - features.last)[::STRIDE]).to(torch.int8)


def _states(thoughts: Tensor) -> States:
    """Returns states out of thoughts (frames, D)."""
    x = thoughts.float()
    mean, deviation = x.mean(0), x.std(0) + 1e-6
    x = (x - mean) / deviation
    _, axes = torch.linalg.eigh(x.T @ x)  # the largest come last
    chosen = axes[:, -DIMS:]
    states = (x @ chosen).T.contiguous()
    return States(mean, chosen / deviation[:, None], states, (states**2).sum(0) / 2)
