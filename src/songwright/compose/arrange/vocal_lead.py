"""The lead voice as a track: how strongly each note is sung, when it really falls, which words echo after their line.

The notes themselves come with the words, see `compose.vocals`. Backing voices are in `backing`.
"""

from dataclasses import replace

import numpy as np

from songwright.compose.arrange.context import Context
from songwright.compose.arrange.mixing import voice_mix
from songwright.compose.plan import SectionPlan
from songwright.compose.vocals import SungLine, VocalPlan
from songwright.score.song import Note, Syllable, Track

LEAD_ID = "vocal_lead"
SOFTEST, STRONGEST = 40, 120
_ROLE_EFFORT = {"verse": -4.0, "prechorus": 1.0, "chorus": 7.0, "drop": 7.0, "bridge": 1.0, "breakdown": -7.0}
_DRIFT_MS, _FARTHEST_MS = 3.0, 7.0
"""How much a singer's timing wanders from note to note, and how far at most."""


def section_of(context: Context, line: SungLine) -> SectionPlan:
    """Returns the section a line belongs to; a pick-up before its bar line counts to what it leads into."""
    return context.plan.section_at((line.start_ticks + 2 * line.end_ticks) // 3)


def write_voice(context: Context, vocals: VocalPlan) -> Track:
    """Returns the track of the lead voice."""
    syllables = {syllable.id: syllable for syllable in vocals.syllables}
    notes: list[Note] = []
    for line in vocals.lines:
        notes.extend(timed(context, line, with_effort(context, line, syllables)))
    return Track(
        id=LEAD_ID,
        role="vocal",
        instrument="voice",
        name="Lead vocal",
        notes=tuple(sorted(notes)),
        mix=voice_mix(context, throws=_throws(context, vocals), lead=True),
        singer=vocals.singer,
    )


def with_effort(context: Context, line: SungLine, syllables: dict[int, Syllable]) -> list[Note]:
    """Returns a line's notes with the effort of the singer as velocity.

    Verses are softer than choruses; each line swells to its peak and relaxes on its last note; stressed syllables are
    stronger; the further notes of a melisma have no accent of their own.
    """
    section = section_of(context, line)
    random = context.random("voice", "effort", line.index)
    effort = context.style.vocals.effort
    contrast = min(1.0, 0.5 + effort)  # who whispers does not shout in the chorus
    level = 52.0 + 40.0 * effort + contrast * (32.0 * (section.energy - 0.6) + _ROLE_EFFORT.get(section.role, 0.0))
    level += 4.0 * (section is context.plan.climax)
    peak = _peak(context, line, syllables)
    centre = sum(n.pitch for n in line.notes) / max(1, len(line.notes))
    spoken = any(_delivery(n, syllables) != "sung" for n in line.notes)
    made: list[Note] = []
    for i, note in enumerate(line.notes):
        arc = _arc(line, peak, note.start_ticks) * (0.4 if spoken else 1.0)
        stress = syllables[note.syllable].stress if note.syllable in syllables else 0
        accent = (6.0 if spoken else 3.5) if stress == 1 else 1.0 if stress == 2 else -1.5
        if made and note.syllable is not None and made[-1].syllable == note.syllable:
            velocity = made[-1].velocity - 1.0 + 0.5 * (note.pitch - made[-1].pitch)
        else:
            velocity = level + arc + accent + 0.5 * (note.pitch - centre) + 1.5 * float(random.normal())
        if i == len(line.notes) - 1 and i != peak:
            velocity = min(velocity, level + arc) - 4.0
        made.append(replace(note, velocity=int(min(STRONGEST, max(SOFTEST, round(velocity))))))
    return made


def _delivery(note: Note, syllables: dict[int, Syllable]) -> str:
    return syllables[note.syllable].delivery if note.syllable in syllables else "sung"


def _peak(context: Context, line: SungLine, syllables: dict[int, Syllable]) -> int:
    """Returns the note a line swells to: high, long, stressed, and not too early."""
    beat = context.plan.beat_ticks
    length = max(1, line.end_ticks - line.start_ticks)

    def weight(index: int) -> float:
        note = line.notes[index]
        stress = syllables[note.syllable].stress == 1 if note.syllable in syllables else False
        place = (note.start_ticks - line.start_ticks) / length
        return note.pitch + 2.0 * min(2.0, note.duration_ticks / beat) + 1.5 * stress - 3.0 * abs(place - 0.6)

    return max(range(len(line.notes)), key=lambda i: (weight(i), i), default=0)


def _arc(line: SungLine, peak: int, tick: int) -> float:
    """Returns how far a moment lies above or below the line's level: up to its peak, down to its end."""
    top = line.notes[peak].start_ticks
    if tick <= top:
        return -4.0 + 10.0 * (tick - line.start_ticks) / max(1, top - line.start_ticks) if top > tick else 6.0
    return 6.0 - 9.0 * (tick - top) / max(1, line.end_ticks - top)


def timed(context: Context, line: SungLine, notes: list[Note]) -> list[Note]:
    """Returns a line's notes with a singer's timing: a slow wandering, and lines that begin late where the style does.

    What is late at the beginning is caught up towards the end. A melisma moves as one.
    """
    random = context.random("voice", "timing", line.index)
    late = context.style.vocals.late_ms * float(random.uniform(0.6, 1.3))
    drift = 0.0
    made: list[Note] = []
    for note in notes:
        if made and note.syllable is not None and made[-1].syllable == note.syllable:
            offset = made[-1].offset_ticks
        else:
            place = (note.start_ticks - line.start_ticks) / max(1, line.end_ticks - line.start_ticks)
            drift = 0.6 * drift + _DRIFT_MS * float(random.normal())
            own = float(np.clip(drift, -_FARTHEST_MS, _FARTHEST_MS))
            offset = context.ticks_of_ms(own + late * (1.0 - 0.7 * place))
        made.append(replace(note, offset_ticks=max(-note.start_ticks, offset)))
    return made


def _throws(context: Context, vocals: VocalPlan) -> tuple[tuple[int, int], ...]:
    """Returns the last words that echo into the room after their line: more often at the end of a section."""
    beat = context.plan.beat_ticks
    share = context.style.vocals.delay_throws
    found = []
    for line, following in zip(vocals.lines, (*vocals.lines[1:], None), strict=True):
        closes = following is None or section_of(context, following) is not section_of(context, line)
        dice = float(context.random("voice", "throw", line.index).random())
        room = line.room_ticks - line.end_ticks
        if not line.notes or line.backing or room < beat or dice >= min(1.0, share * (2.0 if closes else 1.0)):
            continue
        last = [n for n in line.notes if n.syllable == line.notes[-1].syllable] or [line.notes[-1]]
        found.append((last[0].start_ticks, line.end_ticks))
    return tuple(found)
