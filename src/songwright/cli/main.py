"""The `songwright` program: finds the command, runs it, and turns errors into one line and an exit code."""

import argparse
import contextlib
import importlib
import keyword
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

from songwright import __version__
from songwright.errors import MissingDependencyError, SongwrightError

COMMANDS = {
    "make": "make a song from a sentence",
    "render": "play an existing score: song.json, MIDI or MusicXML",
    "sing": "sing a score's tune: the voice alone",
    "continue": "write more bars at the end of a song",
    "fill": "write some tracks anew in some bars",
    "vary": "change a share of a section",
    "harmonise": "find chords for a tune",
    "accompany": "put a band around a tune",
    "restyle": "play a song in another style, or in the manner of another song",
    "blend": "write the song that lies between two songs",
    "inspect": "show what a prompt means, or a score bar by bar",
    "evaluate": "score a trained model on data it never saw",
    "train": "train a network from a recipe",
    "export": "turn a trained composer into files that run without torch",
    "prepare-scores": "read open corpora of scores into training shards",
    "doctor": "say what is installed and how fast this machine is",
}
"""Every command and what it does; each lives in a module of this package, see `module_of`."""

EXAMPLES = """examples:
  songwright make "an upbeat disco song about the sea"
  songwright make "慢的国语情歌，关于下雨的夜晚" -o rain --duration 3:00
  songwright make "быстрый панк про метро" --key "A minor" --seed 7 --formats mp3,flac
  songwright inspect --brief "sad piano waltz in D minor, 2 minutes" --json
  songwright render rain/song.json -o rain --force
"""

EXTRA_OF = {"torch": "train", "safetensors": "train", "onnx": "train", "onnxruntime": "voices"}
"""Optional packages that commands import where they use them, and the extra that brings each."""

USER_ERROR = 2
INTERRUPTED = 130


def module_of(command: str) -> str:
    """Returns the module of a command: its name, with underscores for hyphens and after a word of Python's own."""
    return command.replace("-", "_") + "_" * keyword.iskeyword(command)


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole program."""
    parser = argparse.ArgumentParser(
        prog="songwright",
        description="One sentence becomes a finished song: score first, then played, mixed and mastered.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"songwright {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        module = importlib.import_module(f"songwright.cli.{module_of(name)}")
        sub = commands.add_parser(
            name,
            help=summary,
            description=module.__doc__,
            epilog=module.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(sub)
        sub.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program and returns its exit code: 0, 2 for a mistake that can be mended, 130 when interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        with _interruptible():
            args = build_parser().parse_args(arguments)
            return int(args.run(args) or 0)
    except SongwrightError as error:
        return _fail(str(error), USER_ERROR)
    except ModuleNotFoundError as error:
        if error.name not in EXTRA_OF:
            raise
        return _fail(str(MissingDependencyError(error.name, EXTRA_OF[error.name])), USER_ERROR)
    except KeyboardInterrupt:
        return _fail("interrupted; nothing was left half-written", INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except (OSError, MemoryError) as error:
        return _fail(getattr(error, "strerror", None) or str(error) or type(error).__name__, USER_ERROR)


class _Interrupted(KeyboardInterrupt):
    """Ctrl-C or a request to stop.

    A class of its own: after a plain KeyboardInterrupt inside any `exec` (dataclasses use it while they are imported)
    the interpreter ends by the signal, whatever exit code the program returns.
    """


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Turns SIGINT and SIGTERM into `_Interrupted` while the program runs; leaves both as they were."""

    def stop(signum: int, frame: object) -> None:
        raise _Interrupted

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _fail(message: str, code: int) -> int:
    line = " ".join(message.split())
    print(f"songwright: {line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
