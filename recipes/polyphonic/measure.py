"""Measures a trained model on whole held-out pieces and, with --ship, keeps it in `models/` and in `expected.json`.

Usage: python recipes/polyphonic/measure.py OUT/polyphonic-NAME --data FILE.json [--split valid] [--ship]

OUT/polyphonic-NAME is what the trainer filled; a folder of `models/` does as well. Models with independent keys
(--set task.network.joint=false) are measured the same way and never shipped; their row is `independent`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.evaluation import nll, nll_frame
from songwright.files import write_bytes
from songwright.training.checkpoint import MODEL_FILE, load_model, save_model

HERE = Path(__file__).parent
EXPECTED = HERE / "expected.json"


def markov_floor(train: list[NDArray[np.uint8]], pieces: list[NDArray[np.uint8]]) -> float:
    """Returns nats per frame of independent keys that know whether they sounded in the frame before, add-one counts."""
    keys = train[0].shape[1]
    ones, all_ = np.ones((2, keys)), np.full((2, keys), 2.0)
    columns = np.arange(keys)
    for piece in train:
        for before, now in zip(np.vstack([np.zeros((1, keys), np.uint8), piece[:-1]]), piece, strict=True):
            ones[before, columns] += now
            all_[before, columns] += 1
    share = ones / all_  # (2, keys)
    nats = frames = 0.0
    for piece in pieces:
        before = np.vstack([np.zeros((1, keys), np.uint8), piece[:-1]])
        p = share[before, columns]
        nats -= float(np.log(np.where(piece > 0, p, 1 - p)).sum())
        frames += len(piece)
    return nats / frames


def measure(folder: Path, data: Path, split: str) -> dict[str, Any]:
    """Returns a model's row: nats of all frames, without first frames, and what knowing little gives."""
    metric = nll.METRICS["frame"]
    model = nll.load(folder, metric)
    train = nll.read_pieces(data, metric.parse, "train")[1]
    pieces = nll.read_pieces(data, metric.parse, split)[1]
    parts = model.frame_nats(pieces)
    frames = sum(map(len, parts))
    config, tensors = load_model(folder)
    return {
        "split": split,
        "pieces": len(pieces),
        "frames": frames,
        "nats": round(sum(float(p.sum()) for p in parts) / frames, 4),
        "nats_from_second": round(sum(float(p[1:].sum()) for p in parts) / (frames - len(parts)), 4),
        "floor_independent": round(nll_frame.bernoulli_floor(train, pieces), 4),
        "floor_markov": round(markov_floor(train, pieces), 4),
        "parameters": sum(array.size for array in tensors.values()),
        "steps": config.get("step"),
    }


def main() -> None:
    """Measures, prints, and ships."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="valid")
    parser.add_argument("--ship", action="store_true", help="write models/NAME as float16 and its row")
    args = parser.parse_args()
    folder = args.folder / "best" if (args.folder / "best").is_dir() else args.folder
    row = measure(folder, args.data, args.split)
    config, tensors = load_model(folder)
    name, joint = str(config["recipe"]["task"]["name"]), bool(config["network"]["joint"])
    if args.ship:
        expected = json.loads(EXPECTED.read_text(encoding="utf-8")) if EXPECTED.exists() else {}
        entry = expected.setdefault(name.removesuffix("-independent"), {})
        if joint:
            save_model(HERE / "models" / name, tensors, config, dtype="float16")
            shipped = measure(HERE / "models" / name, args.data, args.split)["nats"]
            row |= {"nats_float16": shipped, "bytes": (HERE / "models" / name / MODEL_FILE).stat().st_size}
        entry["joint" if joint else "independent"] = row
        write_bytes(EXPECTED, (json.dumps(expected, indent=1) + "\n").encode())
    print(json.dumps({name: row}, indent=1))


if __name__ == "__main__":
    main()
