"""What a drum part is like in numbers: where its strokes fall, how hard, how it swings; how far two sets lie apart.

Works on played time (written place and micro-offset together) and knows no style. Used by the musicality table (row
"drum onset and velocity distance") and by benchmarks/drum_classifier.py.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from songwright.compose.arrange.grooves import TD11_TO_GENERAL_MIDI
from songwright.score.drums import DRUMS
from songwright.score.midi import read_midi
from songwright.score.song import TICKS_PER_QUARTER, Note

GROUPS: dict[str, tuple[str, ...]] = {
    "kick": ("kick", "kick_2"),
    "snare": ("snare", "snare_2", "clap"),
    "rim": ("rim",),
    "closed_hat": ("closed_hat",),
    "pedal_hat": ("pedal_hat",),
    "open_hat": ("open_hat",),
    "ride": ("ride", "ride_2", "ride_bell"),
    "crash": ("crash", "crash_2", "splash", "china"),
    "toms": ("floor_tom", "floor_tom_2", "low_tom", "mid_tom", "mid_tom_2", "high_tom"),
}
"""Groups of drums that are counted together; percussion is left out."""

POSITIONS = 16
VELOCITY_BINS = 8
_GROUP_OF = {DRUMS[d]: i for i, drums in enumerate(GROUPS.values()) for d in drums}

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrumTake:
    """A stretch of drumming in one metre.

    Attributes:
        beats: (strokes,) when each stroke is played, in quarter notes from a bar line.
        group: (strokes,) index into `GROUPS`.
        velocity: (strokes,) 1 to 127.
        bar_beats: quarter notes in a bar.
    """

    beats: Array
    group: npt.NDArray[np.int64]
    velocity: Array
    bar_beats: float = 4.0

    @property
    def num_bars(self) -> int:
        """Bars from the first bar line to the last stroke."""
        return 0 if len(self.beats) == 0 else int((self.beats.max() + 1e-6) // self.bar_beats) + 1

    def step(self) -> npt.NDArray[np.int64]:
        """Returns the step of each stroke, counted on from the first bar line, `POSITIONS` to a bar."""
        return np.round(self.beats * POSITIONS / self.bar_beats).astype(np.int64)

    def windows(self, bars: int) -> list["DrumTake"]:
        """Returns stretches of `bars` whole bars that have at least two strokes a bar; the rest is left out."""
        found = []
        index = self.step() // POSITIONS // bars
        for k in range(max(0, self.num_bars // bars)):
            mine = index == k
            if mine.sum() >= 2 * bars:
                beats = self.beats[mine] - k * bars * self.bar_beats
                found.append(DrumTake(beats, self.group[mine], self.velocity[mine], self.bar_beats))
        return found


@dataclass(frozen=True, slots=True)
class DrumDistance:
    """How far two sets of drumming lie apart; 0 is the same, 1 has nothing in common.

    Attributes:
        onset: Bray-Curtis distance of strokes per bar by drum group and position: the sum of differences over the sum.
        velocity: Jensen-Shannon distance (square root, base 2) of velocity histograms, mean over drum groups weighted
            by how much both sets use them.
    """

    onset: float
    velocity: float


def take_of_notes(notes: Sequence[Note], bar_ticks: int) -> DrumTake:
    """Returns a drum track's notes as a take (their offsets included)."""
    rows = [(n.start_ticks + n.offset_ticks, _GROUP_OF[n.pitch], n.velocity) for n in notes if n.pitch in _GROUP_OF]
    return _take(rows, TICKS_PER_QUARTER, bar_ticks / TICKS_PER_QUARTER)


def read_groove_midi(path: Path, bar_beats: float = 4.0) -> DrumTake:
    """Returns a performance of the Groove MIDI dataset, its kit mapped to General MIDI.

    Raises:
        DataError: the file is no MIDI file.
    """
    mapped = [
        (n.start_ticks, _GROUP_OF[TD11_TO_GENERAL_MIDI[n.pitch]], n.velocity)
        for track in read_midi(path).tracks
        for n in track.notes
        if n.pitch in TD11_TO_GENERAL_MIDI
    ]
    return _take(mapped, TICKS_PER_QUARTER, bar_beats)


def _take(rows: Sequence[tuple[int, int, int]], ticks_per_quarter: int, bar_beats: float) -> DrumTake:
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return DrumTake(table[:, 0] / ticks_per_quarter, table[:, 1].astype(np.int64), table[:, 2], bar_beats)


def onset_histogram(take: DrumTake) -> Array:
    """Returns strokes per bar, (groups, positions)."""
    cell = take.group * POSITIONS + take.step() % POSITIONS
    counts = np.bincount(cell, minlength=len(GROUPS) * POSITIONS).astype(np.float64)
    return np.asarray(counts.reshape(len(GROUPS), POSITIONS) / max(1, take.num_bars))


def velocity_histogram(take: DrumTake) -> Array:
    """Returns strokes per bar by loudness, (groups, velocity bins)."""
    bins = np.minimum(take.velocity.astype(np.int64) * VELOCITY_BINS // 128, VELOCITY_BINS - 1)
    counts = np.bincount(take.group * VELOCITY_BINS + bins, minlength=len(GROUPS) * VELOCITY_BINS).astype(np.float64)
    return np.asarray(counts.reshape(len(GROUPS), VELOCITY_BINS) / max(1, take.num_bars))


def set_distance(reference: Sequence[DrumTake], estimate: Sequence[DrumTake]) -> DrumDistance:
    """Returns how far two sets of takes lie apart, each take with the same weight.

    Takes of about the same length (windows) make the comparison fair. Not a number where a set is empty.
    """
    if not reference or not estimate:
        return DrumDistance(float("nan"), float("nan"))
    onsets = [np.mean([onset_histogram(t) for t in takes], axis=0) for takes in (reference, estimate)]
    loud = [np.mean([velocity_histogram(t) for t in takes], axis=0) for takes in (reference, estimate)]
    onset = float(np.abs(onsets[0] - onsets[1]).sum() / max(1e-9, (onsets[0] + onsets[1]).sum()))
    total, weight = 0.0, 0.0
    for a, b in zip(*loud, strict=True):
        if a.sum() > 0 and b.sum() > 0:
            share = float(np.sqrt(a.sum() * b.sum()))
            total += share * _jensen_shannon(a / a.sum(), b / b.sum())
            weight += share
    return DrumDistance(onset, total / weight if weight else 1.0)


def _jensen_shannon(p: Array, q: Array) -> float:
    middle = (p + q) / 2

    def divergence(x: Array) -> float:
        some = x > 0
        return float((x[some] * np.log2(x[some] / middle[some])).sum())

    return float(np.sqrt(max(0.0, (divergence(p) + divergence(q)) / 2)))


def split_half_distance(takes: Sequence[Sequence[DrumTake]], *, random: np.random.Generator, rounds: int = 20) -> (
    DrumDistance
):  # fmt: skip
    """Returns how far random halves of one set lie apart: the noise below which a distance says nothing.

    Args:
        takes: windows of each performance; performances are kept whole when there are at least four, else the windows
            themselves are parted.
        random: draws the halves.
        rounds: how many splits are averaged.

    Returns:
        The mean distance; not a number where there is nothing to split.
    """
    units: list[Sequence[DrumTake]] = list(takes) if len(takes) >= 4 else [[t] for take in takes for t in take]
    if len(units) < 2:
        return DrumDistance(float("nan"), float("nan"))
    found = []
    for _ in range(rounds):
        order = random.permutation(len(units))
        halves = [[t for k in part for t in units[k]] for part in (order[::2], order[1::2])]
        found.append(set_distance(*halves))
    return DrumDistance(float(np.mean([d.onset for d in found])), float(np.mean([d.velocity for d in found])))


def features(take: DrumTake) -> Array:
    """Returns what a classifier hears: onsets by position, shares, dynamics, swing, density. Tempo is not among them.

    Args:
        take: a window of some bars.

    Returns:
        A vector of the same length for every take: the onset histogram, and for each group strokes per bar, mean and
        spread of velocity, share of soft strokes; then swing of eighths and sixteenths, the pull towards triplets,
        and how alike neighbouring bars are.
    """
    histogram = np.minimum(onset_histogram(take), 1.5)
    groups = []
    for k in range(len(GROUPS)):
        velocity = take.velocity[take.group == k]
        if len(velocity) < 2:
            groups.append([len(velocity) / max(1, take.num_bars), 64.0, 0.0, 0.0])
        else:
            soft = float((velocity < 48).mean())
            groups.append([len(velocity) / max(1, take.num_bars), float(velocity.mean()), float(velocity.std()), soft])
    rest = [swing_ratio(take, 8), swing_ratio(take, 16), triplet_pull(take), bar_likeness(take)]
    return np.concatenate([histogram.ravel(), np.array(groups).ravel(), rest])


def swing_ratio(take: DrumTake, unit: int) -> float:
    """Returns where off-beats lie in their pair, 0.5 straight to 0.667 triplet, the median; 0.5 when there are none.

    Args:
        take: what is played.
        unit: 8 for eighths, 16 for sixteenths.
    """
    pair = 1.0 if unit == 8 else 0.5
    place = (take.beats / pair) % 1.0
    between = place[(place > 0.42) & (place < 0.74)]
    return float(np.median(between)) if len(between) >= 4 else 0.5


def triplet_pull(take: DrumTake) -> float:
    """Returns how much nearer strokes lie to triplets than to sixteenths: below 0 straight, above 0 triplets."""
    straight = np.abs(take.beats * 4 - np.round(take.beats * 4)).mean()
    triplet = np.abs(take.beats * 3 - np.round(take.beats * 3)).mean()
    return float(straight - triplet)


def bar_likeness(take: DrumTake) -> float:
    """Returns the mean share of strokes that neighbouring bars have in common."""
    cells = take.step() * len(GROUPS) + take.group
    width = POSITIONS * len(GROUPS)
    bars: list[set[int]] = [set() for _ in range(max(1, take.num_bars) + 1)]
    for cell in cells:
        index = int(cell) // width
        if 0 <= index < len(bars):
            bars[index].add(int(cell) % width)
    pairs = [len(a & b) / len(a | b) for a, b in itertools.pairwise(bars) if a and b]
    return float(np.mean(pairs)) if pairs else 0.0
