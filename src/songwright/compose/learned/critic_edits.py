"""The critic's word in edits: the bars that are written, with those around them, judged for every candidate."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from songwright.compose.learned.critic import Critic, load_critic
from songwright.compose.learned.rewrite import Score, bar_lines
from songwright.compose.learned.scribe import Written
from songwright.score.song import ChordSpan, KeyChange, MeterChange, Note, Section, Song, TempoChange

AROUND_BARS = 8
"""Heard on either side of the edit."""

_Change = TypeVar("_Change", bound=TempoChange | MeterChange | KeyChange)


def edit_score(song: Song, bars: tuple[int, int], critic: Critic | None = None) -> Score:
    """Returns what `rewrite` asks of every candidate: the critic's verdict in nats an event, to add to its likelihood.

    Args:
        song: that is edited, as long as it will be.
        bars: first bar of the edit and one past the last.
        critic: the judge; the program's own by default.
    """
    judge, lines = critic or load_critic(), bar_lines(song)
    start, end = lines[max(0, bars[0] - AROUND_BARS)], lines[min(len(lines) - 1, bars[1] + AROUND_BARS)]

    def score(made: Song, written: Written) -> float:
        return judge.nats * judge.score(excerpt(made, start, end)).total

    return score


def excerpt(song: Song, start: int, end: int) -> Song:
    """Returns what begins between two bar lines as a song of its own; players' controls and words are left out."""

    def spans(rows: Sequence[ChordSpan] | Sequence[Section]) -> list[tuple[int, int, ChordSpan | Section]]:
        cut = [(max(r.start_ticks, start), min(r.end_ticks, end), r) for r in rows]
        return [(low - start, high - low, row) for low, high, row in cut if high > low]

    return replace(
        song,
        duration_ticks=end - start,
        tempos=_from(song.tempos, start, end),
        meters=_from(song.meters, start, end),
        keys=_from(song.keys, start, end),
        sections=tuple(
            replace(r, start_ticks=a, duration_ticks=n) for a, n, r in spans(song.sections) if isinstance(r, Section)
        ),
        chords=tuple(
            replace(r, start_ticks=a, duration_ticks=n) for a, n, r in spans(song.chords) if isinstance(r, ChordSpan)
        ),
        tracks=tuple(
            replace(
                track,
                notes=tuple(
                    Note(n.start_ticks - start, n.duration_ticks, n.pitch, n.velocity, n.offset_ticks)
                    for n in track.notes
                    if start <= n.start_ticks < end
                ),
                controls=(),
                bends=(),
            )
            for track in song.tracks
        ),
        syllables=(),
    )


def _from(changes: Sequence[_Change], start: int, end: int) -> tuple[_Change, ...]:
    """Returns a map of changes as it stands from a tick on."""
    first = [change for change in changes if change.tick <= start][-1]
    later = [replace(change, tick=change.tick - start) for change in changes if start < change.tick < end]
    return (replace(first, tick=0), *later)
