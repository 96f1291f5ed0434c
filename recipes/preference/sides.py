"""Sequences ready for a batch; shared by `recipes/preference` and `recipes/reinforce`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.features import features
from songwright.compose.tokens.windows import Example

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Side:
    """One of a pair, ready for a batch.

    Attributes:
        codes: (6, T) int16.
        features: (F, T) int16.
        mask: (6, T) bool, what is learned.
    """

    codes: NDArray[np.int16]
    features: NDArray[np.int16]
    mask: NDArray[np.bool_]


def side_of(example: Example) -> Side:
    """Returns an example as it goes into a batch."""
    return Side(example.codes, features(example), example.mask)


def stacked(sides: Sequence[Side]) -> "dict[str, Tensor]":
    """Returns sequences as a batch, padded with PAD."""
    import torch

    longest = max(side.codes.shape[1] for side in sides)

    def padded(arrays: Sequence[NDArray[Any]], kind: type) -> "Tensor":
        found = np.zeros((len(arrays), len(arrays[0]), longest), dtype=kind)
        for row, array in zip(found, arrays, strict=True):
            row[:, : array.shape[1]] = array
        return torch.from_numpy(found)

    return {
        "codes": padded([side.codes for side in sides], np.int64),
        "features": padded([side.features for side in sides], np.int64),
        "mask": padded([side.mask for side in sides], np.bool_),
    }
