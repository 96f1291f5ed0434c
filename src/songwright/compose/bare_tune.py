"""A tune made ready for a band: its tracks alone, whole bars from the first bar line on, a metre of the style, a form.

Nothing here changes a note. Where the first bar is incomplete or an intro is to come before, the tune moves as a whole.
"""

from collections.abc import Sequence
from dataclasses import replace

from songwright.compose.form import USUAL_PARTS, read_meter
from songwright.compose.plan_of_song import plan_of
from songwright.compose.style import Style
from songwright.compose.tune_form import form_of_tune
from songwright.errors import InputError
from songwright.score.song import (
    ChordSpan,
    KeyChange,
    MeterChange,
    Note,
    Section,
    SectionRole,
    Song,
    TempoChange,
    Track,
)
from songwright.score.theory import NO_CHORD, parse_key

_SUNG = ("vocal", "backing_vocal")
_FEWEST_NAMED = 0.25
"""Share of a song over which chords must be named to be its harmony, not a few marks."""


def tune_tracks(song: Song, name: str = "") -> tuple[Track, ...]:
    """Returns the tracks that have the tune: a named one, else the voices, else the melody.

    Raises:
        InputError: there is none.
    """
    if name:
        chosen = song.track(name)
        if chosen.is_drums or not chosen.notes:
            raise InputError(f"track '{name}' has no tune: it is {'drums' if chosen.is_drums else 'empty'}")
        return (chosen if chosen.role in _SUNG else replace(chosen, role="melody"),)
    sung = tuple(track for track in song.tracks if track.role in _SUNG and track.notes)
    if any(track.role == "vocal" for track in sung):
        return sung
    melodies = [track for track in song.tracks if track.role in ("melody", "backing_vocal") and track.notes]
    if not melodies:
        found = [track for track in song.tracks if track.notes and not track.is_drums and track.role != "bass"]
        if len(found) != 1:
            known = ", ".join(track.id for track in song.tracks if track.notes) or "no notes at all"
            raise InputError(f"there is no tune in this file that a band could accompany: it has {known}")
        melodies = [replace(found[0], role="melody")]
    return tuple(melodies)


def from_a_bar_line(song: Song) -> Song:
    """Returns a song whose pick-up stands at the end of a full bar, and whose last bar is full; others as they are."""
    ends = [change for change in song.meters[1:] if change.tick + change.bar_ticks >= song.duration_ticks]
    if ends and len(song.meters) - len(ends) >= 1 and ends[0].bar_ticks < song.meters[-1 - len(ends)].bar_ticks:
        song = replace(song, meters=song.meters[: -len(ends)])
    if len(song.meters) < 2:
        return song
    meter, short = song.meters[1], song.meters[1].tick
    if short >= meter.bar_ticks:
        return song
    moved = _moved(song, meter.bar_ticks - short)
    later = tuple(change for change in moved.meters if change.tick > meter.bar_ticks)
    return replace(moved, meters=(MeterChange(0, meter.numerator, meter.denominator), *later))


def in_meter_of(song: Song, style: Style) -> Song:
    """Returns a song whose bars are counted as the style counts them, where that moves no beat.

    2/2 is counted as 4/4, two bars of 2/4 as one, a bar of 6/4 or 3/2 as two of 3/4, if the style is in such a metre.

    Raises:
        InputError: the metre changes.
    """
    if len(song.meters) > 1:
        plan_of(song, (Section("all", "theme", 0, song.duration_ticks, 0.5),))  # says where
    meter = song.meters[0]
    usual = [MeterChange(0, *read_meter(text)) for text in style.meters]
    if (meter.numerator, meter.denominator) in {(m.numerator, m.denominator) for m in usual}:
        return song
    simple = meter.denominator in (2, 4) and (meter.numerator % 3 != 0 or meter.numerator > 3 or meter.denominator == 2)
    for wanted in usual:
        same = wanted.bar_ticks in (meter.bar_ticks, 2 * meter.bar_ticks) or 2 * wanted.bar_ticks == meter.bar_ticks
        triple = (wanted.numerator % 3 == 0) == (meter.numerator % 3 == 0)
        if simple and same and triple and wanted.denominator == 4:
            return replace(song, meters=(wanted,))
    return song


def with_form(song: Song, style: Style, *, room_to_ring: bool) -> Song:
    """Returns a song in whole bars with sections, its own or those that are found.

    Args:
        song: in one metre.
        style: whose roles and energies the sections get.
        room_to_ring: whether a tune that moves in its last bar gets one more in which the band comes to rest.
    """
    plain = song.meters[0].bar_ticks
    notes = [note for track in song.tracks for note in track.notes]
    end = max([note.end_ticks for note in notes] + [section.end_ticks for section in song.sections])
    bars = -(-end // plain)
    sections = song.sections or found_sections(song, notes, bars, style)
    bars += _needs_ring(notes, bars, plain) if room_to_ring else 0
    last = sections[-1]
    closed = (*sections[:-1], replace(last, duration_ticks=bars * plain - last.start_ticks))
    return replace(song, duration_ticks=bars * plain, sections=closed)


def found_sections(song: Song, notes: Sequence[Note], num_bars: int, style: Style) -> tuple[Section, ...]:
    """Returns the sections that a tune has by its look; a new key begins a new one.

    Args:
        song: whose keys and metre count.
        notes: of the tune.
        num_bars: of the whole.
        style: whose roles and energies the sections get.
    """
    plain = song.meters[0].bar_ticks
    home = parse_key(song.keys[0].key)
    lifts = [(change.tick, parse_key(change.key)) for change in song.keys]

    def at_home(note: Note) -> Note:
        key = [key for tick, key in lifts if tick <= note.start_ticks][-1]
        up = (key.fifths - home.fifths) * 7 % 12
        return replace(note, pitch=min(127, max(0, note.pitch - (up if up <= 6 else up - 12))))

    begins = [round(tick / plain) for tick, _ in lifts[1:]]
    return form_of_tune([at_home(note) for note in notes], plain, num_bars, style, begins)


def with_edges(song: Song, intro_bars: int, outro_bars: int) -> Song:
    """Returns a song with bars for the band alone before and after it."""
    plain = song.meters[0].bar_ticks
    song = _moved(song, intro_bars * plain)
    end = song.duration_ticks
    sections = list(song.sections)
    if intro_bars:
        sections.insert(0, _edge("intro", song.sections, 0, intro_bars * plain))
    if outro_bars:
        sections.append(_edge("outro", song.sections, end, outro_bars * plain))
    return replace(song, duration_ticks=end + outro_bars * plain, sections=tuple(sections))


def _edge(role: SectionRole, others: Sequence[Section], start: int, length: int) -> Section:
    label = role.capitalize()
    known = {section.label for section in others}
    return Section(f"Band {role}" if label in known else label, role, start, length, USUAL_PARTS[role][1])


def _moved(song: Song, ticks: int) -> Song:
    """Returns a song that begins some ticks later; the same song at 0."""
    if not ticks:
        return song
    return replace(
        song,
        duration_ticks=song.duration_ticks + ticks,
        tempos=tuple(TempoChange(c.tick + ticks if i else 0, c.bpm) for i, c in enumerate(song.tempos)),
        meters=tuple(replace(c, tick=c.tick + ticks if i else 0) for i, c in enumerate(song.meters)),
        keys=tuple(KeyChange(c.tick + ticks if i else 0, c.key) for i, c in enumerate(song.keys)),
        sections=tuple(replace(s, start_ticks=s.start_ticks + ticks) for s in song.sections),
        chords=tuple(replace(c, start_ticks=c.start_ticks + ticks) for c in song.chords),
        tracks=tuple(_track_moved(track, ticks) for track in song.tracks),
    )


def _track_moved(track: Track, ticks: int) -> Track:
    mix = replace(
        track.mix,
        automation=tuple((tick + ticks, gain) for tick, gain in track.mix.automation),
        throws=tuple((a + ticks, b + ticks) for a, b in track.mix.throws),
    )
    return replace(
        track,
        notes=tuple(replace(n, start_ticks=n.start_ticks + ticks) for n in track.notes),
        controls=tuple(replace(c, tick=c.tick + ticks) for c in track.controls),
        bends=tuple(replace(b, tick=b.tick + ticks) for b in track.bends),
        mix=mix,
    )


def _needs_ring(notes: Sequence[Note], bars: int, bar_ticks: int) -> int:
    """Returns 1 where the tune still moves in its last bar, so that the band needs one more to come to rest in."""
    last = (bars - 1) * bar_ticks
    return int(any(note.start_ticks > last + bar_ticks // 8 for note in notes))


def reaching(chords: Sequence[ChordSpan], length: int) -> tuple[ChordSpan, ...]:
    """Returns chords from 0 to the end: gaps are held over, and before the first one its chord is heard already.

    None where hardly any chord is named: those of a few marks are no harmony.
    """
    named = [span for span in chords if span.symbol != NO_CHORD and span.start_ticks < length]
    if sum(span.duration_ticks for span in named) < _FEWEST_NAMED * length:
        return ()
    starts = [0, *(span.start_ticks for span in named[1:])]
    ends = [*starts[1:], length]
    return tuple(ChordSpan(a, b - a, span.symbol) for span, a, b in zip(named, starts, ends, strict=True) if b > a)
