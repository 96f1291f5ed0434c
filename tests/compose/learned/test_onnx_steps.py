"""The exported network says what the trained one says, without torch."""

import json
from dataclasses import replace

import numpy as np
import pytest

from songwright.errors import CheckpointError, ConfigError
from songwright.neural.sampling import SamplingSettings
from songwright.neural.step_model import generate

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from songwright.cli.main import main  # noqa: E402
from songwright.compose.learned.onnx_steps import OnnxStepModel  # noqa: E402
from songwright.neural.language_model import TINY, MultiStreamLM  # noqa: E402
from songwright.neural.onnx_graph import graphs  # noqa: E402
from songwright.neural.torch_steps import TorchStepModel  # noqa: E402
from songwright.training.checkpoint import save_model  # noqa: E402
from songwright.training.weights import model_tensors, to_arrays  # noqa: E402

torch.set_num_threads(1)  # nets this small only wait for a second thread
CONFIG = replace(TINY, pattern="depth", feature_sizes=(4, 3), max_steps=300, depth_layers=2)
GREEDY = SamplingSettings(temperature=0.0)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    model = MultiStreamLM(CONFIG).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4 if parameter.ndim > 1 else 1)
    return model


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    config = {"kind": "composer", "vocabulary_hash": "0", "network": CONFIG.as_dict()}
    save_model(folder / "model", to_arrays(model_tensors(network)), config)
    for dtype in ("float32", "int8"):
        assert main(["export", str(folder / "model"), "-o", str(folder / dtype), "--dtype", dtype]) == 0
    return folder


def features(step, codes):
    """What follows from the codes before: the sum of the step before, and the step's number."""
    before = codes[:, :, step - 1].sum(axis=1) if step else np.zeros(len(codes), dtype=np.int64)
    return np.stack([before % 4, np.full(len(codes), step % 3)], axis=1)


def tokens(model, steps=12, rows=3, **settings):
    given = np.random.default_rng(5).integers(0, 3, (rows, 3, 4))
    return generate(
        model,
        num_steps=steps,
        settings=SamplingSettings(**settings) if settings else GREEDY,
        random=np.random.default_rng(1),
        given=given,
        features=features,
    )


def test_same_tokens_and_probabilities_as_torch(network, exported):
    ours, theirs = (
        tokens(OnnxStepModel(exported / "float32"), 20, top_p=0.9),
        tokens(TorchStepModel(network), 20, top_p=0.9),
    )
    assert np.array_equal(ours.codes, theirs.codes)
    assert np.allclose(ours.log_probabilities, theirs.log_probabilities, atol=1e-4)


def test_nats_of_what_is_there_are_those_of_torch(network, exported):
    random = np.random.default_rng(2)
    codes = np.stack([random.integers(0, size, (3, 30)) for size in CONFIG.vocabulary_sizes], axis=1)
    given = np.stack([random.integers(0, size, (3, 30)) for size in CONFIG.feature_sizes], axis=1)
    mask = random.random(codes.shape) < 0.5
    ours = OnnxStepModel(exported / "float32").nats(codes, given, mask)
    assert np.allclose(ours, TorchStepModel(network).nats(codes, given, mask), atol=1e-4)
    assert (ours[~mask] == 0).all() and (ours[mask] > 0).all()


def test_same_tokens_past_the_first_block_of_the_cache(network, exported):
    ours, theirs = tokens(OnnxStepModel(exported / "float32"), 200, 1), tokens(TorchStepModel(network), 200, 1)
    assert np.array_equal(ours.codes, theirs.codes)


def test_int8_is_near(network, exported):
    exact, small = OnnxStepModel(exported / "float32"), OnnxStepModel(exported / "int8")
    for model in (exact, small):
        model.start(1, 4)
        model.prefill(np.array([[[1, 2], [3, 1], [2, 0]]]))
    difference = np.abs(exact.logits() - small.logits()).max()
    assert 0 < difference < 0.2 * np.abs(exact.logits()).max()


def test_rows_may_be_reordered_and_taken_back(network, exported):
    onnx, torch_steps = OnnxStepModel(exported / "float32"), TorchStepModel(network)
    codes = np.random.default_rng(2).integers(0, 3, (2, 3, 6))
    found = []
    for model in (onnx, torch_steps):
        model.start(2, 10)
        model.prefill(codes)
        model.logits()
        model.reorder(np.array([1, 1, 0]))
        model.truncate(3)
        model.feed(np.array([1, 2, 0]))
        found.append(model.logits())
    assert np.allclose(*found, atol=1e-5)


@pytest.mark.parametrize("moves", [
    ([0, 1, 2, 1, 1, 0], [0, 5, 2], [0, 1]),  # some go on from others, places of some are filled
    ([2, 1, 0], [1, 1, 1], [0] * 20, [19, 3]),  # all change places; more than there is spare room for
])  # fmt: skip
def test_rows_keep_their_past_wherever_they_are_moved(network, exported, moves):
    onnx, torch_steps = OnnxStepModel(exported / "float32"), TorchStepModel(network)
    codes = np.random.default_rng(6).integers(0, 3, (3, 3, 7))
    found = []
    for model in (onnx, torch_steps):
        model.start(3, 20)
        model.prefill(codes)
        told = [model.logits()]
        for move in moves:
            for _ in range(3):
                model.feed(np.arange(len(told[-1])) % 2)
            told.append(model.logits())
            model.reorder(np.array(move))
            told.append(model.logits())
        found.append(told)
    assert all(np.allclose(ours, theirs, atol=1e-5) for ours, theirs in zip(*found, strict=True))


@pytest.mark.parametrize("asked", [(2,), (0, 2), (1,), (2, 2, 0), (0, 1, 2)])
def test_the_depth_cache_holds_whatever_streams_are_asked_for(network, exported, asked):
    onnx, torch_steps = OnnxStepModel(exported / "float32"), TorchStepModel(network)
    codes = np.random.default_rng(4).integers(0, 3, (2, 3, 5))
    found = []
    for model in (onnx, torch_steps):
        model.start(2, 12)
        model.prefill(codes)
        told = []
        for step in range(2):
            for stream in range(3):
                told += [model.logits() for one in asked if one == stream]
                model.feed(np.array([step, stream]))
        model.truncate(6)  # takes the second of the two steps back
        model.feed(np.array([2, 2]))
        told.append(model.logits())
        model.reorder(np.array([1]))
        told.append(model.logits())
        found.append(told)
    assert all(np.allclose(ours, theirs, atol=1e-5) for ours, theirs in zip(*found, strict=True))


def test_given_features_step_by_step_equal_all_at_once(network):
    stepwise = tokens(TorchStepModel(network))
    whole = np.stack([features(t, stepwise.codes) for t in range(12)], axis=2)
    given = stepwise.codes[:, :, :4]
    again = generate(
        TorchStepModel(network),
        num_steps=12,
        settings=GREEDY,
        random=np.random.default_rng(1),
        given=given,
        features=whole,
    )
    assert np.array_equal(stepwise.codes, again.codes)


def test_other_networks_are_refused(network):
    with pytest.raises(ConfigError, match="only a depth transformer"):
        graphs({**CONFIG.as_dict(), "pattern": "flat"}, {}, int8=False)


def test_damaged_exports_are_told_in_one_line(exported, tmp_path):
    with pytest.raises(CheckpointError, match=r"config\.json"):
        OnnxStepModel(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"network": CONFIG.as_dict(), "vocabulary_hash": "0"}))
    (tmp_path / "backbone.onnx").write_bytes((exported / "float32" / "backbone.onnx").read_bytes()[:500])
    (tmp_path / "depth.onnx").write_bytes(b"")
    with pytest.raises(CheckpointError, match="cannot read") as caught:
        OnnxStepModel(tmp_path)
    assert "\n" not in str(caught.value)
    for name in ("backbone.onnx", "depth.onnx"):
        (tmp_path / name).write_bytes((exported / "float32" / name).read_bytes())
    with pytest.raises(CheckpointError, match=r"head-0\.onnx: is missing"):
        OnnxStepModel(tmp_path)


def test_not_a_composer(exported, tmp_path, capsys):
    save_model(tmp_path / "other", {"weight": np.zeros((2, 2), dtype=np.float32)}, {"kind": "jsb"})
    assert main(["export", str(tmp_path / "other"), "-o", str(tmp_path / "x")]) == 2
    assert "expected a trained composer" in capsys.readouterr().err
