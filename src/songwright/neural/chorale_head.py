"""The part of a chorale network that predicts one voice after another, in any order, frame by frame.

What it says about a pitch is a sum of what it says about the pitch itself, about the step from the voice's last note,
about the distance from each other voice, and of what remembered places with the same melody say.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from songwright.neural.chorale_features import FRAME_TABLE, FRAMES_PER_BEAT, HISTORIES, NUM_CODES, VOICES
from songwright.neural.chorale_memory import AGREEMENTS, MAX_LENGTH, NOTHING

STEP_SPAN, DISTANCE_SPAN, RELATION_SPAN = 25, 40, 31
STATES = 3
"""Of a thing that a place and the piece have or have not in common: not known, different, the same."""


@dataclass(frozen=True, slots=True)
class ChoraleConfig:
    """The size of a chorale network.

    Args:
        dim: of the transformer over beats.
        num_layers, num_heads, feedforward_dim: of it.
        span: beats back that have a relative position of their own.
        head_dim: of the layers that predict a voice.
        beat_dim, frame_dim: of the embeddings of a beat and of a frame.
        relation_dim: of the embeddings of the voices that are known.
        place_dim: of the embedding of a remembered place.
        places: how many places are recalled for each beat; 0 does without a memory.
        histories: whether the head is shown how common each pitch was so far.
        dropout: in the transformer.
        input_dropout: how often one fact about a beat is left out.
        head_dropout: in the head.
        place_dropout: how often a place is left out.
    """

    dim: int = 96
    num_layers: int = 2
    num_heads: int = 4
    feedforward_dim: int = 192
    span: int = 128
    head_dim: int = 112
    beat_dim: int = 48
    frame_dim: int = 64
    relation_dim: int = 32
    place_dim: int = 16
    places: int = 16
    dropout: float = 0.3
    input_dropout: float = 0.1
    head_dropout: float = 0.2
    place_dropout: float = 0.1
    histories: bool = False


TINY = ChoraleConfig(
    dim=16,
    num_layers=1,
    num_heads=2,
    feedforward_dim=32,
    span=8,
    head_dim=16,
    beat_dim=8,
    frame_dim=8,
    relation_dim=8,
    places=2,
)
"""Under 100,000 parameters."""


class VoiceHead(nn.Module):
    """Predicts the voices of frames, each from those that come before it in an order.

    Args:
        config: of the network.
    """

    def __init__(self, config: ChoraleConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.head_dim
        self.frame_table = nn.EmbeddingBag(FRAME_TABLE, config.frame_dim, mode="sum")
        self.frame_norm = nn.LayerNorm(config.frame_dim)
        self.frame_out = nn.Linear(config.frame_dim, VOICES * dim)
        self.known = nn.Embedding(VOICES * VOICES * (NUM_CODES + 1), config.relation_dim)
        self.relation = nn.Embedding(VOICES * VOICES * (2 * RELATION_SPAN + 2), config.relation_dim)
        self.known_out = nn.Linear(config.relation_dim, dim, bias=False)
        self.norm, self.wide, self.narrow = nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim)
        self.out_norm = nn.LayerNorm(dim)
        self.widths = [NUM_CODES, 2 * STEP_SPAN + 1, *[2 * DISTANCE_SPAN + 1] * VOICES]
        self.out = nn.Linear(dim, sum(self.widths))
        self.prior = nn.Parameter(torch.zeros(VOICES, NUM_CODES))
        self.dropout = ByteDropout(config.head_dropout)
        self.places = Places(config) if config.places else None
        self.common = nn.Linear(dim, HISTORIES) if config.histories else None
        if self.common is not None:
            nn.init.zeros_(self.common.weight)
        for table in (self.frame_table, self.known, self.relation):
            nn.init.normal_(table.weight, std=0.12)
        nn.init.zeros_(self.out.weight)

    def forward(self, states: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Returns nats (N, 4); see `ChoraleModel.forward`."""
        rank = batch["rank"]
        return self.nats(self.told(states, batch), batch, rank[:, None, :] < rank[:, :, None])

    def told(self, states: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Returns (N, 4, H): what each voice is told whatever the order."""
        frame = self.frame_out(self.dropout(self.frame_norm(self.frame_table(batch["frame_ids"]))))
        told: Tensor = (states + frame).view(len(frame), VOICES, -1)
        return told

    def nats(self, told: Tensor, batch: Mapping[str, Tensor], known: Tensor) -> Tensor:
        """Returns nats (N, 4) of voices of which each knows some others.

        Args:
            told: what the voices are told.
            batch: the tensors of `frame_tensors`.
            known: (N, 4, 4) whether a target knows another voice's note in this frame.
        """
        codes, last = batch["codes"], batch["last"]
        others = torch.where(known, codes[:, None], NUM_CODES)
        x = told + self.known_out(self._relations(known, others, last))
        x = x + self.narrow(self.dropout(functional.gelu(self.wide(self.norm(x)))))
        x = self.out_norm(x)
        logits = self._logits(self.out(self.dropout(x)).float(), torch.where(known, others, last[:, None]), last)
        if self.common is not None:
            logits = logits + (batch["histories"] @ self.common(x).float()[..., None]).squeeze(-1)
        if self.places is not None:
            logits = self.places(logits, x, batch, known, others)
        return functional.cross_entropy(logits.flatten(0, 1), codes.flatten(), reduction="none").view(codes.shape)

    def _relations(self, known: Tensor, others: Tensor, last: Tensor) -> Tensor:
        """Returns (N, 4, R): which notes are known and how far they lie from the target's last note."""
        pair = torch.arange(VOICES * VOICES, device=last.device).view(VOICES, VOICES)
        far = 2 * RELATION_SPAN + 1
        step = (others - last[:, :, None] + RELATION_SPAN).clamp(1, far - 1)
        step = torch.where((others > 0) & (last[:, :, None] > 0), step, far)
        step = torch.where(known, step, 0)
        rows = len(last) * VOICES
        note = functional.embedding_bag((pair * (NUM_CODES + 1) + others).view(rows, -1), self.known.weight, mode="sum")
        far_ids = (pair * (far + 1) + step).view(rows, -1)
        return (note + functional.embedding_bag(far_ids, self.relation.weight, mode="sum")).view(*others.shape[:2], -1)

    def _logits(self, said: Tensor, others: Tensor, last: Tensor) -> Tensor:
        """Returns logits (N, 4, NUM_CODES): of a pitch, of the step that leads to it, of its distances."""
        parts = torch.split(said, self.widths, -1)
        code = torch.arange(NUM_CODES, device=said.device)
        step = (code - last[..., None] + STEP_SPAN).clamp(0, 2 * STEP_SPAN)
        logits = parts[0] + self.prior + parts[1].gather(2, step)
        for voice in range(VOICES):
            distance = (code - others[:, :, voice, None] + DISTANCE_SPAN).clamp(0, 2 * DISTANCE_SPAN)
            logits = logits + parts[2 + voice].gather(2, distance)
        result: Tensor = logits
        return result


class ByteDropout(nn.Module):
    """Dropout at a rate of whole 256ths, eight draws from each random number: five times as fast on a CPU as torch's.

    Args:
        rate: how often a number becomes 0.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.threshold = round(rate * 256)

    def forward(self, x: Tensor) -> Tensor:
        """Returns x with some numbers 0 and the others larger, so that the mean stays; x itself in evaluation."""
        if not self.training or self.threshold == 0:
            return x
        words = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device).random_(-(2**63), None)
        kept = words.view(torch.uint8)[: x.numel()].view(x.shape) >= self.threshold
        return x * (kept.to(x.dtype) * (256 / (256 - self.threshold)))


class Places(nn.Module):
    """Adds to the logits what remembered places say; how loud each speaks is learned.

    Args:
        config: of the network.
    """

    def __init__(self, config: ChoraleConfig) -> None:
        super().__init__()
        self.dropout = config.place_dropout
        moves = STATES * 2 * FRAMES_PER_BEAT
        self.sizes = ((MAX_LENGTH + 1) * FRAMES_PER_BEAT, AGREEMENTS * 2, moves, 16 * STATES * STATES)
        self.tables = nn.ModuleList(nn.Embedding(VOICES * size, config.place_dim) for size in self.sizes)
        self.ask = nn.Linear(config.head_dim, 2 * config.place_dim)
        self.out = nn.Linear(config.place_dim, 2)
        for table in self.tables.parameters():
            nn.init.normal_(table, std=0.3)
        nn.init.zeros_(self.ask.weight)

    def forward(self, logits: Tensor, x: Tensor, batch: Mapping[str, Tensor], known: Tensor, others: Tensor) -> Tensor:
        """Returns logits (N, 4, NUM_CODES) with what the places say.

        Args:
            logits: of the network alone.
            x: (N, 4, H) what the network thinks.
            batch: the tensors of `frame_tensors`.
            known: (N, 4, 4) which voices the target knows.
            others: (N, 4, 4) their codes.
        """
        said = batch["place_codes"].transpose(1, 2)  # (N, 4, M)
        ids = self._ids(batch, said, known, others)
        place: Tensor | None = None
        voice = torch.arange(VOICES, device=said.device)[:, None]
        for table, size, index in zip(self.tables, self.sizes, ids, strict=True):
            row = table(voice * size + index)  # (N, 4, M, R)
            place = row if place is None else place + row
        assert place is not None
        place = torch.tanh(place)
        told = self.out(place).float()  # (N, 4, M, 2)
        asked = self.ask(x).unflatten(-1, (2, -1))  # (N, 4, 2, R)
        told = told + (place @ asked.transpose(-1, -2)).float()
        there = said != NOTHING
        if self.training and self.dropout > 0:
            there = there & (torch.rand(said.shape, device=said.device) >= self.dropout)
        weight = torch.softmax(told[..., 0].masked_fill(~there, -1e9), -1) * there
        strength = functional.softplus(told[..., 1])
        return logits.scatter_add(2, said.clamp(max=NUM_CODES - 1), weight * strength)

    def _ids(self, batch: Mapping[str, Tensor], said: Tensor, known: Tensor, others: Tensor) -> tuple[Tensor, ...]:
        """Returns ids (N, 4 or 1, M): the match; the lower voices; the voice's move; how known voices agree."""
        within = batch["within"][:, None, None]
        match = batch["place_length"][:, None] * FRAMES_PER_BEAT + within
        lower = batch["place_agreement"][:, None] * 2 + batch["place_phase"][:, None]
        before = batch["place_before"].transpose(1, 2)
        kept = torch.where(before == NOTHING, 0, 1 + (before == batch["last"][:, :, None]).long())
        move = (kept * 2 + (said != before).long()) * FRAMES_PER_BEAT + within
        same = (batch["place_codes"].transpose(1, 2)[:, None] == others[..., None]) & known[..., None]  # (N, 4, 4, M)
        count = known.sum(2)[..., None] * VOICES + same.sum(2).clamp(max=VOICES - 1)
        outer = [torch.where(known[:, :, v, None], 1 + same[:, :, v].long(), 0) for v in (0, VOICES - 1)]
        return match, lower, move, (count * STATES + outer[0]) * STATES + outer[1]
