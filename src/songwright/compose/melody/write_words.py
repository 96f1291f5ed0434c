"""The lead of a song with words: what is sung, and what instruments play where nobody sings."""

from collections.abc import Sequence
from dataclasses import replace

from songwright.compose.lyric_form import LyricForm, PlacedLine
from songwright.compose.melody.model import TuneNetwork
from songwright.compose.melody.phrases import Line
from songwright.compose.melody.sing import SongSinger, Tune, line_syllables, phrase_of, sung_notes, with_rooms
from songwright.compose.melody.write import LeadWriter, Melody, sung_sections
from songwright.compose.style import Style
from songwright.compose.vocals import SungLine, VocalPlan
from songwright.lyrics.sheet import Word
from songwright.score.song import ChordSpan, Note, Singer, Syllable


def write_sung_melody(
    form: LyricForm, style: Style, chords: tuple[ChordSpan, ...], singer: Singer, voice_type: str, *,
    seed: int, heed_tones: bool = True, network: TuneNetwork | None = None,
) -> tuple[Melody, VocalPlan]:  # fmt: skip
    """Returns the tune of a song with words, and who sings what.

    Sung notes carry the ids of their syllables; notes without are an instrument's, in intro, interlude, solo and outro.

    Args:
        form: plan and lines.
        style: of the song.
        chords: of the whole song.
        singer: who sings.
        voice_type: key into `score.voices.VOICE_TYPES`.
        seed: of the song.
        heed_tones: whether Mandarin tones bend the tune (without, it is the control of the benchmark).
        network: judges beside the learned table of pitches.

    Raises:
        DataError: the learned tables are missing or broken.
    """
    writer = SongSinger(form.plan, form.lines, style, chords, voice_type, seed, heed_tones=heed_tones, network=network)
    tunes = writer.sing()
    lines: list[SungLine] = []
    syllables: list[Syllable] = []
    heard: set[tuple[str, str]] = set()
    for placed, tune in zip(form.lines, tunes, strict=True):
        section = form.plan.sections[placed.section]
        own = line_syllables(tune, len(syllables), placed.index)
        notes = sung_notes(tune, writer.setting, section, len(syllables))
        syllables.extend(own)
        backing = _backing(placed, len(syllables))
        syllables.extend(backing)
        key = (section.role, tune.words.key)
        end = max(n.end_ticks for n in notes)
        lines.append(SungLine(placed.index, section.role, notes[0].start_ticks, end, end, notes, backing, key in heard))
        heard.add(key)
    plan = form.plan
    vocals = VocalPlan(singer, voice_type, with_rooms(lines, plan.num_bars * plan.bar_ticks), tuple(syllables))
    words = frozenset(plan.sections[placed.section] for placed in form.lines)
    leader = LeadWriter(plan, style, chords, seed, sung_sections(plan, style), network)
    lead = leader.between(_tunes_by_role(form, tunes, style), words)
    notes = tuple(sorted([*vocals.notes, *_aside(lead.notes, vocals.lines)]))
    phrases = [*lead.phrases, *(phrase_of(tune, writer.setting) for tune in tunes)]
    return Melody(notes, tuple(sorted(phrases, key=lambda p: p.start_ticks))), vocals


def _backing(placed: PlacedLine, first_id: int) -> tuple[Syllable, ...]:
    """Returns the syllables of a line's answering words."""
    pairs: list[tuple[Word, int]] = [(word, k) for word in placed.line.backing for k in range(len(word.syllables))]
    return tuple(
        Syllable(first_id + n, s.text, word.text, s.stress, placed.index, word.language, s.phonemes, s.nucleus, s.tone)
        for n, (word, s) in enumerate((word, word.syllables[k]) for word, k in pairs)
    )


def _tunes_by_role(form: LyricForm, tunes: Sequence[Tune], style: Style) -> dict[str, tuple[Line, ...]]:
    """Returns the first section's lines of every sung role, moved by octaves to where the style's instruments lead."""
    middle = sum(style.melody.range) / 2
    found: dict[str, list[Line]] = {}
    first: dict[str, int] = {}
    for placed, tune in zip(form.lines, tunes, strict=True):
        role: str = form.plan.sections[placed.section].role
        if first.setdefault(role, placed.section) == placed.section and tune.words.delivery == "sung":
            found.setdefault(role, []).append(tune.line)
    result = {}
    for role, lines in found.items():
        pitches = [p for line in lines for p in line.pitches]
        shift = 12 * round((middle - sum(pitches) / len(pitches)) / 12)
        result[role] = tuple(_shifted(line, shift) for line in lines)
    return result


def _shifted(line: Line, shift: int) -> Line:
    plan = replace(line.plan, low=line.plan.low + shift, high=line.plan.high + shift, centre=line.plan.centre + shift)
    return replace(line, plan=plan, pitches=tuple(p + shift for p in line.pitches))


def _aside(notes: Sequence[Note], lines: Sequence[SungLine]) -> list[Note]:
    """Returns the instrument's notes that do not sound while somebody sings."""
    kept = []
    spans = [(line.start_ticks, line.end_ticks) for line in lines]
    for note in notes:
        if any(start <= note.start_ticks < end for start, end in spans):
            continue
        ends = [start for start, _ in spans if note.start_ticks < start < note.end_ticks]
        kept.append(replace(note, duration_ticks=min(ends) - note.start_ticks) if ends else note)
    return kept
