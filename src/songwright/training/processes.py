"""One process, or several that add their gradients up; accelerate starts and connects them where it is installed."""

import importlib
import importlib.util
import os
from collections.abc import Sequence

import torch
from torch import Tensor

from songwright.errors import InputError


class Processes:
    """What the processes of one training do together; with one process every method is the identity.

    Args:
        device: where this process computes.
        rank: its number; 0 writes the files.
        count: how many there are; above 1 torch.distributed must be connected.
    """

    def __init__(self, device: torch.device, rank: int = 0, count: int = 1) -> None:
        self.device, self.rank, self.count = device, rank, count

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and validates."""
        return self.rank == 0

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replaces each tensor by its sum over all processes, in one exchange."""
        if self.count == 1:
            return
        flat = torch.cat([tensor.reshape(-1).to(torch.float32) for tensor in tensors])
        torch.distributed.all_reduce(flat)
        with torch.no_grad():
            start = 0
            for tensor in tensors:
                tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
                start += tensor.numel()

    def from_first(self, *values: float) -> list[float]:
        """Returns the numbers that the first process gave, in every process."""
        if self.count == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.broadcast(tensor, 0)
        return [float(value) for value in tensor.tolist()]


def connect(device: str = "auto") -> Processes:
    """Returns the processes of this training: those of `accelerate launch`, else this one alone.

    Args:
        device: "auto" takes a GPU where there is one; else a torch device like "cpu", "cuda:1", "mps".

    Raises:
        InputError: there is no such device, or several processes were started without accelerate.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        if importlib.util.find_spec("accelerate") is None:
            raise InputError("several processes need the package accelerate: pip install accelerate, or start one")
        accelerate = importlib.import_module("accelerate")
        accelerator = accelerate.Accelerator(cpu=device == "cpu")
        return Processes(accelerator.device, accelerator.process_index, accelerator.num_processes)
    return Processes(_device(device))


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"no device '{name}' here ({str(error).splitlines()[0]}): try auto or cpu") from error
    return device
