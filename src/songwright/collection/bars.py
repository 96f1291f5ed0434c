"""Bars made regular: upbeats become the end of a full bar, halves of a bar cut by a repeat become one again.

Readers of notation give a short measure a metre of its own. A composer that learns bars should meet full ones, so
silence is put before an upbeat and after a short last bar, neighbouring pieces of one bar are joined, and a measure of
several bars' length is divided. A single bar of another length inside the music is kept: that is how it is written.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from songwright.score.song import MeterChange, Song

Meter = tuple[int, int]
_MOST_JOINED = 8
"""A measure as long as this many bars at most was written without its bar lines."""


@dataclass(frozen=True, slots=True)
class _Bar:
    """A bar of the new song: which stretch of the old one it holds, and how far that is moved into it."""

    start: int
    end: int
    meter: Meter
    lead_in: int = 0

    @property
    def length(self) -> int:
        return MeterChange(0, *self.meter).bar_ticks


def regular_bars(song: Song) -> Song:
    """Returns the song with short measures filled or joined; notes keep their lengths."""
    bars = _bars(song)
    if not bars:
        return song
    old_starts, new_starts, meters, at = [], [], list[MeterChange](), 0
    for bar in bars:
        old_starts.append(bar.start)
        new_starts.append(at + bar.lead_in)
        if not meters or (meters[-1].numerator, meters[-1].denominator) != bar.meter:
            meters.append(MeterChange(at, *bar.meter))
        at += bar.length
    new_starts.append(at)
    old_starts.append(bars[-1].end)

    def moved(tick: int) -> int:
        place = max(0, bisect_right(old_starts, tick) - 1)
        return new_starts[place] + tick - old_starts[place]

    if all(moved(tick) == tick for tick in old_starts) and tuple(meters) == song.meters:
        return song
    return _moved(song, moved, tuple(meters), at)


def _bars(song: Song) -> list[_Bar]:
    starts = [*song.bar_starts(), song.duration_ticks]
    meters = sorted(song.meters)
    ticks = [m.tick for m in meters]
    bars = []
    for start, end in pairwise(starts):
        meter = meters[bisect_right(ticks, start) - 1]
        bars.append(_Bar(start, end, (meter.numerator, meter.denominator)))
    if len(bars) < 3:
        return bars
    usual = _usual(bars)
    out: list[_Bar] = []
    upbeat = 0
    index = 0
    while index < len(bars):
        bar, nominal = bars[index], usual[index]
        full = MeterChange(0, *nominal).bar_ticks
        following = bars[index + 1] if index + 1 < len(bars) else None
        if bar.meter == nominal:
            out.append(bar)
        elif bar.length > full:
            whole = bar.length % full == 0 and bar.length // full <= _MOST_JOINED
            cuts = range(bar.start, bar.end, full) if whole else (bar.start,)
            out.extend(_Bar(a, min(bar.end, a + full), nominal) if whole else bar for a in cuts)
        elif following is not None and following.meter != nominal and bar.length + following.length == full:
            out.append(_Bar(bar.start, following.end, nominal))
            index += 1
        elif index == 0:
            upbeat = bar.length
            out.append(_Bar(bar.start, bar.end, nominal, full - bar.length))
        elif index == len(bars) - 1 or bar.length + upbeat == full:
            out.append(_Bar(bar.start, bar.end, nominal))
        else:
            out.append(bar)
        index += 1
    return out


def _usual(bars: list[_Bar]) -> list[Meter]:
    """Returns the metre that holds around each bar: the one of the nearest stretch of three equal bars or more."""
    runs: list[tuple[int, int, Meter]] = []
    for i, bar in enumerate(bars):
        if runs and runs[-1][2] == bar.meter:
            runs[-1] = (runs[-1][0], i + 1, bar.meter)
        else:
            runs.append((i, i + 1, bar.meter))
    long = [run for run in runs if run[1] - run[0] >= 3] or [max(runs, key=lambda run: run[1] - run[0])]
    usual = []
    for i in range(len(bars)):
        near = min(long, key=lambda run: max(run[0] - i, i - run[1] + 1, 0))
        usual.append(near[2])
    return usual


def _moved(song: Song, moved: Callable[[int], int], meters: tuple[MeterChange, ...], end: int) -> Song:
    """Returns the song with everything moved; the first chord and section also cover silence before an upbeat."""
    tracks = tuple(
        replace(
            track,
            notes=tuple(sorted(replace(n, start_ticks=moved(n.start_ticks)) for n in track.notes)),
            controls=tuple(replace(c, tick=moved(c.tick)) for c in track.controls),
            bends=tuple(replace(b, tick=moved(b.tick)) for b in track.bends),
        )
        for track in song.tracks
    )
    chord_starts = [0 if i == 0 else moved(c.start_ticks) for i, c in enumerate(song.chords)]
    section_starts = [0 if i == 0 else _bar_at(meters, moved(s.start_ticks)) for i, s in enumerate(song.sections)]
    return replace(
        song,
        meters=meters,
        duration_ticks=end,
        tempos=tuple(replace(t, tick=moved(t.tick) if t.tick else 0) for t in song.tempos),
        keys=tuple(replace(k, tick=moved(k.tick) if k.tick else 0) for k in song.keys),
        tracks=tracks,
        chords=tuple(
            replace(c, start_ticks=a, duration_ticks=b - a)
            for c, (a, b) in zip(song.chords, pairwise([*chord_starts, end]), strict=True)
        ),
        sections=tuple(
            replace(s, start_ticks=a, duration_ticks=b - a)
            for s, (a, b) in zip(song.sections, pairwise([*section_starts, end]), strict=True)
        ),
    )


def _bar_at(meters: tuple[MeterChange, ...], tick: int) -> int:
    """Returns the bar line at or before a tick."""
    meter = next(m for m in reversed(meters) if m.tick <= tick)
    return meter.tick + (tick - meter.tick) // meter.bar_ticks * meter.bar_ticks
