"""What the commands that edit a song share: their arguments, the composer they load, and the folder they write."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from songwright.cli.make import add_output_arguments, output_from
from songwright.cli.show import ProgressLine
from songwright.errors import InputError
from songwright.progress import Progress

if TYPE_CHECKING:
    from songwright.neural.step_model import StepModel
    from songwright.score.song import Song

Edit = Callable[["Song", "StepModel", Progress], "Song"]
"""Takes the song, the network and where to tell progress; returns the song as it shall be."""

EditAnyway = Callable[["Song", "StepModel | None", Progress], "Song"]
"""An edit that can do without the network."""

_SLOWEST, _FASTEST = 20, 400


def add_edit_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the file and the flags that all edits have."""
    parser.add_argument("score", type=Path, metavar="FILE", help="song.json, .mid, .musicxml or .mxl")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="default: beside the song, named by the edit"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another number, other notes (default 0)")
    parser.add_argument("--candidates", type=int, default=4, metavar="N", help="written side by side, the best is kept")
    parser.add_argument("--composer", type=Path, metavar="FOLDER", help="another composer than the one built in")
    parser.add_argument("--score-only", action="store_true", help="write the score alone, no sound")
    add_output_arguments(parser)


def bar_span(text: str) -> tuple[int, int]:
    """Returns the bars of ``"9-16"`` or ``"9"`` as (first, one past the last), counted from 0.

    Raises:
        InputError: it is neither.
    """
    first, _, last = text.partition("-")
    if not first.strip().isdigit() or (last.strip() and not last.strip().isdigit()):
        raise InputError(f"bars '{text}': expected a bar as in 9, or a first and a last one as in 9-16")
    low, high = int(first), int(last or first)
    if not 1 <= low <= high:
        raise InputError(f"bars '{text}': bars are counted from 1, the first one comes first")
    return low - 1, high


def tempo_of(args: argparse.Namespace) -> float | None:
    """Returns what ``--tempo`` says, None where it was not given.

    Raises:
        InputError: nobody plays so slowly or fast.
    """
    tempo: float | None = args.tempo
    if tempo is not None and not _SLOWEST <= tempo <= _FASTEST:
        raise InputError(f"--tempo {tempo:g}: expected {_SLOWEST} to {_FASTEST} beats per minute")
    return tempo


def run_edit(args: argparse.Namespace, name: str, edit: Edit) -> int:
    """Reads the song, edits it, writes and plays the new one, and prints where it is."""

    def with_model(song: "Song", model: "StepModel | None", progress: Progress) -> "Song":
        assert model is not None
        return edit(song, model, progress)

    return run_edit_anyway(args, name, with_model, needs_model=True)


def run_edit_anyway(args: argparse.Namespace, name: str, edit: EditAnyway, *, needs_model: bool = False) -> int:
    """As `run_edit`, for an edit that is told None where there is no network.

    Args:
        args: of the command.
        name: of the edit, the command's own first; it names the folder.
        edit: what is done.
        needs_model: whether a missing network is an error.
    """
    from songwright.compose.learned.composer import has_composer, load_composer
    from songwright.files import slug
    from songwright.score.read import read_score
    from songwright.score.song import check

    if not 1 <= args.candidates <= 64:
        raise InputError(f"--candidates {args.candidates}: expected 1 to 64")
    output = output_from(args)
    song = read_score(args.score)
    model = load_composer(args.composer) if needs_model or args.composer or has_composer() else None
    own = args.score.parent.name if args.score.name == "song.json" and args.score.parent.name else args.score.stem
    folder = args.output or Path("songs") / slug(f"{own} {name}")
    with ProgressLine(quiet=args.quiet) as progress:
        edited = edit(song, model, progress)
        edited = replace(edited, provenance={**edited.provenance, "edits": [*_edits(song), _told(args, name)]})
        check(edited)
        shown = write_song(edited, folder, args, output, progress)
    if not args.quiet:
        print(shown)
    return 0


def write_song(edited: "Song", folder: Path, args: argparse.Namespace, output: object, progress: Progress) -> str:
    """Writes the score, and plays it unless the score alone is wanted; returns what people are told."""
    from songwright.engines.score import Output, render_score, write_score_files
    from songwright.evaluation.report import summarise
    from songwright.files import staged_folder

    assert isinstance(output, Output)
    if args.score_only:
        from songwright.compose.learned.novelty import nearest, told

        with staged_folder(folder, force=output.force) as aside:
            write_score_files(edited, aside)
        return f"{told(nearest(edited))}\n{folder / 'song.json'}"
    source = getattr(args, "score", None)
    before = source.parent if source is not None and source.name == "song.json" else None
    recording = render_score(edited, folder, output=output, progress=progress, edited_from=before)
    return f"{summarise(recording.report)}\n{recording.mix}"


def _edits(song: "Song") -> list[object]:
    """Returns the edits that were made before."""
    found = song.provenance.get("edits", [])
    return list(found) if isinstance(found, list) else []


def _told(args: argparse.Namespace, name: str) -> dict[str, object]:
    """Returns what goes into the provenance."""
    names = ("bars", "tracks", "section", "amount", "style", "like", "tune", "tempo", "intro", "outro", "seed")
    asked = {key: getattr(args, key) for key in names if getattr(args, key, None) is not None}
    return {
        "edit": name.split()[0],
        **{key: str(value) if isinstance(value, Path) else value for key, value in asked.items()},
    }
