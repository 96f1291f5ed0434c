"""Bars through a latent and back: torch and numpy say the same, what may be learned is learned, bad shapes are told."""

import numpy as np
import pytest
import torch

from songwright.errors import ConfigError
from songwright.neural.bar_network import BarNetwork, Bars, BarShape, Head, meant, weight_sizes
from songwright.neural.bar_vae import TINY, BarVae, BarVaes, held_back, weight_of

torch.set_num_threads(1)
ROLL = BarShape(
    8, 3, (Head("hit", 4, "yes"), Head("lean", 3, "choice", "hit"), Head("level", 4, "level", "hit")), 6, 8, 16
)


def random_bars(shape, count=5, seed=0):
    """Bars with one number of every choice, some yes, levels where they mean something."""
    random = np.random.default_rng(seed)
    mask = np.arange(shape.cells) < random.integers(shape.cells // 2, shape.cells + 1, size=count)[:, None]
    cells = np.zeros((count, shape.cells, shape.width), np.float32)
    for head in shape.heads:
        span = shape.span(head.name)
        if head.kind == "choice":
            chosen = random.integers(head.size, size=(count, shape.cells))
            cells[..., span] = np.arange(head.size) == chosen[..., None]
        elif head.kind == "yes":
            cells[..., span] = random.random((count, shape.cells, head.size)) < 0.3
        else:
            cells[..., span] = random.random((count, shape.cells, head.size))
    condition = (random.random((count, shape.cells, shape.condition)) < 0.4).astype(np.float32)
    return Bars(cells * mask[..., None], condition * mask[..., None], mask)


def both(shape, seed=0):
    torch.manual_seed(seed)
    vae = BarVae(shape).eval()
    return vae, BarNetwork(shape, {name: weight.detach().numpy() for name, weight in vae.state_dict().items()})


def tensors(bars):
    return [torch.from_numpy(array) for array in (bars.cells, bars.condition, bars.mask)]


@pytest.mark.parametrize("shape", [TINY, ROLL], ids=["line", "roll"])
def test_numpy_says_what_torch_says(shape):
    vae, network = both(shape)
    bars = random_bars(shape)
    cells, condition, mask = tensors(bars)
    with torch.no_grad():
        middle, _ = vae.encode(cells, condition, mask)
        said = vae.decode(middle, condition, mask)
    latents = network.encode(bars)
    np.testing.assert_allclose(latents, middle.numpy(), atol=2e-6)
    found = network.decode(latents, bars.condition, bars.mask)
    for head in shape.heads:
        np.testing.assert_allclose(found[head.name], said[..., shape.span(head.name)].numpy(), atol=5e-6)


def test_cells_past_the_end_of_a_bar_change_nothing():
    _, network = both(TINY)
    bars = random_bars(TINY)
    dirty = Bars(bars.cells + ~bars.mask[..., None], bars.condition + ~bars.mask[..., None], bars.mask)
    np.testing.assert_array_equal(network.encode(bars), network.encode(dirty))
    vae, _ = both(TINY)
    assert torch.equal(vae(*tensors(bars)).nats, vae(*tensors(dirty)).nats)


def test_levels_cost_only_where_something_begins():
    vae, _ = both(ROLL)
    bars = random_bars(ROLL)
    cells, condition, mask = tensors(bars)
    other = cells.clone()
    level = other[..., ROLL.span("level")]
    level += (cells[..., ROLL.span("hit")] == 0) * 0.5
    said = vae.decode(vae.encode(cells, condition, mask)[0], condition, mask)
    assert torch.equal(vae._cell_nats(said, cells), vae._cell_nats(said, other))
    assert not torch.equal(vae._cell_nats(said, cells), vae._cell_nats(said + 0.5, cells))


def test_meaning_of_a_choice_of_notes():
    cells = np.zeros((1, 3, TINY.width), np.float32)
    cells[0, [0, 1, 2], [0, 1, 5]] = 1  # hold, rest, a note
    assert meant(TINY, TINY.head("lean"), cells)[0, :, 0].tolist() == [0, 0, 1]


def test_a_few_bars_are_learned_by_heart():
    torch.manual_seed(1)
    vae, bars = BarVae(TINY), random_bars(TINY, 4)
    batch = tensors(bars)
    optimiser = torch.optim.Adam(vae.parameters(), 0.01)
    before = vae(*batch).nats.mean().item()
    for _ in range(100):
        loss = vae(*batch)
        optimiser.zero_grad()
        (loss.nats.mean() + 0.01 * loss.divergence.sum(1).mean()).backward()
        optimiser.step()
    assert vae(*batch).nats.mean().item() < 0.2 * before
    right = vae.decode(vae.encode(*batch)[0], *batch[1:])[..., :38].argmax(-1)[batch[2]]
    assert float((right == batch[0][..., :38].argmax(-1)[batch[2]]).float().mean()) > 0.9


def test_noise_moves_what_is_said_and_divergence_is_never_negative():
    vae, bars = both(TINY)[0], random_bars(TINY)
    calm, moved = vae(*tensors(bars)), vae(*tensors(bars), torch.ones(5, TINY.latent_dim))
    assert not torch.equal(calm.nats, moved.nats)
    assert torch.equal(calm.divergence, moved.divergence) and float(calm.divergence.detach().min()) >= 0


def test_free_nats_and_the_growing_weight():
    divergence = torch.tensor([[0.0, 1.0], [0.0, 3.0]])
    assert held_back(divergence, 0.5).item() == pytest.approx(2.5)
    weights = [weight_of(step, 10, 0.2) for step in range(12)]
    assert weights[0] == 0 and weights[10] == weights[11] == 0.2 and weights == sorted(weights)
    assert weight_of(0, 0, 0.2) == 0.2


def test_several_kinds_are_separate():
    torch.manual_seed(0)
    model, bars = BarVaes({"a": TINY, "b": ROLL}), random_bars(ROLL)
    names = ("cells", "condition", "mask")
    model.loss("b", {f"b.{n}": t for n, t in zip(names, tensors(bars), strict=True)}).nats.sum().backward()
    grads = {name: weight.grad is not None for name, weight in model.named_parameters()}
    assert any(has for name, has in grads.items() if name.startswith("kinds.b."))
    assert not any(has for name, has in grads.items() if name.startswith("kinds.a."))


def test_shapes_go_through_json_and_bad_ones_are_told():
    assert BarShape.from_dict(ROLL.as_dict()) == ROLL
    with pytest.raises(ConfigError, match="not the shape"):
        BarShape.from_dict({"cells": 4})
    with pytest.raises(ConfigError, match="latent_dim"):
        BarShape(4, 1, ROLL.heads, latent_dim=0)
    with pytest.raises(ConfigError, match="does not stand before"):
        BarShape(4, 1, (Head("a", 2, "choice", "b"), Head("b", 2, "yes")))
    weights = {name: np.zeros(size, np.float32) for name, size in weight_sizes(ROLL).items()}
    with pytest.raises(ConfigError, match=r"'near\.bias'"):
        BarNetwork(ROLL, {**weights, "near.bias": np.zeros(3, np.float32)})


def test_the_tiny_shape_is_tiny():
    assert sum(int(np.prod(size)) for size in weight_sizes(TINY).values()) < 100_000
