"""Makes the tables of harmony from open data, and measures them on songs that they never saw.

Run as ``python recipes/harmony/build.py --data FOLDER``. It writes `src/songwright/compose/tables/harmony.npz`, the
split lists, and `expected.json` beside this file, and prints the held-out table. Counting lives here; what the counts
mean lives in `songwright.compose.harmony.model`.
"""

import argparse
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from corpora import NO_CHORD, CorpusSection, CorpusSong, Event, read_all
from numpy.typing import NDArray

from songwright.compose.harmony.functions import NUM_FUNCTIONS, NUM_QUALITIES, START
from songwright.compose.harmony.model import (
    DURATIONS,
    GROUPS,
    NO_DURATION,
    NO_ECHO,
    NUM_DURATION_LEVELS,
    NUM_FUNCTION_LEVELS,
    ROLES,
    TABLES_PATH,
    Context,
    HarmonyModel,
    duration_contexts,
    function_contexts,
    model_from_arrays,
    pack,
)
from songwright.files import write_bytes

HERE = Path(__file__).parent
TEST_SHARE = 10
"""Per cent of songs held out."""

Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Observation:
    """One chord as the model sees it: the context, and what came."""

    context: Context
    function: int
    duration: int


def is_test(song: CorpusSong) -> bool:
    """Whether a song is held out: by a hash of its name, so that the split never moves."""
    digest = hashlib.blake2b(f"harmony split 0 {song.group} {song.id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % 100 < TEST_SHARE


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


def count(rows: Iterable[tuple[tuple[int, ...], int]]) -> Counter[int]:
    """Returns how often each outcome follows each context, packed."""
    return Counter(pack(context) + outcome for context, outcome in rows)


def level_arrays(counts: Counter[int], prune: int) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.float64]]:
    """Returns (steps between sorted keys, counts, discounts of counts 1, 2, 3+), rare entries left out."""
    frequency = Counter(counts.values())
    n1, n2, n3, n4 = (max(frequency[i], 1) for i in (1, 2, 3, 4))
    y = n1 / (n1 + 2 * n2)
    discounts = np.clip([1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3], 0.05, [0.95, 1.9, 2.9])
    kept = {k: v for k, v in counts.items() if v > prune}
    keys = np.array(sorted(kept), dtype=np.int64)
    values = np.array([kept[int(k)] for k in keys], dtype=np.uint32)
    return np.diff(keys, prepend=0), values, discounts


def train(data: list[Observation], melody: NDArray[np.float64], prune: int = 0) -> Arrays:
    """Returns the arrays of the tables."""
    arrays: Arrays = {"melody": melody.astype(np.float32)}
    chains: tuple[tuple[str, int, Callable[[Observation, int], tuple[tuple[int, ...], int]]], ...] = (
        ("functions", NUM_FUNCTION_LEVELS, lambda o, i: (function_contexts(o.context)[i], o.function)),
        ("durations", NUM_DURATION_LEVELS, lambda o, i: (duration_contexts(o.context, o.function)[i], o.duration)),
    )
    for name, size, row in chains:
        for i in range(size):
            steps, counts, discounts = level_arrays(count(row(o, i) for o in data), prune if i > 3 else 0)
            arrays[f"{name}_{i}_steps"] = steps
            arrays[f"{name}_{i}_counts"] = counts
            arrays[f"{name}_{i}_discounts"] = discounts
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


def baseline(train_data: list[Observation], test_data: list[Observation], order: int) -> NDArray[np.float64]:
    """Returns nats for each chord of a Markov chain over (function, duration) pairs given the mode and metre.

    The same smoothing as the model's, so that the difference is in what is looked at.

    Args:
        train_data: to count.
        test_data: to score.
        order: 0 unigram, 1 first-order.
    """

    def function_chain(o: Observation) -> list[tuple[int, ...]]:
        c = o.context
        return [(0,), (1, c.mode)] + [(2, c.mode, c.history[0]), (3, c.mode, c.history[0], c.lengths[0])] * (order > 0)

    def duration_chain(o: Observation) -> list[tuple[int, ...]]:
        c = o.context
        chain: list[tuple[int, ...]] = [(0,), (1, c.beats_per_bar), (2, c.beats_per_bar, o.function)]
        return chain + [(3, c.beats_per_bar, c.lengths[0]), (4, c.beats_per_bar, o.function, c.lengths[0])] * (
            order > 0
        )

    function_nats = _chain_nats(train_data, test_data, function_chain, lambda o: o.function, NUM_FUNCTIONS)
    duration_nats = _chain_nats(train_data, test_data, duration_chain, lambda o: o.duration, len(DURATIONS))
    return np.stack([function_nats, duration_nats], axis=1)


def _chain_nats(
    train_data: list[Observation],
    test_data: list[Observation],
    chain: Callable[[Observation], list[tuple[int, ...]]],
    outcome: Callable[[Observation], int],
    size: int,
) -> NDArray[np.float64]:
    from songwright.compose.harmony.model import Level

    levels = []
    for i in range(len(chain(train_data[0]))):
        steps, counts, discounts = level_arrays(count((chain(o)[i], outcome(o)) for o in train_data), 0)
        levels.append(Level(np.cumsum(steps), counts.astype(np.float64), discounts))
    nats = np.zeros(len(test_data))
    for n, o in enumerate(test_data):
        p = np.full(size, 1.0 / size)
        for level, context in zip(levels, chain(o), strict=True):
            p = level.blend(context, p)
        nats[n] = -np.log(p[outcome(o)])
    return nats


def held_out_table(nats: dict[str, NDArray[np.float64]], groups: NDArray[np.int64]) -> dict[str, dict[str, float]]:
    """Returns nats per chord by model and corpus, for all, functions alone, and lengths alone."""
    table: dict[str, dict[str, float]] = {}
    for name, values in nats.items():
        row = {"all": float(values.sum(axis=1).mean())}
        row |= {"functions": float(values[:, 0].mean()), "durations": float(values[:, 1].mean())}
        for i, group in enumerate(GROUPS):
            row[group] = float(values[groups == i].sum(axis=1).mean())
        table[name] = {key: round(value, 4) for key, value in row.items()}
    return table


def print_table(table: dict[str, dict[str, float]]) -> None:
    """Prints the held-out table with the margin below the first-order baseline."""
    columns = list(next(iter(table.values())))
    print(f"{'nats per chord':14}" + "".join(f"{c:>11}" for c in columns))
    for name, row in table.items():
        print(f"{name:14}" + "".join(f"{row[c]:11.3f}" for c in columns))
    margin = {c: table["first order"][c] - table["songwright"][c] for c in columns}
    print(f"{'margin':14}" + "".join(f"{margin[c]:11.3f}" for c in columns))


def main() -> None:
    """Builds, measures, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"), help="folder of the corpora")
    parser.add_argument("--prune", type=int, default=1, help="leave out counts up to this in the particular contexts")
    parser.add_argument("--dry-run", action="store_true", help="measure only, write nothing")
    options = parser.parse_args()
    if options.data is None:
        sys.exit("give the folder of the corpora: --data FOLDER or SONGWRIGHT_DATA")
    songs = list(read_all(Path(options.data)))
    test_songs = [song for song in songs if is_test(song)]
    train_songs = [song for song in songs if not is_test(song)]
    train_data, test_data = (
        [o for song in part for section in song.sections for o in observations(section, song.group)]
        for part in (train_songs, test_songs)
    )
    arrays = train(train_data, melody_table(train_songs), options.prune)
    model = model_from_arrays(arrays)
    groups = np.array([o.context.group for o in test_data])
    nats = {
        "unigram": baseline(train_data, test_data, 0),
        "first order": baseline(train_data, test_data, 1),
        "songwright": score(model, test_data),
    }
    table = held_out_table(nats, groups)
    print(
        f"{len(train_songs)} songs and {len(train_data)} chords to learn; {len(test_songs)} and {len(test_data)} held out"
    )
    print_table(table)
    if not options.dry_run:
        _write(arrays, table, train_songs, test_songs)


def _write(
    arrays: Arrays, table: dict[str, dict[str, float]], train_songs: list[CorpusSong], test: list[CorpusSong]
) -> None:
    import io

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_bytes(TABLES_PATH, buffer.getvalue())
    (HERE / "splits").mkdir(exist_ok=True)
    for group in GROUPS:
        names = sorted(song.id for song in test if song.group == group)
        write_bytes(HERE / "splits" / f"{group}_test.txt", ("\n".join(names) + "\n").encode())
    expected = {
        "train_songs": len(train_songs), "test_songs": len(test), "nats_per_chord": table, "bytes": len(buffer.getvalue()),
    }  # fmt: skip
    write_bytes(HERE / "expected.json", (json.dumps(expected, indent=1) + "\n").encode())
    print(f"{TABLES_PATH.name}: {len(buffer.getvalue())} bytes")


if __name__ == "__main__":
    main()
