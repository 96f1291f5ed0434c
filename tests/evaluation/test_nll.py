import json
import math

import numpy as np
import pytest

from songwright.errors import CheckpointError, DataError, InputError
from songwright.evaluation import nll, nll_note

PIECE = [[67, 62, 59, 43], [67, 62, 59, 43], [69, 62, -1, 43]]


class Uniform:
    """Every pitch of 128 and the rest are equally likely."""

    def frame_nats(self, pieces):
        return [np.full(len(piece), nll_note.VOICES * math.log(129)) for piece in pieces]


class HoldsWithChance:
    """A voice holds its note with a known chance, else it takes any of the other 128 with equal chances."""

    def __init__(self, chance):
        self.chance = chance

    def frame_nats(self, pieces):
        nats = []
        for piece in pieces:
            before = np.vstack([np.full((1, 4), nll_note.REST), piece[:-1]])
            p = np.where(piece == before, self.chance, (1 - self.chance) / 128)
            nats.append(-np.log(p).sum(axis=1))
        return nats


@pytest.fixture
def data(tmp_path):
    def write(**splits):
        path = tmp_path / "data.json"
        path.write_text(json.dumps(splits), encoding="utf-8")
        return path

    return write


def test_a_uniform_model_needs_ln_of_the_vocabulary():
    total, notes = nll_note.score(Uniform(), [nll_note.parse(PIECE), nll_note.parse(PIECE[:1])])
    assert notes == 16
    assert total / notes == pytest.approx(math.log(129), abs=1e-12)


def test_a_toy_whose_nats_are_known():
    total, notes = nll_note.score(HoldsWithChance(0.9), [nll_note.parse(PIECE)])
    changes = 4 + 0 + 2  # the first frame counts, a rest is a token like any other
    expected = -(notes - changes) * math.log(0.9) - changes * math.log(0.1 / 128)
    assert notes == 12 and total == pytest.approx(expected, abs=1e-12)


def test_the_order_of_pieces_does_not_matter_and_pieces_are_pooled():
    pieces = [nll_note.parse(PIECE), nll_note.parse(PIECE[1:]), nll_note.parse([[60, 55, 52, 48]] * 7)]
    model = HoldsWithChance(0.7)
    assert nll_note.score(model, pieces) == nll_note.score(model, pieces[::-1])
    parts = [nll_note.score(model, [piece]) for piece in pieces]
    whole = nll_note.score(model, pieces)
    assert whole[0] == pytest.approx(sum(part[0] for part in parts)) and whole[1] == sum(part[1] for part in parts)


def test_which_split_is_read(data):
    one, two = [PIECE], [PIECE, PIECE]
    assert nll.read_pieces(data(train=one, valid=two), nll_note.parse)[0] == "valid"
    assert nll.read_pieces(data(train=one, test=two), nll_note.parse)[0] == "test"
    assert nll.read_pieces(data(train=one, valid=one, test=two), nll_note.parse)[0] == "test"
    assert nll.read_pieces(data(train=one, held=two), nll_note.parse)[0] == "held"
    assert nll.read_pieces(data(train=one), nll_note.parse)[0] == "train"
    name, pieces = nll.read_pieces(data(train=one, valid=two), nll_note.parse, "train")
    assert name == "train" and len(pieces) == 1 and pieces[0].tolist() == PIECE
    with pytest.raises(DataError, match="has no split 'dev', only train, valid"):
        nll.read_pieces(data(train=one, valid=two), nll_note.parse, "dev")


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        ("x", "expected a list of frames"),
        ([], "expected a list of frames"),
        ([[60, 55, 52]], "frame 1 should hold four pitches"),
        ([[60, 55, 52, 48], 7], "frame 2 should hold four pitches"),
        ([[60, 55, 52, 48.5]], "frame 1 holds 48.5"),
        ([[60, 55, 52, "C"]], "frame 1 holds 'C'"),
        ([[60, 55, 52, True]], "frame 1 holds True"),
        ([[60, 55, 52, None]], "frame 1 holds None"),
        ([[60, 55, 52, float("nan")]], "frame 1 holds nan"),
        ([[60, 55, 52, 128]], "frame 1 holds 128"),
        ([[60, 55, 52, -2]], "frame 1 holds -2"),
    ],
)
def test_a_malformed_piece_is_named_in_one_line(data, piece, said):
    path = data(train=[], valid=[PIECE, piece])
    with pytest.raises(DataError) as error:
        nll.read_pieces(path, nll_note.parse)
    text = str(error.value)
    assert said in text and "piece 2 of valid" in text and str(path) in text and "\n" not in text


@pytest.mark.parametrize("content", ["", "{", "[1]", "3", "{}", '{"valid": 4}', "[" * 100_000])
def test_a_malformed_file_is_one_line(tmp_path, content):
    path = tmp_path / "data.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as error:
        nll.read_pieces(path, nll_note.parse)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_an_empty_or_missing_file(data, tmp_path):
    with pytest.raises(DataError, match="holds no piece"):
        nll.read_pieces(data(train=[PIECE], valid=[]), nll_note.parse)
    with pytest.raises(DataError, match="cannot be read"):
        nll.read_pieces(tmp_path / "none.json", nll_note.parse)
    with pytest.raises(DataError):
        nll.read_pieces(tmp_path, nll_note.parse)


def test_an_unknown_metric(data, tmp_path):
    with pytest.raises(InputError, match="no metric is called 'bars'"):
        nll.measure(tmp_path, data(valid=[PIECE]), "bars")


def test_a_broken_model_folder_is_one_line(data, tmp_path):
    pytest.importorskip("safetensors")
    pytest.importorskip("torch")
    from songwright.training.checkpoint import save_model

    file, folder = data(valid=[PIECE]), tmp_path / "model"

    def refusal(*expected):
        with pytest.raises(CheckpointError) as error:
            nll.measure(folder, file, "note")
        text = str(error.value)
        assert all(word in text for word in expected) and "\n" not in text, text

    refusal("cannot be read")
    save_model(folder, {"x": np.zeros(3, np.float32)}, {"kind": "frames"})
    refusal("'frames'", "'chorale'")
    save_model(folder, {"x": np.zeros(3, np.float32)}, {"kind": "chorale"})
    refusal("do not fit together")
    save_model(
        folder, {"memory_codes": np.zeros((0, 4)), "memory_lengths": np.zeros(0)}, {"kind": "chorale", "network": 3}
    )
    refusal("do not fit together")
    save_model(
        folder, {"memory_codes": np.zeros((0, 4)), "memory_lengths": np.zeros(0)}, {"kind": "chorale", "network": {}}
    )
    refusal("do not fit together")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-7])
    refusal("model.safetensors", "damaged")
    (folder / "config.json").write_text("{", encoding="utf-8")
    refusal("config.json")
