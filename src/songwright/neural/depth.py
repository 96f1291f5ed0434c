"""The depth transformer: within one step, stream after stream, on top of what the backbone says of the step."""

import torch
from torch import Tensor, nn

from songwright.neural.attention import KeyValueCache
from songwright.neural.feedforward import default_width
from songwright.neural.transformer import Transformer


class DepthTransformer(nn.Module):
    """A small transformer over the streams of a step.

    Args:
        dim: of the backbone.
        depth_dim: of this one.
        num_layers: blocks.
        num_streams: K, the length of its sequences.
        num_ids: size of the table of tokens of all streams.
        dropout: see `TransformerBlock`.

    Reference: Lee et al. 2022, "Autoregressive Image Generation using Residual Quantization", section 3.2.2.
    """

    def __init__(
        self, dim: int, depth_dim: int, num_layers: int, num_streams: int, num_ids: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.enter = nn.Linear(dim, depth_dim, bias=False)
        self.tokens = nn.Embedding(num_ids, depth_dim)
        self.streams = nn.Parameter(torch.randn(num_streams, depth_dim) * 0.02)
        self.layers = Transformer(
            depth_dim,
            num_layers,
            max(1, depth_dim // 32),
            default_width(depth_dim),
            positions="none",
            max_positions=num_streams,
            dropout=dropout,
        )
        nn.init.normal_(self.tokens.weight, std=0.02)
        nn.init.normal_(self.enter.weight, std=dim**-0.5)

    def forward(self, hidden: Tensor, ids: Tensor) -> Tensor:
        """Returns (B, T, K, depth_dim): for each stream what is known of it from the streams before it.

        Args:
            hidden: (B, T, D) of the backbone.
            ids: (B, T, K) tokens of the steps; the last stream is not looked at.
        """
        batch, steps, streams = ids.shape
        x = self._inputs(hidden.flatten(0, 1), ids.flatten(0, 1), 0, streams)  # (B * T, K, depth_dim)
        result: Tensor = self.layers(x).unflatten(0, (batch, steps))
        return result

    def _inputs(self, hidden: Tensor, ids: Tensor, first: int, last: int) -> Tensor:
        """Returns (N, last - first, depth_dim) from hidden (N, D) and ids (N, K)."""
        x = self.enter(hidden)[:, None] + self.streams[first:last]
        known = self.tokens(ids[:, max(first - 1, 0) : last - 1])
        if first == 0:
            known = torch.cat([torch.zeros_like(x[:, :1]), known.to(x.dtype)], dim=1)
        result: Tensor = x + known
        return result

    def new_state(self, batch_size: int) -> list[KeyValueCache]:
        """Returns empty caches for one step."""
        return self.layers.new_state(batch_size, self.streams.shape[0])

    def step(self, hidden: Tensor, ids: Tensor, state: list[KeyValueCache], first: int, last: int) -> Tensor:
        """Returns (B, depth_dim) of stream last - 1, after running streams first … last - 1 of one step.

        Args:
            hidden: (B, D) of the step.
            ids: (B, K), known up to stream last - 2.
            state: caches that hold the streams before `first`.
            first: stream to go on with.
            last: one past the wanted stream.
        """
        return self.layers.step(self._inputs(hidden, ids, first, last), state, first)[:, -1]
