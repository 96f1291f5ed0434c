"""What the critic measures of harmony: how chords follow each other, how voices move, what bass and tune do to them.

Each is a function of what is heard that returns one number, NaN where there is too little to judge.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from songwright.compose.learned.critic_tune import share
from songwright.compose.learned.critic_view import Heard, Ints

FEWEST = 6
_PHRASE_BARS = 8


def cadences(heard: Heard) -> float:
    """Share of section ends (or of every eighth bar) that close: a fifth or fourth down to the tonic, or half a close.

    A full close is the dominant before the tonic, whether the tonic is the last chord or the first of what follows
    (1); the fourth degree before the tonic counts 0.75, an end on the dominant 0.75, an end on the tonic 0.5.
    """
    if len(heard.chords) < FEWEST:
        return float("nan")
    ends = heard.sections[:, 1] if len(heard.sections) > 1 else heard.bars[_PHRASE_BARS::_PHRASE_BARS]
    ends = ends[(ends > 0) & (ends <= heard.bars[-1])]
    last = np.searchsorted(heard.chords[:, 0], ends) - 1
    values = [_closure(heard, i) for i in last.tolist() if i >= 1]
    return float(np.mean(values)) if values else float("nan")


def _closure(heard: Heard, last: int) -> float:
    """Returns how much the chords up to one, and the one after it, close."""
    tonic = int(heard.tonics[heard.bar_of(heard.chords[last : last + 1, 0])[0]])
    degrees = ((heard.chords[max(0, last - 1) : last + 2, 2] - tonic) % 12).tolist()
    pairs = list(pairwise(degrees))
    if (7, 0) in pairs:
        return 1.0
    if (5, 0) in pairs or (10, 0) in pairs or degrees[1] == 7:
        return 0.75
    return 0.5 if degrees[1] == 0 else 0.0


def changes_on_strong_beats(heard: Heard) -> float:
    """Share of the chords that begin on a strong beat."""
    return share(heard.strong(heard.chords[:, 0]), FEWEST)


def steady_harmonic_rhythm(heard: Heard) -> float:
    """Share of bars in which chords change at the same places as in the bar before, or in the one before that."""
    if len(heard.chords) < FEWEST or heard.num_bars < FEWEST:
        return float("nan")
    grid = heard.grid(heard.chords[:, 0])
    same = (grid[2:] == grid[1:-1]).all(axis=1) | (grid[2:] == grid[:-2]).all(axis=1)
    return float(same.mean())


def chords_per_bar(heard: Heard) -> float:
    """Chords for each bar, as a logarithm; a chord that only goes on is not counted."""
    if len(heard.chords) < FEWEST:
        return float("nan")
    return float(np.log((1 + len(_changes(heard))) / heard.num_bars))


def _changes(heard: Heard) -> Ints:
    """Returns the indices of chords that differ from the one before."""
    other = (np.diff(heard.chords[:, 2:], axis=0) != 0).any(axis=1) | (heard.tones[1:] != heard.tones[:-1]).any(axis=1)
    return np.flatnonzero(other) + 1


def diatonic(heard: Heard) -> float:
    """Share of chord tones that belong to the key, chords weighted by their length."""
    if len(heard.chords) < FEWEST:
        return float("nan")
    inside = (heard.tones & heard.scale[heard.bar_of(heard.chords[:, 0])]).sum(axis=1) / heard.tones.sum(axis=1)
    return float(np.average(inside, weights=heard.chords[:, 1] - heard.chords[:, 0]))


def strong_progressions(heard: Heard) -> float:
    """Share of changes of root that go by a fifth or fourth, or a second upwards: what harmony mostly walks by."""
    moves = np.diff(heard.chords[:, 2]) % 12
    return share(np.isin(moves, (5, 7, 1, 2))[moves != 0], FEWEST)


def common_tones(heard: Heard) -> float:
    """Mean number of semitones that voices move from chord to chord when each goes to the nearest tone."""
    changes = _changes(heard) if len(heard.chords) else np.zeros(0, dtype=np.int64)
    if len(changes) < FEWEST:
        return float("nan")
    distance = _NEAREST  # (12, 12)
    before, after = heard.tones[changes - 1], heard.tones[changes]
    far = np.where(after[:, None, :], distance[None], 99).min(axis=2)
    return float((far * before).sum() / before.sum())


_PITCH_CLASSES = np.arange(12)
_NEAREST: Ints = np.minimum(
    (_PITCH_CLASSES[:, None] - _PITCH_CLASSES) % 12, (_PITCH_CLASSES - _PITCH_CLASSES[:, None]) % 12
)


def chord_variety(heard: Heard) -> float:
    """Entropy in nats of the chords' roots above the tonic, by time."""
    if len(heard.chords) < FEWEST:
        return float("nan")
    degrees = (heard.chords[:, 2] - heard.tonics[heard.bar_of(heard.chords[:, 0])]) % 12
    shares = np.bincount(degrees, heard.chords[:, 1] - heard.chords[:, 0], 12)
    shares = shares[shares > 0] / shares.sum()
    return float(-(shares * np.log(shares)).sum())


def tonic_share(heard: Heard) -> float:
    """Share of time on the chords of the first, fourth and fifth degree."""
    if len(heard.chords) < FEWEST:
        return float("nan")
    degrees = (heard.chords[:, 2] - heard.tonics[heard.bar_of(heard.chords[:, 0])]) % 12
    lengths = heard.chords[:, 1] - heard.chords[:, 0]
    return float(lengths[np.isin(degrees, (0, 5, 7))].sum() / max(1, lengths.sum()))


def chords_return(heard: Heard) -> float:
    """Share of bars with the root of the bar four, eight or sixteen bars before at two places of the bar."""
    if len(heard.chords) < FEWEST or heard.num_bars < 12:
        return float("nan")
    lengths = np.diff(heard.bars)
    at = heard.chord_at(np.concatenate([heard.bars[:-1], heard.bars[:-1] + lengths // 2]))
    roots = np.where(at >= 0, heard.chords[np.maximum(at, 0), 2], -1).reshape(2, -1)
    found = np.zeros(heard.num_bars, dtype=bool)
    for lag in (4, 8, 16):
        if lag < heard.num_bars:
            found[lag:] |= (roots[:, lag:] == roots[:, :-lag]).all(axis=0)
    return float(found[8:].mean())


def ends_at_home(heard: Heard) -> float:
    """Whether the last chord is that of the tonic (1), and how much tonic its tones hold if not (0 to 0.5)."""
    if len(heard.chords) < FEWEST:
        return float("nan")
    tonic = int(heard.tonics[-1])
    if int(heard.chords[-1, 2]) == tonic:
        return 1.0
    return 0.5 if heard.tones[-1, tonic] else 0.0


def clashes(heard: Heard) -> float:
    """Share of the tune's time a semitone above a tone of the chord under it without being one: the minor ninth."""
    starts, lengths, pitches = heard.tune.T
    inside, known = heard.on_chord(starts, pitches)
    if np.count_nonzero(known) < FEWEST:
        return float("nan")
    below, _ = heard.on_chord(starts, pitches - 1)
    return float(lengths[known & ~inside & below].sum() / max(1, lengths[known].sum()))


def bass_on_root(heard: Heard) -> float:
    """Share of changes of chord at which the bass plays the chord's bass note within a beat."""
    starts = heard.chords[:, 0]
    if not len(heard.bass) or not len(starts):
        return float("nan")
    at = np.searchsorted(heard.bass[:, 0], starts)
    near = at < len(heard.bass)
    at = np.minimum(at, len(heard.bass) - 1)
    near &= heard.bass[at, 0] - starts < heard.beats[heard.bar_of(starts)]
    return share((heard.bass[at, 2] % 12 == heard.chords[:, 3])[near], FEWEST)


def bass_on_chord(heard: Heard) -> float:
    """Share of the bass's notes on strong beats that are tones of their chord; between them it may walk as it likes."""
    starts, pitches = heard.bass[:, 0], heard.bass[:, 2]
    inside, known = heard.on_chord(starts, pitches)
    return share(inside[known & heard.strong(starts)], FEWEST)


def bass_moves(heard: Heard) -> float:
    """Mean size of the intervals of the bass in semitones, repeated notes left out."""
    moves = np.abs(np.diff(heard.bass[:, 2]))
    moves = moves[moves > 0]
    return float(moves.mean()) if len(moves) >= FEWEST else float("nan")


def parallels(heard: Heard) -> float:
    """Share of changes of chord over which bass and tune move alike in octaves or fifths."""
    starts = heard.chords[:, 0]
    low, high = _sounding(heard.bass, starts), _sounding(heard.tune, starts)
    both = (low >= 0) & (high >= 0)
    apart = (high - low) % 12
    pairs = both[1:] & both[:-1]
    moves = np.diff(low)
    alike = (apart[1:] == apart[:-1]) & np.isin(apart[1:], (0, 7)) & (moves != 0) & (moves == np.diff(high))
    return share(alike[pairs], FEWEST)


def _sounding(rows: Ints, ticks: Ints) -> Ints:
    """Returns the pitch that sounds at each tick, -1 for none."""
    if not len(rows):
        return np.full(len(ticks), -1, dtype=np.int64)
    at = np.searchsorted(rows[:, 0], ticks, side="right") - 1
    here = (at >= 0) & (ticks < rows[np.maximum(at, 0), 0] + rows[np.maximum(at, 0), 1])
    return np.where(here, rows[np.maximum(at, 0), 2], -1)


def comping_leads(heard: Heard) -> float:
    """Mean semitones from each chord's top note in the backing to the next one's: smooth when small."""
    if not len(heard.backing):
        return float("nan")
    starts = heard.chords[:, 0]
    first = np.searchsorted(heard.backing[:, 0], starts)
    first = first[first < len(heard.backing)]
    onsets = heard.backing[first, 0]
    tops = _tops(heard.backing, onsets)
    moves = np.abs(np.diff(tops))[np.diff(onsets) > 0]
    return float(moves.mean()) if len(moves) >= FEWEST else float("nan")


def _tops(rows: Ints, onsets: Ints) -> Ints:
    """Returns the highest pitch that begins at each onset."""
    if not len(onsets):
        return onsets
    edges = np.flatnonzero(np.concatenate([[True], np.diff(rows[:, 0]) > 0]))
    highest = np.maximum.reduceat(rows[:, 2], edges)
    return highest[np.searchsorted(rows[edges, 0], onsets)]


def backing_on_chord(heard: Heard) -> float:
    """Share of the backing's notes that are tones of the chord where they begin."""
    inside, known = heard.on_chord(heard.backing[:, 0], heard.backing[:, 2])
    found: NDArray[np.bool_] = inside[known]
    return share(found, 16)
