"""What a vocal track should sound like, line by line: phones, vowels on notes, and the classes the recogniser knows."""

from collections.abc import Sequence
from dataclasses import dataclass

from songwright.evaluation.phoneme_classes import Kind, languages, phoneme_classes
from songwright.perform.timeline import performance
from songwright.score.song import Song, Syllable
from songwright.score.sung import SungPhone

MARGIN_SECONDS = 0.2
"""How much is heard before the first and after the last phone of a line, as far as the neighbours leave room."""


@dataclass(frozen=True, slots=True)
class SungNoteSpan:
    """A note as written and played: seconds, MIDI pitch, and whether it is the first of its syllable."""

    start_seconds: float
    end_seconds: float
    pitch: int
    opens: bool


@dataclass(frozen=True, slots=True)
class SyllableSpan:
    """A syllable with its notes.

    Attributes:
        syllable: of the song.
        notes: in order.
        phones: as planned; empty where the plan left it out.
    """

    syllable: Syllable
    notes: tuple[SungNoteSpan, ...]
    phones: tuple[SungPhone, ...]

    @property
    def start_seconds(self) -> float:
        """Where its vowel should begin."""
        return self.notes[0].start_seconds

    @property
    def end_seconds(self) -> float:
        """Where its last note ends."""
        return self.notes[-1].end_seconds


@dataclass(frozen=True)
class LineSpan:
    """A line of the lyrics as it should sound.

    Attributes:
        index: `Syllable.line`.
        syllables: in order.
        start_seconds, end_seconds: what of the sound belongs to it.
    """

    index: int
    syllables: tuple[SyllableSpan, ...]
    start_seconds: float
    end_seconds: float

    @property
    def language(self) -> str:
        """Its language; empty where it mixes several, or the recogniser knows it not."""
        found = {s.syllable.language for s in self.syllables}
        return found.pop() if len(found) == 1 and found <= set(languages()) else ""

    @property
    def phones(self) -> tuple[SungPhone, ...]:
        """All phones, in order."""
        return tuple(p for s in self.syllables for p in s.phones)


@dataclass(frozen=True)
class Targets:
    """The classes that should be heard in a line.

    Attributes:
        classes: in order.
        syllables: index of the syllable that each belongs to.
        nuclei: whether each belongs to the syllable's vowel.
    """

    classes: tuple[int, ...]
    syllables: tuple[int, ...]
    nuclei: tuple[bool, ...]


def line_spans(song: Song, track_id: str, phones: Sequence[SungPhone]) -> tuple[LineSpan, ...]:
    """Returns the lines of a track in the order in which they are sung.

    Args:
        song: the score.
        track_id: a track that is sung.
        phones: when each phone sounds.

    Raises:
        InputError: no such track.
    """
    played = performance(song, song.track(track_id))
    by_syllable: dict[int, list[SungPhone]] = {}
    for phone in phones:
        by_syllable.setdefault(phone.syllable, []).append(phone)
    lines: list[list[SyllableSpan]] = []
    rows = zip(
        played.start_seconds.tolist(), played.end_seconds.tolist(), played.pitches.tolist(), played.syllables,
        strict=False,
    )  # fmt: skip
    for start, end, pitch, syllable in rows:
        if syllable is None:
            continue
        last = lines[-1][-1] if lines else None
        if last is not None and last.syllable.id == syllable.id:
            note = SungNoteSpan(start, end, pitch, False)
            lines[-1][-1] = SyllableSpan(syllable, (*last.notes, note), last.phones)
            continue
        own = tuple(sorted(by_syllable.get(syllable.id, ()), key=lambda p: p.start_seconds))
        span = SyllableSpan(syllable, (SungNoteSpan(start, end, pitch, True),), own)
        if last is not None and last.syllable.line == syllable.line:
            lines[-1].append(span)
        else:
            lines.append([span])
    return _with_margins(lines)


def _with_margins(lines: list[list[SyllableSpan]]) -> tuple[LineSpan, ...]:
    edges = [
        (
            min([line[0].start_seconds, *(p.start_seconds for s in line for p in s.phones)]),
            max([line[-1].end_seconds, *(p.end_seconds for s in line for p in s.phones)]),
        )
        for line in lines
    ]
    found = []
    for i, (line, (first, last)) in enumerate(zip(lines, edges, strict=True)):
        before = edges[i - 1][1] if i else -1e9
        after = edges[i + 1][0] if i + 1 < len(lines) else 1e9
        start = max(first - MARGIN_SECONDS, min(first, 0.5 * (first + before)), 0.0)
        end = min(last + MARGIN_SECONDS, max(last, 0.5 * (last + after)))
        found.append(LineSpan(line[0].syllable.line, tuple(line), start, end))
    return tuple(found)


def targets(line: LineSpan) -> Targets | None:
    """Returns what should be heard in a line; None where the recogniser lacks the language or a sound of it."""
    if not line.language:
        return None
    known = phoneme_classes(line.language)
    symbols = [p for s in line.syllables for p in s.syllable.phonemes]
    if not symbols or not known.knows(symbols):
        return None
    classes: list[int] = []
    owners: list[int] = []
    nuclei: list[bool] = []
    for index, span in enumerate(line.syllables):
        for k, symbol in enumerate(span.syllable.phonemes):
            for one in known.fold(symbol):
                classes.append(one)
                owners.append(index)
                nuclei.append(k == span.syllable.nucleus)
    return Targets(tuple(classes), tuple(owners), tuple(nuclei))


def kind_before(line: LineSpan, wanted: Targets, at: int) -> Kind:
    """Returns the kind of the class before a place in a line's targets; it must not be the first."""
    return phoneme_classes(line.language).kinds[wanted.classes[at - 1]]
