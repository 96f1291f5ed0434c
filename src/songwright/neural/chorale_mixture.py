"""Chorale networks mixed: the mean of what several say over all orders of the voices, as kept and as they adapt.

A mean of probabilities with fixed weights is a probability. This is what is kept in a model folder and scored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from songwright.neural.chorale_adaptation import Squares, adapted_log_probabilities, mean_squares
from songwright.neural.chorale_features import Ids, codes_of, features_of
from songwright.neural.chorale_head import ChoraleConfig
from songwright.neural.chorale_memory import ChoraleMemory, Recall
from songwright.neural.chorale_model import ChoraleModel, mixed_nats


@dataclass(frozen=True, slots=True)
class Reading:
    """How a mixture reads a piece; nothing here is learned, and no weight that is kept is changed by it.

    Attributes:
        places: how many places of the memory are recalled for each beat.
        agreement_weight: of `ChoraleMemory`.
        key_weight: of the same.
        rate: of learning while reading, see `adapted_log_probabilities`; 0 does not learn.
        damping: of the same.
    """

    places: int = 16
    agreement_weight: float = 8.0
    key_weight: float = 0.0
    rate: float = 0.0
    damping: float = 0.004


class ChoraleMixture(nn.Module):
    """Networks that share one memory.

    Args:
        members: the networks; their own memories are not asked.
        remembered: (frames, 4) codes of all remembered pieces, one after another.
        lengths: frames of each of them.
        reading: how they read.
    """

    memory_codes: Tensor
    memory_lengths: Tensor

    def __init__(
        self, members: Sequence[ChoraleModel], remembered: Tensor, lengths: Tensor, reading: Reading | None = None
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.reading = reading or Reading()
        self.register_buffer("memory_codes", remembered.to(torch.uint8))
        self.register_buffer("memory_lengths", lengths.to(torch.int32))

    def networks(self) -> list[ChoraleModel]:
        """Returns the members, typed."""
        return [member for member in self.members if isinstance(member, ChoraleModel)]

    def memory(self) -> ChoraleMemory:
        """Returns what the networks remember, ready to be asked."""
        codes, ends = self.memory_codes.cpu().numpy().astype(np.int64), np.cumsum(self.memory_lengths.cpu().numpy())
        pieces, how = np.split(codes, ends[:-1]) if len(ends) else [], self.reading
        return ChoraleMemory(pieces, how.places, how.agreement_weight, how.key_weight)

    def squares(self, memory: ChoraleMemory) -> list[Squares]:
        """Returns what each network needs to learn while reading; nothing if it does not."""
        return [mean_squares(network, memory) for network in self.networks()] if self.reading.rate else []

    def frame_nats(self, pieces: Sequence[NDArray[Any]]) -> list[NDArray[np.float64]]:
        """Returns -ln p of every frame given the frames before it.

        Args:
            pieces: MIDI pitches (frames, 4), soprano first, -1 rests; frame 0 starts a beat.

        Raises:
            InputError: a pitch is out of the networks' range.
        """
        codes = [codes_of(piece) for piece in pieces]
        memory = self.memory()
        squares = self.squares(memory)
        return [mixed_nats(np.concatenate(self.logs(piece, memory.recall(piece), squares))) for piece in codes]

    def logs(self, codes: Ids, recall: Recall, squares: Sequence[Squares]) -> list[NDArray[np.float64]]:
        """Returns ln p (24, frames) of a piece for each network as it is kept, then for each that learns as it reads.

        Args:
            codes: (frames, 4) of the piece.
            recall: what the memory holds for it.
            squares: as `squares` gives them.
        """
        features, rate, damping = features_of(codes), self.reading.rate, self.reading.damping
        kept = [network.log_probabilities(features, recall) for network in self.networks()]
        return kept + [
            adapted_log_probabilities(network, square, features, recall, rate, damping)
            for network, square in zip(self.networks(), squares, strict=False)
        ]


def load_chorale_model(config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> ChoraleModel | ChoraleMixture:
    """Returns the network, or the mixture, of a model folder, ready to score.

    Args:
        config: what was saved: ``"network"`` holds the fields of `ChoraleConfig`, or ``"members"`` a list of such
            and ``"reading"`` the fields of `Reading`.
        tensors: weights and memory by name.

    Raises:
        KeyError, TypeError, ValueError, RuntimeError: they do not belong together.
    """
    weights = {name: torch.from_numpy(np.array(array)) for name, array in tensors.items()}
    memory = weights["memory_codes"], weights["memory_lengths"]
    model: ChoraleModel | ChoraleMixture
    if "members" in config:
        nothing = torch.zeros(0, 4), torch.zeros(0)
        members = [ChoraleModel(ChoraleConfig(**network), *nothing) for network in config["members"]]
        model = ChoraleMixture(members, *memory, Reading(**config["reading"]))
    else:
        model = ChoraleModel(ChoraleConfig(**config["network"]), *memory)
    model.load_state_dict(weights)
    return model.eval()
