"""Play an existing score: the same folder as `make`, from song.json, a MIDI file or MusicXML.

With --force into the folder it came from, only the stems whose notes, instrument or mix changed are made again.
"""

import argparse
import sys
from pathlib import Path

from songwright.cli.make import add_output_arguments, output_from
from songwright.cli.show import ProgressLine

EXAMPLES = """examples:
  songwright render score.mid -o rendered
  songwright render songs/sea/song.json -o songs/sea --force     # after editing song.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("score", type=Path, metavar="FILE", help="song.json, .mid, .musicxml or .mxl")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="default: songs/<file name>")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Renders the score and prints where it is."""
    from songwright.engines.score import render_score
    from songwright.evaluation.report import summarise
    from songwright.files import slug
    from songwright.score.read import read_score

    output = output_from(args)
    song = read_score(args.score)
    name = song.title if args.score.name == "song.json" else args.score.stem
    folder = args.output or Path("songs") / slug(name)
    with ProgressLine(quiet=args.quiet) as progress:
        recording = render_score(song, folder, output=output, progress=progress)
    if not args.quiet:
        print(summarise(recording.report))
        print(recording.mix, file=sys.stdout)
    return 0
