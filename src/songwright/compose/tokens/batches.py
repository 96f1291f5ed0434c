"""Batches of examples from many pieces: numpy alone, pure functions of a generator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.draw import DrawSettings, draw_choice
from songwright.compose.tokens.encode import Codes
from songwright.compose.tokens.features import FEATURE_SIZES, features
from songwright.compose.tokens.piece import KIND_OF_ROLE, TARGET_KINDS, Piece, index_piece
from songwright.compose.tokens.vocabulary import KIND, NUM_STREAMS, Kind
from songwright.compose.tokens.windows import Example, build
from songwright.errors import InputError

FULL = 0.6
"""An example that fills less of the asked length is drawn again, so that little of a batch is padding."""

TRIES = 4


@dataclass(frozen=True)
class Batch:
    """Examples side by side, padded with PAD.

    Attributes:
        codes: (B, 6, T) int16.
        features: (B, F, T) int16.
        mask: (B, 6, T) bool, what is learned.
        kinds: (B, T) int8: place in `TARGET_KINDS` of the part whose events (and ends) are learned there; -1 elsewhere.
    """

    codes: Codes
    features: NDArray[np.int16]
    mask: NDArray[np.bool_]
    kinds: NDArray[np.int8]


class Pieces:
    """Pieces by corpus, read when they are first wanted.

    Args:
        codes: returns the codes of a piece by its number.
        corpora: numbers of the pieces of each corpus that is learned from.
        weights: share of each corpus in what is drawn; within one, a piece counts by the root of its length.
    """

    def __init__(
        self,
        codes: Callable[[int], Codes],
        corpora: Mapping[str, Sequence[int]],
        weights: Mapping[str, float],
        lengths: Callable[[int], int],
    ) -> None:
        self._codes = codes
        self._kept: dict[int, Piece] = {}
        numbers: list[int] = []
        shares: list[NDArray[np.float64]] = []
        for name, members in corpora.items():
            if not members or not weights.get(name, 0.0):
                continue
            root = np.sqrt(np.array([lengths(number) for number in members], dtype=np.float64))
            numbers += members
            shares.append(root / root.sum() * weights[name])
        if not numbers:
            raise InputError("no pieces to learn from: expected at least one corpus with a weight above 0")
        self.numbers = np.array(numbers)
        self._edges = np.cumsum(np.concatenate(shares))

    def piece(self, number: int) -> Piece:
        """Returns a piece with its index."""
        found = self._kept.get(number)
        if found is None:
            found = index_piece(np.asarray(self._codes(number)))
            self._kept[number] = found
        return found

    def draw(self, random: np.random.Generator) -> Piece:
        """Returns a piece in which something sounds."""
        for _ in range(100):
            place = int(np.searchsorted(self._edges, random.random() * self._edges[-1], side="right"))
            piece = self.piece(int(self.numbers[min(place, len(self.numbers) - 1)]))
            if (piece.lengths > 1).any():
                return piece
        raise InputError("a hundred pieces without a single note: the shards cannot be right")


def draw_batch(
    pieces: Pieces, num_steps: int, batch_steps: int, settings: DrawSettings, random: np.random.Generator
) -> Batch:
    """Returns a batch of examples of nearly the same length.

    Args:
        pieces: where from.
        num_steps: most events of an example.
        batch_steps: events of the batch, padding included: so many examples as fit.
        settings: how examples are drawn.
        random: decides.
    """
    return stack([draw_example(pieces, num_steps, settings, random) for _ in range(max(1, batch_steps // num_steps))])


def draw_example(pieces: Pieces, num_steps: int, settings: DrawSettings, random: np.random.Generator) -> Example:
    """Returns an example of at most so many events (a single bar may have more and is cut off), and not many fewer."""
    best: Example | None = None
    for _ in range(TRIES):
        piece = pieces.draw(random)
        example = build(piece, draw_choice(piece, num_steps, settings, random))
        if example.num_steps > num_steps or not example.mask.any():
            continue
        if best is None or example.num_steps > best.num_steps:
            best = example
        if example.num_steps >= FULL * num_steps:
            break
    return draw_example(pieces, num_steps, settings, random) if best is None else best


def stack(examples: Sequence[Example]) -> Batch:
    """Returns examples side by side."""
    longest = max(example.num_steps for example in examples)
    count = len(examples)
    codes = np.zeros((count, NUM_STREAMS, longest), dtype=np.int16)
    told = np.zeros((count, len(FEATURE_SIZES), longest), dtype=np.int16)
    mask = np.zeros((count, NUM_STREAMS, longest), dtype=bool)
    kinds = np.full((count, longest), -1, dtype=np.int8)
    for row, example in enumerate(examples):
        end = example.num_steps
        codes[row, :, :end] = example.codes
        told[row, :, :end] = features(example)
        mask[row, :, :end] = example.mask
        kinds[row, :end] = learned_kinds(example)
    return Batch(codes, told, mask, kinds)


def learned_kinds(example: Example) -> NDArray[np.int8]:
    """Returns (T,) the place in `TARGET_KINDS` of what is learned at each event, -1 where nothing is."""
    table = np.array([*(KIND_OF_ROLE[chosen.part.role] for chosen in example.parts), -1], dtype=np.int8)
    inside = example.targets & (example.codes[KIND] != Kind.TRACK)
    owner = np.where(inside, example.parts_of, np.append(-1, example.parts_of[:-1]))
    found: NDArray[np.int8] = np.where(example.mask.any(axis=0), table[owner], -1).astype(np.int8)
    return found


def fixed_examples(
    pieces: Pieces, kind: str, count: int, num_steps: int, random_of: Callable[[int], np.random.Generator]
) -> list[Example]:
    """Returns examples to measure one kind of part by: it alone is written, given all others, nothing said of it.

    Args:
        pieces: held apart from learning.
        kind: of `TARGET_KINDS`.
        count: how many at most; fewer where few pieces have such a part.
        num_steps: most events of each.
        random_of: the generator of an attempt.
    """
    weights = {name: float(name == kind) for name in TARGET_KINDS}
    settings = replace(PLAIN, part_weights=weights)
    found: list[Example] = []
    for attempt in range(4 * count):
        random = random_of(attempt)
        piece = pieces.draw(random)
        if all(TARGET_KINDS[KIND_OF_ROLE[part.role]] != kind for part in piece.parts):
            continue
        example = build(piece, draw_choice(piece, num_steps, settings, random))
        wanted = TARGET_KINDS.index(kind)
        if example.num_steps <= num_steps and (learned_kinds(example) == wanted).any():
            found.append(example)
        if len(found) == count:
            break
    return found


PLAIN = DrawSettings(
    everything=0.0,
    onwards=0.0,
    solo=1.0,
    alone=0.0,
    shuffle=0.0,
    hole=0.0,
    controls=0.0,
    unsaid=0.0,
    louder=0,
    swap=0.0,
)
"""Nothing left to chance but where and what."""
