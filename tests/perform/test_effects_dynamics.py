import numpy as np
import pytest

from songwright.perform.effects.control import apply_gain, num_points
from songwright.perform.effects.dynamics import compressor, gate, limiter, static_gain_db, transient

RATE = 44100


def tone(level_db, seconds=0.5, hz=1000):
    time = np.arange(int(seconds * RATE)) / RATE
    return np.repeat(10 ** (level_db / 20) * np.sin(2 * np.pi * hz * time)[None], 2, axis=0).astype(np.float32)


def level_db(wave):
    return 20 * np.log10(np.abs(wave).max())


@pytest.mark.parametrize("level", [-40.0, -24.0, -18.0, -12.0, -6.0, 0.0])
def test_the_compressor_follows_its_static_curve(level):
    result = compressor(tone(level, 1.0), RATE, threshold_db=-18.0, ratio=4.0, attack_ms=5.0, release_ms=50.0)
    over = level + 18.0
    expected = 0.0 if over < -3 else -0.75 * (over + 3) ** 2 / 12 if over <= 3 else -0.75 * over
    assert static_gain_db(np.array([level]), -18.0, 4.0)[0] == pytest.approx(expected, abs=1e-9)
    assert level_db(result[:, RATE // 2 :]) - level == pytest.approx(expected, abs=0.15)


def test_attack_and_release_take_their_time():
    wave = np.concatenate([tone(-40, 0.5), tone(-6, 0.5), tone(-40, 0.5)], axis=1)
    gain = np.abs(compressor(wave, RATE, threshold_db=-20.0, ratio=10.0, attack_ms=20.0, release_ms=100.0))
    steady = level_db(gain[:, RATE - 2000 : RATE])
    start = RATE // 2
    after_one = level_db(gain[:, start + int(0.018 * RATE) : start + int(0.022 * RATE)])
    assert after_one == pytest.approx(steady + (-6 - steady) * np.exp(-1), abs=1.0)
    assert level_db(gain[:, RATE + 400 : RATE + 900]) < -46
    assert level_db(gain[:, -4000:]) == pytest.approx(-40, abs=0.3)


def test_makeup_and_parallel_mix():
    wave = tone(-10)
    assert np.allclose(compressor(wave, RATE, ratio=1.0, makeup_db=6.0206), 2 * wave, atol=1e-4)
    assert np.allclose(compressor(wave, RATE, mix=0.0), wave, atol=1e-6)


def test_the_gate_lets_onsets_through_and_closes():
    wave = np.concatenate([tone(-70, 0.5), tone(-10, 0.5), tone(-70, 1.0)], axis=1)
    result = gate(wave, RATE, threshold_db=-50.0, release_ms=40.0)
    assert np.abs(result[:, 4000:20000]).max() < 1e-5
    middle = slice(RATE // 2 + 100, RATE)
    assert np.allclose(result[:, middle], wave[:, middle], atol=0.02)
    assert np.abs(result[:, -4000:]).max() < 1e-5


def test_transients_grow_and_tails_do_not():
    time = np.arange(RATE) / RATE
    hit = np.repeat((np.exp(-time * 12) * np.sin(2 * np.pi * 200 * time))[None], 2, axis=0).astype(np.float32)
    hits = np.concatenate([hit * 0.0, hit, hit], axis=1)
    sharp = transient(hits, RATE, attack_db=6.0, sustain_db=0.0)
    assert np.abs(sharp[:, 2 * RATE : 2 * RATE + 400]).max() > 1.3 * np.abs(hits[:, 2 * RATE : 2 * RATE + 400]).max()
    dry = transient(hits, RATE, attack_db=0.0, sustain_db=-12.0)
    tail = slice(2 * RATE + 9000, 2 * RATE + 18000)
    assert np.abs(dry[:, tail]).max() < 0.8 * np.abs(hits[:, tail]).max()


def test_the_limiter_holds_its_ceiling_and_leaves_the_rest_alone():
    random = np.random.default_rng(2)
    wave = (0.2 * random.standard_normal((2, RATE * 3))).astype(np.float32)
    wave[:, RATE] = 2.0
    result = limiter(wave, RATE, ceiling_db=-3.0)
    assert np.abs(result).max() <= 10 ** (-3 / 20) + 1e-6
    far = slice(0, RATE // 2)
    quiet = np.abs(wave[:, far]).max() <= 10 ** (-3 / 20)
    assert not quiet or np.allclose(result[:, far], wave[:, far])
    low = 0.1 * wave
    assert limiter(low, RATE, ceiling_db=-3.0) is low


def test_control_curves_are_straight_lines_over_any_length():
    for length in (1, 31, 32, 33, 70_000):
        wave = np.ones((2, length), np.float32)
        curve = np.arange(num_points(length), dtype=float)
        assert np.allclose(apply_gain(wave, curve), np.arange(length) / 32, rtol=1e-5, atol=1e-4)
