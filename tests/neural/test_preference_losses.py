"""Losses of tuning: nothing preferred costs ln 2, gradients go the right way, estimates are right on average."""

import math

import pytest

torch = pytest.importorskip("torch")

from songwright.neural.chosen import chosen_nats  # noqa: E402
from songwright.neural.language_model import TINY, LanguageModelConfig, MultiStreamLM  # noqa: E402
from songwright.neural.preference import (  # noqa: E402
    advantages,
    drift,
    preference_loss,
    preference_margin,
)


@pytest.mark.parametrize("pattern", ["depth", "flat"])
def test_chosen_nats_are_those_of_the_whole(pattern):
    torch.manual_seed(0)
    model = MultiStreamLM(LanguageModelConfig(**{**TINY.as_dict(), "pattern": pattern}))
    codes = torch.stack([torch.randint(0, size, (3, 9)) for size in TINY.vocabulary_sizes], dim=1)
    mask = torch.rand(codes.shape) < 0.4
    mask[1, :, :] = False
    with torch.no_grad():
        found = chosen_nats(model, {"codes": codes, "features": None, "mask": mask})
        whole = model.nats(codes, None, mask)
    torch.testing.assert_close(found.by_row(3), whole.sum((1, 2)))
    assert found.events(3).tolist() == [max(1, int(m.any(0).sum())) for m in mask]
    assert torch.equal(found.wanted.sum(), mask.sum())


def test_nothing_preferred_costs_ln_2_and_the_gradient_parts_the_two():
    chosen, rejected = (torch.tensor([30.0, 40.0], requires_grad=True) for _ in range(2))
    margin = preference_margin(chosen, rejected, torch.tensor([30.0, 40.0]), torch.tensor([30.0, 40.0]))
    loss = preference_loss(margin, 0.1)
    assert loss.tolist() == pytest.approx([math.log(2)] * 2)
    loss.sum().backward()
    assert (chosen.grad > 0).all()  # fewer nats, likelier
    assert (rejected.grad < 0).all()
    assert preference_loss(torch.tensor([50.0]), 0.1) < 0.01
    assert float(preference_loss(torch.tensor([-50.0]), 0.1)) == pytest.approx(5.0, abs=0.01)


def test_advantages_are_against_the_others_of_the_window():
    rewards = torch.tensor([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]])
    found = advantages(rewards, normalise=False)
    assert found[0].tolist() == pytest.approx([1 - 4.0, 2 - 3.5, 6 - 1.5])
    assert found[1].tolist() == [0.0, 0.0, 0.0]
    scaled = [advantages(scale * rewards, normalise=True) for scale in (1.0, 100.0)]
    torch.testing.assert_close(*scaled)
    assert torch.isfinite(advantages(torch.zeros(2, 3), normalise=True)).all()


def test_drift_is_never_below_nothing_and_right_on_average():
    torch.manual_seed(0)
    policy, reference = (torch.randn(6).log_softmax(0) for _ in range(2))
    drawn = torch.multinomial(policy.exp(), 200_000, replacement=True)
    found = drift(-policy[drawn], -reference[drawn])
    assert (found >= 0).all()
    exact = float((policy.exp() * (policy - reference)).sum())
    assert float(found.mean()) == pytest.approx(exact, rel=0.05)
    assert drift(torch.tensor([900.0]), torch.tensor([0.0])).isfinite()
