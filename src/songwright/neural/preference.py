"""Losses of tuning by preference and by reward, for any network: pure functions of nats, torch alone."""

import torch
from torch import Tensor
from torch.nn import functional


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
