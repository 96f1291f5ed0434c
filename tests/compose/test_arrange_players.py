"""Players one by one: bass, grips, chords beside the lead, counters, the lead itself."""

import itertools

import pytest

from songwright.compose.arrange.bass import write_bass
from songwright.compose.arrange.comping import write_comping
from songwright.compose.arrange.context import ChordTimeline, Context, LeadLine, Player, Stint
from songwright.compose.arrange.counter import write_counter
from songwright.compose.arrange.guitar import STRINGS, guitar_shape
from songwright.compose.arrange.lead import write_lead
from songwright.compose.arrange.pad import write_arpeggio, write_pad
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Part, Pattern, load_style
from songwright.score.instruments import instrument
from songwright.score.song import ChordSpan, Note
from songwright.score.theory import Key, parse_chord

BAR, BEAT = 3840, 960
CHANGES = ["Dm7", "G7", "Cmaj7", "A7b9", "Dm7", "G7", "Em7", "A7", "Fmaj7", "Bm7b5", "E7", "Am7", "C/E", "F", "G", "C"]


def scene(part, symbols=CHANGES, lead=(), style="jazz", energy=0.6, role="solo", per_bar=1, seed=3):
    bars = len(symbols) // per_bar
    section = SectionPlan("One", role, 0, bars, energy)
    plan = SongPlan("t", style, seed, Key(0), 120.0, 4, 4, (section,), tail_bars=0)
    length = BAR // per_bar
    chords = [ChordSpan(i * length, length, symbol) for i, symbol in enumerate(symbols)]
    context = Context(plan, load_style(style), ChordTimeline(chords), LeadLine(lead), seed)
    return context, Player(part, part.instruments[0], (Stint(section, energy, 0, bars),))


def bass(**pattern):
    return Part("bass", "bass", ("acoustic_bass",), register=(28, 52), pattern=(Pattern(**pattern),))


@pytest.mark.parametrize("seed", range(6))
def test_a_walking_bass_walks(seed):
    context, player = scene(bass(generator="walking"), seed=seed)
    notes = [n for n in write_bass(context, player).notes if n.start_ticks % BEAT == 0]
    assert [n.start_ticks for n in notes] == list(range(0, len(CHANGES) * BAR, BEAT))
    assert all(28 <= n.pitch <= 52 for n in notes)
    assert all(a.pitch != b.pitch for a, b in itertools.pairwise(notes) if (b.start_ticks // BEAT) % 4)
    for a, b in itertools.pairwise(notes):
        if b.start_ticks % BAR == 0:
            chord = context.chords.at(b.start_ticks)
            assert b.pitch % 12 == chord.bass_pitch_class
            assert abs(a.pitch - b.pitch) in (1, 2, 5, 7, 3, 4), "the last beat leads on"
    thirds = [n for n in notes if n.start_ticks % BAR == 2 * BEAT]
    inside = [n.pitch % 12 in context.chords.at(n.start_ticks).pitch_classes for n in thirds]
    assert sum(inside) >= 0.8 * len(inside)
    near = [abs(a.pitch - b.pitch) <= 2 for a, b in itertools.pairwise(notes) if b.start_ticks % BAR == 0]
    assert sum(near) >= 0.6 * len(near)


def test_lines_put_the_bass_of_the_chord_on_one_and_honour_slashes():
    context, player = scene(bass(grid=8, line="1 - - 5 1 - 3 <"), role="verse")
    by_tick = {n.start_ticks: n for n in write_bass(context, player).notes}
    for i, symbol in enumerate(CHANGES):
        assert by_tick[i * BAR].pitch % 12 == parse_chord(symbol).bass_pitch_class
        if i + 1 < len(CHANGES):
            goal = parse_chord(CHANGES[i + 1]).bass_pitch_class
            assert (by_tick[i * BAR + 3360].pitch + 1) % 12 == goal


def test_the_bass_says_each_new_chord_that_begins_on_a_beat():
    context, player = scene(bass(grid=8, line="1 - - . 5 - 3 -"), symbols=["C", "Am", "F", "G"] * 4, per_bar=2)
    by_tick = {n.start_ticks: n.pitch % 12 for n in write_bass(context, player).notes}
    for start, _, chord in context.chords.spans:
        assert by_tick[start] == chord.bass_pitch_class


@pytest.mark.parametrize("generator", ["root_fifth", "pedal", "tumbao"])
def test_other_basses_stay_in_range_and_on_the_chord(generator):
    context, player = scene(bass(generator=generator), role="verse")
    notes = write_bass(context, player).notes
    assert notes and all(27 <= n.pitch <= 55 for n in notes)
    if generator == "root_fifth":
        assert all(n.pitch % 12 in context.chords.at(n.start_ticks).pitch_classes for n in notes)
    if generator == "pedal":
        assert {n.pitch % 12 for n in notes} <= {0, 2}
    if generator == "tumbao":
        fours = [n for n in notes if n.start_ticks % BAR == 3 * BEAT][:-1]
        assert all(n.pitch % 12 == context.chords.at(n.start_ticks + BEAT).bass_pitch_class for n in fours)


def test_slides_bend_in_from_the_note_before_and_return():
    context, player = scene(bass(grid=8, line="1 - - - 5~ - - -"), role="verse")
    performance = write_bass(context, player)
    assert performance.bends and performance.bends[-1].value == 0
    starts = {n.start_ticks for n in performance.notes}
    assert all(b.value != 0 for b in performance.bends if b.tick in starts)


@pytest.mark.parametrize(
    "symbol", ["C", "Am", "F#m7", "Bb", "G7", "Dmaj7", "E7#9", "C/G", "Asus4", "Bm7b5", "Abadd9", "Ebm9"]
)
@pytest.mark.parametrize("high", [62, 69, 76])
def test_grips_can_be_gripped(symbol, high):
    chord = parse_chord(symbol)
    grip = guitar_shape(chord, 40, high)
    assert 3 <= len(grip) <= 6 and list(grip) == sorted(set(grip))
    assert grip[0] % 12 == chord.bass_pitch_class and grip[-1] <= high
    tones = {*chord.pitch_classes}
    assert {p % 12 for p in grip} <= tones
    reachable = []
    for first in range(7 - len(grip)):
        frets = [p - s for p, s in zip(grip, STRINGS[first:], strict=False)]
        pressed = [f for f in frets if f > 0]
        reachable.append(min(frets) >= 0 and (not pressed or max(pressed) - min(pressed) <= 3))
    assert any(reachable)


def tune(low, high, bars=16):
    pitches = [low, low + 2, high, high - 3]
    return [Note(i * BEAT, BEAT - 60, pitches[i % 4], 90) for i in range(bars * 4)]


@pytest.mark.parametrize("low", [58, 62, 67, 72])
def test_chords_stay_three_semitones_below_the_lead(low):
    part = Part(
        "piano",
        "comp",
        ("acoustic_grand_piano",),
        register=(48, 74),
        pattern=(Pattern(grid=8, line="x - o - X - x u"),),
    )
    lead = tune(low, low + 9)
    context, player = scene(part, lead=lead, role="verse", style="pop")
    notes = write_comping(context, player).notes
    assert len(notes) > 16 * 4 * 2
    for note in notes:
        lowest = context.lead.lowest(note.start_ticks, note.end_ticks)
        assert lowest is None or note.pitch <= lowest - 3


def test_pads_keep_out_of_the_lead_and_tie_common_tones():
    part = Part("pad", "pad", ("string_ensemble",), register=(52, 76))
    context, player = scene(part, symbols=["C", "Am", "F", "G"] * 4, lead=tune(64, 72), role="chorus", style="pop")
    performance = write_pad(context, player)
    assert any(n.duration_ticks > BAR for n in performance.notes)
    assert {c.controller for c in performance.controls} == {11}
    for note in performance.notes:
        for other in context.lead.between(note.start_ticks, min(note.end_ticks, note.start_ticks + BAR)):
            assert abs(other.pitch - note.pitch) >= 3


@pytest.mark.parametrize("span", [(58, 66), (64, 72), (70, 79), (76, 84)])
def test_arpeggios_sound_the_whole_chord_without_jumps_or_semitones_against_the_lead(span):
    pattern = (Pattern(grid=8, line="1 2 3 4 3 2 3 4"),)
    part = Part("pluck", "arpeggio", ("synth_pluck",), register=(60, 79), voices=4, pattern=pattern)
    symbols = ["C", "Am", "F", "G", "Dm7", "Gsus4", "Em", "C"]
    context, player = scene(part, symbols=symbols, lead=tune(*span, bars=8), role="chorus", style="pop")
    notes = write_arpeggio(context, player).notes
    for bar in range(8):
        own = [n.pitch for n in notes if n.start_ticks // BAR == bar]
        assert len({p % 12 for p in own}) >= 3
        assert all(abs(a - b) < 12 for a, b in itertools.pairwise(own))
    for note in notes:
        lead = context.lead.between(note.start_ticks, note.start_ticks + BEAT // 2)
        assert all(abs(other.pitch - note.pitch) != 1 for other in lead)


def test_strums_spread_ten_to_thirty_milliseconds_and_turn_round():
    part = Part(
        "guitar", "comp", ("steel_guitar",), register=(40, 69), voicing="open", voices=6, strum_ms=20.0,
        pattern=(Pattern(grid=8, line="d . d u . u d u"),),
    )  # fmt: skip
    context, player = scene(part, symbols=["C", "G", "Am", "F"], role="verse", style="pop")
    notes = write_comping(context, player).notes
    down = sorted((n for n in notes if n.start_ticks == 0), key=lambda n: n.pitch)
    up = sorted((n for n in notes if n.start_ticks == 1440), key=lambda n: n.pitch)
    for stroke in (down, [*reversed(up)]):
        offsets = [n.offset_ticks for n in stroke]
        assert offsets == sorted(offsets)
        assert 10 <= (offsets[-1] - offsets[0]) / 960 * 500 <= 30
    assert len(up) <= 4 < len(down)


@pytest.mark.parametrize("generator", ["guide_tones", "answer", "thirds", "sixths", "echo"])
def test_counters_never_rub_the_lead(generator):
    part = Part("counter", "counter", ("cello",), register=(48, 69), pattern=(Pattern(generator=generator),))
    lead = [n for n in tune(64, 73) if n.start_ticks % (2 * BAR) < BAR]
    context, player = scene(part, lead=lead, role="chorus", style="pop")
    notes = write_counter(context, player).notes
    assert len(notes) >= 4
    for note in notes:
        for other in context.lead.between(note.start_ticks, note.end_ticks):
            assert abs(other.pitch - note.pitch) not in (1, 11, 13)
    if generator == "answer":
        assert all(context.lead.lowest(n.start_ticks, n.start_ticks + 1) is None for n in notes)


def test_the_lead_keeps_its_tune_in_the_instruments_range():
    lead = tune(40, 49)
    part = Part("lead", "lead", ("flute",), register=(67, 90))
    context, player = scene(part, lead=lead, role="verse", style="pop")
    performance = write_lead(context, player)
    shifts = {n.pitch - m.pitch for n, m in zip(performance.notes, lead, strict=True)}
    assert len(shifts) == 1 and shifts.pop() % 12 == 0
    what = instrument("flute")
    assert all(what.low <= n.pitch <= what.high for n in performance.notes)
    assert len({n.velocity for n in performance.notes}) > 4
