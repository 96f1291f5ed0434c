"""Our sampler beside fluidsynth, on the font that comes with `pretty_midi`."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from songwright.perform.fluid import FluidPlayer
from songwright.perform.sampler.player import SamplerPlayer
from songwright.perform.timeline import Performance

pytestmark = pytest.mark.skipif(
    shutil.which("fluidsynth") is None, reason="needs the program fluidsynth to compare with"
)
RATE = 44100
FONT = Path(importlib.util.find_spec("pretty_midi").origin).parent / "TimGM6mb.sf2"


def perform(notes, **rest):
    rows = np.array(notes, float).reshape(-1, 4)
    return Performance(rows[:, 0], rows[:, 1], rows[:, 2].astype(int), rows[:, 3].astype(int), **rest)


def both(notes, instrument, seconds, **rest):
    """(ours, fluidsynth's), (2, samples) each."""
    performance = perform(notes, **rest)
    return tuple(
        player.render(performance, instrument, sample_rate=RATE, num_samples=round(seconds * RATE))
        for player in (SamplerPlayer(FONT), FluidPlayer(FONT))
    )


def level_db(sound, start, end):
    part = sound[..., round(start * RATE) : round(end * RATE)].astype(float)
    return 10 * np.log10(np.mean(part**2) + 1e-20)


@pytest.mark.parametrize(
    ("instrument", "key"),
    [
        ("acoustic_grand_piano", 60),
        ("electric_piano", 64),
        ("electric_bass_finger", 36),
        ("distortion_guitar", 52),
        ("violin", 69),
        ("trumpet", 65),
        ("warm_pad", 60),
        ("standard_kit", 36),
        ("standard_kit", 38),
        ("standard_kit", 42),
    ],
)
def test_levels_at_four_velocities(instrument, key):
    notes = [(2 * i + 0.1, 2 * i + 1.1, key, v) for i, v in enumerate((20, 60, 100, 127))]
    ours, theirs = both(notes, instrument, 8)
    for start, _, _, velocity in notes:
        difference = level_db(ours, start, start + 1.8) - level_db(theirs, start, start + 1.8)
        assert abs(difference) < 1.5, f"velocity {velocity}: {difference:+.2f} dB"


def _fundamental(sound, start, end, near):
    part = sound.mean(axis=0)[round(start * RATE) : round(end * RATE)].astype(float)
    window = np.hanning(len(part) - 1)
    first, second = np.fft.rfft(part[:-1] * window), np.fft.rfft(part[1:] * window)
    low, high = (round(near * f * len(window) / RATE) for f in (0.8, 1.25))
    peak = low + np.argmax(np.abs(first[low:high]))
    return np.angle(second[peak] / first[peak]) % (2 * np.pi) * RATE / (2 * np.pi)


@pytest.mark.parametrize(
    ("bend", "span", "semitones"), [(8191, 2, 2), (-8192, 2, -2), (4096, 12, 6), (-2000, 2, -0.488)]
)
def test_bends(bend, span, semitones):
    ours, theirs = both(
        [(0.1, 1.9, 57, 100)], "flute", 2, bends=((0.05, 0), (0.5, bend)), bend_range_semitones=float(span)
    )
    near = 220 * 2 ** (semitones / 12)
    a, b = (_fundamental(sound, 0.8, 1.8, near) for sound in (ours, theirs))
    assert abs(1200 * np.log2(a / b)) < (5 if span == 2 else 10)  # fluidsynth takes the range as 12/128 of 127
    still = _fundamental(ours, 0.15, 0.45, 220)
    assert abs(1200 * np.log2(a / still) - 100 * semitones) < 2
    assert abs(1200 * np.log2(_fundamental(ours, 0.15, 0.45, 220) / _fundamental(theirs, 0.15, 0.45, 220))) < 5


@pytest.mark.parametrize(("instrument", "key"), [("standard_kit", 38), ("acoustic_grand_piano", 72), ("marimba", 60)])
def test_onsets(instrument, key):
    times = 0.2 + np.arange(8) * 0.4137
    ours, theirs = both([(t, t + 0.3, key, 110) for t in times], instrument, 4)
    for t in times:
        a, b = (sound.mean(axis=0)[round((t - 0.02) * RATE) :][:4410].astype(float) for sound in (ours, theirs))
        lag = np.argmax(np.correlate(a, b, "full")) - (len(b) - 1)
        assert abs(lag) / RATE < 0.002


def test_crash_rings_and_open_hat_is_choked():
    ours, _ = both([(0.1, 0.2, 49, 110)], "standard_kit", 4)
    assert level_db(ours, 1.6, 2.0) > level_db(ours, 0.1, 0.5) - 50
    hats = [(0.1, 0.2, 46, 110), (0.4, 0.45, 42, 20)]
    open_ours, _ = both(hats[:1], "standard_kit", 2)
    ours, theirs = both(hats, "standard_kit", 2)
    assert level_db(ours, 0.5, 0.7) < level_db(open_ours, 0.5, 0.7) - 12
    assert level_db(ours, 0.5, 0.7) < level_db(theirs, 0.5, 0.7) + 1.5


@pytest.mark.parametrize("controls", [((0.0, 7, 60),), ((0.0, 11, 60),), ((0.0, 10, 20),), ((0.0, 10, 110),), ()])
def test_channel_controllers(controls):
    ours, theirs = both([(0.1, 1.5, 60, 100)], "drawbar_organ", 2, controls=controls)
    for side in range(2):
        assert abs(level_db(ours[side], 0.2, 1.4) - level_db(theirs[side], 0.2, 1.4)) < 1.0


def test_pedal_and_wheel():
    pedal = ((0.1, 64, 127), (1.5, 64, 0))
    ours, theirs = both([(0.2, 0.4, 60, 100)], "drawbar_organ", 3, controls=pedal)
    for start, end in ((0.5, 1.4), (1.5, 1.6)):
        assert abs(level_db(ours, start, end) - level_db(theirs, start, end)) < 1.5
    ours, theirs = both([(0.1, 2.9, 69, 100)], "flute", 3, controls=((0.0, 1, 127),))
    spans = [
        np.ptp([_fundamental(sound, t, t + 0.06, 440) for t in np.arange(0.5, 2.5, 0.01)]) for sound in (ours, theirs)
    ]
    assert spans[0] > 5
    assert abs(spans[0] / spans[1] - 1) < 0.2
