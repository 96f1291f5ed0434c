"""Write some tracks anew in some bars; what stands before, after and beside them is heard and stays."""

import argparse

from songwright.cli.edit import add_edit_arguments, bar_span, run_edit

EXAMPLES = """examples:
  songwright fill songs/sea/song.json --tracks bass,drums --bars 9-16
  songwright fill sketch.mid --tracks harmony --bars 1-8 --score-only
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_edit_arguments(parser)
    parser.add_argument("--tracks", required=True, metavar="LIST", help="ids or roles, e.g. bass,drums; or harmony")
    parser.add_argument("--bars", required=True, metavar="A-B", help="first and last bar, counted from 1")


def run(args: argparse.Namespace) -> int:
    """Fills the bars."""
    from songwright.compose.learned.edits import filled

    names = [name.strip() for name in args.tracks.split(",") if name.strip()]
    first, last = bar_span(args.bars)
    return run_edit(
        args,
        "fill",
        lambda song, model, progress: filled(
            song, names, first, last, model, seed=args.seed, candidates=args.candidates, progress=progress
        ),
    )
