"""Show what a prompt means (--brief), a score in the terminal, or the list of styles (--styles)."""

import argparse
import shutil
import sys
from pathlib import Path

EXAMPLES = """examples:
  songwright inspect --brief "R&B song with fresh vibe by male singer" --json
  songwright inspect songs/sea
  songwright inspect score.mid --bars 9-16
  songwright inspect --styles
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    from songwright.cli.make import add_brief_arguments
    from songwright.cli.voice import add_voice_arguments

    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "score", nargs="?", type=Path, metavar="SCORE", help="a song's folder, song.json, .mid, .musicxml"
    )
    what.add_argument("--brief", dest="prompt", metavar="PROMPT", help="read a prompt without making the song")
    what.add_argument("--styles", action="store_true", help="list the style books")
    parser.add_argument("--json", action="store_true", help="print JSON (with --brief: the Brief)")
    parser.add_argument("--bars", metavar="A-B", help="show only these bars, counted from 1")
    add_brief_arguments(parser)
    add_voice_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Prints what was asked for."""
    if args.styles:
        return _styles()
    if args.prompt is not None:
        return _brief(args)
    return _score(args)


def _styles() -> int:
    from songwright.compose.style import load_style, style_names

    for name in style_names():
        style = load_style(name)
        low, usual, high = style.tempo_bpm
        print(f"{name:<18} {style.title:<26} {low:.0f}-{high:.0f} bpm (usually {usual:.0f}), {', '.join(style.meters)}")
    return 0


def _brief(args: argparse.Namespace) -> int:
    from dataclasses import fields

    from songwright.brief.brief import Brief, to_json
    from songwright.cli.make import brief_from

    brief = brief_from(args)
    if args.json:
        sys.stdout.write(to_json(brief))
        return 0
    for field in fields(Brief):
        value = getattr(brief, field.name)
        if field.name in ("prompt", "origins", "notes") or value in ("", (), None, False):
            continue
        text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        print(f"{field.name:<22} {text}  ({brief.origin(field.name)})")
    for note in brief.notes:
        print(f"note: {note}")
    return 0


def _score(args: argparse.Namespace) -> int:
    from songwright.errors import InputError
    from songwright.score.read import read_score
    from songwright.score.song import to_json
    from songwright.score.view import describe, describe_bars

    song = read_score(args.score)
    if args.json:
        sys.stdout.write(to_json(song))
        return 0
    if args.bars is None:
        width = shutil.get_terminal_size((120, 40)).columns
        print(describe(song, width=max(80, width), color=sys.stdout.isatty()))
        return 0
    first, _, last = args.bars.partition("-")
    if not first.isdigit() or not (last or first).isdigit() or int(first) < 1:
        raise InputError(f"--bars '{args.bars}' is no range: give e.g. 9-16")
    print(describe_bars(song, int(first), int(last or first)))
    return 0
