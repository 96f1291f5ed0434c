"""Measures the recogniser on spoken lines of voices that it never heard, beside guessing; writes `expected.json`.

Usage: python recipes/recogniser/measure.py --shards FOLDER [--side test|validation] [--weights FILE] [--out FILE]
"""

import argparse
import json
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from sounds import Example, unpack

from songwright.evaluation import recogniser
from songwright.evaluation.mel import FRAME_RATE
from songwright.evaluation.phoneme_classes import languages, phoneme_classes
from songwright.evaluation.recogniser import Network, decode, load_network, mel_posteriors, phoneme_errors


def guess(length: int, network: Network, language: str) -> list[int]:
    """Returns the likeliest sequence of the right length by the bigram alone: what hearing nothing gives."""
    table = network.heads[language].log_bigram.copy()
    table[:, 0] = -1e9
    np.fill_diagonal(table, -1e9)
    best = table[0]
    back = []
    for _ in range(length - 1):
        options = best[:, None] + table
        back.append(options.argmax(axis=0))
        best = options.max(axis=0)
    row = [int(best.argmax())]
    for step in reversed(back):
        row.append(int(step[row[-1]]))
    return row[::-1]


def constant(examples: list[Example], language: str) -> int:
    """Returns the phone that is commonest: saying it once for every phone is the other way to know nothing."""
    counts = np.zeros(len(phoneme_classes(language).names))
    for e in examples:
        np.add.at(counts, list(e.phones), 1.0)
    return int(counts.argmax())


def measure(examples: list[Example], language: str, network: Network) -> dict[str, Any]:
    """Returns the rows of one language."""
    names = phoneme_classes(language).names
    common = constant(examples, language)
    wrong = [0, 0, 0]
    total = frames = right = 0
    seconds = 0.0
    confused: dict[str, int] = {}
    for e in examples:
        begun = time.process_time()
        log_posterior = mel_posteriors(e.mel.astype(np.float32), language, network)
        heard = [p.name for p in decode(log_posterior, language, network)]
        seconds += time.process_time() - begun
        told = [names[c] for c in e.phones]
        wrong[0] += phoneme_errors(told, heard)
        wrong[1] += phoneme_errors(told, [names[c] for c in guess(len(told), network, language)])
        wrong[2] += phoneme_errors(told, [names[common]] * len(told))
        total += len(told)
        best = log_posterior.argmax(axis=1)
        right += int((best == e.labels).sum())
        frames += len(e.labels)
        for a, b in zip(e.labels[best != e.labels], best[best != e.labels], strict=True):
            key = f"{names[a] or '-'}>{names[b] or '-'}"
            confused[key] = confused.get(key, 0) + 1
    worst = sorted(confused.items(), key=lambda kv: -kv[1])[:8]
    return {
        "lines": len(examples),
        "phones": total,
        "phoneme_error": round(wrong[0] / total, 4),
        "likeliest_by_bigram": round(wrong[1] / total, 4),
        "commonest_phone": round(wrong[2] / total, 4),
        "frames_right": round(right / frames, 4),
        "times_real_time": round(frames / FRAME_RATE / seconds),
        "most_confused": " ".join(f"{name}:{count / frames:.2%}" for name, count in worst),
    }


def tune(shards: Path, network: Network) -> None:
    """Prints the phoneme error on the validation voices, spoken, drawn out and held, by decoding costs."""
    rows = [
        (e, mel_posteriors(e.mel.astype(np.float32), e.language, network))
        for language in languages()
        for side in ("validation", "validation_drawn", "validation_held")
        for e in unpack(dict(np.load(shards / f"{side}-{language}.npz")))[:20]
    ]
    for bigram, entry, prior in product((0.75, 1.0, 1.25), (1.0, 2.0, 3.0, 4.0), (0.25, 0.5)):
        recogniser.BIGRAM_WEIGHT, recogniser.ENTRY_COST, recogniser.PRIOR_WEIGHT = bigram, entry, prior
        wrong = total = 0
        for e, log_posterior in rows:
            names = phoneme_classes(e.language).names
            wrong += phoneme_errors(
                [names[c] for c in e.phones], [p.name for p in decode(log_posterior, e.language, network)]
            )
            total += len(e.phones)
        print(f"bigram {bigram} entry {entry} prior {prior}: {wrong / total:.4f}", flush=True)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--side", default="test")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--tune", action="store_true", help="try decoding costs on the validation voices")
    arguments = parser.parse_args()
    network = load_network(arguments.weights)
    if arguments.tune:
        tune(arguments.shards, network)
        return
    tables: dict[str, dict[str, Any]] = {}
    for side in (arguments.side, f"{arguments.side}_drawn", f"{arguments.side}_held"):
        tables[side] = {}
        for language in languages():
            examples = unpack(dict(np.load(arguments.shards / f"{side}-{language}.npz")))
            tables[side][language] = measure([e for e in examples if e.phones], language, network)
            print(side, language, json.dumps(tables[side][language], ensure_ascii=False, indent=1), flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(tables, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
