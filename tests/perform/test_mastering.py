import numpy as np
import pytest

from songwright.audio.loudness import integrated_lufs, true_peak_dbtp
from songwright.perform.mastering import CEILING_DBTP, master
from songwright.score.song import Insert, MasterMix

RATE = 44100


def material(kind, seconds=8):
    random = np.random.default_rng(4)
    time = np.arange(seconds * RATE) / RATE
    if kind == "dense":
        wave = np.tanh(3 * random.standard_normal((2, len(time))))
    elif kind == "drums":
        wave = random.standard_normal((2, len(time))) * np.exp(-12 * (time % 0.5))
    elif kind == "sparse":
        wave = np.repeat((np.sin(2 * np.pi * 880 * time) * np.exp(-9 * (time % 2.0)))[None], 2, axis=0)
    elif kind == "bass":
        wave = np.repeat(np.sin(2 * np.pi * 55 * time)[None], 2, axis=0) * (0.5 + 0.5 * np.sin(np.pi * time))
    else:
        wave = random.standard_normal((2, len(time))) * np.where(time < seconds / 2, 0.01, 1.0)
    return (0.2 * wave).astype(np.float32)


@pytest.mark.parametrize("kind", ["dense", "drums", "sparse", "bass", "contrast"])
@pytest.mark.parametrize("gain", [0.01, 1.0, 8.0])
def test_every_kind_of_music_reaches_loudness_under_the_ceiling(kind, gain):
    result = master(material(kind) * np.float32(gain), RATE, MasterMix())
    assert integrated_lufs(result.waveform, RATE) == pytest.approx(-14.0, abs=0.5)
    assert true_peak_dbtp(result.waveform) <= CEILING_DBTP
    assert result.loudness_lufs == pytest.approx(integrated_lufs(result.waveform, RATE))
    assert np.isfinite(result.waveform).all()


def test_another_loudness_and_bus_effects():
    bus = (Insert("compressor", {"threshold_db": -20.0}), Insert("tape", {"drive_db": 6.0}))
    result = master(material("drums"), RATE, MasterMix(loudness_lufs=-20.0, inserts=bus))
    assert result.loudness_lufs == pytest.approx(-20.0, abs=0.5)
    assert result.true_peak_dbtp <= CEILING_DBTP
    assert result.notes == ()


def test_silence_stays_silence():
    result = master(np.zeros((2, RATE), np.float32), RATE, MasterMix())
    assert not result.waveform.any()
    assert result.loudness_lufs == -70.0
    assert result.notes == ("the song is silent",)


def test_what_cannot_be_reached_is_said():
    clicks = np.zeros((2, 8 * RATE), np.float32)
    clicks[:, ::RATE] = 0.5
    result = master(clicks, RATE, MasterMix())
    assert result.true_peak_dbtp <= CEILING_DBTP
    assert any("LUFS" in note for note in result.notes)


def test_short_music_is_mastered_too():
    for length in (1, 100, 5000):
        result = master(np.full((2, length), 0.1, np.float32), RATE, MasterMix())
        assert result.waveform.shape == (2, length)
        assert result.true_peak_dbtp <= CEILING_DBTP
