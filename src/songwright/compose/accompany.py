"""A whole band around a tune that somebody brings: its form is found, then chords, then the style book arranges.

The tune is not touched: its notes are the same objects before and after. Only a tune that begins with an incomplete
bar, or that is to get an intro, moves as a whole, by full bars of the band.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from songwright.compose.arrange.arrange import arrange_around
from songwright.compose.arrange.mixing import master_of
from songwright.compose.bare_tune import from_a_bar_line, in_meter_of, reaching, tune_tracks, with_edges, with_form
from songwright.compose.plan_of_song import plan_of, vocals_of
from songwright.compose.reharmonise import chords_for, learned_chords
from songwright.compose.style import Style
from songwright.compose.tune_key import keys_of_tune
from songwright.errors import InputError
from songwright.neural.step_model import StepModel
from songwright.progress import Progress, silent
from songwright.score.song import ChordSpan, KeyChange, Note, Song, TempoChange, Track, TrackMix, check
from songwright.score.theory import Key

MOST_EDGE_BARS = 32
_LEAD_REVERB_DB = -16.0
_SUNG = ("vocal", "backing_vocal")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person may ask of an accompaniment.

    Attributes:
        tune: id of the track that has the tune; empty for the one that looks like it.
        tempo_bpm: of the whole; None for the tune's own.
        key: of the whole; None for the one that the file names, or the one found.
        intro_bars, outro_bars: of the band alone before and after the tune.
        reharmonise: whether chords that the file has are replaced.
        seed: decides everything that is drawn.
        candidates: chord progressions that the network writes side by side.
    """

    tune: str = ""
    tempo_bpm: float | None = None
    key: Key | None = None
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
    keys = keys_of_tune(song, [note for track in tracks for note in track.notes])
    if wishes.key is not None:
        keys = (KeyChange(0, str(wishes.key)),)
    song = in_meter_of(from_a_bar_line(replace(song, tracks=tracks, keys=keys)), style)
    song = with_form(song, style, room_to_ring=not wishes.outro_bars)
    song = with_edges(song, wishes.intro_bars, wishes.outro_bars)
    return replace(
        song,
        style=style.name,
        seed=wishes.seed,
        swing=style.feel.swing,
        tempos=song.tempos if wishes.tempo_bpm is None else (TempoChange(0, wishes.tempo_bpm),),
        chords=reaching(song.chords, song.duration_ticks),
        master=master_of(style, sung=any(track.role == "vocal" for track in song.tracks)),
    )


def _found_chords(
    bare: Song, style: Style, wishes: Wishes, model: StepModel | None, progress: Progress
) -> tuple[ChordSpan, ...]:
    if model is None:
        return chords_for([n for track in bare.tracks for n in track.notes], plan_of(bare), style)
    return learned_chords(bare, style, model, seed=wishes.seed, candidates=wishes.candidates, progress=progress)


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
    """Returns a track that has no mix at all with that of the style's lead, or some room; others as they are."""
    if track.role in _SUNG or track.mix != TrackMix():
        return track
    mix = TrackMix(reverb_db=_LEAD_REVERB_DB)
    for part in style.parts_of("lead")[:1]:
        mix = TrackMix(gain_db=part.gain_db, reverb_db=part.reverb_db, delay_db=part.delay_db)
    return replace(track, mix=mix)
