"""Does `restyle --like` bring a band nearer to its reference? Distances of drums, bass and chords to real references.

References are pieces of freedoom-midi and openmsx-midi from the share that nothing learns from, in 4/4 and with drums
and bass; songs are our own, in turn pop, rock and soul. Columns: the song as its style book arranged it; its parts
written by the network with only the song's own bars before it; with the reference's bars in the window (`attended`);
and with its density, register, polyphony, syncopation and repetition told as well (`told too`: what the command does).

*onsets* is the total variation (0 to 1) between where in the bar the part strikes, in sixteenths, drums by group of
drums; *density* the ratio of onsets to the playing bar, in octaves. *others* is the same to the other references: only
if it is greater was this reference followed and not just any.

Usage: python benchmarks/restyle_like.py --data FOLDER [--composer FOLDER] [--pairs 9] [--bars 16] [--candidates 1]
                                         [--json FILE]
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.brief.brief import Brief
from songwright.collection.catalogue import CORPORA
from songwright.compose.compose import compose_song
from songwright.compose.imitate import imitated, paired
from songwright.compose.learned.composer import load_composer
from songwright.compose.learned.edits import filled
from songwright.neural.step_model import StepModel
from songwright.score.drums import drum_group
from songwright.score.song import Note, Song, Track
from songwright.splits import held_out

CORPORA_USED = ("freedoom-midi", "openmsx-midi")
STYLES = ("pop", "rock", "soul")
ROLES = ("drums", "bass", "chords")
GROUPS = ("kick", "snare", "toms", "hats", "cymbals", "percussion")
STEPS = 16
FEWEST_BARS = 16
COLUMNS = ("as it is", "written", "attended", "told too")


@dataclass(frozen=True)
class Distance:
    """How far one part is from another: where it strikes, how densely, and the first of these to other references."""

    onsets: float
    density: float
    others: float


def references(data: Path, count: int) -> list[tuple[str, Song]]:
    """Returns held-out bands in 4/4 that have drums and bass."""
    found = []
    for name in CORPORA_USED:
        corpus = CORPORA[name]
        for source in corpus.find(data):
            if not held_out(source.song):
                continue
            song = corpus.read(source)
            roles = {track.role for track in song.tracks if len(track.notes) > FEWEST_BARS}
            four = {(m.numerator, m.denominator) for m in song.meters} == {(4, 4)} and len(song.meters) == 1
            if four and {"drums", "bass"} <= roles and song.duration_ticks // song.meters[0].bar_ticks >= FEWEST_BARS:
                found.append((source.song, song))
    return found[:count]


def shortened(song: Song, num_bars: int) -> Song:
    """Returns the first bars of a song and one in which it rings out, which is not written."""
    end = min(song.duration_ticks, (num_bars + 1) * song.meters[0].bar_ticks)
    sections = [replace(s, duration_ticks=min(s.end_ticks, end) - s.start_ticks) for s in song.sections]
    chords = [replace(c, duration_ticks=min(c.end_ticks, end) - c.start_ticks) for c in song.chords]
    return replace(
        song,
        duration_ticks=end,
        sections=tuple(s for s in sections if s.duration_ticks > 0),
        chords=tuple(c for c in chords if c.duration_ticks > 0),
        tracks=tuple(replace(t, notes=tuple(n for n in t.notes if n.start_ticks < end)) for t in song.tracks),
    )


def profile(track: Track, bar_ticks: int, end: int | None = None) -> tuple[NDArray[np.float64], float]:
    """Returns where in the bar a part strikes, shares of all its strokes, and its onsets to the playing bar."""
    notes = [note for note in track.notes if end is None or note.start_ticks < end]
    places = {(_group(note, track), note.start_ticks // bar_ticks, _step(note, bar_ticks)) for note in notes}
    shares = np.zeros((len(GROUPS), STEPS))
    for group, _, step in places:
        shares[group, step] += 1
    onsets = {(bar, step) for _, bar, step in places}
    return (shares / max(1.0, shares.sum())).ravel(), len(onsets) / max(1, len({bar for bar, _ in onsets}))


def _group(note: Note, track: Track) -> int:
    name = drum_group(note.pitch) if track.is_drums else GROUPS[0]
    return GROUPS.index(name) if name in GROUPS else len(GROUPS) - 1


def _step(note: Note, bar_ticks: int) -> int:
    return round(note.start_ticks % bar_ticks * STEPS / bar_ticks) % STEPS


def distance(track: Track, own: Track, others: Sequence[Track], bar_ticks: int, end: int) -> Distance:
    """Returns how far a part is from the one it follows, and from those of other references."""
    here, density = profile(track, bar_ticks, end)
    there, wanted = profile(own, bar_ticks)

    def apart(other: NDArray[np.float64]) -> float:
        return float(0.5 * np.abs(here - other).sum())

    away = [apart(profile(other, bar_ticks)[0]) for other in others]
    ratio = abs(float(np.log2(max(density, 0.1) / max(wanted, 0.1))))
    return Distance(apart(there), ratio, float(np.mean(away)) if away else float("nan"))


def written(song: Song, reference: Song, model: StepModel, seed: int, candidates: int) -> list[Song]:
    """Returns the song of each column."""
    names = [name for name in paired(song, reference) if any(track.id == name for track in song.tracks)]
    bars = song.duration_ticks // song.meters[0].bar_ticks - 1
    plain = filled(song, names, 0, bars, model, seed=seed, candidates=candidates)
    manners = [imitated(song, reference, model, seed=seed, candidates=candidates, tell=tell) for tell in (False, True)]
    return [song, plain, *manners]


def run(data: Path, model: StepModel, pairs: int, bars: int, candidates: int) -> list[dict[str, object]]:
    """Returns a row for every part of every pair and column."""
    bands = references(data, pairs)
    rows: list[dict[str, object]] = []
    for number, (name, reference) in enumerate(bands):
        style = STYLES[number % len(STYLES)]
        brief = Brief(styles=(style,), seed=100 + number, duration_seconds=90.0, instrumental=True)
        song = shortened(compose_song(brief), bars)
        bar = song.meters[0].bar_ticks
        pairing = paired(song, reference)
        for column, made in zip(COLUMNS, written(song, reference, model, number, candidates), strict=True):
            for track in made.tracks:
                if track.role not in ROLES or track.id not in pairing:
                    continue
                if not any(note.start_ticks < song.duration_ticks - bar for note in track.notes):
                    continue
                others = [t for other, band in bands if other != name for t in band.tracks if t.role == track.role]
                found = distance(track, pairing[track.id], others, bar, song.duration_ticks - bar)
                rows.append({"reference": name, "column": column, "role": track.role, **asdict(found)})
        print(f"{number + 1} of {len(bands)}: {style} like {name}", flush=True)
    return rows


def table(rows: Sequence[dict[str, object]]) -> str:
    """Returns the means as text: a line for each role and measure, a column for each way of writing."""

    def mean(column: str, role: str, measure: str) -> float:
        found = [float(str(r[measure])) for r in rows if r["column"] == column and r["role"] == role]
        return float(np.mean(found)) if found else float("nan")

    lines = [f"{'part':8}{'measure':10}" + "".join(f"{column:>11}" for column in COLUMNS)]
    for role in ROLES:
        for measure in ("onsets", "others", "density"):
            cells = "".join(f"{mean(column, role, measure):11.3f}" for column in COLUMNS)
            lines.append(f"{role:8}{measure:10}{cells}")
    return "\n".join(lines)


def main() -> None:
    """Runs the benchmark and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--composer", type=Path)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--bars", type=int, default=16)
    parser.add_argument("--candidates", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = run(args.data, load_composer(args.composer), args.pairs, args.bars, args.candidates)
    print(table(rows))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
