"""From played notes to written ones: the grid, voices, and note values with dots, triplets and ties.

`notated` is what MusicXML keeps of a song; `bar_pieces` cuts a voice into what a staff can show. Files: `musicxml`.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from songwright.score.song import TICKS_PER_QUARTER, MeterChange, Note, Song, Track

MAX_VOICES = 4
_FINEST, _TRIPLET = 60, 80
_GRIDS = (240, 160, 120)
_TOLERANCE = 40
_PLAIN = {3840: ("whole", 0), 2880: ("half", 1), 1920: ("half", 0), 1440: ("quarter", 1), 960: ("quarter", 0),
          720: ("eighth", 1), 480: ("eighth", 0), 360: ("16th", 1), 240: ("16th", 0), 180: ("32nd", 1),
          120: ("32nd", 0), 60: ("64th", 0)}  # fmt: skip
_TRIPLETS = {640: ("quarter", 0), 320: ("eighth", 0), 160: ("16th", 0), 80: ("32nd", 0)}


@dataclass(frozen=True, slots=True)
class Piece:
    """A note value on the staff.

    Attributes:
        start, duration: in ticks.
        notes: what sounds; empty for a rest.
        kind: ``whole`` to ``64th``; empty for a rest of a whole bar.
        dots: how many.
        triplet: whether three stand for two.
        tied_from, tied_to: whether the notes go on from the piece before, and into the next.
        bracket: ``start``, ``stop`` or nothing: the edges of a triplet.
    """

    start: int
    duration: int
    notes: tuple[Note, ...] = ()
    kind: str = ""
    dots: int = 0
    triplet: bool = False
    tied_from: bool = False
    tied_to: bool = False
    bracket: str = ""


class Grid:
    """Beats of a song, and which of them are written in triplets for one track.

    Args:
        song: bars and metres.
        notes: of the track.
    """

    def __init__(self, song: Song, notes: Sequence[Note]) -> None:
        self.bars = song.bar_starts() or (0,)
        self.ends = (*self.bars[1:], max(song.duration_ticks, self.bars[-1] + 1))
        self._meter_ticks = [m.tick for m in song.meters]
        self._beats = [beat_ticks(m) for m in song.meters]
        points: dict[tuple[int, int], set[int]] = defaultdict(set)
        for n in notes:
            for tick in (n.start_ticks, n.end_ticks):
                start, beat = self.beat_at(tick)
                if tick > start:
                    points[start, beat].add(tick - start)
        self._grids = {start: _grid(places, beat) for (start, beat), places in points.items()}

    def bar_at(self, tick: int) -> int:
        """Returns the number of the bar of a tick, from 0."""
        return max(0, bisect_right(self.bars, tick) - 1)

    def beat_at(self, tick: int) -> tuple[int, int]:
        """Returns start and length of the beat that holds a tick."""
        bar = self.bars[self.bar_at(tick)]
        beat = self._beats[bisect_right(self._meter_ticks, bar) - 1]
        return tick - (tick - bar) % beat, beat

    def step(self, tick: int) -> int:
        """Returns the grid of the beat that holds a tick."""
        return self._grids.get(self.beat_at(tick)[0], _FINEST)

    def snap(self, tick: int) -> int:
        """Returns the nearest place of the grid, the earlier of two."""
        start, beat = self.beat_at(tick)
        step = self._grids.get(start, _FINEST)
        return start + min(beat, -(-(tick - start - step // 2) // step) * step)


def beat_ticks(meter: MeterChange) -> int:
    """Returns the beat that notes are grouped by: the quarter, the dotted quarter in compound metres, else shorter."""
    if meter.denominator == 8 and meter.numerator % 3 == 0:
        return TICKS_PER_QUARTER * 3 // 2
    return min(TICKS_PER_QUARTER, TICKS_PER_QUARTER * 4 // meter.denominator)


def _grid(places: set[int], beat: int) -> int:
    """Returns the step on which all places of a beat are, or come to lie with the least change."""
    if all(p % _FINEST == 0 for p in places):
        return _FINEST
    triplets = beat == TICKS_PER_QUARTER
    if triplets and all(p % _TRIPLET == 0 for p in places):
        return _TRIPLET
    for step in _GRIDS:
        if (triplets or step != 160) and all(min(p % step, step - p % step) <= _TOLERANCE for p in places):
            return step
    return _FINEST


def notated(song: Song) -> Song:
    """Returns the song as it is written down: what MusicXML keeps, and nothing else.

    Starts and ends lie on sixty-fourths, or on thirty-second triplets where a whole beat of a track does; other places
    move to the coarsest of sixteenths, triplets and thirty-seconds that is at most 40 ticks away throughout the beat,
    else to the nearest sixty-fourth. Notes reach to the end of the last bar at most; four voices a track at most (other
    notes end early); no pitch twice at once in a voice. Offsets, controllers, bends and mix are left out. Notating
    twice changes nothing.
    """
    tracks = tuple(
        Track(t.id, t.role, t.instrument, t.name or t.id, _written(song, t.notes), singer=t.singer)
        for t in song.tracks
        if t.notes
    )
    return replace(song, tracks=tracks, swing=song.swing)


def _written(song: Song, notes: Sequence[Note]) -> tuple[Note, ...]:
    grid = Grid(song, notes)
    limit = grid.ends[-1]
    found: dict[tuple[int, int, int], Note] = {}
    for n in sorted(notes):
        if n.start_ticks >= limit:
            continue
        start = grid.snap(n.start_ticks)
        start = start if start < limit else limit - (80 if grid.step(limit - 1) in (80, 160) else _FINEST)
        end = min(limit, max(grid.snap(n.end_ticks), start + grid.step(start)))
        key = (start, end, n.pitch)
        if key not in found or found[key].velocity < n.velocity:
            found[key] = Note(start, end - start, n.pitch, n.velocity, 0, n.syllable)
    voices = in_voices(tuple(found.values()))
    kept = {(n.start_ticks, n.pitch, n.duration_ticks): n for v in voices for c in v for n in c}
    return tuple(kept[key] for key in sorted(kept))


def in_voices(notes: Sequence[Note]) -> list[list[tuple[Note, ...]]]:
    """Returns voices of chords (notes that begin and end together), each voice without overlaps, at most four.

    A note that finds no free voice ends the one that would be free first.
    """
    groups: dict[tuple[int, int], list[Note]] = defaultdict(list)
    for n in notes:
        groups[n.start_ticks, -n.end_ticks].append(n)
    voices: list[list[tuple[Note, ...]]] = []
    for (start, _), group in sorted(groups.items()):
        chord = tuple(sorted(group, key=lambda n: n.pitch))
        free = next((v for v in voices if v[-1][0].end_ticks <= start), None)
        if free is None and len(voices) < MAX_VOICES:
            free = []
            voices.append(free)
        if free is None:
            free = min(voices, key=lambda v: v[-1][0].end_ticks)
            if free[-1][0].start_ticks == start:
                end = free[-1][0].end_ticks
                moved = [replace(n, duration_ticks=end - start) for n in chord]
                known = {n.pitch for n in free[-1]}
                merged = (*free[-1], *(n for n in moved if n.pitch not in known))
                free[-1] = tuple(sorted(merged, key=lambda n: n.pitch))
                continue
            free[-1] = tuple(replace(n, duration_ticks=start - n.start_ticks) for n in free[-1])
        free.append(chord)
    return voices


def bar_pieces(grid: Grid, voice: Sequence[tuple[Note, ...]]) -> dict[int, list[Piece]]:
    """Returns the pieces of each bar in which a voice has notes; rests fill those bars.

    Args:
        grid: of the track, made from its written notes.
        voice: chords in order, without overlaps.
    """
    bars: dict[int, list[Piece]] = {}
    for chord in voice:
        start, end = chord[0].start_ticks, chord[0].end_ticks
        bar = grid.bar_at(start)
        at = start
        while at < end:
            pieces = bars.setdefault(bar, [])
            stop = min(end, grid.ends[bar])
            filled = pieces[-1].start + pieces[-1].duration if pieces else grid.bars[bar]
            pieces += _cut(grid, filled, at, ())
            cut = _cut(grid, at, stop, chord)
            last = len(cut) - 1
            for i, piece in enumerate(cut):
                tied_to = i < last or stop < end
                pieces.append(replace(piece, tied_from=piece.start > start, tied_to=tied_to))
            at = stop
            bar += 1
    for bar, pieces in bars.items():
        pieces += _cut(grid, pieces[-1].start + pieces[-1].duration, grid.ends[bar], ())
        bars[bar] = _brackets(grid, pieces)
    return bars


def _cut(grid: Grid, start: int, end: int, notes: tuple[Note, ...]) -> list[Piece]:
    """Returns the note values from start to end, within one bar."""
    pieces: list[Piece] = []
    at = start
    while at < end:
        beat_start, beat = grid.beat_at(at)
        triplet = grid.step(at) in (80, 160) and beat == TICKS_PER_QUARTER and end - at < beat + beat_start - at
        triplet = triplet or (grid.step(at) in (80, 160) and beat == TICKS_PER_QUARTER and at > beat_start)
        if at == beat_start and end - at >= beat:
            length = _whole_beats(grid, at, end, beat)
        else:
            room = min(end, beat_start + beat) - at
            table = _TRIPLETS if triplet else _PLAIN
            length = next((d for d in table if d <= room), room)
        kind, dots = (_TRIPLETS if triplet and length in _TRIPLETS else _PLAIN).get(length, ("64th", 0))
        pieces.append(Piece(at, length, notes, kind, dots, triplet and length in _TRIPLETS))
        at += length
    return pieces


def _whole_beats(grid: Grid, at: int, end: int, beat: int) -> int:
    """Returns the longest plain value from a beat that ends on a beat, or a dotted one that fills the rest exactly."""
    for length in _PLAIN:
        if length > end - at:
            continue
        if length % beat == 0:
            return length
        if length == end - at and grid.step(at + length) not in (80, 160):
            return length
    return beat


def _brackets(grid: Grid, pieces: list[Piece]) -> list[Piece]:
    """Returns the pieces with the first and last of each triplet beat marked."""
    out = list(pieces)
    spans: dict[int, list[int]] = defaultdict(list)
    for i, piece in enumerate(pieces):
        if piece.triplet:
            spans[grid.beat_at(piece.start)[0]].append(i)
    for places in spans.values():
        if len(places) > 1:
            out[places[0]] = replace(out[places[0]], bracket="start")
            out[places[-1]] = replace(out[places[-1]], bracket="stop")
    return out
