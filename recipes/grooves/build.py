"""Learns how drummers play, style by style, from the Groove MIDI dataset, and writes compose/tables/grooves.json.

Only rows of info.csv with ``split=train`` and ``beat_type=beat`` in 4/4 are read. For each style, each drum and each
place in the bar (16 sixteenths; 12 triplets for performances that swing in triplets) it notes the mean timing against
the bar's own mean, the spread that is left, how slowly the common timing drifts, four levels of dynamics, and the
dynamics' curve over the bar. Styles with few bars lean on all styles together.
"""

import argparse
import csv
import json
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import symusic

from songwright.compose.arrange.grooves import TD11_TO_GENERAL_MIDI
from songwright.score.drums import DRUM_NAMES

TABLE = Path(__file__).parents[2] / "src/songwright/compose/tables/grooves.json"
Array = npt.NDArray[np.float64]
Table = dict[str, Any]
POOLED = "all"
SHRINKAGE = 40.0  # strokes' worth of trust in all styles together
MINIMUM_STROKES = 60


@dataclass(frozen=True, slots=True)
class Strokes:
    """Strokes of one performance, one row each.

    Attributes:
        drum: General MIDI note.
        bar: which bar.
        place: which step of the bar, 0 to steps - 1.
        late_ms: how late against the step.
        velocity: 1 to 127.
        steps: 16, or 12 when the performance lies in triplets.
        swing: how far its off-beat sixteenths lean (already taken out of `late_ms`), 1 is the triplet.
    """

    drum: npt.NDArray[np.int64]
    bar: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    late_ms: Array
    velocity: Array
    steps: int
    swing: float


def read_performance(path: Path, bpm: float) -> Strokes | None:
    """Returns the strokes of a 4/4 performance, or None when it is too short."""
    score: Any = symusic.Score(str(path))
    notes = [n for track in score.tracks for n in track.notes if n.pitch in TD11_TO_GENERAL_MIDI]
    if len(notes) < 32:
        return None
    beats = np.array([n.time for n in notes]) / score.ticks_per_quarter
    drum = np.array([TD11_TO_GENERAL_MIDI[n.pitch] for n in notes])
    velocity = np.array([float(n.velocity) for n in notes])
    deviations = [np.abs(beats * s - np.round(beats * s)).mean() for s in (4, 3)]
    per_beat = 4 if deviations[0] <= deviations[1] else 3
    step = np.round(beats * per_beat).astype(np.int64)
    late = beats * per_beat - step
    keep = np.abs(late) < 0.4
    step, late, drum, velocity = step[keep], late[keep], drum[keep], velocity[keep]
    steps = 4 * per_beat
    swing = 0.0
    if per_beat == 4:
        odd = step % 2 == 1
        if odd.sum() >= 8:
            lean = float(late[odd].mean() - late[~odd].mean())
            late = np.where(odd, late - lean, late)
            swing = lean * 3
    ms = late * 60000.0 / bpm / per_beat
    return Strokes(drum, step // steps, step % steps, ms, velocity, steps, swing)


def levels_of(velocity: Array) -> list[float]:
    """Returns four levels, soft to loud: the means of four clusters found by Lloyd's algorithm from quantiles."""
    centres = np.quantile(velocity, [0.08, 0.35, 0.65, 0.92])
    for _ in range(50):
        nearest = np.abs(velocity[:, None] - centres[None, :]).argmin(1)
        new = np.array([velocity[nearest == k].mean() if (nearest == k).any() else centres[k] for k in range(4)])
        if np.allclose(new, centres):
            break
        centres = new
    return [round(float(c), 1) for c in np.sort(centres)]


def timing_of(performances: Sequence[Strokes]) -> dict[str, float]:
    """Returns how the common timing moves: spread and step-to-step correlation of a bar's and a beat's mean."""
    drifts, neighbours = [], []
    for p in performances:
        slot = p.bar * p.steps + p.place
        order = np.unique(slot)
        place_mean = np.array([p.late_ms[p.place == k].mean() if (p.place == k).any() else 0.0 for k in range(p.steps)])
        common = np.array([np.median((p.late_ms - place_mean[p.place])[slot == s]) for s in order])
        common = common - common.mean()
        drifts.append(common)
        following = np.diff(order) <= 2
        neighbours.append(np.stack([common[:-1][following], common[1:][following]]))
    everything = np.concatenate(drifts)
    pairs = np.concatenate(neighbours, axis=1)
    correlation = float((pairs[0] * pairs[1]).mean() / max(1e-9, (everything**2).mean()))
    return {"drift_ms": round(float(everything.std()), 2), "drift_correlation": round(correlation, 3)}


def residuals(p: Strokes) -> Array:
    """Returns lateness against the mean of the stroke's bar."""
    total = np.bincount(p.bar, p.late_ms)
    count = np.maximum(1, np.bincount(p.bar))
    return p.late_ms - (total / count)[p.bar]


def drum_table(performances: Sequence[Strokes], drum: int, steps: int, pooled: Mapping[str, list[float]] | None) -> (
    dict[str, list[float] | float] | None
):  # fmt: skip
    """Returns timing and dynamics of one drum over the bar, or None when it was struck too seldom."""
    late, place, velocity, relative = [], [], [], []
    for p in performances:
        mine = p.drum == drum
        if p.steps == steps and mine.sum() >= 8:
            late.append(residuals(p)[mine])
            place.append(p.place[mine])
            velocity.append(p.velocity[mine])
            relative.append(p.velocity[mine] - p.velocity[mine].mean())
    if sum(map(len, late)) < MINIMUM_STROKES:
        return None
    lates, places, rel = np.concatenate(late), np.concatenate(place), np.concatenate(relative)
    counts = np.bincount(places, minlength=steps)
    zero = [0.0] * steps
    before = pooled or {"late_ms": zero, "curve": zero}
    late_ms = (np.bincount(places, lates, steps) + SHRINKAGE * np.array(before["late_ms"])) / (counts + SHRINKAGE)
    curve = (np.bincount(places, rel, steps) + SHRINKAGE * np.array(before["curve"])) / (counts + SHRINKAGE)
    spread = float(np.median(np.abs(lates - late_ms[places]))) * 1.4826
    return {
        "strokes": len(lates),
        "late_ms": [round(float(v), 1) for v in late_ms],
        "jitter_ms": round(spread, 1),
        "curve": [round(float(v), 1) for v in curve],
        "levels": levels_of(np.concatenate(velocity)),
        "spread": round(float(np.std(np.diff(rel)) / np.sqrt(2)), 1),
    }


def style_table(performances: Sequence[Strokes], pooled: Table | None) -> Table:
    """Returns everything learned about one style."""
    table: Table = {
        "performances": len(performances),
        "bars": int(sum(int(p.bar.max()) + 1 for p in performances)),
        "triplet_share": round(float(np.mean([p.steps == 12 for p in performances])), 2),
        "swing16": round(float(np.median([p.swing for p in performances if p.steps == 16] or [0.0])), 3),
        **timing_of(performances),
    }
    for steps in (16, 12):
        drums = {}
        for drum in sorted(set(TD11_TO_GENERAL_MIDI.values())):
            name = DRUM_NAMES[drum]
            prior = pooled[f"steps{steps}"].get(name) if pooled else None
            found = drum_table(performances, drum, steps, prior)
            if found:
                drums[name] = found
        table[f"steps{steps}"] = drums
    return table


def build(folder: Path) -> Table:
    """Returns the whole table from an unpacked Groove MIDI folder."""
    by_style: dict[str, list[Strokes]] = defaultdict(list)
    with (folder / "info.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["split"] != "train" or row["beat_type"] != "beat" or row["time_signature"] != "4-4":
                continue
            strokes = read_performance(folder / row["midi_filename"], float(row["bpm"]))
            if strokes:
                by_style[row["style"].split("/")[0]].append(strokes)
    everything = [p for style in sorted(by_style) for p in by_style[style]]
    pooled = style_table(everything, None)
    return {POOLED: pooled, **{style: style_table(by_style[style], pooled) for style in sorted(by_style)}}


def main() -> None:
    """Builds the table and writes it, or checks it against expected.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"), help="folder of open data")
    parser.add_argument("--check", action="store_true", help="compare with expected.json afterwards")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("say where the data is: --data FOLDER or SONGWRIGHT_DATA")
    table = build(Path(arguments.data) / "groove-midi")
    TABLE.write_text(json.dumps(table, separators=(",", ":")) + "\n", encoding="utf-8")
    keys = ("performances", "bars", "triplet_share", "swing16", "drift_ms", "drift_correlation")
    summary = {style: {k: row[k] for k in keys} for style, row in table.items()}
    for style, row in summary.items():
        print(f"{style:14s} " + "  ".join(f"{k} {v}" for k, v in row.items()))
    expected = Path(__file__).with_name("expected.json")
    if not arguments.check:
        expected.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    elif json.loads(expected.read_text(encoding="utf-8")) != summary:
        raise SystemExit("the table differs from expected.json")


if __name__ == "__main__":
    main()
