"""What is said of a bar of each kind of part: tune, bass, chords, drums and harmony; and the common frame they are in.

All pitches are in the frame of the signature without sharps and flats (`tokens.augment.frame_shift`). A tune is
counted from a C below it, a bass from the root of the chord, chords in rungs: the tones of the chord in force, counted
up from a C. So a bass or a comping that is written over other chords follows them.
"""

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.vocabulary import QUALITY_NAMES
from songwright.neural.bar_network import BarShape, Head
from songwright.score.theory import QUALITIES

Ints = NDArray[np.int64]
CELL = 6
"""Steps of a cell: a sixteenth."""

CELLS = 16
"""Most cells that are read at a time; longer bars are divided evenly."""

SLOTS = 8
"""Cells of the harmony: eighths."""

LEAN = 2
"""Steps by which a note stands before or after its sixteenth: triplets are a sixteenth and a lean."""

HOLD, REST, ONSET = 0, 1, 2
"""Numbers of the head ``note``: on, off, and from here on the pitches that begin."""

PITCHES = 36
"""Pitches of tunes and basses: an octave below the one that they are counted from, and two above."""

RUNGS = 20
"""Rungs of chords, from the C below the lowest note of the part."""

RUNGS_TO_THE_OCTAVE = 4

KINDS = ("tune", "bass", "chords", "drums", "harmony")
CONDITION = 24
"""Numbers known of a cell: the pitch classes of the chord, then its root; all zero where there is none."""

DRUM_CLASSES: tuple[tuple[int, ...], ...] = (
    (36, 35), (38, 40), (37, 39), (42, 44), (46,), (51, 53, 59), (49, 57, 52, 55), (41, 43), (45, 47), (50, 48),
    (54, 69, 70, 82), (56, 60, 61, 62, 63, 64, 65, 66, 67, 68, 75, 76, 77),
)  # fmt: skip
"""Drums that are one: kick, snare, rim and clap, closed and open hat, ride, crash, toms, shakers, other."""

CLASS_OF_DRUM = np.full(128, -1, dtype=np.int64)
for _place, _drums in enumerate(DRUM_CLASSES):
    CLASS_OF_DRUM[list(_drums)] = _place

_LEAN = Head("lean", 3, "choice", "note")


def bar_shapes(hidden_dim: int = 160, cell_dim: int = 32, latent_dim: int = 48) -> dict[str, BarShape]:
    """Returns the shape of the network of each kind, in the order of `KINDS`.

    Args:
        hidden_dim: width of a bar inside; of the harmony half as wide.
        cell_dim: width of a cell inside.
        latent_dim: numbers of the latent of tunes, chords and drums; bass has two thirds of it, harmony half.
    """
    line = (Head("note", ONSET + PITCHES, "choice"), _LEAN, Head("level", 1, "level", "note"))
    roll = (
        Head("struck", RUNGS, "yes"), Head("held", RUNGS, "yes"), Head("lean", 3, "choice", "struck"),
        Head("level", 1, "level", "struck"),
    )  # fmt: skip
    kit = (
        Head("hit", len(DRUM_CLASSES), "yes"), Head("lean", 3, "choice", "hit"),
        Head("level", len(DRUM_CLASSES), "level", "hit"),
    )  # fmt: skip
    full = {"latent_dim": latent_dim, "cell_dim": cell_dim, "hidden_dim": hidden_dim}
    return {
        "tune": BarShape(CELLS, CONDITION, line, **full),
        "bass": BarShape(CELLS, CONDITION, line, **{**full, "latent_dim": max(1, latent_dim * 2 // 3)}),
        "chords": BarShape(CELLS, CONDITION, roll, **full),
        "drums": BarShape(CELLS, 1, kit, **full),
        "harmony": BarShape(
            SLOTS, 1, (Head("root", 13, "choice"), Head("tones", 12, "yes"), Head("under", 12, "choice")),
            max(1, latent_dim // 2), cell_dim, max(1, hidden_dim // 2),
        ),
    }  # fmt: skip


def _ladder(quality: str) -> list[tuple[int, bool]]:
    """Returns the four tones above a root that rungs are, and whether the chord has each: root, third, fifth, colour.

    Every chord has four, so that a rung lies about as high over one chord as over another; a tone that the chord does
    not have is never read, and written as the one below it.
    """
    has = QUALITIES[quality]

    def one(options: tuple[int, ...], otherwise: int) -> tuple[int, bool]:
        return next(((i, True) for i in options if i in has), (otherwise, False))

    third, fifth = one((4, 3, 5, 2), 4), one((7, 6, 8), 7)
    return [(0, True), third, fifth, one((10, 11, 9), 10 if fifth[0] == 8 else 9)]


def _tables() -> tuple[NDArray[np.float32], Ints, Ints, NDArray[np.bool_]]:
    """Returns what is known of every chord number of the vocabulary, see the names below."""
    count = 1 + 12 * len(QUALITY_NAMES)
    rung = np.zeros((count, 12), np.int64)
    known, tones = np.zeros((count, CONDITION), np.float32), np.zeros((count, 4), np.int64)
    real = np.zeros((count, 4), np.bool_)
    for number in range(count):
        root, quality = divmod(number - 1, len(QUALITY_NAMES)) if number else (0, 0)
        if number:
            known[number, [(root + i) % 12 for i in QUALITIES[QUALITY_NAMES[quality]]]] = 1.0
            known[number, 12 + root] = 1.0
        own = sorted(((root + i) % 12, has) for i, has in _ladder(QUALITY_NAMES[quality]))
        tones[number], real[number] = [tone for tone, _ in own], [has for _, has in own]
        around = [(t + 12 * o, i + 4 * o) for o in (-1, 0, 1) for i, (t, has) in enumerate(own) if has]
        for pitch in range(12):
            rung[number, pitch] = min(around, key=lambda a, p=pitch: (abs(a[0] - p), a[0]))[1]  # type: ignore[misc]
    return known, rung, tones, real


KNOWN, RUNG, LADDER, REAL = _tables()
"""Of every chord number of the vocabulary, 0 being C major where nothing is known: what the condition says (zeros
for 0); the rung nearest to each pitch class above a C; the pitch classes of the four rungs of an octave; and which of
them the chord has.
"""


def pitch_of_rung(chord: Ints, rung: Ints) -> Ints:
    """Returns semitones above the C that rungs are counted from; a tone that the chord lacks is the one below it."""
    octave, place = np.divmod(rung, RUNGS_TO_THE_OCTAVE)
    for _ in range(2):  # two that are lacking may lie side by side
        lacking = ~REAL[chord, place]
        octave, place = np.divmod(RUNGS_TO_THE_OCTAVE * octave + place - lacking, RUNGS_TO_THE_OCTAVE)
    found: Ints = 12 * octave + LADDER[chord, place]
    return found


def rung_of_pitch(chord: Ints, above: Ints) -> Ints:
    """Returns the rung nearest to a pitch, in semitones above the C that rungs are counted from."""
    octave, place = np.divmod(above, 12)
    found: Ints = octave * RUNGS_TO_THE_OCTAVE + RUNG[chord, place]
    return found
