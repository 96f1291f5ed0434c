"""Properties of written tunes, on a style and chords of our own."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from songwright.compose.melody import Melody, PhrasePlan, Setting, write_melody, write_phrase
from songwright.compose.melody.model import load_model
from songwright.compose.melody.phrases import with_new_ending
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import MelodyBook, Style, parse_style
from songwright.errors import InputError
from songwright.score.song import ChordSpan
from songwright.score.theory import MODES, parse_chord, parse_key

STYLE_TEXT = """
title = "Test"
family = "pop"
tempo_bpm = [60, 100, 180]
modes = { major = 1.0 }

[harmony]
major = ["I", "ii", "IV", "V", "vi"]
minor = ["i", "iv", "V", "bVI", "bVII"]
chord_beats = { "4" = 1.0 }
loop_bars = { "4" = 1.0 }

[[form]]
sections = ["verse 8 0.5", "chorus 8 0.9"]

[melody]
range = [60, 78]

[[part]]
id = "lead"
kind = "lead"
instruments = ["violin"]
"""
FORM = (
    ("intro", 4, 0.3), ("verse", 8, 0.5), ("chorus", 8, 0.8), ("verse", 8, 0.55), ("chorus", 8, 0.9),
    ("bridge", 8, 0.6), ("chorus", 8, 1.0), ("outro", 4, 0.4),
)  # fmt: skip


def style(**melody: object) -> Style:
    base = parse_style("test", STYLE_TEXT)
    return replace(base, melody=replace(MelodyBook(range=(60, 78)), **melody))


def plan(
    key: str = "C major", tempo: float = 100.0, metre: tuple[int, int] = (4, 4), form=FORM, lift: int = 0
) -> SongPlan:
    sections, bar, seen = [], 0, {}
    for i, (role, bars, energy) in enumerate(form):
        count = seen.get(role, 0)
        shift = lift if role == "chorus" and not any(r == "chorus" for r, _, _ in form[i + 1 :]) else 0
        sections.append(SectionPlan(f"{role} {count + 1}", role, bar, bars, energy, count, False, shift))
        seen[role] = count + 1
        bar += bars
    return SongPlan("t", "test", 0, parse_key(key), tempo, *metre, tuple(sections))


def chords(song: SongPlan, loop: str = "C Am F G") -> tuple[ChordSpan, ...]:
    spans = []
    for section in song.sections:
        for bar in range(section.num_bars):
            chord = parse_chord(loop.split()[bar % len(loop.split())]).transposed(section.key_shift)
            start = song.start_ticks(section) + bar * song.bar_ticks
            spans.append(ChordSpan(start, song.bar_ticks, chord.symbol()))
    return tuple(spans)


def tune(song: SongPlan, book: Style | None = None, loop: str = "C Am F G", seed: int = 0) -> Melody:
    return write_melody(song, book or style(), chords(song, loop), seed=seed)


def of(melody: Melody, song: SongPlan, label: str) -> list[tuple[int, int, int]]:
    section = next(s for s in song.sections if s.label == label)
    start, end = song.start_ticks(section), song.end_ticks(section)
    return [(n.start_ticks - start, n.duration_ticks, n.pitch) for n in melody.notes if start <= n.start_ticks < end]


def test_notes_are_ordered_single_and_in_range():
    for seed in range(4):
        song = plan()
        melody = tune(song, seed=seed)
        assert len(melody.notes) > 80
        assert all(a.end_ticks <= b.start_ticks for a, b in pairwise(melody.notes))
        assert all(60 <= n.pitch <= 78 and n.offset_ticks == 0 and 30 <= n.velocity <= 127 for n in melody.notes)
        assert melody.notes[-1].end_ticks <= song.num_bars * song.bar_ticks


def test_same_seed_same_tune_next_seed_another():
    song = plan()
    assert tune(song, seed=3) == tune(song, seed=3)
    assert tune(song, seed=3) != tune(song, seed=4)


def test_another_process_writes_the_same():
    code = (
        "import sys, hashlib; sys.path.insert(0, sys.argv[1]); import test_melody as t;"
        "print(hashlib.sha256(repr(t.tune(t.plan(), seed=5)).encode()).hexdigest())"
    )
    folder = __file__.rsplit("test_melody.py", 1)[0]
    run = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == hashlib.sha256(repr(tune(plan(), seed=5)).encode()).hexdigest()


def test_choruses_are_identical_and_verses_share_their_beginning():
    song = plan()
    melody = tune(song)
    inner = [[n for n in of(melody, song, f"chorus {k}") if n[0] < 7 * song.bar_ticks] for k in (1, 2, 3)]
    assert inner[0] == inner[1] == inner[2]
    first, second = (of(melody, song, f"verse {k}") for k in (1, 2))
    early = 4 * song.bar_ticks - song.bar_ticks
    assert [n for n in first if n[0] < early] == [n for n in second if n[0] < early]
    assert first != second


def test_last_chorus_follows_the_lift():
    song = plan(lift=2)
    melody = tune(song)
    plain, lifted = ([n for n in of(melody, song, f"chorus {k}") if n[0] < 6 * song.bar_ticks] for k in (1, 3))
    assert [(s, d, p + 2) for s, d, p in plain] == lifted


def test_chorus_is_higher_and_calmer_than_the_verse():
    gaps, lengths = [], []
    for seed in range(8):
        song = plan()
        melody = tune(song, seed=seed)
        verse, chorus = of(melody, song, "verse 1"), of(melody, song, "chorus 1")
        gaps.append(np.mean([n[2] for n in chorus]) - np.mean([n[2] for n in verse]))
        lengths.append(np.mean([n[1] for n in chorus]) - np.mean([n[1] for n in verse]))
    assert np.mean(gaps) > 2.0
    assert np.mean(lengths) > 0.0


def test_highest_note_of_a_section_sounds_once():
    single = []
    for seed in range(6):
        song = plan()
        melody = tune(song, seed=seed)
        for label in ("verse 1", "chorus 1"):
            pitches = [p for s, _, p in of(melody, song, label) if s < 7.5 * song.bar_ticks]
            single.append(pitches.count(max(pitches)) == 1)
    assert np.mean(single) > 0.8


def test_strong_beats_and_phrase_ends_rest_on_chord_tones():
    song = plan()
    strong, ends = [], []
    for seed in range(5):
        melody = tune(song, seed=seed)
        spans = chords(song)
        inside = {p.end_ticks: [n for n in melody.notes if p.start_ticks <= n.start_ticks < p.end_ticks][-1]
                  for p in melody.phrases}  # fmt: skip
        for n in melody.notes:
            tones = parse_chord(spans[n.start_ticks // song.bar_ticks].symbol).pitch_classes
            if n.start_ticks % 1920 == 0:
                strong.append(n.pitch % 12 in tones)
        ends += [
            n.pitch % 12 in parse_chord(spans[n.start_ticks // song.bar_ticks].symbol).pitch_classes
            for n in inside.values()
        ]
    assert 0.6 < np.mean(strong) < 0.97
    assert np.mean(ends) > 0.85


def test_minor_raises_its_leading_tone_over_the_dominant_only():
    song = plan("A minor")
    melody = tune(song, loop="Am F Dm E", seed=2)
    spans = chords(song, "Am F Dm E")
    over_dominant = {n.pitch % 12 for n in melody.notes if spans[n.start_ticks // song.bar_ticks].symbol == "E"}
    elsewhere = {n.pitch % 12 for n in melody.notes if spans[n.start_ticks // song.bar_ticks].symbol != "E"}
    assert 7 not in over_dominant
    assert 8 not in elsewhere


def test_pentatonic_stays_pentatonic():
    song = plan()
    melody = tune(song, style(scale="pentatonic"))
    inside = [n.pitch % 12 in MODES["major_pentatonic"] for n in melody.notes]
    assert np.mean(inside) > 0.9
    assert np.mean([n.pitch % 12 in MODES["major_pentatonic"] for n in tune(song).notes]) < np.mean(inside)


@pytest.mark.parametrize("metre", [(3, 4), (6, 8), (12, 8), (2, 4), (5, 4), (7, 8), (9, 8)])
def test_every_metre_is_sung(metre):
    song = plan(metre=metre)
    melody = tune(song)
    assert len(melody.notes) > 40
    assert all(a.end_ticks <= b.start_ticks for a, b in pairwise(melody.notes))
    downbeats = sum(n.start_ticks % song.bar_ticks == 0 for n in melody.notes)
    assert downbeats > 0.1 * len(melody.notes)


def test_density_and_syncopation_follow_the_book():
    song = plan(tempo=92)
    count = {d: np.mean([len(tune(song, style(density=d), seed=s).notes) for s in range(4)]) for d in (0.6, 1.5)}
    assert count[1.5] > 1.4 * count[0.6]

    def off_beat(level: float) -> float:
        notes = [n for s in range(4) for n in tune(song, style(syncopation=level), seed=s).notes]
        return float(
            np.mean([n.start_ticks % 960 != 0 and n.start_ticks % 960 + n.duration_ticks > 960 for n in notes])
        )

    assert off_beat(0.8) > off_beat(0.0) + 0.05


def test_phrases_breathe_and_carry_stresses():
    song = plan()
    melody = tune(song)
    assert len(melody.phrases) > 8
    for phrase in melody.phrases:
        assert 0 <= phrase.start_ticks < phrase.end_ticks
        assert phrase.syllables == len(phrase.stresses)
        assert set(phrase.stresses) <= {0, 1}
    gaps = [b.start_ticks - a.end_ticks for a, b in pairwise(melody.notes)]
    assert sum(g >= 240 for g in gaps) >= len(melody.phrases) // 2


def test_a_phrase_that_rests_is_silent_in_its_last_bars():
    song = plan(form=(("verse", 8, 0.5),))
    setting = Setting(song, style(), chords(song))
    for seed in range(6):
        phrase = PhrasePlan(0, 4, rest_bars=1)
        line = write_phrase(load_model(), phrase, setting, np.random.default_rng(seed))
        assert line.slots
        assert all(start + length <= 3 * 16 for start, length in line.slots)
        full = write_phrase(load_model(), PhrasePlan(0, 4), setting, np.random.default_rng(seed))
        ended = with_new_ending(load_model(), full, phrase, setting, np.random.default_rng(seed))
        assert all(start + length <= 3 * 16 for start, length in ended.slots)
        assert ended.pitches[:3] == full.pitches[:3]
    with pytest.raises(InputError):
        PhrasePlan(0, 2, rest_bars=2)


def test_notes_outside_the_key_are_short_and_lead_up():
    song = plan()
    found = 0
    for seed in range(12):
        notes = tune(song, seed=seed).notes
        for note, following in pairwise(notes):
            if note.pitch % 12 not in MODES["major"]:
                found += 1
                assert note.duration_ticks < 960 and note.start_ticks % 960
                assert following.pitch == note.pitch + 1
    assert found > 3


def test_folk_tunes_hear_the_chords():
    song, hits = plan(), []
    for seed in range(5):
        folk = replace(style(), family="folk")
        for n in tune(song, folk, seed=seed).notes:
            if n.start_ticks % 1920 == 0:
                tones = parse_chord(chords(song)[n.start_ticks // song.bar_ticks].symbol).pitch_classes
                hits.append(n.pitch % 12 in tones)
    assert np.mean(hits) > 0.6


def test_final_note_is_the_tonic_on_the_held_bar():
    song = plan(form=(("verse", 8, 0.5), ("chorus", 9, 0.9)))
    last = tune(song).notes[-1]
    assert last.start_ticks == 16 * song.bar_ticks
    assert last.pitch % 12 == 0


def test_solo_is_denser_and_never_goes_back():
    song = plan(form=(("verse", 16, 0.5), ("solo", 16, 0.8), ("verse", 16, 0.5)))
    melody = tune(song)
    assert len(of(melody, song, "solo 1")) > 1.3 * len(of(melody, song, "verse 1"))
    start = song.start_ticks(song.sections[1])
    shapes = [p.shape for p in melody.phrases if start <= p.start_ticks < start + 15 * song.bar_ticks]
    assert len(set(shapes)) == len(shapes)


def test_no_lead_no_tune_and_riffs_leave_it_sparser():
    base = style()
    silent = replace(base, part=())
    song = plan()
    assert write_melody(song, silent, chords(song), seed=0) == Melody()
    riff = replace(base, lead="riff")
    sparse = np.mean([len(tune(song, riff, seed=s).notes) for s in range(3)])
    assert sparse < np.mean([len(tune(song, base, seed=s).notes) for s in range(3)])


def test_lead_keeps_out_of_sections_where_no_lead_plays():
    base = style()
    part = replace(base.part[0], sections=("chorus",))
    song = plan()
    melody = write_melody(song, replace(base, part=(part,)), chords(song), seed=1)
    verse = next(s for s in song.sections if s.role == "verse")
    bar = song.bar_ticks
    own = [n for n in melody.notes if song.start_ticks(verse) <= n.start_ticks < song.end_ticks(verse) - bar]
    assert not own


def test_songs_of_one_section_and_of_drops_alone():
    for form in ((("drop", 8, 0.9),), (("verse", 1, 0.5),), (("verse", 3, 0.5), ("chorus", 5, 0.9))):
        song = plan(form=form)
        assert tune(song).notes
