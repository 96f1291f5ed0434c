"""Chorale networks mixed: the mean of what several say over all orders of the voices, as kept and as they adapt.

A mean of probabilities with fixed weights is a probability. This is what is kept in a model folder and scored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from songwright.neural.chorale_adaptation import Squares, adapted_answers, mean_squares
from songwright.neural.chorale_features import NUM_CODES, Ids, codes_of, features_of, transposed
from songwright.neural.chorale_head import ChoraleConfig
from songwright.neural.chorale_memory import ChoraleMemory, Recall
from songwright.neural.chorale_model import QUESTIONS, ChoraleModel, mixed_nats
from songwright.neural.chorale_neighbours import Neighbours


@dataclass(frozen=True, slots=True)
class Reading:
    """How a mixture reads a piece; nothing here is learned, and no weight that is kept is changed by it.

    Attributes:
        places: how many places of the memory are recalled for each beat.
        agreement_weight: of `ChoraleMemory`.
        rate: of learning while reading, see `adapted_answers`; 0 does not learn.
        damping: of the same.
        neighbours: the weight of `Neighbours` where a state is as one that is remembered; 0 does without.
        reach: squared distance over which that weight falls to a third (1 / e).
        width: of `Neighbours`.
    """

    places: int = 16
    agreement_weight: float = 8.0
    rate: float = 0.0
    damping: float = 0.004
    neighbours: float = 0.0
    reach: float = 60.0
    width: float = 12.0


@dataclass(frozen=True, slots=True)
class Readings:
    """What networks need to read pieces, prepared once.

    Attributes:
        memory: it is asked for each piece.
        squares: for each network that learns.
        neighbours: None to do without.
    """

    memory: ChoraleMemory
    squares: list[Squares]
    neighbours: Neighbours | None


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

    def prepared(self) -> Readings:
        """Returns what the networks remember, ready to be asked."""
        codes, ends = self.memory_codes.cpu().numpy().astype(np.int64), np.cumsum(self.memory_lengths.cpu().numpy())
        pieces = np.split(codes, ends[:-1]) if len(ends) else []
        how, networks = self.reading, self.networks()
        memory = ChoraleMemory(pieces, how.places, how.agreement_weight)
        squares = [mean_squares(network, memory) for network in networks] if how.rate else []
        neighbours = Neighbours(networks, pieces, how.width) if how.neighbours else None
        return Readings(memory, squares, neighbours)

    def frame_nats(self, pieces: Sequence[NDArray[Any]]) -> list[NDArray[np.float64]]:
        """Returns -ln p of every frame given the frames before it.

        Args:
            pieces: MIDI pitches (frames, 4), soprano first, -1 rests; frame 0 starts a beat.

        Raises:
            InputError: a pitch is out of the networks' range.
        """
        codes = [codes_of(piece) for piece in pieces]
        prepared = self.prepared()
        return [mixed_nats(np.concatenate(self.logs(piece, prepared))) for piece in codes]

    def logs(self, codes: Ids, prepared: Readings) -> list[NDArray[np.float64]]:
        """Returns ln p (24, frames) of a piece for each network as it is kept, then for each that learns as it reads.

        Args:
            codes: (frames, 4) of the piece.
            prepared: of this mixture.
        """
        features, recall, how = features_of(codes), prepared.memory.recall(codes), self.reading
        answers = [network.answers(features, recall, QUESTIONS) for network in self.networks()]
        answers += [
            adapted_answers(network, squares, features, recall, how.rate, how.damping)
            for network, squares in zip(self.networks(), prepared.squares, strict=False)
        ]
        if prepared.neighbours is not None:
            chances, nearest = prepared.neighbours.answers(features)
            share = np.nan_to_num(how.neighbours * np.exp(-nearest / how.reach))
            theirs = np.log(np.maximum(share * np.nan_to_num(chances), 1e-30))
            answers = [np.logaddexp(np.log1p(-share) + own, theirs) for own in answers]
        return [QUESTIONS.by_order(own) for own in answers]


def moved_recall(recall: Recall, shift: int) -> Recall:
    """Returns recalled places moved by semitones; those that are not there stay so."""
    codes, before = (
        np.where(notes < NUM_CODES, transposed(notes, shift), notes) for notes in (recall.codes, recall.before)
    )
    return replace(recall, codes=codes, before=before)


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
