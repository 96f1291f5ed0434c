"""Packs the melodies of all training pieces into `compose/tables/lines.npz`, by which songs are checked for novelty.

Usage: python recipes/novelty/build.py [--shards data/shards] [--out FILE]
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from songwright.compose.learned.lines import LINE_ROLES, Line, make_line
from songwright.compose.learned.melody_file import INDEX_FILE, save_index
from songwright.compose.learned.melody_index import MelodyIndex
from songwright.compose.tokens.piece import Piece, index_piece, part_events
from songwright.compose.tokens.vocabulary import (
    GRID,
    KIND,
    LENGTH,
    LENGTHS,
    POSITION,
    ROLES,
    VALUE,
    VALUES,
    Kind,
    vocabulary_hash,
)
from songwright.training.shards import Shards, open_shards

INNER = {"openscore-quartets": "counter_melody"}
"""Roles that are no lines of their own in a corpus: of quartets the first violin is read."""

ONCE = 64
"""Steps: a run of so many that stands in the index already is left out, within a piece and between pieces."""

SHORTEST = 8


def piece_lines(piece: Piece, corpus: str) -> Iterator[Line]:
    """Yields the lines of a piece: its melodic parts, without any the top of its first chord part."""
    names = [ROLES[part.role] for part in piece.parts]
    parts = [i for i, name in enumerate(names) if name in LINE_ROLES and name != INNER.get(corpus)]
    parts = parts or [i for i, name in enumerate(names) if name == "chords"][:1]
    bar_lines = np.concatenate([[0], np.cumsum(piece.bar_steps)])
    for i in parts:
        events, bars = part_events(piece, i, 0, piece.num_bars)
        notes = events[KIND] == Kind.NOTE
        if np.count_nonzero(notes) >= SHORTEST:
            events = events[:, notes].astype(np.int64)
            starts = bar_lines[bars[notes]] + events[POSITION] - 1
            ends = starts + events[LENGTH] - LENGTHS["steps"].start + 1
            pitches = events[VALUE] - VALUES["pitch"].start
            line = make_line(starts, ends, pitches, bar_lines, GRID, names[i])
            if len(line) >= SHORTEST:
                yield line


def usable(shards: Shards, split: str) -> list[int]:
    """Returns the pieces of a split that weights may learn from."""
    ledger = shards.manifest["ledger"]
    return [
        i
        for i, piece in enumerate(shards.pieces)
        if piece.split == split and ledger[piece.corpus].get("usable") is True
    ]


def new_notes(line: Line, seen: set[bytes]) -> np.ndarray:
    """Returns which notes of a line belong to a gram of `ONCE` steps (or the whole line) that is not there yet."""
    codes = ((line.intervals().astype(np.int16) + 128) * 16 + line.times()).astype(np.int16)
    size = min(ONCE, len(line) - 1)
    text, keep = codes.tobytes(), np.zeros(len(line), dtype=bool)
    for first in range(1, len(line) - size + 1):
        gram = text[2 * first : 2 * (first + size)]
        if gram not in seen:
            seen.add(gram)
            keep[first - 1 : first + size] = True
    return keep


def build(shards: Shards) -> tuple[MelodyIndex, dict[str, Any]]:
    """Returns the index of everything that weights may learn from, and what it counts."""
    seen: set[bytes] = set()
    columns: dict[str, list[Any]] = {name: [] for name in ("intervals", "times", "advance")}
    starts, pieces, first_bars, roles, names = [], [], [], [], []
    all_notes, kept_notes, corpora, total = Counter[str](), Counter[str](), Counter[str](), 0
    for i in usable(shards, "train"):
        piece = shards.pieces[i]
        lines = list(piece_lines(index_piece(np.asarray(shards.codes(i))), piece.corpus))
        if not lines:
            continue
        corpora[piece.corpus] += 1
        stretches = len(starts)
        for line in lines:
            keep = new_notes(line, seen)
            all_notes[piece.corpus] += len(line)
            kept_notes[piece.corpus] += int(keep.sum())
            edges = np.flatnonzero(np.diff(keep.astype(np.int8), prepend=0, append=0))
            for low, high in edges.reshape(-1, 2).tolist():
                intervals, times = line.intervals()[low:high], line.times()[low:high]
                intervals[0], times[0] = -128, 0
                columns["intervals"].append(intervals)
                columns["times"].append(times)
                columns["advance"].append(np.clip(np.diff(line.bars[low:high], prepend=line.bars[low]), 0, 255))
                starts.append(total)
                pieces.append(len(names))
                first_bars.append(int(line.bars[low]))
                roles.append(line.name)
                total += high - low
        if len(starts) > stretches:
            names.append(piece.id)
    known, told = shards.manifest["ledger"], ("licence", "attribution")
    ledger = {
        corpus: {key: str(known[corpus][key]) for key in told} for corpus in sorted({n.split("/")[0] for n in names})
    }
    index = MelodyIndex(
        (np.concatenate(columns["intervals"]), np.concatenate(columns["times"])),
        np.concatenate(columns["advance"]).astype(np.uint8),
        np.array(starts), np.array(pieces), np.array(first_bars), roles, names, ledger,
    )  # fmt: skip
    rows = {c: {"pieces": corpora[c], "notes": all_notes[c], "kept": kept_notes[c]} for c in sorted(corpora)}
    return index, {"corpora": rows, "notes": len(index), "pieces": len(names)}


def main() -> None:
    """Writes the index and prints what is in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=Path, default=Path("data/shards"))
    parser.add_argument("--out", type=Path, default=INDEX_FILE)
    options = parser.parse_args()
    shards = open_shards(options.shards, vocabulary=vocabulary_hash())
    index, told = build(shards)
    told["bytes"] = save_index(index, options.out)
    told["shards"] = {shard["file"]: shard["sha256"] for shard in shards.manifest["shards"]}
    for corpus, row in told["corpora"].items():
        print(f"{corpus:20}{row['pieces']:7} pieces{row['notes']:9} notes{row['kept']:9} kept")
    print(f"{told['pieces']} pieces, {told['notes']} notes, {told['bytes'] / 1e6:.2f} MB: {options.out}")
    (Path(__file__).parent / "expected.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
