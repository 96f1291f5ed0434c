import numpy as np
import pyloudnorm
import pytest

from songwright.audio import loudness
from songwright.audio.frames import frame_products


def test_the_filters_are_those_of_the_standard_at_48_khz():
    shelf, high_pass = loudness.k_weighting(48000)
    assert shelf == pytest.approx(
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585], abs=1e-6
    )
    assert high_pass == pytest.approx([1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621], abs=1e-6)


def test_a_full_scale_tone_of_997_hz_is_minus_3_lufs_on_one_side():
    time = np.arange(48000 * 3) / 48000
    wave = np.zeros((2, len(time)))
    wave[0] = np.sin(2 * np.pi * 997 * time)
    assert loudness.integrated_lufs(wave, 48000) == pytest.approx(-3.01, abs=0.02)


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("kind", ["noise", "gaps", "low", "quiet"])
def test_loudness_agrees_with_pyloudnorm(kind, rate):
    random = np.random.default_rng(3)
    wave = 0.1 * random.standard_normal((2, rate * 6))
    if kind == "gaps":
        wave[:, rate * 2 : rate * 4] *= 1e-3
    elif kind == "low":
        wave = np.cumsum(wave, axis=1) * 0.02
        wave -= wave.mean(axis=1, keepdims=True)
    elif kind == "quiet":
        wave *= 0.01
    peer = pyloudnorm.Meter(rate).integrated_loudness(wave.T)
    assert loudness.integrated_lufs(wave, rate) == pytest.approx(peer, abs=0.1)


def test_silence_and_short_sounds():
    assert loudness.integrated_lufs(np.zeros((2, 44100)), 44100) == loudness.FLOOR_LUFS
    assert loudness.integrated_lufs(np.zeros((2, 0)), 44100) == loudness.FLOOR_LUFS
    assert loudness.integrated_lufs(0.1 * np.ones((2, 100)), 44100) > loudness.FLOOR_LUFS
    assert len(loudness.short_term_lufs(np.zeros((2, 44100)), 44100)) == 0


def test_short_term_loudness_follows_the_music():
    wave = 0.1 * np.random.default_rng(1).standard_normal((2, 44100 * 8))
    wave[:, : 44100 * 4] *= 0.1
    values = loudness.short_term_lufs(wave, 44100)
    assert len(values) == 51
    assert values[-1] - values[0] == pytest.approx(20.0, abs=0.3)


def test_energy_in_small_hops_adds_up_to_energy_in_large_ones():
    wave = np.random.default_rng(1).standard_normal((2, 100_003))
    small, large = loudness.energy(wave, 44100, 32), loudness.energy(wave, 44100, 1 << 20)
    assert small.sum() == pytest.approx(large.sum(), rel=1e-9)


def test_true_peak_finds_what_lies_between_the_samples():
    """A tone at a quarter of the rate, sampled at 45 degrees: its samples stay 3 dB under its peak."""
    time = np.arange(1 << 15)
    wave = (0.5 * np.sin(np.pi / 2 * time + np.pi / 4) * np.hanning(len(time)))[None].repeat(2, axis=0)
    assert 20 * np.log10(np.abs(wave).max()) == pytest.approx(-9.03, abs=0.01)
    assert loudness.true_peak_dbtp(wave) == pytest.approx(-6.02, abs=0.05)


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.9, 1.3])
def test_true_peak_under_reads_a_treble_tone_by_little(phase):
    time = np.arange(1 << 14)
    wave = (0.5 * np.sin(2 * np.pi * 0.41 * time + phase) * np.hanning(len(time)))[None]
    assert -6.3 < loudness.true_peak_dbtp(wave) < -5.97


def test_true_peak_of_silence_and_of_one_sample():
    assert loudness.true_peak_dbtp(np.zeros((2, 100))) == -120.0
    assert loudness.true_peak_dbtp(np.zeros((2, 0))) == -120.0
    click = np.zeros((2, 1000))
    click[0, 500] = 1.0
    assert loudness.true_peak_dbtp(click) == pytest.approx(0.0, abs=1e-6)


def test_hop_peaks_say_where():
    wave = np.zeros((2, 64 * 100), np.float32)
    wave[1, 64 * 37 + 30] = 0.7
    peaks = loudness.hop_peaks(wave, 64)
    assert peaks.argmax() == 37
    assert peaks[37] == pytest.approx(0.7, abs=1e-4)
    assert peaks[:36].max() < 0.01


def test_frame_products_are_plain_products():
    random = np.random.default_rng(0)
    rows = random.standard_normal((2, 500), dtype=np.float32)
    matrix = random.standard_normal((40, 7), dtype=np.float32)
    result = frame_products(rows, matrix, 9)
    expected = np.stack([[row[i : i + 40] @ matrix for i in range(0, 461, 9)] for row in rows])
    assert result.shape == expected.shape
    assert np.allclose(result, expected, atol=1e-4)
