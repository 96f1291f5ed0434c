"""What the trainer learns here: to write parts that theory rewards, by a gradient of its own samples."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1] / "preference"))
from ground import CORPORA, open_ground, open_yardstick, real_task, start_of, tuned_config
from sides import side_of, stacked

from songwright.compose.learned.practice import WindowSettings, attempts, draw_window, song_of
from songwright.compose.learned.rewards import Yardstick
from songwright.compose.tokens.windows import Example
from songwright.errors import ConfigError
from songwright.neural.chosen import ChosenNats, chosen_nats
from songwright.neural.language_model import MultiStreamLM
from songwright.neural.preference import advantages, drift
from songwright.neural.torch_steps import TorchStepModel
from songwright.seeding import generator
from songwright.training.recipe import from_table
from songwright.training.shards import shards_folder
from songwright.training.task import LossParts


@dataclass(frozen=True, slots=True)
class Settings:
    """The table [task].

    Attributes:
        start: folder of the trained composer, which is the reference too.
        samples: of one window, each the baseline of the others.
        windows: of a batch.
        kinds: of parts, in turn.
        normalise: whether advantages are divided by their spread.
        drift: weight of the divergence from the reference, nats an event.
        drawn: which windows.
        valid_windows: of every kind of part, on which rewards are validated.
        valid_samples: of each of them.
        real_examples: for each kind of part, on which it is seen what is forgotten of real pieces; 0 for none.
        corpora: share of each among windows and real examples.
        yardstick: file of the rewards; empty for that of `recipes/preference`.
        seed: decides windows and samples.
        shards: their folder; empty for SONGWRIGHT_SHARDS.
    """

    start: str = ""
    samples: int = 6
    windows: int = 2
    kinds: tuple[Literal["melody", "harmony", "bass", "drums"], ...] = ("melody", "harmony", "bass", "drums")
    normalise: bool = True
    drift: float = 0.05
    drawn: WindowSettings = field(default_factory=WindowSettings)
    valid_windows: int = 4
    valid_samples: int = 4
    real_examples: int = 8
    corpora: Mapping[str, float] = field(default_factory=lambda: dict(CORPORA))
    yardstick: str = ""
    seed: int = 1
    shards: str = ""

    def __post_init__(self) -> None:
        for name, value, least in (
            ("samples", self.samples, 2), ("windows", self.windows, 1), ("kinds", len(self.kinds), 1),
            ("valid_windows", self.valid_windows, 1), ("valid_samples", self.valid_samples, 1),
        ):  # fmt: skip
            if value < least:
                raise ConfigError(f"[task] {name}: expected {least} or more, got {value}")


class ReinforceTask:
    """Samples of windows of training pieces; validation on samples of windows held apart, and on real pieces."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self.settings = name, settings
        self.config, self.reference = start_of(settings.start)
        self.reference.eval().requires_grad_(False)
        self.ground = open_ground(shards_folder(settings.shards), settings.corpora)
        self.pieces = self.ground.pieces("train")
        self.yardstick: Yardstick = open_yardstick(*([Path(settings.yardstick)] if settings.yardstick else []))
        held_apart = self.ground.pieces("valid")
        self.valid = [
            (kind, draw_window(held_apart, kind, settings.drawn, generator(settings.seed, "valid window", kind, i)))
            for i in range(settings.valid_windows)
            for kind in settings.kinds
        ]
        self.real = real_task(settings.real_examples, settings.corpora, settings.shards)

    def build_model(self) -> MultiStreamLM:
        """Returns the composer as it was trained."""
        return start_of(self.settings.start)[1]

    def train_batch(self, number: int, random: np.random.Generator) -> Mapping[str, Tensor]:
        """Returns the numbers of the windows of a batch: what is sampled of them depends on the network."""
        first = number * self.settings.windows
        return {"numbers": torch.arange(first, first + self.settings.windows)}

    def loss(self, model: torch.nn.Module, batch: Mapping[str, Tensor]) -> LossParts:
        """Samples, rewards, and returns what makes the better samples of each window likelier; `nats` is no reward."""
        assert isinstance(model, MultiStreamLM)
        written, rewards = self._sampled(model, batch["numbers"].tolist())
        sequences = {
            name: tensor.to(model.begin.device)
            for name, tensor in stacked([side_of(example) for example in written]).items()
        }
        count = len(written)
        found = chosen_nats(model, sequences)
        with torch.no_grad():
            known = chosen_nats(self.reference.to(model.begin.device), sequences)
        better = advantages(rewards, normalise=self.settings.normalise).flatten().to(found.nats)
        away = _drifts(found, known, count)
        length = found.events(count).mean()
        objective = ((better * found.by_row(count)).sum() + self.settings.drift * away.sum()) / length
        return LossParts(
            nats=-rewards.sum(),
            count=torch.tensor(float(count)),
            objective=objective,
            shown={"drift": (away / found.events(count)).detach().sum(), "events": found.events(count).sum()},
        )

    def _sampled(self, model: MultiStreamLM, numbers: Sequence[int]) -> tuple[list[Example], Tensor]:
        """Returns the samples of some windows, window by window, and their rewards (W, S); the mode stays as it was."""
        settings, training = self.settings, model.training
        written: list[Example] = []
        rewards: list[list[float]] = []
        for number in numbers:
            kind = settings.kinds[number % len(settings.kinds)]
            window = draw_window(self.pieces, kind, settings.drawn, generator(settings.seed, "window", number))
            random = [generator(settings.seed, "sample", number, k) for k in range(settings.samples)]
            mine = attempts(TorchStepModel(model), window, random)
            rewards.append([self.yardstick.reward(song_of(attempt), kind).total for attempt in mine])
            written += mine
        model.train(training)
        return written, torch.tensor(rewards)

    def validate(self, model: torch.nn.Module) -> Mapping[str, float]:
        """Returns less the mean reward of samples of held-out windows as "nats", each kind's reward, and real nats."""
        assert isinstance(model, MultiStreamLM)
        totals: dict[str, list[float]] = {kind: [] for kind in self.settings.kinds}
        writer = TorchStepModel(model)
        for place, (kind, window) in enumerate(self.valid):
            scope = range(self.settings.valid_samples)
            random = [generator(self.settings.seed, "valid sample", place, k) for k in scope]
            mine = attempts(writer, window, random)
            totals[kind] += [self.yardstick.reward(song_of(attempt), kind).total for attempt in mine]
        means = {kind: float(np.mean(rewards)) for kind, rewards in totals.items()}
        found = {"nats": -float(np.mean(list(means.values()))), **{f"{k}_reward": mean for k, mean in means.items()}}
        if self.real is not None:
            found["real"] = float(self.real.validate(model)["nats"])
        return found

    def model_config(self) -> Mapping[str, Any]:
        """Returns what goes into `config.json`: the composer's, and how it was tuned."""
        used = self.ground.shards.select(split="train", corpora=[n for n, w in self.settings.corpora.items() if w])
        ledger = self.ground.shards.provenance(used)["ledger"]
        return tuned_config(self.config, {"how": "reinforce"}, ledger)


def make_task(table: Mapping[str, Any], folder: Path) -> ReinforceTask:
    """Returns the task of a recipe's table."""
    return ReinforceTask(str(table["name"]), from_table(Settings, table))


def _drifts(found: ChosenNats, known: ChosenNats, count: int) -> Tensor:
    """Returns (count,) the divergence from the reference of each sequence."""
    each = drift(found.nats, known.nats) * found.wanted
    return torch.zeros(count, device=each.device).index_add(0, found.rows, each.sum(1))
