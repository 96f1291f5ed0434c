"""`Script`: an example as it is written, block after block: what is given, and where something is to be written.

Training sees whole examples; whoever writes walks through the same blocks in the same order, gets the given events one
by one, chooses the others, and is told the features of every step.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.encode import Codes
from songwright.compose.tokens.features import WordPlan
from songwright.compose.tokens.tracker import Tracker
from songwright.compose.tokens.vocabulary import KIND, NUM_STREAMS, Kind
from songwright.compose.tokens.windows import Example, emptied
from songwright.errors import InputError

_OPENS = (Kind.TRACK, Kind.BAR, Kind.FILL, Kind.EOS)
Event = NDArray[np.int16]


@dataclass(frozen=True)
class Block:
    """Events that stand together: the header, the head of a bar, a part in a bar, FILL, or EOS.

    Attributes:
        codes: (6, n) given events; of a part that is to be written only its TRACK.
        bar: of the example, -1 outside.
        part: place in `Example.parts`, -1 outside.
        is_open: whether events are to be written after the given ones.
    """

    codes: Codes
    bar: int
    part: int
    is_open: bool


@dataclass(frozen=True)
class Script:
    """An example in blocks.

    Attributes:
        example: with nothing in what is to be written.
        blocks: in order.
        words: what parts sing, by place.
    """

    example: Example
    blocks: tuple[Block, ...]
    words: dict[int, WordPlan]

    @property
    def num_given(self) -> int:
        """How many events are given."""
        return sum(block.codes.shape[1] for block in self.blocks)


def script_of(example: Example, words: dict[int, WordPlan] | None = None) -> Script:
    """Returns the script of an example; what it holds of parts that are to be written is left out.

    Args:
        example: as from `windows.build`.
        words: what parts are to sing, by place (`features.word_plan` tells what they sang).
    """
    blank = emptied(example)
    kinds = blank.codes[KIND]
    starts = [0, *np.flatnonzero(np.isin(kinds, [int(kind) for kind in _OPENS])).tolist()]
    targets = blank.targets
    blocks = []
    for start, stop in zip(starts, [*starts[1:], len(kinds)], strict=True):
        if stop > start:
            codes, part = blank.codes[:, start:stop], int(blank.parts_of[start])
            blocks.append(Block(codes, int(blank.bars[start]), part, bool(targets[start])))
    return Script(blank, tuple(blocks), words or {})


class Walk:
    """One way through a script: what has been written so far, and what may come next.

    Args:
        script: the way.
    """

    def __init__(self, script: Script) -> None:
        self.script = script
        self._tracker = Tracker(script.example, script.words)
        self._block, self._place = 0, 0
        self._written: list[Event] = []

    @property
    def features(self) -> NDArray[np.int16]:
        """(F,) what is known before the next event."""
        return self._tracker.features

    @property
    def is_done(self) -> bool:
        """Whether EOS has been fed."""
        return self._block >= len(self.script.blocks)

    @property
    def block(self) -> Block:
        """The block in which the next event may stand; it may also end it."""
        return self.script.blocks[self._block]

    @property
    def is_free(self) -> bool:
        """Whether the next event is to be chosen: one more of the open part, or `end`."""
        return not self.is_done and self.block.is_open and self._place >= self.block.codes.shape[1]

    @property
    def end(self) -> Event:
        """(6,) the event that ends an open part: the first of the next block."""
        following: Event = self.script.blocks[self._block + 1].codes[:, 0]
        return following

    @property
    def given(self) -> Event | None:
        """(6,) the next event where it is given, else None."""
        if self.is_done or self.is_free:
            return None
        event: Event = self.block.codes[:, self._place]
        return event

    def feed(self, event: NDArray[np.integer]) -> None:
        """Goes on by one event.

        Args:
            event: (6,) the given one; or, where the walk is free, one more of the part or its end.

        Raises:
            InputError: another event than the given one, or one that is no part of what is being written.
        """
        given = self.given
        if given is not None and not np.array_equal(event, given):
            raise InputError(f"the event {event.tolist()} came where {given.tolist()} is given")
        if self.is_done:
            raise InputError("the script is at its end: nothing more can be written")
        if self.is_free and int(event[KIND]) in _OPENS:
            if not np.array_equal(event, self.end):
                raise InputError(f"the event {event.tolist()} came where the part ends with {self.end.tolist()}")
            self._block, self._place = self._block + 1, 0
        block = self.block
        self._written.append(np.asarray(event, dtype=np.int16))
        self._tracker.feed(event, block.part, self._follows())
        self._place += 1
        if not block.is_open and self._place >= block.codes.shape[1]:
            self._block, self._place = self._block + 1, 0

    def _follows(self) -> Kind | None:
        """Returns what opens the next block."""
        if self._block + 1 >= len(self.script.blocks):
            return None
        return Kind(int(self.script.blocks[self._block + 1].codes[KIND, 0]))

    @property
    def codes(self) -> Codes:
        """(6, T) everything so far."""
        return np.stack(self._written, axis=1) if self._written else np.zeros((NUM_STREAMS, 0), dtype=np.int16)
