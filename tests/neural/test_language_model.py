"""Causality, sums of probabilities and features of every pattern and backbone."""

from dataclasses import replace
from itertools import product

import pytest

torch = pytest.importorskip("torch")

from tiny_models import KINDS, make, random_codes  # noqa: E402

from songwright.errors import ConfigError, InputError  # noqa: E402
from songwright.neural.language_model import TINY, LanguageModelConfig  # noqa: E402
from songwright.neural.patterns import PATTERNS  # noqa: E402


def sees(pattern, stream, step, other_stream, other_step):
    if pattern == "delay":
        return other_step + other_stream < step + stream
    same = pattern in ("flat", "depth") and other_stream < stream
    return other_step < step or (other_step == step and same)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(("backbone", "positions"), KINDS)
@torch.inference_mode()
def test_logits_see_exactly_what_the_pattern_says(pattern, backbone, positions):
    model, steps = make(pattern, backbone, positions), 5
    codes = random_codes(1, steps)
    before = model(codes)
    for k, t in product(range(3), range(steps)):
        changed = codes.clone()
        changed[:, k, t] = (changed[:, k, t] + 1) % TINY.vocabulary_sizes[k]
        for j, after in enumerate(model(changed)):
            for s in range(steps):
                moved = (after[:, s] - before[j][:, s]).abs().max() > 1e-6
                assert moved == sees(pattern, j, s, k, t), (k, t, j, s)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(("backbone", "positions"), KINDS[:2] + KINDS[3:])
@torch.inference_mode()
def test_probabilities_of_all_sequences_add_up_to_one(pattern, backbone, positions):
    sizes, steps = (2, 3), 3
    model = make(pattern, backbone, positions, vocabulary_sizes=sizes)
    slots = [range(size) for size in sizes for _ in range(steps)]
    codes = torch.tensor(list(product(*slots))).view(-1, 2, steps)
    assert len(codes) == 216
    total = torch.exp(-model.nats(codes).double().sum((1, 2))).sum()
    assert total.item() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("pattern", PATTERNS)
@torch.inference_mode()
def test_features_are_seen_and_future_ones_are_not(pattern):
    model = make(pattern, feature_sizes=(4, 2))
    codes, features = random_codes(2, 5), torch.zeros(2, 2, 5, dtype=torch.int64)
    changed = features.clone()
    changed[:, 0, 3] = 3
    before, after = model(codes, features), model(codes, changed)
    assert (before[0][:, 3] - after[0][:, 3]).abs().max() > 1e-6
    for k in range(3):
        early = 3 - (k if pattern == "delay" else 0)
        assert torch.equal(before[k][:, :early], after[k][:, :early])
    with pytest.raises(InputError, match=r"\(B, 2, at least 5\)"):
        model(codes)


@torch.inference_mode()
def test_masked_nats_are_zero_and_leave_the_others_alone():
    model, codes = make("depth"), random_codes(2, 4)
    mask = torch.rand(2, 3, 4) > 0.5
    whole, part = model.nats(codes), model.nats(codes, mask=mask)
    assert torch.equal(part[mask], whole[mask])
    assert part[~mask].abs().sum() == 0


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(("backbone", "positions"), KINDS)
def test_every_parameter_learns_and_tiny_is_tiny(pattern, backbone, positions):
    model = make(pattern, backbone, positions, feature_sizes=(4,))
    assert model.num_parameters < 100_000
    model.nats(random_codes(2, 6), torch.ones(2, 1, 6, dtype=torch.int64)).sum().backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not still


def test_configs_travel_as_json_and_wrong_ones_are_refused():
    config = replace(TINY, pattern="delay", feature_sizes=(3,))
    assert LanguageModelConfig.from_dict(config.as_dict()) == config
    with pytest.raises(ConfigError, match="unknown"):
        LanguageModelConfig.from_dict({"vocabulary_sizes": [2], "width": 3})
    with pytest.raises(ConfigError, match="missing"):
        LanguageModelConfig.from_dict({})
    with pytest.raises(ConfigError, match="flat, delay"):
        replace(TINY, pattern="round")
    with pytest.raises(ConfigError, match="multiple of twice"):
        replace(TINY, dim=10, num_heads=4)


def test_too_many_steps_are_refused():
    with pytest.raises(InputError, match="at most 16"):
        make("flat")(random_codes(1, 17))


@pytest.mark.parametrize(("backbone", "positions"), KINDS)
def test_bfloat16_autocast_trains_and_stays_near(backbone, positions):
    model, codes = make("depth", backbone, positions), random_codes(2, 6)
    with torch.autocast("cpu", torch.bfloat16):
        half = model.nats(codes)
    half.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert half.dtype == torch.float32
    assert 0 < (half - model.nats(codes)).abs().max() < 0.2
