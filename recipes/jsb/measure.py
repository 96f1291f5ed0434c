"""Measures what each part of the mixture is worth, and with --write keeps the numbers in `expected.json`.

Usage: python recipes/jsb/measure.py [MODEL] --data FILE.json [--split valid] [--write] [--halves]

--halves says how honest the choice of the reading is: chosen on one half of the pieces, it is measured on the other.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import InputError
from songwright.evaluation import nll
from songwright.files import write_bytes
from songwright.neural.chorale_adaptation import Squares
from songwright.neural.chorale_features import NUM_CODES, VOICES, Ids, codes_of, features_of
from songwright.neural.chorale_memory import Recall
from songwright.neural.chorale_mixture import ChoraleMixture, Reading
from songwright.neural.chorale_model import ChoraleModel, mixed_nats
from songwright.training.checkpoint import MODEL_FILE, load_model

HERE = Path(__file__).parent
METRIC = nll.METRICS["note"]
LEARNED = Reading()
"""How the networks read while they were trained."""
PLACES, AGREEMENT_WEIGHTS, KEY_WEIGHTS = (16, 32), (8.0, 20.0), (0.0, 40.0)
RATES = (1 / 16000, 1 / 8000, 1 / 4000)
"""What a reading is chosen from: how the memory is asked first, without learning, then the rate."""

Example = tuple[Ids, Recall]
Logs = list[NDArray[np.float64]]
"""ln p (rows, frames) of each piece."""


def floors(train: list[Ids], pieces: list[Ids]) -> dict[str, float]:
    """Returns nats per note of each voice given its last note alone, and given the place in the beat too.

    Counts of the training pieces with two notes' worth of the voice's own frequencies (add-one) put to each.
    """
    start = NUM_CODES
    result = {}
    for name, places in (("floor_bigram", 1), ("floor_bigram_position", 4)):
        counts = np.zeros((VOICES, places, NUM_CODES + 1, NUM_CODES))
        alone = np.ones((VOICES, NUM_CODES))
        for piece in train:
            for voice, place, before, now in _transitions(piece, places, start):
                np.add.at(counts, (voice, place, before, now), 1)
                np.add.at(alone, (voice, now), 1)
        alone /= alone.sum(axis=1, keepdims=True)
        share = (counts + 2 * alone[:, None, None]) / (counts.sum(axis=3, keepdims=True) + 2)
        total = sum(-np.log(share[row]).sum() for piece in pieces for row in _transitions(piece, places, start))
        result[name] = round(float(total) / (VOICES * sum(map(len, pieces))), 4)
    return result


def _transitions(piece: Ids, places: int, start: int) -> list[tuple[Any, ...]]:
    before = np.vstack([np.full((1, VOICES), start), piece[:-1]])
    place = np.arange(len(piece)) % places
    return [(voice, place, before[:, voice], piece[:, voice]) for voice in range(VOICES)]


def recalled(model: ChoraleMixture, reading: Reading, pieces: Sequence[Ids]) -> list[Example]:
    """Returns pieces, each beside what the model's memory holds for it when it is asked in a way."""
    memory = reads(model, reading).memory()
    return [(codes, memory.recall(codes)) for codes in pieces]


def reads(model: ChoraleMixture, reading: Reading) -> ChoraleMixture:
    """Returns the same networks, reading in another way."""
    return ChoraleMixture(model.networks(), model.memory_codes, model.memory_lengths, reading)


def without_memory(examples: list[Example]) -> list[Example]:
    """Returns the pieces with every recalled place taken away."""
    gone = NUM_CODES
    return [
        (codes, replace(recall, codes=np.full_like(recall.codes, gone), before=np.full_like(recall.before, gone)))
        for codes, recall in examples
    ]


def logs_of(network: ChoraleModel, examples: list[Example]) -> Logs:
    """Returns ln p by all orders of a network that does not learn."""
    return [network.log_probabilities(features_of(codes), recall) for codes, recall in examples]


def per_note(parts: Sequence[Logs]) -> float:
    """Returns nats per note of the mean over all rows of several parts' probabilities."""
    nats = [mixed_nats(np.concatenate(rows)) for rows in zip(*parts, strict=True)]
    return round(sum(float(piece.sum()) for piece in nats) / (VOICES * sum(map(len, nats))), 4)


def main() -> None:
    """Measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?", default=HERE / "model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="valid")
    parser.add_argument("--halves", action="store_true", help="choose on halves, measure nothing else")
    parser.add_argument("--write", action="store_true", help="write expected.json")
    args = parser.parse_args()
    model = nll.load(args.model, METRIC)
    if not isinstance(model, ChoraleMixture):
        raise InputError(f"{args.model}: expected a mixture as mix.py writes it, got a single network")
    train = [codes_of(piece) for piece in nll.read_pieces(args.data, METRIC.parse, "train")[1]]
    pieces = [codes_of(piece) for piece in nll.read_pieces(args.data, METRIC.parse, args.split)[1]]
    if args.halves:
        print(json.dumps(halves(model, pieces), indent=1))
        return
    row: dict[str, Any] = {"split": args.split, "pieces": len(pieces), "notes": VOICES * sum(map(len, pieces))}
    row |= floors(train, pieces) | worth(model, pieces)
    row |= {
        "nats": round(nll.measure(args.model, args.data, "note", args.split).nats, 4),
        "bytes": (args.model / MODEL_FILE).stat().st_size,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps": [member.get("step") for member in load_model(args.model)[0].get("trained", [])],
    }
    text = json.dumps(row, indent=1)
    print(text)
    if args.write:
        write_bytes(HERE / "expected.json", (text + "\n").encode())


def worth(model: ChoraleMixture, pieces: Sequence[Ids]) -> dict[str, Any]:
    """Returns nats per note with more and more of what the model does."""
    networks = model.networks()
    row: dict[str, Any] = {}
    learned = recalled(model, LEARNED, pieces)
    row["one_network_one_order_memory_taken_away"] = per_note(
        [[rows[:1] for rows in logs_of(networks[0], without_memory(learned))]]
    )
    kept = [logs_of(network, learned) for network in networks]
    row["one_network_one_order"] = [per_note([[rows[:1] for rows in part]]) for part in kept]
    row["one_network"] = [per_note([part]) for part in kept]
    row["mixed"] = per_note(kept)
    examples = recalled(model, model.reading, pieces)
    row["mixed_memory_asked_otherwise"] = per_note([logs_of(network, examples) for network in networks])
    parts = learning(model, pieces)
    row["mixed_learning_alone"] = per_note(parts[len(networks) :])
    return row


def learning(model: ChoraleMixture, pieces: Sequence[Ids], squares: list[Squares] | None = None) -> list[Logs]:
    """Returns what each network says as it is kept, then what each says that learns as it reads."""
    memory = model.memory()
    squares = squares or model.squares(memory)
    every = [model.logs(codes, memory.recall(codes), squares) for codes in pieces]
    return [list(part) for part in zip(*every, strict=True)]


def halves(model: ChoraleMixture, pieces: Sequence[Ids]) -> dict[str, Any]:
    """Returns the nats per note of the even and the odd pieces under every reading, and of each half's choice."""
    table: dict[str, list[float]] = {}
    asked = {
        f"{places} places, agreement {agreement:g}, key {key:g}": Reading(places, agreement, key)
        for places in PLACES
        for agreement in AGREEMENT_WEIGHTS
        for key in KEY_WEIGHTS
    }
    learned = {f"rate 1/{round(1 / rate)}": replace(model.reading, rate=rate) for rate in RATES}
    crossed: dict[str, Any] = {}
    for name, readings, squares in (("memory", asked, []), ("learning", learned, model.squares(model.memory()))):
        rows = {}
        for key, reading in readings.items():
            parts = learning(reads(model, reading), pieces, squares)
            rows[key] = [per_note([part[half::2] for part in parts]) for half in (0, 1)]
            print(key, rows[key], flush=True)
        best = [min(rows, key=lambda key: rows[key][half]) for half in (0, 1)]
        crossed[name] = {"chosen": best, "other_half": [rows[best[1]][0], rows[best[0]][1]]}
        table |= rows
    return {"readings": table, "crossed": crossed}


if __name__ == "__main__":
    main()
