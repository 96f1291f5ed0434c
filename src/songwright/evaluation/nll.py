"""How many nats a network needs for pieces it never saw: files, splits and the choice of the metric.

What is counted lives in `nll_note` (four pitches per 16th of a chorale) and `nll_frame` (whole frames of a piano roll);
the networks live in `neural`. Tables use other units for other sets: quote no number without its metric and split.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from songwright.errors import CheckpointError, DataError, InputError
from songwright.evaluation import nll_frame, nll_note

Piece = NDArray[Any]
"""(frames, voices) or (frames, keys): one piece in the form its metric asks for."""


class PieceModel(Protocol):
    """A network that says how likely each frame of a piece is, given all frames before it."""

    def frame_nats(self, pieces: Sequence[Piece]) -> list[NDArray[np.float64]]:
        """Returns -ln p of every frame given the frames before it, (frames,) for each piece."""
        ...


@dataclass(frozen=True, slots=True)
class Metric:
    """One definition of a published table.

    Attributes:
        unit: what one nat is counted per.
        kind: what `config.json` of a model must say it is.
        parse: one piece out of JSON; raises ValueError with what was wrong.
        load: a model folder's config and tensors made into a network.
        score: sums the nats and counts the units.
    """

    unit: str
    kind: str
    parse: Callable[[Any], Piece]
    load: Callable[[dict[str, Any], dict[str, Any]], PieceModel]
    score: Callable[[PieceModel, Sequence[Piece]], tuple[float, int]]


METRICS: dict[str, Metric] = {
    "note": Metric("note", nll_note.KIND, nll_note.parse, nll_note.load, nll_note.score),
    "frame": Metric("frame", nll_frame.KIND, nll_frame.parse, nll_frame.load, nll_frame.score),
}
"""Every metric by the name it has on the command line."""


@dataclass(frozen=True, slots=True)
class NllResult:
    """What a model needs on average.

    Attributes:
        nats: per unit of the metric, pooled over the whole split.
        tokens: how many units were predicted.
        pieces: how many pieces they stand in.
        split: the split of the file that was read.
        metric: its name.
    """

    nats: float
    tokens: int
    pieces: int
    split: str
    metric: str

    def to_dict(self) -> dict[str, float | int | str]:
        """Returns the result as plain data."""
        return asdict(self)


def measure(folder: Path, data: Path, metric: str, split: str | None = None) -> NllResult:
    """Returns the negative log-likelihood of a file's split under a model.

    Args:
        folder: the model: `model.safetensors` and `config.json`.
        data: a JSON file with lists of pieces under `train`, `valid` or `test`.
        metric: a key of `METRICS`.
        split: which list; without it the only one besides `train`, else `test`, else `valid`, else `train`.

    Raises:
        InputError: there is no such metric.
        DataError: the file or a piece in it is not what it should be.
        CheckpointError: the model cannot be read or is of another kind.
    """
    if metric not in METRICS:
        raise InputError(f"no metric is called {metric!r}: use one of {', '.join(METRICS)}")
    definition = METRICS[metric]
    name, pieces = read_pieces(data, definition.parse, split)
    nats, tokens = definition.score(load(folder, definition), pieces)
    return NllResult(nats / tokens, tokens, len(pieces), name, metric)


def load(folder: Path, definition: Metric) -> PieceModel:
    """Returns the network in a folder; raises CheckpointError if it is broken or was made for another metric."""
    from songwright.training.checkpoint import load_model

    config, tensors = load_model(folder)
    if config.get("kind") != definition.kind:
        raise CheckpointError(
            folder, f"expected a model of kind {definition.kind!r}, this one says {config.get('kind')!r}"
        )
    try:
        return definition.load(config, tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise CheckpointError(folder, f"config.json and model.safetensors do not fit together: {reason}") from error


def read_pieces(path: Path, parse: Callable[[Any], Piece], split: str | None = None) -> tuple[str, list[Piece]]:
    """Returns the name of the split that was read and its pieces.

    Args:
        path: the JSON file.
        parse: makes one piece; raises ValueError with what was wrong.
        split: which list; see `measure`.

    Raises:
        DataError: the file is not there, is no JSON, has no such split, or a piece is malformed.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"is not JSON: {error}") from error
    if not isinstance(table, dict) or not table or not all(isinstance(rows, list) for rows in table.values()):
        raise DataError(path, "expected lists of pieces under train, valid or test")
    name = _choose(path, list(table), split)
    pieces: list[Piece] = []
    for number, rows in enumerate(table[name], start=1):
        try:
            pieces.append(parse(rows))
        except ValueError as error:
            raise DataError(path, f"piece {number} of {name}: {error}") from error
    if not pieces:
        raise DataError(path, f"the split {name} holds no piece")
    return name, pieces


def _choose(path: Path, names: list[str], split: str | None) -> str:
    if split is not None:
        if split not in names:
            raise DataError(path, f"has no split {split!r}, only {', '.join(names)}")
        return split
    others = [name for name in names if name != "train"]
    if len(others) == 1:
        return others[0]
    for name in ("test", "valid", "train"):
        if name in names:
            return name
    raise DataError(path, f"expected a split called train, valid or test, there are {', '.join(names)}")
