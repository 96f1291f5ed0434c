"""`OnnxStepModel`: the composer's network slot by slot through onnxruntime, without torch.

Caches are memory that the graphs of backbone and depth transformer read and write in place
(`neural.onnx_stack_steps`); within a step the depth transformer goes on from the streams that it has seen.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import CheckpointError, InputError, MissingDependencyError
from songwright.neural.onnx_stack_steps import DepthRunner, StackRunner, session
from songwright.neural.sampling import log_softmax
from songwright.neural.step_model import Codes

BACKBONE, DEPTH, HEAD, CONFIG = "backbone.onnx", "depth.onnx", "head-{}.onnx", "config.json"


class OnnxStepModel:
    """A `neural.step_model.StepModel` on onnxruntime.

    Args:
        folder: what `songwright export` wrote.
        threads: of one operation.

    Raises:
        CheckpointError: the folder holds no such model, or one that cannot be read.
        MissingDependencyError: onnxruntime is not installed.
    """

    pattern = "depth"

    def __init__(self, folder: Path, *, threads: int = 2) -> None:
        self.config = read_config(folder)
        network = self.config["network"]
        self.vocabulary_sizes: tuple[int, ...] = tuple(network["vocabulary_sizes"])
        self._features = len(network["feature_sizes"])
        self._nothing = sum(self.vocabulary_sizes)
        self._offsets = np.cumsum([0, *self.vocabulary_sizes])
        self._feature_offsets = np.cumsum([0, *network["feature_sizes"]])[:-1]
        self.max_steps = int(network["max_steps"])
        self._backbone = StackRunner(_session(folder / BACKBONE, threads), network)
        self._depth = DepthRunner(_session(folder / DEPTH, 1), network)
        self._heads = [_session(folder / HEAD.format(k), 1) for k in range(len(self.vocabulary_sizes))]

    def start(self, batch_size: int, max_steps: int, features: Codes | None = None) -> None:
        """Forgets everything and makes room.

        Raises:
            InputError: there is no room for so many steps.
        """
        if max_steps > self.max_steps:
            raise InputError(f"the model holds at most {self.max_steps} steps, not {max_steps}")
        streams = len(self.vocabulary_sizes)
        self._ids = np.zeros((batch_size, max_steps, streams), dtype=np.int64)
        self._given = np.zeros((batch_size, max_steps, self._features), dtype=np.int64) + self._feature_offsets
        if features is not None:
            self._given += features[:, :, :max_steps].transpose(0, 2, 1)
        self._next = self._done = 0
        self._hidden: NDArray[np.float32] | None = None
        self._backbone.start(batch_size, max_steps)
        self._depth.start(batch_size)

    def set_features(self, step: int, features: Codes) -> None:
        """Writes the given input streams (B, F) of one step, before it is predicted."""
        self._given[:, step] = features + self._feature_offsets

    def logits(self) -> NDArray[np.float32]:
        """Returns (B, V_k) for the next slot, having run everything that was fed."""
        step, stream = divmod(self._next, len(self.vocabulary_sizes))
        if self._done <= step or self._hidden is None:
            self._hidden = self._run(step)
        vectors = self._depth.step(self._hidden, self._ids[:, step], step, stream)
        return self._stream_logits(vectors, stream)

    def _stream_logits(self, vectors: NDArray[np.float32], stream: int) -> NDArray[np.float32]:
        """Returns (N, V_k) from the depth transformer's vectors (N, d) of a stream."""
        (logits,) = self._heads[stream].run(None, {"hidden": vectors})
        found: NDArray[np.float32] = logits
        return found

    def _run(self, step: int) -> NDArray[np.float32]:
        """Runs the backbone over the positions up to a step and returns what it says of the step, (B, D)."""
        first, self._done = self._done, step + 1
        return self._backbone.step(self._inputs(first, step + 1), first)

    def _inputs(self, first: int, last: int) -> dict[str, NDArray[Any]]:
        """Returns what goes into the backbone at positions first … last - 1."""
        seen = np.full((len(self._ids), last - first, len(self.vocabulary_sizes)), self._nothing, dtype=np.int64)
        if first:
            seen[:] = self._ids[:, first - 1 : last - 1]
        else:
            seen[:, 1:] = self._ids[:, : last - 1]
            seen[:, 0, 0] = self._nothing + 1  # the start vector's row
        inputs = {"seen": seen}
        if self._features:
            inputs["features"] = self._given[:, first:last]
        return inputs

    def nats(self, codes: Codes, features: Codes, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Returns (B, K, T) nats of what is there already, all events at once; what was written before is forgotten.

        Args:
            codes: (B, K, T).
            features: (B, F, T).
            mask: (B, K, T) of which numbers; the rest is 0.
        """
        nats = np.zeros(mask.shape)
        for stream, table in enumerate(self.distributions(codes, features, mask)):
            rows, steps = np.nonzero(mask[:, stream])
            nats[rows, stream, steps] = -table[np.arange(len(rows)), codes[rows, stream, steps]]
        return nats

    def distributions(
        self, codes: Codes, features: Codes, mask: NDArray[np.bool_]
    ) -> Iterator[NDArray[np.floating[Any]]]:
        """Yields stream by stream the log-probabilities (N_k, V_k) of what could stand where its mask is True.

        Args:
            codes: (B, K, T) that are there already; each event knows those before it, each stream those before it.
            features: (B, F, T).
            mask: (B, K, T); the N_k events of a stream come in order of (row, step).
        """
        self.start(len(codes), codes.shape[2], features)
        self.prefill(codes)
        chosen = mask.any(axis=1)  # (B, T)
        hidden = self._backbone.whole(self._inputs(0, codes.shape[2]))[chosen]  # (N, D)
        vectors = self._depth.whole(hidden, self._ids[chosen])  # (N, K, d)
        for stream, size in enumerate(self.vocabulary_sizes):
            asked = vectors[mask[:, stream][chosen], stream]
            if len(asked):
                yield log_softmax(self._stream_logits(np.ascontiguousarray(asked), stream))
            else:
                yield np.zeros((0, size))

    def feed(self, tokens: Codes) -> None:
        """Writes the next slot (B,) and goes on."""
        step, stream = divmod(self._next, len(self.vocabulary_sizes))
        self._ids[:, step, stream] = tokens + self._offsets[stream]
        self._next += 1

    def prefill(self, codes: Codes) -> None:
        """Feeds whole steps (B, K, T) right after `start`."""
        self._ids[:, : codes.shape[2]] = codes.transpose(0, 2, 1) + self._offsets[:-1]
        self._next = codes.shape[2] * len(self.vocabulary_sizes)

    def reorder(self, indices: Codes) -> None:
        """Makes row i go on from row indices[i]; there may be more or fewer rows than before."""
        self._ids, self._given = self._ids[indices], self._given[indices]
        self._backbone.reorder(indices, self._done)
        self._hidden = None if self._hidden is None else self._hidden[indices]
        self._depth.start(len(indices))

    def truncate(self, num_steps: int) -> None:
        """Goes back to where a prefill of the first `num_steps` steps would stand."""
        self._next = num_steps * len(self.vocabulary_sizes)
        self._depth.forget()
        if num_steps < self._done:
            self._done, self._hidden = num_steps, None


def read_config(folder: Path) -> dict[str, Any]:
    """Returns the config beside the graphs.

    Raises:
        CheckpointError: it is not there or not one of an exported composer.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(folder, f"expected an exported composer with {CONFIG}: {error}") from error
    if not isinstance(config, dict) or "network" not in config or "vocabulary_hash" not in config:
        raise CheckpointError(folder, f"{CONFIG} is not of an exported composer: network or vocabulary_hash is missing")
    return config


def _session(path: Path, threads: int) -> Any:
    try:
        return session(path.read_bytes(), threads)
    except FileNotFoundError as error:
        raise CheckpointError(path, "is missing: export the composer again, with this version") from error
    except MissingDependencyError:
        raise
    except Exception as error:  # onnxruntime's errors share no class of their own
        raise CheckpointError(path, f"onnxruntime cannot read it: {str(error).splitlines()[0]}") from error
