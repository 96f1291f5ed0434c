"""The critic judges an edit where it is, in the edit's surroundings, and its word decides between likely candidates."""

from dataclasses import replace

import pytest

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.learned.critic import load_critic
from songwright.compose.learned.critic_edits import edit_score, excerpt
from songwright.compose.learned.rewrite import bar_lines
from songwright.score.song import KeyChange, MeterChange, check


@pytest.fixture(scope="module")
def song():
    return compose_song(Brief(styles=("pop",), seed=3, instrumental=True))


@pytest.fixture(scope="module")
def critic():
    return replace(load_critic(), nats=0.1)


def spoilt(song, low, high):
    """Returns the song with its tune a semitone off between two ticks."""

    def off(note):
        return replace(note, pitch=note.pitch + 1) if low <= note.start_ticks < high else note

    tracks = [replace(t, notes=tuple(map(off, t.notes))) if t.role == "melody" else t for t in song.tracks]
    return replace(song, tracks=tuple(tracks))


def test_a_candidate_that_is_off_scores_worse(song, critic):
    lines = bar_lines(song)
    score = edit_score(song, (16, 24), critic)
    good, bad = score(song, None), score(spoilt(song, lines[16], lines[24]), None)
    assert bad < good - 0.05


def test_what_lies_far_from_the_edit_does_not_matter(song, critic):
    lines = bar_lines(song)
    score = edit_score(song, (16, 24), critic)
    assert score(spoilt(song, lines[40], lines[48]), None) == score(song, None)


def test_the_program_s_own_critic_has_a_word(song):
    lines = bar_lines(song)
    score = edit_score(song, (16, 24))
    assert score(spoilt(song, lines[16], lines[24]), None) < score(song, None)


def test_an_excerpt_of_everything_is_judged_as_the_song(song, critic):
    whole = excerpt(song, 0, song.duration_ticks)
    assert critic.score(whole).total == pytest.approx(critic.score(song).total)


def test_an_excerpt_is_a_song_of_its_own(song):
    lines = bar_lines(song)
    song = replace(song, keys=(*song.keys, KeyChange(lines[30], "D major")))
    song = replace(song, meters=(MeterChange(0, 4, 4), MeterChange(lines[8], 2, 4)))
    part = excerpt(song, lines[20], lines[28])
    check(part)
    assert part.duration_ticks == lines[28] - lines[20]
    assert part.meters == (MeterChange(0, 2, 4),) and part.keys[0] == KeyChange(0, song.keys[0].key)
    assert part.sections[0].start_ticks == 0 and part.sections[-1].end_ticks == part.duration_ticks
    count = sum(lines[20] <= n.start_ticks < lines[28] for t in song.tracks for n in t.notes)
    assert sum(len(t.notes) for t in part.tracks) == count
