"""Reads every piece of the open data and prints whether it comes back from tokens, and what the grid takes from it.

    python benchmarks/token_round_trip.py --data FOLDER [--corpora pop909 openewld] [--most 200]

FOLDER holds the corpora, unpacked, in folders of their names; other MIDI and MusicXML files in it are read as files.
"""

import argparse
import collections
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from songwright.collection.catalogue import CORPORA
from songwright.compose.tokens.decode import decode
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.grid import on_grid
from songwright.compose.tokens.losses import Losses, losses
from songwright.errors import SongwrightError
from songwright.score.read import read_score
from songwright.score.song import Song, check

FILES = (".mid", ".midi", ".kar", ".smf", ".musicxml", ".mxl")


def pieces(data: Path, corpora: list[str]) -> Iterator[tuple[str, str, Callable[[], Song]]]:
    """Yields (corpus, piece, reader) of everything there is."""
    for name in corpora or sorted(CORPORA):
        corpus = CORPORA[name]
        try:
            sources = list(corpus.find(data))
        except (SongwrightError, OSError):
            continue
        for source in sources:
            yield name, source.id, lambda corpus=corpus, source=source: corpus.read(source)
    known = {data / name for name in CORPORA}
    for path in () if corpora else sorted(p for p in data.rglob("*") if p.suffix.lower() in FILES):
        if not known & set(path.parents):
            yield "other files", str(path.relative_to(data)), lambda path=path: read_score(path)


def verdict(song: Song) -> str:
    """Returns the empty text if the law holds for a song, else what is broken."""
    gridded = on_grid(song)
    check(gridded)
    if decode(encode(song).codes) != gridded:
        return "does not come back"
    return "" if on_grid(gridded) == gridded else "the grid is not idempotent"


def main() -> int:
    """Prints the table; returns 1 if any piece does not come back."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--corpora", nargs="*", default=[])
    parser.add_argument("--most", type=int, default=0, help="pieces of each corpus, spread evenly; 0 for all")
    args = parser.parse_args()
    groups: dict[str, list[tuple[str, Callable[[], Song]]]] = collections.defaultdict(list)
    for corpus, name, read in pieces(args.data, args.corpora):
        groups[corpus].append((name, read))
    broken = 0
    print(f"{'corpus':<20}{'pieces':>8}{'back':>7}{'unread':>8}{'notes':>9}{'moved':>8}{'mean ms*':>9}{'merged':>8}"
          f"{'stretched':>10}{'chords?':>8}{'ms/piece':>9}")  # fmt: skip
    for corpus, members in groups.items():
        step = max(1, len(members) // args.most) if args.most else 1
        broken += report(corpus, members[::step])
    print("* mean shift of the notes that moved, at 120 quarters a minute; chords? are symbols that are not understood")
    return int(broken > 0)


def report(corpus: str, members: list[tuple[str, Callable[[], Song]]]) -> int:
    """Prints the row of a corpus and its exceptions; returns how many pieces do not come back."""
    total, back, wrong = Losses(), 0, []
    unread: collections.Counter[str] = collections.Counter()
    spent = 0.0
    for name, read in members:
        try:
            song = read()
            check(song)
        except SongwrightError as error:
            unread[str(error).rpartition(": ")[2][:90]] += 1
            continue
        begun = time.perf_counter()
        found = verdict(song)
        spent += time.perf_counter() - begun
        back += not found
        if found:
            wrong.append(f"{name}: {found}")
        total += losses(song)
    mean = total.shift_ticks / max(1, total.moved) * 500 / 960
    print(f"{corpus:<20}{len(members):>8}{back:>7}{sum(unread.values()):>8}{total.notes:>9}"
          f"{total.moved / max(1, total.notes):>8.1%}{mean:>9.1f}{total.merged:>8}"
          f"{total.stretched / max(1, total.notes):>10.1%}{total.unknown_chords:>8}"
          f"{1000 * spent / max(1, len(members)):>9.1f}", flush=True)  # fmt: skip
    for reason, count in unread.most_common(5):
        print(f"    {count} not read: {reason}")
    for line in wrong[:10]:
        print(f"    BROKEN {line}")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())
