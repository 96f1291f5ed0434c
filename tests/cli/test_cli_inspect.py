import json

import pytest

from songwright.brief.brief import Brief
from songwright.cli.main import COMMANDS, main
from songwright.compose.compose import compose_song
from songwright.compose.style import style_names
from songwright.score.song import to_json


@pytest.fixture(scope="module")
def score(tmp_path_factory):
    path = tmp_path_factory.mktemp("score") / "song.json"
    path.write_text(to_json(compose_song(Brief(styles=("rock",)).with_said(duration_seconds=40.0))), encoding="utf-8")
    return path


def test_help_names_every_command_with_examples(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(command in text for command in COMMANDS) and "examples:" in text
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert "examples:" in capsys.readouterr().out


def test_brief_as_json_and_as_text(capsys):
    assert main(["inspect", "--brief", "sad piano waltz in D minor, 2 minutes", "--json"]) == 0
    brief = json.loads(capsys.readouterr().out)
    assert brief["styles"] == ["waltz"] and brief["key"].lower() == "d minor" and brief["duration_seconds"] == 120
    assert main(["inspect", "--brief", "sad piano waltz in D minor", "--tempo", "90"]) == 0
    assert "(said)" in capsys.readouterr().out


def test_score_in_the_terminal(score, capsys):
    assert main(["inspect", str(score)]) == 0
    text = capsys.readouterr().out
    assert "rock" in text.lower() and "drums" in text and "bpm" in text
    assert main(["inspect", str(score), "--bars", "1-2"]) == 0
    assert capsys.readouterr().out.strip()
    assert main(["inspect", str(score), "--bars", "x"]) == 2


def test_styles_are_listed(capsys):
    assert main(["inspect", "--styles"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in style_names())


def test_doctor_says_which_soundfont(capsys, monkeypatch):
    monkeypatch.delenv("SONGWRIGHT_SOUNDFONT", raising=False)
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "soundfont:" in text and "numpy" in text and "times real time" in text


def test_the_python_face(tmp_path, monkeypatch):
    from pathlib import Path

    import pretty_midi

    import songwright

    monkeypatch.setenv("SONGWRIGHT_SOUNDFONT", str(Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"))
    recording = songwright.make("a short ambient piece", duration_seconds=12.0)
    waveform, sample_rate = recording.waveform()
    assert sample_rate == 44100 and waveform.shape[0] == 2 and abs(waveform.shape[1] / 44100 - 12) <= 2
    assert "audio/mpeg" in recording._repr_html_() and recording.stems
