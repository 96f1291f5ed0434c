"""What the trainer learns here: parts of songs, event by event, given the other parts, chords, form and words."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from songwright.compose.tokens.batches import Batch, Pieces, draw_batches, fixed_examples, stack
from songwright.compose.tokens.draw import DrawSettings
from songwright.compose.tokens.features import FEATURE_SIZES, FEATURES
from songwright.compose.tokens.piece import TARGET_KINDS
from songwright.compose.tokens.vocabulary import KIND, STREAMS, VALUE, VOCABULARY_SIZES, Kind, vocabulary_hash
from songwright.compose.tokens.windows import Example
from songwright.neural.attention import Attention
from songwright.neural.chosen import chosen_nats
from songwright.neural.language_model import LanguageModelConfig, MultiStreamLM
from songwright.seeding import generator
from songwright.training.recipe import from_table
from songwright.training.shards import Shards, Split, check_corpora, open_shards, shards_folder
from songwright.training.task import LossParts

MODEL_KIND = "composer"
BATCHES = 8
PITCH = "pitch"


@dataclass(frozen=True, slots=True)
class Settings:
    """The table [task].

    Attributes:
        corpora: share of each corpus in what is learned.
        network: keys of `LanguageModelConfig` but the vocabularies.
        lengths: an example has at most one of these many events.
        batch_steps: events of a batch, about.
        draw: how examples are drawn.
        smoothing: of labels, in learning alone.
        valid_examples: for each kind of part.
        valid_length: most events of an example of the validation.
        corpus_examples: for each kind of part in each corpus, by which learning a corpus by heart is seen.
        seed: decides which these are, and which examples stand together.
        shards: their folder; empty for SONGWRIGHT_SHARDS.
    """

    corpora: Mapping[str, float]
    network: Mapping[str, Any]
    lengths: tuple[int, ...] = (192, 320, 448, 640)
    batch_steps: int = 5120
    draw: DrawSettings = field(default_factory=DrawSettings)
    smoothing: float = 0.0
    valid_examples: int = 40
    valid_length: int = 512
    corpus_examples: int = 6
    seed: int = 1
    shards: str = ""


class ComposerTask:
    """Examples of training pieces; validation on fixed examples of pieces held apart, one kind of part at a time."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self.settings = name, settings
        self.shards = open_shards(shards_folder(settings.shards), vocabulary=vocabulary_hash())
        check_corpora(self.shards, settings.corpora)
        self.train = _pieces(self.shards, "train", settings.corpora)
        self.train.balance(settings.lengths, settings.draw, settings.seed)
        self._drawn: tuple[int, list[list[Example]]] = (-1, [])
        self._lock = threading.Lock()
        apart = _pieces(self.shards, "valid", settings.corpora)
        self.valid = _valid_batches(apart, settings)
        self.by_corpus = {name: _corpus_batches(apart, settings, name) for name in apart.names}
        self.network = LanguageModelConfig.from_dict(
            {
                **settings.network,
                "vocabulary_sizes": VOCABULARY_SIZES,
                "feature_sizes": FEATURE_SIZES,
                "max_steps": max(*settings.lengths, settings.valid_length, settings.network.get("max_steps", 0)),
            }
        )

    def build_model(self) -> MultiStreamLM:
        """Returns the network with its first weights; it drops no attention weights, which would cost a third more."""
        model = MultiStreamLM(self.network)
        for module in model.modules():
            if isinstance(module, Attention):
                module.dropout = 0.0
        return model

    def train_batch(self, number: int, random: np.random.Generator) -> Mapping[str, Tensor]:
        """Returns examples of about one length; `BATCHES` batches are drawn at once and sorted among themselves."""
        settings, (group, place) = self.settings, divmod(number, BATCHES)
        with self._lock:
            if self._drawn[0] != group:
                source = generator(settings.seed, "examples", group)
                drawn = draw_batches(self.train, settings.lengths, settings.batch_steps, BATCHES, settings.draw, source)
                self._drawn = (group, drawn)
            examples = self._drawn[1][place]
        return tensors(stack(examples))

    def loss(self, model: torch.nn.Module, batch: Mapping[str, Tensor]) -> LossParts:
        """Returns the nats of what is to be written; predictions are counted by events."""
        assert isinstance(model, MultiStreamLM)
        found = chosen_nats(model, batch, self.settings.smoothing)
        count = batch["mask"].any(1).sum().to(found.nats)
        return LossParts(found.nats.sum(), count, objective=found.smoothed if self.settings.smoothing else None)

    def validate(self, model: torch.nn.Module) -> Mapping[str, float]:
        """Returns nats a note (of the harmony: a chord) of every kind of part, what ends the parts included.

        Beside each stands what of it falls on pitches (drums, chords) alone, each told its own place in the bar. Then
        nats a note of every corpus, ``corpus/pop909``.
        """
        assert isinstance(model, MultiStreamLM)
        sums, counts = _measured(model, self.valid)
        found = {"nats": float(sums.sum() / max(1.0, counts.sum()))}
        for kind, row, count in zip(TARGET_KINDS, sums, counts, strict=True):
            if count:
                found |= {kind: float(row.sum() / count), f"{kind}_{PITCH}": float(row[VALUE] / count)}
        for corpus, batches in self.by_corpus.items():
            sums, counts = _measured(model, batches)
            if counts.any():
                found[f"corpus/{corpus}"] = float(sums.sum() / counts.sum())
        return found

    def model_config(self) -> Mapping[str, Any]:
        """Returns what goes into `config.json`."""
        used = [i for i in self.shards.select() if self.settings.corpora.get(self.shards.pieces[i].corpus, 0.0) > 0]
        learned = [i for i in used if self.shards.pieces[i].split == "train"]
        return {
            "kind": MODEL_KIND,
            "network": self.network.as_dict(),
            "features": list(FEATURES),
            **self.shards.provenance(learned),
        }


def make_task(table: Mapping[str, Any], folder: Path) -> ComposerTask:
    """Returns the task of a recipe's table."""
    return ComposerTask(str(table["name"]), from_table(Settings, table))


def _pieces(shards: Shards, split: Split, weights: Mapping[str, float]) -> Pieces:
    corpora = {name: shards.select(split=split, corpora=[name]) for name in weights}
    return Pieces(shards.codes, corpora, weights, shards.num_steps)


def _measured(
    model: MultiStreamLM, batches: list[Mapping[str, Tensor]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the nats (kinds, streams) of every kind of part, and of how many notes (kinds,), chords of harmony."""
    sums = np.zeros((len(TARGET_KINDS), len(STREAMS)))
    counts = np.zeros(len(TARGET_KINDS))
    device = next(model.parameters()).device
    for batch in batches:
        nats = chosen_nats(model, {name: tensor.to(device) for name, tensor in batch.items()}).nats
        chosen = batch["mask"].any(1)
        kinds, events = batch["kinds"][chosen].numpy(), batch["codes"][:, KIND][chosen].numpy()
        np.add.at(sums, kinds, nats.double().cpu().numpy())
        counts += np.bincount(kinds[(events == Kind.NOTE) | (events == Kind.CHORD)], minlength=len(counts))
    return sums, counts


def _valid_batches(pieces: Pieces, settings: Settings) -> list[Mapping[str, Tensor]]:
    """Returns the fixed examples of every kind of part, sorted by length, in batches."""
    examples: list[Example] = []
    for kind in TARGET_KINDS:
        random = partial(generator, settings.seed, "valid", kind)
        examples += fixed_examples(pieces, kind, settings.valid_examples, settings.valid_length, random)
    return _batches(examples, settings)


def _corpus_batches(pieces: Pieces, settings: Settings, corpus: str) -> list[Mapping[str, Tensor]]:
    """Returns fixed examples of one corpus, of every kind of part that it has."""
    examples: list[Example] = []
    for kind in TARGET_KINDS:
        random = partial(generator, settings.seed, "valid", corpus, kind)
        count, length = settings.corpus_examples, settings.valid_length
        examples += fixed_examples(pieces, kind, count, length, random, corpus)
    return _batches(examples, settings)


def _batches(examples: list[Example], settings: Settings) -> list[Mapping[str, Tensor]]:
    """Returns examples sorted by length, in batches."""
    examples.sort(key=lambda example: example.num_steps)
    size = max(1, settings.batch_steps // settings.valid_length)
    return [tensors(stack(examples[i : i + size])) for i in range(0, len(examples), size)]


def tensors(batch: Batch) -> dict[str, Tensor]:
    """Returns a batch as tensors: codes and features int64, mask bool, kinds int64."""
    return {
        "codes": torch.from_numpy(batch.codes.astype(np.int64)),
        "features": torch.from_numpy(batch.features.astype(np.int64)),
        "mask": torch.from_numpy(batch.mask),
        "kinds": torch.from_numpy(batch.kinds.astype(np.int64)),
    }
