"""Causal self-attention with rotary, relative or no positions, and its static key/value cache."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

POSITIONS = ("rotary", "relative", "none")


@dataclass(slots=True)
class KeyValueCache:
    """Keys and values of one layer, with room for every position that will come.

    Attributes:
        keys: (B, H, P, D / H), rotated already.
        values: (B, H, P, D / H).
    """

    keys: Tensor
    values: Tensor

    def write(self, keys: Tensor, values: Tensor, first: int) -> tuple[Tensor, Tensor]:
        """Stores positions first, first + 1, … and returns views of everything up to them."""
        last = first + keys.shape[2]
        self.keys[:, :, first:last] = keys
        self.values[:, :, first:last] = values
        return self.keys[:, :, :last], self.values[:, :, :last]


class Rotary(nn.Module):
    """Cosines and signed sines that turn queries and keys by their position, halves paired as (i, i + D / 2).

    Args:
        head_dim: of one head, even.
        max_positions: how many positions the tables hold.
        base: of the wavelengths.

    Reference: Su et al. 2021, "RoFormer", section 3.2.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, head_dim: int, max_positions: int, base: float = 10000.0) -> None:
        super().__init__()
        frequencies = base ** (-torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)
        angles = torch.arange(max_positions, dtype=torch.float64)[:, None] * frequencies  # (P, D / 2)
        self.register_buffer("cos", torch.cat([angles.cos(), angles.cos()], -1).float(), persistent=False)
        self.register_buffer("sin", torch.cat([-angles.sin(), angles.sin()], -1).float(), persistent=False)

    def forward(self, first: int, last: int) -> tuple[Tensor, Tensor]:
        """Returns the tables (n, D) of positions first … last - 1."""
        return self.cos[first:last], self.sin[first:last]


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Returns x (..., n, D) turned by tables (n, D) of `Rotary`."""
    cos, sin = rotation
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, -1), sin).to(x.dtype)


def skew(products: Tensor) -> Tensor:
    """Returns scores by key from products by distance.

    Args:
        products: (..., n, L): column r of a query belongs to distance L - 1 - r; queries are the last n of L positions.

    Returns:
        (..., n, L): column j belongs to key j. What lies in a query's future is meaningless.

    Reference: Huang et al. 2018, "Music Transformer", section 3.4.1.
    """
    *batch, num_queries, num_keys = products.shape
    padded = functional.pad(products, (1, 0)).reshape(*batch, num_queries * (num_keys + 1))
    return padded[..., num_queries:].reshape(*batch, num_queries, num_keys)


def causal_mask(num_queries: int, num_keys: int, device: torch.device) -> Tensor:
    """Returns (n, L) bool: what each of the last n positions may see."""
    ones = torch.ones(num_queries, num_keys, dtype=torch.bool, device=device)
    return ones.tril(num_keys - num_queries)


def _by_products(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, dropout: float) -> Tensor:
    """Returns attention (B, H, n, D) written out, which learns two to three times as fast in bfloat16 on a CPU.

    Args:
        query: (B, H, n, D).
        keys: (B, H, L, D).
        values: (B, H, L, D).
        mask: what is added to the scores; None for plain causality.
        dropout: chance that a weight is left out.
    """
    if mask is None:
        mask = causal_mask(query.shape[2], keys.shape[2], query.device)
    if mask.dtype == torch.bool:
        mask = torch.zeros_like(mask, dtype=query.dtype).masked_fill(~mask, float("-inf"))
    scores = torch.add(mask, query @ keys.transpose(-1, -2), alpha=query.shape[-1] ** -0.5)
    weights = functional.dropout(scores.softmax(-1, dtype=query.dtype), dropout)
    return weights @ values


class Attention(nn.Module):
    """Causal multi-head self-attention without biases, queries, keys and values from one matrix.

    Args:
        dim: of input and output.
        num_heads: divides `dim`.
        relative_span: 0, or how many distances have a learned vector of their own for each head; farther ones share the
            last (Music Transformer's relative attention).
        dropout: on attention weights.
    """

    def __init__(self, dim: int, num_heads: int, relative_span: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.out = nn.Linear(dim, dim, bias=False)
        self.relative: nn.Parameter | None = None
        if relative_span:
            self.relative = nn.Parameter(torch.randn(num_heads, relative_span, dim // num_heads) * 0.02)

    def forward(
        self,
        x: Tensor,
        rotation: tuple[Tensor, Tensor] | None = None,
        cache: KeyValueCache | None = None,
        first: int = 0,
    ) -> Tensor:
        """Attends from n positions to themselves and what the cache holds before them.

        Args:
            x: (B, n, D).
            rotation: tables of these n positions, or None.
            cache: written at `first`; None if there is nothing before.
            first: position of x[:, 0].

        Returns:
            (B, n, D).
        """
        batch, length, dim = x.shape
        qkv = self.qkv(x).view(batch, length, 3, self.num_heads, dim // self.num_heads)
        turning, values = qkv[:, :, :2].permute(2, 0, 3, 1, 4), qkv[:, :, 2].transpose(1, 2)
        query, keys = turning if rotation is None else rotate(turning, rotation)  # each (B, H, n, D / H)
        if cache is not None:
            keys, values = cache.write(keys, values, first)
        mask = self._mask(query, keys.shape[2])
        dropout = self.dropout if self.training else 0.0
        if torch.is_grad_enabled() and query.dtype == torch.bfloat16 and query.device.type == "cpu":
            mixed = _by_products(query, keys, values, mask, dropout)
        else:
            causal = mask is None and length > 1
            mixed = functional.scaled_dot_product_attention(query, keys, values, mask, dropout, causal)
        result: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, dim))
        return result

    def _mask(self, query: Tensor, num_keys: int) -> Tensor | None:
        """Returns what is added to the scores: None where plain causality is enough."""
        length, head_dim = query.shape[2], query.shape[3]
        if self.relative is None:
            return None if length in (1, num_keys) else causal_mask(length, num_keys, query.device)
        distances = torch.arange(num_keys - 1, -1, -1, device=query.device).clamp(max=self.relative.shape[1] - 1)
        products = query @ self.relative[:, distances].transpose(1, 2).to(query.dtype)  # (B, H, n, L)
        bias: Tensor = skew(products) * head_dim**-0.5
        if length == 1:
            return bias
        return bias.masked_fill(~causal_mask(length, num_keys, query.device), float("-inf"))
