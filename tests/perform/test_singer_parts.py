from dataclasses import astuple, replace

import numpy as np
import pytest

from songwright.perform.singer.onsets import on_releases
from songwright.perform.singer.phones import hold_region, is_voiced, kind_of, nucleus_of
from songwright.perform.singer.source import SourceLine, SourcePhone, SpokenLine
from songwright.perform.singer.sources.espeak import EspeakSource, matched
from songwright.perform.singer.spectrum import coloured, fill_valleys, noise_share, tables, thickened, tuned
from songwright.perform.singer.voice import voice_of
from songwright.perform.singer.voicing import _eased, synthesise
from songwright.perform.singer.world import HOP_SECONDS, analyse, smoothed
from songwright.score.song import Singer, Syllable
from songwright.score.voices import SINGERS
from songwright.speech.espeak import Phone, Spoken

RATE = 44100
HZ = np.linspace(0, RATE / 2, 1025)


@pytest.mark.parametrize(
    ("symbol", "kind"),
    [
        ("aI", "vowel"), ("ja", "vowel"), ("8", "vowel"), ("@L", "liquid"), ("n-", "nasal"), ("t#", "voiced_stop"),
        ("tS;h", "unvoiced_affricate"), ("dZ", "voiced_affricate"), ("S;", "unvoiced_fricative"),
        ("ph", "unvoiced_stop"),
        ("?", "unvoiced_stop"), (";", "glide"), ("r", "liquid"), ("z;", "voiced_fricative"),
        ("¤", "liquid"),
    ],
)  # fmt: skip
def test_kinds_of_phones(symbol, kind):
    assert kind_of(symbol) == kind


def test_diphthongs_are_held_on_their_main_vowel():
    assert hold_region("aI")[1] < 0.5 < hold_region("ja")[0]
    assert hold_region("A:") == hold_region("u") and hold_region("iou")[0] > hold_region("oU")[0]


def test_a_wrong_nucleus_is_put_right():
    assert nucleus_of(("s", "t", "aI"), 0) == 2
    assert nucleus_of(("b", "n-"), 5) == 1
    assert nucleus_of(("s",), 3) == 0


def spoken(names, length=800):
    phones = tuple(Phone(s, 0, i * length, (i + 1) * length, 0) for i, s in enumerate(names))
    wave = np.random.default_rng(1).standard_normal(length * len(names)).astype(np.float32) * 0.1
    return Spoken(wave, 22050, phones)


SENT = [("m", 0, False), ("u:", 0, True), ("n", 0, False), ("l", 1, False), ("a", 1, True)]


def test_what_comes_back_is_matched_with_what_was_sent():
    exchanged = matched(SENT, spoken(["m", "U", "n", "r-", "l", "a"]))
    assert [p.symbol for p in exchanged] == ["m", "u:", "n", "l", "a"]
    assert exchanged[2].end_seconds == pytest.approx(exchanged[3].start_seconds)
    lost = matched(SENT, spoken(["m", "u:", "l", "a"]))
    assert [p.symbol for p in lost] == ["m", "u:", "n", "l", "a"]
    assert all(p.end_seconds > p.start_seconds for p in lost)
    assert matched(SENT, spoken(["m", "n", "l"])) is None


def test_long_lines_are_spoken_whole():
    syllables = tuple(Syllable(i, "la", "la", 1, 0, "en", ("l", "A:"), 1) for i in range(70))
    line = EspeakSource().speak([SourceLine(syllables, 200.0)])[0]
    assert [p.syllable for p in line.phones if p.is_nucleus] == list(range(70))
    assert line.phones[-1].end_seconds <= len(line.waveform) / line.sample_rate + 1e-6


def test_the_border_moves_to_just_after_the_release():
    """Three quarters of the way from the release to the vowel's own event, and at most 35 ms after the release."""
    rate, release = 22050, 0.25
    times = np.arange(int(0.6 * rate)) / rate
    wave = np.sin(2 * np.pi * 150 * times) * 0.1
    wave[times > release] += 0.3 * np.sin(2 * np.pi * 1200 * times[times > release])
    phones = (SourcePhone("m", 0, 0.1, 0.3, False), SourcePhone("A:", 0, 0.3, 0.6, True))
    line = on_releases(SpokenLine(wave.astype(np.float32), rate, phones))
    assert line.phones[1].start_seconds == pytest.approx(release + 0.035, abs=0.006)
    assert line.phones[0].end_seconds == line.phones[1].start_seconds


def test_valleys_are_filled_and_peaks_stay():
    power = np.full((3, 513), -20.0, np.float32)
    power[:, 100:110] = 0.0
    filled = fill_valleys(power, 21.5)
    assert (
        np.allclose(filled[:, 100:110], 0.0, atol=0.05)
        and filled[0, 90] > -12
        and np.allclose(filled[0, 400], -20, atol=0.1)
    )


@pytest.mark.parametrize("voiced", [True, False])
def test_sound_has_the_power_of_its_envelope(voiced):
    frames = 200
    f0 = np.full(frames, 220.0 if voiced else 0.0)
    log_power = np.full((frames, 1025), -4.0, np.float32)
    noise = np.full((frames, 1025), 0.01 if voiced else 0.999, np.float32)
    sound = synthesise(f0, log_power, noise, RATE, np.random.default_rng(1))
    assert len(sound) == int(frames * HOP_SECONDS * RATE)
    middle = sound[RATE // 4 : -RATE // 4].astype(np.float64)
    assert 10 * np.log10(np.mean(middle**2)) == pytest.approx(10 * np.log10(np.exp(-4.0)), abs=1.0)


def test_voicing_comes_and_goes_on_the_slopes_that_smoothing_gives():
    voiced = np.repeat(np.array([True, False, False, True, True, False]), (300, 10, 500, 2, 700, 90))
    for flags in (voiced, ~voiced, np.ones(50, bool)):
        assert np.allclose(_eased(flags, 265), smoothed(flags.astype(float), 265), atol=1e-6)


def test_noise_share_is_small_in_vowels_and_grows_with_breath():
    vowel, soft = np.ones(2), np.full(2, 0.6)
    clear = noise_share(soft, vowel, replace(voice_of(None), breathiness=0.2), HZ)
    airy = noise_share(soft, vowel, replace(voice_of(None), breathiness=0.9), HZ)
    harsh = noise_share(soft, 0 * vowel, voice_of(None), HZ)
    assert (airy >= clear).all() and clear[0, 46] < 0.05 and harsh[0, 300] > 0.8


def test_every_singer_is_described_mended_and_different():
    voices = [voice_of(Singer(name)) for name in SINGERS]
    assert len({astuple(v) for v in voices}) == len(SINGERS) >= 8
    assert {v.variant for v in voices} <= set(tables().mend_db)
    assert all(
        len(row) == len(tables().band_hz) for row in (tables().vowel_db, tables().noise_db, *tables().mend_db.values())
    )


def test_colour_fills_the_band_that_the_source_lacks():
    syllables = (Syllable(0, "la", "la", 1, 0, "en", ("s", "A:"), 1),)
    line = EspeakSource().speak([SourceLine(syllables, 200.0)])[0]
    envelopes = analyse(line)
    thick = thickened(envelopes.log_power, line.sample_rate, envelopes.sonorant)
    full = coloured(thick, line.sample_rate, envelopes.sonorant, voice_of(None), HZ)
    assert full.shape == (len(envelopes.log_power), len(HZ)) and np.isfinite(full).all()
    for phone, least in ((line.phones[0], -27.0), (line.phones[1], -62.0)):
        row = full[int((phone.start_seconds + phone.end_seconds) / 2 / HOP_SECONDS)] * 10 / np.log(10)
        assert row[(HZ > 12000) & (HZ < 14000)].mean() - row.max() > least
    assert is_voiced("A:") and not is_voiced("s")


def test_the_first_formant_follows_only_pitches_above_it():
    closed = np.tile(-30.0 * np.abs(np.log2(np.maximum(HZ, 50.0) / 300.0)), (3, 1)).astype(np.float32) * 0.23
    pitch = np.array([220.0, 600.0, 600.0])
    moved = tuned(closed.copy(), pitch, np.array([1.0, 1.0, 0.0]), HZ)
    at = round(600.0 / HZ[1])
    assert np.allclose(moved[[0, 2]], closed[[0, 2]], atol=1e-4) and moved[1, at] > closed[1, at] + 2.0
    assert np.allclose(moved[1, 4 * at :], closed[1, 4 * at :])
