"""The gated feed-forward layer of the transformers."""

from torch import Tensor, nn
from torch.nn import functional


def default_width(dim: int) -> int:
    """Returns the width, a multiple of 16, at which SwiGLU has as many weights as a plain layer of width 4 dim."""
    return -(-8 * dim // 3 // 16) * 16


class SwiGLU(nn.Module):
    """``down(silu(gate) * up)`` with gate and up in one matrix, without biases.

    Args:
        dim: of input and output.
        hidden_dim: width in between.

    Reference: Shazeer 2020, "GLU Variants Improve Transformer".
    """

    def __init__(self, dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.gate_up = nn.Linear(dim, 2 * hidden_dim, bias=False)
        self.down = nn.Linear(hidden_dim, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (..., dim)."""
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        result: Tensor = self.down(functional.silu(gate) * up)
        return result
