"""What is judged of a tune, and that a network which knows the tune finds it likelier."""

from dataclasses import replace

import numpy as np
import pytest

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.learned.critic_likelihood import judged_bars, tune_likelihood, tune_of
from songwright.compose.tokens.vocabulary import KIND, VALUE, Kind
from songwright.score.song import Song


class Parrot:
    """A reader to whom even pitches cost 1 nat and odd ones 3, everything else nothing."""

    max_steps = 640

    def __init__(self):
        self.events = 0

    def nats(self, codes, features, mask):
        found = np.zeros(codes.shape)
        notes = (codes[:, KIND] == Kind.NOTE) & mask[:, VALUE]
        found[:, VALUE] = np.where(notes, np.where(codes[:, VALUE] % 2 == 0, 1.0, 3.0), 0.0)
        self.events += codes.shape[0] * codes.shape[2]
        return found


@pytest.fixture(scope="module")
def song():
    return compose_song(Brief(styles=("pop",), seed=3, instrumental=True))


def with_tune(song, change):
    tracks = [replace(t, notes=tuple(map(change, t.notes))) if t.role == "melody" else t for t in song.tracks]
    return replace(song, tracks=tuple(tracks))


def test_the_likelier_tune_has_the_higher_value(song):
    same = with_tune(song, lambda n: replace(n, pitch=n.pitch // 2 * 2))
    other = with_tune(song, lambda n: replace(n, pitch=n.pitch // 2 * 2 + 1))
    found = sorted(tune_likelihood(Parrot(), s) for s in (same, other))
    assert found[1] == pytest.approx(found[0] / 3) and found[1] < 0


def test_only_tune_chords_and_form_are_heard(song):
    bare = replace(song, tracks=tuple(t for t in song.tracks if t.role == "melody"))
    readers = Parrot(), Parrot()
    assert tune_likelihood(readers[0], song) == tune_likelihood(readers[1], bare)
    assert readers[0].events == readers[1].events


def test_the_beginning_and_the_chorus_are_judged(song):
    tune = tune_of(song)
    bars = judged_bars(song, tune)
    chorus = next(s for s in song.sections if s.role == "chorus")
    assert len(bars) == 16 and bars == sorted(set(bars))
    assert any(chorus.start_ticks <= song.bar_starts()[b] < chorus.end_ticks for b in bars)
    assert song.bar_starts()[bars[0]] <= tune.notes[0].start_ticks < song.bar_starts()[bars[0] + 1]


def test_without_a_tune_nothing_is_said(song):
    drums = replace(song, tracks=tuple(t for t in song.tracks if t.role == "drums"))
    assert tune_likelihood(Parrot(), drums) is None and tune_likelihood(Parrot(), Song()) is None
