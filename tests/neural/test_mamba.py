"""The chunked form of the state space is its recurrence, forwards and backwards, in one piece and in several."""

import pytest

torch = pytest.importorskip("torch")

from songwright.neural.mamba import Mamba, ScanInputs, chunked_scan, sequential_scan  # noqa: E402


def inputs(steps, seed=0, **options):
    random = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(shape, generator=random, **options)  # noqa: E731
    return ScanInputs(-draw(2, steps, 3).abs(), draw(2, steps, 3, 4), draw(2, steps, 5), draw(2, steps, 5)), draw(
        2, 3, 4, 5
    )


@pytest.mark.parametrize("steps", [1, 7, 8, 21])
@pytest.mark.parametrize("chunk", [1, 4, 8, 64])
def test_chunked_equals_sequential(steps, chunk):
    given, state = inputs(steps)
    expected, expected_state = sequential_scan(given, state)
    outputs, after = chunked_scan(given, state, chunk)
    torch.testing.assert_close(outputs, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(after, expected_state, atol=1e-5, rtol=1e-5)


def test_gradients_are_equal_too_and_finite_under_strong_decay():
    given, state = inputs(12, requires_grad=True)
    strong = ScanInputs(given.log_decay * 100, given.values, given.write, given.read)
    grads = []
    for scan in (sequential_scan, lambda i, s: chunked_scan(i, s, 4)):
        outputs, _ = scan(strong, state)
        grads.append(torch.autograd.grad(outputs.square().sum(), [given.values, given.write, given.read, state]))
    for one, other in zip(*grads, strict=True):
        assert one.isfinite().all()
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@torch.inference_mode()
def test_pieces_equal_the_whole():
    torch.manual_seed(0)
    network, x = Mamba(16, 2, 4, 8).eval(), torch.randn(2, 80, 16)
    state, pieces = network.new_state(2, 80), []
    for low, high in ((0, 1), (1, 2), (2, 70), (70, 71), (71, 80)):
        pieces.append(network.step(x[:, low:high], state, low))
    torch.testing.assert_close(torch.cat(pieces, 1), network(x), atol=1e-5, rtol=1e-5)
