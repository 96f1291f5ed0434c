"""Good manners of a progression: what a musician expects of it that counts do not say. They bend the walk as energies.

Voice-leading duties (an applied dominant resolves, a diminished chord rises), variety, and what the role of the section
asks: a pre-chorus leaves the door open, a bridge leaves home, no two roles have the same chords.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from songwright.compose.harmony.functions import DIMINISHED, DOMINANT, MAJOR, MINOR, NUM_QUALITIES, Vocabulary
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

    def start_energy(self, root: int) -> float:
        """Returns the energy of a first chord on this root."""
        return 7.0 * (root in self.avoid_start) + 5.0 * (self.start_home and root != 0)

    def energy(self, progression: Progression, loop: Loop) -> float:
        """Returns the energy of a progression; 0 where nothing is amiss."""
        entries = progression.entries()
        roots = loop.roots(progression)
        free = [e for e, twin, i in zip(entries, progression.twins, range(len(entries)), strict=True) if twin == i]
        pairs = list(pairwise(entries))
        total = float(sum(self.pair_costs[a, b] for a, b in pairs))
        total += float(self.pair_costs[entries[-1], entries[0]]) if len(entries) > 2 else 0.0
        free_pairs = list(pairwise(free))
        total += 1.8 * (len(free_pairs) - len(set(free_pairs)))
        wanted = min(len(free), 4 if len(free) > 5 else 3 if len(free) > 2 else 2)
        total += 3.0 * max(0, wanted - len(set(roots)))
        home = sum(s.num_beats for s in progression.slots if loop.vocabulary.chords[s.entry].root == 0)
        if len(free) > 2:
            total += 10.0 * max(0.0, home / (loop.meter.num_bars * loop.meter.beats_per_bar) - 0.5)
        total += 5.0 * (self.needs_home and home == 0)
        total += 8.0 * (roots in self.taken)
        total += self.start_energy(roots[0])
        last = loop.vocabulary.chords[entries[-1]].root
        return total + 3.5 * (bool(self.ends) and last not in self.ends)


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
        pair_costs=pair_costs(vocabulary, strict=strict, jazz=family in ("jazz", "latin")),
        taken=taken,
        avoid_start=(0, *starts) if away else (),
        start_home=(modal or family == "classical") and not away,
        needs_home=not away,
        ends=_OPEN_ENDS if away else _STRICT_ENDS if strict else (),
    )


def pair_costs(vocabulary: Vocabulary, *, strict: bool, jazz: bool) -> NDArray[np.float64]:
    """Returns (entries, entries): the energy of each chord before each other.

    Args:
        vocabulary: of the style.
        strict: whether dominants may not step back to subdominants.
        jazz: whether a dominant should come after its ii.
    """
    bluesy = vocabulary.functions[vocabulary.tonic] == DOMINANT
    size = len(vocabulary)
    costs = np.zeros((size, size))
    for a, function in enumerate(vocabulary.functions):
        for b, following in enumerate(vocabulary.functions):
            if function == following:
                costs[a, b] = 2.5 if a == b else 1.0
                continue
            costs[a, b] = _unresolved(function, following, bluesy=bluesy)
            if not costs[a, b] and strict:
                costs[a, b] = _backwards(function, following, jazz=jazz)
    return costs


_DIMINISHED_STEPS = {1: (1,), 3: (1,), 6: (1, 6), 8: (1,), 2: (5, 9), 11: (1, 5, 8)}
"""Where diminished and half-diminished chords on each degree go: semitones up."""


_CHANGE_COSTS = {(MAJOR, DOMINANT): 0.3, (MAJOR, MINOR): 0.3, (MINOR, DOMINANT): 0.3, (MINOR, DIMINISHED): 0.5}
"""Cost of a chord that changes its quality over the same root; 1.5 where it is not listed."""


def _unresolved(function: int, following: int, *, bluesy: bool) -> float:
    """Returns the cost of an applied dominant or diminished chord that does not resolve, or of an idle change."""
    root, quality = divmod(function, NUM_QUALITIES)
    step = (following // NUM_QUALITIES - root) % 12
    if step == 0 and not bluesy:
        return _CHANGE_COSTS.get((quality, following % NUM_QUALITIES), 1.5)
    if quality == DOMINANT and not bluesy and root not in (7, 10):
        return 0.0 if step in (5, 11) else 2.5
    if quality == DIMINISHED:
        return 0.0 if step in _DIMINISHED_STEPS.get(root, (step,)) else 2.2
    return 0.0


def _backwards(function: int, following: int, *, jazz: bool) -> float:
    """Returns the cost of a dominant that steps back to a subdominant, and in jazz of a dominant without its ii."""
    root, quality = divmod(function, NUM_QUALITIES)
    target = following // NUM_QUALITIES
    if root == 7 and target in (2, 5):
        return 1.8
    lone_dominant = target == 7 and root not in (1, 2, 6, 8)
    lost_second = root == 2 and quality == MINOR and target not in (7, 1, 4)
    return 0.8 if jazz and (lone_dominant or lost_second) else 0.0
