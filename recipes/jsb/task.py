"""What the trainer learns here: each 16th of a Bach chorale, four voices, given all before it."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from songwright.errors import ConfigError, InputError
from songwright.evaluation import nll, nll_note
from songwright.neural.chorale_features import (
    BEAT_IDS,
    FRAMES_PER_BEAT,
    NUM_CODES,
    VOICES,
    ChoraleFeatures,
    Ids,
    codes_of,
    features_of,
    transposed,
)
from songwright.neural.chorale_head import ChoraleConfig
from songwright.neural.chorale_memory import ChoraleMemory, Recall, moved_recall
from songwright.neural.chorale_model import ORDERS, ChoraleModel, frame_tensors
from songwright.training.recipe import from_table
from songwright.training.task import LossParts

FILE = Path("jsb-chorales") / "Jsb16thSeparated.json"
LICENCE = "J. S. Bach's music is in the public domain; the file (czhuang/JSB-Chorales-dataset) states no licence"
FEW_ORDERS = (ORDERS[0], ORDERS[-1])
"""Soprano first and bass first: what validation while training mixes, in place of all 24."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The table [task].

    Attributes:
        frames: 16ths in a batch, about; whole pieces are put together until there are so many.
        crop_frames: of longer pieces a stretch of so many frames is taken, from a beat on.
        odd_share: the share of the frames between eighths that is learned from, with more weight; notes change there in
            one frame of two hundred.
        slack: how far beyond the compass of the training's voices a transposition may go, in semitones.
        network: of `ChoraleConfig`.
        file: the data; empty for FILE under SONGWRIGHT_DATA.
    """

    frames: int = 2048
    crop_frames: int = 384
    odd_share: float = 0.25
    slack: int = 2
    network: ChoraleConfig = field(default_factory=ChoraleConfig)
    file: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.odd_share <= 1:
            raise ConfigError(f"task.odd_share: expected above 0 and up to 1, got {self.odd_share}")
        if self.crop_frames < FRAMES_PER_BEAT or self.crop_frames % FRAMES_PER_BEAT:
            raise ConfigError(f"task.crop_frames: expected a multiple of {FRAMES_PER_BEAT}, got {self.crop_frames}")

    def path(self) -> Path:
        """Returns where the data is; raises InputError if it is not there."""
        path = Path(self.file) if self.file else Path(os.environ.get("SONGWRIGHT_DATA", "")) / FILE
        if not path.is_file():
            raise InputError(f"there is no {path}: set SONGWRIGHT_DATA to the folder that holds {FILE}")
        return path


class ChoraleTask:
    """Transposed training pieces, each beside what the other training pieces remember; validation over whole pieces."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self.settings = name, settings
        path = settings.path()
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self.train = [codes_of(piece) for piece in nll.read_pieces(path, nll_note.parse, "train")[1]]
        valid = [codes_of(piece) for piece in nll.read_pieces(path, nll_note.parse, "valid")[1]]
        memory = ChoraleMemory(self.train, max(1, settings.network.places))
        self.recalls = [memory.recall(piece, without=number) for number, piece in enumerate(self.train)]
        self.valid = [(features_of(piece), memory.recall(piece)) for piece in valid]
        self.shifts = _shifts(self.train, settings.slack)

    def build_model(self) -> ChoraleModel:
        """Returns the network with its first weights; it remembers the training pieces."""
        remembered = self.train if self.settings.network.places else []
        return ChoraleModel(
            self.settings.network,
            torch.from_numpy(np.concatenate([np.zeros((0, VOICES), np.int64), *remembered])),
            torch.tensor([len(piece) for piece in remembered], dtype=torch.int32),
        )

    def train_batch(self, number: int, random: np.random.Generator) -> Mapping[str, Tensor]:
        """Returns pieces drawn and transposed at random, each frame with an order of the voices of its own."""
        parts: list[dict[str, Tensor]] = []
        beats: list[Ids] = []
        total = 0
        while total < self.settings.frames:
            index = int(random.integers(len(self.train)))
            features, recall = self._example(index, int(random.choice(self.shifts[index])))
            part, ids = self._stretch(features, recall, random)
            parts.append(part)
            beats.append(ids)
            total += len(ids) * FRAMES_PER_BEAT
        longest = max(map(len, beats))
        beat_ids = np.zeros((len(beats), longest, BEAT_IDS), np.int64)
        for row, ids in enumerate(beats):
            beat_ids[row, : len(ids)] = ids
            parts[row]["beat"] += row * longest
        batch = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        ranks = random.random((len(batch["beat"]), VOICES)).argsort(axis=1)
        return {**batch, "beat_ids": torch.from_numpy(beat_ids), "rank": torch.from_numpy(ranks)}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, Tensor]) -> LossParts:
        """Returns the nats of all notes; frames between eighths stand for those that were left out."""
        weight = batch["weight"]
        return LossParts(nats=(model(batch) * weight[:, None]).sum(), count=VOICES * weight.sum())

    def validate(self, model: torch.nn.Module) -> Mapping[str, float]:
        """Returns nats per note over the validation pieces, two orders of the voices mixed."""
        assert isinstance(model, ChoraleModel)
        frames = VOICES * sum(len(features.codes) for features, _ in self.valid)
        mixed = sum(float(model.nats_of(*piece, FEW_ORDERS).sum()) for piece in self.valid)
        return {"nats": mixed / frames}

    def model_config(self) -> Mapping[str, Any]:
        """Returns what goes into `config.json`."""
        return {
            "kind": nll_note.KIND,
            "network": asdict(self.settings.network),
            "data": {FILE.name: self.sha256},
            "ledger": [{"corpus": "jsb-chorales", "licence": LICENCE, "split": "train", "usable": False}],
        }

    def _example(self, index: int, shift: int) -> tuple[ChoraleFeatures, Recall]:
        return features_of(transposed(self.train[index], shift)), moved_recall(self.recalls[index], shift)

    def _stretch(
        self, features: ChoraleFeatures, recall: Recall, random: np.random.Generator
    ) -> tuple[dict[str, Tensor], Ids]:
        """Returns the tensors of frames to learn from, and the ids of the beats they lie in."""
        crop, beats = self.settings.crop_frames // FRAMES_PER_BEAT, len(features.beat_ids)
        first = int(random.integers(beats - crop + 1)) if beats > crop else 0
        last = min(first + crop, beats)
        frames = np.arange(first * FRAMES_PER_BEAT, min(last * FRAMES_PER_BEAT, len(features.codes)))
        odd, share = frames % 2 == 1, self.settings.odd_share
        frames = frames[~odd | (random.random(len(frames)) < share)]
        tensors = frame_tensors(features, recall)
        part = {name: tensor[torch.from_numpy(frames)] for name, tensor in tensors.items()}
        part["beat"] = torch.from_numpy(frames // FRAMES_PER_BEAT - first)
        part["weight"] = torch.from_numpy(np.where(frames % 2 == 1, 1 / share, 1.0).astype(np.float32))
        return part, features.beat_ids[first:last]


def make_task(table: Mapping[str, Any], folder: Path) -> ChoraleTask:
    """Returns the task of the table [task]."""
    return ChoraleTask(str(table["name"]), from_table(Settings, table))


def _shifts(pieces: list[Ids], slack: int) -> list[list[int]]:
    """Returns for each piece the transpositions that keep every voice in the compass it has in all pieces."""
    notes = np.concatenate(pieces)
    low, high = np.where(notes > 0, notes, NUM_CODES).min(axis=0), notes.max(axis=0)
    shifts = []
    for piece in pieces:
        least = int((low - np.where(piece > 0, piece, NUM_CODES).min(axis=0)).max()) - slack
        most = int((high - piece.max(axis=0)).min()) + slack
        shifts.append(list(range(min(least, 0), max(most, 0) + 1)))
    return shifts
