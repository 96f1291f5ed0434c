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
_BACKING = ("chords", "pad", "counter_melody", "backing_vocal")


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


def strength(random: np.random.Generator) -> float:
    """Returns which share of notes or chords is spoilt: much or little."""
    return float(random.uniform(0.2, 1.0))


def spoilt_tracks(song: Song, random: np.random.Generator, roles: tuple[str, ...]) -> set[str]:
    """Returns the ids of tracks to spoil: one of those with these roles, or all of them."""
    found = [t.id for t in song.tracks if t.notes and t.role in roles]
    return set(found) if not found or random.random() < 0.5 else {found[int(random.integers(len(found)))]}


def random_notes(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """The same rhythm with a share of the notes of one or all tracks on random notes of the key within its range."""
    names = spoilt_tracks(song, random, (*_TUNE, *_BACKING, "bass"))
    return _drawn(song, random, names, strength(random)) if names else None


def wrong_bass(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """A share of the bass's notes on random notes of the key."""
    names = spoilt_tracks(song, random, ("bass",))
    return _drawn(song, random, names, strength(random)) if names else None


def _drawn(song: Song, random: np.random.Generator, names: set[str], amount: float) -> Song:
    scale = parse_key(song.keys[0].key).pitch_classes

    def drawn(track: Track) -> list[Note]:
        if track.id not in names:
            return list(track.notes)
        low, high = min(n.pitch for n in track.notes), max(n.pitch for n in track.notes)
        known = [p for p in range(low, high + 1) if p % 12 in scale] or [low]
        return [replace(n, pitch=int(random.choice(known))) if random.random() < amount else n for n in track.notes]

    return with_notes(song, drawn)


def octave_jumps(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """A share of the tune's notes an octave higher or lower."""
    if not has_tune(song):
        return None
    amount = strength(random) / 2

    def thrown(note: Note) -> Note:
        up = 12 if note.pitch < 66 or (note.pitch < 78 and random.random() < 0.5) else -12
        return replace(note, pitch=note.pitch + up) if random.random() < amount else note

    return with_notes(song, lambda t: [thrown(n) for n in t.notes] if t.role in _TUNE else list(t.notes))


def wrong_chords(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """A share of the chords moved to other roots of the key at random, their kinds kept."""
    if len(song.chords) < 4:
        return None
    scale, amount = parse_key(song.keys[0].key).pitch_classes, strength(random)

    def moved(span: ChordSpan) -> ChordSpan:
        chord = parse_chord(span.symbol)
        if chord is None or random.random() > amount:
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
    """A share of the notes or strokes of one or all single lines up to three sixteenths early or late."""
    names, amount = spoilt_tracks(song, random, (*_TUNE, "bass", "drums")), strength(random)
    if not names:
        return None

    def moved(track: Track) -> list[Note]:
        if track.id not in names:
            return list(track.notes)
        steps = random.integers(-3, 4, len(track.notes)) * (random.random(len(track.notes)) < amount)
        return [_later(song, n, int(s)) for n, s in zip(track.notes, steps, strict=True)]

    return with_notes(song, moved)


def _later(song: Song, note: Note, steps: int) -> Note:
    last = max(0, song.duration_ticks - SIXTEENTH)
    return replace(note, start_ticks=min(last, max(0, note.start_ticks + steps * SIXTEENTH)))


def off_the_beat(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """One single line as a whole one to three sixteenths, or a beat, late."""
    names = sorted(spoilt_tracks(song, random, (*_TUNE, "bass", "drums")))
    if not names:
        return None
    name, steps = names[int(random.integers(len(names)))], int(random.choice([1, 2, 3, 4]))
    return with_notes(song, lambda t: [_later(song, n, steps) for n in t.notes] if t.id == name else list(t.notes))


def open_ends(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """Section ends (or every eighth bar) that do not close: their last chords moved a second up, the tune with them."""
    if len(song.chords) < 4:
        return None
    lines = [*song.bar_starts(), song.duration_ticks]
    ends = {s.end_ticks for s in song.sections} if len(song.sections) > 1 else set(lines[8::8])
    last = [(end - 1920, end) for end in ends | {song.duration_ticks}]

    def inside(tick: int) -> bool:
        return any(low <= tick < high for low, high in last)

    def moved(span: ChordSpan) -> ChordSpan:
        chord = parse_chord(span.symbol)
        late = any(low < span.end_ticks <= high for low, high in last)
        return replace(span, symbol=chord.transposed(2).symbol()) if chord is not None and late else span

    changed = with_notes(
        song,
        lambda t: [
            replace(n, pitch=min(127, n.pitch + 2)) if not t.is_drums and inside(n.start_ticks) else n for n in t.notes
        ],
    )
    return replace(changed, chords=tuple(moved(span) for span in song.chords))


def swapped_sections(song: Song, random: np.random.Generator, other: Song) -> Song | None:
    """The names of the sections given to each other's music: verses that are louder than choruses."""
    roles = [section.role for section in song.sections]
    if len(set(roles)) < 3:
        return None
    order = random.permutation(len(roles))
    return replace(
        song, sections=tuple(replace(s, role=roles[i]) for s, i in zip(song.sections, order.tolist(), strict=True))
    )


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
    """A share of the strokes at random sixteenths of their bars, at random strengths."""
    if not any(t.role == "drums" and t.notes for t in song.tracks):
        return None
    lines, amount = np.array([*song.bar_starts(), song.duration_ticks]), strength(random)

    def drawn(track: Track) -> list[Note]:
        if track.role != "drums":
            return list(track.notes)
        found = []
        for note in track.notes:
            if random.random() > amount:
                found.append(note)
                continue
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
    "octave jumps": octave_jumps,
    "wrong bass": wrong_bass,
    "wrong chords": wrong_chords,
    "shifted chords": shifted_chords,
    "open ends": open_ends,
    "displaced": displaced,
    "off the beat": off_the_beat,
    "foreign tune": foreign_tune,
    "random strokes": random_strokes,
    "endless loop": endless_loop,
    "swapped sections": swapped_sections,
}
