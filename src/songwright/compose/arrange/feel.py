"""When each note really falls: swing, the timing all players of a song share, the bass on the kick, laid-back parts.

Only `Note.offset_ticks` is filled; the written grid stays as it is.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from songwright.compose.plan import SongPlan
from songwright.compose.style import Style
from songwright.score.song import TICKS_PER_QUARTER, Track

_TRIPLET = TICKS_PER_QUARTER // 3


def apply_feel(tracks: tuple[Track, ...], plan: SongPlan, style: Style, *, seed: int) -> tuple[Track, ...]:
    """Returns the tracks with the offsets of a performance added to those that are set already (strums)."""
    out = []
    for track in tracks:
        starts = np.array([n.start_ticks for n in track.notes], dtype=np.int64)
        offsets = swing_offsets(starts, plan, style)
        notes = tuple(
            replace(n, offset_ticks=n.offset_ticks + int(o)) for n, o in zip(track.notes, offsets, strict=True)
        )
        out.append(replace(track, notes=notes))
    return tuple(out)


def swing_offsets(starts: npt.NDArray[np.int64], plan: SongPlan, style: Style) -> npt.NDArray[np.int64]:
    """Returns how much later swing makes notes that are written straight; written triplets stay."""
    unit = TICKS_PER_QUARTER * 4 // style.feel.swing_unit
    if style.feel.swing <= 0 or plan.beat_ticks % TICKS_PER_QUARTER:
        return np.zeros(len(starts), dtype=np.int64)
    place = starts % (2 * unit)
    late = np.maximum(0.0, 1.0 - np.abs(place - unit) / unit) * style.feel.swing * unit / 3
    triplet = (starts % (2 * unit // 3) == 0) & (place % unit != 0)
    return np.where(triplet, 0, np.round(late)).astype(np.int64)
