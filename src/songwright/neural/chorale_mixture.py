"""Chorale networks mixed: the mean of what several say, in several transpositions, over all orders of the voices.

A mean of probabilities with fixed weights is a probability. This is what is kept in a model folder and scored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from songwright.neural.chorale_features import NUM_CODES, Ids, codes_of, features_of, transposed
from songwright.neural.chorale_head import ChoraleConfig
from songwright.neural.chorale_memory import ChoraleMemory, Recall
from songwright.neural.chorale_model import ORDERS, ChoraleModel, mixed_nats


class ChoraleMixture(nn.Module):
    """Networks that share one memory.

    Args:
        members: the networks; their own memories are not asked.
        remembered: (frames, 4) codes of all remembered pieces, one after another.
        lengths: frames of each of them.
        shifts: the transpositions in semitones in which a piece is read; 0 is as it stands.
        temperature: divides every logit.
    """

    memory_codes: Tensor
    memory_lengths: Tensor

    def __init__(
        self,
        members: Sequence[ChoraleModel],
        remembered: Tensor,
        lengths: Tensor,
        shifts: Sequence[int] = (0,),
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.places = max(member.config.places for member in members)
        self.shifts = tuple(shifts)
        self.temperature = temperature
        self.register_buffer("memory_codes", remembered.to(torch.uint8))
        self.register_buffer("memory_lengths", lengths.to(torch.int32))

    def memory(self) -> ChoraleMemory:
        """Returns what the networks remember, ready to be asked."""
        codes, ends = self.memory_codes.cpu().numpy().astype(np.int64), np.cumsum(self.memory_lengths.cpu().numpy())
        return ChoraleMemory(np.split(codes, ends[:-1]) if len(ends) else [], self.places)

    def frame_nats(self, pieces: Sequence[NDArray[Any]]) -> list[NDArray[np.float64]]:
        """Returns -ln p of every frame given the frames before it.

        Args:
            pieces: MIDI pitches (frames, 4), soprano first, -1 rests; frame 0 starts a beat.

        Raises:
            InputError: a pitch is out of the networks' range.
        """
        memory = self.memory()
        return [self.nats_of(codes, memory.recall(codes)) for codes in map(codes_of, pieces)]

    def nats_of(self, codes: Ids, recall: Recall, orders: Sequence[Sequence[int]] = ORDERS) -> NDArray[np.float64]:
        """Returns nats (frames,) of a piece whose places were recalled already."""
        logs = []
        for shift in self.shifts:
            features, moved = features_of(transposed(codes, shift)), moved_recall(recall, shift)
            for member in self.members:
                assert isinstance(member, ChoraleModel)
                logs.append(member.log_probabilities(features, moved, orders, self.temperature))
        return mixed_nats(np.concatenate(logs))


def moved_recall(recall: Recall, shift: int) -> Recall:
    """Returns recalled places moved by semitones; those that are not there stay so."""
    codes, before = (
        np.where(notes < NUM_CODES, transposed(notes, shift), notes) for notes in (recall.codes, recall.before)
    )
    return replace(recall, codes=codes, before=before)


def load_chorale_model(config: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> ChoraleModel | ChoraleMixture:
    """Returns the network, or the mixture, of a model folder, ready to score.

    Args:
        config: what was saved: ``"network"`` holds the fields of `ChoraleConfig`, or ``"members"`` a list of such,
            ``"shifts"`` the transpositions, and ``"temperature"``.
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
        model = ChoraleMixture(members, *memory, config["shifts"], float(config["temperature"]))
    else:
        model = ChoraleModel(ChoraleConfig(**config["network"]), *memory)
    model.load_state_dict(weights)
    return model.eval()
