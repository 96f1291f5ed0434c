"""Learns the critic's table: what is usual in real music, and how much each term tells it from spoilt music.

Real pieces are training pieces of the shards; against them stand the same pieces spoilt in known ways (`corruptions`)
and songs by the statistical composer, cut to the tracks that each corpus has. Printed are areas under the curve on
pieces held apart, of each term alone and of all together. See README.md.

Usage: python recipes/critic/build.py --shards FOLDER [--composer FOLDER] [--out FILE] [--markdown FILE]
       python recipes/critic/build.py --shards FOLDER --composer FOLDER --only-likelihood
"""

import argparse
import json
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from corruptions import CORRUPTIONS

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.learned.critic import LIKELIHOOD, MOST_SPREADS, TABLE_FILE, critic_of
from songwright.compose.learned.critic_terms import TERMS
from songwright.compose.learned.critic_view import hear
from songwright.compose.tokens.decode import decode
from songwright.files import write_bytes
from songwright.score.song import Song
from songwright.seeding import generator
from songwright.training.shards import Shards, Split, open_shards

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
STATISTICAL = "statistical composer"
REAL = "real"
STYLES = (
    "pop",
    "rock",
    "rnb",
    "mandarin_ballad",
    "disco",
    "country",
    "soul",
    "folk",
    "funk",
    "blues",
    "jazz",
    "reggae",
)
SHORTEST_BARS = 16
SMALLEST_SPREAD = 0.04
"""A term in which one corpus never varies (a bass read off a piano's left hand) must not forbid every variation."""

PENALTY = 0.5
"""Of the squared weights, in pieces."""

_TUNE, _BAND = ("vocal", "melody"), ("chords", "pad", "counter_melody", "backing_vocal")


@dataclass(frozen=True)
class Source:
    """A corpus: how many pieces are taken, and what of a song it has, so that made songs can be cut to it."""

    pieces: int
    roles: tuple[str, ...]
    chords: bool
    sections: bool


SOURCES = {
    "pop909-hands": Source(300, (*_TUNE, "bass", *_BAND), chords=True, sections=True),
    "openewld": Source(300, _TUNE, chords=True, sections=False),
    "mcgill-billboard": Source(150, (), chords=True, sections=True),
    "freedoom-midi": Source(100, (*_TUNE, "bass", *_BAND, "drums"), chords=False, sections=False),
    "groove-midi": Source(150, ("drums",), chords=False, sections=False),
}


@dataclass(frozen=True)
class Rows:
    """Measured pieces: (N, T) values, kind and corpus of each."""

    values: Floats
    kinds: tuple[str, ...]
    corpora: tuple[str, ...]

    @property
    def real(self) -> Bools:
        """(N,)."""
        return np.array([kind == REAL for kind in self.kinds])


def main() -> None:
    """Writes the table and prints what it is worth."""
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--shards", type=Path, required=True, help="what `songwright prepare-scores` wrote")
    args.add_argument("--composer", type=Path, help="exported composer, for the weight of its likelihood")
    args.add_argument("--statistical", type=int, default=96, help="songs of the statistical composer to learn from")
    args.add_argument("--share", type=float, default=1.0, help="of the pieces of every corpus")
    args.add_argument("--jobs", type=int, default=1, help="processes that measure")
    args.add_argument("--out", type=Path, default=TABLE_FILE)
    args.add_argument("--markdown", type=Path, help="also write the tables of docs/critic.md here")
    args.add_argument("--only-likelihood", action="store_true", help="keep the other rows of the table as they are")
    options = args.parse_args()
    shards = open_shards(options.shards)
    if options.only_likelihood:
        known = json.loads(options.out.read_text(encoding="utf-8"))
        write_table(options.out, {**known, LIKELIHOOD: likelihood_row(shards, options.composer, options.out, known)})
        return
    train = collect(options, "train", options.statistical, seed0=20_000)
    valid = collect(options, "valid", options.statistical // 2, seed0=40_000)
    table = learn(train)
    table[LIKELIHOOD] = likelihood_row(shards, options.composer, options.out, table)
    write_table(options.out, table)
    text = report(table, valid, train)
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


def write_table(path: Path, table: dict[str, object]) -> None:
    """Writes the critic's table."""
    write_bytes(path, (json.dumps(table, indent=1) + "\n").encode())


def collect(options: argparse.Namespace, split: Split, made: int, seed0: int) -> Rows:
    """Returns real, spoilt and made pieces of one side of the split, measured."""
    songs = [made_song(i, seed0) for i in range(made)]
    job = partial(measured, folder=options.shards, split=split, share=options.share, made=songs)
    if options.jobs == 1:
        parts = [job(name) for name in SOURCES]
    else:
        with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            parts = list(pool.map(job, SOURCES))
    kinds = tuple(kind for part in parts for kind, _ in part)
    corpora = tuple(name for name, part in zip(SOURCES, parts, strict=True) for _ in part)
    return Rows(np.array([values for part in parts for _, values in part]), kinds, corpora)


def measured(
    name: str, folder: Path, split: Split, share: float, made: Sequence[Song]
) -> list[tuple[str, list[float]]]:
    """Returns kind and values of every piece of a corpus."""
    source = SOURCES[name]
    source = replace(source, pieces=max(1, round(source.pieces * share)))
    found = []
    for kind, song in _of_corpus(open_shards(folder, verify=False), split, name, source, made):
        heard = hear(song)
        found.append((kind, [term.measure(heard) for term in TERMS.values()]))
    return found


def made_song(number: int, seed0: int) -> Song:
    """Returns a song by the statistical composer, every second one sung."""
    brief = Brief(styles=(STYLES[number % len(STYLES)],), seed=seed0 + number, instrumental=number % 2 == 0)
    return compose_song(brief)


def _of_corpus(
    shards: Shards, split: Split, name: str, source: Source, made: Sequence[Song]
) -> Iterator[tuple[str, Song]]:
    pieces = pieces_of(shards, split, name, source.pieces)
    for i, piece in enumerate(pieces):
        yield REAL, piece
        other = pieces[(i + 1) % len(pieces)]
        for kind, corrupt in CORRUPTIONS.items():
            spoilt = corrupt(piece, generator(i, "critic", kind, name), other)
            if spoilt is not None:
                yield kind, spoilt
    for song in made:
        yield STATISTICAL, cut_to(song, source)


def pieces_of(shards: Shards, split: Split, name: str, count: int) -> list[Song]:
    """Returns evenly spread pieces of a corpus that are long enough."""
    indices = shards.select(split=split, corpora=[name])
    songs = (decode(shards.codes(i)) for i in indices[:: max(1, len(indices) // count)])
    return [song for song in songs if len(song.bar_starts()) >= SHORTEST_BARS]


def cut_to(song: Song, source: Source) -> Song:
    """Returns of a song only what a corpus has."""
    return replace(
        song,
        tracks=tuple(t for t in song.tracks if t.role in source.roles),
        chords=song.chords if source.chords else (),
        sections=song.sections if source.sections else (),
    )


def learn(rows: Rows) -> dict[str, object]:
    """Returns the table: mean, spread and mean cost of real pieces, and weights that are not below 0."""
    real = rows.values[rows.real]
    corpora = np.array(rows.corpora)[rows.real]
    means, spreads = np.array([_usual(real[:, t], corpora) for t in range(real.shape[1])]).T
    costs = costs_of(rows.values, means, spreads)
    usual = np.nanmean(np.where(rows.real[:, None], costs, np.nan), axis=0)
    gains = np.nan_to_num(usual - costs)
    weights, bias = nonnegative_logistic(gains, rows.real, importance(rows))
    terms = {
        name: dict(zip(("mean", "spread", "cost", "weight"), (round(float(x), 5) for x in row), strict=True))
        for name, row in zip(TERMS, np.column_stack([means, spreads, usual, weights]), strict=True)
    }
    pieces = {name: int(sum(corpora == name)) for name in SOURCES}
    return {
        "format": "songwright.critic",
        "schema_version": 1,
        "pieces": pieces,
        "bias": round(bias, 5),
        "terms": terms,
    }


def _usual(values: Floats, corpora: NDArray[np.str_]) -> tuple[float, float]:
    """Returns mean and spread over corpora that weigh the same; a spread is at least `SMALLEST_SPREAD`."""
    parts = [v[~np.isnan(v)] for v in (values[corpora == name] for name in SOURCES)]
    parts = [part for part in parts if len(part) >= 10]
    if not parts:
        raise SystemExit("a term could be measured in no corpus: it has no usual value")
    mean = np.mean([part.mean() for part in parts])
    square = np.mean([np.square(part - mean).mean() for part in parts])
    return float(mean), float(max(np.sqrt(square), SMALLEST_SPREAD))


def costs_of(values: Floats, means: Floats, spreads: Floats) -> Floats:
    """Returns (N, T) what `critic.cost` says."""
    away = (values - means) / spreads
    for t, term in enumerate(TERMS.values()):
        if term.wrong == "low":
            away[:, t] = np.minimum(away[:, t], 0)
        elif term.wrong == "high":
            away[:, t] = np.maximum(away[:, t], 0)
    return np.minimum(np.abs(away), MOST_SPREADS) ** 2


def importance(rows: Rows) -> Floats:
    """Returns (N,) weights: real pieces half of all, the kinds of others alike, corpora alike inside each kind."""
    keys = list(zip(rows.kinds, rows.corpora, strict=True))
    counts = {key: keys.count(key) for key in set(keys)}
    corpora = {kind: len({c for k, c in counts if k == kind}) for kind in set(rows.kinds)}
    others = len(corpora) - 1
    return len(keys) * np.array(
        [(0.5 if kind == REAL else 0.5 / others) / corpora[kind] / counts[kind, c] for kind, c in keys]
    )


def nonnegative_logistic(gains: Floats, labels: Bools, weights: Floats) -> tuple[Floats, float]:
    """Returns weights (T,) >= 0 and a bias by projected Newton steps on the penalised likelihood."""
    inputs = np.column_stack([gains, np.ones(len(gains))])
    theta = np.zeros(inputs.shape[1])
    penalty = np.append(np.full(gains.shape[1], 2 * PENALTY), 0.0)
    for _ in range(200):
        p = 1 / (1 + np.exp(-np.clip(inputs @ theta, -30, 30)))
        slope = inputs.T @ (weights * (p - labels)) + penalty * theta
        free = (theta > 0) | (slope < 0)
        free[-1] = True
        curve = (inputs[:, free] * (weights * np.maximum(p * (1 - p), 1e-4))[:, None]).T @ inputs[:, free]
        step = np.linalg.solve(curve + np.diag(penalty[free] + 1e-6), slope[free])
        following = theta.copy()
        following[free] -= 0.7 * step
        following[:-1] = np.maximum(following[:-1], 0)
        if np.abs(following - theta).max() < 1e-7:
            break
        theta = following
    return theta[:-1], float(theta[-1])


def likelihood_row(shards: Shards, composer: Path | None, old: Path, table: dict[str, object]) -> dict[str, float]:
    """Returns the row of the network's likelihood; that of the old table without a network."""
    none = {"mean": 0.0, "spread": 1.0, "cost": 0.5, "weight": 0.0, "nats": 0.0}
    if composer is None:
        known: dict[str, float] = json.loads(old.read_text(encoding="utf-8"))[LIKELIHOOD] if old.is_file() else none
        return {**none, **known}
    from likelihood import learn_likelihood

    take: Callable[[Split, str, int], list[Song]] = partial(pieces_of, shards)
    return learn_likelihood(take, composer, critic_of({**table, LIKELIHOOD: none}))


def auc(real: Floats, other: Floats) -> float:
    """Returns how often a real piece is above another one, ties half; NaN of too few."""
    real, other = real[~np.isnan(real)], other[~np.isnan(other)]
    if min(len(real), len(other)) < 5:
        return float("nan")
    return float(np.mean((real[:, None] > other) + 0.5 * (real[:, None] == other)))


def totals(table: dict[str, object], rows: Rows) -> tuple[Floats, Floats]:
    """Returns (N, T) contributions, NaN where not measured, and their sums (N,)."""
    terms: dict[str, dict[str, float]] = table["terms"]  # type: ignore[assignment]
    mean, spread, usual, weight = (np.array([terms[t][k] for t in TERMS]) for k in ("mean", "spread", "cost", "weight"))
    gains = usual - costs_of(rows.values, mean, spread)
    return gains, np.nansum(gains * weight, axis=1)


def report(table: dict[str, object], valid: Rows, train: Rows) -> str:
    """Returns the two tables of docs/critic.md: by kind, and by term."""
    gains, total = totals(table, valid)
    _, learned = totals(table, train)
    kinds = [*CORRUPTIONS, STATISTICAL]
    lines = ["| against | AUC held apart | AUC learned from | " + " | ".join(SOURCES) + " |"]
    lines.append("|" + "---|" * (3 + len(SOURCES)))
    for kind in [*kinds, "all of them"]:
        cells = [f"{within(total, valid, kind, SOURCES):.3f}", f"{within(learned, train, kind, SOURCES):.3f}"]
        cells += [_cell(within(total, valid, kind, [name])) for name in SOURCES]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    lines += ["", "| term | wrong side | usual | spread | weight | AUC | best against |", "|" + "---|" * 7]
    terms: dict[str, dict[str, float]] = table["terms"]  # type: ignore[assignment]
    for t, name in enumerate(TERMS):
        row = terms[name]
        found = {kind: within(gains[:, t], valid, kind, SOURCES) for kind in kinds}
        known = {kind: value for kind, value in found.items() if not np.isnan(value)}
        best = max(known, key=lambda k: known[k])
        alone = within(gains[:, t], valid, "all of them", SOURCES)
        lines.append(
            f"| {name} | {TERMS[name].wrong} | {row['mean']:.3f} | {row['spread']:.3f} | {row['weight']:.3f} "
            f"| {alone:.3f} | {best}, {known[best]:.3f} |"
        )
    return "\n".join(lines) + "\n"


def _cell(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


def within(scores: Floats, rows: Rows, kind: str, corpora: Sequence[str] | dict[str, Source]) -> float:
    """Returns the mean over corpora of the AUC of real pieces against one kind (or all others) of the same corpus."""
    names, kinds = np.array(rows.corpora), np.array(rows.kinds)
    chosen = ~rows.real if kind == "all of them" else kinds == kind
    found = [auc(scores[rows.real & (names == n)], scores[chosen & (names == n)]) for n in corpora]
    found = [value for value in found if not np.isnan(value)]
    return float(np.mean(found)) if found else float("nan")


if __name__ == "__main__":
    main()
