"""How one token is drawn from what a network says: temperature, top-k, top-p, min-p, repetition, guidance, masks.

numpy only, one implementation for every runtime. Which tokens a grammar allows is decided by the caller.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.errors import ConfigError, InputError

Random = np.random.Generator | list[np.random.Generator]
"""One generator for all rows, or one for each row: then a row draws the same whatever rows stand beside it."""


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How tokens are drawn.

    Attributes:
        temperature: 1 draws as the network says, less is safer; 0 takes the likeliest (the lowest id among equals).
        top_k: only the k likeliest tokens; 0 for all.
        top_p: only the likeliest tokens that together reach this probability.
        min_p: only tokens at least this share as likely as the likeliest.
        repetition_penalty: the odds of a token that stands in the history are divided by it; 1 for no penalty.
        repetition_window: how many tokens of the stream the history holds.
        guidance_scale: how far logits go from the unconditional through the conditional ones; 1 for no guidance.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    repetition_window: int = 64
    guidance_scale: float = 1.0

    def __post_init__(self) -> None:
        limits = {
            "temperature": (0.0, 100.0), "top_k": (0, 1 << 30), "top_p": (1e-6, 1.0), "min_p": (0.0, 1.0),
            "repetition_penalty": (1e-3, 1e3), "repetition_window": (1, 1 << 30), "guidance_scale": (0.0, 100.0),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise ConfigError(f"{name} must lie between {low} and {high}, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Sampled:
    """One token a row.

    Attributes:
        tokens: (B,) int64.
        log_probabilities: (B,) float64, nats: what the network itself gives the token among the allowed ones, before
            guidance, repetition, temperature and truncation.
    """

    tokens: NDArray[np.int64]
    log_probabilities: NDArray[np.float64]


def log_softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns log-probabilities over the last axis in float64; -inf stays -inf."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def sample(
    logits: NDArray[np.float32],
    settings: SamplingSettings,
    random: Random,
    *,
    allowed: NDArray[np.bool_] | None = None,
    history: NDArray[np.int64] | None = None,
    unconditional: NDArray[np.float32] | None = None,
) -> Sampled:
    """Draws one token a row.

    Args:
        logits: (B, V).
        settings: how to draw.
        random: one uniform number a row is drawn, none at temperature 0.
        allowed: (B, V); False where a token must not be drawn.
        history: (B, H) earlier tokens of the same stream for the repetition penalty; -1 where there is none.
        unconditional: (B, V) logits of the same place without the controls, for guidance.

    Raises:
        InputError: if a row allows nothing, or logits are not numbers.
    """
    if not np.isfinite(logits).all():
        raise InputError("expected finite logits, got NaN or infinity: the network or its weights are broken")
    if allowed is not None and 2 * (columns := np.flatnonzero(allowed.any(axis=0))).size < logits.shape[1]:
        return _among(columns, logits, settings, random, allowed, history, unconditional)
    masked = _masked(logits, allowed)
    model = log_softmax(masked)
    scores: NDArray[np.floating] = model
    if unconditional is not None and settings.guidance_scale != 1.0:
        base = unconditional.astype(np.float64)
        scores = _masked(base + settings.guidance_scale * (logits - base), allowed)
    if history is not None and settings.repetition_penalty != 1.0:
        scores = _penalised(scores, history, settings)
    tokens = scores.argmax(axis=-1) if settings.temperature == 0 else _drawn(scores, settings, random)
    picked = model[np.arange(len(tokens)), tokens]
    return Sampled(tokens.astype(np.int64), picked)


def _among(
    columns: NDArray[np.int64],
    logits: NDArray[np.float32],
    settings: SamplingSettings,
    random: Random,
    allowed: NDArray[np.bool_],
    history: NDArray[np.int64] | None,
    unconditional: NDArray[np.float32] | None,
) -> Sampled:
    """Draws among the few columns that any row allows: the same tokens for less work."""
    if history is not None:
        place = np.full(logits.shape[1] + 1, -1)  # the last entry is for the -1 of the history
        place[columns] = np.arange(len(columns))
        history = place[history]
    drawn = sample(
        logits[:, columns],
        settings,
        random,
        allowed=allowed[:, columns],
        history=history,
        unconditional=None if unconditional is None else unconditional[:, columns],
    )
    return Sampled(columns[drawn.tokens], drawn.log_probabilities)


def _masked(logits: NDArray[np.floating], allowed: NDArray[np.bool_] | None) -> NDArray[np.floating]:
    if allowed is None:
        return logits
    if not allowed.any(axis=-1).all():
        row = int(np.flatnonzero(~allowed.any(axis=-1))[0])
        raise InputError(f"row {row}: expected at least one allowed token, got none: the grammar contradicts itself")
    return np.where(allowed, logits, -np.inf)


def _penalised(
    scores: NDArray[np.floating], history: NDArray[np.int64], settings: SamplingSettings
) -> NDArray[np.floating]:
    """Returns scores in which every token of the history is made less likely, once however often it stands there."""
    recent = history[:, -settings.repetition_window :]
    seen = np.zeros((scores.shape[0], scores.shape[1] + 1), dtype=bool)
    np.put_along_axis(seen, np.where(recent < 0, scores.shape[1], recent), True, axis=1)
    result: NDArray[np.floating] = scores - np.log(settings.repetition_penalty) * seen[:, :-1]
    return result


def _drawn(scores: NDArray[np.floating], settings: SamplingSettings, random: Random) -> NDArray[np.int64]:
    """Returns tokens by the inverse of the cumulative distribution; where it is truncated, likeliest first."""
    rows, size = scores.shape
    uniform = np.array([one.random() for one in random] if isinstance(random, list) else random.random(rows))
    if not settings.top_k and settings.top_p == 1 and settings.min_p == 0:
        cumulative = np.exp(log_softmax(scores / settings.temperature)).cumsum(axis=-1)
        beyond = cumulative > uniform[:, None] * cumulative[:, -1:]  # first at a token whose chance is not zero
        first: NDArray[np.int64] = beyond.argmax(axis=-1)
        return first
    order = np.argsort(-scores, axis=-1, kind="stable")
    each = np.arange(rows)
    probabilities = np.exp(log_softmax(scores[each[:, None], order] / settings.temperature))
    keep = probabilities > 0
    if settings.top_k:
        keep &= np.arange(size) < settings.top_k
    if settings.top_p < 1:
        keep &= probabilities.cumsum(axis=-1) - probabilities < settings.top_p
    if settings.min_p > 0:
        keep &= probabilities >= settings.min_p * probabilities[:, :1]
    cumulative = np.where(keep, probabilities, 0.0).cumsum(axis=-1)
    place = (cumulative <= uniform[:, None] * cumulative[:, -1:]).sum(axis=-1)
    place = np.minimum(place, keep.sum(axis=-1) - 1)  # what is kept stands first, since the order is falling
    result: NDArray[np.int64] = order[each, place]
    return result
