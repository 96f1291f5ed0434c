"""Read open corpora of scores into training shards, with a ledger of their licences.

DATA holds the corpora as folders or as .tar.xz archives. What was read before is used again, so an interrupted run
goes on where it stopped. Corpora that weights must not learn from (copyleft, unlicensed, machine-made) come only with
--all or by name; the ledger marks them.
"""

import argparse
import os
import sys
from pathlib import Path

from songwright.cli.show import ProgressLine

EXAMPLES = """examples:
  songwright prepare-scores ../data -o data/shards
  songwright prepare-scores ../data -o data/drums --corpora groove-midi,freedoom-midi
  songwright prepare-scores ../data -o data/measured --all --jobs 4
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with the corpora")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("data/shards"), metavar="OUT", help="default: data/shards"
    )
    parser.add_argument("--corpora", metavar="A,B", help="only these")
    parser.add_argument("--all", action="store_true", help="also corpora that are only for measuring")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default 2)")
    parser.add_argument("--again", action="store_true", help="read everything anew")
    parser.add_argument("--quiet", action="store_true", help="print only errors")


def run(args: argparse.Namespace) -> int:
    """Prepares the shards and prints the table."""
    from songwright.collection.catalogue import CORPORA
    from songwright.collection.prepare import prepare, table
    from songwright.errors import InputError

    if not args.data.is_dir():
        raise InputError(f"{args.data} is no folder: give the one that holds the corpora")
    if args.corpora is not None:
        names = [name.strip() for name in args.corpora.split(",") if name.strip()]
    else:
        names = [name for name, corpus in CORPORA.items() if corpus.usable or args.all]
    if not names:
        raise InputError(f"--corpora names none; there are: {', '.join(CORPORA)}")
    jobs = max(1, min(args.jobs, 2 * (os.cpu_count() or 1)))
    with ProgressLine(quiet=args.quiet) as progress:
        tallies = prepare(args.data, args.output, names, jobs=jobs, again=args.again, progress=progress)
    if not args.quiet:
        for tally in tallies:
            for piece, why in tally.skipped:
                print(f"skipped {tally.corpus.name}/{piece}: {why}", file=sys.stderr)
        print("\n".join(table(tallies)))
        print(args.output)
    return 0
