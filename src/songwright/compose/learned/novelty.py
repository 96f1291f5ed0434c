"""Novelty: whether a song repeats what was learned from, and what it is nearest to.

Lines are compared in intervals and classes of time (`lines`), whatever the key, also in half and in double time, once
with their rhythm and once without. The longest run shared is told with the piece it comes from; over eight bars of it
are not let stand: `novel` composes again.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from songwright.compose.learned.lines import OCTAVE, TIME_CLASSES, Line, song_lines
from songwright.compose.learned.melody_file import load_index
from songwright.compose.learned.melody_index import MelodyIndex, Run, Steps
from songwright.score.song import Song

MOST_BARS = 8.0
"""More of one piece's melody is not let stand."""

LEAST_BITS = 72.0
LEAST_PITCH_BITS = 56.0
"""Runs that surprise less are commonplaces or held notes, however long: with rhythm, and of pitches alone.

Measured in docs/novelty.md.
"""

SPEEDS = (1.0, 2.0, 0.5)


@dataclass(frozen=True, slots=True)
class Shared:
    """A run of notes that a song has in common with a piece that was learned from.

    Attributes:
        corpus: key of the ledger.
        piece: id of the piece, the corpus first.
        notes: how many.
        bars: how much of the song they fill, in bars of its own metre; a rest or held note counts for a bar at most.
        bits: how surprising they are.
        track: of the song.
        bar: of the song where the run begins, counted from 1.
        piece_bar: of the piece, counted from 1.
        speed: of the song's note values by the piece's: 2 for values twice as long.
        rhythm: whether the rhythm is shared too, not the pitches alone.
    """

    corpus: str
    piece: str
    notes: int
    bars: float
    bits: float
    track: str
    bar: int
    piece_bar: int
    speed: float = 1.0
    rhythm: bool = True

    @property
    def is_long(self) -> bool:
        """Whether it is more than may stand."""
        return self.bars > MOST_BARS and self.bits >= (LEAST_BITS if self.rhythm else LEAST_PITCH_BITS)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What a song shares most of.

    Attributes:
        tune: with its rhythm; None where not even six steps are shared.
        pitches: its pitches alone, whatever their rhythm.
    """

    tune: Shared | None = None
    pitches: Shared | None = None


def nearest(song: Song, index: MelodyIndex | None = None) -> Neighbour:
    """Returns what a song shares most of with what was learned from.

    Args:
        song: the score.
        index: of the training data; None for the one that comes with the program.

    Raises:
        DataError: the index cannot be read.
    """
    lines = [line for line in song_lines(song) if len(line) > 1]
    if not lines:
        return Neighbour()
    return nearest_of(lines, load_index() if index is None else index)


def nearest_of(lines: list[Line], index: MelodyIndex) -> Neighbour:
    """Returns the same for lines."""
    intervals = np.concatenate([line.intervals() for line in lines])
    times = np.concatenate([line.times() for line in lines])
    tunes = [
        _shared(run, lines, index, speed, rhythm=True)
        for speed in SPEEDS
        for run in index.runs(_at_speed((intervals, times), speed), rhythm=True)
    ]
    pitches = [_shared(run, lines, index, 1.0, rhythm=False) for run in index.runs((intervals, times), rhythm=False)]
    return Neighbour(_first(tunes), _first(pitches))


def _first(found: list[Shared]) -> Shared | None:
    """Returns what may not stand before what may, then the most surprising."""
    return max(found, key=lambda one: (one.is_long, one.bits), default=None)


def _at_speed(steps: Steps, speed: float) -> Steps:
    """Returns steps as a piece has them whose note values the song takes `speed` times."""
    shift = OCTAVE * round(np.log2(speed))
    times = np.clip(steps[1].astype(np.int64) - shift, 0, TIME_CLASSES - 1).astype(np.uint8)
    return steps[0], times


def _shared(run: Run, lines: list[Line], index: MelodyIndex, speed: float, *, rhythm: bool) -> Shared:
    firsts = np.cumsum([0, *(len(line) for line in lines)])
    place = int(np.searchsorted(firsts, run.song, side="right")) - 1
    line, note = lines[place], run.song - 1 - int(firsts[place])
    bars = float(line.shares()[note : note + run.steps + 1].sum())
    source = index.source(run.index)
    return Shared(
        source.corpus, source.piece, run.steps + 1, round(bars, 2), round(run.bits, 1), line.name,
        int(line.bars[note]) + 1, source.bar + 1, speed, rhythm,
    )  # fmt: skip


def too_near(neighbour: Neighbour) -> bool:
    """Returns whether a song shares more of one piece than may stand, with its rhythm or by its pitches alone."""
    return any(one is not None and one.is_long for one in (neighbour.tune, neighbour.pitches))


def novel(
    compose: Callable[[int], Song], attempts: int = 4, index: MelodyIndex | None = None
) -> tuple[Song, Neighbour]:
    """Returns the first song that is not too near to anything learned from, and what it is nearest to.

    Args:
        compose: makes the song of an attempt, counted from 0; each must draw its own.
        attempts: how many at most.
        index: see `nearest`.

    Returns:
        The song that shares fewest bars where all are too near.
    """
    found: list[tuple[Song, Neighbour]] = []
    for attempt in range(attempts):
        song = compose(attempt)
        neighbour = nearest(song, index)
        found.append((song, neighbour))
        if not too_near(neighbour):
            return found[-1]
    return min(found, key=lambda one: _longest(one[1]))


def _longest(neighbour: Neighbour) -> float:
    return max(one.bars for one in (neighbour.tune, neighbour.pitches) if one is not None and one.is_long)


def as_dict(neighbour: Neighbour) -> dict[str, Any]:
    """Returns a neighbour as plain data for a report."""
    found = {name: None if one is None else asdict(one) for name, one in _both(neighbour)}
    return {**found, "too_near": too_near(neighbour), "told": told(neighbour)}


def told(neighbour: Neighbour) -> str:
    """Returns one line for people."""
    one = neighbour.tune or neighbour.pitches
    if one is None:
        return "nearest to nothing learned: not six steps of melody are shared"
    what = "melody" if neighbour.tune is not None else "pitches"
    where = f"{one.notes} notes, {one.bars:.1f} bars of {one.track} from bar {one.bar}"
    return f"nearest learned {what}: {one.piece} (bar {one.piece_bar}), {where}"


def _both(neighbour: Neighbour) -> tuple[tuple[str, Shared | None], tuple[str, Shared | None]]:
    return ("tune", neighbour.tune), ("pitches", neighbour.pitches)
