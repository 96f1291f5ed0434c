"""Spectrograms and long-term spectra before and after mending: espeak's own voice, the source, and the sung line.

python dev/singer/pictures.py
"""

# ruff: noqa: T201
import sys
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from PIL import Image
from scipy.signal import spectrogram, welch

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from songwright.perform.singer.source import SourceLine
from songwright.perform.singer.sources.espeak import EspeakSource
from voices import RATE, phrase, reference_syllables, sung

HERE = Path(__file__).parent
BANDS = (250, 500, 1000, 2000, 3150, 4000, 5000, 6300, 8000, 10000, 12500, 16000)


def draw(axis: plt.Axes, wave: NDArray[np.floating], rate: int, title: str) -> None:
    """Draws a spectrogram up to 16 kHz, 85 dB deep."""
    hz, times, power = spectrogram(wave, rate, nperseg=int(0.023 * rate), noverlap=int(0.018 * rate))
    level = 10 * np.log10(power + 1e-14)
    axis.imshow(
        level, origin="lower", aspect="auto", extent=(0, times[-1], 0, hz[-1] / 1000),
        vmin=level.max() - 85, vmax=level.max(), cmap="magma",
    )  # fmt: skip
    axis.set(ylim=(0, 16), title=title, ylabel="kHz")


def long_term(wave: NDArray[np.floating], rate: int) -> list[float]:
    """Returns the long-term level in each of `BANDS`, decibels, 0 at 500 Hz."""
    hz, power = welch(wave, rate, nperseg=2048)
    rows = [power[(hz >= b / 2**0.17) & (hz < b * 2**0.17)] for b in BANDS]
    levels = [10 * np.log10(r.mean() + 1e-16) if r.size else float("nan") for r in rows]
    return [round(float(x - levels[1]), 1) for x in levels]


def flatness(wave: NDArray[np.floating], rate: int, low: float, high: float) -> float:
    """Returns the spectral flatness of the long-term spectrum in a band, 0 to 1: valleys make it small."""
    hz, power = welch(wave, rate, nperseg=1024)
    band = power[(hz > low) & (hz < high)] + 1e-16
    return float(np.exp(np.log(band).mean()) / band.mean())


def main() -> None:
    """Writes the pictures and prints the numbers."""
    for language, singer in (("en", "clara"), ("zh", "vera"), ("ru", "adam")):
        line = SourceLine(reference_syllables(language), 220.0)
        plain = EspeakSource("f2" if singer != "adam" else "m3", 50).speak([line])[0]
        after = sung(phrase(language, singer))
        figure, axes = plt.subplots(2, 1, figsize=(11, 7))
        draw(axes[0], plain.waveform, plain.sample_rate, f"before: espeak's own voice, {language}, spoken")
        draw(axes[1], after, RATE, f"after: {singer} sings it")
        figure.tight_layout()
        path = HERE / f"{language}_{singer}.png"
        figure.savefig(path, dpi=52)
        plt.close(figure)
        Image.open(path).convert("RGB").quantize(40).save(path, optimize=True)
        for name, wave, rate in (("before", plain.waveform, plain.sample_rate), ("after", after, RATE)):
            flat = flatness(wave, rate, 1000, 8000)
            print(f"{language} {singer:6} {name:7} flatness 1-8 kHz {flat:.4f} bands", *long_term(wave, rate))


if __name__ == "__main__":
    main()
