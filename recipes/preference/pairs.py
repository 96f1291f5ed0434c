"""Makes pairs: a composer's own attempts at one part of a window, the best and the worst by theory.

Usage: python recipes/preference/pairs.py COMPOSER -o FOLDER [--windows 320] [--valid 48] [--minutes 20]

COMPOSER is what a training or `songwright export` wrote (the latter is some three times as fast). The same line goes
on after a stop; SONGWRIGHT_SHARDS names the shards. FOLDER gets `manifest.json` and a file for every few windows.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from ground import CORPORA, Ground, open_ground, open_writer, open_yardstick
from sides import Side, side_of

from songwright.compose.learned.practice import WindowSettings, attempts, draw_window, song_of
from songwright.compose.learned.rewards import KINDS, Yardstick
from songwright.compose.tokens.batches import Pieces
from songwright.compose.tokens.windows import Example
from songwright.errors import CheckpointError, ConfigError
from songwright.files import write_bytes
from songwright.neural.sampling import SamplingSettings
from songwright.neural.step_model import StepModel
from songwright.seeding import generator
from songwright.training.checkpoint import read_json, read_tensors
from songwright.training.packing import pack
from songwright.training.shards import Split, shards_folder

MANIFEST = "manifest.json"
FORMAT = "songwright.pairs"
CHUNK = 4
"""Windows of one file: one of every kind of part."""

SIDES = ("chosen", "rejected")
SPLITS: tuple[Split, ...] = tuple(s for s in get_args(Split) if s in ("train", "valid"))


@dataclass(frozen=True, slots=True)
class PairSettings:
    """How pairs are made.

    Attributes:
        candidates: attempts at each window.
        temperature, top_p: how attempts are drawn.
        seed: decides windows and attempts.
        windows: which windows.
        corpora: share of each.
    """

    candidates: int = 6
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 1
    windows: WindowSettings = field(default_factory=WindowSettings)
    corpora: tuple[tuple[str, float], ...] = tuple(CORPORA.items())


@dataclass(frozen=True)
class Pair:
    """Two attempts at one window.

    Attributes:
        number: of the window.
        kind: of the part.
        chosen, rejected: the best and the worst attempt.
        rewards: (N,) of all attempts.
    """

    number: int
    kind: str
    chosen: Side
    rejected: Side
    rewards: NDArray[np.float64]

    @property
    def gap(self) -> float:
        """By how much the best is better than the worst."""
        return float(self.rewards.max() - self.rewards.min())


def window_of(pieces: Pieces, split: Split, number: int, settings: PairSettings) -> tuple[str, Example]:
    """Returns the kind of part and the window of a number."""
    kind = KINDS[number % len(KINDS)]
    return kind, draw_window(pieces, kind, settings.windows, generator(settings.seed, "window", split, number))


def make_pair(
    model: StepModel, yardstick: Yardstick, window: tuple[str, Example], settings: PairSettings, scope: tuple[str, int]
) -> dict[str, NDArray[Any]]:
    """Returns the arrays of one window's pair by name, without its number.

    Args:
        model: writes.
        yardstick: judges.
        window: kind of part, and what is given.
        settings: how.
        scope: split and number of the window.
    """
    kind, example = window
    random = [generator(settings.seed, "attempt", *scope, k) for k in range(settings.candidates)]
    drawn = SamplingSettings(temperature=settings.temperature, top_p=settings.top_p)
    written = attempts(model, example, random, drawn)
    rewards = np.array([yardstick.reward(song_of(attempt), kind).total for attempt in written])
    arrays: dict[str, NDArray[Any]] = {"rewards": rewards}
    for name, place in zip(SIDES, (int(rewards.argmax()), int(rewards.argmin())), strict=True):
        side = side_of(written[place])
        arrays |= {f"{name}.codes": side.codes, f"{name}.features": side.features, f"{name}.mask": side.mask}
    return arrays


def make_pairs(
    model: StepModel, sha256: str, ground: Ground, yardstick: Yardstick, folder: Path, counts: Mapping[Split, int],
    settings: PairSettings, minutes: float = 0.0,
) -> int:  # fmt: skip
    """Makes the pairs that are not there yet; returns how many windows there are in all.

    Args:
        model: writes.
        sha256: of its weights.
        ground: pieces.
        yardstick: judges.
        folder: gets them.
        counts: windows of each split, rounded up to whole files.
        settings: how.
        minutes: after which it stops; 0 never.

    Raises:
        ConfigError: the folder holds pairs that were made in another way.
    """
    begin_folder(folder, sha256, ground, yardstick, settings)
    started, made = time.monotonic(), 0
    for split, count in counts.items():
        (folder / split).mkdir(exist_ok=True)
        pieces = ground.pieces(split)
        for first in range(0, count, CHUNK):
            path = folder / split / f"{first:05d}.safetensors"
            if not path.is_file():
                if minutes and time.monotonic() - started > 60 * minutes:
                    return made
                arrays: dict[str, NDArray[Any]] = {}
                for number in range(first, first + CHUNK):
                    window = window_of(pieces, split, number, settings)
                    found = make_pair(model, yardstick, window, settings, (split, number))
                    arrays |= {f"{number}.{name}": array for name, array in found.items()}
                write_bytes(path, pack(arrays))
            made += CHUNK
    return made


def begin_folder(folder: Path, sha256: str, ground: Ground, yardstick: Yardstick, settings: PairSettings) -> None:
    """Writes the manifest, or checks that the one that is there says the same."""
    about = {
        "format": FORMAT,
        "weights_sha256": sha256,
        "settings": asdict(settings),
        "yardstick": yardstick.as_table(),
        **ground.shards.provenance(ground.shards.select(split="train", corpora=list(ground.corpora))),
    }
    about = json.loads(json.dumps(about))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MANIFEST
    if not path.is_file():
        write_bytes(path, (json.dumps(about, indent=1) + "\n").encode())
        return
    known = read_json(path)
    for key in about:
        if known.get(key) != about[key]:
            raise ConfigError(f"{folder} holds pairs with another {key}: give another folder with -o, or empty it")


def read_pairs(folder: Path, split: Split) -> list[Pair]:
    """Returns the pairs of a split in order.

    Raises:
        CheckpointError: the folder holds none, or a file is damaged.
    """
    if read_json(folder / MANIFEST).get("format") != FORMAT:
        raise CheckpointError(folder, "expected pairs, as pairs.py writes them")
    found: list[Pair] = []
    for path in sorted((folder / split).glob("*.safetensors")):
        arrays = read_tensors(path)
        numbers = sorted({int(name.partition(".")[0]) for name in arrays})
        try:
            found += [_pair(arrays, number) for number in numbers]
        except KeyError as error:
            raise CheckpointError(path, f"a pair without {error}: make it anew") from error
    if not found:
        raise CheckpointError(folder / split, "no pairs: make some with pairs.py")
    return found


def _pair(arrays: Mapping[str, NDArray[Any]], number: int) -> Pair:
    sides = [Side(*(arrays[f"{number}.{name}.{what}"] for what in ("codes", "features", "mask"))) for name in SIDES]
    return Pair(number, KINDS[number % len(KINDS)], *sides, arrays[f"{number}.rewards"].astype(np.float64))


def summary(pairs: Sequence[Pair]) -> str:
    """Returns one line for each kind of part: mean reward of all attempts, of the best and of the worst."""
    lines = []
    for kind in KINDS:
        mine = [pair.rewards for pair in pairs if pair.kind == kind]
        if mine:
            all_, best, worst = (np.mean([f(r) for r in mine]) for f in (np.mean, np.max, np.min))
            lines.append(f"{kind}: {len(mine)} windows, reward {all_:.3f}, best {best:.3f}, worst {worst:.3f}")
    return "\n".join(lines)


def main() -> None:
    """Makes pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("composer", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--windows", type=int, default=320)
    parser.add_argument("--valid", type=int, default=48)
    parser.add_argument("--minutes", type=float, default=0.0)
    args = parser.parse_args()
    sha256, model = open_writer(args.composer)
    ground = open_ground(shards_folder(), CORPORA)
    # Held-out pairs first: without them nothing can be said of the others.
    counts: dict[Split, int] = {"valid": args.valid, "train": args.windows}
    made = make_pairs(model, sha256, ground, open_yardstick(), args.out, counts, PairSettings(), args.minutes)
    print(f"{made} windows of {args.windows + args.valid}")
    for split in SPLITS:
        print(f"{split}\n{summary(read_pairs(args.out, split))}")


if __name__ == "__main__":
    main()
