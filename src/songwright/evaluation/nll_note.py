"""The note metric of four-part chorales: four pitches per 16th, held notes repeated, nats per pitch.

Every frame counts, the first too, and rests. The four pitches of a frame may be predicted in any order or jointly:
what is summed is -ln p of the frame given all frames before it, and a frame counts for four notes.

Reference: Huang et al., Music Transformer (arXiv 1809.04281), table of JS Bach chorales (U2 of this project's tables).
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from songwright.evaluation.nll import PieceModel

KIND = "chorale"
VOICES = 4
REST = -1


def parse(rows: Any) -> NDArray[np.int64]:
    """Returns a piece out of JSON: (frames, 4) MIDI pitches, -1 where a voice rests.

    Raises:
        ValueError: it is no list of frames of four whole numbers from -1 to 127.
    """
    if not isinstance(rows, list) or not rows:
        raise ValueError("expected a list of frames")
    for number, frame in enumerate(rows, start=1):
        if not isinstance(frame, list) or len(frame) != VOICES:
            raise ValueError(f"frame {number} should hold four pitches (soprano, alto, tenor, bass; -1 rests)")
        for pitch in frame:
            if isinstance(pitch, bool) or not isinstance(pitch, int | float) or not float(pitch).is_integer():
                raise ValueError(f"frame {number} holds {pitch!r}: expected a whole number, -1 for a rest")
            if not REST <= pitch <= 127:
                raise ValueError(f"frame {number} holds {pitch}: MIDI pitches go from 0 to 127, -1 rests")
    return np.asarray(rows, dtype=np.int64)


def load(config: dict[str, Any], tensors: dict[str, Any]) -> "PieceModel":
    """Returns the chorale network of a model folder."""
    from songwright.neural.chorale_mixture import load_chorale_model

    return load_chorale_model(config, tensors)


def score(model: "PieceModel", pieces: Sequence[NDArray[np.int64]]) -> tuple[float, int]:
    """Returns all nats and the number of notes, four for each frame."""
    nats = math.fsum(part for piece in model.frame_nats(pieces) for part in piece.tolist())
    return nats, VOICES * sum(len(piece) for piece in pieces)
