"""Joints between sections: how important each is and which device leads into it; and the parts of kind ``effects``.

Drums, effects and the rest of the arrangement ask `joints` for the same decisions, so that a drum stop, a riser and an
impact meet on the same bar line. Drum notes are written in `drums`.
"""

from dataclasses import dataclass

import numpy as np

from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Part, Style
from songwright.score.song import TICKS_PER_QUARTER, Note
from songwright.seeding import generator

_REVERSED_SECONDS = 1.3
"""How long a recorded reversed cymbal swells before it breaks off; a longer note leaves a hole before the joint."""
DRUM_DEVICES = ("fill", "snare_roll", "drum_stop", "pickup", "silence")
EFFECT_DEVICES = ("riser", "reverse_swell")
_ARRIVALS = {"chorus": 0.25, "drop": 0.35, "solo": 0.1, "head": 0.1, "bridge": 0.05}
_WEIGHTS = {"fill": 3.0, "pickup": 1.2, "snare_roll": 1.5, "drum_stop": 1.0, "silence": 0.5}


@dataclass(frozen=True, slots=True)
class Joint:
    """The bar line between two sections.

    Attributes:
        tick: the bar line.
        before, after: the sections it parts.
        importance: 0 (nothing happens) to 1 (the arrival of the song).
        rises: whether the section after is fuller.
        devices: what leads into it, from `style.devices.transitions`: at most one of `DRUM_DEVICES` and any of
            `EFFECT_DEVICES`.
        impacts: what sounds on it, from `style.devices.impacts`; empty when the section after is not fuller.
    """

    tick: int
    before: SectionPlan
    after: SectionPlan
    importance: float
    rises: bool
    devices: tuple[str, ...]
    impacts: tuple[str, ...]


def joints(plan: SongPlan, style: Style, *, seed: int) -> tuple[Joint, ...]:
    """Returns every joint of the song, the same for all who ask with the same seed.

    Args:
        plan: the form.
        style: gives the devices to choose from.
        seed: of the song.
    """
    found: list[Joint] = []
    last_device = ""
    for before, after in zip(plan.sections, plan.sections[1:], strict=False):
        rise = after.energy - before.energy
        importance = min(1.0, max(0.0, 0.25 + 1.2 * rise + _ARRIVALS.get(after.role, 0.0) + 0.15 * after.is_last))
        rises = rise > 0.02 or (after.role in ("chorus", "drop") and rise > -0.02)
        device = _drum_device(style, importance, rises, last_device, generator(seed, "joint", after.label))
        last_device = device
        effects = tuple(d for d in EFFECT_DEVICES if d in style.devices.transitions and rises and importance >= 0.45)
        impacts = tuple(i for i in style.devices.impacts if i != "none") if rises else ()
        devices = (*((device,) if device else ()), *effects)
        found.append(Joint(plan.start_ticks(after), before, after, round(importance, 3), rises, devices, impacts))
    return tuple(found)


def _drum_device(style: Style, importance: float, rises: bool, last: str, random: np.random.Generator) -> str:
    """Returns what the drums do before a joint; the strong devices are kept for rises."""
    offered = [d for d in style.devices.transitions if d in DRUM_DEVICES]
    if not rises:
        return "fill" if "fill" in offered else ""
    if importance < 0.6:
        offered = [d for d in offered if d not in ("drum_stop", "silence", "snare_roll")] or offered
    if len(offered) > 1 and last != "fill":
        offered = [d for d in offered if d != last]
    if not offered:
        return ""
    weights = [_WEIGHTS[d] for d in offered]
    pick = random.random() * sum(weights)
    for device, weight in zip(offered, weights, strict=True):
        pick -= weight
        if pick < 0:
            return device
    return offered[-1]


def write_effects(plan: SongPlan, style: Style, part: Part, *, seed: int) -> tuple[Note, ...]:
    """Returns the notes of an effects part; what they do follows from the part's first instrument.

    A riser or a reverse swell ends exactly on the bar line of a joint that has it, a fall begins on the bar line of a
    quieter section, an impact strikes on the first beat of fuller sections, noise beds last as long as the section.

    Args:
        plan: the form.
        style: gives the devices.
        part: of kind ``effects``.
        seed: of the song.
    """
    instrument = part.instruments[0]
    found = joints(plan, style, seed=seed)
    bar, low, high = plan.bar_ticks, *part.register
    pitch = low + (plan.key.tonic - low) % 12
    pitch = pitch if pitch <= high else low
    notes: list[Note] = []
    if instrument == "vinyl_noise":
        end = plan.num_bars * bar
        return (Note(0, end, pitch, 70),)
    for joint in found:
        velocity = int(60 + 50 * joint.importance)
        if instrument == "noise_riser" and "riser" in joint.devices:
            length = min(_riser_bars(joint), joint.before.num_bars) * bar
            notes.append(Note(joint.tick - length, length, pitch, velocity))
        elif instrument in ("reverse_swell", "reverse_cymbal") and "reverse_swell" in joint.devices:
            length = bar if joint.importance > 0.6 else max(plan.beat_ticks, bar // 2)
            if instrument == "reverse_cymbal":
                length = min(length, round(_REVERSED_SECONDS * plan.tempo_bpm / 60 * TICKS_PER_QUARTER))
            notes.append(Note(joint.tick - length, length, pitch, velocity))
        elif instrument == "noise_fall" and (not joint.rises or joint.importance > 0.75):
            length = min(2, joint.after.num_bars) * bar
            notes.append(Note(joint.tick, length, pitch, velocity if joint.rises else 70))
        elif instrument not in _GESTURES and joint.rises and joint.importance >= 0.5:
            notes.append(Note(joint.tick, min(2 * bar, joint.after.num_bars * bar), pitch, velocity))
    return tuple(notes)


_GESTURES = ("noise_riser", "reverse_swell", "reverse_cymbal", "noise_fall")


def _riser_bars(joint: Joint) -> int:
    if joint.importance > 0.8:
        return 4
    return 2 if joint.importance > 0.55 else 1
