"""Times our sampler beside fluidsynth on the same score.

    python benchmarks/sampler.py [--tracks 8] [--soundfont FILE] [--workers 2] [--runs 5]

Prints the median of the runs, start of worker processes and opening of the font included on both sides, and the least
time the memory needs for the samples that must be written.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import symusic

from songwright.perform.sampler.player import SamplerPlayer
from songwright.perform.soundfonts import find_soundfont
from songwright.perform.timeline import performance, song_seconds
from songwright.score.instruments import INSTRUMENTS
from songwright.score.song import TICKS_PER_QUARTER, Control, Note, PitchBend, Song, TempoChange, Track
from songwright.seeding import generator

SAMPLE_RATE = 44100
BARS, BPM = 90, 120.0
BAR = 4 * TICKS_PER_QUARTER
CHORDS = ((60, 64, 67, 71), (57, 60, 64, 67), (62, 65, 69, 72), (55, 59, 62, 65))
TAIL_SECONDS = 4.0


def make_song(num_tracks: int) -> Song:
    """Three minutes for up to 12 tracks, about 6000 notes: drums, basses, chords, pads and tunes, played unevenly."""
    makers = (
        ("drums", "standard_kit", _drums),
        ("bass", "electric_bass_finger", _bass),
        ("chords", "acoustic_grand_piano", _comp),
        ("chords", "clean_guitar", _strum),
        ("pad", "string_ensemble", _pad),
        ("melody", "alto_sax", _tune),
        ("chords", "electric_piano", _comp),
        ("counter_melody", "trumpet", _tune),
        ("chords", "steel_guitar", _strum),
        ("pad", "warm_pad", _pad),
        ("melody", "flute", _tune),
        ("chords", "drawbar_organ", _pad),
    )
    tracks = []
    for i, (role, name, make) in enumerate(makers[:num_tracks]):
        random = generator(0, "benchmark", str(i))
        notes = tuple(sorted(note for bar in range(BARS) for note in make(bar, random)))
        controls, bends = ((), ()) if make is not _tune else _gestures(notes)
        tracks.append(Track(f"{i}-{name}", role, name, notes=notes, controls=controls, bends=bends))  # type: ignore[arg-type]
    return Song(duration_ticks=BARS * BAR, tempos=(TempoChange(0, BPM),), tracks=tuple(tracks))


def _note(start: float, length: float, pitch: int, velocity: int, random: np.random.Generator) -> Note:
    lag = int(random.integers(-8, 9))
    loud = int(np.clip(velocity + random.integers(-9, 10), 1, 127))
    return Note(max(0, round(start * TICKS_PER_QUARTER) + lag), round(length * TICKS_PER_QUARTER) + lag, pitch, loud)


def _drums(bar: int, random: np.random.Generator) -> list[Note]:
    beat = bar * 4
    notes = [_note(beat + i / 2, 0.2, 42 if i != 7 else 46, 70, random) for i in range(8)]
    notes += [_note(beat + b, 0.2, 36, 105, random) for b in (0, 2, 2.5)]
    notes += [_note(beat + b, 0.2, 38, 100, random) for b in (1, 3)]
    return notes + ([_note(beat, 0.2, 49, 100, random)] if bar % 8 == 0 else [])


def _bass(bar: int, random: np.random.Generator) -> list[Note]:
    root = CHORDS[bar % 4][0] - 24
    return [_note(bar * 4 + i / 2, 0.4, root + (7 if i in (3, 6) else 0), 95, random) for i in range(8)]


def _comp(bar: int, random: np.random.Generator) -> list[Note]:
    return [_note(bar * 4 + b, 0.9, p, 75, random) for b in (0, 1.5, 3) for p in CHORDS[bar % 4]]


def _strum(bar: int, random: np.random.Generator) -> list[Note]:
    return [
        _note(bar * 4 + b, 1.8, p - 12 * (i == 0), 80, random) for b in (0, 2) for i, p in enumerate(CHORDS[bar % 4])
    ]


def _pad(bar: int, random: np.random.Generator) -> list[Note]:
    return [_note(bar * 4, 4, p, 65, random) for p in CHORDS[bar % 4]]


def _tune(bar: int, random: np.random.Generator) -> list[Note]:
    scale = (60, 62, 64, 65, 67, 69, 71, 72, 74, 76)
    return [
        _note(bar * 4 + b, d, scale[random.integers(10)], 90, random)
        for b, d in ((0, 1), (1, 0.5), (1.5, 0.5), (2, 1.8))
    ]


def _gestures(notes: tuple[Note, ...]) -> tuple[tuple[Control, ...], tuple[PitchBend, ...]]:
    """A scoop into every eighth note, vibrato on every fourth, and a swell of expression in every bar."""
    controls, bends = [], []
    for n in notes[::8]:
        bends += [PitchBend(n.start_ticks + 30 * i, -1600 + 200 * i) for i in range(9)]
    for n in notes[::4]:
        controls += [Control(n.start_ticks + n.duration_ticks // 2, 1, 60), Control(n.end_ticks, 1, 0)]
    for bar in range(BARS):
        controls += [Control(bar * BAR + i * BAR // 8, 11, 90 + 4 * i) for i in range(8)]
    return tuple(sorted(controls)), tuple(sorted(bends))


def render_track(path: Path, song: Song, index: int) -> float:
    """Renders one track in a worker; returns its peak."""
    num_samples = round((song_seconds(song) + TAIL_SECONDS) * SAMPLE_RATE)
    track = song.tracks[index]
    sound = SamplerPlayer(path).render(
        performance(song, track), track.instrument, sample_rate=SAMPLE_RATE, num_samples=num_samples
    )
    return float(sound.max())


def run_ours(path: Path, song: Song, pool_type: type[Executor], workers: int) -> None:
    """Renders all tracks, each by itself, in a fresh pool."""
    with pool_type(workers) as pool:  # type: ignore[call-arg]
        jobs = [pool.submit(render_track, path, song, i) for i in range(len(song.tracks))]
        assert all(job.result() > 0 for job in jobs)


def run_fluidsynth(path: Path, song: Song) -> None:
    """Renders all tracks into one file, without reverb and chorus."""
    score = symusic.Score(TICKS_PER_QUARTER)
    score.tempos.append(symusic.Tempo(0, BPM))
    for track in song.tracks:
        part = symusic.Track(track.id, INSTRUMENTS[track.instrument].program, track.is_drums)
        for n in track.notes:
            part.notes.append(symusic.Note(n.start_ticks, n.duration_ticks, n.pitch, n.velocity))
        for c in track.controls:
            part.controls.append(symusic.ControlChange(c.tick, c.controller, c.value))
        for b in track.bends:
            part.pitch_bends.append(symusic.PitchBend(b.tick, b.value))
        score.tracks.append(part)
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder, "score.mid"), Path(folder, "score.wav")
        score.dump_midi(midi)
        command = ["fluidsynth", "-n", "-i", "-q", "-R", "0", "-C", "0", "-r", str(SAMPLE_RATE), "-F", str(wav)]
        subprocess.run([*command, str(path), str(midi)], check=True, capture_output=True, timeout=600)


def median_seconds(work: object, runs: int) -> float:
    """Returns the median wall time of calling `work`."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()  # type: ignore[operator]
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def memory_bandwidth() -> float:
    """Returns bytes a second that adding one float array to another moves on one core."""
    a, b = np.ones(1 << 24, np.float32), np.ones(1 << 24, np.float32)
    seconds = median_seconds(lambda: np.add(a, b, out=a), 5)
    return 3 * a.nbytes / seconds


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=8)
    parser.add_argument("--soundfont", type=Path)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    font = find_soundfont(args.soundfont)
    song = make_song(args.tracks)
    seconds = song_seconds(song)
    notes = [(n.end_ticks - n.start_ticks) / TICKS_PER_QUARTER * 60 / BPM for t in song.tracks for n in t.notes]
    print(f"{seconds:.0f} s, {len(song.tracks)} tracks, {len(notes)} notes, {font.name} ({font.path.name})")
    rows = [
        (f"ours, {args.workers} processes", lambda: run_ours(font.path, song, ProcessPoolExecutor, args.workers)),
        (f"ours, {args.workers} threads", lambda: run_ours(font.path, song, ThreadPoolExecutor, args.workers)),
        ("ours, 1 thread", lambda: run_ours(font.path, song, ThreadPoolExecutor, 1)),
    ]
    if shutil.which("fluidsynth"):
        rows.append(("fluidsynth, 1 thread, one stereo file", lambda: run_fluidsynth(font.path, song)))
    for name, work in rows:
        taken = median_seconds(work, args.runs)
        print(f"{name:40} {taken:7.2f} s   {seconds / taken:6.0f} times real time")
    written = sum(notes) * SAMPLE_RATE * 4 * 3 + len(song.tracks) * (seconds + TAIL_SECONDS) * SAMPLE_RATE * 2 * 4 * 2
    print(f"{'bound: every note added once, each stem written':40} {written / memory_bandwidth():7.2f} s   (one core)")


if __name__ == "__main__":
    main()
