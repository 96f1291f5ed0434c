"""Several takes of one player, and of each the sections that a judge prefers."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Protocol

from songwright.compose.arrange.context import Performance
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Style
from songwright.score.song import ChordSpan, Track

ORDER = ("lead", "bass", "drums", "comp")
"""Kinds of parts in the order in which they are written where there is a judge, so that each hears those before it."""


class TakeJudge(Protocol):
    """Says which take of a part is the best."""

    @property
    def takes(self) -> int:
        """How many takes it wants to hear."""

    @property
    def kinds(self) -> Collection[str]:
        """The kinds of parts that it judges, of `style.Part.kind`."""

    def choose(
        self,
        plan: SongPlan,
        style: Style,
        chords: tuple[ChordSpan, ...],
        others: Sequence[Track],
        takes: Sequence[Track],
        groups: Sequence[Sequence[int]],
    ) -> Sequence[int]:
        """Returns the best take for each group of bars.

        Args:
            plan: the form.
            style: the style book.
            chords: of the whole song.
            others: what sounds beside the part.
            takes: of the part, the same track with other notes.
            groups: bars that belong together: the sections of one role.
        """


def sections_by_role(plan: SongPlan) -> list[list[SectionPlan]]:
    """Returns the sections of each role, so that repeats keep one take."""
    roles = dict.fromkeys(section.role for section in plan.sections)
    return [[section for section in plan.sections if section.role == role] for role in roles]


def best_of(
    judge: TakeJudge,
    plan: SongPlan,
    style: Style,
    chords: tuple[ChordSpan, ...],
    others: Sequence[Track],
    track: Track,
    takes: Sequence[Performance],
) -> Performance:
    """Returns a performance that plays, in all sections of a role, the take that the judge prefers there.

    Args:
        judge: who chooses.
        plan: the form.
        style: the style book.
        chords: of the whole song.
        others: what sounds beside the part.
        track: of the part; its notes do not matter.
        takes: of the part; what they play before the song begins is the first one's.
    """
    sections = sections_by_role(plan)
    groups = [[bar for s in group for bar in range(s.first_bar, s.first_bar + s.num_bars)] for group in sections]
    tracks = [replace(track, notes=take.notes) for take in takes]
    chosen = judge.choose(plan, style, chords, others, tracks, groups)
    owner = {section.label: take for group, take in zip(sections, chosen, strict=True) for section in group}
    edges = [(plan.start_ticks(s), owner[s.label]) for s in plan.sections]

    def is_own(tick: int, take: int) -> bool:
        return next((number for start, number in reversed(edges) if start <= tick), 0) == take

    rows = list(enumerate(takes))
    return Performance(
        tuple(sorted(note for i, take in rows for note in take.notes if is_own(note.start_ticks, i))),
        tuple(sorted(control for i, take in rows for control in take.controls if is_own(control.tick, i))),
        tuple(sorted(bend for i, take in rows for bend in take.bends if is_own(bend.tick, i))),
    )
