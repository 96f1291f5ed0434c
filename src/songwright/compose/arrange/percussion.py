"""The percussionist: steady figures by section and energy, lighter than the drummer, silent in the final ring."""

from collections.abc import Mapping

from songwright.compose.arrange.drum_patterns import Hit
from songwright.compose.arrange.drums import groove_bars, notes_of
from songwright.compose.plan import SongPlan
from songwright.compose.style import Part, Style
from songwright.score.song import Note


def write_percussion(
    plan: SongPlan, style: Style, part: Part, sections: Mapping[str, float], *, seed: int
) -> tuple[Note, ...]:
    """Returns the notes of a percussion part.

    Args:
        plan: the form.
        style: the style book, for feel and devices.
        part: of kind ``percussion``.
        sections: label → intensity of the sections in which the part plays.
        seed: of the song.
    """
    hits: list[Hit] = []
    for section in plan.sections:
        if section.label in sections:
            intensity = min(1.0, max(0.0, sections[section.label] + 0.25 * (plan.density - 1.0)))
            for bar in groove_bars(plan, part, section, intensity, seed):
                hits.extend(bar)
    if style.devices.ending != "fade":
        tail = (plan.num_bars - plan.tail_bars) * plan.bar_ticks
        hits = [h for h in hits if h.tick < tail]
    return notes_of(hits, plan, style, part, seed=seed)
