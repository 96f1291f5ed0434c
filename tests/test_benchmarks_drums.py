"""Drum parts are compared fairly: same forms and fills, strokes counted by section, a style's own drummers."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import learned_drums as drums
from drum_classifier import Performance
from songwright.compose.style import load_style
from songwright.score.song import Note


class AsWritten:
    """A drummer who plays the book's grooves."""

    def play(self, plan, style, part, grooves, *, seed):
        return [groove.bars for groove in grooves]


def test_a_drummer_who_plays_the_book_changes_nothing():
    style = load_style("rock")
    plan, book, _ = drums.drum_track(style, 3, None)
    again, played, _ = drums.drum_track(style, 3, AsWritten())
    assert again == plan and played == book


def test_strokes_of_choruses_for_those_of_verses():
    plan, track, _ = drums.drum_track(load_style("rock"), 1, None)
    strokes = {"verse": 2, "chorus": 5}
    notes = [
        Note(plan.start_ticks(s) + b * plan.bar_ticks + i, 1, 36, 90)
        for s in plan.sections
        for b in range(s.num_bars)
        for i in range(strokes.get(s.role, 0))
    ]
    assert drums.lift(plan, replace(track, notes=tuple(notes))) == pytest.approx(2.5)


def test_few_people_of_validation_are_joined_by_those_of_training():
    style = load_style("rock")
    people = [Performance("rock", split, [split]) for split in ("train", "validation", "validation", "validation")]
    assert drums.drummers_of(style, people) == ["validation"] * 3
    assert drums.drummers_of(style, people[:3]) == ["train", "validation", "validation"]
    assert drums.drummers_of(load_style("funk"), people) == []
