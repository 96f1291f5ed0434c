import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_strategies import chords

from songwright.errors import InputError
from songwright.score.theory import parse_chord
from songwright.score.voice_leading import (
    VOICINGS,
    chosen_tones,
    guide_tones,
    lead_voices,
    motion,
    parallel_outer,
    voice,
)


@given(chords(), st.sampled_from(VOICINGS), st.integers(24, 72), st.integers(12, 30), st.integers(1, 6), st.booleans())
def test_voicings_stay_in_their_register_and_hold_chord_tones(chord, style, low, width, num_voices, led):
    high = low + width
    previous = voice(parse_chord("C"), style="close", low=low, high=high) if led else ()
    pitches = voice(chord, style=style, low=low, high=high, num_voices=num_voices, previous=previous)
    assert 1 <= len(pitches) <= max(num_voices, 2)
    assert list(pitches) == sorted(set(pitches))
    assert low <= pitches[0] and pitches[-1] <= high
    fifth_and_ninth = {(chord.root + 7) % 12, (chord.root + 2) % 12}
    assert {p % 12 for p in pitches} <= set(chord.pitch_classes) | fifth_and_ninth


@pytest.mark.parametrize(
    ("symbol", "style", "names"),
    [
        ("Dm7", "shell", {2, 5, 0}),
        ("Dm7", "rootless", {5, 9, 0, 4}),
        ("G7", "rootless", {11, 2, 5, 9}),
        ("C", "power", {0, 7}),
        ("Am7", "octaves", {9}),
        ("Cmaj9", "triad", {0, 4, 7}),
    ],
)
def test_each_style_takes_its_tones(symbol, style, names):
    assert {p % 12 for p in voice(parse_chord(symbol), style=style, low=48, high=79)} == names


def test_drop2_is_the_close_voicing_with_its_second_voice_lowered():
    drop2 = voice(parse_chord("Cmaj7"), style="drop2", low=48, high=79)
    closed = sorted((drop2[0] + 12, *drop2[1:]))
    assert closed[-1] - closed[0] < 12


@pytest.mark.parametrize("style", ["spread", "open"])
def test_wide_shapes_stand_on_the_bass(style):
    assert voice(parse_chord("F/A"), style=style, low=41, high=79)[0] % 12 == 9


@given(chords(), chords())
def test_leading_moves_no_more_than_any_other_voicing_unless_to_avoid_parallels(first, second):
    previous = voice(first, style="close", low=48, high=76)
    led = lead_voices(previous, second, 48, 76)
    assert list(led) == sorted(set(led))
    needed = set(chosen_tones(second, 4))
    assert needed <= {p % 12 for p in led}
    pitches = [p for p in range(max(48, previous[0] - 9), min(76, previous[-1] + 9) + 1) if p % 12 in needed]
    others = [c for c in itertools.combinations(pitches, 4) if needed <= {p % 12 for p in c}
              and all(1 < b - a <= 12 for a, b in itertools.pairwise(c))]  # fmt: skip
    if others:
        free = [c for c in others if not parallel_outer(previous, c)]
        best = min(motion(previous, c) for c in others)
        near = [c for c in free if motion(previous, c) <= best + 8]
        assert motion(previous, led) == (min(motion(previous, c) for c in near) if near else best)


@given(chords())
def test_a_chord_led_to_itself_stays(chord):
    previous = lead_voices((), chord, 48, 76)
    if set(chosen_tones(chord, 4)) <= {p % 12 for p in previous} and len(previous) == 4:
        again = lead_voices(previous, chord, 48, 76)
        assert motion(previous, again) == 0 or 1 in [b - a for a, b in itertools.pairwise(previous)]


def test_common_tones_are_kept():
    led = lead_voices((55, 60, 64, 67), parse_chord("Am"), 48, 76)
    assert {60, 64} <= set(led)


def test_guide_tones():
    assert guide_tones(parse_chord("G7")) == (11, 5)
    assert guide_tones(parse_chord("Dsus4")) == (7,)


def test_unknown_style_is_named():
    with pytest.raises(InputError, match="close"):
        voice(parse_chord("C"), style="closed", low=48, high=72)
