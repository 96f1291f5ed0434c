"""Generated tunes beside real ones: pop909 and openewld, with the noise between halves of the real set.

Usage: python benchmarks/melody.py --data FOLDER [--songs 40] [--styles pop,rock] [--reference pop909|openewld|both]
"""

import argparse
import os
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes" / "melody"))

from corpora import GROUPS, Tune, read_openewld, read_pop909

from songwright.brief.brief import Brief
from songwright.compose.form import plan_form
from songwright.compose.harmony import write_harmony
from songwright.compose.melody import Melody, write_melody
from songwright.compose.plan import SongPlan
from songwright.compose.style import load_style, style_names
from songwright.score.theory import parse_chord

NO_TEMPO = -1.0
"""The lead sheets of openewld have no tempo."""
STYLES = {
    "pop909": ("pop", "rnb", "mandarin_ballad", "soul", "rock", "disco"),
    "openewld": ("jazz", "bossa_nova", "country", "russian_romance", "pop", "folk"),
}
"""What each corpus is compared with."""


@dataclass(frozen=True)
class Sung:
    """A tune for measuring: notes as (start, length, pitch) in sixteenths, chord tones at each start, tempo."""

    notes: tuple[tuple[int, int, int], ...]
    tones: tuple[tuple[int, ...], ...]
    tempo_bpm: float


def joined(notes: tuple[tuple[int, int, int], ...]) -> tuple[tuple[int, int, int], ...]:
    """Returns the notes with gaps of up to an eighth closed: they are articulation, not rests."""
    rows = []
    for (start, length, pitch), after in zip(notes, [*notes[1:], (10**9, 0, 0)], strict=True):
        gap = after[0] - start - length
        rows.append((start, length + gap if 0 <= gap <= 2 else length, pitch))
    return tuple(rows)


def real(tune: Tune) -> Sung:
    """Returns a corpus tune."""
    starts = [c[0] for c in tune.chords]
    index = [int(np.searchsorted(starts, s, side="right")) - 1 for s, _, _ in tune.notes]
    tones = tuple(tune.chords[i][2] if i >= 0 else () for i in index)
    return Sung(joined(tune.notes), tones, tune.tempo_bpm)


def form_facts(plan: SongPlan, melody: Melody) -> dict[str, float]:
    """Returns how the sections of a tune stand to each other."""
    own: dict[str, list[tuple[int, int, int]]] = {}
    for section in plan.sections:
        start, end = plan.start_ticks(section), plan.end_ticks(section)
        if section.role in ("verse", "chorus") and section.occurrence == 0:
            own[section.role] = [
                (n.start_ticks - start, n.duration_ticks, n.pitch)
                for n in melody.notes
                if start <= n.start_ticks < end and n.duration_ticks > 120
            ]
    if not own.get("verse") or not own.get("chorus"):
        return {}
    verse, chorus = own["verse"], own["chorus"]
    top = [max(p for _, _, p in rows) for rows in (verse, chorus)]
    length = [sum(n for _, n, _ in rows) / len(rows) / 960 for rows in (verse, chorus)]
    return {
        "chorus above verse in semitones": statistics.fmean(p for _, _, p in chorus)
        - statistics.fmean(p for _, _, p in verse),
        "top of chorus above top of verse": float(top[1] - top[0]),
        "sections with one highest note": statistics.fmean(
            float(sum(p == t for _, _, p in rows) == 1) for rows, t in zip((verse, chorus), top, strict=True)
        ),
        "mean note in quarters, chorus less verse": length[1] - length[0],
    }


def generated(style_name: str, seed: int, facts: list[dict[str, float]]) -> Sung | None:
    """Returns the lead of a song in a style, over its own form and harmony; None if not in 4/4."""
    style = load_style(style_name)
    brief = Brief(prompt="benchmark", seed=seed)
    plan = plan_form(brief, style)
    if (plan.numerator, plan.denominator) != (4, 4):
        return None
    chords = write_harmony(plan, style, seed=seed)
    melody = write_melody(plan, style, chords, seed=seed)
    facts.append(form_facts(plan, melody))
    starts = [c.start_ticks for c in chords]
    notes, tones = [], []
    for n in melody.notes:
        if n.duration_ticks < 120 or plan.section_at(n.start_ticks).role == "solo":
            continue  # grace notes and solos are not in the corpora
        chord = parse_chord(chords[int(np.searchsorted(starts, n.start_ticks, side="right")) - 1].symbol)
        notes.append((round(n.start_ticks / 240), max(1, round(n.duration_ticks / 240)), n.pitch - plan.key.tonic))
        tones.append(tuple((chord.root + i - plan.key.tonic) % 12 for i in chord.intervals if i < 12) if chord else ())
    return Sung(joined(tuple(notes)), tuple(tones), plan.tempo_bpm) if len(notes) >= 16 else None


def intervals(tunes: list[Sung]) -> NDArray[np.float64]:
    """Returns the share of each interval from an octave down to an octave up."""
    counts = Counter(
        int(np.clip(b[2] - a[2], -12, 12)) for t in tunes for a, b in pairwise(t.notes) if b[0] - a[0] - a[1] < 8
    )
    total = sum(counts.values()) or 1
    return np.array([counts[i] / total for i in range(-12, 13)])


def lengths(tunes: list[Sung]) -> NDArray[np.float64]:
    """Returns the share of distances between onsets: 1, 2, 3, 4, 5-6, 7-8, 9-16 sixteenths and more."""
    edges = [1, 2, 3, 4, 6, 8, 16]
    counts = Counter(int(np.searchsorted(edges, b[0] - a[0])) for t in tunes for a, b in pairwise(t.notes))
    total = sum(counts.values()) or 1
    return np.array([counts[i] / total for i in range(len(edges) + 1)])


def features(tune: Sung) -> dict[str, float]:
    """Returns the measures of one tune."""
    notes = tune.notes
    moves = [b[2] - a[2] for a, b in pairwise(notes) if b[0] - a[0] - a[1] < 8]
    size = np.abs(moves) if moves else np.zeros(1)
    bars = {s // 16 for s, _, _ in notes}
    strong = [p % 12 in t for (s, _, p), t in zip(notes, tune.tones, strict=True) if t and s % 8 == 0]
    weak = [p % 12 in t for (s, _, p), t in zip(notes, tune.tones, strict=True) if t and s % 8]
    weights = np.bincount([p % 12 for _, _, p in notes], [n for _, n, _ in notes], 12)
    share = weights[weights > 0] / weights.sum()
    filled = sum(n for _, n, _ in notes)
    return {
        "unisons": float((size == 0).mean()),
        "steps": float(((size > 0) & (size <= 2)).mean()),
        "thirds": float(((size == 3) | (size == 4)).mean()),
        "leaps over a third": float((size > 4).mean()),
        "leaps resolved by step back": resolved(notes),
        "notes per sung bar": len(notes) / len(bars),
        "notes per second": len(notes) / len(bars) / (240 / tune.tempo_bpm) if tune.tempo_bpm else NO_TEMPO,
        "off-beat onsets": float(np.mean([s % 4 != 0 for s, _, _ in notes])),
        "syncopated (held over a beat)": float(np.mean([s % 4 != 0 and s % 4 + n > 4 for s, n, _ in notes])),
        "rest share of sung bars": max(0.0, 1 - filled / (16 * len(bars))),
        "bars that repeat one of the 8 before": repetition(notes, pitched=True),
        "bars whose rhythm repeats": repetition(notes, pitched=False),
        "chord tones on strong beats": float(np.mean(strong)) if strong else 0.0,
        "chord tones elsewhere": float(np.mean(weak)) if weak else 0.0,
        "range in semitones": float(np.ptp([p for _, _, p in notes])),
        "range of four bars": four_bar_range(notes),
        "longest note in quarters": max(min(n, 32) for _, n, _ in notes) / 4,
        "mean note in quarters": float(np.mean([min(n, 16) for _, n, _ in notes])) / 4,
        "pitch-class entropy in bits": float(-(share * np.log2(share)).sum()),
    }


def resolved(notes: tuple[tuple[int, int, int], ...]) -> float:
    """Returns the share of leaps of a fifth or more that turn back by step or third."""
    pitches = [p for _, _, p in notes]
    found = [
        (c - b) * (b - a) < 0 and abs(c - b) <= 4
        for a, b, c in zip(pitches, pitches[1:], pitches[2:], strict=False)
        if abs(b - a) >= 7
    ]
    return float(np.mean(found)) if found else 0.5


def four_bar_range(notes: tuple[tuple[int, int, int], ...]) -> float:
    """Returns the mean range of four bars in a row."""
    groups: dict[int, list[int]] = {}
    for start, _, pitch in notes:
        groups.setdefault(start // 64, []).append(pitch)
    return float(np.mean([max(g) - min(g) for g in groups.values() if len(g) > 3] or [0]))


def repetition(notes: tuple[tuple[int, int, int], ...], *, pitched: bool) -> float:
    """Returns the share of sung bars (two notes or more) that equal one of the eight bars before."""
    bars: dict[int, list[tuple[int, ...]]] = {}
    for start, _, pitch in notes:
        bars.setdefault(start // 16, []).append((start % 16, pitch) if pitched else (start % 16,))
    keys = {b: tuple(v) for b, v in bars.items() if len(v) > 1}
    hits = [any(keys.get(b - k) == v for k in range(1, 9)) for b, v in keys.items()]
    return float(np.mean(hits)) if hits else 0.0


def distance(a: list[Sung], b: list[Sung]) -> dict[str, float]:
    """Returns |difference| of every row between two sets."""
    rows = {"interval histogram distance": float(np.abs(intervals(a) - intervals(b)).sum() / 2)}
    rows["onset distance histogram distance"] = float(np.abs(lengths(a) - lengths(b)).sum() / 2)
    x, y = means(a), means(b)
    return rows | {name: abs(x[name] - y[name]) for name in x}


def means(tunes: list[Sung]) -> dict[str, float]:
    """Returns the mean of every measure."""
    all_features = [features(t) for t in tunes]
    return {name: statistics.fmean(f[name] for f in all_features) for name in all_features[0]}


def noise(tunes: list[Sung], size: int, rounds: int = 20) -> dict[str, float]:
    """Returns the median distance between two disjoint random sets of `size` real tunes."""
    random = np.random.Generator(np.random.PCG64(0))
    tables = []
    for _ in range(rounds):
        order = random.permutation(len(tunes))
        half = min(size, len(tunes) // 2)
        tables.append(distance([tunes[i] for i in order[:half]], [tunes[i] for i in order[half : 2 * half]]))
    return {name: statistics.median(t[name] for t in tables) for name in tables[0]}


def show(name: str, made: list[Sung], reference: list[Sung]) -> None:
    """Prints one comparison."""
    gap, apart = distance(made, reference), noise(reference, len(made))
    ours, theirs = means(made), means(reference)
    print(f"\n{name}: {len(made)} generated, {len(reference)} real")
    print(f"{'':40s} {'generated':>9s} {'real':>9s} {'|diff|':>8s} {'noise':>8s}  ratio")
    inside = 0
    if theirs["notes per second"] == NO_TEMPO:
        del gap["notes per second"]
    for row, value in gap.items():
        ratio = value / max(apart[row], 1e-9)
        inside += ratio <= 2
        mine, real_value = (f"{ours[row]:9.3f}", f"{theirs[row]:9.3f}") if row in ours else (" " * 9, " " * 9)
        print(f"{row:40s} {mine} {real_value} {value:8.3f} {apart[row]:8.3f} {ratio:6.1f}{'' if ratio <= 2 else ' *'}")
    print(f"inside twice the noise: {inside} of {len(gap)}")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"))
    parser.add_argument("--songs", type=int, default=40)
    parser.add_argument("--styles", help="comma-separated; otherwise those that are like the corpus")
    parser.add_argument("--reference", choices=[*GROUPS[:2], "both"], default="both")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("give --data FOLDER or set SONGWRIGHT_DATA")
    data = Path(arguments.data)
    for reference in GROUPS[:2] if arguments.reference == "both" else (arguments.reference,):
        wanted = arguments.styles.split(",") if arguments.styles else STYLES[reference]
        styles = [s for s in wanted if s in style_names()]
        facts: list[dict[str, float]] = []
        started = time.perf_counter()
        made = [t for i in range(arguments.songs) if (t := generated(styles[i % len(styles)], i, facts))]
        seconds = (time.perf_counter() - started) / arguments.songs
        print(f"\nstyles: {', '.join(styles)}; form, harmony and melody of a song take {seconds:.2f} s")
        show_facts([f for f in facts if f])
        tunes = read_pop909(data) if reference == "pop909" else read_openewld(data)
        show(reference, made, [real(t) for t in tunes if t.metre == "4/4"])


def show_facts(facts: list[dict[str, float]]) -> None:
    """Prints how choruses stand to verses."""
    for name in facts[0] if facts else ():
        values = [f[name] for f in facts]
        print(f"{name:42s} mean {statistics.fmean(values):6.2f}  lowest {min(values):6.2f}")


if __name__ == "__main__":
    main()
