"""What the trainer learns here: single bars of tunes, basses, chords, drums and harmony, each from its own latent."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from songwright.compose.learned.bars.cells import (
    base_of,
    chords_in,
    harmony_bars,
    part_bars,
    shifts_of,
    sounding,
    windows_of,
)
from songwright.compose.learned.bars.kinds import KINDS, KNOWN, bar_shapes
from songwright.compose.tokens.decode import decode_grid
from songwright.compose.tokens.grid import PITCH, GridSong
from songwright.compose.tokens.piece import KIND_OF_ROLE, TARGET_KINDS
from songwright.compose.tokens.vocabulary import vocabulary_hash
from songwright.errors import ConfigError
from songwright.neural.bar_network import Bars, BarShape
from songwright.neural.bar_vae import BarVaes, held_back, weight_of
from songwright.seeding import generator
from songwright.training.recipe import from_table
from songwright.training.shards import Shards, Split, check_corpora, open_shards, shards_folder
from songwright.training.task import LossParts

MODEL_KIND = "bars"
_KIND = {"melody": "tune", "other": "tune", "bass": "bass", "chords": "chords", "drums": "drums"}


@dataclass(frozen=True, slots=True)
class Settings:
    """The table [task].

    Attributes:
        corpora: share of each corpus in the bars that are learned; a kind of part that a corpus does not have is made
            up for by the others.
        most_bars: of each kind that are read for training.
        valid_bars: of each kind that validation is measured on.
        batch_bars: of each kind in a batch; a kind that is not named has none and is not learned.
        weight: of the divergence, once it is grown.
        grow_steps: batches over which it grows from 0.
        free_nats: of every number of a latent, for nothing.
        deaf: share of the tunes' bars whose harmony is hidden.
        hidden_dim, cell_dim, latent_dim: see `kinds.bar_shapes`.
        seed: decides which bars are read.
        shards: their folder; empty for SONGWRIGHT_SHARDS.
    """

    corpora: Mapping[str, float]
    most_bars: int = 60_000
    valid_bars: int = 1500
    batch_bars: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 128))
    weight: float = 0.2
    grow_steps: int = 1000
    free_nats: float = 0.02
    deaf: float = 0.1
    hidden_dim: int = 160
    cell_dim: int = 32
    latent_dim: int = 48
    seed: int = 1
    shards: str = ""

    def __post_init__(self) -> None:
        for name, value in (("most_bars", self.most_bars), ("valid_bars", self.valid_bars), *self.batch_bars.items()):
            if value < 1:
                raise ConfigError(f"[task] {name}: expected 1 or more, got {value}")
        if not self.batch_bars or not set(self.batch_bars) <= set(KINDS):
            raise ConfigError(f"[task] batch_bars: expected some of {', '.join(KINDS)}, got {list(self.batch_bars)}")

    def shapes(self) -> dict[str, BarShape]:
        """Returns the shapes of the networks that are learned."""
        shapes = bar_shapes(self.hidden_dim, self.cell_dim, self.latent_dim)
        return {kind: shape for kind, shape in shapes.items() if kind in self.batch_bars}


@dataclass(frozen=True)
class Stock:
    """Bars of one kind, small in memory.

    Attributes:
        cells: (N, cells, width) of `Bars.cells`, float16.
        chord: (N, cells) chord numbers in the frame.
        count: (N,) cells of each bar.
    """

    cells: NDArray[np.float16]
    chord: NDArray[np.int16]
    count: NDArray[np.uint8]

    def bars(self, rows: NDArray[np.int64], kind: str) -> Bars:
        """Returns some bars as the network reads them."""
        cells = self.cells[rows].astype(np.float32)
        mask = np.arange(cells.shape[1]) < self.count[rows, None]
        if kind in ("drums", "harmony"):
            return Bars(cells, np.zeros((*mask.shape, 1), dtype=np.float32), mask)
        return Bars(cells, KNOWN[self.chord[rows]], mask)


class BarsTask:
    """Bars of training pieces; validation on bars of pieces held apart."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self.settings = name, settings
        self.shards = open_shards(shards_folder(settings.shards), vocabulary=vocabulary_hash())
        check_corpora(self.shards, settings.corpora)
        self.shapes = settings.shapes()
        self.train = read_stock(self.shards, "train", self.shapes, settings.corpora, settings.most_bars, settings.seed)
        valid = read_stock(self.shards, "valid", self.shapes, settings.corpora, settings.valid_bars, settings.seed)
        self.valid = {
            kind: tensors(kind, stock.bars(np.arange(len(stock.count)), kind)) for kind, stock in valid.items()
        }

    def build_model(self) -> BarVaes:
        """Returns the networks with their first weights."""
        return BarVaes(self.shapes)

    def train_batch(self, number: int, random: np.random.Generator) -> Mapping[str, Tensor]:
        """Returns bars of every kind, with the noise that moves their latents, and the weight of the divergence."""
        settings = self.settings
        batch: dict[str, Tensor] = {
            "weight": torch.tensor(weight_of(number, settings.grow_steps, settings.weight), dtype=torch.float32)
        }
        for kind, stock in self.train.items():
            bars = stock.bars(random.integers(len(stock.count), size=settings.batch_bars[kind]), kind)
            if kind == "tune":
                bars.condition[random.random(len(bars)) < settings.deaf] = 0.0
            batch |= tensors(kind, bars)
            noise = random.standard_normal((len(bars), self.shapes[kind].latent_dim), dtype=np.float32)
            batch[f"{kind}.noise"] = torch.from_numpy(noise)
        return batch

    def loss(self, model: torch.nn.Module, batch: Mapping[str, Tensor]) -> LossParts:
        """Returns the nats of all bars, divergence weighed; what is made smaller gives each number some for nothing."""
        assert isinstance(model, BarVaes)
        nats = objective = torch.zeros((), device=batch["weight"].device)
        bars = 0
        for kind in self.shapes:
            found = model.loss(kind, batch, batch[f"{kind}.noise"])
            size = len(found.nats)
            nats = nats + found.nats.sum() + self.settings.weight * found.divergence.sum()
            free = held_back(found.divergence, self.settings.free_nats) * size
            objective = objective + found.nats.sum() + batch["weight"] * free
            bars += size
        return LossParts(nats=nats.detach(), count=torch.tensor(float(bars)).to(nats), objective=objective)

    def validate(self, model: torch.nn.Module) -> Mapping[str, float]:
        """Returns nats a bar over all kinds, divergence weighed, and three numbers of each kind.

        These are its nats, its divergence, and the share of cells that come back right from the middle of the latent.
        """
        assert isinstance(model, BarVaes)
        device = next(model.parameters()).device
        found: dict[str, float] = {"nats": 0.0}
        for kind, batch in self.valid.items():
            here = {name: tensor.to(device) for name, tensor in batch.items()}
            loss = model.loss(kind, here)
            divergence = float(loss.divergence.sum(1).mean())
            found["nats"] += (float(loss.nats.mean()) + self.settings.weight * divergence) / len(self.valid)
            found |= {f"{kind}_nats": float(loss.nats.mean()), f"{kind}_divergence": divergence}
            found[f"{kind}_right"] = _right(model, kind, here)
        return found

    def model_config(self) -> Mapping[str, Any]:
        """Returns what goes into `config.json`."""
        used = [i for i in self.shards.select(split="train") if self.settings.corpora.get(self.shards.pieces[i].corpus)]
        shapes = {kind: shape.as_dict() for kind, shape in self.shapes.items()}
        return {"kind": MODEL_KIND, "shapes": shapes, **self.shards.provenance(used)}


def make_task(table: Mapping[str, Any], folder: Path) -> BarsTask:
    """Returns the task of a recipe's table."""
    return BarsTask(str(table["name"]), from_table(Settings, table))


def tensors(kind: str, bars: Bars) -> dict[str, Tensor]:
    """Returns bars as the tensors of a batch."""
    return {
        f"{kind}.cells": torch.from_numpy(bars.cells),
        f"{kind}.condition": torch.from_numpy(bars.condition),
        f"{kind}.mask": torch.from_numpy(bars.mask),
    }


def song_bars(grid: GridSong, shapes: Mapping[str, BarShape]) -> dict[str, list[tuple[Bars, NDArray[np.int64]]]]:
    """Returns the bars of every part of a song in which a note begins, with their chords.

    Basses and chords are read where the harmony is known, the harmony where there is one.
    """
    windows = windows_of(grid.bar_steps)
    shift = shifts_of(grid.keys)[windows.bars]
    chord, under = chords_in(windows, grid.chords, shift)
    known = ((chord > 0) | ~windows.mask).all(axis=1)
    found = defaultdict(list)
    if known.any() and "harmony" in shapes:
        bars = harmony_bars(shapes["harmony"], windows, chord, under)
        found["harmony"].append((bars.take(known), chord[known][:, ::2]))
    for player in grid.players:
        kind = _KIND[TARGET_KINDS[KIND_OF_ROLE[player.role]]]
        if kind not in shapes:
            continue
        notes = player.notes
        bars = part_bars(kind, shapes, windows, notes, chord, base_of(notes[:, PITCH], kind, int(shift[0])), shift)
        keep = sounding(shapes[kind], bars) & (known | (kind in ("tune", "drums")))
        found[kind].append((bars.take(keep), chord[keep]))
    return found


def read_stock(
    shards: Shards,
    split: Split,
    shapes: Mapping[str, BarShape],
    corpora: Mapping[str, float],
    most: int,
    seed: int,
    *,
    most_pieces: int | None = None,
) -> dict[str, Stock]:
    """Returns at most so many bars of each kind, corpora by their shares; the same bars for the same seed.

    Args:
        shards: encoded pieces.
        split: which of them.
        shapes: of the kinds that are read.
        corpora: share of each.
        most: bars of each kind.
        seed: decides which.
        most_pieces: of each corpus that are opened; None for all.
    """
    random = generator(seed, "bars", split)
    whole = sum(corpora.values())
    stocks: dict[str, list[Stock]] = defaultdict(list)
    for corpus, share in corpora.items():
        room = {kind: int(2.5 * most * share / whole) for kind in shapes}
        pieces = random.permutation(shards.select(split=split, corpora=[corpus]))
        for index in pieces[:most_pieces].tolist() if share else []:
            grid = decode_grid(shards.codes(index))
            for kind, several in song_bars(grid, shapes).items():
                for bars, chord in several:
                    size = min(len(bars), room[kind])
                    room[kind] -= size
                    if size:
                        count = bars.mask[:size].sum(1).astype(np.uint8)
                        cells = bars.cells[:size].astype(np.float16)
                        stocks[kind].append(Stock(cells, chord[:size].astype(np.int16), count))
            if not any(room.values()):
                break
    return {kind: _joined(stocks[kind], most, random) for kind in KINDS if stocks[kind]}


def _joined(stocks: list[Stock], most: int, random: np.random.Generator) -> Stock:
    cells = np.concatenate([stock.cells for stock in stocks])
    rows = np.sort(random.permutation(len(cells))[:most])
    chord = np.concatenate([stock.chord for stock in stocks])
    return Stock(cells[rows], chord[rows], np.concatenate([stock.count for stock in stocks])[rows])


def _right(model: BarVaes, kind: str, batch: Mapping[str, Tensor]) -> float:
    """Returns the share of cells whose first head comes back as it was, all of its yes or no together."""
    vae: Any = model.kinds[kind]
    cells, condition, mask = (batch[f"{kind}.{name}"] for name in ("cells", "condition", "mask"))
    said = vae.decode(vae.encode(cells, condition, mask)[0], condition, mask)
    head = vae.shape.heads[0]
    mine, right = said[..., : head.size], cells[..., : head.size]
    same = (mine.argmax(-1) == right.argmax(-1)) if head.kind == "choice" else ((mine > 0) == (right > 0.5)).all(-1)
    return float(same[mask].float().mean())
