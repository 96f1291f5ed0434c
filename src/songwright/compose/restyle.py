"""A song in another style: its tune, words and form stay, harmony, band and mix are written anew around them.

Voices with their backing keep every note, so does the melody of an instrumental song: the same objects before and
after. What an instrument led between the sung sections goes on as a tune that the new style's lead plays.
"""

from collections.abc import Sequence
from dataclasses import replace

from songwright.compose.accompany import with_band
from songwright.compose.arrange.mixing import master_of
from songwright.compose.bare_tune import found_sections
from songwright.compose.plan import SongPlan
from songwright.compose.plan_of_song import plan_of, vocals_of
from songwright.compose.reharmonise import chords_for, learned_chords
from songwright.compose.style import Style
from songwright.errors import InputError
from songwright.neural.step_model import StepModel
from songwright.progress import Progress, silent
from songwright.score.song import Note, Section, Song, TempoChange, Track, check

_SUNG = ("vocal", "backing_vocal")


def restyled(
    song: Song,
    style: Style,
    model: StepModel | None = None,
    *,
    seed: int,
    tempo_bpm: float | None = None,
    keep_mix: bool = False,
    candidates: int = 4,
    progress: Progress = silent,
) -> Song:
    """Returns the song in another style.

    Args:
        song: any song with a voice or a melody, in one metre.
        style: the style book it shall be played by.
        model: writes the harmony; None for the learned tables.
        seed: decides everything that is drawn.
        tempo_bpm: of the whole; None keeps the song's tempo.
        keep_mix: whether the room and the bus stay, so that kept tracks sound the same to the last bit.
        candidates: chord progressions that the network writes side by side.
        progress: told about the stages.

    Raises:
        InputError: there is no tune to keep, or the metre changes.
    """
    kept = kept_tracks(song)
    sung = any(track.role == "vocal" for track in kept)
    bare = replace(
        song,
        style=style.name,
        swing=style.feel.swing,
        tracks=kept,
        tempos=song.tempos if tempo_bpm is None else (TempoChange(0, tempo_bpm),),
        sections=song.sections or _found_sections(song, kept, style),
        master=song.master if keep_mix else master_of(style, sung=sung),
    )
    plan = replace(plan_of(bare), seed=seed)
    tune = led_between(song, plan) if sung else ()
    progress("restyle", 0.1)
    if model is None:
        heard = [*tune, *(note for track in kept for note in track.notes)]
        chords = chords_for(heard, plan, style)
    else:
        told = replace(bare, tracks=(*kept, *_as_track(tune)))
        chords = learned_chords(told, style, model, seed=seed, candidates=candidates, progress=progress)
    progress("restyle", 0.6)
    made = with_band(replace(bare, chords=chords, seed=seed), style, kept, tune)
    made = replace(made, seed=song.seed)  # voices and noises are drawn by it: what is kept sounds as before
    check(made)
    progress("restyle", 1.0)
    return made


def kept_tracks(song: Song) -> tuple[Track, ...]:
    """Returns what stays of a song in another style: all voices, or the melody where nobody sings.

    Raises:
        InputError: there is neither.
    """
    sung = tuple(track for track in song.tracks if track.role in _SUNG and track.notes)
    kept = sung or tuple(track for track in song.tracks if track.role == "melody" and track.notes)
    if not kept:
        known = ", ".join(track.id for track in song.tracks if track.notes) or "no notes at all"
        raise InputError(f"there is neither a voice nor a melody in this song that could be kept: it has {known}")
    return kept


def led_between(song: Song, plan: SongPlan) -> tuple[Note, ...]:
    """Returns the notes that instruments lead in sections without any words."""
    vocals = vocals_of(song, plan)
    spans = [(line.start_ticks, line.end_ticks) for line in vocals.lines] if vocals else []
    free = [
        section
        for section in plan.sections
        if not any(start < plan.end_ticks(section) and end > plan.start_ticks(section) for start, end in spans)
    ]
    found = [
        note
        for track in song.tracks
        if track.role == "melody"
        for note in track.notes
        if any(plan.start_ticks(s) <= note.start_ticks < plan.end_ticks(s) for s in free)
    ]
    return tuple(replace(note, offset_ticks=0) for note in sorted(found))


def _as_track(tune: Sequence[Note]) -> tuple[Track, ...]:
    return (Track("led_between", "melody", "acoustic_grand_piano", notes=tuple(tune)),) if tune else ()


def _found_sections(song: Song, kept: Sequence[Track], style: Style) -> tuple[Section, ...]:
    notes = [note for track in kept for note in track.notes]
    return found_sections(song, notes, -(-song.duration_ticks // song.meters[0].bar_ticks), style)
