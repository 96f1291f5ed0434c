"""Soft constraints on a progression, and the Metropolis–Hastings walk that bends one to them.

The walk samples from p(chords)^(1/T) · exp(−energy), where p is the learned model read as a circle and the energy adds
up what a constraint misses (Metropolis et al. 1953; Hastings 1970).
"""

from dataclasses import dataclass

import numpy as np

from songwright.compose.harmony.progression import Loop, Progression

DEFAULT_STEPS = 120
TEMPERATURE = 0.8


@dataclass(frozen=True, slots=True)
class Constraints:
    """What is wished of a progression; everything may be left open.

    Attributes:
        start: roman numeral of the first chord.
        end: roman numeral of the last chord.
        cadence: roman numerals of the last chords, e.g. ``("V", "I")``.
        num_borrowed: how many chords from outside the mode.
        must_contain: roman numerals that occur somewhere.
        avoid: roman numerals that do not occur.
        roles: section roles that this holds for; empty for all.
        weight: energy of one miss, in nats.
    """

    start: str | None = None
    end: str | None = None
    cadence: tuple[str, ...] = ()
    num_borrowed: int | None = None
    must_contain: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    weight: float = 8.0

    def holds_for(self, role: str) -> bool:
        """Whether a section of this role is meant."""
        return not self.roles or role in self.roles


def energy(progression: Progression, loop: Loop, constraints: Constraints | None) -> float:
    """Returns the energy of a progression: the misses of the constraints and of good manners.

    Manners: a loop of four or more chords has three different ones, and no chord is repeated next to itself.
    """
    entries = progression.entries()
    clashes = sum(a == b for a, b in zip(entries, entries[1:], strict=False))
    variety = min(3, len(entries), len(loop.vocabulary.romans)) - len(set(entries))
    total = 4.0 * clashes + 4.0 * max(0, variety)
    if constraints is None:
        return total
    index = loop.vocabulary.index
    misses = 0.0
    if constraints.start is not None:
        misses += entries[0] != index(constraints.start)
    if constraints.end is not None:
        misses += entries[-1] != index(constraints.end)
    tail = [index(roman) for roman in constraints.cadence][-len(entries) :]
    misses += sum(a != b for a, b in zip(reversed(tail), reversed(entries), strict=False))
    if constraints.num_borrowed is not None:
        misses += abs(sum(loop.vocabulary.borrowed[e] for e in entries) - constraints.num_borrowed)
    misses += sum(index(roman) not in entries for roman in constraints.must_contain)
    misses += sum(index(roman) in entries for roman in constraints.avoid)
    return total + constraints.weight * misses


def resample(
    progression: Progression,
    loop: Loop,
    random: np.random.Generator,
    constraints: Constraints | None = None,
    num_steps: int = DEFAULT_STEPS,
) -> Progression:
    """Returns a progression after a Metropolis–Hastings walk under soft constraints.

    Proposals, evenly: one chord drawn anew from the style's entries; one chord drawn from the model given what comes
    before it (an independence proposal, corrected in the acceptance). The best state seen is returned.

    Args:
        progression: where the walk begins.
        loop: the model.
        random: where the choices come from.
        constraints: what is wished.
        num_steps: length of the walk.
    """
    count = len(loop.vocabulary.romans)
    current, value = progression, _value(progression, loop, constraints)
    best, best_value = current, value
    for _ in range(num_steps):
        i = int(random.integers(len(current.slots)))
        old = current.slots[i].entry
        correction = 0.0
        if random.random() < 0.5:
            new = int(random.integers(count))
        else:
            p = loop.distribution(loop.context_at(current.slots, i))
            new = int(random.choice(count, p=p))
            correction = float(np.log(p[old]) - np.log(p[new]))
        proposal = current.with_entry(i, new)
        proposed = _value(proposal, loop, constraints)
        if np.log(random.random()) < proposed - value + correction:
            current, value = proposal, proposed
            if value > best_value:
                best, best_value = current, value
    return best if constraints is not None else current


def _value(progression: Progression, loop: Loop, constraints: Constraints | None) -> float:
    return loop.log_probability(progression) / TEMPERATURE - energy(progression, loop, constraints)
