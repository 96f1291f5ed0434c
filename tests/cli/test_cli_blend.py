"""`songwright blend` from its command line: the ends byte for byte, a score between, and one line where it cannot."""

import json

import pytest

from songwright.cli.main import main
from songwright.score.midi import to_midi_bytes
from songwright.score.read import read_score
from songwright.score.song import ChordSpan, KeyChange, MeterChange, Note, Song, Track, to_json

BAR = 3840


def song(title, pitches, chord, key, **more):
    tune = tuple(Note(i * 960, 960, pitches[i % len(pitches)], 80) for i in range(16))
    bass = tuple(Note(i * BAR, BAR, pitches[0] - 24, 90) for i in range(4))
    tracks = (Track("lead", "melody", "flute", notes=tune), Track("bass", "bass", "electric_bass_finger", notes=bass))
    chords = tuple(ChordSpan(i * BAR, BAR, chord) for i in range(4))
    return Song(title=title, duration_ticks=4 * BAR, keys=(KeyChange(0, key),), chords=chords, tracks=tracks, **more)


@pytest.fixture
def files(tmp_path):
    """Two songs and one in another metre."""
    songs = {
        "day": song("Day", (72, 76, 79, 76), "C", "C major"),
        "night": song("Night", (69, 73, 76, 81), "A", "A major"),
        "waltz": song("Waltz", (69, 73, 76), "A", "A major", meters=(MeterChange(0, 3, 4),)),
    }
    for name, made in songs.items():
        (tmp_path / f"{name}.json").write_text(to_json(made), encoding="utf-8")
    return {name: str(tmp_path / f"{name}.json") for name in songs}


def test_a_score_between_two_songs(files, tmp_path, capsys):
    out = tmp_path / "between"
    assert main(["blend", files["day"], files["night"], "--mix", "0.4", "-o", str(out), "--score-only"]) == 0
    assert str(out / "song.json") in capsys.readouterr().out
    made = read_score(out)
    assert made.title == "Day / Night" and made.provenance["blend"] == {"songs": ["Day", "Night"], "mix": 0.4}
    assert (out / "score.mid").is_file()
    again = tmp_path / "again"
    assert main(["blend", files["day"], files["night"], "--mix", "0.4", "-o", str(again), "--score-only", "-q"]) == 0
    assert (again / "song.json").read_bytes() == (out / "song.json").read_bytes()


@pytest.mark.parametrize(("mix", "name"), [("0", "day"), ("1", "night")])
def test_the_ends_are_the_scores_byte_for_byte(files, tmp_path, mix, name):
    out = tmp_path / "end"
    assert main(["blend", files["day"], files["night"], "--mix", mix, "-o", str(out), "--score-only", "-q"]) == 0
    assert (out / "song.json").read_bytes() == (tmp_path / f"{name}.json").read_bytes()


def test_midi_goes_in_too_under_the_name_of_its_file(files, tmp_path):
    path = tmp_path / "dusk.mid"
    path.write_bytes(to_midi_bytes(read_score(tmp_path / "day.json")))
    out = tmp_path / "from-midi"
    assert main(["blend", str(path), files["night"], "-o", str(out), "--score-only", "-q"]) == 0
    assert "Night" in json.loads((out / "song.json").read_text())["title"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("day", "waltz"), "'Day' is in 4/4, 'Waltz' in 3/4"),
        (("day", "night", "--mix", "1.5"), "--mix 1.5: expected a number from 0"),
        (("day", "nowhere.json"), "nowhere.json is not there"),
    ],
)
def test_what_cannot_be_is_one_line(files, tmp_path, capsys, arguments, said):
    names = [files.get(argument, argument) for argument in arguments]
    assert main(["blend", *names, "-o", str(tmp_path / "none"), "--score-only", "-q"]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not (tmp_path / "none").exists()
