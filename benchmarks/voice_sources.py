"""Prints what can speak for a singer, measured on the same English lines: espeak, flite, festival, and those named.

Usage: python benchmarks/voice_sources.py [--sources espeak,flite,festival,piper:PATH] [--singer clara]

The recogniser was trained on espeak alone. So the row of the engine's own reading of the plain text is printed beside:
it is what the recogniser mishears of that engine whatever songwright does.
"""

import argparse
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from singing import LINES, SAMPLE_RATE, tune_of
from songwright.evaluation.phoneme_classes import phoneme_classes
from songwright.evaluation.recogniser import decode, phoneme_errors, posteriors
from songwright.evaluation.singing import EVERYTHING, measure_singing
from songwright.perform.singer.player import SingerPlayer, phone_times
from songwright.perform.singer.source import SourceLine, SpokenLine
from songwright.perform.singer.sources.choose import source_of
from songwright.perform.timeline import performance
from songwright.score.song import Singer, Song


def lines_of(song: Song) -> list[SourceLine]:
    """Returns the song's lines."""
    numbers = sorted({s.line for s in song.syllables})
    return [SourceLine(tuple(s for s in song.syllables if s.line == n), 220.0) for n in numbers]


def error(line: SourceLine, waveform: NDArray[np.float32], sample_rate: int) -> tuple[int, int]:
    """Returns wrong phones and phones of a line as the recogniser hears it."""
    known = phoneme_classes("en")
    told = [known.names[c] for s in line.syllables for p in s.phonemes for c in known.fold(p)]
    told = [name for i, name in enumerate(told) if i == 0 or told[i - 1] != name]
    heard = [p.name for p in decode(posteriors(waveform, sample_rate, "en"), "en")]
    return phoneme_errors(told, heard), len(told)


def harmonic_to_noise_db(waveform: NDArray[np.float32], sample_rate: int) -> float:
    """Returns harmonics over noise in 4 to 8 kHz by WORLD's aperiodicity, median of voiced frames, decibels."""
    import pyworld

    wave = waveform.astype(np.float64)
    f0, times = pyworld.harvest(wave, sample_rate, f0_floor=70, f0_ceil=700)
    noise = pyworld.d4c(wave, f0, times, sample_rate, threshold=0.0)  # (frames, bins), of amplitude
    hz = np.linspace(0, sample_rate / 2, noise.shape[1])
    inside = (hz >= 4000) & (hz <= 8000)
    share = np.clip((noise[f0 > 0][:, inside] ** 2).mean(axis=1), 1e-6, 1 - 1e-6)
    return float(np.median(10 * np.log10((1 - share) / share)))


def own_reading(source: str) -> list[tuple[NDArray[np.float32], int]] | None:
    """Returns the lines as an engine reads the plain text by itself, in its own time."""
    import soundfile

    if source == "espeak" or shutil.which(source) is None:
        return None
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for k, text in enumerate(LINES["tuned"]["en"][:8]):
            wave = Path(folder) / f"{k}.wav"
            if source == "flite":
                subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", str(wave)], check=True, timeout=60)
            else:
                script = Path(folder) / "read.scm"
                script.write_text(
                    f'(voice_cmu_us_slt_arctic_hts)(utt.save.wave (SynthText "{text}") "{wave}" \'riff)\n'
                )
                subprocess.run(["festival", "-b", str(script)], check=True, timeout=60)
            found.append(soundfile.read(wave, dtype="float32"))
    return found


def percent(pairs: Sequence[tuple[int, int]]) -> float:
    """Returns wrong of all in percent."""
    return 100.0 * sum(a for a, _ in pairs) / sum(b for _, b in pairs)


def measure(source: str, singer: str) -> dict[str, str]:
    """Returns one column of the table."""
    song = tune_of("en", singer, 84.0, {"en": LINES["tuned"]["en"][:8]})
    who = Singer(singer, source)
    song = replace(song, tracks=(replace(song.tracks[0], singer=who),))
    lines = lines_of(song)
    begun = time.perf_counter()
    spoken: list[SpokenLine] = source_of(who).speak(lines)
    seconds = time.perf_counter() - begun
    length = sum(len(s.waveform) / s.sample_rate for s in spoken)
    heard = percent([error(a, s.waveform, s.sample_rate) for a, s in zip(lines, spoken, strict=True)])
    clear = np.median([harmonic_to_noise_db(s.waveform, s.sample_rate) for s in spoken])
    column = {
        "phoneme error, spoken for the singer, %": f"{heard:.1f}",
        "seconds to speak the lines": f"{seconds:.2f}",
        "seconds of speech": f"{length:.1f}",
        "harmonics over noise 4-8 kHz, spoken, dB": f"{clear:.1f}",
    }
    read = own_reading(source)
    plain = read and f"{percent([error(a, w, r) for a, (w, r) in zip(lines, read, strict=True)]):.1f}"
    column["phoneme error, its own reading of the text, %"] = plain or "-"
    played = performance(song, song.tracks[0])
    begun = time.perf_counter()
    sung = SingerPlayer(1).render(
        played, "voice", sample_rate=SAMPLE_RATE, num_samples=int(song.duration_seconds * SAMPLE_RATE)
    )[0]
    column["seconds to sing a second"] = f"{(time.perf_counter() - begun) / song.duration_seconds:.3f}"
    report = measure_singing(song, "vocal", sung, SAMPLE_RATE, phone_times(played), budget=EVERYTHING)
    column["phoneme error, sung, %"] = "-" if report.phoneme_error is None else f"{100 * report.phoneme_error:.1f}"
    found = report.syllables_found
    column["vowels found in their windows, %"] = "-" if found is None else f"{100 * found:.1f}"
    pitch = report.pyin
    column["pYIN: frames within 50 cents, %"] = "-" if pitch is None else f"{100 * pitch.within_50_cents:.1f}"
    column["harmonics over noise 4-8 kHz, sung, dB"] = f"{harmonic_to_noise_db(sung, SAMPLE_RATE):.1f}"
    return column


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", default="espeak,flite,festival")
    parser.add_argument("--singer", default="clara")
    wanted = parser.parse_args()
    names = wanted.sources.split(",")
    columns = [measure(name, wanted.singer) for name in names]
    print(f"{'':46s}" + "".join(f"{n[:16]:>17s}" for n in names))
    for label in columns[0]:
        print(f"{label:46s}" + "".join(f"{c[label]:>17s}" for c in columns))


if __name__ == "__main__":
    main()
