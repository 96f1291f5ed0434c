"""Packs the trained networks of bars for the program, and measures what is packed: `measure.py RUN [--ship] [--check]`.

Bars come back from the middle of their latent, by the program's own decoder; ways between two bars of different
pieces are held against taking each note of either with the probability of the mix.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
from task import Settings, Stock, read_stock

from songwright.compose.learned.bars.coder import SHIPPED, BarCoder, between, load_coder, save_coder
from songwright.compose.learned.bars.kinds import KNOWN, ONSET
from songwright.compose.learned.bars.writing import WHITE, kit_of, line_of, roll_of
from songwright.compose.tokens.vocabulary import vocabulary_hash
from songwright.neural.bar_network import BarNetwork, Bars, BarShape
from songwright.seeding import generator
from songwright.training.checkpoint import CONFIG_FILE, load_model
from songwright.training.recipe import from_table, read_recipe
from songwright.training.shards import check_corpora, open_shards, shards_folder

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
FOLDER = Path(__file__).parent
MIXES = (0.0, 0.25, 0.5, 0.75, 1.0)
PAIRS = 400
RHYTHM_BARS = 20_000
RHYTHM_PIECES = 150
"""Of each corpus, from which it is told what rhythms there are."""

KINDS_BETWEEN = ("tune", "bass", "chords", "drums")


def main() -> None:
    """Packs and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "runs", type=Path, nargs="+", help="folders of trainings; of a kind in several the last is taken"
    )
    parser.add_argument("--ship", action="store_true", help="write the program's own file and expected.json")
    parser.add_argument("--check", action="store_true", help="fail where the numbers are worse than expected.json")
    args = parser.parse_args()
    shapes: dict[str, BarShape] = {}
    weights: dict[str, dict[str, NDArray[Any]]] = {}
    about: dict[str, Any] = {}
    for run in args.runs:
        folder = run if (run / CONFIG_FILE).is_file() else run / "best"
        config, tensors = load_model(folder, kind="bars", vocabulary=vocabulary_hash())
        shapes |= {kind: BarShape.from_dict(table) for kind, table in config["shapes"].items()}
        weights |= {kind: _own(tensors, kind) for kind in config["shapes"]}
        about |= {name: config[name] for name in ("ledger", "data", "vocabulary_hash")}
    with tempfile.TemporaryDirectory(prefix="songwright-") as aside:
        path = SHIPPED if args.ship else Path(aside) / SHIPPED.name
        size = save_coder(path, shapes, weights, about)
        packed = load_coder(path)
        whole = BarCoder({kind: BarNetwork(shapes[kind], weights[kind]) for kind in shapes}, {})
        found = {"bytes": size, **measured(packed, whole)}
    text = json.dumps(found, indent=1) + "\n"
    print(text)
    if args.ship:
        (FOLDER / "expected.json").write_text(text, encoding="utf-8")
    if args.check:
        _check(found, json.loads((FOLDER / "expected.json").read_text(encoding="utf-8")))


def _own(tensors: Mapping[str, NDArray[Any]], kind: str) -> dict[str, NDArray[Any]]:
    start = f"kinds.{kind}."
    return {name.removeprefix(start): array for name, array in tensors.items() if name.startswith(start)}


def _check(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    worse = [
        f"{kind} {name}: {found['comes_back'][kind][name]} instead of {value}"
        for kind, row in wanted["comes_back"].items()
        for name, value in row.items()
        if name in ("cells", "onset_f1") and found["comes_back"][kind][name] < value - 0.02
    ]
    if worse:
        raise SystemExit("worse than expected: " + "; ".join(worse))


def measured(packed: BarCoder, whole: BarCoder) -> dict[str, Any]:
    """Returns all that the README shows.

    Args:
        packed: the networks as the program has them.
        whole: the same in float32.
    """
    recipe = read_recipe(FOLDER, ())
    settings = from_table(Settings, recipe.task)
    shards = open_shards(shards_folder(settings.shards), vocabulary=vocabulary_hash())
    check_corpora(shards, settings.corpora)
    shapes = {kind: network.shape for kind, network in packed.networks.items()}
    valid = read_stock(shards, "valid", shapes, settings.corpora, settings.valid_bars, settings.seed)
    train = read_stock(shards, "train", shapes, settings.corpora, RHYTHM_BARS, settings.seed, most_pieces=RHYTHM_PIECES)
    back, ways = {}, {}
    for kind, stock in valid.items():
        bars = stock.bars(np.arange(len(stock.count)), kind)
        back[kind] = comes_back(kind, packed, bars, stock.chord.astype(np.int64))
        back[kind]["cells_float32"] = comes_back(kind, whole, bars, stock.chord.astype(np.int64))["cells"]
        if kind in KINDS_BETWEEN:
            ways[kind] = on_the_way(kind, packed, stock, train[kind])
    return {"comes_back": back, "on_the_way": ways}


def comes_back(kind: str, coder: BarCoder, bars: Bars, chord: Ints) -> dict[str, float]:
    """Returns how many bars there are, the share of cells that come back right, and the F1 of notes that begin."""
    network = coder.networks[kind]
    said = network.decode(network.encode(bars), bars.condition, bars.mask)
    if kind == "harmony":
        root, tones = (bars.cells[..., network.shape.span(name)] for name in ("root", "tones"))
        same = (said["root"].argmax(-1) == root.argmax(-1)) & ((said["tones"] > 0) == (tones > 0.5)).all(-1)
        return {"bars": len(bars), "cells": _share(same[bars.mask])}
    new = written(kind, said, bars.mask, chord)
    old = as_read(kind, network.shape, bars)
    both = (new & old).sum()
    found = {"bars": len(bars), "cells": _share((new == old).all(-1)[bars.mask])}
    return {**found, "onset_f1": round(float(2 * both / max(1, new.sum() + old.sum())), 4)}


def written(kind: str, said: Mapping[str, NDArray[np.float32]], mask: Bools, chord: Ints) -> Bools:
    """Returns (N, cells, rows) which notes begin, as the program decides it."""
    if kind == "drums":
        return kit_of(dict(said), mask).struck
    if kind == "chords":
        return roll_of(dict(said), mask).struck
    state = line_of(dict(said), mask, chord, from_root=kind == "bass").state
    rows = said["note"].shape[-1] - ONSET
    found: Bools = np.arange(rows) == state[..., None] - ONSET
    return found


def as_read(kind: str, shape: BarShape, bars: Bars) -> Bools:
    """Returns (N, cells, rows) which notes begin in bars as they are."""
    head = shape.heads[0]
    values = bars.cells[..., shape.span(head.name)] > 0.5
    found: Bools = values[..., ONSET:] if head.kind == "choice" else values
    return found


def on_the_way(kind: str, coder: BarCoder, stock: Stock, train: Stock) -> dict[str, Any]:
    """Returns what lies between bars of different pieces: ours, and each note of either with the mix's probability."""
    network = coder.networks[kind]
    random = generator(1, "pairs", kind)
    first, second = _pairs(stock, random)
    left, right = (stock.bars(rows, kind) for rows in (first, second))
    chords = [stock.chord[rows].astype(np.int64) for rows in (first, second)]
    ends = [network.encode(bars) for bars in (left, right)]
    known = _rhythms(as_read(kind, network.shape, train.bars(np.arange(len(train.count)), kind)))
    draws = random.random((*left.mask.shape, 1))
    real = [as_read(kind, network.shape, bars) for bars in (left, right)]
    ways: dict[str, list[Bools]] = {"latent": [], "crossfade": []}
    for mix in MIXES:
        side = int(mix > 0.5)
        bars, chord = (left, right)[side], chords[side]
        said = network.decode(between(*ends, mix), bars.condition, bars.mask)
        ways["latent"].append(written(kind, said, bars.mask, chord))
        ways["crossfade"].append(np.where(draws < mix, real[1], real[0]))
    found: dict[str, Any] = {"pairs": len(first)}
    for name, way in ways.items():
        found[name] = _judged(kind, way, chords, known)
    found["real"] = {"rhythm": _share(np.isin(_rhythms(real[0]), known))}
    if kind in ("tune", "bass"):
        found["real"] |= _in_harmony(kind, real[0], chords[0])
    return found


def _pairs(stock: Stock, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Returns bars of one length, far from each other in the stock, so that they are of different pieces."""
    count = len(stock.count)
    first = random.integers(count, size=4 * PAIRS)
    second = (first + random.integers(count // 4, 3 * count // 4, size=len(first))) % count
    same = stock.count[first] == stock.count[second]
    return first[same][:PAIRS], second[same][:PAIRS]


def _judged(kind: str, way: list[Bools], chords: list[Ints], known: Ints) -> dict[str, Any]:
    to_first = np.stack([_distance(way[0], bars) for bars in way])  # (mixes, pairs)
    to_second = np.stack([_distance(way[-1], bars) for bars in way])
    away = np.mean([np.all([b >= a for a, b in pairwise(d)], axis=0) for d in (to_first, to_second[::-1])])
    middle = way[2]
    found: dict[str, Any] = {
        "away_from_first": [round(float(d.mean()), 3) for d in to_first],
        "steadily": round(float(away), 3),
        "rhythm": _share(np.isin(_rhythms(middle), known)),
        "notes": [round(float(bars.sum((1, 2)).mean()), 2) for bars in way],
    }
    return {**found, **(_in_harmony(kind, middle, chords[0]) if kind in ("tune", "bass") else {})}


def _distance(first: Bools, second: Bools) -> NDArray[np.float64]:
    """Returns 1 less the F1 of the notes that begin, of each pair of bars."""
    both = (first & second).sum((1, 2))
    total = first.sum((1, 2)) + second.sum((1, 2))
    return np.where(total > 0, 1.0 - 2.0 * both / np.maximum(1, total), 0.0)


def _rhythms(bars: Bools) -> Ints:
    """Returns a number for where notes begin in each bar; of drums, where the first two do."""
    two = bars[..., :2] if bars.shape[-1] == 12 else bars.any(-1, keepdims=True)
    flat = two.reshape(len(bars), -1)
    found: Ints = flat @ (1 << np.arange(flat.shape[1], dtype=np.int64))
    return found


def _in_harmony(kind: str, bars: Bools, chord: Ints) -> dict[str, float]:
    """Returns the share of notes in scale or chord, of notes on beats in the chord, and the mean leap."""
    bar, cell, row = np.nonzero(bars)
    here = chord[bar, cell]
    root = np.where(here > 0, (here - 1) // 49, 0) if kind == "bass" else 0
    tones = KNOWN[here][np.arange(len(here)), (row + root) % 12] > 0
    beat = (cell % 4 == 0) & (here > 0)
    leaps = np.abs(np.diff(row))[np.diff(bar) == 0]
    inside = tones | WHITE[(row + root) % 12]
    return {"in_scale": _share(inside), "on_beats_in_chord": _share(tones[beat]), "leap": round(float(leaps.mean()), 2)}


def _share(values: Bools) -> float:
    return round(float(values.mean()), 4) if values.size else 0.0


if __name__ == "__main__":
    main()
