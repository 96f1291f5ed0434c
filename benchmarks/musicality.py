"""Is it music? Generated songs beside real ones that no table of the program has learned from.

Each row is the mean of one metric over 40 generated songs and over real pieces; the distance of the means stands beside
the noise: the mean distance between two disjoint samples of 40 real pieces (of halves where there are fewer than 80).
Two controls, made of the generated songs, show that the rows can fail: their bars shuffled, and random notes in key.
Rows that compare distributions (intervals, drums) give the distance itself.

Usage: python benchmarks/musicality.py --data FOLDER [--songs 40] [--json FILE]
"""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.style import style_names
from songwright.evaluation.corpora import held_out, multitrack, openewld, pop909
from songwright.evaluation.drum_features import read_groove_midi, set_distance, split_half_distance, take_of_notes
from songwright.evaluation.metrics import METRICS
from songwright.evaluation.metrics.intervals import interval_distance
from songwright.evaluation.piece import Piece, from_song
from songwright.score.song import Song
from songwright.seeding import generator

POP_LIKE = ("pop", "rock", "rnb", "mandarin_ballad", "disco", "country", "soul", "folk")
ROCK_LIKE = ("rock", "metal", "punk", "pop")
MELODIC = (
    "pitch_class_entropy", "scale_consistency", "groove_consistency", "chord_tone_ratio", "repetition_index",
    "empty_bar_share", "density_contrast",
)  # fmt: skip
DRUM_CLASSES = {"rock": "rock", "funk": "funk", "jazz": "jazz", "hip_hop": "hiphop", "reggae": "reggae"}
WINDOW_BARS = 8


@dataclass(frozen=True)
class Row:
    """One line of the table: `gap` is |generated − real|, or a distance; controls are gaps too."""

    metric: str
    reference: str
    real: float | None
    generated: float | None
    gap: float
    noise: float
    shuffled: float | None = None
    random: float | None = None

    @property
    def inside(self) -> bool:
        """Whether the gap is within twice the noise."""
        return self.gap <= 2 * self.noise


def main() -> None:
    """Prints the table, one row a metric and reference, and how many rows are inside."""
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"), help="folder of the open data")
    args.add_argument("--songs", type=int, default=40, help="generated songs in a group")
    args.add_argument("--json", type=Path, help="also write the rows here")
    options = args.parse_args()
    if options.data is None:
        args.error("give --data FOLDER or set SONGWRIGHT_DATA")
    data = Path(options.data)
    pop_songs = compose(POP_LIKE, options.songs)
    pieces = [from_song(song) for song in pop_songs]
    rows: list[Row] = []
    for name, corpus in (("pop909", pop909), ("openewld", openewld)):
        real = [p for p in corpus(data) if held_out(p.name) and len(p.melody) > 20]
        rows += melodic_rows(name, real, pieces)
    rows += [drum_row(data)]
    rows += bass_rows(data, [from_song(song) for song in compose(ROCK_LIKE, options.songs)])
    show(rows)
    if options.json:
        options.json.write_text(json.dumps([{**vars(r), "inside": bool(r.inside)} for r in rows], indent=1) + "\n")


def compose(styles: Sequence[str], count: int) -> list[Song]:
    """Returns songs of the styles in turn, seeds rising from 1000."""
    known = [style for style in styles if style in style_names()]
    return [compose_song(Brief(styles=(known[i % len(known)],), seed=1000 + i)) for i in range(count)]


def melodic_rows(name: str, real: Sequence[Piece], generated: Sequence[Piece]) -> list[Row]:
    """Returns rows 1 to 8 against one corpus; metrics that the corpus cannot give are left out."""
    controls = {"shuffled": [shuffle_bars(p, i) for i, p in enumerate(generated)],
                "random": [random_notes(p, i) for i, p in enumerate(generated)]}  # fmt: skip
    rows = []
    for metric in MELODIC:
        values = scores(METRICS[metric], real)
        if len(values) < 20:
            continue
        ours = scores(METRICS[metric], generated)
        gap = {k: abs(scores(METRICS[metric], c).mean() - values.mean()) for k, c in controls.items()}
        noise = split_half(len(values), len(generated), lambda a, b, v=values: abs(v[a].mean() - v[b].mean()))
        rows.append(Row(metric, name, values.mean(), ours.mean(), abs(ours.mean() - values.mean()), noise, **gap))
    noise = split_half(
        len(real), len(generated), lambda a, b: interval_distance([real[i] for i in a], [real[i] for i in b])
    )
    gap = {k: interval_distance(real, c) for k, c in controls.items()}
    rows.append(Row("interval_distance", name, None, None, interval_distance(real, generated), noise, **gap))
    return rows


def scores(metric: Callable[[Piece], float | None], pieces: Sequence[Piece]) -> np.ndarray:
    """Returns the metric of every piece that has it."""
    return np.array([v for v in map(metric, pieces) if v is not None])


def split_half(total: int, count: int, distance: Callable[[np.ndarray, np.ndarray], float], rounds: int = 100) -> float:
    """Returns the mean distance between two disjoint random samples of the real set, of the generated set's size."""
    size = min(count, total // 2)
    random = generator(0, "musicality", "noise", total, count)
    draws = (random.permutation(total) for _ in range(rounds))
    return float(np.mean([distance(order[:size], order[size : 2 * size]) for order in draws]))


def shuffle_bars(piece: Piece, seed: int) -> Piece:
    """Returns the piece with the bars of its tune in random order."""
    order = generator(seed, "musicality", "shuffle").permutation(piece.num_bars)
    bars = np.searchsorted(piece.bar_ticks, piece.melody[:, 0], side="right") - 1
    rows = piece.melody.copy()
    rows[:, 0] += piece.bar_ticks[order[bars]] - piece.bar_ticks[bars]
    return replace(piece, melody=rows[np.argsort(rows[:, 0], kind="stable")])


def random_notes(piece: Piece, seed: int) -> Piece:
    """Returns the piece with its tune replaced by random notes of its scale at random sixteenths, as many as before."""
    random = generator(seed, "musicality", "random")
    counts = np.bincount(piece.melody[:, 2] % 12, minlength=12)
    scale = np.flatnonzero(counts >= np.sort(counts)[-7])
    low, high = piece.melody[:, 2].min(), piece.melody[:, 2].max()
    pitches = np.array([p for p in range(low, high + 1) if p % 12 in scale])
    span = int(piece.bar_ticks[-1]) // 240
    starts = np.sort(random.choice(span, size=min(len(piece.melody), span), replace=False)) * 240
    rows = np.column_stack([starts, np.full(len(starts), 240), random.choice(pitches, len(starts))])
    return replace(piece, melody=rows.astype(np.int64))


def drum_row(data: Path) -> Row:
    """Returns row 9: distance of drum onsets and velocities to Groove MIDI's validation drummers, mean over classes."""
    import csv

    root = next(p.parent for p in sorted((data / "groove-midi").rglob("info.csv")))
    with (root / "info.csv").open(newline="") as file:
        takes = [r for r in csv.DictReader(file) if r["split"] == "validation" and r["beat_type"] == "beat"]
    gaps, noises = [], []
    for style, groove in DRUM_CLASSES.items():
        rows = [r for r in takes if r["style"].split("/")[0] == groove and r["time_signature"] == "4-4"]
        windows = [read_groove_midi(root / r["midi_filename"]).windows(WINDOW_BARS) for r in rows]
        windows = [w for w in windows if w]
        if style not in style_names() or len(windows) < 2:
            continue
        ours = []
        for song in compose((style,), 8):
            drums = [n for t in song.tracks if t.role == "drums" for n in t.notes]
            ours += take_of_notes(drums, song.meters[0].bar_ticks).windows(WINDOW_BARS)
        distance = set_distance([w for take in windows for w in take], ours)
        half = split_half_distance(windows, random=generator(0, "musicality", "drums", groove))
        if np.isfinite(half.onset):
            gaps.append((distance.onset + distance.velocity) / 2)
            noises.append((half.onset + half.velocity) / 2)
    return Row("drum_distance", "groove-midi", None, None, float(np.mean(gaps)), float(np.mean(noises)))


def bass_rows(data: Path, generated: Sequence[Piece]) -> list[Row]:
    """Returns row 10: bass against freedoom-midi and openmsx-midi together."""
    real = [p for archive in ("freedoom-midi", "openmsx-midi") for p in multitrack(data, archive)]
    rows = []
    for metric in ("bass_root_on_one", "bass_kick_coincidence"):
        values, ours = scores(METRICS[metric], real), scores(METRICS[metric], generated)
        noise = split_half(len(values), len(generated), lambda a, b, v=values: abs(v[a].mean() - v[b].mean()))
        row = Row(metric, "freedoom+openmsx", values.mean(), ours.mean(), abs(ours.mean() - values.mean()), noise)
        shuffled = [replace(p, bass=shuffle_bars(replace(p, melody=p.bass), i).melody) for i, p in enumerate(generated)]
        rows.append(replace(row, shuffled=abs(scores(METRICS[metric], shuffled).mean() - values.mean())))
    return rows


def show(rows: Sequence[Row]) -> None:
    """Prints the rows and the counts."""
    print(
        f"{'metric':<23}{'reference':<18}{'real':>8}{'ours':>8}{'gap':>8}{'noise':>8}  in  {'shuffled':>9}{'random':>9}"
    )
    for r in rows:
        cells = "".join(f"{'' if v is None else f'{v:.3f}':>8}" for v in (r.real, r.generated, r.gap, r.noise))
        extra = "".join(
            f"{'' if v is None else f'{v:.3f}' + ('' if v <= 2 * r.noise else '*'):>9}" for v in (r.shuffled, r.random)
        )
        print(f"{r.metric:<23}{r.reference:<18}{cells}  {'yes' if r.inside else ' no'} {extra}")
    print(f"inside twice the noise: {sum(r.inside for r in rows)} of {len(rows)} (a star: that control falls outside)")
    for control in ("shuffled", "random"):
        failed = [r for r in rows if getattr(r, control) is not None]
        count = sum(getattr(r, control) > 2 * r.noise for r in failed)
        print(f"control, {control}: outside on {count} of {len(failed)}")


if __name__ == "__main__":
    main()
