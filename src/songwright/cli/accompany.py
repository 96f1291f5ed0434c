"""Put a band around a tune: its notes stay, key, form and chords are found, a style's whole band plays around it.

Chords that the file names are kept. Without a composer's network chords are found by what was learned from songs.
"""

import argparse

from songwright.cli.edit import add_edit_arguments, run_edit_anyway, tempo_of

EXAMPLES = """examples:
  songwright accompany melody.mid --style reggae
  songwright accompany lead_sheet.musicxml --style jazz --intro 4 --tempo 120
  songwright accompany songs/sea/song.json --style waltz --reharmonise --seed 2 --score-only
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_edit_arguments(parser)
    parser.add_argument("--style", required=True, metavar="NAME", help="the style book (songwright inspect --styles)")
    parser.add_argument("--tune", metavar="TRACK", help="the track that has the tune; default: the one that looks it")
    parser.add_argument("--tempo", type=float, metavar="BPM", help="beats per minute; default: the tune's own")
    parser.add_argument(
        "--key", metavar="KEY", help='e.g. "A minor"; default: the one the file names, or the one found'
    )
    parser.add_argument("--intro", type=int, default=0, metavar="BARS", help="bars of the band before the tune")
    parser.add_argument("--outro", type=int, default=0, metavar="BARS", help="bars of the band after the tune")
    parser.add_argument("--reharmonise", action="store_true", help="find new chords though the file names some")


def run(args: argparse.Namespace) -> int:
    """Accompanies the tune."""
    from songwright.compose.accompany import Wishes, accompanied
    from songwright.compose.style import load_style
    from songwright.score.theory import parse_key

    style = load_style(args.style)
    wishes = Wishes(
        tune=args.tune or "",
        tempo_bpm=tempo_of(args),
        key=parse_key(args.key) if args.key else None,
        intro_bars=args.intro,
        outro_bars=args.outro,
        reharmonise=args.reharmonise,
        seed=args.seed,
        candidates=args.candidates,
    )
    return run_edit_anyway(
        args, f"accompany {args.style}", lambda song, model, progress: accompanied(song, style, wishes, model, progress)
    )
