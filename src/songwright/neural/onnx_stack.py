"""The transformer of a `MultiStreamLM` as one ONNX graph of fused operators, for onnxruntime on a CPU.

Attention, its rotation and its cache are one operator that writes keys and values where they stay; a norm and the sum
before it are another. A layer is seven operators and four matrices, so that a position costs little more than reading
the weights. Matrices are float32, int8 whose products onnxruntime rounds (activations to 8 bits), or int8 with exact
products.

Needs onnx; running it (`onnx_stack_steps`) needs onnxruntime alone.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import ConfigError, MissingDependencyError

Arrays = Mapping[str, NDArray[Any]]
WEIGHTS = ("float32", "int8", "int8-exact")
OPSET, IR_VERSION = 21, 10
EPSILON, ROTARY_BASE = 1e-6, 10000.0
LARGEST, ZEROS = 8.2e6, 0x808080
"""See `int8`: the magnitude activations are scaled to, and what makes bytes of balanced digits."""


def stack(
    config: Mapping[str, Any], arrays: Arrays, weights: str, max_positions: int, *, embedded: bool = False
) -> bytes:
    """Returns the graph of the backbone: x (B, n, D), last (B,), total and caches to hidden (B, n, D).

    `last` is the last position of each row, `total` one more.

    Args:
        config: of `LanguageModelConfig.as_dict`.
        arrays: weights by name, float32.
        weights: one of `WEIGHTS`.
        max_positions: longest sequence.
        embedded: whether the tables of embeddings are in the graph: then ids come instead of x, seen (B, n, K) of the
            common table, whose rows are followed by the start vector, and features (B, n, F), if the network has them.

    Raises:
        ConfigError: the network is not a transformer with rotary positions.
        MissingDependencyError: onnx is not installed.
    """
    if (config["backbone"], config["positions"]) != ("transformer", "rotary"):
        raise ConfigError("only a transformer with rotary positions becomes a graph")
    graph = _Graph(weights)
    dim, num_heads = config["dim"], config["num_heads"]
    width = head_width(config)
    tables = [graph.constant(table) for table in _rotary(dim // num_heads, width, max_positions)]
    inputs: dict[str, tuple[str, tuple[Any, ...]]] = {}
    whole = "x"
    if embedded:
        inputs["seen"] = ("int64", ("B", "n", "K"))
        whole = graph.embedding("seen", np.concatenate([arrays["embedding.weight"], arrays["begin"][None]]))
        if config["feature_sizes"]:
            inputs["features"] = ("int64", ("B", "n", "F"))
            whole = graph.one("Add", whole, graph.embedding("features", arrays["feature.weight"]))
    else:
        inputs["x"] = ("float32", ("B", "n", dim))
    sizes = (config["num_layers"], num_heads, width)
    normed = _blocks(graph, arrays, "backbone.", sizes, whole, tables)
    return _finished(graph, inputs, normed, sizes, dim)


def depth_stack(config: Mapping[str, Any], arrays: Arrays, weights: str) -> bytes:
    """Returns the graph of the depth transformer, whose positions are the streams of one step.

    It takes hidden (B, n, D) of the backbone for the step, ids (B, n) of the common table (the token of the stream
    before; of the first stream a row after all others) and streams (B, n), last, total and caches, and gives
    hidden (B, n, d). Arguments are those of `stack`.
    """
    graph = _Graph(weights)
    shape = depth_shape(config)
    num_layers, num_heads, width = shape["num_layers"], shape["num_heads"], head_width(shape)
    dim = shape["dim"]
    inputs: dict[str, tuple[str, tuple[Any, ...]]] = {
        "hidden_in": ("float32", ("B", "n", config["dim"])),
        "ids": ("int64", ("B", "n", 1)),
        "streams": ("int64", ("B", "n")),
    }
    nothing = np.zeros((1, dim), dtype=np.float32)
    known = graph.embedding("ids", np.concatenate([arrays["depth.tokens.weight"], nothing]))
    place = graph.one("Gather", graph.constant(arrays["depth.streams"].astype(np.float32)), "streams")
    entered = graph.linear("hidden_in", arrays["depth.enter.weight"])
    whole = graph.one("Add", graph.one("Add", entered, place), known)
    sizes = (num_layers, num_heads, width)
    normed = _blocks(graph, arrays, "depth.layers.", sizes, whole, None)
    return _finished(graph, inputs, normed, sizes, dim)


def depth_shape(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns dim, num_layers and num_heads of the depth transformer of a network, as `DepthTransformer` has them."""
    dim: int = config["depth_dim"]
    return {"dim": dim, "num_layers": config["depth_layers"], "num_heads": max(1, dim // 32)}


def _blocks(
    graph: "_Graph",
    arrays: Arrays,
    prefix: str,
    sizes: tuple[int, int, int],
    whole: str,
    tables: list[str] | None,
) -> str:
    """Adds the blocks of a transformer and its last norm.

    Args:
        graph: where to.
        arrays: weights by name.
        prefix: of the names of this transformer.
        sizes: layers, heads, and channels of a head in the graph.
        whole: what goes in.
        tables: of the rotation; None for no positions.
    """
    num_layers, num_heads, width = sizes
    blocks = [f"{prefix}blocks.{i}." for i in range(num_layers)]
    norms = [*(f"{block}attention_norm.weight" for block in blocks[1:]), f"{prefix}norm.weight"]
    first = graph.constant(arrays[f"{prefix}blocks.0.attention_norm.weight"])
    (normed,) = graph.op("SimplifiedLayerNormalization", whole, first, epsilon=EPSILON, axis=-1)
    for i, (block, following) in enumerate(zip(blocks, norms, strict=True)):
        out = arrays[block + "attention.out.weight"]
        matrix = _widened(arrays[block + "attention.qkv.weight"].T, 3 * num_heads, width).T
        mixed = graph.attention(graph.linear(normed, matrix), i, num_heads, tables, out.shape[1] // num_heads)
        added = graph.linear(mixed, _widened(out, num_heads, width))
        normed, whole = graph.add_and_norm(whole, added, arrays[block + "feedforward_norm.weight"])
        gate_up = graph.linear(normed, arrays[block + "feedforward.gate_up.weight"])
        gate, up = graph.op("Split", gate_up, outputs=2, axis=-1, num_outputs=2)
        gated = graph.one("Mul", graph.one("Mul", gate, graph.one("Sigmoid", gate)), up)
        added = graph.linear(gated, arrays[block + "feedforward.down.weight"])
        normed, whole = graph.add_and_norm(whole, added, arrays[following])
    return normed


def _finished(
    graph: "_Graph",
    inputs: dict[str, tuple[str, tuple[Any, ...]]],
    normed: str,
    sizes: tuple[int, int, int],
    dim: int,
) -> bytes:
    """Returns the graph with its caches, whose result `normed` is called hidden."""
    num_layers, num_heads, width = sizes
    cache = ("B", num_heads, "P", width)
    inputs |= {"last": ("int32", ("B",)), "total": ("int32", ())}
    outputs: dict[str, tuple[str, tuple[Any, ...]]] = {"hidden": (normed, ("B", "n", dim))}
    for i in range(num_layers):
        inputs |= {f"keys_{i}": ("float32", cache), f"values_{i}": ("float32", cache)}
        outputs |= {f"new_keys_{i}": ("", cache), f"new_values_{i}": ("", cache)}
    return graph.finish(inputs, outputs)


def head(matrix: NDArray[Any], weights: str) -> bytes:
    """Returns the graph of one head: hidden (B, D) to logits (B, V), from a matrix (V, D)."""
    graph = _Graph(weights)
    logits = graph.linear("hidden", matrix)
    return graph.finish({"hidden": ("float32", ("B", matrix.shape[1]))}, {"logits": (logits, ("B", matrix.shape[0]))})


def head_width(config: Mapping[str, Any]) -> int:
    """Returns the channels of a head in the graph: onnxruntime wants a multiple of 16, what is missing is zeros."""
    head_dim: int = config["dim"] // config["num_heads"]
    return -(-head_dim // 16) * 16


def _widened(matrix: NDArray[Any], num_heads: int, width: int) -> NDArray[Any]:
    """Returns a matrix (N, heads * channels) whose heads have `width` channels, zeros at the end of each half."""
    halves = matrix.reshape(len(matrix), num_heads, 2, -1)
    missing = width // 2 - halves.shape[3]
    return np.pad(halves, ((0, 0), (0, 0), (0, 0), (0, missing))).reshape(len(matrix), -1)


def _rotary(head_dim: int, width: int, max_positions: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns cosines and sines (P, width / 2) as `attention.Rotary` has them, zeros where a head is widened."""
    frequencies = ROTARY_BASE ** (-np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
    angles = np.arange(max_positions, dtype=np.float64)[:, None] * frequencies
    missing = ((0, 0), (0, (width - head_dim) // 2))
    return np.pad(np.cos(angles).astype(np.float32), missing), np.pad(np.sin(angles).astype(np.float32), missing)


def _int8(matrix: NDArray[Any]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Returns rows (N, D) and scales (N,), as `int8.quantise` does."""
    scale = np.maximum(np.abs(matrix).max(axis=1), 1e-12).astype(np.float32) / np.float32(127.0)
    return np.clip(np.rint(matrix / scale[:, None]), -127, 127).astype(np.int8), scale


class _Graph:
    """Nodes and constants while they grow; methods return names of values."""

    def __init__(self, weights: str) -> None:
        if weights not in WEIGHTS:
            raise ConfigError(f"weights must be one of {', '.join(WEIGHTS)}, not {weights!r}")
        try:
            import onnx
        except ImportError as error:
            raise MissingDependencyError("onnx", "train") from error
        self.onnx, self.weights = onnx, weights
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, array: Any) -> str:
        """Adds a constant."""
        name = f"c{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def op(self, kind: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> list[str]:
        """Adds a node."""
        names = [f"n{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return names

    def one(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Adds a node with one output."""
        return self.op(kind, *inputs, **attributes)[0]

    def embedding(self, ids: str, table: NDArray[Any]) -> str:
        """Adds the sum of a table's rows over the last axis of ids; the table is int8 too unless all is float32."""
        if self.weights == "float32":
            rows = self.one("Gather", self.constant(table.astype(np.float32)), ids)
        else:
            whole, scale = _int8(table)
            floats = self.one("Cast", self.one("Gather", self.constant(whole), ids), to=self.onnx.TensorProto.FLOAT)
            rows = self.one("Mul", floats, self.one("Gather", self.constant(scale[:, None]), ids))
        return self.one("ReduceSum", rows, self.constant(np.array([-2])), keepdims=0)

    def attention(self, qkv: str, layer: int, num_heads: int, tables: list[str] | None, head_dim: int) -> str:
        """Adds causal attention, with rotation by tables, which writes its keys and values into the layer's cache."""
        names = [f"mixed_{layer}", f"new_keys_{layer}", f"new_values_{layer}"]
        inputs = [qkv, "", "", f"keys_{layer}", f"values_{layer}", "last", "total", *(tables or ())]
        node = self.onnx.helper.make_node(
            "GroupQueryAttention",
            inputs,
            names,
            domain="com.microsoft",
            num_heads=num_heads,
            kv_num_heads=num_heads,
            do_rotary=int(tables is not None),
            scale=head_dim**-0.5,
        )
        self.nodes.append(node)
        return names[0]

    def add_and_norm(self, whole: str, added: str, scale: NDArray[Any]) -> tuple[str, str]:
        """Adds ``whole + added`` and its norm; returns the norm and the sum."""
        names = [f"n{len(self.nodes)}_0", "", "", f"n{len(self.nodes)}_1"]
        inputs = [whole, added, self.constant(scale.astype(np.float32))]
        node = self.onnx.helper.make_node(
            "SkipSimplifiedLayerNormalization", inputs, names, domain="com.microsoft", epsilon=EPSILON
        )
        self.nodes.append(node)
        return names[0], names[3]

    def linear(self, x: str, matrix: NDArray[Any]) -> str:
        """Adds ``x @ matrix.T``."""
        if self.weights == "float32":
            return self.one("MatMul", x, self.constant(matrix.T.astype(np.float32)))
        whole, scale = _int8(matrix)
        if self.weights == "int8":
            floats = self.one("DequantizeLinear", self.constant(whole), self.constant(scale), axis=0)
            return self.one("MatMul", x, self.one("Transpose", floats, perm=[1, 0]))
        return self._exact(x, whole, scale)

    def _exact(self, x: str, whole: NDArray[np.int8], scale: NDArray[np.float32]) -> str:
        """Adds a product in which each activation is three balanced digits of base 256, as `int8.Int8Linear` has it."""
        axis, ints = self.constant(np.array([-2])), self.onnx.TensorProto
        largest = self.one("ReduceMax", self.one("Abs", x), self.constant(np.array([-1])), keepdims=1)
        smallest = self.constant(np.float32(1e-30))
        unit = self.one("Div", self.constant(np.float32(LARGEST)), self.one("Max", largest, smallest))
        shifted = self.one("Add", self.one("Mul", x, unit), self.constant(np.float32(ZEROS)))
        integers = self.one("Unsqueeze", self.one("Cast", shifted, to=ints.UINT32), axis)  # (…, 1, D)
        shifts = self.constant(np.array([[0], [8], [16]], dtype=np.uint32))
        digits = self.one("Cast", self.one("BitShift", integers, shifts, direction="RIGHT"), to=ints.UINT8)
        products = self.one("MatMulInteger", digits, self.constant(whole.T), self.constant(np.uint8(128)))
        places = self.constant(np.array([[1.0, 256.0, 65536.0]], dtype=np.float32))
        summed = self.one("Squeeze", self.one("MatMul", places, self.one("Cast", products, to=ints.FLOAT)), axis)
        return self.one("Div", self.one("Mul", summed, self.constant(scale)), unit)

    def finish(
        self, inputs: Mapping[str, tuple[str, tuple[Any, ...]]], outputs: Mapping[str, tuple[str, tuple[Any, ...]]]
    ) -> bytes:
        """Returns the model; outputs name the value they are, or are one themselves if that is empty."""
        helper, proto = self.onnx.helper, self.onnx.TensorProto
        kinds = {"float32": proto.FLOAT, "int32": proto.INT32, "int64": proto.INT64}
        for name, (value, _) in outputs.items():
            if value:
                self.nodes.append(helper.make_node("Identity", [value], [name]))
        graph = helper.make_graph(
            self.nodes,
            "songwright",
            [helper.make_tensor_value_info(name, kinds[kind], list(shape)) for name, (kind, shape) in inputs.items()],
            [helper.make_tensor_value_info(name, proto.FLOAT, list(shape)) for name, (_, shape) in outputs.items()],
            self.constants,
        )
        domains = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=domains, producer_name="songwright")
        model.ir_version = IR_VERSION
        data: bytes = model.SerializeToString()
        return data
