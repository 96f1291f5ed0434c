"""What the critic measures of drums, of bass and drums together, and of how sections differ and return.

Each is a function of what is heard that returns one number, NaN where there is too little to judge.
"""

import numpy as np
from numpy.typing import NDArray

from songwright.compose.learned.critic_tune import share
from songwright.compose.learned.critic_view import STEPS, Bools, Heard, Ints
from songwright.score.drums import DRUM_GROUPS

KICK, SNARE, HATS, TOMS, CYMBALS = (DRUM_GROUPS.index(n) for n in ("kick", "snare", "hats", "toms", "cymbals"))
FEWEST = 6
_LIFTED = ("chorus", "drop")


def _patterns(heard: Heard, groups: tuple[int, ...]) -> Bools:
    """Returns (bars, groups * 16) where each group of drums plays."""
    return np.concatenate([heard.grid(heard.strokes[heard.strokes[:, 1] == g, 0]) for g in groups], axis=1)


def _played(heard: Heard) -> Bools:
    """Returns (bars,) where there is any drumming."""
    return np.bincount(heard.bar_of(heard.strokes[:, 0]), minlength=heard.num_bars) > 1


def _likeness(a: Bools, b: Bools) -> NDArray[np.float64]:
    """Returns the share of places that both rows have among those that either has; 1 where neither has any."""
    either = (a | b).sum(axis=-1)
    return np.where(either > 0, (a & b).sum(axis=-1) / np.maximum(either, 1), 1.0)


def groove_steady(heard: Heard) -> float:
    """Mean likeness of every bar of kick and snare to the liker of the two bars before it."""
    grid, played = _patterns(heard, (KICK, SNARE)), _played(heard)
    if played.sum() < FEWEST:
        return float("nan")
    grid = grid[played]
    return float(np.maximum(_likeness(grid[2:], grid[1:-1]), _likeness(grid[2:], grid[:-2])).mean())


def backbeat(heard: Heard) -> float:
    """How firmly the snare has its places: the mean share of bars that have it at its two commonest ones."""
    grid, played = _patterns(heard, (SNARE,)), _played(heard)
    if played.sum() < FEWEST or not grid.any():
        return float("nan")
    return float(np.sort(grid[played].mean(axis=0))[-2:].mean())


def kick_on_one(heard: Heard) -> float:
    """Share of the bars with drums that begin with a kick."""
    return share(_patterns(heard, (KICK,))[_played(heard), 0], FEWEST)


def on_the_beat(heard: Heard) -> float:
    """Share of kicks and snares on eighths of the bar: strokes at random places have half of them there."""
    grid = _patterns(heard, (KICK, SNARE)).reshape(heard.num_bars, 2, STEPS)
    return float(grid[:, :, ::2].sum() / grid.sum()) if grid.sum() >= 4 * FEWEST else float("nan")


def kick_and_snare_apart(heard: Heard) -> float:
    """Share of kicks that no snare doubles."""
    kick, snare = _patterns(heard, (KICK,)), _patterns(heard, (SNARE,))
    return 1.0 - float((kick & snare).sum() / kick.sum()) if kick.sum() >= 4 * FEWEST else float("nan")


def touch(heard: Heard) -> float:
    """Spread of the strokes' loudness within kinds of drums, in steps of velocity."""
    spread = []
    for group in (KICK, SNARE, HATS, CYMBALS):
        loud = heard.strokes[heard.strokes[:, 1] == group, 2]
        if len(loud) >= 16:
            spread.append(float(loud.std()))
    return float(np.mean(spread)) if spread else float("nan")


def fills(heard: Heard) -> float:
    """How much more the last bars of sections (or of fours, where it is most) differ from the bar before than others.

    The difference of mean likenesses, from -1 to 1; above 0 when drummers play fills where sections end.
    """
    grid, played = _patterns(heard, (KICK, SNARE, TOMS)), _played(heard)
    if played.sum() < 2 * FEWEST:
        return float("nan")
    other = 1.0 - _likeness(grid[1:], grid[:-1])
    here = played[1:] & played[:-1]
    bars = np.arange(1, heard.num_bars)
    if len(heard.sections) > 2:
        last = np.searchsorted(heard.bars, heard.sections[:, 1]) - 1
        return _more(other, here, np.isin(bars, last))
    found = [_more(other, here, bars % 4 == phase) for phase in range(4)]
    return float(np.nanmax(found)) if not np.isnan(found).all() else float("nan")


def _more(values: NDArray[np.float64], known: Bools, chosen: Bools) -> float:
    inside, outside = values[known & chosen], values[known & ~chosen]
    return float(inside.mean() - outside.mean()) if min(len(inside), len(outside)) >= 2 else float("nan")


def bass_with_kick(heard: Heard) -> float:
    """Share of kicks at which a bass note begins, in bars that have both."""
    kick, bass = _patterns(heard, (KICK,)), heard.grid(heard.bass[:, 0])
    both = kick.any(axis=1) & bass.any(axis=1)
    if both.sum() < FEWEST:
        return float("nan")
    return float((kick & bass)[both].sum() / kick[both].sum())


def bass_steady(heard: Heard) -> float:
    """Mean likeness of every bar of the bass's rhythm to the liker of the two bars before it."""
    grid = heard.grid(heard.bass[:, 0])
    grid = grid[grid.any(axis=1)]
    if len(grid) < FEWEST:
        return float("nan")
    return float(np.maximum(_likeness(grid[2:], grid[1:-1]), _likeness(grid[2:], grid[:-2])).mean())


def _loads(heard: Heard) -> NDArray[np.float64]:
    """Returns (sections,) notes and strokes for each bar."""
    starts = np.sort(np.concatenate([r[:, 0] for r in (heard.tune, heard.bass, heard.backing, heard.strokes)]))
    counts = np.searchsorted(starts, heard.sections[:, 1]) - np.searchsorted(starts, heard.sections[:, 0])
    bars = np.searchsorted(heard.bars, heard.sections[:, 1]) - np.searchsorted(heard.bars, heard.sections[:, 0])
    loads: NDArray[np.float64] = counts / np.maximum(1, bars)
    return loads


def chorus_lift(heard: Heard) -> float:
    """Logarithm of how many more notes a bar has in choruses than in verses."""
    loads = _loads(heard)
    lifted = loads[[role in _LIFTED for role in heard.roles]]
    plain = loads[[role == "verse" for role in heard.roles]]
    if not len(lifted) or not len(plain) or plain.mean() == 0 or lifted.mean() == 0:
        return float("nan")
    return float(np.log(lifted.mean() / plain.mean()))


def chorus_higher(heard: Heard) -> float:
    """Semitones by which the tune lies higher in choruses than in verses."""

    def mean(roles: tuple[str, ...]) -> float:
        rows = [heard.tune[_within(heard.tune, span), 2] for span, role in _spans(heard) if role in roles]
        pitches = np.concatenate(rows) if rows else np.zeros(0)
        return float(pitches.mean()) if len(pitches) >= 8 else float("nan")

    return mean(_LIFTED) - mean(("verse",))


def _spans(heard: Heard) -> list[tuple[Ints, str]]:
    return list(zip(heard.sections, heard.roles, strict=True))


def _within(rows: Ints, span: Ints) -> Bools:
    inside: Bools = (rows[:, 0] >= span[0]) & (rows[:, 0] < span[1])
    return inside


def sections_return(heard: Heard) -> float:
    """Mean likeness of the tune's rhythm in every section to that of the first section of its role."""
    grid = heard.grid(heard.tune[:, 0])
    first: dict[str, Bools] = {}
    found = []
    for span, role in _spans(heard):
        low, high = np.searchsorted(heard.bars, span)
        mine = grid[low:high]
        if mine.sum() < 8:
            continue
        if role in first:
            count = min(len(mine), len(first[role]))
            found.append(float(_likeness(mine[:count].reshape(-1), first[role][:count].reshape(-1))))
        else:
            first[role] = mine
    return float(np.mean(found)) if found else float("nan")


def sections_differ(heard: Heard) -> float:
    """Spread of the logarithms of notes for each bar between sections: 0 when everything is equally busy."""
    loads = _loads(heard)
    loads = loads[loads > 0]
    return float(np.log(loads).std()) if len(loads) >= 3 else float("nan")
