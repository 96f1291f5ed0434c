"""`SongPlan`: the skeleton that form makes and harmony, melody and arrangement fill."""

from dataclasses import dataclass

from songwright.score.song import TICKS_PER_QUARTER, KeyChange, MeterChange, SectionRole
from songwright.score.theory import Key


@dataclass(frozen=True, slots=True)
class SectionPlan:
    """One section before any note is written.

    Attributes:
        label: unique, what people read, e.g. ``"Chorus 2"``.
        role: one of `score.song.SECTION_ROLES`.
        first_bar: counted from 0.
        num_bars: at least 1.
        energy: 0 to 1.
        occurrence: how many sections of the same role came before.
        is_last: whether it is the last of its role.
        key_shift: semitones above the song's key (a lift in the last chorus); 0 as a rule.
    """

    label: str
    role: SectionRole
    first_bar: int
    num_bars: int
    energy: float
    occurrence: int = 0
    is_last: bool = False
    key_shift: int = 0


@dataclass(frozen=True, slots=True)
class SongPlan:
    """What form decides: everything about time, key and sections.

    Attributes:
        title: of the song.
        style: name of the style book.
        seed: of the song.
        key: of the song.
        tempo_bpm: quarter notes per minute.
        numerator, denominator: of the metre.
        sections: in order, without gaps.
        density: 0.5 sparse to 1.5 busy, from the brief; 1 is the style's own.
        tail_bars: bars of the last section that are the final ring (chord held, no new material).
    """

    title: str
    style: str
    seed: int
    key: Key
    tempo_bpm: float
    numerator: int
    denominator: int
    sections: tuple[SectionPlan, ...]
    density: float = 1.0
    tail_bars: int = 1

    @property
    def bar_ticks(self) -> int:
        """Length of a bar."""
        return MeterChange(0, self.numerator, self.denominator).bar_ticks

    @property
    def beat_ticks(self) -> int:
        """Length of a felt beat: a quarter, or a dotted quarter in 6/8, 9/8 and 12/8."""
        if self.denominator == 8 and self.numerator % 3 == 0:
            return TICKS_PER_QUARTER * 3 // 2
        return TICKS_PER_QUARTER * 4 // self.denominator

    @property
    def num_bars(self) -> int:
        """Bars of the whole song."""
        if not self.sections:
            return 0
        first, last = self.sections[0], self.sections[-1]
        return last.first_bar + last.num_bars - first.first_bar

    def start_ticks(self, section: SectionPlan) -> int:
        """Returns where a section begins."""
        return section.first_bar * self.bar_ticks

    def end_ticks(self, section: SectionPlan) -> int:
        """Returns where a section ends."""
        return (section.first_bar + section.num_bars) * self.bar_ticks

    def key_changes(self) -> tuple[KeyChange, ...]:
        """Returns the key of the song, and where a section lifts it or takes it back."""
        changes = [KeyChange(0, str(self.key))]
        shift = 0
        for section in self.sections:
            if section.key_shift != shift:
                shift = section.key_shift
                changes.append(
                    KeyChange(self.start_ticks(section), str(Key((self.key.tonic + shift) % 12, self.key.mode)))
                )
        return tuple(changes)

    def section_at(self, tick: int) -> SectionPlan:
        """Returns the section that sounds at a tick (the last one after the end)."""
        bar = tick // self.bar_ticks
        return next((s for s in self.sections if s.first_bar <= bar < s.first_bar + s.num_bars), self.sections[-1])

    @property
    def climax(self) -> SectionPlan | None:
        """What the song builds towards: its last chorus or drop, or the last head or theme of forms without."""
        for roles in (("chorus", "drop"), ("head", "theme")):
            found = [section for section in self.sections if section.role in roles]
            if found:
                return found[-1]
        return None

    @property
    def opening(self) -> SectionPlan | None:
        """What the climax is heard against: the first verse, or the first head or theme; None where there is no arc."""
        for roles in (("verse",), ("head", "theme")):
            found = [section for section in self.sections if section.role in roles]
            if found:
                return found[0] if found[0] is not self.climax else None
        return None


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrase of a tune, as the singer breathes it.

    Attributes:
        start_ticks, end_ticks: where it lies; notes stay inside.
        shape: which material it repeats within its section: ``"a"``, ``"a'"``, ``"b"``, ``"a''"``…
        syllables: how many notes carry a (virtual) syllable.
        stresses: 0 or 1 for each syllable.
    """

    start_ticks: int
    end_ticks: int
    shape: str
    syllables: int
    stresses: tuple[int, ...] = ()
