"""Flags about words and voices, shared by the commands that sing."""

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from songwright.errors import InputError

if TYPE_CHECKING:
    from songwright.brief.brief import Brief

VOICES = ("female", "male", "child", "choir")
PERMISSION = "--i-have-permission"


def add_voice_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags about words and voices."""
    group = parser.add_argument_group("words and voice")
    group.add_argument(
        "--lyrics",
        metavar="FILE",
        help="words to sing: text with or without [verse] tags, .lrc or .srt; - reads standard input",
    )
    group.add_argument("--language", metavar="LANG", help="language of the words: en, zh, ru or an espeak code")
    group.add_argument(
        "--voice",
        metavar="VOICE",
        help="female, male, child; soprano … bass; a singer: clara, iris, vera, adam, leo, rex, boris, mia; "
        "or a recording of a voice whose style to take",
    )
    group.add_argument(
        "--voice-source",
        metavar="SOURCE",
        help="what speaks for the singer: espeak (default), festival, flite, piper:FILE.onnx, bank:FOLDER (DiffSinger)",
    )
    group.add_argument(
        PERMISSION, action="store_true", help="you may use the voice in the recording given with --voice"
    )


def with_voice(brief: "Brief", args: argparse.Namespace) -> "Brief":
    """Returns the brief with what the flags say about words and voice.

    Raises:
        InputError: a file cannot be used, a voice is unknown, or permission for a recording is not confirmed.
    """
    from songwright.lyrics.clean import decode
    from songwright.lyrics.language import check_language
    from songwright.lyrics.read import read_lyrics

    if args.lyrics is not None:
        data = sys.stdin.buffer.read() if args.lyrics == "-" else _read(Path(args.lyrics))
        text = decode(data)
        read_lyrics(text)  # says in one line what is wrong, before any work
        brief = brief.with_said(lyrics=text)
    if args.language:
        check_language(args.language.lower())
        brief = brief.with_said(lyrics_language=args.language.lower())
    if args.voice_source:
        brief = brief.with_said(voice_source=args.voice_source)
    if args.voice:
        brief = brief.with_said(**_voice(args.voice, args.i_have_permission))
    return brief


def _voice(text: str, permitted: bool) -> dict[str, Any]:
    from songwright.score.voices import SINGERS, VOICE_TYPES

    name = text.lower()
    if name in VOICES:
        return {"voice": name}
    if name in VOICE_TYPES:
        return {"voice_type": name}
    if name in SINGERS:
        return {"singer": name}
    path = Path(text)
    if path.suffix and path.is_file():
        return _recording(path, permitted)
    raise InputError(
        f"--voice '{text}' is neither a voice nor a file: give one of {', '.join((*VOICES, *VOICE_TYPES, *SINGERS))}, "
        "or a recording such as person.wav"
    )


def _recording(path: Path, permitted: bool) -> dict[str, Any]:
    """Returns the style of a recorded voice, once the person says that they may use it."""
    from songwright.perform.singer.person import listen

    if not permitted and not _confirmed(path):
        raise InputError(f"a voice belongs to its person: add {PERMISSION} if you may use the voice in {path.name}")
    style = listen(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return {
        "singer": style.singer,
        "voice_type": style.voice_type,
        "voice_parameters": dict(style.parameters),
        "voice_recording": f"{path.name} sha256:{digest}",
    }


def _confirmed(path: Path) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(
        f"{path.name} will shape the singer's voice. May you use this person's voice? [y/N] ", end="", file=sys.stderr
    )
    return sys.stdin.readline().strip().lower() in ("y", "yes", "да", "д", "是", "可以")


def _read(path: Path) -> bytes:
    from songwright.lyrics.read import MAX_BYTES

    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(
                f"--lyrics {path}: {path.stat().st_size} bytes; lyrics of one song have at most {MAX_BYTES}"
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"--lyrics {path}: {error.strerror or error}: give a text, LRC or SRT file") from error
