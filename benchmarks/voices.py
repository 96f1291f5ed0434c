"""The singer's voices measured: do they differ, are they in tune, how bright and how clean are they, how fast.

python benchmarks/voices.py             the table, and the mel-cepstral distance between all pairs
python benchmarks/voices.py --fit       the `mend_db` rows of perform/singer/spectra.toml, measured anew
"""

import argparse
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from songwright.audio.loudness import integrated_lufs
from songwright.perform.singer.phones import is_vowel
from songwright.perform.singer.player import SingerPlayer, phone_times
from songwright.perform.singer.source import Source, SourceLine
from songwright.perform.singer.sources.espeak import EspeakSource
from songwright.perform.singer.sources.festival import FestivalSource
from songwright.perform.singer.sources.flite import FliteSource
from songwright.perform.singer.spectrum import fill_valleys, tables
from songwright.perform.singer.world import HOP_SECONDS, analyse
from songwright.perform.timeline import Performance
from songwright.score.song import Singer, Syllable
from songwright.score.voices import SINGERS, VOICE_TYPES

RATE = 44100
_VOWELS = {
    "en": ("A:", "i:", "u:", "E", "O:", "V", "I", "a", "oU", "eI", "aI", "@", "3:"),
    "zh": ("A", "i", "u", "o", "@", "ai", "Au", "ei", "yE"),
    "ru": ("A", "i", "u", "o", "E", "y", "V", "e"),
}
_CONSONANTS = ("m", "l", "d", "n", "b", "s")


def reference_syllables(language: str) -> tuple[Syllable, ...]:
    """Returns syllables with all common vowels of a language, consonants in turn before them."""
    vowels = _VOWELS[language]
    return tuple(
        Syllable(i, "la", "la", 1, 0, language, (_CONSONANTS[i % len(_CONSONANTS)], vowel), 1)
        for i, vowel in enumerate(vowels)
    )


def phrase(language: str, singer: str, *, shift: int = 0) -> Performance:
    """Returns the reference syllables on a rising and falling line in the middle of a singer's range."""
    syllables = reference_syllables(language)
    low, high = VOICE_TYPES[SINGERS[singer].voice_type].tessitura
    centre = (low + high) // 2 + shift
    steps = (0, 2, 4, 5, 7, 5, 4, 2, 0, -1, 0, 2, 0)
    starts = 0.5 + 0.4 * np.arange(len(syllables))
    ends = starts + 0.39
    ends[-1] += 0.8
    pitches = np.array([centre + steps[i % len(steps)] for i in range(len(syllables))])
    return Performance(starts, ends, pitches, np.full(len(syllables), 88), syllables=syllables, singer=Singer(singer))


def fit(source: Source, languages: Sequence[str]) -> list[float]:
    """Returns what brings a source's vowels to the target spectrum, in each band, decibels."""
    curves = tables()
    total = np.zeros(0)
    for language in languages:
        spoken = source.speak([SourceLine(reference_syllables(language), 200.0)])[0]
        found = analyse(spoken)
        filled = fill_valleys(found.log_power, found.sample_rate / 2 / (found.log_power.shape[1] - 1))
        for phone in spoken.phones:
            if not is_vowel(phone.symbol):
                continue
            length = phone.end_seconds - phone.start_seconds
            a, b = (int((phone.start_seconds + x * length) / HOP_SECONDS) for x in (0.25, 0.75))
            power = np.exp(filled[a : max(b, a + 1)].astype(np.float64)).mean(axis=0)
            total = power / power.mean() + (total if len(total) else 0.0)
    hz = np.linspace(0, found.sample_rate / 2, len(total))
    rows = []
    for band in curves.band_hz:
        inside = (hz >= band / 2**0.35) & (hz <= band * 2**0.35)
        rows.append(10 * np.log10(total[inside].mean()) if inside.any() else np.nan)
    have = np.array(rows)
    usable = (curves.band_hz >= 200) & (curves.band_hz <= 5500)
    low = (curves.band_hz >= 250) & (curves.band_hz <= 750)
    gap = curves.vowel_db - have
    gap -= gap[low].mean()
    gap = np.interp(np.log(curves.band_hz), np.log(curves.band_hz[usable]), gap[usable])
    smooth = np.convolve(np.pad(gap, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    return [round(float(x), 1) for x in np.clip(smooth, -18, 18)]


def cepstra(singer: str, seed: int, shift: int, language: str) -> NDArray[np.float64]:
    """Returns the mel cepstra of the reference line as one voice sings it, without the level. (frames, 24)."""
    import pyworld
    from scipy.fft import dct

    played = phrase(language, singer, shift=shift)
    wave = sung(played, seed)
    f0, times = pyworld.dio(wave, RATE, f0_floor=60.0, f0_ceil=900.0, frame_period=10.0)
    power = pyworld.cheaptrick(wave, f0, times, RATE, fft_size=2048)  # (frames, 1025)
    hz = np.linspace(0, RATE / 2, power.shape[1])
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 12000 / 700), 42) / 2595) - 1)
    bank = np.maximum(0, np.minimum((hz - edges[:-2, None]) / np.diff(edges)[:-1, None],
                                    (edges[2:, None] - hz) / np.diff(edges)[1:, None]))  # fmt: skip
    return np.asarray(dct(np.log(power @ bank.T + 1e-12), norm="ortho", axis=1)[:, 1:25])


def sung(played: Performance, seed: int = 1) -> NDArray[np.float64]:
    """Returns a performance as sound, (samples,)."""
    count = int((played.end_seconds[-1] + 0.3) * RATE)
    return SingerPlayer(seed).render(played, "voice", sample_rate=RATE, num_samples=count)[0].astype(np.float64)


def distance_db(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Returns the mel-cepstral distortion of two takes that are equally timed, decibels."""
    size = min(len(a), len(b))
    return float(10 / np.log(10) * np.mean(np.sqrt(2 * ((a[:size] - b[:size]) ** 2).sum(axis=1))))


def print_distances(language: str) -> None:
    """Prints the distance of all pairs of voices on one line at one pitch, and of two takes of each voice."""
    common = 60
    shifts = {n: common - sum(VOICE_TYPES[SINGERS[n].voice_type].tessitura) // 2 for n in SINGERS}
    takes = {n: [cepstra(n, seed, shifts[n], language) for seed in (1, 2)] for n in SINGERS}
    print(f"mel-cepstral distance, dB, {language}; diagonal: two takes of one voice")
    print(" " * 7 + "".join(f"{n:>7}" for n in SINGERS))
    for one in SINGERS:
        cells = [distance_db(takes[one][0], takes[other][1]) for other in SINGERS]
        print(f"{one:7}" + "".join(f"{c:7.2f}" for c in cells))


def print_table(language: str) -> None:
    """Prints pitch error, brightness and speed of each voice in its own range."""
    import pyworld

    print(f"{'voice':7}{'RTF':>7}{'median c':>9}{'in 50 c':>8}{'centroid':>9}{'HNR 1-4k':>9}{'HNR 4-8k':>9}{'LUFS':>7}")
    for name in SINGERS:
        played = phrase(language, name)
        began = os.times()
        wave = sung(played)
        spent = sum(os.times()[:4]) - sum(began[:4])  # of the processor, the worker's too
        want = 440 * 2 ** ((played.pitches - 69) / 12)
        f0, times = pyworld.harvest(wave, RATE, f0_floor=0.6 * want.min(), f0_ceil=1.6 * want.max())
        power = pyworld.cheaptrick(wave, f0, times, RATE)
        noise = pyworld.d4c(wave, f0, times, RATE) ** 2 * power
        hz = np.linspace(0, RATE / 2, power.shape[1])
        voiced = f0 > 0
        errors = np.concatenate(
            [
                1200 * np.log2(f0[inside] / hertz)
                for a, b, hertz in zip(played.start_seconds, played.end_seconds, want, strict=True)
                if (inside := (times > a + 0.08) & (times < b - 0.14) & voiced).any()
            ]
        )
        held = np.zeros(len(times), dtype=bool)
        for phone in phone_times(played):
            if phone.is_nucleus:
                held |= (times > phone.start_seconds + 0.03) & (times < phone.end_seconds - 0.03)
        voiced &= held
        ratios = []
        for low, high in ((1000, 4000), (4000, 8000)):
            band = (hz >= low) & (hz < high)
            whole, rough = power[voiced][:, band].sum(), noise[voiced][:, band].sum()
            ratios.append(10 * np.log10((whole - rough) / rough))
        mean = power[voiced].mean(axis=0)
        centroid = float((mean * hz).sum() / mean.sum())
        loudness = integrated_lufs(np.stack([wave, wave]).astype(np.float32), RATE)
        print(
            f"{name:7}{spent / (len(wave) / RATE):7.3f}{np.median(np.abs(errors)):9.1f}"
            f"{np.mean(np.abs(errors) < 50):8.3f}{centroid:9.0f}{ratios[0]:9.1f}{ratios[1]:9.1f}{loudness:7.1f}"
        )


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help="print the mend_db rows anew")
    parser.add_argument("--languages", nargs="+", default=["en"], choices=tuple(_VOWELS))
    wanted = parser.parse_args()
    if wanted.fit:
        for variant in tables().mend_db:
            source: Source = FliteSource() if variant == "flite" else FestivalSource()
            if variant not in ("flite", "festival"):
                source = EspeakSource(variant)
            print(f"{variant} = {fit(source, source.languages() or tuple(_VOWELS))}")
        return
    for language in wanted.languages:
        print_table(language)
        print_distances(language)


if __name__ == "__main__":
    main()
