"""`MultiStreamLM`: a language model over K integer streams, by pattern and backbone. Sampling it: `torch_steps`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from songwright.errors import ConfigError, InputError
from songwright.neural.attention import POSITIONS
from songwright.neural.backbones import BACKBONES, Backbone, BackboneSize
from songwright.neural.depth import DepthTransformer
from songwright.neural.feedforward import default_width
from songwright.neural.patterns import PATTERNS
from songwright.neural.step_model import SlotOrder


@dataclass(frozen=True, slots=True)
class LanguageModelConfig:
    """The shape of a `MultiStreamLM`.

    Attributes:
        vocabulary_sizes: V_k of each predicted stream.
        pattern: "flat", "delay", "parallel" or "depth".
        backbone: "transformer", "mamba" or "lstm"; mamba has as many weights as a transformer of equal size.
        positions: "rotary", "relative" or "none"; of the transformer only.
        dim: width of the backbone.
        num_layers: of the backbone.
        num_heads: of attention, or of the state space.
        feedforward_dim: width of SwiGLU; 0 for as many weights as a plain layer of 4 dim.
        dropout: while training.
        max_steps: the most steps of a sequence.
        depth_dim: width of the depth transformer.
        depth_layers: its blocks.
        feature_sizes: vocabulary sizes of given input streams, which are never predicted.
        relative_span: distances with a vector of their own, if positions are relative.
        state_dim: numbers a channel of the state space remembers.
    """

    vocabulary_sizes: tuple[int, ...]
    pattern: str = "flat"
    backbone: str = "transformer"
    positions: str = "rotary"
    dim: int = 256
    num_layers: int = 6
    num_heads: int = 4
    feedforward_dim: int = 0
    dropout: float = 0.0
    max_steps: int = 1024
    depth_dim: int = 128
    depth_layers: int = 2
    feature_sizes: tuple[int, ...] = ()
    relative_span: int = 256
    state_dim: int = 32

    def __post_init__(self) -> None:
        object.__setattr__(self, "vocabulary_sizes", tuple(self.vocabulary_sizes))
        object.__setattr__(self, "feature_sizes", tuple(self.feature_sizes))
        choices = {"pattern": tuple(PATTERNS), "backbone": tuple(BACKBONES), "positions": POSITIONS}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ConfigError(f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}")
        if not self.vocabulary_sizes or min(self.vocabulary_sizes + self.feature_sizes) < 1:
            raise ConfigError("every stream needs a vocabulary of at least one token")
        if self.dim % (2 * self.num_heads):
            raise ConfigError(f"dim ({self.dim}) must be a multiple of twice num_heads ({self.num_heads})")

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> "LanguageModelConfig":
        """Returns the config that `as_dict` wrote.

        Raises:
            ConfigError: if a key is unknown or missing.
        """
        unknown = sorted(set(table) - {field.name for field in fields(cls)})
        if unknown or "vocabulary_sizes" not in table:
            raise ConfigError(f"not the config of a language model: unknown {unknown}" if unknown else
                              "not the config of a language model: vocabulary_sizes is missing")  # fmt: skip
        return cls(**table)

    def as_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        return asdict(self)

    @property
    def num_streams(self) -> int:
        """K."""
        return len(self.vocabulary_sizes)

    def order(self, num_steps: int) -> SlotOrder:
        """Returns the order of the slots of so many steps."""
        return SlotOrder(self.pattern, self.num_streams, num_steps)


TINY = LanguageModelConfig((5, 7, 3), dim=16, num_layers=2, num_heads=2, max_steps=16, depth_dim=16, depth_layers=1)
"""For tests: under 20,000 parameters with every pattern and backbone."""


class MultiStreamLM(nn.Module):
    """A causal model of codes (B, K, T).

    ``logits[k][:, t]`` predicts ``codes[:, k, t]`` from all steps before t and, with flat and depth, from streams
    before k of step t; with delay stream k sees stream j up to step t - 1 + k - j. Features are seen up to the step
    that is predicted (with delay up to step t + k).

    Args:
        config: its shape.
    """

    def __init__(self, config: LanguageModelConfig) -> None:
        super().__init__()
        self.config = config
        sizes, features = config.vocabulary_sizes, config.feature_sizes
        self.pattern = PATTERNS[config.pattern]
        self.nothing = sum(sizes)
        self.no_feature = sum(features)
        self.embedding = nn.Embedding(self.nothing + 1, config.dim, padding_idx=self.nothing)
        self.begin = nn.Parameter(torch.randn(config.dim) * 0.02)
        self.stream = nn.Parameter(torch.randn(len(sizes), config.dim) * 0.02) if config.pattern == "flat" else None
        self.feature = nn.Embedding(self.no_feature + 1, config.dim, padding_idx=self.no_feature) if features else None
        self.dropout = nn.Dropout(config.dropout)
        size = BackboneSize(
            config.dim,
            config.num_layers,
            config.num_heads,
            config.feedforward_dim or default_width(config.dim),
            config.positions,
            config.order(config.max_steps).num_positions,
            config.relative_span,
            config.dropout,
            config.state_dim,
        )
        self.backbone = BACKBONES[config.backbone](size)
        self.depth: DepthTransformer | None = None
        if config.pattern == "depth":
            self.depth = DepthTransformer(
                config.dim, config.depth_dim, config.depth_layers, len(sizes), self.nothing, config.dropout
            )
        width = config.dim if self.depth is None else config.depth_dim
        self.heads = nn.ModuleList(nn.Linear(width, size, bias=False) for size in sizes)
        self.register_buffer("offsets", _offsets(sizes), persistent=False)
        self.register_buffer("feature_offsets", _offsets(features), persistent=False)
        self._initialise()

    offsets: Tensor
    feature_offsets: Tensor

    def _initialise(self) -> None:
        for table in (self.embedding, self.feature):
            if table is not None:
                nn.init.normal_(table.weight, std=0.02)
                nn.init.zeros_(table.weight.data[-1])
        for head in self.heads:
            nn.init.normal_(cast(nn.Linear, head).weight, std=0.02)

    @property
    def num_parameters(self) -> int:
        """How many numbers are learned."""
        return sum(parameter.numel() for parameter in self.parameters())

    def ids(self, codes: Tensor) -> Tensor:
        """Returns (B, T, K) ids of the common table from codes (B, K, T)."""
        return codes.transpose(1, 2) + self.offsets

    def place_features(self, features: Tensor | None, num_steps: int) -> Tensor | None:
        """Returns (B, P, F) ids of the features' table by position, or None if there are no features.

        Args:
            features: (B, F, at least T).
            num_steps: T.

        Raises:
            InputError: if features are missing, superfluous or too short.
        """
        count = len(self.config.feature_sizes)
        if features is None and not count:
            return None
        if features is None or features.shape[1] != count or features.shape[2] < num_steps:
            came = "none" if features is None else str(tuple(features.shape))
            raise InputError(f"expected features (B, {count}, at least {num_steps}), got {came}")
        steps = features[:, :, :num_steps].transpose(1, 2) + self.feature_offsets  # (B, T, F)
        return self.pattern.by_position(steps, self.config.num_streams, self.no_feature)

    def embed(self, ids: Tensor, placed: Tensor | None, first: int, last: int) -> Tensor:
        """Returns the backbone's input (B, n, D) at positions first … last - 1.

        Args:
            ids: (B, T, K); only the slots before position last - 1 are looked at.
            placed: from `place_features`.
            first: first position.
            last: one past the last position.
        """
        seen = self.pattern.seen(ids, max(first - 1, 0), last - 1, self.nothing)
        x = _added(self.embedding, seen)  # (B, n, D)
        if first == 0:
            x = torch.cat([self.begin.to(x.dtype).expand(ids.shape[0], 1, -1), x], dim=1)
        if self.stream is not None:
            x = x + self.stream[torch.arange(first, last, device=x.device) % self.config.num_streams]
        if self.feature is not None and placed is not None:
            x = x + _added(self.feature, placed[:, first:last])
        return cast(Tensor, self.dropout(x))

    def hidden(self, codes: Tensor, features: Tensor | None = None) -> Tensor:
        """Returns the backbone's output (B, P, D) for codes (B, K, T).

        Raises:
            InputError: if codes have another number of streams or more steps than the config has room for.
        """
        streams, steps = codes.shape[1:]
        if streams != self.config.num_streams or steps > self.config.max_steps:
            room = f"(B, {self.config.num_streams}, at most {self.config.max_steps})"
            raise InputError(f"expected codes {room}, got {tuple(codes.shape)}")
        placed = self.place_features(features, steps)
        x = self.embed(self.ids(codes), placed, 0, self.config.order(steps).num_positions)
        return cast(Backbone, self.backbone)(x)

    def forward(self, codes: Tensor, features: Tensor | None = None) -> tuple[Tensor, ...]:
        """Returns K logits (B, T, V_k).

        Args:
            codes: (B, K, T) int64.
            features: (B, F, T) int64, if the config has feature streams.
        """
        hidden = self.hidden(codes, features)
        if self.depth is not None:
            vectors = self.depth(hidden, self.ids(codes)).unbind(2)
        else:
            vectors = self.pattern.by_stream(hidden, self.config.num_streams, codes.shape[2])
        return tuple(head(vector) for head, vector in zip(self.heads, vectors, strict=True))

    def nats(self, codes: Tensor, features: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Returns (B, K, T) cross entropies in nats, float32.

        Args:
            codes: (B, K, T) int64, in range everywhere.
            features: (B, F, T) int64, if the config has feature streams.
            mask: bool, broadcast to (B, K, T); where it is False the result is 0.
        """
        each = [
            functional.cross_entropy(logits.float().flatten(0, 1), codes[:, k].flatten(), reduction="none")
            for k, logits in enumerate(self(codes, features))
        ]
        nats = torch.stack(each).view(len(each), codes.shape[0], codes.shape[2]).transpose(0, 1)  # (B, K, T)
        return nats if mask is None else nats * mask


def _added(table: nn.Embedding, ids: Tensor) -> Tensor:
    """Returns (B, n, D), for ids (B, n, S) the sums over S of their vectors, without ever holding all S of them."""
    if ids.shape[2] == 1:
        return cast(Tensor, table(ids[:, :, 0]))
    bags = functional.embedding_bag(ids.flatten(0, 1), table.weight, mode="sum", padding_idx=table.padding_idx)
    return bags.view(*ids.shape[:2], table.embedding_dim)


def _offsets(sizes: tuple[int, ...]) -> Tensor:
    """Returns (K,): where each stream's tokens begin in a common table."""
    return torch.tensor([0, *sizes], dtype=torch.int64).cumsum(0)[:-1]
