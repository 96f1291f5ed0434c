import pytest

from songwright.collection.chord_names import harte_symbol, is_symbol, sounding_symbol, spans
from songwright.collection.homophony import chords_of_parts
from songwright.collection.romantext import analysis, numeral_chord
from songwright.errors import InputError
from songwright.score.song import TICKS_PER_QUARTER as Q
from songwright.score.song import Note, Song, Track
from songwright.score.theory import QUALITIES, parse_chord


@pytest.mark.parametrize(
    ("label", "symbol"),
    [
        ("C:maj", "C"), ("F#:min7/b3", "F#m7/A"), ("N", "N.C."), ("X", "N.C."), ("A:sus4(b7)", "A7sus4"),
        ("D:maj/3", "D/F#"), ("G:7(b9)", "G7b9"), ("E:maj(9)", "Eadd9"), ("Bb:hdim7", "A#m7b5"), ("C:min(7)", "Cmmaj7"),
        ("D:5", "D5"), ("A:min(*5,b6)", "Am"), ("C:maj6(9)", "C69"), ("G", "G"), ("G:(1,4,5)", "Gsus4"),
    ],
)  # fmt: skip
def test_harte(label, symbol):
    assert harte_symbol(label) == symbol


def test_what_is_no_label_is_refused():
    for label in ("H:maj", "C#maj7", "|"):
        with pytest.raises(InputError):
            harte_symbol(label)


def test_sounding_chords_are_named_back():
    for quality in ("", "m", "7", "maj7", "m7", "dim", "sus4", "6", "9"):
        for root in range(12):
            tones = tuple(48 + root + t for t in QUALITIES[quality])
            named = parse_chord(sounding_symbol(tones))
            assert set(named.pitch_classes) == {t % 12 for t in tones} and named.bass_pitch_class == root
    assert sounding_symbol((52, 60, 67)) == "C/E" and sounding_symbol((51, 58, 63, 67), flats=True) == "Eb"
    assert sounding_symbol(()) == "N.C." and sounding_symbol((60, 61, 62, 66)) == "N.C."
    assert sounding_symbol((48, 52, 55, 61)) == "C"


def test_spans_have_no_gaps_and_join_repeats():
    found = spans([(Q, "C"), (2 * Q, "C"), (3 * Q, "G"), (9 * Q, "F")], 8 * Q)
    assert [(c.start_ticks // Q, c.duration_ticks // Q, c.symbol) for c in found] == [
        (0, 1, "N.C."), (1, 2, "C"), (3, 5, "G"),
    ]  # fmt: skip
    assert spans([], 4 * Q) == () and is_symbol("Am7") and not is_symbol("Zm")


@pytest.mark.parametrize(
    ("numeral", "tonic", "minor", "chord"),
    [
        ("I", 0, False, "C"), ("V7", 0, True, "G7"), ("V65/V", 0, False, "D7/F#"), ("viio7", 9, True, "G#dim7"),
        ("iiø65", 0, True, "Dm7b5/F"), ("VI", 9, True, "F"), ("I64", 0, False, "C/G"), ("Ger65", 0, True, "G#7"),
        ("N6", 0, False, "C#/F"), ("V2", 2, False, "A7/G"), ("bVI", 0, False, "G#"), ("III+6", 0, True, "D#aug/G"),
        ("Cad64", 0, True, "Cm/G"), ("V7/vi", 0, False, "E7"), ("IV7", 0, False, "Fmaj7"),
    ],
)  # fmt: skip
def test_numerals(numeral, tonic, minor, chord):
    assert numeral_chord(numeral, tonic, minor).symbol() == chord


def test_numerals_that_are_none():
    assert numeral_chord("V8642", 0, False) is None and numeral_chord("I/Cad", 0, False) is None


def test_an_analysis():
    text = "Composer: X\nTime Signature: 3/4\nm1 C: I b2.5 V7 b3 a: V\nm2 i\nm3a VI ||\nm4 = m1\n"
    found = [(a.measure, a.beat, a.chord.symbol()) for a in analysis(text)]
    assert found == [(1, 1, "C"), (1, 2.5, "G7"), (1, 3, "E"), (2, 1, "Am"), (3, 1, "F")]


def test_parts_sound_chords_and_passing_tones_do_not():
    tops = [Note(0, Q // 2, 72, 80), Note(Q // 2, Q // 2, 74, 80), Note(Q, Q, 71, 80)]
    low = [Note(0, Q, 48, 80), Note(Q, Q, 47, 80)]
    inner = [Note(0, Q, 64, 80), Note(0, Q, 67, 80), Note(Q, Q, 62, 80), Note(Q, Q, 67, 80)]
    tracks = (
        Track("a", "melody", "flute", "", tuple(tops)),
        Track("b", "chords", "flute", "", tuple(sorted([*low, *inner]))),
    )
    song = Song(duration_ticks=4 * Q, tracks=tracks)
    assert [(c.start_ticks // Q, c.symbol) for c in chords_of_parts(song)] == [(0, "C"), (1, "G/B")]
