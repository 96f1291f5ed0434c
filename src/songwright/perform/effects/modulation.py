"""Sound that moves: delays, filters and gains that sweep slowly, by the song's clock or by the sound itself.

Sweeps begin at the start of the song, so the same bar always moves in the same way.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from songwright.audio.recursive import butterworth
from songwright.perform.effects.control import HOP, apply_gain, follow, hop_maximum, num_points
from songwright.seeding import generator

Movement = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Maps times in seconds to values."""

_BLOCK = 1 << 14
_SWEEP_FRAME = 1024


def delayed(waveform: NDArray[np.float32], sample_rate: int, delays: Sequence[Movement]) -> NDArray[np.float32]:
    """Returns each channel delayed by its own moving time, read between samples by a cubic.

    Args:
        waveform: (channels, samples).
        sample_rate: samples per second.
        delays: for each channel, the delay in seconds at a time; below 0 counts as 0.
    """
    channels, num_samples = waveform.shape
    out = np.zeros_like(waveform)
    groups = (
        [(delays[0], slice(0, channels))]
        if len(set(delays)) == 1
        else [(delay, slice(channel, channel + 1)) for channel, delay in enumerate(delays)]
    )
    for start in range(0, num_samples, _BLOCK):
        stop = min(start + _BLOCK, num_samples)
        grid = np.arange(start, stop + HOP, HOP)
        for movement, rows in groups:
            coarse = np.maximum(movement(grid / sample_rate) * sample_rate, 0.0)
            low = start - int(coarse.max()) - 3
            source = waveform[rows, max(0, low) : stop + 2]
            if not source.any():
                continue
            source = np.pad(source, ((0, 0), (max(0, -low), max(0, stop + 2 - num_samples))))
            delay = np.interp(np.arange(start, stop), grid, coarse)
            out[rows, start:stop] = _read(source, np.arange(start - low, stop - low) - delay)
    return out


def _read(samples: NDArray[np.float32], positions: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns the samples at fractional positions (Catmull-Rom cubic), at least 1 and 2 off the ends. (C, T)."""
    whole = positions.astype(np.int64)
    part = (positions - whole).astype(np.float32)
    a, b, c, d = (np.take(samples, whole + k, axis=1) for k in (-1, 0, 1, 2))
    slope = c - a
    half = 2 * a - 5 * b + 4 * c - d
    rest = 3 * (b - c) + d - a
    return np.asarray(b + np.float32(0.5) * part * (slope + part * (half + part * rest)), dtype=np.float32)


def drift(name: str, cents: float) -> Movement:
    """Returns a wandering delay (seconds, from 0 up) whose pitch stays within so many cents of the written one.

    Args:
        name: different names wander differently.
        cents: largest deviation.
    """
    random = generator(0, "drift", name)
    rates = np.array([0.13, 0.29, 0.47, 0.71]) * random.uniform(0.85, 1.15, 4)
    phases = random.uniform(0.0, 2 * np.pi, 4)
    slope = 2 ** (abs(cents) / 1200) - 1
    depths = slope / len(rates) / (2 * np.pi * rates)
    middle = float(depths.sum())

    def movement(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        waves = [d * np.sin(2 * np.pi * r * seconds + p) for d, r, p in zip(depths, rates, phases, strict=True)]
        return np.asarray(middle + np.sum(waves, axis=0))

    return movement


def _sine(rate_hz: float, phase: float, middle: float, depth: float) -> Movement:
    return lambda seconds: middle + depth * np.sin(2 * np.pi * (rate_hz * seconds + phase))


def chorus(
    waveform: NDArray[np.float32],
    sample_rate: int,
    *,
    rate_hz: float = 0.8,
    depth_ms: float = 2.5,
    mix: float = 0.4,
) -> NDArray[np.float32]:
    """Returns the waveform with two moving copies of each side, a quarter turn apart left and right.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        rate_hz: speed of the movement.
        depth_ms: how far the copies move.
        mix: share of the copies.
    """
    swing = depth_ms * 0.5e-3
    out = waveform * np.float32(np.cos(mix * np.pi / 2))
    for voice, (base, speed) in enumerate(((9e-3, 1.0), (14e-3, 1.31))):
        sides = [_sine(rate_hz * speed, 0.25 * side + 0.4 * voice, base + swing, swing) for side in range(2)]
        copy = delayed(waveform, sample_rate, sides)
        copy *= np.float32(np.sin(mix * np.pi / 2) * np.sqrt(0.5))
        out += copy
    return out


def flanger(
    waveform: NDArray[np.float32],
    sample_rate: int,
    *,
    rate_hz: float = 0.25,
    depth_ms: float = 2.0,
    feedback: float = 0.4,
    mix: float = 0.5,
) -> NDArray[np.float32]:
    """Returns the waveform with a copy swept within a few milliseconds, and the copy's copies.

    The feedback is a series of echoes of the slowly moving delay, which is what the loop settles to.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        rate_hz: speed of the sweep.
        depth_ms: width of the sweep.
        feedback: -0.9 to 0.9, from copy to copy.
        mix: share of the copies.
    """
    out = waveform * np.float32(1 - 0.5 * mix)
    strength = mix * np.sqrt(1 - min(0.95, feedback**2))
    copy = 1
    while strength > 0.02 and copy <= 8:
        sides = [
            _sine(rate_hz, 0.25 * side, copy * (0.4e-3 + depth_ms * 0.5e-3), copy * depth_ms * 0.5e-3)
            for side in range(2)
        ]
        sign = -1.0 if feedback < 0 and copy % 2 == 0 else 1.0
        wet = delayed(waveform, sample_rate, sides)
        wet *= np.float32(sign * strength)
        out += wet
        strength *= abs(feedback)
        copy += 1
    return out


def swept(
    waveform: NDArray[np.float32],
    sample_rate: int,
    positions: NDArray[np.float64],
    response: Callable[[NDArray[np.complex128], NDArray[np.float64]], NDArray[np.complex128]],
) -> NDArray[np.float32]:
    """Returns the waveform through a filter that moves: frames overlap by half, each filtered where it stands.

    Args:
        waveform: (channels, samples).
        sample_rate: samples per second.
        positions: (channels, frames) where the sweep stands in the middle of each frame, see `sweep_seconds`.
        response: ``(z, position)`` → the filter's response at points z of the unit circle.
    """
    from scipy import fft

    hop, size = _SWEEP_FRAME // 2, 2 * _SWEEP_FRAME
    channels, num_samples = waveform.shape
    window = np.sin(np.pi * (np.arange(_SWEEP_FRAME) + 0.5) / _SWEEP_FRAME).astype(np.float32) ** 2
    z = np.exp(2j * np.pi * np.arange(size // 2 + 1) / size)
    count = positions.shape[1]
    out = np.zeros((channels, (count + 4) * hop), np.float32)
    rows = 64
    for first in range(0, count, rows):
        here = min(rows, count - first)
        low = (first - 1) * hop
        block = np.zeros((channels, (here + 1) * hop), np.float32)
        a, b = max(0, low), min(num_samples, low + block.shape[1])
        block[:, a - low : b - low] = waveform[:, a:b]
        if not block.any():
            continue
        frames = np.lib.stride_tricks.sliding_window_view(block, _SWEEP_FRAME, axis=1)[:, ::hop] * window
        shape = response(z[None, None, :], positions[:, first : first + here, None]).astype(np.complex64)
        wet = fft.irfft(fft.rfft(frames, size, axis=2) * shape, size, axis=2)  # (C, frames, size)
        for quarter in range(4):
            part = wet[:, :, quarter * hop : (quarter + 1) * hop].reshape(channels, -1)
            start = (first + quarter) * hop
            out[:, start : start + part.shape[1]] += part
    return out[:, hop : hop + num_samples]


def sweep_seconds(num_samples: int, sample_rate: int) -> NDArray[np.float64]:
    """Returns the time in the middle of each frame of `swept`. (frames,)."""
    hop = _SWEEP_FRAME // 2
    return np.asarray(np.arange(num_samples // hop + 2) * (hop / sample_rate), dtype=np.float64)


def phaser(
    waveform: NDArray[np.float32], sample_rate: int, *, rate_hz: float = 0.4, depth: float = 0.7, mix: float = 0.5
) -> NDArray[np.float32]:
    """Returns the waveform mixed with itself through six all-passes that sweep, opposite left and right.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        rate_hz: speed of the sweep.
        depth: 0 still to 1 over three octaves.
        mix: share of the swept sound; 0.5 gives the deepest notches.
    """
    seconds = sweep_seconds(waveform.shape[1], sample_rate)
    turns = rate_hz * seconds[None, :] + np.array([[0.0], [0.25]])
    centre = 700.0 * 2 ** (1.5 * depth * np.sin(2 * np.pi * turns))
    tangent = np.tan(np.pi * np.minimum(centre, 0.45 * sample_rate) / sample_rate)
    coefficient = (tangent - 1) / (tangent + 1)

    def response(z: NDArray[np.complex128], c: NDArray[np.float64]) -> NDArray[np.complex128]:
        one = (c + 1 / z) / (1 + c / z)
        return np.asarray((1 - mix) + mix * one**6)

    return swept(waveform, sample_rate, coefficient, response)


def auto_wah(waveform: NDArray[np.float32], sample_rate: int, *, depth: float = 0.6) -> NDArray[np.float32]:
    """Returns the waveform through a resonant band whose place follows how loud it is played.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        depth: 0 plain to 1 all wah, over two and a half octaves.
    """
    ms = sample_rate / HOP / 1000.0
    loud = follow(hop_maximum(waveform), 8.0 * ms, 110.0 * ms)
    seconds = sweep_seconds(waveform.shape[1], sample_rate)
    points = np.interp(seconds, (np.arange(len(loud)) + 0.5) * HOP / sample_rate, loud) if len(loud) else 0 * seconds
    heard = np.clip((20 * np.log10(np.maximum(points, 1e-5)) + 36.0) / 30.0, 0.0, 1.0)
    centre = 420.0 * 2 ** (2.5 * heard)
    positions = np.repeat(2 * np.pi * centre[None, :] / sample_rate, 2, axis=0)
    wet = 0.35 + 0.6 * depth

    def response(z: NDArray[np.complex128], w: NDArray[np.float64]) -> NDArray[np.complex128]:
        alpha = np.sin(w) / (2 * 3.2)
        band = alpha * (1 - z**-2) / (1 + alpha - 2 * np.cos(w) / z + (1 - alpha) * z**-2)
        return np.asarray((1 - wet) + wet * 1.8 * band)

    return swept(waveform, sample_rate, positions, response)


def tremolo(
    waveform: NDArray[np.float32],
    sample_rate: int,
    *,
    rate_hz: float = 5.0,
    rate_beats: float = 0.0,
    depth: float = 0.5,
    beat_seconds: float = 0.5,
) -> NDArray[np.float32]:
    """Returns the waveform louder and softer in turn.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        rate_hz: turns per second; not used when `rate_beats` is given.
        rate_beats: length of a turn in quarter notes; 0: by `rate_hz`.
        depth: 0 none to 1 down to silence.
        beat_seconds: length of a quarter note.
    """
    rate = 1.0 / (rate_beats * beat_seconds) if rate_beats > 0 else rate_hz
    seconds = np.arange(num_points(waveform.shape[1])) * (HOP / sample_rate)
    return apply_gain(waveform, 1.0 - depth * (0.5 - 0.5 * np.cos(2 * np.pi * rate * seconds)))


def rotary(waveform: NDArray[np.float32], sample_rate: int, *, speed_hz: float = 6.0) -> NDArray[np.float32]:
    """Returns the waveform as from a rotating loudspeaker: horn and drum turn before two microphones.

    Args:
        waveform: (2, samples); both channels are summed first.
        sample_rate: samples per second.
        speed_hz: turns of the horn a second: about 0.8 slow, 6.5 fast; the drum turns a little slower.
    """
    from songwright.perform.effects.filters import filtered

    mono = np.repeat(waveform.mean(axis=0, keepdims=True), 2, axis=0)  # (2, T)
    low = filtered(mono, butterworth(2, 800.0, sample_rate))
    high = mono - low
    seconds = np.arange(num_points(waveform.shape[1])) * (HOP / sample_rate)
    phases = (0.0, 0.3)
    horn = delayed(high, sample_rate, [_sine(speed_hz, p, 0.7e-3, 0.5e-3) for p in phases])
    drum = delayed(low, sample_rate, [_sine(0.86 * speed_hz, p + 0.5, 0.5e-3, 0.2e-3) for p in phases])
    turn = 2 * np.pi * seconds[None, :]
    angle = np.array([[2 * np.pi * p] for p in phases])
    horn_gain = 0.72 - 0.28 * np.sin(speed_hz * turn + angle)
    drum_gain = 0.85 - 0.15 * np.sin(0.86 * speed_hz * turn + angle + np.pi)
    out = apply_gain(horn, horn_gain, out=horn)
    out += apply_gain(drum, drum_gain, out=drum)
    return out
