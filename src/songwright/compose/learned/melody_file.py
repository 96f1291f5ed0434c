"""The file of a `MelodyIndex`: arrays compressed side by side, and names and ledger as text."""

import io
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.compose.learned.lines import BREAK, TIME_CLASSES
from songwright.compose.learned.melody_index import MelodyIndex
from songwright.errors import DataError
from songwright.files import write_bytes

INDEX_FILE = Path(__file__).parents[1] / "tables" / "lines.npz"
SCHEMA = 1


def save_index(index: MelodyIndex, path: Path) -> int:
    """Writes an index and returns its bytes."""
    roles = sorted(set(index.roles))
    text = json.dumps({"names": index.names, "roles": roles, "ledger": index.ledger}, ensure_ascii=False)
    data = io.BytesIO()
    np.savez_compressed(
        data,
        schema=np.array(SCHEMA, dtype=np.int16),
        intervals=index.intervals,
        times=index.times,
        advance=index.advance,
        starts=index.starts.astype(np.int32),
        pieces=index.pieces.astype(np.int16),
        bars=index.bars.astype(np.int16),
        roles=np.array([roles.index(role) for role in index.roles], dtype=np.int8),
        text=np.frombuffer(text.encode(), dtype=np.uint8),
    )
    write_bytes(path, data.getvalue())
    return len(data.getvalue())


@lru_cache(maxsize=2)
def load_index(path: Path = INDEX_FILE) -> MelodyIndex:
    """Returns an index.

    Raises:
        DataError: it is missing, damaged or of another version.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(path, "the index of melodies is missing: make it with recipes/novelty") from error
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return _checked(arrays)
    except Exception as error:  # what a damaged archive raises (zip, zlib, tokenize, numpy) shares no class
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(path, f"expected an index of melodies of version {SCHEMA}: {reason}; make it anew") from error


def _checked(arrays: Mapping[str, NDArray[Any]]) -> MelodyIndex:
    """Returns the index of loaded arrays; ValueError where they do not belong together."""
    if int(arrays["schema"]) != SCHEMA:
        raise ValueError(f"version {int(arrays['schema'])}")
    text = json.loads(arrays["text"].tobytes().decode())
    intervals, times, advance = arrays["intervals"], arrays["times"], arrays["advance"]
    starts, pieces = arrays["starts"].astype(np.int64), arrays["pieces"].astype(np.int64)
    bars, roles = arrays["bars"].astype(np.int64), arrays["roles"].astype(np.int64)
    same = len(intervals) == len(times) == len(advance) and len(starts) == len(pieces) == len(bars) == len(roles)
    kinds = [array.dtype.name for array in (intervals, times, advance)] == ["int8", "uint8", "uint8"]
    if not same or not kinds or not np.array_equal(np.flatnonzero(intervals == BREAK), starts):
        raise ValueError("its arrays do not fit together")
    if len(starts) and (times.max() >= TIME_CLASSES or pieces.max() >= len(text["names"]) or pieces.min() < 0):
        raise ValueError("numbers out of range")
    named = [text["roles"][role] for role in roles.tolist()]
    return MelodyIndex((intervals, times), advance, starts, pieces, bars, named, text["names"], text["ledger"])
