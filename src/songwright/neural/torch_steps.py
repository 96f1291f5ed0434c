"""`TorchStepModel`: a `MultiStreamLM` slot by slot, with a static key/value cache or recurrent states.

Work is done when logits are asked for: what was fed since then runs as one block, so given slots cost little.
"""

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from songwright.errors import InputError
from songwright.neural.attention import KeyValueCache
from songwright.neural.backbones import Backbone
from songwright.neural.language_model import MultiStreamLM
from songwright.neural.step_model import Codes


class TorchStepModel:
    """A `StepModel` on torch.

    Args:
        model: set to evaluation mode; its device and precision are used.
    """

    def __init__(self, model: MultiStreamLM) -> None:
        self.model = model.eval()
        self.device = model.begin.device

    @property
    def vocabulary_sizes(self) -> tuple[int, ...]:
        """V_k of each stream."""
        return self.model.config.vocabulary_sizes

    @property
    def pattern(self) -> str:
        """The pattern's name."""
        return self.model.config.pattern

    @property
    def max_steps(self) -> int:
        """The most steps that a sequence may have."""
        return self.model.config.max_steps

    @torch.inference_mode()
    def nats(self, codes: Codes, features: Codes, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Returns (B, K, T) nats of codes (B, K, T) that are there already, 0 where the mask (B, K, T) is False."""
        given = torch.as_tensor(features, device=self.device) if self.model.config.feature_sizes else None
        nats = self.model.nats(torch.as_tensor(codes, device=self.device), given, torch.as_tensor(mask).to(self.device))
        return nats.double().cpu().numpy()

    @torch.inference_mode()
    def start(self, batch_size: int, max_steps: int, features: Codes | None = None) -> None:
        """Forgets everything and makes room.

        Raises:
            InputError: if the model has no room for so many steps, or features do not fit it.
        """
        if max_steps > self.model.config.max_steps:
            raise InputError(f"the model holds at most {self.model.config.max_steps} steps, not {max_steps}")
        order = self.model.config.order(max_steps)
        self._order, self._slots = order, order.slots()
        self._ids = torch.zeros((batch_size, max_steps, order.num_streams), dtype=torch.int64, device=self.device)
        given = None if features is None else torch.as_tensor(features, dtype=torch.int64, device=self.device)
        if given is None and self.model.config.feature_sizes:
            given = torch.zeros((batch_size, len(self.model.config.feature_sizes), max_steps), dtype=torch.int64)
            given = given.to(self.device)
        self._placed = self.model.place_features(given, max_steps)
        self._next = 0
        self._reset()

    def _reset(self) -> None:
        self._state: Any = self._backbone.new_state(len(self._ids), self._order.num_positions)
        self._hidden: Tensor | None = None
        self._done = 0  # positions the backbone has seen
        self._depth_step, self._depth_done = -1, 0
        self._depth_state: list[KeyValueCache] = []

    @property
    def _backbone(self) -> Backbone:
        return cast(Backbone, self.model.backbone)

    @torch.inference_mode()
    def set_features(self, step: int, features: Codes) -> None:
        """Writes the given input streams (B, F) of one step, before anything of it is predicted."""
        assert self._placed is not None
        ids = torch.as_tensor(features, dtype=torch.int64, device=self.device) + self.model.feature_offsets
        width = self._order.num_streams if self.pattern == "flat" else 1
        self._placed[:, step * width : (step + 1) * width] = ids[:, None]

    @torch.inference_mode()
    def logits(self) -> NDArray[np.float32]:
        """Returns (B, V_k) for the next slot, having run everything that was fed."""
        position, step, stream = self._slots[self._next]
        if self._done <= position or self._hidden is None:
            x = self.model.embed(self._ids, self._placed, self._done, position + 1)
            self._hidden = self._backbone.step(x, self._state, self._done)[:, -1]  # (B, D)
            self._done = position + 1
        vector = self._hidden if self.model.depth is None else self._in_depth(self._hidden, step, stream)
        logits: Tensor = self.model.heads[stream](vector)
        result: NDArray[np.float32] = logits.float().numpy(force=True)
        return result

    def _in_depth(self, hidden: Tensor, step: int, stream: int) -> Tensor:
        """Returns (B, depth_dim), the depth transformer's vector for a stream of the step."""
        depth = self.model.depth
        assert depth is not None
        if self._depth_step != step or self._depth_done > stream:
            self._depth_step, self._depth_done = step, 0
            self._depth_state = depth.new_state(len(hidden))
        vector = depth.step(hidden, self._ids[:, step], self._depth_state, self._depth_done, stream + 1)
        self._depth_done = stream + 1
        return vector

    @torch.inference_mode()
    def feed(self, tokens: Codes) -> None:
        """Writes the next slot (B,) and goes on."""
        _position, step, stream = self._slots[self._next]
        offset = sum(self.vocabulary_sizes[:stream])
        self._ids[:, step, stream] = torch.from_numpy(tokens + offset).to(self.device)
        self._next += 1

    @torch.inference_mode()
    def prefill(self, codes: Codes) -> None:
        """Feeds whole steps (B, K, T) right after `start`."""
        steps = codes.shape[2]
        self._ids[:, :steps] = self.model.ids(torch.from_numpy(codes).to(self.device))
        self._next = self._order.prefilled(steps)

    @torch.inference_mode()
    def reorder(self, indices: Codes) -> None:
        """Makes row i go on from row indices[i]; there may be more or fewer rows than before."""
        rows = torch.from_numpy(indices).to(self.device)
        self._ids = self._ids[rows]
        self._placed = None if self._placed is None else self._placed[rows]
        self._hidden = None if self._hidden is None else self._hidden[rows]
        self._state = self._backbone.reorder(self._state, rows)
        self._depth_step = -1

    @torch.inference_mode()
    def truncate(self, num_steps: int) -> None:
        """Goes back to where a prefill of the first `num_steps` steps would stand."""
        self._next = self._order.prefilled(num_steps)
        position = self._slots[self._next][0] if self._next < len(self._slots) else self._order.num_positions
        if position < self._done:
            back = self._backbone.rewind(position)
            if back != position:
                self._reset()
            self._done, self._hidden = back, None
        self._depth_step = -1
