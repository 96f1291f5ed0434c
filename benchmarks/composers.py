"""Songs by the composers that are compared, for benchmarks: the one place that knows how a network is handed over."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from songwright.brief.brief import Brief
from songwright.compose.candidates import Compose, Likelihood, compose_candidates
from songwright.compose.compose import compose_song
from songwright.compose.learned.composer import has_composer, judges_of, load_composer
from songwright.compose.learned.critic_likelihood import tune_likelihood
from songwright.compose.learned.onnx_steps import OnnxStepModel
from songwright.progress import Progress
from songwright.score.song import Song

STATISTICAL, LEARNED, CRITIC = "statistical", "learned", "critic"


@dataclass(frozen=True)
class Composer:
    """Who composes.

    Attributes:
        learned: whether a network takes part.
        folder: of the network; None for the one that comes with the program.
    """

    learned: bool = False
    folder: Path | None = None

    @property
    def name(self) -> str:
        """Heading of its column."""
        return LEARNED if self.learned else STATISTICAL


def composers(folder: Path | None) -> list[Composer]:
    """Returns who can be compared: the learned composer only where there is one. Says so if there is none."""
    if has_composer(folder):
        return [Composer(), Composer(learned=True, folder=folder)]
    where = "comes with this program; name one with --composer FOLDER" if folder is None else f"lies in {folder}"
    print(f"the learned columns are left out: no learned composer {where}")
    return [Composer()]


@lru_cache(maxsize=1)
def network_from(folder: Path | None) -> OnnxStepModel:
    """Returns the network of a composer."""
    return load_composer(folder, threads=1)


def answering(composer: Composer) -> tuple[Compose, Likelihood | None]:
    """Returns what answers a brief, and what says how likely a song's tune is."""
    if not composer.learned:
        return _statistical, None
    network = network_from(composer.folder)
    judges = judges_of(network)

    def learned(brief: Brief, progress: Progress) -> Song:
        return compose_song(brief, judges=judges, progress=progress)

    return learned, partial(tune_likelihood, network)


def _statistical(brief: Brief, progress: Progress) -> Song:
    return compose_song(brief, progress=progress)


def songs_of(brief: Brief, composer: Composer, candidates: int) -> tuple[Song, Song]:
    """Returns the song for a brief without the critic, and the one that the critic takes of several candidates."""
    compose, likelihood = answering(composer)
    found, best = compose_candidates(brief, candidates, compose, likelihood=likelihood)
    return found[0].song, found[best].song


def columns(briefs: Sequence[Brief], who: Sequence[Composer], candidates: int, jobs: int = 1) -> dict[str, list[Song]]:
    """Returns songs for all briefs by every composer, without the critic and (of several candidates) with it."""
    found: dict[str, list[Song]] = {}
    for composer in who:
        task = partial(songs_of, composer=composer, candidates=candidates)
        pairs = _each(task, briefs, jobs)
        found[composer.name] = [first for first, _ in pairs]
        if candidates > 1:
            found[f"{composer.name}+{CRITIC}"] = [best for _, best in pairs]
    return found


def _each(task: Callable[[Brief], tuple[Song, Song]], briefs: Sequence[Brief], jobs: int) -> list[tuple[Song, Song]]:
    if jobs == 1:
        return [task(brief) for brief in briefs]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(task, briefs))


def instrumental(style: str, seed: int) -> Brief:
    """Returns a brief that leaves everything but the style open."""
    return replace(Brief(styles=(style,), instrumental=True), seed=seed)
