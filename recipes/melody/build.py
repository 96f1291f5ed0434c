"""Learns the models of rhythm and of pitch, and writes `compose/tables/melody.npz`.

Prints, on songs that were not learned from, the nats per bar (rhythm) and per note (pitch) beside a unigram and a
first-order chain on the same songs.

Usage: python recipes/melody/build.py --data FOLDER [--out FILE]
"""

import argparse
import hashlib
import io
import json
import os
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from corpora import GROUPS, Tune, read_all
from loglinear import fit, nats
from observations import BarRow, Edges, bar_rows, class_edges, note_rows, pitch_batch, tune_classes

from songwright.compose.melody import features as f
from songwright.files import write_bytes
from songwright.splits import held_out

Table = dict[str, Any]
Ints = NDArray[np.int64]
METRES = ("4/4", "3/4", "6/8")
VOCABULARY = {"4/4": 900, "3/4": 180, "6/8": 180}
FOLK_SHARE = 0.4  # of the folk tunes: they are many, and would drown the songs


def is_test(tune: Tune) -> bool:
    """Returns whether a song is held out; a song's copies go the same way."""
    return held_out(tune.id)


def is_used(tune: Tune) -> bool:
    """Returns whether a tune is read at all."""
    digest = hashlib.blake2b(b"use" + tune.id.encode(), digest_size=4).digest()
    return tune.group != GROUPS.index("folk") or int.from_bytes(digest, "big") % 1000 < 1000 * FOLK_SHARE


def chain_nats(train: list[tuple[int, int]], test: list[tuple[int, int]], size: int) -> tuple[float, float]:
    """Returns held-out nats of a unigram and of an interpolated first-order chain over (context, token)."""
    counts = np.full(size, 0.5)
    pairs: Counter[tuple[int, int]] = Counter(train)
    totals: Counter[int] = Counter(c for c, _ in train)
    for _, token in train:
        counts[token] += 1
    unigram = counts / counts.sum()
    best = 1e9
    for strength in (2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 300.0):
        loss = -np.mean([
            np.log((pairs[c, t] + strength * unigram[t]) / (totals[c] + strength)) for c, t in test
        ])  # fmt: skip
        best = min(best, float(loss))
    return float(-np.mean(np.log(unigram[[t for _, t in test]]))), best


def learn_rhythm(
    train: list[Tune], test: list[Tune], metre: str
) -> tuple[tuple[str, ...], NDArray[np.float64], Table, Edges]:
    """Returns vocabulary, weights, the held-out table and the class edges of one metre."""
    edges = class_edges(train, metre)
    classes = tune_classes(train + test, metre, edges)
    rows_train = [r for t in train if t.metre == metre for r in bar_rows(t, classes)]
    rows_test = [r for t in test if t.metre == metre for r in bar_rows(t, classes)]
    counts = Counter(r.cell for r in rows_train)
    cells = tuple(c for c, _ in sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))[: VOCABULARY[metre]])
    tables = f.cell_tables(cells)
    index = {c: i for i, c in enumerate(cells)}

    def arrays(rows: list[BarRow]) -> tuple[dict[str, Ints], Ints]:
        kept = [r for r in rows if r.cell in index]
        names = ("group", "place", "density", "syncopation")
        columns = {n: np.array([getattr(r, n) for r in kept]) for n in names}
        columns["history"] = np.array([[index.get(c, -1) for c in r.history] for r in kept])
        return columns, np.array([index[r.cell] for r in kept])

    def indices(columns: dict[str, Ints], i: Ints) -> Ints:
        return f.rhythm_indices(tables, **{n: c[i] for n, c in columns.items()})

    (columns, target), (test_columns, test_target) = arrays(rows_train), arrays(rows_test)
    size = sum(a * b for _, a, b in f.rhythm_templates(tables))
    weights = fit(partial(indices, columns), target, size, epochs=8, batch=256)
    loss = nats(weights, partial(indices, test_columns), test_target)
    pairs = list(zip(columns["history"][:, 0].tolist(), target.tolist(), strict=True))
    test_pairs = list(zip(test_columns["history"][:, 0].tolist(), test_target.tolist(), strict=True))
    unigram, chain = chain_nats(pairs, test_pairs, len(cells))
    table = {
        "bars": len(target), "held_out_bars": len(test_target), "cells": len(cells),
        "covered": round(len(test_target) / max(1, len(rows_test)), 4),
        "unigram": round(unigram, 4), "first order": round(chain, 4), "songwright": round(loss, 4),
    }  # fmt: skip
    return cells, weights, table, edges


def pitch_index(rows: dict[str, NDArray[Any]], chosen: Ints, i: Ints) -> Ints:
    """Returns the weight indices of some of the chosen rows."""
    return f.pitch_indices(pitch_batch(rows, chosen[i]))


def learn_pitch(train: list[Tune], test: list[Tune]) -> tuple[NDArray[np.float64], Table]:
    """Returns weights and the held-out table of the pitch model."""
    rows, test_rows = note_rows(train), note_rows(test)
    weights = fit(
        lambda i: f.pitch_indices(pitch_batch(rows, i)), rows["target"], f.NUM_PITCH_WEIGHTS, epochs=6, batch=1024
    )
    table: Table = {"notes": len(rows["target"]), "held_out_notes": len(test_rows["target"])}
    everything = np.arange(len(test_rows["target"]))
    for name, chosen in [("all", everything)] + [
        (g, everything[test_rows["group"] == k]) for k, g in enumerate(GROUPS)
    ]:
        loss = nats(weights, partial(pitch_index, test_rows, chosen), test_rows["target"][chosen])
        pairs = list(zip(rows["interval_before"].tolist(), rows["target"].tolist(), strict=True))
        test_pairs = list(
            zip(test_rows["interval_before"][chosen].tolist(), test_rows["target"][chosen].tolist(), strict=True)
        )
        degrees = list(zip((rows["before"] % 12).tolist(), rows["target"].tolist(), strict=True))
        test_degrees = list(
            zip((test_rows["before"][chosen] % 12).tolist(), test_rows["target"][chosen].tolist(), strict=True)
        )
        unigram, chain = chain_nats(pairs, test_pairs, f.NUM_INTERVALS)
        table[name] = {
            "unigram": round(unigram, 4), "first order": round(chain, 4),
            "first order, degrees": round(chain_nats(degrees, test_degrees, f.NUM_INTERVALS)[1], 4),
            "songwright": round(loss, 4),
        }  # fmt: skip
    return weights, table


def with_lent_chord_tones(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the pitch weights with openewld's for hymns and folk tunes where these, having no chords, teach nothing.

    That is how tunes sit on the tones of a chord.
    """
    index = next(i for i, (name, _, _) in enumerate(f.TEMPLATES) if name.startswith("chord tone"))
    lent = weights.copy()
    table = lent[f.PITCH_OFFSETS[index] : f.PITCH_OFFSETS[index + 1]].reshape(len(GROUPS), -1, f.NUM_TONES)
    lender = table[GROUPS.index("openewld"), :, : f.SCALE_ALONE]
    for corpus in ("hymn", "folk"):
        table[GROUPS.index(corpus), :, : f.SCALE_ALONE] = lender
    return lent


def upbeats(tunes: list[Tune]) -> dict[str, list[tuple[str, int]]]:
    """Returns, for every metre, how phrases are led into: the onsets in the half bar before, with counts."""
    counts: dict[str, Counter[str]] = {m: Counter() for m in METRES}
    for tune in tunes:
        steps = 12 if tune.metre != "4/4" else 16
        half = steps // 2
        starts = {s for s, _, _ in tune.notes}
        ends = {s + n for s, n, _ in tune.notes}
        for bar in tune.phrases:
            if bar * steps not in starts:
                continue
            found = [s for s in range(bar * steps - half, bar * steps) if s in starts]
            chosen = next((s for s in found if s not in ends), None)
            text = (
                "." * half
                if chosen is None
                else "".join(
                    "." if s < chosen else "x" if s in starts else "-" for s in range(bar * steps - half, bar * steps)
                )
            )
            counts[tune.metre][text] += 1
    return {m: [*sorted(c.items(), key=lambda kv: (-kv[1], kv[0]))[:24]] for m, c in counts.items()}


def main() -> None:
    """Learns, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"), required="SONGWRIGHT_DATA" not in os.environ
    )
    default = Path(__file__).parents[2] / "src/songwright/compose/tables/melody.npz"
    parser.add_argument("--out", type=Path, default=default)
    arguments = parser.parse_args()
    started = time.time()
    tunes = [t for t in read_all(Path(arguments.data)) if is_used(t)]
    train, test = [t for t in tunes if not is_test(t)], [t for t in tunes if is_test(t)]
    print(f"{len(train)} tunes to learn from, {len(test)} held out ({time.time() - started:.0f} s)")
    report: Table = {"train_tunes": len(train), "test_tunes": len(test), "rhythm_nats_per_bar": {}}
    arrays: dict[str, Any] = {}
    vocabulary: dict[str, list[str]] = {}
    edges: dict[str, Edges] = {}
    report_pitch_weights, report["pitch_nats_per_note"] = learn_pitch(train, test)
    print(json.dumps(report["pitch_nats_per_note"], indent=1), f"({time.time() - started:.0f} s)")
    arrays["pitch"] = with_lent_chord_tones(report_pitch_weights).astype(np.float16)
    for metre in METRES:
        cells, weights, table, edges[metre] = learn_rhythm(train, test, metre)
        report["rhythm_nats_per_bar"][metre] = table
        vocabulary[metre] = list(cells)
        arrays[f"rhythm {metre}"] = weights.astype(np.float16)
        print(metre, json.dumps(table), f"({time.time() - started:.0f} s)")
    meta = {
        "format": "songwright.melody",
        "schema_version": 1,
        "cells": vocabulary,
        "edges": edges,
        "upbeats": upbeats(train),
    }
    arrays["meta"] = np.frombuffer(json.dumps(meta, separators=(",", ":")).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_bytes(arguments.out, buffer.getvalue())
    expected = Path(__file__).parent / "expected.json"
    write_bytes(expected, (json.dumps(report, indent=1) + "\n").encode())
    print(f"{arguments.out}: {len(buffer.getvalue()) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
