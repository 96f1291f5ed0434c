"""A plan read back from a score is the plan that it was composed from."""

from dataclasses import replace

import pytest

from songwright.brief.brief import Brief
from songwright.compose.compose import assemble, instrumental_draft, style_of, sung_draft
from songwright.compose.plan_of_song import plan_of, vocals_of
from songwright.errors import InputError
from songwright.score.song import (
    KeyChange,
    MeterChange,
    Note,
    Section,
    Song,
    Syllable,
    Track,
    from_json,
    to_json,
)


def composed(style, seed, *, sung=False, seconds=60.0):
    brief = Brief(styles=(style,), seed=seed, duration_seconds=seconds, instrumental=not sung, subject="the sea")
    book = style_of(brief)
    draft = (sung_draft if sung else instrumental_draft)(brief, book)
    return draft, from_json(to_json(assemble(draft, book, brief)))


@pytest.mark.parametrize(
    ("style", "seed", "seconds"),
    [("jazz", 1, 60.0), ("waltz", 2, 90.0), ("techno", 3, 60.0), ("blues", 4, 60.0), ("classical", 6, 60.0)],
)
def test_the_plan_of_an_instrumental_song(style, seed, seconds):
    draft, song = composed(style, seed, seconds=seconds)
    assert plan_of(song) == replace(draft.plan, density=1.0)
    assert vocals_of(song, plan_of(song)) is None


def test_the_plan_of_a_song_that_is_lifted_in_its_last_chorus():
    lifted = [composed("pop", seed, seconds=150.0) for seed in (2, 5, 6, 7)]
    assert any(section.key_shift for draft, _ in lifted for section in draft.plan.sections)
    for draft, song in lifted:
        assert plan_of(song) == replace(draft.plan, density=1.0)


def test_the_plan_and_the_lines_of_a_sung_song():
    draft, song = composed("rock", 4, sung=True)
    plan = plan_of(song)
    assert plan == replace(draft.plan, density=1.0)
    vocals = vocals_of(song, plan)
    assert (vocals.singer, vocals.voice_type) == (draft.vocals.singer, draft.vocals.voice_type)
    assert [line.start_ticks for line in vocals.lines] == [line.start_ticks for line in draft.vocals.lines]
    assert [line.role for line in vocals.lines] == [line.role for line in draft.vocals.lines]
    assert tuple(note for line in vocals.lines for note in line.notes) == song.track("vocal_lead").notes
    lead = song.track("vocal_lead")
    assert all(any(note is own for own in lead.notes) for line in vocals.lines for note in line.notes)


def test_the_style_of_a_plan_may_be_another():
    _, song = composed("jazz", 1)
    assert plan_of(song, style="rock").style == "rock"


def bare(**changes):
    notes = tuple(Note(i * 960, 900, 60 + i % 5, 80) for i in range(32))
    return replace(Song(duration_ticks=32 * 960, tracks=(Track("tune", "melody", "flute", notes=notes),)), **changes)


def test_sections_of_others_are_brought_to_bar_lines():
    sections = (Section("A", "verse", 100, 9000, 0.5), Section("B", "chorus", 11500, 10000, 0.8))
    plan = plan_of(bare(sections=sections))
    assert [(s.first_bar, s.num_bars) for s in plan.sections] == [(0, 3), (3, 5)]


def test_relative_keys_are_no_lift():
    sections = (Section("A", "verse", 0, 15360, 0.5), Section("B", "chorus", 15360, 15360, 0.8))
    keys = (KeyChange(0, "C major"), KeyChange(15360, "A minor"))
    assert [s.key_shift for s in plan_of(bare(sections=sections, keys=keys)).sections] == [0, 0]
    keys = (KeyChange(0, "C major"), KeyChange(15360, "B major"))
    assert [s.key_shift for s in plan_of(bare(sections=sections, keys=keys)).sections] == [0, -1]


def test_a_line_ends_where_the_voice_rests_for_a_bar():
    notes = tuple(Note(t * 960, 900, 60, 80, 0, i) for i, t in enumerate((0, 1, 2, 8, 9)))
    song = bare(
        tracks=(Track("v", "vocal", "voice", notes=notes),),
        syllables=tuple(Syllable(i, "la") for i in range(5)),
        sections=(Section("A", "verse", 0, 30720, 0.5),),
    )
    lines = vocals_of(song, plan_of(song)).lines
    assert [len(line.notes) for line in lines] == [3, 2]
    assert lines[0].room_ticks == lines[1].start_ticks
    assert lines[1].room_ticks == song.duration_ticks


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "no sections"),
        ({"meters": (MeterChange(0, 4, 4), MeterChange(7680, 3, 4))}, "changes from 4/4 to 3/4 at bar 3"),
    ],
)
def test_what_has_no_plan(changes, message):
    with pytest.raises(InputError, match=message):
        plan_of(bare(**changes))
