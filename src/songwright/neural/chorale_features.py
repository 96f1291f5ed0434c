"""What a chorale network is told before it predicts a frame: pitches, how long they are held, what came before, where.

Plain numpy: (frames, 4) codes become integer ids into embedding tables. Nothing at frame t looks at frame t or later;
nothing knows how long the piece is. A frame is a 16th, four frames are a beat, four beats a bar where the metre is 4/4.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.errors import InputError

VOICES = 4
REST = -1
LOWEST, HIGHEST = 33, 84
"""MIDI pitches that have a code; the chorales in four parts use 36 to 81."""
NUM_CODES = HIGHEST - LOWEST + 2
"""0 rests, 1 is the lowest pitch; NUM_CODES itself stands for what is not known yet."""
FRAMES_PER_BEAT = 4

MAX_AGE = 16
MAX_LEAP = 12
LEAPS = 2 * MAX_LEAP + 3
PAIRS = ((0, 1), (1, 2), (2, 3), (0, 3), (0, 2))
"""Voices whose distance is told; soprano is 0, bass is 3."""
SPACINGS = 50
PHASES = (4, 16, 12)
"""Position is told modulo a beat, a bar of four beats and a bar of three."""
MAX_BEAT = 64
HISTORY_FRAMES = (16, 64)
HISTORIES = 2 * len(HISTORY_FRAMES) + 1
_PSEUDO_COUNT = 0.5

Ids = NDArray[np.int64]


def _table_sizes() -> list[int]:
    voice = [NUM_CODES + 1, MAX_AGE + 1, LEAPS, MAX_AGE + 1]
    return [*(voice * VOICES), *([SPACINGS] * len(PAIRS)), *PHASES, MAX_BEAT + 1]


_FRAME_SIZES = _table_sizes()
_FRAME_OFFSETS = np.cumsum([0, *_FRAME_SIZES[:-1]])
FRAME_IDS = len(_FRAME_SIZES)
"""Ids of one frame."""
FRAME_TABLE = sum(_FRAME_SIZES)
"""Rows of the table that the ids of frames point into."""
_SLOTS = VOICES * FRAMES_PER_BEAT
BEAT_IDS = FRAME_IDS + 2 * _SLOTS
"""Ids of one beat: those of its first frame, and two for each note of the beat before."""
BEAT_TABLE = FRAME_TABLE + _SLOTS * (NUM_CODES + 1 + LEAPS)
"""Rows of the table that the ids of beats point into."""


@dataclass(frozen=True, slots=True)
class ChoraleFeatures:
    """A piece as a network is told it.

    Attributes:
        frame_ids: (frames, FRAME_IDS) what is known before each frame.
        beat_ids: (beats, BEAT_IDS) what is known before each beat.
        last: (frames, 4) codes of the frame before; 0 before the first.
        codes: (frames, 4) what is to be predicted.
    """

    frame_ids: Ids
    beat_ids: Ids
    last: Ids
    codes: Ids


def codes_of(pitches: NDArray[np.integer]) -> Ids:
    """Returns MIDI pitches (frames, 4) as codes.

    Raises:
        InputError: a pitch has no code.
    """
    sounding = pitches[pitches != REST]
    if sounding.size and (sounding.min() < LOWEST or sounding.max() > HIGHEST):
        raise InputError(
            f"a chorale network knows the pitches {LOWEST} to {HIGHEST}, got {sounding.min()} to {sounding.max()}"
        )
    return np.where(pitches == REST, 0, pitches - LOWEST + 1).astype(np.int64)


def transposed(codes: Ids, semitones: int) -> Ids:
    """Returns codes moved by semitones; rests stay, a pitch that would leave the codes stops at the last one."""
    return np.where(codes > 0, np.clip(codes + semitones, 1, NUM_CODES - 1), 0)


def features_of(codes: Ids) -> ChoraleFeatures:
    """Returns what a network is told about a piece.

    Args:
        codes: (frames, 4) as `codes_of` gives them; frame 0 starts a beat.
    """
    num_frames = len(codes)
    columns: list[Ids] = []
    last = np.vstack([np.zeros((1, VOICES), np.int64), codes[:-1]])
    for voice in range(VOICES):
        columns += _melody(codes[:, voice])
    for upper, lower in PAIRS:
        both = (last[:, upper] > 0) & (last[:, lower] > 0)
        space = np.clip(last[:, upper] - last[:, lower] + 8, 0, SPACINGS - 2) + 1
        columns.append(np.where(both, space, 0))
    frame = np.arange(num_frames)
    columns += [frame % phase for phase in PHASES]
    columns.append(np.minimum(frame // FRAMES_PER_BEAT, MAX_BEAT))
    frame_ids = np.stack(columns, axis=1) + _FRAME_OFFSETS  # (T, FRAME_IDS)
    return ChoraleFeatures(frame_ids, _beats(frame_ids, codes), last, codes)


def histories_of(codes: Ids) -> NDArray[np.float32]:
    """Returns how common each code was so far, (frames, 4, NUM_CODES, HISTORIES) log shares before each frame.

    First the shares of pitch classes among all voices in the last frames of each of `HISTORY_FRAMES` and in the whole
    past, then those of a voice's own codes, likewise but for the shortest time.
    """
    num_frames = len(codes)
    counts = np.zeros((num_frames + 1, VOICES, NUM_CODES), np.float32)
    counts[np.arange(1, num_frames + 1)[:, None], np.arange(VOICES), codes] = 1
    counts = np.cumsum(counts, axis=0, dtype=np.float32)
    pitch_class = (np.arange(NUM_CODES) + LOWEST - 1) % 12
    sounding = counts[:, :, 1:].sum(axis=1) @ np.eye(12, dtype=np.float32)[pitch_class[1:]]  # (frames + 1, 12)
    result = np.empty((num_frames, VOICES, NUM_CODES, HISTORIES), np.float32)
    frame = np.arange(num_frames)
    for number, length in enumerate((*HISTORY_FRAMES, num_frames)):
        start = np.maximum(frame - length, 0)
        recent = sounding[frame] - sounding[start] + _PSEUDO_COUNT
        share = np.log(recent / recent.sum(axis=1, keepdims=True))
        result[..., number] = share[:, None, pitch_class]
        if number > 0:
            own = counts[frame] - counts[start] + _PSEUDO_COUNT
            result[..., len(HISTORY_FRAMES) + number] = np.log(own / own.sum(axis=2, keepdims=True))
    result[:, :, 0, : len(HISTORY_FRAMES) + 1] = 0.0  # a rest has no pitch class
    return result


def _melody(codes: Ids) -> list[Ids]:
    """Returns four columns of a voice: the code before each frame, since when, the leap to it, how long before."""
    frames = np.arange(len(codes))
    changed = np.append(True, codes[1:] != codes[:-1])
    start = np.maximum.accumulate(np.where(changed, frames, 0))  # of the note that sounds at each frame
    before = np.maximum(start - 1, 0)
    first = start == 0
    leap = np.clip(codes - codes[before], -MAX_LEAP, MAX_LEAP) + MAX_LEAP + 1
    leap = np.where(first | (codes == 0) | (codes[before] == 0), 0, leap)
    earlier = np.where(first, 0, np.minimum(start - start[before], MAX_AGE))
    age = np.minimum(frames - start + 1, MAX_AGE)
    return [np.append(0, column[:-1]) for column in (codes + 1, age, leap, earlier)]


def _beats(frame_ids: Ids, codes: Ids) -> Ids:
    """Returns (beats, BEAT_IDS): the ids of a beat's first frame, the notes of the beat before and how they moved."""
    starts = frame_ids[::FRAMES_PER_BEAT]
    num_beats = len(starts)
    full = np.full(((num_beats + 1) * FRAMES_PER_BEAT, VOICES), NUM_CODES, np.int64)
    full[FRAMES_PER_BEAT : FRAMES_PER_BEAT + len(codes)] = codes
    notes = full[: num_beats * FRAMES_PER_BEAT].reshape(num_beats, _SLOTS)  # (beats, slots) of the beat before
    old = np.vstack([np.full((1, _SLOTS), NUM_CODES, np.int64), notes[:-1]])
    pitched = (notes > 0) & (notes < NUM_CODES) & (old > 0) & (old < NUM_CODES)
    leap = np.where(pitched, np.clip(notes - old, -MAX_LEAP, MAX_LEAP) + MAX_LEAP + 2, (notes == old).astype(np.int64))
    slot = np.arange(_SLOTS)
    note_ids = FRAME_TABLE + slot * (NUM_CODES + 1) + notes
    leap_ids = FRAME_TABLE + _SLOTS * (NUM_CODES + 1) + slot * LEAPS + leap
    return np.concatenate([starts, note_ids, leap_ids], axis=1)
