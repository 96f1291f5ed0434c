"""Train a recipe: a folder with config.toml and task.py; needs only torch, numpy and safetensors."""

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from songwright.errors import MissingDependencyError, SongwrightError
from songwright.training.recipe import Recipe, load_task, read_recipe

EXAMPLES = """examples:
  songwright train recipes/jsb -o runs/jsb
  songwright train recipes/jsb -o runs/jsb --minutes 30      (the same line again goes on)
  songwright train recipes/composer -o runs/mine --start runs/composer/best --set optimiser.lr=3e-4   (fine-tunes)
  python -m songwright.training recipes/jsb -o runs/jsb --set optimiser.lr=1e-4 --device cuda
  songwright train recipes/jsb -o runs/jsb --compare
  songwright train recipes/jsb -o runs/jsb --ship recipes/jsb/model --as int8
"""
USER_ERROR = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of training."""
    parser.add_argument("recipe", type=Path, metavar="RECIPE", help="folder with config.toml and task.py")
    parser.add_argument("-o", "--out", type=Path, help="where weights and curves go (default: runs/NAME)")
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="SECTION.KEY=VALUE", help="a setting that wins"
    )
    parser.add_argument(
        "--start", type=Path, metavar="MODEL", help="begin with this model's weights, to fine-tune them or train on"
    )
    parser.add_argument("--minutes", type=float, default=0.0, help="write the state and leave after so long")
    parser.add_argument("--device", default="auto", help="auto (a GPU where there is one), cpu, cuda, cuda:1, mps")
    after = parser.add_mutually_exclusive_group()
    after.add_argument("--fresh", action="store_true", help="forget the state in the folder and begin anew")
    after.add_argument(
        "--compare", action="store_true", help="train nothing; measure what float16 and int8 cost OUT/best"
    )
    after.add_argument("--ship", type=Path, metavar="FOLDER", help="train nothing; write OUT/best there as --as says")
    parser.add_argument(
        "--as", dest="dtype", default="float16", choices=("float32", "float16", "int8"), help="for --ship"
    )


def run(args: argparse.Namespace) -> int:
    """Trains, and prints how it goes."""
    start = [f"run.start={args.start}"] if args.start else []
    recipe = read_recipe(args.recipe, [*args.overrides, *start])
    try:
        from songwright.training.trainer import train
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingDependencyError("torch", "train") from error

    out: Path = args.out or Path("runs") / recipe.name
    if args.compare or args.ship:
        return _after(args, recipe, out / "best")
    with _stop_flag() as stop:
        outcome = train(
            load_task(recipe),
            recipe,
            out,
            resume=not args.fresh,
            device=args.device,
            progress=lambda line: print(line, flush=True),
            stop=stop,
            minutes=args.minutes,
        )
    best = f"best validation {outcome.best_nats:.4f} at step {outcome.best_step:,} in {outcome.folder / 'best'}"
    best = best if outcome.best_step else "not yet validated"
    if os.environ.get("RANK", "0") != "0":
        return 0  # the first of several processes speaks for all
    if outcome.is_finished:
        print(f"done after {outcome.step:,} steps ({outcome.reason}); {best}")
    else:
        print(f"left at step {outcome.step:,} ({outcome.reason}); {best}; the same command goes on")
    return 0


def _after(args: argparse.Namespace, recipe: Recipe, best: Path) -> int:
    """Measures or writes the best model in another precision."""
    from songwright.training.compare import as_table, compare, ship

    if args.compare:
        print(as_table(compare(load_task(recipe), best, device=args.device)))
    else:
        size = ship(best, args.ship, args.dtype)
        print(f"{args.ship}: {size:,} bytes as {args.dtype}")
    return 0


@contextlib.contextmanager
def _stop_flag() -> Iterator[Callable[[], bool]]:
    """Gives a question whether Ctrl-C or a request to end has come; the second one interrupts at once."""
    asked: list[int] = []

    def note(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the program alone, without the rest of songwright; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m songwright.training",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    try:
        return run(parser.parse_args(arguments))
    except SongwrightError as error:
        print(f"songwright: {' '.join(str(error).split())}", file=sys.stderr)
        return USER_ERROR
    except (OSError, MemoryError) as error:
        print(f"songwright: {getattr(error, 'strerror', None) or error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("songwright: interrupted; the last checkpoint is unharmed", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
