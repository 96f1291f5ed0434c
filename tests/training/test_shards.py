"""Shards give back what was written, and refuse what is not whole."""

import json

import numpy as np
import pytest

pytest.importorskip("safetensors")

from songwright.errors import DataError, InputError
from songwright.seeding import generator
from songwright.training.shards import MANIFEST, ShardPiece, ShardWriter, open_shards

LEDGER = {"a": {"licence": "CC0-1.0", "attribution": "nobody"}, "b": {"licence": "MIT"}, "unused": {"licence": "?"}}


def pieces():
    """Yields seven pieces, one of them empty."""
    random = generator(0, "shards")
    for number, steps in enumerate((5, 0, 9, 30, 2, 2, 17)):
        corpus, split = "ab"[number % 2], ("train", "valid", "test")[number % 3]
        codes = random.integers(-(2**15), 2**15, (3, steps))
        bars = np.arange(0, steps + 1, 4, dtype=np.int32)
        yield ShardPiece(f"{corpus}/{number}", corpus, "MIT", split, number != 2), codes, bars


@pytest.fixture(params=[1, 20, 10**6])
def folder(request, tmp_path):
    with ShardWriter(
        tmp_path / "shards", vocabulary_hash="v1", streams=("x", "y", "z"), ledger=LEDGER, steps_per_shard=request.param
    ) as writer:
        for piece, codes, bars in pieces():
            writer.add(piece, codes, bars=bars)
    return tmp_path / "shards"


def test_what_is_written_is_read(folder):
    shards = open_shards(folder, vocabulary="v1")
    assert (len(shards), shards.streams) == (7, ("x", "y", "z"))
    for index, (piece, codes, bars) in enumerate(pieces()):
        assert shards.pieces[index] == piece
        assert shards.codes(index).dtype == np.int16
        assert np.array_equal(shards.codes(index), codes)
        assert np.array_equal(shards.array(index, "bars"), bars)
        assert shards.num_steps(index) == codes.shape[1]
    with pytest.raises(ValueError, match="read-only"):
        shards.codes(0)[0, 0] = 1
    with pytest.raises(IndexError):
        shards.codes(7)


def test_pieces_are_selected_and_accounted_for(folder):
    shards = open_shards(folder)
    assert shards.select(split="train") == [0, 3, 6]
    assert shards.select(split="train", corpora=["a"]) == [0, 6]
    assert shards.select() == list(range(7))
    provenance = shards.provenance(shards.select(corpora=["a"]))
    assert provenance["ledger"] == {"a": {**LEDGER["a"], "pieces": 4, "steps": 5 + 9 + 2 + 17}}
    assert provenance["vocabulary_hash"] == "v1"
    assert all(len(digest) == 64 for digest in provenance["data"].values())


def test_the_same_pieces_make_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        with ShardWriter(
            tmp_path / name, vocabulary_hash="v1", streams="xyz", ledger=LEDGER, steps_per_shard=20
        ) as writer:
            for piece, codes, bars in pieces():
                writer.add(piece, codes, bars=bars)
    names = sorted(p.name for p in (tmp_path / "one").iterdir())
    assert names[0] == MANIFEST
    assert len(names) == 3
    assert all((tmp_path / "one" / n).read_bytes() == (tmp_path / "two" / n).read_bytes() for n in names)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(schema=99), "version 1, got 99"),
        (lambda m: m.pop("ledger"), "'ledger' is missing"),
        (lambda m: m["ledger"].pop("a"), "ledger does not name"),
        (lambda m: m["pieces"].pop(), "another number of pieces"),
        (lambda m: m["pieces"][1].update(id="a/0"), "listed twice"),
        (lambda m: m["pieces"][1].update(split="training"), "expected one of train, valid, test"),
        (lambda m: m["pieces"][1].pop("licence"), "'licence' is missing"),
        (lambda m: m["streams"].pop(), "expected int16"),
        (lambda m: m["shards"][0].update(sha256="0" * 64), "damaged or altered"),
        (lambda m: m["shards"][0].update(file="../shard-00000.safetensors"), "missing"),
        (lambda m: m["shards"][0].update(file="shard-99999.safetensors"), "missing"),
        (lambda m: m.update(pieces=3), "bad manifest"),
    ],
)
def test_bad_manifests_are_refused(folder, change, message):
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=message) as caught:
        open_shards(folder)
    assert "\n" not in str(caught.value)


def test_damage_is_found(folder):
    shard = folder / "shard-00000.safetensors"
    whole = shard.read_bytes()
    for damaged in (whole[:-1], whole[:40], b"", whole + b"x", whole[:-1] + bytes([whole[-1] ^ 1])):
        shard.write_bytes(damaged)
        with pytest.raises(DataError, match="damaged"):
            open_shards(folder)
    shard.write_bytes(whole[:-1])
    with pytest.raises(DataError, match="damaged shard"):
        open_shards(folder, verify=False)
    shard.write_bytes(whole)
    with pytest.raises(DataError, match="another vocabulary"):
        open_shards(folder, vocabulary="v2")
    (folder / MANIFEST).write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        open_shards(folder)
    (folder / MANIFEST).write_text("[]")
    with pytest.raises(DataError, match="version 1"):
        open_shards(folder)
    (folder / MANIFEST).unlink()
    with pytest.raises(DataError, match="unfinished"):
        open_shards(folder)


def test_a_writer_that_fails_leaves_no_manifest(tmp_path):
    def writing():
        with ShardWriter(tmp_path, vocabulary_hash="v", streams="x", ledger=LEDGER) as writer:
            writer.add(ShardPiece("1", "a", "MIT", "train"), np.zeros((1, 3), np.int16))
            raise KeyError

    with pytest.raises(KeyError):
        writing()
    assert not (tmp_path / MANIFEST).exists()


def test_wrong_pieces_are_refused(tmp_path):
    writer = ShardWriter(tmp_path, vocabulary_hash="v", streams="xy", ledger=LEDGER)
    good = ShardPiece("1", "a", "MIT", "train")
    codes = np.zeros((2, 3), np.int16)
    writer.add(good, codes, bars=np.zeros(1, np.int32))
    for piece, wrong, arrays, message in (
        (good, codes, {"bars": np.zeros(1)}, "added already"),
        (ShardPiece("2", "c", "MIT", "train"), codes, {"bars": np.zeros(1)}, "ledger"),
        (ShardPiece("2", "a", "MIT", "train"), codes.T, {"bars": np.zeros(1)}, "2 streams"),
        (ShardPiece("2", "a", "MIT", "train"), codes.astype(float), {"bars": np.zeros(1)}, "integers"),
        (ShardPiece("2", "a", "MIT", "train"), codes.astype(int) + 40000, {"bars": np.zeros(1)}, "16 bits"),
        (ShardPiece("2", "a", "MIT", "train"), codes, {}, "expected the arrays"),
        (ShardPiece("2", "a", "MIT", "train"), codes, {"bars": np.zeros((1, 1))}, "dimensions"),
    ):
        with pytest.raises(InputError, match=message):
            writer.add(piece, wrong, **arrays)
