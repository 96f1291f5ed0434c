"""What the frames of a piano roll so far say about the next one, as arrays; numpy alone. The network is `frame_model`.

Music repeats itself, and no network of modest size remembers a tune for two thousand frames. So the past is searched:
every earlier place is scored by how well what led to it agrees with what led here, and what followed the best places
is handed to the network as a hint, with how good the agreement was. A hint for a frame depends on frames before alone.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

OCTAVE = 12
LOOK_BACK = 64
"""Frames before a window that the network sees as they are."""
NUM_SCALARS = 4
NUM_HINTS = 5

_STILL = np.float32(0.15)  # what agreement counts for in a frame that only holds on
_FORGETS = np.float32(0.97)  # of an agreement with gaps, for each frame
_TONALITY_FORGETS = 0.96
_LONG_SILENCE = 255.0


@dataclass(frozen=True, slots=True)
class FrameHistory:
    """A piece and what its past says at every frame.

    Attributes:
        frames: (T, keys) uint8, the piece itself.
        hints: (T, keys, 5) float16: what followed the longest exact repeat, the best repeat with gaps, all repeats as a
            weighted mean; how long the key has been held, and how long silent (logarithms).
        scalars: (T, 4) float16: logarithm of the exact repeat's length, whether there is one, logarithm of the score
            with gaps, share of the best place in the mean.
        tonality: (T, 12) float16, shares of the pitch classes lately, counted from the lowest key.
    """

    frames: NDArray[np.uint8]
    hints: NDArray[np.float16]
    scalars: NDArray[np.float16]
    tonality: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.frames)


def frame_history(frames: NDArray[np.uint8]) -> FrameHistory:
    """Returns a piece with what its past says at every frame.

    Args:
        frames: (T, keys), 1 where a key sounds.
    """
    frames = np.ascontiguousarray(frames, dtype=np.uint8)
    repeats, scalars = _repeats(frames)
    held, silent, tonality = _durations(frames)
    hints = np.concatenate([repeats, held[..., None], silent[..., None]], axis=-1)  # (T, keys, 5)
    return FrameHistory(frames, hints.astype(np.float16), scalars.astype(np.float16), tonality.astype(np.float16))


def _repeats(frames: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns hints (T, keys, 3) and scalars (T, 4) of earlier places like this one."""
    length, keys = frames.shape
    rolls = frames.astype(np.float32)
    agreement = _agreement(rolls)
    still = np.zeros(length, np.bool_)
    still[1:] = (frames[1:] == frames[:-1]).all(axis=1)
    empty = frames.sum(axis=1) == 0
    hints = np.zeros((length, keys, 3), np.float32)
    scalars = np.zeros((length, NUM_SCALARS), np.float32)
    exact, loose = np.zeros(length + 1, np.float32), np.zeros(length + 1, np.float32)  # score of going on as from s
    for t in range(2, length):
        alike = agreement[t - 1, : t - 1]  # of frame t-1 with frames 0…t-2, which are followed by 1…t-1
        weight = np.where(still[: t - 1] & still[t - 1], _STILL, np.float32(1)) * (_STILL if empty[t - 1] else 1)
        exact[1:t] = np.where(alike > 0.999, exact[: t - 1] + weight, 0)
        loose[1:t] = np.maximum(0, _FORGETS * loose[: t - 1] + weight * (2.2 * alike - 1.2))
        exact[0] = loose[0] = 0.0
        if exact[best := _last_best(exact[:t])] > 0:
            hints[t, :, 0] = frames[best]
            scalars[t, :2] = np.log1p(exact[best]), 1.0
        if loose[best := _last_best(loose[:t])] > 0:
            share = loose[:t] ** 3
            share /= share.sum()
            hints[t, :, 1], hints[t, :, 2] = frames[best], share @ rolls[:t]
            scalars[t, 2:] = np.log1p(loose[best]), share.max()
    return hints, scalars


def _agreement(rolls: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns (T, T): keys that two frames share as a part of all that sound in either; 1 for two empty ones."""
    counts = rolls.sum(axis=1)
    both = rolls @ rolls.T
    either = counts[:, None] + counts[None, :] - both
    agreement: NDArray[np.float32] = np.where(either > 0, both / np.maximum(either, 1), 1).astype(np.float32)
    return agreement


def _last_best(scores: NDArray[np.float32]) -> int:
    """Returns where the highest score is, the latest of equals."""
    return len(scores) - 1 - int(scores[::-1].argmax())


def _durations(frames: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Returns how long keys have been held and silent (T, keys), and the tonality (T, 12), before each frame."""
    length, keys = frames.shape
    held, silent = np.zeros((length, keys), np.float32), np.zeros((length, keys), np.float32)
    tonality = np.zeros((length, OCTAVE), np.float32)
    classes = np.eye(OCTAVE)[np.arange(keys) % OCTAVE]  # (keys, 12)
    on, off, mean = np.zeros(keys), np.full(keys, _LONG_SILENCE), np.zeros(OCTAVE)
    for t in range(length):
        held[t], silent[t] = np.log1p(on) / 3, np.log1p(off) / 5
        tonality[t] = mean / max(float(mean.sum()), 1e-6)
        sounds = frames[t] > 0
        on = np.where(sounds, on + 1, 0)
        off = np.where(sounds, 0, np.minimum(off + 1, _LONG_SILENCE))
        mean = _TONALITY_FORGETS * mean + frames[t] @ classes
    return held, silent, tonality


@dataclass(frozen=True, slots=True)
class FrameWindow:
    """A stretch of a piece as the network reads it.

    Attributes:
        frames: (64 + T, keys) float32, the frames before the stretch and the stretch; zeros outside the piece.
        hints: (T, keys, 5) float32.
        scalars: (T, 4) float32.
        tonality: (T, 12) float32.
        times: (T,) int64, frames since the piece began.
        mask: (T,) whether the frame is one of the piece.
    """

    frames: NDArray[np.float32]
    hints: NDArray[np.float32]
    scalars: NDArray[np.float32]
    tonality: NDArray[np.float32]
    times: NDArray[np.int64]
    mask: NDArray[np.bool_]


def window(history: FrameHistory, start: int, length: int, shift: int = 0) -> FrameWindow:
    """Returns frames start … start + length - 1 of a piece, transposed.

    Args:
        history: the piece.
        start: first frame, from 0.
        length: frames; those after the end of the piece are masked.
        shift: semitones upwards; no sounding key may leave the keyboard.
    """
    stop = min(start + length, len(history))
    before = min(LOOK_BACK, start)
    frames = np.zeros((LOOK_BACK + length, history.frames.shape[1]), np.float32)
    frames[LOOK_BACK - before : LOOK_BACK + max(stop - start, 0)] = history.frames[start - before : stop]

    def cut(array: NDArray[np.float16]) -> NDArray[np.float32]:
        part = np.zeros((length, *array.shape[1:]), np.float32)
        part[: max(stop - start, 0)] = array[start:stop]
        return part

    return FrameWindow(
        frames=np.roll(frames, shift, axis=1),
        hints=np.roll(cut(history.hints), shift, axis=1),
        scalars=cut(history.scalars),
        tonality=np.roll(cut(history.tonality), shift, axis=1),
        times=np.arange(start, start + length, dtype=np.int64),
        mask=np.arange(start, start + length) < len(history),
    )


def stack(windows: list[FrameWindow]) -> dict[str, NDArray[np.generic]]:
    """Returns windows of one length as arrays with a batch axis in front, by the names of `FrameWindow`."""
    return {field.name: np.stack([getattr(w, field.name) for w in windows]) for field in fields(FrameWindow)}
