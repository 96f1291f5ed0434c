"""Music spoilt in known ways: what the critic must tell from real music.

Each takes a song, a generator and another song, and returns the spoilt song; None where there is nothing to spoil.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from songwright.score.song import ChordSpan, Note, Song, Track
from songwright.score.theory import parse_chord, parse_key

Corruption = Callable[[Song, np.random.Generator, Song], Song | None]
SIXTEENTH = 240
_TUNE = ("vocal", "melody")


def has_tune(song: Song) -> bool:
    """Returns whether there is a tune."""
    return any(track.role in _TUNE and track.notes for track in song.tracks)


def with_notes(song: Song, change: Callable[[Track], list[Note]]) -> Song:
    """Returns the song with other notes in all tracks."""
    return replace(song, tracks=tuple(replace(t, notes=tuple(sorted(change(t)))) for t in song.tracks))


def shuffled_bars(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """Bars in another order: of all tracks together, chords staying; where there are only chords, of those."""
    lines = np.array([*song.bar_starts(), song.duration_ticks])
    order = random.permutation(len(lines) - 1)
    if not any(track.notes for track in song.tracks):
        return _shuffled_chords(song, lines, order)

    def moved(track: Track) -> list[Note]:
        bars = [int(np.searchsorted(lines, n.start_ticks, side="right")) - 1 for n in track.notes]
        return [
            replace(n, start_ticks=int(n.start_ticks - lines[b] + lines[order[b]]))
            for n, b in zip(track.notes, bars, strict=True)
            if 0 <= b < len(order)
        ]

    return with_notes(song, moved)


def _shuffled_chords(song: Song, lines: np.ndarray, order: np.ndarray) -> Song | None:
    if len(song.chords) < 4:
        return None
    spans = []
    for new, old in enumerate(np.argsort(order).tolist()):
        low, high = int(lines[old]), int(lines[old + 1])
        for span in song.chords:
            first, last = max(low, span.start_ticks), min(high, span.end_ticks)
            if last > first and first - low + lines[new] < lines[new + 1]:
                start = int(first - low + lines[new])
                spans.append(ChordSpan(start, min(last - first, int(lines[new + 1]) - start), span.symbol))
    return replace(song, chords=tuple(sorted(spans)))


def random_notes(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """The same rhythm on random notes of the key within each track's range."""
    scale = parse_key(song.keys[0].key).pitch_classes
    pitched = [t for t in song.tracks if not t.is_drums and t.notes]
    if not pitched:
        return None

    def drawn(track: Track) -> list[Note]:
        if track.is_drums or not track.notes:
            return list(track.notes)
        low, high = min(n.pitch for n in track.notes), max(n.pitch for n in track.notes)
        known = [p for p in range(low, high + 1) if p % 12 in scale] or [low]
        return [replace(n, pitch=int(random.choice(known))) for n in track.notes]

    return with_notes(song, drawn)


def wrong_chords(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """Chords of other degrees: each moved to another root of the key at random, its kind kept."""
    if len(song.chords) < 4:
        return None
    scale = parse_key(song.keys[0].key).pitch_classes

    def moved(span: ChordSpan) -> ChordSpan:
        chord = parse_chord(span.symbol)
        if chord is None:
            return span
        return replace(span, symbol=chord.transposed(int(random.choice(scale)) - chord.root).symbol())

    return replace(song, chords=tuple(moved(span) for span in song.chords))


def shifted_chords(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """Chords that come one to three beats late."""
    if len(song.chords) < 4:
        return None
    late, end = 960 * int(random.integers(1, 4)), song.duration_ticks
    spans = [replace(c, start_ticks=c.start_ticks + late) for c in song.chords if c.start_ticks + late < end]
    return replace(
        song, chords=tuple(replace(c, duration_ticks=min(c.duration_ticks, end - c.start_ticks)) for c in spans)
    )


def displaced(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """Every second note or stroke of single lines up to three sixteenths early or late."""

    def moved(track: Track) -> list[Note]:
        if track.role not in (*_TUNE, "bass", "drums"):
            return list(track.notes)
        steps = random.integers(-3, 4, len(track.notes)) * (random.random(len(track.notes)) < 0.5)
        last = max(0, song.duration_ticks - SIXTEENTH)
        return [
            replace(n, start_ticks=min(last, max(0, n.start_ticks + int(s) * SIXTEENTH)))
            for n, s in zip(track.notes, steps, strict=True)
        ]

    if not any(t.notes for t in song.tracks):
        return None
    return with_notes(song, moved)


def foreign_tune(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """The tune of another piece, in this one's key, over this one's chords and bass."""
    if not has_tune(song) or not has_tune(other):
        return None
    shift = (parse_key(song.keys[0].key).tonic - parse_key(other.keys[0].key).tonic + 5) % 12 - 5
    notes = [n for t in other.tracks if t.role in _TUNE for n in t.notes if n.start_ticks < song.duration_ticks]
    moved = tuple(replace(n, pitch=min(127, max(0, n.pitch + shift)), syllable=None) for n in notes)
    rest = [t for t in song.tracks if t.role not in _TUNE]
    return replace(song, tracks=(*rest, Track("tune", "melody", "acoustic_piano", notes=moved))) if moved else None


def random_strokes(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """As many strokes of the same drums, at random sixteenths of their bars, at random strengths."""
    if not any(t.role == "drums" and t.notes for t in song.tracks):
        return None
    lines = np.array([*song.bar_starts(), song.duration_ticks])

    def drawn(track: Track) -> list[Note]:
        if track.role != "drums":
            return list(track.notes)
        found = []
        for note in track.notes:
            bar = int(np.searchsorted(lines, note.start_ticks, side="right")) - 1
            step = int(random.integers(0, max(1, (lines[bar + 1] - lines[bar]) // SIXTEENTH)))
            start = int(lines[bar]) + step * SIXTEENTH
            found.append(replace(note, start_ticks=start, velocity=int(random.integers(20, 120))))
        return found

    return with_notes(song, drawn)


def endless_loop(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """Two bars of every track and of the chords over and over: music that nobody goes on with."""
    lines = [*song.bar_starts(), song.duration_ticks]
    if len(lines) < 20:
        return None
    first = int(random.integers(4, len(lines) - 8))
    low, high = lines[first], lines[first + 2]
    if not any(low <= n.start_ticks < high for t in song.tracks for n in t.notes):
        return None
    origins = list(range(0, song.duration_ticks - (high - low) + 1, high - low))

    def looped(track: Track) -> list[Note]:
        inside = [n for n in track.notes if low <= n.start_ticks < high]
        return [replace(n, start_ticks=n.start_ticks - low + o) for o in origins for n in inside]

    spans = [
        ChordSpan(max(c.start_ticks, low) - low + o, min(c.end_ticks, high) - max(c.start_ticks, low), c.symbol)
        for o in origins
        for c in song.chords
        if c.start_ticks < high and c.end_ticks > low
    ]
    return replace(with_notes(song, looped), chords=tuple(spans))


CORRUPTIONS: dict[str, Corruption] = {
    "shuffled bars": shuffled_bars,
    "random notes": random_notes,
    "wrong chords": wrong_chords,
    "shifted chords": shifted_chords,
    "displaced": displaced,
    "foreign tune": foreign_tune,
    "random strokes": random_strokes,
    "endless loop": endless_loop,
}
