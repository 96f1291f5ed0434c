"""Colour by overload: saturation, tape, guitar amplifier and cabinet.

All curves are odd or nearly so, run four times oversampled, and keep the level of a signal at the mixer's usual level,
so that drive changes the colour more than the loudness.
"""

import numpy as np
from numpy.typing import NDArray

from songwright.audio.recursive import butterworth
from songwright.perform.effects.filters import filtered, peak, sections, shelf
from songwright.perform.effects.modulation import delayed, drift
from songwright.perform.effects.oversampling import shaped

_USUAL_PEAK = 0.2
_TAPE_WOW_HZ, _TAPE_FLUTTER_HZ = 0.9, 7.3


def _keep_level(drive: float) -> np.float32:
    """Returns the factor by which a driven tanh keeps a signal of the usual peak where it is."""
    return np.float32(_USUAL_PEAK / np.tanh(_USUAL_PEAK * drive))


def saturation(
    waveform: NDArray[np.float32], sample_rate: int, *, drive_db: float = 6.0, mix: float = 1.0
) -> NDArray[np.float32]:
    """Returns the waveform warmed by a tanh curve with a little second harmonic.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        drive_db: gain into the curve.
        mix: share of the driven sound.
    """
    drive = np.float32(10 ** (drive_db / 20))
    bias = np.float32(0.12)
    level, rest = _keep_level(float(drive)) * np.float32(mix), np.float32(1 - mix)
    zero = np.tanh(bias)

    def curve(x: NDArray[np.float32]) -> NDArray[np.float32]:
        driven: NDArray[np.float32] = np.tanh(x * drive + bias)
        driven -= zero
        driven *= level
        if rest:
            driven += rest * x
        return driven

    return _without_offset(shaped(waveform, curve), sample_rate)


def _without_offset(waveform: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Returns the waveform without the slow offset that an asymmetric curve leaves (below 12 Hz)."""
    return filtered(waveform, sections(sample_rate, low_cut_hz=12.0), taps=1 << 14)


def tape(
    waveform: NDArray[np.float32], sample_rate: int, *, drive_db: float = 3.0, wow: float = 0.05
) -> NDArray[np.float32]:
    """Returns the waveform as from a tape machine: soft top, head bump, treble that saturates first, wow and flutter.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        drive_db: recording level over the usual one.
        wow: 0 steady to 1 badly worn (about 25 cents).
    """
    drive = np.float32(10 ** (drive_db / 20))
    level = _keep_level(float(drive))
    result = filtered(waveform, shelf("high", 5000.0, 3.0, sample_rate)[None])
    result = shaped(result, lambda x: np.tanh(x * drive) * level)
    playback = np.array([
        shelf("high", 5000.0, -3.0, sample_rate),
        peak(85.0, 1.5, 0.9, sample_rate),
        *sections(sample_rate, high_cut_hz=16500.0),
    ])  # fmt: skip
    result = filtered(result, playback)
    if wow > 0:
        slow, fast = 0.0135 * wow / _TAPE_WOW_HZ / (2 * np.pi), 0.0035 * wow / _TAPE_FLUTTER_HZ / (2 * np.pi)

        def delay(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
            flutter = fast * (1 - np.cos(2 * np.pi * _TAPE_FLUTTER_HZ * seconds))
            return np.asarray(slow * (1 - np.cos(2 * np.pi * _TAPE_WOW_HZ * seconds)) + flutter)

        result = delayed(result, sample_rate, [delay, delay])
    return result


def amp(
    waveform: NDArray[np.float32], sample_rate: int, *, drive_db: float = 18.0, tone: float = 0.5
) -> NDArray[np.float32]:
    """Returns the waveform through a two-stage valve amplifier: tight lows in, two asymmetric stages, a tone stack.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        drive_db: gain of the first stage; 0 is clean, 30 and more sustains.
        tone: 0 dark to 1 bright.
    """
    tight = 70.0 + 2.5 * max(0.0, drive_db)
    entry = np.array([*sections(sample_rate, low_cut_hz=tight), peak(750.0, 4.0, 0.7, sample_rate)])
    drive, push = np.float32(10 ** (drive_db / 20)), np.float32(10 ** (drive_db / 40))
    between = sections(sample_rate, low_cut_hz=60.0, high_cut_hz=9000.0)

    def first(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(np.tanh(x * drive + np.float32(0.25)) - np.tanh(np.float32(0.25)), dtype=np.float32)

    def second(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(np.tanh(x * push - np.float32(0.15)) + np.tanh(np.float32(0.15)), dtype=np.float32)

    level = np.float32(_USUAL_PEAK / np.tanh(float(push) * np.tanh(_USUAL_PEAK * float(drive))))
    driven = shaped(filtered(shaped(filtered(waveform, entry), first), between), second)
    stack = np.array([
        *sections(sample_rate, low_cut_hz=50.0),
        shelf("low", 150.0, 3.0 * (1 - tone), sample_rate),
        peak(550.0, -5.0, 0.6, sample_rate),
        shelf("high", 2200.0, 16.0 * (tone - 0.5), sample_rate),
    ])  # fmt: skip
    driven *= level
    return filtered(driven, stack)


def cabinet(waveform: NDArray[np.float32], sample_rate: int, *, size: float = 0.6) -> NDArray[np.float32]:
    """Returns the waveform as from a guitar loudspeaker with a microphone close by, computed from poles and zeros.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        size: 0 a small open combo to 1 a closed box of four twelve-inch speakers.
    """
    top = min(6200.0 - 1600.0 * size, 0.42 * sample_rate)
    box = np.vstack([
        butterworth(2, 110.0 - 45.0 * size, sample_rate, "highpass"),
        butterworth(5, top, sample_rate),
        peak(170.0 - 65.0 * size, 2.0 + 3.0 * size, 1.4, sample_rate),
        peak(420.0, -3.0 - 2.0 * size, 1.0, sample_rate),
        peak(1350.0, -2.0, 2.0, sample_rate),
        peak(2700.0 - 300.0 * size, 5.0, 1.1, sample_rate),
        peak(3900.0, -6.0, 4.0, sample_rate),
        peak(4600.0, 3.0, 3.0, sample_rate),
    ])  # fmt: skip
    return filtered(waveform, box)


def double(
    waveform: NDArray[np.float32], sample_rate: int, *, delay_ms: float = 14.0, detune_cents: float = 8.0
) -> NDArray[np.float32]:
    """Returns the part played twice: one take hard left, one hard right, apart in time and tune as two takes are.

    Args:
        waveform: (2, samples); both channels are summed first.
        sample_rate: samples per second.
        delay_ms: how much later the second take is on average.
        detune_cents: largest difference in tune between a take and the written pitch.
    """
    mono = np.repeat(waveform.mean(axis=0, keepdims=True), 2, axis=0)  # (2, T)
    left, right = drift("double left", detune_cents), drift("double right", detune_cents)
    result = delayed(mono, sample_rate, [left, lambda t: right(t) + delay_ms * 1e-3])
    left_tone = peak(1800.0, 1.0, 0.8, sample_rate)
    right_tone = peak(2600.0, 1.2, 0.8, sample_rate)
    return np.concatenate([filtered(result[:1], left_tone[None]), filtered(result[1:], right_tone[None])])
