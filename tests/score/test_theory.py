import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_strategies import chords

from songwright.errors import InputError
from songwright.score.theory import (
    MODES,
    QUALITIES,
    Chord,
    Key,
    chord_in_key,
    key_of_signature,
    parse_chord,
    parse_key,
    pitch_class,
    roman_of,
    signature_of,
    spell,
)

keys = st.builds(Key, st.integers(0, 11), st.sampled_from(sorted(MODES)))


@pytest.mark.parametrize("quality", sorted(QUALITIES))
def test_symbols_and_numerals_read_back_for_every_root_and_bass(quality):
    for root in range(12):
        for bass in (None, *range(12)):
            chord = Chord(root, quality, None if bass == root else bass)
            assert parse_chord(chord.symbol(flats=True)) == chord
            assert parse_chord(chord.symbol()) == chord
            for tonic in (0, 5, 10):
                assert chord_in_key(roman_of(chord, Key(tonic)), Key(tonic)) == chord


@given(chords(), st.integers(-24, 24), st.integers(-24, 24))
def test_transposing_adds_up_and_keeps_the_intervals(chord, a, b):
    assert chord.transposed(a).transposed(b) == chord.transposed(a + b)
    assert chord.transposed(12) == chord
    assert {(pc + a) % 12 for pc in chord.pitch_classes} == set(chord.transposed(a).pitch_classes)


@given(keys)
def test_keys_read_back(key):
    assert parse_key(str(key)) == key
    assert signature_of(str(key)) == key.fifths


@pytest.mark.parametrize("mode", ["major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian"])
@pytest.mark.parametrize("fifths", range(-7, 8))
def test_signatures_are_the_inverse_of_spelled_keys(fifths, mode):
    key = key_of_signature(fifths, mode)
    assert signature_of(key) == fifths
    names = [spell(pc, fifths, mode) for pc in parse_key(key).pitch_classes]
    assert len({name[0] for name in names}) == 7  # every letter once
    assert sum(n.count("#") - n[1:].count("b") for n in names) == fifths


@given(st.integers(0, 11), st.integers(-7, 7), st.sampled_from(sorted(MODES)))
def test_spelled_names_sound_right(pc, fifths, mode):
    assert pitch_class(spell(pc, fifths, mode)) == pc


@pytest.mark.parametrize(
    ("pc", "key", "name"),
    [(6, "G major", "F#"), (6, "Db major", "Gb"), (11, "Gb major", "Cb"), (5, "F# major", "E#"), (8, "A minor", "G#"),
     (11, "C minor", "B"), (3, "C major", "Eb"), (1, "D minor", "C#")],
)  # fmt: skip
def test_spelling_follows_the_key(pc, key, name):
    assert spell(pc, signature_of(key), parse_key(key).mode) == name


def test_blues_is_no_flat():
    assert str(parse_key("C blues")) == "C blues"
    assert parse_key("Bb blues") == Key(10, "blues")


@pytest.mark.parametrize("text", ["H#", "", "C majorr", "key"])
def test_nonsense_keys_are_refused(text):
    with pytest.raises(InputError):
        parse_key(text)
