"""Harmonic spectrum of a real singer inside a mix, note by note, beside that of the voices of the house.

    python dev/singer/real_voice.py "<folder with song.txt (UltraStar) and audio.ogg>"

The pitch of every note is known, so the voice's harmonics are found in the mix: each harmonic's peak, less what lies
between the harmonics. What the band plays at the same pitches is counted with it: read the result as an upper bound.
"""

# ruff: noqa: T201
import re
import sys
from pathlib import Path

import numpy as np
import pyworld
import soundfile as sf
from numpy.typing import NDArray

BANDS = np.array([250, 500, 750, 1000, 1500, 2000, 2500, 3150, 4000, 5000, 6300, 8000])


def notes(folder: Path) -> list[tuple[float, float, int]]:
    """Returns (start, end, midi) rows of an UltraStar song."""
    text = (folder / "song.txt").read_text(encoding="utf-8", errors="replace")
    bpm = float(re.search(r"#BPM:([\d.,]+)", text)[1].replace(",", ".")) * 4
    gap = float(re.search(r"#GAP:([\d.,]+)", text)[1].replace(",", ".")) / 1000
    rows = re.findall(r"^[:*] (-?\d+) (\d+) (-?\d+) ", text, re.M)
    return [(gap + int(a) * 60 / bpm, gap + (int(a) + int(n)) * 60 / bpm, 60 + int(p)) for a, n, p in rows]


def harmonic_levels(
    wave: NDArray[np.float64], rate: int, rows: list[tuple[float, float, int]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the median harmonic level in each band, decibels, 0 below 900 Hz, and how far it stands out."""
    levels = [[] for _ in BANDS]
    clear = [[] for _ in BANDS]
    for start, end, midi in rows:
        if end - start < 0.18:
            continue
        piece = wave[int((start + 0.06) * rate) : int((end - 0.03) * rate)]
        want = 440 * 2 ** ((midi - 69) / 12)
        f0, times = pyworld.dio(piece, rate, f0_floor=60, f0_ceil=900)
        f0 = pyworld.stonemask(piece, f0, times, rate)
        octaves = np.round(np.log2(np.maximum(f0, 1) / want))
        near = (
            (f0 > 0) & (np.abs(1200 * np.log2(np.maximum(f0, 1) / want / 2.0**octaves)) < 80) & (np.abs(octaves) <= 1)
        )
        if near.sum() < 8:
            continue
        tone = float(np.median(f0[near]))
        size = 1 << 15
        spectrum = np.abs(np.fft.rfft(piece[:8192] * np.hanning(len(piece[:8192])), size)) ** 2
        width = rate / size
        rows_db = []
        for k in range(1, int(9000 / tone)):
            a = int((k * tone - 0.03 * k * 12 - 15) / width)
            peak = spectrum[a : int((k * tone + 0.03 * k * 12 + 15) / width) + 1].max()
            between = np.median(spectrum[int((k + 0.3) * tone / width) : int((k + 0.7) * tone / width)])
            rows_db.append(
                (k * tone, 10 * np.log10(max(peak - between, 1e-3 * peak) / tone), 10 * np.log10(peak / between))
            )
        low = [10 ** (d / 10) for h, d, c in rows_db if h <= 900 and c > 6]
        if not low:
            continue
        base = 10 * np.log10(np.mean(low))
        for i, band in enumerate(BANDS):
            inside = [(d - base, c) for h, d, c in rows_db if band / 2**0.25 <= h < band * 2**0.25]
            levels[i] += [d for d, _ in inside]
            clear[i] += [c for _, c in inside]
    return np.array([np.median(x) if x else np.nan for x in levels]), np.array(
        [np.median(c) if c else np.nan for c in clear]
    )


def main() -> None:
    """Prints both."""
    folder = Path(sys.argv[1])
    wave, rate = sf.read(folder / "audio.ogg")
    real, clear = harmonic_levels(wave.mean(axis=1), rate, notes(folder))
    print("band Hz ", *(f"{b:6d}" for b in BANDS))
    print("real dB ", *(f"{x:6.1f}" for x in real))
    print("  clear ", *(f"{x:6.1f}" for x in clear))
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    from voices import RATE, phrase, sung

    for name in ("clara", "iris", "vera", "adam", "leo", "rex", "boris", "mia"):
        played = phrase("en", name)
        rows = list(zip(played.start_seconds, played.end_seconds, played.pitches, strict=True))
        ours, _ = harmonic_levels(sung(played), RATE, rows)
        print(f"{name:8}", *(f"{x:6.1f}" for x in ours))


if __name__ == "__main__":
    main()
