"""Where preference and reinforcement practise: the pieces of the shards, the composer they start from, the yardstick.

Shared by `recipes/preference` and `recipes/reinforce`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from songwright.compose.learned.rewards import Yardstick
from songwright.compose.tokens.batches import Pieces
from songwright.compose.tokens.vocabulary import vocabulary_hash
from songwright.errors import CheckpointError, ConfigError
from songwright.training.recipe import load_task, read_recipe
from songwright.training.shards import Shards, Split, check_corpora, open_shards, shards_folder

if TYPE_CHECKING:
    from torch import nn

    from songwright.neural.language_model import MultiStreamLM
    from songwright.neural.step_model import StepModel

FOLDER = Path(__file__).parent
YARDSTICK = FOLDER / "yardstick.json"
MODEL_KIND = "composer"
KEPT = ("kind", "network", "features", "vocabulary_hash", "data", "ledger")
CORPORA = {
    "pop909": 0.2, "pop909-hands": 0.2, "openewld": 0.15, "openscore-lieder": 0.05, "open-hymnal": 0.05,
    "groove-midi": 0.15, "freedoom-midi": 0.2,
}  # fmt: skip
"""Share of each corpus among windows, as far as it has the part that is wanted and what that is judged by."""


@dataclass(frozen=True)
class Ground:
    """Pieces to practise on.

    Attributes:
        shards: all of them.
        corpora: share of each corpus.
    """

    shards: Shards
    corpora: Mapping[str, float]

    def pieces(self, split: Split) -> Pieces:
        """Returns the pieces of a split."""
        corpora = {name: self.shards.select(split=split, corpora=[name]) for name in self.corpora}
        return Pieces(self.shards.codes, corpora, self.corpora, self.shards.num_steps)


def open_ground(folder: Path, corpora: Mapping[str, float]) -> Ground:
    """Returns the pieces of shards.

    Raises:
        ConfigError: a corpus is not there, or weights must not learn from it.
    """
    shards = open_shards(folder, vocabulary=vocabulary_hash())
    check_corpora(shards, corpora)
    return Ground(shards, corpora)


def start_of(folder: str) -> "tuple[dict[str, Any], MultiStreamLM]":
    """Returns config and network of the composer that is to be tuned.

    Args:
        folder: `best` or `last` of a training.

    Raises:
        ConfigError: none was named.
        CheckpointError: the folder holds no such model.
    """
    from songwright.neural.attention import Attention
    from songwright.neural.language_model import LanguageModelConfig, MultiStreamLM
    from songwright.training.checkpoint import load_model
    from songwright.training.weights import load_weights

    if not folder:
        raise ConfigError("which composer is to be tuned? --set task.start=FOLDER, the `best` of its training")
    config, arrays = load_model(Path(folder), kind=MODEL_KIND, vocabulary=vocabulary_hash())
    if not isinstance(config.get("network"), Mapping):
        raise CheckpointError(Path(folder), "its config.json says nothing of the network: copied by hand?")
    model = MultiStreamLM(LanguageModelConfig.from_dict(config["network"]))
    load_weights(model, arrays, Path(folder))
    for module in model.modules():
        if isinstance(module, Attention):
            module.dropout = 0.0
    return config, model


def open_writer(folder: Path) -> "tuple[str, StepModel]":
    """Returns the hash of the weights, and a network to write with, of an exported or a trained composer."""
    if (folder / "backbone.onnx").is_file():
        from songwright.compose.learned.composer import load_composer

        exported = load_composer(folder, threads=1)
        return str(exported.config.get("weights_sha256", "")), exported
    from songwright.neural.torch_steps import TorchStepModel

    config, model = start_of(str(folder))
    return str(config["weights_sha256"]), TorchStepModel(model)


def open_yardstick(path: Path = YARDSTICK) -> Yardstick:
    """Returns what parts are rewarded by.

    Raises:
        ConfigError: it is missing or broken.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read, make it anew with yardstick.py: {error}") from error
    return Yardstick.from_table(table)


class RealTask(Protocol):
    """What is asked of the composer's own task: how well it still knows real pieces."""

    def validate(self, model: "nn.Module", /) -> Mapping[str, float]:
        """Returns nats, all in all and of each kind of part."""


def real_task(examples: int, corpora: Mapping[str, float], shards: str = "") -> RealTask | None:
    """Returns the composer's own task with few fixed examples of real pieces held apart; None for no examples.

    Args:
        examples: for each kind of part.
        corpora: share of each.
        shards: their folder; empty for SONGWRIGHT_SHARDS.
    """
    if not examples:
        return None
    recipe = read_recipe(FOLDER.parent / "composer")
    asked = {"valid_examples": examples, "corpus_examples": 0}
    table = {**recipe.task, "corpora": dict(corpora), **asked, "shards": str(shards_folder(shards))}
    return cast(RealTask, load_task(replace(recipe, task=table)))


def tuned_config(config: Mapping[str, Any], how: Mapping[str, Any], ledger: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the config of a tuned composer.

    Args:
        config: of the composer that it was tuned from.
        how: what is said of the tuning.
        ledger: of the corpora that it practised on.
    """
    kept = {name: config[name] for name in KEPT if name in config}
    kept["ledger"] = {**ledger, **config.get("ledger", {})}
    return {**kept, "tuned": {"from": config["weights_sha256"], "from_step": config.get("step"), **how}}
