"""Linear layers with int8 weights that multiply float activations exactly, so that only the weights are rounded.

A token at a time is bound by how fast weights come from memory, and int8 weights are a quarter of the bytes.
Activations are written as three balanced base-256 digits; the three integer products are exact and are added up with
their places. That costs no more memory traffic than rounding activations to 8 bits would, and keeps 23 bits of them.
"""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

LARGEST = 8.2e6
"""Activations are scaled to this magnitude: three digits of -128 … 127 hold up to 8,355,711."""
ZEROS = 0x808080
"""Added before an integer is cut into bytes, so that a byte minus 128 is its balanced digit."""


def quantise(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Returns int8 rows (N, D) and float32 scales (N,): each row symmetric, its largest entry at 127."""
    scale = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
    return (weight / scale[:, None]).round().clamp(-127, 127).to(torch.int8), scale


def _pack(weight: Tensor) -> Tensor:
    packed: Tensor = torch.ops.onednn.qlinear_prepack(weight, [3, weight.shape[1]])
    return packed


def _multiply(digits: Tensor, packed: Tensor, ones: Tensor, zeros: Tensor) -> Tensor:
    """Returns float32 (M, N) integers ``(digits - 128) @ weight.T``."""
    product: Tensor = torch.ops.onednn.qlinear_pointwise(
        digits, 1.0, 128, packed, ones, zeros, None, 1.0, 0, torch.float32, "none", [], ""
    )
    return product


@cache
def has_exact_products() -> bool:
    """Returns whether this processor multiplies bytes without saturation, found out by multiplying the largest."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    digits = torch.tensor([[255, 0], [0, 255]], dtype=torch.uint8).repeat(2, 32)[:3]
    weight = torch.full((16, 64), 127, dtype=torch.int8)
    try:
        product = _multiply(digits, _pack(weight), torch.ones(16), torch.zeros(16, dtype=torch.int32))
    except (AttributeError, RuntimeError):
        return False
    expected = (digits.float() - 128) @ weight.float().T
    return torch.equal(product, expected)


class Int8Linear(nn.Module):
    """A linear layer without bias whose weights are int8 rows with a scale each.

    Args:
        weight: (N, D) int8.
        scale: (N,) float32.
    """

    weight: Tensor
    scale: Tensor

    def __init__(self, weight: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("scale", scale)
        self.packed: Tensor | None = None
        if weight.device.type == "cpu" and weight.shape[1] <= 1024 and has_exact_products():
            # with more than 1024 columns a sum of products could leave the integers that float32 holds
            self.packed = _pack(weight)
            self._ones, self._zeros = torch.ones(len(weight)), torch.zeros(len(weight), dtype=torch.int32)
            self._places = torch.tensor([[1.0, 256.0, 65536.0]])

    def forward(self, x: Tensor) -> Tensor:
        """Returns (..., N) float32 from (..., D)."""
        if self.packed is None:
            return functional.linear(x, self.weight.to(x.dtype) * self.scale.to(x.dtype)[:, None])
        rows = x.reshape(-1, x.shape[-1]).float()  # (M, D)
        unit = LARGEST / torch.linalg.vector_norm(rows, float("inf"), dim=-1, keepdim=True).clamp_(min=1e-30)
        integers = torch.add(rows * unit, ZEROS).to(torch.int32)
        digits = integers.view(torch.uint8).view(*rows.shape, 4)[..., :3].permute(0, 2, 1)  # (M, 3, D)
        products = _multiply(digits.reshape(-1, rows.shape[1]), self.packed, self.scale, self._zeros)
        summed = torch.matmul(self._places, products.view(len(rows), 3, -1))[:, 0]  # (M, N)
        result: Tensor = (summed / unit).view(*x.shape[:-1], -1)
        return result


def with_int8_weights(model: nn.Module) -> nn.Module:
    """Returns the model with every linear layer that has no bias replaced, in place, by its int8 form."""
    for name, child in model.named_children():
        if isinstance(child, nn.Linear) and child.bias is None:
            setattr(model, name, Int8Linear(*quantise(child.weight.detach().float())))
        else:
            with_int8_weights(child)
    return model
