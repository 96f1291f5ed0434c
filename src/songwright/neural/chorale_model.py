"""A network for chorales in four parts on a grid of 16ths: how likely is each frame, given all frames before it?

A relative-attention transformer reads the past beat by beat; a small head (`chorale_head`) predicts the voices of a
frame one after another. Frames are scored by the mean probability over all 24 orders of the voices, which is a
probability again. Several such networks are mixed in `chorale_mixture`.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from songwright.neural.chorale_features import (
    BEAT_TABLE,
    FRAMES_PER_BEAT,
    VOICES,
    ChoraleFeatures,
    Ids,
    codes_of,
    features_of,
    histories_of,
)
from songwright.neural.chorale_head import ChoraleConfig, VoiceHead
from songwright.neural.chorale_memory import ChoraleMemory, Recall
from songwright.neural.transformer import Transformer

ORDERS = tuple(itertools.permutations(range(VOICES)))


class ChoraleModel(nn.Module):
    """The network and what it remembers.

    Args:
        config: its size.
        remembered: (frames, 4) codes of all remembered pieces, one after another.
        lengths: frames of each of them.
    """

    memory_codes: Tensor
    memory_lengths: Tensor

    def __init__(self, config: ChoraleConfig, remembered: Tensor, lengths: Tensor) -> None:
        super().__init__()
        self.config = config
        self.beat_table = nn.EmbeddingBag(BEAT_TABLE, config.beat_dim, mode="sum")
        self.beat_in = nn.Linear(config.beat_dim, config.dim)
        self.beat_dropout = nn.Dropout(config.dropout)
        self.past = Transformer(
            config.dim,
            config.num_layers,
            config.num_heads,
            config.feedforward_dim,
            positions="relative",
            relative_span=config.span,
            dropout=config.dropout,
        )
        self.beat_out = nn.Linear(config.dim, VOICES * config.head_dim)
        self.head = VoiceHead(config)
        nn.init.normal_(self.beat_table.weight, std=0.15)
        self.register_buffer("memory_codes", remembered.to(torch.uint8))
        self.register_buffer("memory_lengths", lengths.to(torch.int32))

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Returns nats (N, 4) of the voices of N frames.

        Args:
            batch: `beat_ids` (B, K, G), `beat` (N,) which of the B K beats a frame is in, `rank` (N, 4) when each voice
                is predicted, and the tensors of `frame_tensors`, one row for each frame.
        """
        states = self.states(batch["beat_ids"]).flatten(0, 1)  # (B K, 4 H)
        nats: Tensor = self.head(states[batch["beat"]], batch)
        return nats

    def states(self, beat_ids: Tensor) -> Tensor:
        """Returns what the head is told about beats (B, K, G): (B, K, 4 H), each from the beats before it."""
        batch, beats, facts = beat_ids.shape
        flat = beat_ids.reshape(batch * beats, facts)
        weights = None
        if self.training and self.config.input_dropout > 0:
            kept = torch.rand(flat.shape, device=flat.device) >= self.config.input_dropout
            weights = kept.to(self.beat_table.weight.dtype) / (1 - self.config.input_dropout)
        x = self.beat_in(self.beat_table(flat, per_sample_weights=weights)).view(batch, beats, -1)
        result: Tensor = self.beat_out(self.beat_dropout(self.past(self.beat_dropout(x))))
        return result

    def memory(self) -> ChoraleMemory:
        """Returns what the network remembers, ready to be asked."""
        codes, ends = self.memory_codes.cpu().numpy().astype(np.int64), np.cumsum(self.memory_lengths.cpu().numpy())
        return ChoraleMemory(np.split(codes, ends[:-1]) if len(ends) else [], self.config.places)

    @torch.no_grad()
    def frame_nats(self, pieces: Sequence[NDArray[Any]]) -> list[NDArray[np.float64]]:
        """Returns -ln p of every frame given the frames before it.

        Args:
            pieces: MIDI pitches (frames, 4), soprano first, -1 rests; frame 0 starts a beat.

        Raises:
            InputError: a pitch is out of the network's range.
        """
        memory = self.memory()
        codes = [codes_of(piece) for piece in pieces]
        return [self.nats_of(features_of(piece), memory.recall(piece)) for piece in codes]

    @torch.no_grad()
    def nats_of(
        self, features: ChoraleFeatures, recall: Recall, orders: Sequence[Sequence[int]] = ORDERS
    ) -> NDArray[np.float64]:
        """Returns -ln of the mean probability of each frame over orders of the voices."""
        return mixed_nats(self.log_probabilities(features, recall, orders))

    @torch.no_grad()
    def log_probabilities(
        self, features: ChoraleFeatures, recall: Recall, orders: Sequence[Sequence[int]] = ORDERS
    ) -> NDArray[np.float64]:
        """Returns ln p (orders, frames) of each frame given those before it, by each order of the voices."""
        training = self.training
        self.eval()
        device = self.beat_table.weight.device
        piece = {name: tensor.to(device) for name, tensor in piece_tensors(features, recall).items()}
        questions = questions_of(orders)
        nats = self.conditional_nats(piece, questions.known.to(device))
        self.train(training)
        return questions.log_probabilities(nats)

    def conditional_nats(self, piece: Mapping[str, Tensor], known: Tensor, first: int = 0, last: int = -1) -> Tensor:
        """Returns nats (Q, frames, 4) of the voices of some frames, each given some others, with a graph of gradients.

        Args:
            piece: as `piece_tensors` gives it.
            known: (Q, 4, 4) whether in a question a target knows another voice's note of the frame.
            first: of the frames.
            last: the frame after the last; without it the piece's end.
        """
        frames = torch.arange(first, last if last >= 0 else len(piece["codes"]), device=known.device)
        beat = frames // FRAMES_PER_BEAT
        states = self.states(piece["beat_ids"][None, : int(beat[-1]) + 1])[0]
        batch = {name: tensor[frames] for name, tensor in piece.items() if name != "beat_ids"}
        told = self.head.told(states[beat], batch)
        asked = len(known)
        every = {name: tensor.repeat(asked, *[1] * (tensor.ndim - 1)) for name, tensor in batch.items()}
        nats: Tensor = self.head.nats(told.repeat(asked, 1, 1), every, known.repeat_interleave(len(frames), 0))
        return nats.view(asked, len(frames), VOICES)


@dataclass(frozen=True, slots=True)
class Questions:
    """What a network is asked so that frames can be predicted in several orders of the voices.

    Attributes:
        known: (Q, 4, 4) whether in a question a target knows another voice; 8 questions do for all 24 orders.
        index: (orders, 4) in which question each voice is answered as the order has it.
    """

    known: Tensor
    index: Ids

    def log_probabilities(self, nats: Tensor) -> NDArray[np.float64]:
        """Returns ln p (orders, frames) of frames whose voices need nats (Q, frames, 4)."""
        answers = -nats.detach().cpu().double().numpy()
        return np.asarray([sum(answers[q, :, voice] for voice, q in enumerate(row)) for row in self.index])

    def shares(self) -> Tensor:
        """Returns (Q, 4): in what share of the orders a voice's answer counts."""
        counts = np.zeros(self.known.shape[:2], np.float32)
        for voice in range(VOICES):
            np.add.at(counts[:, voice], self.index[:, voice], 1 / len(self.index))
        return torch.from_numpy(counts)


def questions_of(orders: Sequence[Sequence[int]]) -> Questions:
    """Returns the fewest questions that orders of the voices need."""
    sets: list[dict[frozenset[int], int]] = [{} for _ in range(VOICES)]
    index = np.zeros((len(orders), VOICES), np.int64)
    for row, order in enumerate(orders):
        for place, voice in enumerate(order):
            index[row, voice] = sets[voice].setdefault(frozenset(order[:place]), len(sets[voice]))
    known = np.zeros((max(map(len, sets)), VOICES, VOICES), bool)
    for voice, numbers in enumerate(sets):
        for others, number in numbers.items():
            known[number, voice, list(others)] = True
    return Questions(torch.from_numpy(known), index)


def mixed_nats(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns -ln of the mean over rows of exp(logs), (rows, frames) → (frames,)."""
    return np.asarray(np.log(len(logs)) - np.logaddexp.reduce(logs, axis=0))


def frame_tensors(features: ChoraleFeatures, recall: Recall) -> dict[str, Tensor]:
    """Returns what the head is told about each frame of a piece, and what it has to predict, as tensors."""
    return {
        "codes": torch.from_numpy(features.codes),
        "last": torch.from_numpy(features.last),
        "frame_ids": torch.from_numpy(features.frame_ids),
        "within": torch.arange(len(features.codes)) % FRAMES_PER_BEAT,
        "place_codes": torch.from_numpy(recall.codes),
        "place_before": torch.from_numpy(recall.before),
        "place_length": torch.from_numpy(recall.length),
        "place_agreement": torch.from_numpy(recall.agreement),
        "place_phase": torch.from_numpy(recall.phase),
        "histories": torch.from_numpy(histories_of(features.codes)),
    }


def piece_tensors(features: ChoraleFeatures, recall: Recall) -> dict[str, Tensor]:
    """Returns the tensors of `frame_tensors` and `beat_ids` (beats, G)."""
    return {**frame_tensors(features, recall), "beat_ids": torch.from_numpy(features.beat_ids)}
