"""Losses of tuning by preference and by reward, for a `MultiStreamLM`: pure functions of nats, torch alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from songwright.neural.language_model import MultiStreamLM


@dataclass(frozen=True, slots=True)
class ChosenNats:
    """What a network thinks of the numbers that are to be learned.

    Attributes:
        nats: (N, K) of each event with such numbers, in order of (row, step), 0 where a stream has none; float32.
        rows: (N,) row of each.
        wanted: (N, K) where there are such numbers.
    """

    nats: Tensor
    rows: Tensor
    wanted: Tensor

    def by_row(self, count: int) -> Tensor:
        """Returns (count,) the nats of each row."""
        return torch.zeros(count, device=self.nats.device).index_add(0, self.rows, self.nats.sum(1))

    def events(self, count: int) -> Tensor:
        """Returns (count,) how many events of each row count, at least 1."""
        found = torch.zeros(count, device=self.nats.device)
        return found.index_add(0, self.rows, torch.ones_like(self.rows, dtype=found.dtype)).clamp_min(1.0)


def chosen_nats(model: MultiStreamLM, batch: Mapping[str, Tensor]) -> ChosenNats:
    """Returns the nats of what is to be learned; the depth transformer and every head run over those events alone.

    Args:
        model: with any pattern; "depth" takes the short way.
        batch: codes (B, K, T) int64, features (B, F, T) int64, mask (B, K, T) bool.
    """
    codes, mask = batch["codes"], batch["mask"]
    chosen = mask.any(1)  # (B, T)
    wanted = mask.transpose(1, 2)[chosen]  # (N, K)
    target = codes.transpose(1, 2)[chosen]
    if model.depth is not None:
        hidden = model.hidden(codes, batch["features"])[chosen]  # (N, D)
        vectors = model.depth(hidden[None], model.ids(codes)[chosen][None])[0]  # (N, K, depth)
        each = [head(vectors[wanted[:, k], k]) for k, head in enumerate(model.heads)]
    else:
        each = [logits[chosen][wanted[:, k]] for k, logits in enumerate(model(codes, batch["features"]))]
    columns = []
    for k, logits in enumerate(each):
        found = functional.cross_entropy(logits.float(), target[wanted[:, k], k], reduction="none")
        columns.append(torch.zeros(len(wanted), device=codes.device).masked_scatter(wanted[:, k], found))
    return ChosenNats(torch.stack(columns, dim=1), chosen.nonzero()[:, 0], wanted)


def preference_margin(chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor) -> Tensor:
    """Returns (P,) by how many nats more than the reference the network prefers the chosen ones; all args (P,) nats."""
    return (reference_chosen - chosen) - (reference_rejected - rejected)


def preference_loss(margin: Tensor, beta: float) -> Tensor:
    """Returns (P,) the loss of direct preference optimisation.

    Args:
        margin: (P,) from `preference_margin`.
        beta: how dearly the network pays for leaving the reference; small is cheap.

    Reference: Rafailov et al. 2023, "Direct Preference Optimization", equation 7.
    """
    return -functional.logsigmoid(beta * margin)


def advantages(rewards: Tensor, *, normalise: bool) -> Tensor:
    """Returns (W, S): how much better each sample is than the others of its window.

    Args:
        rewards: (W, S) with S of at least 2.
        normalise: whether they are divided by the spread of all of them, so that no scale matters.

    Reference: Kool et al. 2019, "Buy 4 REINFORCE Samples, Get a Baseline for Free!".
    """
    samples = rewards.shape[1]
    found = (rewards - rewards.mean(1, keepdim=True)) * (samples / (samples - 1))
    if normalise:
        found = found / found.square().mean().sqrt().clamp_min(1e-6)
    return found


def drift(policy: Tensor, reference: Tensor) -> Tensor:
    """Returns an estimate, never below 0, of the divergence from the reference at numbers that the policy drew.

    Args:
        policy: nats of each, with gradients.
        reference: nats of each under the reference.

    Reference: Schulman 2020, "Approximating KL Divergence", estimator k3; its mean is right for the policy's own draws.
    """
    ahead = (policy - reference).clamp(-20.0, 20.0)
    return torch.exp(ahead) - ahead - 1.0
