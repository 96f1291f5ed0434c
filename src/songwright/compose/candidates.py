"""Several songs for one brief, of which the critic picks: what ``make --candidates N`` does.

Candidate 0 is the song that is made without being asked for several; the others answer the same brief with other seeds,
which follow from the brief's own. Who composes is handed in; with a name to call it by, other processes compose too
(`side_by_side`), and the songs are the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from songwright.brief.brief import Brief
from songwright.compose.learned.critic import Critic, Verdict, choose, load_critic
from songwright.compose.side_by_side import Compose, compose_all
from songwright.errors import InputError
from songwright.progress import Progress, silent
from songwright.score.song import Song
from songwright.seeding import generator

MOST_CANDIDATES = 64
_SHOWN_DIGITS = 3

Likelihood = Callable[[Song], float | None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One song that could be taken.

    Attributes:
        seed: of the brief that it answers; ``make --seed`` with it makes the same song.
        song: the score.
        verdict: what the critic says of it.
    """

    seed: int
    song: Song
    verdict: Verdict


def candidate_brief(brief: Brief, number: int) -> Brief:
    """Returns the brief of a candidate: the same wishes, another seed; number 0 is the brief itself."""
    if number == 0:
        return brief
    return replace(brief, seed=int(generator(brief.seed, "candidate", number).integers(1, 2**31)))


def compose_candidates(
    brief: Brief,
    count: int,
    compose: Compose,
    *,
    critic: Critic | None = None,
    likelihood: Likelihood | None = None,
    composer: str | None = None,
    processes: int | None = None,
    progress: Progress = silent,
) -> tuple[list[Candidate], int]:
    """Returns all candidates in order, and the place of the one that the critic takes.

    Args:
        brief: what was asked.
        count: how many are composed, 1 to `MOST_CANDIDATES`.
        compose: answers a brief.
        critic: the judge; the program's own by default.
        likelihood: of a song under the network, where there is one; None where it cannot be said.
        composer: the name by which `composers.composer_named` gives `compose` in another process; None if it has none.
        processes: how many compose at the same time, this one included; None for one on each processor.
        progress: told about the composing.

    Raises:
        InputError: the count is out of range, or the brief asks for something that cannot be.
    """
    if not 1 <= count <= MOST_CANDIDATES:
        raise InputError(f"--candidates {count}: expected 1 to {MOST_CANDIDATES}")
    critic = critic or load_critic()
    briefs = [candidate_brief(brief, number) for number in range(count)]
    songs = compose_all(briefs, compose, composer=composer, processes=processes, progress=progress)
    found = []
    for own, song in zip(briefs, songs, strict=True):
        nats = None if likelihood is None else likelihood(song)
        found.append(Candidate(own.seed, song, critic.score(song, nats)))
    return found, choose([c.song for c in found], [c.verdict for c in found])


def best_song(
    brief: Brief,
    count: int,
    compose: Compose,
    *,
    critic: Critic | None = None,
    likelihood: Likelihood | None = None,
    composer: str | None = None,
    processes: int | None = None,
    progress: Progress = silent,
) -> Song:
    """Returns the candidate that the critic takes, with what it said of all of them in the provenance.

    With one candidate nobody judges, and the song is that of `compose` alone.

    Raises:
        InputError: see `compose_candidates`.
    """
    if count == 1:
        return compose(brief, progress)
    found, best = compose_candidates(
        brief, count, compose, critic=critic, likelihood=likelihood, composer=composer, processes=processes,
        progress=progress,
    )  # fmt: skip
    song = found[best].song
    return replace(song, provenance={**song.provenance, "candidates": _told(found, best)})


def _told(found: list[Candidate], best: int) -> dict[str, Any]:
    """Returns what the report says of the candidates."""
    return {
        "chosen": best,
        "scores": [
            {
                "seed": one.seed,
                "total": round(one.verdict.total, _SHOWN_DIGITS),
                "terms": {name: round(value, _SHOWN_DIGITS) for name, value in one.verdict.terms.items() if value},
            }
            for one in found
        ],
    }
