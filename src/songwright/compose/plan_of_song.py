"""A song that is there, seen as what its composer would have planned: the form as `SongPlan`, the voice as `VocalPlan`.

The way back from score to plan, so that a song can be arranged anew around what is kept of it.
"""

from collections import Counter
from collections.abc import Sequence

from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.vocals import SungLine, VocalPlan
from songwright.errors import InputError
from songwright.score.song import Note, Section, Singer, Song, Track
from songwright.score.theory import Key, parse_key
from songwright.score.voices import SINGERS

SUNG = ("vocal", "backing_vocal")
_DEFAULT_SINGER = "clara"
_OCTAVE = 12


def plan_of(song: Song, sections: Sequence[Section] | None = None, *, style: str | None = None) -> SongPlan:
    """Returns the plan that a song follows; of a song that was composed here, the one it was composed from.

    What a plan does not leave in the score is as usual: density 1, one bar of ring at the end.

    Args:
        song: in one metre throughout.
        sections: its sections; None for those that it has.
        style: name of the style book of the plan; None for the song's own.

    Raises:
        InputError: it has no bars or no sections, or its metre changes.
    """
    meter = song.meters[0]
    if len(song.meters) > 1:
        other = song.meters[1]
        bar = other.tick // meter.bar_ticks + 1
        raise InputError(
            f"the metre changes from {meter.numerator}/{meter.denominator} to {other.numerator}/{other.denominator} "
            f"at bar {bar}: a band is written for one metre only"
        )
    num_bars = -(-song.duration_ticks // meter.bar_ticks)
    rows = _in_bars(song.sections if sections is None else sections, meter.bar_ticks, num_bars)
    if not rows:
        raise InputError("this song has no sections to plan by")
    key = parse_key(song.keys[0].key)
    roles = [section.role for section, _, _ in rows]
    seen: Counter[str] = Counter()
    planned = []
    for i, (section, first, end) in enumerate(rows):
        planned.append(
            SectionPlan(
                label=section.label,
                role=section.role,
                first_bar=first,
                num_bars=end - first,
                energy=section.energy,
                occurrence=seen[section.role],
                is_last=section.role not in roles[i + 1 :],
                key_shift=_shift(key, key_at(song, first * meter.bar_ticks)),
            )
        )
        seen[section.role] += 1
    return SongPlan(
        title=song.title,
        style=song.style if style is None else style,
        seed=song.seed,
        key=key,
        tempo_bpm=song.tempos[0].bpm,
        numerator=meter.numerator,
        denominator=meter.denominator,
        sections=tuple(planned),
    )


def key_at(song: Song, tick: int) -> Key:
    """Returns the key in force at a tick."""
    return parse_key([change.key for change in song.keys if change.tick <= tick][-1])


def _in_bars(sections: Sequence[Section], bar_ticks: int, num_bars: int) -> list[tuple[Section, int, int]]:
    """Returns sections with the bars they begin and end at: the nearest bar lines, without gaps, from 0 to the end."""
    starts = {max(0, round(section.start_ticks / bar_ticks)): section for section in sections}
    places = sorted(bar for bar in starts if bar < num_bars)
    if not places:
        return []
    ends = [*places[1:], num_bars]
    found = [(starts[bar], bar, end) for bar, end in zip(places, ends, strict=True)]
    section, first, end = found[0]
    return [(section, 0, end), *found[1:]] if first else found


def _shift(home: Key, key: Key) -> int:
    """Returns the semitones (-5 to 6) from one key's signature to another's; relative keys stand at 0."""
    apart = (key.fifths - home.fifths) * 7 % _OCTAVE
    return apart if apart <= _OCTAVE // 2 else apart - _OCTAVE


def vocals_of(song: Song, plan: SongPlan) -> VocalPlan | None:
    """Returns who sings what when in a song; None where nobody sings.

    Lines are those of the lyrics; a rest of a bar or more parts them too. Answers of the backing voices are not
    among them: they are there already.

    Args:
        song: with its lead voice as the first track of role ``vocal``.
        plan: of the song.
    """
    lead = next((track for track in song.tracks if track.role == "vocal" and track.notes), None)
    if lead is None:
        return None
    lines = _lines(song, lead, plan)
    rooms = [*(line[0].start_ticks for line in lines[1:]), max(song.duration_ticks, lines[-1][-1].end_ticks)]
    singer = lead.singer or Singer(_DEFAULT_SINGER)
    known = SINGERS.get(singer.name) or SINGERS[_DEFAULT_SINGER]
    told = str(song.provenance.get("voice_type", ""))
    heard = {note.syllable for note in lead.notes}
    return VocalPlan(
        singer=singer,
        voice_type=told or known.voice_type,
        lines=tuple(
            SungLine(
                index=i,
                role=plan.section_at((notes[0].start_ticks + 2 * notes[-1].end_ticks) // 3).role,
                start_ticks=notes[0].start_ticks,
                end_ticks=notes[-1].end_ticks,
                room_ticks=max(room, notes[-1].end_ticks),
                notes=notes,
            )
            for i, (notes, room) in enumerate(zip(lines, rooms, strict=True))
        ),
        syllables=tuple(syllable for syllable in song.syllables if syllable.id in heard),
    )


def _lines(song: Song, lead: Track, plan: SongPlan) -> list[tuple[Note, ...]]:
    line_of = {syllable.id: syllable.line for syllable in song.syllables}
    found: list[list[Note]] = []
    for note in lead.notes:
        line = None if note.syllable is None else line_of.get(note.syllable)
        last = found[-1][-1] if found else None
        before = None if last is None or last.syllable is None else line_of.get(last.syllable)
        if last is None or line != before or note.start_ticks - last.end_ticks >= plan.bar_ticks:
            found.append([])
        found[-1].append(note)
    return [tuple(notes) for notes in found]
