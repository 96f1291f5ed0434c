"""Mixes trained networks into one model, measures what each thing is worth, and with --ship keeps the model as int8.

Usage: python recipes/jsb/mix.py OUT/seed1 OUT/seed2 … --data FILE.json [--split valid] [--ship]

Each OUT/seedN is what the trainer filled (its `best/` is taken), or a model folder. --ship writes `model/` and
`expected.json`.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.evaluation import nll
from songwright.files import write_bytes
from songwright.neural.chorale_features import NUM_CODES, VOICES, Ids, codes_of, features_of, transposed
from songwright.neural.chorale_memory import Recall
from songwright.neural.chorale_mixture import ChoraleMixture, load_chorale_model, moved_recall
from songwright.neural.chorale_model import ORDERS, ChoraleModel, mixed_nats
from songwright.training.checkpoint import MODEL_FILE, load_model, save_model

HERE = Path(__file__).parent
MODEL = HERE / "model"
METRIC = nll.METRICS["note"]
MAX_BYTES = 3 * 2**19

Example = tuple[Ids, Recall]
Logs = list[NDArray[np.float64]]


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


def log_probabilities(
    network: ChoraleModel,
    examples: list[Example],
    shift: int = 0,
    orders: Any = ORDERS,
    temperature: float = 1.0,
) -> Logs:
    """Returns ln p (orders, frames) of each piece, read in a transposition."""
    return [
        network.log_probabilities(
            features_of(transposed(codes, shift)), moved_recall(recall, shift), orders, temperature
        )
        for codes, recall in examples
    ]


def per_note(parts: list[Logs]) -> float:
    """Returns nats per note of the mean over all rows of several networks' (or transpositions') probabilities."""
    nats = [mixed_nats(np.concatenate(rows)) for rows in zip(*parts, strict=True)]
    return round(sum(float(piece.sum()) for piece in nats) / (VOICES * sum(map(len, nats))), 4)


def without_memory(examples: list[Example]) -> list[Example]:
    """Returns the pieces with every recalled place taken away."""
    gone = NUM_CODES
    return [
        (codes, replace(recall, codes=np.full_like(recall.codes, gone), before=np.full_like(recall.before, gone)))
        for codes, recall in examples
    ]


def main() -> None:
    """Mixes, measures, and ships."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="valid")
    parser.add_argument("--shifts", type=int, nargs="*", default=[], help="transpositions to mix in, in semitones")
    parser.add_argument("--temperature", type=float, default=1.0, help="divides every logit of the mixture")
    parser.add_argument("--ship", action="store_true", help="write model/ as int8 and expected.json")
    args = parser.parse_args()
    loaded = [load_model(path / "best" if (path / "best").is_dir() else path) for path in args.folders]
    members = [load_chorale_model(*pair) for pair in loaded]
    assert all(isinstance(member, ChoraleModel) for member in members)
    networks = [member for member in members if isinstance(member, ChoraleModel)]
    memory = networks[0].memory_codes, networks[0].memory_lengths
    remembered = networks[0].memory()
    train = [codes_of(piece) for piece in nll.read_pieces(args.data, METRIC.parse, "train")[1]]
    pieces = [codes_of(piece) for piece in nll.read_pieces(args.data, METRIC.parse, args.split)[1]]
    examples = [(codes, remembered.recall(codes)) for codes in pieces]
    row: dict[str, Any] = {"split": args.split, "pieces": len(pieces), "notes": VOICES * sum(map(len, pieces))}
    row |= floors(train, pieces)

    parts = [log_probabilities(network, examples) for network in networks]
    row["one_network_one_order"] = [per_note([[piece[:1] for piece in part]]) for part in parts]
    row["one_network"] = [per_note([part]) for part in parts]
    row["mixed"] = per_note(parts)
    bare = log_probabilities(networks[0], without_memory(examples), orders=ORDERS[:1])
    row["one_network_one_order_memory_taken_away"] = per_note([bare])
    if args.temperature != 1:
        warm = args.temperature
        parts = [log_probabilities(network, examples, temperature=warm) for network in networks]
        row |= {"temperature": warm, "mixed_at_temperature": per_note(parts)}
    for shift in args.shifts:
        parts += [log_probabilities(network, examples, shift, temperature=args.temperature) for network in networks]
    if args.shifts:
        row["mixed_and_transposed"] = per_note(parts)
    print(json.dumps(row, indent=1), flush=True)
    if args.ship:
        row |= ship(
            loaded, ChoraleMixture(networks, *memory, (0, *args.shifts), args.temperature), args.data, args.split
        )
        write_bytes(HERE / "expected.json", (json.dumps(row, indent=1) + "\n").encode())
        print(json.dumps(row, indent=1))


def ship(
    loaded: list[tuple[dict[str, Any], dict[str, NDArray[Any]]]], model: ChoraleMixture, data: Path, split: str
) -> dict[str, Any]:
    """Writes the model folder and returns what it reaches as `songwright evaluate nll` measures it."""
    config = {key: value for key, value in loaded[0][0].items() if key in ("kind", "data", "ledger")}
    config |= {
        "members": [config["network"] for config, _ in loaded],
        "shifts": list(model.shifts),
        "temperature": model.temperature,
        "trained": [{key: c.get(key) for key in ("step", "validation", "recipe")} for c, _ in loaded],
    }
    for member in model.members:
        member.memory_codes, member.memory_lengths = member.memory_codes[:0], member.memory_lengths[:0]
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    save_model(MODEL, tensors, config, dtype="int8")
    size = (MODEL / MODEL_FILE).stat().st_size
    if size > MAX_BYTES:
        raise SystemExit(f"{MODEL / MODEL_FILE} has {size} bytes, more than {MAX_BYTES}")
    return {
        "nats": round(nll.measure(MODEL, data, "note", split).nats, 4),
        "bytes": size,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps": [config.get("step") for config, _ in loaded],
    }


if __name__ == "__main__":
    main()
