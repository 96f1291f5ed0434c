"""Trainings in processes of their own, on a machine with torch, numpy and safetensors alone: `apart.py FOLDER NAMES`.

NAMES are packages that shall seem not to be installed. Torch is imported once and every training forked, so that a
kill costs no second start. Prints a line of JSON, which `test_apart.py` judges.
"""

import contextlib
import hashlib
import io
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.modules.update(dict.fromkeys(sys.argv[2].split(",")))

import torch

from songwright.training import checkpoint, state, trainer
from songwright.training.__main__ import main as program
from songwright.training.processes import Processes
from songwright.training.recipe import load_task, read_recipe
from songwright.training.trainer import train

TINY = Path(__file__).parent / "tiny"
SHORT = [
    "schedule.max_steps=16", "run.checkpoint_every=2", "run.validate_every=4", "run.log_every=3", "run.accumulate=2",
]  # fmt: skip


def apart(work):
    """Starts some work in a process of its own, which ends with code 0 if nothing is raised; returns its id."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    return child


def ended(child):
    """Waits for a process; returns whether it ended by itself and not by a signal."""
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    return not os.WIFSIGNALED(status)


def train_short(out, kill_at=None):
    """Trains `tiny` for sixteen steps, as far as it gets."""
    if kill_at is not None:
        kill_at_operation(kill_at)
    recipe = read_recipe(TINY, SHORT)
    train(load_task(recipe), recipe, out, device="cpu")


def kill_at_operation(number):
    """Lets this process kill itself right before its file operation of that number."""
    count = [0]

    def dying(operation):
        def wrapped(*arguments, **named):
            count[0] += 1
            if count[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return operation(*arguments, **named)

        return wrapped

    os.fsync = dying(os.fsync)
    Path.rename = dying(Path.rename)
    Path.replace = dying(Path.replace)
    Path.mkdir = dying(Path.mkdir)
    checkpoint.shutil.rmtree = dying(checkpoint.shutil.rmtree)
    assert state.shutil is checkpoint.shutil


def result(out):
    """Returns what has to be the same: weights, the whole state, and every number of the curves that is no time."""
    newest = state.StateStore(out / "state").newest()
    files = [out / "last/model.safetensors", out / "best/model.safetensors", newest / "state.safetensors"]
    facts = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    info = json.loads((newest / "state.json").read_text())
    rows = [row.split(",") for row in (out / "curves.csv").read_text().splitlines()[1:]]
    curves = [(row[0], row[2], row[3]) for row in rows if "per_second" not in row[2]]
    left = [path.name for path in [*out.iterdir(), *(out / "state").iterdir()] if ".partial" in path.name]
    return [*facts, {k: v for k, v in info.items() if k != "hours"}, curves, left]


def killed(folder):
    """Kills at random moments and at random file operations, and tells whether the ends are the same."""
    draw = random.Random(1)
    train_short(folder / "whole")  # in this process, so that all is imported before the first fork
    whole, begun = result(folder / "whole"), time.monotonic()
    ended(apart(lambda: train_short(folder / "forked")))
    seconds, kills, operations = time.monotonic() - begun, 0, 0
    for _ in range(4):
        child = apart(lambda: train_short(folder / "random"))
        time.sleep(draw.uniform(0.1, 0.7) * seconds)
        os.kill(child, signal.SIGKILL)
        kills += not ended(child)
    ended(apart(lambda: train_short(folder / "random")))
    for number in draw.sample(range(1, 40), 8):  # a state takes about 13 of them, and every run begins with some
        operations += not ended(apart(lambda at=number: train_short(folder / "operations", at)))
    ended(apart(lambda: train_short(folder / "operations")))
    same = {name: result(folder / name) == whole for name in ("forked", "random", "operations")}
    return {"same": same, "kills": kills, "operations": operations}


def asked_to_end(folder):
    """Sends the program SIGTERM once it trains; returns what it printed."""
    arguments = [str(TINY), "-o", str(folder / "asked"), "--device", "cpu"]
    arguments += ["--set", "schedule.max_steps=1000000", "--set", "run.log_every=1"]
    reading, writing = os.pipe()

    def work():
        os.dup2(writing, 1)
        sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), write_through=True)
        assert program(arguments) == 0
        sys.stdout.flush()

    child = apart(work)
    os.close(writing)
    lines = []
    with os.fdopen(reading) as told:
        for line in told:
            lines.append(line)
            if line.startswith("step 3/"):
                os.kill(child, signal.SIGTERM)
    assert ended(child)
    return "".join(lines)


def by_the_program(folder):
    """Trains through the program's own entry; returns its exit code and what it printed."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        code = program([str(TINY), "-o", str(folder / "bare"), "--device", "cpu", "--set", "schedule.max_steps=4"])
    return [code, told.getvalue()]


def two_processes(folder):
    """Trains in two connected processes, and in one with twice the parts."""

    def work(rank):
        meet = f"file://{folder}/meet"
        torch.distributed.init_process_group("gloo", init_method=meet, rank=rank, world_size=2)
        trainer.connect = lambda device: Processes(torch.device("cpu"), rank, 2)
        recipe = read_recipe(TINY, ["schedule.max_steps=6", "run.validate_every=3"])
        assert train(load_task(recipe), recipe, folder / "two").step == 6
        torch.distributed.destroy_process_group()

    children = [apart(lambda rank=rank: work(rank)) for rank in (0, 1)]
    recipe = read_recipe(TINY, ["schedule.max_steps=6", "run.validate_every=3", "run.accumulate=2"])
    train(load_task(recipe), recipe, folder / "one", device="cpu")
    return [ended(child) for child in children]


def main(folder):
    torch.set_num_threads(1)
    print(
        json.dumps(
            {
                "killed": killed(folder),
                "asked": asked_to_end(folder),
                "bare": by_the_program(folder),
                "two": two_processes(folder),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
