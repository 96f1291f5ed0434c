"""Batches by number, made ahead in threads while an accelerator computes."""

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from songwright.seeding import generator
from songwright.training.task import Task

THREADS = 4

Batch = dict[str, Tensor]


class Batches:
    """Gives a task's batches in order of their numbers.

    Args:
        task: makes them.
        seed: of the training.
        device: where they go.
        ahead: how many are made ahead; on the CPU always none, since it has nothing else to compute with.
    """

    def __init__(self, task: Task, seed: int, device: torch.device, ahead: int) -> None:
        self.task, self.seed, self.device = task, seed, device
        self.ahead = ahead if device.type != "cpu" else 0
        self.pool = ThreadPoolExecutor(min(self.ahead, THREADS)) if self.ahead else None
        self.waiting: deque[tuple[int, Future[Batch]]] = deque()

    def get(self, number: int, stride: int = 1) -> Batch:
        """Returns one batch on the device.

        Args:
            number: which.
            stride: the distance to the number asked for next, for making ahead.
        """
        batch = self.make(number) if self.pool is None else self._ahead(self.pool, number, stride)
        return {name: tensor.to(self.device, non_blocking=True) for name, tensor in batch.items()}

    def make(self, number: int) -> Batch:
        """Returns one batch on the CPU, in pinned memory where it goes to a GPU."""
        batch: Mapping[str, Tensor] = self.task.train_batch(number, generator(self.seed, "batch", number))
        pin = self.device.type == "cuda"
        return {name: tensor.pin_memory() if pin else tensor for name, tensor in batch.items()}

    def _ahead(self, pool: ThreadPoolExecutor, number: int, stride: int) -> Batch:
        if not self.waiting or self.waiting[0][0] != number:
            self.waiting.clear()
        first = self.waiting[-1][0] + stride if self.waiting else number
        for later in range(first, number + stride * (self.ahead + 1), stride):
            self.waiting.append((later, pool.submit(self.make, later)))
        return self.waiting.popleft()[1].result()

    def close(self) -> None:
        """Ends the threads."""
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)
