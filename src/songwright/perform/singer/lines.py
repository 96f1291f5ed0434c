"""From the notes of a track to what one voice sings in one breath: parts, phrases, syllables with their notes.

A track in which notes sound together is sung by as many voices as it takes. Syllables without sounds are looked up;
notes without a syllable sing "la".
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from songwright.perform.singer.phones import is_vowel, nucleus_of
from songwright.perform.timeline import Performance
from songwright.score.song import Syllable
from songwright.speech.espeak import phonemes, split_marks

BREATH_REST_SECONDS = 0.35
"""A rest of this length divides phrases: there is time for a breath."""
_TOGETHER_SECONDS = 0.06
_PHRASE_SYLLABLES = 24
_LA = ("l", "a")
_LONGEST_PHONEMES = 12


@dataclass(frozen=True, slots=True)
class SungNote:
    """A note as it is sung; times in seconds, velocity 1 to 127."""

    start: float
    end: float
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class SungSyllable:
    """A syllable on its notes, at least one, in order and without overlaps."""

    syllable: Syllable
    notes: tuple[SungNote, ...]

    @property
    def start(self) -> float:
        """Where its vowel begins."""
        return self.notes[0].start

    @property
    def end(self) -> float:
        """Where its last note ends."""
        return self.notes[-1].end


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is sung in one breath.

    Attributes:
        syllables: at least one.
        rest_before: seconds of silence before it (a large number at the beginning).
        rest_after: seconds of silence after it.
        opens: whether a line or a breath begins here; a long line is cut into pieces that do not.
    """

    syllables: tuple[SungSyllable, ...]
    rest_before: float
    rest_after: float
    opens: bool

    @property
    def start(self) -> float:
        """First vowel."""
        return self.syllables[0].start

    @property
    def end(self) -> float:
        """End of the last note."""
        return self.syllables[-1].end

    @property
    def notes(self) -> tuple[SungNote, ...]:
        """All notes in order."""
        return tuple(n for s in self.syllables for n in s.notes)

    @property
    def name(self) -> str:
        """What tells it from every other phrase, in other tracks too: what is drawn for it stays with it."""
        rows = (f"{n.start:.4f} {n.end:.4f} {n.pitch} {n.velocity}" for n in self.notes)
        return f"{'-'.join(s.syllable.text for s in self.syllables)} {' '.join(rows)}"


def sung_parts(performance: Performance) -> tuple[tuple[Phrase, ...], ...]:
    """Returns the phrases of each voice that the track needs; nearly always of one.

    Raises:
        SpeechError: sounds had to be looked up, and espeak failed.
    """
    syllables = performance.syllables or (None,) * performance.num_notes
    known = _with_sounds([s for s in syllables if s is not None])
    language = next((s.language for s in known.values() if s.language), "en")
    voices: list[list[tuple[SungNote, Syllable]]] = []
    rows = zip(
        performance.start_seconds.tolist(), performance.end_seconds.tolist(), performance.pitches.tolist(),
        performance.velocities.tolist(), syllables, strict=True,
    )  # fmt: skip
    for i, (start, end, pitch, velocity, syllable) in enumerate(rows):
        sung = known[syllable.id] if syllable is not None else Syllable(-1 - i, "la", "la", 0, 0, language, _LA, 1)
        note = SungNote(start, end, pitch, velocity)
        free = (v for v in voices if v[-1][0].start < start and v[-1][0].end <= start + _overlap(v[-1][0], note))
        voice = next(free, None)
        if voice is None:
            voice = []
            voices.append(voice)
        voice.append((note, sung))
    return tuple(_phrases(_syllables(voice)) for voice in voices)


def _overlap(before: SungNote, after: SungNote) -> float:
    """Returns how far two notes of one voice may overlap: legato, not a chord."""
    return max(_TOGETHER_SECONDS, 0.5 * min(before.end - before.start, after.end - after.start))


def _with_sounds(syllables: Sequence[Syllable]) -> dict[int, Syllable]:
    """Returns syllables by id, each with phonemes and a nucleus that can be held."""
    known: dict[int, Syllable] = {}
    silent: dict[str, list[Syllable]] = {}
    for syllable in syllables:
        if syllable.id in known:
            continue
        known[syllable.id] = syllable
        if not syllable.phonemes:
            silent.setdefault(syllable.language or "en", []).append(syllable)
    for language, missing in silent.items():
        texts = [s.text if any(c.isalnum() for c in s.text) else "la" for s in missing]
        for syllable, words in zip(missing, phonemes(texts, language), strict=True):
            symbols = [split_marks(p)[0] for word in words for p in word]
            if language == "zh":
                symbols = [symbol.rstrip("0123456789") for symbol in symbols]
            found = tuple(p for p in symbols if _sounds(p))[:_LONGEST_PHONEMES] or _LA
            nucleus = next((i for i, p in enumerate(found) if is_vowel(p)), 0)
            known[syllable.id] = replace(syllable, phonemes=found, nucleus=nucleus, language=language)
    return {
        i: replace(s, nucleus=nucleus_of(s.phonemes, s.nucleus), language=s.language or "en") for i, s in known.items()
    }


def _sounds(symbol: str) -> bool:
    """Whether a mnemonic is a phone, not a mark or a change of language."""
    return any(c.isalnum() or c in "@&?" for c in symbol) and not symbol.startswith("(")


def _syllables(voice: Sequence[tuple[SungNote, Syllable]]) -> list[SungSyllable]:
    """Returns syllables with their notes; neighbouring notes of one id are a melisma; overlaps are cut."""
    rows: list[tuple[Syllable, list[SungNote]]] = []
    for i, (note, syllable) in enumerate(voice):
        following = voice[i + 1][0].start if i + 1 < len(voice) else note.end
        cut = replace(note, end=min(note.end, following)) if following > note.start else note
        if rows and rows[-1][0].id == syllable.id and cut.start - rows[-1][1][-1].end < BREATH_REST_SECONDS:
            last = rows[-1][1][-1]
            rows[-1][1][-1] = replace(last, end=cut.start)
            rows[-1][1].append(cut)
        else:
            rows.append((syllable, [cut]))
    return [SungSyllable(syllable, tuple(notes)) for syllable, notes in rows]


def _phrases(syllables: Sequence[SungSyllable]) -> tuple[Phrase, ...]:
    starts = [0]
    for i in range(1, len(syllables)):
        before, after = syllables[i - 1], syllables[i]
        rests = after.start - before.end >= BREATH_REST_SECONDS
        if rests or before.syllable.line != after.syllable.line or i - starts[-1] >= _PHRASE_SYLLABLES:
            starts.append(i)
    phrases = []
    for first, end in zip(starts, [*starts[1:], len(syllables)], strict=True):
        rest_before = syllables[first].start - syllables[first - 1].end if first else 1e3
        rest_after = syllables[end].start - syllables[end - 1].end if end < len(syllables) else 1e3
        same_line = first and syllables[first].syllable.line == syllables[first - 1].syllable.line
        opens = not same_line or rest_before >= BREATH_REST_SECONDS
        phrases.append(Phrase(tuple(syllables[first:end]), rest_before, rest_after, opens))
    return tuple(phrases)
