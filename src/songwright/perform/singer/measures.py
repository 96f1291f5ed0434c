"""What can be measured of a voice in a recording: pitch, vibrato, breath, and the long-term spectrum of its vowels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.perform.singer.voice import EQUALISER_HZ

Floats = NDArray[np.float64]

RATE = 32000
"""Sample rate of the analysis; bands above its half are not measured."""
HOP_SECONDS = 0.005
ENVELOPE_HZ: Floats = np.geomspace(200.0, 8000.0, 160)
"""Frequencies of `VoiceMeasures.envelope_db`."""

_LONGEST_SECONDS = 60.0
_HNR_HZ = (2000.0, 6000.0)
_STEADY_SECONDS = 0.4
_STEADY_CENTS = 120.0
_VIBRATO_HZ = (4.0, 8.0)
_LOUD_DB = 25.0


@dataclass(frozen=True)
class VoiceMeasures:
    """A voice in numbers.

    Attributes:
        voiced_seconds: how much of it there is.
        pitches: MIDI numbers below which 10, 50 and 90 % of the voiced frames lie.
        steady_share: share of voiced time in steady tones; below 0.2 it is speech rather than song.
        vibrato_rate_hz, vibrato_cents: median over steady tones, cents to each side; 0 where there is none.
        hnr_db: harmonics to noise between 2 and 6 kHz.
        tilt_db_per_octave: slope of the spectrum from 500 Hz to 6 kHz.
        band_db: level in the octaves of `EQUALISER_HZ`, their mean 0; NaN where the recording has no such band.
        envelope_db: mean envelope of the loud voiced frames at `ENVELOPE_HZ`.
    """

    voiced_seconds: float
    pitches: tuple[float, float, float]
    steady_share: float
    vibrato_rate_hz: float
    vibrato_cents: float
    hnr_db: float
    tilt_db_per_octave: float
    band_db: Floats
    envelope_db: Floats


def measure_voice(waveform: NDArray[np.float32], sample_rate: int) -> VoiceMeasures | None:
    """Returns the measures of a voice recorded alone; None if there is less than a second of it.

    Args:
        waveform: (channels, samples).
        sample_rate: samples per second.
    """
    import pyworld

    from songwright.audio.resample import resample

    mono = _loudest(waveform.mean(axis=0, keepdims=True), sample_rate)
    wave = resample(mono, sample_rate, RATE)[0].astype(np.float64)
    if len(wave) < RATE // 4 or not np.isfinite(wave).all():
        return None
    low = resample(mono, sample_rate, 16000)[0].astype(np.float64)
    f0, times = pyworld.harvest(low, 16000, f0_floor=70.0, f0_ceil=1100.0, frame_period=HOP_SECONDS * 1000)
    inside = times < len(wave) / RATE
    f0, times = f0[inside], times[inside]
    if np.count_nonzero(f0) * HOP_SECONDS < 1.0:
        return None
    power = pyworld.cheaptrick(wave, f0, times, RATE)  # (frames, bins)
    noise = pyworld.d4c(wave, f0, times, RATE, fft_size=(power.shape[1] - 1) * 2)
    level = 10 * np.log10(power.mean(axis=1) + 1e-16)
    loud = (f0 > 0) & (level > np.percentile(level[f0 > 0], 95) - _LOUD_DB)
    if np.count_nonzero(loud) * HOP_SECONDS < 0.5:
        return None
    hz = np.linspace(0, RATE / 2, power.shape[1])
    rows = power[loud] / power[loud].mean(axis=1, keepdims=True)
    mean_db = 10 * np.log10(rows.mean(axis=0) + 1e-12)
    envelope = np.interp(ENVELOPE_HZ, hz, (10 * np.log10(rows + 1e-12)).mean(axis=0))
    semitones = 69 + 12 * np.log2(f0[f0 > 0] / 440.0)
    rate, depth, steady = _vibrato(f0)
    return VoiceMeasures(
        voiced_seconds=float(np.count_nonzero(f0) * HOP_SECONDS),
        pitches=tuple(float(p) for p in np.percentile(semitones, (10, 50, 90))),  # type: ignore[arg-type]  # three
        steady_share=steady,
        vibrato_rate_hz=rate,
        vibrato_cents=depth,
        hnr_db=_hnr(power[loud], noise[loud], hz),
        tilt_db_per_octave=_tilt(mean_db, hz),
        band_db=_bands(mean_db, hz, sample_rate),
        envelope_db=envelope,
    )


def formant_ratio(envelope_db: Floats, reference_db: Floats, *, most: float = 0.15) -> float:
    """Returns by which factor a voice's formants lie above a reference's, 1 ± `most`.

    Both mean envelopes, without their slope over the logarithm of frequency, are shifted along it until they agree
    best between 0.7 and 6 kHz, where means over many vowels still show the length of a vocal tract.

    Args:
        envelope_db: at `ENVELOPE_HZ`.
        reference_db: the same of the reference.
        most: largest departure from 1.
    """
    log_hz = np.log(ENVELOPE_HZ)
    inside = (ENVELOPE_HZ > 700.0) & (ENVELOPE_HZ < 6000.0)
    shape, reference = _detrended(envelope_db, log_hz), _detrended(reference_db, log_hz)
    best, found = -np.inf, 1.0
    for ratio in np.linspace(1 - most, 1 + most, 61):
        moved = np.interp(log_hz, log_hz + np.log(ratio), reference)
        agreement = float(np.corrcoef(moved[inside], shape[inside])[0, 1]) - 0.15 * abs(ratio - 1)
        if agreement > best:
            best, found = agreement, float(ratio)
    return found


def _loudest(mono: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Returns at most a minute: the stretch with the most sound in it."""
    length = round(_LONGEST_SECONDS * sample_rate)
    if mono.shape[1] <= length:
        return mono
    total = np.concatenate(([0.0], np.cumsum(np.abs(mono[0, ::64]), dtype=np.float64)))
    width = length // 64
    start = int((total[width:] - total[:-width]).argmax()) * 64
    return mono[:, start : start + length]


def _hnr(power: Floats, noise: Floats, hz: Floats) -> float:
    """Returns harmonics to noise in decibels from WORLD's aperiodicity (amplitude share of noise)."""
    inside = (hz > _HNR_HZ[0]) & (hz < _HNR_HZ[1])
    share = np.square(noise[:, inside])
    noisy = float((power[:, inside] * share).sum())
    clean = float((power[:, inside] * np.maximum(1 - share, 0.0)).sum())
    return float(10 * np.log10((clean + 1e-12) / (noisy + 1e-12)))


def _tilt(mean_db: Floats, hz: Floats) -> float:
    points = np.geomspace(500.0, 6000.0, 40)
    return float(np.polyfit(np.log2(points), np.interp(points, hz, mean_db), 1)[0])


def _bands(mean_db: Floats, hz: Floats, sample_rate: int) -> Floats:
    levels = np.full(len(EQUALISER_HZ), np.nan)
    top = min(RATE, sample_rate) / 2 * 0.92
    for i, centre in enumerate(EQUALISER_HZ):
        inside = (hz >= centre / np.sqrt(2)) & (hz < min(centre * np.sqrt(2), top))
        if centre < top and inside.any():
            levels[i] = 10 * np.log10(np.mean(10 ** (mean_db[inside] / 10)))
    return np.asarray(levels - np.nanmean(levels))


def _detrended(envelope: Floats, log_hz: Floats) -> Floats:
    return np.asarray(envelope - np.polyval(np.polyfit(log_hz, envelope, 2), log_hz))


def _vibrato(f0: Floats) -> tuple[float, float, float]:
    """Returns rate, depth in cents to each side, and the share of voiced time that is steady."""
    from scipy.ndimage import uniform_filter1d

    voiced = f0 > 0
    edges = np.flatnonzero(np.diff(np.concatenate(([0], voiced.astype(int), [0]))))
    rates, depths, steady = [], [], 0
    for start, end in edges.reshape(-1, 2):
        cents = 1200 * np.log2(f0[start:end] / 440.0)
        slow = uniform_filter1d(cents, max(1, round(0.2 / HOP_SECONDS)), mode="nearest")
        for first, last in _steady_parts(slow):
            steady += last - first
            part = cents[first:last] - slow[first:last]
            size = max(512, len(part))
            spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), size))
            rate = np.fft.rfftfreq(size, HOP_SECONDS)
            band = (rate >= _VIBRATO_HZ[0]) & (rate <= _VIBRATO_HZ[1])
            share = float(np.square(spectrum[band]).sum() / (np.square(spectrum[rate > 1.5]).sum() + 1e-12))
            if share > 0.4:
                rates.append(float(rate[band][spectrum[band].argmax()]))
                depths.append(float(np.sqrt(2) * part.std() * np.sqrt(share)))
    usual = (float(np.median(rates)), float(np.median(depths))) if len(rates) >= 3 else (0.0, 0.0)
    return (*usual, steady / max(1, int(np.count_nonzero(voiced))))


def _steady_parts(slow: Floats) -> list[tuple[int, int]]:
    """Returns stretches in which a smoothed pitch stays within a semitone or so."""
    shortest = round(_STEADY_SECONDS / HOP_SECONDS)
    parts, first = [], 0
    for i in range(1, len(slow) + 1):
        window = slow[first : i + 1]
        if i == len(slow) or window.max() - window.min() > _STEADY_CENTS:
            if i - first >= shortest:
                parts.append((first, i))
                first = i
            else:
                first = first + 1 if i < len(slow) else i
                while first < i and np.ptp(slow[first : i + 1]) > _STEADY_CENTS:
                    first += 1
    return parts
