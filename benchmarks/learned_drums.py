"""Grooves as the network plays them beside the style book's own: the same forms, sections, fills and seeds.

For each style: how many songs the classifier of `drum_classifier.py` names rightly and the probability that it gives
the right family; distances of onsets and velocities to Groove MIDI's validation drummers of the style (all performances
where there are fewer than three); how alike neighbouring bars are, and the drummers'; strokes of choruses for each of
the verses; what the critic's drum terms add; processor seconds of a drum part. The last line is the mean over styles.

With --whole N also whole songs of the statistical composer, the drummer being the only difference: what the critic
makes of them in all, and its terms that hear the drums with others.

Usage: python benchmarks/learned_drums.py --data FOLDER [--composer FOLDER] [--songs 2] [--seed0 0] [--styles rock,funk]
                                          [--whole 0]
"""

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from composers import instrumental
from drum_classifier import OURS, Performance, probabilities, read_performances, train
from songwright.brief.brief import Brief
from songwright.compose.arrange.drummer import Drummer
from songwright.compose.arrange.drums import write_drums
from songwright.compose.arrange.feel import apply_feel
from songwright.compose.compose import compose_song
from songwright.compose.form import plan_form
from songwright.compose.judges import Judges
from songwright.compose.learned.composer import load_composer
from songwright.compose.learned.critic import load_critic
from songwright.compose.learned.drummer import TOLD, LearnedDrummer
from songwright.compose.learned.judge import sketch
from songwright.compose.plan import SongPlan
from songwright.compose.style import Style, load_style
from songwright.evaluation.drum_features import DrumTake, bar_likeness, set_distance, take_of_notes
from songwright.score.song import Track

WINDOW_BARS = 8
FEWEST = 3
TERMS = (
    "groove_steady", "backbeat", "kick_on_one", "drums_on_beat", "kick_and_snare_apart", "touch", "fills",
)  # fmt: skip
TOGETHER = ("bass_with_kick", "chorus_lift", "sections_differ")
HEADINGS = ("right", "p", "onset", "velocity", "alike", "real", "chorus/verse", "critic", "seconds")


def drum_track(style: Style, seed: int, drummer: Drummer | None) -> tuple[SongPlan, Track, float]:
    """Returns the form of a song, its drum track as it is played, and processor seconds."""
    plan = plan_form(Brief(prompt="", seed=seed, styles=(style.name,)), style)
    part = style.parts_of("drums")[0]
    sections = {s.label: s.energy for s in plan.sections if part.plays_in(s.role, s.energy)}
    begun = time.process_time()
    notes = write_drums(plan, style, part, sections, seed=seed, drummer=drummer)
    seconds = time.process_time() - begun
    (track,) = apply_feel((Track(part.id, "drums", part.instruments[0], notes=notes),), plan, style, seed=seed)
    return plan, track, seconds


def lift(plan: SongPlan, track: Track) -> float:
    """Returns strokes of a chorus bar for each of a verse bar; not a number where a song has not both."""
    loads: dict[str, list[float]] = defaultdict(list)
    for section in plan.sections:
        start, end = plan.start_ticks(section), plan.end_ticks(section)
        loads[section.role].append(sum(start <= n.start_ticks < end for n in track.notes) / section.num_bars)
    if not loads["chorus"] or not any(loads["verse"]):
        return float("nan")
    return float(np.mean(loads["chorus"]) / np.mean(loads["verse"]))


def drummers_of(style: Style, performances: Sequence[Performance]) -> list[DrumTake]:
    """Returns windows of people who play a style: those of validation, or all where these are few."""
    every = [p for p in performances if p.style == style.feel.groove_midi]
    kept = [p for p in every if p.split == "validation"]
    return [w for p in (kept if len(kept) >= FEWEST else every) for w in p.windows]


def row(
    model: object, real: Sequence[DrumTake], style: Style, seeds: Sequence[int], drummer: Drummer | None
) -> list[float]:
    """Returns the numbers of `HEADINGS` for the songs of a style."""
    rows, windows = [], []
    for seed in seeds:
        plan, track, seconds = drum_track(style, seed, drummer)
        mine = take_of_notes(track.notes, plan.bar_ticks).windows(WINDOW_BARS)
        if not mine:
            continue
        windows += mine
        found = probabilities(model, mine)  # type: ignore[arg-type]
        names = [str(name) for name in model.classes_]  # type: ignore[attr-defined]
        right = OURS.get(style.name, "")
        p = float(found[names.index(right)]) if right else float("nan")
        verdict = load_critic().score(sketch(plan, style, (), [track])).terms
        judged = sum(verdict[name] for name in TERMS)
        best = float(names[int(found.argmax())] == right) if right else float("nan")
        rows.append((best, p, lift(plan, track), judged, seconds))
    best, p, lifted, judged, seconds = np.nanmean(np.array(rows), axis=0) if rows else [float("nan")] * 5
    distance = set_distance(real, windows)
    alike, theirs = (float(np.mean([bar_likeness(w) for w in ws])) for ws in (windows, real))
    return [best, p, distance.onset, distance.velocity, alike, theirs, lifted, judged, seconds]


def whole_row(brief: Brief, drummer: Drummer | None) -> list[float]:
    """Returns of a whole song the critic's total and drum terms, what `TOGETHER` measure, and processor seconds."""
    begun = time.process_time()
    song = compose_song(brief, judges=Judges(drummer=drummer))
    seconds = time.process_time() - begun
    verdict = load_critic().score(song)
    drums = sum(verdict.terms[name] for name in TERMS)
    measured = [verdict.measured.get(name, float("nan")) for name in TOGETHER]
    return [verdict.total, drums, *measured, seconds]


def whole_songs(styles: Sequence[str], seeds: Sequence[int], who: dict[str, Drummer | None]) -> None:
    """Prints means over whole songs."""
    print(
        f"\n{'whole songs':16s}{'grooves':9s}" + "".join(f"{h:>16s}" for h in ("critic", "drums", *TOGETHER, "seconds"))
    )
    briefs = [instrumental(style, seed) for style in styles for seed in seeds]
    for label, drummer in who.items():
        mean = np.nanmean(np.array([whole_row(brief, drummer) for brief in briefs]), axis=0)
        print(f"{len(briefs):<16d}{label:9s}" + "".join(f"{value:16.3f}" for value in mean), flush=True)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"), help="folder of open data")
    parser.add_argument("--composer", type=Path, metavar="FOLDER", help="exported composer; default: the one built in")
    parser.add_argument("--songs", type=int, default=2, help="songs of each style")
    parser.add_argument("--seed0", type=int, default=0, help="seed of the first song")
    parser.add_argument("--styles", default="", help="only these, parted by commas")
    parser.add_argument("--whole", type=int, default=0, help="whole songs of each style besides")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("say where the data is: --data FOLDER or SONGWRIGHT_DATA")
    performances = read_performances(Path(arguments.data) / "groove-midi")
    model = train(performances)
    network = load_composer(arguments.composer, threads=1)
    who: dict[str, Drummer | None] = {"book": None, "network": LearnedDrummer(network)}
    seeds = range(arguments.seed0, arguments.seed0 + arguments.songs)
    found: dict[str, list[list[float]]] = {name: [] for name in who}
    print(f"{'style':16s}{'grooves':9s}" + "".join(f"{heading:>13s}" for heading in HEADINGS))
    styles = arguments.styles.split(",") if arguments.styles else list(TOLD)
    for name in styles:
        style = load_style(name)
        real = drummers_of(style, performances)
        if name not in TOLD or not real:
            continue
        for label, drummer in who.items():
            found[label].append(row(model, real, style, seeds, drummer))
            print(f"{name:16s}{label:9s}" + "".join(f"{value:13.3f}" for value in found[label][-1]), flush=True)
    for label, rows in found.items():
        print(f"{'mean':16s}{label:9s}" + "".join(f"{value:13.3f}" for value in np.nanmean(np.array(rows), axis=0)))
    if arguments.whole:
        whole_songs(styles, range(arguments.seed0, arguments.seed0 + arguments.whole), who)


if __name__ == "__main__":
    main()
