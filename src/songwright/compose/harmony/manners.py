"""Good manners of a progression: what a musician expects of it that counts do not say. They bend the walk as energies.

Voice-leading duties (an applied dominant resolves, a diminished chord rises), variety, and what the role of the section
asks: a pre-chorus leaves the door open, a bridge leaves home, no two roles have the same chords.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from songwright.compose.harmony.functions import DIMINISHED, DOMINANT, NUM_QUALITIES, Vocabulary
from songwright.compose.harmony.progression import Loop, Progression

STRICT_FAMILIES = ("jazz", "latin", "classical")
"""Style families whose dominants do not go back to subdominants."""

_OPEN_ENDS = (7, 11, 5, 2, 10, 1)
_STRICT_ENDS = (0, 7, 11, 1)


@dataclass(frozen=True)
class Manners:
    """What is expected of one role's progression.

    Attributes:
        pair_costs: (entries, entries): energy of one chord followed by another.
        taken: roots of the progressions of other roles, which should not be written again.
        avoid_start: roots that it should not begin on.
        start_home: whether it should begin on the tonic.
        needs_home: whether the tonic should occur.
        ends: roots that it should end on; empty for any.
    """

    pair_costs: NDArray[np.float64]
    taken: tuple[tuple[int, ...], ...] = ()
    avoid_start: tuple[int, ...] = ()
    start_home: bool = False
    needs_home: bool = True
    ends: tuple[int, ...] = ()

    def energy(self, progression: Progression, loop: Loop) -> float:
        """Returns the energy of a progression; 0 where nothing is amiss."""
        entries = progression.entries()
        roots = loop.roots(progression)
        free = [e for e, twin, i in zip(entries, progression.twins, range(len(entries)), strict=True) if twin == i]
        pairs = list(pairwise(entries))
        total = float(sum(self.pair_costs[a, b] for a, b in pairs))
        total += float(self.pair_costs[entries[-1], entries[0]]) if len(entries) > 2 else 0.0
        free_pairs = list(pairwise(free))
        total += 1.2 * (len(free_pairs) - len(set(free_pairs)))
        wanted = min(len(free), 4 if len(free) > 5 else 3 if len(free) > 2 else 2)
        total += 3.0 * max(0, wanted - len(set(roots)))
        home = sum(s.num_beats for s in progression.slots if loop.vocabulary.chords[s.entry].root == 0)
        total += 10.0 * max(0.0, home / (loop.meter.num_bars * loop.meter.beats_per_bar) - 0.5)
        total += 3.0 * (self.needs_home and home == 0)
        total += 5.0 * (roots in self.taken)
        total += 3.0 * (roots[0] in self.avoid_start) + 2.0 * (self.start_home and roots[0] != 0)
        last = loop.vocabulary.chords[entries[-1]].root
        return total + 2.5 * (bool(self.ends) and last not in self.ends)


def manners_for(
    role: str, family: str, modal: bool, vocabulary: Vocabulary, taken: tuple[tuple[int, ...], ...]
) -> Manners:
    """Returns what is expected of a role's progression.

    Args:
        role: the section's.
        family: the style's.
        modal: whether the mode is a church mode, whose home must be shown.
        vocabulary: of the style.
        taken: roots of the progressions that other roles have.
    """
    strict = family in STRICT_FAMILIES
    away = role in ("prechorus", "bridge", "build")
    starts = tuple(roots[0] for roots in taken) if role == "bridge" else ()
    return Manners(
        pair_costs=pair_costs(vocabulary, strict=strict),
        taken=taken,
        avoid_start=(0, *starts) if away else (),
        start_home=(modal or family == "classical") and not away,
        needs_home=not away,
        ends=_OPEN_ENDS if away else _STRICT_ENDS if strict else (),
    )


def pair_costs(vocabulary: Vocabulary, *, strict: bool) -> NDArray[np.float64]:
    """Returns (entries, entries): the energy of each chord before each other.

    Args:
        vocabulary: of the style.
        strict: whether dominants may not step back to subdominants.
    """
    size = len(vocabulary)
    costs = np.zeros((size, size))
    bluesy = vocabulary.functions[vocabulary.tonic] == DOMINANT
    for a, function in enumerate(vocabulary.functions):
        root, quality = divmod(function, NUM_QUALITIES)
        for b, following in enumerate(vocabulary.functions):
            step = (following // NUM_QUALITIES - root) % 12
            if following == function:
                costs[a, b] = 2.5 if vocabulary.chords[a] == vocabulary.chords[b] else 1.0
            elif quality == DOMINANT and not bluesy and root not in (7, 10):
                costs[a, b] = 0.0 if step in (5, 11, 0) else 2.5
            elif quality == DIMINISHED and root in (1, 3, 6, 8):
                costs[a, b] = 0.0 if step == 1 or (root == 6 and step == 6) else 2.5
            elif quality == DIMINISHED and root == 2:
                costs[a, b] = 0.0 if step in (5, 9) else 2.0
            elif quality == DIMINISHED and root == 11:
                costs[a, b] = 0.0 if step in (1, 5, 8) else 2.0
            elif strict and root in (7, 11) and step in ((10, 7) if root == 7 else (3, 6)):
                costs[a, b] = 1.8
    return costs
