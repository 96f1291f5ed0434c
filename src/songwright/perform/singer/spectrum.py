"""The colour of a voice: a source's thin spectrum becomes a human one, then one singer's.

Works on smooth power envelopes (natural logarithm) frame by frame: valleys between formants are filled, vowels are
brought to the long-term spectrum of sung vowels, formants are moved, the band that the source lacks is added, and
noise takes its human share. Targets and corrections are in `spectra.toml`, with where they come from.
"""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.perform.singer.dynamics import NEUTRAL_EFFORT
from songwright.perform.singer.voice import EQUALISER_HZ, Voice

Array = NDArray[np.float32]
_FILE = Path(__file__).with_name("spectra.toml")
_DB = float(np.log(10) / 10)  # natural logarithm of power in one decibel
_HALF_DB = _DB / 2  # of amplitude
_VALLEY_HZ, _VALLEY_DB = 1300.0, 31.0
_TAIL_HZ = (3900.0, 5300.0)
_ANCHOR_HZ = (2300.0, 4200.0)
_THINNEST_DB = 34.0
_SOURCE_END_SHARE = (0.8, 0.9)
_FRICATIVE_FALL_DB = 9.0
_EFFORT_TILT_DB = 4.2
_WAVER_DB = 0.6
_LOWEST_FORMANT_HZ = 230.0
_TUNING_SHARE, _MOST_TUNING_DB, _TUNING_WIDTH = 0.6, 18.0, 0.2
_LOW_BEND_HZ, _HIGH_BEND_HZ = 2200.0, 3200.0


@dataclass(frozen=True)
class Tables:
    """Curves over frequency from `spectra.toml`.

    Attributes:
        band_hz: where they are given.
        vowel_db: long-term spectrum of sung vowels, power density.
        noise_db: noise against the whole in a sung vowel of a usual voice.
        mend_db: what brings each variant's vowels to `vowel_db`.
    """

    band_hz: NDArray[np.float64]
    vowel_db: NDArray[np.float64]
    noise_db: NDArray[np.float64]
    mend_db: dict[str, NDArray[np.float64]]


@lru_cache(maxsize=1)
def tables() -> Tables:
    """Returns the curves."""
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    mend = {name: np.array(values, dtype=np.float64) for name, values in data["mend_db"].items()}
    return Tables(
        np.array(data["band_hz"], dtype=np.float64),
        np.array(data["vowel_db"], dtype=np.float64),
        np.array(data["noise_db"], dtype=np.float64),
        mend,
    )


def over(hz: NDArray[np.float64], band_hz: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns a curve at other frequencies, straight over the logarithm of frequency."""
    return np.interp(np.log(np.maximum(hz, 20.0)), np.log(band_hz), values)


def fill_valleys(log_power: Array, bin_hz: float) -> Array:
    """Returns spectra in which nothing lies far below its surroundings. (frames, bins)."""
    from scipy.ndimage import uniform_filter1d

    size = max(3, int(_VALLEY_HZ / bin_hz))
    power = np.exp(log_power)
    around = uniform_filter1d(power, size, axis=1, mode="nearest")
    np.maximum(around, np.float32(1e-20), out=around)
    around *= np.float32(np.exp(-_VALLEY_DB * _DB))
    return np.asarray(np.log(power + around), dtype=np.float32)


def thickened(log_power: Array, source_rate: int, sonorant: NDArray[np.float64]) -> Array:
    """Returns a source's envelopes with the valleys and the thin top of its vowels filled. (frames, bins).

    The same for all who sing the line: `coloured` goes on from here.

    Args:
        log_power: of the source. (frames, bins)
        source_rate: of the source.
        sonorant: 1 in vowels, nasals, liquids and glides, 0 in noises and stops. (frames,)
    """
    curves = tables()
    source_hz = np.linspace(0, source_rate / 2, log_power.shape[1])
    filled = fill_valleys(log_power, source_rate / 2 / (log_power.shape[1] - 1))
    target = (over(source_hz, curves.band_hz, curves.vowel_db) - _THINNEST_DB) * _DB
    floor = filled.max(axis=1, keepdims=True) + target.astype(np.float32)
    high = np.maximum(filled, floor)
    filled = high + np.log1p(np.exp(np.minimum(filled, floor) - high))
    return np.asarray(log_power + sonorant.astype(np.float32)[:, None] * (filled - log_power), dtype=np.float32)


def coloured(
    thick: Array, source_rate: int, sonorant: NDArray[np.float64], voice: Voice, hz: NDArray[np.float64]
) -> Array:
    """Returns a source's envelopes as a singer's, at neutral effort. (frames, len(hz)).

    Args:
        thick: from `thickened`. (frames, bins)
        source_rate: of the source.
        sonorant: 1 in vowels, nasals, liquids and glides, 0 in noises and stops. (frames,)
        voice: who sings.
        hz: frequencies of the result.
    """
    curves = tables()
    source_hz = np.linspace(0, source_rate / 2, thick.shape[1])
    weight = sonorant.astype(np.float32)[:, None]
    mend = curves.mend_db.get(voice.variant)
    if mend is not None:
        thick = thick + weight * (over(source_hz, curves.band_hz, mend) * _DB).astype(np.float32)
    mixed = _with_tail(thick, source_hz, voice, hz, curves)
    noises = _extended(thick, source_hz, voice, hz)
    mixed -= noises
    mixed *= weight
    mixed += noises
    mixed += (_character(voice, hz, curves) * _DB).astype(np.float32)
    return mixed


def _warped(
    log_power: Array, source_hz: NDArray[np.float64], voice: Voice, hz: NDArray[np.float64], *, scale: float
) -> Array:
    """Returns spectra with their formants moved; noises move less than vowels."""
    low = 1 + (voice.formant_scale - 1) * scale
    high = low * (1 + (voice.upper_formant_scale - 1) * scale)
    along = np.clip((hz / low - _LOW_BEND_HZ) / (_HIGH_BEND_HZ - _LOW_BEND_HZ), 0, 1)
    position = hz / (low + (high - low) * along) / source_hz[1]
    index = np.clip(position.astype(int), 0, len(source_hz) - 2)
    part = np.clip(position - index, 0, 1).astype(np.float32)
    return np.asarray(log_power[:, index] * (1 - part) + log_power[:, index + 1] * part, dtype=np.float32)


def _with_tail(
    thick: Array, source_hz: NDArray[np.float64], voice: Voice, hz: NDArray[np.float64], curves: Tables
) -> Array:
    """Returns vowels whose top, which the source lacks, follows from the level of their upper formants."""
    scale = voice.formant_scale * voice.upper_formant_scale
    inside = (hz >= _ANCHOR_HZ[0] * scale) & (hz <= _ANCHOR_HZ[1] * scale)
    if not inside.any():
        return _warped(thick, source_hz, voice, hz, scale=1.0)
    target = over(hz, curves.band_hz, curves.vowel_db) * _DB
    blend = np.clip((hz / scale - _TAIL_HZ[0]) / (_TAIL_HZ[1] - _TAIL_HZ[0]), 0, 1).astype(np.float32)
    ripple = 2.0 * np.cos(2 * np.pi * (hz / scale - 4600.0) / 1050.0) * np.clip((9000.0 - hz) / 3000.0, 0, 1)
    top = target.astype(np.float32) + (ripple * _DB).astype(np.float32)
    # ripple: formants go on above the source's, about 1 kHz apart
    known = int(np.count_nonzero(blend < 1))  # above, nothing of the source is left
    low = _warped(thick, source_hz, voice, hz[:known], scale=1.0)
    anchor = low[:, inside[:known]].mean(axis=1, keepdims=True) - np.float32(target[inside].mean())
    result = anchor + top
    part = result[:, :known]
    part -= low
    part *= blend[:known]
    part += low
    return np.asarray(result, dtype=np.float32)


def _extended(thick: Array, source_hz: NDArray[np.float64], voice: Voice, hz: NDArray[np.float64]) -> Array:
    """Returns noises, their formants hardly moved, continued above the source's band with an even fall."""
    first, last = (share * source_hz[-1] for share in _SOURCE_END_SHARE)
    inside = (hz >= first) & (hz <= last)
    if not inside.any() or hz[-1] <= last:
        return _warped(thick, source_hz, voice, hz, scale=0.35)
    blend = np.clip((hz - first) / (last - first), 0, 1).astype(np.float32)
    known = max(int(np.count_nonzero(blend < 1)), int(np.flatnonzero(inside)[-1]) + 1)
    low = _warped(thick, source_hz, voice, hz[:known], scale=0.35)
    fall = -_FRICATIVE_FALL_DB * _DB * np.log2(np.maximum(hz, last) / last)
    result = low[:, inside[:known]].mean(axis=1, keepdims=True) + fall.astype(np.float32)
    part = result[:, :known]
    part -= low
    part *= blend[:known]
    part += low
    return np.asarray(result, dtype=np.float32)


def _character(voice: Voice, hz: NDArray[np.float64], curves: Tables) -> NDArray[np.float64]:
    """Returns the voice's own tilt, equaliser and air in decibels. (bins,)."""
    octaves = np.log2(np.clip(hz, 250.0, 12000.0) / 500.0)
    gain = voice.tilt_db_per_octave * octaves
    gain += over(hz, np.array(EQUALISER_HZ, dtype=np.float64), np.array(voice.equaliser_db))
    gain += voice.air_db * np.clip((hz - 6000.0) / 4000.0, 0, 1)
    return np.asarray(gain)


def effort_curves(voice: Voice, hz: NDArray[np.float64]) -> tuple[Array, Array]:
    """Returns what full effort adds to the neutral spectrum, log power: tilt, and the singer's formant."""
    tilt = _EFFORT_TILT_DB * np.clip(np.log2(np.maximum(hz, 1.0) / 500.0), -1.0, 3.6)
    ring = voice.ring_db * np.exp(-0.5 * ((hz - voice.ring_hz) / 420.0) ** 2)
    ring -= 0.25 * voice.ring_db * np.exp(-0.5 * ((hz - voice.ring_hz - 1500.0) / 500.0) ** 2)
    return (tilt * _DB).astype(np.float32), (ring * _DB).astype(np.float32)


def with_effort(
    log_power: Array, effort: NDArray[np.float64], sonorant: NDArray[np.float64], voice: Voice, hz: NDArray[np.float64]
) -> Array:
    """Returns spectra with tilt and ring by effort, in place. (frames, bins)."""
    tilt, ring = effort_curves(voice, hz)
    push = ((effort - NEUTRAL_EFFORT) * (0.3 + 0.7 * sonorant)).astype(np.float32)[:, None]
    shine = (np.clip(0.35 + effort - 0.3, 0, 1.2) * sonorant).astype(np.float32)[:, None]
    log_power += push * tilt
    log_power += shine * ring
    return log_power


def tuned(
    log_power: Array, pitch_hz: NDArray[np.float64], sonorant: NDArray[np.float64], hz: NDArray[np.float64]
) -> Array:
    """Returns spectra whose first formant follows a pitch above it part of the way, in place. (frames, bins).

    On high notes singers open the mouth until the first formant meets the fundamental, which else would be weak.
    """
    step = float(hz[1])
    last = max(int(pitch_hz.max(initial=0.0) / step), 1)
    first = int(_LOWEST_FORMANT_HZ / step)
    if last <= first:
        return log_power
    peaks = np.maximum.accumulate(log_power[:, first : last + 2], axis=1)
    rows = np.arange(len(log_power))
    at = np.clip((pitch_hz / step).round().astype(int), first, last + 1)
    missing = np.clip(peaks[rows, at - first] - log_power[rows, at], 0.0, _MOST_TUNING_DB * _DB)
    lift = (_TUNING_SHARE * missing * sonorant).astype(np.float32)[:, None]
    end = min(2 * last, len(hz))
    bump = np.exp(-0.5 * ((hz[None, :end] / pitch_hz[:, None] - 1.0) / _TUNING_WIDTH) ** 2).astype(np.float32)
    log_power[:, :end] += lift * bump
    return log_power


def alive(count: int, hz: NDArray[np.float64], rng: np.random.Generator) -> Array:
    """Returns the slow wavering of a vowel's colour that no throat is without, log power. (count, len(hz)).

    Bands about a third of a decade wide waver by themselves, within about 0.8 dB, several times a second.
    """
    from scipy.ndimage import gaussian_filter1d

    centres = np.geomspace(300.0, 12000.0, 9)
    drawn = gaussian_filter1d(rng.standard_normal((count, len(centres))), 14, axis=0, mode="reflect")
    drawn += 0.35 * gaussian_filter1d(rng.standard_normal((count, len(centres))), 3, axis=0, mode="reflect")
    drawn *= _WAVER_DB * _DB / max(float(drawn.std()), 1e-6)
    place = np.interp(np.log(np.maximum(hz, 100.0)), np.log(centres), np.arange(len(centres)))
    index = np.minimum(place.astype(int), len(centres) - 2)
    part = (place - index).astype(np.float32)
    values = drawn.astype(np.float32)
    return np.asarray(values[:, index] * (1 - part) + values[:, index + 1] * part, dtype=np.float32)


def rumble_cut(hz: NDArray[np.float64]) -> Array:
    """Returns what unvoiced sounds lose in the low: 18 dB an octave below 600 Hz, log power. (len(hz),)."""
    return np.asarray(18.0 * _DB * np.log2(np.clip(hz, 40.0, 600.0) / 600.0), dtype=np.float32)


def noise_share(
    effort: NDArray[np.float64], sonorant: NDArray[np.float64], voice: Voice, hz: NDArray[np.float64]
) -> Array:
    """Returns the amplitude share of noise in voiced frames, 0 to 1. (frames, bins).

    Vowels have the share of a voice of this breathiness, less of it the louder; voiced fricatives and stops are noise
    above 2 kHz.
    """
    curves = tables()
    usual = over(hz, curves.band_hz, curves.noise_db)
    breath = 14.0 * (voice.breathiness - 0.45) - 6.0 * (effort - NEUTRAL_EFFORT)
    vowel = np.minimum((usual * _HALF_DB).astype(np.float32) + (breath * _HALF_DB).astype(np.float32)[:, None], -0.115)
    harsh = 10 ** (np.interp(hz, [0, 800, 2200, 4500], [-22, -16, -5, -0.5]) / 20)
    weight = sonorant.astype(np.float32)[:, None]
    shares = weight * np.exp(vowel) + (1 - weight) * harsh.astype(np.float32)
    return np.asarray(np.clip(shares, 0.001, 0.999), dtype=np.float32)
