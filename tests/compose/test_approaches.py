"""Jazz reaches its dominants by a ii and other chords by a dominant, unless the tune rubs against it."""

from itertools import pairwise

import pytest

from songwright.compose.harmony.approaches import approached
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import load_style
from songwright.score.song import ChordSpan, Note
from songwright.score.theory import Key, parse_chord

BAR = 3840


def plan(seed, num_bars=16, numerator=4):
    sections = (
        SectionPlan("Head 1", "head", 0, num_bars // 2, 0.5),
        SectionPlan("Head 2", "head", num_bars // 2, num_bars // 2, 0.7, 1, True),
    )
    return SongPlan("t", "jazz", seed, Key(0, "major"), 120.0, numerator, 4, sections)


def spans(*symbols, length=BAR):
    return tuple(ChordSpan(i * length, length, symbol) for i, symbol in enumerate(symbols))


CHORDS = spans(*(("C6", "Fmaj7", "G13", "C6", "Am7", "C6", "G7", "Am7") * 2))


def test_a_dominant_gets_its_second_and_a_chord_its_dominant():
    made = [approached(CHORDS, (), plan(seed), load_style("jazz")) for seed in range(6)]
    pairs = {(a.symbol, b.symbol) for chords in made for a, b in pairwise(chords)}
    assert ("Dm7", "G13") in pairs
    assert ("E7", "Am7") in pairs or ("E7b9", "Am7") in pairs
    for chords in made:
        assert [c.end_ticks for c in chords] == [*(c.start_ticks for c in chords[1:]), 16 * BAR]
    assert len({tuple(c.symbol for c in chords) for chords in made}) > 1


def test_the_same_role_gets_the_same():
    for seed in range(4):
        chords = approached(CHORDS, (), plan(seed), load_style("jazz"))
        first = [(c.start_ticks, c.symbol) for c in chords if c.start_ticks < 7 * BAR]
        again = [(c.start_ticks - 8 * BAR, c.symbol) for c in chords if 8 * BAR <= c.start_ticks < 15 * BAR]
        assert first == again


def test_a_tune_that_rubs_forbids_it():
    rubbing = tuple(Note(i * BAR, BAR, 66, 80) for i in range(16))  # F sharp: a semitone above F
    for seed in range(6):
        chords = approached(CHORDS, rubbing, plan(seed), load_style("jazz"))
        assert "Dm7" not in {c.symbol for c in chords}


@pytest.mark.parametrize("name", ["pop", "reggae", "folk"])
def test_other_families_go_straight(name):
    assert approached(CHORDS, (), plan(1), load_style(name)) == CHORDS


def test_bars_that_cannot_be_halved_stay():
    chords = spans(*(("C6", "G7") * 8), length=2880)
    assert approached(chords, (), plan(1, numerator=3), load_style("jazz")) == chords


def test_symbols_can_be_read():
    for seed in range(3):
        assert all(parse_chord(c.symbol) for c in approached(CHORDS, (), plan(seed), load_style("bossa_nova")))
