"""When each note really falls: swing, the timing all players of a song share, the bass on the kick, laid-back parts.

Only `Note.offset_ticks` is filled; the written grid stays as it is. What was learned from drummers is in `grooves`.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from songwright.compose.arrange.grooves import SongTiming
from songwright.compose.plan import SongPlan
from songwright.compose.style import Style
from songwright.score.drums import DRUM_NAMES, DRUMS
from songwright.score.song import TICKS_PER_QUARTER, Track
from songwright.seeding import generator

KICKS = (DRUMS["kick"], DRUMS["kick_2"])
BASS_ON_KICK_MS = 4.0
"""How far a bass note may lie from the kick it is written on (the ear joins them below 5 ms)."""

_SHARE = {"melody": 0.6, "vocal": 0.6, "backing_vocal": 0.6, "counter_melody": 0.7, "pad": 0.5}
_JITTER_MS = {"melody": 4.0, "counter_melody": 4.0, "pad": 3.0, "bass": 2.0}
_FARTHEST_MS = 28.0
_SINGERS = ("vocal", "backing_vocal")
_SUNG_MS = 5.0
"""How far the band's common timing moves a singer."""

Ticks = npt.NDArray[np.int64]
Milliseconds = npt.NDArray[np.float64]


def apply_feel(tracks: tuple[Track, ...], plan: SongPlan, style: Style, *, seed: int) -> tuple[Track, ...]:
    """Returns the tracks with the offsets of a performance added to those that are set already (strums).

    Live styles share one timing of the song; drums have their own place in it, the bass sits on the kick, chords and
    tune follow. Programmed styles stay on the grid but for swing and what `lay_back_ms` says. Effects never move.

    Args:
        tracks: as written; a track's id is that of its part.
        plan: the form.
        style: swing, lay-back, drummers.
        seed: of the song.
    """
    ms = 60000.0 / (plan.tempo_bpm * TICKS_PER_QUARTER)
    timing = None if style.feel.programmed else SongTiming(plan, style, seed=seed)
    out: dict[str, Track] = {}
    kicks: dict[int, int] = {}
    for track in sorted(tracks, key=lambda t: not t.is_drums):
        if track.role == "effects" or not track.notes:
            out[track.id] = track
            continue
        starts = np.array([n.start_ticks for n in track.notes], dtype=np.int64)
        late = _lateness_ms(track, starts, style, timing, seed)
        offsets = swing_offsets(starts, plan, style) + np.round(late / ms).astype(np.int64)
        if track.role == "bass":
            offsets = _on_the_kick(starts, offsets, kicks, late, ms, style.feel.lay_back_ms.get(track.id, 0.0))
        offsets = np.maximum(offsets, -starts)
        notes = tuple(
            replace(n, offset_ticks=max(-n.start_ticks, n.offset_ticks + int(o)))
            for n, o in zip(track.notes, offsets, strict=True)
        )
        if track.role == "drums":
            kicks.update({n.start_ticks: n.offset_ticks for n in notes if n.pitch in KICKS})
        out[track.id] = replace(track, notes=notes)
    return tuple(out[track.id] for track in tracks)


def swing_offsets(starts: Ticks, plan: SongPlan, style: Style) -> Ticks:
    """Returns how much later swing makes notes that are written straight; written triplets stay where they are.

    At swing 1 the second of two swung notes falls on the last third of the pair; notes between move in proportion.
    In compound metres the beat is a triplet already.
    """
    unit = TICKS_PER_QUARTER * 4 // style.feel.swing_unit
    if style.feel.swing <= 0 or plan.beat_ticks == TICKS_PER_QUARTER * 3 // 2:
        return np.zeros(len(starts), dtype=np.int64)
    place = starts % (2 * unit)
    late = np.maximum(0.0, 1.0 - np.abs(place - unit) / unit) * style.feel.swing * unit / 3
    triplet = (starts % (2 * unit // 3) == 0) & (place % unit != 0)
    return np.where(triplet, 0, np.round(late)).astype(np.int64)


def _lateness_ms(track: Track, starts: Ticks, style: Style, timing: SongTiming | None, seed: int) -> Milliseconds:
    """Returns how late each note is, swing aside."""
    late = np.full(len(starts), style.feel.lay_back_ms.get(track.id, 0.0))
    if track.is_drums:
        pitches = np.array([n.pitch for n in track.notes])
        named: Mapping[str, float] = style.feel.lay_back_ms
        for pitch in np.unique(pitches):
            mine, drum = pitches == pitch, DRUM_NAMES.get(int(pitch), "")
            late[mine] += named.get(drum, 0.0)
            if timing is not None:
                random = generator(seed, "feel", track.id, drum)
                own = timing.drum_ms(starts[mine], drum)
                own += timing.jitter_ms(drum) * random.standard_normal(int(mine.sum()))
                late[mine] += np.clip(own, -_FARTHEST_MS, _FARTHEST_MS)
    elif timing is not None:
        random = generator(seed, "feel", track.id)
        ticks, member = np.unique(starts, return_inverse=True)
        own = _SHARE.get(track.role, 1.0) * timing.common_ms(ticks)
        if track.role in _SINGERS:
            own = np.clip(own, -_SUNG_MS, _SUNG_MS)  # the rest of their timing is their own, see `vocal_lead`
        else:
            own += _JITTER_MS.get(track.role, 3.0) * random.standard_normal(len(ticks))
        late += np.clip(own, -_FARTHEST_MS, _FARTHEST_MS)[member]
    return late


def _on_the_kick(
    starts: Ticks, offsets: Ticks, kicks: Mapping[int, int], late: Milliseconds, ms: float, lay_back: float
) -> Ticks:
    """Returns a bass's offsets with those notes moved to the kick that are written on one."""
    slack = np.clip(0.15 * (late - lay_back) + lay_back, -BASS_ON_KICK_MS, BASS_ON_KICK_MS)
    near = np.trunc(slack / ms).astype(np.int64)
    moved = [
        kicks[int(s)] + int(n) if int(s) in kicks else int(o) for s, o, n in zip(starts, offsets, near, strict=True)
    ]
    return np.array(moved, dtype=np.int64)
