"""What the composer asks of a writer of lyrics."""

from dataclasses import dataclass

from songwright.score.song import SectionRole


@dataclass(frozen=True, slots=True)
class SectionRequest:
    """One section that wants words.

    Attributes:
        role: of the section; sections of one role come in the order of the song.
        num_lines: how many lines; choruses of a song are asked for with the same number.
        syllables: how many a line should have, about (Chinese: characters); the writer takes its nearest metre.
        chosen_bars: bars of one line, for the record.
    """

    role: SectionRole
    num_lines: int
    syllables: float = 8.0
    chosen_bars: int = 2


@dataclass(frozen=True, slots=True)
class LyricRequest:
    """Words wanted for a song.

    Attributes:
        language: ``en``, ``zh`` or ``ru``.
        subject: what it is about, in the prompt's own words; may be empty.
        title: wanted title; may be empty.
        moods: mood words in English.
        images: image words in English.
        style: name of the style book.
        prompt: the whole prompt.
        sections: in the order of the song.
        traits: wishes such as ``archaic``, ``repetitive``, ``rap``.
        seed: of the song.
    """

    language: str
    subject: str = ""
    title: str = ""
    moods: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    style: str = "pop"
    prompt: str = ""
    sections: tuple[SectionRequest, ...] = ()
    traits: tuple[str, ...] = ()
    seed: int = 0
