"""What the trainer learns, shows and writes, on the smallest network."""

import csv
import itertools
import math
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from songwright.cli.main import main
from songwright.errors import CheckpointError, InputError
from songwright.seeding import generator
from songwright.training.batches import Batches
from songwright.training.checkpoint import load_model, save_model
from songwright.training.compare import as_table, compare, ship
from songwright.training.curves import draw_curves, read_curves
from songwright.training.optimiser import Optimiser, learning_rate
from songwright.training.recipe import OptimiserSettings, ScheduleSettings
from songwright.training.trainer import train
from songwright.training.weights import RunningMean, load_weights, model_tensors, to_arrays

TINY = Path(__file__).parent / "tiny"


def last_weights(folder):
    return load_model(folder / "last")[1]


@pytest.mark.usefixtures("no_pictures")
def test_it_learns_and_says_so(tmp_path, tiny):
    task, recipe = tiny("schedule.max_steps=120", "run.sample_every=120", "optimiser.lr=0.03")
    lines = []
    outcome = train(task, recipe, tmp_path, device="cpu", progress=lines.append)
    assert outcome.best_nats < 0.75 * math.log(11)
    points = read_curves(tmp_path / "curves.csv")
    assert [step for step, _ in points["train/nats"]] == list(range(10, 121, 10))
    assert points["validation/nats"][-1] == (120, pytest.approx(outcome.best_nats, rel=1e-6))
    assert set(points) >= {"train/right", "train/lr", "train/gradient_norm", "train/tokens_per_second"}
    config, tensors = load_model(tmp_path / "best", kind="tiny")
    assert config["step"] == outcome.best_step
    assert config["recipe"]["schedule"]["max_steps"] == 120
    assert int(tensors["seen"]) == 120 * 8 * 11
    model = task.build_model().eval()
    load_weights(model, tensors, tmp_path)
    with torch.no_grad():
        assert task.validate(model)["nats"] == pytest.approx(config["validation"]["nats"], rel=1e-5)
    assert lines[0] == "tiny: 1,995 parameters on cpu"
    shown = next(line for line in lines if line.startswith("step 50/120"))
    assert all(unit in shown for unit in ("steps/s", "tokens/s", "MiB", "left"))
    numbers = (tmp_path / "samples/step-00000120/codes.txt").read_text().split()
    assert len(numbers) == 8
    costs = compare(task, tmp_path / "best", device="cpu")
    assert [cost.dtype for cost in costs] == ["float32", "float16", "int8"]
    assert costs[0].num_bytes > costs[1].num_bytes > costs[2].num_bytes
    assert costs[0].nats == pytest.approx(outcome.best_nats, rel=1e-5)
    assert abs(costs[2].nats - costs[0].nats) < 0.05
    assert as_table(costs).count("\n") == 4
    assert ship(tmp_path / "best", tmp_path / "shipped", "int8") == costs[2].num_bytes
    assert load_model(tmp_path / "shipped")[0]["step"] == outcome.best_step


@pytest.mark.usefixtures("no_pictures")
def test_a_trained_model_is_trained_on(tmp_path, tiny):
    learned = train(*tiny("schedule.max_steps=120", "optimiser.lr=0.03"), tmp_path / "first", device="cpu")
    start, slow = f"run.start={tmp_path / 'first/best'}", ("schedule.max_steps=2", "optimiser.lr=1e-9", "run.seed=7")
    said = []
    tuned = train(*tiny(start, *slow), tmp_path / "tuned", device="cpu", progress=said.append, stop=lambda: True)
    assert tuned.step == 1 and not tuned.is_finished
    assert f"weights of {tmp_path / 'first/best'}" in said[0]
    tuned = train(*tiny(start, *slow), tmp_path / "tuned", device="cpu")  # goes on from the state, not from the start
    assert tuned.best_nats == pytest.approx(learned.best_nats, rel=1e-3)
    first, second = (load_model(tmp_path / name / "best")[0] for name in ("first", "tuned"))
    assert second["recipe"]["start"]["weights_sha256"] == first["weights_sha256"]
    assert second["recipe"]["start"]["recipe"]["schedule"]["max_steps"] == 120
    ship(tmp_path / "first/best", tmp_path / "eighth", "int8")
    train(*tiny(f"run.start={tmp_path / 'eighth'}", *slow), tmp_path / "from-int8", device="cpu")


@pytest.mark.usefixtures("no_pictures")
def test_only_a_model_of_the_same_make_is_trained_on(tmp_path, tiny):
    train(*tiny("schedule.max_steps=1"), tmp_path / "first", device="cpu")
    config, weights = load_model(tmp_path / "first/last")
    save_model(tmp_path / "other", weights, {**config, "kind": "teapot"})
    save_model(tmp_path / "wider", weights, {**config, "network": {**config["network"], "dim": 32}})
    save_model(tmp_path / "lesser", dict(list(weights.items())[1:]), config)
    told_of = {"other": "its kind is 'teapot'", "wider": "network.dim is 32, this recipe's 16", "none": "none"}
    for name, told in {**told_of, "lesser": "is missing in it"}.items():
        with pytest.raises(CheckpointError, match=told):
            train(*tiny(f"run.start={tmp_path / name}"), tmp_path / "tuned", device="cpu")
    start, one = f"run.start={tmp_path / 'first/last'}", "schedule.max_steps=1"
    assert train(*tiny(start, one, "task.dropout=0.4"), tmp_path / "dropped", device="cpu").is_finished


@pytest.mark.usefixtures("no_pictures")
def test_parts_of_a_batch_learn_what_the_whole_does(tmp_path, tiny):
    common = ("task.dropout=0", "schedule.max_steps=8", "optimiser.clip_norm=0.2")
    parts = tiny(*common, "run.accumulate=2")
    whole = tiny(*common, "task.whole=true")
    train(*parts, tmp_path / "parts", device="cpu")
    train(*whole, tmp_path / "whole", device="cpu")
    one, two = last_weights(tmp_path / "parts"), last_weights(tmp_path / "whole")
    for name in one:
        assert np.allclose(one[name], two[name], atol=2e-5), name
    curves = [read_curves(tmp_path / name / "curves.csv")["train/nats"][-1][1] for name in ("parts", "whole")]
    assert curves[0] == pytest.approx(curves[1], rel=1e-5)


@pytest.mark.usefixtures("no_pictures")
def test_runs_repeat_and_seeds_differ(tmp_path, tiny):
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        with torch.random.fork_rng():
            torch.manual_seed(hash(name))  # what the caller did with torch's generator does not matter
            before = torch.random.get_rng_state()
            train(*tiny("schedule.max_steps=3", f"run.seed={seed}"), tmp_path / name, device="cpu")
            assert torch.equal(before, torch.random.get_rng_state())
    one, two, other = (last_weights(tmp_path / name) for name in ("one", "two", "other"))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert not np.array_equal(one["head.weight"], other["head.weight"])


@pytest.mark.usefixtures("no_pictures")
def test_bfloat16_computes_low_and_keeps_high(tmp_path, tiny):
    seen = set()
    task, recipe = tiny("run.precision=bfloat16", "schedule.max_steps=30")
    hook = torch.nn.modules.module.register_module_forward_hook(
        lambda module, given, got: seen.add(got.dtype) if isinstance(module, torch.nn.Linear) else None
    )
    try:
        outcome = train(task, recipe, tmp_path, device="cpu")
    finally:
        hook.remove()
    assert seen == {torch.bfloat16}
    assert math.isfinite(outcome.best_nats)
    assert {array.dtype for name, array in last_weights(tmp_path).items() if name != "seen"} == {np.dtype(np.float32)}


@pytest.mark.usefixtures("no_pictures")
def test_patience_ends_it(tmp_path, tiny, monkeypatch):
    task, recipe = tiny("run.patience=2", "run.validate_every=2")
    answers = itertools.chain([3.0, 2.0, 2.5], itertools.repeat(2.1))
    monkeypatch.setattr(type(task), "validate", lambda self, model: {"nats": next(answers)})
    outcome = train(task, recipe, tmp_path, device="cpu")
    assert (outcome.step, outcome.reason, outcome.best_nats, outcome.best_step) == (8, "patience", 2.0, 4)
    assert load_model(tmp_path / "best")[0]["step"] == 4
    assert load_model(tmp_path / "last")[0]["step"] == 8
    assert train(task, recipe, tmp_path, device="cpu") == outcome


@pytest.mark.parametrize("ahead", [0, 1, 5])
def test_batches_made_ahead_are_the_same(ahead, tiny):
    class Counting:
        def train_batch(self, number, random, /):
            return {"codes": torch.zeros(number, int(random.integers(1, 99)))}

    meta = torch.device("meta")  # an accelerator of a kind: what lies there keeps its shape
    batches = Batches(Counting(), 7, meta, ahead)
    numbers = [1, 3, 5, 7, 9, 2, 4, 6]
    got = [batches.get(number, 2)["codes"] for number in numbers]
    batches.close()
    assert [tuple(tensor.shape) for tensor in got] == [
        (number, int(generator(7, "batch", number).integers(1, 99))) for number in numbers
    ]
    assert {tensor.device.type for tensor in got} == {"meta"}


def test_wrong_devices_are_refused(tmp_path, tiny):
    for device in ("nonsense", "meta:x"):
        with pytest.raises(InputError, match=f"no device '{device}'"):
            train(*tiny(), tmp_path, device=device)


def test_the_rate_goes_up_a_line_and_down_a_cosine():
    schedule = ScheduleSettings(max_steps=110, warmup_steps=10, final_fraction=0.1)
    rates = [learning_rate(step, 2.0, schedule) for step in range(111)]
    assert rates[:10] == pytest.approx([0.2 * (step + 1) for step in range(10)])
    assert rates[10] == 2.0
    assert rates[60] == pytest.approx(2.0 * (0.1 + 0.9 / 2))
    assert rates[110] == pytest.approx(0.2)
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))
    assert learning_rate(7, 2.0, ScheduleSettings(8, 0, 1.0)) == 2.0


def test_decay_pulls_matrices_alone(tiny):
    model = tiny()[0].build_model()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimiser = Optimiser(model, OptimiserSettings(weight_decay=0.5))
    norm = optimiser.step(0.1, torch.tensor(4))  # no gradient at all
    assert float(norm) == 0
    for name, parameter in model.named_parameters():
        wanted = before[name] * (0.95 if parameter.ndim > 1 else 1.0)
        assert torch.allclose(parameter, wanted), name


def test_the_mean_follows_and_lends_its_weights(tiny):
    model = tiny()[0].build_model()
    mean = RunningMean(model, 0.9)
    start = model.head.weight.detach().clone()
    with torch.no_grad():
        model.head.weight += 1
    mean.update(1)
    with mean.in_place():
        assert torch.allclose(model.head.weight, start + 1 - 2 / 11)  # young: (1 + 1) / (10 + 1) of the old stays
        averaged = to_arrays(model_tensors(model))
    assert torch.allclose(model.head.weight, start + 1)
    assert np.allclose(averaged["head.weight"], (start + 1 - 2 / 11).numpy())
    none = RunningMean(model, 0.0)
    none.update(1)
    with none.in_place():
        assert torch.allclose(model.head.weight, start + 1)


def test_shared_weights_are_kept_once():
    model = torch.nn.ModuleDict({"a": torch.nn.Embedding(5, 3), "b": torch.nn.Linear(3, 5, bias=False)})
    model["b"].weight = model["a"].weight
    arrays = to_arrays(model_tensors(model))
    assert list(arrays) == ["a.weight"]
    load_weights(model, {"a.weight": np.ones((5, 3), np.float32)}, "there")
    assert model["b"].weight.sum() == 15


@pytest.mark.parametrize("painter", ["matplotlib", "PIL", None])
def test_curves_are_drawn_by_what_is_there(tmp_path, monkeypatch, painter):
    image = pytest.importorskip("PIL.Image")
    if painter:
        pytest.importorskip(painter)
    found = {"matplotlib": painter == "matplotlib", "PIL": painter in ("matplotlib", "PIL")}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True if found[name] else None)
    points = {
        "train/nats": [(step, 2 + 9 / step) for step in range(1, 60)],
        "validation/nats": [(30, 2.4), (59, math.nan)],
    }
    assert draw_curves(points, tmp_path / "c.png") == (painter is not None)
    assert not draw_curves({"train/lr": [(1, 1.0)]}, tmp_path / "d.png")
    if painter:
        with image.open(tmp_path / "c.png") as picture:
            pixels = np.asarray(picture.convert("RGB"))
        assert picture.size == (840, 480)
        near = np.abs(pixels.astype(int) - (0xC2, 0x41, 0x0C)).sum(-1) < 60
        assert near.any()


def test_groups_of_the_validation_have_pictures_of_their_own(tmp_path):
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("matplotlib")
    points = {"validation/nats": [(10, 2.4), (20, 2.2)]}
    assert draw_curves(points, tmp_path / "one.png")
    by_corpus = {"validation/corpus/folk": [(10, 2.0), (20, 2.1)], "validation/corpus/pop": [(10, 3.0), (20, 2.5)]}
    assert draw_curves({**points, **by_corpus}, tmp_path / "two.png")
    with image.open(tmp_path / "one.png") as one, image.open(tmp_path / "two.png") as two:
        assert two.size == (one.width, 2 * one.height)


def test_curves_forget_what_comes_after(tmp_path):
    from songwright.training.curves import Curves

    curves = Curves(tmp_path, 0)
    for step in (1, 2, 3):
        curves.add(step, step / 10, {"train/nats": 1 / step, "train/lr": 0.5})
    with (tmp_path / "curves.csv").open("a") as file:
        file.write("4,0.4,train/na")  # cut short by a kill
    Curves(tmp_path, 2).add(3, 0.3, {"train/nats": 9})
    with (tmp_path / "curves.csv").open() as file:
        rows = [*csv.reader(file)]
    assert rows[0] == ["step", "hours", "name", "value"]
    assert [(row[0], row[2]) for row in rows[1:]] == [
        ("1", "train/nats"), ("1", "train/lr"), ("2", "train/nats"), ("2", "train/lr"), ("3", "train/nats"),
    ]  # fmt: skip
    assert read_curves(tmp_path / "curves.csv")["train/nats"] == [(1, 1.0), (2, 0.5), (3, 9.0)]


@pytest.mark.usefixtures("no_pictures")
def test_the_command_trains_compares_and_ships(tmp_path, capsys):
    where = ["train", str(TINY), "-o", str(tmp_path / "run"), "--device", "cpu", "--set", "schedule.max_steps=2"]
    assert main(where) == 0
    assert main([*where, "--compare"]) == 0
    assert main([*where, "--ship", str(tmp_path / "shipped"), "--as", "int8"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "| int8 |" in told.out
    assert load_model(tmp_path / "shipped")[0]["dtype"] == "int8"
    for wrong, message in (
        ([str(tmp_path)], "is no recipe"),
        ([str(TINY), "--set", "optimiser.rate=1"], "no key 'rate'"),
        ([str(TINY), "-o", str(tmp_path / "none"), "--compare"], "cannot be read"),
        ([str(TINY), "-o", str(tmp_path / "shipped/config.json")], "exists"),
    ):
        assert main(["train", *wrong]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("package", "modules"), [("torch", ["trainer"]), ("safetensors", ["trainer", "checkpoint", "packing"])]
)
def test_what_is_missing_is_named(tmp_path, capsys, monkeypatch, package, modules):
    monkeypatch.setitem(sys.modules, package, None)
    for module in modules:
        monkeypatch.delitem(sys.modules, f"songwright.training.{module}", raising=False)
    assert main(["train", str(TINY), "-o", str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err == f"songwright: this needs the package '{package}': pip install 'songwright[train]'\n"
    )
