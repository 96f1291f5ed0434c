import itertools
import json

import numpy as np
import pytest

from songwright.errors import CheckpointError, DataError
from songwright.evaluation import nll, nll_frame


class Coin:
    """A model to which every frame is the same, but for the first."""

    def frame_nats(self, pieces):
        return [np.where(np.arange(len(piece)) == 0, 5.0, 2.0) for piece in pieces]


def test_frames_are_pooled_over_all_pieces_not_averaged_by_piece():
    pieces = [np.zeros((1, 88), np.uint8), np.zeros((9, 88), np.uint8)]
    assert nll_frame.score(Coin(), pieces) == (5 + 5 + 8 * 2, 10)
    assert nll_frame.score(Coin(), pieces, skip_first=True) == (8 * 2, 8)


def test_pitches_become_keys():
    piece = nll_frame.parse([[21, 108, 60], [], [60.0]])
    assert piece.shape == (3, 88)
    assert [np.flatnonzero(frame).tolist() for frame in piece] == [[0, 39, 87], [], [39]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "list of frames"),
        ({"a": 1}, "list of frames"),
        ([[60], 3], "frame 2 should be a list"),
        ([[20]], "frame 1 holds 20: the piano's keys go from 21 to 108"),
        ([[60], [109]], "frame 2 holds 109"),
        ([[-1]], "frame 1 holds -1"),
        ([["C4"]], "frame 1 holds 'C4': expected a whole number"),
        ([[60.5]], "frame 1 holds 60.5"),
        ([[True]], "frame 1 holds True"),
    ],
)
def test_broken_pieces_are_named(tmp_path, rows, message):
    path = tmp_path / "data.json"
    path.write_text(json.dumps({"valid": [[[60]], rows]}), encoding="utf-8")
    with pytest.raises(DataError, match="piece 2 of valid") as error:
        nll.read_pieces(path, nll_frame.parse)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_the_floor_is_a_distribution():
    train = [np.array([[1, 0, 0], [1, 1, 0]], np.uint8)]
    frames = [np.array([bits], np.uint8) for bits in itertools.product((0, 1), repeat=3)]
    assert sum(np.exp(-nll_frame.bernoulli_floor(train, [f])) for f in frames) == pytest.approx(1)
    assert nll_frame.bernoulli_floor(train, [frames[4]]) == pytest.approx(-np.log(3 / 4 * 2 / 4 * 3 / 4))


def test_a_saved_model_is_measured_from_the_file(tmp_path):
    torch = pytest.importorskip("torch")
    from songwright.neural.frame_model import TINY, FrameModel
    from songwright.training.checkpoint import save_model

    torch.manual_seed(1)
    model = FrameModel(TINY).eval()
    tensors = {name: value.numpy() for name, value in model.state_dict().items()}
    save_model(tmp_path / "model", tensors, {"kind": nll_frame.KIND, "network": TINY.as_dict()})
    rows = [[[60, 64, 67], [60, 64], []], [[40]]]
    (tmp_path / "data.json").write_text(json.dumps({"train": [[[1]]], "test": rows}), encoding="utf-8")
    result = nll.measure(tmp_path / "model", tmp_path / "data.json", "frame")
    parts = np.concatenate(model.frame_nats([nll_frame.parse(piece) for piece in rows]))
    assert (result.tokens, result.pieces, result.split) == (4, 2, "test")
    assert result.nats == pytest.approx(parts.mean(), rel=1e-6)
    save_model(tmp_path / "other", tensors, {"kind": nll_frame.KIND, "network": {**TINY.as_dict(), "time_dim": 24}})
    with pytest.raises(CheckpointError, match="do not fit together"):
        nll.measure(tmp_path / "other", tmp_path / "data.json", "frame")
