"""What the critic measures of a tune: its line, its rhythm, its motifs, and how it sits on the chords.

Each is a function of what is heard that returns one number, NaN where there is too little to judge.
"""

import numpy as np

from songwright.compose.learned.critic_view import Bools, Heard, Ints

FEWEST = 12
"""Notes below which nothing is said."""

_STEP = 2
_LEAP = 7
_MEMORY = 16


def share(rows: Bools, fewest: int = 4) -> float:
    """Returns the share of True, NaN of too few rows."""
    return float(np.mean(rows)) if len(rows) >= fewest else float("nan")


def strong_beats_on_chord(heard: Heard) -> float:
    """Share of the tune's notes on strong beats that are tones of their chord."""
    starts, pitches = heard.tune[:, 0], heard.tune[:, 2]
    inside, known = heard.on_chord(starts, pitches)
    return share(inside[known & heard.strong(starts)])


def tune_on_chord(heard: Heard) -> float:
    """Share of the tune's time that is spent on tones of the chord where each note begins."""
    starts, lengths, pitches = heard.tune.T
    inside, known = heard.on_chord(starts, pitches)
    if np.count_nonzero(known) < FEWEST:
        return float("nan")
    return float(lengths[inside].sum() / max(1, lengths[known].sum()))


def dissonance_by_step(heard: Heard) -> float:
    """Share of notes foreign to their chord that are approached and left by step or by repetition (half for one)."""
    starts, _, pitches = heard.tune.T
    if len(starts) < FEWEST:
        return float("nan")
    inside, known = heard.on_chord(starts, pitches)
    small = np.abs(np.diff(pitches)) <= _STEP
    ends = small[:-1].astype(np.float64) / 2 + small[1:] / 2
    foreign = (known & ~inside)[1:-1]
    return float(ends[foreign].mean()) if np.count_nonzero(foreign) >= 3 else float("nan")


def leap_recovery(heard: Heard) -> float:
    """Share of leaps of a fifth or more after which the tune turns back, or stands."""
    moves = np.diff(heard.tune[:, 2])
    leaps = np.abs(moves[:-1]) >= _LEAP
    turned = moves[1:] * np.sign(moves[:-1]) <= 0
    return share(turned[leaps], 3)


def mean_interval(heard: Heard) -> float:
    """Mean size of the tune's intervals inside phrases, in semitones."""
    moves = np.abs(np.diff(heard.tune[:, 2]))[_joined(heard)]
    return float(moves.mean()) if len(moves) >= FEWEST else float("nan")


def wide_leaps(heard: Heard) -> float:
    """Share of intervals inside phrases that are wider than an octave."""
    moves = np.abs(np.diff(heard.tune[:, 2]))[_joined(heard)]
    return share(moves > 12, FEWEST)


def _joined(heard: Heard) -> Bools:
    """Returns for every pair of neighbouring notes whether no rest of a beat or more lies between them."""
    starts, lengths, _ = heard.tune.T
    beats = heard.beats[heard.bar_of(starts[1:])]
    found: Bools = starts[1:] - (starts[:-1] + lengths[:-1]) < beats
    return found


def tune_range(heard: Heard) -> float:
    """Semitones between the tune's lowest and highest twentieth."""
    pitches = heard.tune[:, 2]
    return float(np.subtract(*np.percentile(pitches, [95, 5]))) if len(pitches) >= FEWEST else float("nan")


def one_climax(heard: Heard) -> float:
    """How few bars of every eight hold the highest pitch of those eight: 1 for one bar, less for more; the mean."""
    bar, pitch = heard.bar_of(heard.tune[:, 0]), heard.tune[:, 2]
    tops = np.full(heard.num_bars, -1, dtype=np.int64)
    np.maximum.at(tops, bar, pitch)
    found = []
    for first in range(0, heard.num_bars - 7, 8):
        part = tops[first : first + 8]
        if np.count_nonzero(part >= 0) >= 4:
            found.append(1.0 / np.count_nonzero(part == part.max()))
    return float(np.mean(found)) if found else float("nan")


def arch(heard: Heard) -> float:
    """How much of the tune's motion over a bar goes one way: mean of |sum of its intervals| over their sizes."""
    moves = np.diff(heard.tune[:, 2])
    bar = heard.bar_of(heard.tune[1:, 0])
    total = np.bincount(bar, np.abs(moves), heard.num_bars)
    net = np.abs(np.bincount(bar, moves, heard.num_bars))
    moving = total > 0
    return float(np.mean(net[moving] / total[moving])) if np.count_nonzero(moving) >= 4 else float("nan")


def in_scale(heard: Heard) -> float:
    """Share of the tune's notes that belong to the key."""
    starts, _, pitches = heard.tune.T
    return share(heard.scale[heard.bar_of(starts), pitches % 12], FEWEST)


def stepwise_turns(heard: Heard) -> float:
    """Share of triples of notes in which the tune changes direction."""
    moves = np.diff(heard.tune[:, 2])
    both = (moves[:-1] != 0) & (moves[1:] != 0)
    return share((moves[:-1] * moves[1:] < 0)[both], FEWEST)


def phrase_ends_on_chord(heard: Heard) -> float:
    """Share of phrases (notes up to a rest of a beat, or a held note) that end on a tone of their chord."""
    starts, _, pitches = heard.tune.T
    inside, known = heard.on_chord(starts, pitches)
    return share(inside[known & phrase_ends(heard)], 3)


def phrase_ends_stable(heard: Heard) -> float:
    """Share of phrases that end on the first, third or fifth degree of the key."""
    starts, _, pitches = heard.tune.T
    degrees = (pitches - heard.tonics[heard.bar_of(starts)]) % 12
    return share(np.isin(degrees, (0, 3, 4, 7))[phrase_ends(heard)], 3)


def phrase_ends_held(heard: Heard) -> float:
    """How much longer the last notes of phrases are than the others: the logarithm of the ratio of their means."""
    ends = phrase_ends(heard)
    if np.count_nonzero(ends) < 3 or np.count_nonzero(~ends) < 3:
        return float("nan")
    lengths = heard.tune[:, 1]
    return float(np.log(lengths[ends].mean() / lengths[~ends].mean()))


def phrase_ends(heard: Heard) -> Bools:
    """Returns (N,) which notes end a phrase: three beats or more pass from them to the next, or a beat's rest."""
    starts, lengths, _ = heard.tune.T
    if not len(starts):
        return np.zeros(0, dtype=bool)
    beats = heard.beats[heard.bar_of(starts)]
    following = np.append(starts[1:], heard.bars[-1])
    found: Bools = (following - starts - lengths >= beats) | (following - starts >= 3 * beats)
    return found


def phrase_length(heard: Heard) -> float:
    """Mean length of phrases in bars, as a logarithm."""
    ends = np.flatnonzero(phrase_ends(heard))
    if len(ends) < 3:
        return float("nan")
    first = np.concatenate([[0], ends[:-1] + 1])
    spans = heard.tune[ends, 0] + heard.tune[ends, 1] - heard.tune[first, 0]
    return float(np.log(spans.mean() / np.diff(heard.bars).mean()))


def rests(heard: Heard) -> float:
    """Share of the song's bars in which the tune begins no note."""
    if len(heard.tune) < FEWEST:
        return float("nan")
    return 1.0 - len(np.unique(heard.bar_of(heard.tune[:, 0]))) / heard.num_bars


def notes_per_bar(heard: Heard) -> float:
    """Notes of the tune in a bar that has any, as a logarithm."""
    if len(heard.tune) < FEWEST:
        return float("nan")
    return float(np.log(len(heard.tune) / len(np.unique(heard.bar_of(heard.tune[:, 0])))))


def rhythm_variety(heard: Heard) -> float:
    """Entropy in nats of the time from note to note, counted in sixteenths up to two bars."""
    gaps = np.minimum(np.diff(heard.tune[:, 0]) * 4 // 960, 2 * _MEMORY)
    if len(gaps) < FEWEST:
        return float("nan")
    shares = np.bincount(gaps) / len(gaps)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def syncopation(heard: Heard) -> float:
    """Share of the tune's notes that begin between beats and sound over the next one."""
    starts, lengths, _ = heard.tune.T
    beats = heard.beats[heard.bar_of(starts)]
    ahead = -heard.place(starts) % beats
    return share((ahead > 0) & (lengths > ahead), FEWEST)


def off_beats(heard: Heard) -> float:
    """Share of the tune's notes on odd sixteenths or off the grid of sixteenths: the finest places in the bar."""
    return share(heard.place(heard.tune[:, 0]) % 480 != 0, FEWEST)


def _bar_motifs(heard: Heard) -> tuple[list[bytes], list[bytes], Ints]:
    """Returns rhythm, and rhythm with pitches from the first one, of every bar in which the tune plays; and the bar."""
    grid = heard.grid(heard.tune[:, 0])
    bar, pitch = heard.bar_of(heard.tune[:, 0]), heard.tune[:, 2]
    played = np.flatnonzero(grid.any(axis=1))
    first = np.searchsorted(bar, played)
    last = np.searchsorted(bar, played, side="right")
    rhythms = [grid[b].tobytes() for b in played]
    moves = [(pitch[a:z] - pitch[a]).tobytes() for a, z in zip(first, last, strict=True)]
    return rhythms, [r + m for r, m in zip(rhythms, moves, strict=True)], played


def _seen_before(names: list[bytes], bars: Ints, memory: int) -> Bools:
    """Returns which bars are like one of the bars before them, at most so far back."""
    last: dict[bytes, int] = {}
    seen = np.zeros(len(names), dtype=bool)
    for i, (name, bar) in enumerate(zip(names, bars.tolist(), strict=True)):
        seen[i] = name in last and bar - last[name] <= memory
        last[name] = bar
    return seen


def rhythm_returns(heard: Heard) -> float:
    """Share of bars whose rhythm was heard in one of the eight bars before."""
    rhythms, _, bars = _bar_motifs(heard)
    return share(_seen_before(rhythms, bars, 8), 6)


def motif_returns(heard: Heard) -> float:
    """Share of bars whose rhythm and intervals were heard before, anywhere."""
    _, motifs, bars = _bar_motifs(heard)
    return share(_seen_before(motifs, bars, heard.num_bars), 6)


def motif_varied(heard: Heard) -> float:
    """Share of bars that take up a rhythm of the eight bars before with other intervals: repetition that is no copy."""
    rhythms, motifs, bars = _bar_motifs(heard)
    return share(_seen_before(rhythms, bars, 8) & ~_seen_before(motifs, bars, 8), 6)


def motif_order(heard: Heard) -> float:
    """Share of pairs of neighbouring bars that return together, among the first bars of pairs that return at all."""
    _, motifs, bars = _bar_motifs(heard)
    pairs = [a + b for a, b, x, y in zip(motifs[:-1], motifs[1:], bars[:-1], bars[1:], strict=True) if y == x + 1]
    again = _seen_before(motifs, bars, heard.num_bars)
    both = _seen_before(pairs, np.arange(len(pairs)), heard.num_bars)
    return float(both.sum() / again.sum()) if again.sum() >= 4 else float("nan")


def joints(heard: Heard) -> float:
    """Mean size of the intervals across bar lines less that of those inside bars, in semitones."""
    moves = np.abs(np.diff(heard.tune[:, 2]))
    bar = heard.bar_of(heard.tune[:, 0])
    near = _joined(heard)
    across, inside = moves[near & (np.diff(bar) == 1)], moves[near & (np.diff(bar) == 0)]
    return float(across.mean() - inside.mean()) if min(len(across), len(inside)) >= 6 else float("nan")
