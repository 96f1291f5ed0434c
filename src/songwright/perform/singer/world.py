"""WORLD's analysis of spoken lines, and how their frames are laid out along the song; `voicing` makes them sound."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.perform.singer.phones import hold_region, is_stop, kind_of
from songwright.perform.singer.source import SpokenLine
from songwright.perform.singer.timing import PlannedPhone

HOP_SECONDS = 0.005
_BURST_SECONDS = 0.05
_EDGE_SECONDS = 0.2
_STABLE = (0.42, 0.55)
"""The part of a plain vowel that is held: its transitions keep their own speed, however long the note."""
_GLIDE_SECONDS = (0.17, 0.23)
_LARGEST_STRETCH = 3.0
_WANDER_SHARE = 0.2
_SONORANT = ("vowel", "nasal", "liquid", "glide")


@dataclass(frozen=True)
class Envelopes:
    """A spoken line as smooth spectra, every `HOP_SECONDS`.

    Attributes:
        log_power: natural logarithm. (frames, bins)
        sample_rate: of the source.
        sonorant: 1 in vowels, nasals, liquids and glides, 0 elsewhere, smoothed. (frames,)
    """

    log_power: NDArray[np.float32]
    sample_rate: int
    sonorant: NDArray[np.float64]


def analyse(spoken: SpokenLine) -> Envelopes:
    """Returns the envelopes of a line that was spoken on one pitch."""
    import pyworld

    wave = spoken.waveform.astype(np.float64)
    rate = spoken.sample_rate
    f0, times = pyworld.dio(wave, rate, f0_floor=60.0, f0_ceil=500.0, frame_period=HOP_SECONDS * 1000)
    f0 = pyworld.stonemask(wave, f0, times, rate)
    usual = float(np.median(f0[f0 > 0])) if (f0 > 0).any() else 140.0
    trusted = (f0 > 0.75 * usual) & (f0 < 1.33 * usual)
    f0 = np.where(trusted, f0, usual)  # the line is flat: what differs is an octave error or noise
    floor = max(60.0, 0.7 * usual)
    size = 1024 if rate <= 24000 else 2048
    power = pyworld.cheaptrick(wave, f0, times, rate, f0_floor=max(floor, 3 * rate / (size - 3) + 1), fft_size=size)
    log_power = np.log(power + 1e-13).astype(np.float32)
    sonorant = np.zeros(len(times))
    for phone in spoken.phones:
        a, b = np.searchsorted(times, [phone.start_seconds, phone.end_seconds])
        sonorant[a:b] = kind_of(phone.symbol) in _SONORANT
    return Envelopes(log_power, rate, smoothed(sonorant, 5))


def smoothed(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Returns values averaged over an odd number of neighbours."""
    if len(values) < 2:
        return values
    window = np.hanning(size + 2)[1:-1]
    return np.convolve(np.pad(values, size // 2, mode="edge"), window / window.sum(), mode="valid")


def lay_out(
    planned: Sequence[PlannedPhone], times: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Returns where in the spoken line every frame is taken from, and which phone it belongs to (-1 for silence).

    Args:
        planned: phones of a phrase.
        times: seconds of the frames. (frames,)
        rng: for the walk over held vowels.

    Returns:
        Seconds in the source (frames,), and indices into `planned` (frames,).
    """
    source = np.zeros(len(times))
    owner = np.full(len(times), -1, dtype=np.int64)
    for i, row in enumerate(planned):
        a, b = np.searchsorted(times, [row.phone.start_seconds - 1e-9, row.phone.end_seconds - 1e-9])
        if b <= a:
            continue
        along = times[a:b] - row.phone.start_seconds
        length = row.phone.end_seconds - row.phone.start_seconds
        source[a:b] = row.source.start_seconds + _course(row, along, length, rng)
        owner[a:b] = i
    return source, owner


def _course(
    row: PlannedPhone, along: NDArray[np.float64], length: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Returns how far into the spoken phone each moment of the sung one lies, in seconds."""
    spoken = row.source.end_seconds - row.source.start_seconds
    if row.phone.is_nucleus:
        return _held(row.phone.symbol, along, length, spoken, rng)
    if is_stop(row.phone.symbol) and length < spoken:
        burst = min(_BURST_SECONDS, 0.6 * length, 0.6 * spoken)
        knots = [0.0, length - burst, length], [0.0, spoken - burst, spoken]
        return np.interp(along, *knots)
    return along * (spoken / max(length, 1e-6))


def _held(
    symbol: str, along: NDArray[np.float64], length: float, spoken: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Returns the course through a vowel: its edges at their own speed, its middle as long as it takes.

    The middle is stretched; from three times its length on it also wanders to and fro over the stable frames.
    """
    first, last = hold_region(symbol)
    monophthong = (first, last) == (0.35, 0.7)
    if monophthong:
        first, last = _STABLE
    head, tail = first * spoken, (1 - last) * spoken
    sung_head = min(head, _EDGE_SECONDS if monophthong else 0.09)
    sung_tail = min(tail, _EDGE_SECONDS if monophthong else float(rng.uniform(*_GLIDE_SECONDS)))
    if sung_head + sung_tail > 0.8 * length:
        shrink = 0.8 * length / (sung_head + sung_tail)
        sung_head, sung_tail = sung_head * shrink, sung_tail * shrink
    middle, sung_middle = spoken - head - tail, length - sung_head - sung_tail
    course = np.interp(along, [0.0, sung_head, length - sung_tail, length], [0.0, head, spoken - tail, spoken])
    if sung_middle > _LARGEST_STRETCH * middle and len(along) > 8:
        walk = _walk(len(along), rng) * _WANDER_SHARE * middle
        inside = np.clip((along - sung_head) / 0.06, 0, 1) * np.clip((length - sung_tail - along) / 0.06, 0, 1)
        wandered = course + walk * inside
        low, high = head, spoken - tail
        folded = low + np.abs(np.mod(wandered - low + (high - low), 2 * max(high - low, 1e-6)) - (high - low))
        course = np.where(inside > 0, folded, course)
    return np.asarray(course)


def _walk(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Returns a smooth random walk of about unit spread, never faster than speech. Shape (count,)."""
    knots = count // 24 + 4
    values = np.clip(rng.standard_normal(knots), -2, 2)
    position = np.arange(count) / 24 + 1
    index = position.astype(int)
    weight = 0.5 - 0.5 * np.cos(np.pi * (position - index))
    return np.asarray(values[index] * (1 - weight) + values[np.minimum(index + 1, knots - 1)] * weight)


def rows_at(log_power: NDArray[np.float32], seconds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns spectra between frames, interpolated in the logarithm. Shape (len(seconds), bins)."""
    position = np.clip(seconds / HOP_SECONDS, 0, len(log_power) - 1.001)
    index = position.astype(np.int64)
    part = (position - index).astype(np.float32)[:, None]
    low = log_power[index]
    return np.asarray(low + part * (log_power[np.minimum(index + 1, len(log_power) - 1)] - low))


def fft_size(sample_rate: int) -> int:
    """Returns the size of the transforms that envelopes at this rate belong to."""
    return 1 << int(np.ceil(np.log2(sample_rate * 0.0435)))
