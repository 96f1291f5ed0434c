"""A score's tune sung alone: words from a lyric sheet or from the score itself, a fitting singer, the voice's files."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from songwright.brief.brief import Brief
from songwright.compose.words import set_words, top_line, tune_track
from songwright.engines.recording import Recording
from songwright.engines.score import Output, render_score
from songwright.errors import InputError
from songwright.lyrics.language import detect_language
from songwright.lyrics.phonetics import sound_out, sound_out_words
from songwright.lyrics.read import read_lyrics
from songwright.progress import Progress, silent
from songwright.score.song import Note, Singer, Song, Syllable, Track, TrackMix
from songwright.score.sung import word_places
from songwright.score.voices import SINGERS, VOICE_TYPES, house_singer

LEAD = "vocal_lead"


def sing_score(
    song: Song,
    brief: Brief,
    folder: Path,
    *,
    track_id: str = "",
    output: Output | None = None,
    progress: Progress = silent,
) -> Recording:
    """Sings one track of a score and makes the folder of a song with that voice alone.

    Args:
        song: the score.
        brief: words (`lyrics`, `lyrics_language`) and voice; its other fields do not count here.
        folder: where the files go.
        track_id: whose notes; empty takes the track with words, else the melody.
        output: formats; whether the folder may be replaced.
        progress: told about the stages.

    Raises:
        InputError: there is no tune, no such track, or nothing that can be sung.
    """
    return render_score(sung_score(song, brief, track_id=track_id), folder, output=output, progress=progress)


def sung_score(song: Song, brief: Brief, *, track_id: str = "") -> Song:
    """Returns the score with the one track that is sung, its words, and a singer whose range it fits.

    Raises:
        InputError: see `sing_score`.
    """
    source = song.track(track_id) if track_id else tune_track(song)
    notes: tuple[str, ...] = ()
    if brief.lyrics.strip():
        sheet = sound_out(read_lyrics(brief.lyrics, language=brief.lyrics_language))
        track, syllables, told = set_words(source, sheet)
        notes = (*sheet.notes, *told)
    elif any(n.syllable is not None for n in source.notes):
        track = replace(source, notes=tuple(top_line(source.notes)))
        syllables = sounded(song.syllables, brief.lyrics_language)
    else:
        track = replace(source, notes=tuple(top_line(source.notes)))
        syllables = ()
        notes = (f"track '{source.id}' has no words and none were given: it is sung on la",)
    if not track.notes:
        raise InputError(f"track '{source.id}' has no notes to sing")
    singer = fitting_singer(track.notes, brief)
    shift = octaves(track.notes, singer)
    if shift:
        how = f"{abs(shift) // 12} octave{'s' * (abs(shift) > 12)} {'higher' if shift > 0 else 'lower'}"
        notes = (*notes, f"sung {how} than written, in the range of {singer.name}")
    voice = Track(
        LEAD,
        "vocal",
        "voice",
        source.name or "Voice",
        notes=tuple(replace(n, pitch=n.pitch + shift) for n in track.notes),
        mix=TrackMix(),
        singer=singer,
    )
    length = max(song.duration_ticks, max(n.end_ticks for n in voice.notes))
    return replace(
        song,
        duration_ticks=length,
        tracks=(voice,),
        syllables=syllables,
        master=replace(song.master, vocal_level_db=None),
        provenance={**song.provenance, "notes": list(notes), **_provenance(brief)},
    )


def _provenance(brief: Brief) -> dict[str, str]:
    return {"voice_recording": brief.voice_recording} if brief.voice_recording else {}


def sounded(syllables: Sequence[Syllable], language: str = "") -> tuple[Syllable, ...]:
    """Returns the syllables of a score with sounds, as far as its division of words is that of their sounds.

    What is left without sounds is looked up by the singer syllable by syllable.
    """
    if all(s.phonemes for s in syllables):
        return tuple(syllables)
    code = language or detect_language(" ".join(s.text for s in syllables))
    groups = _words(syllables)
    words = sound_out_words([group[0].word or group[0].text for group in groups], code)
    result: list[Syllable] = []
    for group, word in zip(groups, words, strict=True):
        if len(word.syllables) != len(group):
            result.extend(replace(s, language=s.language or code) for s in group)
            continue
        for syllable, sound in zip(group, word.syllables, strict=True):
            result.append(
                replace(
                    syllable, phonemes=sound.phonemes, nucleus=sound.nucleus, stress=sound.stress,
                    tone=sound.tone, language=word.language or code,
                )
            )  # fmt: skip
    return tuple(result)


def _words(syllables: Sequence[Syllable]) -> list[list[Syllable]]:
    """Returns the syllables of each word."""
    places = word_places(syllables)
    words: list[list[Syllable]] = []
    for syllable in syllables:
        if not words or places[syllable.id] in ("single", "begin"):
            words.append([])
        words[-1].append(syllable)
    return words


def fitting_singer(notes: Sequence[Note], brief: Brief) -> Singer:
    """Returns who was asked for; else the singer of the asked kind in whose tessitura the tune lies best."""
    source, parameters = brief.voice_source or "espeak", brief.voice_parameters
    if brief.singer:
        house_singer(brief.singer)
        return Singer(brief.singer, source, parameters)
    gender = "female" if brief.voice in ("", "choir") else brief.voice
    names = [n for n, s in SINGERS.items() if s.voice_type == brief.voice_type]
    if not names:
        wanted = VOICE_TYPES[brief.voice_type].gender if brief.voice_type else gender
        names = [n for n, s in SINGERS.items() if VOICE_TYPES[s.voice_type].gender == wanted]
    if not brief.voice and not brief.voice_type:
        names = [n for n in SINGERS if n != "mia"]
    return Singer(min(names, key=lambda name: (_misfit(notes, name), name)), source, parameters)


def _misfit(notes: Sequence[Note], name: str) -> float:
    """Returns how many semitones a tune lies outside a singer's tessitura on average, moved octaves counted too."""
    low, high = VOICE_TYPES[SINGERS[name].voice_type].tessitura
    shift = octaves(notes, Singer(name))
    total = sum(n.duration_ticks for n in notes)
    outside = sum(n.duration_ticks * max(low - n.pitch - shift, n.pitch + shift - high, 0) for n in notes)
    return outside / total + abs(shift) / 12


def octaves(notes: Sequence[Note], singer: Singer) -> int:
    """Returns the octaves, in semitones, that bring a tune into a singer's range; 0 if it is reachable as written."""
    kind = VOICE_TYPES[house_singer(singer.name).voice_type]

    def outside(shift: int) -> int:
        return sum(max(kind.low - n.pitch - shift, n.pitch + shift - kind.high, 0) for n in notes)

    return min((0, -12, 12, -24, 24, -36, 36), key=lambda shift: (outside(shift), abs(shift)))
