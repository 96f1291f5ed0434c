"""How drummers of a style play: dynamics and timing, learned from recorded performances (tables/grooves.json).

`drums` asks for velocities, `feel` for timing. The tables are made by recipes/grooves/build.py.
"""

from collections.abc import Sequence

import numpy as np

from songwright.compose.arrange.drum_patterns import Hit
from songwright.compose.plan import SongPlan
from songwright.compose.style import Part, Style
from songwright.seeding import generator

LEVELS = {"X": 112.0, "x": 94.0, "o": 72.0, "g": 42.0, "f": 94.0, "r": 85.0, "t": 80.0}


def velocities(hits: Sequence[Hit], plan: SongPlan, style: Style, part: Part, *, seed: int) -> list[int]:
    """Returns a velocity for each stroke."""
    if not hits:
        return []
    random = generator(seed, "velocity", part.id)
    base = np.array([LEVELS[h.mark] * h.gain for h in hits])
    base += random.normal(0.0, 1.0 if style.feel.programmed else 4.0, len(hits))
    return [int(v) for v in np.clip(np.round(base), 1, 127)]
