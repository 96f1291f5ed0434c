"""`FrameModel`: how likely each frame of a piano roll is, given all frames before it; the keys of a frame jointly.

One small network is shared by all keys, so what it learns at one place of the keyboard holds at all others: an LSTM
over time for each key, which sees the keys around it in the frames before and what repeats suggest (`frame_history`),
and then an LSTM from the lowest key to the highest, which sees what already sounds below. Each key is one yes or no
given all keys below and all frames before, so the probabilities of all 2^88 frames sum to one. Without `joint` the
second LSTM does not see the keys below: 88 independent sigmoids, which is the class of TCN's tables.

Reference: Johnson, Generating Polyphonic Music Using Tied Parallel Networks (2017), for the two tied LSTMs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from songwright.errors import ConfigError
from songwright.neural.frame_history import (
    LOOK_BACK,
    NUM_HINTS,
    NUM_SCALARS,
    OCTAVE,
    FrameHistory,
    frame_history,
    stack,
    window,
)

LAGS = (3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
METRES = (8, 12, 16, 32, 48)
NUM_CHANGES = 48
"""Frames back of which the network knows whether they differed from the one before."""
NUM_REPEATS = 3
NUM_COUNTS = 10
MAX_DIFFERENCE = 4
CHUNK_FRAMES = 256
GROUP_FRAMES = 1024

State = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class FrameModelConfig:
    """The shape of a `FrameModel`.

    Attributes:
        num_keys: keys of the keyboard.
        lowest_key: MIDI pitch of the first.
        time_dim: width of the LSTM over time.
        key_dim: width of the LSTM over keys.
        reach: keys to either side that are seen in the two frames before.
        below: keys underneath that are seen one by one in the same frame.
        dropout: of what the LSTM over time says, while training.
        output_dropout: of what the LSTM over keys says, while training.
        joint: whether a key sees the keys below it in the same frame.
    """

    num_keys: int = 88
    lowest_key: int = 21
    time_dim: int = 64
    key_dim: int = 64
    reach: int = 13
    below: int = 24
    dropout: float = 0.3
    output_dropout: float = 0.2
    joint: bool = True

    def __post_init__(self) -> None:
        for name in ("num_keys", "time_dim", "key_dim", "reach", "below"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} of a frame model should be 1 or more, not {getattr(self, name)}")
        for name in ("dropout", "output_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} of a frame model should be from 0 to below 1, not {getattr(self, name)}")

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> "FrameModelConfig":
        """Returns the config that `as_dict` wrote.

        Raises:
            ConfigError: a key is unknown.
        """
        unknown = sorted(set(table) - {field.name for field in fields(cls)})
        if unknown:
            raise ConfigError(f"not the config of a frame model: unknown {', '.join(unknown)}")
        return cls(**table)

    def as_dict(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        return asdict(self)


TINY = FrameModelConfig(time_dim=16, key_dim=16, reach=4, below=6)


class FrameModel(nn.Module):
    """See the module's docstring."""

    def __init__(self, config: FrameModelConfig) -> None:
        super().__init__()
        self.config = config
        time_dim, key_dim = config.time_dim, config.key_dim
        per_key = 2 * (2 * config.reach + 1) + len(LAGS) + 2 * OCTAVE + NUM_REPEATS * (5 + 2) + 2
        per_frame = 8 + NUM_SCALARS + 3 + NUM_CHANGES
        self.metres = nn.ModuleList(nn.Embedding(metre, 8) for metre in METRES)
        self.time_input = nn.Linear(per_key, time_dim)
        self.time_place = nn.Parameter(torch.zeros(config.num_keys, time_dim))
        self.time_frame = nn.Linear(per_frame, time_dim, bias=False)
        self.time = nn.LSTM(time_dim, time_dim)
        self.key_input = nn.Linear(per_key, key_dim)
        self.key_place = nn.Parameter(torch.zeros(config.num_keys, key_dim))
        self.key_frame = nn.Linear(per_frame, key_dim, bias=False)
        self.key_time = nn.Linear(time_dim, key_dim, bias=False)
        self.key_pool = nn.Linear(time_dim, key_dim, bias=False)
        if config.joint:
            seen = config.below + NUM_COUNTS + OCTAVE + 2 * MAX_DIFFERENCE + 1 + 2 * NUM_REPEATS + 2
            self.key_below = nn.Linear(seen, key_dim, bias=False)
        self.keys = nn.LSTM(key_dim, key_dim)
        self.output = nn.Linear(key_dim, 1)
        self.shortcut = nn.Linear(per_key, 1, bias=False)
        nn.init.zeros_(self.shortcut.weight)
        nn.init.constant_(self.output.bias, -3.0)

    def forward(self, batch: Mapping[str, Tensor], state: State | None = None) -> tuple[Tensor, State]:
        """Returns -ln p of each frame (B, T), and the state to go on from; masked frames get numbers without meaning.

        Args:
            batch: windows of pieces, see `frame_history.FrameWindow`, with a batch axis in front.
            state: of the LSTM over time after the window before this one; without it the past is what the hints say.
        """
        logits, state = self.logits(batch, state)
        now = batch["frames"][:, LOOK_BACK:]
        return functional.binary_cross_entropy_with_logits(logits, now, reduction="none").sum(dim=-1), state

    def logits(self, batch: Mapping[str, Tensor], state: State | None = None) -> tuple[Tensor, State]:
        """Returns ln p(key sounds) - ln p(key is silent) given the keys below and the frames before, (B, T, keys)."""
        per_key, per_frame = self._past(batch)
        said, state = self._over_time(per_key, per_frame, state)
        hidden = self.key_input(per_key) + self.key_time(said)
        hidden = (
            hidden
            + self.key_place.to(hidden.dtype)
            + (self.key_frame(per_frame) + self.key_pool(said.mean(dim=2)))[:, :, None]
        )
        if self.config.joint:
            hidden = hidden + self.key_below(_below(batch, self.config.below))
        batch_size, length, num_keys, _ = hidden.shape
        hidden = functional.gelu(hidden).permute(2, 1, 0, 3).reshape(num_keys, length * batch_size, -1)  # (K, T·B, D)
        hidden, _ = self.keys(hidden)
        hidden = self._drop(hidden, (1, length * batch_size, hidden.shape[-1]), self.config.output_dropout)
        logits = self.output(hidden)[..., 0].reshape(num_keys, length, batch_size).permute(2, 1, 0)  # (B, T, K)
        return (logits + self.shortcut(per_key)[..., 0]).float(), state

    def _over_time(self, per_key: Tensor, per_frame: Tensor, state: State | None) -> tuple[Tensor, State]:
        hidden = self.time_input(per_key) + self.time_frame(per_frame)[:, :, None]
        hidden = functional.gelu(hidden + self.time_place.to(hidden.dtype))
        batch_size, length, num_keys, dim = hidden.shape
        hidden = hidden.permute(1, 0, 2, 3).reshape(length, batch_size * num_keys, dim)  # (T, B·K, D)
        hidden, state = self.time(hidden, state)
        hidden = hidden.reshape(length, batch_size, num_keys, dim).permute(1, 0, 2, 3)  # (B, T, K, D)
        return self._drop(hidden, (batch_size, 1, 1, dim), self.config.dropout), state

    def _drop(self, hidden: Tensor, shape: tuple[int, ...], share: float) -> Tensor:
        """Returns (…) with channels dropped; the same ones along the axes that are 1 in `shape`."""
        if not self.training or share == 0:
            return hidden
        kept = torch.rand(shape, device=hidden.device) >= share
        return hidden * (kept.to(hidden.dtype) / (1 - share))

    def _past(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Returns what frames before say, for each key (B, T, K, …) and for the whole frame (B, T, …)."""
        frames, hints, times = batch["frames"], batch["hints"], batch["times"]
        length, num_keys = hints.shape[1], hints.shape[2]

        def back(lag: int) -> Tensor:
            return frames[:, LOOK_BACK - lag : LOOK_BACK - lag + length]

        last, reach = back(1), self.config.reach
        repeats = hints[..., :NUM_REPEATS]
        trust = batch["scalars"][:, :, None, [0, 2, 3]]
        classes = torch.arange(num_keys, device=frames.device) % OCTAVE
        chroma = last.new_zeros(*last.shape[:2], OCTAVE).index_add_(2, classes, last)
        per_key = [
            _around(last, reach),
            _around(back(2), reach),
            torch.stack([back(lag) for lag in LAGS], dim=-1),
            _from_each(chroma, classes),
            _from_each(batch["tonality"], classes),
            *(_around(repeats[..., i], 2) for i in range(NUM_REPEATS)),
            hints[..., NUM_REPEATS:NUM_HINTS],
            repeats * trust,
            (1 - repeats) * trust,
        ]
        changed = (frames[:, 1:] != frames[:, :-1]).any(dim=-1).float()  # of frame j + 1 from frame j
        first = LOOK_BACK - 1
        changes = [changed[:, first - lag : first - lag + length] for lag in range(1, NUM_CHANGES + 1)]
        still = 1 - changes[0]
        metre = torch.stack([table(times % size) for table, size in zip(self.metres, METRES, strict=True)]).sum(dim=0)
        scalars = torch.stack([last.sum(dim=-1) / 4, still, torch.log1p(times.float()) / 5, *changes], dim=-1)
        device = frames.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32
        return torch.cat(per_key, dim=-1).to(dtype), torch.cat([metre, batch["scalars"], scalars], dim=-1)

    def frame_nats(self, pieces: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float64]]:
        """Returns -ln p of every frame given all frames before it, (T,) for each piece.

        Args:
            pieces: (T, keys), 1 where a key sounds.
        """
        return self.history_nats([frame_history(piece) for piece in pieces])

    @torch.no_grad()
    def history_nats(self, histories: Sequence[FrameHistory]) -> list[NDArray[np.float64]]:
        """Returns what `frame_nats` does, of pieces whose past has been searched already.

        Nothing of a piece's past is cut off: the LSTM over time is carried from the first frame to the last.
        """
        self.eval()
        result: list[NDArray[np.float64]] = [np.zeros(0)] * len(histories)
        order = sorted(range(len(histories)), key=lambda i: len(histories[i]))
        while order:
            group = order[: max(1, GROUP_FRAMES // min(CHUNK_FRAMES, max(1, len(histories[order[0]]))))]
            order = order[len(group) :]
            for index, nats in zip(group, self._group_nats([histories[i] for i in group]), strict=True):
                result[index] = nats[: len(histories[index])]
        return result

    def _group_nats(self, histories: list[FrameHistory]) -> NDArray[np.float64]:
        """Returns (pieces, frames of the longest)."""
        device = self.output.bias.device
        longest = max(map(len, histories))
        parts, state = [np.zeros((len(histories), 0))], None
        for start in range(0, longest, CHUNK_FRAMES):
            length = min(CHUNK_FRAMES, longest - start)
            arrays = stack([window(history, min(start, len(history)), length) for history in histories])
            nats, state = self({name: torch.from_numpy(array).to(device) for name, array in arrays.items()}, state)
            parts.append(nats.double().cpu().numpy())
        return np.concatenate(parts, axis=1)


def load_frame_model(config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> FrameModel:
    """Returns the network of a model folder, ready to measure.

    Args:
        config: of the folder; its table "network" is a `FrameModelConfig`.
        tensors: weights by name.
    """
    model = FrameModel(FrameModelConfig.from_dict(config["network"]))
    model.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in tensors.items()})
    return model.eval()


def _around(frames: Tensor, reach: int) -> Tensor:
    """Returns (B, T, K, 2 reach + 1): the keys around each key."""
    return functional.pad(frames, (reach, reach)).unfold(-1, 2 * reach + 1, 1)


def _from_each(chroma: Tensor, classes: Tensor) -> Tensor:
    """Returns (B, T, K, 12): pitch classes (B, T, 12) counted upwards from each key's own."""
    steps = torch.arange(OCTAVE, device=classes.device)
    return chroma[..., (classes[:, None] + steps) % OCTAVE]


def _below(batch: Mapping[str, Tensor], reach: int) -> Tensor:
    """Returns what each key may know of the keys below it in its own frame, (B, T, K, …)."""
    now, last = batch["frames"][:, LOOK_BACK:], batch["frames"][:, LOOK_BACK - 1 : -1]
    num_keys = now.shape[-1]
    count = _sum_below(now)
    difference = (count - _sum_below(last)).long().clamp(-MAX_DIFFERENCE, MAX_DIFFERENCE) + MAX_DIFFERENCE
    left = (last.sum(dim=-1, keepdim=True) - count).clamp(-2, 6) / 4
    classes = torch.arange(num_keys, device=now.device) % OCTAVE
    steps = torch.arange(OCTAVE, device=now.device)
    chroma = _sum_below((now[..., None] * functional.one_hot(classes, OCTAVE)).transpose(-1, -2)).transpose(-1, -2)
    chroma = chroma.gather(-1, ((classes[:, None] + steps) % OCTAVE).expand(chroma.shape))  # from the key's own class
    parts = [
        functional.pad(now, (reach, 0))[..., :-1].unfold(-1, reach, 1),
        functional.one_hot(count.long().clamp(max=NUM_COUNTS - 1), NUM_COUNTS).float(),
        chroma,
        functional.one_hot(difference, 2 * MAX_DIFFERENCE + 1).float(),
        left[..., None],
        (left[..., None] <= 0).float(),
    ]
    for guess in (last, batch["hints"][..., 0], batch["hints"][..., 1]):
        wrong = _sum_below((now != guess).float())
        parts.append(torch.stack([(wrong == 0).float(), torch.log1p(wrong)], dim=-1))
    return torch.cat(parts, dim=-1)


def _sum_below(values: Tensor) -> Tensor:
    """Returns for each key the sum over all keys below it (last axis)."""
    return values.cumsum(dim=-1) - values
