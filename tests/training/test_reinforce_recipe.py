"""Tuning by rewards: samples follow from their numbers, the better ones become likelier, a stop changes nothing."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from tuning_ground import open_recipe, write_shards, write_start  # noqa: E402

from songwright.compose.learned.rewards import Reward  # noqa: E402
from songwright.compose.tokens.vocabulary import KIND, VALUE, Kind  # noqa: E402
from songwright.errors import CheckpointError, ConfigError  # noqa: E402
from songwright.neural.chosen import chosen_nats  # noqa: E402
from songwright.training.checkpoint import load_model  # noqa: E402
from songwright.training.trainer import train  # noqa: E402

from sides import side_of, stacked  # noqa: E402  isort: skip

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A composer and shards."""
    folder = tmp_path_factory.mktemp("reinforce")
    write_shards(folder / "shards")
    write_start(folder / "start")
    return folder


def recipe(place, *overrides, **table):
    given = {
        "start": str(place / "start"), "shards": str(place / "shards"), "corpora": {"pop909": 1.0}, "samples": 3,
        "real_examples": 0, "kinds": ["harmony"], **table,
    }  # fmt: skip
    return open_recipe("reinforce", given, "optimiser.lr=3e-3", "run.checkpoint_every=1", *overrides)


class FewChords:
    """Rewards as few chords as can be: a toy that is learned in a few steps."""

    def reward(self, song, kind):
        return Reward(-float(len(song.chords)), {})


def test_samples_follow_from_weights_and_numbers(place):
    task, _ = recipe(place)
    torch.manual_seed(0)
    model = task.build_model().train()
    batch = task.train_batch(2, np.random.default_rng(0))
    one, two = (task.loss(model, batch) for _ in range(2))
    assert model.training
    assert torch.equal(one.nats, two.nats)
    assert torch.equal(one.objective, two.objective)
    assert float(one.shown["drift"]) == pytest.approx(0.0, abs=1e-4)  # it still is the reference
    other = task.loss(model, task.train_batch(3, np.random.default_rng(0)))
    assert not torch.equal(one.objective, other.objective)


def test_the_better_samples_become_likelier(place):
    task, _ = recipe(place, drift=0.0)
    model = task.build_model()
    written, rewards = task._sampled(model, [0])
    assert len(set(rewards[0].tolist())) > 1
    task.loss(model, task.train_batch(0, np.random.default_rng(0))).objective.backward()

    def likelihoods():
        with torch.no_grad():
            return -chosen_nats(model, stacked([side_of(w) for w in written])).by_row(len(written))

    before = likelihoods()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter -= 1e-3 * parameter.grad
    gained = likelihoods() - before
    better = (rewards[0] - rewards[0].mean()) / rewards[0].std()
    assert float((better * gained).sum()) > 0


def test_it_learns_a_toy(place):
    task, _ = recipe(place, samples=6, drift=0.0)
    task.yardstick = FewChords()
    model = task.build_model()
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    rewards = []
    for number in range(8):
        parts = task.loss(model.train(), task.train_batch(number, np.random.default_rng(number)))
        rewards.append(-float(parts.nats / parts.count))
        optimiser.zero_grad()
        (parts.objective / parts.count).backward()
        optimiser.step()
    assert np.mean(rewards[-3:]) > np.mean(rewards[:3]) + 1


def test_samples_are_of_the_part_alone(place):
    task, _ = recipe(place, kinds=["melody"])
    written, _ = task._sampled(task.build_model(), [0])
    for example in written:
        notes = example.mask[VALUE]
        assert (example.codes[KIND, notes] == Kind.NOTE).all()
        assert len(set(example.parts_of[notes].tolist())) <= 1


def test_a_stop_changes_nothing_and_the_result_is_a_composer(place, tmp_path):
    task, settings = recipe(place)
    train(task, settings, tmp_path / "whole", device="cpu")
    answers = iter([False, True])
    assert train(task, settings, tmp_path / "parts", device="cpu", stop=lambda: next(answers)).step == 2
    train(recipe(place)[0], settings, tmp_path / "parts", device="cpu")
    whole, parts = (load_model(tmp_path / name / "last", kind="composer") for name in ("whole", "parts"))
    assert all(np.array_equal(whole[1][name], parts[1][name]) for name in whole[1])
    assert whole[0]["tuned"]["how"] == "reinforce"
    assert set(whole[0]["validation"]) == {"nats", "harmony_reward"}


def test_bad_settings_are_one_line(place, tmp_path):
    with pytest.raises(CheckpointError, match="cannot be read"):
        recipe(place, start=str(tmp_path))
    with pytest.raises(ConfigError, match="which composer"):
        recipe(place, start="")
    with pytest.raises(ConfigError, match="samples: expected 2 or more"):
        recipe(place, samples=1)
    with pytest.raises(ConfigError, match="not in these shards"):
        recipe(place, corpora={"elsewhere": 1.0})
    with pytest.raises(ConfigError, match="kinds"):
        recipe(place, kinds=["kazoo"])
