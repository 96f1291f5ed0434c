"""A trained model as a folder: `model.safetensors` and `config.json`. Numpy alone; nothing here runs stored code.

Weights are kept as float32, float16, or int8 with one float16 scale for each row of a matrix; reading gives float32
back. The state of a training that goes on is another thing: `training.state`.
"""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from songwright import __version__
from songwright.errors import CheckpointError, InputError
from songwright.files import write_bytes
from songwright.training.packing import pack, unpack

MODEL_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
SCHEMA = 1
SCALE = ".scale"
PICKLED = (b"\x80", b"PK\x03\x04")
"""How files of torch.save begin."""

Dtype = Literal["float32", "float16", "int8"]
Tensors = Mapping[str, NDArray[Any]]


def save_model(folder: Path, tensors: Tensors, config: Mapping[str, Any], dtype: Dtype = "float32") -> None:
    """Writes a model folder; an older model there is replaced as one whole, or stays as it was.

    Args:
        folder: made if it is not there.
        tensors: weights by name, of any shapes; floats are stored as `dtype`, integers as they are.
        config: whatever `load_model` shall give back; schema, songwright version, dtype and the weights' SHA-256 are
            added.
        dtype: how floats are stored. int8 is symmetric, row by row of everything with two or more dimensions; vectors
            stay float16.

    Raises:
        InputError: a weight is not finite, or too large for the dtype, or a name is taken by a scale.
        OSError: it cannot be written.
    """
    data = pack(_stored(tensors, dtype))
    head = {"schema": SCHEMA, "songwright": __version__, "dtype": dtype, "weights_sha256": _sha256(data)}
    text = json.dumps({**head, **config, **head}, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    folder.parent.mkdir(parents=True, exist_ok=True)
    restore_folder(folder)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir()
        write_bytes(aside / MODEL_FILE, data)
        write_bytes(aside / CONFIG_FILE, text.encode())
        replace_folder(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def load_model(
    folder: Path, *, kind: str | None = None, vocabulary: str | None = None
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Returns a model's config and weights; whatever they were stored as, floats come as float32.

    Args:
        folder: what `save_model` wrote.
        kind: what `config["kind"]` has to be, where that matters.
        vocabulary: what `config["vocabulary_hash"]` has to be, where that matters.

    Raises:
        CheckpointError: the folder is not there, damaged, of another version, another kind or another vocabulary.
    """
    if folder.is_file():
        refuse_pickled(folder)
        raise CheckpointError(folder, f"expected a folder with {MODEL_FILE} and {CONFIG_FILE}, this is a file")
    config = read_json(folder / CONFIG_FILE)
    if config.get("schema") != SCHEMA:
        raise CheckpointError(
            folder,
            f"written as version {config.get('schema')} by songwright {config.get('songwright', '?')}; "
            f"this songwright {__version__} reads version {SCHEMA}: train or download it anew",
        )
    for key, wanted in (("kind", kind), ("vocabulary_hash", vocabulary)):
        if wanted is not None and config.get(key) != wanted:
            raise CheckpointError(
                folder,
                f"its {key.replace('_', ' ')} is {config.get(key)!r}, expected {wanted!r}: it cannot be used here",
            )
    path = folder / MODEL_FILE
    tensors = read_tensors(path, sha256=config.get("weights_sha256"))
    return config, _restored(path, tensors, config.get("dtype"))


def read_json(path: Path) -> dict[str, Any]:
    """Returns the object that a JSON file holds.

    Raises:
        CheckpointError: the file is missing, damaged or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(path, f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CheckpointError(path, f"damaged: not JSON ({error})") from error
    if not isinstance(content, dict):
        raise CheckpointError(path, f"expected an object, got {type(content).__name__}")
    return content


def read_tensors(path: Path, *, sha256: str | None = None) -> dict[str, NDArray[Any]]:
    """Returns all tensors of a safetensors file.

    Args:
        path: the file.
        sha256: what its bytes have to hash to, where that is known.

    Raises:
        CheckpointError: the file is missing, truncated, altered, or pickled.
    """
    refuse_pickled(path)
    data = path.read_bytes()
    try:
        tensors = unpack(data)
    except ValueError as error:
        raise CheckpointError(path, f"damaged or truncated ({len(data)} bytes): {error}") from error
    if sha256 is not None and _sha256(data) != sha256:
        raise CheckpointError(
            path, f"its bytes are not those that {CONFIG_FILE} or the state names: altered or mixed up"
        )
    return tensors


def refuse_pickled(path: Path) -> None:
    """Raises CheckpointError if a file is missing or pickled: such a file could run any code when it is loaded."""
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise CheckpointError(path, f"cannot be read: {error.strerror}") from error
    is_header = start[4:] == b"\0\0\0\0{"  # of safetensors, whose length may begin with any byte
    if start.startswith(PICKLED) and not is_header:
        raise CheckpointError(path, "a pickled checkpoint (torch.save), which is never loaded: expected safetensors")


def replace_folder(aside: Path, target: Path) -> None:
    """Puts a finished folder in the place of another; `restore_folder` mends what a kill in between leaves."""
    old = _old(target)
    if target.exists():
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
    aside.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    sync_folder(target.parent)


def restore_folder(target: Path) -> None:
    """Brings the older folder back if `replace_folder` was killed between its two renames."""
    old = _old(target)
    if old.exists():
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(target)


def sweep(folder: Path) -> None:
    """Removes what a kill left half-written in a folder; only while nothing else writes there."""
    for left in folder.glob(".*.partial"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Makes renames in a folder outlive a power cut, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stored(tensors: Tensors, dtype: Dtype) -> dict[str, NDArray[Any]]:
    stored: dict[str, NDArray[Any]] = {}
    for name, tensor in tensors.items():
        array = np.asarray(tensor)
        if not np.issubdtype(array.dtype, np.floating):
            stored[name] = array
            continue
        if not np.isfinite(array).all():
            raise InputError(f"the weight '{name}' holds numbers that are not finite: a model like this is not saved")
        if dtype == "float32":
            stored[name] = array.astype(np.float32)
        elif dtype == "int8" and array.ndim >= 2 and array.size:
            if name + SCALE in tensors:
                raise InputError(f"the weight name '{name + SCALE}' is taken: int8 keeps the scale of '{name}' there")
            stored[name], stored[name + SCALE] = quantise_rows(array)
        else:
            stored[name] = _half(name, array)
    return stored


def quantise_rows(array: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """Returns an array as int8 and the float16 scale of each row (first axis); no value is off by over half a scale.

    Args:
        array: (rows, …) floats.

    Returns:
        int8 of the same shape within -127…127, and scales (rows,).

    Raises:
        InputError: a row is too large for a float16 scale.
    """
    rows = np.asarray(array, dtype=np.float64).reshape(len(array), -1)  # (rows, all else)
    peak = np.abs(rows).max(axis=1, initial=0.0)
    if peak.max(initial=0.0) / 127 > float(np.finfo(np.float16).max):
        raise InputError("a weight is too large for int8 with float16 scales")
    scale = (peak / 127).astype(np.float16)
    scale = np.where(scale.astype(np.float64) * 127.5 < peak, np.nextafter(scale, np.float16(np.inf)), scale)
    scale = np.where(scale == 0, np.finfo(np.float16).smallest_subnormal, scale).astype(np.float16)
    whole = np.rint(rows / scale.astype(np.float64)[:, None]).clip(-127, 127)
    return whole.astype(np.int8).reshape(np.shape(array)), scale


def _half(name: str, array: NDArray[Any]) -> NDArray[np.float16]:
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    if not np.isfinite(half).all():
        raise InputError(f"the weight '{name}' is too large for float16 (over 65504): save it as float32")
    return half


def _restored(path: Path, stored: Tensors, dtype: object) -> dict[str, NDArray[Any]]:
    """Returns stored tensors with floats as float32 and int8 rows times their scales."""
    tensors: dict[str, NDArray[Any]] = {}
    for name, array in stored.items():
        if dtype == "int8" and name.endswith(SCALE) and name.removesuffix(SCALE) in stored:
            continue
        scale = stored.get(name + SCALE) if dtype == "int8" and array.dtype == np.int8 else None
        if scale is not None:
            if scale.shape != array.shape[:1]:
                raise CheckpointError(path, f"'{name}' has {math.prod(array.shape[:1])} rows, its scale {scale.size}")
            broad = scale.astype(np.float32).reshape(-1, *[1] * (array.ndim - 1))
            tensors[name] = array.astype(np.float32) * broad
        else:
            tensors[name] = array.astype(np.float32) if np.issubdtype(array.dtype, np.floating) else array
    return tensors


def _old(target: Path) -> Path:
    return target.with_name(f".{target.name}.old.partial")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
