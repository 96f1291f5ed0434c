"""Where vowels begin in a sound: coarsely by forced alignment, finely by how the spectrum changes.

Every frame (2.5 ms apart) is compared with the middle of the consonant before and with the beginning of the vowel; the
vowel begins where the spectrum turns from the one to the other. After voiceless sounds the voice itself must set in.
Nothing here knows where the singer meant to put the vowel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.evaluation.mel import FRAME_RATE, SAMPLE_RATE, mel_bank
from songwright.evaluation.recogniser import HeardPhone

Floats = NDArray[np.float32]

HOP = 40
"""Samples between frames at 16 kHz: 2.5 ms."""
SEARCH_SECONDS = 0.06
"""How far from the aligned boundary the fine one may lie."""
_WINDOW = 320
_SIZE = 512
_BANDS = 26
_FLOOR_DB = -55.0
_GAP_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class FineSpectra:
    """Spectra 2.5 ms apart.

    Attributes:
        bands_db: (frames, bands) mel levels under the loudest of the line, floored.
        low_db: (frames,) level between 80 Hz and 1 kHz.
        high_db: (frames,) level from 3 kHz up.
    """

    bands_db: Floats
    low_db: Floats
    high_db: Floats


def fine_spectra(waveform: Floats) -> FineSpectra:
    """Returns the spectra of a line.

    Args:
        waveform: (samples,) at `mel.SAMPLE_RATE`.
    """
    padded = np.pad(waveform.astype(np.float32), (_WINDOW // 2, _WINDOW // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP]
    window = np.hanning(_WINDOW).astype(np.float32)
    bank = mel_bank(_SIZE, SAMPLE_RATE, _BANDS, 80.0, 7600.0)
    frequency = np.fft.rfftfreq(_SIZE, 1.0 / SAMPLE_RATE)
    ranges = np.stack([(frequency >= 80) & (frequency < 1000), frequency >= 3000], axis=1).astype(np.float32)
    rows = []
    for first in range(0, len(frames), 2048):
        spectrum = np.fft.rfft(frames[first : first + 2048] * window, _SIZE, axis=1)  # (T, F)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        rows.append(power.astype(np.float32) @ np.concatenate([bank, ranges], axis=1))
    levels = np.concatenate(rows)
    top = max(float(levels[:, :_BANDS].max(initial=0.0)), 1e-12)
    level_db = np.maximum(10.0 * np.log10(levels / top + 1e-12), _FLOOR_DB).astype(np.float32)
    return FineSpectra(level_db[:, :_BANDS], level_db[:, _BANDS], level_db[:, _BANDS + 1])


def turning_point(spectra: FineSpectra, before: HeardPhone, vowel: HeardPhone) -> float:
    """Returns the second at which the sound turns from a consonant into the vowel after it.

    Args:
        spectra: of the line.
        before: the aligned consonant.
        vowel: the aligned vowel.
    """
    rate = SAMPLE_RATE / HOP
    coarse = vowel.start_seconds
    reach = min(SEARCH_SECONDS, 0.5 * (coarse - before.start_seconds) + 0.02)
    first, last = _span(coarse - reach, coarse + min(SEARCH_SECONDS, 0.8 * _length(vowel)), len(spectra.low_db), rate)
    bands = spectra.bands_db
    a, b = _span(coarse + 0.03, min(vowel.end_seconds, coarse + 0.1), len(bands), rate)
    after = np.median(bands[a:b], axis=0)
    middle = 0.5 * (before.start_seconds + before.end_seconds)
    a, b = _span(max(before.start_seconds, middle - 0.02), min(coarse - 0.005, middle + 0.02), len(bands), rate)
    ahead = np.median(bands[a:b], axis=0)
    axis = after - ahead
    size = float(axis @ axis)
    if size < 1.0:
        return coarse
    course = np.clip((bands[first:last] - ahead) @ axis / size, -0.2, 1.2)  # 0 in the consonant, 1 in the vowel
    return _half_way(course, first, rate)


def _half_way(course: NDArray[np.floating], first: int, rate: float) -> float:
    """Returns the time at which the step from 0 to 1 that fits best lies."""
    left = np.concatenate([[0.0], np.cumsum(np.square(course))])
    right = np.concatenate([[0.0], np.cumsum(np.square(course - 1.0))])
    cost = left + (right[-1] - right)
    return (first + int(np.argmin(cost)) - 0.5) / rate


def _length(phone: HeardPhone) -> float:
    return phone.end_seconds - phone.start_seconds


def _span(start: float, end: float, count: int, rate: float) -> tuple[int, int]:
    first = int(np.clip(round(start * rate), 0, count - 1))
    return first, int(np.clip(round(end * rate), first + 1, count))


def pairs(phones: Sequence[HeardPhone], is_vowel: Sequence[bool]) -> list[int]:
    """Returns the indices of vowels that follow a consonant directly."""
    return [i for i in range(1, len(phones)) if is_vowel[i] and not is_vowel[i - 1]]


def vowel_start(
    spectra: FineSpectra,
    log_posterior: Floats,
    classes: Sequence[int],
    placed: Sequence[HeardPhone],
    index: int,
    kinds: Sequence[str],
) -> tuple[str, float]:
    """Returns what comes before a vowel (``stop, fricative, nasal, vowel, silence``) and the second at which it begins.

    Args:
        spectra: of the line.
        log_posterior: (frames, classes) of the line.
        classes: of the line's phones.
        placed: the phones by forced alignment.
        index: of the vowel among them.
        kinds: of every class of the language.
    """
    vowel = placed[index]
    coarse = vowel.start_seconds
    if index == 0 or coarse - placed[index - 1].end_seconds > _GAP_SECONDS:
        return "silence", crossing(log_posterior, 0, classes[index], coarse)
    before = placed[index - 1]
    kind = kinds[classes[index - 1]]
    even = crossing(log_posterior, classes[index - 1], classes[index], coarse)
    if kind in ("stop", "fricative"):
        return kind, turning_point(spectra, before, vowel)
    return kind, even


def crossing(log_posterior: Floats, before: int, after: int, coarse: float) -> float:
    """Returns the second near `coarse` at which a class becomes likelier than the one before, between frames."""
    odds = log_posterior[:, after] - log_posterior[:, before]
    at = round(coarse * FRAME_RATE + 0.5)  # the first frame of the vowel
    for k in (at, at - 1, at + 1, at - 2, at + 2):
        if 1 <= k < len(odds) and odds[k - 1] < 0 <= odds[k]:
            return float(k - odds[k] / (odds[k] - odds[k - 1])) / FRAME_RATE
    return coarse
