"""Several briefs answered side by side: by this process, and by others like it that take what is not begun yet.

Most of composing is Python, of which a process runs one thread at a time, and rows of a network cost hardly less in
larger batches (docs/critic.md), so what helps is another processor. A song is the same whoever composes it: what
another process cannot do, for whatever reason, is done here. `song_process` is the other side.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Condition, Thread
from typing import Any

import songwright
from songwright.brief.brief import Brief
from songwright.brief.brief import to_json as brief_to_json
from songwright.progress import Progress
from songwright.score.song import Song, from_json

Compose = Callable[[Brief, Progress], Song]
MOST_PROCESSES = 8
_LOOK_SECONDS = 0.2
"""How often progress is told while others compose."""


def free_processors() -> int:
    """Returns how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


class SongProcess:
    """Another process that answers briefs, one after another.

    Args:
        composer: who composes there; see `composers.composer_named`.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, composer: str) -> None:
        paths = [str(Path(songwright.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "songwright.compose.song_process", composer],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )  # fmt: skip

    def is_ready(self) -> bool:
        """Waits until it can take briefs; returns whether it ever will."""
        return self._answer() is not None

    def song(self, brief: Brief, told: Callable[[float], None]) -> Song | None:
        """Returns the song for a brief; None where the process failed, which then answers nothing more.

        Args:
            brief: what was asked.
            told: how much of the song is done, 0 to 1.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(brief_to_json(brief)) + "\n")
            self._process.stdin.flush()
            while (answer := self._answer()) is not None:
                if "song" in answer:
                    return from_json(answer["song"])
                told(float(answer["done"]))
        except (OSError, ValueError):  # it is gone, or was stopped
            return None
        return None

    def _answer(self) -> dict[str, Any] | None:
        """Returns the next line; None where there is none any more."""
        assert self._process.stdout is not None
        try:
            line = self._process.stdout.readline()
            found: dict[str, Any] | None = json.loads(line) if line else None
        except (OSError, ValueError):
            return None
        return found

    def stop(self) -> None:
        """Ends the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Lets go of the pipes of a process that was stopped, when nobody reads from it any more."""
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:  # what was written last is read by nobody
                continue


class _Work:
    """Which songs are begun, done and wanted; every method may be called from any thread.

    Args:
        count: of songs.
    """

    def __init__(self, count: int) -> None:
        self.songs: list[Song | None] = [None] * count
        self.errors: dict[int, Exception] = {}
        self._open, self._returned = list(range(count)), list[int]()
        self._begun = 0
        self._shares = [0.0] * count
        self._changed = Condition()

    def take(self, *, here: bool = False) -> int | None:
        """Returns the next song to be composed, None without any; what another process gave back is for this one."""
        with self._changed:
            before = min(self.errors, default=len(self.songs))
            queue = self._returned if here and self._returned else self._open
            if not queue or queue[0] >= before:
                return None
            self._begun += 1
            return queue.pop(0)

    def finish(self, number: int, song: Song | None, error: Exception | None = None) -> None:
        """Notes what became of a song; with neither song nor error it is to be composed here."""
        with self._changed:
            self._begun -= 1
            if error is not None:
                self.errors[number] = error
            elif song is None:
                self._returned.append(number)
                self._returned.sort()
            else:
                self.songs[number], self._shares[number] = song, 1.0
            self._changed.notify_all()

    def share(self, number: int, share: float) -> None:
        """Notes how much of a song is done; it never gets less."""
        with self._changed:
            self._shares[number] = max(self._shares[number], share)

    @property
    def done(self) -> float:
        """How much of all songs is done, 0 to 1."""
        with self._changed:
            return sum(self._shares) / len(self._shares)

    def wait(self) -> bool:
        """Waits a little; returns whether others still compose or something was given back that is still wanted."""
        with self._changed:
            before = min(self.errors, default=len(self.songs))
            if self._begun and not self._returned:
                self._changed.wait(_LOOK_SECONDS)
            return bool(self._begun) or min(self._returned, default=before) < before


def compose_all(
    briefs: Sequence[Brief], compose: Compose, *, composer: str | None, processes: int | None, progress: Progress
) -> list[Song]:
    """Returns the songs of several briefs.

    Args:
        briefs: what is asked.
        compose: answers a brief in this process.
        composer: by which name `composers.composer_named` gives the same in another process; None keeps all here.
        processes: how many compose, this one included; None for as many as there are processors.
        progress: told how much of all is done, in this thread.

    Raises:
        Exception: what `compose` raised for the first brief that could not be answered.
    """
    work = _Work(len(briefs))
    count = min(free_processors() if processes is None else processes, len(briefs), MOST_PROCESSES)
    others: list[SongProcess] = []
    threads: list[Thread] = []
    first = work.take()
    try:
        if composer is not None:
            _begin(others, composer, count - 1)
        for other in others:
            threads.append(Thread(target=_drive, args=(other, briefs, work), name="candidates"))
            threads[-1].start()
        _compose(first, briefs, compose, work, progress)
    finally:
        for other in others:
            other.stop()
        for thread in threads:
            thread.join()
        for other in others:
            other.close()
    if work.errors:
        raise work.errors[min(work.errors)]
    return [song for song in work.songs if song is not None]


def _begin(others: list[SongProcess], composer: str, count: int) -> None:
    """Starts processes; fewer where that cannot be."""
    try:
        for _ in range(count):
            others.append(SongProcess(composer))
    except OSError:
        return


def _compose(
    number: int | None, briefs: Sequence[Brief], compose: Compose, work: _Work, progress: Progress
) -> None:  # fmt: skip
    """Composes in this process a first song and what no other has begun, and waits for the others."""
    going = True
    while going:
        while number is not None:
            _compose_here(number, briefs[number], compose, work, progress)
            number = work.take(here=True)
        going = work.wait() and 0 not in work.errors
        number = work.take(here=True)
        progress("compose", work.done)


def _compose_here(number: int, brief: Brief, compose: Compose, work: _Work, progress: Progress) -> None:
    def share(stage: str, fraction: float) -> None:
        work.share(number, fraction)
        progress(stage, work.done)

    try:
        song = compose(brief, share)
    except Exception as error:  # raised again by `compose_all`, if no earlier brief fails
        work.finish(number, None, error)
    else:
        work.finish(number, song)


def _drive(other: SongProcess, briefs: Sequence[Brief], work: _Work) -> None:
    """Has another process compose as long as there is something to compose."""
    if not other.is_ready():
        return
    while (number := work.take()) is not None:
        song = other.song(briefs[number], lambda done, number=number: work.share(number, done))  # type: ignore[misc]
        work.finish(number, song)
        if song is None:
            return
