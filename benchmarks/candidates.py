"""Seconds, processor seconds and memory of `make --candidates N`'s composing: one process, and one for each processor.

    python benchmarks/candidates.py --count 8 --runs 3

The songs must be the same bytes; if they are not, that is said and the exit code is 1.
"""

import argparse
import os
import resource
import statistics
import sys
import time
from dataclasses import dataclass

from songwright.brief.brief import Brief
from songwright.compose.candidates import compose_candidates
from songwright.compose.composers import composer_named
from songwright.compose.side_by_side import free_processors
from songwright.score.song import to_json

BRIEFS = {
    "instrumental": Brief(styles=("folk",), seed=7, duration_seconds=40.0, instrumental=True),
    "sung": Brief(prompt="a sung pop song about the sea", styles=("pop",), seed=7, duration_seconds=180.0),
}


@dataclass(frozen=True)
class Row:
    """What one way of composing took: seconds, processor seconds of all processes, and the songs."""

    seconds: float
    processor_seconds: float
    songs: tuple[str, ...]


def measured(brief: Brief, composer: str, count: int, processes: int, threads: int) -> Row:
    """Composes once; opening the network is part of it, as it is of the command."""
    began, spent = time.perf_counter(), _spent()
    answer = composer_named(composer, threads=threads)
    found, best = compose_candidates(
        brief, count, answer, likelihood=answer.likelihood, composer=answer.name, processes=processes
    )
    seconds = time.perf_counter() - began
    return Row(seconds, _spent() - spent, (*(to_json(one.song) for one in found), str(best)))


def _spent() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=8, help="candidates")
    parser.add_argument("--runs", type=int, default=3, help="of each row; the median is told")
    parser.add_argument("--songs", default=",".join(BRIEFS), help="which briefs")
    parser.add_argument("--composer", default="", help="as for make")
    options = parser.parse_args()
    cores = free_processors()
    ways = [(1, 2), (1, 1), (max(2, cores), 1)]
    print(f"{options.count} candidates, {cores} processors, load {os.getloadavg()[0]:.1f}, median of {options.runs}")
    same = True
    for name in options.songs.split(","):
        rows: dict[tuple[int, int], list[Row]] = {way: [] for way in ways}
        for _ in range(options.runs):
            for way in ways:
                rows[way].append(measured(BRIEFS[name], options.composer, options.count, *way))
        same = same and len({row.songs for found in rows.values() for row in found}) == 1
        for (processes, threads), found in rows.items():
            seconds = statistics.median(row.seconds for row in found)
            spent = statistics.median(row.processor_seconds for row in found)
            print(f"{name}: {processes} processes of {threads} threads: {seconds:.1f} s, {spent:.1f} s of processors")
    here, there = (
        resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"most memory: {here} MiB here, {there} MiB in each other process")
    print("the same songs each time" if same else "THE SONGS DIFFER")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
