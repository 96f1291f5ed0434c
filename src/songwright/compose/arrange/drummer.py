"""`Drummer`: who plays a style book's grooves in a way of their own; without one they are played as written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from songwright.compose.arrange.drum_patterns import Hit
from songwright.compose.plan import SongPlan
from songwright.compose.style import Part, Style

Bars = tuple[tuple[Hit, ...], ...]
"""Strokes bar by bar, ticks counted from each bar line."""


@dataclass(frozen=True, slots=True)
class Groove:
    """A groove that a song takes from its style book.

    Attributes:
        number: place of the pattern in the part.
        bars: as the book has it, in the song's metre; repeated for as long as it lasts.
        intensity: of the section that plays it first.
    """

    number: int
    bars: Bars
    intensity: float


class Drummer(Protocol):
    """Says how grooves are played."""

    def play(self, plan: SongPlan, style: Style, part: Part, grooves: Sequence[Groove], *, seed: int) -> Sequence[Bars]:
        """Returns the bars of each groove as this drummer plays them; the book's own where nothing better is known.

        Args:
            plan: the form.
            style: the style book.
            part: of kind ``drums``.
            grooves: that the song uses.
            seed: of the song.
        """
