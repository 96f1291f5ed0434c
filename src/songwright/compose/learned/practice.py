"""Practice: windows of real pieces with one part taken out, and the network's own attempts at it as examples.

What tuning by preferences or rewards learns from. An attempt is an `Example` like any other, so that the network can
be asked afterwards how likely it was; what is learned of it are kinds, places, pitches and lengths, since rewards
(`rewards`) hear neither loudness nor words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from songwright.compose.learned.scribe import Scribe, Written
from songwright.compose.tokens.batches import PLAIN, TRIES, Pieces
from songwright.compose.tokens.decode import decode
from songwright.compose.tokens.draw import draw_choice
from songwright.compose.tokens.piece import KIND_OF_ROLE, TARGET_KINDS, Piece
from songwright.compose.tokens.vocabulary import DRUM_ROLES, KIND, LENGTH, POSITION, VALUE, VELOCITY, WORD, Kind
from songwright.compose.tokens.windows import Example, Mask, build
from songwright.errors import InputError
from songwright.neural.sampling import SamplingSettings
from songwright.neural.step_model import StepModel
from songwright.score.song import Song

AS_IT_IS = SamplingSettings()
"""The network's own distribution, nothing cut off: what gradients of samples need."""

HEARD_WITH = {"melody": "harmony", "bass": "harmony", "harmony": "melody"}
"""What must be given for a kind of part to be judged by theory."""


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """Which windows are drawn.

    Attributes:
        min_bars, max_bars: shorter windows cannot be judged.
        max_steps: most events, the real part included.
    """

    min_bars: int = 8
    max_bars: int = 12
    max_steps: int = 352

    def __post_init__(self) -> None:
        if not 1 <= self.min_bars <= self.max_bars:
            raise ValueError(f"min_bars and max_bars: expected 1 or more, rising; got {self.min_bars}, {self.max_bars}")


def kind_of(example: Example) -> str:
    """Returns the kind of the first part that is to be written."""
    return next(TARGET_KINDS[KIND_OF_ROLE[c.part.role]] for c in example.parts if c.is_target)


def draw_window(pieces: Pieces, kind: str, settings: WindowSettings, random: np.random.Generator) -> Example:
    """Returns bars of a real piece in which one part of a kind is to be written, given those before it.

    Raises:
        InputError: none could be found.
    """
    weights = {name: float(name == kind) for name in TARGET_KINDS}
    drawn = replace(PLAIN, part_weights=weights, min_bars=settings.min_bars, max_bars=settings.max_bars)
    for _ in range(4 * TRIES):
        piece = pieces.draw(random)
        if not {kind, HEARD_WITH.get(kind, kind)} <= _kinds(piece):
            continue
        example = build(piece, draw_choice(piece, settings.max_steps, drawn, random))
        if _is_fit(example, kind, settings):
            return example
    raise InputError(f"no window of {settings.min_bars} bars with a part '{kind}' could be found: allow more events")


def _kinds(piece: Piece) -> set[str]:
    return {TARGET_KINDS[KIND_OF_ROLE[part.role]] for part in piece.parts}


def _is_fit(example: Example, kind: str, settings: WindowSettings) -> bool:
    given = {TARGET_KINDS[KIND_OF_ROLE[c.part.role]] for c in example.parts if not c.is_target}
    return (
        example.num_steps <= settings.max_steps
        and len(example.bar_steps) >= settings.min_bars
        and kind_of(example) == kind
        and HEARD_WITH.get(kind, kind) in {kind, *given}
        and bool(example.mask[VALUE].any())
    )


def attempts(
    model: StepModel,
    window: Example,
    random: Sequence[np.random.Generator],
    settings: SamplingSettings | Sequence[SamplingSettings] = AS_IT_IS,
) -> list[Example]:
    """Returns one attempt at a window for each generator, written side by side.

    Raises:
        InputError: the window leaves the network no room.
    """
    scribe = Scribe(model, window, settings=settings)
    return [_example(scribe.bare, written) for written in scribe.write(random, max_steps=model.max_steps)]


def _example(bare: Example, written: Written) -> Example:
    """Returns what was written as an example, with what the network chose in it to be learned."""
    codes, free = written.codes.astype(np.int16), written.free
    roles = np.array([*(chosen.part.role for chosen in bare.parts), -1])[written.parts]
    pitched = ~np.isin(roles, list(DRUM_ROLES))
    mask: Mask = np.zeros(codes.shape, dtype=bool)
    mask[KIND] = free | (written.ended >= 0)
    mask[POSITION] = mask[VALUE] = free
    mask[LENGTH] = free & pitched
    return replace(
        bare, codes=codes, mask=mask, bars=written.bars, parts_of=written.parts, fill=codes.shape[1]
    )  # fmt: skip


def rewarded_part(window: Example) -> Example:
    """Returns a real window with only those of its numbers to be learned that attempts are judged by."""
    mask = window.mask.copy()
    mask[[VELOCITY, WORD]] = False
    return replace(window, mask=mask)


def song_of(example: Example) -> Song:
    """Returns an example as a song, to be judged."""
    return decode(example.codes)


def phrases(example: Example, size: int = 4) -> list[tuple[tuple[int, int], ...]]:
    """Returns the runs of neighbouring events of what is written, each event its place in the bar and its move.

    The move is that of the pitch or drum from the event before (of chords: the chord), so that a run is the same in any
    key.
    """
    mine = example.mask[VALUE] & np.isin(example.codes[KIND], (Kind.NOTE, Kind.CHORD))
    places, values = example.codes[POSITION, mine].tolist(), example.codes[VALUE, mine].tolist()
    moves = [0, *(b - a for a, b in pairwise(values))]
    events = list(zip(places, moves, strict=True))
    return [tuple(events[i : i + size]) for i in range(1, len(events) - size + 1)]
