"""What a recipe gives the trainer: a network, its batches, its loss and its validation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class LossParts:
    """What one batch costs; sums, so that parts of a batch, and processes, add up exactly.

    Args:
        nats: the cross entropies that the curves show, summed over all predictions; float32, no dimensions.
        count: how many predictions these are; no dimensions.
        objective: what is made smaller instead of `nats` where they differ (a weighted or regularised loss), summed
            like it; its gradient is divided by `count` too.
        shown: further sums for the curves, each divided by `count` there.
    """

    nats: Tensor
    count: Tensor
    objective: Tensor | None = None
    shown: Mapping[str, Tensor] = field(default_factory=dict)


class Task(Protocol):
    """One thing to learn.

    `train_batch` has to be a pure function of its arguments: that is what makes a training that was killed and
    resumed end with the same weights as one that never stopped, and any number of processes see the same batches.
    It may be called from a thread, ahead of time.
    """

    @property
    def name(self) -> str:
        """What is learned, for the log."""

    def build_model(self) -> nn.Module:
        """Returns the network with its first weights; torch's generator is seeded before the call."""

    def train_batch(self, number: int, random: np.random.Generator, /) -> Mapping[str, Tensor]:
        """Returns one batch on the CPU, made from the number and the generator alone.

        Args:
            number: 0, 1, 2, …: counts the batches of the whole training, each accumulated part and each process
                having its own.
            random: seeded for this number.
        """

    def loss(self, model: nn.Module, batch: Mapping[str, Tensor], /) -> LossParts:
        """Returns what the batch costs; called with the model in training mode, under autocast."""

    def validate(self, model: nn.Module, /) -> Mapping[str, float]:
        """Returns measures of the model (in evaluation mode, without gradients), ``"nats"`` the one to make small.

        The model holds the running mean of the weights and lies on the training's device. Measures of a group,
        ``"corpus/pop909"``, stand in the curves alone, each group in a picture of its own.
        """

    def model_config(self) -> Mapping[str, Any]:
        """Returns what goes into the model's `config.json`: kind, network, vocabulary hash, data ids, ledger."""


@runtime_checkable
class SamplingTask(Protocol):
    """A task that can also write what the model makes so far."""

    def sample(self, model: nn.Module, folder: Path, step: int, /) -> None:
        """Writes a few examples of the model's making into a folder that exists."""
