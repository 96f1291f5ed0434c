import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from songwright.errors import ConfigError  # noqa: E402
from songwright.neural.frame_history import FrameWindow, frame_history, stack, window  # noqa: E402
from songwright.neural.frame_model import TINY, FrameModel, FrameModelConfig, load_frame_model  # noqa: E402


def made(config=TINY, seed=0):
    """A model whose every weight matters, in evaluation mode."""
    torch.manual_seed(seed)
    model = FrameModel(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def roll(length, keys=88, seed=0, density=0.05):
    """A random piece that holds notes and repeats itself."""
    random = np.random.default_rng(seed)
    half = (random.random((length // 2 + 1, keys)) < density).astype(np.uint8)
    half[1::3] = half[: len(half) - 1 : 3]
    return np.concatenate([half, half])[:length]


def test_all_frames_of_a_small_keyboard_sum_to_one():
    model = made(FrameModelConfig(num_keys=6, time_dim=8, key_dim=8, reach=3, below=4))
    past = roll(9, keys=6, seed=3, density=0.4)
    for length in (0, 1, 9):
        pieces = [np.vstack([past[:length], [bits]]).astype(np.uint8) for bits in itertools.product((0, 1), repeat=6)]
        nats = np.array([piece[-1] for piece in model.frame_nats(pieces)])
        assert np.exp(-nats).sum() == pytest.approx(1, abs=1e-5)
        assert np.ptp(nats) > 0.1  # and they differ


def test_independent_keys_are_each_blind_to_their_own_frame():
    config = FrameModelConfig(num_keys=6, time_dim=8, key_dim=8, reach=3, below=4, joint=False)
    frames = roll(8, keys=6, density=0.4)
    other = frames.copy()
    other[-1] = 1 - other[-1]
    batch, changed = (
        {k: torch.from_numpy(v) for k, v in stack([window(frame_history(p), 0, 8)]).items()} for p in (frames, other)
    )
    model = made(config)
    assert torch.equal(model.logits(batch)[0][:, -1], model.logits(changed)[0][:, -1])
    joint = made(FrameModelConfig(num_keys=6, time_dim=8, key_dim=8, reach=3, below=4))
    assert not torch.equal(joint.logits(batch)[0][:, -1], joint.logits(changed)[0][:, -1])


@pytest.mark.parametrize("at", [1, 37, 119])
def test_later_frames_never_change_earlier_ones(at):
    model, piece = made(), roll(120)
    other = piece.copy()
    other[at:] = roll(120, seed=9)[at:]
    before, after = model.frame_nats([piece, other])
    assert np.array_equal(before[:at], after[:at])
    assert not np.array_equal(before[at:], after[at:])


def test_a_key_sees_the_keys_below_and_no_others():
    model, piece = made(), roll(20)
    piece[-1] = 0
    other = piece.copy()
    other[-1, 40] = 1
    batch, changed = (
        {k: torch.from_numpy(v) for k, v in stack([window(frame_history(p), 0, 20)]).items()} for p in (piece, other)
    )
    with torch.no_grad():
        a, b = model.logits(batch)[0][0, -1], model.logits(changed)[0][0, -1]
    assert torch.equal(a[:41], b[:41])
    assert (a[41:] != b[41:]).all()


def test_pieces_are_scored_alike_alone_and_together_whole_and_in_parts(monkeypatch):
    model = made()
    pieces = [roll(n, seed=n) for n in (70, 5, 300, 1)]
    alone = [model.frame_nats([piece])[0] for piece in pieces]
    monkeypatch.setattr("songwright.neural.frame_model.CHUNK_FRAMES", 33)
    for one, other, piece in zip(alone, model.frame_nats(pieces), pieces, strict=True):
        assert one.shape == other.shape == (len(piece),)
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_history_finds_what_followed_a_repeat():
    piece = roll(60, density=0.1)
    history = frame_history(np.concatenate([piece[:20], piece[:20]]))
    assert np.array_equal(history.hints[24:40, :, 0], history.frames[24:40])
    assert (history.scalars[24:40, 1] == 1).all()
    assert not history.hints[:2, :, :3].any()


def test_history_knows_how_long_keys_are_held_and_silent():
    frames = np.zeros((6, 88), np.uint8)
    frames[1:4, 30] = 1
    hints = frame_history(frames).hints[:, 30].astype(np.float64)
    np.testing.assert_allclose(np.expm1(3 * hints[:, 3]), [0, 0, 1, 2, 3, 0], atol=0.02)
    np.testing.assert_allclose(np.expm1(5 * hints[4:, 4]), [0, 1], atol=0.02)


def test_a_transposed_window_is_the_window_of_the_transposed_piece():
    piece = roll(50)
    piece[:, :10] = piece[:, -10:] = 0
    moved = window(frame_history(np.roll(piece, 5, axis=1)), 10, 30)
    shifted = window(frame_history(piece), 10, 30, shift=5)
    for name in FrameWindow.__dataclass_fields__:
        np.testing.assert_allclose(getattr(moved, name), getattr(shifted, name), atol=1e-6, err_msg=name)


def test_weights_come_back_and_every_one_learns():
    model, piece = made(), roll(40)
    again = load_frame_model(
        {"network": model.config.as_dict()}, {name: value.numpy() for name, value in model.state_dict().items()}
    )
    assert np.array_equal(model.frame_nats([piece])[0], again.frame_nats([piece])[0])
    model.train()
    batch = {k: torch.from_numpy(v) for k, v in stack([window(frame_history(piece), 0, 40)]).items()}
    model(batch)[0].sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())
    assert sum(parameter.numel() for parameter in model.parameters()) < 100_000


def test_broken_configs_are_refused():
    with pytest.raises(ConfigError, match="unknown tempo"):
        FrameModelConfig.from_dict({"tempo": 3})
    with pytest.raises(ConfigError, match="dropout"):
        FrameModelConfig(dropout=1.0)
    with pytest.raises(ConfigError, match="time_dim"):
        FrameModelConfig(time_dim=0)
