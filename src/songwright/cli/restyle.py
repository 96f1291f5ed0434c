"""Play a song in another style: tune, words and form stay, harmony, band and mix are written anew.

Every note of the voices (of the melody, where nobody sings) stays as it is, and so does the tempo.
"""

import argparse

from songwright.cli.edit import add_edit_arguments, run_edit_anyway

EXAMPLES = """examples:
  songwright restyle songs/sea/song.json --style jazz
  songwright restyle songs/sea/song.json --style bossa_nova --tempo 96 --seed 2 -o sea_in_rio
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_edit_arguments(parser)
    parser.add_argument("--style", required=True, metavar="NAME", help="the style book (songwright inspect --styles)")
    parser.add_argument("--tempo", type=float, metavar="BPM", help="beats per minute; default: the song's own")
    parser.add_argument("--keep-mix", action="store_true", help="keep room and bus: what is kept sounds as before")


def run(args: argparse.Namespace) -> int:
    """Restyles the song."""
    from songwright.compose.restyle import restyled
    from songwright.compose.style import load_style

    style = load_style(args.style)
    return run_edit_anyway(
        args,
        f"in {args.style}",
        lambda song, model, progress: restyled(
            song,
            style,
            model,
            seed=args.seed,
            tempo_bpm=args.tempo,
            keep_mix=args.keep_mix,
            candidates=args.candidates,
            progress=progress,
        ),
    )
