"""`Piece`: an encoded song with an index of where its bars and parts lie, from which windows are cut."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.encode import Codes
from songwright.compose.tokens.vocabulary import (
    HARMONY,
    KIND,
    LENGTH,
    LENGTHS,
    ROLES,
    VALUE,
    VALUES,
    Kind,
    meter_steps,
)
from songwright.errors import InputError

Ints = NDArray[np.int64]
HARMONY_ROLE = ROLES.index(HARMONY)
FULL_BAR = np.array([meter_steps(place) for place in range(VALUES["meter"].size)])
"""Length in steps of a full bar of each metre."""

TARGET_KINDS = ("melody", "harmony", "bass", "chords", "drums", "other")
"""What parts are told apart as when sampled, weighted and measured."""

_KIND_OF_ROLE = {
    "melody": "melody", "vocal": "melody", HARMONY: "harmony", "bass": "bass", "chords": "chords", "pad": "chords",
    "drums": "drums", "percussion": "drums",
}  # fmt: skip
KIND_OF_ROLE = tuple(TARGET_KINDS.index(_KIND_OF_ROLE.get(role, "other")) for role in ROLES)
"""Place in `TARGET_KINDS` of each role of `ROLES`."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a piece.

    Attributes:
        role: place in `ROLES`.
        slot: among the players of this role.
        instrument: place in `INSTRUMENT_NAMES`; -1 for the harmony.
    """

    role: int
    slot: int
    instrument: int = -1


@dataclass(frozen=True)
class Piece:
    """An encoded song and where things lie in it.

    Attributes:
        codes: (6, T) a whole song, as `encode` writes it.
        style: place in `STYLES`.
        bar_starts: (bars + 1,) events at which bars begin; the last is where EOS stands.
        bar_steps: (bars,) lengths of the bars on the grid.
        meters, tempos, keys: (bars,) in force, as places in the vocabulary.
        sections: (bars,) event of the SECTION in force, -1 for none.
        elapsed: (bars,) bars since that section began.
        parts: those with events, the harmony first, then in the order of the header.
        starts, stops: (parts, bars) events of each part in each bar, its TRACK first; both 0 where it is silent.
    """

    codes: Codes
    style: int
    bar_starts: Ints
    bar_steps: Ints
    meters: Ints
    tempos: Ints
    keys: Ints
    sections: Ints
    elapsed: Ints
    parts: tuple[Part, ...]
    starts: Ints
    stops: Ints

    @property
    def num_bars(self) -> int:
        """How many bars there are."""
        return len(self.bar_steps)

    @property
    def lengths(self) -> Ints:
        """(parts, bars) number of events, TRACK included."""
        return self.stops - self.starts


def index_piece(codes: Codes) -> Piece:
    """Returns the piece of a whole encoded song.

    Args:
        codes: (6, T) with its bars in order, as `encode` writes them.

    Raises:
        InputError: there is no bar in it, or no metre, tempo or key in its header.
    """
    kinds = codes[KIND]
    bar_starts = np.flatnonzero(kinds == Kind.BAR)
    if not len(bar_starts):
        raise InputError("an encoded song without bars: expected what `encode` writes")
    end = len(kinds) - int(kinds[-1] == Kind.EOS)
    limits = np.append(bar_starts, end)
    num_bars = len(bar_starts)
    meters = _dense(codes, bar_starts, Kind.METER, "meter")
    short = codes[LENGTH, bar_starts].astype(np.int64)
    sections, elapsed = _sections(kinds, bar_starts)
    tracks = np.flatnonzero(kinds == Kind.TRACK)
    bar_of = np.searchsorted(bar_starts, tracks, side="right") - 1
    stops = np.minimum(np.append(tracks[1:], end), limits[bar_of + 1])
    seats = (codes[VALUE, tracks].astype(np.int64) - VALUES["role"].start) * LENGTHS["slot"].size
    seats += codes[LENGTH, tracks] - LENGTHS["slot"].start
    parts = _parts(codes[:, : bar_starts[0]], set(seats.tolist()))
    table = np.zeros((2, len(parts), num_bars), dtype=np.int64)
    for i, part in enumerate(parts):
        mine = seats == part.role * LENGTHS["slot"].size + part.slot
        table[0, i, bar_of[mine]], table[1, i, bar_of[mine]] = tracks[mine], stops[mine]
    styles = codes[VALUE, : bar_starts[0]][kinds[: bar_starts[0]] == Kind.STYLE]
    return Piece(
        codes=codes,
        style=int(styles[0]) - VALUES["style"].start if len(styles) else 0,
        bar_starts=limits,
        bar_steps=np.where(short > 0, short, FULL_BAR[meters]),
        meters=meters,
        tempos=_dense(codes, bar_starts, Kind.TEMPO, "tempo"),
        keys=_dense(codes, bar_starts, Kind.KEY, "key"),
        sections=sections,
        elapsed=elapsed,
        parts=parts,
        starts=table[0],
        stops=table[1],
    )


def _dense(codes: Codes, bar_starts: Ints, kind: Kind, name: str) -> Ints:
    at = np.flatnonzero(codes[KIND] == kind)
    if not len(at) or at[0] > bar_starts[0]:
        raise InputError(f"an encoded song whose header has no {kind.name}")
    bars = np.maximum(np.searchsorted(bar_starts, at, side="right") - 1, 0)
    last = np.searchsorted(bars, np.arange(len(bar_starts)), side="right") - 1
    found: Ints = codes[VALUE, at[last]].astype(np.int64) - VALUES[name].start
    return found


def _sections(kinds: NDArray[np.int16], bar_starts: Ints) -> tuple[Ints, Ints]:
    """Returns for each bar the event of its section and the bars since that began."""
    bars = np.arange(len(bar_starts))
    at = np.flatnonzero(kinds == Kind.SECTION)
    first = np.searchsorted(bar_starts, at, side="right") - 1
    last = np.searchsorted(first, bars, side="right") - 1
    if not len(at):
        return np.full(len(bars), -1), np.zeros(len(bars), dtype=np.int64)
    inside = last >= 0
    return np.where(inside, at[last], -1), np.where(inside, bars - first[last], 0)


def _parts(header: Codes, seats: set[int]) -> tuple[Part, ...]:
    """Returns the parts that play, the harmony first."""
    found = [Part(HARMONY_ROLE, 0)] if HARMONY_ROLE * LENGTHS["slot"].size in seats else []
    for i in np.flatnonzero(header[KIND] == Kind.PLAYER).tolist():
        role, slot = int(header[VALUE, i]) - VALUES["role"].start, int(header[LENGTH, i]) - LENGTHS["slot"].start
        if role != HARMONY_ROLE and role * LENGTHS["slot"].size + slot in seats:
            found.append(Part(role, slot, int(header[VALUE, i + 1]) - VALUES["instrument"].start))
    return tuple(found)


def part_events(piece: Piece, part: int, start: int, stop: int) -> tuple[Codes, Ints]:
    """Returns the events of a part in some bars, without TRACK, and the bar of each.

    Args:
        piece: where from.
        part: place in `Piece.parts`.
        start: first bar.
        stop: one past the last bar.

    Returns:
        (6, n) events and (n,) bars of the piece.
    """
    begins, ends = piece.starts[part, start:stop], piece.stops[part, start:stop]
    playing = np.flatnonzero(ends > begins)
    spans = [np.arange(begins[bar] + 1, ends[bar]) for bar in playing.tolist()]
    at = np.concatenate(spans) if spans else np.zeros(0, dtype=np.int64)
    bars = np.repeat(start + playing, [len(span) for span in spans]) if spans else at
    return piece.codes[:, at], bars


def sounding_parts(piece: Piece, start: int, stop: int) -> Sequence[int]:
    """Returns the places of the parts that have events in some bars."""
    found: list[int] = np.flatnonzero((piece.lengths[:, start:stop] > 1).any(axis=1)).tolist()
    return found
