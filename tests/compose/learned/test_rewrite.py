"""An edit changes what it was asked to change, and nothing else."""

from dataclasses import replace

import pytest

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.learned.feel import Feel
from songwright.compose.learned.grammar import PartRules
from songwright.compose.learned.rewrite import Task, bar_lines, rewrite, with_chords
from songwright.compose.tokens.vocabulary import HARMONY
from songwright.errors import InputError
from songwright.score.song import ChordSpan, MeterChange, Note, Track, check

pytest.importorskip("torch")

import itertools

from tiny_composer import tiny_composer


@pytest.fixture(scope="module")
def model():
    return tiny_composer()


@pytest.fixture(scope="module")
def song():
    return compose_song(Brief(styles=("funk",), seed=4))


def track(song, name):
    return next(t for t in song.tracks if t.id == name)


def test_only_the_named_tracks_and_bars_change(model, song):
    names = [t.id for t in song.tracks if t.role in ("bass", "drums")]
    lines = bar_lines(song)
    made = rewrite(song, Task(tuple(names), 8, 11, candidates=2), model, seed=1)
    check(made)
    for old, new in zip(song.tracks, made.tracks, strict=True):
        if old.id not in names:
            assert new is old
            continue
        outside = [n for n in old.notes if not lines[8] <= n.start_ticks < lines[11]]
        kept = [n for n in new.notes if not lines[8] <= n.start_ticks < lines[11]]
        assert all(a is b for a, b in zip(outside, kept, strict=True))
        assert [n for n in new.notes if lines[8] <= n.start_ticks < lines[11]] != [
            n for n in old.notes if lines[8] <= n.start_ticks < lines[11]
        ]
    assert replace(made, tracks=song.tracks) == song


def test_new_notes_stay_in_the_range_of_the_track_and_one_at_a_time(model, song):
    bass = next(t for t in song.tracks if t.role == "bass")
    lines = bar_lines(song)
    made = track(rewrite(song, Task((bass.id,), 4, 14, candidates=1), model, seed=2), bass.id)
    new = [n for n in made.notes if lines[4] <= n.start_ticks < lines[14]]
    assert new
    assert min(n.pitch for n in bass.notes) <= min(n.pitch for n in new)
    assert max(n.pitch for n in new) <= max(n.pitch for n in bass.notes)
    assert all(a.end_ticks <= b.start_ticks for a, b in itertools.pairwise(new))


def test_a_tune_may_keep_its_rhythm_and_its_words(model, song):
    vocal = next(t for t in song.tracks if t.role == "vocal")
    first = next(i for i, line in enumerate(bar_lines(song)) if line > vocal.notes[0].start_ticks)
    made = track(rewrite(song, Task((vocal.id,), first, first + 8, keep_rhythm=True), model, seed=1), vocal.id)
    assert [replace(n, pitch=0) for n in made.notes] == [replace(n, pitch=0) for n in vocal.notes]
    assert made.notes != vocal.notes
    assert {n.pitch for n in made.notes} <= set(range(min(n.pitch for n in vocal.notes), 128))


def test_chords_alone(model, song):
    lines = bar_lines(song)
    made = rewrite(song, Task((HARMONY,), 8, 12, candidates=1), model, seed=3)
    check(made)
    assert made.tracks == song.tracks
    assert made.chords != song.chords
    assert [c for c in made.chords if c.end_ticks <= lines[8]] == [c for c in song.chords if c.end_ticks <= lines[8]]


def test_the_same_seed_writes_the_same(model, song):
    bass = next(t.id for t in song.tracks if t.role == "bass")
    task = Task((bass,), 8, 10, rules={bass: PartRules(28, 50, least=(3,) * 32)}, candidates=2)
    assert rewrite(song, task, model, seed=5) == rewrite(song, task, model, seed=5)
    assert rewrite(song, task, model, seed=5) != rewrite(song, task, model, seed=6)


def test_the_end_of_the_song_may_be_rewritten(model, song):
    bars = len(bar_lines(song)) - 1
    drums = next(t.id for t in song.tracks if t.role == "drums")
    check(rewrite(song, Task((drums,), bars - 2, bars, candidates=1), model, seed=1))


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (Task(("tuba",), 0, 4), "there is no track 'tuba'"),
        (Task((HARMONY,), 0, 900), "bars 1 to 900 are not in the song"),
        (Task((HARMONY,), 4, 4), "are not in the song"),
    ],
)
def test_wrong_wishes_are_told(model, song, task, message):
    with pytest.raises(InputError, match=message):
        rewrite(song, task, model, seed=1)


def test_chords_are_cut_at_the_borders():
    old = [ChordSpan(0, 4000, "C"), ChordSpan(4000, 4000, "F")]
    made = with_chords(old, [ChordSpan(0, 9000, "G")], 2000, 6000)
    assert made == (ChordSpan(0, 2000, "C"), ChordSpan(2000, 4000, "G"), ChordSpan(6000, 2000, "F"))


def test_bar_lines_follow_the_metre(song):
    odd = replace(song, meters=(MeterChange(0, 3, 4), MeterChange(5760, 7, 8)), duration_ticks=5760 + 3360 * 2)
    assert bar_lines(odd) == [0, 2880, 5760, 9120, 12480]


def test_new_notes_are_as_late_as_the_others(song):
    late = Track("x", "bass", "acid_bass", notes=(Note(480, 100, 40, 90, 30), Note(1440, 100, 40, 90, 30)))
    feel = Feel(replace(song, tracks=(late,)))
    assert feel.played(Note(3360, 100, 40, 90), late).offset_ticks == 30
    assert Feel(replace(song, tracks=(), swing=1.0)).played(Note(480, 100, 40, 90), late).offset_ticks == 160
