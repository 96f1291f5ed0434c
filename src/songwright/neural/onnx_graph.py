"""A trained `MultiStreamLM` with a depth transformer as ONNX graphs: backbone, depth transformer, and a head a stream.

They are written node by node from config and weights (`onnx_stack`), so that no torch is needed and nothing is traced;
backbone and depth transformer read and write their caches where these lie.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import ConfigError
from songwright.neural.onnx_stack import depth_stack, head, stack

Arrays = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Graphs:
    """The graphs of one network, as bytes.

    Attributes:
        backbone: see `onnx_stack.stack`, with embeddings.
        depth: see `onnx_stack.depth_stack`.
        heads: of each stream, vectors (B, d) of the depth transformer to logits (B, V_k).
    """

    backbone: bytes
    depth: bytes
    heads: tuple[bytes, ...]

    @property
    def num_bytes(self) -> int:
        """Of all together."""
        return len(self.backbone) + len(self.depth) + sum(map(len, self.heads))


def graphs(config: Mapping[str, Any], arrays: Arrays, *, int8: bool) -> Graphs:
    """Returns the graphs.

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
    heads = tuple(head(arrays[f"heads.{k}.weight"], weights) for k in range(len(config["vocabulary_sizes"])))
    backbone = stack(config, arrays, weights, config["max_steps"], embedded=True)
    return Graphs(backbone, depth_stack(config, arrays, weights), heads)
