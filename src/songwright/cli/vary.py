"""Change a share of a section: other notes in some of its bars, the voice in other pitches with the same words."""

import argparse

from songwright.cli.edit import add_edit_arguments, run_edit

EXAMPLES = """examples:
  songwright vary songs/sea/song.json --section chorus --amount 0.3
  songwright vary songs/sea/song.json --section "Verse 2" --tracks bass,drums --seed 4
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_edit_arguments(parser)
    parser.add_argument("--section", required=True, metavar="NAME", help='a role or a label, e.g. chorus or "Verse 2"')
    parser.add_argument("--amount", type=float, default=0.3, metavar="SHARE", help="of its bars (default 0.3)")
    parser.add_argument("--tracks", default="", metavar="LIST", help="ids or roles; default: everybody")


def run(args: argparse.Namespace) -> int:
    """Varies the section."""
    from songwright.compose.learned.edits import varied

    names = [name.strip() for name in args.tracks.split(",") if name.strip()]
    return run_edit(
        args,
        "vary",
        lambda song, model, progress: varied(
            song,
            args.section,
            args.amount,
            model,
            seed=args.seed,
            tracks=names,
            candidates=args.candidates,
            progress=progress,
        ),
    )
