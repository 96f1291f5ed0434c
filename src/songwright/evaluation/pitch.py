"""Pitch of a voice from its sound: pYIN, and WORLD's harvest beside it.

Reference: Mauch and Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold distributions",
ICASSP 2014: sections 2.1 (thresholds) and 2.2 (tracking).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from songwright.audio.resample import resample
from songwright.errors import InputError

Floats = NDArray[np.float64]

SAMPLE_RATE = 16000
HOP_SECONDS = 0.01
LOW_HZ, HIGH_HZ = 60.0, 1000.0
BIN_CENTS = 10.0
_WINDOW = 640
"""Samples that are compared: 40 ms."""
_USUAL_LAG = 70
"""Two windows a period apart are centred half a period later than one; this much is allowed for."""
_TRUST = 0.99
_STAY = 0.99
"""Probability that a frame is voiced as the one before."""
_UNVOICED_FLOOR = 0.01
_SNAP_BINS = 3
_OCTAVES_A_SECOND = 15.0
"""How fast pitch may move; the triangle of the transitions."""


@dataclass(frozen=True)
class PitchTrack:
    """Pitch of every frame.

    Attributes:
        f0_hz: (frames,) 0 where there is no voice; frame i is at ``i * hop_seconds``.
        hop_seconds: distance of frames.
    """

    f0_hz: Floats
    hop_seconds: float

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """(frames,) whether there is a voice."""
        return np.asarray(self.f0_hz > 0)

    def between(self, start_seconds: float, end_seconds: float) -> Floats:
        """Returns the frames of a span, unvoiced ones as 0."""
        first = max(0, int(np.ceil(start_seconds / self.hop_seconds - 1e-9)))
        return self.f0_hz[first : max(first, int(np.floor(end_seconds / self.hop_seconds + 1e-9)) + 1)]


def pyin(waveform: NDArray[np.float32], sample_rate: int) -> PitchTrack:
    """Returns the pitch track of a mono sound, every 10 ms; tracked on a grid of 10 cents, read off the period itself.

    Args:
        waveform: (samples,).
        sample_rate: hertz.

    Raises:
        InputError: the waveform is not mono.
    """
    x = _prepared(waveform, sample_rate)
    if len(x) < _WINDOW // 2:
        return PitchTrack(np.zeros(1), HOP_SECONDS)
    differences = _normalised_differences(x)  # (T, lags)
    observed, exact_hz = _observations(differences, _levels(x))
    bins, voiced = _track(observed)
    return PitchTrack(np.where(voiced, _read_off(bins, observed, exact_hz), 0.0), HOP_SECONDS)


def harvest(waveform: NDArray[np.float32], sample_rate: int) -> PitchTrack:
    """Returns the pitch track of WORLD's harvest, every 10 ms.

    Raises:
        InputError: the waveform is not mono.
    """
    import pyworld

    x = _prepared(waveform, sample_rate)
    if len(x) < _WINDOW or not np.any(x):
        return PitchTrack(np.zeros(max(1, len(x) // 160 + 1)), HOP_SECONDS)
    f0, _ = pyworld.harvest(x, SAMPLE_RATE, f0_floor=LOW_HZ, f0_ceil=HIGH_HZ, frame_period=1000.0 * HOP_SECONDS)
    return PitchTrack(np.asarray(f0, dtype=np.float64), HOP_SECONDS)


def cents(f0_hz: Floats, midi_pitch: float | Floats) -> Floats:
    """Returns how far pitches lie above a MIDI pitch, in cents; nan where there is no voice."""
    with np.errstate(divide="ignore", invalid="ignore"):
        above = 1200.0 * np.log2(np.asarray(f0_hz) / 440.0) - 100.0 * (np.asarray(midi_pitch, dtype=np.float64) - 69.0)
    return np.where(np.asarray(f0_hz) > 0, above, np.nan)


def _prepared(waveform: NDArray[np.float32], sample_rate: int) -> Floats:
    if waveform.ndim != 1:
        raise InputError(f"pitch is measured on mono (samples,), not on an array of shape {waveform.shape}")
    return resample(waveform.astype(np.float32), sample_rate, SAMPLE_RATE).astype(np.float64)


def _frames(x: Floats, size: int, before: int) -> Floats:
    """Returns (frames, size) that begin `before` samples before the frame's time."""
    hop = round(HOP_SECONDS * SAMPLE_RATE)
    padded = np.pad(x, (before, size))
    return np.lib.stride_tricks.sliding_window_view(padded, size)[: len(x) + 1 : hop]


def _levels(x: Floats) -> Floats:
    """Returns (frames,) mean power."""
    return np.asarray(np.mean(np.square(_frames(x, _WINDOW, _WINDOW // 2)), axis=1))


def _normalised_differences(x: Floats) -> Floats:
    """Returns (frames, lags) YIN's cumulative mean normalised difference, lag 0 first."""
    longest = int(SAMPLE_RATE / LOW_HZ) + 2
    size = _WINDOW + longest
    frames = _frames(x, size, (_WINDOW + _USUAL_LAG) // 2)
    length = 1 << (size + _WINDOW - 1).bit_length()
    result = np.empty((len(frames), longest))
    lags = np.arange(1, longest)
    for first in range(0, len(frames), 512):
        block = frames[first : first + 512]
        head = np.fft.rfft(block[:, :_WINDOW], length, axis=1)
        cross = np.fft.irfft(np.conj(head) * np.fft.rfft(block, length, axis=1), length, axis=1)[:, :longest]
        energy = np.cumsum(np.pad(np.square(block), ((0, 0), (1, 0))), axis=1)
        power = energy[:, _WINDOW : _WINDOW + longest] - energy[:, :longest]
        difference = np.maximum(power[:, :1] + power - 2.0 * cross, 0.0)
        mean = np.cumsum(difference[:, 1:], axis=1)
        result[first : first + 512, 0] = 1.0
        result[first : first + 512, 1:] = difference[:, 1:] * lags / np.maximum(mean, 1e-12)
    return result


def _observations(differences: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """Returns (frames, bins) probability that the pitch lies in each bin, and the exact pitch that was found there."""
    thresholds = np.linspace(0.01, 1.0, 100)
    edges = np.linspace(0.0, 1.0, 101)
    share = np.diff(1.0 - (1.0 - edges) ** 18 * (1.0 + 18.0 * edges))  # Beta(2, 18)
    shortest = int(SAMPLE_RATE / HIGH_HZ)
    num_bins = _num_bins()
    observed = np.zeros((len(differences), num_bins))
    exact = np.broadcast_to(LOW_HZ * 2.0 ** (np.arange(num_bins) * BIN_CENTS / 1200.0), observed.shape).copy()
    middle = differences[:, 1:-1]
    dips = (middle < differences[:, :-2]) & (middle <= differences[:, 2:])
    dips[:, : shortest - 1] = False
    rows, columns = np.nonzero(dips)
    lags = columns + 1
    depth = differences[rows, lags]
    use = depth < 1.0
    rows, lags, depth = rows[use], lags[use], depth[use]
    weight = _dip_weights(rows, depth, thresholds, share) * (levels[rows] > levels.max(initial=0.0) * 1e-6)
    a, b, c = differences[rows, lags - 1], depth, differences[rows, lags + 1]
    period = lags + np.clip(0.5 * (a - c) / np.maximum(a - 2.0 * b + c, 1e-12), -0.5, 0.5)
    hz = SAMPLE_RATE / period
    index = np.round(1200.0 / BIN_CENTS * np.log2(hz / LOW_HZ)).astype(int)
    inside = (index >= 0) & (index < num_bins)
    np.add.at(observed, (rows[inside], index[inside]), weight[inside])
    exact[rows[inside], index[inside]] = hz[inside]
    return observed, exact


def _dip_weights(rows: NDArray[np.int64], depth: Floats, thresholds: Floats, share: Floats) -> Floats:
    """Returns the probability of each dip: of all thresholds, those at which it is the first dip below.

    A frame's deepest dip also takes a hundredth of the thresholds that nothing reaches.
    """
    below = np.searchsorted(thresholds, depth, side="right")  # thresholds[below:] are above the dip
    tail = np.concatenate([np.cumsum(share[::-1])[::-1], [0.0]])
    weight = np.zeros(len(rows))
    starts = np.flatnonzero(np.diff(rows, prepend=-1)).tolist()
    for first, last in pairwise([*starts, len(rows)]):
        reached = np.minimum.accumulate(below[first:last])
        earlier = np.concatenate([[len(thresholds)], reached[:-1]])
        weight[first:last] = tail[reached] - tail[earlier]
        weight[first + int(np.argmin(depth[first:last]))] += 0.01 * (1.0 - tail[reached[-1]])
    return weight


def _read_off(bins: NDArray[np.int64], observed: Floats, exact_hz: Floats) -> Floats:
    """Returns the exact pitch of the likeliest dip near each frame's bin; the bin's own without one."""
    near = np.clip(bins[:, None] + np.arange(-_SNAP_BINS, _SNAP_BINS + 1), 0, observed.shape[1] - 1)  # (T, 2S + 1)
    rows = np.arange(len(bins))
    best = near[rows, np.take_along_axis(observed, near, axis=1).argmax(axis=1)]
    has_dip = observed[rows, best] > 0
    return np.where(has_dip, exact_hz[rows, best], exact_hz[rows, bins])


def _num_bins() -> int:
    return int(np.ceil(1200.0 / BIN_CENTS * np.log2(HIGH_HZ / LOW_HZ))) + 1


def _track(observed: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Returns the bin of each frame and whether it is voiced: Viterbi over voiced and unvoiced copies of the bins."""
    num_frames, num_bins = observed.shape
    reach = int(_OCTAVES_A_SECOND * HOP_SECONDS * 1200.0 / BIN_CENTS)
    triangle = np.concatenate([np.arange(1, reach + 2), np.arange(reach, 0, -1)]).astype(np.float64)
    moves = np.log(triangle / triangle.sum())
    total = np.minimum(observed.sum(axis=1), 1.0)
    voiced_scores = np.log(_TRUST * observed + 1e-12)
    unvoiced_score = np.log((1.0 - _TRUST * total) / num_bins + _UNVOICED_FLOOR / num_bins)
    stay, change = np.log(_STAY), np.log(1.0 - _STAY)
    best = np.stack([np.full(num_bins, unvoiced_score[0]), voiced_scores[0]])  # (2, bins): unvoiced, voiced
    came_bin = np.zeros((num_frames, 2, num_bins), np.int16)
    came_state = np.zeros((num_frames, 2, num_bins), np.int8)
    columns = np.arange(num_bins)
    padded = np.full((2, num_bins + 2 * reach), -1e30)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1)  # (2, bins, moves)
    options, into = np.empty(windows.shape), np.empty((2, 2, num_bins))
    both = np.arange(2)[:, None]
    for t in range(1, num_frames):
        padded[:, reach:-reach] = best
        np.add(windows, moves, out=options)
        move = options.argmax(axis=2)
        value = options[both, columns, move]
        into[:, 0] = value[0] + ((stay,), (change,))
        into[:, 1] = value[1] + ((change,), (stay,))
        state = (into[:, 1] > into[:, 0]).astype(np.int8)  # (2 to, bins)
        came_state[t] = state
        came_bin[t] = columns + move[state, columns] - reach
        best = into.max(axis=1)
        best[0] += unvoiced_score[t]
        best[1] += voiced_scores[t]
    flat = int(best.argmax())
    state_now, bin_now = divmod(flat, num_bins)
    bins, voiced = np.zeros(num_frames, np.int64), np.zeros(num_frames, bool)
    for t in range(num_frames - 1, -1, -1):
        bins[t], voiced[t] = bin_now, bool(state_now)
        state_now, bin_now = int(came_state[t, state_now, bin_now]), int(came_bin[t, state_now, bin_now])
    return bins, voiced
