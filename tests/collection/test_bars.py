from songwright.collection.bars import regular_bars
from songwright.score.song import TICKS_PER_QUARTER as Q
from songwright.score.song import ChordSpan, MeterChange, Note, Section, Song, Track, check


def song(*bars, notes=(), chords=(), sections=()):
    """Returns a song of bars given as (quarters, ...) of 4/4 unless another length."""
    meters, at = [], 0
    for quarters in bars:
        if not meters or meters[-1].numerator != quarters:
            meters.append(MeterChange(at * Q, quarters, 4))
        at += quarters
    track = Track("a", "melody", "flute", "", tuple(Note(s * Q, Q, 60, 80) for s in notes))
    return Song(duration_ticks=at * Q, meters=tuple(meters), tracks=(track,), chords=chords, sections=sections)


def shape(song):
    check(song)
    return [(m.tick // Q, m.numerator) for m in song.meters], song.duration_ticks // Q


def starts(song):
    return [n.start_ticks // Q for n in song.tracks[0].notes]


def test_an_upbeat_ends_a_full_bar_and_the_last_bar_is_filled():
    out = regular_bars(song(1, 4, 4, 4, 3, notes=(0, 1, 13)))
    assert shape(out) == ([(0, 4)], 20)
    assert starts(out) == [3, 4, 16]


def test_a_bar_cut_by_a_repeat_is_one_again():
    out = regular_bars(song(4, 4, 4, 3, 1, 4, 4, 4, notes=(12, 15, 16)))
    assert shape(out) == ([(0, 4)], 28)
    assert starts(out) == [12, 15, 16]


def test_a_short_bar_that_waits_for_the_upbeat_is_filled():
    out = regular_bars(song(1, 4, 4, 4, 3, 4, 4, 4, notes=(13, 16)))
    assert shape(out) == ([(0, 4)], 32)
    assert starts(out) == [16, 20]


def test_an_odd_bar_inside_stays_and_a_bar_without_lines_is_divided():
    assert shape(regular_bars(song(4, 4, 4, 2, 4, 4, 4))) == ([(0, 4), (12, 2), (14, 4)], 26)
    assert shape(regular_bars(song(4, 4, 4, 8, 4))) == ([(0, 4)], 24)


def test_chords_and_sections_move_along():
    chords = (ChordSpan(0, Q, "N.C."), ChordSpan(Q, 8 * Q, "C"), ChordSpan(9 * Q, 4 * Q, "G"))
    sections = (Section("A", "verse", 0, 9 * Q, 0.5), Section("B", "chorus", 9 * Q, 4 * Q, 0.5))
    out = regular_bars(song(1, 4, 4, 4, chords=chords, sections=sections))
    assert [(c.start_ticks // Q, c.duration_ticks // Q) for c in out.chords] == [(0, 4), (4, 8), (12, 4)]
    assert [(s.start_ticks // Q, s.duration_ticks // Q) for s in out.sections] == [(0, 12), (12, 4)]


def test_regular_music_is_left_alone_and_twice_is_once():
    plain = song(4, 4, 4)
    assert regular_bars(plain) is plain
    for bars in ((1, 4, 4, 4, 3), (4, 4, 3, 1, 2, 4), (3, 3, 3, 5, 3, 3)):
        once = regular_bars(song(*bars, notes=range(sum(bars))))
        assert regular_bars(once) == once
