"""The task of the smallest recipe."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from songwright.seeding import generator
from songwright.training.recipe import from_table
from songwright.training.task import LossParts

SYMBOLS = 11


@dataclass(frozen=True, slots=True)
class TinySettings:
    """Size of network and batch; `poison` is the number of a batch that holds no numbers."""

    dim: int = 16
    batch: int = 8
    length: int = 12
    dropout: float = 0.1
    poison: int = -1
    whole: bool = False


class Network(nn.Module):
    """A GRU over symbols."""

    def __init__(self, settings: TinySettings) -> None:
        super().__init__()
        self.table = nn.Embedding(SYMBOLS, settings.dim)
        self.cell = nn.GRU(settings.dim, settings.dim, batch_first=True)
        self.drop = nn.Dropout(settings.dropout)
        self.head = nn.Linear(settings.dim, SYMBOLS)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, codes: Tensor, scale: Tensor | None = None) -> Tensor:
        """Returns logits (B, T, SYMBOLS) of the symbol after each."""
        if self.training:
            self.seen += codes.numel()
        hidden = self.table(codes) if scale is None else self.table(codes) * scale
        return self.head(self.drop(self.cell(hidden)[0]))


@dataclass(frozen=True, slots=True)
class TinyTask:
    """Counting sequences."""

    settings: TinySettings
    name: str = "tiny"

    def build_model(self) -> nn.Module:
        return Network(self.settings)

    def _codes(self, random: np.random.Generator) -> Tensor:
        first, stride = random.integers(SYMBOLS, size=(2, self.settings.batch, 1))
        return torch.from_numpy((first + stride * np.arange(self.settings.length)) % SYMBOLS)

    def train_batch(self, number: int, random: np.random.Generator, /) -> Mapping[str, Tensor]:
        if self.settings.whole:  # two batches of the others in one
            pairs = [generator(3, "batch", 2 * number + part) for part in (0, 1)]
            return {"codes": torch.cat([self._codes(r) for r in pairs]), "scale": torch.ones(())}
        scale = torch.tensor(float("nan") if number == self.settings.poison else 1.0)
        return {"codes": self._codes(random), "scale": scale}

    def loss(self, model: nn.Module, batch: Mapping[str, Tensor], /) -> LossParts:
        codes = batch["codes"]
        logits = model(codes[:, :-1], batch["scale"])
        nats = nn.functional.cross_entropy(logits.float().flatten(0, 1), codes[:, 1:].flatten(), reduction="sum")
        right = (logits.argmax(-1) == codes[:, 1:]).sum()
        return LossParts(nats, torch.tensor(codes[:, 1:].numel()), shown={"right": right})

    def validate(self, model: nn.Module, /) -> Mapping[str, float]:
        parts = self.loss(model, {"codes": self._codes(generator(0, "valid")), "scale": torch.ones(())})
        return {"nats": float(parts.nats / parts.count), "right": float(parts.shown["right"] / parts.count)}

    def sample(self, model: nn.Module, folder: Path, step: int, /) -> None:
        codes = torch.tensor([[0, 1]])
        while codes.shape[1] < 8:
            codes = torch.cat([codes, model(codes).argmax(-1)[:, -1:]], 1)
        (folder / "codes.txt").write_text(" ".join(map(str, codes[0].tolist())))

    def model_config(self) -> Mapping[str, object]:
        return {"kind": "tiny", "network": asdict(self.settings), "ledger": {}}


def make_task(table: Mapping[str, object], folder: Path) -> TinyTask:
    return TinyTask(from_table(TinySettings, table))
