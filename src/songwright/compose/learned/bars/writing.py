"""What the networks say of bars becomes cells that are decided, and decided cells become notes on the grid.

How many notes a bar has is the sum of the probabilities that the network is not indifferent about, so that a bar half
way between two others is neither empty nor crowded; which ones is decided by likelihood, the pitches of a line
together with their leaps and with the harmony.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.compose.learned.bars.cells import Windows, root_above
from songwright.compose.learned.bars.kinds import (
    CELL,
    CELLS,
    HOLD,
    KNOWN,
    LEAN,
    ONSET,
    PITCHES,
    REST,
    pitch_of_rung,
)
from songwright.compose.tokens.vocabulary import VELOCITY_LEVELS

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
INDIFFERENT = 0.04
"""Less likely than this is not counted."""

WHITE = np.isin(np.arange(12), (0, 2, 4, 5, 7, 9, 11))
"""Pitch classes of the frame's scale."""

FOREIGN = 1e6
"""Nats that a note outside of scale and chord costs: what is new is in the harmony."""

CLASH = 2.5
"""Nats that a note on a beat costs that is not of the chord."""

EASY_LEAP, LEAP = 4, 0.5
"""Semitones that cost nothing from note to note, and nats of every further one."""

BEAT_CELLS = 4


@dataclass(frozen=True)
class Line:
    """Bars of a single voice.

    Attributes:
        state: (W, CELLS) hold, rest, or `ONSET` and a pitch.
        lean: (W, CELLS) 0 early, 1 on the sixteenth, 2 late.
        level: (W, CELLS) loudness, 0 to 1.
    """

    state: Ints
    lean: Ints
    level: Floats

    def same(self, other: "Line") -> Bools:
        """Returns (W,) which windows have the same notes at the same places."""
        found: Bools = (self.state == other.state).all(1)
        return found


@dataclass(frozen=True)
class Roll:
    """Bars of chords or of drums.

    Attributes:
        struck: (W, CELLS, rows) what begins.
        held: (W, CELLS, rows) what goes on.
        lean: (W, CELLS).
        level: (W, CELLS, 1 or rows).
    """

    struck: Bools
    held: Bools
    lean: Ints
    level: Floats

    def same(self, other: "Roll") -> Bools:
        """Returns (W,) which windows have the same notes at the same places."""
        found: Bools = (self.struck == other.struck).all((1, 2)) & (self.held == other.held).all((1, 2))
        return found


def line_of(said: dict[str, Floats], mask: Bools, chord: Ints, *, from_root: bool = False) -> Line:
    """Returns the notes of a tune or bass.

    Args:
        said: what the decoder says.
        mask: (W, CELLS).
        chord: (W, CELLS) in the frame.
        from_root: whether pitches are counted from the root of the chord.
    """
    logits = said["note"].astype(np.float64)
    logits = logits - _log_sum(logits)
    begins = np.exp(logits[..., ONSET:]).sum(-1) * mask
    chosen = _most_likely(begins)
    state = np.where(logits[..., HOLD] >= logits[..., REST], HOLD, REST)
    pitches = _pitch_nats(logits[..., ONSET:], chord, from_root=from_root)
    for row in range(len(state)):
        cells = np.flatnonzero(chosen[row])
        if len(cells):
            state[row, cells] = ONSET + _best_line(pitches[row, cells])
    state[~mask] = REST
    return Line(state, said["lean"].argmax(-1), np.clip(said["level"][..., 0], 0.0, 1.0))


def _pitch_nats(logits: NDArray[np.float64], chord: Ints, *, from_root: bool) -> NDArray[np.float64]:
    """Returns the log-probabilities of pitches, less what stands against the harmony."""
    root = root_above(chord) if from_root else np.zeros_like(chord)
    sound = (root[..., None] + np.arange(PITCHES)) % 12  # (W, CELLS, PITCHES) pitch classes
    tones = np.take_along_axis(KNOWN[chord][..., :12] > 0, sound, axis=-1)
    known = (chord > 0)[..., None]
    on_beat = (np.arange(CELLS) % BEAT_CELLS == 0)[:, None]
    found: NDArray[np.float64] = logits - FOREIGN * ~(WHITE[sound] | tones) - CLASH * (known & ~tones & on_beat)
    return found


def _best_line(nats: NDArray[np.float64]) -> Ints:
    """Returns the pitches (n,) of the likeliest way through (n, PITCHES), leaps weighed."""
    steps = np.abs(np.arange(PITCHES)[:, None] - np.arange(PITCHES))
    cost = LEAP * np.maximum(0, steps - EASY_LEAP)
    best, back = nats[0], []
    for row in nats[1:]:
        ways = best[None, :] - cost  # to, from
        back.append(ways.argmax(1))
        best = row + ways.max(1)
    line = [int(best.argmax())]
    for before in reversed(back):
        line.append(int(before[line[-1]]))
    return np.array(line[::-1])


def roll_of(said: dict[str, Floats], mask: Bools) -> Roll:
    """Returns the notes of chords."""
    struck = _each(said["struck"], mask)
    held = (said["held"] > 0) & mask[..., None] & ~struck
    for cell in range(held.shape[1]):
        if cell:
            held[:, cell] &= held[:, cell - 1] | struck[:, cell - 1]
    return Roll(struck, held, said["lean"].argmax(-1), np.clip(said["level"], 0.0, 1.0))


def kit_of(said: dict[str, Floats], mask: Bools) -> Roll:
    """Returns the notes of drums."""
    hits = np.stack([_each(said["hit"][..., i : i + 1], mask)[..., 0] for i in range(said["hit"].shape[-1])], axis=-1)
    return Roll(hits, np.zeros_like(hits), said["lean"].argmax(-1), np.clip(said["level"], 0.0, 1.0))


def _each(logits: Floats, mask: Bools) -> Bools:
    likely = mask[..., None] * 0.5 * (1.0 + np.tanh(0.5 * logits.astype(np.float64)))
    return _most_likely(likely.reshape(len(likely), -1)).reshape(likely.shape)


def _most_likely(likely: NDArray[np.float64]) -> Bools:
    """Returns in each row as many of the likeliest as are to be expected."""
    sure = likely > INDIFFERENT
    count = np.rint((likely * sure).sum(1)).astype(np.int64)
    rank = np.argsort(np.argsort(-likely, axis=1, kind="stable"), axis=1, kind="stable")
    found: Bools = sure & (rank < count[:, None])
    return found


def _log_sum(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    most = logits.max(-1, keepdims=True)
    found: NDArray[np.float64] = most + np.log(np.exp(logits - most).sum(-1, keepdims=True))
    return found


def line_notes(
    line: Line, row: int, window: int, windows: Windows, chord: Ints, base: int, *, from_root: bool = False
) -> Ints:
    """Returns (n, 5) of one window: start in steps of the song, pitch in the frame, length, level, and cell.

    Args:
        line: several bars.
        row: which of them.
        window: the window in which it stands.
        windows: of the song.
        chord: (CELLS,) of the window, in the frame.
        base: see `cells.base_of`.
        from_root: whether pitches are counted from the root of the chord.
    """
    state, rows = line.state[row], []
    cells = int(windows.cells[window])
    for cell in np.flatnonzero(state >= ONSET).tolist():
        end = cell + 1
        while end < cells and state[end] == HOLD:
            end += 1
        root = int(root_above(chord[cell : cell + 1])[0]) if from_root else 0
        pitch = base - 12 + root + int(state[cell]) - ONSET
        level = _level(line.level[row, cell])
        rows.append((_start(windows, window, cell, int(line.lean[row, cell])), pitch, end - cell, level, cell))
    return _on_grid(rows, windows, window)


def roll_notes(roll: Roll, row: int, window: int, windows: Windows, chord: Ints, base: int) -> Ints:
    """Returns the notes of one window of chords, as `line_notes` does."""
    rows = []
    cells = int(windows.cells[window])
    for cell, rung in np.argwhere(roll.struck[row]).tolist():
        end = cell + 1
        while end < cells and roll.held[row, end, rung]:
            end += 1
        pitch = base + int(pitch_of_rung(chord[cell], np.array(rung)))
        level = _level(roll.level[row, cell, 0])
        rows.append((_start(windows, window, cell, int(roll.lean[row, cell])), pitch, end - cell, level, cell))
    return _on_grid(rows, windows, window)


def kit_notes(roll: Roll, row: int, window: int, windows: Windows) -> Ints:
    """Returns the notes of one window of drums, as `line_notes` does; pitches are places in `DRUM_CLASSES`."""
    rows = [
        (
            _start(windows, window, cell, int(roll.lean[row, cell])), kind, 1,
            _level(roll.level[row, cell, kind]), cell,
        )
        for cell, kind in np.argwhere(roll.struck[row]).tolist()
    ]  # fmt: skip
    return _on_grid(rows, windows, window)


def _level(value: float) -> int:
    return int(np.clip(round(float(value) * (VELOCITY_LEVELS - 1)), 1, VELOCITY_LEVELS - 1))


def _start(windows: Windows, window: int, cell: int, lean: int) -> int:
    return int(windows.starts[window]) + max(0, CELL * cell + LEAN * (lean - 1))


def _on_grid(rows: list[tuple[int, int, int, int, int]], windows: Windows, window: int) -> Ints:
    """Returns rows with lengths in steps, none beyond the window."""
    found = np.array(rows, dtype=np.int64).reshape(-1, 5)
    end = windows.starts[window] + windows.steps[window]
    first = windows.starts[window] + CELL * found[:, 4]
    found[:, 2] = np.maximum(1, np.minimum(first + CELL * found[:, 2], end) - found[:, 0])
    return found[np.lexsort((found[:, 1], found[:, 0]))]
