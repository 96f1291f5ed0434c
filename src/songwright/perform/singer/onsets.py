"""Where vowels are heard to begin in a spoken line: engines name the arrival of formants, ears hear the release.

espeak's vowel events come up to 60 ms after the release of a nasal and 10 ms before that of a stop (measured on every
consonant of three languages). A syllable is on the beat when its release is, so the borders are moved there.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from songwright.perform.singer.phones import kind_of
from songwright.perform.singer.source import SourcePhone, SpokenLine

_HOP_SECONDS = 0.0025
_WINDOW_SECONDS = 0.012
_REACH = 4  # frames to each side over which a rise is measured
_SMALLEST_RISE_DB = 3.5
_LOW_HZ, _MIDDLE_HZ = (90.0, 550.0), (500.0, 4200.0)
_SEARCH_SECONDS: dict[str, tuple[float, float]] = {
    "nasal": (-0.085, 0.02),
    "liquid": (-0.075, 0.02),
    "voiced_stop": (-0.03, 0.035),
    "voiced_fricative": (-0.03, 0.035),
    "voiced_affricate": (-0.03, 0.035),
    "unvoiced_stop": (-0.02, 0.035),
    "unvoiced_fricative": (-0.02, 0.035),
    "unvoiced_affricate": (-0.02, 0.035),
}
_SHORTEST_SECONDS = 0.015
_ARRIVAL_SHARE, _LATEST_ARRIVAL_SECONDS = 0.75, 0.035
"""A vowel after a nasal or liquid is heard between the release and the arrival of its formants."""


def on_releases(spoken: SpokenLine) -> SpokenLine:
    """Returns the line with each vowel's beginning moved to where it is heard."""
    low, middle = (_level_db(spoken, band) for band in (_LOW_HZ, _MIDDLE_HZ))
    phones = list(spoken.phones)
    for i in range(1, len(phones)):
        before, vowel = phones[i - 1], phones[i]
        kind = kind_of(before.symbol)
        if not vowel.is_nucleus or kind_of(vowel.symbol) != "vowel" or kind not in _SEARCH_SECONDS:
            continue
        if abs(before.end_seconds - vowel.start_seconds) > 1e-6:
            continue
        level = low if kind.startswith("unvoiced") else middle
        found = _rise(level, vowel.start_seconds, _SEARCH_SECONDS[kind])
        if found is not None:
            if kind in ("nasal", "liquid"):
                found += min(_ARRIVAL_SHARE * max(vowel.start_seconds - found, 0.0), _LATEST_ARRIVAL_SECONDS)
            phones[i - 1 : i + 1] = _moved(before, vowel, found)
    return replace(spoken, phones=tuple(phones))


def _moved(before: SourcePhone, vowel: SourcePhone, border: float) -> list[SourcePhone]:
    """Returns two neighbours with their border elsewhere, as far as both keep some length."""
    earliest = before.start_seconds + _SHORTEST_SECONDS
    latest = vowel.start_seconds + 0.4 * (vowel.end_seconds - vowel.start_seconds)
    if earliest >= latest:
        return [before, vowel]
    border = float(np.clip(border, earliest, latest))
    return [replace(before, end_seconds=border), replace(vowel, start_seconds=border)]


def _rise(level_db: NDArray[np.float64], at_seconds: float, search: tuple[float, float]) -> float | None:
    """Returns where a level rises most about a time, in seconds; None if it hardly rises."""
    first = max(int((at_seconds + search[0]) / _HOP_SECONDS), _REACH)
    last = min(int((at_seconds + search[1]) / _HOP_SECONDS), len(level_db) - _REACH - 1)
    if last <= first:
        return None
    around = np.arange(first, last + 1)
    rises = level_db[around + _REACH] - level_db[around - _REACH]
    best = int(np.argmax(rises))
    return float(around[best] * _HOP_SECONDS) if rises[best] >= _SMALLEST_RISE_DB else None


def _level_db(spoken: SpokenLine, band: tuple[float, float]) -> NDArray[np.float64]:
    """Returns the level in a band every `_HOP_SECONDS`. (frames,)."""
    rate = spoken.sample_rate
    size = int(_WINDOW_SECONDS * rate)
    padded = np.pad(spoken.waveform, size)
    centres = (np.arange(int(len(spoken.waveform) / rate / _HOP_SECONDS)) * _HOP_SECONDS * rate).astype(int) + size
    if not len(centres):
        return np.zeros(0)
    pieces = padded[centres[:, None] + np.arange(size) - size // 2] * np.hanning(size).astype(np.float32)
    power = np.abs(np.fft.rfft(pieces, n=512, axis=1)) ** 2
    hz = np.fft.rfftfreq(512, 1 / rate)
    inside = (hz >= band[0]) & (hz <= band[1])
    mean: NDArray[np.float64] = power[:, inside].mean(axis=1).astype(np.float64)
    return np.asarray(10 * np.log10(mean + mean.max() * 1e-6 + 1e-12))
