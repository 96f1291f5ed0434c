"""A trained `MultiStreamLM` as two ONNX graphs: the backbone with a static cache, and the depth transformer.

The graphs are written node by node from config and weights, so that no torch is needed and nothing is traced.

backbone: `onnx_stack`'s, which reads and writes the cache where it lies.
depth: hidden (B, D), ids (B, k) of the streams before → logits (B, sum of V) of all streams side by side.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import ConfigError, MissingDependencyError
from songwright.neural.onnx_stack import stack

Arrays = Mapping[str, NDArray[Any]]
OPSET = 21
IR_VERSION = 10
EPSILON = 1e-6
FAR = -1e9
"""What is added to scores of what may not be seen."""


def graphs(config: Mapping[str, Any], arrays: Arrays, *, int8: bool) -> tuple[bytes, bytes]:
    """Returns the backbone and the depth graph.

    Args:
        config: of `LanguageModelConfig.as_dict`.
        arrays: weights by name, float32.
        int8: whether matrices are stored as int8 with one scale for each row.

    Raises:
        ConfigError: the network is not a transformer with rotary positions and pattern depth.
        MissingDependencyError: onnx is not installed.
    """
    shape = (config["pattern"], config["backbone"], config["positions"])
    if shape != ("depth", "transformer", "rotary"):
        raise ConfigError(f"only a depth transformer with rotary positions is exported, this one is {', '.join(shape)}")
    weights = "int8" if int8 else "float32"
    return stack(config, arrays, weights, config["max_steps"], embedded=True), _depth(config, arrays, int8)


class _Graph:
    """Nodes and constants of a graph while it grows; every method returns the name of a value."""

    def __init__(self, arrays: Arrays, *, int8: bool) -> None:
        try:
            import onnx
        except ImportError as error:
            raise MissingDependencyError("onnx", "train") from error
        self.onnx, self.arrays, self.int8 = onnx, arrays, int8
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """Adds a node with one output."""
        return self.ops(kind, *inputs, outputs=outputs, **attributes)[0]

    def ops(self, kind: str, *inputs: str, outputs: int, **attributes: Any) -> tuple[str, ...]:
        """Adds a node with several outputs."""
        names = tuple(f"{kind}_{len(self.nodes)}_{i}" for i in range(outputs))
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), list(names), **attributes))
        return names

    def constant(self, array: NDArray[Any] | np.float32, name: str = "") -> str:
        """Adds a constant."""
        name = name or f"c{len(self.constants)}"
        if name not in self.constants:
            self.constants[name] = self.onnx.numpy_helper.from_array(np.asarray(array, order="C"), name)
        return name

    def ints(self, *values: int) -> str:
        """Adds whole numbers, (n,)."""
        return self.constant(np.array(values, dtype=np.int64), "i" + "_".join(map(str, values)))

    def matrix(self, name: str, array: NDArray[Any] | None = None) -> str:
        """Adds a matrix of weights, as int8 where that is wanted."""
        array = self.arrays[name] if array is None else array
        if not self.int8:
            return self.constant(array.astype(np.float32), name)
        scale = np.maximum(np.abs(array).max(axis=1), 1e-12).astype(np.float32) / 127.0
        whole = np.clip(np.rint(array / scale[:, None]), -127, 127).astype(np.int8)
        stored = self.constant(whole, name), self.constant(scale, f"{name}.scale")
        return self.op("DequantizeLinear", *stored, axis=0)

    def linear(self, x: str, name: str, array: NDArray[Any] | None = None) -> str:
        """Adds ``x @ weight.T``."""
        return self.op("MatMul", x, self.op("Transpose", self.matrix(name, array), perm=[1, 0]))

    def norm(self, x: str, name: str) -> str:
        """Adds a root-mean-square normalisation."""
        square = self.op("Pow", x, self.constant(np.float32(2.0), "two"))
        mean = self.op("ReduceMean", square, self.ints(-1), keepdims=1)
        root = self.op("Sqrt", self.op("Add", mean, self.constant(np.float32(EPSILON), "epsilon")))
        return self.op("Mul", self.op("Div", x, root), self.constant(self.arrays[name].astype(np.float32), name))

    def feedforward(self, x: str, prefix: str) -> str:
        """Adds a SwiGLU layer."""
        gate, up = self.ops("Split", self.linear(x, f"{prefix}.gate_up.weight"), outputs=2, axis=-1, num_outputs=2)
        silu = self.op("Mul", gate, self.op("Sigmoid", gate))
        return self.linear(self.op("Mul", silu, up), f"{prefix}.down.weight")

    def heads(self, x: str, num_heads: int, head_dim: int, *, keys: bool = False) -> tuple[str, ...]:
        """Splits (B, n, 3 D) into queries, keys and values (B, H, n, D / H)."""
        split = self.op("Reshape", x, self.ints(0, 0, 3, num_heads, head_dim))
        order = self.op("Transpose", split, perm=[2, 0, 3, 1, 4])
        parts = self.ops("Split", order, outputs=3, axis=0, num_outputs=3)
        return tuple(self.op("Squeeze", part, self.ints(0)) for part in parts)

    def joined(self, x: str, dim: int) -> str:
        """Joins heads (B, H, n, D / H) to (B, n, D)."""
        return self.op("Reshape", self.op("Transpose", x, perm=[0, 2, 1, 3]), self.ints(0, 0, dim))

    def finish(self, name: str, inputs: Sequence[Any], outputs: Sequence[tuple[str, str, Sequence[Any]]]) -> bytes:
        """Returns the model; outputs are (value, name, shape)."""
        helper, float32 = self.onnx.helper, self.onnx.TensorProto.FLOAT
        ends = []
        for value, output, shape in outputs:
            self.nodes.append(helper.make_node("Identity", [value], [output]))
            ends.append(helper.make_tensor_value_info(output, float32, list(shape)))
        graph = helper.make_graph(self.nodes, name, list(inputs), ends, list(self.constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="songwright")
        model.ir_version = IR_VERSION
        self.onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data

    def input(self, name: str, shape: Sequence[Any], *, whole: bool = False) -> Any:
        """Returns the description of an input."""
        proto = self.onnx.TensorProto
        return self.onnx.helper.make_tensor_value_info(name, proto.INT64 if whole else proto.FLOAT, list(shape))


def _embedded(g: _Graph, ids: str, name: str, extra: NDArray[Any] | None = None) -> str:
    """Adds rows of a table (int8 ones are scaled after the look-up); `extra` rows follow the table's own."""
    table = g.arrays[name] if extra is None else np.concatenate([g.arrays[name], extra])
    if not g.int8:
        return g.op("Gather", g.constant(table.astype(np.float32), name), ids)
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12).astype(np.float32) / 127.0
    whole = np.clip(np.rint(table / scale), -127, 127).astype(np.int8)
    rows = g.op("Cast", g.op("Gather", g.constant(whole, name), ids), to=g.onnx.TensorProto.FLOAT)
    return g.op("Mul", rows, g.op("Gather", g.constant(scale, f"{name}.scale"), ids))


def _depth(config: Mapping[str, Any], arrays: Arrays, int8: bool) -> bytes:
    g = _Graph(arrays, int8=int8)
    dim, width, streams = config["dim"], config["depth_dim"], len(config["vocabulary_sizes"])
    num_heads = max(1, width // 32)
    head_dim = width // num_heads
    entered = g.op("Unsqueeze", g.linear("hidden", "depth.enter.weight"), g.ints(1))  # (B, 1, d)
    known = _embedded(g, "ids", "depth.tokens.weight")  # (B, k, d)
    nothing = g.op("Mul", entered, g.constant(np.float32(0.0), "zero"))
    tokens = g.op("Concat", nothing, known, axis=1)  # (B, k + 1, d)
    count = g.op("Shape", tokens, start=1, end=2)
    places = g.op(
        "Slice", g.constant(arrays["depth.streams"].astype(np.float32), "streams"), g.ints(0), count, g.ints(0)
    )
    x = g.op("Add", g.op("Add", tokens, entered), places)
    causal = np.triu(np.full((streams, streams), FAR, dtype=np.float32), 1)
    ends = g.op("Concat", count, count, axis=0)
    mask = g.op("Slice", g.constant(causal, "causal"), g.ints(0, 0), ends, g.ints(0, 1))
    for i in range(config["depth_layers"]):
        prefix = f"depth.layers.blocks.{i}"
        qkv = g.linear(g.norm(x, f"{prefix}.attention_norm.weight"), f"{prefix}.attention.qkv.weight")
        query, key, value = g.heads(qkv, num_heads, head_dim)
        query = g.op("Mul", query, g.constant(np.float32(head_dim**-0.5), "scale"))
        scores = g.op("Add", g.op("MatMul", query, g.op("Transpose", key, perm=[0, 1, 3, 2])), mask)
        mixed = g.op("MatMul", g.op("Softmax", scores, axis=-1), value)
        x = g.op("Add", x, g.linear(g.joined(mixed, width), f"{prefix}.attention.out.weight"))
        inner = g.norm(x, f"{prefix}.feedforward_norm.weight")
        x = g.op("Add", x, g.feedforward(inner, f"{prefix}.feedforward"))
    last = g.op("Squeeze", g.op("Slice", x, g.ints(-1), g.ints(1 << 30), g.ints(1)), g.ints(1))  # (B, d)
    heads = np.concatenate([arrays[f"heads.{k}.weight"] for k in range(streams)])
    logits = g.linear(g.norm(last, "depth.layers.norm.weight"), "heads", heads)
    inputs = [g.input("hidden", ("B", dim)), g.input("ids", ("B", "k"), whole=True)]
    return g.finish("depth", inputs, [(logits, "logits", ("B", len(heads)))])
