"""Properties of written drums: limbs, bars, joints, endings, metres, determinism."""

from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from songwright.compose.arrange.drum_patterns import fill_hits, fill_ticks, pattern_bars
from songwright.compose.arrange.drums import FEET, write_drums
from songwright.compose.arrange.percussion import write_percussion
from songwright.compose.arrange.transitions import joints, write_effects
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Pattern, Style, load_style, parse_style, style_names
from songwright.score.drums import DRUM_NAMES, DRUMS
from songwright.score.theory import parse_key

BOOK = """
title = "Test"
family = "rock"
tempo_bpm = [100, 120, 140]
modes = { major = 1.0 }
[feel]
groove_midi = "rock"
[harmony]
major = ["I"]
minor = ["i"]
chord_beats = { "4" = 1.0 }
loop_bars = { "4" = 1.0 }
[[form]]
sections = ["verse 8 0.5", "chorus 8 0.9"]
[devices]
transitions = ["fill", "riser", "reverse_swell"]
impacts = ["crash", "impact"]
[[part]]
id = "drums"
kind = "drums"
instruments = ["standard_kit"]
[[part.pattern]]
energy = [0.0, 0.6]
grid = 16
kick = "X... .... X... ...."
rim = ".... x... .... x..."
closed_hat = "x.o. x.o. x.o. x.o."
[[part.pattern]]
energy = [0.6, 1.0]
grid = 16
kick = "X... ..x. X... ..x."
snare = ".... X..g .... X..."
closed_hat = "xoxo xoxo xoxo xoxo"
ride = "x... x... x... x..."
high_tom = "x... x... x... x..."
[[part.pattern]]
fill = true
grid = 16
snare = "x.xf"
[[part.pattern]]
fill = true
grid = 16
snare = "xxxx rt.."
floor_tom = ".... ..XX"
[[part]]
id = "shaker"
kind = "percussion"
instruments = ["standard_kit"]
[[part.pattern]]
grid = 16
shaker = "xoxo xoxo xoxo xoxo"
[[part]]
id = "sweep"
kind = "effects"
instruments = ["noise_riser"]
register = [48, 72]
"""


def make_plan(
    meter: str = "4/4", *, rows=(("verse", 8, 0.45), ("chorus", 8, 0.9), ("verse", 8, 0.5), ("chorus", 8, 1.0))
):
    sections, bar, seen = [], 0, Counter()
    for index, (role, bars, energy) in enumerate(rows):
        last = all(r != role for r, _, _ in rows[index + 1 :])
        sections.append(SectionPlan(f"{role} {seen[role] + 1}", role, bar, bars, energy, seen[role], last))
        seen[role] += 1
        bar += bars
    numerator, denominator = map(int, meter.split("/"))
    return SongPlan("t", "test", 0, parse_key("C major"), 120.0, numerator, denominator, tuple(sections))


def everywhere(plan: SongPlan) -> dict[str, float]:
    return {s.label: s.energy for s in plan.sections}


@pytest.fixture(scope="module")
def style() -> Style:
    return parse_style("test", BOOK)


def hands_at(notes) -> dict[int, list[str]]:
    found = defaultdict(list)
    for n in notes:
        name = DRUM_NAMES[n.pitch]
        if name not in (*FEET, "clap", "tambourine", "cowbell"):
            found[n.start_ticks].append(name)
    return found


@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "12/8", "5/4", "7/8"])
def test_two_hands_are_enough_in_every_meter(style, meter):
    plan = make_plan(meter)
    notes = write_drums(plan, style, style.parts_of("drums")[0], everywhere(plan), seed=1)
    assert notes
    assert max(map(len, hands_at(notes).values())) <= 2
    assert all(0 <= n.start_ticks < plan.num_bars * plan.bar_ticks for n in notes)


@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "12/8"])
def test_every_bar_before_the_ring_is_played_and_begins_with_a_foot(style, meter):
    plan = make_plan(meter)
    notes = write_drums(plan, style, style.parts_of("drums")[0], everywhere(plan), seed=1)
    kicks = {n.start_ticks for n in notes if n.pitch == DRUMS["kick"]}
    assert all(bar * plan.bar_ticks in kicks for bar in range(plan.num_bars - 1))


def test_same_seed_same_notes_and_other_seed_other_notes(style):
    plan, part = make_plan(), parse_style("test", BOOK).parts_of("drums")[0]
    first = write_drums(plan, style, part, everywhere(plan), seed=3)
    assert first == write_drums(plan, style, part, everywhere(plan), seed=3)
    assert first != write_drums(plan, style, part, everywhere(plan), seed=4)
    assert list(first) == sorted(first, key=lambda n: (n.start_ticks, n.pitch))


def test_no_drum_overlaps_itself(style):
    plan = make_plan()
    notes = write_drums(plan, style, style.parts_of("drums")[0], everywhere(plan), seed=0)
    ends: dict[int, int] = {}
    for n in notes:
        assert n.start_ticks >= ends.get(n.pitch, 0)
        ends[n.pitch] = n.end_ticks


def test_song_ends_with_crash_and_kick_then_silence(style):
    plan = make_plan()
    notes = write_drums(plan, style, style.parts_of("drums")[0], everywhere(plan), seed=0)
    tail = (plan.num_bars - 1) * plan.bar_ticks
    assert {DRUM_NAMES[n.pitch] for n in notes if n.start_ticks >= tail} == {"crash", "kick"}
    assert all(n.start_ticks <= tail for n in notes)


@pytest.mark.parametrize("bars", [1, 2, 3])
def test_shortest_songs_are_drummed(style, bars):
    plan = make_plan(rows=(("verse", bars, 0.5),))
    notes = write_drums(plan, style, style.parts_of("drums")[0], everywhere(plan), seed=0)
    assert max(n.start_ticks for n in notes) == (bars - 1) * plan.bar_ticks


def test_a_fading_song_plays_on(style):
    fading = replace(style, devices=replace(style.devices, ending="fade"))
    plan = make_plan()
    notes = write_drums(plan, fading, style.parts_of("drums")[0], everywhere(plan), seed=0)
    tail = (plan.num_bars - 1) * plan.bar_ticks
    assert sum(n.start_ticks >= tail for n in notes) > 8


def test_fuller_sections_begin_with_a_crash_and_quieter_ones_do_not(style):
    plan = make_plan()
    notes = write_drums(plan, style, style.parts_of("drums")[0], everywhere(plan), seed=0)
    crashes = {n.start_ticks for n in notes if DRUM_NAMES[n.pitch].startswith("crash")}
    for section in plan.sections[1:]:
        assert (plan.start_ticks(section) in crashes) == (section.role == "chorus")


def test_a_fill_leads_into_the_chorus(style):
    plan = make_plan()
    notes = write_drums(plan, style, style.parts_of("drums")[0], everywhere(plan), seed=0)

    def last_bar(bar):
        return sum(n.pitch == DRUMS["snare"] for n in notes if n.start_ticks // plan.bar_ticks == bar)

    assert last_bar(7) >= 3 > last_bar(2)


def test_absent_sections_are_silent(style):
    plan = make_plan(rows=(("verse", 8, 0.5), ("breakdown", 8, 0.2), ("chorus", 8, 0.9)))
    playing = {label: e for label, e in everywhere(plan).items() if "breakdown" not in label}
    notes = write_drums(plan, style, style.parts_of("drums")[0], playing, seed=0)
    start, end = 8 * plan.bar_ticks, 16 * plan.bar_ticks
    inside = [n for n in notes if start < n.start_ticks < end - 2 * plan.beat_ticks]
    assert not inside


@pytest.mark.parametrize(("device", "test"), [("drum_stop", lambda k: k <= 2), ("silence", lambda k: k < 13)])
def test_stops_empty_the_last_bar(style, device, test):
    stopping = replace(style, devices=replace(style.devices, transitions=(device,)))
    plan = make_plan()
    part = replace(style.parts_of("drums")[0], pattern=style.parts_of("drums")[0].pattern[:2])
    notes = write_drums(plan, stopping, part, everywhere(plan), seed=0)
    count = sum(7 * plan.bar_ticks <= n.start_ticks < 8 * plan.bar_ticks for n in notes)
    assert test(count)
    assert not [n for n in notes if 8 * plan.bar_ticks - plan.beat_ticks <= n.start_ticks < 8 * plan.bar_ticks]


def test_snare_roll_grows(style):
    rolling = replace(style, devices=replace(style.devices, transitions=("snare_roll",)))
    plan = make_plan()
    notes = write_drums(plan, rolling, style.parts_of("drums")[0], everywhere(plan), seed=0)
    last = [n for n in notes if 6 * plan.bar_ticks <= n.start_ticks < 8 * plan.bar_ticks and n.pitch == DRUMS["snare"]]
    assert len(last) >= 10
    assert sum(n.velocity for n in last[-4:]) > 1.15 * sum(n.velocity for n in last[:4])


def test_a_build_without_pattern_doubles_its_pace(style):
    plan = make_plan(rows=(("verse", 8, 0.5), ("build", 4, 0.6), ("drop", 8, 0.9)))
    notes = write_drums(plan, style, style.parts_of("drums")[0], everywhere(plan), seed=0)
    per_bar = [sum(n.start_ticks // plan.bar_ticks == bar and n.pitch == 38 for n in notes) for bar in (8, 9, 10)]
    assert per_bar[0] <= per_bar[1] < per_bar[2]


def test_louder_sections_are_played_louder(style):
    plan = make_plan()
    part = replace(style.parts_of("drums")[0], pattern=style.parts_of("drums")[0].pattern[1:2])
    notes = write_drums(plan, style, part, {"verse 1": 0.3, "chorus 1": 1.0}, seed=0)

    def mean(first, last):
        loud = [n.velocity for n in notes if n.pitch == 42 and first <= n.start_ticks // plan.bar_ticks < last]
        return sum(loud) / len(loud)

    assert mean(8, 15) > 1.08 * mean(0, 7)


def test_busier_drums_add_strokes_in_the_last_chorus(style):
    plan, part = make_plan(), style.parts_of("drums")[0]
    busy = replace(style, devices=replace(style.devices, last_chorus=("busier_drums",)))
    plain_notes = write_drums(plan, style, part, everywhere(plan), seed=0)
    busy_notes = write_drums(plan, busy, part, everywhere(plan), seed=0)
    start = plan.start_ticks(plan.sections[-1])
    fills = [sum(n.pitch == 38 and n.start_ticks >= start for n in notes) for notes in (plain_notes, busy_notes)]
    assert fills[1] > fills[0]


def test_pattern_meets_other_meters():
    rock = Pattern(lanes={"kick": "X.......X.......", "snare": "....X.......X...", "closed_hat": "x.x.x.x.x.x.x.x."})
    bar = {(h.tick, h.drum) for h in pattern_bars(rock, make_plan("3/4"))[0]}
    assert (0, "kick") in bar and (1920, "snare") in bar
    assert max(t for t, _ in bar) < 2880
    compound = {(h.tick, h.drum) for h in pattern_bars(rock, make_plan("12/8"))[0]}
    assert (1440, "snare") in compound and (480, "closed_hat") in compound
    assert all(t % 480 == 0 for t, _ in compound)
    same = {h.tick for h in pattern_bars(rock, make_plan("4/4"))[0] if h.drum == "snare"}
    assert same == {960, 2880}


def test_fill_ends_on_the_bar_line():
    fill = Pattern(fill=True, lanes={"snare": "xxxxxxxx"})
    hits = fill_hits(fill, make_plan())
    assert fill_ticks(fill, make_plan()) == 1920
    assert [h.tick for h in hits] == list(range(-1920, 0, 240))


def test_rolls_and_flams_are_written_out():
    book = parse_style("test", BOOK.replace('snare = ".... X..g .... X..."', 'snare = ".... f... .... t..r"'))
    plan = make_plan(rows=(("chorus", 8, 0.9),))
    notes = write_drums(plan, book, book.parts_of("drums")[0], everywhere(plan), seed=0)
    ticks = [n.start_ticks - 3840 for n in notes if n.pitch == 38 and 3840 <= n.start_ticks < 7680]
    grace = [t for t in ticks if 880 <= t < 960]
    assert len(grace) == 1 and 960 in ticks
    assert {2880, 2960, 3040, 3600, 3720} <= set(ticks)


def test_percussion_stops_before_the_ring(style):
    plan = make_plan()
    notes = write_percussion(plan, style, style.parts_of("percussion")[0], everywhere(plan), seed=0)
    assert max(n.start_ticks for n in notes) < (plan.num_bars - 1) * plan.bar_ticks
    assert len(notes) == 16 * (plan.num_bars - 1)


def test_joints_are_shared_and_rise_only_into_fuller_sections(style):
    plan = make_plan()
    found = joints(plan, style, seed=5)
    assert found == joints(plan, style, seed=5)
    assert [j.rises for j in found] == [True, False, True]
    assert [bool(j.impacts) for j in found] == [True, False, True]
    assert found[0].importance > found[1].importance


def test_risers_end_on_bar_lines_and_swells_and_impacts_meet_them(style):
    plan, part = make_plan(), style.parts_of("effects")[0]
    arrivals = {plan.start_ticks(s) for s in plan.sections if s.role == "chorus"}
    risers = write_effects(plan, style, part, seed=0)
    assert {n.end_ticks for n in risers} == arrivals
    swells = write_effects(plan, style, replace(part, instruments=("reverse_swell",)), seed=0)
    assert {n.end_ticks for n in swells} == arrivals
    impacts = write_effects(plan, style, replace(part, instruments=("impact",)), seed=0)
    assert {n.start_ticks for n in impacts} == arrivals
    falls = write_effects(plan, style, replace(part, instruments=("noise_fall",)), seed=0)
    assert plan.start_ticks(plan.sections[2]) in {n.start_ticks for n in falls}


@pytest.mark.parametrize("name", style_names())
def test_every_book_can_be_drummed(name):
    book = load_style(name)
    rows = [(role, bars, energy) for role, bars, energy in book.form[0].parsed()]
    plan = make_plan(book.meters[0], rows=rows)
    for part in book.parts_of("drums"):
        sections = {s.label: s.energy for s in plan.sections if part.plays_in(s.role, s.energy)}
        notes = write_drums(plan, book, part, sections, seed=0)
        assert bool(notes) == bool(sections)
        if part.instruments[0] == "standard_kit" and notes:
            assert max(map(len, hands_at(notes).values()), default=0) <= 2


@pytest.mark.parametrize("name", ["disco", "rnb", "hip_hop", "mandarin_ballad"])
def test_books_hold_enough_grooves_and_fills(name):
    part = load_style(name).parts_of("drums")[0]
    common = [p for p in part.pattern if p.meter == "4/4"]
    assert sum(not p.fill for p in common) >= 6
    assert sum(p.fill for p in common) >= 4
    for kind, least in (("bass", 4), ("comp", 4)):
        assert max(len(p.pattern) for p in load_style(name).parts_of(kind)) >= least
