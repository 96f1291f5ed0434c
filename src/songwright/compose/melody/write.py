"""The lead of a whole song: every role's tune written once over its chords, and repeated."""

from dataclasses import dataclass

from songwright.compose.plan import Phrase, SectionPlan, SongPlan
from songwright.compose.style import Style
from songwright.score.song import ChordSpan, Note
from songwright.score.theory import parse_chord
from songwright.seeding import generator

_SUNG = ("verse", "prechorus", "chorus", "bridge", "theme", "head", "solo")


@dataclass(frozen=True)
class Melody:
    """The lead of a song.

    Attributes:
        notes: in order, at absolute ticks on the written grid.
        phrases: in order, over the whole song.
    """

    notes: tuple[Note, ...] = ()
    phrases: tuple[Phrase, ...] = ()


def write_melody(plan: SongPlan, style: Style, chords: tuple[ChordSpan, ...], *, seed: int) -> Melody:
    """Returns the tune of a song, empty for a style without a lead."""
    notes: list[Note] = []
    phrases: list[Phrase] = []
    for section in plan.sections:
        if section.role in _SUNG and any(p.plays_in(section.role, section.energy) for p in style.parts_of("lead")):
            _section(plan, style, chords, section, seed, notes, phrases)
    return Melody(tuple(notes), tuple(phrases))


def _section(
    plan: SongPlan, style: Style, chords: tuple[ChordSpan, ...], section: SectionPlan, seed: int,
    notes: list[Note], phrases: list[Phrase],
) -> None:  # fmt: skip
    random = generator(seed, "melody", section.role)
    low, high = style.melody.range
    start, beat = plan.start_ticks(section), plan.beat_ticks
    pitch = low + (high - low) * (0.6 if section.role == "chorus" else 0.4)
    starts = [i * beat for i in range(plan.bar_ticks // beat)][:3]
    for bar in range(section.num_bars):
        first = start + bar * plan.bar_ticks
        for offset in starts if bar % 4 != 3 else starts[:1]:
            chord = next((c for c in chords if c.start_ticks <= first + offset < c.end_ticks), None)
            parsed = parse_chord(chord.symbol) if chord else None
            tones = parsed.pitch_classes if parsed else plan.key.pitch_classes
            around = [p for p in range(low, high + 1) if p % 12 in tones]
            pitch = min(around, key=lambda p: abs(p - pitch - random.normal(0, 3)))
            notes.append(Note(first + offset, beat if bar % 4 != 3 else 2 * beat, int(pitch), 90))
        if bar % 4 == 3:
            phrases.append(Phrase(first - 3 * plan.bar_ticks, first + plan.bar_ticks, "a", 10))
