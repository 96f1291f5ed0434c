"""Changes of events that leave the music what it is: transposition, into a common frame of keys, and loudness."""

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.bars import key_of
from songwright.compose.tokens.encode import Codes
from songwright.compose.tokens.vocabulary import (
    KIND,
    LENGTH,
    LENGTHS,
    MODE_NAMES,
    QUALITY_NAMES,
    VALUE,
    VALUES,
    VELOCITIES,
    VELOCITY,
    VELOCITY_LEVELS,
    Kind,
)

_OCTAVE = 12


def frame_shift(key: int) -> int:
    """Returns the semitones (-5 to 6) that take a key to the signature without sharps and flats.

    Major becomes C major, minor A minor, dorian D dorian: one frame for all keys, so that nothing has to be learned
    twelve times.

    Args:
        key: number of a key, as in `bars.key_number`.
    """
    relative_major = key_of(key).fifths * 7 % _OCTAVE
    return -relative_major if relative_major <= 5 else _OCTAVE - relative_major


def transpose(codes: Codes, semitones: int) -> Codes:
    """Returns events that sound some semitones higher: notes, chords, their basses, and keys; drums stay.

    Pitches that would leave 0 to 127 move by an octave. `transpose(transpose(codes, s), -s)` is `codes` where none did.
    """
    out = codes.copy()
    if not semitones:
        return out
    kinds, values = codes[KIND], codes[VALUE].astype(np.int64)
    pitch = VALUES["pitch"]
    notes = (kinds == Kind.NOTE) & (values < pitch.stop)
    moved = values[notes] - pitch.start + semitones
    moved = np.where(moved < 0, moved + _OCTAVE, np.where(moved >= pitch.size, moved - _OCTAVE, moved))
    out[VALUE, notes] = moved + pitch.start
    chord, size = VALUES["chord"], len(QUALITY_NAMES)
    chords = (kinds == Kind.CHORD) & (values > chord.start)
    root, quality = np.divmod(values[chords] - chord.start - 1, size)
    out[VALUE, chords] = chord.start + 1 + (root + semitones) % _OCTAVE * size + quality
    bass = LENGTHS["bass"]
    slash = (kinds == Kind.CHORD) & (codes[LENGTH] > 0)
    out[LENGTH, slash] = bass.start + (codes[LENGTH, slash] - bass.start + semitones) % _OCTAVE
    key, modes = VALUES["key"], len(MODE_NAMES)
    keys = kinds == Kind.KEY
    tonic, mode = np.divmod(values[keys] - key.start, modes)
    out[VALUE, keys] = key.start + (tonic + semitones) % _OCTAVE * modes + mode
    return out


def shift_velocities(codes: Codes, levels: NDArray[np.int64] | int) -> Codes:
    """Returns events whose notes are some levels louder, within what there is.

    Args:
        codes: (6, T).
        levels: of each event (T,), or of all.
    """
    out = codes.copy()
    notes = codes[KIND] == Kind.NOTE
    level = VELOCITIES["level"]
    moved = np.clip(codes[VELOCITY] - level.start + levels, 0, VELOCITY_LEVELS - 1) + level.start
    out[VELOCITY, notes] = moved[notes]
    return out
