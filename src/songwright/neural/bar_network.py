"""A network over single bars, in numpy: its shape, what it reads of a bar, its encoder and its decoder.

A bar is a row of cells; in each cell several heads say something (a choice, some yes or no, some levels), and a
condition is known (the harmony). `bar_vae` is the same network in torch, where it learns; the weights have the same
names in both. What heads mean is not known here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from songwright.errors import ConfigError

Floats = NDArray[np.float32]
Arrays = Mapping[str, NDArray[Any]]
HeadKind = Literal["choice", "yes", "level"]
NEIGHBOURS = 3
"""Cells that the decoder's last layer sees: the one before, its own, the one after."""

FIRST_ONSET = 2
"""In a choice on which other heads depend, the numbers from here on are notes that begin; below are hold and rest."""


@dataclass(frozen=True, slots=True)
class Head:
    """One thing that is said in every cell.

    Attributes:
        name: unique in the shape.
        size: of the choice, or how many yes or no, or how many levels.
        kind: ``choice`` one of `size`; ``yes`` each for itself; ``level`` numbers from 0 to 1.
        of: the head that says where this one means anything: a choice of a note, or any yes; empty for everywhere.
    """

    name: str
    size: int
    kind: HeadKind
    of: str = ""


@dataclass(frozen=True, slots=True)
class BarShape:
    """The shape of one network.

    Attributes:
        cells: most cells of a bar.
        condition: numbers known of each cell.
        heads: what is said in each cell.
        latent_dim: numbers that stand for a bar.
        cell_dim: width of a cell inside.
        hidden_dim: width of a bar inside.
    """

    cells: int
    condition: int
    heads: tuple[Head, ...]
    latent_dim: int = 48
    cell_dim: int = 32
    hidden_dim: int = 160

    def __post_init__(self) -> None:
        for name in ("cells", "condition", "latent_dim", "cell_dim", "hidden_dim"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} of a bar network should be 1 or more, not {getattr(self, name)}")
        names = [head.name for head in self.heads]
        if not names or len(set(names)) != len(names):
            raise ConfigError(f"heads of a bar network should have names of their own, not {names}")
        for head in self.heads:
            if head.of and head.of not in names[: names.index(head.name)]:
                raise ConfigError(f"head '{head.name}' depends on '{head.of}', which does not stand before it")

    @property
    def width(self) -> int:
        """Numbers that say everything of a cell."""
        return sum(head.size for head in self.heads)

    def span(self, name: str) -> slice:
        """Returns where a head's numbers lie in a cell."""
        start = 0
        for head in self.heads:
            if head.name == name:
                return slice(start, start + head.size)
            start += head.size
        raise KeyError(name)

    def head(self, name: str) -> Head:
        """Returns a head by its name."""
        return next(head for head in self.heads if head.name == name)

    def as_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> "BarShape":
        """Returns the shape that `as_dict` wrote.

        Raises:
            ConfigError: it is not one.
        """
        try:
            return cls(**{**table, "heads": tuple(Head(**head) for head in table["heads"])})
        except (TypeError, KeyError) as error:
            raise ConfigError(f"not the shape of a bar network: {error}") from error


@dataclass(frozen=True)
class Bars:
    """Bars as the network reads them.

    Attributes:
        cells: (N, cells, width) what every head says: ones of choices and of yes, levels; zeros past the end.
        condition: (N, cells, condition) what is known.
        mask: (N, cells) which cells there are.
    """

    cells: Floats
    condition: Floats
    mask: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.cells)

    def take(self, rows: Any) -> "Bars":
        """Returns some of the bars."""
        return Bars(self.cells[rows], self.condition[rows], self.mask[rows])


def meant(shape: BarShape, head: Head, cells: Any) -> Any:
    """Returns 0 or 1 for every number of a head: whether it means anything beside the head that it depends on.

    Args:
        shape: of the network.
        head: which.
        cells: (..., width) arrays or tensors.
    """
    if not head.of:
        return cells[..., :1] * 0 + 1
    other = shape.head(head.of)
    values = cells[..., shape.span(head.of)]
    if other.kind == "choice":
        return values[..., FIRST_ONSET:].sum(-1)[..., None]
    if other.size == head.size:
        return values
    return (values.sum(-1)[..., None] > 0) * 1.0


class BarNetwork:
    """Encoder and decoder of one shape.

    Args:
        shape: of the network.
        weights: by name, as `bar_vae.BarVae` names them, float32.

    Raises:
        ConfigError: a weight is missing or has another shape.
    """

    def __init__(self, shape: BarShape, weights: Arrays) -> None:
        self.shape = shape
        for name, size in weight_sizes(shape).items():
            if name not in weights or weights[name].shape != size:
                found = weights[name].shape if name in weights else "none"
                raise ConfigError(f"weights of a bar network: '{name}' should have shape {size}, has {found}")
        self.weights = {name: np.asarray(weights[name], dtype=np.float32) for name in weight_sizes(shape)}

    def encode(self, bars: Bars) -> Floats:
        """Returns (N, latent_dim), the middle of what the encoder thinks of each bar."""
        mask = bars.mask[..., None].astype(np.float32)
        hidden = _silu(self._linear("cell_in", np.concatenate([bars.cells, bars.condition], axis=-1))) * mask
        hidden = _silu(self._linear("bar_in", hidden.reshape(len(bars), -1)))  # (N, hidden)
        hidden = hidden + _silu(self._linear("encoder", hidden))
        found: Floats = self._linear("latent", hidden)[:, : self.shape.latent_dim]
        return found

    def decode(self, latents: Floats, condition: Floats, mask: NDArray[np.bool_]) -> dict[str, Floats]:
        """Returns what every head says, (N, cells, size) each: logits of choices and of yes, levels as they are."""
        count, cells = mask.shape
        live = mask[..., None].astype(np.float32)
        known = self._linear("condition", condition) * live  # (N, cells, cell)
        bar = self._linear("bar_out", latents) + self._linear("bar_known", known.reshape(count, -1))
        hidden = _silu(bar)
        hidden = hidden + _silu(self._linear("decoder", hidden))
        spread = self._linear("spread", hidden).reshape(count, cells, self.shape.cell_dim)
        inner = _silu(spread + known) * live
        padded = np.pad(inner, ((0, 0), (1, 1), (0, 0)))
        near = np.concatenate([padded[:, i : i + cells] for i in range(NEIGHBOURS)], axis=-1)
        inner = inner + _silu(self._linear("near", near))
        out = self._linear("heads", inner)
        return {head.name: out[..., self.shape.span(head.name)] for head in self.shape.heads}

    def _linear(self, name: str, x: Floats) -> Floats:
        found: Floats = x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return found


def _silu(x: Floats) -> Floats:
    found: Floats = x * (np.float32(0.5) * (np.float32(1) + np.tanh(np.float32(0.5) * x)))
    return found


def layer_sizes(shape: BarShape) -> dict[str, tuple[int, int]]:
    """Returns every linear layer's name with its inputs and outputs."""
    row = shape.cells * shape.cell_dim
    return {
        "cell_in": (shape.width + shape.condition, shape.cell_dim),
        "bar_in": (row, shape.hidden_dim),
        "encoder": (shape.hidden_dim, shape.hidden_dim),
        "latent": (shape.hidden_dim, 2 * shape.latent_dim),
        "condition": (shape.condition, shape.cell_dim),
        "bar_out": (shape.latent_dim, shape.hidden_dim),
        "bar_known": (row, shape.hidden_dim),
        "decoder": (shape.hidden_dim, shape.hidden_dim),
        "spread": (shape.hidden_dim, row),
        "near": (NEIGHBOURS * shape.cell_dim, shape.cell_dim),
        "heads": (shape.cell_dim, shape.width),
    }


def weight_sizes(shape: BarShape) -> dict[str, tuple[int, ...]]:
    """Returns every weight's name with its shape."""
    sizes: dict[str, tuple[int, ...]] = {}
    for name, (inputs, outputs) in layer_sizes(shape).items():
        sizes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
    return sizes
