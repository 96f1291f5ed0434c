"""Voices on their way to stems: level, reuse, karaoke, and the effects made for them."""

from dataclasses import replace

import numpy as np
import pytest

from songwright.audio import pcm
from songwright.perform.earlier import Reuse
from songwright.perform.effects.chain import apply_chain
from songwright.perform.mixer import add_throws, space_of, vocal_duck_curve
from songwright.perform.render import render_song
from songwright.perform.timeline import sung_seconds
from songwright.perform.vocal_stems import level_difference_db, read_dry
from songwright.score.song import (
    Insert,
    MasterMix,
    Note,
    Singer,
    Song,
    Syllable,
    Track,
    TrackMix,
    from_json,
    to_json,
)

RATE = 22050
BEAT = 960


class Tone:
    """A player of plain tones that counts how often it was asked."""

    def __init__(self, gain=0.2):
        self.gain, self.asked = gain, 0
        self.identity = f"tone {gain}"

    def render(self, performance, instrument, *, sample_rate, num_samples):
        self.asked += 1
        wave = np.zeros((2, num_samples), np.float32)
        for start, end, pitch in zip(
            performance.start_seconds, performance.end_seconds, performance.pitches, strict=True
        ):
            first, last = round(start * sample_rate), min(num_samples, round(end * sample_rate))
            t = np.arange(max(0, last - first)) / sample_rate
            wave[:, first:last] += self.gain * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * t)
        return wave


def notes(pitch, *, syllables=True, first=0):
    return tuple(Note(first + i * 2 * BEAT, BEAT, pitch + i, 90, 0, i if syllables else None) for i in range(4))


def sung_song(**master):
    return Song(
        duration_ticks=8 * BEAT,
        tracks=(
            Track("vocal_lead", "vocal", "voice", notes=notes(62), singer=Singer("clara")),
            Track("high", "backing_vocal", "voice", notes=notes(66), singer=Singer("iris"), mix=TrackMix(pan=-0.6)),
            Track("low", "backing_vocal", "voice", notes=notes(57), singer=Singer("leo"), mix=TrackMix(pan=0.6)),
            Track("keys", "chords", "acoustic_grand_piano", notes=notes(60, syllables=False)),
        ),
        syllables=tuple(Syllable(i, t, t) for i, t in enumerate(("la", "lo", "li", "lu"))),
        master=MasterMix(**master),
    )


def players():
    return {"sampler": Tone(0.1), "singer": Tone(0.05)}


def ints(path, channels=2):
    return np.concatenate(list(pcm.read_blocks(path, channels=channels)), axis=1)


@pytest.mark.parametrize("wanted", [-2.0, 3.0])
def test_the_lead_reaches_its_level_over_the_instruments(tmp_path, wanted):
    song = sung_song(vocal_level_db=wanted)
    made = render_song(song, tmp_path, players=players(), sample_rate=RATE)
    assert made.vocal_level_db == pytest.approx(wanted, abs=0.11)
    assert made.song.master.vocal_level_db is None
    space = space_of(song, RATE, 4.0)
    lead = ints(made.stems["vocal_lead"]) / pcm.FULL_SCALE
    keys = ints(made.stems["keys"]) / pcm.FULL_SCALE
    assert level_difference_db(lead.astype(np.float32), keys.astype(np.float32), space) == pytest.approx(
        wanted, abs=0.11
    )


def test_stems_are_named_summed_and_the_karaoke_lacks_the_lead(tmp_path):
    made = render_song(sung_song(), tmp_path, players=players(), sample_rate=RATE)
    assert list(made.stems) == ["vocal_lead", "vocal_backing", "keys"]
    assert set(made.voices) == {"vocal_lead", "high", "low"}
    total = sum(ints(path) for path in made.stems.values())
    assert np.array_equal(total, ints(made.premaster))
    lead_hz = 440 * 2 ** ((62 - 69) / 12)
    window = slice(round(0.1 * RATE), round(0.4 * RATE))

    def strength(path):
        wave = ints(path)[0, window] / pcm.FULL_SCALE
        phase = np.exp(-2j * np.pi * lead_hz * np.arange(len(wave)) / RATE)
        return abs((wave * phase).mean()) / np.sqrt(np.square(wave).mean())

    assert strength(made.karaoke) < 0.2 * strength(made.mix)


def test_rendering_the_settled_score_again_gives_the_same_bytes_and_sings_nothing(tmp_path):
    first, second, third = (tmp_path / name for name in ("a", "b", "c"))
    for folder in (first, second, third):
        folder.mkdir()
    made = render_song(sung_song(vocal_level_db=1.0), first, players=players(), sample_rate=RATE)
    settled = from_json(to_json(made.song))
    who = players()
    again = render_song(settled, second, players=who, sample_rate=RATE, reuse=Reuse(first))
    fresh = render_song(settled, third, players=players(), sample_rate=RATE)
    assert set(again.reused) == set(again.stems)
    assert who["singer"].asked == 0
    for name in made.stems:
        assert made.stems[name].read_bytes() == again.stems[name].read_bytes() == fresh.stems[name].read_bytes()
    assert made.mix.read_bytes() == again.mix.read_bytes()


def test_a_change_in_the_mix_does_not_sing_again(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    song = sung_song()
    render_song(song, first, players=players(), sample_rate=RATE)
    lead = song.track("vocal_lead")
    louder = song.with_track(replace(lead, mix=replace(lead.mix, gain_db=3.0)))
    who = players()
    made = render_song(louder, second, players=who, sample_rate=RATE, reuse=Reuse(first))
    assert set(made.reused) == {"vocal_backing", "keys"}
    assert who["singer"].asked == 1  # the reference phrase that sets the level; the lines are not sung again
    assert (first / "vocals/vocal_lead.wav").read_bytes() == (second / "vocals/vocal_lead.wav").read_bytes()


def test_another_word_is_sung_again_and_the_other_voices_are_kept(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    song = sung_song()
    render_song(song, first, players=players(), sample_rate=RATE)
    tracks = tuple(
        t if t.id != "vocal_lead" else replace(t, notes=(replace(t.notes[0], syllable=9), *t.notes[1:]))
        for t in song.tracks
    )
    changed = replace(song, tracks=tracks, syllables=(*song.syllables, Syllable(9, "hey", "hey")))
    made = render_song(changed, second, players=players(), sample_rate=RATE, reuse=Reuse(first))
    assert set(made.reused) == {"vocal_backing", "keys"}


def test_a_broken_dry_file_is_sung_again(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    song = sung_song()
    made = render_song(song, first, players=players(), sample_rate=RATE)
    dry = made.voices["vocal_lead"]
    whole = dry.read_bytes()
    dry.write_bytes(whole[: len(whole) // 2])
    (first / "stems/vocal_lead.wav").unlink()
    again = render_song(song, second, players=players(), sample_rate=RATE, reuse=Reuse(first))
    assert again.voices["vocal_lead"].read_bytes() == whole
    sound = read_dry(again.voices["vocal_lead"])
    assert sound.shape == (1, round(again.duration_seconds * RATE))
    assert np.abs(sound).max() > 0.01


def test_voices_are_told_when_they_have_been_sung_before_the_mix_is_there(tmp_path):
    told = []

    def listen(track, dry):
        told.append((track.id, dry, read_dry(dry).shape, (tmp_path / "mix.wav").exists()))

    made = render_song(sung_song(), tmp_path, players=players(), sample_rate=RATE, when_sung=listen)
    shape = (1, round(made.duration_seconds * RATE))
    assert sorted(told) == sorted((track, dry, shape, False) for track, dry in made.voices.items())


def test_where_the_lead_sings():
    song = sung_song()
    assert sung_seconds(song).tolist() == [[0.0, 0.5], [1.0, 1.5], [2.0, 2.5], [3.0, 3.5]]
    assert sung_seconds(Song()).shape == (0, 2)


def test_pads_step_back_while_the_voice_sings_and_come_back():
    space = space_of(sung_song(), RATE, 4.0)
    curve = vocal_duck_curve(space, 3.0)
    times = np.arange(len(curve)) * 128 / RATE
    assert 20 * np.log10(curve[(times > 0.1) & (times < 0.45)]).max() == pytest.approx(-3.0, abs=0.05)
    assert curve[(times > 0.87) & (times < 0.9)] == pytest.approx(1.0, abs=0.01)


def test_only_what_is_thrown_comes_back_as_an_echo():
    song = sung_song(delay_beats=1.0, delay_feedback=0.0)
    space = space_of(song, RATE, 4.0)
    wave = np.zeros((2, space.num_samples), np.float32)
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(0.2 * RATE)) / RATE).astype(np.float32)
    for at in (0.0, 2.0):
        first = round(at * RATE)
        wave[:, first : first + len(tone)] = tone
    mix = TrackMix(throws=((4 * BEAT, 4 * BEAT + 480),))
    thrown = add_throws(wave.copy(), mix, space, song)

    def power(at):
        return float(np.square(thrown[:, round(at * RATE) : round((at + 0.2) * RATE)]).mean())

    assert power(0.5) < 1e-15
    assert power(2.5) > 1e-5


def hiss(seconds=1.0):
    """A vowel with a sharp s in its middle. (1, samples)."""
    t = np.arange(round(seconds * 44100)) / 44100
    vowel = sum(np.sin(2 * np.pi * 200 * k * t) / k for k in range(1, 12)) * 0.1
    noise = np.random.default_rng(1).normal(size=len(t))
    noise -= np.convolve(noise, np.ones(8) / 8, "same")
    middle = (t > 0.4) & (t < 0.6)
    return np.where(middle, 0.02 * vowel + 0.25 * noise, vowel)[None].astype(np.float32)


def test_the_deesser_takes_the_s_and_leaves_the_vowel():
    wave = hiss()
    out = apply_chain(wave, 44100, [Insert("deesser", {"range_db": 8.0})])
    s, vowel = slice(20000, 25000), slice(5000, 15000)

    def level(x, part):
        return 10 * np.log10(np.square(x[0, part]).mean())

    assert level(out, s) < level(wave, s) - 4.0
    assert level(out, vowel) == pytest.approx(level(wave, vowel), abs=0.1)


def test_the_plate_rings_after_the_sound_and_waits_for_its_predelay():
    wave = np.zeros((1, 44100), np.float32)
    wave[0, 100] = 1.0
    out = apply_chain(wave, 44100, [Insert("plate", {"predelay_ms": 50.0, "level_db": -6.0})])
    assert out.shape == (2, 44100)
    assert np.abs(out[:, 101 : 100 + int(0.05 * 44100)]).max() < 1e-8
    assert np.abs(out[:, 100 + int(0.06 * 44100) :]).max() > 1e-3


def test_a_song_that_stays_keeps_its_files_for_itself(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
    first = render_song(sung_song(vocal_gain_db=1.0), old, players=players(), sample_rate=RATE)
    used = players()
    made = render_song(first.song, new, players=used, sample_rate=RATE, reuse=Reuse(old, stays=True))
    assert set(made.reused) == set(first.stems) and used["singer"].asked == used["sampler"].asked == 0
    for one in sorted(p for p in old.rglob("*.wav")):
        other = new / one.relative_to(old)
        assert other.read_bytes() == one.read_bytes() and other.stat().st_ino != one.stat().st_ino
