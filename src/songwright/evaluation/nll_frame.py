"""The frame metric of piano rolls: 88 keys, each frame predicted jointly given all frames before it, nats per frame.

What is summed is -ln p(frame | all earlier frames of the piece), p being one distribution over all 2^88 frames; the
sum over all pieces is divided by the number of predicted frames. The headline counts every frame, the first of a
piece too, as Boulanger-Lewandowski's table is taken to do; `skip_first` leaves the first frame of each piece out of
both, as TCN's code does. TCN's rows are of 88 independent sigmoids and so of another class than joint ones.

Reference: Boulanger-Lewandowski et al., Modeling Temporal Dependencies in High-Dimensional Sequences (2012), Table 1
(U1 of this project's tables).
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from songwright.evaluation.nll import PieceModel

KIND = "frames"
LOWEST, HIGHEST = 21, 108


def parse(rows: Any) -> NDArray[np.uint8]:
    """Returns a piece out of JSON: (frames, 88), 1 where a key of the piano sounds.

    Raises:
        ValueError: it is no list of frames, each a list of MIDI pitches from 21 to 108.
    """
    if not isinstance(rows, list) or not rows:
        raise ValueError("expected a list of frames")
    frames = np.zeros((len(rows), HIGHEST - LOWEST + 1), np.uint8)
    for number, frame in enumerate(rows, start=1):
        if not isinstance(frame, list):
            raise ValueError(f"frame {number} should be a list of MIDI pitches, it is {str(frame)[:40]!r}")
        for pitch in frame:
            if isinstance(pitch, bool) or not isinstance(pitch, int | float) or not float(pitch).is_integer():
                raise ValueError(f"frame {number} holds {pitch!r}: expected a whole number")
            if not LOWEST <= pitch <= HIGHEST:
                raise ValueError(f"frame {number} holds {pitch}: the piano's keys go from {LOWEST} to {HIGHEST}")
            frames[number - 1, int(pitch) - LOWEST] = 1
    return frames


def load(config: dict[str, Any], tensors: dict[str, Any]) -> "PieceModel":
    """Returns the frame network of a model folder."""
    from songwright.neural.frame_model import load_frame_model

    return load_frame_model(config, tensors)


def score(model: "PieceModel", pieces: Sequence[NDArray[np.uint8]], *, skip_first: bool = False) -> tuple[float, int]:
    """Returns all nats and the number of predicted frames.

    Args:
        model: the network.
        pieces: (frames, 88) each.
        skip_first: whether the first frame of each piece is given, not predicted, as in TCN's code.
    """
    first = int(skip_first)
    nats = math.fsum(part for piece in model.frame_nats(pieces) for part in piece[first:].tolist())
    return nats, sum(max(0, len(piece) - first) for piece in pieces)


def bernoulli_floor(train: Sequence[NDArray[np.uint8]], pieces: Sequence[NDArray[np.uint8]]) -> float:
    """Returns nats per frame of 88 independent keys whose shares are counted in `train`, one added to each count."""
    counts = sum(piece.sum(axis=0, dtype=np.int64) for piece in train)
    share = (counts + 1) / (sum(map(len, train)) + 2)
    rows = np.concatenate(list(pieces))
    return float(-(rows @ np.log(share) + (1 - rows.astype(np.int64)) @ np.log1p(-share)).mean())
