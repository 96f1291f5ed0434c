"""How jazz reaches a chord: a dominant gets the ii that belongs to it, another chord a dominant of its own before it.

Put into chords that were found for a tune, where the tune allows it: the likeliest progression is a plain one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from songwright.compose.harmony.functions import (
    DIMINISHED,
    DOMINANT,
    MINOR,
    Vocabulary,
    quality_of,
    spell,
    vocabulary_of,
)
from songwright.compose.harmony.write import joined
from songwright.compose.plan import SongPlan
from songwright.compose.style import Style
from songwright.score.song import ChordSpan, Note
from songwright.score.theory import Chord, parse_chord
from songwright.seeding import generator

FAMILIES = ("jazz", "latin")
"""Families of styles that reach chords so."""

_SECOND_SHARE, _DOMINANT_SHARE = 0.75, 0.5
"""How often a ii is put before its dominant, and a dominant before another chord, where both would do."""

_WORSE = 0.15
"""How much less of the tune may be chord tones than before."""


def approached(
    spans: Sequence[ChordSpan], notes: Sequence[Note], plan: SongPlan, style: Style
) -> tuple[ChordSpan, ...]:
    """Returns chords with what leads into them, in styles that do so; bars of the same section role get the same.

    Args:
        spans: without gaps.
        notes: the tune that they carry.
        plan: key, metre, sections and seed.
        style: what it does not have in its vocabulary is not used.
    """
    if style.family not in FAMILIES or plan.bar_ticks // plan.beat_ticks % 2:
        return tuple(spans)
    work = _Approaches(plan, vocabulary_of(style, plan.key), notes)
    return joined(work.dominants(work.seconds(list(spans))))


@dataclass(frozen=True)
class _Approaches:
    plan: SongPlan
    vocabulary: Vocabulary
    notes: Sequence[Note]

    def seconds(self, spans: Sequence[ChordSpan]) -> list[ChordSpan]:
        """Returns chords in which dominants that resolve are halved, their ii before them."""
        found: list[ChordSpan] = []
        for span, following in zip(spans, [*spans[1:], None], strict=True):
            chord = parse_chord(span.symbol)
            goal = None if following is None else parse_chord(following.symbol)
            before = parse_chord(found[-1].symbol) if found else None
            half = span.duration_ticks // 2
            if chord is None or goal is None or quality_of(chord) != DOMINANT or half % self.plan.beat_ticks:
                found.append(span)
                continue
            root = (chord.root + 7) % 12
            resolves = goal.root == (chord.root + 5) % 12
            kind = DIMINISHED if quality_of(goal) == MINOR else MINOR
            second = self._entry(root, kind) if resolves and not (before and before.root == root) else None
            if second and self._fits(span.start_ticks, span.start_ticks + half, chord, second, _SECOND_SHARE):
                found += [self._named(span.start_ticks, half, second), _from(span, half)]
            else:
                found.append(span)
        return found

    def dominants(self, spans: Sequence[ChordSpan]) -> list[ChordSpan]:
        """Returns chords of a bar or more whose last half bar is the dominant of what follows."""
        found: list[ChordSpan] = []
        half = self.plan.bar_ticks // 2
        for span, following in zip(spans, [*spans[1:], None], strict=True):
            chord = parse_chord(span.symbol)
            goal = None if following is None else parse_chord(following.symbol)
            long = span.duration_ticks >= self.plan.bar_ticks and span.end_ticks % self.plan.bar_ticks == 0
            lead = None
            if chord is not None and goal is not None and long and quality_of(chord) != DOMINANT:
                lead = self._entry((goal.root + 7) % 12, DOMINANT) if goal.root != chord.root else None
            start = span.end_ticks - half
            if chord is not None and lead and self._fits(start, span.end_ticks, chord, lead, _DOMINANT_SHARE):
                kept = replace(span, duration_ticks=span.duration_ticks - half)
                found += [kept, self._named(start, half, lead)]
            else:
                found.append(span)
        return found

    def _entry(self, root: int, quality: int) -> Chord | None:
        """Returns the vocabulary's chord on a root (a pitch class) of a kind; None if the style has none."""
        for chord in self.vocabulary.chords:
            here = chord.transposed(self.plan.key.tonic)
            if here.root == root and quality_of(here) == quality and here.bass is None:
                return here
        return None

    def _named(self, start: int, length: int, chord: Chord) -> ChordSpan:
        return ChordSpan(start, length, spell(chord, self.plan.key))

    def _fits(self, start: int, end: int, old: Chord, new: Chord, share: float) -> bool:
        """Whether the tune carries another chord about as well, without a tone that rubs, and chance has it so."""
        section = self.plan.section_at(start)
        place = start - self.plan.start_ticks(section)
        dice = generator(self.plan.seed, "approach", section.role, place).random()
        if dice >= share:
            return False
        lengths = [
            (note.pitch % 12, min(note.end_ticks, end) - max(note.start_ticks, start))
            for note in self.notes
            if note.start_ticks < end and note.end_ticks > start
        ]
        total = sum(length for _, length in lengths)
        tones, earlier = set(new.pitch_classes), set(old.pitch_classes)
        rubs = {(tone + 1) % 12 for tone in tones} - tones
        if any(pitch in rubs and length > self.plan.beat_ticks // 2 for pitch, length in lengths):
            return False
        good = sum(length for pitch, length in lengths if pitch in tones)
        before = sum(length for pitch, length in lengths if pitch in earlier)
        return good >= before - _WORSE * total


def _from(span: ChordSpan, ticks: int) -> ChordSpan:
    return replace(span, start_ticks=span.start_ticks + ticks, duration_ticks=span.duration_ticks - ticks)
