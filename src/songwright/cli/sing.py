"""Sing a score's tune: the voice alone, from song.json, MIDI or MusicXML, with the score's own words or yours."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from songwright.cli.make import add_output_arguments, output_from
from songwright.cli.show import ProgressLine
from songwright.cli.voice import add_voice_arguments, with_voice

EXAMPLES = """examples:
  songwright sing --score tune.musicxml                              # the words that are in the score
  songwright sing --score tune.mid --lyrics words.txt --voice adam -o sung
  songwright sing --score songs/sea/song.json --voice person.wav --i-have-permission
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("--score", type=Path, required=True, metavar="FILE", help="song.json, .mid, .musicxml or .mxl")
    parser.add_argument(
        "--track", default="", metavar="ID", help="whose notes; default: the one with words, else the melody"
    )
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="another number, another take")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="default: songs/<file name>-sung")
    add_voice_arguments(parser)
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Sings and prints where the voice is."""
    from songwright.brief.brief import Brief
    from songwright.brief.checks import validate
    from songwright.engines.singing import sing_score
    from songwright.evaluation.report import summarise
    from songwright.files import slug
    from songwright.score.read import read_score

    output = output_from(args)
    brief = validate(with_voice(Brief(), args))
    song = read_score(args.score)
    if args.seed is not None:
        song = replace(song, seed=args.seed)
    folder = args.output or Path("songs") / f"{slug(args.score.stem if args.score.stem != 'song' else song.title)}-sung"
    with ProgressLine(quiet=args.quiet) as progress:
        recording = sing_score(song, brief, folder, track_id=args.track, output=output, progress=progress)
    for note in recording.song.provenance.get("notes", ()):
        print(f"note: {note}", file=sys.stderr)
    if not args.quiet:
        print(summarise(recording.report))
        print(recording.folder / "vocals" / "vocal_lead.wav")
    return 0
