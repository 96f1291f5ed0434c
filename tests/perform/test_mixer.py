import numpy as np
import pytest

from songwright.perform.calibration import (
    REFERENCE_LUFS,
    ROLE_LEVELS_DB,
    Calibration,
    level_lufs,
    reference_performance,
)
from songwright.perform.mixer import Space, add_sends, duck_curve, end_fade, fader_curve, mix_stem, pan, space_of
from songwright.score.drums import DRUM_GROUPS
from songwright.score.instruments import INSTRUMENTS
from songwright.score.song import TRACK_ROLES, Insert, MasterMix, Note, Song, Track, TrackMix

RATE = 44100


class Sine:
    """Plays sines of a given level; counts how often it is asked."""

    identity = "sine"

    def __init__(self, level=0.1):
        self.level, self.calls = level, 0

    def render(self, performance, instrument, *, sample_rate, num_samples):
        self.calls += 1
        out = np.zeros((2, num_samples), np.float32)
        for start, end, pitch in zip(
            performance.start_seconds, performance.end_seconds, performance.pitches, strict=True
        ):
            first, last = int(start * sample_rate), min(num_samples, int(end * sample_rate))
            time = np.arange(max(0, last - first)) / sample_rate
            out[:, first : first + len(time)] += self.level * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time)
        return out


def space(seconds=2.0, kicks=(), **master):
    return Space(RATE, int(seconds * RATE), 0.5, MasterMix(**master), np.array(kicks, dtype=float))


def noise(seconds=2.0):
    return (0.05 * np.random.default_rng(0).standard_normal((2, int(seconds * RATE)))).astype(np.float32)


def rms_db(wave):
    return 10 * np.log10(np.mean(np.square(wave, dtype=float)) + 1e-20)


@pytest.mark.parametrize("place", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_pan_keeps_the_power_and_moves_it(place):
    mono = np.repeat(noise()[:1], 2, axis=0)
    left, right = (np.mean(np.square(side, dtype=float)) for side in pan(mono.copy(), place))
    assert left + right == pytest.approx(2 * np.mean(np.square(mono[0], dtype=float)), rel=1e-4)
    assert (left < right) == (place > 0) or place == 0
    if abs(place) == 1:
        assert min(left, right) < 1e-9


def test_pan_of_a_stereo_sound_loses_neither_side():
    wave = noise()
    wave[0] = 0.0
    assert rms_db(pan(wave.copy(), -1.0)[0]) > rms_db(wave[1]) - 6


def test_the_fader_follows_its_automation_through_the_tempo_map():
    song = Song(duration_ticks=7680)
    curve = fader_curve(TrackMix(gain_db=-6.0, automation=((1920, 0.0), (3840, 6.0))), space(4.0), song)
    at = np.interp(np.array([0.5, 1.0, 1.5, 2.0, 3.0]) * RATE / 128, np.arange(len(curve)), 20 * np.log10(curve))
    assert at == pytest.approx([-6, -6, -3, 0, 0], abs=0.02)


def test_ducking_goes_down_with_each_kick_and_comes_back():
    curve = 20 * np.log10(duck_curve(space(2.0, kicks=(0.5, 1.5)), 6.0))
    at = np.interp(np.array([0.2, 0.5, 0.9, 1.5, 1.95]) * RATE / 128, np.arange(len(curve)), curve)
    assert at == pytest.approx([0, -6, 0, -6, 0], abs=0.3)
    assert (duck_curve(space(), 6.0) == 1).all()


def test_the_reverb_rings_after_the_sound_and_off_means_off():
    dry = noise()
    dry[:, RATE // 2 :] = 0.0
    wet = add_sends(dry.copy(), TrackMix(reverb_db=-6.0), space(reverb="hall", reverb_seconds=1.5))
    assert rms_db(wet[:, RATE // 2 : RATE]) > -60
    assert np.array_equal(add_sends(dry.copy(), TrackMix(), space()), dry)
    added = rms_db((wet - dry)[:, RATE // 4 : RATE // 2]) - rms_db(dry[:, : RATE // 2])
    assert -10 < added < -4


def test_the_delay_answers_on_the_beat():
    dry = np.zeros((2, 2 * RATE), np.float32)
    dry[:, 1000] = 0.5
    wet = add_sends(dry.copy(), TrackMix(delay_db=-6.0), space(delay_beats=1.0, delay_feedback=0.0))
    assert abs(np.abs(wet[:, 5000:]).max(axis=0).argmax() + 5000 - (1000 + RATE // 2)) < 10


def test_a_stem_ends_in_silence_and_never_clips():
    song = Song(duration_ticks=1920)
    loud = mix_stem(20 * noise(2.5), TrackMix(gain_db=12.0), space(2.5), song=song)
    assert np.abs(loud).max() <= 1.0
    assert np.abs(loud[:, -20:]).max() < 1e-3
    assert end_fade(space())[[0, -1]] == pytest.approx([1.0, 0.0], abs=1e-6)


def test_silence_stays_silent_through_everything():
    mix = TrackMix(reverb_db=-6, delay_db=-6, duck_db=3, pan=0.3, inserts=(Insert("amp"), Insert("cabinet")))
    assert not mix_stem(np.zeros((2, RATE), np.float32), mix, space(1.0, kicks=(0.1,)), song=Song()).any()


def test_the_length_is_the_written_one_and_its_ring():
    assert space_of(Song(duration_ticks=1920), RATE, 10.0).num_samples == int(11.5 * RATE)


@pytest.mark.parametrize("level", [0.01, 0.1, 0.7])
def test_calibration_brings_every_player_to_the_same_loudness(level):
    player = Sine(level)
    calibration = Calibration(RATE)
    before, after = calibration.gains(player, "trumpet")
    played = reference_performance("trumpet")
    wave = player.render(played, "trumpet", sample_rate=RATE, num_samples=int((played.end_seconds[-1] + 0.4) * RATE))
    assert level_lufs(wave * np.float32(before), RATE) == pytest.approx(REFERENCE_LUFS, abs=0.05)
    assert after == 1.0
    calls = player.calls
    calibration.gains(player, "trumpet", (Insert("compressor"),))
    assert player.calls == calls


def test_inserts_change_the_colour_and_not_the_level():
    player, calibration = Sine(), Calibration(RATE)
    inserts = (Insert("amp", {"drive_db": 30.0}), Insert("cabinet"), Insert("eq", {"low_cut_hz": 400.0}))
    before, after = calibration.gains(player, "distortion_guitar", inserts)
    played = reference_performance("distortion_guitar")
    wave = player.render(played, "x", sample_rate=RATE, num_samples=int((played.end_seconds[-1] + 0.4) * RATE))
    from songwright.perform.effects.chain import apply_chain

    coloured = apply_chain(wave * np.float32(before), RATE, inserts) * np.float32(after)
    assert level_lufs(coloured, RATE) == pytest.approx(REFERENCE_LUFS, abs=0.05)


def test_every_role_and_instrument_has_a_level_and_a_phrase():
    assert set(TRACK_ROLES) - {"drums"} <= set(ROLE_LEVELS_DB)
    assert set(DRUM_GROUPS) <= set(ROLE_LEVELS_DB)
    for name, instrument in INSTRUMENTS.items():
        for group in DRUM_GROUPS if instrument.family == "kit" else ("tune", "chords"):
            phrase = reference_performance(name, group)
            assert phrase.num_notes >= 1
            assert group in DRUM_GROUPS or (
                instrument.low <= phrase.pitches.min() and phrase.pitches.max() <= instrument.high
            ), name


def test_a_silent_player_is_left_alone():
    assert Calibration(RATE).gains(Sine(0.0), "violin", (Insert("compressor"),)) == (1.0, 1.0)


def test_a_track_of_the_song_is_placed_by_all_of_this():
    notes = (Note(0, 960, 69, 100),)
    song = Song(duration_ticks=1920, tracks=(Track("a", "melody", "violin", notes=notes, mix=TrackMix(pan=-1.0)),))
    wave = mix_stem(noise(1.0), song.tracks[0].mix, space(1.0), song=song, level_db=-6.0206)
    assert rms_db(wave[0, : RATE // 8]) == pytest.approx(rms_db(noise(1.0)) - 6.02, abs=0.2)
    assert np.abs(wave[1]).max() < 1e-6


def test_chords_are_measured_as_chords():
    """Three notes at once are louder than one after the other; the gain makes up for it."""
    calibration = Calibration(RATE)
    tune, _ = calibration.gains(Sine(), "clean_guitar")
    chords, _ = calibration.gains(Sine(), "clean_guitar", phrase="chords")
    assert 20 * np.log10(tune / chords) == pytest.approx(4.77, abs=1.0)
