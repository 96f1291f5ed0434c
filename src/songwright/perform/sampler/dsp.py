"""Reading a recording at another speed, and the voice's lowpass: pure functions on arrays."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_TAPS, _PHASES = 8, 2048
_MAX_CUTOFF = 0.45
_OPEN_CUTOFF = 0.42
"""A lowpass above this share of the sample rate is left out: it would do nothing one hears."""
CONTROL_STEP = 64
"""Samples between two points of a curve that moves slower than sound."""
_ROWS = 60
"""Frames in a product, so few that the linear algebra library stays in the calling thread."""
_FORGOTTEN = 1e-8


def unroll(
    recording: NDArray[np.float32], loop: tuple[int, int] | None, length: int, repeats: int | None = None
) -> NDArray[np.float32]:
    """Returns `length` samples of a recording whose loop is written out, fewer if it ends before.

    Args:
        recording: (samples,).
        loop: first sample of the loop and the one after its last; None plays straight through.
        length: samples wanted.
        repeats: leave the loop after so many extra rounds and play on; None stays in it.
    """
    if loop is None or repeats == 0:
        return recording[:length]
    start, end = loop
    rounds = max(0, math.ceil((length - end) / (end - start))) if repeats is None else repeats
    head, body = recording[:end], recording[start:end]
    after = recording[:0] if repeats is None else recording[end:]
    return np.concatenate((head, np.tile(body, rounds), after))[:length]


def resample(source: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """Returns the source played `ratio` times as fast, band-limited to the new rate, (samples / ratio,)."""
    if abs(ratio - 1.0) < 1e-6 or len(source) == 0:
        return source
    import soxr

    return np.asarray(soxr.resample(source, ratio, 1.0, quality="HQ"), np.float32)


@functools.cache
def _kernel() -> NDArray[np.float32]:
    """Windowed sinc for every fraction of a sample, unit gain at zero frequency, (phases + 1, taps)."""
    fraction = np.arange(_PHASES + 1)[:, None] / _PHASES
    distance = np.arange(_TAPS)[None, :] - (_TAPS // 2 - 1) - fraction
    window = np.i0(7.0 * np.sqrt(np.maximum(0.0, 1.0 - (distance / (_TAPS / 2)) ** 2)))
    taps = np.sinc(distance * 0.97) * window
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), np.float32)


def read_at(source: NDArray[np.float32], positions: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns the source between its samples, for speeds near 1 (bends and vibrato).

    Args:
        source: (samples,).
        positions: rising places in samples from 0 on; what lies past the end is silent. (n,)
    """
    kernel = _kernel()
    padded = np.concatenate((np.zeros(_TAPS // 2 - 1, np.float32), source, np.zeros(_TAPS, np.float32)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _TAPS)
    result = np.empty(len(positions), np.float32)
    for start in range(0, len(positions), 8192):
        part = np.minimum(positions[start : start + 8192], len(source))
        whole = part.astype(np.int64)
        phase = ((part - whole) * _PHASES + 0.5).astype(np.int64)
        np.einsum("ij,ij->i", windows[whole], kernel[phase], out=result[start : start + 8192])
    return result


def lowpass(
    source: NDArray[np.float32], cutoff_hz: float, resonance_cb: float, sample_rate: int
) -> NDArray[np.float32]:
    """Returns the source through the voice's resonant lowpass, 12 dB per octave, (samples,)."""
    gain = _filter_gain(resonance_cb)
    if cutoff_hz >= _OPEN_CUTOFF * sample_rate and resonance_cb <= 0:
        return source * np.float32(gain)
    still = _still(hz_to_cents(max(cutoff_hz, 1e-3)), resonance_cb, sample_rate)
    return _filtered(source, [still], [-(-len(source) // CONTROL_STEP)])


def sweep_lowpass(
    source: NDArray[np.float32],
    cutoff_cents: NDArray[np.float64],
    resonance_cb: float,
    sample_rate: int,
    grid_cents: float,
) -> NDArray[np.float32]:
    """Returns the source through the lowpass while its cutoff moves, (samples,).

    Args:
        source: (samples,).
        cutoff_cents: absolute cents (6900 is 440 Hz) for every `CONTROL_STEP` samples, at least to the end.
        resonance_cb: peak height.
        sample_rate: samples per second.
        grid_cents: the cutoff is rounded to this; each step costs as much as some hundred samples.
    """
    highest = hz_to_cents(_MAX_CUTOFF * sample_rate)
    count = -(-len(source) // CONTROL_STEP)
    steps = np.round(np.minimum(np.maximum(cutoff_cents[:count], -1200.0), highest) / grid_cents)
    starts = [0, *(np.flatnonzero(steps[1:] != steps[:-1]) + 1).tolist()]
    filters = [_still(cents, resonance_cb, sample_rate) for cents in (steps[starts] * grid_cents).tolist()]
    return _filtered(source, filters, [last - first for first, last in pairwise([*starts, count])])


@dataclass(frozen=True, slots=True)
class _Still:
    """The lowpass with its cutoff standing still, for frames of `CONTROL_STEP` samples as rows from the left.

    Attributes:
        answer: what a frame and the two states before it sound like. (step + 2, step)
        onward: what a frame does to the states after it. (step, 2)
        carried: what becomes of the first state, and of the second: two states each. (4,)
    """

    answer: NDArray[np.float32]
    onward: NDArray[np.float32]
    carried: NDArray[np.float64]


@functools.lru_cache(maxsize=512)
def _still(cutoff_cents: float, resonance_cb: float, sample_rate: int) -> _Still:
    (b0, b1, b2), (_, a1, a2) = (row.tolist() for row in _biquad(cents_to_hz(cutoff_cents), resonance_cb, sample_rate))
    click = [b0]
    after = [(b1 - a1 * b0, b2 - a2 * b0)]  # the states, each sample after the click
    own = [((1.0, 0.0), (0.0, 1.0))]  # either state by itself, sample after sample
    for _ in range(CONTROL_STEP):
        click.append(after[-1][0])
        after.append((after[-1][1] - a1 * after[-1][0], -a2 * after[-1][0]))
        first, second = own[-1]
        own.append(((first[1] - a1 * first[0], -a2 * first[0]), (second[1] - a1 * second[0], -a2 * second[0])))
    padded = np.array([0.0] * (CONTROL_STEP - 1) + click[:CONTROL_STEP], np.float32)
    answer = np.empty((CONTROL_STEP + 2, CONTROL_STEP), np.float32)
    answer[:CONTROL_STEP] = np.lib.stride_tricks.sliding_window_view(padded, CONTROL_STEP)[::-1]
    answer[CONTROL_STEP:] = np.array(own[:CONTROL_STEP])[:, :, 0].T
    return _Still(answer, np.array(after[CONTROL_STEP - 1 :: -1], np.float32), np.array(own[CONTROL_STEP]).reshape(-1))


def _filtered(source: NDArray[np.float32], filters: Sequence[_Still], frames: Sequence[int]) -> NDArray[np.float32]:
    """Returns the source through filters that follow one another, each for so many frames, (samples,).

    What a frame does to itself is a product; the states that frames hand on are found for all of them together.
    """
    count = sum(frames)
    rows = np.zeros((count, CONTROL_STEP + 2), np.float32)
    whole = len(source) // CONTROL_STEP
    rows[:whole, :CONTROL_STEP] = source[: whole * CONTROL_STEP].reshape(whole, CONTROL_STEP)
    rows[whole:, : len(source) - whole * CONTROL_STEP] = source[whole * CONTROL_STEP :]
    stretches: list[tuple[int, int, _Still]] = []
    first = 0
    for still, length in zip(filters, frames, strict=True):
        last = first + length
        while last - first > _ROWS:
            stretches.append((first, first + _ROWS, still))
            first += _ROWS
        stretches.append((first, last, still))
        first = last
    pushes = np.empty((count, 2), np.float32)
    inputs = rows[:, :CONTROL_STEP]
    for first, last, still in stretches:
        np.matmul(inputs[first:last], still.onward, out=pushes[first:last])
    carried = np.repeat(np.array([still.carried for still in filters]).T, frames, axis=1)  # (4, frames)
    rows[1:, CONTROL_STEP:] = _states(pushes.T, carried.reshape(2, 2, count))[:, :-1].T
    result = np.empty((count, CONTROL_STEP), np.float32)
    for first, last, still in stretches:
        np.matmul(rows[first:last], still.answer, out=result[first:last])
    return result.reshape(-1)[: len(source)]


def _states(pushes: NDArray[np.float32], carried: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the states after each frame, (2, frames), from rest.

    A state is a push and what was carried over of the state before. Each round doubles how many frames back are counted
    in, until nothing of what lies before is left.

    Args:
        pushes: (2, frames).
        carried: what comes of the first and of the second state; used up. (2, 2, frames)
    """
    state = np.array(pushes, np.float64, order="C")
    back, count = 1, state.shape[1]
    while back < count:
        late = carried[:, :, back:]
        more = state[0, :-back] * late[0]
        more += state[1, :-back] * late[1]
        state[:, back:] += more
        left = np.abs(late).max()
        if left * left < _FORGOTTEN:
            break
        early = carried[:, :, :-back].copy()
        carried[:, :, back:] = early[:, :1] * late[0] + early[:, 1:] * late[1]
        back *= 2
    return state


def control_seconds(num_samples: int, sample_rate: int) -> NDArray[np.float64]:
    """Returns the times of the points of a slow curve, one past the end included, (ceil(num_samples / step) + 1,)."""
    return np.arange(-(-num_samples // CONTROL_STEP) + 1, dtype=np.float64) * (CONTROL_STEP / sample_rate)


def stretch(points: NDArray[np.float64], num_samples: int) -> NDArray[np.float32]:
    """Returns straight lines between points that lie `CONTROL_STEP` samples apart, (samples,)."""
    low = points.astype(np.float32)
    ramp = np.arange(CONTROL_STEP, dtype=np.float32) / np.float32(CONTROL_STEP)
    lines = low[:-1, None] + np.diff(low)[:, None] * ramp[None, :]  # (points - 1, step)
    return np.asarray(lines.reshape(-1)[:num_samples], np.float32)


def cents_to_hz(cents: float) -> float:
    """Returns the frequency of absolute cents, where 6900 is 440 Hz."""
    return 440.0 * math.exp2((cents - 6900.0) / 1200.0)


def hz_to_cents(hz: float) -> float:
    """Returns the absolute cents of a frequency."""
    return 6900.0 + 1200.0 * math.log2(hz / 440.0)


def _filter_gain(resonance_cb: float) -> float:
    return math.pow(10.0, -(resonance_cb / 10.0 - 3.01) / 40.0)


def _biquad(cutoff_hz: float, resonance_cb: float, sample_rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns numerator and denominator; half of the resonance is taken off the gain (SoundFont 2.04, 8.1.2)."""
    quality = 10.0 ** ((resonance_cb / 10.0 - 3.01) / 20.0)
    omega = 2.0 * math.pi * min(max(cutoff_hz / sample_rate, 1e-4), _MAX_CUTOFF)
    alpha = math.sin(omega) / (2.0 * quality)
    scale = 1.0 / (1.0 + alpha)
    b1 = (1.0 - math.cos(omega)) * scale * _filter_gain(resonance_cb)
    return np.array([b1 / 2, b1, b1 / 2]), np.array([1.0, -2.0 * math.cos(omega) * scale, (1.0 - alpha) * scale])
