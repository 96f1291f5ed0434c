"""The fused graph is the network: logits, going back, reordering; int8 with exact products too."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from tiny_models import make, random_codes  # noqa: E402

from songwright.errors import ConfigError, InputError  # noqa: E402
from songwright.neural import onnx_stack  # noqa: E402
from songwright.neural.int8 import with_int8_weights  # noqa: E402
from songwright.neural.onnx_stack_steps import OnnxStackSteps  # noqa: E402
from songwright.neural.sampling import SamplingSettings  # noqa: E402
from songwright.neural.step_model import generate  # noqa: E402
from songwright.neural.torch_steps import TorchStepModel  # noqa: E402
from songwright.seeding import generator  # noqa: E402

GREEDY = SamplingSettings(temperature=0)


def on_onnx(model, weights):
    config = model.config.as_dict()
    arrays = {name: value.numpy() for name, value in model.state_dict().items()}
    positions = model.config.max_steps * model.config.num_streams
    heads = [onnx_stack.head(arrays[f"heads.{k}.weight"], weights) for k in range(model.config.num_streams)]
    return OnnxStackSteps(config, arrays, onnx_stack.stack(config, arrays, weights, positions), heads)


@pytest.fixture(scope="module", params=["float32", "int8-exact"])
def pair(request):
    model = make("flat", feature_sizes=(4,))  # heads of 8 channels, widened in the graph
    steps = on_onnx(model, request.param)
    return (with_int8_weights(model) if request.param == "int8-exact" else model), steps


def test_greedy_tokens_are_torchs(pair):
    model, steps = pair
    features = np.arange(12)[None, None].repeat(3, 0) % 4
    given = random_codes(3, 4).numpy()
    given[1:, :, 2:] = -1
    one, other = (
        generate(m, num_steps=12, settings=GREEDY, random=generator(0), given=given, features=features)
        for m in (TorchStepModel(model), steps)
    )
    assert np.array_equal(one.codes, other.codes)
    np.testing.assert_allclose(one.log_probabilities, other.log_probabilities, atol=2e-5)


def test_blocks_going_back_and_reordering(pair):
    model, steps = pair
    codes = random_codes(1, 12).numpy()
    both = (steps, TorchStepModel(model))
    for each in both:
        each.start(1, 12)
        each.prefill(codes[:, :, :3])
        each.logits()
        for token in codes[0, :, 3:7].T.flatten():  # a block after a past
            each.feed(np.array([token]))
    np.testing.assert_allclose(both[0].logits(), both[1].logits(), atol=2e-5)
    for each in both:
        each.truncate(4)
        each.reorder(np.array([0, 0]))
    for _ in range(4):
        np.testing.assert_allclose(both[0].logits(), both[1].logits(), atol=2e-5)
        for each in both:
            each.feed(np.array([1, 2]))


def test_rounded_int8_is_near_and_not_equal():
    model = make("flat", dim=32, num_heads=1)
    steps, exact = on_onnx(model, "int8"), TorchStepModel(model)
    for each in (steps, exact):
        each.start(2, 4)
    difference = np.abs(steps.logits() - exact.logits()).max()
    assert 0 < difference < 0.2 * np.abs(exact.logits()).max()


def test_what_does_not_fit_is_refused():
    model = make("depth")
    arrays = {name: value.numpy() for name, value in model.state_dict().items()}
    with pytest.raises(ConfigError, match="expected a flat"):
        OnnxStackSteps(model.config.as_dict(), arrays, b"", [])
    with pytest.raises(ConfigError, match="float32, int8"):
        onnx_stack.head(np.zeros((2, 2), np.float32), "int4")
    with pytest.raises(ConfigError, match="rotary"):
        onnx_stack.stack(replace(model.config, positions="none").as_dict(), arrays, "float32", 4)
    with pytest.raises(InputError, match="at most 16"):
        on_onnx(make("flat", dim=32), "float32").start(1, 17)
