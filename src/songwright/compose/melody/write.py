"""The lead of a whole song: every role's tune written once, repeated where the role returns, quoted at the edges."""

from dataclasses import dataclass, replace

import numpy as np

from songwright.compose.melody.model import MelodyModel, TuneNetwork, load_model
from songwright.compose.melody.phrase_plan import STEP_TICKS, Setting
from songwright.compose.melody.phrases import Line, lift_at, moved, with_new_ending
from songwright.compose.melody.sections import compose_section, velocities
from songwright.compose.plan import Phrase, SectionPlan, SongPlan
from songwright.compose.style import Style
from songwright.score.song import ChordSpan, Note
from songwright.seeding import generator

SUNG = ("verse", "prechorus", "chorus", "drop", "bridge", "theme", "head", "solo")
QUOTED = ("chorus", "head", "theme", "verse")
"""Where a quotation comes from, in this order."""
EDGES = ("intro", "interlude", "outro")
QUOTING = {"intro": 0.6, "interlude": 0.4, "breakdown": 0.85}
"""How often the hook is quoted there; the band plays alone else."""
VARIATION_TRIES = 4
SPARSE = 0.65
"""Density of a tune over riffs and loops."""
GRACE_TICKS = 80


@dataclass(frozen=True)
class Melody:
    """The lead of a song.

    Attributes:
        notes: in order, at absolute ticks on the written grid, never two at once.
        phrases: in order, over the whole song.
    """

    notes: tuple[Note, ...] = ()
    phrases: tuple[Phrase, ...] = ()


def write_melody(
    plan: SongPlan, style: Style, chords: tuple[ChordSpan, ...], *, seed: int, network: TuneNetwork | None = None
) -> Melody:
    """Returns the tune of a song; empty for a style without a lead.

    The same role has the same tune: choruses are identical (but for a lift), verses vary in their endings.

    Args:
        plan: form, key, metre, tempo.
        style: range, density, syncopation, scale, leaps, ornaments, and where its lead plays.
        chords: of the whole song.
        seed: of the song.
        network: judges beside the learned table of pitches.

    Raises:
        DataError: the learned tables are missing or broken.
    """
    sections = sung_sections(plan, style)
    if not sections:
        return Melody()
    return LeadWriter(plan, style, chords, seed, sections, network).write()


def sung_sections(plan: SongPlan, style: Style) -> tuple[SectionPlan, ...]:
    """Returns the sections in which the lead has a tune of its own."""
    leads = style.parts_of("lead")
    playing = [s for s in plan.sections if any(part.plays_in(s.role, s.energy) for part in leads)]
    usual = tuple(s for s in playing if s.role in SUNG)
    if usual or style.lead != "tune":
        return usual
    return tuple(s for s in playing if s.role not in EDGES) or tuple(playing)


class LeadWriter:
    """Writes each role's tune at its first use."""

    def __init__(
        self,
        plan: SongPlan,
        style: Style,
        chords: tuple[ChordSpan, ...],
        seed: int,
        sections: tuple[SectionPlan, ...],
        network: TuneNetwork | None = None,
    ) -> None:
        self.plan, self.style, self.seed, self.sections = plan, style, seed, sections
        self.setting = Setting(plan, style, chords)
        self.model: MelodyModel = load_model(self.setting.metre).judged_by(network)
        self.tunes: dict[str, tuple[Line, ...]] = {}

    def write(self) -> Melody:
        """Returns the whole song's lead."""
        for section in self.sections:
            if section.role not in self.tunes:
                self.tunes[section.role] = self._new(section)
        lines: list[tuple[Line, SectionPlan]] = []
        for section in self.plan.sections:
            lines.extend((line, section) for line in self._section(section) if line.slots)
        return self._emit(lines)

    def between(self, tunes: dict[str, tuple[Line, ...]], words: frozenset[SectionPlan]) -> Melody:
        """Returns the lead of a song with words: what instruments play in the sections where nobody sings.

        Args:
            tunes: of the sung roles, for quotations.
            words: the sections that are sung.
        """
        self.sections = tuple(s for s in self.sections if s not in words)
        self.tunes = {role: tune for role, tune in tunes.items() if tune}
        for section in self.sections:
            if section.role not in self.tunes:
                self.tunes[section.role] = self._new(section)
        lines = [(x, s) for s in self.plan.sections if s not in words for x in self._section(s) if x.slots]
        return self._emit(lines)

    def _new(self, section: SectionPlan) -> tuple[Line, ...]:
        random = generator(self.seed, "melody", section.role, section.occurrence if section.role == "solo" else 0)
        sparse = 1.0 if self.style.lead == "tune" or section.role == "solo" else SPARSE
        return compose_section(self.model, section, self.setting, random, sparse=sparse)

    def _section(self, section: SectionPlan) -> list[Line]:
        if section in self.sections:
            if section.role == "solo" and section.occurrence:
                return list(self._new(section))
            return self._again(section)
        if (section.role in EDGES or self._stays(section)) and self._lead_plays(section):
            return self._quotation(section)
        return []

    def _stays(self, section: SectionPlan) -> bool:
        """Returns whether the lead is one of the parts that stay in a breakdown."""
        staying = set(self.style.devices.breakdown)
        return section.role == "breakdown" and any(part.id in staying for part in self.style.parts_of("lead"))

    def _lead_plays(self, section: SectionPlan) -> bool:
        return any(part.plays_in(section.role, section.energy) for part in self.style.parts_of("lead"))

    def _again(self, section: SectionPlan) -> list[Line]:
        """Returns the role's tune where this section lies, as long as it is; later verses end otherwise."""
        tune = self.tunes[section.role]
        random = generator(self.seed, "melody", section.role, "again", section.occurrence)
        start, end = self.plan.start_ticks(section), self.plan.end_ticks(section)
        lines: list[Line] = []
        at, i = start, 0
        first = tune[0].plan.start_ticks
        while at < end and tune:
            source = tune[i % len(tune)]
            length = source.plan.num_bars * self.plan.bar_ticks
            if at + length > end and lines:
                break
            same = at == source.plan.start_ticks and start == first
            line = source if same else moved(self.model, source, at, self.setting, random)
            if section.occurrence and section.role == "verse" and i % 2 == 1:
                line = self._varied(line, random)
            lines.append(line)
            at, i = at + length, i + 1
        return lines

    def _varied(self, line: Line, random: np.random.Generator) -> Line:
        """Returns the phrase with another ending; the learned one often comes out again, hence the tries."""
        varied = line
        for _ in range(VARIATION_TRIES):
            new_rhythm = bool(random.random() < 0.5)
            varied = with_new_ending(self.model, line, line.plan, self.setting, random, keep=0.7, new_rhythm=new_rhythm)
            if (varied.slots, varied.pitches) != (line.slots, line.pitches):
                break
        return varied

    def _quotation(self, section: SectionPlan) -> list[Line]:
        """Returns the hook where it announces, recalls or ends the song."""
        role = next((r for r in QUOTED if r in self.tunes), None)
        random = generator(self.seed, "melody", section.role, "quotation", section.occurrence)
        chance = 1.0 if section.role == "outro" or self.style.devices.intro == "lead" else QUOTING[section.role]
        if role is None or random.random() >= chance:
            return []
        hook = self.tunes[role][0]
        bars = hook.plan.num_bars
        whole = section.role != "intro" or self.style.devices.intro == "lead"
        room = section.num_bars - (self.plan.tail_bars if section is self.plan.sections[-1] else 0)
        times = min(2, room // bars) if whole else min(1, room // bars)
        first = section.first_bar + (0 if whole else section.num_bars - bars)
        step = bars if room < 4 * bars else 2 * bars
        starts = [first + k * step for k in range(times) if first + k * step + bars <= section.first_bar + room]
        return [moved(self.model, hook, bar * self.plan.bar_ticks, self.setting, random) for bar in starts]

    def _emit(self, lines: list[tuple[Line, SectionPlan]]) -> Melody:
        tail = (self.plan.num_bars - self.plan.tail_bars) * self.plan.bar_ticks
        notes: list[Note] = []
        phrases: list[Phrase] = []
        for line, section in lines:
            own = [n for n in self._notes(line, section) if n.start_ticks < tail]
            if not own:
                continue
            while notes and notes[-1].start_ticks >= own[0].start_ticks - STEP_TICKS // 2:
                notes.pop()
            notes.extend(own)
            phrases.append(line.phrase(self.setting))
        if lines and lines[-1][1] is self.plan.sections[-1]:
            final = self._final(notes[-1] if notes else None, tail)
            notes.append(final)
            if phrases:
                phrases[-1] = _longer(phrases[-1], self.plan, tail)
            else:
                phrases.append(Phrase(tail, final.end_ticks, "a", 1, (1,)))
        return Melody(tuple(_alone(notes)), tuple(phrases))

    def _notes(self, line: Line, section: SectionPlan) -> list[Note]:
        loud = velocities(line, self.setting, section.energy)
        notes: list[Note] = []
        for i, ((step, length), pitch) in enumerate(zip(line.slots, line.pitches, strict=True)):
            start = line.plan.start_ticks + step * STEP_TICKS
            if start < 0:
                continue
            if i in line.graces and start >= GRACE_TICKS:
                notes.append(Note(start - GRACE_TICKS, GRACE_TICKS, line.graces[i], int(loud[i]) - 14))
            notes.append(Note(start, length * STEP_TICKS, pitch, int(loud[i])))
        return notes

    def _final(self, last: Note | None, tail: int) -> Note:
        """Returns the last note of the song: the tonic nearest to the last one, held."""
        tonic = self.plan.key.tonic + lift_at(self.setting, tail)
        low, high = self.style.melody.range
        near, velocity = (last.pitch, last.velocity) if last else ((low + high) // 2, 90)
        homes = [p for p in range(low, high + 1) if (p - tonic) % 12 == 0] or [near]
        pitch = min(homes, key=lambda p: (abs(p - near), p))
        length = max(1, min(self.plan.tail_bars, 2)) * self.plan.bar_ticks
        return Note(
            tail,
            min(length, max(1, self.plan.num_bars * self.plan.bar_ticks - tail)),
            pitch,
            max(40, velocity - 4),
        )


def _longer(phrase: Phrase, plan: SongPlan, tail: int) -> Phrase:
    """Returns the last phrase with the final note in it."""
    count = phrase.syllables + 1
    end = max(phrase.end_ticks, min(tail + 2 * plan.bar_ticks, plan.num_bars * plan.bar_ticks))
    return replace(phrase, end_ticks=end, syllables=count, stresses=(*phrase.stresses, 1))


def _alone(notes: list[Note]) -> list[Note]:
    """Returns the notes with none sounding into the next."""
    result = []
    for note, following in zip(notes, [*notes[1:], None], strict=False):
        if following is not None and note.end_ticks > following.start_ticks:
            note = replace(note, duration_ticks=max(1, following.start_ticks - note.start_ticks))
        result.append(note)
    return result
