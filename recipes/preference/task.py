"""What the trainer learns here: to prefer, of two of its own attempts, the one that theory rewards."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))
from ground import CORPORA, real_task, start_of, tuned_config
from pairs import MANIFEST, Pair, read_pairs
from sides import stacked

from songwright.compose.tokens.vocabulary import vocabulary_hash
from songwright.errors import CheckpointError, ConfigError
from songwright.files import write_bytes
from songwright.neural.chosen import chosen_nats
from songwright.neural.language_model import MultiStreamLM
from songwright.neural.preference import preference_loss, preference_margin
from songwright.seeding import generator
from songwright.training.checkpoint import read_json, read_tensors
from songwright.training.packing import pack
from songwright.training.recipe import from_table
from songwright.training.shards import Split
from songwright.training.task import LossParts

AT_ONCE = 16
"""Sequences of one forward pass without gradients."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The table [task].

    Attributes:
        start: folder of the trained composer, which is the reference too.
        pairs: folder that `pairs.py` filled.
        beta: how dearly leaving the reference is paid for.
        likelihood: weight of the chosen attempt's own nats an event, which keeps both of a pair from becoming unlikely.
        least_gap: pairs whose rewards differ less teach nothing.
        batch_pairs: of a batch.
        real_examples: for each kind of part, on which it is seen what is forgotten of real pieces; 0 for none.
        corpora: share of each among these.
        seed: decides the order.
        shards: their folder; empty for SONGWRIGHT_SHARDS.
    """

    start: str = ""
    pairs: str = ""
    beta: float = 0.1
    likelihood: float = 0.1
    least_gap: float = 0.1
    batch_pairs: int = 8
    real_examples: int = 8
    corpora: Mapping[str, float] = field(default_factory=lambda: dict(CORPORA))
    seed: int = 1
    shards: str = ""

    def __post_init__(self) -> None:
        for name, value, good in (
            ("beta", self.beta, self.beta > 0),
            ("likelihood", self.likelihood, self.likelihood >= 0),
            ("batch_pairs", self.batch_pairs, self.batch_pairs > 0),
        ):
            if not good:
                raise ConfigError(f"[task] {name}: expected a number above 0, got {value}")


class PreferenceTask:
    """Pairs of attempts at windows of training pieces; validation on pairs from pieces held apart, and on real ones."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self.settings = name, settings
        self.config, self.start = start_of(settings.start)
        if not settings.pairs:
            raise ConfigError("which pairs? make some with recipes/preference/pairs.py, then --set task.pairs=FOLDER")
        self.folder = Path(settings.pairs)
        about = read_json(self.folder / MANIFEST)
        if about.get("vocabulary_hash") != vocabulary_hash():
            raise CheckpointError(self.folder, "pairs in another event language than this program's: make them anew")
        self.train, self.valid = (self._read(split) for split in ("train", "valid"))
        self.reference = {split: self._reference(split) for split in ("train", "valid")}
        self.real = real_task(settings.real_examples, settings.corpora, settings.shards)

    def _read(self, split: Split) -> list[Pair]:
        pairs = [pair for pair in read_pairs(self.folder, split) if pair.gap >= self.settings.least_gap]
        if not pairs:
            raise ConfigError(f"{self.folder / split}: no pair whose rewards differ by {self.settings.least_gap}")
        return pairs

    def _pairs(self, split: str) -> list[Pair]:
        return self.train if split == "train" else self.valid

    def _reference(self, split: str) -> NDArray[np.float32]:
        """Returns (P, 2) nats under the reference, computed once for these weights and kept beside the pairs."""
        pairs, sha256 = self._pairs(split), str(self.config["weights_sha256"])
        path = self.folder / f"reference-{split}-{sha256[:16]}.safetensors"
        numbers = np.array([pair.number for pair in pairs])
        if path.is_file():
            known = read_tensors(path)
            if np.array_equal(known.get("numbers", ()), numbers):
                return known["nats"]
        found = [self.nats(self.start, pairs[i : i + AT_ONCE // 2]).numpy() for i in range(0, len(pairs), AT_ONCE // 2)]
        nats = np.concatenate(found).astype(np.float32)
        write_bytes(path, pack({"numbers": numbers, "nats": nats}))
        return nats

    @torch.no_grad()
    def nats(self, model: MultiStreamLM, pairs: Sequence[Pair]) -> Tensor:
        """Returns (P, 2) nats of the chosen and the rejected attempts."""
        device = next(model.parameters()).device
        batch = {name: tensor.to(device) for name, tensor in side_by_side(pairs).items()}
        rows = 2 * len(pairs)
        return chosen_nats(model.eval(), batch).by_row(rows).view(2, -1).T.cpu()

    def build_model(self) -> MultiStreamLM:
        """Returns the composer as it was trained."""
        return start_of(self.settings.start)[1]

    @cached_property
    def batches(self) -> int:
        """How many batches see every pair once."""
        return max(1, len(self.train) // self.settings.batch_pairs)

    def train_batch(self, number: int, random: np.random.Generator) -> Mapping[str, Tensor]:
        """Returns pairs, the chosen ones first, with their nats under the reference; each pair once in every round."""
        epoch, place = divmod(number, self.batches)
        order = generator(self.settings.seed, "order", epoch).permutation(len(self.train))
        mine = order[place * self.settings.batch_pairs :][: self.settings.batch_pairs].tolist()
        reference = torch.from_numpy(self.reference["train"][mine])
        return {**side_by_side([self.train[i] for i in mine]), "reference": reference}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, Tensor]) -> LossParts:
        """Returns the loss of preference; what is made smaller has the chosen attempts' nats an event added."""
        assert isinstance(model, MultiStreamLM)
        count = len(batch["codes"]) // 2
        found = chosen_nats(model, batch)
        chosen, rejected = found.by_row(2 * count).split(count)
        margin = preference_margin(chosen, rejected, *batch["reference"].unbind(1))
        losses = preference_loss(margin, self.settings.beta)
        each = (chosen / found.events(2 * count)[:count]).sum()
        return LossParts(
            nats=losses.sum(),
            count=torch.tensor(float(count)).to(losses),
            objective=losses.sum() + self.settings.likelihood * each,
            shown={"accuracy": (margin > 0).float().sum(), "margin": margin.sum(), "chosen": each},
        )

    def validate(self, model: torch.nn.Module) -> Mapping[str, float]:
        """Returns the loss of preference on held-out pairs, how often it prefers rightly, and nats of real pieces."""
        assert isinstance(model, MultiStreamLM)
        step = AT_ONCE // 2
        nats = torch.cat([self.nats(model, self.valid[i : i + step]) for i in range(0, len(self.valid), step)])
        reference = torch.from_numpy(self.reference["valid"])
        margin = preference_margin(*nats.unbind(1), *reference.unbind(1))
        found = {
            "nats": float(preference_loss(margin, self.settings.beta).mean()),
            "accuracy": float((margin > 0).float().mean()),
            "margin": float(margin.mean()),
        }
        if self.real is not None:
            found["real"] = float(self.real.validate(model)["nats"])
        return found

    def model_config(self) -> Mapping[str, Any]:
        """Returns what goes into `config.json`: the composer's, and how it was tuned."""
        about = read_json(self.folder / MANIFEST)
        how = {"how": "preference", "pairs": len(self.train), "attempts_by": about.get("weights_sha256", "")}
        return tuned_config(self.config, how, about.get("ledger", {}))


def make_task(table: Mapping[str, Any], folder: Path) -> PreferenceTask:
    """Returns the task of a recipe's table."""
    return PreferenceTask(str(table["name"]), from_table(Settings, table))


def side_by_side(pairs: Sequence[Pair]) -> dict[str, Tensor]:
    """Returns pairs as a batch: all chosen attempts, then all rejected ones, padded with PAD."""
    return stacked([*(pair.chosen for pair in pairs), *(pair.rejected for pair in pairs)])
