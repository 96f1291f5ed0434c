"""Find chords for a tune: the notes stay, chord symbols are written over them."""

import argparse

from songwright.cli.edit import add_edit_arguments, run_edit

EXAMPLES = """examples:
  songwright harmonise melody.mid --score-only
  songwright harmonise melody.musicxml -o harmonised --seed 2
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_edit_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Harmonises the tune."""
    from songwright.compose.learned.edits import harmonised

    return run_edit(
        args,
        "harmonise",
        lambda song, model, progress: harmonised(
            song, model, seed=args.seed, candidates=args.candidates, progress=progress
        ),
    )
