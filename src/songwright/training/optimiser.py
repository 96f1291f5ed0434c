"""AdamW with decay on matrices alone, its learning rate by step, and its state as named tensors."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from songwright.training.recipe import OptimiserSettings, ScheduleSettings
from songwright.training.weights import fill

MOMENTS = ("exp_avg", "exp_avg_sq")


def learning_rate(step: int, lr: float, schedule: ScheduleSettings) -> float:
    """Returns the rate of an optimiser step.

    Args:
        step: counted from 0.
        lr: the highest rate.
        schedule: a line up over `warmup_steps`, then a cosine that ends at `final_fraction` of it with `max_steps`.
    """
    if step < schedule.warmup_steps:
        return lr * (step + 1) / schedule.warmup_steps
    whole = max(1, schedule.max_steps - schedule.warmup_steps)
    done = min(1.0, (step - schedule.warmup_steps) / whole)
    low = schedule.final_fraction
    return lr * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * done)))


class Optimiser:
    """AdamW over a network's trainable weights.

    Args:
        model: what is trained; its weights must lie on their device already.
        settings: rates and decays.
    """

    def __init__(self, model: nn.Module, settings: OptimiserSettings) -> None:
        self.settings = settings
        self.parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
        matrices = [p for p in self.parameters.values() if p.ndim >= 2]
        vectors = [p for p in self.parameters.values() if p.ndim < 2]
        groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        self.adam = torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=settings.lr,
            betas=settings.betas,
            eps=settings.epsilon,
            fused=True,
        )

    def gradients(self) -> list[Tensor]:
        """Returns the gradients of all weights in a fixed order; zeros where the loss did not reach."""
        for parameter in self.parameters.values():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        return [p.grad for p in self.parameters.values() if p.grad is not None]

    def step(self, lr: float, count: Tensor) -> Tensor:
        """Moves the weights once and forgets the gradients.

        Args:
            lr: the learning rate.
            count: what the summed gradients are divided by; no dimensions.

        Returns:
            The gradient's norm before clipping; no dimensions, still on the device.
        """
        gradients = self.gradients()
        with torch.no_grad():
            torch._foreach_div_(gradients, count.to(torch.float32))
        limit = self.settings.clip_norm or math.inf
        norm = torch.nn.utils.clip_grad_norm_(self.parameters.values(), limit)
        for group in self.adam.param_groups:
            group["lr"] = lr
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        return norm

    def tensors(self) -> dict[str, Tensor]:
        """Returns both moments by the weights' names; empty before the first step."""
        return {
            f"{moment}.{name}": self.adam.state[parameter][moment]
            for name, parameter in self.parameters.items()
            if parameter in self.adam.state
            for moment in MOMENTS
        }

    def load(self, arrays: Mapping[str, NDArray[Any]], step: int, path: Path) -> None:
        """Takes up the moments of an earlier run.

        Args:
            arrays: as `tensors` returned them.
            step: how many steps were done.
            path: where they come from, for the error.

        Raises:
            CheckpointError: they are those of another network.
        """
        for parameter in self.parameters.values():
            self.adam.state[parameter] = {
                "step": torch.tensor(float(step), dtype=torch.float32, device=parameter.device),
                **{moment: torch.zeros_like(parameter) for moment in MOMENTS},
            }
        fill(self.tensors(), {name: np.asarray(array) for name, array in arrays.items()}, path)
