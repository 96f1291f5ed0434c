"""Averages of models: `recipes/composer/average.py`."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from songwright.errors import CheckpointError, ConfigError
from songwright.training.checkpoint import load_model, save_model

SCRIPT = Path(__file__).parents[2] / "recipes/composer/average.py"
spec = importlib.util.spec_from_file_location("recipe_average", SCRIPT)
assert spec is not None and spec.loader is not None
average = importlib.util.module_from_spec(spec)
spec.loader.exec_module(average)


@pytest.fixture
def models(tmp_path):
    config = {
        "kind": "composer",
        "vocabulary_hash": "v",
        "network": {"dim": 2},
        "features": [],
        "validation": {"nats": 1},
    }
    for number, name in enumerate(("first", "second", "third")):
        weights = {"a": np.full((2, 3), 1.0 + number, np.float32), "seen": np.array([number])}
        save_model(tmp_path / name, weights, {**config, "step": number})
    return tmp_path


def test_weights_are_averaged_and_what_counts_is_the_last_models(models):
    parts = [f"{models}/first=0.25", f"{models}/third=0.75"]
    assert average.main([*parts, "-o", str(models / "mean")]) == 0
    config, weights = load_model(models / "mean", kind="composer")
    assert weights["a"] == pytest.approx(np.full((2, 3), 2.5)) and weights["a"].dtype == np.float32
    assert weights["seen"] == [2] and config["step"] == 2
    assert "validation" not in config, "nobody measured it"
    assert [part["share"] for part in config["averaged"]] == [0.25, 0.75]
    assert config["averaged"][0]["weights_sha256"] == load_model(models / "first")[0]["weights_sha256"]


def test_only_models_of_one_network_with_shares_of_one_whole(models, capsys):
    with pytest.raises(ConfigError, match="add up to 1"):
        average.averaged([(models / "first", 0.5), (models / "second", 0.6)])
    config, weights = load_model(models / "second")
    save_model(models / "other", weights, {**config, "network": {"dim": 4}})
    save_model(models / "wide", {**weights, "a": weights["a"][:1]}, config)
    for name, told in (("other", "network"), ("wide", "its shapes")):
        with pytest.raises(CheckpointError, match=told):
            average.averaged([(models / name, 0.5), (models / "first", 0.5)])
    assert average.main([f"{models}/first=1", f"{models}/none=0", "-o", str(models / "mean")]) == 2
    assert "none" in capsys.readouterr().err and not (models / "mean").exists()
