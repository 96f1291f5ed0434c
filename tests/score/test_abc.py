import pytest

from songwright.errors import DataError, InputError
from songwright.score.abc import parse_abc, read_abc, split_tunes
from songwright.score.abc_voice import chord_symbol, read_key, read_meter, read_tempo
from songwright.score.song import TICKS_PER_QUARTER as Q

HEAD = "X:1\nT:Test\nM:4/4\nL:1/4\nK:{}\n"


def notes(text, key="C", **how):
    song = parse_abc(HEAD.format(key) + text + "\n", **how)
    return [(n.start_ticks / Q, n.duration_ticks / Q, n.pitch) for n in song.tracks[0].notes]


def test_lengths_octaves_and_rests():
    assert notes("C c' z2 | C,/2 C// C3/2 C |") == [
        (0, 1, 60), (1, 1, 84), (4, 0.5, 48), (4.5, 0.25, 60), (4.75, 1.5, 60), (6.25, 1, 60),
    ]  # fmt: skip


def test_accidentals_last_to_the_bar_line_in_their_octave():
    assert [p for *_, p in notes("^F F f F | F =B B _e |", "G")] == [66, 66, 78, 66, 66, 71, 71, 75]


def test_triplets_and_broken_rhythm():
    assert [n for _, n, _ in notes("(3CDE F>G A<A |")] == pytest.approx([2 / 3] * 3 + [1.5, 0.5, 0.5, 1.5], abs=1e-3)
    assert [s for s, *_ in notes("(3C2D2E2 (5:4:5 C/D/E/F/G/ |")][3] == pytest.approx(4, abs=0.01)


def test_ties_join_within_and_across_bars():
    assert notes("C-C G2- | G2 c2 |") == [(0, 2, 60), (2, 4, 67), (6, 2, 72)]
    assert notes("[CEG]2-[CEG]2 |") == [(0, 4, 60), (0, 4, 64), (0, 4, 67)]


@pytest.mark.parametrize(
    ("text", "once", "sounding"),
    [
        ("C4 | D4 :| E4 |", "CDE", "CDCDE"),
        ("|: C4 | D4 :: E4 | F4 :|", "CDEF", "CDCDEFEF"),
        ("|: C4 |1 D4 :|2 E4 || F4 |", "CEF", "CDCEF"),
        ("|: C4 | [1 D4 :| [2 E4 |] F4 |", "CEF", "CDCEF"),
        ("C4 | D4 |", "CD", "CD"),
        ("|: C4 | D4 |1 E4 | F4 :|2 G4 | A4 |", "CDGA", "CDEFCDGA"),
        ("C4 :| D4 | E4 :|", "CDE", "CCDEDE"),
    ],
)
def test_repeats_and_endings(text, once, sounding):
    letters = dict(zip((60, 62, 64, 65, 67, 69), "CDEFGA", strict=True))
    assert "".join(letters[p] for *_, p in notes(text, unfold=False)) == once
    assert "".join(letters[p] for *_, p in notes(text)) == sounding


def test_upbeats_have_a_bar_of_their_own():
    song = parse_abc(HEAD.format("G") + "D | G4 | A4 | B3 :|\n", unfold=False)
    assert [(m.numerator, m.denominator) for m in song.meters] == [(1, 4), (4, 4), (3, 4)]
    assert song.duration_ticks == 12 * Q


def test_chords_keys_and_tempo_in_the_body():
    text = 'Q:1/4=90\n"Gm/bb"G2 "D7"A2 | "^slow" "4" "F" c4 |\n[K:Em] "Em"e4 | [M:3/4] e3 |\n'
    song = parse_abc(HEAD.format("Gm") + text)
    assert [(c.start_ticks // Q, c.symbol) for c in song.chords] == [(0, "Gm/Bb"), (2, "D7"), (4, "F"), (8, "Em")]
    assert [(k.tick // Q, k.key) for k in song.keys] == [(0, "G minor"), (8, "E minor")]
    assert song.tempos[0].bpm == 90
    assert [(m.tick // Q, m.numerator) for m in song.meters] == [(0, 4), (12, 3)]


def test_words_hold_skip_and_divide():
    text = "C D E F | G2 A2 |\nw: Hal- le- _ lu * jah!\nw: second verse is left\n"
    song = parse_abc(HEAD.format("C") + text)
    assert [(s.text, s.word) for s in song.syllables] == [
        ("Hal", "Hallelu"), ("le", "Hallelu"), ("lu", "Hallelu"), ("jah!", "jah!"),
    ]  # fmt: skip
    assert [n.syllable for n in song.tracks[0].notes] == [0, 1, 1, 2, 2, 3]
    assert song.tracks[0].role == "vocal"


def test_voices_stand_side_by_side_whatever_their_bar_lines():
    text = "V:1\nV:2 octave=-1\n[V:1] c4 | d4 |\nw: one two\n[V:2] C4 D4 |\n"
    song = parse_abc("X:1\nM:4/4\nL:1/4\nV:1\nV:2 octave=-1\nK:C\n" + text)
    assert [[(n.start_ticks // Q, n.pitch) for n in t.notes] for t in song.tracks] == [
        [(0, 72), (4, 74)], [(0, 48), (4, 50)],
    ]  # fmt: skip


def test_fields():
    assert read_key("D dor") == ("D dorian", {}) and read_key("Bb")[1] == {"B": -1, "E": -1}
    assert read_key("HP")[0] == "A mixolydian" and read_key("clef=bass") is None
    assert read_key("D ^g")[1] == {"F": 1, "C": 1, "G": 1}
    assert (read_meter("C|"), read_meter("(2+3)/8"), read_meter("none")) == ((2, 2), (5, 8), None)
    assert (read_tempo('"fast" 1/8=200'), read_tempo("120"), read_tempo("3/8=60")) == (100, 120, 90)
    assert (chord_symbol("Am7/g"), chord_symbol("^up"), chord_symbol("3"), chord_symbol("(D7)")) == (
        "Am7/G", "", "", "D7",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "X:1\nK:C\n", "X:1\nT:no key\nCDEF|\n", "X:1\nK:C blah\nCDEF|\n", "X:1\nK:C\nC0/0|\n"]
)
def test_what_is_no_tune_is_refused_in_one_line(text):
    with pytest.raises(InputError):
        parse_abc(text)


def test_files(tmp_path):
    path = tmp_path / "book.abc"
    path.write_text("% a book\n\n" + HEAD.format("C") + "C4|\n\n" + HEAD.format("D") + "D4|\n")
    assert len(split_tunes(path.read_text())) == 2
    assert read_abc(path, 1).keys[0].key == "D major"
    for index in (2, 99):
        with pytest.raises(DataError, match="2 tunes"):
            read_abc(path, index)
    with pytest.raises(DataError):
        read_abc(tmp_path / "none.abc")
    path.write_bytes(b"X:1\nK:C\n" + bytes(range(128, 256)) * 20 + b"\n|:[[[((((&&&]\n")
    with pytest.raises(DataError):
        read_abc(path)
