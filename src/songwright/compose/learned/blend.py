"""`blended`: a song between two songs, each of its bars on the way from one's latent to the other's.

The nearer song gives the form, the players, the key, the words and the sound; harmony, tunes, basses, chords and drums
are between the two wherever both play, and so is the tempo. At either end the song is that song itself.
"""

from dataclasses import replace

from songwright.compose.learned.bars.coder import BarCoder
from songwright.compose.learned.blend_harmony import blended_harmony, chord_spans
from songwright.compose.learned.blend_sides import matched_windows, side_of
from songwright.compose.learned.blend_tracks import blended_tracks
from songwright.compose.learned.blend_voices import Meeting
from songwright.errors import InputError
from songwright.progress import Progress, silent
from songwright.score.song import TICKS_PER_QUARTER, Song, TempoChange, check


def blended(first: Song, second: Song, mix: float, coder: BarCoder, *, progress: Progress = silent) -> Song:
    """Returns the song that lies between two songs. The same arguments always give the same song.

    Args:
        first: the song at mix 0, which is returned as it is.
        second: the song at mix 1, likewise.
        mix: where between them, 0 to 1; up to a half the first is the nearer one.
        coder: the networks of bars.
        progress: told about the tracks.

    Raises:
        InputError: the mix is not between 0 and 1, a song has no notes, or they are in different metres.
    """
    if not 0 <= mix <= 1:
        raise InputError(f"mix {mix}: expected a number from 0 (the first song) to 1 (the second)")
    if mix in (0, 1):
        return second if mix else first
    songs = (first, second) if mix <= 0.5 else (second, first)
    share = mix if mix <= 0.5 else 1.0 - mix
    progress("blend", 0.0)
    near, far = (side_of(song) for song in songs)
    pairs = matched_windows(near, far)
    harmony = blended_harmony(near, far, pairs, share, coder)
    meeting = Meeting(near, far, pairs, share, harmony, coder)
    tracks = blended_tracks(meeting, lambda done: progress("blend", 0.1 + 0.9 * done))
    song = replace(
        near.song,
        title=f"{first.title} / {second.title}",
        tempos=_tempos(near.song, far.song, share),
        chords=chord_spans(near, harmony),
        tracks=tracks,
        provenance={**near.song.provenance, "blend": {"songs": [first.title, second.title], "mix": mix}},
    )
    check(song)
    progress("blend", 1.0)
    return song


def _tempos(near: Song, far: Song, share: float) -> tuple[TempoChange, ...]:
    """Returns the nearer song's tempos, all by the factor that leads to the other's mean tempo."""
    factor = (_mean_bpm(far) / _mean_bpm(near)) ** share
    return tuple(replace(change, bpm=min(2000.0, max(4.0, round(change.bpm * factor, 3)))) for change in near.tempos)


def _mean_bpm(song: Song) -> float:
    seconds = song.duration_seconds
    return song.duration_ticks / TICKS_PER_QUARTER * 60.0 / seconds if seconds > 0 else song.tempos[0].bpm
