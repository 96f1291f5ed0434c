"""Is it music? Ten rows: generated songs beside real ones that no table of the program has learned from.

Columns stand side by side: real music; the statistical composer; the learned one (`--composer FOLDER`, else the one
that comes with the program, else left out); and each of them again with the critic, who takes one of `--candidates`
songs. What it takes from begins with the very song of the column without it.

Rows 1 to 8 compare tunes of pop-like styles with the held-out songs of POP909 and OpenEWLD together, each corpus with
the same weight; row 8 needs sections, which only POP909 has. Row 9 compares drums with Groove MIDI's validation
drummers, row 10 basses with freedoom-midi and openmsx-midi; it is two numbers, and inside only if both are.

A row is inside when |generated − real| is at most twice the noise: the mean difference of two disjoint samples of real
pieces, each as large as the generated group and drawn half and half from the two corpora (smaller where they run out).
Two controls made of the statistical songs must fail: *shuffled* (the bars of tune and bass in random order; the strokes
of drums at another order of sixteenths) and *random* (as many notes in the same key at random sixteenths; as many
strokes at random sixteenths). Rows 1, 2 and 5 do not hear the order of bars but for the joints, and cannot tell
shuffled bars: random notes must fail them.

Usage: python benchmarks/musicality.py --data FOLDER [--songs 40] [--seed0 1000] [--composer FOLDER] [--candidates 8]
                                       [--jobs 1] [--json FILE]
"""

import argparse
import csv
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from composers import STATISTICAL, Composer, columns, composers, instrumental
from songwright.evaluation.corpora import multitrack, openewld, pop909
from songwright.evaluation.drum_features import (
    DrumDistance,
    DrumTake,
    read_groove_midi,
    set_distance,
    split_half_distance,
    take_of_notes,
)
from songwright.evaluation.metrics import METRICS
from songwright.evaluation.metrics.intervals import interval_histogram
from songwright.evaluation.piece import Piece, from_song
from songwright.score.song import Song
from songwright.seeding import generator
from songwright.splits import held_out

POP_LIKE = ("pop", "rock", "rnb", "mandarin_ballad", "disco", "country", "soul", "folk")
ROCK_LIKE = ("rock", "metal", "punk")
MELODIC = (
    "pitch_class_entropy", "scale_consistency", "groove_consistency", "chord_tone_ratio", "interval_distance",
    "repetition_index", "empty_bar_share", "density_contrast",
)  # fmt: skip
BASS = ("bass_root_on_one", "bass_kick_coincidence")
BLIND_TO_ORDER = ("pitch_class_entropy", "scale_consistency", "interval_distance")
DRUM_CLASSES = {"rock": "rock", "funk": "funk", "jazz": "jazz", "hip_hop": "hiphop", "reggae": "reggae"}
DRUM_SONGS = 8
WINDOW_BARS = 8
ROUNDS = 200

Floats = NDArray[np.float64]
Metric = Callable[[Piece], float | Floats | None]


Columns = Mapping[str, Sequence[Piece]]


@dataclass(frozen=True)
class Cell:
    """What one column has in a row: its value (None for metrics that are distances themselves), and its gap to real."""

    value: float | None
    gap: float


@dataclass(frozen=True)
class Row:
    """One line of the table: `gap` is |generated − real| or a distance; those of the controls are `shuffled`, `random`.

    `real` is None for metrics that are distances themselves.
    """

    number: str
    metric: str
    real: float | None
    noise: float
    cells: dict[str, Cell]
    shuffled: float
    random: float

    def inside(self, column: str) -> bool:
        """Whether the gap of a column is within twice the noise."""
        return self.cells[column].gap <= 2 * self.noise


@dataclass(frozen=True)
class Makers:
    """Who composes for the table: the composers, candidates for the critic, processes, and the first seed."""

    who: tuple[Composer, ...]
    candidates: int
    jobs: int
    seed0: int

    def songs(self, styles: Sequence[str], count: int) -> dict[str, list[Song]]:
        """Returns songs of the styles in turn, seeds rising, by column."""
        briefs = [instrumental(styles[i % len(styles)], self.seed0 + i) for i in range(count)]
        return columns(briefs, self.who, self.candidates, self.jobs)

    def pieces(self, styles: Sequence[str], count: int) -> Columns:
        """Returns the same as pieces."""
        return {name: [from_song(song) for song in songs] for name, songs in self.songs(styles, count).items()}


def main() -> None:
    """Prints the table that counts, then tunes against each corpus alone."""
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"), help="folder of the open data")
    args.add_argument("--songs", type=int, default=40, help="generated songs in a group")
    args.add_argument("--seed0", type=int, default=1000, help="seed of the first song")
    args.add_argument("--composer", type=Path, metavar="FOLDER", help="exported composer; default: the one built in")
    args.add_argument("--candidates", type=int, default=8, help="songs that the critic takes one of; 1: no critic")
    args.add_argument("--jobs", type=int, default=1, help="processes that compose")
    args.add_argument("--json", type=Path, help="also write the rows here")
    options = args.parse_args()
    if options.data is None:
        args.error("give --data FOLDER or set SONGWRIGHT_DATA")
    data = Path(options.data)
    makers = Makers(tuple(composers(options.composer)), options.candidates, options.jobs, options.seed0)
    real = {name: held_out_pieces(corpus(data)) for name, corpus in (("pop909", pop909), ("openewld", openewld))}
    tunes = makers.pieces(POP_LIKE, options.songs)
    rows = melodic_rows(real, tunes)
    rows.append(drum_row(data, makers))
    rows += bass_rows(data, makers.pieces(ROCK_LIKE, options.songs))
    show("pop909 and openewld, groove-midi, freedoom-midi and openmsx-midi", rows)
    count(rows)
    alone = {name: melodic_rows({name: pieces}, tunes) for name, pieces in real.items()}
    for name, part in alone.items():
        show(f"for reading, not counted: {name} alone ({len(real[name])} pieces)", part)
    if options.json:
        tables = {"table": rows, **alone}
        text = {k: [{**asdict(r), "inside": {c: r.inside(c) for c in r.cells}} for r in v] for k, v in tables.items()}
        options.json.write_text(json.dumps(text, indent=1) + "\n")


def held_out_pieces(pieces: Iterable[Piece]) -> list[Piece]:
    """Returns the pieces of the held-out share that have a tune."""
    return [p for p in pieces if held_out(p.name) and len(p.melody) > 20]


def melodic_rows(real: Mapping[str, Sequence[Piece]], generated: Columns) -> list[Row]:
    """Returns rows 1 to 8 against corpora of the same weight; a metric that none of them can give is left out."""
    controls = (
        [shuffle_bars(p, i) for i, p in enumerate(generated[STATISTICAL])],
        [random_notes(p, i) for i, p in enumerate(generated[STATISTICAL])],
    )
    rows = (compare(str(i + 1), metric, real, generated, controls) for i, metric in enumerate(MELODIC))
    return [row for row in rows if row is not None]


def compare(
    number: str,
    name: str,
    real: Mapping[str, Sequence[Piece]],
    generated: Columns,
    controls: tuple[Sequence[Piece], Sequence[Piece]],
) -> Row | None:
    """Returns one row; None if no corpus has the metric in at least twenty pieces."""
    histogram = name == "interval_distance"
    metric: Metric = _histogram if histogram else METRICS[name]
    corpora = [values for pieces in real.values() if len(values := scores(metric, pieces)) >= 20]
    if not corpora:
        return None
    size = len(generated[STATISTICAL]) // len(corpora)
    truth = np.mean([values.mean(axis=0) for values in corpora], axis=0)
    noise = split_half(corpora, size, generator(0, "musicality", "noise", name))
    cells = {}
    for column, pieces in generated.items():
        ours = scores(metric, pieces).mean(axis=0)
        cells[column] = Cell(None if histogram else float(ours[0]), _gap(ours, truth))
    shuffled, random = (_gap(scores(metric, pieces).mean(axis=0), truth) for pieces in controls)
    return Row(number, name, None if histogram else float(truth[0]), noise, cells, shuffled, random)


def scores(metric: Metric, pieces: Sequence[Piece]) -> Floats:
    """Returns (pieces, numbers) of every piece that has the metric: one number, or the 25 of a histogram."""
    return np.array([np.atleast_1d(v) for v in map(metric, pieces) if v is not None])


def _histogram(piece: Piece) -> Floats | None:
    shares = interval_histogram([piece])
    return shares if shares.any() else None


def _gap(a: Floats, b: Floats) -> float:
    """Returns the difference of two numbers, or the total variation distance of two histograms."""
    return float(np.abs(a - b).sum() / (1 if len(a) == 1 else 2))


def split_half(corpora: Sequence[Floats], size: int, random: np.random.Generator) -> float:
    """Returns the mean gap of two disjoint random samples, each of at most `size` pieces from every corpus."""
    found = []
    for _ in range(ROUNDS):
        halves: tuple[list[Floats], list[Floats]] = ([], [])
        for values in corpora:
            order, part = random.permutation(len(values)), min(size, len(values) // 2)
            halves[0].append(values[order[:part]].mean(axis=0))
            halves[1].append(values[order[part : 2 * part]].mean(axis=0))
        found.append(_gap(np.mean(halves[0], axis=0), np.mean(halves[1], axis=0)))
    return float(np.mean(found))


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


def bass_rows(data: Path, generated: Columns) -> list[Row]:
    """Returns row 10, two lines; the controls play the bass of the statistical songs."""
    real = {"both": [p for archive in ("freedoom-midi", "openmsx-midi") for p in multitrack(data, archive)]}
    controls = tuple(
        [replace(p, bass=change(replace(p, melody=p.bass), i).melody) for i, p in enumerate(generated[STATISTICAL])]
        for change in (shuffle_bars, random_notes)
    )
    rows = [compare(f"10{'ab'[i]}", m, real, generated, (controls[0], controls[1])) for i, m in enumerate(BASS)]
    return [row for row in rows if row is not None]


def drum_row(data: Path, makers: Makers) -> Row:
    """Returns row 9: distance of drum onsets and velocities to Groove MIDI's validation drummers, mean over classes."""
    root = next(p.parent for p in sorted((data / "groove-midi").rglob("info.csv")))
    with (root / "info.csv").open(newline="") as file:
        takes = [r for r in csv.DictReader(file) if r["split"] == "validation" and r["beat_type"] == "beat"]
    found: dict[str, list[float]] = {}
    for style, groove in DRUM_CLASSES.items():
        rows = [r for r in takes if r["style"].split("/")[0] == groove and r["time_signature"] == "4-4"]
        windows = [read_groove_midi(root / r["midi_filename"]).windows(WINDOW_BARS) for r in rows]
        windows = [w for w in windows if w]
        if len(windows) < 2:
            continue
        random = generator(0, "musicality", "drums", groove)
        found.setdefault("noise", []).append(_half(split_half_distance(windows, random=random)))
        truth = [w for take in windows for w in take]
        for name, takes_of in _drum_sets(makers.songs((style,), DRUM_SONGS), random).items():
            found.setdefault(name, []).append(_half(set_distance(truth, takes_of)))
    means = {name: float(np.mean(values)) for name, values in found.items()}
    noise, shuffled, scattered = means.pop("noise"), means.pop("shuffled"), means.pop("random")
    cells = {name: Cell(None, gap) for name, gap in means.items()}
    return Row("9", "drum_distance", None, noise, cells, shuffled, scattered)


def _drum_sets(songs: Mapping[str, Sequence[Song]], random: np.random.Generator) -> dict[str, list[DrumTake]]:
    """Returns windows of drumming by column, and the two controls."""
    sets: dict[str, list[DrumTake]] = {name: [] for name in songs}
    for name, column in songs.items():
        for song in column:
            drums = [n for t in song.tracks if t.role == "drums" for n in t.notes]
            sets[name] += take_of_notes(drums, song.meters[0].bar_ticks).windows(WINDOW_BARS)
    ours = sets[STATISTICAL]
    sets["shuffled"] = [reorder_steps(take, random) for take in ours]
    sets["random"] = [random_strokes(take, random) for take in ours]
    return sets


def _half(distance: DrumDistance) -> float:
    return (distance.onset + distance.velocity) / 2


def reorder_steps(take: DrumTake, random: np.random.Generator) -> DrumTake:
    """Returns drumming with the sixteenths of each bar in another order."""
    width = take.bar_beats / 16
    step = np.floor(take.beats / width + 0.5).astype(np.int64)
    orders = np.array([random.permutation(16) for _ in range(int(step.max()) // 16 + 1)])
    moved = step // 16 * 16 + orders[step // 16, step % 16]
    return replace(take, beats=take.beats + (moved - step) * width)


def random_strokes(take: DrumTake, random: np.random.Generator) -> DrumTake:
    """Returns as many strokes at random sixteenths, on random drums of the take, at random strengths."""
    count = len(take.beats)
    steps = np.sort(random.integers(0, WINDOW_BARS * 16, count))
    return replace(
        take,
        beats=steps * take.bar_beats / 16,
        group=random.choice(np.unique(take.group), count),
        velocity=random.integers(1, 128, count).astype(np.float64),
    )


def show(title: str, rows: Sequence[Row]) -> None:
    """Prints rows: in each column the value, or the gap in brackets; `!` outside; a star for a control outside."""
    names = list(rows[0].cells)
    print(f"\n{title}")
    print(f"{'':<4}{'metric':<23}{'real':>8}{'noise':>8}" + "".join(f"{n:>20}" for n in (*names, "shuffled", "random")))
    for r in rows:
        cells = "".join(_cell(r.cells[name], outside=not r.inside(name)).rjust(20) for name in names)
        controls = "".join(f"{v:.3f}{'*' if v > 2 * r.noise else ' '}".rjust(20) for v in (r.shuffled, r.random))
        print(
            f"{r.number:<4}{r.metric:<23}{'' if r.real is None else f'{r.real:.3f}':>8}{r.noise:>8.3f}{cells}{controls}"
        )


def _cell(cell: Cell, *, outside: bool) -> str:
    value = "" if cell.value is None else f"{cell.value:.3f} "
    return f"{value}({cell.gap:.3f}){'!' if outside else ' '}"


def count(rows: Sequence[Row]) -> None:
    """Prints how many of the ten rows are inside in each column, and on how many each control is outside."""
    groups = [[r for r in rows if r.number.rstrip("ab") == str(n)] for n in range(1, 11)]
    for column in rows[0].cells:
        inside = sum(all(r.inside(column) for r in group) for group in groups)
        gap = np.mean([r.cells[column].gap / r.noise for r in rows])
        print(f"{column}: inside twice the noise {inside} of {len(groups)} (both of row 10); mean gap {gap:.2f} noises")
    blind = ", ".join(r.number for r in rows if r.metric in BLIND_TO_ORDER)
    for control in ("shuffled", "random"):
        failed = sum(any(getattr(r, control) > 2 * r.noise for r in group) for group in groups)
        note = f" (rows {blind} do not hear the order of bars)" if control == "shuffled" else ""
        print(f"control, {control}: outside on {failed} of {len(groups)}{note}")


if __name__ == "__main__":
    main()
