"""Key of a recording or score, from how much each pitch class sounds."""

import numpy as np
from numpy.typing import NDArray

from songwright.score.theory import Key

# Share of each scale degree in music of known key: Albrecht and Shanahan, "The use of large corpora to train a new
# type of key-finding algorithm", Music Perception 31(1), 2013, table of profiles.
_MAJOR = np.array([0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081])
_MINOR = np.array([0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052])


def measure_key(chroma: NDArray[np.float64]) -> tuple[Key, float]:
    """Returns the best of the 24 major and minor keys, and its lead over the second (0 to 1).

    Args:
        chroma: (12,) weight of every pitch class from C.
    """
    scores = {}
    for name, profile in (("major", _MAJOR), ("minor", _MINOR)):
        for tonic in range(12):
            scores[Key(tonic, name)] = float(np.corrcoef(chroma, np.roll(profile, tonic))[0, 1])
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    return ranked[0][0], ranked[0][1] - ranked[1][1]


def relation(asked: Key, measured: Key) -> str:
    """Returns how two keys stand to each other: ``same, relative, fifth, parallel`` or ``other``.

    Modes count as the major or minor they sound like.
    """
    shift = (measured.tonic - asked.tonic) % 12
    if shift == 0:
        return "same" if asked.is_minor == measured.is_minor else "parallel"
    if asked.is_minor != measured.is_minor:
        return "relative" if shift == (3 if asked.is_minor else 9) else "other"
    return "fifth" if shift in (5, 7) else "other"
