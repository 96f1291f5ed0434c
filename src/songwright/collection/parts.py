"""Tracks of imported scores put right: one line out of a part, staves of one player together, roles by register."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from songwright.score.roles import polyphony
from songwright.score.song import Note, Song, Track


def lead_line(track: Track) -> Track:
    """Returns the track with one note at a time: the sung or highest of those that begin together, cut at the next."""
    tops = [
        max(group, key=lambda n: (n.syllable is not None, n.pitch))
        for _, group in groupby(sorted(track.notes), key=lambda n: n.start_ticks)
    ]
    cut = [replace(a, duration_ticks=min(a.duration_ticks, b.start_ticks - a.start_ticks)) for a, b in pairwise(tops)]
    return replace(track, notes=(*cut, *tops[-1:]))


def is_single(notes: Sequence[Note]) -> bool:
    """Returns whether nearly always only one note sounds."""
    return bool(notes) and polyphony(notes) < 1.1


def merged(tracks: Sequence[Track], like: Track) -> Track:
    """Returns one track with the notes of several, doubled ones once; otherwise like the given one."""
    notes = sorted(n for t in tracks for n in t.notes)
    once = [next(group) for _, group in groupby(notes, key=lambda n: (n.start_ticks, n.pitch))]
    return replace(like, notes=tuple(once))


def mean_pitch(track: Track) -> float:
    """Returns the mean pitch, 0 for an empty track."""
    return sum(n.pitch for n in track.notes) / max(1, len(track.notes))


def clean_words(song: Song) -> Song:
    """Returns the song without the numbers of verses before its syllables, and without syllables that nobody sings."""
    used = {n.syllable for t in song.tracks for n in t.notes}
    kept = (s for s in song.syllables if s.id in used)
    return replace(song, syllables=tuple(replace(s, text=_bare(s.text), word=_bare(s.word)) for s in kept))


def _bare(text: str) -> str:
    return re.sub(r"^\s*\(?\d+[a-z]?[.):,]*\s*(?=\S)", "", text)
