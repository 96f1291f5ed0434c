"""What the arrangement knows of the voices: who sings which line when."""

from dataclasses import dataclass

from songwright.score.song import Note, SectionRole, Singer, Syllable


@dataclass(frozen=True, slots=True)
class SungLine:
    """A line of the lyrics with its notes.

    Attributes:
        index: `Syllable.line` of its syllables.
        role: of its section.
        start_ticks: first onset.
        end_ticks: end of the last note.
        room_ticks: where the next line may begin: between the two the singer breathes and others answer.
        notes: of the lead, all with syllables, never two at once.
        backing: syllables (with ids of their own) that the backing voices answer; often empty.
        is_refrain: whether the same words came before in a section of the same role.
    """

    index: int
    role: SectionRole
    start_ticks: int
    end_ticks: int
    room_ticks: int
    notes: tuple[Note, ...]
    backing: tuple[Syllable, ...] = ()
    is_refrain: bool = False


@dataclass(frozen=True, slots=True)
class VocalPlan:
    """The lead voice of a song.

    Attributes:
        singer: who.
        voice_type: key into `score.voices.VOICE_TYPES`.
        lines: in order.
        syllables: of all lines and their backing words, by rising id.
    """

    singer: Singer
    voice_type: str
    lines: tuple[SungLine, ...]
    syllables: tuple[Syllable, ...]

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes of the lead, in order."""
        return tuple(note for line in self.lines for note in line.notes)
