import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from songwright.neural.chorale_adaptation import adapted_log_probabilities, mean_squares  # noqa: E402
from songwright.neural.chorale_features import codes_of, features_of  # noqa: E402
from songwright.neural.chorale_head import TINY  # noqa: E402
from songwright.neural.chorale_mixture import ChoraleMixture, Reading  # noqa: E402
from songwright.neural.chorale_model import ChoraleModel, mixed_nats  # noqa: E402

RATE, DAMPING = 0.02, 0.02


def chorale(seed, beats=10):
    random = np.random.default_rng(seed)
    chords = random.integers(0, 4, (beats, 4)) + np.array([66, 60, 54, 44])
    return np.repeat(chords, 4, axis=0)


@pytest.fixture(scope="module")
def network():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    remembered = [codes_of(chorale(seed)) for seed in range(4)]
    lengths = torch.tensor([len(piece) for piece in remembered])
    config = dataclasses.replace(TINY, histories=True)
    model = ChoraleModel(config, torch.from_numpy(np.concatenate(remembered)), lengths)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture(scope="module")
def squares(network):
    return mean_squares(network, network.memory())


def adapted(network, squares, piece, rate=RATE):
    codes = codes_of(piece)
    return adapted_log_probabilities(
        network, squares, features_of(codes), network.memory().recall(codes), rate, DAMPING
    )


def test_mean_squares_belong_to_the_weights(network, squares):
    parameters = list(network.parameters())
    assert [s.shape for s in squares] == [p.shape for p in parameters]
    assert all(torch.isfinite(s).all() and (s >= 0).all() for s in squares) and max(s.max() for s in squares) > 0
    assert all(parameter.grad is None for parameter in parameters)


def test_without_a_rate_nothing_is_learned(network, squares):
    piece = chorale(9)
    codes = codes_of(piece)
    plain = network.log_probabilities(features_of(codes), network.memory().recall(codes))
    np.testing.assert_allclose(adapted(network, squares, piece, rate=0.0), plain, atol=1e-4)


def test_a_piece_that_repeats_is_learned(network, squares):
    piece = np.tile(chorale(9, beats=2), (10, 1))
    codes = codes_of(piece)
    plain = mixed_nats(network.log_probabilities(features_of(codes), network.memory().recall(codes)))
    learned = mixed_nats(adapted(network, squares, piece))
    assert abs(learned[:4] - plain[:4]).max() < 1e-4
    assert learned[40:].mean() < plain[40:].mean() - 0.3


def test_a_later_frame_never_changes_an_earlier_one(network, squares):
    piece = chorale(9)
    before = adapted(network, squares, piece)
    for frame in (3, 4, 18):
        other = piece.copy()
        other[frame:] += 5
        after = adapted(network, squares, other)
        np.testing.assert_allclose(after[:, :frame], before[:, :frame], atol=1e-4)
        assert np.abs(after[:, frame] - before[:, frame]).max() > 1e-3
        np.testing.assert_allclose(adapted(network, squares, piece[:frame]), before[:, :frame], atol=1e-4)


def test_the_network_is_afterwards_what_it_was(network, squares):
    kept = [parameter.detach().clone() for parameter in network.parameters()]
    first = adapted(network, squares, chorale(9))
    adapted(network, squares, chorale(10))
    assert all(torch.equal(a, b) for a, b in zip(kept, network.parameters(), strict=True))
    np.testing.assert_array_equal(adapted(network, squares, chorale(9)), first)


def test_a_mixture_mixes_the_kept_and_the_learning(network):
    pieces = [chorale(9), chorale(10)[:39]]
    mixture = ChoraleMixture(
        [network], network.memory_codes, network.memory_lengths, Reading(places=2, rate=RATE, damping=DAMPING)
    )
    squares = mean_squares(network, mixture.memory())
    for piece, nats in zip(pieces, mixture.frame_nats(pieces), strict=True):
        codes = codes_of(piece)
        recall = mixture.memory().recall(codes)
        plain = network.log_probabilities(features_of(codes), recall)
        learned = adapted_log_probabilities(network, squares, features_of(codes), recall, RATE, DAMPING)
        mean = np.concatenate([np.exp(plain), np.exp(learned)]).mean(axis=0)
        np.testing.assert_allclose(np.exp(-nats), mean, rtol=1e-6)
