"""The state of a training on disk: whole `step-N` folders and a pointer to the one that counts.

A state is written aside, flushed, renamed, and only then pointed to, so a kill at any moment leaves either the older
or the newer one. `state.safetensors` holds weights, moments and means by name; `state.json` the rest.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright import __version__
from songwright.errors import CheckpointError, InputError
from songwright.files import write_bytes
from songwright.training.checkpoint import read_json, read_tensors, replace_folder, sync_folder
from songwright.training.packing import pack

STATE_FILE = "state.safetensors"
INFO_FILE = "state.json"
POINTER = "latest"
LOCK = ".lock"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Progression:
    """Where a training stands, but for its tensors.

    Args:
        step: optimiser steps done.
        tokens: predictions that were learned from.
        hours: wall-clock time of all runs together.
        best_nats: the lowest validation so far, infinite before the first.
        best_step: its step.
        stale: validations since then.
        nats: the last validation.
    """

    step: int = 0
    tokens: int = 0
    hours: float = 0.0
    best_nats: float = float("inf")
    best_step: int = 0
    stale: int = 0
    nats: float = float("nan")


@dataclass(frozen=True, slots=True)
class State:
    """All that a training needs to go on.

    Args:
        progression: counters and records.
        tables: the recipe's tables it was begun with.
        tensors: arrays by name.
    """

    progression: Progression
    tables: Mapping[str, Any]
    tensors: Mapping[str, NDArray[Any]]


class StateStore:
    """The states of one training; the newest and the one before it are kept.

    Args:
        folder: where the `step-N` folders lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, state: State) -> None:
        """Writes a state and points to it.

        Raises:
            OSError: it cannot be written; the older state is unharmed.
        """
        name = f"step-{state.progression.step:08d}"
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.folder / f".{name}.{os.getpid()}.partial"
        try:
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir()
            data = pack(state.tensors)
            write_bytes(aside / STATE_FILE, data)
            info = {"schema": SCHEMA, "songwright": __version__, **_plain(asdict(state.progression))}
            info["sha256"] = hashlib.sha256(data).hexdigest()
            info["recipe"] = dict(state.tables)
            write_bytes(aside / INFO_FILE, (json.dumps(info, ensure_ascii=False, indent=1) + "\n").encode())
            sync_folder(aside)
            replace_folder(aside, self.folder / name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        before = self.newest()
        write_bytes(self.folder / POINTER, f"{name}\n".encode())
        sync_folder(self.folder)
        self._prune({name, before.name if before else name})

    def load(self) -> State | None:
        """Returns the state that counts; None if there is none yet.

        Raises:
            CheckpointError: it is damaged or of another version.
        """
        folder = self.newest()
        if folder is None:
            return None
        try:
            info = read_json(folder / INFO_FILE)
            if info.get("schema") != SCHEMA:
                raise CheckpointError(
                    folder, f"a state of version {info.get('schema')}, this songwright reads {SCHEMA}"
                )
            tensors = read_tensors(folder / STATE_FILE, sha256=str(info.get("sha256")))
            progression = _progression(folder, info)
        except CheckpointError as error:
            raise CheckpointError(error.path, f"{error.args[0].partition(': ')[2]}. {self._way_out(folder)}") from error
        tables = info.get("recipe")
        return State(progression, tables if isinstance(tables, dict) else {}, tensors)

    def newest(self) -> Path | None:
        """Returns the folder that the pointer names, or the highest step if that is gone; None if there is none."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            pointed = self.folder / (self.folder / POINTER).read_text(encoding="utf-8").strip()
            if pointed.name.startswith("step-") and pointed.is_dir():
                return pointed
        return max(self.folder.glob("step-*"), default=None, key=lambda p: p.name)

    def clear(self) -> None:
        """Forgets every state."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _way_out(self, damaged: Path) -> str:
        others = [p for p in self.folder.glob("step-*") if p.name < damaged.name]
        way = f"go on from {max(others).name}" if others else "begin anew"
        return f"Delete {damaged} to {way}"

    def _prune(self, keep: set[str]) -> None:
        for path in self.folder.glob("step-*"):
            if path.name not in keep:
                shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Keeps a folder to one training at a time while the block runs; a killed owner leaves it free.

    Raises:
        InputError: another training holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with (folder / LOCK).open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"another training writes into {folder} now: stop it, or give another folder") from error
        yield


def _progression(folder: Path, info: Mapping[str, Any]) -> Progression:
    try:
        return Progression(
            step=int(info["step"]),
            tokens=int(info["tokens"]),
            hours=float(info["hours"]),
            best_nats=float("inf") if info["best_nats"] is None else float(info["best_nats"]),
            best_step=int(info["best_step"]),
            stale=int(info["stale"]),
            nats=float("nan") if info["nats"] is None else float(info["nats"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(folder / INFO_FILE, f"damaged: {error}") from error


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Returns values with numbers that JSON has not as null."""
    return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in values.items()}
