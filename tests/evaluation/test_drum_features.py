"""Properties of the drum measures, on takes of our own making."""

import numpy as np
import pytest

from songwright.errors import DataError
from songwright.evaluation.drum_features import (
    GROUPS,
    DrumTake,
    bar_likeness,
    features,
    onset_histogram,
    read_groove_midi,
    set_distance,
    split_half_distance,
    swing_ratio,
    take_of_notes,
    triplet_pull,
    velocity_histogram,
)
from songwright.score.drums import DRUMS
from songwright.score.song import Note

NAMES = list(GROUPS)


def backbeat(bars: int = 8, *, late: float = 0.0, offbeat: float = 0.5, snare_velocity: int = 110) -> DrumTake:
    rows = []
    for bar in range(bars):
        for beat in range(4):
            place = bar * 4 + beat + late
            rows.append((place, "snare" if beat % 2 else "kick", snare_velocity if beat % 2 else 90))
            rows.append((place, "closed_hat", 80))
            rows.append((place + offbeat, "closed_hat", 50))
    table = sorted(rows)
    return DrumTake(
        np.array([r[0] for r in table]),
        np.array([NAMES.index(r[1]) for r in table]),
        np.array([float(r[2]) for r in table]),
    )


def four_on_the_floor(bars: int = 8) -> DrumTake:
    beats = np.arange(bars * 4, dtype=float)
    return DrumTake(
        np.concatenate([beats, beats + 0.5]),
        np.repeat([NAMES.index("kick"), NAMES.index("open_hat")], len(beats)),
        np.full(2 * len(beats), 60.0),
    )


def test_onset_histogram_counts_strokes_per_bar():
    histogram = onset_histogram(backbeat())
    assert histogram.shape == (len(GROUPS), 16)
    assert histogram[NAMES.index("kick")].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert histogram[NAMES.index("closed_hat")].sum() == 8


def test_micro_timing_does_not_move_the_histogram():
    assert np.array_equal(onset_histogram(backbeat()), onset_histogram(backbeat(late=0.02)))


def test_velocity_histogram_counts_by_loudness():
    histogram = velocity_histogram(backbeat(snare_velocity=127))
    assert histogram[NAMES.index("snare"), 7] == 2
    assert histogram.sum() == onset_histogram(backbeat()).sum()


def test_distance_is_nought_to_itself_and_grows():
    same = set_distance([backbeat()], [backbeat()])
    other = set_distance([backbeat()], [four_on_the_floor()])
    louder = set_distance([backbeat()], [backbeat(snare_velocity=40)])
    assert same.onset == same.velocity == 0.0
    assert 0.5 < other.onset <= 1.0
    assert louder.onset == 0.0 < louder.velocity <= 1.0
    assert np.isnan(set_distance([], [backbeat()]).velocity)
    back = set_distance([four_on_the_floor()], [backbeat()])
    assert back.onset == pytest.approx(other.onset)


def test_split_halves_of_equal_takes_are_alike_and_of_mixed_are_not():
    random = np.random.default_rng(0)
    alike = split_half_distance([[backbeat()] for _ in range(6)], random=random)
    mixed = split_half_distance([[backbeat()], [four_on_the_floor()]] * 3, random=random)
    assert alike.onset == 0.0 < mixed.onset
    assert np.isnan(split_half_distance([[backbeat()]], random=random).onset)


def test_windows_are_whole_bars_from_their_own_bar_line():
    windows = backbeat(20).windows(8)
    assert len(windows) == 2
    assert all(w.num_bars == 8 and w.beats.min() == pytest.approx(0.0) for w in windows)
    early = backbeat(16, late=-0.02)
    assert len(early.windows(8)) == 2


def test_swing_is_heard():
    assert swing_ratio(backbeat(), 8) == pytest.approx(0.5)
    swung = backbeat(offbeat=2 / 3)
    assert swing_ratio(swung, 8) == pytest.approx(2 / 3)
    assert triplet_pull(swung) > 0 > triplet_pull(backbeat(offbeat=0.25))


def test_bar_likeness():
    assert bar_likeness(backbeat()) == 1.0
    random = np.random.default_rng(1)
    noise = DrumTake(np.sort(random.uniform(0, 32, 120)), random.integers(0, 5, 120), np.full(120, 80.0))
    assert bar_likeness(noise) < 0.4


def test_features_have_one_length_and_tell_grooves_apart():
    a, b = features(backbeat()), features(four_on_the_floor())
    assert a.shape == b.shape and np.isfinite(a).all() and np.isfinite(b).all()
    assert np.abs(a - b).max() > 0.5


def test_notes_become_a_take_with_their_offsets():
    notes = [Note(0, 10, DRUMS["kick"], 100), Note(960, 10, DRUMS["snare"], 90, 48), Note(0, 10, DRUMS["claves"], 90)]
    take = take_of_notes(notes, 3840)
    assert take.beats.tolist() == [0.0, 1.05]
    assert [NAMES[g] for g in take.group] == ["kick", "snare"]


def test_reads_a_midi_file_and_maps_its_kit(tmp_path):
    symusic = pytest.importorskip("symusic")
    score = symusic.Score(480)
    track = symusic.Track(is_drum=True)
    for time, pitch in ((0, 36), (480, 40), (720, 26)):
        track.notes.append(symusic.Note(time, 60, pitch, 100))
    score.tracks.append(track)
    score.dump_midi(str(tmp_path / "a.mid"))
    take = read_groove_midi(tmp_path / "a.mid")
    assert [NAMES[g] for g in take.group] == ["kick", "snare", "open_hat"]
    assert take.beats.tolist() == [0.0, 1.0, 1.5]
    (tmp_path / "b.mid").write_bytes(b"MThd nonsense")
    with pytest.raises(DataError, match="MIDI"):
        read_groove_midi(tmp_path / "b.mid")
