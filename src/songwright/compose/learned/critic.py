"""The critic: how much a song is like real music and unlike spoilt or mechanical music, in one number and its parts.

Every term of `critic_terms` is measured; what lies on its wrong side of the usual costs by the square of the distance
in spreads of real pieces, up to three. A logistic regression weighs the costs against each other (`recipes/critic`
learns usual values, spreads and weights; `docs/critic.md` prints them). As good as usual is good enough: nothing is
won by being more in key than real music is. numpy only; a song of three minutes takes some ten milliseconds.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from songwright.compose.learned.critic_terms import TERMS, Side
from songwright.compose.learned.critic_view import Heard, hear
from songwright.errors import ConfigError, InputError
from songwright.score.song import Song

TABLE_FILE = Path(__file__).parents[1] / "tables" / "critic.json"
LIKELIHOOD = "likelihood"
MOST_SPREADS = 3.0
"""Beyond so many spreads from the usual nothing gets worse."""


@dataclass(frozen=True, slots=True)
class Weighing:
    """How one term counts.

    Attributes:
        mean, spread: of real pieces.
        cost: mean cost of real pieces, which is what counts as 0.
        weight: log-odds for each unit of cost, never below 0.
    """

    mean: float
    spread: float
    cost: float
    weight: float

    def contribution(self, value: float, wrong: Side) -> float:
        """Returns what a measured value adds to the log-odds; 0 if it was not measured."""
        if math.isnan(value):
            return 0.0
        return self.weight * (self.cost - cost(value, self.mean, self.spread, wrong))


def cost(value: float, mean: float, spread: float, wrong: Side) -> float:
    """Returns the squared distance in spreads to the wrong side of the mean, at most `MOST_SPREADS` squared."""
    away = (value - mean) / spread
    if (wrong == "low" and away > 0) or (wrong == "high" and away < 0):
        return 0.0
    return min(abs(away), MOST_SPREADS) ** 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the critic says of a song.

    Attributes:
        total: log-odds that it is real music; the sum of `terms`.
        terms: what each term adds; 0 where it could not be judged.
        measured: what each term measured, where it could.
    """

    total: float
    terms: Mapping[str, float]
    measured: Mapping[str, float]

    def worst(self, count: int = 3) -> list[str]:
        """Returns the terms that cost most."""
        return sorted((name for name in self.terms if self.terms[name] < 0), key=lambda n: self.terms[n])[:count]


@dataclass(frozen=True)
class Critic:
    """A judge of songs.

    Attributes:
        weighings: of the terms by name, and of `LIKELIHOOD`.
        nats: mean log-probability of an event that one unit of the total is worth, where an edit weighs both.
    """

    weighings: Mapping[str, Weighing]
    nats: float = 0.0

    def score(self, song: Song, likelihood: float | None = None) -> Verdict:
        """Returns the verdict on a song.

        Args:
            song: any song; terms without anything to judge add nothing.
            likelihood: mean log-probability that the network gives its tune, see `critic_likelihood`; None without.
        """
        return self.judge(hear(song), likelihood)

    def judge(self, heard: Heard, likelihood: float | None = None) -> Verdict:
        """Returns the verdict on what was heard of a song."""
        measured = {name: TERMS[name].measure(heard) for name in TERMS}
        terms = {n: self.weighings[n].contribution(value, TERMS[n].wrong) for n, value in measured.items()}
        if likelihood is not None:
            measured[LIKELIHOOD] = likelihood
            terms[LIKELIHOOD] = self.weighings[LIKELIHOOD].contribution(likelihood, "low")
        known = {name: value for name, value in measured.items() if not math.isnan(value)}
        return Verdict(sum(terms.values()), terms, known)


@lru_cache(maxsize=1)
def load_critic() -> Critic:
    """Returns the critic that comes with the program.

    Raises:
        ConfigError: its table is missing or broken.
    """
    return read_critic(TABLE_FILE)


def read_critic(path: Path) -> Critic:
    """Returns the critic of a table that `recipes/critic/build.py` wrote.

    Raises:
        ConfigError: the table cannot be read, or does not weigh each term of this program.
    """
    try:
        return critic_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: the critic's table cannot be read, rebuild or reinstall it: {error}") from error


def critic_of(table: Mapping[str, Any]) -> Critic:
    """Returns the critic of a table.

    Raises:
        ValueError: the table weighs other terms than this program has, or in impossible ways.
        KeyError, TypeError, AttributeError: it is of another form.
    """
    rows = {**table["terms"], LIKELIHOOD: table[LIKELIHOOD]}
    lost = sorted({*TERMS, LIKELIHOOD} ^ set(rows))
    if lost:
        raise ValueError(f"it weighs other terms than this program: {', '.join(lost)}")
    keys = ("mean", "spread", "cost", "weight")
    weighings = {name: Weighing(*(float(row[key]) for key in keys)) for name, row in rows.items()}
    if any(not w.spread > 0 or not w.weight >= 0 for w in weighings.values()):
        raise ValueError("spreads must be above 0 and weights not below")
    return Critic(weighings, float(table[LIKELIHOOD]["nats"]))


def choose(songs: Sequence[Song], verdicts: Sequence[Verdict]) -> int:
    """Returns the place of the song with the best verdict, the first of several alike.

    Raises:
        InputError: there is no song, or not one verdict for each.
    """
    if not songs or len(songs) != len(verdicts):
        raise InputError(f"{len(songs)} songs and {len(verdicts)} verdicts: expected one verdict for each song")
    return max(range(len(songs)), key=lambda i: (verdicts[i].total, -i))
