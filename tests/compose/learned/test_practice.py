"""Windows to practise on: one part taken out, and attempts at it that are examples like any other."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from test_rewards import song  # noqa: E402
from tiny_composer import tiny_composer  # noqa: E402

from songwright.compose.learned.practice import (  # noqa: E402
    HEARD_WITH,
    WindowSettings,
    attempts,
    draw_window,
    kind_of,
    phrases,
    rewarded_part,
    song_of,
)
from songwright.compose.learned.rewards import KINDS  # noqa: E402
from songwright.compose.tokens.batches import Pieces  # noqa: E402
from songwright.compose.tokens.encode import encode  # noqa: E402
from songwright.compose.tokens.features import features  # noqa: E402
from songwright.compose.tokens.piece import KIND_OF_ROLE, TARGET_KINDS  # noqa: E402
from songwright.compose.tokens.vocabulary import KIND, LENGTH, POSITION, VALUE, Kind  # noqa: E402
from songwright.errors import InputError  # noqa: E402
from songwright.neural.chosen import chosen_nats  # noqa: E402
from songwright.seeding import generator  # noqa: E402

SHORT = WindowSettings(2, 3, 300)


@pytest.fixture(scope="module")
def pieces():
    codes = [encode(song(seed)).codes for seed in range(3)]
    return Pieces(lambda i: codes[i], {"songs": [0, 1, 2]}, {"songs": 1.0}, lambda i: codes[i].shape[1])


@pytest.fixture(scope="module")
def model():
    return tiny_composer()


@pytest.mark.parametrize("kind", KINDS)
def test_one_part_is_taken_out_and_what_it_is_judged_by_is_given(pieces, kind):
    for seed in range(5):
        window = draw_window(pieces, kind, WindowSettings(), generator(seed, kind))
        given = {TARGET_KINDS[KIND_OF_ROLE[c.part.role]] for c in window.parts if not c.is_target}
        assert kind_of(window) == kind
        assert sum(chosen.is_target for chosen in window.parts) == 1
        assert kind not in HEARD_WITH or HEARD_WITH[kind] in given
        assert len(window.bar_steps) >= 8


@pytest.mark.parametrize("kind", ["melody", "harmony", "drums"])
def test_attempts_are_examples_whose_given_parts_are_the_windows(pieces, model, kind):
    window = draw_window(pieces, kind, SHORT, generator(0, kind))
    made = attempts(model, window, [generator(0, kind, k) for k in range(3)])
    assert any(attempt.mask[VALUE].any() for attempt in made)
    for attempt in made:
        others = [c[:, ~(e.targets & (c[KIND] != Kind.TRACK))] for e in (window, attempt) for c in [e.codes]]
        assert np.array_equal(others[0], others[1])
        assert song_of(attempt).duration_ticks == song_of(window).duration_ticks
        assert features(attempt).shape[1] == attempt.num_steps
        events = attempt.mask[VALUE]
        assert (attempt.parts_of[events] == next(i for i, p in enumerate(attempt.parts) if p.is_target)).all()
        assert attempt.mask[LENGTH].any() == (kind != "drums" and events.any())
        assert attempt.mask[KIND].sum() > attempt.mask[POSITION].sum()  # ends are chosen too
        assert not attempt.mask[4:].any()


def test_attempts_follow_from_their_generators(pieces, model):
    window = draw_window(pieces, "melody", SHORT, generator(1))
    one, two = (attempts(model, window, [generator(3, k) for k in range(2)]) for _ in range(2))
    assert all(np.array_equal(a.codes, b.codes) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0].codes, one[1].codes)


def test_the_network_can_be_asked_how_likely_an_attempt_was(pieces, model):
    window = draw_window(pieces, "melody", SHORT, generator(2))
    (attempt,) = attempts(model, window, [generator(4)])
    batch = {
        "codes": torch.tensor(attempt.codes[None], dtype=torch.int64),
        "features": torch.tensor(features(attempt)[None], dtype=torch.int64),
        "mask": torch.tensor(attempt.mask[None]),
    }
    with torch.no_grad():
        found = chosen_nats(model.model, batch)
        whole = model.model.nats(batch["codes"], batch["features"], batch["mask"])
    assert float(found.by_row(1)[0]) == pytest.approx(float(whole.sum()), rel=1e-4)
    assert float(found.events(1)[0]) == attempt.mask.any(axis=0).sum()


def test_real_parts_are_held_to_the_same_numbers(pieces):
    window = draw_window(pieces, "melody", SHORT, generator(5))
    part = rewarded_part(window)
    assert not part.mask[4:].any()
    assert np.array_equal(part.mask[:4], window.mask[:4])


def test_phrases_are_the_same_in_any_key(pieces):
    window = draw_window(pieces, "melody", SHORT, generator(6))
    codes = window.codes.copy()
    codes[VALUE, window.mask[VALUE]] += 3
    assert phrases(window) == phrases(type(window)(**{**vars(window), "codes": codes}))
    assert len(phrases(window)) == window.mask[VALUE].sum() - 4


def test_windows_that_cannot_be_are_told(pieces):
    with pytest.raises(InputError, match="no window of 2 bars with a part 'other'"):
        draw_window(pieces, "other", SHORT, generator(0))
    with pytest.raises(ValueError, match="expected 1 or more, rising"):
        WindowSettings(9, 8)
