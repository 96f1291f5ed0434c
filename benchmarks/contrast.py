"""Does the song build? The last chorus against the first verse, fader automation off and before the bus.

For every style that builds: level (RMS of the premaster), onsets a second, and spread (octaves between the 5th and 95th
percentile of pitches). A style passes with at least 1.5 dB and either 25 % more onsets or an octave more spread.

Usage: python benchmarks/contrast.py [--styles pop,rock] [--seconds 100] [--seeds 0,1]
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.style import load_style, style_names
from songwright.engines.score import make_players
from songwright.evaluation.report import contrast_sections, section_levels
from songwright.evaluation.spectrum import read_mono
from songwright.perform.render import render_song
from songwright.perform.soundfonts import find_soundfont
from songwright.score.song import Section, Song


def main() -> None:
    """Prints one line a song and how many styles pass with every seed."""
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--styles", default="", help="names joined by commas; default: all that build")
    args.add_argument("--seconds", type=float, default=100.0)
    args.add_argument("--seeds", default="0,1")
    args.add_argument("--sung", action="store_true", help="with voices, where the style has them")
    options = args.parse_args()
    names = options.styles.split(",") if options.styles else [n for n in style_names() if load_style(n).builds]
    seeds = [int(seed) for seed in options.seeds.split(",")]
    passed = 0
    print(f"{'style':<18}{'seed':>5}{'dB':>7}{'onsets':>9}{'spread':>9}")
    for name in names:
        good = []
        for seed in seeds:
            brief = Brief(styles=(name,), seed=seed, instrumental=not options.sung).with_said(
                duration_seconds=options.seconds
            )
            level, onsets, spread = contrast(compose_song(brief))
            good.append(level >= 1.5 and (onsets >= 1.25 or spread >= 1.0))
            mark = "" if good[-1] else "  no"
            print(f"{name:<18}{seed:>5}{level:>7.1f}{onsets:>8.2f}x{spread:>+8.1f}o{mark}", flush=True)
        passed += all(good)
    print(f"{passed} of {len(names)} styles pass with every seed")


def contrast(song: Song) -> tuple[float, float, float]:
    """Returns how much louder (dB), busier (ratio of onsets) and wider (octaves) the last chorus is."""
    plain = replace(song, tracks=tuple(replace(t, mix=replace(t.mix, automation=())) for t in song.tracks))
    pair = contrast_sections(plain)
    if pair is None:
        return 0.0, 1.0, 0.0
    first, last = pair
    choice = find_soundfont()
    with tempfile.TemporaryDirectory() as folder:
        rendering = render_song(plain, Path(folder), players=make_players(plain, choice))
        levels = {row["label"]: row["rms_db"] for row in section_levels(plain, read_mono(rendering.premaster))}
    busy = [onsets(plain, section) / section.duration_ticks for section in (first, last)]
    wide = [spread(plain, section) for section in (first, last)]
    return levels[last.label] - levels[first.label], busy[1] / max(busy[0], 1e-9), wide[1] - wide[0]


def onsets(song: Song, section: Section) -> int:
    """Returns how many notes begin in a section."""
    return sum(section.start_ticks <= n.start_ticks < section.end_ticks for t in song.tracks for n in t.notes)


def spread(song: Song, section: Section) -> float:
    """Returns the octaves between the 5th and 95th percentile of the pitches that sound in a section."""
    pitches = [
        n.pitch
        for t in song.tracks
        if not t.is_drums and t.role != "effects"
        for n in t.notes
        if section.start_ticks <= n.start_ticks < section.end_ticks
    ]
    return float(np.subtract(*np.percentile(pitches, [95, 5]))) / 12 if pitches else 0.0


if __name__ == "__main__":
    main()
