"""Times everything between the players and the finished files: calibration, effects, writing, mastering.

    python benchmarks/render.py [--seconds 180] [--workers 1 2] [--runs 5]

The player is a trivial tone generator, so the rows are the mixer's own. Beside them stands the bound that the machine
sets: the time to write as many bytes once, in blocks, and to read them from memory.
"""

import argparse
import os
import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.perform.render import Rendering, render_song
from songwright.perform.timeline import Performance
from songwright.score.song import Insert, MasterMix, Note, Song, Track, TrackMix

ROLES = ("melody", "counter_melody", "chords", "chords", "pad", "pad", "bass", "percussion")
INSTRUMENTS = ("trumpet", "flute", "electric_piano", "clean_guitar", "string_ensemble", "warm_pad",
               "electric_bass_finger", "standard_kit")  # fmt: skip
EQ = Insert("eq", {"low_cut_hz": 120.0, "high_shelf_db": 2.0})
SQUEEZE = Insert("compressor", {"threshold_db": -18.0, "ratio": 3.0})
DRIVE = Insert("saturation", {"drive_db": 4.0, "mix": 0.4})
CHAINS = ((EQ, SQUEEZE), (EQ,), (SQUEEZE,), (EQ, Insert("chorus", {})), (EQ,), (), (SQUEEZE, DRIVE), ())


class Tones:
    """Plays decaying tones from a table: nearly free, and dense enough for the effects to have work."""

    identity = "tones"

    def render(
        self, performance: Performance, instrument: str, *, sample_rate: int, num_samples: int
    ) -> NDArray[np.float32]:
        """Returns (2, num_samples)."""
        out = np.zeros((2, num_samples), np.float32)
        time_axis = np.arange(sample_rate, dtype=np.float32) / np.float32(sample_rate)
        tones = {}
        for start, pitch, velocity in zip(
            performance.start_seconds, performance.pitches.tolist(), performance.velocities, strict=True
        ):
            if pitch not in tones:
                frequency = np.float32(2 * np.pi * 440.0 * 2 ** ((pitch - 69) / 12))
                tones[pitch] = np.sin(frequency * time_axis) * np.exp(np.float32(-4.0) * time_axis)
            first = int(start * sample_rate)
            span = min(sample_rate, num_samples - first)
            out[:, first : first + span] += tones[pitch][:span] * np.float32(0.2 * velocity / 127)
        return out


def example_song(seconds: float) -> Song:
    """Returns a song of so many seconds with eight tracks and a kit: 13 stems, all with the usual effects."""
    bars = max(1, int(seconds / 2))
    tracks = []
    for i, (role, instrument, chain) in enumerate(zip(ROLES, INSTRUMENTS, CHAINS, strict=True)):
        scale = range(36, 52) if role == "bass" else (54, 56, 62, 70) if role == "percussion" else range(55, 79)
        notes = tuple(
            Note(bar * 3840 + beat * 960, 900, scale[(i * 5 + bar * 3 + beat * 2) % len(scale)], 80 + 7 * beat)
            for bar in range(bars)
            for beat in range(4)
        )
        mix = TrackMix(
            pan=(i - 3.5) / 5, reverb_db=-60.0 if role == "bass" else -14.0, delay_db=-20.0 if i == 0 else -60.0,
            duck_db=3.0 if role in ("pad", "bass") else 0.0, inserts=chain, automation=((0, -1.0), (bars * 1920, 1.0)),
        )  # fmt: skip
        tracks.append(Track(f"part_{i + 1}", role, instrument, notes=notes, mix=mix))
    beats = {0: (36, 42), 1: (38, 42), 2: (36, 42, 51), 3: (38, 46)}
    drums = [Note(b * 3840 + k * 960, 120, p, 100) for b in range(bars) for k in range(4) for p in beats[k]]
    drums += [Note(b * 3840 + 3360, 120, 47, 90) for b in range(3, bars, 4)]
    kit = TrackMix(reverb_db=-20.0, inserts=(Insert("compressor", {"threshold_db": -14.0, "ratio": 2.5}),))
    tracks.append(Track("drums", "drums", "standard_kit", notes=tuple(sorted(drums)), mix=kit))
    bus = (Insert("compressor", {"threshold_db": -14.0, "ratio": 2.0}), Insert("tape", {"drive_db": 3.0, "wow": 0.03}))
    return Song(duration_ticks=bars * 3840, tracks=tuple(tracks), master=MasterMix("plate", 1.6, inserts=bus))


def bound_seconds(rendering: Rendering, folder: Path) -> tuple[float, float]:
    """Returns the megabytes that were written and the time to write as many once."""
    total = sum(path.stat().st_size for path in (*rendering.stems.values(), rendering.premaster, rendering.mix))
    block = bytes(1 << 20)
    started = time.perf_counter()
    with (folder / "bound").open("wb") as file:
        for _ in range(total >> 20):
            file.write(block)
    seconds = time.perf_counter() - started
    (folder / "bound").unlink()
    return total / 1e6, seconds


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    song = example_song(args.seconds)
    print(f"{args.seconds:.0f} s of music, {os.cpu_count()} processors, median of {args.runs}")
    for workers in args.workers:
        rows = []
        for _ in range(args.runs):
            folder = Path(tempfile.mkdtemp())
            started = time.perf_counter()
            rendering = render_song(song, folder, players={"sampler": Tones()}, num_workers=workers)
            seconds = {"total": time.perf_counter() - started, **rendering.seconds, **rendering.work_seconds}
            megabytes, seconds["bound: writing"] = bound_seconds(rendering, folder)
            rows.append(seconds)
            shutil.rmtree(folder)
        print(f"\n{workers} worker(s), {len(rendering.stems)} stems, {megabytes:.0f} MB, "
              f"{rendering.loudness_lufs} LUFS, {rendering.true_peak_dbtp} dBTP")  # fmt: skip
        for name in rows[0]:
            print(f"  {name:16s} {statistics.median(row[name] for row in rows):7.2f} s")
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
