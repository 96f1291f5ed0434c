"""Phone times carried from one speaking of a line to another, by dynamic time warping of their smooth spectra."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from songwright.audio.resample import resample
from songwright.perform.singer.source import SourcePhone, SpokenLine

_RATE, _HOP, _SIZE, _BANDS = 16000, 160, 400, 30
_SHORTEST_SECONDS = 0.02
_STEP_COST = 0.15
"""What going along one sound only costs, in units of the mean distance of frames."""


def carried(known: SpokenLine, waveform: NDArray[np.float32], sample_rate: int) -> tuple[SourcePhone, ...]:
    """Returns the phones of a known line with their times in another speaking of it.

    Args:
        known: with phones.
        waveform: (samples,), the same words.
        sample_rate: of it.
    """
    ours = log_bands(known.waveform, known.sample_rate)
    theirs = log_bands(waveform, sample_rate)
    path = warp_path(ours, theirs)
    step = _HOP / _RATE
    frames, places = path[:, 0].astype(np.float64), path[:, 1].astype(np.float64)
    first = np.unique(frames)
    middle = np.array([places[frames == f].mean() for f in first])
    total = len(waveform) / sample_rate
    edges = [known.phones[0].start_seconds, *(p.end_seconds for p in known.phones)]
    moved = np.clip(np.interp(np.array(edges) / step, first, middle) * step, 0.0, total)
    least = min(_SHORTEST_SECONDS, total / (2 * len(edges)))
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + least)
    over = moved[-1] - total
    if over > 0:
        moved *= total / moved[-1]
    return tuple(
        replace(phone, start_seconds=float(a), end_seconds=float(b))
        for phone, (a, b) in zip(known.phones, pairwise(moved), strict=True)
    )


def log_bands(waveform: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
    """Returns the spectrum in mel bands, each of mean 0 and spread 1 over the line. (frames, bands)."""
    wave = resample(np.asarray(waveform, dtype=np.float32), sample_rate, _RATE).astype(np.float64)
    wave = np.pad(wave, (_SIZE // 2, _SIZE))
    count = max(1, (len(wave) - _SIZE) // _HOP)
    frames = np.lib.stride_tricks.sliding_window_view(wave, _SIZE)[::_HOP][:count] * np.hanning(_SIZE)
    power = np.abs(np.fft.rfft(frames, 512)) ** 2  # (frames, 257)
    mel = np.linspace(2595 * np.log10(1 + 100 / 700), 2595 * np.log10(1 + 7600 / 700), _BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1) / (_RATE / 2) * 256
    bins = np.arange(257)
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    bands = power @ np.clip(np.minimum(rising, falling), 0, None)
    logs = np.log(bands + 1e-7 * bands.max() + 1e-12)
    return np.asarray((logs - logs.mean(axis=0)) / (logs.std(axis=0) + 1e-6))


def warp_path(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns the cheapest way from both beginnings to both ends, (steps, 2) frame numbers, none going back."""
    squares = (ours**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1)[None] - 2 * ours @ theirs.T
    distance = np.sqrt(np.maximum(squares, 0))
    extra = _STEP_COST * float(distance.mean())
    rows, columns = distance.shape
    cost = np.full((rows + 1, columns + 1), np.inf)
    cost[0, 0] = 0.0
    for total in range(rows + columns - 1):  # along anti-diagonals: each depends on the two before
        a = np.arange(max(0, total - columns + 1), min(rows, total + 1))
        b = total - a
        best = np.minimum(cost[a, b], np.minimum(cost[a, b + 1], cost[a + 1, b]) + extra)
        cost[a + 1, b + 1] = distance[a, b] + best
    path = [(rows - 1, columns - 1)]
    while path[-1] != (0, 0):
        i, j = path[-1]
        ways = (float(cost[i, j]), float(cost[i, j + 1]) + extra, float(cost[i + 1, j]) + extra)
        k = int(np.argmin(ways))
        path.append((i - 1, j - 1) if k == 0 else (i - 1, j) if k == 1 else (i, j - 1))
    return np.array(path[::-1], dtype=np.int64)
