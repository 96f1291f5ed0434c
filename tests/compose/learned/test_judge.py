"""A network in the place of chance: what it judges, and that the style book's rules hold whatever it says."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from tiny_composer import tiny_composer

from songwright.brief.brief import Brief
from songwright.compose.arrange.context import Performance
from songwright.compose.arrange.takes import best_of
from songwright.compose.compose import compose_song, instrumental_draft, style_of
from songwright.compose.judges import Judges
from songwright.compose.learned.judge import judge, sketch
from songwright.compose.learned.takes import LearnedHarmony, LearnedTakes, costs
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.piece import index_piece
from songwright.compose.tokens.vocabulary import HARMONY, VALUE
from songwright.score.song import Note, Track, check

BRIEF = Brief(styles=("rock",), seed=4, instrumental=True, duration_seconds=45.0)


@pytest.fixture(scope="module")
def model():
    return tiny_composer()


@pytest.fixture(scope="module")
def draft():
    return instrumental_draft(BRIEF, style_of(BRIEF))


@pytest.fixture(scope="module")
def song(draft):
    return sketch(draft.plan, style_of(BRIEF), draft.chords, draft.tracks)


def test_every_event_is_counted_once_whatever_the_windows(model, song):
    piece = index_piece(encode(song).codes)
    track = next(t for t in song.tracks if t.role == "bass")
    (judged,) = judge(model, [song], track.id)
    place = next(i for i, part in enumerate(piece.parts) if _role(part) == "bass")
    written = piece.lengths[place] - (piece.lengths[place] > 0)
    assert (judged.events == written + 1).all()  # the end of every bar is an event too
    assert (judged.nats > 0).all()


def _role(part):
    from songwright.compose.tokens.vocabulary import ROLES

    return ROLES[part.role]


def test_bars_that_are_not_asked_for_are_not_judged(model, song):
    (judged,) = judge(model, [song], HARMONY, [2, 3])
    assert np.flatnonzero(judged.events).tolist() == [2, 3]


def test_what_is_played_later_changes_nothing_before(model, song):
    track = next(t for t in song.tracks if t.role == "bass")
    half = song.duration_ticks // 2
    other = replace(
        track, notes=tuple(replace(n, pitch=n.pitch + 1) if n.start_ticks >= half else n for n in track.notes)
    )
    changed = replace(song, tracks=tuple(other if t is track else t for t in song.tracks))
    one, two = judge(model, [song, changed], track.id)
    bars = len(one.nats) // 2
    assert np.allclose(one.nats[: bars - 1], two.nats[: bars - 1], atol=1e-4)
    assert not np.allclose(one.nats[bars:], two.nats[bars:], atol=1e-2)


class _Likes:
    """Prefers one take everywhere, or another in each group."""

    takes, kinds = 3, ("bass",)

    def __init__(self, *wanted):
        self.wanted = wanted

    def choose(self, plan, style, chords, others, takes, groups):
        return [self.wanted[i % len(self.wanted)] for i in range(len(groups))]


def test_a_performance_is_spliced_at_sections(draft):
    bar = draft.plan.bar_ticks
    takes = [Performance(tuple(Note(b * bar, bar, 40 + i, 80) for b in range(draft.plan.num_bars))) for i in range(3)]
    track = Track("bass", "bass", "finger_bass")
    whole = best_of(_Likes(2), draft.plan, None, draft.chords, [], track, takes)
    assert whole == takes[2]
    mixed = best_of(_Likes(0, 1), draft.plan, None, draft.chords, [], track, takes)
    roles = list(dict.fromkeys(s.role for s in draft.plan.sections))
    for note, section in ((n, s) for s in draft.plan.sections for n in mixed.notes if _inside(draft.plan, s, n)):
        assert note.pitch == 40 + roles.index(section.role) % 2
    assert len(mixed.notes) == draft.plan.num_bars


def _inside(plan, section, note):
    return plan.start_ticks(section) <= note.start_ticks < plan.end_ticks(section)


def test_chords_are_judged_by_what_the_rest_of_the_song_adds(model, song):
    bars = [8, 9]
    for role in ("bass", "chords"):
        track = next(t for t in song.tracks if t.role == role)
        alone = replace(song, chords=(), tracks=(track,))
        (beside,), (bare,) = (judge(model, [s], track.id, bars) for s in (song, alone))
        (cost,) = costs(model, [song], track.id, bars)
        assert cost == pytest.approx(beside.mean(bars) - (bare.mean(bars) if role == "chords" else 0.0), abs=1e-4)
        if role == "chords":  # what hears nothing else is explained by nothing else
            assert costs(model, [alone], track.id, bars) == pytest.approx([0.0], abs=1e-4)


def test_judged_songs_are_valid_and_the_same_again(model):
    judges = Judges(LearnedHarmony(model, 3), None, LearnedTakes(model, 3))
    song = compose_song(BRIEF, judges=judges)
    check(song)
    assert song.provenance["composer"] == "learned"
    assert song == compose_song(BRIEF, judges=judges)
    plain = compose_song(BRIEF)
    assert song.sections == plain.sections and [t.id for t in song.tracks] == [t.id for t in plain.tracks]


def test_the_likeliest_progression_is_taken(model, draft):
    style, section = style_of(BRIEF), draft.plan.sections[1]
    start, bar = draft.plan.start_ticks(section), draft.plan.bar_ticks
    spans = [c for c in draft.chords if start <= c.start_ticks < start + section.num_bars * bar]
    other = [replace(span, symbol="F#maj7") for span in spans]
    songs = [sketch(draft.plan, style, tuple(row)) for row in (spans, other)]
    bars = range(section.first_bar, section.first_bar + min(8, section.num_bars))
    costs = [found.mean(list(bars)) for found in judge(model, songs, HARMONY, bars, (VALUE,))]
    chosen = LearnedHarmony(model).choose(draft.plan, style, section, [tuple(spans), tuple(other)], len(bars))
    assert chosen == int(np.argmin(costs))
