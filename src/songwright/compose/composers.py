"""Who composes: tables alone, or tables with a network as judge. What comes too near to a learned tune is made anew."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from songwright.brief.brief import Brief
from songwright.compose.candidates import Likelihood
from songwright.compose.compose import compose_song
from songwright.compose.judges import NOBODY, Judges
from songwright.compose.learned.composer import has_composer, judges_of, load_composer
from songwright.compose.learned.critic_likelihood import tune_likelihood
from songwright.compose.learned.novelty import novel
from songwright.errors import InputError
from songwright.progress import Progress, silent
from songwright.score.song import Song
from songwright.seeding import generator

STATISTICAL, LEARNED = "statistical", "learned"


@dataclass(frozen=True, slots=True)
class Composer:
    """Answers briefs.

    Attributes:
        judges: who decides where several ways are open.
        likelihood: of a song under the network, for the critic; None without one.
        name: by which `composer_named` gives the same again; None if it has none.
    """

    judges: Judges = NOBODY
    likelihood: Likelihood | None = None
    name: str | None = None

    def __call__(self, brief: Brief, progress: Progress = silent) -> Song:
        """Returns the song for a brief; from the second attempt on its seed is another, which follows from the first.

        Raises:
            InputError: the brief asks for something that cannot be.
        """
        return novel(lambda attempt: compose_song(_attempt(brief, attempt), judges=self.judges, progress=progress))[0]


def composer_named(name: str = "", *, threads: int = 1) -> Composer:
    """Returns a composer.

    Args:
        name: ``statistical``, ``learned`` (the network that comes with the program), the folder of another network, or
            nothing for the best that is there.
        threads: of the network; what it says does not depend on them, and here a second one costs more than it gives.

    Raises:
        InputError: no network comes with this program, or the folder is not there.
        CheckpointError: the folder holds no composer that fits.
    """
    if name == STATISTICAL or (not name and not has_composer()):
        return Composer(name=STATISTICAL)
    folder = None if name in ("", LEARNED) else Path(name)
    if folder is not None and not folder.is_dir():
        raise InputError(f"--composer {name}: expected {STATISTICAL}, {LEARNED} or a folder that `export` wrote")
    model = load_composer(folder, threads=threads)
    called = LEARNED if folder is None else str(folder.resolve())
    return Composer(judges_of(model), partial(tune_likelihood, model), called)


def _attempt(brief: Brief, number: int) -> Brief:
    return replace(brief, seed=int(generator(brief.seed, "novel", number).integers(1, 2**31))) if number else brief
