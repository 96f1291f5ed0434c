"""The musicality table's columns: who is compared, that the critic chooses from the same songs, and the count."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import composers
import musicality
from songwright.evaluation.piece import from_song
from songwright.score.song import ChordSpan, Note, Song, Track

BAR = 3840


def little_song(seed, spread=4):
    """Returns eight bars of a tune around C over C, wider for a larger spread."""
    random = np.random.default_rng(seed)
    notes = tuple(Note(480 * i, 480, 72 + int(random.integers(-spread, spread + 1)), 90) for i in range(64))
    chords = (ChordSpan(0, 8 * BAR, "C"),)
    tracks = (Track("tune", "melody", "acoustic_piano", notes=notes),)
    return Song(style="pop", seed=seed, duration_ticks=8 * BAR, chords=chords, tracks=tracks)


@pytest.fixture
def table():
    real = {
        "a": [from_song(little_song(i)) for i in range(40)],
        "b": [from_song(little_song(100 + i)) for i in range(40)],
    }
    generated = {
        "statistical": [from_song(little_song(200 + i)) for i in range(20)],
        "learned": [from_song(little_song(300 + i, spread=24)) for i in range(20)],
    }
    return musicality.melodic_rows(real, generated)


def test_every_column_is_measured_against_the_same_noise(table, capsys):
    rows = {row.metric: row for row in table}
    row = rows["interval_distance"]
    assert set(row.cells) == {"statistical", "learned"} and row.real is None
    assert row.inside("statistical") and not row.inside("learned")
    assert rows["chord_tone_ratio"].cells["learned"].value is not None
    musicality.show("a table", table)
    said = capsys.readouterr().out
    assert "statistical" in said and "learned" in said and "!" in said


def test_rows_inside_are_counted_for_each_column(table, capsys):
    cells = {"statistical": musicality.Cell(1.0, 0.1), "learned": musicality.Cell(1.0, 0.5)}
    rows = [musicality.Row(str(n), "x", 1.0, 0.1, cells, 1.0, 1.0) for n in range(1, 10)]
    rows += [musicality.Row(n, "x", 1.0, 0.1, cells, 1.0, 1.0) for n in ("10a", "10b")]
    rows[-1] = replace(rows[-1], noise=0.01)
    musicality.count(rows)
    said = capsys.readouterr().out
    assert "statistical: inside twice the noise 9 of 10" in said and "learned: inside twice the noise 0 of 10" in said


def test_without_a_composer_its_columns_are_left_out_and_that_is_said(tmp_path, capsys):
    assert composers.composers(tmp_path) == [composers.Composer()]
    assert f"no learned composer lies in {tmp_path}" in capsys.readouterr().out
    (tmp_path / "config.json").write_text("{}")
    assert [one.name for one in composers.composers(tmp_path)] == ["statistical", "learned"]


def test_the_critic_chooses_from_songs_that_begin_with_the_one_without_it(monkeypatch):
    made = []

    def compose(brief, progress):
        made.append(brief.seed)
        return little_song(brief.seed % 1000)

    monkeypatch.setattr(composers, "answering", lambda composer: (compose, None))
    briefs = [composers.instrumental("pop", seed) for seed in (1, 2)]
    found = composers.columns(briefs, [composers.Composer()], candidates=3)
    assert set(found) == {"statistical", "statistical+critic"} and len(made) == 6
    assert found["statistical"] == [little_song(1), little_song(2)]
    assert set(composers.columns(briefs, [composers.Composer()], candidates=1)) == {"statistical"}
