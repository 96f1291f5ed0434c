"""Nats of the numbers of a batch that are to be learned, and of these alone: what tasks of the composer's kind lose."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from songwright.neural.language_model import LanguageModelConfig, MultiStreamLM


@dataclass(frozen=True, slots=True)
class ChosenNats:
    """What a network thinks of the numbers that are to be learned.

    Attributes:
        nats: (N, K) of each event with such numbers, in order of (row, step), 0 where a stream has none; float32.
        rows: (N,) row of each.
        wanted: (N, K) where there are such numbers.
        smoothed: no dimensions; the nats of all of them with smoothed labels, 0 if nothing is smoothed.
    """

    nats: Tensor
    rows: Tensor
    wanted: Tensor
    smoothed: Tensor

    def by_row(self, count: int) -> Tensor:
        """Returns (count,) the nats of each row."""
        return torch.zeros(count, device=self.nats.device).index_add(0, self.rows, self.nats.sum(1))

    def events(self, count: int) -> Tensor:
        """Returns (count,) how many events of each row count, at least 1."""
        found = torch.zeros(count, device=self.nats.device)
        return found.index_add(0, self.rows, torch.ones_like(self.rows, dtype=found.dtype)).clamp_min(1.0)


def told_features(features: Tensor | None, network: LanguageModelConfig) -> Tensor | None:
    """Returns (B, F, T) features as late as a pattern may hear them.

    With delay, stream k of step t is predicted where the features of step t + k would be told, which follow from the
    steps before t + k: they are told K - 1 steps later, when the last stream of those steps is known.
    """
    if features is None or network.pattern != "delay":
        return features
    return functional.pad(features, (network.num_streams - 1, 0))[:, :, : features.shape[2]]


def chosen_nats(model: MultiStreamLM, batch: Mapping[str, Tensor], smoothing: float = 0.0) -> ChosenNats:
    """Returns the nats of what is to be learned; a depth transformer and every head run over those events alone.

    Args:
        model: with any pattern.
        batch: codes (B, K, T) int64, features (B, F, T) int64, mask (B, K, T) bool.
        smoothing: of the labels of `ChosenNats.smoothed`.
    """
    codes, mask = batch["codes"], batch["mask"]
    chosen = mask.any(1)  # (B, T)
    wanted = mask.transpose(1, 2)[chosen]  # (N, K)
    target = codes.transpose(1, 2)[chosen]
    hidden = model.hidden(codes, told_features(batch.get("features"), model.config))
    if model.depth is not None:
        vectors = model.depth(hidden[chosen][None], model.ids(codes)[chosen][None])[0].unbind(1)  # K of (N, depth)
    else:
        vectors = [v[chosen] for v in model.pattern.by_stream(hidden, codes.shape[1], codes.shape[2])]
    columns = []
    smoothed = torch.zeros((), device=codes.device)
    for k, head in enumerate(model.heads):
        logits, right = head(vectors[k][wanted[:, k]]).float(), target[wanted[:, k], k]
        found = functional.cross_entropy(logits, right, reduction="none")
        columns.append(torch.zeros(len(wanted), device=codes.device).masked_scatter(wanted[:, k], found))
        if smoothing:
            smoothed = smoothed + functional.cross_entropy(logits, right, reduction="sum", label_smoothing=smoothing)
    return ChosenNats(torch.stack(columns, dim=1), chosen.nonzero()[:, 0], wanted, smoothed)
