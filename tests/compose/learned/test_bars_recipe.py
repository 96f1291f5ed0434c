"""The recipe of the networks of bars: what it reads, that a batch follows from its number, and that it learns."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from songwright.compose.learned.bars.kinds import KINDS  # noqa: E402
from songwright.compose.tokens.encode import encode  # noqa: E402
from songwright.compose.tokens.vocabulary import STREAMS, vocabulary_hash  # noqa: E402
from songwright.errors import ConfigError, InputError  # noqa: E402
from songwright.score.song import ChordSpan, Note, Song, Track  # noqa: E402
from songwright.seeding import generator  # noqa: E402
from songwright.training.recipe import load_task, read_recipe  # noqa: E402
from songwright.training.shards import ShardPiece, ShardWriter  # noqa: E402

FOLDER = Path(__file__).parents[3] / "recipes" / "bars"
SMALL = ("task.hidden_dim=24", "task.cell_dim=8", "task.latent_dim=8", "task.most_bars=60", "task.valid_bars=20")
SMALL = (*SMALL, *(f"task.batch_bars.{kind}=8" for kind in KINDS))
torch.set_num_threads(1)


def piece(seed):
    """A song of 12 bars with all kinds of parts."""
    random = np.random.default_rng(seed)
    roots = random.integers(12, size=12).tolist()
    names = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    tune = [Note(i * 480, 480, int(random.integers(60, 80)), 90) for i in range(96)]
    bass = [Note(i * 3840, 1920, 36 + root, 90) for i, root in enumerate(roots)]
    chords = [Note(i * 3840, 1920, 60 + root + step, 70) for i, root in enumerate(roots) for step in (0, 4, 7)]
    drums = [Note(i * 960, 240, 38 if i % 2 else 36, 100) for i in range(48)]
    tracks = (
        Track("tune", "melody", "flute", notes=tuple(tune)),
        Track("bass", "bass", "electric_bass_finger", notes=tuple(bass)),
        Track("piano", "chords", "acoustic_grand_piano", notes=tuple(chords)),
        Track("drums", "drums", "standard_kit", notes=tuple(drums)),
    )  # fmt: skip
    spans = tuple(ChordSpan(i * 3840, 3840, names[root]) for i, root in enumerate(roots))
    return Song(duration_ticks=12 * 3840, chords=spans, tracks=tracks)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Shards of three songs, one held apart, beside a corpus that must not be learned from."""
    folder = tmp_path_factory.mktemp("shards")
    ledger = {"pop909": {"usable": True}, "nottingham": {"usable": False, "why_not": "copyleft"}}
    with ShardWriter(folder, vocabulary_hash=vocabulary_hash(), streams=STREAMS, ledger=ledger) as writer:
        for number in range(3):
            codes = encode(piece(number)).codes
            split = "valid" if number == 2 else "train"
            writer.add(ShardPiece(f"pop909/{number}", "pop909", "none", split), codes)
    return folder


def bars_task(shards, monkeypatch, corpora=None, overrides=SMALL):
    monkeypatch.setenv("SONGWRIGHT_SHARDS", str(shards))
    recipe = read_recipe(FOLDER, overrides)
    return load_task(type(recipe)(recipe.folder, {**recipe.task, "corpora": corpora or {"pop909": 1.0}}))


def test_bars_of_every_kind_are_read_and_pieces_held_apart_stay_apart(shards, monkeypatch):
    task = bars_task(shards, monkeypatch)
    assert tuple(task.train) == KINDS
    counts = {kind: len(stock.count) for kind, stock in task.train.items()}
    assert counts == {"tune": 24, "bass": 24, "chords": 24, "drums": 24, "harmony": 24}
    assert {kind: len(batch[f"{kind}.mask"]) for kind, batch in task.valid.items()} == dict.fromkeys(KINDS, 12)


def test_a_batch_follows_from_its_number(shards, monkeypatch):
    batches = [bars_task(shards, monkeypatch).train_batch(5, generator(1, "batch", 5)) for _ in range(2)]
    assert all(torch.equal(batches[0][name], batches[1][name]) for name in batches[0])
    assert len(batches[0]["bass.cells"]) == 8


def test_it_learns(shards, monkeypatch):
    task = bars_task(shards, monkeypatch)
    torch.manual_seed(0)
    model = task.build_model()
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    with torch.no_grad():
        before = task.validate(model.eval())
    assert {f"{kind}_right" for kind in KINDS} < set(before)
    for number in range(12):
        parts = task.loss(model.train(), task.train_batch(number, generator(1, "batch", number)))
        assert parts.objective is not None
        optimiser.zero_grad()
        (parts.objective / parts.count).backward()
        optimiser.step()
    with torch.no_grad():
        assert task.validate(model.eval())["nats"] < 0.9 * before["nats"]


def test_what_must_not_be_learned_from_is_refused(shards, monkeypatch):
    with pytest.raises(ConfigError, match="must not learn"):
        bars_task(shards, monkeypatch, {"nottingham": 1.0})
    with pytest.raises(ConfigError, match="not in these shards"):
        bars_task(shards, monkeypatch, {"elsewhere": 1.0})
    with pytest.raises(ConfigError, match="expected 1 or more"):
        bars_task(shards, monkeypatch, None, (*SMALL, "task.batch_bars.tune=0"))
    with pytest.raises(ConfigError, match="expected some of"):
        bars_task(shards, monkeypatch, None, (*SMALL, "task.batch_bars.flute=4"))
    monkeypatch.setenv("SONGWRIGHT_SHARDS", "")
    recipe = read_recipe(FOLDER, SMALL)
    with pytest.raises(InputError, match="SONGWRIGHT_SHARDS"):
        load_task(recipe)
