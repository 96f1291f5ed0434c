"""Prints what held-out pieces and composed songs share with the index: how long, how surprising, and with what.

Usage: python recipes/novelty/measure.py [--shards data/shards] [--songs 60] [--composer FOLDER] [--out FILE]
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from build import piece_lines, usable

from songwright.brief.reader import read_prompt
from songwright.compose.compose import compose_song
from songwright.compose.learned.melody_file import load_index
from songwright.compose.learned.melody_index import MelodyIndex
from songwright.compose.learned.novelty import Neighbour, Shared, as_dict, nearest, nearest_of, too_near
from songwright.compose.style import style_names
from songwright.compose.tokens.piece import index_piece
from songwright.training.shards import Shards, open_shards

LEVELS = (50, 90, 99, 100)


def of_pieces(shards: Shards, index: MelodyIndex) -> dict[str, list[tuple[str, Neighbour]]]:
    """Returns the neighbours of held-out pieces by corpus."""
    found = defaultdict(list)
    for i in usable(shards, "valid"):
        piece = shards.pieces[i]
        lines = list(piece_lines(index_piece(np.asarray(shards.codes(i))), piece.corpus))
        if lines and piece.corpus != "pop909-hands":
            found[piece.corpus].append((piece.id, nearest_of(lines, index)))
    return found


def of_songs(index: MelodyIndex, count: int) -> tuple[list[tuple[str, Neighbour]], float]:
    """Returns the neighbours of composed songs, and the median seconds of processor of a look-up."""
    found, spent, styles = [], [], style_names()
    for i in range(count):
        style = styles[i % len(styles)]
        brief = replace(read_prompt(f"a {style.replace('_', ' ')} song"), styles=(style,), seed=1000 + i)
        song = compose_song(brief)
        started = time.process_time()
        found.append((f"{style} {i}", nearest(song, index)))
        spent.append(time.process_time() - started)
    return found, float(np.median(spent))


def spread(shared: list[Shared | None], what: str) -> str:
    """Returns percentiles of one number."""
    values = [getattr(one, what) if one is not None else 0 for one in shared]
    return "".join(f"{np.percentile(values, level):8.1f}" for level in LEVELS)


def table(rows: dict[str, list[tuple[str, Neighbour]]]) -> None:
    """Prints percentiles for each group."""
    head = "".join(f"{level:7}%" for level in LEVELS)
    print(f"{'':20}{'':9}{'':>7}   notes{head}   bars{head}   bits{head}   too near")
    for name, each in rows.items():
        for kind in ("tune", "pitches"):
            shared = [getattr(neighbour, kind) for _, neighbour in each]
            near = sum(1 for one in shared if one is not None and one.is_long)
            print(f"{name:20}{kind:9}{len(each):7}        {spread(shared, 'notes')}       {spread(shared, 'bars')}"
                  f"       {spread(shared, 'bits')}   {near}")  # fmt: skip


def main() -> None:
    """Prints the tables and the nearest of each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=Path, default=Path("data/shards"))
    parser.add_argument("--songs", type=int, default=60)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    started = time.process_time()
    index = load_index()
    print(f"load {time.process_time() - started:.3f} s of processor")
    started = time.process_time()
    rows = of_pieces(open_shards(options.shards, verify=False), index)
    print(f"{time.process_time() - started:.1f} s for {sum(map(len, rows.values()))} pieces held apart")
    if options.songs:
        rows["composed"], spent = of_songs(index, options.songs)
        print(f"look-up {spent:.3f} s of processor, median of {options.songs} songs")
    table(rows)
    for name, each in rows.items():
        for piece, neighbour in each:
            if too_near(neighbour):
                print(name, piece, neighbour)
    if options.out:
        told = {name: {piece: as_dict(one) for piece, one in each} for name, each in rows.items()}
        options.out.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
