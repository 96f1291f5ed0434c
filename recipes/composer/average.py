"""Averages the weights of models of one training, or of trainings that began with one another's weights.

    python recipes/composer/average.py runs/first/best=0.2 runs/second/best=0.8 -o runs/average

A training that goes on learns the small corpora by heart while it still learns from the large ones; the mean of its
weights and of those it began with keeps most of what was gained and little of what was learned by heart (Wortsman et
al. 2022, "Model soups", section 3). Its config is the last model's, with `averaged` for whose weights it holds.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import CheckpointError, ConfigError, SongwrightError
from songwright.training.checkpoint import load_model, save_model

OF_ONE = ("kind", "vocabulary_hash", "network", "features")
"""What averaged models have in common."""


def averaged(parts: Sequence[tuple[Path, float]]) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Returns the mean of some models' weights, and its config.

    Args:
        parts: model folders and their shares, which add up to 1.

    Raises:
        ConfigError: the shares do not.
        CheckpointError: the models are not of one network.
    """
    if not parts or abs(sum(share for _, share in parts) - 1) > 1e-6:
        raise ConfigError(f"the shares are {[share for _, share in parts]}: expected some that add up to 1")
    models = [load_model(folder) for folder, _ in parts]
    config, last = models[-1]
    for (folder, _), (other, weights) in zip(parts, models, strict=True):
        unlike = [key for key in OF_ONE if other.get(key) != config.get(key)]
        if unlike or {n: w.shape for n, w in weights.items()} != {n: w.shape for n, w in last.items()}:
            raise CheckpointError(
                folder, f"of another network than {parts[-1][0]}: {', '.join(unlike) or 'its shapes'}"
            )
    mean = {
        name: sum(share * model[name].astype(np.float64) for (_, share), (_, model) in zip(parts, models, strict=True))
        if np.issubdtype(weight.dtype, np.floating)
        else weight
        for name, weight in last.items()
    }
    told = [
        {"share": share, "step": own.get("step"), "weights_sha256": own.get("weights_sha256")}
        for (_, share), (own, _) in zip(parts, models, strict=True)
    ]
    weights = {name: np.asarray(mean[name], dtype=last[name].dtype) for name in last}
    return weights, {**{k: v for k, v in config.items() if k != "validation"}, "averaged": told}


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the average; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("models", nargs="+", metavar="FOLDER=SHARE")
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        parts = [(Path(folder), float(share)) for folder, _, share in (text.rpartition("=") for text in options.models)]
    except ValueError:
        parser.error("expected FOLDER=SHARE, like runs/first/best=0.2")
    try:
        weights, config = averaged(parts)
        save_model(options.out, weights, config)
    except SongwrightError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
