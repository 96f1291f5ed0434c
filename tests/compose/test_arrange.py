"""The arrangement as a whole: who plays where, contrast, repeats, endings, wishes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from songwright.brief.brief import Brief
from songwright.compose.arrange.arrange import arrange
from songwright.compose.arrange.casting import banned_instruments
from songwright.compose.arrange.mixing import parse_insert
from songwright.compose.form import plan_form
from songwright.compose.style import load_style, style_names
from songwright.score.instruments import INSTRUMENTS, instrument
from songwright.score.song import ChordSpan, Insert, Note
from songwright.score.theory import Chord

STYLES = ("pop", "rock", "jazz", "bossa_nova")
LOOPS = {False: (0, 9, 5, 7), True: (0, 8, 3, 10)}


def material(name, seed=0, **brief):
    """Returns plan, style, chords and tune: a plain loop and a tune of our own, no learned model."""
    style = load_style(name)
    plan = plan_form(Brief(seed=seed, **brief), style)
    chords, tune = [], []
    minor = plan.key.is_minor
    for bar in range(plan.num_bars):
        section = plan.section_at(bar * plan.bar_ticks)
        place = LOOPS[minor][(bar - section.first_bar) % 4] if bar < plan.num_bars - 1 else 0
        root = (plan.key.tonic + section.key_shift + place) % 12
        quality = "m" if (place == 0 and minor) or (place == 9 and not minor) else ""
        chords.append(ChordSpan(bar * plan.bar_ticks, plan.bar_ticks, Chord(root, quality).symbol()))
        if section.role in ("intro", "outro", "breakdown", "interlude"):
            continue
        base = 72 if section.role in ("chorus", "solo") else 67
        for i in range(plan.bar_ticks // plan.beat_ticks - 1):
            pitch = base + (root - base) % 12 - (12 if (root - base) % 12 > 6 else 0)
            start = bar * plan.bar_ticks + i * plan.beat_ticks
            tune.append(Note(start, plan.beat_ticks * 9 // 10, pitch + (0, 2, 0, 7)[i % 4], 90))
    return plan, style, tuple(chords), tuple(tune)


def song(name, seed=0, wanted=(), unwanted=(), **brief):
    plan, style, chords, tune = material(name, seed, **brief)
    return plan, style, arrange(plan, style, chords, tune, seed=seed, wanted=wanted, unwanted=unwanted)


def inside(plan, section, track):
    return [n for n in track.notes if plan.start_ticks(section) <= n.start_ticks < plan.end_ticks(section)]


@pytest.mark.parametrize("name", style_names())
def test_every_style_gives_a_sound_score(name):
    plan, style, tracks = song(name, seed=5)
    end = plan.num_bars * plan.bar_ticks
    ids = [track.id for track in tracks]
    assert len(set(ids)) == len(ids)
    for track in tracks:
        what = instrument(track.instrument)
        places = [(n.start_ticks, n.pitch) for n in track.notes]
        assert places == sorted(places)
        for note in track.notes:
            assert 0 <= note.start_ticks < end and 1 <= note.velocity <= 127 and note.duration_ticks >= 1
            assert note.end_ticks <= end + plan.beat_ticks * 4 or track.is_drums
            assert track.is_drums or what.low <= note.pitch <= what.high, f"{name}, {track.id}"
        assert not track.bends or track.bends[-1].value == 0
        assert all(0 <= c.value <= 127 for c in track.controls)
        if style.devices.ending != "fade":
            assert all(abs(gain) <= 1.5 for _, gain in track.mix.automation)
    bar = plan.bar_ticks
    spans = [range(n.start_ticks // bar, n.end_ticks // bar + 1) for t in tracks for n in t.notes]
    sounding = {place for span in spans for place in span}
    assert set(range(plan.num_bars)) <= sounding, "no bar is empty"


@pytest.mark.parametrize("name", [name for name in style_names() if load_style(name).builds])
def test_styles_that_build_end_fuller_than_they_begin(name):
    plan, _, tracks = song(name, seed=2)
    verse, chorus = plan.opening, plan.climax
    assert verse is not None and chorus is not None

    def fullness(section):
        notes = [(t, n) for t in tracks for n in inside(plan, section, t)]
        pitches = [n.pitch for t, n in notes if not t.is_drums and t.role != "effects"]
        velocity = sum(n.velocity for _, n in notes) / len(notes)
        return len(notes) / section.num_bars, max(pitches) - min(pitches), velocity

    first, last = fullness(verse), fullness(chorus)
    assert last[0] >= 1.25 * first[0] or last[1] >= first[1] + 12
    assert last[2] > first[2]


@pytest.mark.parametrize("name", STYLES)
def test_same_seed_same_tracks_next_seed_others(name):
    assert song(name, 1)[2] == song(name, 1)[2]
    assert song(name, 1)[2] != song(name, 2)[2]


def test_another_process_writes_the_same():
    code = (
        "import sys, hashlib; sys.path[:] = sys.argv[1:]\n"
        "from test_arrange import song\n"
        "print(hashlib.sha256(repr(song('pop', 3)[2]).encode()).hexdigest())"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), *sys.path]
    runs = [
        subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=60, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] and len(runs[0]) > 60


def test_layered_intro_brings_players_in_one_by_one():
    plan, _, tracks = song("rock", seed=0)
    intro = plan.sections[0]
    assert intro.role == "intro"
    entries = sorted({min(n.start_ticks for n in inside(plan, intro, t)) for t in tracks if inside(plan, intro, t)})
    assert len(entries) >= 3
    assert entries[0] < plan.bar_ticks


@pytest.mark.parametrize("name", ["pop", "rock"])
def test_second_verse_has_something_new_and_the_same_bass(name):
    plan, _, tracks = song(name, seed=4)
    verses = [s for s in plan.sections if s.role == "verse"][:2]
    players = [{t.id for t in tracks if t.role not in ("effects", "drums") and inside(plan, s, t)} for s in verses]
    assert players[1] - players[0] or any(
        len(inside(plan, verses[1], t)) > 1.15 * len(inside(plan, verses[0], t)) for t in tracks
    )
    bass = next(t for t in tracks if t.role == "bass")
    figures = [
        [(n.start_ticks - plan.start_ticks(s), n.pitch) for n in inside(plan, s, bass)][:12]
        for s in (c for c in plan.sections if c.role == "chorus" and c.key_shift == 0)
    ]
    assert figures[0] == figures[1], "choruses share their figure"


def test_breakdown_keeps_only_its_players():
    plan, style, tracks = song("rock", seed=1)
    section = next(s for s in plan.sections if s.role == "breakdown")
    playing = {t.id for t in tracks if t.role not in ("effects", "drums", "percussion") and inside(plan, section, t)}
    assert playing <= set(style.devices.breakdown)


@pytest.mark.parametrize("name", STYLES)
def test_the_last_chord_rings_to_the_end(name):
    plan, _, tracks = song(name, seed=0)
    ring = (plan.num_bars - plan.tail_bars) * plan.bar_ticks
    for track in tracks:
        if track.role in ("bass", "chords", "pad") and any(n.start_ticks >= ring for n in track.notes):
            last = [n for n in track.notes if n.start_ticks >= ring]
            assert {n.start_ticks for n in last} == {ring}
            assert all(n.duration_ticks >= plan.tail_bars * plan.bar_ticks for n in last)
    roots = [n.pitch % 12 for t in tracks if t.role == "bass" for n in t.notes if n.start_ticks >= ring]
    assert set(roots) <= {(plan.key.tonic + plan.sections[-1].key_shift) % 12}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["blues", "jazz"])
def test_a_tag_ends_in_strokes_of_the_whole_band(name, seed):
    plan, _, tracks = song(name, seed=seed, duration_seconds=100.0)
    ring = (plan.num_bars - plan.tail_bars) * plan.bar_ticks
    start = ring - 2 * plan.bar_ticks
    band = [t for t in tracks if t.role in ("bass", "chords", "drums") and any(n.start_ticks >= start for n in t.notes)]
    assert {t.role for t in band} == {"bass", "chords", "drums"}
    strokes = [{n.start_ticks for n in t.notes if start <= n.start_ticks < ring - plan.beat_ticks} for t in band]
    assert all(found == strokes[0] and start in found for found in strokes)
    for track in band:
        if not track.is_drums:
            sounding = [n for n in track.notes if n.start_ticks < ring - plan.beat_ticks and n.end_ticks > start]
            stop = start + plan.bar_ticks - plan.beat_ticks // 2
            assert not any(n.start_ticks < stop < n.end_ticks for n in sounding), f"{track.id} does not stop"


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize(
    "wish",
    ["tenor_sax", "acoustic_grand_piano", "nylon_guitar", "accordion", "string_ensemble", "koto", "tuba", "brush_kit"],
)
def test_what_is_wanted_sounds(name, wish):
    tracks = song(name, wanted=(wish,), duration_seconds=90.0)[2]
    assert any(t.instrument == wish and t.notes for t in tracks)


FAMILIES = {what.family: name for name, what in reversed(INSTRUMENTS.items()) if what.family not in ("sound", "kit")}


@pytest.mark.parametrize("name", ["pop", "jazz"])
@pytest.mark.parametrize("family", FAMILIES)
def test_one_of_every_family_sounds_where_it_is_wanted(name, family):
    wish = FAMILIES[family]
    notes = [n for t in song(name, wanted=(wish,), duration_seconds=60.0)[2] if t.instrument == wish for n in t.notes]
    assert len(notes) >= 8
    assert all(instrument(wish).low <= n.pitch <= instrument(wish).high for n in notes)


@pytest.mark.parametrize("name", style_names())
@pytest.mark.parametrize("ban", [("drums",), ("steel_guitar",), ("electric_bass_finger", "acoustic_grand_piano")])
def test_what_is_unwanted_never_sounds(name, ban):
    banned = banned_instruments(ban)
    tracks = song(name, unwanted=ban, duration_seconds=60.0)[2]
    assert tracks
    assert not [t.id for t in tracks if t.instrument in banned]
    assert "drums" not in ban or not any(t.is_drums for t in tracks)


def test_bans_cover_the_family_but_not_a_wish_by_name():
    assert {"clean_guitar", "distortion_guitar", "steel_guitar"} <= banned_instruments(("steel_guitar",))
    assert "nylon_guitar" not in banned_instruments(("steel_guitar",), ("nylon_guitar",))
    assert banned_instruments(("flute",)) == {"flute"}
    assert all(name in INSTRUMENTS for name in banned_instruments(("steel_guitar", "analog_lead")))


@pytest.mark.parametrize("meter", ["3/4", "6/8", "12/8", "5/4"])
def test_other_metres_keep_the_bass_on_one(meter):
    plan, _, tracks = song("pop", meter=meter, duration_seconds=60.0)
    bass = next(t for t in tracks if t.role == "bass")
    bars = {n.start_ticks // plan.bar_ticks for n in bass.notes}
    ones = {n.start_ticks // plan.bar_ticks for n in bass.notes if n.start_ticks % plan.bar_ticks == 0}
    assert len(ones) >= 0.9 * len(bars)


def test_double_tracked_guitars_differ_and_lie_apart():
    tracks = {t.id: t for t in song("rock", seed=0)[2]}
    left, right = tracks["power_guitar_left"], tracks["power_guitar_right"]
    assert left.mix.pan <= -0.6 and right.mix.pan >= 0.6
    assert [n.pitch for n in left.notes if n.start_ticks < 40000] == [
        n.pitch for n in right.notes if n.start_ticks < 40000
    ]
    assert [n.velocity for n in left.notes] != [n.velocity for n in right.notes]


def test_inserts_are_read():
    assert parse_insert("eq low_cut_hz=120 peak_db=-2.5") == Insert("eq", {"low_cut_hz": 120.0, "peak_db": -2.5})


def test_no_two_style_books_share_a_pattern():
    seen = {}
    for name in STYLES:
        for part in load_style(name).part:
            for pattern in part.pattern:
                if pattern.generator:
                    continue
                body = (pattern.grid, pattern.tokens, tuple(sorted(pattern.lanes.items())))
                owner = seen.setdefault(body, name)
                assert owner == name, f"{name} and {owner} share {body}"
