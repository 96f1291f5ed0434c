"""How long a three-minute song takes, stage by stage, and how much memory; beside fluidsynth playing the same score.

Each run is a fresh process, start and imports included. Medians of five; `cpu` is the processor's time of all threads,
which other programs disturb less than `total`. fluidsynth writes one stereo mix with its
reverb off; we write every stem, the premaster and the master.

Usage: python benchmarks/song.py [--style pop] [--seconds 180] [--runs 5] [--instrumental]
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHILD = """
import json, resource, sys
from pathlib import Path
from songwright.brief.brief import Brief
from songwright.engines.score import make_song
brief = Brief(styles=(sys.argv[1],), instrumental=sys.argv[4] == "instrumental")
brief = brief.with_said(duration_seconds=float(sys.argv[2]))
recording = make_song(brief, Path(sys.argv[3]))
used = resource.getrusage(resource.RUSAGE_SELF)
notes = sum(len(track.notes) for track in recording.song.tracks)
font = recording.report["soundfont"]["file"]
voices = sum(track.singer is not None for track in recording.song.tracks)
spent = {"voices": voices, "cpu": used.ru_utime + used.ru_stime, "MiB": used.ru_maxrss / 1024}
row = {**spent, "number of stems": len(recording.stems), "notes": notes, "font": font}
print(json.dumps({**recording.report["seconds"], **row}))
"""


def main() -> None:
    """Prints the table."""
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--style", default="pop")
    args.add_argument("--seconds", type=float, default=180.0)
    args.add_argument("--runs", type=int, default=5)
    args.add_argument("--instrumental", action="store_true", help="nobody sings")
    options = args.parse_args()
    print(
        f"{options.style}, {options.seconds:g} s, {os.cpu_count()} CPUs and as many threads, "
        f"median of {options.runs} fresh processes; load of the machine before: {os.getloadavg()[0]:.1f}"
    )
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for i in range(options.runs):
            folder = Path(scratch) / f"song-{i}"
            row, wall = child(options.style, options.seconds, folder, instrumental=options.instrumental)
            rows.append({**row, "total": wall})
            if i + 1 < options.runs:
                shutil.rmtree(folder)
        for key in rows[0]:
            values = [row[key] for row in rows]
            if isinstance(values[0], str):
                print(f"{key:<16}{values[0]}")
            else:
                numbers = [float(value) for value in values]
                print(f"{key:<16}{statistics.median(numbers):9.2f}   ({min(numbers):.2f} to {max(numbers):.2f})")
        total = statistics.median(float(row["total"]) for row in rows)
        print(f"{options.seconds / total:.1f} times faster than listening")
        written = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
        print(f"bound: {written / 1e6:.0f} MB written; disk alone {disk_seconds(written, Path(scratch)):.2f} s")
        fluidsynth(folder / "score.mid", options.runs)
    start = [timed([sys.executable, "-m", "songwright", "--help"]) for _ in range(options.runs)]
    print(f"songwright --help: {statistics.median(start):.2f} s")


def child(style: str, seconds: float, folder: Path, *, instrumental: bool) -> tuple[dict[str, float | str], float]:
    """Returns what one fresh process reports, and its wall time."""
    started = time.perf_counter()
    what = "instrumental" if instrumental else "sung"
    command = [sys.executable, "-c", CHILD, style, str(seconds), str(folder), what]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout), time.perf_counter() - started


def disk_seconds(num_bytes: int, folder: Path) -> float:
    """Returns how long writing that many bytes takes by itself."""
    block = os.urandom(1 << 20)
    started = time.perf_counter()
    with (folder / "bytes").open("wb") as file:
        for _ in range(num_bytes >> 20):
            file.write(block)
    return time.perf_counter() - started


def fluidsynth(score: Path, runs: int) -> None:
    """Prints how long fluidsynth takes for the same score with the same soundfont."""
    from songwright.perform.soundfonts import find_soundfont

    if shutil.which("fluidsynth") is None:
        print("fluidsynth is not installed")
        return
    font = str(find_soundfont().path)
    command = [
        "fluidsynth",
        "-ni",
        "-R",
        "0",
        "-C",
        "0",
        "-r",
        "44100",
        "-F",
        "/dev/null",
        "-T",
        "raw",
        font,
        str(score),
    ]
    times = [timed(command) for _ in range(runs)]
    print(f"fluidsynth, one dry mix of the same score: {statistics.median(times):.2f} s")


def timed(command: list[str]) -> float:
    """Returns the wall time of a command."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
