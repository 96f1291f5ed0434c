"""Measures harmony: the model on unseen songs, generated songs beside real ones, and chords found for given tunes.

    python benchmarks/harmony.py --data FOLDER [--songs 40]

Three tables. (1) Nats per chord, lengths included, of songs held out, beside unigram and first-order chains; the tables
that ship are checked against a fresh build. (2) Chord changes per bar, distinct four-bar progressions per song, the
share of four-bar phrases heard before, of generated songs by style family beside mcgill-billboard, with the spread
between songs. (3) How often the chords found for the tunes of held-out lead sheets have the root of the printed ones.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.brief.brief import Brief
from songwright.compose.form import plan_form
from songwright.compose.harmony import harmonise_melody, write_harmony
from songwright.compose.harmony.functions import NUM_QUALITIES, function_of, vocabulary_of
from songwright.compose.harmony.harmonise import melody_fit
from songwright.compose.harmony.model import load_model
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import HarmonyBook, Style, load_style, style_names
from songwright.score.song import TICKS_PER_QUARTER, Note
from songwright.score.theory import Key, parse_chord

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "recipes" / "harmony"))
from build import build, part_of, print_built
from corpora import NO_CHORD, CorpusSection, CorpusSong, Event, read_all

LEAD_SHEET_BOOK = HarmonyBook(
    major=tuple(
        ["I", "ii", "iii", "IV", "V", "V7", "vi", "I7", "II7", "III7", "VI7", "iv", "#idim7", "bVII7", "vii7b5"]
    ),
    minor=tuple(["i", "ii7b5", "bIII", "iv", "V", "V7", "bVI", "bVII", "I7", "VI7", "II7", "bVII7", "#ivdim7"]),
    chord_beats={"1": 0.05, "2": 0.3, "4": 0.4, "8": 0.25},
    loop_bars={"8": 1.0},
)
"""What the old songs of openewld use."""


@dataclass(frozen=True)
class SongNumbers:
    """Three numbers of one song's harmony."""

    changes_per_bar: float
    progressions: int
    repeat_share: float


def song_numbers(sections: Sequence[CorpusSection]) -> SongNumbers:
    """Returns the numbers of a song; phrases are four bars from each section's beginning, read at half bars."""
    phrases: list[tuple[int, ...]] = []
    changes, bars = 0, 0
    for section in sections:
        halves = half_bars(section)
        changes += sum(a != b for a, b in pairwise(halves)) + 1
        bars += section.num_bars
        phrases += [tuple(halves[i : i + 8]) for i in range(0, len(halves) - 7, 8)]
    distinct = len(set(phrases))
    return SongNumbers(changes / max(bars, 1), distinct, 1 - distinct / max(len(phrases), 1))


def half_bars(section: CorpusSection) -> list[int]:
    """Returns the function that sounds in each half bar."""
    times = np.arange(section.num_bars * 2) * section.beats_per_bar / 2
    found = [NO_CHORD] * len(times)
    for event in section.events:
        for i in np.flatnonzero(
            (times >= event.start_beat - 0.01) & (times < event.start_beat + event.num_beats - 0.01)
        ):
            found[i] = event.function
    return found


def generated(style: Style, seed: int) -> list[CorpusSection]:
    """Returns the sections of a generated song in the form of the corpora."""
    plan = plan_form(Brief(seed=seed), style)
    spans = write_harmony(plan, style, seed=seed)
    beats = max(1, plan.bar_ticks // plan.beat_ticks)
    beat_ticks = plan.bar_ticks / beats
    sections = []
    for section in plan.sections:
        first, end = plan.start_ticks(section), plan.end_ticks(section)
        tonic = (plan.key.tonic + section.key_shift) % 12
        events = []
        for span in spans:
            a, b = max(span.start_ticks, first), min(span.end_ticks, end)
            chord = parse_chord(span.symbol)
            if a < b and chord is not None:
                events.append(Event((a - first) / beat_ticks, (b - a) / beat_ticks, function_of(chord, tonic)))
        sections.append(CorpusSection(section.role, int(plan.key.is_minor), beats, section.num_bars, tuple(events)))
    return sections


def print_numbers(songs: list[CorpusSong], num_songs: int) -> None:
    """Prints the second table."""
    rows = {"mcgill-billboard": [song_numbers(s.sections) for s in songs if s.group == "billboard"]}
    rows["pop909"] = [song_numbers(s.sections) for s in songs if s.group == "pop909"]
    families: dict[str, list[Style]] = {}
    for name in style_names():
        style = load_style(name)
        families.setdefault(style.family, []).append(style)
    for family, styles in sorted(families.items()):
        rows[f"our {family}"] = [song_numbers(generated(styles[i % len(styles)], i)) for i in range(num_songs)]
    print(f"\n{'':18}{'songs':>7}{'changes a bar':>18}{'progressions':>18}{'repeat share':>18}")
    for name, numbers in rows.items():
        columns = [
            [n.changes_per_bar for n in numbers],
            [n.progressions for n in numbers],
            [n.repeat_share for n in numbers],
        ]
        cells = "".join(f"{np.mean(c):11.2f} ± {np.std(c):4.2f}" for c in columns)
        print(f"{name:18}{len(numbers):7}{cells}")


def tune_of(section: CorpusSection) -> tuple[SongPlan, list[Note]]:
    """Returns a lead sheet's section as a plan and its melody."""
    key = Key(0, "minor" if section.mode else "major")
    part = SectionPlan("Tune", "verse", 0, section.num_bars, 0.5)
    plan = SongPlan("Tune", "lead sheet", 0, key, 120.0, section.beats_per_bar, 4, (part,))
    end = section.num_bars * section.beats_per_bar
    notes = [
        Note(round(n.start_beat * TICKS_PER_QUARTER), max(1, round(n.num_beats * TICKS_PER_QUARTER)), 60 + n.degree, 90)
        for n in section.melody
        if n.start_beat < end
    ]
    return plan, notes


def print_agreement(songs: list[CorpusSong]) -> None:
    """Prints the third table."""
    base = load_style(style_names()[0])
    style = replace(base, family="jazz", meters=("4/4", "3/4", "2/4"), harmony=LEAD_SHEET_BOOK)
    sections = [s for song in songs if part_of(song) == "test" for s in song.sections if s.melody]

    def viterbi(weight: float) -> Callable[[SongPlan, list[Note], int], NDArray[np.int64]]:
        def roots(plan: SongPlan, notes: list[Note], size: int) -> NDArray[np.int64]:
            found = np.zeros(size, dtype=np.int64)
            for span in harmonise_melody(notes, plan, style, melody_weight=weight):
                chord = parse_chord(span.symbol)
                found[span.start_ticks // 480 : span.end_ticks // 480] = 0 if chord is None else chord.root
            return found

        return roots

    def template(plan: SongPlan, notes: list[Note], size: int) -> NDArray[np.int64]:
        functions = np.array(vocabulary_of(style, plan.key).functions)
        fit = melody_fit(notes, plan, functions.tolist(), load_model())
        best = fit.reshape(plan.num_bars, -1, len(functions)).sum(axis=1).argmax(axis=1)
        return np.repeat(functions[best] // NUM_QUALITIES, size // plan.num_bars)

    methods = {
        "always the tonic": lambda plan, notes, size: np.zeros(size, dtype=np.int64),
        "chord tones of each bar": template,
        "harmony without the tune": viterbi(0.0),
        "songwright": viterbi(0.8),
    }
    print(f"\nroot as printed, share of the time, {len(sections)} held-out lead sheets")
    for name, method in methods.items():
        shares = []
        for section in sections:
            plan, notes = tune_of(section)
            printed = np.full(section.num_bars * section.beats_per_bar * 2, -1)
            for e in section.events:
                printed[int(e.start_beat * 2) : int((e.start_beat + e.num_beats) * 2)] = e.function // NUM_QUALITIES
            heard = printed >= 0
            shares.append(float((method(plan, notes, len(printed)) == printed)[heard].mean()))
        error = np.std(shares) / np.sqrt(len(shares))
        print(f"{name:26}{np.mean(shares):7.3f} ± {error:.3f}")


def main() -> None:
    """Prints the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"), help="folder of the corpora")
    parser.add_argument("--songs", type=int, default=40, help="generated songs for each family")
    options = parser.parse_args()
    if options.data is None:
        sys.exit("give the folder of the corpora: --data FOLDER or SONGWRIGHT_DATA")
    songs = list(read_all(Path(options.data)))
    built = build(songs)
    print_built(built)
    shipped = load_model().functions
    fresh = np.cumsum(built.arrays["functions_steps"], dtype=np.int64)
    same = np.array_equal(shipped.contexts, fresh) and np.array_equal(
        shipped.outcomes, built.arrays["functions_outcomes"]
    )
    print("the tables that ship are " + ("those of this build" if same else "NOT those of this build"))
    print_numbers(songs, options.songs)
    print_agreement(songs)


if __name__ == "__main__":
    main()
