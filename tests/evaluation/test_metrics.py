import numpy as np
import pytest

from songwright.evaluation.metrics import METRICS
from songwright.evaluation.metrics.intervals import interval_distance, interval_histogram
from songwright.evaluation.piece import Piece, from_song, skyline
from songwright.score.song import ChordSpan, Note, Section, Song, Track

BAR = 3840


def piece(pitches, *, steps=None, bars=None, **more):
    """A tune of eighth notes (or of the given starts in sixteenths)."""
    starts = np.array(steps if steps is not None else range(0, 2 * len(pitches), 2)) * 240
    melody = np.array([(s, 240, p) for s, p in zip(starts, pitches, strict=True)], dtype=np.int64).reshape(-1, 3)
    count = bars or int(starts.max()) // BAR + 1
    return Piece(np.arange(count + 1, dtype=np.int64) * BAR, melody, **more)


def test_entropy_of_one_and_of_twelve():
    assert METRICS["pitch_class_entropy"](piece([60, 72, 48])) == 0.0
    assert METRICS["pitch_class_entropy"](piece(list(range(60, 72)))) == pytest.approx(np.log2(12))


def test_scale_consistency():
    assert METRICS["scale_consistency"](piece([62, 64, 66, 67, 69, 71, 73, 74])) == 1.0
    assert METRICS["scale_consistency"](piece(list(range(60, 72)))) == pytest.approx(7 / 12)


def test_groove_is_one_for_equal_bars_and_falls_for_different_ones():
    same = piece([60] * 8, steps=[0, 4, 8, 12, 16, 20, 24, 28])
    other = piece([60] * 8, steps=[0, 4, 8, 12, 18, 22, 26, 30])
    assert METRICS["groove_consistency"](same) == 1.0
    assert METRICS["groove_consistency"](other) == pytest.approx(0.5)


def test_chord_tones_on_strong_beats_only():
    chords = np.array([(0, (1 << 0) | (1 << 4) | (1 << 7))])
    assert METRICS["chord_tone_ratio"](piece([60, 61, 61, 61, 62, 61, 61, 61], chords=chords)) == pytest.approx(0.5)
    assert METRICS["chord_tone_ratio"](piece([60])) is None


def test_repetition_counts_transposed_repeats():
    motif = [60, 62, 64, 62, 60, 59, 60, 62]
    tune = motif * 2 + [p + 5 for p in motif] * 2
    assert METRICS["repetition_index"](piece(tune)) > 0.5
    wandering = np.random.default_rng(0).integers(50, 80, 64).tolist()
    assert METRICS["repetition_index"](piece(wandering)) == 0.0


def test_empty_bars_between_first_and_last_note():
    assert METRICS["empty_bar_share"](piece([60, 60, 60], steps=[16, 48, 64], bars=8)) == pytest.approx(1 / 4)


def test_density_contrast():
    sections = np.array([(0, 2 * BAR), (2 * BAR, 4 * BAR)])
    even = piece([60] * 16, steps=range(0, 64, 4), section_ticks=sections)
    uneven = piece([60] * 12, steps=[*range(0, 32, 8), *range(32, 64, 4)], section_ticks=sections)
    assert METRICS["density_contrast"](even) == 0.0
    assert METRICS["density_contrast"](uneven) == pytest.approx(1 / 3)


def test_bass_root_and_kick():
    bass = np.array([(0, 960, 36), (BAR, 960, 43)])
    upper = np.array([(0, BAR, 64), (0, BAR, 67), (BAR, BAR, 60), (BAR, BAR, 64)])
    kicks = np.array([0, BAR // 2])
    both = piece([72, 72], steps=[0, 16], bass=bass, accompaniment=upper, kicks=kicks)
    assert METRICS["bass_root_on_one"](both) == pytest.approx(0.5)
    assert METRICS["bass_kick_coincidence"](both) == 1.0
    late = piece([72, 72], steps=[0, 16], bass=bass + np.array([480, 0, 0]), accompaniment=upper, kicks=kicks)
    assert METRICS["bass_kick_coincidence"](late) == 0.0


def test_interval_distance():
    up, down = piece([60, 62, 64, 65]), piece([65, 64, 62, 60])
    assert interval_distance([up], [up]) == 0.0 and interval_distance([up], [down]) == 1.0
    assert interval_histogram([up, down]).sum() == pytest.approx(1.0)


def test_skyline_keeps_the_top_and_cuts_overlaps():
    rows = np.array([(0, 960, 60), (0, 960, 67), (480, 960, 65)])
    assert skyline(rows).tolist() == [[0, 480, 67], [480, 960, 65]]


def test_from_song_sorts_tracks_into_roles():
    song = Song(
        duration_ticks=2 * BAR,
        sections=(Section("A", "verse", 0, 2 * BAR, 0.5),),
        chords=(ChordSpan(0, 2 * BAR, "C/E"),),
        tracks=(
            Track("lead", "melody", "flute", notes=(Note(0, 960, 72, 90),)),
            Track("bass", "bass", "acoustic_bass", notes=(Note(0, 960, 40, 90),)),
            Track("keys", "chords", "bright_piano", notes=(Note(0, 960, 60, 90), Note(0, 960, 64, 90))),
            Track("drums", "drums", "standard_kit", notes=(Note(0, 100, 36, 90), Note(960, 100, 38, 90))),
        ),
    )
    made = from_song(song)
    assert made.num_bars == 2 and len(made.melody) == 1 and len(made.bass) == 1 and len(made.accompaniment) == 2
    assert made.kicks.tolist() == [0] and made.chords[0, 1] == (1 << 0) | (1 << 4) | (1 << 7)
    empty = from_song(Song())
    assert all(metric(empty) is None for metric in METRICS.values())
