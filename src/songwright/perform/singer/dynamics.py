"""How loud and with how much effort a part is sung, frame by frame."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from songwright.perform.singer.lines import Phrase
from songwright.perform.singer.voice import Voice

_SMOOTH_SECONDS = 0.07
_ARCH_DB = 1.6
_LEVEL_RANGE_DB = 16.0
NEUTRAL_EFFORT = 0.6


def effort_of(
    phrases: Sequence[Phrase], voice: Voice, times: NDArray[np.float64], draw: Callable[..., np.random.Generator]
) -> NDArray[np.float64]:
    """Returns the effort at every time, 0 softest to 1 loudest. (frames,).

    Velocity sets it note by note; a phrase rises to its third quarter and gives way at its end; long notes swell.
    """
    knots: list[tuple[float, float]] = []
    for phrase in phrases:
        rng = draw("effort", phrase.name)
        length = max(phrase.end - phrase.start, 0.1)
        for note in phrase.notes:
            base = float(np.clip((note.velocity - 25) / 95, 0, 1)) + voice.effort
            base += float(rng.normal(0, 0.015))
            place = np.array([note.start - phrase.start, note.end - phrase.start]) / length
            arch = _ARCH_DB / _LEVEL_RANGE_DB * (np.sin(np.pi * np.clip(place, 0, 1) ** 1.3) - 0.6)
            held = note.end - note.start
            knots.append((note.start - 0.03, base + float(arch[0])))
            if held > 0.6:
                knots.append((note.start + 0.45 * held, base + float(arch.mean()) + 0.04))
            knots.append((note.end - 0.05, base + float(arch[1]) - (0.05 if held > 0.6 else 0.0)))
    order = sorted(knots)
    curve = np.interp(times, [t for t, _ in order], [v for _, v in order])
    hop = float(times[1] - times[0]) if len(times) > 1 else 0.005
    size = 2 * int(_SMOOTH_SECONDS / hop / 2) + 1
    window = np.hanning(size + 2)[1:-1]
    smooth = np.convolve(np.pad(curve, size // 2, mode="edge"), window / window.sum(), mode="valid")
    return np.clip(smooth, 0.0, 1.15)


def level_db(effort: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the level that goes with an effort, 0 at `NEUTRAL_EFFORT`."""
    return np.asarray(_LEVEL_RANGE_DB * (effort - NEUTRAL_EFFORT))


def edges(phrase: Phrase, first: float, last: float, voice: Voice, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the gain (0 to 1) that a phrase begins and ends with. (frames,).

    Args:
        phrase: what is sung.
        first: where its first phone begins, seconds.
        last: where its last phone ends, seconds.
        voice: hard or soft attack.
        times: seconds of every frame.
    """
    attack = 0.012 + 0.025 * (1 - voice.attack)
    release = 0.07 if phrase.rest_after > 0.05 else 0.02
    rising = np.clip((times - first + 0.005) / attack, 0, 1) if phrase.opens else (times >= first - 0.0025) * 1.0
    falling = np.clip((last + 0.5 * release - times) / release, 0, 1)
    return np.asarray((rising * falling) ** 1.5)
