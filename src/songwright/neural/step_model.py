"""What a network must offer to be sampled slot by slot, and the one loop that samples it, whatever runtime it has.

numpy only. A slot is one stream of one step; `SlotOrder` says in which order a pattern predicts them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from songwright.errors import ConfigError, InputError
from songwright.neural.sampling import Random, SamplingSettings, sample

Codes = NDArray[np.int64]
Allow = Callable[[int, int, Codes], NDArray[np.bool_] | None]
"""``allow(stream, step, codes (B, K, T))`` returns the allowed tokens, (B, V_k) or (V_k,), or None for all."""
Stop = Callable[[int, Codes], NDArray[np.bool_]]
"""``stop(step, codes (B, K, T))`` returns (B,): which rows end with this step, which is whole when it is asked."""

Given = Callable[[int, Codes], Codes]
"""``features(step, codes (B, K, T))`` returns (B, F): the given input streams of a step, from the steps before it."""

PATTERN_NAMES = ("flat", "delay", "parallel", "depth")


@dataclass(frozen=True, slots=True)
class SlotOrder:
    """The order in which slots are predicted.

    A network works position by position. Flat: one slot a position. Parallel and depth: a step a position. Delay:
    stream k of step t at position t + k.
    """

    pattern: str
    num_streams: int
    num_steps: int

    @property
    def num_positions(self) -> int:
        """How many positions the network goes through."""
        if self.pattern == "flat":
            return self.num_steps * self.num_streams
        return self.num_steps + (self.num_streams - 1 if self.pattern == "delay" else 0)

    def slots(self) -> list[tuple[int, int, int]]:
        """Returns (position, step, stream) of every slot in order."""
        steps, streams = range(self.num_steps), range(self.num_streams)
        if self.pattern == "flat":
            return [(t * self.num_streams + k, t, k) for t in steps for k in streams]
        if self.pattern == "delay":
            every = range(self.num_positions)
            return [(p, p - k, k) for p in every for k in streams if 0 <= p - k < self.num_steps]
        return [(t, t, k) for t in steps for k in streams]

    def prefilled(self, num_steps: int) -> int:
        """Returns how many slots come before stream 0 of step `num_steps`: what a prefill can feed at once."""
        if self.pattern != "delay":
            return num_steps * self.num_streams
        return sum(min(k, self.num_steps) for k in range(num_steps, num_steps - self.num_streams, -1) if k > 0)


class StepModel(Protocol):
    """A network that predicts slot after slot for a batch of rows."""

    @property
    def vocabulary_sizes(self) -> tuple[int, ...]:
        """V_k of each stream."""

    @property
    def pattern(self) -> str:
        """One of `PATTERN_NAMES`; decides the order of the slots."""

    @property
    def max_steps(self) -> int:
        """The most steps that a sequence may have."""

    def start(self, batch_size: int, max_steps: int, features: Codes | None = None) -> None:
        """Forgets everything and makes room. `features` (B, F, T) are the given input streams."""

    def set_features(self, step: int, features: Codes) -> None:
        """Writes the given input streams (B, F) of one step, before anything of it is predicted."""

    def logits(self) -> NDArray[np.float32]:
        """Returns (B, V_k) for the next slot in order."""

    def feed(self, tokens: Codes) -> None:
        """Writes the next slot (B,) and goes on."""

    def prefill(self, codes: Codes) -> None:
        """Feeds whole steps (B, K, T) right after `start`; the next slot is stream 0 of step T."""

    def reorder(self, indices: Codes) -> None:
        """Makes row i go on from row indices[i]; there may be more or fewer rows than before."""

    def truncate(self, num_steps: int) -> None:
        """Goes back to where a prefill of the first `num_steps` steps would stand."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What was generated.

    Attributes:
        codes: (B, K, T) int64; 0 after a row's end.
        log_probabilities: (B, K, T) float64, nats, of the network's own masked distribution; 0 for slots that were
            given or had only one allowed token, and after a row's end.
        num_steps: (B,) how many steps each row has.
    """

    codes: Codes
    log_probabilities: NDArray[np.float64]
    num_steps: Codes


def stop_at(stream: int, token: int) -> Stop:
    """Returns a stop rule: a row ends with the step in which `stream` holds `token`."""
    return lambda step, codes: codes[:, stream, step] == token


def generate(
    model: StepModel,
    *,
    num_steps: int,
    settings: SamplingSettings | Sequence[SamplingSettings],
    random: Random,
    batch_size: int = 1,
    given: Codes | None = None,
    unconditional: Codes | None = None,
    features: Codes | Given | None = None,
    allow: Allow | None = None,
    stop: Stop | None = None,
) -> Generated:
    """Generates `batch_size` rows side by side.

    Args:
        model: started anew here.
        num_steps: the most steps, those given included.
        settings: one for all streams or one for each.
        random: one generator, or one for each row.
        batch_size: rows; taken from `given` if that is there.
        given: (B, K, P) with P <= num_steps, -1 where the network chooses. Prefixes of different lengths, a header,
            and tracks that must stay are all given slots.
        unconditional: (B, K, P) what is given instead for the unconditional rows of guidance, e.g. without controls.
            They run in the same batch; where it holds -1 they get what the conditional row got.
        features: (B, F, T) given input streams, or what computes them step by step (not for delay).
        allow: which tokens are allowed; a slot with one allowed token costs no network call.
        stop: when a row ends.

    Raises:
        ConfigError: if guidance is wanted without `unconditional`, or settings do not match the streams.
        InputError: if given codes have another shape or do not fit the vocabularies.
    """
    loop = _Loop(model, num_steps, _each_stream(settings, model, unconditional is not None), random, allow)
    free = np.full((batch_size, len(model.vocabulary_sizes), 0), -1, dtype=np.int64)
    given = _checked(free if given is None else given, model, num_steps)
    if unconditional is not None:
        unconditional = _checked(unconditional, model, num_steps)
        if unconditional.shape != given.shape:
            raise InputError(f"unconditional has shape {unconditional.shape}, given has {given.shape}: make them equal")
    loop.start(given, unconditional, features)
    return loop.run(stop)


def _each_stream(
    settings: SamplingSettings | Sequence[SamplingSettings], model: StepModel, guided: bool
) -> list[SamplingSettings]:
    streams = len(model.vocabulary_sizes)
    each = [settings] * streams if isinstance(settings, SamplingSettings) else list(settings)
    if len(each) != streams:
        raise ConfigError(f"expected one settings or one for each of {streams} streams, got {len(each)}")
    if not guided and any(one.guidance_scale != 1.0 for one in each):
        raise ConfigError("guidance_scale needs the codes of the unconditional rows: hand over `unconditional`")
    return each if guided else [replace(one, guidance_scale=1.0) for one in each]


def _checked(given: Codes, model: StepModel, num_steps: int) -> Codes:
    sizes = model.vocabulary_sizes
    if given.ndim != 3 or given.shape[1] != len(sizes) or given.shape[2] > num_steps:
        raise InputError(f"given codes must be (B, {len(sizes)}, at most {num_steps}), not {given.shape}")
    if given.size and (given.min() < -1 or (given.max(axis=(0, 2)) >= sizes).any()):
        raise InputError(f"given codes must lie below the vocabulary sizes {sizes}, or be -1 where they are free")
    return given.astype(np.int64)


class _Loop:
    """The state of one `generate`: codes so far, which rows still run, and the unconditional rows' own prefix."""

    def __init__(
        self,
        model: StepModel,
        num_steps: int,
        settings: list[SamplingSettings],
        random: Random,
        allow: Allow | None,
    ) -> None:
        self.model, self.settings, self.random, self.allow = model, settings, random, allow
        self.order = SlotOrder(model.pattern, len(model.vocabulary_sizes), num_steps)

    def start(self, given: Codes, unconditional: Codes | None, features: Codes | Given | None) -> None:
        """Starts the network and feeds the steps that are given whole in every row."""
        self.compute: Given | None = None
        if callable(features):
            if self.order.pattern == "delay":
                raise ConfigError("features that follow from the codes need whole steps: not with pattern delay")
            self.compute, features = features, None
        rows, streams, prefix = given.shape
        steps = self.order.num_steps
        self.codes = np.zeros((rows, streams, steps), dtype=np.int64)
        self.log_probabilities = np.zeros((rows, streams, steps))
        self.given = np.full((rows, streams, steps), -1, dtype=np.int64)
        self.given[:, :, :prefix] = given
        self.other: Codes | None = None
        if unconditional is not None:
            self.other = self.given.copy()
            self.other[:, :, :prefix] = unconditional
            features = None if features is None else np.concatenate([features, features])
        whole = (given >= 0).all(axis=(0, 1))
        known = prefix if whole.all() else int(whole.argmin())
        self.codes[:, :, :known] = given[:, :, :known]
        self.model.start(rows if unconditional is None else 2 * rows, steps, features)
        self.first = self.order.prefilled(known)
        for step in range(min(known, steps)):
            self.give(step)
        if known:
            first = self.codes[:, :, :known]
            if self.other is not None:
                other = self.other[:, :, :known]
                first = np.concatenate([first, np.where(other < 0, first, other)])
            self.model.prefill(first)

    def run(self, stop: Stop | None) -> Generated:
        """Chooses slot after slot until all rows have ended."""
        rows, streams, steps = self.codes.shape
        running = np.ones(rows, dtype=bool)
        lengths = np.full(rows, steps)
        for _position, step, stream in self.order.slots()[self.first :]:
            if stream == 0:
                self.give(step)
            tokens = self.choose(step, stream, running)
            self.codes[:, stream, step] = tokens
            self.feed(tokens, step, stream)
            if stop is not None and stream == streams - 1:
                ended = running & stop(step, self.codes)
                lengths[ended] = step + 1
                running &= ~ended
                if not running.any():
                    break
        longest = int(lengths.max(initial=0))
        after = np.arange(longest) >= lengths[:, None, None]  # (B, 1, T)
        codes = np.where(after, 0, self.codes[:, :, :longest])
        return Generated(codes, np.where(after, 0.0, self.log_probabilities[:, :, :longest]), lengths)

    def give(self, step: int) -> None:
        """Tells the network the features of a step, where they follow from the codes before it."""
        if self.compute is not None:
            features = self.compute(step, self.codes)
            self.model.set_features(step, features if self.other is None else np.concatenate([features, features]))

    def choose(self, step: int, stream: int, running: NDArray[np.bool_]) -> Codes:
        """Returns the tokens (B,) of a slot and notes their log-probabilities."""
        tokens = np.maximum(self.given[:, stream, step], 0)
        free = running & (self.given[:, stream, step] < 0)
        if not free.any():
            return tokens
        mask = self._mask(step, stream)
        if mask is not None and (mask[free].sum(axis=-1) == 1).all():
            tokens[free] = mask[free].argmax(axis=-1)
            return tokens
        logits = self.model.logits()
        settings = self.settings[stream]
        rows = len(tokens)
        history = None
        if settings.repetition_penalty != 1.0:
            history = self.codes[free, stream, max(0, step - settings.repetition_window) : step]
        random = [self.random[i] for i in np.flatnonzero(free)] if isinstance(self.random, list) else self.random
        drawn = sample(
            logits[:rows][free],
            settings,
            random,
            allowed=None if mask is None else mask[free],
            history=history,
            unconditional=None if self.other is None else logits[rows:][free],
        )
        tokens[free] = drawn.tokens
        self.log_probabilities[free, stream, step] = drawn.log_probabilities
        return tokens

    def _mask(self, step: int, stream: int) -> NDArray[np.bool_] | None:
        mask = None if self.allow is None else self.allow(stream, step, self.codes)
        if mask is None:
            return None
        return np.broadcast_to(mask, (len(self.codes), self.model.vocabulary_sizes[stream]))

    def feed(self, tokens: Codes, step: int, stream: int) -> None:
        """Hands the tokens to the network, the unconditional rows their own where they have one."""
        if self.other is not None:
            own = self.other[:, stream, step]
            tokens = np.concatenate([tokens, np.where(own < 0, tokens, own)])
        self.model.feed(tokens)
