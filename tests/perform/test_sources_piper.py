import json

import numpy as np
import pytest

from songwright.errors import DataError, InputError
from songwright.perform.singer.source import SourceLine
from songwright.perform.singer.sources.choose import source_of
from songwright.perform.singer.sources.espeak import EspeakSource
from songwright.perform.singer.sources.piper import PiperSource, phoneme_ids
from songwright.score.song import Singer, Syllable

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from bank_fixture import SYMBOLS, piper_voice


def line(language="en"):
    rows = (
        ("mel", "melon", ("m", "E", "l"), 1, 1),
        ("on", "melon", ("@", "n"), 0, 0),
        ("sky", "sky", ("s", "k", "aI"), 2, 1),
    )
    return SourceLine(tuple(Syllable(i, t, w, s, 0, language, p, n) for i, (t, w, p, n, s) in enumerate(rows)), 220.0)


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    return piper_voice(tmp_path_factory.mktemp("voices"))


def test_ids_are_padded_marked_and_parted_by_words():
    ids = {s: (i,) for i, s in enumerate(SYMBOLS)}
    numbers, owners = phoneme_ids(line(), ids)
    assert "".join(SYMBOLS[n] for n in numbers) == "^_m_ˈ_ɛ_l_ə_n_ _s_k_ˈ_a_ɪ_$"
    assert [o for o in owners if o >= 0] == [0] * 2 + [1] * 4 + [2] * 2 + [3] * 2 + [4] * 2 + [5] * 2 + [6] * 2 + [
        7
    ] * 6
    assert owners[0] == owners[-1] == -1 and len(owners) == len(numbers)


def test_durations_of_the_voice_give_the_phones_their_times(voice):
    spoken = PiperSource(str(voice)).speak([line()])[0]
    seconds = len(spoken.waveform) / spoken.sample_rate
    numbers, owners = phoneme_ids(line(), PiperSource(str(voice))._settings.ids)
    each = seconds / len(numbers)
    assert [p.symbol for p in spoken.phones] == [p for s in line().syllables for p in s.phonemes]
    for k, phone in enumerate(spoken.phones):
        assert phone.start_seconds == pytest.approx(owners.index(k) * each, abs=1e-4)
    assert [p.syllable for p in spoken.phones if p.is_nucleus] == [0, 1, 2]


def test_without_durations_the_line_is_laid_beside_espeak(tmp_path):
    spoken = PiperSource(str(piper_voice(tmp_path, durations=False))).speak([line()])[0]
    times = [p.start_seconds for p in spoken.phones]
    assert times == sorted(times) and len(times) == 8
    assert spoken.phones[-1].end_seconds <= len(spoken.waveform) / spoken.sample_rate + 1e-6
    assert all(p.end_seconds > p.start_seconds for p in spoken.phones)


def test_the_same_line_sounds_the_same_at_the_rate_of_the_voice(voice):
    first, second = (PiperSource(str(voice)).speak([line()])[0] for _ in range(2))
    assert np.array_equal(first.waveform, second.waveform) and first.waveform.dtype == np.float32
    settings = json.loads(voice.with_name("tiny.onnx.json").read_text())
    assert first.sample_rate == settings["audio"]["sample_rate"]


def test_other_languages_are_spoken_by_espeak(voice):
    spoken = PiperSource(str(voice)).speak([line("de")])[0]
    known = EspeakSource("klatt4").speak([line("de")])[0]
    assert np.array_equal(spoken.waveform, known.waveform)


def test_voices_are_found_by_name(voice, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(InputError, match="no piper voice 'tiny'"):
        source_of(Singer("clara", "piper:tiny"))
    monkeypatch.setenv("PIPER_VOICES", str(voice.parent))
    assert "piper tiny" in source_of(Singer("clara", "piper:tiny")).identity
    monkeypatch.delenv("PIPER_VOICES")
    (tmp_path / "songwright" / "voices").mkdir(parents=True)
    piper_voice(tmp_path / "songwright" / "voices", name="other")
    assert "piper other" in source_of(Singer("clara", "piper:other")).identity


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"audio": {"sample_rate": 5}, "phoneme_id_map": {"a": [1]}}',
                                  '{"audio": {"sample_rate": 22050}, "phoneme_id_map": {"a": "x"}}'])  # fmt: skip
def test_damaged_settings_are_told_in_one_line(tmp_path, text):
    voice = piper_voice(tmp_path)
    settings = voice.with_name("tiny.onnx.json")
    settings.write_text(text)
    with pytest.raises(DataError, match=r"tiny[.]onnx[.]json") as caught:
        PiperSource(str(voice))
    assert "\n" not in str(caught.value)
    settings.unlink()
    with pytest.raises(DataError, match="missing"):
        PiperSource(str(voice))


def test_damaged_networks_are_told_in_one_line(tmp_path):
    voice = piper_voice(tmp_path)
    voice.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"tiny[.]onnx") as caught:
        PiperSource(str(voice)).speak([line()])
    assert "\n" not in str(caught.value)
