"""songwright accompany and restyle: files in, a song's folder out; one line for what cannot be."""

import pytest

from songwright.cli.main import main
from songwright.compose.learned import composer
from songwright.score.midi import to_midi_bytes
from songwright.score.song import ChordSpan, KeyChange, Note, Song, TempoChange, Track, from_json, to_json

BAR = 3840


@pytest.fixture(autouse=True)
def no_composer(monkeypatch, tmp_path):
    """The commands do without a network, whether one is shipped or not."""
    monkeypatch.setattr(composer, "SHIPPED", tmp_path / "nowhere")


@pytest.fixture
def tune(tmp_path):
    pitches = (60, 62, 64, 67, 69, 67, 64, 62)
    notes = tuple(Note(i * 960, 900, pitches[i % 8 if i < 60 else 0], 80) for i in range(64))
    song = Song(
        title="Walk",
        duration_ticks=16 * BAR,
        tempos=(TempoChange(0, 96.0),),
        keys=(KeyChange(0, "C major"),),
        tracks=(Track("tune", "melody", "flute", name="Melody", notes=notes),),
    )
    (tmp_path / "tune.mid").write_bytes(to_midi_bytes(song))
    return tmp_path / "tune.mid"


def made(folder):
    return from_json((folder / "song.json").read_text(encoding="utf-8"))


def test_a_midi_file_gets_a_band(tune, tmp_path, capsys):
    folder = tmp_path / "out"
    command = ["accompany", str(tune), "--style", "reggae", "--score-only", "-o", str(folder), "--intro", "2"]
    assert main(command) == 0, capsys.readouterr().err
    song = made(folder)
    assert song.style == "reggae"
    assert {"bass", "drums"} <= {track.role for track in song.tracks}
    lead = next(track for track in song.tracks if track.role == "melody")
    assert [n.start_ticks for n in lead.notes][:2] == [2 * BAR, 2 * BAR + 960]
    assert (folder / "score.mid").is_file()
    told = song.provenance["edits"][-1]
    assert (told["edit"], told["style"], told["intro"]) == ("accompany", "reggae", 2)


def test_a_song_in_another_style(tune, tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["accompany", str(tune), "--style", "folk", "--score-only", "-o", str(first)]) == 0
    command = ["restyle", str(first / "song.json"), "--style", "reggae", "--score-only", "-o", str(second)]
    assert main(command) == 0, capsys.readouterr().err
    before, after = made(first), made(second)
    lead = next(track for track in before.tracks if track.role == "melody")
    assert after.track(lead.id) == lead
    assert after.tempos == before.tempos
    assert [edit["edit"] for edit in after.provenance["edits"]] == ["accompany", "restyle"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["accompany", "--style", "raggae"], "unknown style 'raggae'; nearest: reggae"),
        (["accompany", "--style", "reggae", "--tune", "oboe"], "no track 'oboe' here"),
        (["accompany", "--style", "reggae", "--intro", "99"], "intro of 99 bars: expected 0 to 32"),
        (["accompany", "--style", "reggae", "--tempo", "3"], "--tempo 3"),
        (["accompany", "--style", "reggae", "--key", "H dur"], "H dur"),
        (["restyle"], "neither --style nor --like"),
        (["restyle", "--like", "nothing.mid"], "nothing.mid is not there"),
    ],
)
def test_one_line_for_what_cannot_be(tune, tmp_path, capsys, command, message):
    code = main([command[0], str(tune), *command[1:], "--score-only", "-o", str(tmp_path / "out")])
    error = capsys.readouterr().err
    assert code == 2
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_like_needs_a_composer(tune, tmp_path, capsys):
    assert main(["restyle", str(tune), "--like", str(tune), "--score-only", "-o", str(tmp_path / "out")]) == 2
    assert "no learned composer" in capsys.readouterr().err


def test_a_file_without_a_tune(tmp_path, capsys):
    kit = Track("kit", "drums", "standard_kit", notes=(Note(0, 240, 36, 80),))
    song = Song(duration_ticks=BAR, chords=(ChordSpan(0, BAR, "C"),), tracks=(kit,))
    (tmp_path / "song.json").write_text(to_json(song), encoding="utf-8")
    assert main(["accompany", str(tmp_path / "song.json"), "--style", "pop", "--score-only"]) == 2
    assert "no tune in this file" in capsys.readouterr().err
