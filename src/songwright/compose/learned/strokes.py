"""`StrokeRules`: a drum part in which some strokes are certain and the network decides about all others."""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from songwright.compose.learned.grammar import Event, Mask, Place
from songwright.compose.tokens.vocabulary import KIND, POSITION, VALUE, VALUES, VOCABULARY_SIZES, Kind

Stroke = tuple[int, int]
"""A place in the bar, in steps of the grid, and a drum of General MIDI."""


@dataclass(frozen=True)
class StrokeRules:
    """Rules of a drum part; a `grammar.Rules`.

    Attributes:
        certain: of each bar of the example the strokes that it must have, in order.
        free: strokes that it may have besides, in order.
        most: strokes in a bar.
    """

    certain: tuple[tuple[Stroke, ...], ...]
    free: tuple[Stroke, ...]
    most: int = 32

    def allow(self, stream: int, place: Place, event: Event) -> Mask | None:
        """See `grammar.Rules`."""
        if stream == KIND:
            mask = np.ones(VOCABULARY_SIZES[KIND], dtype=bool)
            if self._due(place) is not None:
                mask[Kind.BAR] = False
            elif place.count >= self.most or not self._open(place):
                mask[Kind.NOTE] = False
            return mask
        if stream == POSITION:
            mask = np.zeros(VOCABULARY_SIZES[POSITION], dtype=bool)
            mask[[1 + step for step, _ in self._open(place)]] = True
            return mask
        if stream == VALUE:
            step = int(event[POSITION]) - 1 if event[POSITION] else place.last
            mask = np.zeros(VOCABULARY_SIZES[VALUE], dtype=bool)
            mask[[VALUES["drum"].start + drum for at, drum in self._open(place) if at == step]] = True
            return mask
        return None

    def _due(self, place: Place) -> Stroke | None:
        """Returns the next stroke that must come."""
        rest = self.certain[place.bar] if place.bar < len(self.certain) else ()
        at = bisect_right(rest, _last(place))
        return rest[at] if at < len(rest) else None

    def _open(self, place: Place) -> list[Stroke]:
        """Returns the strokes that may come next: none beyond one that must come before them."""
        due = self._due(place)
        found = list(self.free[bisect_right(self.free, _last(place)) :])
        if due is None:
            return found
        return sorted({due, *(stroke for stroke in found if stroke < due)})


def _last(place: Place) -> Stroke:
    return (place.last, place.last_value - VALUES["drum"].start)
