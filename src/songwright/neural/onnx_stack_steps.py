"""`OnnxStackSteps`: a flat `MultiStreamLM` slot by slot on `onnx_stack`'s graphs, by onnxruntime, without torch.

`StackRunner` runs the backbone alone, position by position, and is what a step model of another pattern would use.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import ConfigError, InputError, MissingDependencyError
from songwright.neural.onnx_stack import depth_shape, head_width
from songwright.neural.step_model import Codes

Floats = NDArray[np.float32]
SPARE_ROWS = 16
"""Where a cache must grow, it gets room for so many; memory that nobody writes to costs nothing."""


def session(graph: bytes, threads: int) -> Any:
    """Returns an onnxruntime session that uses so many threads.

    Threads that have nothing to do sleep: products here take 20 to 200 microseconds, and on a machine with other work
    threads that spin between them take twice the processor time and, waiting for each other, twice the time.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError("onnxruntime", "voices") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


class StackRunner:
    """The backbone with a static cache that the graph writes in place.

    Args:
        stack: the session of a graph from `onnx_stack.stack`.
        config: of `LanguageModelConfig.as_dict`.
    """

    def __init__(self, stack: Any, config: Mapping[str, Any]) -> None:
        self._session = stack
        self._layers, self._heads, self._dim = config["num_layers"], config["num_heads"], config["dim"]
        self._width = head_width(config)
        self._make_room(np.zeros((0, 0, 0, 0, 0), dtype=np.float32))

    def start(self, batch_size: int, max_positions: int) -> None:
        """Forgets everything and makes room."""
        shape = (2 * self._layers, batch_size, self._heads, max_positions, self._width)
        self._make_room(np.zeros(shape, dtype=np.float32))
        self._use(batch_size)

    def resize(self, batch_size: int, max_positions: int) -> None:
        """As `start`, but in the room that is there already where it is large enough."""
        _, rows, _, positions, _ = self._room_for_rows.shape
        if rows < batch_size or positions != max_positions:
            self.start(max(batch_size, SPARE_ROWS), max_positions)
        self._use(batch_size)

    def _make_room(self, room: Floats) -> None:
        self._room_for_rows = room
        self._tables: dict[int, _Table] = {}

    def _use(self, rows: int) -> None:
        """Shows the graph where the cache of so many rows lies."""
        table = self._tables.get(rows)
        if table is None:
            table = self._tables[rows] = _Table(self._session.io_binding(), self._room_for_rows[:, :rows], self._dim)
        self._table = table

    def whole(self, inputs: Mapping[str, NDArray[Any]]) -> Floats:
        """Returns hidden (B, n, D) of all of the first n positions, right after `start`; a view until the next call."""
        self.step(inputs, 0)
        return self._table.hidden

    def step(self, inputs: Mapping[str, NDArray[Any]], first: int) -> Floats:
        """Returns hidden (B, D) of the last of n positions first … first + n - 1; inputs are (B, n, …) by name."""
        rows, count = next(iter(inputs.values())).shape[:2]
        if count > 1 and first > 0 and rows > 1:  # onnxruntime's attention takes such blocks of one row only
            for i in range(count):
                hidden = self.step({name: array[:, i : i + 1] for name, array in inputs.items()}, first + i)
            return hidden
        self._table.lay(inputs, first)
        self._session.run_with_iobinding(self._table.binding)
        last: Floats = self._table.hidden[:, -1].copy()
        return last

    def reorder(self, indices: Codes, used: int) -> None:
        """Makes row i go on from row indices[i]; `used` positions of the cache hold something.

        Rows that stay where they are cost nothing where none of them gives way to what another goes on from.
        """
        count, before = len(indices), self._table.cache
        moved = np.flatnonzero(indices != np.arange(count))
        if count > self._room_for_rows.shape[1] or np.isin(indices[moved], moved).any():
            room = max(count, SPARE_ROWS)
            self._make_room(np.zeros((before.shape[0], room, *before.shape[2:]), dtype=np.float32))
            moved = np.arange(count)
        self._use(count)
        for row in moved:
            self._table.cache[:, row, :, :used] = before[:, indices[row], :, :used]


class _Table:
    """Where the graph finds its inputs, its caches and room for what it says, for a number of rows.

    Args:
        binding: of the session.
        cache: (2 L, rows, heads, positions, width), keys and values of each layer in turn.
        dim: of what the graph says of a position.
    """

    def __init__(self, binding: Any, cache: Floats, dim: int) -> None:
        self.binding, self.cache, self._dim = binding, cache, dim
        self._last, self._total = np.zeros(cache.shape[1], dtype=np.int32), np.zeros((), dtype=np.int32)
        for i, array in enumerate(cache):
            name = f"{'values' if i % 2 else 'keys'}_{i // 2}"
            self._attach(name, array, is_input=True)
            self._attach(f"new_{name}", array, is_input=False)
        self._attach("last", self._last, is_input=True)
        self._attach("total", self._total, is_input=True)
        self._inputs: dict[str, NDArray[Any]] = {}
        self.hidden: Floats = np.zeros((0, 0, 0), dtype=np.float32)

    def lay(self, inputs: Mapping[str, NDArray[Any]], first: int) -> None:
        """Puts the inputs (rows, n, …) of positions first … first + n - 1 where the graph reads them."""
        count = next(iter(inputs.values())).shape[1]
        if any(name not in self._inputs or self._inputs[name].shape != array.shape for name, array in inputs.items()):
            self._make_room(inputs)
        for name, array in inputs.items():
            self._inputs[name][:] = array
        self._last[:], self._total[...] = first + count - 1, first + count

    def _make_room(self, inputs: Mapping[str, NDArray[Any]]) -> None:
        """Makes room for inputs and outputs of these shapes."""
        self._inputs = {name: np.empty_like(array, order="C") for name, array in inputs.items()}
        for name, array in self._inputs.items():
            self._attach(name, array, is_input=True)
            shape = (*array.shape[:2], self._dim)
        self.hidden = np.zeros(shape, dtype=np.float32)
        self._attach("hidden", self.hidden, is_input=False)

    def _attach(self, name: str, array: NDArray[Any], *, is_input: bool) -> None:
        bind = self.binding.bind_input if is_input else self.binding.bind_output
        bind(name, "cpu", 0, array.dtype.type, array.shape, array.__array_interface__["data"][0])


class DepthRunner:
    """The depth transformer of a network within one step after another, with a cache of the streams of the step.

    Args:
        depth: the session of a graph from `onnx_stack.depth_stack`.
        config: of `LanguageModelConfig.as_dict`.
    """

    def __init__(self, depth: Any, config: Mapping[str, Any]) -> None:
        self._streams = len(config["vocabulary_sizes"])
        self._nothing = sum(config["vocabulary_sizes"])
        self._runner = StackRunner(depth, depth_shape(config))

    def start(self, batch_size: int) -> None:
        """Makes room for so many rows."""
        self._runner.resize(batch_size, self._streams)
        self.forget()

    def forget(self) -> None:
        """Begins the step anew that is asked for next."""
        self._step, self._done = -1, 0

    def step(self, hidden: Floats, ids: Codes, step: int, stream: int) -> Floats:
        """Returns (B, d) of a stream, having run those before it that were not.

        Args:
            hidden: (B, D) of the backbone for the step.
            ids: (B, K) tokens of the step in the common table, known up to the stream before.
            step: its number; another one begins anew.
            stream: which.
        """
        if step != self._step or stream < self._done:
            self._step, self._done = step, 0
        first, self._done = self._done, stream + 1
        return self._runner.step(self._inputs(hidden, ids, first, stream + 1), first)

    def whole(self, hidden: Floats, ids: Codes) -> Floats:
        """Returns (N, K, d) of all streams of steps that are there already, from hidden (N, D) and ids (N, K)."""
        self.start(len(hidden))
        vectors = self._runner.whole(self._inputs(hidden, ids, 0, self._streams))
        self.forget()
        return vectors

    def _inputs(self, hidden: Floats, ids: Codes, first: int, last: int) -> dict[str, NDArray[Any]]:
        rows, count = len(ids), last - first
        before = np.full((rows, count, 1), self._nothing, dtype=np.int64)
        if last > 1:
            known = ids[:, max(first - 1, 0) : last - 1]
            before[:, count - known.shape[1] :, 0] = known
        places = np.empty((rows, count), dtype=np.int64)
        places[:] = range(first, last)
        entered = hidden[:, None] if count == 1 else np.repeat(hidden[:, None], count, axis=1)
        return {"hidden_in": entered, "ids": before, "streams": places}


class OnnxStackSteps:
    """A `StepModel` of pattern flat on onnxruntime.

    Args:
        config: of `LanguageModelConfig.as_dict`.
        arrays: weights by name; only the tables of embeddings are read.
        graph: from `onnx_stack.stack`.
        heads: from `onnx_stack.head`, one for each stream.
        threads: of one operation.

    Raises:
        ConfigError: the pattern is another.
    """

    pattern = "flat"

    def __init__(
        self,
        config: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
        graph: bytes,
        heads: Sequence[bytes],
        threads: int = 1,
    ) -> None:
        if config["pattern"] != self.pattern:
            raise ConfigError(f"expected a flat network, this one is {config['pattern']}")
        self.vocabulary_sizes: tuple[int, ...] = tuple(config["vocabulary_sizes"])
        self._offsets = np.cumsum([0, *self.vocabulary_sizes])
        self._feature_offsets = np.cumsum([0, *config["feature_sizes"]])[:-1]
        self.max_steps = int(config["max_steps"])
        tables = {name: np.asarray(arrays[name], dtype=np.float32) for name in ("embedding.weight", "begin", "stream")}
        self._table, self._begin, self._stream = tables.values()
        self._feature = np.asarray(arrays["feature.weight"], np.float32) if config["feature_sizes"] else None
        self._runner = StackRunner(session(graph, threads), config)
        self._heads = [session(one, 1) for one in heads]

    def start(self, batch_size: int, max_steps: int, features: Codes | None = None) -> None:
        """Forgets everything and makes room.

        Raises:
            InputError: there is no room for so many steps.
        """
        if max_steps > self.max_steps:
            raise InputError(f"the model holds at most {self.max_steps} steps, not {max_steps}")
        streams = len(self.vocabulary_sizes)
        self._ids = np.zeros((batch_size, max_steps * streams), dtype=np.int64)
        self._given = np.zeros((batch_size, max_steps, len(self._feature_offsets)), dtype=np.int64)
        self._given += self._feature_offsets
        if features is not None:
            self._given += features[:, :, :max_steps].transpose(0, 2, 1)
        self._next = self._done = 0
        self._runner.start(batch_size, max_steps * streams)

    def set_features(self, step: int, features: Codes) -> None:
        """Writes the given input streams (B, F) of one step, before anything of it is predicted."""
        self._given[:, step] = features + self._feature_offsets

    def logits(self) -> Floats:
        """Returns (B, V_k) for the next slot, having run everything that was fed."""
        if self._done <= self._next:
            self._hidden = self._runner.step({"x": self._embedded(self._done, self._next + 1)}, self._done)
            self._done = self._next + 1
        found: Floats = self._heads[self._next % len(self._heads)].run(None, {"hidden": self._hidden})[0]
        return found

    def _embedded(self, first: int, last: int) -> Floats:
        """Returns the vectors (B, n, D) that go in at positions first … last - 1."""
        x: Floats = self._table[self._ids[:, max(first - 1, 0) : last - 1]]
        if first == 0:
            x = np.concatenate([np.broadcast_to(self._begin, (len(x), 1, x.shape[2])), x], axis=1)
        positions = np.arange(first, last)
        x = x + self._stream[positions % len(self._heads)]
        if self._feature is not None:
            x = x + self._feature[self._given[:, positions // len(self._heads)]].sum(axis=2)
        return x

    def feed(self, tokens: Codes) -> None:
        """Writes the next slot (B,) and goes on."""
        self._ids[:, self._next] = tokens + self._offsets[self._next % len(self._heads)]
        self._next += 1

    def prefill(self, codes: Codes) -> None:
        """Feeds whole steps (B, K, T) right after `start`."""
        ids = (codes.transpose(0, 2, 1) + self._offsets[:-1]).reshape(len(codes), -1)
        self._ids[:, : ids.shape[1]] = ids
        self._next = ids.shape[1]

    def reorder(self, indices: Codes) -> None:
        """Makes row i go on from row indices[i]; there may be more or fewer rows than before."""
        self._ids, self._given = self._ids[indices], self._given[indices]
        self._done = min(self._done, self._next)
        self._runner.reorder(indices, self._done)

    def truncate(self, num_steps: int) -> None:
        """Goes back to where a prefill of the first `num_steps` steps would stand."""
        self._next = num_steps * len(self._heads)
        self._done = min(self._done, self._next)
