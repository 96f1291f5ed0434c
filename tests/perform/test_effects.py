import numpy as np
import pytest

from songwright.errors import ConfigError
from songwright.perform.effects.chain import EFFECTS, apply_chain, check_insert, defaults
from songwright.perform.effects.convolution import convolve
from songwright.perform.effects.filters import eq
from songwright.score.song import Insert

RATE = 44100
BUSY = {
    "eq": {"low_cut_hz": 80.0, "high_cut_hz": 9000.0, "low_shelf_db": 2.0, "high_shelf_db": -3.0, "peak_db": 4.0},
    "tremolo": {"rate_beats": 0.5},
}


def tone(hz, seconds=1.0, level=0.2):
    time = np.arange(int(seconds * RATE)) / RATE
    return np.repeat(level * np.sin(2 * np.pi * hz * time)[None], 2, axis=0).astype(np.float32)


def noise(seconds=1.0, level=0.1):
    return (level * np.random.default_rng(0).standard_normal((2, int(seconds * RATE)))).astype(np.float32)


def rms_db(wave):
    return 20 * np.log10(np.sqrt(np.mean(np.square(wave, dtype=np.float64))) + 1e-12)


def spectrum_db(wave):
    """Returns the level in dB of each frequency of one second."""
    return 20 * np.log10(np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) / len(wave) * 4 + 1e-9)


def run(kind, wave, **parameters):
    return apply_chain(wave, RATE, [Insert(kind, parameters)])


@pytest.mark.parametrize("kind", EFFECTS)
def test_every_effect_keeps_shape_silence_and_its_input(kind):
    wave = noise(0.7)
    before = wave.copy()
    insert = Insert(kind, BUSY.get(kind, {}))
    result = apply_chain(wave, RATE, [insert])
    assert result.shape == wave.shape and result.dtype == np.float32
    assert np.isfinite(result).all()
    assert np.array_equal(wave, before)
    assert np.array_equal(result, apply_chain(wave, RATE, [insert]))
    assert not apply_chain(np.zeros((2, 5000), np.float32), RATE, [insert]).any()
    for length in (0, 1, 63, 64, 65):
        assert apply_chain(wave[:, :length], RATE, [insert]).shape == (2, length)


@pytest.mark.parametrize("kind", EFFECTS)
@pytest.mark.parametrize("end", [0, 1])
def test_every_parameter_may_stand_at_its_limits(kind, end):
    wave = noise(0.2)
    for name, limits in EFFECTS[kind].ranges.items():
        assert np.isfinite(run(kind, wave, **{name: limits[end]})).all(), name
    assert defaults(kind).keys() == EFFECTS[kind].ranges.keys()


def test_faults_are_named_with_the_nearest():
    with pytest.raises(ConfigError, match="nearest: compressor"):
        check_insert(Insert("compresor"))
    with pytest.raises(ConfigError, match="nearest: threshold_db"):
        check_insert(Insert("compressor", {"treshold_db": -10.0}))
    with pytest.raises(ConfigError, match="ratio must be 1 to 100"):
        check_insert(Insert("compressor", {"ratio": 0.5}))
    with pytest.raises(ConfigError, match="must be a number"):
        check_insert(Insert("compressor", {"ratio": float("nan")}))


def test_convolution_equals_the_sum_by_definition():
    random = np.random.default_rng(1)
    wave = random.standard_normal((2, 40_000)).astype(np.float32)
    wave[:, 12_000:30_000] = 0.0
    response = random.standard_normal((2, 300)).astype(np.float32)
    expected = np.stack([np.convolve(w, r)[:40_000] for w, r in zip(wave, response, strict=True)])
    assert np.abs(convolve(wave, response) - expected).max() < 1e-4
    one_to_two = np.stack([np.convolve(wave[0], r)[:40_000] for r in response])
    assert np.abs(convolve(wave[:1], response) - one_to_two).max() < 1e-4


@pytest.mark.parametrize(
    ("parameters", "hz", "gain_db"),
    [
        ({"low_cut_hz": 200.0}, 200, -3.0),
        ({"low_cut_hz": 200.0}, 50, -24.1),
        ({"high_cut_hz": 2000.0}, 2000, -3.0),
        ({"high_cut_hz": 2000.0}, 200, 0.0),
        ({"low_shelf_db": 6.0, "low_shelf_hz": 200.0}, 25, 6.0),
        ({"low_shelf_db": 6.0, "low_shelf_hz": 200.0}, 200, 3.0),
        ({"high_shelf_db": -6.0, "high_shelf_hz": 4000.0}, 16000, -6.0),
        ({"high_shelf_db": -6.0, "high_shelf_hz": 4000.0}, 400, 0.0),
        ({"peak_hz": 1000.0, "peak_db": 5.0, "peak_q": 2.0}, 1000, 5.0),
        ({"peak_hz": 1000.0, "peak_db": 5.0, "peak_q": 2.0}, 100, 0.0),
    ],
)
def test_the_equaliser_does_what_its_names_say(parameters, hz, gain_db):
    wave = tone(hz, 1.0)
    result = eq(wave, RATE, **parameters)
    assert rms_db(result[:, 15000:]) - rms_db(wave[:, 15000:]) == pytest.approx(gain_db, abs=0.25)


def test_vinyl_makes_noise_only_while_there_is_music():
    wave = noise(1.0, 1e-4)
    assert rms_db(run("vinyl", wave, noise_db=-30.0)) > rms_db(wave) + 20


def test_lofi_quantises_and_holds():
    wave = tone(300)
    result = run("lofi", wave, bits=4.0, rate_hz=4410.0, antialias=0.0)
    assert np.unique(result * 8).size <= 17
    assert np.mean(result[0, 1:] == result[0, :-1]) > 0.85
    high = tone(6000)
    folded = run("lofi", high, bits=24.0, rate_hz=8000.0, antialias=0.0)
    assert rms_db(run("lofi", high, bits=24.0, rate_hz=8000.0)) < rms_db(folded) - 20


def test_width_from_mono_to_wide():
    wave = noise()
    mono = run("width", wave, amount=0.0)
    assert np.allclose(mono[0], mono[1])
    assert np.allclose(run("width", wave, amount=1.0), wave)
    wide = run("width", wave, amount=2.0)
    assert np.std(wide[0] - wide[1]) == pytest.approx(2 * np.std(wave[0] - wave[1]), rel=1e-3)


@pytest.mark.parametrize(("kind", "parameters"), [("saturation", {"drive_db": 30.0}), ("amp", {"drive_db": 30.0})])
def test_overload_does_not_alias(kind, parameters):
    """Harmonics of 5 kHz fall on multiples of it; everything else would be folded back."""
    result = run(kind, tone(5000, 1.0, 0.2), **parameters)[0]
    levels = spectrum_db(result)
    near = np.zeros(len(levels), bool)
    for harmonic in range(5):
        near[max(0, 5000 * harmonic - 40) : 5000 * harmonic + 41] = True
    assert levels[~near][40:].max() < levels.max() - 60


def test_saturation_adds_harmonics_and_keeps_the_level():
    wave = tone(500)
    result = run("saturation", wave, drive_db=12.0)
    levels = spectrum_db(result[0])
    assert levels[1500] > levels[500] - 40 and levels[1000] > levels[500] - 50
    assert abs(rms_db(result) - rms_db(wave)) < 2.0
    assert abs(float(result[:, 20000:].mean())) < 1e-3


def test_the_cabinet_is_a_band():
    low, middle, high = (rms_db(run("cabinet", tone(hz))[:, 9000:]) for hz in (30, 800, 9000))
    assert low < middle - 8 and high < middle - 15


def test_tremolo_follows_the_beat():
    wave = np.ones((2, RATE), np.float32)
    result = apply_chain(wave, RATE, [Insert("tremolo", {"rate_beats": 0.5, "depth": 1.0})], beat_seconds=0.5)
    dips = np.flatnonzero(
        (result[0, 1:-1] < result[0, :-2]) & (result[0, 1:-1] <= result[0, 2:]) & (result[0, 1:-1] < 0.01)
    )
    assert len(np.unique(np.round(dips / RATE, 1))) == 4
    assert dips[0] / RATE == pytest.approx(0.125, abs=0.002)


def test_chorus_and_double_open_mono_sound():
    wave = tone(440)
    for kind in ("chorus", "double", "rotary"):
        result = run(kind, wave)
        assert np.corrcoef(result[0, 5000:], result[1, 5000:])[0, 1] < 0.98, kind


def test_a_double_stays_in_tune():
    result = run("double", tone(1000, 2.0), detune_cents=10.0)
    for side in result:
        phase = np.unwrap(
            np.angle(np.fft.ifft(np.fft.fft(side.astype(float)) * (np.arange(len(side)) < len(side) // 2)))
        )
        hz = np.diff(phase)[10000:-10000:50] * RATE / (2 * np.pi)
        assert np.abs(1200 * np.log2(hz / 1000)).max() < 12


def test_the_phaser_cuts_notches_that_move():
    result = run("phaser", noise(4.0), rate_hz=0.5, depth=1.0)[0]
    early, late = (np.abs(np.fft.rfft(result[a : a + 8192])) for a in (15000, 59000))
    smooth = [np.convolve(s, np.ones(40) / 40, "same")[40:1500] for s in (early, late)]
    assert np.corrcoef(*smooth)[0, 1] < 0.9


def test_a_still_sweep_gives_back_what_went_in():
    from songwright.perform.effects.modulation import sweep_seconds, swept

    wave = noise(1.0)
    still = np.zeros((2, len(sweep_seconds(wave.shape[1], RATE))))
    result = swept(wave, RATE, still, lambda z, p: np.ones_like(z) + 0 * p)
    assert np.abs(result - wave).max() < 1e-5


def test_auto_wah_opens_with_the_strength():
    loud, soft = run("auto_wah", noise(1.0, 0.3), depth=1.0), run("auto_wah", noise(1.0, 0.01), depth=1.0)

    def centroid(wave):
        power = np.abs(np.fft.rfft(wave[0])) ** 2
        return (power * np.arange(len(power))).sum() / power.sum()

    assert centroid(loud) > 1.5 * centroid(soft)
