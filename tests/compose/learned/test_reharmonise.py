"""The network's chords for a tune: of the style's vocabulary, over everything, none where they would not carry it."""

from dataclasses import replace

import pytest

from songwright.compose.accompany import Wishes, accompanied, prepared
from songwright.compose.harmony.functions import vocabulary_of
from songwright.compose.plan_of_song import plan_of
from songwright.compose.reharmonise import _better, carried, chords_for, learned_chords, lifted
from songwright.compose.style import load_style
from songwright.score.song import ChordSpan, KeyChange, Note, Section, Song, Track
from songwright.score.theory import parse_chord

pytest.importorskip("torch")

from tiny_composer import tiny_composer

BAR = 3840


@pytest.fixture(scope="module")
def model():
    return tiny_composer()


def tune(num_bars=8, **changes):
    notes = tuple(Note(i * 960, 960, (60, 64, 67, 69, 65, 62, 59, 60)[i % 8], 80) for i in range(4 * num_bars))
    keys = (KeyChange(0, "C major"),)
    song = Song(
        style="x", duration_ticks=num_bars * BAR, keys=keys, tracks=(Track("t", "melody", "flute", notes=notes),)
    )
    return replace(song, **changes)


def test_the_networks_chords_are_the_styles(model):
    style = load_style("pop")
    bare = prepared(tune(4), style, Wishes())
    chords = learned_chords(bare, style, model, seed=1, candidates=1)
    assert [c.end_ticks for c in chords] == [*(c.start_ticks for c in chords[1:]), bare.duration_ticks]
    known = {(c.root, c.quality) for c in vocabulary_of(style, plan_of(bare).key).chords}
    assert {(parse_chord(c.symbol).root, parse_chord(c.symbol).quality) for c in chords} <= known


def test_a_band_with_the_network(model):
    made = accompanied(tune(4), load_style("reggae"), Wishes(candidates=1), model)
    assert made.track("t").notes == tune(4).tracks[0].notes
    assert any(track.role == "bass" for track in made.tracks)


def test_sections_that_do_not_carry_the_tune_get_plain_chords():
    halves = (Section("A", "verse", 0, 4 * BAR, 0.5), Section("B", "chorus", 4 * BAR, 4 * BAR, 0.8))
    song = tune(sections=halves, tracks=(Track("t", "melody", "flute", notes=(Note(0, 8 * BAR, 60, 80),)),))
    plain = [ChordSpan(i * BAR, BAR, ("C", "F")[i % 2]) for i in range(8)]
    written = [ChordSpan(i * BAR, BAR, ("Am", "C")[i % 2] if i < 4 else ("G", "D")[i % 2]) for i in range(8)]
    found = [c.symbol for c in _better(written, plain, song.tracks[0].notes, plan_of(song))]
    assert found == ["Am", "C", "Am", "C", "F", "C", "F"]  # the C goes on
    still = [ChordSpan(0, 8 * BAR, "C")]
    assert [c.symbol for c in _better(still, plain, song.tracks[0].notes, plan_of(song))] == ["C", "F"] * 4


def test_how_much_is_carried():
    notes = (Note(0, 960, 60, 80), Note(960, 960, 62, 80))
    assert carried([ChordSpan(0, BAR, "C")], notes, 0, BAR) == 0.5
    assert carried([ChordSpan(0, BAR, "N.C.")], notes, 0, BAR) == 0.0
    assert carried([], (), 0, BAR) == 0.0


def test_lifted_sections_are_written_at_home():
    halves = (Section("A", "chorus", 0, 4 * BAR, 0.5), Section("B", "chorus", 4 * BAR, 4 * BAR, 0.8))
    keys = (KeyChange(0, "C major"), KeyChange(4 * BAR, "D major"))
    low = tune(4).tracks[0].notes
    high = tuple(replace(n, start_ticks=n.start_ticks + 4 * BAR, pitch=n.pitch + 2) for n in low)
    song = tune(sections=halves, keys=keys, tracks=(Track("t", "melody", "flute", notes=(*low, *high)),))
    plan = plan_of(song)
    assert [s.key_shift for s in plan.sections] == [0, 2]
    at_home = (ChordSpan(0, 6 * BAR, "C"), ChordSpan(6 * BAR, 2 * BAR, "G"))
    assert [(c.start_ticks, c.symbol) for c in lifted(at_home, plan)] == [(0, "C"), (4 * BAR, "D"), (6 * BAR, "A")]
    chords = chords_for(song.tracks[0].notes, plan, load_style("pop"))
    roots = [next(parse_chord(c.symbol).root for c in chords if c.end_ticks > bar * BAR) for bar in range(8)]
    assert roots[4:7] == [(root + 2) % 12 for root in roots[:3]]
