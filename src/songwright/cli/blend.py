"""Blend two songs: one that lies between them, each bar on the way from one's latent to the other's."""

import argparse
from dataclasses import replace
from pathlib import Path

from songwright.cli.make import add_output_arguments, output_from
from songwright.cli.show import ProgressLine
from songwright.errors import InputError

EXAMPLES = """examples:
  songwright blend songs/sea/song.json songs/rain/song.json --mix 0.5
  songwright blend disco.mid ballad.musicxml --mix 0.25 -o between --score-only
  songwright blend songs/sea songs/rain --mix 0.75 --formats mp3 --force
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("first", type=Path, metavar="A", help="the song at mix 0: song.json, .mid, .musicxml or .mxl")
    parser.add_argument("second", type=Path, metavar="B", help="the song at mix 1")
    parser.add_argument(
        "--mix", type=float, default=0.5, metavar="SHARE", help="0 is A as it is, 1 is B as it is (default 0.5)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="default: songs/A-B-MIX")
    parser.add_argument("--score-only", action="store_true", help="write the score alone, no sound")
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Blends the songs, writes and plays the new one, and prints where it is."""
    from songwright.cli.edit import write_song
    from songwright.compose.learned.bars.coder import load_coder
    from songwright.compose.learned.blend import blended
    from songwright.files import slug
    from songwright.score.read import read_score

    if not 0 <= args.mix <= 1:
        raise InputError(f"--mix {args.mix}: expected a number from 0 (A as it is) to 1 (B as it is)")
    output = output_from(args)
    songs = [read_score(path) for path in (args.first, args.second)]
    names = [_name(path) for path in (args.first, args.second)]
    named = [
        replace(song, title=name) if song.title == "Untitled" else song for song, name in zip(songs, names, strict=True)
    ]
    folder = args.output or Path("songs") / slug(f"{names[0]} {names[1]} {round(100 * args.mix)}")
    with ProgressLine(quiet=args.quiet) as progress:
        if args.mix in (0, 1):
            song = songs[int(args.mix)]
        else:
            song = blended(named[0], named[1], args.mix, load_coder(), progress=progress)
        shown = write_song(song, folder, args, output, progress)
    if not args.quiet:
        print(shown)
    return 0


def _name(path: Path) -> str:
    """Returns what a person would call the song of a file."""
    inside = path.name == "song.json" and path.parent.name
    return path.parent.name if inside else path.name if path.is_dir() else path.stem
