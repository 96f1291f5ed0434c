"""Batches of examples from many pieces: numpy alone, pure functions of a generator."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.draw import DrawSettings, draw_choice
from songwright.compose.tokens.encode import Codes
from songwright.compose.tokens.features import FEATURE_SIZES, features
from songwright.compose.tokens.piece import KIND_OF_ROLE, TARGET_KINDS, Piece, index_piece
from songwright.compose.tokens.vocabulary import KIND, NUM_STREAMS, Kind
from songwright.compose.tokens.windows import Example, build
from songwright.errors import InputError
from songwright.seeding import generator

TRIES = 100
PROBES = 16
"""Examples of each corpus by which it is found how many it must give for its share."""


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
        corpora: numbers of the pieces of each corpus.
        weights: how often each corpus is drawn from, until `balance` is called; within one, a piece counts by the root
            of its length.
        lengths: returns the number of events of a piece.

    Attributes:
        names: of the corpora that are drawn from.

    Raises:
        InputError: no corpus with a weight above 0 has a piece.
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
        self._members: dict[str, tuple[Sequence[int], NDArray[np.float64]]] = {}
        for name, members in corpora.items():
            if members and weights.get(name, 0.0):
                root = np.sqrt(np.array([lengths(number) for number in members], dtype=np.float64))
                self._members[name] = (members, np.cumsum(root))
        if not self._members:
            raise InputError("no pieces to learn from: expected at least one corpus with a weight above 0")
        self.names = list(self._members)
        self._edges = np.cumsum([weights[name] for name in self.names])

    def balance(self, lengths: Sequence[int], settings: DrawSettings, seed: int) -> None:
        """Draws each corpus as often as makes its weight the share of what is learned, however short its pieces are.

        Args:
            lengths: events that an example may have.
            settings: how examples are drawn.
            seed: of the examples by which the corpora are measured.
        """
        weights = np.diff(self._edges, prepend=0.0)
        for place, name in enumerate(self.names):
            random = generator(seed, "balance", name)
            examples = [draw_example(self, _pick(lengths, random), settings, random, name) for _ in range(PROBES)]
            weights[place] /= np.mean([example.mask.any(axis=0).sum() for example in examples])
        self._edges = np.cumsum(weights)

    def piece(self, number: int) -> Piece:
        """Returns a piece with its index."""
        found = self._kept.get(number)
        if found is None:
            found = index_piece(np.asarray(self._codes(number)))
            self._kept[number] = found
        return found

    def draw(self, random: np.random.Generator, corpus: str = "") -> Piece:
        """Returns a piece in which something sounds; of any corpus, or of one.

        Raises:
            InputError: there seems to be none.
        """
        for _ in range(TRIES):
            name = corpus or self.names[_place(self._edges, random)]
            members, edges = self._members[name]
            piece = self.piece(members[_place(edges, random)])
            if (piece.lengths > 1).any():
                return piece
        raise InputError("a hundred pieces without a single note: the shards cannot be right")


def _place(edges: NDArray[np.float64], random: np.random.Generator) -> int:
    return min(int(np.searchsorted(edges, random.random() * edges[-1], side="right")), len(edges) - 1)


def _pick(lengths: Sequence[int], random: np.random.Generator) -> int:
    return lengths[int(random.integers(len(lengths)))]


def draw_batches(
    pieces: Pieces, lengths: Sequence[int], batch_steps: int, count: int, settings: DrawSettings,
    random: np.random.Generator,
) -> list[list[Example]]:  # fmt: skip
    """Returns examples for some batches of about as many events each, in any order.

    They are sorted by length before they are divided, so that within a batch little is padding.

    Args:
        pieces: where from.
        lengths: an example has at most one of these many events, each as often.
        batch_steps: events of a batch.
        count: how many batches; each gets at least one example.
        settings: how examples are drawn.
        random: decides.
    """
    examples: list[Example] = []
    while len(examples) < count or sum(example.num_steps for example in examples) < count * batch_steps:
        examples.append(draw_example(pieces, _pick(lengths, random), settings, random))
    examples.sort(key=lambda example: example.num_steps)
    ends = np.cumsum([example.num_steps for example in examples])
    cuts = [0]
    for i in range(1, count):
        cut = int(np.searchsorted(ends, ends[-1] * i / count))
        cuts.append(min(max(cut, cuts[-1] + 1), len(examples) - (count - i)))
    batches = [examples[a:b] for a, b in pairwise([*cuts, len(examples)])]
    return [batches[int(i)] for i in random.permutation(count)]


def draw_example(
    pieces: Pieces, num_steps: int, settings: DrawSettings, random: np.random.Generator, corpus: str = ""
) -> Example:
    """Returns an example of at most so many events from which something is learned.

    Raises:
        InputError: none could be drawn.
    """
    for _ in range(TRIES):
        piece = pieces.draw(random, corpus)
        example = build(piece, draw_choice(piece, num_steps, settings, random))
        if example.num_steps <= num_steps and example.mask.any():
            return example
    raise InputError(f"no example of at most {num_steps} events could be drawn: allow more")


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
    pieces: Pieces,
    kind: str,
    count: int,
    num_steps: int,
    random_of: Callable[[int], np.random.Generator],
    corpus: str = "",
) -> list[Example]:
    """Returns examples to measure one kind of part by: it alone is written, given all others, nothing said of it.

    Args:
        pieces: held apart from learning.
        kind: of `TARGET_KINDS`.
        count: how many at most; fewer where few pieces have such a part.
        num_steps: most events of each.
        random_of: the generator of an attempt.
        corpus: that they are from; empty for any.
    """
    weights = {name: float(name == kind) for name in TARGET_KINDS}
    settings = replace(PLAIN, part_weights=weights)
    found: list[Example] = []
    for attempt in range(4 * count):
        random = random_of(attempt)
        piece = pieces.draw(random, corpus)
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
