"""Recursive filters: Butterworth designs, and second-order sections run as products of small matrices.

A recursion cannot be worked on sample by sample here, but in frames it can: what a frame answers to itself is one
product, what it hears of the past is a few states. Loading scipy.signal for the same costs most of a second.
"""

from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

FRAME = 32
"""Samples in a frame; a state that is handed on belongs to a whole number of them."""
_TOGETHER = 16
"""Frames whose states are found in one product."""
_ROWS = 32
"""Rows of a product, so few that the linear algebra library stays in the calling thread."""

Floats = NDArray[np.float64]
T = TypeVar("T", bound=np.floating[Any])


def butterworth(order: int, hz: float | tuple[float, float], sample_rate: float, kind: str = "lowpass") -> Floats:
    """Returns a Butterworth filter as second-order sections (sections, 6).

    Args:
        order: of the filter; a band-pass has twice as many poles.
        hz: edge, 3 dB down; two of them for a band.
        sample_rate: samples per second.
        kind: ``lowpass``, ``highpass`` or ``bandpass``.

    Raises:
        ValueError: an edge is not between 0 and half the sample rate, or the kind is another.
    """
    edges = np.atleast_1d(np.asarray(hz, dtype=np.float64))
    if kind not in ("lowpass", "highpass", "bandpass") or len(edges) != 1 + (kind == "bandpass"):
        raise ValueError(f"butterworth: {kind} with {len(edges)} edges")
    if not (edges > 0).all() or not (edges < sample_rate / 2).all():
        raise ValueError(f"butterworth: edges {edges.tolist()} Hz, expected 0 to {sample_rate / 2:g}")
    twice = 2.0 * sample_rate
    warped = twice * np.tan(np.pi * edges / sample_rate)
    poles = np.exp(1j * np.pi * (2 * np.arange(1, order + 1) + order - 1) / (2 * order))
    gain, at_zero = 1.0, 0
    if kind == "lowpass":
        poles, gain = poles * warped[0], warped[0] ** order
    elif kind == "highpass":
        poles, at_zero = warped[0] / poles, order
    else:
        half = poles * (warped[1] - warped[0]) / 2
        root = np.sqrt(half**2 - warped[0] * warped[1])
        poles, gain, at_zero = np.concatenate([half + root, half - root]), (warped[1] - warped[0]) ** order, order
    gain *= float(np.real(twice**at_zero / np.prod(twice - poles)))
    zeros = [1.0] * at_zero + [-1.0] * (len(poles) - at_zero)
    return _paired((twice + poles) / (twice - poles), zeros, gain)


def _paired(poles: NDArray[np.complex128], zeros: list[float], gain: float) -> Floats:
    """Returns poles with their conjugates and zeros at 1 and -1 as sections, the gain in the first."""
    upper = [p for p in poles if p.imag > 1e-12]
    real = sorted(float(p.real) for p in poles if abs(p.imag) <= 1e-12)
    pairs = [(-2 * float(p.real), float(abs(p)) ** 2) for p in upper]
    pairs += [(-real[i] - real[i + 1], real[i] * real[i + 1]) for i in range(0, len(real) - 1, 2)]
    rows = []
    for a1, a2 in pairs:
        first, second = zeros.pop(0), zeros.pop()  # from both ends: a section of a band-pass gets one of each
        rows.append([1.0, -first - second, first * second, 1.0, a1, a2])
    if len(real) % 2:
        rows.append([1.0, -zeros.pop(), 0.0, 1.0, -real[-1], 0.0])
    sections = np.array(rows)
    sections[0, :3] *= gain
    return sections


def impulse_response(sos: Floats, taps: int) -> Floats:
    """Returns what sections answer to a click, (taps,)."""
    click = np.zeros((1, taps))
    click[0, :1] = 1.0
    return np.asarray(run(sos, click)[0][0])


def run(sos: Floats, waveform: NDArray[T], state: Floats | None = None) -> tuple[NDArray[T], Floats]:
    """Returns a waveform through second-order sections, and their states after it.

    Args:
        sos: (sections, 6), each b0 b1 b2 1 a1 a2.
        waveform: (channels, samples); its precision is that of the result.
        state: what was returned for the samples before; None begins from rest.

    Returns:
        (channels, samples), and (channels, 2 sections), which holds if the samples were a multiple of `FRAME`.
    """
    own, onward, heard, carried = _system(np.asarray(sos, np.float64).tobytes())
    channels, num_samples = waveform.shape
    size = len(carried)
    count = -(-num_samples // FRAME)
    frames = waveform
    if num_samples < count * FRAME:
        frames = np.zeros((channels, count * FRAME), waveform.dtype)
        frames[:, :num_samples] = waveform
    rows = frames.reshape(-1, FRAME)
    pushes = _products(rows, onward.astype(waveform.dtype)).astype(np.float64)
    begin = np.zeros((channels, size)) if state is None else state
    states, end = _scan(pushes.reshape(channels, count, size), carried, begin)
    out = _products(rows, own.astype(waveform.dtype))
    out += _products(states.reshape(-1, size).astype(waveform.dtype), heard.astype(waveform.dtype))
    return out.reshape(channels, -1)[:, :num_samples], end


@lru_cache(maxsize=64)
def _system(sos: bytes) -> tuple[Floats, Floats, Floats, Floats]:
    """Returns what a frame does to itself, to the states after it, and states to a frame and to those after it.

    (FRAME, FRAME), (FRAME, states), (states, FRAME), (states, states), each for rows from the left.
    """
    sections = np.frombuffer(sos).reshape(-1, 6)
    size = 2 * len(sections)
    state = np.zeros((size + 1, len(sections), 2))  # each state by itself, and a click
    state[:size].reshape(size, size)[...] = np.eye(size)
    answers, trail = np.zeros((size + 1, FRAME)), np.zeros((FRAME, size))
    for n in range(FRAME):
        x = np.zeros(size + 1)
        x[size] = float(n == 0)
        for s, (b0, b1, b2, _, a1, a2) in enumerate(sections.tolist()):
            y = b0 * x + state[:, s, 0]
            state[:, s, 0] = b1 * x - a1 * y + state[:, s, 1]
            state[:, s, 1] = b2 * x - a2 * y
            x = y
        answers[:, n] = x
        trail[n] = state[size].reshape(-1)
    own = np.zeros((FRAME, FRAME))
    for n in range(FRAME):
        own[n, n:] = answers[size, : FRAME - n]
    return own, trail[::-1].copy(), answers[:size].copy(), state[:size].reshape(size, size).copy()


def _products(rows: NDArray[T], matrix: NDArray[T]) -> NDArray[T]:
    """Returns rows times a matrix, a few rows at a time."""
    whole = len(rows) // _ROWS * _ROWS
    out = np.empty((len(rows), matrix.shape[1]), rows.dtype)
    np.matmul(
        rows[:whole].reshape(-1, _ROWS, rows.shape[1]), matrix, out=out[:whole].reshape(-1, _ROWS, matrix.shape[1])
    )
    np.matmul(rows[whole:], matrix, out=out[whole:])
    return out


def _scan(inputs: Floats, carried: Floats, begin: Floats) -> tuple[Floats, Floats]:
    """Returns the states before each step of ``state = state @ carried + input``, and the one after the last.

    Args:
        inputs: (channels, steps, states).
        carried: (states, states).
        begin: (channels, states).
    """
    channels, steps, size = inputs.shape
    if steps <= _TOGETHER:
        found, state = np.empty_like(inputs), begin
        for step in range(steps):
            found[:, step] = state
            state = state @ carried + inputs[:, step]
        return found, state
    inner, reach, onward = _steps(carried.tobytes())
    whole = steps // _TOGETHER * _TOGETHER
    groups = inputs[:, :whole].reshape(-1, _TOGETHER * size)
    local = _products(groups, inner).reshape(channels, -1, (_TOGETHER + 1) * size)
    begins, end = _scan(local[:, :, _TOGETHER * size :], onward, begin)
    found = np.empty_like(inputs)
    inside = found[:, :whole].reshape(channels, -1, _TOGETHER * size)
    np.add(
        local[:, :, : _TOGETHER * size], _products(begins.reshape(-1, size), reach).reshape(inside.shape), out=inside
    )
    found[:, :whole] = inside.reshape(channels, whole, size)
    if whole < steps:
        found[:, whole:], end = _scan(inputs[:, whole:], carried, end)
    return found, end


@lru_cache(maxsize=128)
def _steps(carried: bytes) -> tuple[Floats, Floats, Floats]:
    """Returns what `_TOGETHER` steps do at once.

    From their inputs to the states before each of them and after the last (together * states, (together + 1) * states),
    from the state before the first to those before each (states, together * states), and to that after the last.
    """
    matrix = np.frombuffer(carried)
    size = round(len(matrix) ** 0.5)
    powers = [np.eye(size)]
    for _ in range(_TOGETHER):
        powers.append(powers[-1] @ matrix.reshape(size, size))
    inner = np.zeros((_TOGETHER, size, _TOGETHER + 1, size))
    for step in range(_TOGETHER):
        for later in range(step + 1, _TOGETHER + 1):
            inner[step, :, later] = powers[later - 1 - step]
    return inner.reshape(_TOGETHER * size, -1), np.hstack(powers[:_TOGETHER]), powers[_TOGETHER]
