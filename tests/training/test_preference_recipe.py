"""Preference tuning: pairs follow from their numbers, what is chosen becomes likelier, a stop changes nothing."""

import dataclasses
import importlib.util

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from tuning_ground import RECIPES, open_recipe, write_shards, write_start  # noqa: E402

from songwright.compose.learned.practice import WindowSettings, draw_window  # noqa: E402
from songwright.compose.learned.rewards import KINDS  # noqa: E402
from songwright.errors import CheckpointError, ConfigError  # noqa: E402
from songwright.seeding import generator  # noqa: E402
from songwright.training.checkpoint import load_model  # noqa: E402
from songwright.training.trainer import train  # noqa: E402

import ground  # noqa: E402  isort: skip
import pairs  # noqa: E402  isort: skip

pytestmark = pytest.mark.usefixtures("no_pictures")
CORPORA = {"pop909": 1.0}
SETTINGS = pairs.PairSettings(candidates=2, windows=WindowSettings(2, 2, 400), corpora=tuple(CORPORA.items()))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A composer, shards and pairs."""
    folder = tmp_path_factory.mktemp("preference")
    write_shards(folder / "shards")
    write_start(folder / "start")
    make(folder, folder / "pairs", {"valid": 4, "train": 8})
    return folder


def make(folder, out, counts, settings=SETTINGS):
    sha256, model = ground.open_writer(folder / "start")
    terrain = ground.open_ground(folder / "shards", CORPORA)
    return pairs.make_pairs(model, sha256, terrain, ground.open_yardstick(), out, counts, settings)


def recipe(place, *overrides, **table):
    given = {
        "start": str(place / "start"), "pairs": str(place / "pairs"), "shards": str(place / "shards"),
        "corpora": CORPORA, "real_examples": 0, "batch_pairs": 3, **table,
    }  # fmt: skip
    return open_recipe("preference", given, "optimiser.lr=3e-3", *overrides)


def test_pairs_hold_the_best_and_the_worst_of_every_kind(place):
    found = pairs.read_pairs(place / "pairs", "train")
    assert [pair.kind for pair in found] == [*KINDS, *KINDS]
    for pair in found:
        assert len(pair.rewards) == 2
        assert pair.gap >= 0
        for side in (pair.chosen, pair.rejected):
            assert side.mask.any(axis=0).sum() >= 2
            assert not side.mask[4:].any()  # neither loudness nor words are rewarded


def test_pairs_go_on_where_they_stopped_and_follow_from_their_numbers(place, tmp_path):
    assert make(place, tmp_path / "pairs", {"valid": 4}) == 4
    assert make(place, tmp_path / "pairs", {"valid": 4, "train": 4}) == 8
    for name in ("valid/00000.safetensors", "train/00000.safetensors"):
        assert (tmp_path / "pairs" / name).read_bytes() == (place / "pairs" / name).read_bytes()
    with pytest.raises(ConfigError, match="another settings"):
        make(place, tmp_path / "pairs", {"valid": 4}, dataclasses.replace(SETTINGS, candidates=3))


def test_the_chosen_attempts_become_likelier_than_the_rejected_ones(place):
    task, _ = recipe(place, likelihood=0.0)
    torch.manual_seed(0)
    model = task.build_model()
    before = task.nats(model, task.train)
    np.testing.assert_allclose(before, task.reference["train"], atol=1e-3)
    first = task.loss(model, task.train_batch(0, np.random.default_rng(0)))
    assert float((first.nats / first.count).detach()) == pytest.approx(np.log(2), abs=1e-4)  # nothing is preferred yet
    optimiser = torch.optim.Adam(model.parameters(), 6e-3)
    for number in range(4):
        parts = task.loss(model.train(), task.train_batch(number, np.random.default_rng(number)))
        optimiser.zero_grad()
        (parts.objective / parts.count).backward()
        optimiser.step()
    assert float((parts.nats / parts.count).detach()) < 0.65
    after = task.nats(model, task.train)
    ahead = (after[:, 1] - after[:, 0]) - (before[:, 1] - before[:, 0])
    assert (ahead > 0).float().mean() >= 0.8


def test_a_step_against_the_gradient_raises_the_margin(place):
    task, _ = recipe(place, likelihood=0.0)
    model = task.build_model()
    batch = task.train_batch(0, np.random.default_rng(0))
    task.loss(model, batch).objective.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= 1e-4 * parameter.grad
    assert float(task.loss(model, batch).shown["margin"].detach()) > 0


def test_every_pair_is_seen_once_a_round(place):
    task, _ = recipe(place, batch_pairs=2)
    rounds = [task.train_batch(i, np.random.default_rng(i)) for i in range(task.batches)]
    seen = torch.cat([batch["reference"] for batch in rounds])
    assert sorted(seen[:, 0].tolist()) == sorted(task.reference["train"][:, 0].tolist())
    again = task.train_batch(0, np.random.default_rng(99))
    assert torch.equal(again["codes"], rounds[0]["codes"])


def test_a_stop_changes_nothing_and_the_result_is_a_composer(place, tmp_path):
    task, settings = recipe(place)
    train(task, settings, tmp_path / "whole", device="cpu")
    answers = iter([False, False, True])
    assert train(task, settings, tmp_path / "parts", device="cpu", stop=lambda: next(answers)).step == 3
    train(recipe(place)[0], settings, tmp_path / "parts", device="cpu")
    whole, parts = (load_model(tmp_path / name / "last", kind="composer") for name in ("whole", "parts"))
    assert all(np.array_equal(whole[1][name], parts[1][name]) for name in whole[1])
    assert whole[0]["tuned"]["from_step"] == 7
    assert set(whole[0]["validation"]) == {"nats", "accuracy", "margin"}
    _, model = ground.start_of(str(tmp_path / "whole" / "last"))
    assert not torch.equal(model.begin, task.build_model().begin)


def test_what_is_forgotten_is_seen(place):
    task, _ = recipe(place, real_examples=2)
    with torch.no_grad():
        found = task.validate(task.build_model().eval())
    assert found["nats"] == pytest.approx(np.log(2), abs=1e-4)
    assert found["accuracy"] <= 1
    assert found["real"] > 10  # nats a note of a network that knows nothing


def test_what_is_measured_against_itself_gains_nothing(place):
    spec = importlib.util.spec_from_file_location("preference_measure", RECIPES / "preference" / "measure.py")
    measure = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(measure)
    terrain = ground.open_ground(place / "shards", CORPORA).pieces("valid")
    windows = {"harmony": [draw_window(terrain, "harmony", SETTINGS.windows, generator(i)) for i in range(2)]}
    model = ground.open_writer(place / "start")[1]
    table = measure.measure([("a", model), ("b", model)], windows, 1, ground.open_yardstick())
    assert table["harmony"]["a"] == table["harmony"]["b"]
    assert table["harmony"]["b"]["gain"] == table["harmony"]["b"]["won"] == 0.0
    assert table["harmony"]["real"]["gain"] > 0  # a song is better than noise
    nats = dict.fromkeys(("nats", "melody", "harmony", "bass", "drums"), 1.5)
    text = measure.as_text(table, {"a": nats, "b": nats})
    assert "| harmony | b |" in text
    assert "| b | 1.500 |" in text


def test_a_bad_start_is_one_line(place, tmp_path):
    write_start(tmp_path / "other", kind="bars")
    write_start(tmp_path / "foreign", vocabulary_hash="0" * 16)
    write_start(tmp_path / "bare", network="")
    (tmp_path / "pickled").write_bytes(b"\x80\x04rest")
    write_start(tmp_path / "cut")
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    cases = {
        "other": "kind is 'bars'", "foreign": "vocabulary hash", "bare": "nothing of the network",
        "nowhere": "cannot be read", "pickled": "pickled", "cut": "damaged or truncated",
    }  # fmt: skip
    for name, words in cases.items():
        with pytest.raises(CheckpointError, match=words) as caught:
            recipe(place, start=str(tmp_path / name))
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="which composer"):
        recipe(place, start="")


def test_bad_pairs_are_one_line(place, tmp_path):
    with pytest.raises(ConfigError, match="which pairs"):
        recipe(place, pairs="")
    with pytest.raises(CheckpointError, match="cannot be read"):
        recipe(place, pairs=str(tmp_path))
    with pytest.raises(ConfigError, match="no pair whose rewards differ"):
        recipe(place, least_gap=50.0)
    make(place, tmp_path / "cut", {"valid": 4, "train": 4})
    path = tmp_path / "cut" / "train" / "00000.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match="damaged or truncated"):
        recipe(place, pairs=str(tmp_path / "cut"))
    with pytest.raises(ConfigError, match="must not learn"):
        ground.open_ground(place / "shards", {"nottingham": 1.0})
