"""`encode`: a song as the events of the language, bar by bar, part by part."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.grid import LEVEL, LINE, PITCH, START, STEPS, WORD, GridPlayer, GridSong, quantise
from songwright.compose.tokens.vocabulary import (
    DRUM_ROLES,
    HARMONY,
    KIND,
    LENGTH,
    LENGTHS,
    MAX_BAR_NUMBER,
    MAX_LENGTH,
    MAX_SECTION_BARS,
    NUM_STREAMS,
    POSITION,
    ROLES,
    VALUE,
    VALUES,
    VELOCITIES,
    VELOCITY,
    Kind,
    meter_steps,
)
from songwright.compose.tokens.vocabulary import WORD as WORD_STREAM
from songwright.score.song import Song

Codes = NDArray[np.int16]
Ints = NDArray[np.int64]
_HARMONY_ROLE = ROLES.index(HARMONY)
_FULL = np.array([meter_steps(place) for place in range(VALUES["meter"].size)])
_KEY_COLUMNS = 3
"""Of the rows that are being sorted: bar, part, and place in the part stand before the six streams."""


@dataclass(frozen=True)
class Events:
    """A song in the event language.

    Attributes:
        codes: (6, T) int16, streams as in `vocabulary.STREAMS`.
        bar_offsets: (bars + 1,) step at which each bar begins; the last is where EOS stands.
    """

    codes: Codes
    bar_offsets: Ints


def encode(song: Song) -> Events:
    """Returns the events of a song; `decode` gives `on_grid(song)` back.

    The header names style, metre, tempo and key at the beginning, then the players. Every bar begins with BAR and its
    number; what changes there follows, then a section that begins, then the parts that play: the chords of the song
    first (the chord in force is said again at the beginning of every bar), then the players in the song's order.
    """
    return encode_grid(quantise(song))


def encode_grid(grid: GridSong) -> Events:
    """Returns the events of a song on the grid."""
    rows = [_bar_rows(grid), _harmony_rows(grid)]
    rows += [_player_rows(player, part + 2, grid) for part, player in enumerate(grid.players)]
    body = np.concatenate(rows)
    body = body[np.lexsort((body[:, 2], body[:, 1], body[:, 0]))]
    header = _header(grid)
    codes = np.zeros((NUM_STREAMS, len(header) + len(body) + 1), dtype=np.int16)
    codes[:, : len(header)] = header.T
    codes[:, len(header) : -1] = body[:, _KEY_COLUMNS:].T
    codes[KIND, -1] = Kind.EOS
    bar_offsets = np.append(np.flatnonzero(codes[KIND] == Kind.BAR), codes.shape[1] - 1)
    return Events(codes, bar_offsets)


def _header(grid: GridSong) -> Ints:
    rows = np.zeros((5 + 2 * len(grid.players), NUM_STREAMS), dtype=np.int64)
    rows[:5, KIND] = (Kind.BOS, Kind.STYLE, Kind.METER, Kind.TEMPO, Kind.KEY)
    rows[1:5, VALUE] = (
        VALUES["style"].start + grid.style,
        VALUES["meter"].start + grid.meters[0],
        VALUES["tempo"].start + grid.tempos[0],
        VALUES["key"].start + grid.keys[0],
    )
    for i, player in enumerate(grid.players):
        at = 5 + 2 * i
        rows[at, (KIND, VALUE, LENGTH)] = (
            Kind.PLAYER, VALUES["role"].start + player.role, LENGTHS["slot"].start + player.slot,
        )  # fmt: skip
        rows[at + 1, (KIND, VALUE)] = (Kind.INSTRUMENT, VALUES["instrument"].start + player.instrument)
    return rows


def _blank(num_rows: int, bars: Ints | int, part: int, place: Ints | int, kind: Kind) -> Ints:
    rows = np.zeros((num_rows, _KEY_COLUMNS + NUM_STREAMS), dtype=np.int64)
    rows[:, 0], rows[:, 1], rows[:, 2], rows[:, _KEY_COLUMNS + KIND] = bars, part, place, kind
    return rows


def _bar_rows(grid: GridSong) -> Ints:
    """Returns BAR, what changes, and sections."""
    bars = np.arange(len(grid.bar_steps))
    head = _blank(len(bars), bars, 0, 0, Kind.BAR)
    streams = head[:, _KEY_COLUMNS:]
    streams[:, VALUE] = VALUES["bar"].start + bars % MAX_BAR_NUMBER
    short = grid.bar_steps != _FULL[grid.meters]
    streams[short, LENGTH] = LENGTHS["steps"].start + grid.bar_steps[short] - 1
    found = [head]
    dense = (("meter", Kind.METER, grid.meters), ("tempo", Kind.TEMPO, grid.tempos), ("key", Kind.KEY, grid.keys))
    for place, (name, kind, values) in enumerate(dense):
        at = np.flatnonzero(np.diff(values)) + 1
        rows = _blank(len(at), at, 0, 1 + place, kind)
        rows[:, _KEY_COLUMNS + VALUE] = VALUES[name].start + values[at]
        found.append(rows)
    if len(grid.sections):
        rows = _blank(len(grid.sections), grid.sections[:, 0], 0, 4, Kind.SECTION)
        num_bars = np.diff(np.append(grid.sections[:, 0], len(bars)))
        rows[:, _KEY_COLUMNS + VALUE] = VALUES["section"].start + grid.sections[:, 1]
        rows[:, _KEY_COLUMNS + LENGTH] = LENGTHS["energy"].start + grid.sections[:, 2]
        rows[:, _KEY_COLUMNS + VELOCITY] = VELOCITIES["bars"].start + np.clip(num_bars, 1, MAX_SECTION_BARS) - 1
        found.append(rows)
    return np.concatenate(found)


def _track_rows(bars: Ints, part: int, role: int, slot: int) -> Ints:
    rows = _blank(len(bars), bars, part, -1, Kind.TRACK)
    rows[:, _KEY_COLUMNS + VALUE] = VALUES["role"].start + role
    rows[:, _KEY_COLUMNS + LENGTH] = LENGTHS["slot"].start + slot
    return rows


def _harmony_rows(grid: GridSong) -> Ints:
    """Returns the chords, each said again at the beginning of every bar in which it still stands."""
    if not len(grid.chords):
        return _blank(0, 0, 0, 0, Kind.CHORD)
    lines = grid.bar_starts
    again = lines[:-1][lines[:-1] > grid.chords[0, 0]]
    starts = np.union1d(grid.chords[:, 0], again)
    chords = grid.chords[np.searchsorted(grid.chords[:, 0], starts, side="right") - 1]
    bars = np.searchsorted(lines, starts, side="right") - 1
    rows = _blank(len(starts), bars, 1, np.arange(len(starts)), Kind.CHORD)
    streams = rows[:, _KEY_COLUMNS:]
    streams[:, POSITION] = 1 + starts - lines[bars]
    streams[:, VALUE] = VALUES["chord"].start + chords[:, 1]
    slash = chords[:, 2] > 0
    streams[slash, LENGTH] = LENGTHS["bass"].start + chords[slash, 2] - 1
    return np.concatenate([_track_rows(np.unique(bars), 1, _HARMONY_ROLE, 0), rows])


def _player_rows(player: GridPlayer, part: int, grid: GridSong) -> Ints:
    """Returns TRACK for each bar with notes, the notes, the lines before and what goes on after them."""
    notes = player.notes
    if not len(notes):
        return _blank(0, 0, 0, 0, Kind.NOTE)
    lines = grid.bar_starts
    bars = np.searchsorted(lines, notes[:, START], side="right") - 1
    is_drums = player.role in DRUM_ROLES
    place = 1000 * np.arange(len(notes))
    rows = _blank(len(notes), bars, part, place, Kind.NOTE)
    streams = rows[:, _KEY_COLUMNS:]
    streams[:, POSITION] = 1 + notes[:, START] - lines[bars]
    streams[:, VALUE] = VALUES["drum" if is_drums else "pitch"].start + notes[:, PITCH]
    if not is_drums:
        streams[:, LENGTH] = LENGTHS["steps"].start + np.minimum(notes[:, STEPS], MAX_LENGTH) - 1
    streams[:, VELOCITY] = VELOCITIES["level"].start + notes[:, LEVEL]
    streams[:, WORD_STREAM] = notes[:, WORD]
    found = [_track_rows(np.unique(bars), part, player.role, player.slot), rows]
    begins = np.flatnonzero(notes[:, LINE])
    if len(begins):
        words = _blank(len(begins), bars[begins], part, place[begins] - 1, Kind.LINE)
        words[:, _KEY_COLUMNS + POSITION] = rows[begins, _KEY_COLUMNS + POSITION]
        words[:, _KEY_COLUMNS + VALUE] = VALUES["syllables"].start + notes[begins, LINE]
        found.append(words)
    longer = np.flatnonzero(notes[:, STEPS] > MAX_LENGTH) if not is_drums else np.zeros(0, dtype=np.int64)
    left = notes[longer, STEPS] - MAX_LENGTH
    more = 1
    while len(longer):
        ties = _blank(len(longer), bars[longer], part, place[longer] + more, Kind.TIE)
        ties[:, _KEY_COLUMNS + LENGTH] = LENGTHS["steps"].start + np.minimum(left, MAX_LENGTH) - 1
        found.append(ties)
        longer, left, more = longer[left > MAX_LENGTH], left[left > MAX_LENGTH] - MAX_LENGTH, more + 1
    return np.concatenate(found)
