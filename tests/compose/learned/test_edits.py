"""Going on, varying, filling and harmonising touch what they are asked to touch."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from songwright.brief.brief import Brief
from songwright.cli.main import main
from songwright.compose.compose import compose_song
from songwright.compose.learned.edits import continued, filled, harmonised, runs, varied
from songwright.compose.learned.rewrite import bar_lines
from songwright.errors import InputError
from songwright.score.song import Note, Song, Track, check, from_json, to_json

pytest.importorskip("torch")
pytest.importorskip("onnx")

from tiny_composer import tiny_composer

from songwright.compose.tokens.vocabulary import vocabulary_hash
from songwright.training.checkpoint import save_model
from songwright.training.weights import model_tensors, to_arrays


@pytest.fixture(scope="module")
def model():
    return tiny_composer()


@pytest.fixture(scope="module")
def song():
    return compose_song(Brief(styles=("rock",), seed=4, duration_seconds=45.0))


def test_going_on_adds_bars_and_changes_nothing_before(model, song):
    made = continued(song, 3, model, seed=1, candidates=1)
    check(made)
    assert len(bar_lines(made)) == len(bar_lines(song)) + 3
    assert made.sections[:-1] == song.sections
    assert made.sections[-1].label == "Continuation 1"
    for old, new in zip(song.tracks, made.tracks, strict=True):
        assert tuple(n for n in new.notes if n.start_ticks < song.duration_ticks) == old.notes
        if old.role == "vocal":
            assert new is old
    assert [c for c in made.chords if c.end_ticks <= song.duration_ticks] == list(song.chords)
    again = continued(made, 2, model, seed=1, candidates=1)
    assert again.sections[-1].label == "Continuation 2"


def test_a_bare_tune_goes_on_too(model):
    tune = Track("tune", "melody", "acoustic_piano", notes=tuple(Note(i * 960, 960, 60 + i % 5, 80) for i in range(16)))
    bare = Song(duration_ticks=16 * 960, tracks=(tune,))
    made = continued(bare, 2, model, seed=1, candidates=1)
    assert made.duration_ticks == 18 * 960 + 6 * 960
    assert made.tracks[0].notes[:16] == tune.notes


def test_varying_keeps_other_sections_and_all_words(model, song):
    section = next(s for s in song.sections if s.role == "chorus")
    made = varied(song, section.label, 0.5, model, seed=2, candidates=1)
    check(made)
    assert made.chords == song.chords
    for old, new in zip(song.tracks, made.tracks, strict=True):
        outside = [n for n in old.notes if not section.start_ticks <= n.start_ticks < section.end_ticks]
        assert [n for n in new.notes if not section.start_ticks <= n.start_ticks < section.end_ticks] == outside
        if old.role == "vocal":
            assert [replace(n, pitch=0) for n in new.notes] == [replace(n, pitch=0) for n in old.notes]
    assert made.tracks != song.tracks


def test_filling_by_role(model, song):
    made = filled(song, ["bass"], 4, 6, model, seed=3, candidates=1)
    assert [t.id for t, o in zip(made.tracks, song.tracks, strict=True) if t is not o] == [
        t.id for t in song.tracks if t.role == "bass"
    ]


def test_a_part_that_was_asked_for_plays_or_it_is_told(model, song, monkeypatch):
    """Whatever the network would have rest is written again; where nothing comes of it, that is said."""
    silent = {"attempts": 0, "until": 2}

    def written(song, groups, bars, model, seed, candidates, progress, must_play=False):
        assert must_play
        silent["attempts"] += 1
        empty = silent["attempts"] < silent["until"]
        bass = next(t for t in song.tracks if t.role == "bass")
        start = bar_lines(song)[bars[0]]
        kept = tuple(n for n in bass.notes if not start <= n.start_ticks < bar_lines(song)[bars[1]])
        return song.with_track(replace(bass, notes=kept if empty else (*kept, Note(start, 480, 40, 80))))

    monkeypatch.setattr("songwright.compose.learned.edits._written", written)
    made = filled(song, ["bass"], 4, 6, model, seed=3, candidates=1)
    assert silent["attempts"] == 2 and Note(bar_lines(song)[4], 480, 40, 80) in made.track("bass").notes
    silent.update(attempts=0, until=99)
    with pytest.raises(InputError, match=r"bass rested in bars 5 to 6 in all 4 attempts.*--seed"):
        filled(song, ["bass"], 4, 6, model, seed=3, candidates=1)
    assert silent["attempts"] == 4


def test_harmonising_writes_chords_over_the_whole_tune(model):
    tune = Track("tune", "melody", "acoustic_piano", notes=tuple(Note(i * 960, 960, 60 + i % 5, 80) for i in range(16)))
    made = harmonised(Song(duration_ticks=16 * 960, tracks=(tune,)), model, seed=1, candidates=2)
    check(made)
    assert made.tracks == (tune,)
    assert made.chords[0].start_ticks == 0
    assert made.chords[-1].end_ticks == made.duration_ticks


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda s, m: continued(s, 0, m, seed=1), "expected 1 to 256"),
        (lambda s, m: continued(Song(), 4, m, seed=1), "no music"),
        (lambda s, m: varied(s, "chorus", 0.0, m, seed=1), "above 0"),
        (lambda s, m: varied(s, "Chorus 99", 0.5, m, seed=1), "there is no section 'Chorus 99': this song has"),
        (lambda s, m: filled(s, ["tuba"], 0, 4, m, seed=1), "there is no track 'tuba'"),
        (lambda s, m: filled(s, ["vocal"], 0, 4, m, seed=1), "is sung"),
        (lambda s, m: harmonised(Song(), m, seed=1), "no tune"),
    ],
)
def test_wrong_wishes_are_told(model, song, edit, message):
    with pytest.raises(InputError, match=message):
        edit(song, model)


def test_neighbouring_bars_are_one_run():
    assert runs([1, 2, 5, 6, 7, 9]) == [(1, 3), (5, 8), (9, 10)]


@pytest.fixture(scope="module")
def composer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("composer")
    network = tiny_composer().model
    config = {"kind": "composer", "vocabulary_hash": vocabulary_hash(), "network": network.config.as_dict()}
    save_model(folder / "model", to_arrays(model_tensors(network)), config)
    assert main(["export", str(folder / "model"), "-o", str(folder / "exported")]) == 0
    return folder / "exported"


def test_the_commands(composer, song, tmp_path, capsys):
    (tmp_path / "song.json").write_text(to_json(song), encoding="utf-8")
    common = [str(tmp_path / "song.json"), "--composer", str(composer), "--score-only", "--candidates", "1"]
    for name, *flags in (["fill", "--tracks", "bass", "--bars", "5-6"], ["continue", "--bars", "1"]):
        assert main([name, *common, *flags, "-o", str(tmp_path / name)]) == 0, capsys.readouterr().err
        made = from_json((tmp_path / name / "song.json").read_text(encoding="utf-8"))
        assert made.provenance["edits"][0]["edit"] == name
        assert (tmp_path / name / "score.mid").is_file()


def test_composing_needs_no_torch(composer, song, tmp_path):
    (tmp_path / "song.json").write_text(to_json(song), encoding="utf-8")
    command = ["fill", str(tmp_path / "song.json"), "--tracks", "bass", "--bars", "5", "--composer", str(composer)]
    command += ["--score-only", "--candidates", "1", "-o", str(tmp_path / "made")]
    code = f"import sys; sys.modules['torch'] = None; from songwright.cli.main import main; sys.exit(main({command!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made" / "song.json").is_file()


@pytest.mark.parametrize("bars", ["0-4", "8-3", "a-b", "-3"])
def test_bars_that_are_no_bars(composer, song, tmp_path, capsys, bars):
    (tmp_path / "song.json").write_text(to_json(song), encoding="utf-8")
    assert main(["fill", str(tmp_path / "song.json"), "--tracks", "bass", f"--bars={bars}"]) == 2
    assert f"bars '{bars}'" in capsys.readouterr().err


def test_a_composer_of_another_language_is_refused(composer, song, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    for file in composer.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "vocabulary_hash": "0"}))
    (tmp_path / "song.json").write_text(to_json(song), encoding="utf-8")
    assert main(["harmonise", str(tmp_path / "song.json"), "--composer", str(other)]) == 2
    assert "event language" in capsys.readouterr().err
