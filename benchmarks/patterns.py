"""Compares the patterns of streams with the composer's own task: nats a note and notes a second, on one budget.

    SONGWRIGHT_SHARDS=FOLDER python benchmarks/patterns.py --minutes 5 --threads 2 [--markdown] [--json FILE]

Flat, delay, depth and parallel networks of about as many weights learn the same examples in the same order, each for as
many minutes of processor time (a short run before tells how many steps that is, so that each finishes its cosine).
Validation is the recipe's own: examples of pieces held apart, one kind of part at a time, with the mean of the weights.
Decoding is by the step model of torch on one thread, every slot asked for; a note is an event of six slots.

Depth and flat say each stream of an event knowing the streams before it, parallel none of them. Delay does too, but it
hears the features, which follow from whole events, five events late.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("KMP_BLOCKTIME", "0")  # threads that wait do not count as time of the processor

import numpy as np
import torch

from songwright.compose.tokens.piece import TARGET_KINDS
from songwright.compose.tokens.vocabulary import NUM_STREAMS
from songwright.neural.language_model import LanguageModelConfig, MultiStreamLM
from songwright.neural.sampling import SamplingSettings
from songwright.neural.step_model import generate
from songwright.neural.torch_steps import TorchStepModel
from songwright.seeding import generator
from songwright.training.checkpoint import load_model
from songwright.training.recipe import Recipe, load_task, read_recipe
from songwright.training.trainer import train
from songwright.training.weights import load_weights

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "composer"
SHAPES: Mapping[str, Mapping[str, int]] = {
    "depth": {"num_layers": 3, "depth_dim": 64, "depth_layers": 1},
    "delay": {"num_layers": 5},
    "flat": {"num_layers": 5},
    "parallel": {"num_layers": 5},
}
"""What a pattern has beside `COMMON`: the depth transformer weighs as much as two layers of the backbone."""

PRECISION = {"flat": "float32"}
"""In which a pattern learns fastest on a CPU, where that is not bfloat16."""

COMMON = {"dim": 80, "num_heads": 2, "dropout": 0.0}
SETTINGS = (
    "task.lengths=[192, 320]",
    "task.batch_steps=2560",
    "task.valid_length=320",
    "optimiser.lr=2.5e-3",
    "optimiser.ema=0.99",
    "run.validate_every=1000000000",
    "run.checkpoint_every=1000000000",
    "run.log_every=20",
)
WARM_STEPS, PROBE_SHARE, WARMUP_SHARE = 2, 0.08, 0.1
OVERDRAWN = 1.3
"""A training that takes so much more than its budget is ended where it is."""

Task = object
Say = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """What one pattern reached.

    Attributes:
        pattern: its name.
        parameters: how many numbers it learned.
        steps: of the optimiser.
        minutes: of the processor, spent on them.
        nats: a note, by kind of part; "nats" over all.
        notes_per_second: by rows decoded side by side.
    """

    pattern: str
    parameters: int
    steps: int
    minutes: float
    nats: Mapping[str, float]
    notes_per_second: Mapping[int, float]


class Budget:
    """Counts steps and seconds of the processor, and asks to stop when they are spent.

    Args:
        seconds: of the processor.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.times = [time.process_time()]

    def __call__(self) -> bool:
        """Asked after every step."""
        self.times.append(time.process_time())
        return self.spent >= self.seconds and len(self.times) > WARM_STEPS + 2

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return self.times[-1] - self.times[0]

    @property
    def step_seconds(self) -> float:
        """Seconds of a step, the first ones left out."""
        found = np.diff(self.times)[WARM_STEPS:]
        return float(found.mean())


def recipe_of(options: argparse.Namespace, pattern: str, max_steps: int) -> Recipe:
    """Returns the composer's recipe for one pattern."""
    network = {"pattern": pattern, **COMMON, **SHAPES[pattern]}
    given = [f"task.network.{name}={json.dumps(value)}" for name, value in network.items()]
    return read_recipe(
        options.recipe,
        [
            *SETTINGS, *given, *options.overrides,
            f"task.valid_examples={options.examples}", "task.corpus_examples=0",
            f"run.precision={PRECISION.get(pattern, 'bfloat16')}",
            f"run.seed={options.seed}", f"run.threads={options.threads}",
            f"schedule.max_steps={max_steps}", f"schedule.warmup_steps={max(1, int(max_steps * WARMUP_SHARE))}",
        ],
    )  # fmt: skip


def with_network(task: Task, recipe: Recipe) -> Task:
    """Returns the task with the network of a recipe: examples are read and drawn for all patterns once."""
    wanted = recipe.task["network"]
    given = {**task.network.as_dict(), **wanted}
    task.network = LanguageModelConfig.from_dict(given)
    return task


def trained(task: Task, recipe_for: Callable[[int], Recipe], minutes: float, folder: Path, say: Say) -> Budget:
    """Trains for a budget; the weights are in `folder`/last.

    Args:
        task: with the network.
        recipe_for: the recipe by its number of steps.
        minutes: of the processor.
        folder: for states and weights.
        say: gets a line now and then.
    """
    probe = Budget(60 * minutes * PROBE_SHARE)
    train(task, recipe_for(10**6), folder / "probe", device="cpu", stop=probe)
    steps = max(1, round(60 * minutes / probe.step_seconds))
    say(f"{probe.step_seconds:.2f} s of the processor a step: {steps} steps")
    budget = Budget(60 * minutes * OVERDRAWN)
    train(task, recipe_for(steps), folder, device="cpu", stop=budget, progress=say)
    return budget


def measured(task: Task, model: MultiStreamLM, folder: Path) -> Mapping[str, float]:
    """Returns the nats a note of what was trained, from its last validation or from one made now."""
    config, arrays = load_model(folder / "last")
    load_weights(model, arrays, folder)
    model.eval()
    known: Mapping[str, float] = config.get("validation") or {}
    if known:
        return known
    with torch.no_grad():
        return task.validate(model)


def decoding_speed(model: MultiStreamLM, rows: int, notes: int, rounds: int) -> float:
    """Returns notes a second of the processor, the median of some rounds, on one thread."""
    steps, features = TorchStepModel(model), np.zeros((rows, len(model.config.feature_sizes), notes), dtype=np.int64)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    spent = []
    for number in range(rounds + 1):
        started = time.process_time()
        generate(
            steps, num_steps=notes, settings=SamplingSettings(), random=generator(number, "patterns"),
            batch_size=rows, features=features,
        )  # fmt: skip
        spent.append(time.process_time() - started)
    torch.set_num_threads(threads)
    return rows * notes / statistics.median(spent[1:])


def as_table(rows: Sequence[Row], *, markdown: bool) -> str:
    """Returns the rows as a table: nats a note by kind of part (lower is better), then speeds."""
    kinds = [kind for kind in TARGET_KINDS if any(kind in row.nats for row in rows)]
    batches = sorted({size for row in rows for size in row.notes_per_second})
    heads = ["pattern", "weights", "steps", "cpu min", "all", *kinds, *(f"notes/s, {size} at once" for size in batches)]
    lines = [
        [
            row.pattern, f"{row.parameters / 1e6:.2f} M", f"{row.steps}", f"{row.minutes:.1f}",
            f"{row.nats['nats']:.3f}", *(f"{row.nats[kind]:.3f}" if kind in row.nats else "" for kind in kinds),
            *(f"{row.notes_per_second[size]:.0f}" if size in row.notes_per_second else "" for size in batches),
        ]
        for row in rows
    ]  # fmt: skip
    if markdown:
        return "\n".join("| " + " | ".join(line) + " |" for line in [heads, ["---"] * len(heads), *lines])
    widths = [max(len(line[i]) for line in [heads, *lines]) for i in range(len(heads))]
    return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)) for line in [heads, *lines])


def row_of(task: Task, pattern: str, options: argparse.Namespace, folder: Path, say: Say) -> Row:
    """Trains and measures one pattern."""
    task = with_network(task, recipe_of(options, pattern, 1))
    budget = trained(task, lambda steps: recipe_of(options, pattern, steps), options.minutes, folder / pattern, say)
    model = task.build_model()
    nats = measured(task, model, folder / pattern)
    speeds = {size: decoding_speed(model, size, options.notes, options.rounds) for size in options.batches}
    return Row(pattern, model.num_parameters, len(budget.times) - 1, budget.spent / 60, dict(nats), speeds)


def arguments() -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--recipe", type=Path, default=RECIPE, help="the composer's recipe")
    parser.add_argument("--minutes", type=float, default=5.0, help="of processor time for each pattern")
    parser.add_argument("--threads", type=int, default=1, help="of the training; decoding has one")
    parser.add_argument("--patterns", default="depth,delay,flat,parallel")
    parser.add_argument("--examples", type=int, default=40, help="of the validation, for each kind of part")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--notes", type=int, default=48, help="decoded in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8], help="rows decoded side by side")
    parser.add_argument("--set", dest="overrides", action="append", default=[], help="section.key=value of the recipe")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> None:
    """Prints the table, and after every pattern what there is of it."""
    options = arguments()
    patterns = options.patterns.split(",")
    unknown = [name for name in patterns if name not in SHAPES]
    if unknown:
        sys.exit(f"no pattern is called {', '.join(unknown)}: {', '.join(SHAPES)}")
    torch.set_num_threads(options.threads)
    task = load_task(recipe_of(options, patterns[0], 1))
    print(f"{NUM_STREAMS} streams, {options.minutes:g} minutes of processor a pattern, {options.threads} thread(s)")
    rows: list[Row] = []
    for pattern in patterns:
        with tempfile.TemporaryDirectory(prefix="songwright-patterns-") as aside:
            rows.append(row_of(task, pattern, options, Path(aside), lambda line: print(f"  {line}", flush=True)))
        print(as_table(rows[-1:], markdown=False), flush=True)
    print(as_table(rows, markdown=options.markdown))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
