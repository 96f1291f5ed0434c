"""Bars of a song on the grid as the networks read them: `Windows`, and the cells of every kind of part in them.

Nothing here writes notes; see `writing`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.compose.learned.bars.kinds import (
    CELL,
    CELLS,
    CLASS_OF_DRUM,
    HOLD,
    KNOWN,
    LEAN,
    ONSET,
    PITCHES,
    REST,
    RUNGS,
    RUNGS_TO_THE_OCTAVE,
    SLOTS,
    rung_of_pitch,
)
from songwright.compose.tokens.augment import frame_shift
from songwright.compose.tokens.grid import LEVEL, PITCH, START, STEPS
from songwright.compose.tokens.vocabulary import MODE_NAMES, QUALITY_NAMES, VELOCITY_LEVELS
from songwright.neural.bar_network import Bars, BarShape

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
_HALF = CELL // 2


@dataclass(frozen=True)
class Windows:
    """What is read at a time: a bar, or an even part of a long one.

    Attributes:
        starts: (W,) steps from the beginning of the song.
        steps: (W,) lengths in steps.
        bars: (W,) the bar each lies in.
    """

    starts: Ints
    steps: Ints
    bars: Ints

    @property
    def cells(self) -> Ints:
        """(W,) cells of each, the last one perhaps not whole."""
        found: Ints = -(-self.steps // CELL)
        return found

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(W, CELLS) which cells there are."""
        found: NDArray[np.bool_] = np.arange(CELLS) < self.cells[:, None]
        return found

    def __len__(self) -> int:
        return len(self.starts)


def windows_of(bar_steps: Ints) -> Windows:
    """Returns the windows of bars of these lengths."""
    count = np.maximum(1, -(-bar_steps // (CELL * CELLS)))
    bars = np.repeat(np.arange(len(bar_steps)), count)
    place = np.arange(len(bars)) - np.repeat(np.cumsum(count) - count, count)
    whole = CELL * -(-bar_steps // (CELL * count))  # whole cells in every part but the last
    bar_starts = np.concatenate([[0], np.cumsum(bar_steps)[:-1]])
    starts = bar_starts[bars] + place * whole[bars]
    steps = np.minimum(whole[bars], bar_starts[bars] + bar_steps[bars] - starts)
    return Windows(starts, steps, bars)


def chords_in(windows: Windows, chords: Ints, shift: Ints) -> tuple[Ints, Ints]:
    """Returns (W, CELLS) the number of the chord in every cell, 0 for none, and of its bass (pitch class + 1, 0 root).

    Args:
        windows: of the song.
        chords: as in `GridSong.chords`.
        shift: (W,) semitones by which each window is moved.
    """
    if not len(chords):
        none = np.zeros((len(windows), CELLS), dtype=np.int64)
        return none, none
    at = windows.starts[:, None] + CELL * np.arange(CELLS)
    place = np.searchsorted(chords[:, 0], at, side="right") - 1
    number = np.where(place >= 0, chords[place, 1], 0)
    bass = np.where(place >= 0, chords[place, 2], 0)
    moved = moved_chord(number, shift[:, None])
    return moved, np.where(bass > 0, 1 + (bass - 1 + shift[:, None]) % 12, 0)


def moved_chord(number: Ints, shift: Ints) -> Ints:
    """Returns chord numbers some semitones higher."""
    root, quality = np.divmod(number - 1, len(QUALITY_NAMES))
    return np.where(number > 0, 1 + (root + shift) % 12 * len(QUALITY_NAMES) + quality, 0)


def root_above(chord: Ints) -> Ints:
    """Returns the pitch class of the root of each chord, 0 where there is none."""
    return np.where(chord > 0, (chord - 1) // len(QUALITY_NAMES), 0)


def shifts_of(keys: Ints) -> Ints:
    """Returns the semitones that move each bar into the common frame; all close to those of the first.

    Args:
        keys: (bars,) as in `GridSong.keys`.
    """
    shifts = np.array([frame_shift(key) for key in range(12 * len(MODE_NAMES))])[keys]
    found: Ints = shifts[0] + (shifts - shifts[0] + 6) % 12 - 6
    return found


def base_of(pitches: Ints, kind: str, shift: int) -> int:
    """Returns the pitch, a C, from which a part counts, in the frame.

    For tunes and basses it is close below their middle, for chords below all but the lowest notes.

    Args:
        pitches: of all notes of the part, as they sound.
        kind: of the part.
        shift: into the frame, as of the first bar.
    """
    if not len(pitches):
        return 60
    moved = np.sort(pitches) + shift
    pick = moved[len(moved) // 20] if kind == "chords" else moved[len(moved) // 2] - (6 if kind == "bass" else 0)
    return int(12 * (pick // 12))


def known_of(chord: Ints) -> Floats:
    """Returns (W, CELLS, 24) what the networks are told of the chord in every cell."""
    return KNOWN[chord]


def _places(windows: Windows, starts: Ints) -> tuple[Ints, Ints, Ints]:
    """Returns window, cell and lean (0 early, 1 on, 2 late) of notes."""
    window = np.searchsorted(windows.starts, starts, side="right") - 1
    inside = starts - windows.starts[window]
    cell = np.minimum((inside + LEAN) // CELL, windows.cells[window] - 1)
    off = inside - CELL * cell
    return window, cell, np.where(off <= -LEAN, 0, np.where(off >= LEAN, 2, 1))


def _ends(windows: Windows, starts: Ints, steps: Ints, cell: Ints, window: Ints) -> Ints:
    """Returns how many cells each note holds on after the one in which it begins, over all windows that follow."""
    first = np.concatenate([[0], np.cumsum(windows.cells)])
    stop = np.minimum(starts + steps, windows.starts[-1] + windows.steps[-1])
    last = np.searchsorted(windows.starts, np.maximum(stop - 1, 0), side="right") - 1
    inside = np.clip((stop - windows.starts[last] + _HALF) // CELL, 0, windows.cells[last])
    end: Ints = first[last] + inside - (first[window] + cell + 1)
    return np.maximum(0, end)


def _held(begin: Ints, count: Ints, limit: Ints) -> Ints:
    """Returns the cells that notes hold: `count` from each `begin` on, none from `limit` on."""
    count = np.maximum(0, np.minimum(count, limit - begin))
    offsets = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    found: Ints = np.repeat(begin, count) + offsets
    return found


def _empty(shape: BarShape, windows: Windows, condition: Floats) -> tuple[Floats, Bars]:
    cells = np.zeros((len(windows), shape.cells, shape.width), dtype=np.float32)
    return cells, Bars(cells, condition, windows.mask)


def line_bars(
    shape: BarShape, windows: Windows, notes: Ints, chord: Ints, base: int, shift: Ints, *, lowest: bool = False
) -> Bars:
    """Returns the bars of a single voice; of notes that begin together the highest (or lowest) is read.

    Args:
        shape: of the network.
        windows: of the song.
        notes: as in `GridPlayer.notes`.
        chord: (W, CELLS) in the frame.
        base: see `base_of`; in the frame.
        shift: (W,) into the frame.
        lowest: for a bass, whose pitches are counted from the root of the chord.
    """
    cells, bars = _empty(shape, windows, known_of(chord))
    state = np.full((len(windows), CELLS), REST, dtype=np.int64)
    if len(notes):
        order = np.argsort(-notes[:, PITCH] if lowest else notes[:, PITCH], kind="stable")
        notes = notes[order]
        window, cell, lean = _places(windows, notes[:, START])
        first = np.concatenate([[0], np.cumsum(windows.cells)])
        flat = first[window] + cell
        chosen = np.full(first[-1], -1)
        chosen[flat] = np.arange(len(notes))  # the last of those that begin together stands
        chosen = chosen[chosen >= 0]
        notes, window, cell, lean, flat = notes[chosen], window[chosen], cell[chosen], lean[chosen], flat[chosen]
        above = notes[:, PITCH] + shift[window] - base - (root_above(chord[window, cell]) if lowest else 0) + 12
        pitch = np.where(above < 0, above % 12, np.where(above >= PITCHES, PITCHES - 12 + above % 12, above))
        long = _ends(windows, notes[:, START], notes[:, STEPS], cell, window)
        held = _held(flat + 1, long, np.append(flat[1:], first[-1]))
        at_window = np.searchsorted(first, held, side="right") - 1
        state[at_window, held - first[at_window]] = HOLD
        state[window, cell] = ONSET + pitch
        cells[window, cell, shape.span("lean").start + lean] = 1.0
        cells[window, cell, shape.span("level").start] = notes[:, LEVEL] / (VELOCITY_LEVELS - 1)
    np.put_along_axis(cells[..., shape.span("note")], state[..., None], 1.0, axis=-1)
    cells *= windows.mask[..., None]
    return bars


def chord_bars(shape: BarShape, windows: Windows, notes: Ints, chord: Ints, base: int, shift: Ints) -> Bars:
    """Returns the bars of a part that plays several notes, in rungs of the chord; arguments as in `line_bars`."""
    cells, bars = _empty(shape, windows, known_of(chord))
    if not len(notes):
        return bars
    window, cell, lean = _places(windows, notes[:, START])
    here = chord[window, cell]
    rung = rung_of_pitch(here, notes[:, PITCH] + shift[window] - base)
    octave = RUNGS_TO_THE_OCTAVE
    rung = np.where(rung < 0, rung % octave, np.where(rung >= RUNGS, RUNGS - octave + rung % octave, rung))
    first = np.concatenate([[0], np.cumsum(windows.cells)])
    long = _ends(windows, notes[:, START], notes[:, STEPS], cell, window)
    flat = first[window] + cell
    held = _held(flat + 1, long, np.full(len(flat), first[-1]))
    rungs = np.repeat(rung, np.minimum(long, first[-1] - flat - 1))
    at_window = np.searchsorted(first, held, side="right") - 1
    cells[at_window, held - first[at_window], shape.span("held").start + rungs] = 1.0
    cells[window, cell, shape.span("struck").start + rung] = 1.0
    cells[window, cell, shape.span("held").start + rung] = 0.0
    _lean_and_level(shape, cells, window, cell, lean, notes[:, LEVEL])
    return bars


def drum_bars(shape: BarShape, windows: Windows, notes: Ints) -> Bars:
    """Returns the bars of drums."""
    cells, bars = _empty(shape, windows, np.zeros((len(windows), CELLS, 1), dtype=np.float32))
    kind = CLASS_OF_DRUM[notes[:, PITCH]]
    notes, kind = notes[kind >= 0], kind[kind >= 0]
    if len(notes):
        window, cell, lean = _places(windows, notes[:, START])
        cells[window, cell, shape.span("hit").start + kind] = 1.0
        levels = cells[..., shape.span("level")]
        np.maximum.at(levels, (window, cell, kind), (notes[:, LEVEL] / (VELOCITY_LEVELS - 1)).astype(np.float32))
        span = shape.span("lean")
        cells[window, cell, span] = 0.0
        cells[window, cell, span.start + lean] = 1.0
        _one_lean(shape, cells)
    return bars


def _lean_and_level(shape: BarShape, cells: Floats, window: Ints, cell: Ints, lean: Ints, level: Ints) -> None:
    """Writes lean and the mean loudness of notes that begin together."""
    total, count = np.zeros(cells.shape[:2]), np.zeros(cells.shape[:2])
    np.add.at(total, (window, cell), level / (VELOCITY_LEVELS - 1))
    np.add.at(count, (window, cell), 1)
    cells[..., shape.span("level").start] = total / np.maximum(count, 1)
    cells[window, cell, shape.span("lean").start + lean] = 1.0
    _one_lean(shape, cells)


def _one_lean(shape: BarShape, cells: Floats) -> None:
    """Leaves one lean in each cell, the earliest."""
    lean = cells[..., shape.span("lean")]
    first = lean.argmax(-1)
    any_lean = lean.max(-1, keepdims=True)
    lean[:] = (np.arange(3) == first[..., None]) * any_lean


def harmony_bars(shape: BarShape, windows: Windows, chord: Ints, under: Ints) -> Bars:
    """Returns the bars of the harmony: root and tones of the chord in every eighth, and its bass above its root."""
    cells = np.zeros((len(windows), SLOTS, shape.width), dtype=np.float32)
    mask = windows.mask[:, ::2]
    chord, under = chord[:, ::2], under[:, ::2]
    root = np.where(chord > 0, 1 + root_above(chord), 0)
    away = np.where(under > 0, (under - 1 - root_above(chord)) % 12, 0)
    np.put_along_axis(cells[..., shape.span("root")], root[..., None], 1.0, axis=-1)
    cells[..., shape.span("tones")] = KNOWN[chord][..., :12]
    np.put_along_axis(cells[..., shape.span("under")], away[..., None], 1.0, axis=-1)
    cells *= mask[..., None]
    return Bars(cells, np.zeros((*mask.shape, 1), dtype=np.float32), mask)


def part_bars(
    kind: str, shapes: Mapping[str, BarShape], windows: Windows, notes: Ints, chord: Ints, base: int, shift: Ints
) -> Bars:
    """Returns the bars of a part of any kind but the harmony; arguments as in `line_bars`."""
    shape = shapes[kind]
    if kind == "drums":
        return drum_bars(shape, windows, notes)
    if kind == "chords":
        return chord_bars(shape, windows, notes, chord, base, shift)
    return line_bars(shape, windows, notes, chord, base, shift, lowest=kind == "bass")


def sounding(shape: BarShape, bars: Bars) -> NDArray[np.bool_]:
    """Returns (N,) in which bars of any kind but the harmony a note begins."""
    head = shape.heads[0]
    values = bars.cells[..., shape.span(head.name)]
    begins = values[..., ONSET:] if head.kind == "choice" else values
    found: NDArray[np.bool_] = begins.max(axis=(1, 2)) > 0
    return found
