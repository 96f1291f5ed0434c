"""`BarCoder`: bars to latents and back with the networks that come with the program; a file of plain arrays.

The file is a zip of numpy arrays without any stored code: for each weight int8 rows with a float16 scale each (vectors
float16), and ``meta``, JSON bytes with shapes and the ledger of what they were learned from.
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import CheckpointError, ConfigError
from songwright.files import write_bytes
from songwright.neural.bar_network import BarNetwork, BarShape, weight_sizes

SHIPPED = Path(__file__).parent / "bars.npz"
FORMAT = "songwright.bars"
SCHEMA = 1
META = "meta"
SCALE = ".scale"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class BarCoder:
    """Networks of every kind of bar.

    Attributes:
        networks: by kind.
        meta: what is written beside the weights.
    """

    networks: Mapping[str, BarNetwork]
    meta: Mapping[str, Any]


def has_coder(path: Path = SHIPPED) -> bool:
    """Returns whether there is a coder to be opened."""
    return path.is_file()


def save_coder(
    path: Path,
    shapes: Mapping[str, BarShape],
    weights: Mapping[str, Mapping[str, NDArray[Any]]],
    about: Mapping[str, Any],
) -> int:
    """Writes networks as int8; returns the bytes of the file. The same weights give the same bytes.

    Args:
        path: the file.
        shapes: of each kind.
        weights: of each kind, by name as in `bar_network.weight_sizes`.
        about: JSON values that go beside them, e.g. the ledger.
    """
    meta = {"format": FORMAT, "schema_version": SCHEMA, "shapes": {k: s.as_dict() for k, s in shapes.items()}, **about}
    text = json.dumps(meta, ensure_ascii=False, sort_keys=True).encode()
    arrays: dict[str, NDArray[Any]] = {META: np.frombuffer(text, dtype=np.uint8)}
    for kind, shape in shapes.items():
        for name in weight_sizes(shape):
            weight = np.asarray(weights[kind][name], dtype=np.float32)
            if weight.ndim < 2:
                arrays[f"{kind}.{name}"] = weight.astype(np.float16)
                continue
            scale = (np.maximum(np.abs(weight).max(axis=1), 1e-6) / 127.0).astype(np.float16)
            rows = np.rint(weight / scale.astype(np.float32)[:, None])
            arrays[f"{kind}.{name}"] = np.clip(rows, -127, 127).astype(np.int8)
            arrays[f"{kind}.{name}{SCALE}"] = scale
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            member = BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), member.getvalue(), zipfile.ZIP_DEFLATED)
    write_bytes(path, data.getvalue())
    return len(data.getvalue())


@lru_cache(maxsize=2)
def load_coder(path: Path = SHIPPED) -> BarCoder:
    """Returns the networks of a file.

    Raises:
        CheckpointError: it is missing, damaged, of another version, or not such a file.
    """
    if not path.is_file():
        raise CheckpointError(path, "the networks of bars are missing: install the program anew")
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as data:
            meta = json.loads(data[META].tobytes().decode())
            if meta["format"] != FORMAT or meta["schema_version"] != SCHEMA:
                raise CheckpointError(path, f"expected {FORMAT} of schema {SCHEMA}, not {meta['format']!r}")
            shapes = {kind: BarShape.from_dict(table) for kind, table in meta["shapes"].items()}
            networks = {kind: BarNetwork(shape, _weights(data, kind, shape)) for kind, shape in shapes.items()}
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, AttributeError, EOFError, ConfigError) as bad:
        raise CheckpointError(path, f"not the networks of bars: {type(bad).__name__} {bad}") from bad
    return BarCoder(networks, meta)


def _weights(data: Mapping[str, NDArray[Any]], kind: str, shape: BarShape) -> dict[str, NDArray[np.float32]]:
    found = {}
    for name in weight_sizes(shape):
        weight = data[f"{kind}.{name}"].astype(np.float32)
        if weight.ndim == 2:
            weight = weight * data[f"{kind}.{name}{SCALE}"].astype(np.float32)[:, None]
        if not np.isfinite(weight).all():
            raise ConfigError(f"'{kind}.{name}' is not finite")
        found[name] = weight
    return found


def between(first: NDArray[np.float32], second: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Returns latents on the way from one to the other on the sphere (N, D): 0 is the first, 1 the second.

    Directions turn evenly, lengths go in a straight line; nearly parallel ones are mixed straight.
    """
    lengths = [np.linalg.norm(z, axis=1, keepdims=True) for z in (first, second)]
    units = [z / np.maximum(n, 1e-6) for z, n in zip((first, second), lengths, strict=True)]
    angle = np.arccos(np.clip((units[0] * units[1]).sum(1, keepdims=True), -1.0, 1.0))
    sine = np.sin(angle)
    straight = (sine < 1e-3) | (lengths[0] < 1e-3) | (lengths[1] < 1e-3)
    safe = np.where(straight, 1.0, sine)
    turned = (np.sin((1 - share) * angle) * units[0] + np.sin(share * angle) * units[1]) / safe
    length = (1 - share) * lengths[0] + share * lengths[1]
    found: NDArray[np.float32] = np.where(straight, (1 - share) * first + share * second, turned * length)
    return found.astype(np.float32)
