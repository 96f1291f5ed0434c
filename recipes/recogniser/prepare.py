"""Speaks the lines and writes spectra with labels: shards of 120 lines, so that it can be stopped and goes on.

Usage: python recipes/recogniser/prepare.py --out FOLDER [--data FOLDER] [--config FILE] [--lines N]
"""

import argparse
import os
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from lines import LANGUAGES, read_material
from sounds import Example, drawn_out, example, make_examples, pack, speak_lines

from songwright.evaluation.phoneme_classes import phoneme_classes
from songwright.seeding import generator

SHARD_LINES = 120


def write(path: Path, examples: list[Example]) -> None:
    """Writes a shard whole or not at all."""
    part = path.with_suffix(".part.npz")
    np.savez(part, **pack(examples))
    part.replace(path)


def write_side(out: Path, side: str, language: str, config: dict[str, Any], folder: Path | None) -> None:
    """Writes the lines of the validation or test voices: as spoken, drawn out, and every second one held."""
    data, kinds = config["data"], phoneme_classes(language).kinds
    paths = {kind: out / f"{side}{kind}-{language}.npz" for kind in ("", "_drawn", "_held")}
    if all(path.exists() for path in paths.values()):
        return
    material = read_material(language, folder, data["held_out_percent"], held_out=True)
    rates = (data["words_per_minute"][0], data["words_per_minute"][1])
    random = generator(data["seed"], side, language)
    sounds = speak_lines(material, language, config["voices"][side], data[f"{side}_lines"], rates, random)
    if not paths[""].exists():
        write(paths[""], [example(s, language) for s in sounds])
    if not paths["_drawn"].exists():
        random = generator(data["seed"], side, language, "drawn")
        write(paths["_drawn"], [example(drawn_out(s, kinds, random), language) for s in sounds])
    if not paths["_held"].exists():
        random = generator(data["seed"], side, language, "held")
        write(paths["_held"], [example(drawn_out(s, kinds, random, held=True), language) for s in sounds[::2]])


def main() -> None:
    """Writes training shards, and spoken lines of the validation and test voices."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"))
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.toml"))
    parser.add_argument("--lines", type=int, help="spoken lines a language instead of the config's")
    arguments = parser.parse_args()
    config: dict[str, Any] = tomllib.loads(arguments.config.read_text(encoding="utf-8"))
    data, voices = config["data"], config["voices"]
    folder = None if arguments.data is None else Path(arguments.data)
    arguments.out.mkdir(parents=True, exist_ok=True)
    total = arguments.lines or data["lines_per_language"]
    rates = (data["words_per_minute"][0], data["words_per_minute"][1])
    percent, seed = data["held_out_percent"], data["seed"]
    for side in ("validation", "test"):
        for language in LANGUAGES:
            write_side(arguments.out, side, language, config, folder)
    materials = {language: read_material(language, folder, percent, held_out=False) for language in LANGUAGES}
    shards = [(k, language) for k in range(-(-total // SHARD_LINES)) for language in LANGUAGES]
    started, made = time.perf_counter(), 0
    for number, (k, language) in enumerate(shards):
        path = arguments.out / f"train-{k:03d}-{language}.npz"
        if path.exists():
            continue
        random = generator(seed, "train", language, k)
        write(
            path,
            make_examples(
                materials[language], language, voices["train"], voices["left_out"], SHARD_LINES, rates, random
            ),
        )
        made += 1
        left = (time.perf_counter() - started) / made * (len(shards) - number - 1)
        print(f"shard {number + 1} of {len(shards)}, {left / 60:.1f} minutes left", flush=True)


if __name__ == "__main__":
    main()
