"""The composer's recipe: its batches, its loss, and that its smallest size learns."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from songwright.brief.brief import Brief  # noqa: E402
from songwright.compose.compose import compose_song  # noqa: E402
from songwright.compose.tokens.encode import encode  # noqa: E402
from songwright.compose.tokens.piece import TARGET_KINDS  # noqa: E402
from songwright.compose.tokens.vocabulary import KIND, STREAMS, Kind, vocabulary_hash  # noqa: E402
from songwright.errors import ConfigError, DataError  # noqa: E402
from songwright.seeding import generator  # noqa: E402
from songwright.training.recipe import load_task, read_recipe  # noqa: E402
from songwright.training.shards import ShardPiece, ShardWriter  # noqa: E402

FOLDER = Path(__file__).parents[3] / "recipes" / "composer"
STYLES = ("rock", "waltz", "pop", "jazz")


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Shards of four songs of our own, one held apart, and one of a corpus that must not be learned from."""
    folder = tmp_path_factory.mktemp("shards")
    ledger = {"pop909": {"usable": True}, "nottingham": {"usable": False, "why_not": "copyleft"}}
    with ShardWriter(folder, vocabulary_hash=vocabulary_hash(), streams=STREAMS, ledger=ledger) as writer:
        for number, style in enumerate(STYLES):
            song = compose_song(Brief(styles=(style,), seed=number, vocal=style == "rock", duration_seconds=40))
            events = encode(song)
            piece = ShardPiece(f"pop909/{style}", "pop909", "none", "valid" if number == 3 else "train")
            writer.add(piece, events.codes, bar_offsets=events.bar_offsets)
    return folder


@pytest.fixture(autouse=True)
def one_thread():
    """Small networks are slower on two threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def composer(shards, monkeypatch, *overrides, size="config-tiny.toml"):
    """Returns the task of a size over one corpus."""
    monkeypatch.setenv("SONGWRIGHT_SHARDS", str(shards))
    recipe = read_recipe(FOLDER / size, overrides)
    return load_task(type(recipe)(recipe.folder, {**recipe.task, "corpora": {"pop909": 1.0}}))


def test_every_size_can_be_built_and_tells_its_size(shards, monkeypatch):
    limits = {"config-tiny.toml": 100_000, "config.toml": 12_000_000, "base.toml": 8_300_000}
    sizes = {}
    for name, limit in limits.items():
        model = composer(shards, monkeypatch, "task.valid_examples=1", size=name).build_model()
        sizes[name] = model.num_parameters
        assert sizes[name] < limit
    assert sizes["config-tiny.toml"] < sizes["config.toml"] < sizes["base.toml"]


def test_a_batch_follows_from_its_number(shards, monkeypatch):
    task = composer(shards, monkeypatch)
    again = composer(shards, monkeypatch)
    for number in (0, 7, 3):
        batch, same = (t.train_batch(number, generator(1, "batch", number)) for t in (task, again))
        assert all(torch.equal(batch[name], same[name]) for name in batch)
        assert batch["codes"].shape[2] <= 256
        assert (batch["mask"].any(1) == (batch["kinds"] >= 0)).all()
        assert (batch["codes"][:, 0, 0] == Kind.BOS).all()
        assert not (batch["mask"] & (batch["codes"][:, :1] == Kind.PAD)).any()


def test_the_short_way_to_the_loss_is_the_long_one(shards, monkeypatch):
    task = composer(shards, monkeypatch, "task.network.dropout=0.0")
    batch = task.train_batch(0, generator(1, "batch", 0))
    torch.manual_seed(0)
    model = task.build_model()
    parts = task.loss(model, batch)
    whole = model.nats(batch["codes"], batch["features"], batch["mask"])
    assert torch.allclose(parts.nats, whole.sum(), rtol=1e-4)
    assert int(parts.count) == int(batch["mask"].any(1).sum())
    parts.nats.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


def test_validation_counts_notes_by_kind_of_part(shards, monkeypatch):
    task = composer(shards, monkeypatch)
    torch.manual_seed(0)
    model = task.build_model().eval()
    with torch.inference_mode():
        found = task.validate(model)
        assert found == task.validate(model)
    assert {"nats", "melody", "harmony", "bass", "chords", "drums"} <= set(found)
    kinds = [found[kind] for kind in TARGET_KINDS if kind in found]
    assert min(kinds) < found["nats"] < max(kinds)
    assert all(0 < found[f"{kind}_pitch"] < found[kind] for kind in TARGET_KINDS if kind in found)
    assert min(kinds) < found["corpus/pop909"] < max(kinds)
    kinds = np.concatenate([b["kinds"].numpy().ravel() for b in task.valid])
    events = np.concatenate([b["codes"][:, KIND].numpy().ravel() for b in task.valid])
    drums = (kinds == 4) & (events == Kind.NOTE)
    assert drums.any()


def test_corpora_are_validated_apart_only_where_that_is_asked_for(shards, monkeypatch):
    assert composer(shards, monkeypatch, "task.corpus_examples=2").by_corpus["pop909"]
    without = composer(shards, monkeypatch, "task.corpus_examples=0")
    torch.manual_seed(0)
    model = without.build_model().eval()
    with torch.inference_mode():
        assert not any(name.startswith("corpus/") for name in without.validate(model))


def test_the_smallest_size_learns(shards, monkeypatch):
    task = composer(shards, monkeypatch, "task.batch_steps=512")
    torch.manual_seed(0)
    model = task.build_model()
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-2)
    losses = []
    for number in range(30):
        parts = task.loss(model, task.train_batch(number, generator(1, "batch", number)))
        optimiser.zero_grad()
        (parts.nats / parts.count).backward()
        optimiser.step()
        losses.append(float(parts.nats.detach() / parts.count))
    assert np.mean(losses[-5:]) < 0.7 * losses[0], losses
    config = task.model_config()
    assert config["vocabulary_hash"] == vocabulary_hash() and config["kind"] == "composer"
    assert config["ledger"]["pop909"]["pieces"] == 3


def test_what_may_not_be_learned_from_is_refused(shards, monkeypatch):
    monkeypatch.setenv("SONGWRIGHT_SHARDS", str(shards))
    recipe = read_recipe(FOLDER / "config-tiny.toml")
    for corpora, words in (({"nottingham": 1.0}, "copyleft"), ({"elsewhere": 1.0}, "not in these shards")):
        with pytest.raises(ConfigError, match=words):
            load_task(type(recipe)(recipe.folder, {**recipe.task, "corpora": corpora}))


def test_shards_of_another_vocabulary_are_refused(tmp_path, monkeypatch):
    with ShardWriter(tmp_path, vocabulary_hash="0123", streams=STREAMS, ledger={}):
        pass
    with pytest.raises(DataError, match="vocabulary"):
        composer(tmp_path, monkeypatch)
