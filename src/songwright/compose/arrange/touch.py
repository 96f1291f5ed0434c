"""How hard a note is played: metre, phrase, section and the player's hand."""

import numpy as np

from songwright.compose.arrange.context import Context, Stint
from songwright.score.song import TICKS_PER_QUARTER


class Touch:
    """Velocities of one player in one stint.

    Args:
        context: of the arrangement.
        stint: where.
        part_id: whose random stream it is.
        base: velocity of a plain note at middle intensity.
        depth: how strongly metre and phrase show, 1 as a rule.
    """

    def __init__(self, context: Context, stint: Stint, part_id: str, *, base: float = 78, depth: float = 1.0) -> None:
        self._plan = context.plan
        self._start, self._end = context.span_of(stint)
        self._base = base + 34.0 * (stint.intensity - 0.55) + (4.0 if stint.lifted else 0.0)
        self._depth = depth
        self._spread = 1.5 if context.style.feel.programmed else 3.0
        self._random = context.random(stint.section.label, part_id, "touch")
        rising = stint.section.role in ("prechorus", "build")
        self._ramp = 10.0 if rising else 0.0

    def __call__(self, tick: int, extra: float = 0.0) -> int:
        """Returns the velocity of a note at a tick; `extra` is added for accents and ghosts."""
        bar, beat = self._plan.bar_ticks, self._plan.beat_ticks
        inside = tick % bar
        if inside == 0:
            metric = 5.0
        elif inside % beat == 0:
            metric = 2.0 if (inside // beat) % 2 == 0 else 0.0
        elif inside % (TICKS_PER_QUARTER // 2) == 0:
            metric = -3.0
        else:
            metric = -6.0
        phrase = 4 * bar
        arc = 3.0 * float(np.sin(np.pi * ((tick - self._start) % phrase) / phrase))
        share = (tick - self._start) / max(1, self._end - self._start)
        hand = float(self._random.normal()) * self._spread
        value = self._base + self._depth * (metric + arc) + self._ramp * (share - 0.5) + hand + extra
        return int(min(124, max(18, round(value))))
