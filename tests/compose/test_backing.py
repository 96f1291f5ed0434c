"""The lead voice and the voices around it: effort, timing, harmonies, doubles, oohs, answers, ad libs."""

import itertools
from dataclasses import replace
from functools import cache

import pytest
from sung_material import sung

from songwright.compose.arrange.arrange import arrange_sung
from songwright.compose.arrange.context import ChordTimeline, Context, LeadLine
from songwright.compose.arrange.vocal_lead import section_of
from songwright.compose.style import load_style, style_names
from songwright.compose.vocals import VocalPlan
from songwright.score.song import Note, Singer, Syllable
from songwright.score.theory import parse_chord
from songwright.score.voices import SINGERS, VOICE_TYPES

STYLES = ("pop", "rock", "gospel", "bossa_nova")


@cache
def arranged(name, seed=0, singer="clara", **options):
    plan, style, chords, tune, vocals = sung(name, seed, singer, **options)
    return plan, style, chords, vocals, arrange_sung(plan, style, chords, tune, vocals, seed=seed)


def tracks_of(arrangement, start):
    return [track for track in arrangement.tracks if track.id.startswith(start)]


def lead_of(arrangement):
    (track,) = [track for track in arrangement.tracks if track.role == "vocal"]
    return track


def context_of(plan, style, chords):
    return Context(plan, style, ChordTimeline(chords), LeadLine(()), 0)


@pytest.mark.parametrize("name", style_names()[::2])
def test_every_other_style_sings_everything_that_was_planned(name):
    plan, style, _, vocals, arrangement = arranged(name, seed=3, singer="leo")
    assert arrangement.tracks[0].id == "vocal_lead" and arrangement.tracks[0].singer == vocals.singer
    ids = [s.id for s in arrangement.syllables]
    assert ids == sorted(set(ids)) and arrangement.syllables[: len(vocals.syllables)] == vocals.syllables
    by_id = {s.id: s for s in arrangement.syllables}
    sounding = {n.syllable for t in arrangement.tracks if t.singer for n in t.notes}
    assert sounding == set(ids), "no syllable is dropped, none is invented"
    end = plan.num_bars * plan.bar_ticks
    for track in arrangement.tracks:
        if track.singer is None:
            assert all(note.syllable is None for note in track.notes)
            continue
        assert track.instrument == "voice" and track.singer.name in SINGERS
        voice = VOICE_TYPES[SINGERS[track.singer.name].voice_type]
        for note, following in itertools.pairwise((*track.notes, None)):
            assert note.start_ticks + note.offset_ticks >= 0 and note.end_ticks <= end
            assert voice.low - 3 <= note.pitch <= voice.high + 3, track.id
            assert by_id[note.syllable].phonemes
            assert following is None or note.end_ticks <= following.start_ticks, f"{track.id}: one note at a time"
    backing = {t.id.rstrip("_0123456789") for t in arrangement.tracks if t.role == "backing_vocal"}
    book = style.vocals
    assert ("vocal_double" in backing) <= (book.double != "none")
    assert ("vocal_harmony" in backing) <= (book.harmony != "none" or book.second_harmony != "none")
    assert ("vocal_ad_libs" in backing) <= (name in ("soul", "gospel", "rnb"))


@pytest.mark.parametrize("name", STYLES)
def test_the_lead_is_sung_as_written_with_effort_and_small_timing(name):
    plan, style, chords, vocals, arrangement = arranged(name, seed=1)
    lead = lead_of(arrangement)
    written = [(n.start_ticks, n.duration_ticks, n.pitch, n.syllable) for n in vocals.notes]
    assert [(n.start_ticks, n.duration_ticks, n.pitch, n.syllable) for n in lead.notes] == written
    assert all(40 <= n.velocity <= 120 for n in lead.notes)
    swung = 960 // 3 if style.feel.swing else 0
    widest = context_of(plan, style, chords).ticks_of_ms(12 + 1.3 * abs(style.vocals.late_ms)) + swung
    assert max(abs(n.offset_ticks) for n in lead.notes) <= widest
    assert len({n.offset_ticks for n in lead.notes}) > 5
    by_start = {n.start_ticks: n.velocity for n in lead.notes}
    levels = {}
    for line in vocals.lines:
        efforts = [by_start[n.start_ticks] for n in line.notes]
        levels.setdefault(line.role, []).append(sum(efforts) / len(efforts))
        assert efforts[-1] < max(efforts), "the last note relaxes"
    mean = {role: sum(values) / len(values) for role, values in levels.items()}
    if "chorus" in mean:
        assert mean["chorus"] > mean["verse"] + 5


def test_a_melisma_moves_as_one_and_has_one_accent():
    plan, style, chords, tune, vocals = sung("pop", 2)
    lines = []
    for line in vocals.lines:
        first, second, *rest = line.notes
        lines.append(replace(line, notes=(first, replace(second, syllable=first.syllable), *rest)))
    gone = {line.notes[1].syllable for line in vocals.lines}
    joined = replace(vocals, lines=tuple(lines), syllables=tuple(s for s in vocals.syllables if s.id not in gone))
    notes = lead_of(arrange_sung(plan, style, chords, tune, joined, seed=2)).notes
    pairs = [(a, b) for a, b in itertools.pairwise(notes) if a.syllable == b.syllable]
    assert len(pairs) == len(lines)
    common = context_of(plan, style, chords).ticks_of_ms(10) + 1  # the band's timing, which all follow a little
    assert all(abs(a.offset_ticks - b.offset_ticks) <= common for a, b in pairs)
    assert all(b.velocity <= a.velocity + 8 for a, b in pairs)


@pytest.mark.parametrize("singer", ["iris", "vera", "adam", "boris", "mia"])
def test_harmonies_go_with_the_words_inside_the_chord(singer):
    plan, style, chords, _, arrangement = arranged("gospel", seed=4, singer=singer)
    lead = {n.start_ticks: n for n in lead_of(arrangement).notes}
    context = context_of(plan, style, chords)
    voices = tracks_of(arrangement, "vocal_harmony")
    assert voices
    strong = foreign = 0
    for track in voices:
        assert track.singer.name != singer
        sides = set()
        for note in track.notes:
            led = lead[note.start_ticks]
            assert (note.duration_ticks, note.syllable) == (led.duration_ticks, led.syllable)
            assert 3 <= abs(note.pitch - led.pitch) <= 9
            assert abs(note.offset_ticks - led.offset_ticks) <= context.ticks_of_ms(14)
            assert note.velocity < led.velocity
            sides.add(note.pitch > led.pitch)
            if note.start_ticks % plan.beat_ticks == 0:
                strong += 1
                chord = next(c for c in chords if c.start_ticks <= note.start_ticks < c.end_ticks)
                tones = parse_chord(chord.symbol).pitch_classes
                foreign += note.pitch % 12 not in tones
                assert (note.pitch - 1) % 12 not in tones or note.pitch % 12 in tones, "a semitone over the chord"
        assert len(sides) == 1, "a harmony never crosses the lead"
        voice = VOICE_TYPES[SINGERS[track.singer.name].voice_type]
        assert all(voice.low <= n.pitch <= voice.high for n in track.notes)
    assert strong > 20 and foreign <= 0.1 * strong  # this tune has ninths on beats; songs: benchmarks/vocal_room.py
    if len(voices) == 2:
        other = {n.start_ticks: n.pitch for n in voices[1].notes}
        shared = [abs(n.pitch - other[n.start_ticks]) for n in voices[0].notes if n.start_ticks in other]
        assert all(apart % 12 not in (1, 11) for apart in shared)


def test_harmony_sings_where_the_style_says():
    plan, style, chords, vocals, arrangement = arranged("pop", seed=1)
    context = context_of(plan, style, chords)
    first, second = tracks_of(arrangement, "vocal_harmony")
    lines = {n.start_ticks: line for line in vocals.lines for n in line.notes}
    assert {lines[n.start_ticks].role for n in first.notes} == {"chorus"}
    assert {section_of(context, lines[n.start_ticks]) for n in second.notes} == {plan.climax}
    assert not tracks_of(arranged("jazz", seed=1)[4], "vocal_harmony")


def test_the_double_is_a_second_take_of_the_same_singer():
    plan, style, chords, vocals, arrangement = arranged("pop", seed=1)
    context = context_of(plan, style, chords)
    lead = {n.start_ticks: n for n in lead_of(arrangement).notes}
    (double,) = tracks_of(arrangement, "vocal_double")
    assert double.singer.name == vocals.singer.name and double.singer.parameters["detune_cents"] != 0
    apart = [n.offset_ticks - lead[n.start_ticks].offset_ticks for n in double.notes]
    low, high = context.ticks_of_ms(10) - 1, context.ticks_of_ms(25) + 1
    assert all(low <= abs(a) <= high for a in apart)
    assert all(n.pitch == lead[n.start_ticks].pitch for n in double.notes)
    assert any(a > 0 for a in apart) and any(a < 0 for a in apart)


def test_rap_is_doubled_at_line_ends_and_never_harmonised():
    _, _, _, vocals, arrangement = arranged("hip_hop", seed=2, singer="rex", delivery="rap")
    assert not tracks_of(arrangement, "vocal_harmony")
    (double,) = tracks_of(arrangement, "vocal_double")
    assert 0 < len(double.notes) < len(vocals.notes) / 2
    last = {line.notes[-1].start_ticks for line in vocals.lines}
    assert last <= {n.start_ticks for n in double.notes}


@pytest.mark.parametrize(("language", "sound"), [("en", "u:"), ("zh", "u"), ("ru", "u"), ("fr", "u:")])
def test_oohs_hold_the_chords_from_the_second_verse_on(language, sound):
    plan, _, chords, vocals, arrangement = arranged("gospel", seed=4, singer="adam", language=language)
    voices = tracks_of(arrangement, "vocal_oohs")
    assert len(voices) == 3
    by_id = {s.id: s for s in arrangement.syllables}
    known = {s.id for s in vocals.syllables}
    first = next(s for s in plan.sections if s.role == "verse")
    for track in voices:
        for note in track.notes:
            section = plan.section_at(note.start_ticks)
            assert section.role in ("verse", "prechorus", "bridge") and section is not first
            assert note.syllable not in known and by_id[note.syllable].phonemes == (sound,)
            chord = next(c for c in chords if c.start_ticks <= note.start_ticks < c.end_ticks)
            assert note.pitch % 12 in parse_chord(chord.symbol).pitch_classes
        assert len({n.syllable for n in track.notes}) == len(track.notes), "one syllable a chord"
    moves = [abs(a.pitch - b.pitch) for t in voices for a, b in itertools.pairwise(t.notes)]
    assert sum(moves) / len(moves) < 4


@pytest.mark.parametrize("room", [True, False])
@pytest.mark.parametrize("words", [("to", "night"), tuple("abcdefghijklmnop")])
def test_every_answered_word_is_sung_in_the_gap_or_under_the_end(words, room):
    _, _, _, vocals, arrangement = arranged("salsa", seed=2, backing=words, room=room)
    planned = [s.id for line in vocals.lines for s in line.backing]
    voices = tracks_of(arrangement, "vocal_answers")
    assert planned and len(voices) == 2
    for track in voices:
        assert [n.syllable for n in track.notes] == planned
    sung_spans = [(n.start_ticks, n.end_ticks) for n in vocals.notes]
    inside = [any(a <= n.start_ticks < b for a, b in sung_spans) for n in voices[0].notes]
    if room and len(words) <= 2:
        assert not any(inside)
    under = {n.start_ticks: n.pitch for n in vocals.notes}
    assert all(abs(n.pitch - under.get(n.start_ticks, 0)) not in (1, 2) for n in voices[0].notes)


def test_ad_libs_are_few_and_stand_where_nobody_sings():
    for name in ("soul", "gospel", "rnb"):
        plan, style, _, vocals, arrangement = arranged(name, seed=5, backing=())
        tracks = tracks_of(arrangement, "vocal_ad_libs")
        assert tracks, name
        assert len({n.syllable for n in tracks[0].notes}) <= style.vocals.ad_libs
        assert tracks[0].singer == vocals.singer
        start = plan.start_ticks(plan.climax)
        for note in tracks[0].notes:
            assert note.start_ticks >= start
            assert not any(n.start_ticks < note.end_ticks and note.start_ticks < n.end_ticks for n in vocals.notes)


def test_throws_take_last_words_into_the_room_after_them():
    for name in ("techno", "reggae", "jazz"):
        plan, style, chords, tune, vocals = sung("reggae", 2, backing=())
        style = replace(style, vocals=load_style(name).vocals)
        lead = lead_of(arrange_sung(plan, style, chords, tune, vocals, seed=2))
        assert bool(lead.mix.throws) == (style.vocals.delay_throws > 0)
        ends = {line.end_ticks: line for line in vocals.lines}
        for start, end in lead.mix.throws:
            assert start < end and ends[end].room_ticks - end >= plan.beat_ticks


@pytest.mark.parametrize("name", ["pop", "gospel"])
def test_the_same_seed_sings_the_same(name):
    assert arranged.__wrapped__(name, 1)[4] == arranged(name, 1)[4]
    assert arranged(name, 2)[4] != arranged(name, 1)[4]


def test_a_plan_without_lines_is_an_instrumental_song():
    plan, style, chords, tune, _ = sung("pop", 1)
    empty = VocalPlan(Singer("clara"), "mezzo", (), ())
    assert arrange_sung(plan, style, chords, tune, empty, seed=1) == arrange_sung(
        plan, style, chords, tune, None, seed=1
    )


def test_one_syllable_at_the_very_beginning():
    plan, style, chords, tune, vocals = sung("rnb", 1)
    note = Note(0, plan.bar_ticks, 60, 90, 0, 7)
    line = replace(
        vocals.lines[0], start_ticks=0, end_ticks=note.end_ticks, room_ticks=note.end_ticks, notes=(note,), backing=()
    )
    alone = VocalPlan(Singer("boris"), "bass", (line,), (Syllable(7, "oh", "oh", 1, 0, "en", ("oU",), 0),))
    arrangement = arrange_sung(plan, style, chords, tune, alone, seed=1)
    lead = lead_of(arrangement)
    assert len(lead.notes) == 1 and lead.notes[0].offset_ticks >= 0
