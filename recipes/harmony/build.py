"""Makes the tables of harmony from open data, and measures them on songs that they never saw.

Run as ``python recipes/harmony/build.py --data FOLDER``. It writes `src/songwright/compose/tables/harmony.npz`, the
split lists, and `expected.json` beside this file, and prints the held-out table. Counting lives here; what the counts
mean lives in `songwright.compose.harmony.model`.
"""

import argparse
import hashlib
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from corpora import NO_CHORD, CorpusSection, CorpusSong, Event, read_all
from numpy.typing import NDArray
from scipy.optimize import minimize

from songwright.compose.harmony.functions import NUM_FUNCTIONS, NUM_QUALITIES, START
from songwright.compose.harmony.model import (
    DURATION_SHAPE,
    DURATIONS,
    FUNCTION_SHAPE,
    GROUPS,
    NO_DURATION,
    NO_ECHO,
    ROLES,
    TABLES_PATH,
    Chain,
    Context,
    Contexts,
    HarmonyModel,
    Shape,
    duration_bucket,
    duration_contexts,
    function_bucket,
    function_contexts,
    level_of,
    make_chain,
    model_from_arrays,
    pack,
)
from songwright.files import write_bytes
from songwright.splits import held_out

HERE = Path(__file__).parent
TUNE_SHARE = 10
"""Per cent of songs that the exponents are fitted on."""

Arrays = dict[str, NDArray[np.generic]]
Table = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Observation:
    """One chord as the model sees it: the context, and what came."""

    context: Context
    function: int
    duration: int


def part_of(song: CorpusSong) -> str:
    """Returns ``"test"``, ``"tune"`` or ``"learn"``: by a hash of the song's name, so that the split never moves."""
    if held_out(f"{song.group}/{song.id}"):
        return "test"
    digest = hashlib.blake2b(f"harmony tune {song.group} {song.id}".encode(), digest_size=8).digest()
    return "tune" if int.from_bytes(digest, "little") % 100 < TUNE_SHARE else "learn"


def duration_index(beats: float) -> int:
    """Returns the index of the nearest of `DURATIONS`."""
    return int(np.argmin([abs(np.log2(max(beats, 0.25) / d)) for d in DURATIONS]))


def observations(section: CorpusSection, group: str) -> Iterator[Observation]:
    """Yields every chord of a section with its context."""
    history, lengths = (START,) * 3, (NO_DURATION,) * 2
    echo_beats = 4 * section.beats_per_bar
    for event in section.events:
        if event.function == NO_CHORD:
            history, lengths = (START,) * 3, (NO_DURATION,) * 2
            continue
        echo, echo_length = _echo(section.events, event.start_beat - echo_beats)
        bar, beat = divmod(event.start_beat + 0.01, section.beats_per_bar)
        duration = duration_index(event.num_beats)
        context = Context(
            section.mode, GROUPS.index(group), ROLES.index(section.role), history, lengths, section.beats_per_bar,
            (int(bar) + section.first_bar) % 8, int(beat), min(4, section.num_bars - int(bar)), echo, echo_length,
        )  # fmt: skip
        yield Observation(context, event.function, duration)
        history, lengths = (event.function, *history[:2]), (duration, lengths[0])


def _echo(events: Iterable[Event], beat: float) -> tuple[int, int]:
    """Returns the function that sounds at a beat, and the index of its length if it begins there."""
    for event in events:
        if beat >= 0 and event.start_beat <= beat + 0.01 < event.start_beat + event.num_beats:
            if event.function == NO_CHORD:
                break
            begins = abs(event.start_beat - beat) < 0.02
            return event.function, duration_index(event.num_beats) if begins else NO_DURATION
    return NO_ECHO, NO_DURATION


def counted(rows: Iterable[tuple[Contexts, int]]) -> Counter[tuple[int, int]]:
    """Returns how often each outcome follows each packed context."""
    return Counter((key, outcome) for contexts, outcome in rows for key in pack(contexts))


def chain_arrays(rows: Iterable[tuple[Contexts, int]], shape: Shape, prune: int) -> Arrays:
    """Returns the stored arrays of a chain; rare entries of the contexts that others build on nothing are left out.

    Args:
        rows: contexts and what came.
        shape: the chain's.
        prune: counts up to this are left out in levels that no other level backs off to.
    """
    counts = counted(rows)
    num_levels = len(shape.parents)
    leaves = {level for level in range(num_levels) if level not in shape.parents}
    frequencies: list[Counter[int]] = [Counter() for _ in range(num_levels)]
    kept = []
    for (key, outcome), number in sorted(counts.items()):
        level = level_of(key)
        frequencies[level][number] += 1
        if number > prune or level not in leaves:
            kept.append((key, outcome, number))
    keys = np.array([row[0] for row in kept], dtype=np.int64)
    contexts, sizes = np.unique(keys, return_counts=True)
    return {
        "steps": np.diff(contexts, prepend=0),
        "sizes": sizes.astype(np.uint8),
        "outcomes": np.array([row[1] for row in kept], dtype=np.uint8),
        "counts": np.array([row[2] for row in kept], dtype=np.uint32),
        "discounts": np.array([discounts_of(f) for f in frequencies], dtype=np.float32),
        "exponents": np.full((shape.num_buckets, len(shape.experts)), 1.0 / len(shape.experts), dtype=np.float32),
    }


def discounts_of(frequency: Counter[int]) -> NDArray[np.float64]:
    """Returns the discounts of counts 1, 2 and 3 or more, from how many entries have counts 1 to 4."""
    n1, n2, n3, n4 = (max(frequency[i], 1) for i in (1, 2, 3, 4))
    y = n1 / (n1 + 2 * n2)
    return np.clip([1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3], 0.05, [0.95, 1.9, 2.9])


def fitted_exponents(chain: Chain, rows: list[tuple[Contexts, int, int]], pull: float = 2.0) -> NDArray[np.float32]:
    """Returns the exponents (buckets, experts) that make unseen songs likeliest, pulled a little to a common set.

    Args:
        chain: counts of songs other than those of `rows`.
        rows: contexts, outcome and bucket.
        pull: strength of the pull, in nats for a unit of squared distance.
    """
    logs = np.array([chain.experts(contexts) for contexts, _, _ in rows], dtype=np.float32)  # (rows, experts, outcomes)
    outcomes = np.array([row[1] for row in rows])
    buckets = np.array([row[2] for row in rows])
    common = _exponents(logs, outcomes, np.full(logs.shape[1], 1.0 / logs.shape[1]), 0.1)
    return np.array(
        [
            _exponents(logs[buckets == b], outcomes[buckets == b], common, pull) if (buckets == b).any() else common
            for b in range(chain.shape.num_buckets)
        ],
        dtype=np.float32,
    )


def _exponents(
    logs: NDArray[np.float32], outcomes: NDArray[np.int64], start: NDArray[np.float64], pull: float
) -> NDArray[np.float64]:
    chosen = logs[np.arange(len(logs)), :, outcomes].sum(axis=0)

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        pooled = np.einsum("k,nkv->nv", w, logs)
        top = pooled.max(axis=1, keepdims=True)
        p = np.exp(pooled - top)
        total = p.sum(axis=1, keepdims=True)
        value = float((top + np.log(total)).sum() - w @ chosen)
        gradient = np.einsum("nv,nkv->k", p / total, logs) - chosen
        return value + pull * float(((w - start) ** 2).sum()), gradient + 2 * pull * (w - start)

    result: NDArray[np.float64] = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 80}).x
    return result


def function_rows(data: list[Observation]) -> list[tuple[Contexts, int, int]]:
    """Returns contexts, outcome and bucket of each function."""
    return [(function_contexts(o.context), o.function, function_bucket(o.context)) for o in data]


def duration_rows(data: list[Observation]) -> list[tuple[Contexts, int, int]]:
    """Returns contexts, outcome and bucket of each length."""
    return [(duration_contexts(o.context, o.function), o.duration, duration_bucket(o.context)) for o in data]


def train(learn: list[Observation], tune: list[Observation], melody: NDArray[np.float64], prune: int) -> Arrays:
    """Returns the arrays of the tables: exponents fitted on `tune` over the counts of `learn`, then counts of both."""
    arrays: Arrays = {"melody": melody.astype(np.float32)}
    for name, shape, rows in (
        ("functions", FUNCTION_SHAPE, function_rows),
        ("durations", DURATION_SHAPE, duration_rows),
    ):
        inner = make_chain(shape, chain_arrays(((c, y) for c, y, _ in rows(learn)), shape, prune))
        exponents = fitted_exponents(inner, rows(tune))
        stored = chain_arrays(((c, y) for c, y, _ in rows(learn + tune)), shape, prune)
        arrays |= {f"{name}_{part}": array for part, array in (stored | {"exponents": exponents}).items()}
    return arrays


def melody_table(songs: Iterable[CorpusSong]) -> NDArray[np.float64]:
    """Returns log-probabilities (strong or weak, quality, interval above the root) of notes, weighted by length."""
    weights = np.full((2, NUM_QUALITIES, 12), 2.0)
    for section in (s for song in songs for s in song.sections if s.melody):
        for note in section.melody:
            event = next(
                (e for e in section.events if e.start_beat <= note.start_beat + 0.01 < e.start_beat + e.num_beats), None
            )
            if event is None or event.function == NO_CHORD:
                continue
            root, quality = divmod(event.function, NUM_QUALITIES)
            weak = int(abs(note.start_beat - round(note.start_beat)) > 0.01 or round(note.start_beat) % 2 == 1)
            weights[weak, quality, (note.degree - root) % 12] += min(note.num_beats, 4.0)
    return np.log(weights / weights.sum(axis=2, keepdims=True))


def score(model: HarmonyModel, data: list[Observation]) -> NDArray[np.float64]:
    """Returns nats of (function, duration) for each chord: (chords, 2)."""
    return np.array(
        [
            (
                -np.log(model.next_function(o.context)[o.function]),
                -np.log(model.next_duration(o.context, o.function)[o.duration]),
            )
            for o in data
        ]
    )


def baseline(learn: list[Observation], test: list[Observation], order: int) -> NDArray[np.float64]:
    """Returns nats (chords, 2) of a Markov chain over (function, length) pairs, given the mode and the metre.

    The same smoothing as the model's, so that the difference lies in what is looked at.

    Args:
        learn: what is counted.
        test: what is scored.
        order: 0 unigram, 1 first order.
    """

    def functions(o: Observation) -> Contexts:
        c = o.context
        last = ((c.mode, c.history[0]), (c.mode, c.history[0], c.lengths[0]))
        return ((), (c.mode,), *(last if order else ()))

    def durations(o: Observation) -> Contexts:
        c, b = o.context, o.context.beats_per_bar
        last = ((b, c.lengths[0]), (b, o.function, c.lengths[0]))
        return ((), (b,), (b, o.function), *(last if order else ()))

    def function(o: Observation) -> int:
        return o.function

    def duration(o: Observation) -> int:
        return o.duration

    columns = []
    for contexts, outcome, size in ((functions, function, NUM_FUNCTIONS), (durations, duration, len(DURATIONS))):
        depth = len(contexts(learn[0]))
        shape = Shape(size, tuple(range(-1, depth - 1)), (depth - 1,), 1)
        chain = make_chain(shape, chain_arrays(((contexts(o), outcome(o)) for o in learn), shape, 0))
        columns.append([-chain.experts(contexts(o))[0, outcome(o)] for o in test])
    return np.array(columns).T


def held_out_table(nats: dict[str, NDArray[np.float64]], groups: NDArray[np.int64]) -> Table:
    """Returns nats per chord by model and corpus, for all, functions alone, and lengths alone."""
    table: Table = {}
    for name, values in nats.items():
        row = {"all": float(values.sum(axis=1).mean())}
        row |= {"functions": float(values[:, 0].mean()), "durations": float(values[:, 1].mean())}
        for i, group in enumerate(GROUPS):
            row[group] = float(values[groups == i].sum(axis=1).mean())
        table[name] = {key: round(value, 4) for key, value in row.items()}
    return table


def print_table(table: Table) -> None:
    """Prints the held-out table with the margin below the first-order baseline."""
    columns = list(next(iter(table.values())))
    print(f"{'nats per chord':14}" + "".join(f"{c:>11}" for c in columns))
    for name, row in table.items():
        print(f"{name:14}" + "".join(f"{row[c]:11.3f}" for c in columns))
    margin = {c: table["first order"][c] - table["songwright"][c] for c in columns}
    print(f"{'margin':14}" + "".join(f"{margin[c]:11.3f}" for c in columns))


@dataclass(frozen=True)
class Built:
    """What building gives: the arrays, the held-out table, and how much was learned and held out.

    Attributes:
        arrays: as stored.
        table: nats per chord by model.
        better_songs: share of held-out songs that the model finds likelier than the first-order baseline does.
        songs, chords: learned and held out.
        test: the songs held out.
    """

    arrays: Arrays
    table: Table
    better_songs: float
    songs: tuple[int, int]
    chords: tuple[int, int]
    test: tuple[CorpusSong, ...]


def build(songs: list[CorpusSong], prune: int = 1) -> Built:
    """Returns the tables and their measure on the songs held out.

    Args:
        songs: of all corpora.
        prune: counts up to this are left out in contexts that no other builds on.
    """
    parts = {name: [s for s in songs if part_of(s) == name] for name in ("learn", "tune", "test")}
    data = {name: [list(_observed(song)) for song in part] for name, part in parts.items()}
    learn, tune, test = ([o for song in data[name] for o in song] for name in ("learn", "tune", "test"))
    arrays = train(learn, tune, melody_table(parts["learn"] + parts["tune"]), prune)
    nats = {
        "unigram": baseline(learn + tune, test, 0),
        "first order": baseline(learn + tune, test, 1),
        "songwright": score(model_from_arrays(arrays), test),
    }
    of_song = np.repeat(np.arange(len(data["test"])), [len(song) for song in data["test"]])
    gain = np.bincount(of_song, (nats["first order"] - nats["songwright"]).sum(axis=1), len(data["test"]))
    return Built(
        arrays,
        held_out_table(nats, np.array([o.context.group for o in test])),
        round(float((gain > 0).mean()), 4),
        (len(parts["learn"]) + len(parts["tune"]), len(parts["test"])),
        (len(learn) + len(tune), len(test)),
        tuple(parts["test"]),
    )


def _observed(song: CorpusSong) -> Iterator[Observation]:
    for section in song.sections:
        yield from observations(section, song.group)


def print_built(built: Built) -> None:
    """Prints what was learned and the held-out table."""
    print(
        f"learned from {built.songs[0]} songs, {built.chords[0]} chords; held out {built.songs[1]}, {built.chords[1]}"
    )
    print_table(built.table)
    print(f"likelier than the first-order baseline in {built.better_songs:.1%} of the songs held out")


def main() -> None:
    """Builds, measures, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"), help="folder of the corpora")
    parser.add_argument("--prune", type=int, default=1, help="leave out counts up to this in the particular contexts")
    parser.add_argument("--dry-run", action="store_true", help="measure only, write nothing")
    options = parser.parse_args()
    if options.data is None:
        sys.exit("give the folder of the corpora: --data FOLDER or SONGWRIGHT_DATA")
    built = build(list(read_all(Path(options.data))), options.prune)
    print_built(built)
    if not options.dry_run:
        write(built)


def write(built: Built) -> None:
    """Writes the tables, the split lists and what to expect."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **built.arrays)  # type: ignore[arg-type]
    write_bytes(TABLES_PATH, buffer.getvalue())
    TABLES_PATH.chmod(0o644)
    for group in GROUPS:
        names = sorted(song.id for song in built.test if song.group == group)
        write_bytes(HERE / "splits" / f"{group}_test.txt", ("\n".join(names) + "\n").encode())
    expected = {
        "songs": dict(zip(("learned", "held_out"), built.songs, strict=True)),
        "chords": dict(zip(("learned", "held_out"), built.chords, strict=True)),
        "nats_per_chord": built.table,
        "better_songs": built.better_songs,
        "bytes": len(buffer.getvalue()),
    }
    write_bytes(HERE / "expected.json", (json.dumps(expected, indent=1) + "\n").encode())
    print(f"{TABLES_PATH.name}: {len(buffer.getvalue())} bytes")


if __name__ == "__main__":
    main()
