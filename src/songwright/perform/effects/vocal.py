"""Effects for voices: the de-esser and the plate."""

import numpy as np
from numpy.typing import NDArray

from songwright.audio.recursive import butterworth, run
from songwright.perform.effects.control import apply_gain, follow, hop_maximum
from songwright.perform.effects.convolution import convolve
from songwright.perform.effects.dynamics import points, to_db
from songwright.perform.effects.reverb import room_response

_HOP = 64
_ATTACK_MS, _RELEASE_MS = 1.0, 40.0
_KNEE_DB = 6.0
_MONO = np.float32(np.sqrt(0.5))


def deesser(
    waveform: NDArray[np.float32],
    sample_rate: int,
    *,
    frequency_hz: float = 5500.0,
    excess_db: float = -6.0,
    range_db: float = 8.0,
) -> NDArray[np.float32]:
    """Returns the waveform with sharp sibilants held back: only the band above, only while it outweighs the rest.

    The band is split without phase shift, so that nothing changes where nothing hisses. What counts is the level of
    the band against that of the rest, not its level: soft and loud lines are treated alike.

    Args:
        waveform: (1 or 2, samples).
        sample_rate: samples per second.
        frequency_hz: where the band begins.
        excess_db: level of the band over the rest from which it acts.
        range_db: most that it takes away.
    """
    sos = butterworth(2, min(frequency_hz, 0.45 * sample_rate), sample_rate, "highpass")
    if waveform.shape[1] < 2:
        return waveform.copy()
    there = run(sos, waveform)[0]
    high = run(sos, there[:, ::-1])[0][:, ::-1]  # there and back: no phase is shifted. (C, T)
    low_db, high_db = to_db(hop_maximum(waveform - high, _HOP)), to_db(hop_maximum(high, _HOP))
    excess = np.where(high_db > -70.0, high_db - low_db - excess_db, -_KNEE_DB)
    wanted = np.clip(np.maximum(excess + _KNEE_DB / 2, 0.0) * 0.8, 0.0, range_db)
    ms = sample_rate / _HOP / 1000.0
    reduction = follow(wanted, _ATTACK_MS * ms, _RELEASE_MS * ms)
    taken = 1.0 - 10.0 ** (-reduction / 20.0)
    return waveform - apply_gain(high, points(taken), hop=_HOP)


def plate(
    waveform: NDArray[np.float32],
    sample_rate: int,
    *,
    seconds: float = 1.6,
    level_db: float = -16.0,
    predelay_ms: float = 25.0,
) -> NDArray[np.float32]:
    """Returns the waveform with a plate of its own behind it, whatever room the song has.

    Args:
        waveform: (2, samples).
        sample_rate: samples per second.
        seconds: time to fall by 60 dB.
        level_db: level of the plate against the dry sound.
        predelay_ms: silence before it answers, which keeps words clear.
    """
    delay = round(predelay_ms * 1e-3 * sample_rate)
    response = np.pad(room_response("plate", seconds, sample_rate), ((0, 0), (delay, 0)))
    response = response[:, : waveform.shape[1]] * np.float32(10 ** (level_db / 20))
    return convolve(waveform.sum(axis=0, keepdims=True) * _MONO, response, onto=waveform.copy())
