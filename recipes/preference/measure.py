"""Measures composers before and after tuning, on windows of pieces that neither the composer nor the tuning has seen.

Usage: python recipes/preference/measure.py START TUNED… [--windows 16] [--samples 2] [--names a,b] [-o FILE.json]

Each is a trained folder (`best` of a training, exported aside: what ships is measured) or an exported one. All write
the same windows with the same random numbers. Printed are, for each kind of part, the mean reward with the standard
error of its gain over START, the share of windows won, the critic's verdict on the bars, how many of all four-event
phrases are different; and, of trained folders, nats on real pieces. The row `real` is what people wrote there.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from ground import CORPORA, open_ground, open_writer, open_yardstick, real_task, start_of

from songwright.cli import export
from songwright.compose.learned.critic import load_critic
from songwright.compose.learned.practice import (
    WindowSettings,
    attempts,
    draw_window,
    phrases,
    rewarded_part,
    song_of,
)
from songwright.compose.learned.rewards import KINDS, Yardstick
from songwright.compose.tokens.windows import Example
from songwright.files import write_bytes
from songwright.neural.step_model import StepModel
from songwright.seeding import generator
from songwright.training.shards import shards_folder

SEED = 2
Phrases = list[tuple[tuple[int, int], ...]]


@dataclass(frozen=True)
class Written:
    """What one composer wrote into the windows of one kind of part.

    Attributes:
        rewards, verdicts: (windows, samples).
        distinct: share of phrases of four events that are different from all others; of all samples together.
    """

    rewards: np.ndarray[Any, np.dtype[np.float64]]
    verdicts: np.ndarray[Any, np.dtype[np.float64]]
    distinct: float


def judged(examples: Sequence[Sequence[Example]], kind: str, yardstick: Yardstick) -> Written:
    """Returns what attempts at windows are worth."""
    critic = load_critic()
    songs = [[song_of(example) for example in mine] for mine in examples]
    rewards = [[yardstick.reward(song, kind).total for song in mine] for mine in songs]
    verdicts = [[critic.score(song).total for song in mine] for mine in songs]
    found: Phrases = [phrase for mine in examples for example in mine for phrase in phrases(example)]
    return Written(np.array(rewards), np.array(verdicts), len(set(found)) / max(1, len(found)))


def row(mine: Written, start: Written) -> dict[str, float]:
    """Returns the numbers of one composer for one kind of part, against those of the first."""
    gain = mine.rewards.mean(1) - start.rewards.mean(1)
    error = float(gain.std(ddof=1) / len(gain) ** 0.5) if len(gain) > 1 else float("nan")
    found = {
        "reward": mine.rewards.mean(), "gain": gain.mean(), "error": error, "won": (gain > 0).mean(),
        "critic": mine.verdicts.mean(), "distinct": mine.distinct,
    }  # fmt: skip
    return {name: round(float(value), 3) for name, value in found.items()}


def measure(
    models: Sequence[tuple[str, StepModel]], windows: dict[str, list[Example]], samples: int, yardstick: Yardstick
) -> dict[str, dict[str, dict[str, float]]]:
    """Returns rows by kind of part and composer, that of the real parts last."""
    table: dict[str, dict[str, dict[str, float]]] = {}
    for kind, mine in windows.items():
        written: dict[str, Written] = {}
        for name, model in models:
            made = [
                attempts(model, window, [generator(SEED, "measure", kind, i, k) for k in range(samples)])
                for i, window in enumerate(mine)
            ]
            written[name] = judged(made, kind, yardstick)
        written["real"] = judged([[rewarded_part(window)] for window in mine], kind, yardstick)
        first = written[models[0][0]]
        table[kind] = {name: row(values, first) for name, values in written.items()}
    return table


def as_text(table: dict[str, dict[str, dict[str, float]]], real: dict[str, dict[str, float]]) -> str:
    """Returns the tables of the README."""
    lines = [
        "| part | composer | reward | gain ± error | windows won | critic | distinct |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, rows in table.items():
        first = next(iter(rows))
        for name, r in rows.items():
            gain, won = (f"{r['gain']:+.3f} ± {r['error']:.3f}", f"{r['won']:.0%}") if name != first else ("", "")
            lines.append(
                f"| {kind} | {name} | {r['reward']:.3f} | {gain} | {won} | {r['critic']:.2f} | {r['distinct']:.2f} |"
            )
    kinds = ("nats", "melody", "harmony", "bass", "drums")
    lines += ["", f"| real pieces | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(f'{r[k]:.3f}' for k in kinds)} |" for name, r in real.items()]
    return "\n".join(lines)


def writer_of(folder: Path, aside: Path) -> StepModel:
    """Returns a network to write with, as it ships; a trained one is exported into a folder aside."""
    if not (folder / "backbone.onnx").is_file():
        export.run(argparse.Namespace(model=folder, output=aside, dtype="int8", force=True))
        folder = aside
    return open_writer(folder)[1]


def real_nats(folders: Sequence[tuple[str, Path]], examples: int) -> dict[str, dict[str, float]]:
    """Returns nats on real pieces of every folder that holds torch's weights."""
    import torch

    task = real_task(examples, CORPORA)
    found: dict[str, dict[str, float]] = {}
    for name, folder in folders:
        if task is not None and not (folder / "backbone.onnx").is_file():
            with torch.no_grad():
                found[name] = {k: round(v, 4) for k, v in task.validate(start_of(str(folder))[1].eval()).items()}
    return found


def main() -> None:
    """Measures, prints, and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--windows", type=int, default=16, help="of every kind of part")
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--real", type=int, default=16, help="examples of real pieces of every kind of part")
    parser.add_argument("--names", default="", help="of the folders, with commas; by default their own")
    parser.add_argument("-o", "--out", type=Path, help="gets all numbers")
    args = parser.parse_args()
    names = args.names.split(",") if args.names else [str(folder) for folder in args.folders]
    pieces = open_ground(shards_folder(), CORPORA).pieces("valid")
    windows = {
        kind: [
            draw_window(pieces, kind, WindowSettings(), generator(SEED, "window", kind, i)) for i in range(args.windows)
        ]
        for kind in KINDS
    }
    with tempfile.TemporaryDirectory(prefix="songwright-") as aside:
        models = [
            (name, writer_of(folder, Path(aside) / str(i)))
            for i, (name, folder) in enumerate(zip(names, args.folders, strict=True))
        ]
        table = measure(models, windows, args.samples, open_yardstick())
    real = real_nats(list(zip(names, args.folders, strict=True)), args.real)
    print(as_text(table, real))
    if args.out:
        write_bytes(args.out, (json.dumps({"parts": table, "real": real}, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
