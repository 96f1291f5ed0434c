"""Soft constraints on a progression, and the Metropolis–Hastings walk that bends one to them.

The walk samples from p(chords)^(1/T) · exp(−energy), where p is the learned model read as a circle and the energy adds
up what a constraint misses (Metropolis et al. 1953; Hastings 1970).
"""

from dataclasses import dataclass

import numpy as np

from songwright.compose.harmony.manners import Manners
from songwright.compose.harmony.progression import Loop, Progression

NUM_DRAWS = 6
NUM_STEPS = 80
NUM_CONSTRAINED_STEPS = 400
TEMPERATURE = 0.7
"""Of the model's part of the target: below 1 the walk leans to likelier progressions."""


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
    weight: float = 14.0

    def holds_for(self, role: str) -> bool:
        """Whether a section of this role is meant."""
        return not self.roles or role in self.roles

    @property
    def num_chords(self) -> int:
        """Fewest chords of a progression that can meet all wishes."""
        end = max(len(self.cadence), int(self.end is not None))
        return int(self.start is not None) + end + (self.num_borrowed or 0) + len(self.must_contain)


def energy(progression: Progression, loop: Loop, constraints: Constraints) -> float:
    """Returns the energy of what the constraints miss: `Constraints.weight` for each."""
    entries, index = progression.entries(), loop.vocabulary.index
    misses = 0.0
    if constraints.start is not None:
        misses += entries[0] != index(constraints.start)
    if constraints.end is not None:
        misses += entries[-1] != index(constraints.end)
    tail = [index(roman) for roman in constraints.cadence]
    misses += sum(a != b for a, b in zip(reversed(tail), reversed(entries), strict=False))
    if constraints.num_borrowed is not None:
        misses += abs(sum(loop.vocabulary.borrowed[e] for e in entries) - constraints.num_borrowed)
    misses += sum(index(roman) not in entries for roman in constraints.must_contain)
    misses += sum(index(roman) in entries for roman in constraints.avoid)
    return constraints.weight * misses


@dataclass(frozen=True)
class Target:
    """What the walk samples from: p(chords)^(1/T) · exp(−energy).

    Attributes:
        loop: the model.
        manners: what is expected of the role.
        constraints: what is wished besides.
    """

    loop: Loop
    manners: Manners
    constraints: Constraints | None = None

    def log_weight(self, progression: Progression) -> float:
        """Returns the logarithm of the target, up to a constant."""
        wished = 0.0 if self.constraints is None else energy(progression, self.loop, self.constraints)
        return (
            self.loop.log_probability(progression) / TEMPERATURE - self.manners.energy(progression, self.loop) - wished
        )


def sample(
    target: Target, lengths: tuple[int, ...], twins: tuple[int, ...], random: np.random.Generator
) -> Progression:
    """Returns a progression: one of a few draws from the model, in proportion to its weight, then a walk.

    Args:
        target: what is sampled from.
        lengths: felt beats of each chord.
        twins: see `Progression`.
        random: where the choices come from.
    """
    first = np.exp([-target.manners.start_energy(chord.root) for chord in target.loop.vocabulary.chords])
    draws = [target.loop.draw(lengths, twins, random, first) for _ in range(NUM_DRAWS)]
    weights = np.array([target.log_weight(draw) for draw in draws])
    p = np.exp(weights - weights.max())
    chosen = draws[int(random.choice(NUM_DRAWS, p=p / p.sum()))]
    return resample(chosen, target, random, NUM_STEPS if target.constraints is None else NUM_CONSTRAINED_STEPS)


def resample(
    progression: Progression, target: Target, random: np.random.Generator, num_steps: int = NUM_STEPS
) -> Progression:
    """Returns a progression after a Metropolis–Hastings walk.

    Proposals, evenly: a chord (with those that repeat it) drawn from the style's habit; a chord drawn from the model
    given what comes before it; two chords in each other's place. The chances of the way there and back correct the
    acceptance. Under constraints the best state seen is returned, else the last.

    Args:
        progression: where the walk begins.
        target: what is sampled from.
        random: where the choices come from.
        num_steps: length of the walk.
    """
    current, value = progression, target.log_weight(progression)
    best, best_value = current, value
    for _ in range(num_steps):
        proposal, correction = propose(current, target.loop, random)
        if proposal is current:
            continue
        proposed = target.log_weight(proposal)
        if np.log(random.random()) < proposed - value + correction:
            current, value = proposal, proposed
            if value > best_value:
                best, best_value = current, value
    return current if target.constraints is None else best


def propose(current: Progression, loop: Loop, random: np.random.Generator) -> tuple[Progression, float]:
    """Returns a neighbour of a progression, and the log-ratio of the chances of the way back and the way there."""
    i = current.twins[int(random.integers(len(current.slots)))]
    old, kind = current.slots[i].entry, int(random.integers(3))
    if kind == 2:
        j = current.twins[int(random.integers(len(current.slots)))]
        other = current.slots[j].entry
        return (current.with_entry(i, other).with_entry(j, old), 0.0) if old != other else (current, 0.0)
    p = loop.habit if kind else loop.distribution(loop.place(current.slots, i))
    new = int(random.choice(len(p), p=p))
    return (current.with_entry(i, new), float(np.log(p[old]) - np.log(p[new]))) if new != old else (current, 0.0)
