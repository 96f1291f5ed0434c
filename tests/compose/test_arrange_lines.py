"""Token lines: what they mean, in time and in pitch."""

import itertools

import pytest

from songwright.compose.arrange.context import ChordTimeline, Context, LeadLine, Stint
from songwright.compose.arrange.lines import (
    Run,
    choose_runs,
    degree_interval,
    heard_chord,
    key_interval,
    lay_out,
    parse_token,
    steps_of_bar,
)
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Part, Pattern, load_style, style_names
from songwright.score.song import ChordSpan
from songwright.score.theory import Key, parse_chord

BAR = 3840
METERS = [(4, 4), (3, 4), (6, 8), (12, 8), (5, 4), (2, 4), (9, 8)]


def context_of(symbols, numerator=4, denominator=4, style="pop"):
    sections = (SectionPlan("Verse", "verse", 0, len(symbols), 0.5),)
    plan = SongPlan("t", style, 1, Key(0), 120.0, numerator, denominator, sections, tail_bars=0)
    bar = plan.bar_ticks
    chords = [ChordSpan(i * bar, bar, symbol) for i, symbol in enumerate(symbols)]
    return Context(plan, load_style(style), ChordTimeline(chords), LeadLine([]), 1)


@pytest.mark.parametrize("name", style_names())
def test_every_token_of_every_style_book_is_known(name):
    for part in load_style(name).part:
        for pattern in part.pattern:
            for token in pattern.tokens:
                assert token in ".-" or parse_token(token) is not None, f"{name}, {part.id}: '{token}'"


def test_tokens_have_symbols_and_marks():
    assert parse_token("b7,!") == ("b7", ",!")
    assert parse_token("1+3*") == ("1+3", "*")
    assert parse_token("*") == ("*", "")
    assert parse_token("<~") == ("<", "~")
    assert parse_token("h7?!x") is None


def test_holds_accents_and_octaves():
    context = context_of(["C", "C"])
    pattern = Pattern(grid=8, line="1! - - 5, . 8'* - b7?")
    events = lay_out(context, Run(pattern, 0, 2), 0)
    assert [(e.start, e.end, e.symbol) for e in events[:4]] == [
        (0, 1440, "1"), (1440, 1920, "5"), (2400, 3360, "8"), (3360, 3840, "b7"),
    ]  # fmt: skip
    assert events[0].accent
    assert events[1].octaves == -1
    assert events[2].octaves == 1 and events[2].staccato
    assert events[3].ghost
    assert events[4].start == BAR


def test_a_tie_over_the_bar_line_lengthens_the_note_before():
    events = lay_out(context_of(["C", "G"]), Run(Pattern(grid=4, line="1 . . 5 | - . 1 ."), 0, 2), 0)
    assert [(e.start, e.end) for e in events] == [(0, 960), (2880, BAR + 960), (BAR + 1920, BAR + 2880)]


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize(("own", "grid"), [("4/4", 16), ("4/4", 12), ("3/4", 6), ("12/8", 12), ("6/8", 6)])
def test_foreign_metres_keep_order_and_fill_the_bar(meter, own, grid):
    plan = context_of(["C"], *meter).plan
    rows = steps_of_bar(Pattern(meter=own, grid=grid, line=" ".join(["1"] * grid)), 0, plan)
    assert rows[0][0] == 0
    assert rows[-1][1] == plan.bar_ticks
    assert all(a[1] == b[0] and a[0] < a[1] for a, b in itertools.pairwise(rows))


def test_twos_become_a_shuffle_in_compound_time():
    plan = context_of(["C"], 6, 8).plan
    starts = [start for start, _, _ in steps_of_bar(Pattern(grid=8, line="1 5 1 5 1 5 1 5"), 0, plan)]
    assert starts == [0, 960, 1440, 2400]


def test_a_note_held_into_the_next_chord_anticipates_it():
    context = context_of(["C", "F"])
    pushed, held = lay_out(context, Run(Pattern(grid=8, line="1 - - - - - - x | - . . . . . . ."), 0, 2), 0)[::-1]
    assert heard_chord(context, pushed)[0] == parse_chord("F")
    assert heard_chord(context, held)[0] == parse_chord("C")


def test_degrees_follow_chord_and_key():
    c = Key(0)
    expected = {"1": 0, "3": 3, "5": 7, "7": 10, "8": 12, "9": 14, "b3": 3, "#4": 6, "b7": 10, "10": 15}
    assert {s: degree_interval(s, parse_chord("Am7"), c) for s in expected} == expected
    assert degree_interval("7", parse_chord("C"), c) == 11
    assert degree_interval("3", parse_chord("Gsus4"), c) == 5
    assert degree_interval("2", parse_chord("Em"), c) == 1
    assert degree_interval("x", parse_chord("C"), c) is None
    assert key_interval("3", Key(9, "minor")) == 3
    assert key_interval("b3", c) == 3


def test_repeats_of_a_role_play_the_same_figure_and_only_fitting_patterns():
    patterns = tuple(
        Pattern(energy=(low, low + 0.5), grid=4, line=f"{n} . . .") for n, low in ((1, 0.0), (3, 0.0), (5, 0.5))
    )
    part = Part("bass", "bass", ("electric_bass_finger",), pattern=patterns)
    sections = tuple(SectionPlan(f"Verse {i}", "verse", 8 * i, 8, 0.4, occurrence=i) for i in range(3))
    plan = SongPlan("t", "pop", 1, Key(0), 120.0, 4, 4, (*sections, SectionPlan("Chorus", "chorus", 24, 8, 0.9)))
    context = Context(plan, load_style("pop"), ChordTimeline([]), LeadLine([]), 1)
    chosen = []
    for section in plan.sections:
        stint = Stint(section, section.energy, section.first_bar, section.first_bar + 8)
        chosen.append([run.pattern.line for run in choose_runs(context, part, stint)])
    assert chosen[0] == chosen[1] == chosen[2] != chosen[3]
    assert chosen[3] == ["5 . . ."]


def test_variations_come_at_phrase_ends_only():
    base = Pattern(grid=4, line="1 . . .")
    rare = Pattern(grid=4, line="1 . 5 .", probability=0.99)
    part = Part("bass", "bass", ("electric_bass_finger",), pattern=(base, rare))
    context = context_of(["C"] * 16)
    stint = Stint(context.plan.sections[0], 0.5, 0, 16)
    bars = {run.first_bar for run in choose_runs(context, part, stint) if run.pattern is rare}
    assert bars and all(bar % 4 == 3 for bar in bars)
