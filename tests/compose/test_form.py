import pytest

from songwright.brief.brief import Brief
from songwright.compose.form import plan_form
from songwright.compose.style import load_style, style_names
from songwright.errors import InputError
from songwright.score.song import RING_SECONDS
from songwright.score.theory import parse_key


def seconds(plan):
    return plan.num_bars * plan.bar_ticks / 960 * 60 / plan.tempo_bpm + RING_SECONDS


@pytest.mark.parametrize("name", style_names())
@pytest.mark.parametrize("asked", [10.0, 45.0, 90.0, 180.0, 400.0, 900.0])
def test_length_is_met(name, asked):
    style = load_style(name)
    free = plan_form(Brief(seed=3).with_said(duration_seconds=asked), style)
    slowdown = 2.0 if style.devices.ending == "ritardando" else 0.0
    assert abs(seconds(free) - asked) <= 2.0 + slowdown
    if asked >= 45:
        assert style.tempo_bpm[0] - 1 <= free.tempo_bpm <= style.tempo_bpm[2] + 1
    tempo = style.tempo_bpm[1] + 0.5
    fixed = plan_form(Brief(seed=3).with_said(duration_seconds=asked, tempo_bpm=tempo), style)
    bar = fixed.bar_ticks / 960 * 60 / tempo
    assert fixed.tempo_bpm == tempo
    assert abs(seconds(fixed) - asked) <= max(2.0, bar / 2) + slowdown


@pytest.mark.parametrize("name", style_names())
def test_sections_follow_each_other(name):
    for seed in range(4):
        plan = plan_form(Brief(seed=seed), load_style(name))
        bar = 0
        for section in plan.sections:
            assert section.first_bar == bar and section.num_bars >= 1 and 0 <= section.energy <= 1
            bar += section.num_bars
        assert len({s.label for s in plan.sections}) == len(plan.sections)
        assert [s.role for s in plan.sections if s.is_last].count(plan.sections[-1].role) == 1


def test_a_verse_leads_to_the_first_chorus_in_songs_of_usual_length():
    for asked in (60.0, 90.0, 150.0, 210.0):
        roles = [s.role for s in plan_form(Brief().with_said(duration_seconds=asked), load_style("disco")).sections]
        assert "verse" in roles[: roles.index("chorus")]


def test_what_was_said_is_kept():
    brief = Brief(seed=5).with_said(
        key="F# minor", meter="3/4", form=("verse", "chorus", "verse", "chorus"), tempo_bpm=99.0
    )
    plan = plan_form(brief, load_style("disco"))
    assert plan.key == parse_key("F# minor") and plan.tempo_bpm == 99.0 and (plan.numerator, plan.denominator) == (3, 4)
    assert [s.role for s in plan.sections][:2] == ["verse", "chorus"]
    assert all(s.key_shift == 0 for s in plan.sections)


def test_mode_alone_chooses_a_tonic():
    for seed in range(6):
        assert plan_form(Brief(seed=seed).with_said(key="major"), load_style("disco")).key.mode == "major"


def test_mood_leans_the_mode():
    style = load_style("disco")
    dark = sum(plan_form(Brief(seed=s, moods=("sad", "dark")), style).key.is_minor for s in range(40))
    bright = sum(plan_form(Brief(seed=s, moods=("happy", "bright")), style).key.is_minor for s in range(40))
    assert dark > bright + 10


def test_same_brief_same_plan():
    style = load_style("disco")
    assert plan_form(Brief(seed=9), style) == plan_form(Brief(seed=9), style)
    assert len({plan_form(Brief(seed=s), style).tempo_bpm for s in range(9)}) > 3


@pytest.mark.parametrize("meter", ["5", "4/3", "0/4", "a/b", "99/4"])
def test_impossible_metres(meter):
    with pytest.raises(InputError, match="metre"):
        plan_form(Brief().with_said(meter=meter), load_style("disco"))
