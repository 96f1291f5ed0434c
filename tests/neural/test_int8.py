"""Products with int8 weights are exact: only the weights are rounded."""

import pytest

torch = pytest.importorskip("torch")

from tiny_models import make, random_codes  # noqa: E402

from songwright.neural.int8 import Int8Linear, has_exact_products, quantise, with_int8_weights  # noqa: E402


@pytest.mark.parametrize("exact", [True, False])
@torch.inference_mode()
def test_activations_keep_their_precision(exact):
    random = torch.Generator().manual_seed(0)
    weight, scale = quantise(torch.randn(48, 640, generator=random))
    x = torch.randn(2, 5, 640, generator=random) * torch.logspace(-6, 4, 5)[:, None]
    x[0, 0] = 0
    layer = Int8Linear(weight, scale)
    if not exact:
        layer.packed = None
    elif not has_exact_products():
        pytest.skip("this processor's byte products saturate")
    expected = x.double() @ (weight.double() * scale.double()[:, None]).T
    assert ((layer(x) - expected).abs() <= 3e-7 * 640 * x.abs().amax(-1, keepdim=True) * scale.max() * 127).all()
    error = (layer(x)[1] - expected[1]).abs().amax(-1) / expected[1].abs().amax(-1)
    assert error.max() < 3e-6


def test_rows_are_rounded_to_half_a_step():
    matrix = torch.randn(7, 9)
    weight, scale = quantise(matrix)
    assert (weight.abs().amax(1) == 127).all()
    assert ((weight * scale[:, None] - matrix).abs() <= scale[:, None] * 0.5001).all()


@torch.inference_mode()
def test_a_whole_network_stays_near_itself():
    codes = random_codes(2, 6)
    before = make("depth").nats(codes)
    after = with_int8_weights(make("depth")).nats(codes)
    assert 0 < (after - before).abs().max() < 0.3
