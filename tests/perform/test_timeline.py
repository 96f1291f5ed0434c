import numpy as np
import pytest

from songwright.perform.timeline import kick_seconds, performance, seconds_at, song_seconds
from songwright.score.song import Control, Note, PitchBend, Song, TempoChange, Track


def _song(*tracks: Track, tempos=None) -> Song:
    return Song(duration_ticks=3840, tempos=tempos or (TempoChange(0, 120.0),), tracks=tracks)


def test_tempo_map_agrees_with_the_song_tick_by_tick():
    song = _song(tempos=(TempoChange(0, 90.0), TempoChange(700, 133.0), TempoChange(2500, 61.5)))
    ticks = np.arange(-500, 5000, 37)
    assert np.allclose(seconds_at(song, ticks), [song.seconds_at(t) for t in ticks], atol=1e-12)


def test_notes_are_sorted_by_sounding_time_and_offsets_move_both_ends():
    notes = (Note(0, 480, 60, 90, 600), Note(480, 480, 64, 80, -24), Note(480, 480, 62, 70, -24))
    song = _song(Track("a", "chords", "violin", notes=notes))
    played = performance(song, song.tracks[0])
    assert played.pitches.tolist() == [62, 64, 60]
    assert played.velocities.tolist() == [70, 80, 90]
    assert np.allclose(played.start_seconds, np.array([456, 456, 600]) / 1920)
    assert np.allclose(played.end_seconds, np.array([936, 936, 1080]) / 1920)


def test_a_note_pushed_before_the_song_starts_at_zero_and_keeps_a_length():
    song = _song(Track("a", "drums", "standard_kit", notes=(Note(0, 1, 36, 90, -960),)))
    played = performance(song, song.tracks[0])
    assert played.start_seconds[0] == 0.0
    assert played.end_seconds[0] > 0.0


def test_only_the_wanted_drums_are_kept():
    notes = (Note(0, 60, 36, 90), Note(0, 60, 42, 90), Note(960, 60, 38, 90))
    song = _song(Track("d", "drums", "standard_kit", notes=notes))
    assert performance(song, song.tracks[0], pitches={36, 38}).pitches.tolist() == [36, 38]
    assert performance(song, song.tracks[0], pitches=()).num_notes == 0


@pytest.mark.parametrize(("data", "expected"), [((), 2.0), ((12, 50), 12.5)])
def test_bend_range_is_read_from_rpn_zero(data, expected):
    controls = (
        Control(0, 101, 0),
        Control(0, 100, 0),
        *(Control(0, c, v) for c, v in zip((6, 38), data, strict=False)),
    )
    track = Track("a", "melody", "violin", controls=controls, bends=(PitchBend(960, 8191),))
    played = performance(_song(track), track)
    assert played.bend_range_semitones == expected
    assert played.bends == ((0.5, 8191),)
    other = Track("a", "melody", "violin", controls=(Control(0, 101, 0), Control(0, 100, 1), Control(0, 6, 24)))
    assert performance(_song(other), other).bend_range_semitones == 2.0


def test_length_covers_notes_past_the_last_bar():
    track = Track("a", "melody", "violin", notes=(Note(3000, 1920, 60, 90),))
    assert song_seconds(_song(track)) == pytest.approx(4920 / 1920)
    assert song_seconds(_song()) == pytest.approx(2.0)


def test_kicks_are_sorted_merged_and_only_from_drum_tracks():
    drums = Track("d", "drums", "standard_kit", notes=(Note(960, 60, 36, 9), Note(960, 60, 35, 9), Note(0, 60, 38, 9)))
    more = Track("p", "percussion", "standard_kit", notes=(Note(0, 60, 36, 9),))
    bass = Track("b", "bass", "electric_bass_pick", notes=(Note(480, 60, 36, 9),))
    assert kick_seconds(_song(drums, more, bass)).tolist() == [0.0, 0.5]
