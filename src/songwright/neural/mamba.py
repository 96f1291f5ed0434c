"""The Mamba backbone: a selective state space in pure torch, as a plain recurrence and in a chunked parallel form.

The form is Mamba-2's: one decay a head and step, so that a chunk is a handful of matrix products.
Reference: Gu and Dao 2023, "Mamba"; Dao and Gu 2024, "Transformers are SSMs", sections 6 and 7.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from songwright.neural.norms import RMSNorm

KERNEL = 4
"""Width of the short causal convolution."""


@dataclass(frozen=True, slots=True)
class ScanInputs:
    """What drives a state space ``h = exp(log_decay) h + value ⊗ write``, ``y = h · read``.

    Attributes:
        log_decay: (B, T, H), at most 0.
        values: (B, T, H, P).
        write: (B, T, N), shared by the heads.
        read: (B, T, N), shared by the heads.
    """

    log_decay: Tensor
    values: Tensor
    write: Tensor
    read: Tensor


def sequential_scan(inputs: ScanInputs, state: Tensor) -> tuple[Tensor, Tensor]:
    """Runs the recurrence step by step: the reference, and the fast way for few steps.

    Args:
        inputs: of T steps.
        state: (B, H, P, N) before them.

    Returns:
        Outputs (B, T, H, P) and the state after them.
    """
    outputs = []
    for t in range(inputs.values.shape[1]):
        added = inputs.values[:, t, :, :, None] * inputs.write[:, t, None, None, :]  # (B, H, P, N)
        state = inputs.log_decay[:, t].exp()[:, :, None, None] * state + added
        outputs.append((state * inputs.read[:, t, None, None, :]).sum(-1))
    return torch.stack(outputs, dim=1), state


def chunked_scan(inputs: ScanInputs, state: Tensor, chunk: int = 64) -> tuple[Tensor, Tensor]:
    """Computes what `sequential_scan` computes: inside chunks by matrix products, from chunk to chunk by recurrence.

    Args:
        inputs: of T steps.
        state: (B, H, P, N) before them.
        chunk: steps a chunk; the last one may be shorter.

    Returns:
        Outputs (B, T, H, P) and the state after them.
    """
    outputs = []
    for low in range(0, inputs.values.shape[1], chunk):
        high = low + chunk
        total = inputs.log_decay[:, low:high].cumsum(1).transpose(1, 2)  # (B, H, Q): decay since the chunk began
        values = inputs.values[:, low:high].transpose(1, 2)  # (B, H, Q, P)
        write, read = inputs.write[:, low:high], inputs.read[:, low:high]  # (B, Q, N)
        between = (total[..., :, None] - total[..., None, :]).tril()  # (B, H, Q, Q): decay from column to row
        weights = (between.exp() * (read @ write.transpose(1, 2))[:, None]).tril()
        carried = torch.einsum("bqn,bhpn->bhqp", read, state) * total.exp()[..., None]
        outputs.append((weights @ values + carried).transpose(1, 2))
        left = (total[..., -1:] - total).exp()[..., None] * values  # what remains of each step at the chunk's end
        state = total[..., -1].exp()[..., None, None] * state + torch.einsum("bhqp,bqn->bhpn", left, write)
    return torch.cat(outputs, dim=1), state


@dataclass(slots=True)
class MambaState:
    """What one layer remembers.

    Attributes:
        recent: (B, KERNEL - 1, C) last inputs of the convolution.
        space: (B, H, P, N).
    """

    recent: Tensor
    space: Tensor


class MambaLayer(nn.Module):
    """One selective state space with its gate, at twice the width.

    Args:
        dim: of input and output.
        num_heads: divides 2 dim; each has its own decay.
        state_dim: N.
    """

    def __init__(self, dim: int, num_heads: int, state_dim: int) -> None:
        super().__init__()
        self.inner, self.num_heads, self.state_dim = 2 * dim, num_heads, state_dim
        self.mixed = self.inner + 2 * state_dim  # values, write and read go through the convolution
        self.enter = nn.Linear(dim, self.inner + self.mixed + num_heads, bias=False)
        self.convolution = nn.Conv1d(self.mixed, self.mixed, KERNEL, groups=self.mixed)
        decays = torch.linspace(1.0, 16.0, num_heads)
        steps = torch.logspace(-3.0, -1.0, num_heads)
        self.log_rate = nn.Parameter(decays.log())
        self.step_bias = nn.Parameter(steps + torch.log(-torch.expm1(-steps)))  # softplus gives the steps back
        self.skip = nn.Parameter(torch.ones(num_heads))
        self.norm = RMSNorm(self.inner)
        self.out = nn.Linear(self.inner, dim, bias=False)

    def new_state(self, batch_size: int) -> MambaState:
        """Returns the state before the first step."""
        like, heads = self.log_rate, self.num_heads
        return MambaState(
            like.new_zeros(batch_size, KERNEL - 1, self.mixed),
            like.new_zeros(batch_size, heads, self.inner // heads, self.state_dim),
        )

    def forward(self, x: Tensor, state: MambaState) -> Tensor:
        """Returns (B, n, D) for the next n positions (B, n, D) and moves the state on."""
        gate, mixed, step = torch.split(self.enter(x), [self.inner, self.mixed, self.num_heads], dim=-1)
        padded = torch.cat([state.recent.to(mixed.dtype), mixed], dim=1)
        state.recent = padded[:, -(KERNEL - 1) :]
        mixed = functional.silu(self.convolution(padded.transpose(1, 2))).transpose(1, 2).float()
        values, write, read = torch.split(mixed, [self.inner, self.state_dim, self.state_dim], dim=-1)
        values = values.reshape(*x.shape[:2], self.num_heads, -1)  # (B, n, H, P)
        width = functional.softplus(step.float() + self.step_bias)  # (B, n, H)
        inputs = ScanInputs(-self.log_rate.exp() * width, values * width[..., None], write, read)
        with torch.autocast(x.device.type, enabled=False):  # decays need full precision
            scan = sequential_scan if x.shape[1] == 1 else chunked_scan
            outputs, state.space = scan(inputs, state.space)
        outputs = (outputs + self.skip[:, None] * values).flatten(2)
        result: Tensor = self.out(self.norm(outputs * functional.silu(gate)))
        return result


class Mamba(nn.Module):
    """``x + layer(norm(x))``, two layers for each layer of a transformer, which gives about as many weights.

    Args:
        dim: of input and output.
        num_layers: pairs of state spaces.
        num_heads: see `MambaLayer`.
        state_dim: see `MambaLayer`.
        dropout: on what a layer adds.
    """

    def __init__(self, dim: int, num_layers: int, num_heads: int, state_dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norms = nn.ModuleList(RMSNorm(dim) for _ in range(2 * num_layers))
        self.layers = nn.ModuleList(MambaLayer(dim, num_heads, state_dim) for _ in range(2 * num_layers))
        self.norm = RMSNorm(dim)
        self.dropout = nn.Dropout(dropout)
        for name, weight in self.named_parameters():
            if name.endswith("enter.weight"):
                nn.init.normal_(weight, std=dim**-0.5)
            elif name.endswith("out.weight"):
                nn.init.normal_(weight, std=(4 * dim * num_layers) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Returns (B, P, D) from a whole sequence (B, P, D)."""
        return self.step(x, self.new_state(x.shape[0], x.shape[1]), 0)

    def new_state(self, batch_size: int, max_positions: int) -> list[MambaState]:
        """Returns the state before position 0; it needs no more room for more positions."""
        return [cast(MambaLayer, layer).new_state(batch_size) for layer in self.layers]

    def step(self, x: Tensor, state: list[MambaState], first: int) -> Tensor:
        """Returns (B, n, D) for the next n positions and moves the state on."""
        for norm, layer, one in zip(self.norms, self.layers, state, strict=True):
            x = x + self.dropout(layer(norm(x), one))
        result: Tensor = self.norm(x)
        return result

    def reorder(self, state: list[MambaState], indices: Tensor) -> list[MambaState]:
        """Returns the state whose row i is the old row indices[i]."""
        return [MambaState(one.recent[indices], one.space[indices]) for one in state]

    def rewind(self, position: int) -> int:
        """Returns 0: a state forgets what led to it."""
        return 0
