"""The LSTM backbone: residual pre-norm layers, whole sequences or a few positions at a time."""

import torch
from torch import Tensor, nn

from songwright.neural.norms import RMSNorm

State = list[tuple[Tensor, Tensor]]


class LSTMStack(nn.Module):
    """``x + lstm(norm(x))`` for each layer.

    Args:
        dim: of input, output and state.
        num_layers: how many.
        dropout: on what a layer adds.

    Reference: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory".
    """

    def __init__(self, dim: int, num_layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norms = nn.ModuleList(RMSNorm(dim) for _ in range(num_layers))
        self.layers = nn.ModuleList(nn.LSTM(dim, dim, batch_first=True) for _ in range(num_layers))
        self.norm = RMSNorm(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, P, D) from a whole sequence (B, P, D)."""
        return self.step(x, self.new_state(x.shape[0], x.shape[1]), 0)

    def new_state(self, batch_size: int, max_positions: int) -> State:
        """Returns zero states (1, B, D) of every layer; they need no more room for more positions."""
        zero = self.norm.weight.new_zeros(1, batch_size, self.norm.weight.shape[0])
        return [(zero, zero) for _ in self.layers]

    def step(self, x: Tensor, state: State, first: int) -> Tensor:
        """Returns (B, n, D) for the next n positions and moves the state on."""
        for i, (norm, layer) in enumerate(zip(self.norms, self.layers, strict=True)):
            added, state[i] = layer(norm(x), state[i])
            x = x + self.dropout(added)
        result: Tensor = self.norm(x)
        return result

    def reorder(self, state: State, indices: Tensor) -> State:
        """Returns the state whose row i is the old row indices[i]."""
        return [(torch.index_select(h, 1, indices), torch.index_select(c, 1, indices)) for h, c in state]

    def rewind(self, position: int) -> int:
        """Returns 0: a state forgets what led to it."""
        return 0
