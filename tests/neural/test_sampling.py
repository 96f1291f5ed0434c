"""Draws follow the stated distribution; masks, truncation, penalty and guidance are their formulas."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from songwright.errors import ConfigError, InputError
from songwright.neural.sampling import SamplingSettings, log_softmax, sample
from songwright.seeding import generator

ROWS = 20_000
LOGITS = np.array([0.5, 2.0, -1.0, 1.0, 0.5], dtype=np.float32)
CHANCES = np.exp(log_softmax(LOGITS))


def shares(settings, **options):
    many = {name: np.repeat(np.array(value)[None], ROWS, 0) for name, value in options.items()}
    drawn = sample(np.repeat(LOGITS[None], ROWS, 0), settings, generator(0), **many)
    return np.bincount(drawn.tokens, minlength=5) / ROWS, drawn


def same(left, right):
    return np.abs(left - right).max() < 0.012  # over three standard deviations


def test_draws_follow_the_network():
    drawn, result = shares(SamplingSettings())
    assert same(drawn, CHANCES)
    np.testing.assert_allclose(result.log_probabilities, np.log(CHANCES)[result.tokens])


def test_temperature_sharpens():
    drawn, result = shares(SamplingSettings(temperature=0.5))
    assert same(drawn, CHANCES**2 / (CHANCES**2).sum())
    np.testing.assert_allclose(result.log_probabilities, np.log(CHANCES)[result.tokens])


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        (SamplingSettings(top_k=2), [1, 3]),
        (SamplingSettings(top_k=3), [0, 1, 3]),  # of two equals the lower id
        (SamplingSettings(top_p=0.5), [1]),
        (SamplingSettings(top_p=0.6), [1, 3]),
        (SamplingSettings(min_p=0.3), [1, 3]),
        (SamplingSettings(min_p=0.2), [0, 1, 3, 4]),
    ],
)
def test_truncation_keeps_the_likeliest(settings, kept):
    expected = np.where(np.isin(np.arange(5), kept), CHANCES, 0)
    assert same(shares(settings)[0], expected / expected.sum())


def test_masks_rule_and_the_probability_is_among_what_is_allowed():
    allowed = [True, False, True, True, False]
    expected = np.where(allowed, CHANCES, 0) / CHANCES[allowed].sum()
    drawn, result = shares(SamplingSettings(), allowed=allowed)
    assert same(drawn, expected)
    np.testing.assert_allclose(result.log_probabilities, np.log(expected[result.tokens]))


def test_repetition_divides_odds_once_and_ignores_gaps():
    expected = CHANCES * [1, 0.25, 1, 0.25, 1]
    drawn, _ = shares(SamplingSettings(repetition_penalty=4, repetition_window=4), history=[0, 1, 3, 1, -1])
    assert same(drawn, expected / expected.sum())


def test_guidance_is_the_formula_and_leaves_the_stated_probability():
    other = np.array([1.0, 1.0, 0.0, 2.0, 0.0], dtype=np.float32)
    drawn, result = shares(SamplingSettings(guidance_scale=2.0), unconditional=other)
    assert same(drawn, np.exp(log_softmax(2 * LOGITS - other)))
    np.testing.assert_allclose(result.log_probabilities, np.log(CHANCES)[result.tokens])


def test_temperature_zero_takes_the_lowest_of_equals_and_draws_nothing():
    random = generator(0)
    logits = np.array([[1, 2, 2, 0], [3, 0, 3, 3]], dtype=np.float32)
    assert sample(logits, SamplingSettings(temperature=0), random).tokens.tolist() == [1, 0]
    assert random.random() == generator(0).random()


def test_one_generator_a_row():
    logits = np.repeat(LOGITS[None], 3, 0)
    together = sample(logits, SamplingSettings(), [generator(0, row) for row in range(3)])
    alone = [sample(logits[:1], SamplingSettings(), [generator(0, row)]).tokens[0] for row in range(3)]
    assert together.tokens.tolist() == alone


@pytest.mark.parametrize("settings", [SamplingSettings(0), SamplingSettings(0.8), SamplingSettings(0.8, top_p=0.9)])
def test_few_allowed_columns_are_drawn_as_among_all(settings):
    settings = replace(settings, repetition_penalty=3.0, guidance_scale=1.5)
    logits = np.random.default_rng(0).standard_normal((2, 50, 40)).astype(np.float32)
    allowed = np.zeros((50, 40), dtype=bool)
    allowed[:, [3, 8, 21, 39]] = True
    history = np.random.default_rng(1).integers(-1, 40, (50, 9))
    few = sample(logits[0], settings, generator(0), allowed=allowed, history=history, unconditional=logits[1])
    far = [np.where(allowed, one, -1e4).astype(np.float32) for one in logits]
    every = sample(far[0], settings, generator(0), history=history, unconditional=far[1])
    assert np.array_equal(few.tokens, every.tokens)
    np.testing.assert_allclose(few.log_probabilities, every.log_probabilities)


@given(st.integers(0, 10**6), st.floats(0.05, 3), st.integers(0, 6), st.floats(0.05, 1), st.floats(0, 1))
def test_only_allowed_tokens_come_whatever_the_settings(seed, temperature, top_k, top_p, min_p):
    random = np.random.default_rng(seed)
    logits = (random.standard_normal((4, 6)) * 20).astype(np.float32)
    allowed = random.random((4, 6)) < 0.4
    allowed[:, seed % 6] = True
    settings = SamplingSettings(temperature, top_k, top_p, min_p, 1.3)
    drawn = sample(logits, settings, random, allowed=allowed, history=random.integers(-1, 6, (4, 5)))
    assert allowed[np.arange(4), drawn.tokens].all()
    assert (drawn.log_probabilities <= 0).all()


def test_what_cannot_be_sampled_is_refused():
    with pytest.raises(InputError, match="row 1"):
        sample(
            np.zeros((2, 3), np.float32), SamplingSettings(), generator(0), allowed=np.array([[1, 0, 0], [0, 0, 0]]) > 0
        )
    with pytest.raises(InputError, match="finite"):
        sample(np.array([[0, np.nan]], np.float32), SamplingSettings(), generator(0))
    with pytest.raises(ConfigError, match="top_p"):
        SamplingSettings(top_p=0)
    with pytest.raises(ConfigError, match="temperature"):
        SamplingSettings(temperature=-1)
