"""Weights between a torch network and named numpy arrays, and the running mean of weights."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from songwright.errors import CheckpointError


def model_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Returns a network's parameters and lasting buffers by name; what is shared appears once, under its first name."""
    kept = model.state_dict().keys()
    buffers = {name: buffer for name, buffer in model.named_buffers() if name in kept}
    return {**{name: parameter.data for name, parameter in model.named_parameters()}, **buffers}


def to_arrays(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    """Returns copies of tensors as numpy arrays on the CPU."""
    return {name: np.array(tensor.detach().cpu().numpy()) for name, tensor in tensors.items()}


def load_weights(model: nn.Module, arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Fills a network with weights of the same names and shapes.

    Args:
        model: changed in place.
        arrays: what `checkpoint.load_model` returns, or a part of a state.
        path: where they come from, for the error.

    Raises:
        CheckpointError: a weight is missing, has no place, or is of another shape.
    """
    fill(model_tensors(model), arrays, path)


def fill(tensors: Mapping[str, Tensor], arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Copies arrays into tensors of the same names and shapes.

    Raises:
        CheckpointError: they do not fit.
    """
    for name in [*(n for n in tensors if n not in arrays), *(n for n in arrays if n not in tensors)][:1]:
        where = "is missing in it" if name in tensors else "has no place in the network"
        raise CheckpointError(path, f"of another network: the weight '{name}' {where}")
    for name, tensor in tensors.items():
        if tuple(arrays[name].shape) != tuple(tensor.shape):
            raise CheckpointError(
                path,
                f"of another network: '{name}' has shape {tuple(arrays[name].shape)}, expected {tuple(tensor.shape)}",
            )
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(np.array(arrays[name])))


class RunningMean:
    """The exponential running mean of a network's trainable weights; young means forget faster.

    Args:
        model: the network; read at every update, never changed but inside `in_place`.
        decay: how much of the mean stays at each update; 0 keeps no mean at all.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.parameters = {n: p for n, p in model.named_parameters() if p.requires_grad} if decay > 0 else {}
        self.means = {name: parameter.detach().clone() for name, parameter in self.parameters.items()}

    def update(self, step: int) -> None:
        """Takes the weights in after optimiser step number `step`, counted from 1."""
        if self.means:
            decay = min(self.decay, (1 + step) / (10 + step))
            with torch.no_grad():
                torch._foreach_lerp_(list(self.means.values()), list(self.parameters.values()), 1 - decay)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Lets the network hold the mean while the block runs, and its own weights again afterwards."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for name, parameter in self.parameters.items():
            self.means[name], parameter.data = parameter.data, self.means[name]
