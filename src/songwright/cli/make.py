"""Make a song from a sentence: mix, stems, MIDI, MusicXML, piano roll and a report, in one folder.

Flags win over what the prompt says. The same prompt, flags and seed always give the same files.
"""

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from songwright.cli.show import ProgressLine
from songwright.cli.voice import add_voice_arguments, with_voice
from songwright.errors import InputError

if TYPE_CHECKING:
    from songwright.brief.brief import Brief
    from songwright.engines.score import Output

EXAMPLES = """examples:
  songwright make "an upbeat disco song about the sea"
  songwright make "warm jazz for a rainy evening" -o evening --duration 2:30 --tempo 92 --key "F major"
  songwright make "warm R&B ballad, male singer" --lyrics words.txt
  songwright make "a waltz for two" --candidates 8
  songwright make "国语抒情歌" --voice clara --seed 3 --formats mp3,flac
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("prompt", metavar="PROMPT", help="what you want to hear, in English, Chinese or Russian")
    add_brief_arguments(parser)
    add_voice_arguments(parser)
    parser.add_argument(
        "--candidates", type=int, default=1, metavar="N", help="compose so many songs and keep the one the critic takes"
    )
    parser.add_argument(
        "--composer", default="", metavar="NAME", help="learned, statistical, or a folder that `export` wrote"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="the song's own folder; default: songs/<title>"
    )
    add_output_arguments(parser)


def add_brief_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that state parts of the brief."""
    parser.add_argument(
        "--style", metavar="NAME", help="the style book, e.g. disco (songwright inspect --styles lists them)"
    )
    parser.add_argument("--duration", metavar="TIME", help="length: seconds, or minutes:seconds, e.g. 90 or 3:00")
    parser.add_argument("--tempo", metavar="BPM", help="beats per minute, kept exactly")
    parser.add_argument("--key", metavar="KEY", help='e.g. "A minor"')
    parser.add_argument("--instrumental", action="store_true", help="no voice")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="another number, another song (default 0)")


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags about sound and files."""
    parser.add_argument("--soundfont", type=Path, metavar="FILE", help="SF2 or SF3 file to play from")
    parser.add_argument("--player", default="sampler", help="sampler (built in) or fluidsynth (the system's)")
    parser.add_argument("--formats", default="", metavar="LIST", help="more files of the mix, e.g. mp3,flac,ogg")
    parser.add_argument("--force", action="store_true", help="replace an existing folder")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")


def run(args: argparse.Namespace) -> int:
    """Makes the song and prints where it is."""
    from songwright.engines.score import make_song
    from songwright.files import slug

    output = output_from(args)
    brief = brief_from(args)
    folder = args.output or Path("songs") / slug(brief.title or brief.subject or brief.prompt)
    with ProgressLine(quiet=args.quiet) as progress:
        recording = make_song(
            brief, folder, output=output, candidates=args.candidates, composer=args.composer, progress=progress
        )
    if not args.quiet:
        from songwright.evaluation.report import summarise

        for note in recording.report["notes"]:
            print(f"note: {note}", file=sys.stderr)
        print(summarise(recording.report))
        print(recording.mix)
    return 0


def brief_from(args: argparse.Namespace) -> "Brief":
    """Returns the brief that the prompt and flags ask for.

    Raises:
        InputError: a flag is out of range; the message says which.
    """
    from songwright.brief.checks import validate
    from songwright.brief.llm import understand

    brief = understand(args.prompt)
    if args.style:
        brief = brief.with_said(styles=(args.style.lower().replace("-", "_").replace(" ", "_"),))
    if args.duration is not None:
        brief = brief.with_said(duration_seconds=parse_duration(args.duration))
    if args.tempo is not None:
        brief = brief.with_said(tempo_bpm=_number(args.tempo, "--tempo", "92"))
    if args.key is not None:
        brief = brief.with_said(key=args.key)
    if args.instrumental:
        brief = brief.with_said(instrumental=True)
    brief = with_voice(brief, args)
    brief = replace(brief, seed=args.seed or 0)
    validate(brief)
    return brief


def output_from(args: argparse.Namespace) -> "Output":
    """Returns the output settings that the flags ask for."""
    from songwright.engines.score import Output

    formats = tuple(name.strip().lower().lstrip(".") for name in args.formats.split(",") if name.strip())
    output = Output(
        soundfont=args.soundfont,
        player=args.player,
        formats=tuple(dict.fromkeys(name for name in formats if name != "wav")),
        force=args.force,
    )
    output.check()
    return output


def parse_duration(text: str) -> float:
    """Returns seconds from ``"90"``, ``"1:30"``, ``"1:02:03"``, ``"90s"`` or ``"3min"``.

    Raises:
        InputError: the text is no length.
    """
    plain = text.strip().lower()
    scale = 1.0
    for suffix, factor in (("min", 60.0), ("m", 60.0), ("sec", 1.0), ("s", 1.0), ("h", 3600.0)):
        if plain.endswith(suffix):
            plain, scale = plain[: -len(suffix)].strip(), factor
            break
    parts = plain.split(":")
    if len(parts) > 3 or (len(parts) > 1 and scale != 1.0):
        raise InputError(f"--duration '{text}' is no length: give seconds or minutes:seconds, e.g. 90 or 3:00")
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + _number(part, "--duration", "90 or 3:00")
    return seconds * scale


def _number(text: str, flag: str, example: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{flag} '{text}' is no number: give e.g. {example}") from None
    if not math.isfinite(value):
        raise InputError(f"{flag} '{text}' is not usable: give e.g. {example}")
    return value
