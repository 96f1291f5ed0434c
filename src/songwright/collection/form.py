"""Sections from labels of the corpora: their roles, unique names, and how much goes on in them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from songwright.score.song import TICKS_PER_QUARTER, Section, SectionRole, Song

_WORDS: tuple[tuple[str, SectionRole], ...] = (
    (r"pre.?chorus|pre.?refrain", "prechorus"), (r"chorus|refrain|hook", "chorus"), (r"verse|strophe", "verse"),
    (r"bridge|middle", "bridge"), (r"outro|coda|fade|ending", "outro"), (r"intro|prelude|pre-verse", "intro"),
    (r"solo|instrumental|guitar|sax|piano", "solo"), (r"interlude|transition|vamp|break|trans|key change", "interlude"),
    (r"head", "head"), (r"theme|main", "theme"),
)  # fmt: skip
USUAL_ENERGY: dict[SectionRole, float] = {
    "intro": 0.4, "verse": 0.5, "prechorus": 0.65, "chorus": 0.85, "bridge": 0.6, "solo": 0.75, "interlude": 0.55,
    "build": 0.7, "drop": 1.0, "breakdown": 0.35, "outro": 0.45, "theme": 0.6, "head": 0.6,
}  # fmt: skip
"""Energy where only the role is known."""


def role_of_name(name: str) -> SectionRole | None:
    """Returns the role that a section's name says, e.g. of ``"pre-chorus two"``."""
    return next((role for pattern, role in _WORDS if re.search(pattern, name.lower())), None)


def sections(rows: Sequence[tuple[int, int, SectionRole, str]]) -> tuple[Section, ...]:
    """Returns sections with unique labels; neighbours of one role and letter are joined.

    Args:
        rows: (start tick, end tick, role, letter) in order, without gaps.
    """
    joined: list[tuple[int, int, SectionRole, str]] = []
    for start, end, role, letter in rows:
        if joined and joined[-1][2:] == (role, letter) and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end, role, letter)
        elif end > start:
            joined.append((start, end, role, letter))
    seen: Counter[str] = Counter()
    out = []
    for start, end, role, _ in joined:
        seen[role] += 1
        label = role.capitalize() if seen[role] == 1 else f"{role.capitalize()} {seen[role]}"
        out.append(Section(label, role, start, end - start, USUAL_ENERGY[role]))
    return tuple(out)


def with_energy(song: Song) -> Song:
    """Returns the song with the energy of each section measured: notes a beat times loudness, 1 at the busiest."""
    loads = [_load(song, s.start_ticks, s.end_ticks) for s in song.sections]
    top = max(loads, default=0.0)
    if top <= 0:
        return song
    return replace(
        song,
        sections=tuple(
            replace(s, energy=round(max(0.05, (load / top) ** 0.7), 3))
            for s, load in zip(song.sections, loads, strict=True)
        ),
    )


def _load(song: Song, start: int, end: int) -> float:
    total = sum(n.velocity / 127 for t in song.tracks for n in t.notes if start <= n.start_ticks < end)
    return total * TICKS_PER_QUARTER / max(1, end - start)
