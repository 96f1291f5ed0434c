import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from songwright.errors import ConfigError, InputError  # noqa: E402
from songwright.neural.chorale_features import HIGHEST, LOWEST, VOICES  # noqa: E402
from songwright.seeding import generator  # noqa: E402
from songwright.training.recipe import load_task, read_recipe  # noqa: E402

RECIPE = Path(__file__).parents[2] / "recipes" / "jsb"
TINY = ["dim=16", "num_layers=1", "num_heads=2", "feedforward_dim=16", "head_dim=16", "beat_dim=8", "frame_dim=8"]
TINY += ["relation_dim=8", "places=2"]


def piece(seed, beats=10):
    random = np.random.default_rng(seed)
    chords = random.integers(0, 5, (beats, VOICES)) + np.array([66, 60, 54, 44])
    return np.repeat(chords, 4, axis=0).tolist()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "chorales.json"
    path.write_text(json.dumps({"train": [piece(s) for s in range(3)], "valid": [piece(7)]}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def recipe(file):
    settings = [f"task.network.{size}" for size in TINY]
    return read_recipe(RECIPE, [f"task.file={file}", "task.frames=60", "task.crop_frames=24", *settings])


@pytest.fixture(scope="module")
def task(recipe):
    return load_task(recipe)


def test_a_batch_depends_on_its_number_alone(task):
    one, again = (task.train_batch(3, generator(1, "batch", 3)) for _ in range(2))
    other = task.train_batch(4, generator(1, "batch", 4))
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert one["codes"].shape != other["codes"].shape or not torch.equal(one["codes"], other["codes"])


def test_a_batch_is_what_it_says(task):
    batch = task.train_batch(0, generator(1, "batch", 0))
    rows, beats, _ = batch["beat_ids"].shape
    assert beats == 6 and int(batch["beat"].max()) < rows * beats
    assert (batch["rank"].sort(dim=1).values == torch.arange(VOICES)).all()
    assert batch["codes"].min() >= 1 and batch["codes"].max() <= HIGHEST - LOWEST + 1
    assert (batch["weight"][batch["within"] % 2 == 1] == 4.0).all()
    assert (batch["weight"][batch["within"] % 2 == 0] == 1.0).all()


def test_frames_left_out_are_stood_for_on_average(task):
    sums = [float(task.train_batch(n, generator(1, "batch", n))["weight"].sum()) for n in range(60)]
    assert np.mean(sums) == pytest.approx(3 * 24, rel=0.04)


def test_no_piece_remembers_itself(task):
    for number, recall in enumerate(task.recalls):
        bare = task.build_model().memory()
        pieces = [codes for other, codes in enumerate(task.train) if other != number]
        again = type(bare)(pieces, 2).recall(task.train[number])
        assert (again.codes == recall.codes).all() and (again.length == recall.length).all()


def test_steps_learn_and_validation_is_the_metric(task):
    torch.manual_seed(0)
    model = task.build_model()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    before = task.validate(model)["nats"]
    for step in range(12):
        parts = task.loss(model.train(), task.train_batch(step, generator(1, "batch", step)))
        optimiser.zero_grad()
        (parts.nats / parts.count).backward()
        optimiser.step()
    assert task.validate(model.eval())["nats"] < before - 0.5


def test_mistakes_in_the_table(file, tmp_path):
    with pytest.raises(ConfigError, match="'odd_shar'; did you mean 'odd_share'"):
        load_task(read_recipe(RECIPE, [f"task.file={file}", "task.odd_shar=0.5"]))
    with pytest.raises(ConfigError, match="multiple of 4, got 30"):
        load_task(read_recipe(RECIPE, [f"task.file={file}", "task.crop_frames=30"]))
    with pytest.raises(InputError, match="SONGWRIGHT_DATA"):
        load_task(read_recipe(RECIPE, [f"task.file={tmp_path / 'none.json'}"]))
