import dataclasses
import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from songwright.errors import InputError  # noqa: E402
from songwright.neural.chorale_features import NUM_CODES, codes_of, features_of, histories_of, transposed  # noqa: E402
from songwright.neural.chorale_head import TINY, ByteDropout  # noqa: E402
from songwright.neural.chorale_memory import NOTHING, ChoraleMemory  # noqa: E402
from songwright.neural.chorale_mixture import ChoraleMixture, Reading, load_chorale_model  # noqa: E402
from songwright.neural.chorale_model import ORDERS, ChoraleModel, frame_tensors  # noqa: E402

MELODY = [67, 67, 69, 71, 72, 71, 69, 67, 66, 67, 69, 67]


def chorale(melody=MELODY, seed=0, transpose=0):
    random = np.random.default_rng(seed)
    beats = np.array([[note, note - 4, note - 9, 48 + random.integers(8)] for note in melody]) + transpose
    frames = np.repeat(beats, 4, axis=0)
    frames[2::8, 1] += 1
    return frames


def trained_a_little(pieces, seed=0):
    torch.manual_seed(seed)
    remembered = [codes_of(piece) for piece in pieces]
    model = ChoraleModel(
        dataclasses.replace(TINY, histories=True),
        torch.from_numpy(np.concatenate(remembered)),
        torch.tensor([len(piece) for piece in remembered]),
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture(scope="module")
def model():
    return trained_a_little([chorale(seed=1), chorale([*reversed(MELODY)], seed=2)])


def batch_of(model, piece):
    codes = codes_of(piece)
    features = features_of(codes)
    batch = frame_tensors(features, model.memory().recall(codes))
    num = len(codes)
    return {**batch, "beat_ids": torch.from_numpy(features.beat_ids)[None], "beat": torch.arange(num) // 4}


def test_tiny_is_tiny(model):
    assert sum(parameter.numel() for parameter in model.parameters()) < 100_000


def test_a_later_frame_never_changes_an_earlier_one(model):
    piece = chorale(seed=3)
    before = model.frame_nats([piece])[0]
    for frame in (0, 5, 16, 30):
        other = piece.copy()
        other[frame:] = np.clip(other[frame:] + 5, 36, 81)
        after = model.frame_nats([other])[0]
        np.testing.assert_allclose(after[:frame], before[:frame], atol=1e-5)
        assert abs(after[frame] - before[frame]) > 1e-4


def test_what_comes_after_the_end_does_not_matter(model):
    piece = chorale(seed=3)
    whole = model.frame_nats([piece])[0]
    for length in (1, 6, 20):
        np.testing.assert_allclose(model.frame_nats([piece[:length]])[0], whole[:length], atol=1e-5)


def test_probabilities_of_a_voice_sum_to_one_in_every_order(model):
    batch = batch_of(model, chorale(seed=3)[:18])
    beat_ids = batch.pop("beat_ids")
    rows = {name: tensor[17:].repeat(NUM_CODES, *[1] * (tensor.ndim - 1)) for name, tensor in batch.items()}
    for order in ((0, 1, 2, 3), (3, 1, 0, 2)):
        rank = torch.tensor(np.argsort(order)).expand(NUM_CODES, 4)
        for voice in range(4):
            codes = rows["codes"].clone()
            codes[:, voice] = torch.arange(NUM_CODES)
            with torch.no_grad():
                nats = model({**rows, "codes": codes, "rank": rank, "beat_ids": beat_ids})
            assert float(torch.exp(-nats[:, voice]).sum()) == pytest.approx(1.0, abs=1e-4)


def test_a_voice_sees_only_those_before_it_in_the_order(model):
    batch = batch_of(model, chorale(seed=3))
    order = (2, 0, 3, 1)
    rank = torch.tensor(np.argsort(order)).expand(len(batch["codes"]), 4)
    with torch.no_grad():
        before = model({**batch, "rank": rank})
        for place, changed in enumerate(order):
            codes = batch["codes"].clone()
            codes[:, changed] += 2
            after = model({**batch, "codes": codes, "rank": rank})
            for earlier in order[:place]:
                assert torch.equal(before[:, earlier], after[:, earlier])
            for later in order[place + 1 :]:
                assert not torch.equal(before[:, later], after[:, later])


def test_orders_are_mixed_as_probabilities(model):
    codes = codes_of(chorale(seed=3))
    features, recall = features_of(codes), model.memory().recall(codes)
    single = np.stack([model.nats_of(features, recall, [order]) for order in ORDERS])
    assert len(ORDERS) == 24 and np.ptp(single, axis=0).max() > 1e-3
    np.testing.assert_allclose(model.nats_of(features, recall), -np.log(np.exp(-single).mean(axis=0)), atol=1e-9)


def test_memory_finds_the_same_melody_in_another_key_and_never_the_future():
    here, there = codes_of(chorale(seed=1)), codes_of(chorale(seed=2, transpose=3))
    recall = ChoraleMemory([there], places=2).recall(here)
    assert (recall.codes[:4] == NOTHING).all()
    assert (recall.codes[4:, 0] == transposed(there, -3)[4:]).all()
    assert recall.length[-1, 0] == len(MELODY) - 1
    alone = ChoraleMemory([here], places=2).recall(here, without=0)
    assert (alone.codes[:8] == NOTHING).all()
    ending = here.copy()
    ending[24:] += 1
    again = ChoraleMemory([here], places=2).recall(ending, without=0)
    for name in ("codes", "before", "length", "agreement", "phase"):
        assert (getattr(again, name)[:28] == getattr(alone, name)[:28]).all()


def test_features_do_not_know_the_frame_itself():
    codes = codes_of(chorale(seed=1))
    features = features_of(codes)
    for frame, voice in itertools.product((0, 3, 8, 21), range(4)):
        other = codes.copy()
        other[frame:, voice] = 0
        again = features_of(other)
        assert (again.frame_ids[: frame + 1] == features.frame_ids[: frame + 1]).all()
        assert (again.beat_ids[: frame // 4 + 1] == features.beat_ids[: frame // 4 + 1]).all()


def test_histories_are_shares_of_the_past():
    codes = codes_of(chorale(seed=1))
    shares = np.exp(histories_of(codes))
    np.testing.assert_allclose(shares[:, :, 1:13, :3].sum(axis=2), 1, atol=1e-5)  # twelve pitch classes
    np.testing.assert_allclose(shares[:, :, :, 3:].sum(axis=2), 1, atol=1e-5)  # all codes of a voice
    assert (shares[:, :, 0, :3] == 1).all() and np.ptp(shares[0, :, 1:]) < 0.1
    other = codes.copy()
    other[20:] = 1
    again = np.exp(histories_of(other))
    assert (again[:21] == shares[:21]).all() and (again[21] != shares[21]).any()


def test_rests_and_a_piece_that_ends_within_a_beat(model):
    piece = chorale()[:11]
    piece[3:7, 2] = -1
    nats = model.frame_nats([piece])[0]
    assert nats.shape == (11,) and np.isfinite(nats).all() and (nats > 0).all()


def test_a_pitch_out_of_range_is_named(model):
    piece = chorale()
    piece[2, 3] = 20
    with pytest.raises(InputError, match="33 to 84, got 20"):
        model.frame_nats([piece])


def test_without_a_memory():
    config = dataclasses.replace(TINY, places=0)
    model = ChoraleModel(config, torch.zeros(0, 4), torch.zeros(0)).eval()
    assert np.isfinite(model.frame_nats([chorale()])[0]).all()


def test_saved_and_loaded_scores_the_same(model):
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    again = load_chorale_model({"network": dataclasses.asdict(model.config)}, tensors)
    np.testing.assert_array_equal(again.frame_nats([chorale()])[0], model.frame_nats([chorale()])[0])


@pytest.fixture(scope="module")
def mixture(model):
    other = trained_a_little([chorale(seed=1), chorale([*reversed(MELODY)], seed=2)], seed=5)
    return ChoraleMixture([model, other], model.memory_codes, model.memory_lengths)


def reading(mixture, **settings):
    return ChoraleMixture(mixture.networks(), mixture.memory_codes, mixture.memory_lengths, Reading(**settings))


def test_a_mixture_is_the_mean_of_its_members(mixture):
    piece = chorale(seed=3)
    two = reading(mixture, places=2)
    parts = [network.frame_nats([piece])[0] for network in two.networks()]
    np.testing.assert_allclose(two.frame_nats([piece])[0], -np.log(np.exp(-np.stack(parts)).mean(axis=0)), atol=1e-5)


def test_a_mixture_is_loaded_as_it_was_saved(model):
    nothing = torch.zeros(0, 4), torch.zeros(0)
    members = [ChoraleModel(TINY, *nothing) for _ in range(2)]
    how = {"places": 3, "agreement_weight": 20.0, "rate": 1e-3, "damping": 1e-2}
    mixture = ChoraleMixture(members, model.memory_codes, model.memory_lengths, Reading(**how)).eval()
    tensors = {name: tensor.numpy() for name, tensor in mixture.state_dict().items()}
    network = dataclasses.asdict(TINY)
    again = load_chorale_model({"members": [network, network], "reading": how}, tensors)
    assert isinstance(again, ChoraleMixture) and again.reading == mixture.reading
    np.testing.assert_array_equal(again.frame_nats([chorale()])[0], mixture.frame_nats([chorale()])[0])


def test_agreement_of_the_lower_voices_chooses_places():
    here = codes_of(chorale(seed=1))
    same, longer = codes_of(chorale(seed=1))[24:], codes_of(chorale(seed=2))
    first = [ChoraleMemory([longer, same], 1, weight).recall(here).codes[36, 0] for weight in (0.0, 50.0)]
    assert not (first[0] == here[36]).all() and (first[1] == here[36]).all()


def test_the_key_chooses_places():
    step = np.array([0, 0, 2, 2, 4, 4, 2, 2, 0, 0])  # one melody over a sharpened and over a natural fourth
    sharp, natural = (
        codes_of(np.repeat(np.stack([60 + step, 55 + 0 * step, third + 0 * step, 36 + step], 1), 4, axis=0))
        for third in (54, 53)
    )
    for here, moved in ((sharp, 0), (natural, 0), (transposed(sharp, 3), 3), (transposed(natural, -2), -2)):
        memory = ChoraleMemory([sharp, natural], places=1, agreement_weight=0.0, key_weight=50.0)
        other = here.copy()
        other[36:] = 0
        recall = memory.recall(other, without=None)
        expected = sharp if (here == transposed(sharp, moved)).all() else natural
        assert (recall.codes[36, 0] == transposed(expected, moved)[36]).all()
        again = memory.recall(here)
        assert all((getattr(again, n)[:37] == getattr(recall, n)[:37]).all() for n in ("codes", "length"))


def test_byte_dropout_keeps_the_mean():
    torch.manual_seed(0)
    dropout, x = ByteDropout(0.25), torch.ones(40_001)
    y = dropout(x)
    assert abs(float(y.mean()) - 1) < 0.02 and abs(float((y == 0).float().mean()) - 0.25) < 0.02
    assert torch.equal(dropout.eval()(x), x)
