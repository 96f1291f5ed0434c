"""Measures the meter of vowel onsets where the truth is known: spoken and drawn-out lines of the test voices.

Usage: python recipes/recogniser/onset_meter.py [--data FOLDER] [--lines N]
"""

import argparse
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from lines import LANGUAGES, read_material
from sounds import Segments, drawn_out, speak_lines

from songwright.evaluation.mel import SAMPLE_RATE
from songwright.evaluation.onsets import fine_spectra, vowel_start
from songwright.evaluation.phoneme_classes import phoneme_classes
from songwright.evaluation.recogniser import align, posteriors
from songwright.seeding import generator

HERE = Path(__file__).parent


def joined(sound: Segments) -> tuple[list[int], list[float]]:
    """Returns the phones of a line with the second at which each begins; neighbours that are alike are one."""
    classes: list[int] = []
    starts: list[float] = []
    for k, one in enumerate(sound.classes.tolist()):
        if one and not (k and sound.classes[k - 1] == one):
            classes.append(one)
            starts.append(float(sound.times[k]))
    return classes, starts


def errors(sound: Segments, language: str) -> Iterator[tuple[str, float]]:
    """Yields what comes before each vowel, and by how many seconds the meter is late."""
    classes, starts = joined(sound)
    kinds = phoneme_classes(language).kinds
    log_posterior = posteriors(sound.waveform, SAMPLE_RATE, language)
    if len(log_posterior) < len(classes) or not classes:
        return
    placed = align(log_posterior, classes, language)
    spectra = fine_spectra(sound.waveform)
    for i, one in enumerate(classes):
        if kinds[one] == "vowel":
            kind, second = vowel_start(spectra, log_posterior, classes, placed, i, kinds)
            yield kind, second - starts[i]


def measure_meter(data: Path | None = None, count: int = 40) -> Iterator[str]:
    """Yields the rows of the table: bias, spread, and how many were more than 50 ms off."""
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    head = "vowel onsets, test voices, truth known"
    yield f"\n{head:40s} {'count':>6s} {'bias ms':>8s} {'median':>7s} {'p95':>7s} {'>50':>6s}"
    for language in LANGUAGES:
        material = read_material(language, data, config["data"]["held_out_percent"], held_out=True)
        random = generator(config["data"]["seed"], "meter", language)
        spoken = speak_lines(material, language, config["voices"]["test"], count, (80, 150), random)
        kinds = phoneme_classes(language).kinds
        for label, sounds in (("spoken", spoken), ("drawn out", [drawn_out(s, kinds, random) for s in spoken])):
            found: dict[str, list[float]] = {}
            for sound in sounds:
                for kind, late in errors(sound, language):
                    found.setdefault(kind, []).append(1000.0 * late)
            for kind, values in sorted(found.items()):
                rest = np.abs(np.array(values))
                name = f"{language} {label}, after {kind}"
                yield (
                    f"{name:40s} {len(rest):6d} {np.median(values):8.1f} {np.median(rest):7.1f} "
                    f"{np.percentile(rest, 95):7.1f} {np.mean(rest > 50):6.1%}"
                )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"))
    parser.add_argument("--lines", type=int, default=40)
    arguments = parser.parse_args()
    for line in measure_meter(arguments.data and Path(arguments.data), arguments.lines):
        print(line)


if __name__ == "__main__":
    main()
