"""The network as a judge: how likely each bar of a part is, given what else sounds, all candidates read at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from songwright.compose.plan import SongPlan
from songwright.compose.style import Style
from songwright.compose.tokens.augment import frame_shift
from songwright.compose.tokens.batches import stack
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.piece import HARMONY_ROLE, Part, Piece, index_piece
from songwright.compose.tokens.vocabulary import HARMONY, INSTRUMENT_NAMES, KIND, LENGTH, POSITION, ROLES, VALUE
from songwright.compose.tokens.windows import MAX_BARS, Choice, ChosenPart, Example, build
from songwright.score.song import ChordSpan, MeterChange, Section, Song, TempoChange, Track

Floats = NDArray[np.float64]
HEARD_BARS = 2
"""Bars heard before those that are judged."""

MOST_EVENTS = 576
BATCH_EVENTS = 4096
HEARD_ROLES = ("vocal", "melody", "bass", "drums", "chords")
"""Who is heard beside the part, the first player of each role."""

PLAYED = (KIND, POSITION, VALUE, LENGTH)
"""What counts: which notes there are; how loud they are is the player's own business."""


class Reader(Protocol):
    """A network that says how likely codes are."""

    @property
    def max_steps(self) -> int:
        """The most events of a row."""

    def nats(self, codes: NDArray[Any], features: NDArray[Any], mask: NDArray[np.bool_]) -> Floats:
        """Returns (B, K, T) nats; see `onnx_steps.OnnxStepModel.nats`."""


@dataclass(frozen=True)
class Judged:
    """What a part costs, bar by bar.

    Attributes:
        nats: (bars,) of what is played: kinds, places, values and lengths.
        events: (bars,) how many events there are, the end of each bar included.
    """

    nats: Floats
    events: NDArray[np.int64]

    def mean(self, bars: Sequence[int]) -> float:
        """Returns nats an event over some bars; infinite where nothing is there to be judged."""
        count = int(self.events[list(bars)].sum())
        return float(self.nats[list(bars)].sum()) / count if count else float("inf")


def sketch(
    plan: SongPlan, style: Style, chords: tuple[ChordSpan, ...], tracks: Sequence[Track] = ()
) -> Song:  # fmt: skip
    """Returns what there is of a song while it is being written."""
    bar = plan.bar_ticks
    return Song(
        style=style.name,
        duration_ticks=plan.num_bars * bar,
        tempos=(TempoChange(0, plan.tempo_bpm),),
        meters=(MeterChange(0, plan.numerator, plan.denominator),),
        keys=plan.key_changes(),
        sections=tuple(
            Section(s.label, s.role, plan.start_ticks(s), s.num_bars * bar, s.energy) for s in plan.sections
        ),
        chords=chords,
        tracks=tuple(tracks),
    )


def judge(
    reader: Reader,
    songs: Sequence[Song],
    target: str,
    bars: Sequence[int] | None = None,
    streams: tuple[int, ...] = PLAYED,
) -> tuple[Judged, ...]:
    """Returns what a part costs in each of several songs.

    Args:
        reader: the network.
        songs: alike but for the part.
        target: id of its track, or `HARMONY`.
        bars: which are judged; None for all.
        streams: what counts of an event; events that have none of it are not counted.
    """
    pieces = [index_piece(encode(song).codes) for song in songs]
    nats = np.zeros((len(songs), pieces[0].num_bars))
    events = np.zeros(nats.shape, dtype=np.int64)
    jobs: list[tuple[int, Choice, int, Example]] = []
    for row, (song, piece) in enumerate(zip(songs, pieces, strict=True)):
        parts = _parts(song, target)
        wanted = range(piece.num_bars) if bars is None else bars
        jobs += [(row, choice, first, build(piece, choice)) for choice, first in _windows(piece, parts, wanted, reader)]
    jobs.sort(key=lambda job: job[3].num_steps)
    for group in _groups(jobs):
        batch = stack([example for *_, example in group])
        found = reader.nats(batch.codes.astype(np.int64), batch.features.astype(np.int64), batch.mask)
        costs = found[:, streams].sum(axis=1)
        judged: NDArray[np.bool_] = np.asarray(batch.mask[:, streams].any(axis=1))
        for (row, choice, first, example), cost, there in zip(group, costs, judged, strict=True):
            mine = np.flatnonzero(there)
            at = example.bars[mine - 1] + choice.start  # what ends a part in a bar stands behind it
            own = at >= first
            np.add.at(nats[row], at[own], cost[mine[own]])
            np.add.at(events[row], at[own], 1)
    return tuple(Judged(n, e) for n, e in zip(nats, events, strict=True))


def _parts(song: Song, target: str) -> tuple[ChosenPart, ...]:
    """Returns the parts of a window: the first players of the roles that are heard, then the one that is judged."""
    seats, counts = dict[str, ChosenPart](), dict[str, int]()
    for track in song.tracks:
        slot = counts.get(track.role, 0)
        counts[track.role] = slot + 1
        known = track.instrument in INSTRUMENT_NAMES
        instrument = INSTRUMENT_NAMES.index(track.instrument) if known else 0
        seats[track.id] = ChosenPart(Part(ROLES.index(track.role), slot, instrument), track.id == target)
    harmony = ChosenPart(Part(HARMONY_ROLE, 0), target == HARMONY)
    heard = [
        part
        for role in HEARD_ROLES
        for part in seats.values()
        if not part.is_target and (part.part.role, part.part.slot) == (ROLES.index(role), 0)
    ]
    if harmony.is_target:
        return (*heard, harmony)
    return (harmony, *heard, seats[target])


def _windows(
    piece: Piece, parts: tuple[ChosenPart, ...], bars: Sequence[int], reader: Reader
) -> Iterator[tuple[Choice, int]]:
    """Yields windows and the first bar that is judged in each; the ones before it are heard."""
    places = {(part.role, part.slot): place for place, part in enumerate(piece.parts)}
    rows = [places[p.part.role, p.part.slot] for p in parts if (p.part.role, p.part.slot) in places]
    costs = piece.lengths[rows].sum(axis=0) + 4  # and BAR, SECTION, an empty TRACK
    room = min(MOST_EVENTS, reader.max_steps) - 12 - 8 * len(parts)
    wanted, left = set(bars), sorted(bars)
    while left:
        first = left[0]
        start = max(0, first - HEARD_BARS)
        while start < first and costs[start : first + 1].sum() > room:
            start += 1
        stop = first + 1
        while stop in wanted and stop - start < MAX_BARS and costs[start : stop + 1].sum() <= room:
            stop += 1
        yield Choice(start, stop, parts, None, frame_shift(int(piece.keys[start]))), first
        left = [bar for bar in left if bar >= stop]


def _groups(jobs: Sequence[tuple[int, Choice, int, Example]]) -> Iterator[list[tuple[int, Choice, int, Example]]]:
    """Yields jobs of about one length together."""
    group: list[tuple[int, Choice, int, Example]] = []
    for job in jobs:
        if group and (len(group) + 1) * job[3].num_steps > BATCH_EVENTS:
            yield group
            group = []
        group.append(job)
    if group:
        yield group
