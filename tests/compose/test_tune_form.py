"""A tune's own form: its sections lie where it breathes and begins again, its key where it comes home."""

import numpy as np
import pytest

from songwright.compose.style import load_style
from songwright.compose.tune_form import form_of_tune, parts_of_tune
from songwright.compose.tune_key import key_of_tune, keys_of_tune
from songwright.score.song import KeyChange, Note, Song, Track

BAR = 3840
SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def phrase(seed, first_bar, num_bars=8, up=0):
    """Returns a tune of some bars, a long note and a breath at its end, the same for the same seed."""
    random = np.random.default_rng(seed)
    rhythms = [random.choice([(0, 1, 2, 3), (0, 1.5, 2, 3), (0, 0.5, 1, 2), (0, 2, 3, 3.5)], axis=0) for _ in range(4)]
    notes = []
    for bar in range(num_bars):
        beats = (0,) if bar == num_bars - 1 else rhythms[bar % 4]
        for beat in beats:
            pitch = int(random.choice(SCALE)) + up
            notes.append(Note((first_bar + bar) * BAR + int(beat * 960), 480, pitch, 80))
    return notes


def letters(parts):
    return [(part.letter, part.first_bar, part.num_bars) for part in parts]


def test_a_song_form_of_eight_bars_each():
    notes = [n for i, seed in enumerate((1, 1, 2, 1)) for n in phrase(seed, 8 * i)]
    assert letters(parts_of_tune(notes, BAR, 32)) == [("A", 0, 8), ("A", 8, 8), ("B", 16, 8), ("A", 24, 8)]


def test_long_rests_stand_apart():
    notes = [*phrase(1, 4), *phrase(2, 16)]
    found = letters(parts_of_tune(notes, BAR, 28))
    assert found == [("", 0, 4), ("A", 4, 8), ("", 12, 4), ("B", 16, 8), ("", 24, 4)]


def test_a_pick_up_is_a_bar_of_its_own():
    notes = [Note(BAR - 960, 900, 67, 80), *phrase(1, 1), *phrase(1, 9)]
    assert letters(parts_of_tune(notes, BAR, 17)) == [("", 0, 1), ("A", 1, 8), ("A", 9, 8)]


def test_a_new_key_begins_a_section():
    notes = phrase(1, 0, 16)
    assert 6 in [part.first_bar for part in parts_of_tune(notes, BAR, 16, [6])]


@pytest.mark.parametrize("seed", range(12))
def test_parts_cover_everything_once(seed):
    random = np.random.default_rng(seed)
    num_bars = int(random.integers(1, 70))
    starts = random.integers(0, num_bars * BAR, size=int(random.integers(1, 200)))
    notes = [Note(int(s), 240, int(random.integers(50, 80)), 80) for s in sorted(starts)]
    parts = parts_of_tune(notes, BAR, num_bars)
    assert parts[0].first_bar == 0
    assert [p.first_bar + p.num_bars for p in parts] == [*(p.first_bar for p in parts[1:]), num_bars]
    assert all(p.num_bars >= 1 for p in parts)
    sections = form_of_tune(notes, BAR, num_bars, load_style("pop"))
    assert sections[-1].end_ticks == num_bars * BAR
    assert len({s.label for s in sections}) == len(sections)
    assert all(0 <= s.energy <= 1 for s in sections)


def test_roles_and_energies_are_those_of_the_style():
    notes = [n for i, seed in enumerate((1, 2, 1, 2)) for n in phrase(seed, 8 * i, up=12 * (seed == 2))]
    pop = form_of_tune(notes, BAR, 32, load_style("pop"))
    assert [s.role for s in pop] == ["verse", "chorus", "verse", "chorus"]
    energies = [s.energy for s in pop]
    assert energies[1] > energies[0]
    assert energies[3] == max(energies)
    assert energies[2] >= energies[0]
    jazz = form_of_tune(notes, BAR, 32, load_style("jazz"))
    assert {s.role for s in jazz} == {"head"}
    assert jazz[-1].energy == max(s.energy for s in jazz)


def test_what_stands_apart_once_is_the_bridge():
    notes = [n for i, seed in enumerate((1, 1, 2, 1)) for n in phrase(seed, 8 * i)]
    assert [s.role for s in form_of_tune(notes, BAR, 32, load_style("pop"))][2] == "bridge"


def line(pitches):
    return tuple(Note(i * 960, 960, p, 80) for i, p in enumerate(pitches))


def test_a_tune_is_in_the_key_in_which_it_comes_home():
    assert str(key_of_tune(line((67, 69, 71, 67, 74, 71, 69, 66, 67)))) == "G major"
    assert str(key_of_tune(line((69, 71, 72, 76, 74, 72, 71, 68, 69)))) == "A minor"
    assert str(key_of_tune(())) == "C major"


def test_a_named_key_is_believed_unless_the_tune_is_plainly_elsewhere():
    notes = line((66, 68, 70, 66, 73, 70, 68, 65, 66))
    track = Track("t", "melody", "flute", notes=notes)
    wrong = Song(duration_ticks=9 * 960, keys=(KeyChange(0, "C major"),), tracks=(track,))
    assert keys_of_tune(wrong, notes)[0].key in ("F# major", "Gb major")
    near = Song(duration_ticks=9 * 960, keys=(KeyChange(0, "B major"),), tracks=(track,))
    assert keys_of_tune(near, notes) == near.keys
    own = Song(style="pop", duration_ticks=9 * 960, keys=(KeyChange(0, "C major"),), tracks=(track,))
    assert keys_of_tune(own, notes) == own.keys
