"""Turns tunes into what the models are asked about: bars (rhythm) and notes (pitch), each with its context."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from corpora import Tune
from numpy.typing import NDArray

from songwright.compose.melody import features as f

ARTICULATION = 2
"""Gaps up to this many steps are how a note is played, not a written rest."""


@dataclass(frozen=True)
class BarRow:
    """One bar of one tune."""

    cell: str
    group: int
    place: int
    density: int
    syncopation: int
    history: tuple[str, ...]


def steps_of(tune: Tune) -> int:
    """Returns steps in a bar."""
    return 16 if tune.metre == "4/4" else 12


def cells_of(tune: Tune) -> list[str | None]:
    """Returns the rhythm cell of every bar; None where notes are off the grid."""
    steps = steps_of(tune)
    bars = (max(s + n for s, n, _ in tune.notes) - 1) // steps + 1
    line = ["."] * (bars * steps)
    off = set()
    following = [s for s, _, _ in tune.notes[1:]] + [10**9]
    for (start, length, _), exact, after in zip(tune.notes, tune.exact, following, strict=True):
        if after - start - length <= ARTICULATION:
            length = after - start
        if not exact:
            off.add(start // steps)
        line[start] = "x"
        for i in range(start + 1, min(start + length, len(line))):
            line[i] = "-"
    return [None if b in off else "".join(line[b * steps : (b + 1) * steps]) for b in range(bars)]


def places_of(tune: Tune, bars: int) -> list[int]:
    """Returns each bar's place in its phrase, 0 to 3 (3: its last)."""
    places, starts = [], set(tune.phrases)
    at = 3
    for bar in range(bars):
        at = 0 if bar in starts else min(at + 1, 3)
        places.append(at)
    return places


Edges = tuple[list[float], list[float]]


def _measures(tune: Tune) -> tuple[float, float] | None:
    """Returns onsets in a bar and syncopation of a tune, None without whole bars."""
    cells = [c for c in cells_of(tune) if c and "x" in c]
    if not cells:
        return None
    return float(np.mean([c.count("x") for c in cells])), float(np.mean([f.syncopation_of(c) for c in cells]))


def class_edges(tunes: list[Tune], metre: str) -> Edges:
    """Returns where the classes of density and of syncopation part, by quantiles over tunes of a metre."""
    measures = [m for t in tunes if t.metre == metre and (m := _measures(t))]
    density, syncopation = np.array(measures).T
    return (
        [round(float(q), 3) for q in np.quantile(density, np.arange(1, f.DENSITIES) / f.DENSITIES)],
        [round(float(q), 3) for q in np.quantile(syncopation, np.arange(1, f.SYNCOPATIONS) / f.SYNCOPATIONS)],
    )


def tune_classes(tunes: list[Tune], metre: str, edges: Edges) -> dict[str, tuple[int, int]]:
    """Returns density and syncopation classes of the tunes in a metre."""
    return {
        t.id: (int(np.searchsorted(edges[0], m[0])), int(np.searchsorted(edges[1], m[1])))
        for t in tunes
        if t.metre == metre and (m := _measures(t))
    }


def bar_rows(tune: Tune, classes: dict[str, tuple[int, int]]) -> list[BarRow]:
    """Returns the bars of a tune; bars of silence inside long rests are left out."""
    cells = cells_of(tune)
    places = places_of(tune, len(cells))
    density, syncopation = classes.get(tune.id, (2, 1))
    rows = []
    for bar, cell in enumerate(cells):
        if cell is None or ("x" not in cell and (bar == 0 or "x" not in (cells[bar - 1] or ""))):
            continue
        history = tuple((cells[bar - lag] or "") if bar >= lag else "" for lag in f.LAGS)
        rows.append(BarRow(cell, tune.group, places[bar], density, syncopation, history))
    return rows


def note_rows(tunes: list[Tune]) -> dict[str, NDArray[Any]]:
    """Returns the contexts of all notes that have one before them, as columns."""
    columns: dict[str, list[Any]] = {name: [] for name in (
        "before", "interval_before", "class_before", "tone_before", "tones", "centre", "quoted", "quoted_interval",
        "copying", "mode", "group", "accent", "length", "length_before", "chord_root", "place", "target")}  # fmt: skip
    for tune in tunes:
        _tune_notes(tune, columns)
    return {name: np.array(values) for name, values in columns.items()}


def _tune_notes(tune: Tune, columns: dict[str, list[Any]]) -> None:
    steps = steps_of(tune)
    starts = [s for s, _, _ in tune.notes]
    pitches = [p for _, _, p in tune.notes]
    at = {s: i for i, s in enumerate(starts)}
    chord_starts = [c[0] for c in tune.chords]
    none = f.chord_classes(tune.mode, None, ())
    tables = [f.chord_classes(tune.mode, root, tones) for _, root, tones in tune.chords]
    middles = [s + min(n, steps) // 2 for s, n, _ in tune.notes]
    chord_of = [int(np.searchsorted(chord_starts, m, side="right")) - 1 for m in middles]
    tones = [tables[c] if c >= 0 else none for c in chord_of]
    places = note_places(tune, steps)
    centre = float(np.mean(pitches[:8]))
    copied = np.zeros(len(f.LAGS), np.int64)
    for i, (start, length, pitch) in enumerate(tune.notes):
        quoted, quoted_interval = [], []
        for lag in f.LAGS:
            j = at.get(start - lag * steps, -1)
            quoted.append(pitches[j] if j >= 0 else -99)
            quoted_interval.append(pitches[j] - pitches[j - 1] if j > 0 else 99)
        if i:
            last = f.interval_token(np.array(pitches[i - 1] - pitches[i - 2])).item() if i > 1 else f.NO_INTERVAL
            older = f.interval_token(np.array(pitches[i - 2] - pitches[i - 3])).item() if i > 2 else f.NO_INTERVAL
            row = {
                "before": pitches[i - 1], "interval_before": last,
                "class_before": f.interval_class(np.array(older)).item(),
                "tone_before": tones[i - 1][pitches[i - 1] % 12], "tones": tones[i], "centre": centre,
                "quoted": quoted, "quoted_interval": quoted_interval, "copying": copied.copy(), "mode": tune.mode,
                "group": tune.group,
                "accent": f.compound_accent(start) if tune.metre == "6/8" else f.accent(start, steps),
                "length": f.length_class(length), "length_before": f.length_class(starts[i] - starts[i - 1]),
                "chord_root": tune.chords[chord_of[i]][1] if chord_of[i] >= 0 else 12, "place": places[i],
                "target": f.interval_token(np.array(pitch - pitches[i - 1])).item(),
            }  # fmt: skip
            for name, value in row.items():
                columns[name].append(value)
            for k in range(len(f.LAGS)):
                copied[k] = 0 if quoted[k] < -50 else 1 if quoted[k] == pitch else 2
        centre += (pitch - centre) / min(i + 8, 32)


def note_places(tune: Tune, steps: int) -> list[int]:
    """Returns for each note: 0 first of its phrase, 1 inside, 2 the last but one, 3 the last (before a gap)."""
    places = [1] * len(tune.notes)
    for i, (start, length, _) in enumerate(tune.notes):
        following = tune.notes[i + 1][0] if i + 1 < len(tune.notes) else start + length + 16
        gap = following - start - length
        phrase_start = any(start < b * steps <= following for b in tune.phrases) if tune.phrases else False
        long = length >= 6 and (gap >= 2 or phrase_start)
        if gap >= 4 or long or i + 1 == len(tune.notes):
            places[i] = 3
            if i + 1 < len(tune.notes):
                places[i + 1] = 0
            if i and places[i - 1] == 1:
                places[i - 1] = 2
    places[0] = 0
    return places


def pitch_batch(rows: dict[str, NDArray[Any]], chosen: NDArray[np.int64]) -> f.PitchContext:
    """Returns the contexts of chosen rows."""
    return f.PitchContext(**{name: column[chosen] for name, column in rows.items() if name != "target"})
