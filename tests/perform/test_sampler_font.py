"""Broken, cut and hostile soundfonts: one clear error, never a crash, a hang or a wrong sound."""

import struct

import numpy as np
import pytest
from sf2_fixture import Preset, Sample, Zone, build, chunk, simple, sine

from songwright.errors import DataError, InputError, SongwrightError
from songwright.perform.sampler.player import SamplerPlayer
from songwright.perform.sampler.soundfont import SoundFont
from songwright.perform.timeline import Performance

NOTES = Performance(np.array([0.0]), np.array([0.2]), np.array([69]), np.array([100]))


def opened(path, data):
    path.write_bytes(data)
    return SoundFont(path)


def chunk_starts(data):
    """Where every chunk header lies, lists opened."""
    found, at = [], 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        found.append(at)
        at += 12 if kind == b"LIST" else 8 + size + size % 2
    return found


def test_presets_are_listed_and_named(tmp_path):
    font = opened(tmp_path / "a.sf2", build([Sample(sine())], [Preset([Zone(0)], program=5), Preset([Zone(0)], 128)]))
    assert font.presets == ((0, 5), (128, 0))
    assert font.preset_name(0, 5) == "preset 5"
    assert font.name == "Tiny"


@pytest.mark.parametrize("vorbis", [False, True])
def test_cut_at_every_chunk_it_says_so(tmp_path, vorbis):
    data = build([Sample(sine(0.1))], [Preset([Zone(0)])], vorbis=vorbis)
    for start in chunk_starts(data):
        for end in (start, start + 3, start + 8, start + 9):
            with pytest.raises(DataError) as error:
                opened(tmp_path / "cut.sf2", data[:end])
            assert "\n" not in str(error.value)
    opened(tmp_path / "whole.sf2", data)


def test_cut_and_with_its_size_mended_it_still_says_so(tmp_path):
    data = simple()
    for end in chunk_starts(data):
        mended = data[:4] + struct.pack("<I", max(end - 8, 4)) + data[8:end]
        with pytest.raises(DataError):
            opened(tmp_path / "cut.sf2", mended)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF\x04\0\0\0WAVE", b"MThd" + bytes(100), bytes(1000)])
def test_other_files_are_no_soundfont(tmp_path, data):
    with pytest.raises(DataError):
        opened(tmp_path / "a.sf2", data)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError):
        SoundFont(tmp_path / "none.sf2")
    with pytest.raises(InputError):
        SoundFont(tmp_path)


@pytest.mark.parametrize("index", [1, 7, 65535])
def test_zone_that_asks_for_a_sample_outside(tmp_path, index):
    with pytest.raises(DataError, match=f"sample {index} of 1"):
        opened(tmp_path / "a.sf2", build([Sample(sine())], [Preset([Zone(index)])]))


def _with_table(data, kind, table):
    start = next(s for s in chunk_starts(data) if data[s : s + 4] == kind)
    (size,) = struct.unpack_from("<I", data, start + 4)
    body = data[8:start] + chunk(kind, table) + data[start + 8 + size + size % 2 :]
    pdta = body.index(b"pdta") - 4
    body = body[:pdta] + struct.pack("<I", len(body) - pdta - 4) + body[pdta + 4 :]
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("kind", "table", "message"),
    [
        (b"phdr", struct.pack("<20sHHHIII", b"EOP", 0, 0, 0, 0, 0, 0), "no presets"),
        (b"phdr", bytes(37), "records"),
        (b"pbag", struct.pack("<HHHH", 0, 0, 900, 0), "outside"),
        (b"ibag", struct.pack("<HHHH", 2, 0, 1, 0), "outside"),
        (
            b"shdr",
            struct.pack("<20sIIIIIBbHH", b"a", 0, 2**32 - 1, 0, 0, 44100, 60, 0, 0, 1) + bytes(46),
            "lies outside",
        ),
        (b"shdr", struct.pack("<20sIIIIIBbHH", b"a", 9, 3, 0, 0, 44100, 60, 0, 0, 1) + bytes(46), "lies outside"),
    ],
)
def test_tables_that_contradict_each_other(tmp_path, kind, table, message):
    with pytest.raises(DataError, match=message):
        opened(tmp_path / "a.sf2", _with_table(simple(), kind, table))


def test_compressed_sample_that_is_no_vorbis(tmp_path):
    data = bytearray(build([Sample(sine(0.1))], [Preset([Zone(0)])], vorbis=True))
    at = data.index(b"OggS")
    data[at : at + 60] = bytes(60)
    (tmp_path / "a.sf3").write_bytes(data)
    with pytest.raises(DataError, match="cannot be decoded"):
        SamplerPlayer(tmp_path / "a.sf3").render(NOTES, "violin", sample_rate=44100, num_samples=4410)


def test_random_damage_never_does_worse_than_an_error(tmp_path):
    random = np.random.default_rng(3)
    whole = simple({8: 6000, 11: 2000, 5: 30, 37: 100}, modulators=[(0x0502, 8, -2400, 0)])
    tables = whole.index(b"pdta")
    for round_ in range(400):
        data = bytearray(whole)
        for _ in range(random.integers(1, 6)):
            data[random.integers(tables if round_ % 4 else 0, len(data))] = random.integers(0, 256)
        try:
            (tmp_path / "a.sf2").write_bytes(data)
            player = SamplerPlayer(tmp_path / "a.sf2")
            sound = player.render(NOTES, "violin", sample_rate=44100, num_samples=8820)
        except SongwrightError as error:
            assert "\n" not in str(error)
        else:
            assert np.isfinite(sound).all()
