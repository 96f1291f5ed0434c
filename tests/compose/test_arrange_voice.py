"""What the band does around a voice: leads rest and answer, chords step aside, fills wait for the words."""

import itertools
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from sung_material import sung
from test_arrange import material

from songwright.compose.arrange.arrange import arrange, arrange_sung
from songwright.compose.arrange.comping import thinned
from songwright.compose.arrange.context import ChordTimeline, Context, LeadLine, Room
from songwright.compose.arrange.lines import Event
from songwright.compose.arrange.making_room import instrumental
from songwright.compose.arrange.vocal_fills import answer
from songwright.compose.style import load_style, style_names
from songwright.score.drums import DRUMS
from songwright.score.song import Note
from songwright.score.theory import parse_chord

TOMS = {DRUMS[name] for name in ("high_tom", "mid_tom", "low_tom", "floor_tom")}


@cache
def arranged(name, seed=0, singer="clara", **options):
    plan, style, chords, tune, vocals = sung(name, seed, singer, **options)
    return plan, style, vocals, arrange_sung(plan, style, chords, tune, vocals, seed=seed).tracks


def together(a, b):
    return a.start_ticks < b.end_ticks and b.start_ticks < a.end_ticks


@pytest.mark.parametrize("name", ["pop", "jazz"])
def test_without_a_voice_nothing_changes(name):
    plan, style, chords, tune = material(name, 1)
    tracks = arrange(plan, style, chords, tune, seed=1)
    silent = arrange_sung(plan, style, chords, tune, None, seed=1)
    assert silent.tracks == tracks and silent.syllables == ()
    assert all(t.singer is None and t.mix.vocal_duck_db == 0 for t in tracks)


@pytest.mark.parametrize("name", style_names()[1::3])
def test_leads_rest_while_somebody_sings_the_lead(name):
    _, _, vocals, tracks = arranged(name, seed=3, singer="adam")
    for track in tracks:
        if track.role == "melody" or track.id.endswith(("_octave", "_harmony")):
            assert not any(together(n, sung) for n in track.notes for sung in vocals.notes), track.id


def test_leads_answer_in_the_gaps_where_the_style_does():
    def answers(name):
        plan, style, chords, tune, vocals = sung("country", 2, backing=())
        style = replace(style, vocals=load_style(name).vocals)
        tracks = arrange_sung(plan, style, chords, tune, vocals, seed=2).tracks
        lead = [n for t in tracks if t.role == "melody" for n in t.notes]
        gaps = [(line.end_ticks, line.room_ticks) for line in vocals.lines]
        return sum(any(a <= n.start_ticks < b for n in lead) for a, b in gaps), len(gaps)

    many, few = answers("blues"), answers("trap")
    assert many[0] > few[0] > 0 and many[0] > 0.6 * many[1]


def test_an_instrument_that_answers_does_not_stammer():
    plan, style, chords, _, vocals = sung("pop", 1)
    context = Context(plan, style, ChordTimeline(chords), LeadLine(()), 1)
    beat, begin = plan.beat_ticks, 40 * plan.bar_ticks
    words = [
        Note(i * beat // 2, beat // 2, pitch, 90, 0, i) for i, pitch in enumerate((64, 64, 64, 67, 67, 65, 65, 64))
    ]
    said = answer(context, words, begin, begin + plan.bar_ticks, (60, 78), plan.key, 84)
    assert 3 <= len(said) < len(words)
    assert all(a.pitch != b.pitch and a.end_ticks <= b.start_ticks for a, b in itertools.pairwise(said))
    assert all(begin <= n.start_ticks and n.end_ticks <= begin + plan.bar_ticks and 60 <= n.pitch <= 78 for n in said)
    for note in said:
        chord = next(c for c in chords if c.start_ticks <= note.start_ticks < c.end_ticks)
        if note.start_ticks % beat == 0:
            assert note.pitch % 12 in parse_chord(chord.symbol).pitch_classes
    assert answer(context, words, begin, begin + beat // 2, (60, 78), plan.key, 84) == []
    assert answer(context, [], begin, begin + beat, (60, 78), plan.key, 84) == []
    assert vocals.lines


def test_the_tune_is_left_to_instruments_where_nobody_sings():
    plan, _, vocals, tracks = arranged("rock", seed=1)
    lead = [n for t in tracks if t.role == "melody" for n in t.notes]
    solos = [s for s in plan.sections if s.role == "solo"]
    assert solos
    for section in solos:
        assert sum(plan.start_ticks(section) <= n.start_ticks < plan.end_ticks(section) for n in lead) > 8
    assert not any(plan.section_at(n.start_ticks).role == "solo" for n in vocals.notes)


def test_a_tune_that_reaches_into_a_line_ends_before_it():
    plan, style, chords, _, vocals = sung("pop", 1)
    context = Context(plan, style, ChordTimeline(chords), LeadLine(()), 1)
    first = vocals.lines[0]
    beat = plan.beat_ticks
    long = Note(first.start_ticks - 2 * beat, 4 * beat, 70, 90)
    inside = Note(first.start_ticks + 10, beat, 70, 90)
    kept = instrumental(context, [long, inside, *first.notes], vocals.lines)
    assert kept == [replace(long, duration_ticks=2 * beat - beat // 4)]


@pytest.mark.parametrize("singer", ["clara", "boris"])
@pytest.mark.parametrize("name", ["pop", "russian_romance", "rock"])
def test_chords_keep_off_the_sung_notes(name, singer):
    _, _, vocals, tracks = arranged(name, seed=2, singer=singer)
    rubbing = total = 0
    for sung_note in vocals.notes:
        total += sung_note.duration_ticks
        near = [
            min(sung_note.end_ticks, n.end_ticks) - max(sung_note.start_ticks, n.start_ticks)
            for t in tracks
            if t.role in ("chords", "pad")
            for n in t.notes
            if abs(n.pitch - sung_note.pitch) <= 1 and together(n, sung_note)
        ]
        rubbing += max(near, default=0)
    assert rubbing <= 0.03 * total


def test_chords_are_still_chords_beside_the_voice():
    plan, _, vocals, tracks = arranged("pop", seed=2, singer="adam")
    piano = next(t for t in tracks if t.id == "piano")
    strokes = {}
    for note in piano.notes:
        if any(line.start_ticks <= note.start_ticks < line.end_ticks for line in vocals.lines):
            strokes.setdefault(note.start_ticks, set()).add(note.pitch)
    full = [len(pitches) >= 2 for pitches in strokes.values()]
    assert len(full) > 40 and sum(full) > 0.6 * len(full)
    assert plan.num_bars > 0


@pytest.mark.parametrize("name", ["rock", "metal"])
def test_no_fill_covers_words(name):
    plan, _, vocals, tracks = arranged(name, seed=3)
    stressed = {s.id for s in vocals.syllables if s.stress == 1}
    drums = next(t for t in tracks if t.role == "drums")
    toms = {d for p in load_style(name).parts_of("drums")[0].pattern if not p.fill for d in p.lanes}
    in_fills = {pitch for pitch in TOMS if not any(DRUMS[d] == pitch for d in toms)}
    for line in vocals.lines:
        last = max(n.start_ticks for n in line.notes if n.syllable in stressed)
        bar_line = -(-last // plan.bar_ticks) * plan.bar_ticks
        if bar_line - line.start_ticks <= plan.beat_ticks:
            continue
        hit = [n for n in drums.notes if line.start_ticks <= n.start_ticks < last and n.pitch in in_fills]
        assert not hit, f"line {line.index}"


def test_counters_do_not_speak_along():
    shares = []
    for voice in (True, False):
        plan, style, chords, tune, vocals = sung("country", 4, backing=())
        if voice:
            tracks = arrange_sung(plan, style, chords, tune, vocals, seed=4).tracks
        else:
            tracks = arrange(plan, style, chords, tuple(replace(n, syllable=None) for n in vocals.notes), seed=4)
        onsets = {n.start_ticks for n in vocals.notes}
        notes = [n for t in tracks if t.id == "counter" for n in t.notes]
        shares.append(sum(n.start_ticks in onsets for n in notes) / max(1, len(notes)))
    assert shares[0] <= shares[1]


def test_thinning_leaves_what_carries_the_figure():
    plan, style, chords, _, vocals = sung("pop", 1)
    notes = [Note(i * 480, 400, 64, 90, 0, i) for i in range(16)]
    room = Room(vocals.lines, LeadLine(notes), LeadLine(()), LeadLine(()), 60, 70)
    context = Context(plan, style, ChordTimeline(chords), LeadLine(notes), 1, True, room)
    quarter = 960
    figure = [
        Event(0, quarter, "x"),
        Event(quarter, quarter + 480, "x"),
        Event(quarter + 480, 2 * quarter, "o"),
        Event(2 * quarter, 3 * quarter, "X"),
        Event(3 * quarter, 3 * quarter + 240, "x"),
        Event(3 * quarter + 240, 4 * quarter, "x", accent=True),
    ]
    left = thinned(context, figure)
    assert [e.start for e in left] == [0, quarter, 2 * quarter, 3 * quarter, 3 * quarter + 240]
    assert left[1].end == 2 * quarter, "what sounded before the dropped stroke sounds on"
    skank = [Event(i * quarter + 480, (i + 1) * quarter, "u") for i in range(4)]
    assert thinned(context, skank) == skank
    assert thinned(replace(context, room=None), figure) == figure


def test_others_step_back_in_the_mix():
    _, style, _, tracks = arranged("metal", seed=2)
    ducked = {t.role: t.mix.vocal_duck_db for t in tracks if t.mix.vocal_duck_db}
    assert ducked["counter_melody"] == style.vocals.duck_db == 2
    assert all(t.mix.vocal_duck_db == 0 for t in tracks if t.singer or t.is_drums or t.role == "bass")


@pytest.mark.parametrize("name", style_names())
def test_every_book_says_how_it_is_sung(name):
    path = Path(sys.modules["songwright.compose.style"].__file__).parent / "styles" / f"{name}.toml"
    assert path.read_text(encoding="utf-8").count("\n[vocals]\n") == 1
    style = load_style(name)
    book = style.vocals
    if style.family in ("rock", "dance"):
        assert -2 <= book.level_db <= 1
    elif style.family in ("pop", "folk", "classical", "jazz"):
        assert 0 <= book.level_db <= 3
    assert (book.ad_libs > 0) == (name in ("soul", "gospel", "rnb"))
