"""Does a classifier that learned drumming from people name the family of our drum tracks?

A forest and a logistic regression, their probabilities averaged, are trained on windows of eight bars of the Groove
MIDI training performances (never on our style books); they hear where strokes fall, how hard, swing and density, but
not the tempo. The pair was chosen by cross-validation over training performances alone. It then names the validation
performances, and our drum tracks, one song at a time. The last table is the distance of our drums to validation
performances of the same style, beside the distance between two halves of those.

Usage: python benchmarks/drum_classifier.py --data FOLDER [--songs 20] [--styles disco,rnb]
"""

import argparse
import csv
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from songwright.brief.brief import Brief
from songwright.compose.arrange.drums import write_drums
from songwright.compose.arrange.feel import apply_feel
from songwright.compose.form import plan_form
from songwright.compose.style import Style, load_style, style_names
from songwright.evaluation.drum_features import (
    DrumTake,
    features,
    read_groove_midi,
    set_distance,
    split_half_distance,
    take_of_notes,
)
from songwright.score.song import Track
from songwright.seeding import generator

WINDOW_BARS = 8
FAMILIES = {
    "rock": "rock", "pop": "rock", "punk": "rock", "country": "rock", "blues": "rock",
    "funk": "funk", "soul": "funk", "hiphop": "funk", "neworleans": "funk", "gospel": "funk",
    "jazz": "jazz",
    "latin": "latin", "afrocuban": "latin", "afrobeat": "latin", "highlife": "latin",
    "dance": "dance", "reggae": "reggae",
}  # fmt: skip
"""Style of Groove MIDI → family; a blues shuffle keeps the backbeat and stands with rock."""

OURS = {
    "pop": "rock", "rock": "rock", "punk": "rock", "country": "rock", "metal": "rock", "mandarin_ballad": "rock",
    "rnb": "funk", "soul": "funk", "funk": "funk", "hip_hop": "funk", "gospel": "funk", "lofi": "funk",
    "blues": "rock", "jazz": "jazz", "bossa_nova": "latin", "salsa": "latin", "afrobeat": "latin",
    "disco": "dance", "house": "dance", "reggae": "reggae",
}  # fmt: skip
"""Our style → the family it should be named, where Groove MIDI has that class."""


@dataclass(frozen=True, slots=True)
class Performance:
    """A recorded performance, cut into windows."""

    style: str
    split: str
    windows: list[DrumTake]


def read_performances(folder: Path) -> list[Performance]:
    """Returns the 4/4 grooves (no single fills) of the dataset."""
    found = []
    with (folder / "info.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            style = row["style"].split("/")[0]
            if row["beat_type"] != "beat" or row["time_signature"] != "4-4":
                continue
            take = read_groove_midi(folder / row["midi_filename"])
            bars = WINDOW_BARS if take.num_bars >= WINDOW_BARS else 4
            found.append(Performance(style, row["split"], take.windows(bars)))
    return [p for p in found if p.windows]


def our_windows(style: Style, seed: int) -> list[DrumTake]:
    """Returns the windows of the drum track of one song of ours."""
    plan = plan_form(Brief(prompt="", seed=seed, styles=(style.name,)), style)
    part = style.parts_of("drums")[0]
    sections = {s.label: s.energy for s in plan.sections if part.plays_in(s.role, s.energy)}
    notes = write_drums(plan, style, part, sections, seed=seed)
    (track,) = apply_feel((Track(part.id, "drums", part.instruments[0], notes=notes),), plan, style, seed=seed)
    return take_of_notes(track.notes, plan.bar_ticks).windows(WINDOW_BARS)


def train(performances: Sequence[Performance]) -> VotingClassifier:
    """Returns the model that learned the training performances, every family with the same weight."""
    rows, names = [], []
    for performance in performances:
        if performance.split == "train" and performance.style in FAMILIES:
            for window in performance.windows[:12]:
                rows.append(features(window))
                names.append(FAMILIES[performance.style])
    forest = ExtraTreesClassifier(
        300, min_samples_leaf=4, max_features=0.3, class_weight="balanced_subsample", bootstrap=True, random_state=0
    )
    line = make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=500, class_weight="balanced"))
    model = VotingClassifier([("forest", forest), ("line", line)], voting="soft")
    return model.fit(np.array(rows), np.array(names))


def probabilities(model: VotingClassifier, windows: Sequence[DrumTake]) -> npt.NDArray[np.float64]:
    """Returns the mean probability of each family over the windows of one performance."""
    return np.asarray(model.predict_proba(np.array([features(w) for w in windows])).mean(0))


def validate(model: VotingClassifier, performances: Sequence[Performance], split: str) -> None:
    """Prints how many performances of a split are named rightly, all and by family."""
    right: dict[str, list[bool]] = defaultdict(list)
    for p in performances:
        if p.split == split and p.style in FAMILIES:
            family = FAMILIES[p.style]
            right[family].append(model.classes_[probabilities(model, p.windows).argmax()] == family)
    everything = [r for rows in right.values() for r in rows]
    biggest = max(len(rows) for rows in right.values()) / len(everything)
    by_family = "  ".join(f"{f} {sum(r)}/{len(r)}" for f, r in sorted(right.items()))
    balanced = np.mean([np.mean(r) for r in right.values()])
    print(f"{split:11s} {np.mean(everything):.0%} right (always the commonest: {biggest:.0%}), "
          f"mean of families {balanced:.0%}: {by_family}")  # fmt: skip


def name_ours(model: VotingClassifier, styles: Sequence[str], songs: int) -> None:
    """Prints how our songs are named."""
    print(f"\n{'style':16s} {'family':7s} named so   families named")
    total = []
    for name in styles:
        style = load_style(name)
        if name not in OURS or not style.parts_of("drums"):
            continue
        named: dict[str, int] = defaultdict(int)
        for seed in range(songs):
            windows = our_windows(style, seed)
            if windows:
                named[str(model.classes_[probabilities(model, windows).argmax()])] += 1
        share = named[OURS[name]] / max(1, sum(named.values()))
        total.append(share)
        rest = "  ".join(f"{k} {v}" for k, v in sorted(named.items(), key=lambda kv: -kv[1]))
        print(f"{name:16s} {OURS[name]:7s} {share:7.0%}    {rest}")
    if total:
        print(f"all styles: {np.mean(total):.0%} of songs named rightly")


def compare(performances: Sequence[Performance], styles: Sequence[str], songs: int) -> None:
    """Prints the distance of our drums to validation performances of the same style, with the real set's own noise."""
    print(f"\n{'style':16s} {'real':10s} {'n':>3s}  onset: ours  train  halves   velocity: ours  train  halves")
    for name in styles:
        style = load_style(name)
        real = [p for p in performances if p.split == "validation" and p.style == style.feel.groove_midi]
        if not real or not style.parts_of("drums"):
            continue
        ours = [w for seed in range(songs) for w in our_windows(style, seed)]
        reference = [w for p in real for w in p.windows]
        training = [w for p in performances if p.split == "train" and p.style == real[0].style for w in p.windows]
        noise = split_half_distance([p.windows for p in real], random=generator(0, "split", name))
        us, other = set_distance(reference, ours), set_distance(reference, training)
        onset = f"{us.onset:11.3f} {other.onset:6.3f} {noise.onset:7.3f}"
        velocity = f"{us.velocity:14.3f} {other.velocity:6.3f} {noise.velocity:7.3f}"
        print(f"{name:16s} {real[0].style:10s} {len(real):3d}  {onset}   {velocity}")


def main() -> None:
    """Reads arguments, trains, prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"), help="folder of open data")
    parser.add_argument("--songs", type=int, default=20, help="songs per style")
    parser.add_argument("--styles", default="", help="only these, parted by commas")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("say where the data is: --data FOLDER or SONGWRIGHT_DATA")
    performances = read_performances(Path(arguments.data) / "groove-midi")
    model = train(performances)
    validate(model, performances, "validation")
    validate(model, performances, "test")
    styles = arguments.styles.split(",") if arguments.styles else style_names()
    name_ours(model, styles, arguments.songs)
    compare(performances, styles, arguments.songs)


if __name__ == "__main__":
    main()
