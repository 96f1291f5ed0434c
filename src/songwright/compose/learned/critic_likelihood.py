"""How likely a song's tune is under the network, given its chords: the critic's one term that is not theory."""

from dataclasses import replace
from itertools import pairwise

from songwright.compose.learned.judge import Reader, judge
from songwright.compose.learned.rewrite import bar_lines
from songwright.score.song import Song, Track

JUDGED_BARS = 16
SPELL_BARS = 8
_TUNE = ("vocal", "melody")


def tune_of(song: Song) -> Track | None:
    """Returns the track that sings, or else plays, the most notes of the tune; None without any."""
    for role in _TUNE:
        found = [track for track in song.tracks if track.role == role and track.notes]
        if found:
            return max(found, key=lambda track: len(track.notes))
    return None


def judged_bars(song: Song, tune: Track) -> list[int]:
    """Returns which bars are judged: eight where the tune begins, and eight of the first chorus (else what follows)."""
    lines = bar_lines(song)
    playing = [i for i, (a, b) in enumerate(pairwise(lines)) if _plays(tune, a, b)]
    chorus = next((s.start_ticks for s in song.sections if s.role in ("chorus", "drop")), song.duration_ticks)
    later = [i for i in playing[SPELL_BARS:] if lines[i] >= chorus] or playing[SPELL_BARS:]
    return sorted({*playing[:SPELL_BARS], *later[: JUDGED_BARS - SPELL_BARS]})


def _plays(tune: Track, start: int, end: int) -> bool:
    return any(start <= note.start_ticks < end for note in tune.notes)


def tune_likelihood(reader: Reader, song: Song) -> float | None:
    """Returns the mean log-probability of the events of the tune in some bars, nats; None where there is no tune.

    Args:
        reader: the network.
        song: any song; of the rest only chords, form and style are heard, so that full songs and lead sheets compare.
    """
    tune = tune_of(song)
    if tune is None:
        return None
    notes = tuple(replace(note, syllable=None) for note in tune.notes)
    bare = replace(song, tracks=(replace(tune, singer=None, notes=notes),), syllables=())
    bars = judged_bars(song, tune)
    return -judge(reader, [bare], tune.id, bars)[0].mean(bars)
