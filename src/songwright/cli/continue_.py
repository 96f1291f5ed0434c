"""Write more bars at the end of a song: chords first, then everybody who played last."""

import argparse

from songwright.cli.edit import add_edit_arguments, run_edit

EXAMPLES = """examples:
  songwright continue songs/sea/song.json --bars 16
  songwright continue sketch.mid --bars 8 -o longer --seed 3
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_edit_arguments(parser)
    parser.add_argument("--bars", type=int, default=8, metavar="N", help="how many bars to add (default 8)")


def run(args: argparse.Namespace) -> int:
    """Continues the song."""
    from songwright.compose.learned.edits import continued

    return run_edit(
        args,
        "continue",
        lambda song, model, progress: continued(
            song, args.bars, model, seed=args.seed, candidates=args.candidates, progress=progress
        ),
    )
