"""What every writer of the arrangement looks at: the plan, the chords over time, and the lead they leave room for.

Writers return a `Performance`. How parts are chosen for sections is in `roster`; nothing here draws random numbers.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from songwright.compose.arrange.drummer import Drummer
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Part, Style
from songwright.compose.vocals import SungLine
from songwright.score.song import TICKS_PER_QUARTER, ChordSpan, Control, Note, PitchBend
from songwright.score.theory import Chord, Key, parse_chord
from songwright.seeding import generator


@dataclass(frozen=True, slots=True)
class Performance:
    """What one player plays."""

    notes: tuple[Note, ...] = ()
    controls: tuple[Control, ...] = ()
    bends: tuple[PitchBend, ...] = ()


@dataclass(frozen=True, slots=True)
class Stint:
    """A stretch of one section in which a player plays.

    Attributes:
        section: the section.
        intensity: its energy, with the lifts of repeats and of the last chorus.
        first_bar, end_bar: bars of the song, the end not included; the final ring lies outside.
        lifted: whether this is the last chorus, fuller than the others.
    """

    section: SectionPlan
    intensity: float
    first_bar: int
    end_bar: int
    lifted: bool = False


@dataclass(frozen=True, slots=True)
class Player:
    """A part of the style with the instrument this song gives it and where it plays."""

    part: Part
    instrument: str
    stints: tuple[Stint, ...] = ()


class ChordTimeline:
    """Chords of the song by tick."""

    def __init__(self, spans: Sequence[ChordSpan]) -> None:
        self.spans: list[tuple[int, int, Chord]] = []
        for span in spans:
            chord = parse_chord(span.symbol)
            if chord is not None:
                self.spans.append((span.start_ticks, span.end_ticks, chord))
        self._starts = [start for start, _, _ in self.spans]

    def index_at(self, tick: int) -> int:
        """Returns the index into `spans` of the chord at a tick: the last begun, or the first before any has."""
        return max(0, bisect_right(self._starts, tick) - 1)

    def at(self, tick: int) -> Chord | None:
        """Returns the chord at a tick; None where none sounds."""
        if not self.spans:
            return None
        start, end, chord = self.spans[self.index_at(tick)]
        return chord if start <= tick < end else None

    def next_change(self, tick: int) -> tuple[int, Chord] | None:
        """Returns when and to what the chord changes next after a tick (repeats of the same chord are no change)."""
        if not self.spans:
            return None
        i = self.index_at(tick)
        here = self.spans[i][2]
        for start, _, chord in self.spans[i + 1 :]:
            if chord != here and start > tick:
                return start, chord
        return None

    def within(self, start: int, end: int, *, merge: bool = False) -> list[tuple[int, int, Chord]]:
        """Returns the chords between two ticks, cut to them; `merge` joins equal neighbours."""
        found: list[tuple[int, int, Chord]] = []
        for i in range(self.index_at(start), len(self.spans)):
            a, b, chord = self.spans[i]
            a, b = max(a, start), min(b, end)
            if a >= end:
                break
            if a < b and merge and found and found[-1][2] == chord and found[-1][1] == a:
                found[-1] = (found[-1][0], b, chord)
            elif a < b:
                found.append((a, b, chord))
        return found


class LeadLine:
    """The lead as the other parts hear it."""

    def __init__(self, notes: Sequence[Note]) -> None:
        self.notes = sorted(notes)
        self._starts = [note.start_ticks for note in self.notes]
        self._longest = max((note.duration_ticks for note in self.notes), default=0)

    def between(self, start: int, end: int) -> list[Note]:
        """Returns the notes that sound between two ticks."""
        first = bisect_left(self._starts, start - self._longest)
        last = bisect_left(self._starts, end)
        return [note for note in self.notes[first:last] if note.end_ticks > start]

    def lowest(self, start: int, end: int) -> int | None:
        """Returns the lowest pitch that sounds between two ticks; None if the lead rests."""
        return min((note.pitch for note in self.between(start, end)), default=None)

    def gaps(self, start: int, end: int, shortest: int) -> list[tuple[int, int]]:
        """Returns where the lead rests for at least `shortest` ticks within a stretch."""
        found: list[tuple[int, int]] = []
        reached = start
        for note in self.between(start, end):
            if note.start_ticks - reached >= shortest:
                found.append((reached, note.start_ticks))
            reached = max(reached, note.end_ticks)
        if end - reached >= shortest:
            found.append((reached, end))
        return found


BUSY = 1.2
"""Syllables per beat from which accompaniment thins out."""


@dataclass(frozen=True)
class Room:
    """The voices as the band hears them, and what is left to it between the lines; see `making_room`.

    Attributes:
        lines: of the lead voice, in order.
        voices: the lead voice, answers and ad libs.
        tune: what instruments lead where nobody sings.
        fills: short answers of the lead instruments, at the pitch they sound.
        low, high: between which four fifths of the lead voice's notes lie.
        stressed: ids of stressed syllables.
    """

    lines: tuple[SungLine, ...]
    voices: LeadLine
    tune: LeadLine
    fills: LeadLine
    low: int
    high: int
    stressed: frozenset[int] = frozenset()

    def syllables_per_beat(self, start: int, end: int, beat_ticks: int) -> float:
        """Returns how densely is sung between two ticks: onsets for each beat."""
        onsets = sum(start <= note.start_ticks < end for note in self.voices.between(start, end))
        return onsets * beat_ticks / max(1, end - start)

    def is_busy(self, start: int, end: int, beat_ticks: int) -> bool:
        """Whether so much is sung between two ticks that others should say less."""
        return self.syllables_per_beat(start, end, beat_ticks) >= BUSY

    def is_sung(self, start: int, end: int) -> bool:
        """Whether any line sounds between two ticks."""
        return any(line.start_ticks < end and line.end_ticks > start for line in self.lines)


@dataclass(frozen=True)
class Context:
    """Everything a writer may look at.

    With another `take` a player plays another of its possible parts; a `drummer` plays the book's grooves in a way of
    their own.
    """

    plan: SongPlan
    style: Style
    chords: ChordTimeline
    lead: LeadLine
    seed: int
    ends_in_ring: bool = field(default=True)
    room: Room | None = None
    take: int = 0
    drummer: Drummer | None = None

    @property
    def tune(self) -> LeadLine:
        """What lead instruments play; `lead` is all that the others leave room for, voices and fills among it."""
        return self.lead if self.room is None else self.room.tune

    @property
    def part_ticks(self) -> int:
        """What a felt beat is parted into: its half, or its third in compound metres."""
        return self.plan.beat_ticks // (3 if self.plan.beat_ticks % 1440 == 0 else 2)

    def random(self, *scope: str | int) -> np.random.Generator:
        """Returns the random generator of one place in the arrangement."""
        return generator(self.take_seed, "arrange", *scope)

    @property
    def take_seed(self) -> int:
        """The seed of what differs from take to take; the song's own for the first."""
        return int(generator(self.seed, "take", self.take).integers(1 << 62)) if self.take else self.seed

    def key_of(self, section: SectionPlan) -> Key:
        """Returns the key of a section, lifts included."""
        return Key((self.plan.key.tonic + section.key_shift) % 12, self.plan.key.mode)

    def ticks_of_ms(self, milliseconds: float) -> int:
        """Returns a time at the song's tempo in ticks."""
        return round(milliseconds / 60000.0 * self.plan.tempo_bpm * TICKS_PER_QUARTER)

    def span_of(self, stint: Stint) -> tuple[int, int]:
        """Returns the first tick of a stint and the one after its last."""
        return stint.first_bar * self.plan.bar_ticks, stint.end_bar * self.plan.bar_ticks

    @property
    def ring_bars(self) -> int:
        """Bars at the end in which only the last chord rings."""
        return min(self.plan.tail_bars, self.plan.sections[-1].num_bars) if self.ends_in_ring else 0

    @property
    def ring_start(self) -> int:
        """Where the last chord begins to ring (the end of the song when it fades out instead)."""
        return (self.plan.num_bars - self.ring_bars) * self.plan.bar_ticks
