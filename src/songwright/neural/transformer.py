"""The transformer backbone: pre-norm blocks of attention and SwiGLU, whole sequences or a few positions at a time."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from songwright.neural.attention import Attention, KeyValueCache, Rotary
from songwright.neural.feedforward import SwiGLU
from songwright.neural.norms import RMSNorm


class TransformerBlock(nn.Module):
    """``x + attention(norm(x))``, then ``x + feedforward(norm(x))``.

    Args:
        dim: of input and output.
        num_heads: divides `dim`.
        feedforward_dim: width of the SwiGLU layer.
        relative_span: 0, or the span of relative attention.
        dropout: on attention weights and on what is added.
    """

    def __init__(
        self, dim: int, num_heads: int, feedforward_dim: int, relative_span: int = 0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(dim)
        self.attention = Attention(dim, num_heads, relative_span, dropout)
        self.feedforward_norm = RMSNorm(dim)
        self.feedforward = SwiGLU(dim, feedforward_dim)
        self.dropout = dropout

    def forward(
        self,
        x: Tensor,
        rotation: tuple[Tensor, Tensor] | None = None,
        cache: KeyValueCache | None = None,
        first: int = 0,
    ) -> Tensor:
        """Returns (B, n, D); the arguments are those of `Attention.forward`."""
        x = x + self._dropped(self.attention(self.attention_norm(x), rotation, cache, first))
        return x + self._dropped(self.feedforward(self.feedforward_norm(x)))

    def _dropped(self, x: Tensor) -> Tensor:
        return functional.dropout(x, self.dropout) if self.training and self.dropout else x


class Transformer(nn.Module):
    """A causal transformer over vectors.

    Args:
        dim: of input and output.
        num_layers: blocks.
        num_heads: divides `dim`.
        feedforward_dim: width of the SwiGLU layers.
        positions: "rotary", "relative" or "none".
        max_positions: longest sequence.
        relative_span: distances with a vector of their own, if positions are relative.
        dropout: see `TransformerBlock`.
    """

    def __init__(
        self,
        dim: int,
        num_layers: int,
        num_heads: int,
        feedforward_dim: int,
        positions: str = "rotary",
        max_positions: int = 1024,
        relative_span: int = 256,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        span = min(relative_span, max_positions) if positions == "relative" else 0
        self.blocks = nn.ModuleList(
            TransformerBlock(dim, num_heads, feedforward_dim, span, dropout) for _ in range(num_layers)
        )
        self.norm = RMSNorm(dim)
        self.num_heads = num_heads
        self.rotary = Rotary(dim // num_heads, max_positions) if positions == "rotary" else None
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                deep = (2 * num_layers) ** -0.5 if name.endswith(("out.weight", "down.weight")) else 1.0
                nn.init.normal_(weight, std=0.02 * deep)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, P, D) from a whole sequence (B, P, D)."""
        return self.step(x, None, 0)

    def new_state(self, batch_size: int, max_positions: int) -> list[KeyValueCache]:
        """Returns empty caches for so many rows and positions, one for each layer."""
        weight = self.norm.weight
        shape = (batch_size, self.num_heads, max_positions, weight.shape[0] // self.num_heads)
        return [KeyValueCache(weight.new_zeros(shape), weight.new_zeros(shape)) for _ in self.blocks]

    def step(self, x: Tensor, state: list[KeyValueCache] | None, first: int) -> Tensor:
        """Returns (B, n, D) for positions first … first + n - 1, whose past the state holds."""
        rotation = None if self.rotary is None else self.rotary(first, first + x.shape[1])
        for i, block in enumerate(self.blocks):
            x = block(x, rotation, None if state is None else state[i], first)
        result: Tensor = self.norm(x)
        return result

    def reorder(self, state: list[KeyValueCache], indices: Tensor) -> list[KeyValueCache]:
        """Returns caches whose row i is the old row indices[i]."""
        return [KeyValueCache(torch.index_select(c.keys, 0, indices), c.values.index_select(0, indices)) for c in state]

    def rewind(self, position: int) -> int:
        """Returns where to go on so that the state stands before `position`: there, since a cache is overwritten."""
        return position
