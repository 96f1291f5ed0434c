"""What can be said of a part beforehand: levels measured from its notes, which the header of an example carries.

A composer that is told "sparse, low, repeating" learned these words from measured music; what is not said is its own
choice.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.encode import Codes
from songwright.compose.tokens.vocabulary import (
    CONTROL_LEVELS,
    DRUM_ROLES,
    GRID,
    KIND,
    POSITION,
    VALUE,
    VALUES,
    Kind,
)

Ints = NDArray[np.int64]
CONTROLS = (Kind.DENSITY, Kind.REGISTER, Kind.POLYPHONY, Kind.SYNCOPATION, Kind.REPETITION)
"""Kinds of controls, in the order of the levels."""

UNSAID = -1
_DENSITY = np.array([0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0])
"""Onsets to the quarter note at which the next level begins."""

_POLYPHONY = np.array([1.02, 1.3, 1.7, 2.2, 2.7, 3.2, 3.8, 4.5, 6.0])
"""Notes to the onset."""

_LOWEST, _SEMITONES = 36, 6
"""Mean pitch at which the second level of register begins, and semitones to the level."""


def measure(events: Codes, bars: Ints, role: int, bar_steps: Ints, shift: int = 0) -> tuple[int, ...]:
    """Returns the levels (0 to 9) of density, register, polyphony, syncopation and repetition of a part.

    Density counts onsets to the quarter over all bars; register is the mean pitch in levels of six semitones; polyphony
    notes to the onset; syncopation the share of onsets off the quarter notes; repetition the share of playing bars
    whose onsets (of the harmony: chords) are those of an earlier bar. What does not apply (register of drums and
    chords, all of a silent part but density) is `UNSAID`.

    Args:
        events: (6, n) of the part, without TRACK, in order of time.
        bars: (n,) bar of each event.
        role: place in `ROLES`.
        bar_steps: (bars,) lengths of all bars that the part could play in.
        shift: semitones by which the events will be transposed.
    """
    at = np.flatnonzero((events[KIND] == Kind.NOTE) | (events[KIND] == Kind.CHORD))
    if not len(at):
        return (0, UNSAID, UNSAID, UNSAID, UNSAID)
    values, places = events[VALUE, at].astype(np.int64), events[POSITION, at].astype(np.int64) - 1
    is_harmony = bool(events[KIND, at[0]] == Kind.CHORD)
    onsets = bars[at] * 1000 + places
    onsets = onsets[np.diff(onsets, prepend=-1) > 0]
    quarters = max(1.0, float(bar_steps.sum()) / GRID)
    density = int(np.searchsorted(_DENSITY, len(onsets) / quarters, side="right"))
    register = polyphony = UNSAID
    if not is_harmony:
        polyphony = int(np.searchsorted(_POLYPHONY, len(at) / len(onsets), side="right"))
        if role not in DRUM_ROLES:
            mean = float(values.mean()) - VALUES["pitch"].start + shift
            register = int(np.clip((mean - _LOWEST) // _SEMITONES + 1, 0, CONTROL_LEVELS - 1))
    off = float(np.mean(onsets % 1000 % GRID > 0))
    if is_harmony:
        repeated = _repeated(bars[at], places * VALUES["chord"].stop + values)
    else:
        repeated = _repeated(onsets // 1000, onsets % 1000)
    return (density, register, polyphony, _tenth(off), _tenth(repeated))


def _tenth(share: float) -> int:
    return min(CONTROL_LEVELS - 1, int(share * CONTROL_LEVELS))


def _repeated(bars: Ints, what: Ints) -> float:
    """Returns the share of bars that are like an earlier one; bars rise."""
    cuts = [0, *(np.flatnonzero(np.diff(bars)) + 1).tolist(), len(bars)]
    patterns = [what[a:b].tobytes() for a, b in pairwise(cuts)]
    return 1.0 - len(set(patterns)) / len(patterns)
