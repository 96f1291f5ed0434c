"""`merge`: a song that went through tokens, with all back that tokens do not hold and writing did not touch."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from songwright.compose.tokens.bars import GridBars, grid_bars
from songwright.compose.tokens.grid import DRUM_STEPS, on_grid
from songwright.compose.tokens.vocabulary import MAX_SLOTS, TICKS_PER_STEP
from songwright.score.song import Note, Song, Syllable, Track

_Place = tuple[int, int, int, int]
"""Start, pitch, length and velocity of a note on the grid."""


def merge(original: Song, decoded: Song) -> Song:
    """Returns the decoded song with the original's notes, maps and mix wherever both are the same on the grid.

    Tracks belong together by role and order. A note that stands in both keeps its exact place, velocity, offset and
    syllable; a track nothing changed in is the original's own. Tempo, metre, key, sections and chords are the
    original's where they are the same on the grid, else the decoded ones. `merge(song, on_grid(song))` is the song
    itself, but for what the grid had made one. Songs whose bars do not lie on the grid get no notes or maps back.

    Args:
        original: before it was encoded.
        decoded: what came back, perhaps with parts written anew.
    """
    gridded = on_grid(original)
    bars = grid_bars(original)
    lines = np.concatenate([[0], np.cumsum(bars.steps)]) * TICKS_PER_STEP
    is_plain = np.array_equal(lines, bars.ticks)
    known = {t.id: before for t, before in zip(gridded.tracks, _seated(original), strict=True)}
    words = {s.id: s for s in decoded.syllables}
    own_words = {s.id: s for s in original.syllables}
    tracks: list[Track] = []
    sung: list[list[Syllable | None]] = []
    for track in decoded.tracks:
        before = known.get(track.id)
        if before is None or not is_plain:
            like = track if before is None else replace(before, notes=track.notes)
            tracks.append(_renamed(like, tracks))
            sung.append([words.get(n.syllable) if n.syllable is not None else None for n in track.notes])
            continue
        notes, syllables = _restored(track, before, bars, words, own_words)
        tracks.append(replace(before, notes=tuple(notes)))
        sung.append(syllables)
    whole = {
        name: getattr(original if is_plain and getattr(gridded, name) == getattr(decoded, name) else decoded, name)
        for name in ("duration_ticks", "tempos", "meters", "keys", "sections", "chords")
    }
    if all(s is None or own_words.get(s.id) is s for syllables in sung for s in syllables):
        return replace(original, **whole, tracks=tuple(tracks))
    placed, numbered = _numbered(tracks, sung)
    return replace(original, **whole, tracks=placed, syllables=numbered)


def _seated(song: Song) -> list[Track]:
    """Returns the tracks that the grid keeps: of every role the first 64."""
    seen: dict[str, int] = defaultdict(int)
    found = []
    for track in song.tracks:
        seen[track.role] += 1
        if seen[track.role] <= MAX_SLOTS:
            found.append(track)
    return found


def _renamed(track: Track, others: Sequence[Track]) -> Track:
    """Returns a new track under an id that no other has."""
    taken, name, count = {other.id for other in others}, track.id, 2
    while name in taken:
        name, count = f"{track.id}_{count}", count + 1
    return replace(track, id=name)


def _places(track: Track, bars: GridBars) -> list[_Place]:
    """Returns where each note of the original stands on the grid."""
    if not track.notes:
        return []
    raw = np.array([(n.start_ticks, n.end_ticks, n.pitch, n.velocity) for n in track.notes], dtype=np.int64)
    starts = np.minimum(bars.step_of(raw[:, 0]), int(bars.steps.sum()) - 1)
    steps = np.maximum(1, bars.step_of(raw[:, 1]) - starts)
    if track.is_drums:
        steps[:] = DRUM_STEPS
    rows = np.column_stack([starts * TICKS_PER_STEP, raw[:, 2], steps * TICKS_PER_STEP, (raw[:, 3] >> 2) * 4 + 2])
    return [(a, b, c, d) for a, b, c, d in rows.tolist()]


def _restored(
    track: Track, before: Track, bars: GridBars, words: dict[int, Syllable], own_words: dict[int, Syllable]
) -> tuple[list[Note], list[Syllable | None]]:
    """Returns the notes of a track, the original's where it has them, and what is sung on each."""
    found: dict[_Place, deque[Note]] = defaultdict(deque)
    for place, note in zip(_places(before, bars), before.notes, strict=True):
        found[place].append(note)
    pairs: list[tuple[Note, Syllable | None]] = []
    for note in track.notes:
        there = found.get((note.start_ticks, note.pitch, note.duration_ticks, note.velocity))
        if there:
            old = there.popleft()
            pairs.append((old, None if old.syllable is None else own_words.get(old.syllable)))
        else:
            pairs.append((note, None if note.syllable is None else words.get(note.syllable)))
    pairs.sort(key=lambda pair: pair[0])
    return [note for note, _ in pairs], [syllable for _, syllable in pairs]


def _numbered(
    tracks: Sequence[Track], sung: Sequence[Sequence[Syllable | None]]
) -> tuple[tuple[Track, ...], tuple[Syllable, ...]]:
    """Returns tracks and syllables with new ids, in the order of singing."""
    first: dict[int, tuple[int, int, int, Syllable]] = {}
    for index, (track, syllables) in enumerate(zip(tracks, sung, strict=True)):
        for place, (note, syllable) in enumerate(zip(track.notes, syllables, strict=True)):
            if syllable is not None:
                first.setdefault(id(syllable), (note.start_ticks, index, place, syllable))
    ordered = sorted(first.values(), key=lambda row: row[:3])
    numbers = {id(row[3]): number for number, row in enumerate(ordered)}
    placed = []
    for track, syllables in zip(tracks, sung, strict=True):
        ids = [None if s is None else numbers[id(s)] for s in syllables]
        notes = tuple(replace(n, syllable=i) for n, i in zip(track.notes, ids, strict=True))
        placed.append(replace(track, notes=notes))
    return tuple(placed), tuple(replace(row[3], id=number) for number, row in enumerate(ordered))
