"""The recipe of the frame models: its batches, a whole tiny training, and what it ships."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from songwright.errors import ConfigError, InputError  # noqa: E402
from songwright.evaluation import nll, nll_frame  # noqa: E402
from songwright.neural.frame_history import LOOK_BACK  # noqa: E402
from songwright.seeding import generator  # noqa: E402
from songwright.training.checkpoint import MODEL_FILE, load_model  # noqa: E402
from songwright.training.recipe import load_task, read_recipe  # noqa: E402
from songwright.training.trainer import train  # noqa: E402

RECIPE = Path(__file__).parents[2] / "recipes" / "polyphonic"
JSB = RECIPE / "jsb.toml"
MODELS = sorted((RECIPE / "models").glob("polyphonic-*"))
MOST_BYTES = 1.5 * 2**20
SMALL = [
    *("task.windows=3", "task.window_frames=16", "task.network.time_dim=8", "task.network.key_dim=8"),
    *("task.network.reach=3", "task.network.below=4", "schedule.max_steps=4", "schedule.warmup_steps=1"),
    *("run.validate_every=2", "run.log_every=1", "optimiser.ema=0"),
]


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Two tunes that walk up and down and hold their first note, at the edges of the keyboard."""
    tune = [[21, 40 + abs(i % 12 - 6)] for i in range(40)]
    high = [[100 + i % 3, 108] for i in range(9)]
    (tmp_path / "polyphonic-bl2012").mkdir()
    content = {"train": [tune, high], "valid": [tune[:20], high[:5]]}
    (tmp_path / "polyphonic-bl2012" / "JSB_Chorales.json").write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setenv("SONGWRIGHT_DATA", str(tmp_path))
    return tmp_path


def test_batches_follow_from_their_number_and_stay_on_the_keyboard(corpus):
    task = load_task(read_recipe(JSB, SMALL))
    starts = set()
    for number in range(20):
        batch, again = (task.train_batch(number, generator(1, "batch", number)) for _ in range(2))
        assert all(torch.equal(batch[name], again[name]) for name in batch)
        now, mask = batch["frames"][:, LOOK_BACK:], batch["mask"]
        assert (now.sum(dim=-1)[mask] >= 1).all() and not now[~mask].any()  # no note fell off the edge
        starts |= set(batch["times"][:, 0].tolist())
    assert len(starts) > 5


def test_a_whole_small_training_ends_in_a_model_that_can_be_measured(corpus):
    recipe = read_recipe(JSB, SMALL)
    outcome = train(load_task(recipe), recipe, corpus / "run", device="cpu")
    assert outcome.is_finished and outcome.best_nats < 60
    data = corpus / "polyphonic-bl2012" / "JSB_Chorales.json"
    result = nll.measure(corpus / "run" / "best", data, "frame")
    assert (result.split, result.tokens) == ("valid", 25)
    assert result.nats == pytest.approx(outcome.best_nats, rel=0.02)  # the trainer measures in bfloat16


def test_mistakes_are_named(corpus, monkeypatch):
    with pytest.raises(ConfigError, match="no key 'window'"):
        load_task(read_recipe(JSB, ["task.window=3"]))
    with pytest.raises(ConfigError, match="corpus should be one of"):
        load_task(read_recipe(JSB, ["task.corpus=Bach"]))
    monkeypatch.setenv("SONGWRIGHT_DATA", str(corpus / "elsewhere"))
    with pytest.raises(InputError, match="set SONGWRIGHT_DATA"):
        load_task(read_recipe(JSB))


def test_the_markov_floor_is_a_distribution_over_frames(monkeypatch):
    monkeypatch.syspath_prepend(str(RECIPE))
    monkeypatch.delitem(sys.modules, "measure", raising=False)
    from measure import markov_floor

    random = np.random.default_rng(0)
    training = [(random.random((30, 3)) < 0.4).astype(np.uint8)]
    past = training[0][:4]
    pieces = [np.vstack([past, [bits]]).astype(np.uint8) for bits in np.ndindex(2, 2, 2)]
    last = np.array([5 * markov_floor(training, [piece]) for piece in pieces]) - 4 * markov_floor(training, [past])
    assert np.exp(-last).sum() == pytest.approx(1)


@pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)
def test_shipped_models_are_small_and_say_what_they_learned_from(folder):
    config, tensors = load_model(folder, kind=nll_frame.KIND)
    assert (folder / MODEL_FILE).stat().st_size <= MOST_BYTES
    nll.METRICS["frame"].load(config, tensors)
    assert config["ledger"] and not any(row["usable"] for row in config["ledger"])  # for tables, never for songs
    row = json.loads((RECIPE / "expected.json").read_text(encoding="utf-8"))[folder.name]["joint"]
    assert row["bytes"] == (folder / MODEL_FILE).stat().st_size
    assert row["nats_float16"] == pytest.approx(row["nats"], abs=0.01)
