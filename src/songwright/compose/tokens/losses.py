"""What a song loses on the grid, counted: `losses`."""

from dataclasses import dataclass, fields

import numpy as np

from songwright.compose.tokens.bars import grid_bars
from songwright.compose.tokens.grid import known_chord, quantise
from songwright.compose.tokens.vocabulary import DRUM_ROLES, MAX_SLOTS, ROLES, TICKS_PER_STEP
from songwright.score.song import Song
from songwright.score.theory import NO_CHORD


@dataclass(frozen=True, slots=True)
class Losses:
    """Counts over one song, or, added up, over many.

    Attributes:
        notes: all of them.
        moved: whose beginning was off the grid.
        shift_ticks: by how much these moved, added up.
        stretched: pitched notes whose length changed.
        merged: that became the same as another.
        unseated: notes of players beyond the 64th of a role.
        chords: all of them.
        unknown_chords: that are not understood and became none.
        joined_chords: that repeated the one before, or began in the same step as another.
        tempos: changes of tempo.
        held_tempos: of these, changes that the tempo of the bars does not show.
        sections: all of them.
        moved_sections: that did not begin on a bar line, or in the same bar as another.
    """

    notes: int = 0
    moved: int = 0
    shift_ticks: int = 0
    stretched: int = 0
    merged: int = 0
    unseated: int = 0
    chords: int = 0
    unknown_chords: int = 0
    joined_chords: int = 0
    tempos: int = 0
    held_tempos: int = 0
    sections: int = 0
    moved_sections: int = 0

    def __add__(self, other: "Losses") -> "Losses":
        return Losses(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})


def losses(song: Song) -> Losses:
    """Returns what `grid.on_grid` takes from a song."""
    bars, grid = grid_bars(song), quantise(song)
    kept = sum(len(player.notes) for player in grid.players)
    moved = shift = stretched = seated = 0
    slots: dict[str, int] = {}
    for track in song.tracks:
        slots[track.role] = slots.get(track.role, 0) + 1
        if slots[track.role] > MAX_SLOTS or not track.notes:
            continue
        seated += len(track.notes)
        starts = np.array([n.start_ticks for n in track.notes], dtype=np.int64)
        ends = np.array([n.end_ticks for n in track.notes], dtype=np.int64)
        bar = np.searchsorted(bars.ticks, starts, side="right") - 1
        lines = np.concatenate([[0], np.cumsum(bars.steps)])
        there = bars.ticks[bar] + (bars.step_of(starts) - lines[bar]) * TICKS_PER_STEP
        moved += int(np.count_nonzero(there != starts))
        shift += int(np.abs(there - starts).sum())
        if ROLES.index(track.role) not in DRUM_ROLES:
            length = (bars.step_of(ends) - bars.step_of(starts)) * TICKS_PER_STEP
            stretched += int(np.count_nonzero(np.maximum(length, TICKS_PER_STEP) != ends - starts))
    on_lines = set(bars.ticks[:-1].tolist()) & {section.start_ticks for section in song.sections}
    inside = [c for c in song.chords if c.start_ticks < bars.ticks[-1]]
    total = sum(len(track.notes) for track in song.tracks)
    return Losses(
        notes=total,
        moved=moved,
        shift_ticks=shift,
        stretched=stretched,
        merged=seated - kept,
        unseated=total - seated,
        chords=len(song.chords),
        unknown_chords=sum(known_chord(c.symbol) is None and c.symbol != NO_CHORD for c in inside),
        joined_chords=len(song.chords) - len(grid.chords),
        tempos=len(song.tempos) - 1,
        held_tempos=max(0, len(song.tempos) - 1 - int(np.count_nonzero(np.diff(grid.tempos)))),
        sections=len(song.sections),
        moved_sections=len(song.sections) - len(on_lines),
    )
