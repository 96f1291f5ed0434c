"""A voice's style from a recording: measured on voices whose style is known."""

import numpy as np
import pytest
import soundfile

from songwright.errors import DataError
from songwright.perform.singer import person
from songwright.perform.singer.measures import measure_voice
from songwright.perform.singer.person import listen, voice_type_of
from songwright.perform.singer.player import SingerPlayer
from songwright.perform.singer.voice import voice_of
from songwright.perform.timeline import Performance
from songwright.score.song import Singer, Syllable

RATE = 44100


def sung(singer, pitches=(60, 62, 64, 57), length=0.9):
    starts = np.arange(len(pitches)) * (length + 0.1)
    words = tuple(
        Syllable(i, "la", "la", 1, 0, "en", ("l", v), 1)
        for i, v in zip(range(len(pitches)), ("A:", "i:", "u:", "E"), strict=False)
    )
    performance = Performance(
        starts, starts + length, np.array(pitches), np.full(len(pitches), 88), syllables=words, singer=singer
    )
    seconds = starts[-1] + length + 0.5
    return SingerPlayer(1).render(performance, "voice", sample_rate=RATE, num_samples=round(seconds * RATE))


def test_vibrato_and_range_are_heard():
    wide = measure_voice(sung(Singer("clara", parameters={"vibrato_rate_hz": 6.6, "vibrato_cents": 42})), RATE)
    still = measure_voice(sung(Singer("clara", parameters={"vibrato_cents": 0})), RATE)
    assert wide.vibrato_rate_hz == pytest.approx(6.6, abs=0.6)
    assert 20 < wide.vibrato_cents < 45
    assert still.vibrato_cents < 0.4 * wide.vibrato_cents
    low, middle, high = wide.pitches
    assert low == pytest.approx(57, abs=0.7) and 59 < middle < 63 and high == pytest.approx(64, abs=0.7)
    assert wide.steady_share > 0.8


def test_a_longer_tract_and_a_breathier_voice_are_given_back(tmp_path, monkeypatch):
    monkeypatch.setattr(person, "_ROUNDS", 2)
    known = {"tract_ratio": 0.92, "breathiness": 0.9}
    path = tmp_path / "person.wav"
    soundfile.write(path, person._sung(Singer("clara", parameters=known), 66).T, RATE)
    style = listen(path)
    assert (style.singer, style.voice_type) == ("clara", "mezzo")
    assert style.parameters["tract_ratio"] == pytest.approx(0.92, abs=0.035)
    assert style.parameters["breathiness"] > voice_of(Singer("clara")).breathiness + 0.15
    voice_of(Singer(style.singer, parameters=style.parameters))  # within the limits


def test_low_voices_are_basses_and_high_ones_sopranos():
    low = measure_voice(sung(Singer("boris"), (46, 50, 48), 0.6), RATE)
    high = measure_voice(sung(Singer("iris"), (69, 72, 74), 0.6), RATE)
    assert voice_type_of(low) == "bass"
    assert voice_type_of(high) == "soprano"


@pytest.mark.parametrize("what", ["silence", "noise", "short"])
def test_what_is_no_voice_is_refused_in_one_line(tmp_path, what):
    rng = np.random.default_rng(0)
    wave = {
        "silence": np.zeros(3 * RATE),
        "noise": 0.1 * rng.standard_normal(2 * RATE),
        "short": 0.1 * np.sin(np.arange(RATE // 5) * 0.05),
    }[what]
    path = tmp_path / "x.wav"
    soundfile.write(path, wave, RATE)
    with pytest.raises(DataError, match="voice alone"):
        listen(path)


def test_a_text_file_is_no_recording(tmp_path):
    path = tmp_path / "x.wav"
    path.write_text("la la la")
    with pytest.raises(DataError):
        listen(path)
