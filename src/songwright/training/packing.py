"""Named arrays as the bytes of a safetensors file and back; importing it says in one line if safetensors is missing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import MissingDependencyError

try:
    import safetensors
    import safetensors.numpy
except ModuleNotFoundError as error:
    raise MissingDependencyError("safetensors", "train") from error

NOT_PACKED = (safetensors.SafetensorError, ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What reading damaged bytes may raise."""


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Returns arrays as the bytes of a file; the same arrays give the same bytes."""
    return safetensors.numpy.save({name: np.asarray(array, order="C") for name, array in arrays.items()})


def unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """Returns the arrays of a file's bytes.

    Raises:
        ValueError: the bytes are no such file, or not all of it.
    """
    try:
        return safetensors.numpy.load(data)
    except NOT_PACKED as error:
        raise ValueError(str(error)) from error


def check_file(path: str) -> None:
    """Raises ValueError if a file's header is damaged or its length is another than the header says."""
    try:
        with safetensors.safe_open(path, framework="np"):
            pass
    except NOT_PACKED as error:
        raise ValueError(str(error)) from error
