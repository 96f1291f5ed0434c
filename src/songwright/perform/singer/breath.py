"""The sound of breathing in before a phrase."""

import numpy as np
from numpy.typing import NDArray

from songwright.perform.singer.lines import BREATH_REST_SECONDS, Phrase
from songwright.perform.singer.voice import Voice

_LEVEL_DB = -49.0
_GAP_SECONDS = (0.08, 0.11)
"""Between breath and sound: closer, the breath is heard as a consonant."""
_PEAKS_HZ = ((550.0, 180.0, 1.0), (1500.0, 350.0, 0.9), (2600.0, 500.0, 0.55), (4200.0, 900.0, 0.25))


def breath_before(
    phrase: Phrase, first_phone: float, voice: Voice, effort: float, sample_rate: int, rng: np.random.Generator
) -> tuple[float, NDArray[np.float64]] | None:
    """Returns where a breath begins, in seconds, and its sound; None if there is no time for one.

    Args:
        phrase: what is sung after it.
        first_phone: where the first phone begins.
        voice: who breathes.
        effort: of the phrase: more air is needed, and heard.
        sample_rate: of the sound.
        rng: no two breaths are the same.
    """
    room = phrase.rest_before - (phrase.start - first_phone)
    if not phrase.opens or phrase.rest_before < BREATH_REST_SECONDS or room < 0.22:
        return None
    length = float(np.clip(rng.uniform(0.2, 0.34) * (0.8 + 0.4 * effort), 0.14, min(0.38, room - _GAP_SECONDS[0])))
    end = first_phone - float(rng.uniform(*_GAP_SECONDS))
    if end - length < 0:
        return None
    count = int(length * sample_rate)
    noise = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / sample_rate)
    scale = voice.formant_scale
    shape = sum(gain / (1 + ((hz - centre * scale) / width) ** 2) for centre, width, gain in _PEAKS_HZ)
    shape = shape + 0.05 / (1 + (hz / 7000.0) ** 4)
    sound = np.fft.irfft(noise * shape * (hz > 150), count)
    along = np.linspace(0, 1, count)
    sound *= np.sin(np.pi * along**1.4) ** 1.3
    level = _LEVEL_DB + 8.0 * effort + 4.0 * (voice.breathiness - 0.45)
    sound *= 10 ** (level / 20) / max(float(np.sqrt(np.mean(sound**2))), 1e-9)
    return end - length, sound
