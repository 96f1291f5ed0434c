"""Where the processor's time goes while a score becomes a song: seconds of each kind of work, whatever else runs.

The clock is that of each thread, so other programs disturb it far less than they do the wall clock. A kind counts what
it does itself, without the kinds inside it. Give a song.json (of `songwright make`), or none for a three-minute song of
a style that is composed first, outside the measure.

Usage: python benchmarks/song_parts.py [song.json] [--style pop] [--seconds 180]
"""

import argparse
import resource
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from songwright.brief.brief import Brief
from songwright.compose.candidates import best_song
from songwright.compose.composers import composer_named
from songwright.engines import score, sung_files
from songwright.perform import calibration, mixer, render, stems, vocal_stems
from songwright.perform.sampler import player as sampler
from songwright.perform.singer import player as singer
from songwright.perform.synth import player as synth
from songwright.score.song import Song, from_json

PARTS: tuple[tuple[Any, str, str], ...] = (
    (calibration.Calibration, "gains", "calibration"),
    (sampler.SamplerPlayer, "render", "sampler"),
    (synth.SynthPlayer, "render", "synthesiser"),
    (singer.SingerPlayer, "spoken", "lines spoken"),
    (singer, "analyse", "lines analysed"),
    (singer, "coloured", "voices coloured"),
    (singer, "synthesise", "voices synthesised"),
    (singer.SingerPlayer, "render", "other singing"),
    (vocal_stems.DryVoices, "sing", "dry voices written"),
    (stems.StemWork, "_sing", "voices to their buses"),
    (stems, "mix_stem", "effects"),
    (mixer, "add_sends", "rooms and echoes"),
    (stems.StemWork, "_make", "other work on stems"),
    (stems.StemWork, "_write", "stems written"),
    (stems.StemWork, "_settle", "level of the voice"),
    (stems.StemWork, "_finish", "voices finished"),
    (render, "_write_premaster", "premaster written"),
    (render, "_without_lead", "karaoke"),
    (render, "master", "mastering"),
    (render, "_write_mix", "mixes written"),
    (score, "_write_files", "score files"),
    (sung_files.Listening, "hear", "singing heard"),
    (score, "measure_song", "report"),
)
"""Owner, function, and what it is called here."""


class Clock:
    """Adds up thread time by kind of work.

    Attributes:
        seconds: by kind.
    """

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._here = threading.local()

    def watch(self, owner: Any, name: str, kind: str) -> None:
        """Counts the time of a function of a module or class from now on."""
        function: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **options: Any) -> Any:
            inside: list[float] = self._here.__dict__.setdefault("inside", [])
            began = time.thread_time()
            inside.append(0.0)
            try:
                return function(*args, **options)
            finally:
                spent = time.thread_time() - began
                own = spent - inside.pop()
                if inside:
                    inside[-1] += spent
                with self._lock:
                    self.seconds[kind] += own

        setattr(owner, name, watched)


def composed(style: str, seconds: float) -> Song:
    """Returns a song as `songwright make` composes it."""
    composer = composer_named("")
    return best_song(Brief(styles=(style,)).with_said(duration_seconds=seconds), 1, composer)


def main() -> None:
    """Prints the table."""
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("song", nargs="?", type=Path)
    args.add_argument("--style", default="pop")
    args.add_argument("--seconds", type=float, default=180.0)
    options = args.parse_args()
    if options.song:
        song = from_json(options.song.read_text(encoding="utf-8"))
    else:
        song = composed(options.style, options.seconds)
    clock = Clock()
    for owner, name, kind in PARTS:
        clock.watch(owner, name, kind)
    began, wall = time.process_time(), time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        recording = score.render_score(song, Path(scratch) / "song")
        length = recording.report["length_seconds"]["measured"]
    total, wall = time.process_time() - began, time.perf_counter() - wall
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{length:.0f} s of music, {len(song.tracks)} tracks; processor seconds:")
    for kind, seconds in clock.seconds.most_common():
        print(f"{kind:<24}{seconds:8.2f}")
    rest = total - sum(clock.seconds.values())
    print(f"{'everything else':<24}{rest:8.2f}")
    print(
        f"{'all':<24}{total:8.2f}   (espeak {children.ru_utime + children.ru_stime:.2f} more; wall clock {wall:.1f} s)"
    )


if __name__ == "__main__":
    main()
