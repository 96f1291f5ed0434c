import numpy as np
import pytest

from songwright.errors import InputError
from songwright.evaluation.pitch import HIGH_HZ, LOW_HZ, cents, harvest, pyin

SAMPLE_RATE = 22050


def voice(f0_hz, sample_rate=SAMPLE_RATE):
    """Harmonics with a vowel's falling spectrum along a curve of pitch, (samples,)."""
    phase = 2 * np.pi * np.cumsum(f0_hz) / sample_rate
    sound = sum(np.sin(k * phase) / k for k in range(1, 9))
    noise = np.random.default_rng(0).normal(0, 0.003, len(phase))
    return (0.1 * sound + noise).astype(np.float32)


@pytest.mark.parametrize("f0_hz", [70.0, 110.0, 196.0, 329.6, 523.3, 784.0])
def test_steady_tones_are_within_five_cents(f0_hz):
    track = pyin(voice(np.full(SAMPLE_RATE // 2, f0_hz)), SAMPLE_RATE)
    middle = track.between(0.1, 0.4)
    assert (middle > 0).all()
    assert np.abs(1200 * np.log2(middle / f0_hz)).max() < 5.0


def test_vibrato_and_glides_are_followed():
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    curve = 220.0 * 2 ** (time * 5 / 24 + 0.4 / 12 * np.sin(2 * np.pi * 5.5 * time))
    track = pyin(voice(curve), SAMPLE_RATE)
    at = np.arange(len(track.f0_hz)) * track.hop_seconds
    use = (at > 0.1) & (at < 1.9)
    off = 1200 * np.log2(track.f0_hz[use] / np.interp(at[use], time, curve))
    assert track.voiced[use].all()
    assert np.median(np.abs(off)) < 4.0 and np.percentile(np.abs(off), 95) < 12.0


def test_both_estimators_agree():
    sound = voice(np.full(SAMPLE_RATE // 2, 261.6))
    assert np.median(pyin(sound, SAMPLE_RATE).between(0.1, 0.4)) == pytest.approx(
        np.median(harvest(sound, SAMPLE_RATE).between(0.1, 0.4)), rel=0.002
    )


@pytest.mark.parametrize("kind", ["silence", "noise"])
def test_what_has_no_pitch_is_unvoiced(kind):
    random = np.random.default_rng(1)
    sound = np.zeros(SAMPLE_RATE) if kind == "silence" else random.normal(0, 0.1, SAMPLE_RATE)
    assert pyin(sound.astype(np.float32), SAMPLE_RATE).voiced.mean() < 0.05


def test_voiced_and_unvoiced_spans_are_told_apart():
    tone = voice(np.full(SAMPLE_RATE, 180.0))
    tone[8000:14000] = np.random.default_rng(2).normal(0, 0.02, 6000)
    track = pyin(tone, SAMPLE_RATE)
    assert not track.between(0.40, 0.60).any()
    assert (track.between(0.05, 0.33) > 0).all() and (track.between(0.67, 0.95) > 0).all()


def test_level_does_not_matter_and_the_sample_rate_hardly():
    curve = np.full(SAMPLE_RATE // 2, 147.0)
    loud, quiet = pyin(voice(curve), SAMPLE_RATE), pyin(voice(curve) * np.float32(0.01), SAMPLE_RATE)
    np.testing.assert_allclose(loud.f0_hz, quiet.f0_hz, rtol=1e-6)
    high = pyin(voice(np.full(24000, 147.0), 48000), 48000)
    assert np.median(high.between(0.1, 0.4)) == pytest.approx(np.median(loud.between(0.1, 0.4)), rel=0.001)


def test_range_and_edges():
    assert LOW_HZ < 65 and HIGH_HZ > 880
    assert not pyin(np.zeros(0, np.float32), SAMPLE_RATE).voiced.any()
    assert not harvest(np.zeros(10, np.float32), SAMPLE_RATE).voiced.any()
    assert len(pyin(np.zeros(100, np.float32), SAMPLE_RATE).f0_hz) >= 1
    for estimate in (pyin, harvest):
        with pytest.raises(InputError, match="mono"):
            estimate(np.zeros((2, 50), np.float32), SAMPLE_RATE)


def test_cents_of_notes():
    np.testing.assert_allclose(cents(np.array([440.0, 466.164, 0.0]), 69.0), [0.0, 100.0, np.nan], atol=0.01)
