import numpy as np
import pytest
import soundfile

from songwright.audio import pcm
from songwright.errors import DataError, InputError


def integers(num_samples=1000, channels=2):
    random = np.random.default_rng(5)
    return random.integers(-pcm.FULL_SCALE, pcm.FULL_SCALE, (channels, num_samples), dtype=np.int32)


def test_pack_and_unpack_are_inverse():
    samples = integers()
    samples[:, :2] = [[-pcm.FULL_SCALE, pcm.FULL_SCALE - 1], [-1, 1]]
    assert np.array_equal(pcm.unpack(pcm.pack(samples), 2), samples)


def test_quantise_rounds_to_nearest_and_holds_at_full_scale():
    step = 1 / pcm.FULL_SCALE
    waveform = np.array([[0.0, 0.4 * step, 0.6 * step, -0.6 * step, 1.0, 1.5, -1.5]], np.float32)
    top = pcm.FULL_SCALE - 1
    assert pcm.quantise(waveform).tolist() == [[0, 0, 1, -1, top, top, -pcm.FULL_SCALE]]


@pytest.mark.parametrize(("channels", "num_samples"), [(2, 1000), (1, 333)])
def test_other_programs_read_the_same_integers(tmp_path, channels, num_samples):
    samples = integers(num_samples, channels)
    with pcm.WavWriter(tmp_path / "a.wav", 44100, num_samples, channels=channels) as file:
        for start in range(0, num_samples, 100):
            file.write(samples[:, start : start + 100])
    read, rate = soundfile.read(tmp_path / "a.wav", dtype="int32", always_2d=True)
    assert rate == 44100
    assert np.array_equal(read.T >> 8, samples)
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_24"
    back = np.concatenate(list(pcm.read_blocks(tmp_path / "a.wav", channels=channels, block_samples=64)), axis=1)
    assert np.array_equal(back, samples)


def test_floating_files_keep_what_passes_full_scale(tmp_path):
    waveform = np.array([[0.25, 1.75, -3.0], [0.0, 1e-9, -0.5]], np.float32)
    with pcm.WavWriter(tmp_path / "a.wav", 48000, 3, floating=True) as file:
        file.write(waveform)
    read, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert np.array_equal(read.T, waveform)


def test_a_wrong_number_of_samples_is_our_own_mistake(tmp_path):
    with pytest.raises(ValueError, match="not written"), pcm.WavWriter(tmp_path / "a.wav", 44100, 10):
        pass
    with pytest.raises(ValueError, match="more samples"), pcm.WavWriter(tmp_path / "b.wav", 44100, 10) as file:
        file.write(integers(11))
    assert not (tmp_path / "b.wav").exists()


def test_unwritable_places_are_one_line(tmp_path):
    with pytest.raises(InputError, match=r"cannot write a\.wav"), pcm.WavWriter(tmp_path / "no" / "a.wav", 44100, 1):
        pass


def test_more_than_a_wav_file_holds_is_refused(tmp_path):
    with pytest.raises(InputError, match="4 GiB"):
        pcm.header(1 << 30, 44100)


def test_foreign_and_cut_files_are_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((10, 2)), 44100, "PCM_16")
    with pytest.raises(DataError, match="24-bit"):
        list(pcm.read_blocks(tmp_path / "a.wav"))
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match="not a WAV"):
        list(pcm.read_blocks(tmp_path / "b.wav"))
    with pcm.WavWriter(tmp_path / "c.wav", 44100, 100) as file:
        file.write(integers(100))
    (tmp_path / "c.wav").write_bytes((tmp_path / "c.wav").read_bytes()[:-7])
    with pytest.raises(DataError, match="too early"):
        list(pcm.read_blocks(tmp_path / "c.wav"))
