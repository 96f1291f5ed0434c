"""A phrase as a bank sings it, brought to the level that goes with its effort: what `player` adds to the song."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from songwright.perform.singer.dynamics import edges, level_db
from songwright.perform.singer.lines import Phrase
from songwright.perform.singer.phones import is_voiced
from songwright.perform.singer.pitch import hertz
from songwright.perform.singer.source import Bank
from songwright.perform.singer.timing import PlannedPhone
from songwright.perform.singer.voice import Voice
from songwright.score.sung import SungPhone

VOWEL_LEVEL_DB = -22.5
"""Level of vowels at neutral effort, full scale 0."""
_EVENNESS = 0.75


def sung_by(
    bank: Bank,
    phrase: Phrase,
    rows: Sequence[PlannedPhone],
    voice: Voice,
    times: NDArray[np.float64],
    curves: tuple[NDArray[np.float64], NDArray[np.float64]],
    sample_rate: int,
) -> NDArray[np.float32]:
    """Returns the sound of a phrase from the first of `times` on.

    Args:
        bank: who sings.
        phrase: what is sung.
        rows: its phones with their times in the song.
        voice: of the singer: how phrases begin and end.
        times: seconds of every frame.
        curves: pitch in semitones and effort of every frame.
        sample_rate: of the result.

    Raises:
        SongwrightError: the bank failed.
    """
    pitch, effort = curves
    zero, hop = float(times[0]), float(times[1] - times[0])
    phones = [_shifted(row.phone, zero) for row in rows]
    f0 = np.zeros(len(times))
    for phone in phones:
        if is_voiced(phone.symbol):
            a, b = (round(t / hop) for t in (phone.start_seconds, phone.end_seconds))
            f0[max(a, 0) : max(b, 0)] = hertz(pitch[max(a, 0) : max(b, 0)])
    syllables = [s.syllable for s in phrase.syllables]
    sound = bank.sing(phones, syllables, f0, effort, hop_seconds=hop, sample_rate=sample_rate)
    gain_db = _levelled(sound, phones, len(times), hop, sample_rate) + level_db(effort)
    shape = edges(phrase, rows[0].phone.start_seconds, rows[-1].phone.end_seconds, voice, times)
    gain = 10 ** (gain_db / 20) * shape
    along = np.interp(np.arange(len(sound)) / sample_rate, times - zero, gain)
    return np.asarray(sound * along, dtype=np.float32)


def _shifted(phone: SungPhone, zero: float) -> SungPhone:
    start, end = phone.start_seconds - zero, phone.end_seconds - zero
    return SungPhone(phone.symbol, phone.syllable, start, end, phone.is_nucleus)


def _levelled(
    sound: NDArray[np.float32], phones: Sequence[SungPhone], num_frames: int, hop: float, sample_rate: int
) -> NDArray[np.float64]:
    """Returns the gain that brings vowels near one level, changing slowly between them. (frames,) decibels."""
    middles, levels = [], []
    for phone in phones:
        inside = sound[int(phone.start_seconds * sample_rate) : int(phone.end_seconds * sample_rate)]
        if phone.is_nucleus and len(inside):
            middles.append((phone.start_seconds + phone.end_seconds) / 2)
            levels.append(10 * np.log10(float(np.mean(inside.astype(np.float64) ** 2)) + 1e-10))
    if not levels:
        return np.zeros(num_frames)
    usual = float(np.median(levels))
    own = np.clip(_EVENNESS * (usual - np.array(levels)), -9.0, 9.0)
    gain = np.clip(VOWEL_LEVEL_DB - usual, -40.0, 40.0) + own
    return np.asarray(np.interp(np.arange(num_frames) * hop, middles, gain), dtype=np.float64)
