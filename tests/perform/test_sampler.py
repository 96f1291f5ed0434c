import numpy as np
import pytest
from sf2_fixture import FREQUENCY_HZ, Preset, Sample, Zone, build, noise, simple, sine

from songwright.perform.sampler import dsp
from songwright.perform.sampler.envelope import Envelope
from songwright.perform.sampler.player import SamplerPlayer
from songwright.perform.timeline import Performance

RATE = 44100
PIANO = "acoustic_grand_piano"


def perform(notes, **rest):
    rows = np.array(notes, float).reshape(-1, 4)
    return Performance(rows[:, 0], rows[:, 1], rows[:, 2].astype(int), rows[:, 3].astype(int), **rest)


@pytest.fixture
def play(tmp_path):
    def run(font, notes, seconds=2.0, instrument=PIANO, **rest):
        path = tmp_path / "tiny.sf2"
        path.write_bytes(font)
        player = SamplerPlayer(path)
        return player.render(perform(notes, **rest), instrument, sample_rate=RATE, num_samples=round(seconds * RATE))

    return run


def level_db(sound, start, end):
    part = np.atleast_2d(sound)[:, round(start * RATE) : round(end * RATE)].astype(float)
    return 10 * np.log10(np.mean(part**2) + 1e-20)


def frequency(sound, start=0.3, end=1.3):
    """The strongest partial, to a hundredth of a cent: the phase's advance of a windowed spectrum."""
    part = sound[0, round(start * RATE) : round(end * RATE)].astype(float)
    window = np.hanning(len(part) - 1)
    first, second = np.fft.rfft(part[:-1] * window), np.fft.rfft(part[1:] * window)
    peak = np.argmax(np.abs(first))
    return np.angle(second[peak] / first[peak]) % (2 * np.pi) * RATE / (2 * np.pi)


def cents(a, b):
    return 1200 * np.log2(a / b)


@pytest.mark.parametrize("key", [33, 45, 57, 68, 69, 70, 81, 93, 105])
def test_pitch_is_exact(play, key):
    sound = play(simple(), [(0, 1.9, key, 100)])
    assert abs(cents(frequency(sound), 440 * 2 ** ((key - 69) / 12))) < 0.2


@pytest.mark.parametrize(("generators", "expected"), [({51: 3, 52: -25}, 275), ({56: 50}, 600), ({58: 57}, 2400)])
def test_tuning_generators(play, generators, expected):
    key = 69 if 56 not in generators else 81
    sound = play(simple(generators), [(0, 1.9, key + (12 if 58 in generators else 0), 100)])
    assert abs(cents(frequency(sound), 440) - expected) < 0.5


def test_a_sine_stays_a_sine_round_its_loop_and_between_samples(play):
    sound = play(simple(), [(0, 1.9, 74, 127)])[0, 4410:70000].astype(float)
    spectrum = np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) ** 2
    peak = np.argmax(spectrum)
    rest = np.concatenate((spectrum[30 : peak - 60], spectrum[peak + 61 :]))
    assert 10 * np.log10(rest.sum() / spectrum.sum()) < -85


def test_what_is_pitched_up_far_does_not_alias(play):
    tone = sine(frequency=9000.0)
    font = build([Sample(tone, loop=(0, 0))], [Preset([Zone(0)])])
    sound = play(font, [(0, 1, 69 + 19, 127)], seconds=1)  # 9 kHz up a twelfth is 27 kHz: nothing may remain
    assert level_db(sound, 0.01, 0.1) < level_db(play(font, [(0, 1, 69, 127)], seconds=1), 0.01, 0.1) - 60


def test_velocity_follows_the_concave_curve(play):
    levels = [level_db(play(simple(), [(0, 1, 69, v)]), 0.1, 0.9) for v in (20, 60, 100, 127)]
    expected = 40 * np.log10(np.array([20, 60, 100, 127]) / 127)
    assert np.allclose(np.array(levels) - levels[-1], expected, atol=0.1)


def test_envelope_times_and_levels(play):
    delay, attack, hold, decay = (round(1200 * np.log2(t)) for t in (0.1, 0.2, 0.1, 2.0))
    sound = play(simple({33: delay, 34: attack, 35: hold, 36: decay, 37: 200}), [(0, 3, 69, 127)], seconds=3)
    assert level_db(sound, 0, 0.099) < -120
    top = level_db(sound, 0.31, 0.39)
    assert level_db(sound, 0.195, 0.205) - top == pytest.approx(20 * np.log10(0.5), abs=0.4)
    assert level_db(sound, 0.595, 0.605) - top == pytest.approx(-0.1 * 96, abs=0.4)
    assert level_db(sound, 1.5, 2.5) - top == pytest.approx(-0.2 * 96, abs=0.3)


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.0])
def test_release_time(play, seconds):
    sound = play(simple({38: round(1200 * np.log2(seconds))}), [(0, 0.5, 69, 127)])
    before = level_db(sound, 0.4, 0.5)
    middle = 0.5 + seconds / 4
    assert level_db(sound, middle - 1 / 441, middle + 1 / 441) - before == pytest.approx(-24, abs=1.0)
    assert level_db(sound, 0.5 + seconds, 2.0) - before < -80


def test_key_scales_hold_and_decay(play):
    generators = {36: 0, 37: 1000, 40: 100}  # a second at key 60, an octave of time for each 12 keys
    fall = {}
    for key in (60, 72):
        sound = play(simple(generators), [(0, 2, key, 127)])
        fall[key] = level_db(sound, 0.29, 0.31) - level_db(sound, 0.09, 0.11)
    assert fall[60] == pytest.approx(-19.2, abs=0.5)
    assert fall[72] == pytest.approx(2 * fall[60], abs=0.8)


@pytest.mark.parametrize(("mode", "during", "after"), [(0, False, False), (1, True, True), (3, True, False)])
def test_loop_modes(play, mode, during, after):
    font = build([Sample(sine(0.2), loop=(100, 4100))], [Preset([Zone(0, {54: mode, 38: 4000})])])
    sound = play(font, [(0, 1.0, 69, 127)])
    assert bool(level_db(sound, 0.5, 0.9) > -30) is during
    assert bool(level_db(sound, 1.4, 1.6) > -40) is after
    if mode == 3:
        assert level_db(sound, 1.0, 1.1) > -30


def test_sample_offsets_move_start_and_end(play):
    data = np.concatenate((np.zeros(4410, "<i2"), sine(0.2), np.zeros(4410, "<i2")))
    late = play(simple(data=data), [(0, 1, 69, 127)])
    early = play(simple({0: 4410, 1: -4410 - 4410}, data=data), [(0, 1, 69, 127)])
    assert level_db(late, 0, 0.09) < -90
    assert level_db(early, 0.005, 0.09) > -20
    assert level_db(early, 0.105, 0.5) < -90


def test_lowpass_takes_the_highs(play):
    def highs(generators, **rest):
        sound = play(simple(generators, data=noise(), **rest), [(0, 1.5, 69, 127)])[0, 4410:48510]
        power = np.abs(np.fft.rfft(sound)) ** 2
        return 10 * np.log10(power[8000:12000].sum() / power[100:400].sum())

    two_khz = round(6900 + 1200 * np.log2(2000 / 440))
    plain = highs({})
    assert highs({8: two_khz}) - plain < -25
    assert highs({8: two_khz}, modulators=[(0x0002, 8, 6000, 0)]) - plain > -3
    swept = highs({8: two_khz, 11: 6000, 27: -12000, 28: 5000, 29: 0})
    assert swept - plain > -3  # the modulation envelope holds the filter open


def test_modulation_envelope_closes_the_filter_over_time(play):
    generators = {8: 4500, 11: 8000, 26: -12000, 28: 0, 29: 1000}
    sound = play(simple(generators, data=noise()), [(0, 1.9, 69, 127)])
    assert level_db(sound, 0.02, 0.1) - level_db(sound, 1.2, 1.6) > 15


def test_zones_sum_and_override_as_the_specification_says(play):
    inner = [Zone(None, {48: 100, 52: 50}), Zone(0, {54: 1, 48: 200})]
    outer = [Zone(None, {48: 100}), Zone(0, {48: 50, 51: 1})]
    font = build([Sample(sine(), correction=-4)], [Preset(inner, outer=outer)])
    sound = play(font, [(0, 1.9, 69, 127)])
    assert cents(frequency(sound), 440) == pytest.approx(150, abs=0.5)  # global fine tune, and the preset's semitone
    reference = level_db(play(simple(), [(0, 1.9, 69, 127)]), 0.2, 1.8)
    assert level_db(sound, 0.2, 1.8) - reference == pytest.approx(-0.4 * 25, abs=0.1)


def test_key_and_velocity_ranges_pick_zones(play):
    def zone(low_key, high_key, low, high, semitones):
        return Zone(0, {43: low_key | high_key << 8, 44: low | high << 8, 54: 1, 51: semitones})

    font = build([Sample(sine(), correction=-4)], [Preset([zone(0, 68, 0, 127, 0), zone(69, 69, 64, 127, 12)])])
    assert abs(cents(frequency(play(font, [(0, 1.9, 57, 20)])), 220)) < 0.5
    assert abs(cents(frequency(play(font, [(0, 1.9, 69, 64)])), 880)) < 0.5
    assert not play(font, [(0, 1.9, 69, 63)]).any()


def test_hard_panned_pairs_come_out_on_their_own_sides(play):
    font = build(
        [Sample(sine(), correction=-4), Sample(noise(), loop=(0, 0))],
        [Preset([Zone(0, {17: -500, 54: 1}), Zone(1, {17: 500})])],
    )
    sound = play(font, [(0, 1.0, 69, 127)])
    spectra = [np.abs(np.fft.rfft(side[:44100])) for side in sound]
    flatness = [np.exp(np.mean(np.log(s[100:20000] + 1e-9))) / s[100:20000].mean() for s in spectra]
    assert flatness[0] < 0.1 < 0.5 < flatness[1]


def test_exclusive_class_silences_the_older_voice_quickly_and_no_other(play):
    zones = [Zone(0, {43: k | k << 8, 54: 1, 57: c, 38: 4000}) for k, c in ((42, 1), (46, 1), (49, 0))]
    font = build([Sample(sine())], [Preset(zones, bank=128)])
    closed = [(0.5, 0.51, 42, 1)]
    choked = play(font, [(0, 0.1, 46, 127), *closed], instrument="standard_kit")
    assert level_db(choked, 0.3, 0.5) > -20
    assert level_db(choked, 0.6, 0.7) < -45
    crash = play(font, [(0, 0.1, 49, 127), *closed], instrument="standard_kit")
    assert level_db(crash, 0.6, 0.7) > -20


def test_bends_follow_the_wheel_and_its_range(play):
    note = [(0, 1.9, 69, 100)]
    assert cents(frequency(play(simple(), note, bends=((0.0, 4096),))), 440) == pytest.approx(100, abs=0.5)
    moved = play(simple(), note, bends=((0.0, 0), (0.2, 8191)))
    assert cents(frequency(moved), 440) == pytest.approx(200, abs=0.5)
    assert cents(frequency(moved, 0.01, 0.19), 440) == pytest.approx(0, abs=5)
    wide = play(simple(), note, bends=((0.2, -8192),), bend_range_semitones=12.0)
    assert cents(frequency(wide), 440) == pytest.approx(-1200, abs=0.5)


def test_volume_expression_and_pan_controllers(play):
    note = [(0, 1.9, 69, 100)]
    plain = play(simple(), note)
    for controller, full in ((7, 100), (11, 127)):
        soft = play(simple(), note, controls=((0.0, controller, 50),))
        change = level_db(soft, 0.2, 1.8) - level_db(plain, 0.2, 1.8)
        assert change == pytest.approx(40 * np.log10(50 / full), abs=0.1)
    swell = play(simple(), note, controls=((0.0, 11, 20), (1.0, 11, 127)))
    assert level_db(swell, 1.1, 1.8) - level_db(swell, 0.1, 0.9) == pytest.approx(40 * np.log10(127 / 20), abs=0.1)
    left = play(simple(), note, controls=((0.0, 10, 0),))
    assert np.abs(left[0]).max() > 0.1
    assert np.abs(left[1]).max() < 1e-4
    moving = play(simple(), note, controls=((0.0, 10, 0), (1.0, 10, 127)))
    assert level_db(moving[0], 0.2, 0.9) - level_db(moving[1], 0.2, 0.9) > 60
    assert level_db(moving[1], 1.1, 1.8) - level_db(moving[0], 1.1, 1.8) > 60


def test_pedal_holds_and_lets_go(play):
    sound = play(simple(), [(0, 0.2, 69, 100)], controls=((0.1, 64, 127), (1.0, 64, 0)))
    assert level_db(sound, 0.8, 1.0) > -30
    assert level_db(sound, 1.2, 2.0) < -90


def test_wheel_brings_vibrato(play):
    def wobble(controls):
        sound = play(simple({24: -600}), [(0, 1.9, 69, 100)], controls=controls)
        return np.ptp([frequency(sound, t, t + 0.05) for t in np.arange(0.3, 1.6, 0.02)])

    assert wobble(()) < 0.5
    assert 15 < wobble(((0.0, 1, 127),)) < 30  # 50 cents each way of 440 Hz is 25 Hz, less what the window smears


def test_repeated_note_releases_the_one_before(play):
    sound = play(simple(), [(0, 2, 69, 127), (1.0, 2, 69, 1)])
    assert level_db(sound, 1.2, 1.9) < level_db(sound, 0.2, 0.9) - 60


def test_equal_notes_sound_equal_wherever_they_stand(play):
    sound = play(simple(), [(0, 0.3, 71, 90), (1.0, 1.3, 71, 90)])
    assert np.array_equal(sound[:, : RATE // 2], sound[:, RATE : RATE + RATE // 2])


def test_a_shorter_render_is_the_beginning_of_a_longer_one(play):
    notes = [(0.1 * i, 0.1 * i + 0.5, 60 + i, 80) for i in range(12)]
    long = play(simple(), notes, seconds=2.0, bends=((0.3, 2000), (0.6, 0)))
    short = play(simple(), notes, seconds=0.8, bends=((0.3, 2000), (0.6, 0)))
    assert np.allclose(long[:, : short.shape[1] - 64], short[:, :-64], atol=1e-6)


def test_same_bytes_twice_and_from_a_shared_player_in_threads(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "tiny.sf3"
    path.write_bytes(build([Sample(sine())], [Preset([Zone(0, {54: 1})])], vorbis=True))
    player = SamplerPlayer(path)
    notes = perform([(0.1 * i, 0.1 * i + 0.2, 60 + i % 7, 50 + i) for i in range(15)])

    def render(_):
        return SamplerPlayer(path).render(notes, PIANO, sample_rate=RATE, num_samples=RATE)

    with ThreadPoolExecutor(4) as pool:
        sounds = list(pool.map(lambda _: player.render(notes, PIANO, sample_rate=RATE, num_samples=RATE), range(8)))
    assert all(np.array_equal(sounds[0], s) for s in [*sounds, render(0)])
    assert np.abs(sounds[0]).max() > 0.05


def test_compressed_font_sounds_like_the_plain_one(tmp_path):
    sounds = []
    for vorbis in (False, True):
        path = tmp_path / f"tiny{vorbis}.sf3"
        path.write_bytes(build([Sample(sine(), correction=-4)], [Preset([Zone(0, {54: 1})])], vorbis=vorbis))
        notes = perform([(0, 1.9, 76, 100)])
        sounds.append(SamplerPlayer(path).render(notes, PIANO, sample_rate=RATE, num_samples=2 * RATE))
    assert abs(cents(frequency(sounds[0]), frequency(sounds[1]))) < 0.1
    assert level_db(sounds[0], 0.2, 1.8) == pytest.approx(level_db(sounds[1], 0.2, 1.8), abs=0.3)


def test_missing_programs_fall_back(play):
    zones = [Zone(0, {54: 1})]
    font = build([Sample(sine())], [Preset(zones), Preset([Zone(0, {54: 1, 51: 12})], bank=128)])
    piano = play(font, [(0, 1, 69, 100)])
    assert np.array_equal(play(font, [(0, 1, 69, 100)], instrument="violin"), piano)
    kit = play(font, [(0, 1.9, 57, 100)], instrument="jazz_kit")
    assert abs(cents(frequency(kit), FREQUENCY_HZ)) < 0.5


def test_silence_and_notes_past_the_end(play):
    assert not play(simple(), []).any()
    assert not play(simple(), [(5, 6, 69, 100)]).any()
    assert play(simple(), [(0, 1, 69, 100)], seconds=0).shape == (2, 0)


def test_other_sample_rates_keep_the_pitch(tmp_path):
    path = tmp_path / "tiny.sf2"
    path.write_bytes(simple())
    sound = SamplerPlayer(path).render(perform([(0, 1.9, 69, 100)]), PIANO, sample_rate=22050, num_samples=44100)
    assert abs(cents(frequency(sound, 0.15, 0.65) / 2, 440)) < 0.5


def test_letting_go_closes_the_filter_that_the_envelope_held_open(play):
    def tail_highs(release):
        generators = {8: 5000, 11: 7000, 26: -12000, 29: 0, 30: release, 38: 2400}
        sound = play(simple(generators, data=noise()), [(0, 0.5, 69, 127)])[0, 28665:39690]
        power = np.abs(np.fft.rfft(sound)) ** 2
        return 10 * np.log10(power[1500:2500].sum() / power[10:60].sum())

    assert tail_highs(-5000) < tail_highs(8000) - 25


@pytest.mark.parametrize("samples", [1, 64, 65, 4000, 9001])
@pytest.mark.parametrize(("first", "last"), [(9000.0, 3000.0), (4000.0, 11000.0), (7000.0, 7000.0)])
def test_a_moving_lowpass_is_the_recursion_that_it_stands_for(samples, first, last):
    signal = pytest.importorskip("scipy.signal")
    source = np.random.default_rng(1).standard_normal(samples).astype(np.float32)
    count = -(-samples // dsp.CONTROL_STEP)
    cutoff = np.linspace(first, last, count)
    expected, state = [], np.zeros(2)
    for k, cents in enumerate(np.round(cutoff / 40.0) * 40.0):
        part = source[k * dsp.CONTROL_STEP : (k + 1) * dsp.CONTROL_STEP]
        heard, state = signal.lfilter(*dsp._biquad(dsp.cents_to_hz(cents), 30.0, 44100), part, zi=state)
        expected.append(heard)
    found = dsp.sweep_lowpass(source, cutoff, 30.0, 44100, 40.0)
    assert found.dtype == np.float32 and np.allclose(found, np.concatenate(expected), atol=1e-5)
    if first == last:
        assert np.allclose(dsp.lowpass(source, dsp.cents_to_hz(first), 30.0, 44100), found, atol=1e-6)


def test_the_envelope_at_one_time_is_the_curve_there():
    shape = Envelope(0.01, 0.05, 0.02, 1.5, 0.3, 0.4)
    seconds = np.array([0.0, 0.005, 0.011, 0.03, 0.06, 0.075, 0.1, 0.9, 5.0])
    assert np.allclose([shape.level_at(s) for s in seconds.tolist()], shape.levels(seconds), atol=1e-12)
