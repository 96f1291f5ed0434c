"""Play a song in another style, or in the manner of another song; tune, words and form stay.

With --style harmony, band and mix are written anew by a style book; every note of the voices (of the melody, where
nobody sings) stays as it is, and so does the tempo. With --like the composer's network writes the accompanying parts
with bars of a reference before its eyes; chords stay. With both the one comes after the other.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from songwright.cli.edit import add_edit_arguments, run_edit_anyway, tempo_of
from songwright.errors import InputError

if TYPE_CHECKING:
    from songwright.neural.step_model import StepModel
    from songwright.progress import Progress
    from songwright.score.song import Song

EXAMPLES = """examples:
  songwright restyle songs/sea/song.json --style jazz
  songwright restyle songs/sea/song.json --style bossa_nova --tempo 96 --seed 2 -o sea_in_rio
  songwright restyle songs/sea/song.json --like reference.mid
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_edit_arguments(parser)
    parser.add_argument("--style", metavar="NAME", help="the style book (songwright inspect --styles lists them)")
    parser.add_argument("--like", type=Path, metavar="FILE", help="a score whose parts are followed; needs a composer")
    parser.add_argument("--tempo", type=float, metavar="BPM", help="beats per minute; default: the song's own")
    parser.add_argument("--keep-mix", action="store_true", help="keep room and bus: what is kept sounds as before")


def run(args: argparse.Namespace) -> int:
    """Restyles the song."""
    from songwright.compose.style import load_style
    from songwright.score.read import read_score

    if not args.style and not args.like:
        raise InputError("neither --style nor --like: say which style, or which score the band shall follow")
    if args.like and not args.style and args.tempo is not None:
        raise InputError("--tempo belongs to --style: with --like alone the song keeps its tempo")
    tempo = tempo_of(args)
    style = load_style(args.style) if args.style else None
    reference = read_score(args.like) if args.like else None

    def edit(song: "Song", model: "StepModel | None", progress: "Progress") -> "Song":
        from songwright.compose.imitate import imitated
        from songwright.compose.restyle import restyled

        if style is not None:
            song = restyled(
                song,
                style,
                model,
                seed=args.seed,
                tempo_bpm=tempo,
                keep_mix=args.keep_mix,
                candidates=args.candidates,
                progress=progress,
            )
        if reference is not None:
            assert model is not None
            song = imitated(song, reference, model, seed=args.seed, candidates=args.candidates, progress=progress)
        return song

    name = f"restyle {args.style}" if args.style else f"restyle like {args.like.stem}"
    return run_edit_anyway(args, name, edit, needs_model=reference is not None)
