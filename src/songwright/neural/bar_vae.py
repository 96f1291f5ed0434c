"""`BarVae`: a variational autoencoder of single bars, and `BarVaes`, one for each kind of part, learned together.

The decoder says all cells at once, given the latent and the harmony: nothing but these decides a note, so that a way
through the latents is a way through bars. The numpy twin that the program runs is `bar_network`.

Reference: Roberts et al., A Hierarchical Latent Vector Model for Learning Long-Term Structure in Music (MusicVAE, ICML
2018), for the weight of the divergence below one, free bits, and interpolation on the sphere.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from songwright.neural.bar_network import NEIGHBOURS, BarShape, Head, layer_sizes, meant

LEVEL_SPREAD = 0.15
"""Standard deviation of a level around what the network says; levels go from 0 to 1."""

TINY = BarShape(
    cells=16,
    condition=24,
    heads=(Head("note", 38, "choice"), Head("lean", 3, "choice", "note"), Head("level", 1, "level", "note")),
    latent_dim=12,
    cell_dim=8,
    hidden_dim=32,
)


@dataclass(frozen=True, slots=True)
class BarLoss:
    """What bars cost.

    Attributes:
        nats: (N,) cross entropies and squared errors of all cells of each bar.
        divergence: (N, latent_dim) nats of each number of the latent.
    """

    nats: Tensor
    divergence: Tensor


class BarVae(nn.Module):
    """One kind of bar; see the module's docstring."""

    cell_in: nn.Linear
    bar_in: nn.Linear
    encoder: nn.Linear
    latent: nn.Linear
    condition: nn.Linear
    bar_out: nn.Linear
    bar_known: nn.Linear
    decoder: nn.Linear
    spread: nn.Linear
    near: nn.Linear
    heads: nn.Linear

    def __init__(self, shape: BarShape) -> None:
        super().__init__()
        self.shape = shape
        for name, (inputs, outputs) in layer_sizes(shape).items():
            setattr(self, name, nn.Linear(inputs, outputs))
        with torch.no_grad():
            self.latent.weight.mul_(0.5)

    def encode(self, cells: Tensor, condition: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the middle and the log-variance of each bar's latent, (N, latent_dim) both.

        Args:
            cells: (N, cells, width), see `bar_network.Bars`.
            condition: (N, cells, condition).
            mask: (N, cells) bool.
        """
        hidden = functional.silu(self.cell_in(torch.cat([cells, condition], dim=-1))) * mask[..., None]
        hidden = functional.silu(self.bar_in(hidden.flatten(1)))  # (N, hidden)
        hidden = hidden + functional.silu(self.encoder(hidden))
        middle, log_variance = self.latent(hidden).float().chunk(2, dim=-1)
        return middle, log_variance.clamp(-8.0, 4.0)

    def decode(self, latents: Tensor, condition: Tensor, mask: Tensor) -> Tensor:
        """Returns (N, cells, width): logits of choices and of yes, levels as they are."""
        live = mask[..., None]
        known = self.condition(condition) * live
        hidden = functional.silu(self.bar_out(latents) + self.bar_known(known.flatten(1)))
        hidden = hidden + functional.silu(self.decoder(hidden))
        spread = self.spread(hidden).unflatten(1, (self.shape.cells, self.shape.cell_dim))
        inner = functional.silu(spread + known) * live
        padded = functional.pad(inner, (0, 0, 1, 1))
        near = torch.cat([padded[:, i : i + self.shape.cells] for i in range(NEIGHBOURS)], dim=-1)
        inner = inner + functional.silu(self.near(near))
        said: Tensor = self.heads(inner)
        return said

    def forward(self, cells: Tensor, condition: Tensor, mask: Tensor, noise: Tensor | None = None) -> BarLoss:
        """Returns what bars cost.

        Args:
            cells: (N, cells, width).
            condition: (N, cells, condition).
            mask: (N, cells) bool.
            noise: (N, latent_dim) standard normal; None takes the middle of each latent.
        """
        middle, log_variance = self.encode(cells, condition, mask)
        latents = middle if noise is None else middle + noise * torch.exp(0.5 * log_variance)
        said = self.decode(latents, condition, mask).float()
        nats = (self._cell_nats(said, cells) * mask).sum(1)
        divergence = 0.5 * (middle.square() + log_variance.exp() - 1.0 - log_variance)
        return BarLoss(nats, divergence)

    def _cell_nats(self, said: Tensor, cells: Tensor) -> Tensor:
        """Returns (N, cells) what every cell costs, all heads together."""
        total = said.new_zeros(said.shape[:2])
        for head in self.shape.heads:
            span = self.shape.span(head.name)
            mine, right = said[..., span], cells[..., span]
            if head.kind == "choice":
                cost = -(torch.log_softmax(mine, dim=-1) * right).sum(-1, keepdim=True)
            elif head.kind == "yes":
                cost = functional.binary_cross_entropy_with_logits(mine, right, reduction="none")
            else:
                cost = (mine - right).square() / (2 * LEVEL_SPREAD**2)
            total = total + (cost * meant(self.shape, head, cells)).sum(-1)
        return total


class BarVaes(nn.Module):
    """Networks of several kinds of bars.

    Args:
        shapes: of each kind by name.
    """

    def __init__(self, shapes: Mapping[str, BarShape]) -> None:
        super().__init__()
        self.kinds = nn.ModuleDict({name: BarVae(shape) for name, shape in shapes.items()})

    def loss(self, kind: str, batch: Mapping[str, Tensor], noise: Tensor | None = None) -> BarLoss:
        """Returns what a batch of bars of one kind costs; keys of the batch as in `batch_of`."""
        model: Any = self.kinds[kind]
        found: BarLoss = model(batch[f"{kind}.cells"], batch[f"{kind}.condition"], batch[f"{kind}.mask"], noise)
        return found


def held_back(divergence: Tensor, free_nats: float) -> Tensor:
    """Returns the sum over the latent of the mean divergence, where each number has some nats for nothing.

    Args:
        divergence: (N, latent_dim).
        free_nats: of each number of the latent.
    """
    return divergence.mean(0).clamp(min=free_nats).sum()


def weight_of(step: int, steps: int, most: float) -> float:
    """Returns the weight of the divergence at a step: up a half cosine over some steps, then constant."""
    if steps <= 0 or step >= steps:
        return most
    return most * 0.5 * (1.0 - math.cos(math.pi * step / steps))
