import errno

import numpy as np
import pytest
import soundfile

import songwright.audio.files as files
from songwright.audio.resample import resample
from songwright.errors import DataError, InputError


def tone(seconds=0.5, rate=44100):
    time = np.arange(int(seconds * rate)) / rate
    return np.stack([0.5 * np.sin(2 * np.pi * 440 * time), 0.3 * np.sin(2 * np.pi * 660 * time)]).astype(np.float32)


@pytest.mark.parametrize(("name", "smallest_snr_db"), [("wav", 120), ("flac", 120), ("ogg", 15), ("mp3", 15)])
def test_every_format_comes_back_as_it_went(tmp_path, name, smallest_snr_db):
    wave = tone()
    files.write_audio(tmp_path / f"a.{name}", wave, 44100, tags={"title": "蓝色 Синий", "genre": "disco"})
    read, rate = files.read_audio(tmp_path / f"a.{name}")
    assert rate == 44100
    assert abs(read.shape[1] - wave.shape[1]) <= 2400
    middle = slice(8000, 16000)
    best = max(
        -10 * np.log10(np.mean((np.roll(read, s, axis=1)[:, middle] - wave[:, middle]) ** 2) / np.mean(wave**2) + 1e-20)
        for s in (0, -1105, -1)
    )
    assert best > smallest_snr_db
    if name != "wav":
        with soundfile.SoundFile(tmp_path / f"a.{name}") as file:
            assert file.title == "蓝色 Синий"


@pytest.mark.parametrize("name", ["wav", "flac"])
def test_the_same_bytes_twice(name):
    assert files.encode(tone(), name, tags={"title": "x"}) == files.encode(tone(), name, tags={"title": "x"})


def test_flac_of_a_file_holds_its_integers(tmp_path):
    files.write_audio(tmp_path / "a.wav", tone())
    files.write_audio(tmp_path / "a.flac", tmp_path / "a.wav")
    wav, _ = soundfile.read(tmp_path / "a.wav", dtype="int32")
    flac, _ = soundfile.read(tmp_path / "a.flac", dtype="int32")
    assert np.array_equal(wav, flac)
    assert files.read_info(tmp_path / "a.flac") == files.AudioInfo(44100, 2, 22050)


def test_what_cannot_be_is_said_in_one_line(tmp_path):
    with pytest.raises(InputError, match="wav, flac, mp3, ogg"):
        files.encode(tone(), "m4a")
    with pytest.raises(InputError, match="no such tag"):
        files.encode(tone(), "flac", tags={"mood": "blue"})
    with pytest.raises(InputError, match="waveform"):
        files.encode(np.zeros(10), "flac")
    with pytest.raises(InputError, match="cannot write"):
        files.write_audio(tmp_path / "no" / "a.flac", tone())
    with pytest.raises(DataError, match="no such file"):
        files.read_audio(tmp_path / "a.wav")
    (tmp_path / "b.wav").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a readable"):
        files.read_audio(tmp_path / "b.wav")


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write_bytes", full)
    with pytest.raises(InputError, match="No space left"):
        files.write_audio(tmp_path / "a.wav", tone())
    assert list(tmp_path.iterdir()) == []


def test_resampling_keeps_pitch_and_level():
    wave = tone(1.0)
    other = resample(wave, 44100, 48000)
    assert other.shape == (2, 48000)
    spectrum = np.abs(np.fft.rfft(other[0] * np.hanning(48000)))
    assert spectrum.argmax() == 440
    assert np.sqrt(np.mean(other[0] ** 2)) == pytest.approx(np.sqrt(np.mean(wave[0] ** 2)), rel=0.01)
    assert resample(wave, 44100, 44100) is wave
    with pytest.raises(InputError):
        resample(wave, 0, 44100)
