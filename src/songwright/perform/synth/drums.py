"""Synthesised drum kits: every General MIDI drum made of swept sines, rings of squares, and shaped noise."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from songwright.audio.recursive import butterworth, run
from songwright.score.drums import DRUM_NAMES
from songwright.seeding import generator

Waveform = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Kit:
    """How a kit differs from another.

    Attributes:
        kick_hz: (start, end) of the kick's sweep; kick_seconds: how long it rings; kick_click: level of its attack.
        snare_hz: body; snare_seconds; snare_noise: level of the wires.
        hat_seconds: closed and open.
        clap_seconds: tail of the clap.
        tune: semitones by which toms, congas and bells are moved.
        crush_hz: sample rate of an old sampler, 0 is off.
        drive: saturation of the whole kit.
    """

    kick_hz: tuple[float, float] = (150.0, 48.0)
    kick_seconds: float = 0.55
    kick_click: float = 0.25
    snare_hz: float = 185.0
    snare_seconds: float = 0.2
    snare_noise: float = 0.7
    hat_seconds: tuple[float, float] = (0.055, 0.42)
    clap_seconds: float = 0.22
    tune: float = 0.0
    crush_hz: float = 0.0
    drive: float = 0.0


KITS: dict[str, Kit] = {
    "synth_kit_808": Kit((125.0, 46.0), 0.9, 0.12, 178.0, 0.16, 0.6, (0.05, 0.5), 0.25, 0.0),
    "synth_kit_909": Kit((210.0, 50.0), 0.42, 0.45, 200.0, 0.22, 0.85, (0.06, 0.38), 0.2, 2.0, drive=0.5),
    "synth_kit_lofi": Kit((130.0, 55.0), 0.28, 0.3, 190.0, 0.15, 0.6, (0.045, 0.25), 0.16, -2.0, 16000.0, 0.8),
}
"""Name of each synthesised kit (also a key of `score.instruments.INSTRUMENTS`)."""

_METAL = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)
_TOMS = {"floor_tom": 70, "floor_tom_2": 80, "low_tom": 95, "mid_tom": 120, "mid_tom_2": 140, "high_tom": 165,
         "low_bongo": 310, "high_bongo": 420, "low_conga": 170, "open_conga": 230, "mute_conga": 240,
         "low_timbale": 260, "high_timbale": 350, "mute_surdo": 75, "open_surdo": 62}  # fmt: skip
_BELLS = {"cowbell": (540.0, 800.0, 0.18), "high_agogo": (890.0, 1330.0, 0.25), "low_agogo": (660.0, 990.0, 0.25),
          "claves": (2450.0, 2480.0, 0.035), "high_wood_block": (1150.0, 1700.0, 0.05),
          "low_wood_block": (830.0, 1220.0, 0.06), "rim": (480.0, 1720.0, 0.03), "open_triangle": (3950.0, 6100.0, 0.9),
          "mute_triangle": (3950.0, 6100.0, 0.09), "castanets": (1900.0, 2650.0, 0.03)}  # fmt: skip
_SHAKERS = {"shaker": (0.02, 0.07), "maracas": (0.004, 0.05), "cabasa": (0.008, 0.06), "tambourine": (0.003, 0.16),
            "short_guiro": (0.01, 0.08), "long_guiro": (0.02, 0.35), "vibraslap": (0.003, 0.7)}  # fmt: skip
RINGS_SECONDS = 3.0


@lru_cache(maxsize=512)
def hit(kit: str, pitch: int, level: int, sample_rate: int) -> Waveform:
    """Returns (2, samples) one stroke at full length.

    Args:
        kit: key of `KITS`.
        pitch: General MIDI drum.
        level: strength in eight steps, 0 to 7: soft strokes are duller, not only quieter.
        sample_rate: hertz.
    """
    name = DRUM_NAMES.get(pitch, "rim")
    settings = KITS[kit]
    strength = (level + 1) / 8.0
    random = generator(0, "synth drums", kit, pitch)
    make = _MAKERS.get(name)
    if make is not None:
        mono = make(settings, strength, sample_rate, random)
    elif name in _TOMS:
        mono = _tom(settings, _TOMS[name], 0.12 if "mute" in name else 0.4, strength, sample_rate, random)
    elif name in _BELLS:
        mono = _bell(settings, *_BELLS[name], sample_rate)
    elif name in _SHAKERS:
        mono = _shaker(*_SHAKERS[name], sample_rate, random)
    else:
        mono = _bell(settings, 700.0, 1050.0, 0.12, sample_rate)
    if settings.crush_hz:
        mono = _crush(mono, settings.crush_hz, sample_rate)
    stereo = np.stack([mono, mono])
    if settings.drive:
        from songwright.perform.synth.voice import saturate

        stereo = saturate(stereo, settings.drive)
    fade = min(stereo.shape[1], int(0.004 * sample_rate))
    stereo[:, -fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return stereo.astype(np.float32)


def _time(seconds: float, sample_rate: int) -> NDArray[np.float64]:
    return np.arange(int(seconds * sample_rate)) / sample_rate


def _noise(count: int, random: np.random.Generator) -> NDArray[np.float64]:
    return random.standard_normal(count)


def _band(signal: NDArray[np.float64], low: float, high: float, sample_rate: int) -> NDArray[np.float64]:
    high = min(high, 0.45 * sample_rate)
    return np.asarray(run(butterworth(2, (low, high), sample_rate, "bandpass"), signal[None])[0][0])


def _high(signal: NDArray[np.float64], low: float, sample_rate: int) -> NDArray[np.float64]:
    return np.asarray(run(butterworth(3, low, sample_rate, "highpass"), signal[None])[0][0])


def _kick(kit: Kit, strength: float, sample_rate: int, random: np.random.Generator) -> Waveform:
    t = _time(kit.kick_seconds * 1.6, sample_rate)
    start, end = kit.kick_hz
    frequency = end + (start - end) * np.exp(-t / 0.028) + 3.0 * end * strength * np.exp(-t / 0.004)
    body = np.sin(2 * np.pi * np.cumsum(frequency) / sample_rate) * np.exp(-3.2 * t / kit.kick_seconds)
    click = _band(_noise(len(t), random), 1500.0, 7000.0, sample_rate) * np.exp(-t / 0.003)
    return np.asarray(0.95 * np.tanh(1.3 * body) + kit.kick_click * strength * click, dtype=np.float32)


def _snare(kit: Kit, strength: float, sample_rate: int, random: np.random.Generator) -> Waveform:
    t = _time(kit.snare_seconds * 2.0, sample_rate)
    drop = 1.0 + 0.5 * np.exp(-t / 0.008)
    phase = np.cumsum(kit.snare_hz * drop) / sample_rate
    body = (np.sin(2 * np.pi * phase) + 0.6 * np.sin(2 * np.pi * 1.78 * phase)) * np.exp(-t / 0.055)
    wires = _band(_noise(len(t), random), 1400.0, 5000.0 + 7000.0 * strength, sample_rate)
    wires *= np.exp(-3.0 * t / kit.snare_seconds)
    snap = _high(_noise(len(t), random), 4000.0, sample_rate) * np.exp(-t / 0.004)
    mixed = 0.55 * body + kit.snare_noise * wires + 0.25 * strength * snap
    return np.asarray(0.8 * np.tanh(mixed), dtype=np.float32)


def _clap(kit: Kit, strength: float, sample_rate: int, random: np.random.Generator) -> Waveform:
    t = _time(0.05 + kit.clap_seconds * 1.8, sample_rate)
    shape = np.zeros(len(t))
    for at in (0.0, 0.0105, 0.0215):
        shape += np.where(t >= at, np.exp(-(t - at) / 0.0035), 0.0)
    shape += np.where(t >= 0.032, np.exp(-4.0 * (t - 0.032) / kit.clap_seconds), 0.0)
    noise = _band(_noise(len(t), random), 800.0, 1800.0 + 3500.0 * strength, sample_rate)
    return np.asarray(0.75 * noise * shape, dtype=np.float32)


def _metal(seconds: float, low: float, sample_rate: int, tune: float = 1.0) -> NDArray[np.float64]:
    """Returns six squares whose partials above 0.45 of the rate are left out, through a high-pass."""
    t = _time(seconds, sample_rate)
    tone = np.zeros(len(t))
    for frequency in _METAL:
        for harmonic in range(1, 40, 2):
            f = frequency * tune * harmonic
            if low * 0.5 < f < 0.45 * sample_rate:
                tone += np.sin(2 * np.pi * f * t + 0.7 * harmonic) / harmonic
    return _high(tone, low, sample_rate)


def _hat(seconds: float, strength: float, sample_rate: int, random: np.random.Generator) -> Waveform:
    metal = _metal(seconds * 2.2, 7000.0, sample_rate)
    t = np.arange(len(metal)) / sample_rate
    noise = _high(_noise(len(t), random), 7500.0, sample_rate)
    mixed = (0.8 * metal + (0.12 + 0.1 * strength) * noise) * np.exp(-3.4 * t / seconds)
    return np.asarray(0.55 * mixed, dtype=np.float32)


def _cymbal(seconds: float, low: float, strength: float, sample_rate: int, random: np.random.Generator) -> Waveform:
    metal = _metal(seconds, low, sample_rate, 1.37)
    t = np.arange(len(metal)) / sample_rate
    noise = _high(_noise(len(t), random), low, sample_rate)
    mixed = 0.5 * metal * np.exp(-4.0 * t / seconds) + 0.2 * noise * np.exp(-5.5 * t / seconds)
    attack = 1.0 - 0.6 * np.exp(-t / 0.004)
    return np.asarray(0.6 * mixed * attack * (0.6 + 0.4 * strength), dtype=np.float32)


def _ride(bell: float, strength: float, sample_rate: int) -> Waveform:
    metal = _metal(1.4, 3500.0, sample_rate, 1.12)
    t = np.arange(len(metal)) / sample_rate
    ping = np.sin(2 * np.pi * 3130.0 * t) + bell * np.sin(2 * np.pi * 1475.0 * t)
    mixed = 0.4 * metal * np.exp(-3.0 * t) * (1 - 0.5 * np.exp(-t / 0.01)) + 0.22 * ping * np.exp(-t / 0.18)
    return np.asarray(0.6 * mixed * (0.5 + 0.5 * strength), dtype=np.float32)


def _tom(
    kit: Kit, hz: float, seconds: float, strength: float, sample_rate: int, random: np.random.Generator
) -> Waveform:
    t = _time(seconds * 1.8, sample_rate)
    base = hz * 2.0 ** (kit.tune / 12)
    phase = np.cumsum(base * (1.0 + 0.6 * np.exp(-t / 0.03))) / sample_rate
    skin = _band(_noise(len(t), random), base * 2, base * 12, sample_rate) * np.exp(-t / 0.012)
    mixed = np.sin(2 * np.pi * phase) * np.exp(-3.5 * t / seconds) + 0.25 * strength * skin
    return np.asarray(0.85 * mixed, dtype=np.float32)


def _bell(kit: Kit, low: float, high: float, seconds: float, sample_rate: int) -> Waveform:
    t = _time(max(seconds * 2.2, 0.05), sample_rate)
    tune = 2.0 ** (kit.tune / 12)
    tone = np.zeros(len(t))
    for frequency in (low * tune, high * tune):
        for harmonic in (1, 3, 5):
            if frequency * harmonic < 0.45 * sample_rate:
                tone += np.sin(2 * np.pi * frequency * harmonic * t) / harmonic**1.3
    return np.asarray(0.4 * tone * np.exp(-3.0 * t / seconds), dtype=np.float32)


def _shaker(attack: float, seconds: float, sample_rate: int, random: np.random.Generator) -> Waveform:
    t = _time(attack + seconds * 2.0, sample_rate)
    shape = np.where(t < attack, t / attack, np.exp(-3.0 * (t - attack) / seconds))
    return np.asarray(0.5 * _high(_noise(len(t), random), 5200.0, sample_rate) * shape, dtype=np.float32)


def _crush(mono: Waveform, rate: float, sample_rate: int) -> Waveform:
    """Returns the sound as an old sampler kept it: band-limited to half its rate, in 12 bits."""
    from scipy.signal import butter, sosfiltfilt

    limited = sosfiltfilt(butter(4, 0.45 * rate, fs=sample_rate, output="sos"), mono)
    return np.asarray(np.round(limited * 2048.0) / 2048.0, dtype=np.float32)


_MAKERS: dict[str, Callable[[Kit, float, int, np.random.Generator], Waveform]] = {
    "kick": _kick,
    "kick_2": _kick,
    "snare": _snare,
    "snare_2": _snare,
    "clap": _clap,
    "closed_hat": lambda kit, strength, rate, random: _hat(kit.hat_seconds[0], strength, rate, random),
    "pedal_hat": lambda kit, strength, rate, random: _hat(kit.hat_seconds[0] * 0.8, strength * 0.6, rate, random),
    "open_hat": lambda kit, strength, rate, random: _hat(kit.hat_seconds[1], strength, rate, random),
    "crash": lambda kit, strength, rate, random: _cymbal(RINGS_SECONDS, 4000.0, strength, rate, random),
    "crash_2": lambda kit, strength, rate, random: _cymbal(RINGS_SECONDS * 0.8, 5000.0, strength, rate, random),
    "china": lambda kit, strength, rate, random: _cymbal(1.6, 2500.0, strength, rate, random),
    "splash": lambda kit, strength, rate, random: _cymbal(0.9, 5500.0, strength, rate, random),
    "ride": lambda kit, strength, rate, random: _ride(0.0, strength, rate),
    "ride_2": lambda kit, strength, rate, random: _ride(0.1, strength, rate),
    "ride_bell": lambda kit, strength, rate, random: _ride(0.8, strength, rate),
}
