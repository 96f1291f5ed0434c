"""How K streams of T steps lie on the positions of a backbone. A new pattern is a class and a line in `PATTERNS`.

The order of slots that follows from a pattern is `step_model.SlotOrder`.
"""

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional


class Pattern(Protocol):
    """Where slots lie. All tensors hold ids of one common table."""

    def seen(self, ids: Tensor, first: int, last: int, nothing: int) -> Tensor:
        """Returns (B, n, S): the slots at positions first … last - 1, whose embeddings are added up.

        Args:
            ids: (B, T, K).
            first: 0 or more.
            last: at most the number of positions.
            nothing: id that stands where a position has no slot.
        """

    def by_position(self, steps: Tensor, num_streams: int, nothing: int) -> Tensor:
        """Returns (B, P, F) from given inputs (B, T, F): what is given when a position is predicted."""

    def by_stream(self, hidden: Tensor, num_streams: int, num_steps: int) -> list[Tensor]:
        """Returns for each stream (B, T, D), the vectors that predict it, from all positions (B, P, D)."""


class Flat:
    """One slot a position, streams of a step one after another."""

    def seen(self, ids: Tensor, first: int, last: int, nothing: int) -> Tensor:
        """See `Pattern`."""
        return ids.flatten(1)[:, first:last, None]  # (B, n, 1)

    def by_position(self, steps: Tensor, num_streams: int, nothing: int) -> Tensor:
        """See `Pattern`."""
        return steps.repeat_interleave(num_streams, dim=1)

    def by_stream(self, hidden: Tensor, num_streams: int, num_steps: int) -> list[Tensor]:
        """See `Pattern`."""
        return list(hidden.view(hidden.shape[0], num_steps, num_streams, -1).unbind(2))


class Whole:
    """One step a position: the streams of a step are independent (parallel) or left to a depth transformer (depth)."""

    def seen(self, ids: Tensor, first: int, last: int, nothing: int) -> Tensor:
        """See `Pattern`."""
        return ids[:, first:last]  # (B, n, K)

    def by_position(self, steps: Tensor, num_streams: int, nothing: int) -> Tensor:
        """See `Pattern`."""
        return steps

    def by_stream(self, hidden: Tensor, num_streams: int, num_steps: int) -> list[Tensor]:
        """See `Pattern`."""
        return [hidden] * num_streams


class Delay:
    """Stream k of step t at position t + k, so that streams of one step are predicted one after another, at T + K - 1.

    Reference: Copet et al. 2023, "Simple and Controllable Music Generation", section 2.2.
    """

    def seen(self, ids: Tensor, first: int, last: int, nothing: int) -> Tensor:
        """See `Pattern`."""
        steps, streams = ids.shape[1:]
        columns = []
        for k in range(streams):
            low, high = max(first - k, 0), max(min(last - k, steps), 0)
            before = min(max(k - first, 0), last - first)
            column = ids[:, low : max(low, high), k]
            after = last - first - before - column.shape[1]
            columns.append(functional.pad(column, (before, after), value=nothing))
        return torch.stack(columns, dim=-1)  # (B, n, K)

    def by_position(self, steps: Tensor, num_streams: int, nothing: int) -> Tensor:
        """See `Pattern`."""
        return functional.pad(steps, (0, 0, 0, num_streams - 1), value=nothing)

    def by_stream(self, hidden: Tensor, num_streams: int, num_steps: int) -> list[Tensor]:
        """See `Pattern`."""
        return [hidden[:, k : k + num_steps] for k in range(num_streams)]


PATTERNS: dict[str, Pattern] = {"flat": Flat(), "delay": Delay(), "parallel": Whole(), "depth": Whole()}
