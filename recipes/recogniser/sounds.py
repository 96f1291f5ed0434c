"""Spoken lines with a class for every frame, and what is done to them so that the recogniser knows song too.

Each line is heard twice: as it was spoken (resampled, tilted, with noise, a room, a band limit), and *drawn out*: taken
apart and put together again by WORLD with vowels up to five times as long, a tune of random notes from 75 to 750 Hz
with glides and vibrato, and shifted formants. *Held* lines go further: vowels stand still at one place, as a singer
holds the first half of a diphthong, many are high, and some breathe. That is still speech of the training voices; no
singer is heard.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from lines import Material, make_lines
from numpy.typing import NDArray

from songwright.audio.resample import resample
from songwright.evaluation.mel import HOP, SAMPLE_RATE, log_mel
from songwright.evaluation.phoneme_classes import PhonemeClasses, phoneme_classes
from songwright.speech.espeak import Spoken, Utterance, speak

_FRAME_MS = 7.5
_VOLUME = 55  # the loudest variants clip above
Wave = NDArray[np.float32]


@dataclass(frozen=True)
class Segments:
    """A sound with its classes: class k lasts from ``times[k]`` to ``times[k + 1]`` seconds (silence included)."""

    waveform: Wave
    times: NDArray[np.float64]
    classes: NDArray[np.int64]
    voice: str = ""


@dataclass(frozen=True)
class Analysis:
    """A sound taken apart by WORLD: (frames,) pitch, (frames, bins) spectral envelope and aperiodicity."""

    f0: NDArray[np.float64]
    spectrum: NDArray[np.float64]
    aperiodicity: NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """What is learned from: (frames, bands) log-mel, a class for each frame, and the sequence of phones."""

    language: str
    mel: NDArray[np.float16]
    labels: NDArray[np.uint8]
    phones: tuple[int, ...]


def speak_lines(
    material: Material,
    language: str,
    voices: Sequence[str],
    count: int,
    rates: tuple[int, int],
    random: np.random.Generator,
) -> list[Segments]:
    """Returns lines spoken by the voices at random rates and pitches, half of them flat."""
    utterances = [
        Utterance(
            text,
            variant=voices[i % len(voices)],
            words_per_minute=int(random.integers(rates[0], rates[1] + 1)),
            pitch=int(random.integers(25, 76)),
            pitch_range=int(random.choice([0, 0, 30, 60])),
            volume=_VOLUME,
        )
        for i, text in enumerate(make_lines(material, language, count, random))
    ]
    classes = phoneme_classes(language)
    spoken = [s for first in range(0, count, 100) for s in speak(utterances[first : first + 100], language)]
    return [
        replace(segments(s, classes), voice=u.variant)
        for s, u in zip(spoken, utterances, strict=True)
        if s.phones and classes.knows(p.symbol for p in s.phones)
    ]


def segments(spoken: Spoken, classes: PhonemeClasses) -> Segments:
    """Returns a spoken line at the recogniser's sample rate, with classes and times; pauses are silence."""
    waveform = resample(spoken.waveform, spoken.sample_rate, SAMPLE_RATE)
    times, ids = [0.0], []
    for phone in spoken.phones:
        start, end = phone.start_sample / spoken.sample_rate, phone.end_sample / spoken.sample_rate
        folded = classes.fold(phone.symbol)
        if start > times[-1] + 1e-4:
            ids.append(0)
            times.append(start)
        if not folded and ids:
            times[-1] = end
            continue
        for k, one in enumerate(folded):
            ids.append(one)
            times.append(start + (end - start) * (k + 1) / len(folded))
    length = len(waveform) / SAMPLE_RATE
    if length > times[-1] + 1e-4:
        ids.append(0)
        times.append(length)
    return Segments(waveform, np.array(times), np.array(ids, dtype=np.int64))


def example(sound: Segments, language: str) -> Example:
    """Returns spectra and labels of a sound."""
    mel = log_mel(sound.waveform)
    at = np.arange(len(mel)) * HOP / SAMPLE_RATE
    index = np.clip(np.searchsorted(sound.times, at, side="right") - 1, 0, len(sound.classes) - 1)
    return Example(language, mel.astype(np.float16), sound.classes[index].astype(np.uint8), sequence(sound.classes))


def sequence(classes: Sequence[int] | NDArray[np.int64]) -> tuple[int, ...]:
    """Returns the phones of a line: silences out, neighbours that are alike are one."""
    rows = [int(c) for c in classes if c]
    return tuple(c for i, c in enumerate(rows) if i == 0 or rows[i - 1] != c)


def as_spoken(sound: Segments, random: np.random.Generator) -> Segments:
    """Returns the line resampled by up to an eighth (pitch, formants and tempo together) and degraded."""
    ratio = float(np.exp(random.uniform(-0.12, 0.12)))
    waveform = (
        resample(sound.waveform, SAMPLE_RATE, round(SAMPLE_RATE * ratio)) if random.random() < 0.6 else sound.waveform
    )
    scale = len(waveform) / len(sound.waveform)
    return Segments(degraded(waveform, random), sound.times * scale, sound.classes)


def analysed(sound: Segments) -> Analysis:
    """Returns a line taken apart by WORLD."""
    import pyworld

    x = sound.waveform.astype(np.float64)
    f0, t = pyworld.dio(x, SAMPLE_RATE, frame_period=_FRAME_MS)
    f0 = pyworld.stonemask(x, f0, t, SAMPLE_RATE)
    return Analysis(f0, pyworld.cheaptrick(x, f0, t, SAMPLE_RATE), pyworld.d4c(x, f0, t, SAMPLE_RATE))


def drawn_out(
    sound: Segments,
    kinds: Sequence[str],
    random: np.random.Generator,
    *,
    held: bool = False,
    analysis: Analysis | None = None,
) -> Segments:
    """Returns the line as if it were sung: long vowels, a tune, other formants.

    Args:
        sound: a spoken line.
        kinds: of every class.
        random: draws.
        held: whether vowels may stand still, notes are high more often, and some lines breathe.
        analysis: of this sound, where it is known already.
    """
    import pyworld

    parts = analysis or analysed(sound)
    lengths = np.diff(sound.times)
    vowel = np.array([kinds[c] == "vowel" and c > 0 for c in sound.classes])
    pull = float(random.uniform(0.8, 4.0))
    stretch = np.where(
        vowel, pull * np.exp(random.normal(0, 0.35, len(lengths))), random.uniform(0.7, 1.4, len(lengths))
    )
    stretch = np.where(vowel, np.minimum(stretch, 1.6 / np.maximum(lengths, 0.02)), stretch)
    times = np.concatenate([[0.0], np.cumsum(lengths * np.where(sound.classes == 0, 0.5, stretch))])
    grid = np.arange(0.0, times[-1], _FRAME_MS / 1000.0)
    knots = _holds(times, sound.times, vowel, random) if held else (times, sound.times)
    source = np.interp(grid, *knots) / (_FRAME_MS / 1000.0)
    last = len(parts.f0) - 1
    index = np.clip(np.round(source + random.normal(0, 0.7, len(grid))).astype(int), 0, last)
    warp = float(np.exp(random.uniform(-0.14, 0.14)))
    bins = np.clip(np.arange(parts.spectrum.shape[1]) / warp, 0, parts.spectrum.shape[1] - 1)
    envelope = np.exp(_bend(np.log(parts.spectrum + 1e-16), bins)[index])
    noise = np.clip(_bend(parts.aperiodicity, bins)[index], 0.0, 1.0)
    if held and random.random() < 0.4:
        slope = np.linspace(0.0, 1.0, noise.shape[1]) ** float(random.uniform(0.2, 2.0))
        noise = 1.0 - (1.0 - noise) * (1.0 - float(random.uniform(0.1, 0.8)) * slope)
    tune = _tune(times, sound.classes, vowel, grid, random, (350.0 if held and random.random() < 0.35 else 95.0, 600.0))
    voiced = parts.f0[np.clip(np.round(source).astype(int), 0, last)] > 0
    waveform = pyworld.synthesize(
        np.where(voiced, tune, 0.0), np.ascontiguousarray(envelope), np.ascontiguousarray(noise), SAMPLE_RATE, _FRAME_MS
    )
    return Segments(degraded(waveform.astype(np.float32), random), times, sound.classes)


def _holds(
    times: NDArray[np.float64], spoken: NDArray[np.float64], vowel: NDArray[np.bool_], random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns knots (drawn-out seconds, spoken seconds): most long vowels stand still, their ends go as in speech."""
    drawn_rows, spoken_rows = [times[:1]], [spoken[:1]]
    for k in range(len(vowel)):
        length, whole = float(spoken[k + 1] - spoken[k]), float(times[k + 1] - times[k])
        if vowel[k] and whole > 1.3 * length and random.random() < 0.75:
            place, width = float(random.uniform(0.2, 0.65)), float(random.uniform(0.02, 0.25))
            before, after = place * length, (1.0 - place - width) * length
            drawn_rows.append(np.array([times[k] + before, times[k + 1] - max(0.0, after)]))
            spoken_rows.append(np.array([spoken[k] + before, spoken[k + 1] - max(0.0, after)]))
        drawn_rows.append(times[k + 1 : k + 2])
        spoken_rows.append(spoken[k + 1 : k + 2])
    return np.concatenate(drawn_rows), np.concatenate(spoken_rows)


def _bend(rows: NDArray[np.float64], bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns (frames, bins) read at fractional bins."""
    low = np.floor(bins).astype(int)
    high = np.minimum(low + 1, rows.shape[1] - 1)
    part = bins - low
    return rows[:, low] * (1 - part) + rows[:, high] * part


def _tune(
    times: NDArray[np.float64], classes: NDArray[np.int64], vowel: NDArray[np.bool_], grid: NDArray[np.float64],
    random: np.random.Generator, hertz: tuple[float, float],
) -> NDArray[np.float64]:  # fmt: skip
    """Returns the pitch of every frame: a note for each vowel, glides, vibrato; its centre is within `hertz`."""
    centre = 69.0 + 12.0 * np.log2(float(np.exp(random.uniform(np.log(hertz[0]), np.log(hertz[1])))) / 440.0)
    notes = centre + np.cumsum(random.choice([-4, -2, -1, 0, 0, 1, 2, 4], len(classes))) % 9 - 4
    current, pitch = notes[0], np.empty(len(classes))
    for k in range(len(classes)):
        current = notes[k] if vowel[k] else current
        pitch[k] = current
    curve = pitch[np.clip(np.searchsorted(times, grid, side="right") - 1, 0, len(classes) - 1)]
    width = int(random.integers(6, 20))
    kernel = np.hanning(width + 2)[1:-1]
    smooth = np.convolve(np.pad(curve, width, mode="edge"), kernel / kernel.sum(), mode="same")[width:-width]
    depth, rate = float(random.uniform(0, 0.6)), float(random.uniform(4.5, 6.5))
    vibrato = depth * np.sin(2 * np.pi * rate * grid + random.uniform(0, 6.28)) + random.normal(0, 0.05, len(grid))
    return np.asarray(440.0 * 2.0 ** ((smooth[: len(grid)] + vibrato - 69.0) / 12.0))


def degraded(waveform: Wave, random: np.random.Generator) -> Wave:
    """Returns the sound with a tilt, sometimes a peak, a band limit, a room, and noise."""
    spectrum = np.fft.rfft(waveform)
    frequency = np.fft.rfftfreq(len(waveform), 1.0 / SAMPLE_RATE)
    octaves = np.log2(np.maximum(frequency, 60.0) / 1000.0)
    gain_db = random.normal(0, 2.5) * octaves
    if random.random() < 0.5:
        gain_db += random.uniform(-6, 10) * np.exp(
            -(((octaves - random.uniform(-2, 2.5)) / random.uniform(0.3, 1)) ** 2)
        )
    if random.random() < 0.15:
        gain_db -= 40.0 * np.clip((frequency - random.uniform(4000, 7000)) / 800.0, 0, 1)
    if random.random() < 0.15:
        gain_db -= 30.0 * np.clip((random.uniform(80, 250) - frequency) / 100.0, 0, 1)
    result = np.fft.irfft(spectrum * 10.0 ** (gain_db / 20.0), len(waveform))
    if random.random() < 0.3:
        seconds = random.uniform(0.1, 0.5)
        tail = random.normal(0, 1, int(seconds * SAMPLE_RATE)) * np.exp(
            -6.9 * np.linspace(0, 1, int(seconds * SAMPLE_RATE))
        )
        size = len(result) + len(tail)
        wet = np.fft.irfft(np.fft.rfft(result, size) * np.fft.rfft(tail, size), size)[: len(result)]
        result = result + wet * (float(np.std(result)) / (float(np.std(wet)) + 1e-9)) * 10.0 ** (
            random.uniform(-24, -8) / 20.0
        )
    hiss = random.normal(0, 1, len(result)) * float(np.std(result)) * 10.0 ** (-random.uniform(18, 60) / 20.0)
    return np.asarray(result + hiss, dtype=np.float32)


def make_examples(
    material: Material,
    language: str,
    voices: Sequence[str],
    left_out: Collection[str],
    count: int,
    rates: tuple[int, int],
    random: np.random.Generator,
) -> list[Example]:
    """Returns pairs of examples of each of `count` lines, spoken and drawn out: one pair drawn, one held.

    Lines of voices left out are thrown away.
    """
    kinds = phoneme_classes(language).kinds
    found: list[Example] = []
    for sound in speak_lines(material, language, voices, count, rates, random):
        if sound.voice in left_out:
            continue
        analysis = analysed(sound)
        for held in (False, True):
            drawn = drawn_out(sound, kinds, random, held=held, analysis=analysis)
            found += [example(as_spoken(sound, random), language), example(drawn, language)]
    return found


def pack(examples: Sequence[Example]) -> dict[str, Any]:
    """Returns examples as arrays for one npz file."""
    return {
        "mel": np.concatenate([e.mel for e in examples]),
        "labels": np.concatenate([e.labels for e in examples]),
        "lengths": np.array([len(e.labels) for e in examples]),
        "languages": np.array([e.language for e in examples]),
        "phones": np.concatenate([np.array(e.phones, dtype=np.uint8) for e in examples]),
        "counts": np.array([len(e.phones) for e in examples]),
    }


def unpack(arrays: dict[str, Any]) -> list[Example]:
    """Returns the examples of such a file."""
    ends, phone_ends = np.cumsum(arrays["lengths"]), np.cumsum(arrays["counts"])
    return [
        Example(
            str(language),
            arrays["mel"][end - length : end],
            arrays["labels"][end - length : end],
            tuple(int(p) for p in arrays["phones"][last - count : last]),
        )
        for language, end, length, last, count in zip(
            arrays["languages"], ends, arrays["lengths"], phone_ends, arrays["counts"], strict=True
        )
    ]
