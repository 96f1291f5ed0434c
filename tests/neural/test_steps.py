"""Slot by slot equals the whole; the loop of generation keeps what is given, masks, stops and guides."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_models import KINDS, make, random_codes  # noqa: E402

from songwright.errors import ConfigError, InputError  # noqa: E402
from songwright.neural.patterns import PATTERNS  # noqa: E402
from songwright.neural.sampling import SamplingSettings  # noqa: E402
from songwright.neural.step_model import SlotOrder, generate, stop_at  # noqa: E402
from songwright.neural.torch_steps import TorchStepModel  # noqa: E402
from songwright.seeding import generator  # noqa: E402

GREEDY = SamplingSettings(temperature=0)
PLAIN = SamplingSettings()
STEPS = 6


def whole_logits(model, codes):
    with torch.inference_mode():
        return [logits.numpy() for logits in model(codes)]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(("backbone", "positions"), KINDS)
@pytest.mark.parametrize("prefix", [0, 3])
def test_slot_by_slot_equals_whole(pattern, backbone, positions, prefix):
    model, codes = make(pattern, backbone, positions), random_codes(2, STEPS)
    whole, steps = whole_logits(model, codes), TorchStepModel(model)
    order = SlotOrder(pattern, 3, STEPS)
    steps.start(2, STEPS)
    steps.prefill(codes[:, :, :prefix].numpy())
    for _position, t, k in order.slots()[order.prefilled(prefix) :]:
        np.testing.assert_allclose(steps.logits(), whole[k][:, t], atol=1e-5)
        steps.feed(codes[:, k, t].numpy())


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(("backbone", "positions"), KINDS[:2] + KINDS[3:])
def test_greedy_generation_is_what_the_whole_would_choose(pattern, backbone, positions):
    model = make(pattern, backbone, positions)
    made = generate(TorchStepModel(model), num_steps=STEPS, settings=GREEDY, random=generator(0), batch_size=2)
    for k, logits in enumerate(whole_logits(model, torch.from_numpy(made.codes))):
        assert np.array_equal(logits.argmax(-1), made.codes[:, k])
    with torch.inference_mode():
        nats = model.nats(torch.from_numpy(made.codes)).numpy()
    np.testing.assert_allclose(made.log_probabilities, -nats, atol=1e-5)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(("backbone", "positions"), [KINDS[0], *KINDS[3:]])
def test_going_back_and_reordering(pattern, backbone, positions):
    model, codes = make(pattern, backbone, positions), random_codes(2, STEPS).numpy()
    steps, straight = TorchStepModel(model), TorchStepModel(model)
    steps.start(2, STEPS)
    for _position, t, k in SlotOrder(pattern, 3, STEPS).slots()[:-1]:
        steps.logits()
        steps.feed(codes[:, k, t])
    steps.truncate(2)
    steps.logits()
    steps.reorder(np.array([1, 0, 1]))
    straight.start(3, STEPS)
    straight.prefill(codes[[1, 0, 1], :, :2])
    for _ in range(5):
        np.testing.assert_allclose(steps.logits(), straight.logits(), atol=1e-5)
        for one in (steps, straight):
            one.feed(np.array([0, 1, 2]))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_prefixes_of_different_lengths_run_in_one_batch(pattern):
    model = TorchStepModel(make(pattern))
    codes = random_codes(2, 4).numpy()
    codes[1, :, 2:] = -1
    both = generate(model, num_steps=STEPS, settings=GREEDY, random=generator(0), given=codes)
    for row, length in enumerate((4, 2)):
        alone = generate(
            model, num_steps=STEPS, settings=GREEDY, random=generator(0), given=codes[row : row + 1, :, :length]
        )
        assert np.array_equal(both.codes[row], alone.codes[0])
    assert (both.log_probabilities[0, :, :4] == 0).all()
    assert (both.log_probabilities[1, :, 2:4] < 0).all()


def test_given_slots_inside_are_kept():
    given = np.full((2, 3, 5), -1)
    given[:, 1, 2:] = 6
    made = generate(TorchStepModel(make("flat")), num_steps=STEPS, settings=PLAIN, random=generator(3), given=given)
    assert (made.codes[:, 1, 2:5] == 6).all()
    assert (made.codes[:, 0] < 5).all()


def test_a_row_is_the_same_alone_and_in_a_crowd():
    model = TorchStepModel(make("depth"))
    crowd = generate(
        model, num_steps=STEPS, settings=PLAIN, random=[generator(0, row) for row in range(4)], batch_size=4
    )
    alone = generate(model, num_steps=STEPS, settings=PLAIN, random=[generator(0, 2)])
    assert np.array_equal(crowd.codes[2], alone.codes[0])


@pytest.mark.parametrize("pattern", ["flat", "delay", "depth"])
def test_masks_hold_and_forced_slots_cost_no_network_call(pattern):
    class Counting(TorchStepModel):
        calls = 0

        def logits(self):
            self.calls += 1
            return super().logits()

    def allow(stream, step, codes):
        if stream == 0:
            return None
        if stream == 1:  # as the step's first stream says
            return np.arange(7) > codes[:, :1, step]
        return np.arange(3) == 2

    model = Counting(make(pattern))
    made = generate(model, num_steps=STEPS, settings=PLAIN, random=generator(1), batch_size=3, allow=allow)
    assert (made.codes[:, 1] > made.codes[:, 0]).all()
    assert (made.codes[:, 2] == 2).all()
    assert model.calls == 2 * STEPS
    assert (made.log_probabilities[:, 2] == 0).all()


@pytest.mark.parametrize("pattern", ["flat", "delay"])
def test_rows_end_where_stop_says(pattern):
    made = generate(
        TorchStepModel(make(pattern)),
        num_steps=16,
        settings=PLAIN,
        random=generator(5),
        batch_size=5,
        stop=stop_at(0, 4),
    )
    for codes, length in zip(made.codes, made.num_steps, strict=True):
        assert (codes[0, : length - 1] != 4).all()
        assert length == 16 or codes[0, length - 1] == 4
        assert (codes[:, length:] == 0).all()
    assert made.codes.shape[2] == made.num_steps.max()
    assert made.num_steps.min() < 16


def test_guidance_is_the_formula_and_runs_in_one_batch():
    network = make("flat")
    control, none = np.array([[[4], [1], [0]]]), np.array([[[0], [0], [0]]])
    made = generate(
        TorchStepModel(network),
        num_steps=4,
        settings=replace(GREEDY, guidance_scale=3.0),
        random=generator(0),
        given=control,
        unconditional=none,
    )
    other = made.codes.copy()
    other[:, :, :1] = none
    with_it, without = (whole_logits(network, torch.from_numpy(codes)) for codes in (made.codes, other))
    for k in range(3):
        guided = (without[k] + 3.0 * (with_it[k] - without[k]))[:, 1:]
        assert np.array_equal(guided.argmax(-1), made.codes[:, k, 1:])
    plain = generate(TorchStepModel(network), num_steps=4, settings=GREEDY, random=generator(0), given=control)
    assert not np.array_equal(plain.codes, made.codes)


def test_features_reach_generation():
    network = make("delay", feature_sizes=(4,))
    features = np.arange(STEPS)[None, None] % 4
    made = generate(TorchStepModel(network), num_steps=STEPS, settings=GREEDY, random=generator(0), features=features)
    with torch.inference_mode():
        whole = network(torch.from_numpy(made.codes), torch.from_numpy(features))
    assert all(np.array_equal(logits.argmax(-1).numpy(), made.codes[:, k]) for k, logits in enumerate(whole))


def test_wrong_arguments_say_what_is_wrong():
    model = TorchStepModel(make("flat"))
    with pytest.raises(ConfigError, match="unconditional"):
        generate(model, num_steps=2, settings=SamplingSettings(guidance_scale=2), random=generator(0))
    with pytest.raises(ConfigError, match="3 streams"):
        generate(model, num_steps=2, settings=[GREEDY], random=generator(0))
    with pytest.raises(InputError, match="below the vocabulary sizes"):
        generate(model, num_steps=2, settings=GREEDY, random=generator(0), given=np.full((1, 3, 1), 5))
    with pytest.raises(InputError, match="at most 2"):
        generate(model, num_steps=2, settings=GREEDY, random=generator(0), given=np.zeros((1, 2, 1), dtype=int))
    with pytest.raises(InputError, match="at most 16 steps"):
        generate(model, num_steps=17, settings=GREEDY, random=generator(0))


@pytest.mark.parametrize("streams", [1, 2, 4])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_orders_hold_every_slot_once(pattern, streams):
    for steps in range(5):
        order = SlotOrder(pattern, streams, steps)
        slots = order.slots()
        assert sorted((t, k) for _, t, k in slots) == [(t, k) for t in range(steps) for k in range(streams)]
        assert [p for p, _, _ in slots] == sorted(p for p, _, _ in slots)
        for n in range(steps + 1):
            later = [i for i, (_, t, k) in enumerate(slots) if k == 0 and t >= n]
            assert order.prefilled(n) == (later[0] if later else len(slots)) or (pattern == "delay" and n == steps)
