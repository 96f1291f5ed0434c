"""The program from its command line: what it makes, and the one line it says when it cannot."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from songwright.cli.main import main
from songwright.cli.make import parse_duration
from songwright.errors import InputError
from songwright.score.midi import read_midi
from songwright.score.read import read_score

PROMPT = "an upbeat disco song about the sea"
FILES = {
    "mix.wav", "premaster.wav", "song.json", "score.mid", "score.musicxml", "brief.json", "piano_roll.png",
    "report.json", "stems",
}  # fmt: skip


@pytest.fixture(autouse=True)
def bundled_soundfont(monkeypatch):
    """Every machine plays these songs from the same font, and asks no language model."""
    import pretty_midi

    monkeypatch.setenv("SONGWRIGHT_SOUNDFONT", str(Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"))
    monkeypatch.delenv("SONGWRIGHT_LLM_MODEL", raising=False)


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    import pretty_midi

    folder = tmp_path_factory.mktemp("made") / "sea"
    os.environ["SONGWRIGHT_SOUNDFONT"] = str(Path(pretty_midi.__file__).parent / "TimGM6mb.sf2")
    try:
        assert (
            main(["make", PROMPT, "-o", str(folder), "--instrumental", "--duration", "16", "--tempo", "120", "-q"]) == 0
        )
    finally:
        del os.environ["SONGWRIGHT_SOUNDFONT"]
    return folder


def samples(path):
    return soundfile.read(path, dtype="int32", always_2d=True)[0] >> 8


def test_folder_holds_every_file(song):
    assert {p.name for p in song.iterdir()} == FILES
    info = soundfile.info(song / "mix.wav")
    assert (info.samplerate, info.channels, info.subtype) == (44100, 2, "PCM_24")
    assert abs(info.duration - 16.0) <= 2.0


def test_stems_sum_to_the_premaster(song):
    stems = [samples(p) for p in sorted((song / "stems").glob("*.wav"))]
    premaster = samples(song / "premaster.wav")
    assert len(stems) > 5
    assert np.abs(sum(stems) - premaster).max() <= len(stems)


def test_report_measures_what_was_asked(song):
    report = json.loads((song / "report.json").read_text())
    assert report["tempo_bpm"]["asked"] == 120.0 and report["tempo_bpm"]["within"]
    assert report["length_seconds"]["within"]
    assert abs(report["loudness_lufs"]["measured"] + 14.0) <= 0.5
    assert report["true_peak_dbtp"]["measured"] <= -1.0
    assert report["soundfont"]["file"] == "TimGM6mb.sf2"


def test_score_files_agree(song):
    written = read_score(song)
    played = read_midi(song / "score.mid")
    assert sum(len(t.notes) for t in played.tracks) == sum(len(t.notes) for t in written.tracks)
    assert [c.symbol for c in played.chords] == [c.symbol for c in written.chords]
    assert (song / "piano_roll.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert json.loads((song / "brief.json").read_text())["subject"] == "the sea"


def test_same_brief_same_bytes_in_another_process(song, tmp_path):
    again = tmp_path / "again"
    command = [
        sys.executable,
        "-m",
        "songwright",
        "make",
        PROMPT,
        "-o",
        str(again),
        "--instrumental",
        "--duration",
        "16",
        "--tempo",
        "120",
    ]
    environment = {**os.environ, "PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, "-q"], check=True, timeout=300, env=environment)
    for path in sorted(song.rglob("*")):
        if path.is_file() and path.name != "report.json":
            assert path.read_bytes() == (again / path.relative_to(song)).read_bytes(), path.name
    assert json.loads((song / "report.json").read_text()) == json.loads((again / "report.json").read_text())


def test_next_seed_is_another_song(song, tmp_path):
    assert (
        main(["make", PROMPT, "-o", str(tmp_path / "b"), "--instrumental", "--duration", "16", "--seed", "1", "-q"])
        == 0
    )
    assert read_score(tmp_path / "b").tracks != read_score(song).tracks


def test_changed_instrument_renders_one_stem(song, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(song, copy)
    before = {p.name: p.read_bytes() for p in (copy / "stems").glob("*.wav")}
    written = read_score(copy)
    track = next(t for t in written.tracks if t.role == "bass")
    text = (copy / "song.json").read_text()
    other = "acoustic_bass" if track.instrument != "acoustic_bass" else "electric_bass_pick"
    (copy / "song.json").write_text(text.replace(f'"{track.instrument}"', f'"{other}"'))
    assert main(["render", str(copy / "song.json"), "-o", str(copy), "--force", "-q"]) == 0
    after = {p.name: p.read_bytes() for p in (copy / "stems").glob("*.wav")}
    assert {name for name in after if after[name] != before[name]} == {f"{track.id}.wav"}
    assert (copy / "brief.json").is_file()
    assert json.loads((copy / "report.json").read_text())["stems_reused"]


def test_render_of_a_midi_file_and_formats(song, tmp_path):
    out = tmp_path / "rendered"
    assert main(["render", str(song / "score.mid"), "-o", str(out), "--formats", "flac,ogg", "-q"]) == 0
    flac, _ = soundfile.read(out / "mix.flac", dtype="int32", always_2d=True)
    assert np.array_equal(flac >> 8, samples(out / "mix.wav"))
    assert soundfile.info(out / "mix.ogg").duration > 10
    assert not (out / "brief.json").exists()


BAD = [
    (["make", ""], "empty|prompt"),
    (["make", "   \n"], "prompt"),
    (["make", "x" * 100_000], "characters|long"),
    (["make", PROMPT, "--style", "dicso"], "disco"),
    (["make", PROMPT, "--tempo", "0"], "tempo"),
    (["make", PROMPT, "--tempo", "-1"], "tempo"),
    (["make", PROMPT, "--tempo", "1e9"], "tempo"),
    (["make", PROMPT, "--tempo", "nan"], "tempo"),
    (["make", PROMPT, "--tempo", "quick"], "number"),
    (["make", PROMPT, "--duration", "0"], "second|length|duration"),
    (["make", PROMPT, "--duration", "10:00:00"], "second|length|duration"),
    (["make", PROMPT, "--duration", "1:2:3:4"], "length"),
    (["make", PROMPT, "--key", "H#"], "key"),
    (["make", PROMPT, "--formats", "wma"], "format"),
    (["make", PROMPT, "--soundfont", "missing.sf2"], "missing.sf2"),
    (["make", PROMPT, "--player", "piano"], "player"),
    (["render", "missing.mid"], "not there"),
    (["inspect", "missing.json"], "not there"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=lambda v: str(v)[:40])
def test_mistakes_get_one_line_and_leave_nothing(arguments, words, tmp_path, monkeypatch, capsys):
    import re

    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert error.count("\n") == 0 and error.startswith("songwright: ") and re.search(words, error, re.IGNORECASE), error
    assert len(error) < 2000
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_control_characters_are_harmless(tmp_path, capsys):
    assert main(["inspect", "--brief", "disco\x00\x07\x1b[31m song about\u202e the sea", "--json"]) == 0
    brief = json.loads(capsys.readouterr().out)
    assert brief["styles"] == ["disco"] and "\x1b" not in brief["subject"]


def test_folders_in_the_way(song, tmp_path, capsys):
    assert main(["make", PROMPT, "-o", str(song)]) == 2
    assert "--force" in capsys.readouterr().err
    (tmp_path / "file").write_text("mine")
    assert main(["make", PROMPT, "-o", str(tmp_path / "file"), "--force"]) == 2
    assert (tmp_path / "file").read_text() == "mine"
    assert main(["make", PROMPT, "-o", str(tmp_path / "file" / "below")]) == 2


def test_broken_inputs(tmp_path, capsys):
    cases = {
        "broken.mid": b"MThd\x00\x00\x00\x06\x00\x01\x00\x02\x01\xe0MTrk\x00\x00\xff\xff\x00\x90",
        "empty.mid": b"",
        "text.mid": b"hello",
        "many.mid": b"MThd\x00\x00\x00\x06\x00\x01\xff\xff\x01\xe0",
        "broken.json": b'{"format": "songwright.song"}',
        "broken.musicxml": b"<score-partwise",
        "song.txt": b"x",
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        assert main(["render", str(tmp_path / name), "-o", str(tmp_path / "out")]) == 2, name
        error = capsys.readouterr().err.strip()
        assert error.startswith("songwright: ") and "\n" not in error and name in error
        assert not (tmp_path / "out").exists()


def test_broken_soundfont(tmp_path, capsys):
    (tmp_path / "bad.sf2").write_bytes(b"RIFF\x10\x00\x00\x00sfbkLIST")
    assert main(["make", PROMPT, "-o", str(tmp_path / "o"), "--soundfont", str(tmp_path / "bad.sf2")]) == 2
    assert "bad.sf2" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["bad.sf2"]


def test_full_disk_leaves_nothing(tmp_path, monkeypatch, capsys):
    from songwright.audio import pcm

    def full(self, samples):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pcm.WavWriter, "write", full)
    assert main(["make", PROMPT, "-o", str(tmp_path / "o"), "--duration", "12"]) == 2
    assert "No space left" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for single processes")
@pytest.mark.parametrize("seconds", [0.4, 0.7, 1.2, 3.0])
def test_interrupt_leaves_nothing(tmp_path, seconds):
    command = [sys.executable, "-m", "songwright", "make", PROMPT, "-o", str(tmp_path / "o"), "--duration", "600"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert "Traceback" not in error and error.strip().count("\n") == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90.0), ("3:00", 180.0), ("1:02:03", 3723.0), ("2min", 120.0), ("45s", 45.0), ("1.5m", 90.0)],
)
def test_durations(text, expected):
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "abc", "1:xx", "1:2:3:4", "inf", "nan", "1:30min"])
def test_impossible_durations(text):
    with pytest.raises(InputError):
        parse_duration(text)
