import numpy as np
import pytest

from songwright.perform.synth.drums import KITS, hit
from songwright.perform.synth.gestures import GESTURES, gesture
from songwright.perform.synth.patches import PATCHES
from songwright.perform.synth.player import SynthPlayer
from songwright.perform.synth.voice import sustained
from songwright.perform.synth.wavetable import play, tables
from songwright.perform.timeline import Performance
from songwright.score.drums import DRUMS
from songwright.score.instruments import INSTRUMENTS

RATE = 44100


def performance(*notes, controls=(), bends=()):
    rows = np.array(notes, dtype=float).reshape(-1, 4)
    return Performance(
        rows[:, 0], rows[:, 1], rows[:, 2].astype(np.int64), rows[:, 3].astype(np.int64), controls, bends
    )


def render(name, *notes, seconds=2.0, **more):
    return SynthPlayer(0).render(performance(*notes, **more), name, sample_rate=RATE, num_samples=int(seconds * RATE))


def peak_hz(mono):
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono)), 8 * len(mono)))
    return np.argmax(spectrum) * RATE / (8 * len(mono))


def test_every_synth_instrument_has_a_sound():
    for name, instrument in INSTRUMENTS.items():
        if instrument.player == "synth":
            assert name in PATCHES or name in KITS or name in GESTURES, name


@pytest.mark.parametrize("name", sorted(PATCHES))
def test_patches_sound_in_tune_and_fall_silent(name):
    out = render(name, (0.0, 0.9, 57, 100), seconds=4.0)
    assert out.shape == (2, 4 * RATE) and out.dtype == np.float32
    assert np.isfinite(out).all() and 0.02 < np.abs(out).max() < 2.0
    assert np.abs(out[:, int(3.2 * RATE) :]).max() < 1e-3
    if name not in ("fm_bell", "bass_808"):
        mono = out[0, int(0.2 * RATE) : int(0.85 * RATE)]
        ratio = 12 * np.log2(peak_hz(mono) / 220.0)
        assert abs(ratio - round(ratio)) < 0.25 and round(ratio) % 12 in (0, 7, 4), ratio


@pytest.mark.parametrize("shape", ["saw", "square"])
@pytest.mark.parametrize("pitch", [60, 84, 96, 103])
def test_oscillators_alias_below_minus_60_db(shape, pitch):
    frequency = 440.0 * 2 ** ((pitch - 69) / 12)
    n = RATE
    wave = play(tables(shape, pitch, RATE), np.arange(n) * frequency / RATE, 20000.0)
    spectrum = np.abs(np.fft.rfft(wave * np.blackman(n)))
    bins = np.arange(len(spectrum)) * RATE / n
    harmonic = np.abs(bins / frequency - np.round(bins / frequency)) * frequency < 6.0
    alias = spectrum[~harmonic & (bins > 20)].max() / spectrum.max()
    assert 20 * np.log10(alias) < -60.0


def test_drive_does_not_alias():
    tone = np.sin(2 * np.pi * 3000.0 * np.arange(RATE) / RATE, dtype=np.float64)[None].repeat(2, 0).astype(np.float32)
    from songwright.perform.synth.voice import saturate

    spectrum = np.abs(np.fft.rfft(saturate(tone, 1.6)[0] * np.blackman(RATE)))
    bins = np.arange(len(spectrum))
    off = np.abs(bins / 3000.0 - np.round(bins / 3000.0)) * 3000.0 > 6.0
    assert 20 * np.log10(spectrum[off].max() / spectrum.max()) < -60.0


def test_touching_notes_glide_and_parted_notes_do_not():
    joined = render("bass_808", (0.0, 1.0, 36, 110), (0.98, 2.0, 48, 110), seconds=2.2)
    apart = render("bass_808", (0.0, 0.5, 36, 110), (0.98, 2.0, 48, 110), seconds=2.2)
    window = slice(int(0.985 * RATE), int(1.02 * RATE))
    assert peak_hz(joined[0, window]) < peak_hz(apart[0, window])


def test_bend_moves_the_pitch():
    plain = render("saw_bass", (0.0, 1.0, 45, 100))
    bent = render("saw_bass", (0.0, 1.0, 45, 100), bends=((0.0, 8191),))
    cents = 1200 * np.log2(peak_hz(bent[0, 8820:40000]) / peak_hz(plain[0, 8820:40000]))
    assert abs((cents - 200 + 600) % 1200 - 600) < 8  # whole octaves aside: beats of the two saws move the peak


def test_louder_strokes_are_louder_and_brighter():
    def centroid(x):
        spectrum = np.abs(np.fft.rfft(x[0]))
        return (spectrum * np.arange(len(spectrum))).sum() / spectrum.sum()

    soft, loud = (render("synth_stab", (0, 0.4, 60, v)) for v in (40, 120))
    assert np.abs(loud).max() > 3 * np.abs(soft).max()
    assert centroid(loud) > centroid(soft)


@pytest.mark.parametrize("kit", sorted(KITS))
def test_kits_sound_on_every_drum(kit):
    for name, pitch in DRUMS.items():
        sound = hit(kit, pitch, 6, RATE)
        assert np.isfinite(sound).all() and 0.02 < np.abs(sound).max() < 2.5, name
        assert np.abs(sound[:, -1]).max() < 1e-6, name


def test_closed_hat_chokes_the_open_one():
    ringing = render("synth_kit_909", (0.0, 0.1, 46, 110))
    choked = render("synth_kit_909", (0.0, 0.1, 46, 110), (0.1, 0.2, 42, 1))
    tail = slice(int(0.13 * RATE), int(0.3 * RATE))
    assert np.abs(choked[:, tail]).max() < 0.1 * np.abs(ringing[:, tail]).max()


@pytest.mark.parametrize("name", GESTURES)
def test_gestures_keep_their_length(name):
    sound = gesture(name, 60, RATE, RATE, seed=3)
    assert np.isfinite(sound).all() and np.abs(sound).max() > 0.005
    if name in ("noise_riser", "reverse_swell"):
        assert sound.shape == (2, RATE)
        halves = [np.abs(half).mean() for half in np.array_split(sound, 2, axis=1)]
        assert halves[1] > 2 * halves[0]


def test_expression_and_pan_are_followed():
    out = render("super_saw", (0, 1.9, 60, 100), controls=((0.0, 11, 40), (1.0, 11, 127), (1.0, 10, 127)))
    early, late = out[:, int(0.5 * RATE) : int(0.9 * RATE)], out[:, int(1.2 * RATE) : int(1.6 * RATE)]
    assert np.abs(late).max() > 3 * np.abs(early).max()
    assert np.abs(late[1]).max() > 20 * np.abs(late[0]).max()


def test_same_notes_same_samples():
    notes = [(0.1 * i, 0.1 * i + 0.3, 50 + i % 12, 60 + i) for i in range(20)]
    assert np.array_equal(render("super_saw", *notes), render("super_saw", *notes))


def test_sustained_is_longest_prefix():
    long = sustained(PATCHES["synth_pluck"], 60.0, 90, 20000, RATE, "synth_pluck")
    short = sustained(PATCHES["synth_pluck"], 60.0, 90, 5000, RATE, "synth_pluck")
    assert np.allclose(long[:, :5000], short, atol=1e-6)
