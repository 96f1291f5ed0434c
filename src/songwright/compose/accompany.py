"""A whole band around a tune that somebody brings: its form is found, then chords, then the style book arranges.

The tune is not touched: its notes are the same objects before and after. Only a tune that begins with an incomplete
bar, or that is to get an intro, moves as a whole, by full bars of the band.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from songwright.compose.arrange.arrange import arrange_around
from songwright.compose.arrange.mixing import parse_insert
from songwright.compose.form import read_meter
from songwright.compose.plan import SongPlan
from songwright.compose.plan_of_song import plan_of, vocals_of
from songwright.compose.reharmonise import chords_for, learned_chords
from songwright.compose.style import Style
from songwright.compose.tune_form import form_of_tune
from songwright.errors import InputError
from songwright.neural.step_model import StepModel
from songwright.progress import Progress, silent
from songwright.score.song import (
    ChordSpan,
    KeyChange,
    MasterMix,
    MeterChange,
    Note,
    Section,
    Song,
    TempoChange,
    Track,
    TrackMix,
    check,
)
from songwright.score.theory import NO_CHORD

MOST_EDGE_BARS = 32
_SUNG = ("vocal", "backing_vocal")
_INTRO_ENERGY, _OUTRO_ENERGY = 0.4, 0.45


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person may ask of an accompaniment.

    Attributes:
        tune: id of the track that has the tune; empty for the one that looks like it.
        tempo_bpm: of the whole; None for the tune's own.
        intro_bars, outro_bars: of the band alone before and after the tune.
        reharmonise: whether chords that the file has are replaced.
        seed: decides everything that is drawn.
        candidates: chord progressions that the network writes side by side.
    """

    tune: str = ""
    tempo_bpm: float | None = None
    intro_bars: int = 0
    outro_bars: int = 0
    reharmonise: bool = False
    seed: int = 0
    candidates: int = 4


def accompanied(
    song: Song, style: Style, wishes: Wishes, model: StepModel | None = None, progress: Progress = silent
) -> Song:
    """Returns a song in which a band of the style plays around the tune of another.

    Args:
        song: with a tune; everything else in it but its chords is left out.
        style: the style book.
        wishes: what was asked.
        model: finds the chords; None for the learned tables.
        progress: told about the stages.

    Raises:
        InputError: there is no tune, its metre changes, or a wish cannot be met.
    """
    for name, bars in (("intro", wishes.intro_bars), ("outro", wishes.outro_bars)):
        if not 0 <= bars <= MOST_EDGE_BARS:
            raise InputError(f"{name} of {bars} bars: expected 0 to {MOST_EDGE_BARS}")
    bare = prepared(song, style, wishes)
    progress("accompany", 0.1)
    chords = bare.chords
    if not chords or wishes.reharmonise:
        chords = _found_chords(bare, style, wishes, model, progress)
    bare = replace(bare, chords=chords)
    progress("accompany", 0.6)
    made = with_band(bare, style, bare.tracks, ())
    check(made)
    progress("accompany", 1.0)
    return made


def prepared(song: Song, style: Style, wishes: Wishes) -> Song:
    """Returns the tune alone as a song of the style: in whole bars, with sections, and room for intro, outro and ring.

    Raises:
        InputError: there is no tune, or its metre changes.
    """
    tracks = tune_tracks(song, wishes.tune)
    song = _from_a_bar_line(replace(song, tracks=tracks))
    meter = song.meters[0]
    plain = meter.bar_ticks
    if len(song.meters) > 1:
        plan_of(song)  # says where the metre changes
    song = _moved(song, wishes.intro_bars * plain)
    notes = [note for track in song.tracks for note in track.notes]
    end = max(note.end_ticks for note in notes)
    bars = -(-max(end, song.sections[-1].end_ticks if song.sections else 0) // plain)
    bars += _needs_ring(notes, bars, plain) if not wishes.outro_bars else wishes.outro_bars
    length = bars * plain
    sections = _sections(song, style, wishes, notes, bars)
    tempo = song.tempos if wishes.tempo_bpm is None else (TempoChange(0, wishes.tempo_bpm),)
    return replace(
        song,
        style=style.name,
        seed=wishes.seed,
        swing=style.feel.swing,
        duration_ticks=length,
        tempos=tempo,
        sections=sections,
        chords=_reaching(song.chords, length),
        master=master_of(style, sung=any(track.role == "vocal" for track in tracks)),
    )


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


def _from_a_bar_line(song: Song) -> Song:
    """Returns a song whose pick-up stands at the end of a full bar."""
    if len(song.meters) < 2 or song.meters[1].bar_ticks <= song.meters[0].bar_ticks:
        return song
    short, meter = song.meters[1].tick, song.meters[1]
    if short >= meter.bar_ticks:
        return song
    moved = _moved(song, meter.bar_ticks - short)
    later = tuple(change for change in moved.meters if change.tick > meter.bar_ticks)
    return replace(moved, meters=(MeterChange(0, meter.numerator, meter.denominator), *later))


def _moved(song: Song, ticks: int) -> Song:
    """Returns a song that begins some ticks later; the same song at 0."""
    if not ticks:
        return song

    def first(changes: Sequence[TempoChange | KeyChange | MeterChange]) -> list[object]:
        return [replace(c, tick=c.tick + ticks if i else 0) for i, c in enumerate(changes)]

    return replace(
        song,
        duration_ticks=song.duration_ticks + ticks,
        tempos=tuple(first(song.tempos)),
        meters=tuple(first(song.meters)),
        keys=tuple(first(song.keys)),
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


def _sections(song: Song, style: Style, wishes: Wishes, notes: Sequence[Note], bars: int) -> tuple[Section, ...]:
    """Returns the sections of the file, else those that are found, with intro and outro as asked; to the end."""
    plain = song.meters[0].bar_ticks
    first, stop = wishes.intro_bars, bars - wishes.outro_bars
    inside: tuple[Section, ...] = song.sections
    if not inside:
        early = [replace(n, start_ticks=max(0, n.start_ticks - first * plain)) for n in notes]
        inside = form_of_tune(early, plain, stop - first, style)
        inside = tuple(replace(s, start_ticks=s.start_ticks + first * plain) for s in inside)
    last = inside[-1]
    found = [*inside[:-1], replace(last, duration_ticks=stop * plain - last.start_ticks)]
    labels = {section.label for section in found}
    if first:
        label = "Intro" if "Intro" not in labels else "Band intro"
        found.insert(0, Section(label, "intro", 0, first * plain, _INTRO_ENERGY))
    if wishes.outro_bars:
        label = "Outro" if "Outro" not in labels else "Band outro"
        found.append(Section(label, "outro", stop * plain, wishes.outro_bars * plain, _OUTRO_ENERGY))
    return tuple(found)


def _reaching(chords: Sequence[ChordSpan], length: int) -> tuple[ChordSpan, ...]:
    """Returns chords from 0 to the end: gaps are held over, and before the first one its chord is heard already.

    None where hardly any chord is named: those of a few marks are no harmony.
    """
    named = [span for span in chords if span.symbol != NO_CHORD and span.start_ticks < length]
    if sum(span.duration_ticks for span in named) < length // 4:
        return ()
    starts = [0, *(span.start_ticks for span in named[1:])]
    ends = [*starts[1:], length]
    return tuple(ChordSpan(a, b - a, span.symbol) for span, a, b in zip(named, starts, ends, strict=True) if b > a)


def _found_chords(
    bare: Song, style: Style, wishes: Wishes, model: StepModel | None, progress: Progress
) -> tuple[ChordSpan, ...]:
    if model is None:
        return chords_for([n for track in bare.tracks for n in track.notes], plan_of(bare), style)
    return learned_chords(bare, model, seed=wishes.seed, candidates=wishes.candidates, progress=progress)


def with_band(bare: Song, style: Style, kept: Sequence[Track], melody: Sequence[Note]) -> Song:
    """Returns the song with the band of a style around tracks that stay as they are.

    Args:
        bare: with form, key and chords.
        style: the style book.
        kept: tracks that stay, voices or a melody; those of instruments without a place in the mix get the lead's.
        melody: what instruments lead where nobody sings.
    """
    plan = plan_of(bare)
    vocals = vocals_of(replace(bare, tracks=tuple(kept)), plan)
    band = arrange_around(plan, style, bare.chords, heard_notes(kept), tuple(melody), vocals, seed=bare.seed)
    taken = {track.id for track in kept}
    band = tuple(_renamed(track, taken) for track in band)
    return replace(bare, tracks=(*(_placed(track, style) for track in kept), *band))


def heard_notes(kept: Sequence[Track]) -> list[Note]:
    """Returns the notes that a band makes room for: the lead, and words of others that are not the lead's."""
    lead = [note for track in kept if track.role != "backing_vocal" for note in track.notes]
    words = {note.syllable for note in lead}
    answers = [
        note
        for track in kept
        if track.role == "backing_vocal" and "oohs" not in track.id
        for note in track.notes
        if note.syllable is not None and note.syllable not in words
    ]
    return sorted([*lead, *answers])


def _renamed(track: Track, taken: set[str]) -> Track:
    if track.id not in taken:
        return track
    number = next(i for i in range(2, len(taken) + 3) if f"{track.id}_{i}" not in taken)
    return replace(track, id=f"{track.id}_{number}")


def _placed(track: Track, style: Style) -> Track:
    """Returns a track that has no mix at all with that of the style's lead; others as they are."""
    leads = style.parts_of("lead")
    if track.role in _SUNG or track.mix != TrackMix() or not leads:
        return track
    part = leads[0]
    return replace(track, mix=TrackMix(gain_db=part.gain_db, reverb_db=part.reverb_db, delay_db=part.delay_db))


def master_of(style: Style, *, sung: bool) -> MasterMix:
    """Returns the bus of a style; a voice is brought to the style's level when it is first rendered."""
    mix = style.mix
    return MasterMix(
        reverb=mix.reverb,
        reverb_seconds=mix.reverb_seconds,
        delay_beats=mix.delay_beats,
        delay_feedback=mix.delay_feedback,
        inserts=tuple(parse_insert(line) for line in mix.bus),
        vocal_level_db=style.vocals.level_db if sung else None,
    )


def meter_fits(plan: SongPlan, style: Style) -> bool:
    """Whether a style is usually played in the metre of a plan."""
    return (plan.numerator, plan.denominator) in {read_meter(text) for text in style.meters}
