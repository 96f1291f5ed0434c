"""The backbones of `MultiStreamLM` by name. A new one is a file and a line here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn

from songwright.neural.lstm import LSTMStack
from songwright.neural.mamba import Mamba
from songwright.neural.transformer import Transformer


@dataclass(frozen=True, slots=True)
class BackboneSize:
    """What every backbone is built from; see `LanguageModelConfig` for the meaning."""

    dim: int
    num_layers: int
    num_heads: int
    feedforward_dim: int
    positions: str
    max_positions: int
    relative_span: int
    dropout: float
    state_dim: int


class Backbone(Protocol):
    """Turns vectors of positions into vectors that know all positions up to theirs."""

    def __call__(self, x: Tensor) -> Tensor:
        """Returns (B, P, D) from a whole sequence (B, P, D)."""

    def new_state(self, batch_size: int, max_positions: int) -> Any:
        """Returns the state before position 0."""

    def step(self, x: Tensor, state: Any, first: int) -> Tensor:
        """Returns (B, n, D) for positions first … first + n - 1 and moves the state on."""

    def reorder(self, state: Any, indices: Tensor) -> Any:
        """Returns the state whose row i is the old row indices[i]."""

    def rewind(self, position: int) -> int:
        """Returns `position` if a state can go back to it, else 0: then a new state must run again from the start."""


def _transformer(size: BackboneSize) -> nn.Module:
    return Transformer(
        size.dim,
        size.num_layers,
        size.num_heads,
        size.feedforward_dim,
        size.positions,
        size.max_positions,
        size.relative_span,
        size.dropout,
    )


BACKBONES: dict[str, Callable[[BackboneSize], nn.Module]] = {
    "transformer": _transformer,
    "mamba": lambda size: Mamba(size.dim, size.num_layers, size.num_heads, size.state_dim, size.dropout),
    "lstm": lambda size: LSTMStack(size.dim, size.num_layers, size.dropout),
}
