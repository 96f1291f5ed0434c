"""Dynamic evaluation: a chorale network that goes on learning from a piece while it reads it.

A beat is predicted first and learned from afterwards, so that what is said about a frame still depends on the frames
before it alone; with the next piece the network is again what it was. The step is a gradient divided by how much the
network's predictions depend on each weight (the diagonal of the Fisher information, measured on remembered pieces that
the memory is kept from), so that what 229 pieces have settled moves little, and what they left open moves much.

Reference: Krause et al., Dynamic Evaluation of Neural Sequence Models (ICML 2018); the mean squares there are of the
same kind, their root divides there.
"""

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from songwright.neural.chorale_features import FRAMES_PER_BEAT, ChoraleFeatures, features_of
from songwright.neural.chorale_memory import ChoraleMemory, Recall
from songwright.neural.chorale_model import ORDERS, ChoraleModel, piece_tensors, questions_of

MEASURED_FRAMES = 16
"""A bar of four beats: gradients are squared bar by bar."""
EVERY = 4
"""Every fourth remembered piece is measured."""

Squares = list[Tensor]


def mean_squares(network: ChoraleModel, memory: ChoraleMemory) -> Squares:
    """Returns how much the nats of a bar depend on each weight: mean squared gradients, in the order of parameters().

    Args:
        network: whose gradients are taken; it stays as it is.
        memory: its pieces are read, each with itself held out.
    """
    parameters = list(network.parameters())
    total = [torch.zeros_like(parameter) for parameter in parameters]
    bars = 0
    for number in range(0, len(memory.pieces), EVERY):
        codes = memory.pieces[number].reshape(-1, memory.pieces[number].shape[-1])
        piece = piece_tensors(features_of(codes), memory.recall(codes, without=number))
        for first in range(0, len(codes), MEASURED_FRAMES):
            nats = _expected_nats(network, piece, first, min(first + MEASURED_FRAMES, len(codes)))[1]
            gradients = torch.autograd.grad(nats, parameters, allow_unused=True, materialize_grads=True)
            torch._foreach_addcmul_(total, gradients, gradients)
            bars += 1
    return [square / max(bars, 1) for square in total]


def adapted_log_probabilities(
    network: ChoraleModel,
    squares: Squares,
    features: ChoraleFeatures,
    recall: Recall,
    rate: float,
    damping: float,
) -> NDArray[np.float64]:
    """Returns ln p (24, frames) of each frame by each order of the voices, from a network that learns beat by beat.

    Args:
        network: what the piece begins with; it stays as it is.
        squares: of `mean_squares`.
        features: of the piece.
        recall: what the memory holds for it.
        rate: of learning; 1 / rate is about how many bars the network is taken to have seen already.
        damping: nats squared, added to the mean squares: what they must reach to count as settled.
    """
    network = copy.deepcopy(network).eval()
    parameters: list[Tensor] = list(network.parameters())
    steps = [-rate / (square + damping) for square in squares]
    piece = piece_tensors(features, recall)
    num_frames = len(features.codes)
    answers = []
    for first in range(0, num_frames, FRAMES_PER_BEAT):
        answer, nats = _expected_nats(network, piece, first, min(first + FRAMES_PER_BEAT, num_frames))
        answers.append(answer.detach())
        gradients = torch.autograd.grad(nats, parameters, allow_unused=True, materialize_grads=True)
        with torch.no_grad():
            torch._foreach_addcmul_(parameters, gradients, steps)
    return _QUESTIONS.log_probabilities(torch.cat(answers, dim=1))


_QUESTIONS = questions_of(ORDERS)
_SHARES = _QUESTIONS.shares()


def _expected_nats(network: ChoraleModel, piece: dict[str, Tensor], first: int, last: int) -> tuple[Tensor, Tensor]:
    """Returns nats (Q, frames, 4) and their sum over the frames, the mean over all orders of the voices."""
    nats = network.conditional_nats(piece, _QUESTIONS.known, first, last)
    return nats, (nats * _SHARES[:, None]).sum()
