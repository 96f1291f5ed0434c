"""Root-mean-square normalisation."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class RMSNorm(nn.Module):
    """Divides each vector by its root mean square and scales every channel.

    Args:
        dim: length of the vectors.
        epsilon: added to the mean square.

    Reference: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization".
    """

    def __init__(self, dim: int, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Returns (..., dim) normalised."""
        return functional.rms_norm(x, self.weight.shape, self.weight, self.epsilon)
