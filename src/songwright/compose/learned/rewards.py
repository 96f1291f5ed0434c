"""Rewards of theory for one part of a few bars: what tuning a composer by its own attempts is told.

The measures are the critic's (`critic_terms`), those that the part decides, and two of its own that no silence can
escape. Usual values and spreads are those of the same windows of real pieces (`calibrate`), so that as usual is good
enough: a measure costs by the square of its distance to the wrong side, beyond `SQUARE_UP_TO` spreads by a straight
line up to `MOST_SPREADS`, so that bad is better than worse. numpy only.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from songwright.compose.learned.critic_terms import TERMS, Side, Term
from songwright.compose.learned.critic_view import Heard, Ints, hear
from songwright.errors import ConfigError
from songwright.score.song import Song

LEAST_SPREAD = 0.02
"""A measure that hardly moves in real music is held to no finer spread."""

SQUARE_UP_TO = 2.0
MOST_SPREADS = 6.0
FEWEST_WINDOWS = 8

_ROWS: dict[str, Callable[[Heard], Ints]] = {
    "melody": lambda heard: heard.tune[:, 0],
    "harmony": lambda heard: heard.chords[:, 0],
    "bass": lambda heard: heard.bass[:, 0],
    "drums": lambda heard: heard.strokes[:, 0],
}
KINDS = tuple(_ROWS)
"""Kinds of parts that are rewarded, names of `TARGET_KINDS`."""

WEIGHTS: dict[str, dict[str, float]] = {
    "melody": {
        "strong_beats_on_chord": 1.0, "dissonance_by_step": 1.0, "clashes": 1.0, "in_scale": 1.0,
        "leap_recovery": 0.5, "wide_leaps": 0.5, "mean_interval": 0.5, "tune_range": 0.5,
        "phrase_ends_on_chord": 0.5, "phrase_ends_stable": 0.5, "phrase_ends_held": 0.5,
        "rhythm_variety": 0.5, "rhythm_returns": 0.5, "motif_returns": 0.5, "motif_varied": 0.5, "syncopation": 0.5,
    },
    "harmony": {
        "tune_on_chord": 1.0, "strong_beats_on_chord": 1.0, "clashes": 1.0, "cadences": 1.0, "diatonic": 0.5,
        "changes_on_strong_beats": 0.5, "strong_progressions": 0.5, "common_tones": 0.5, "chord_variety": 0.5,
        "tonic_share": 0.5, "steady_harmonic_rhythm": 0.5, "chords_per_bar": 0.5,
    },
    "bass": {
        "bass_on_root": 1.0, "bass_on_chord": 1.0, "bass_moves": 0.5, "bass_steady": 0.5, "parallels": 0.5,
    },
    "drums": {
        "groove_steady": 1.0, "backbeat": 1.0, "kick_on_one": 0.5, "drums_on_beat": 0.5, "kick_and_snare_apart": 0.5,
        "fills": 0.5, "bass_with_kick": 0.5,
    },
}  # fmt: skip
"""How much each of the critic's measures counts for each kind of part."""

OWN = {"fullness": 1.0, "presence": 1.0}
"""And the two own ones, for every kind."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What a measure is like in real music.

    Attributes:
        mean, spread: of real windows.
        cost: their mean cost, which counts as 0.
    """

    mean: float
    spread: float
    cost: float


@dataclass(frozen=True, slots=True)
class Reward:
    """What a part is worth.

    Attributes:
        total: mean of the terms by weight; 0 for the average real part.
        terms: what each measure gives before it is weighed; 0 where there is too little to judge.
    """

    total: float
    terms: Mapping[str, float]


def terms_of(kind: str) -> dict[str, tuple[Term, float]]:
    """Returns the measures of a kind of part by name, each with its weight."""
    found = {name: (TERMS[name], weight) for name, weight in WEIGHTS[kind].items()}
    own: dict[str, tuple[Callable[[Heard], float], Side]] = {
        "fullness": (lambda heard: fullness(heard, kind), "both"),
        "presence": (lambda heard: presence(heard, kind), "low"),
    }
    return {**found, **{name: (Term(measure, wrong), OWN[name]) for name, (measure, wrong) in own.items()}}


def fullness(heard: Heard, kind: str) -> float:
    """Onsets of a kind of part for each bar, one added, as a logarithm; never unknown."""
    return math.log((1 + len(np.unique(_ROWS[kind](heard)))) / heard.num_bars)


def presence(heard: Heard, kind: str) -> float:
    """Share of bars in which a kind of part begins something; never unknown."""
    return len(np.unique(heard.bar_of(_ROWS[kind](heard)))) / heard.num_bars


def measured(song: Song, kind: str) -> dict[str, float]:
    """Returns what the measures of a kind of part say of a song; NaN where there is too little to judge."""
    heard = hear(song)
    return {name: term.measure(heard) for name, (term, _) in terms_of(kind).items()}


def cost(value: float, mean: float, spread: float, wrong: Side) -> float:
    """Returns what a measure costs by its distance in spreads to the wrong side of the mean."""
    away = (value - mean) / spread
    if (wrong == "low" and away > 0) or (wrong == "high" and away < 0):
        return 0.0
    far = min(abs(away), MOST_SPREADS)
    near = min(far, SQUARE_UP_TO)
    return near * near + 2.0 * SQUARE_UP_TO * (far - near)


@dataclass(frozen=True)
class Yardstick:
    """Rewards parts by what is usual.

    Attributes:
        usual: of every measure by kind of part and name; one that real windows never allow is not there.
    """

    usual: Mapping[str, Mapping[str, Usual]]

    def reward(self, song: Song, kind: str) -> Reward:
        """Returns what a kind of part of a song is worth; all other parts are taken as they are.

        Raises:
            ConfigError: this kind was not calibrated.
        """
        return self.judge(measured(song, kind), kind)

    def judge(self, values: Mapping[str, float], kind: str) -> Reward:
        """Returns the reward of what was measured, see `measured`."""
        if kind not in self.usual:
            raise ConfigError(f"no rewards for '{kind}': this yardstick knows {', '.join(self.usual)}")
        terms, total, weights = {}, 0.0, 0.0
        for name, (term, weight) in terms_of(kind).items():
            usual = self.usual[kind].get(name)
            if usual is None:
                continue
            value = values[name]
            unknown = math.isnan(value)
            terms[name] = 0.0 if unknown else usual.cost - cost(value, usual.mean, usual.spread, term.wrong)
            total += weight * terms[name]
            weights += weight
        return Reward(total / weights, terms)

    def as_table(self) -> dict[str, Any]:
        """Returns plain values for JSON."""
        return {
            kind: {name: [round(n, 5) for n in (u.mean, u.spread, u.cost)] for name, u in rows.items()}
            for kind, rows in self.usual.items()
        }

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Yardstick":
        """Returns the yardstick that `as_table` wrote.

        Raises:
            ConfigError: it is of another form, or names other measures than this program has.
        """
        try:
            usual = {
                kind: {name: Usual(*map(float, row)) for name, row in rows.items()} for kind, rows in table.items()
            }
            lost = [name for kind, rows in usual.items() for name in rows if name not in terms_of(kind)]
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise ConfigError(f"a yardstick of another form: calibrate it anew ({error!r})") from error
        if lost or not all("fullness" in rows for rows in usual.values()):
            raise ConfigError(f"a yardstick with other measures than this program has ({lost}): calibrate it anew")
        return cls(usual)


def calibrate(windows: Mapping[str, Sequence[Mapping[str, float]]]) -> Yardstick:
    """Returns the yardstick of real windows.

    Args:
        windows: for each kind what `measured` says of real parts.

    Raises:
        ConfigError: too few windows of a kind.
    """
    usual: dict[str, dict[str, Usual]] = {}
    for kind, rows in windows.items():
        if len(rows) < FEWEST_WINDOWS:
            raise ConfigError(f"{len(rows)} real windows of '{kind}': expected at least {FEWEST_WINDOWS}")
        usual[kind] = {}
        for name, (term, _) in terms_of(kind).items():
            values = np.array([row[name] for row in rows if not math.isnan(row[name])])
            if len(values) < FEWEST_WINDOWS:
                continue
            mean, spread = float(values.mean()), max(LEAST_SPREAD, float(values.std()))
            costs = [cost(value, mean, spread, term.wrong) for value in values.tolist()]
            usual[kind][name] = Usual(mean, spread, float(np.mean(costs)))
    return Yardstick(usual)
