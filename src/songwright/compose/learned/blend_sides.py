"""Two songs side by side before they are blended: each in the common frame, and which bar goes with which."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from songwright.compose.learned.bars.cells import Windows, chords_in, root_above, shifts_of, windows_of
from songwright.compose.learned.bars.kinds import CELL, CELLS, KNOWN
from songwright.compose.tokens.bars import GridBars, grid_bars, key_of
from songwright.compose.tokens.grid import PITCH, START, STEPS, GridPlayer, GridSong, chord_number, quantise
from songwright.compose.tokens.vocabulary import DRUM_ROLES, METERS, ROLES
from songwright.errors import InputError
from songwright.score.song import Section, Song, Track
from songwright.score.theory import Chord, Key

Ints = NDArray[np.int64]

ALIKE = (
    ("chorus", "drop", "head", "theme"), ("verse", "head", "theme", "chorus"), ("head", "theme", "chorus", "verse"),
    ("theme", "head", "chorus", "verse"), ("drop", "chorus", "theme", "head"), ("intro", "interlude", "outro"),
    ("outro", "intro", "interlude"), ("prechorus", "build", "verse", "bridge"), ("build", "prechorus", "breakdown"),
    ("bridge", "solo", "breakdown", "interlude"), ("solo", "bridge", "interlude", "chorus"),
    ("interlude", "intro", "bridge", "breakdown"), ("breakdown", "bridge", "interlude", "build"),
)  # fmt: skip
"""Sections that stand for one that a song does not have: the role that is wanted, then others, the likest first."""

PARTNERS = {
    "melody": ("melody", "vocal"), "vocal": ("vocal", "melody"), "counter_melody": ("counter_melody",),
    "bass": ("bass",), "chords": ("chords", "pad"), "pad": ("pad", "chords"), "drums": ("drums",),
}  # fmt: skip
"""Roles of the tracks that a track may be blended with, the likest first."""

STAY = 0.6
"""What going on with the chord before is worth, in shares of the sound of half a bar, where chords are guessed."""


@dataclass(frozen=True)
class Side:
    """One of the songs.

    Attributes:
        song: as it is.
        grid: on the grid.
        bars: its bars.
        windows: what is read at a time.
        shift: (W,) semitones that take each window into the frame.
        chord: (W, CELLS) chord numbers in the frame, guessed where the song names none.
        under: (W, CELLS) bass pitch class + 1 in the frame, 0 for the root.
    """

    song: Song
    grid: GridSong
    bars: GridBars
    windows: Windows
    shift: Ints
    chord: Ints
    under: Ints

    @property
    def has_chords(self) -> bool:
        """Whether the song names any chord."""
        return bool((self.grid.chords[:, 1] > 0).any()) if len(self.grid.chords) else False

    @cached_property
    def first_windows(self) -> Ints:
        """(bars + 1,) the window at which each bar begins."""
        found: Ints = np.searchsorted(self.windows.bars, np.arange(len(self.grid.bar_steps) + 1))
        return found

    def key(self, window: int) -> Key:
        """Returns the key in force."""
        return key_of(int(self.grid.keys[self.windows.bars[window]]))

    def tick(self, step: int) -> int:
        """Returns the tick of the song at which a step of the grid lies."""
        starts = self.grid.bar_starts
        bar = min(int(np.searchsorted(starts, step, side="right")) - 1, len(self.grid.bar_steps) - 1)
        return int(self.bars.ticks[bar]) + (step - int(starts[bar])) * 40

    def windows_of_ticks(self, ticks: Sequence[int]) -> tuple[Ints, Ints]:
        """Returns the window and the cell in which written places lie."""
        step = np.minimum(self.bars.step_of(np.array(ticks, dtype=np.int64)), int(self.grid.bar_steps.sum()) - 1)
        window = np.searchsorted(self.windows.starts, step, side="right") - 1
        return window, np.minimum((step - self.windows.starts[window]) // CELL, self.windows.cells[window] - 1)


def side_of(song: Song) -> Side:
    """Returns a song as it is blended.

    Raises:
        InputError: there is no music in it.
    """
    if not any(track.notes for track in song.tracks):
        raise InputError(f"'{song.title}' has no notes: there is nothing to blend")
    grid = quantise(song)
    windows = windows_of(grid.bar_steps)
    shift = shifts_of(grid.keys)[windows.bars]
    chord, under = chords_in(windows, grid.chords, shift)
    if not chord.any():
        chord = guessed_chords(windows, grid.players, shift)
    return Side(song, grid, grid_bars(song), windows, shift, chord, under)


def guessed_chords(windows: Windows, players: Sequence[GridPlayer], shift: Ints) -> Ints:
    """Returns (W, CELLS) the plain chord that each half of a window sounds most like, 0 where nothing does.

    The best way through all halves, where every change of chord costs something.

    Args:
        windows: of the song.
        players: its parts.
        shift: (W,) into the frame.
    """
    weight = np.zeros((len(windows), 2, 12))
    low = np.full((len(windows), 2), 999)
    for player in players:
        if player.role in DRUM_ROLES or not len(player.notes):
            continue
        window = np.searchsorted(windows.starts, player.notes[:, START], side="right") - 1
        half = np.minimum(1, 2 * (player.notes[:, START] - windows.starts[window]) // windows.steps[window])
        pitch = player.notes[:, PITCH] + shift[window]
        np.add.at(weight, (window, half, pitch % 12), np.minimum(player.notes[:, STEPS], 48))
        np.minimum.at(low, (window, half), pitch)
    sound = weight.reshape(-1, 12)
    total = sound.sum(1, keepdims=True)
    numbers = np.array([chord_number(Chord(r, q)) for r in range(12) for q in ("", "m", "7", "m7", "dim")])
    tones = KNOWN[numbers]
    share = sound / np.maximum(total, 1)
    fit = share @ (tones[:, :12] * 1.6 - 0.6).T - 0.04 * tones[:, :12].sum(1)
    bass = low.reshape(-1)
    fit += np.where(bass[:, None] < 999, 0.15 * tones[np.arange(len(numbers)), 12 + (bass % 12)[:, None]], 0.0)
    best, back = fit[0], []
    for row in fit[1:]:
        to_stay = best + STAY * 0.5
        moved = int(best.argmax())
        back.append(np.where(to_stay >= best[moved], np.arange(len(numbers)), moved))
        best = row + np.maximum(to_stay, best[moved])
    path = [int(best.argmax())]
    for before in reversed(back):
        path.append(int(before[path[-1]]))
    found = np.where(total[:, 0] > 0, numbers[path[::-1]], 0).reshape(-1, 2)
    half_cells = np.maximum(1, windows.cells // 2)
    return np.where(np.arange(CELLS) < half_cells[:, None], found[:, :1], found[:, 1:])


def matched_windows(near: Side, far: Side) -> Ints:
    """Returns for every window of `near` the one of `far` that goes with it, -1 for none.

    Sections go with sections of the same role, the second chorus with the second; bars of a section go round in the
    other's, and the last ones meet. Bars of another length than their partner stay alone.

    Raises:
        InputError: the songs are in different metres.
    """
    metres = [Counter(side.grid.meters.tolist()).most_common(1)[0][0] for side in (near, far)]
    if metres[0] != metres[1]:
        (a, b), (c, d) = (METERS[metre] for metre in metres)
        names = f"'{near.song.title}' is in {a}/{b}, '{far.song.title}' in {c}/{d}"
        raise InputError(f"{names}: expected two songs in one metre to blend")
    found = np.full(len(near.windows), -1, dtype=np.int64)
    for bar, other in enumerate(_matched_bars(near, far)):
        start, stop = near.first_windows[bar : bar + 2]
        if near.grid.bar_steps[bar] == far.grid.bar_steps[other]:
            found[start:stop] = far.first_windows[other] + np.arange(stop - start)
    return found


def _matched_bars(near: Side, far: Side) -> list[int]:
    """Returns for every bar of `near` one of `far`."""
    mine, theirs = _sections(near), _sections(far)
    seen: Counter[str] = Counter()
    found: list[int] = []
    for role, start, stop in mine:
        options = _options(role, theirs, (start + stop) / 2 / len(near.grid.bar_steps), len(far.grid.bar_steps))
        first, last = options[seen[role] % len(options)]
        seen[role] += 1
        count = stop - start
        bars = [first + i % (last - first) for i in range(count)]
        if count > 1:
            bars[-1] = last - 1
        found += bars
    return found


def _sections(side: Side) -> list[tuple[str, int, int]]:
    """Returns role, first bar and one past the last of every section; without any, all is one."""
    count = len(side.grid.bar_steps)
    sections: Sequence[Section] = side.song.sections
    if not sections:
        return [("", 0, count)]
    begins = sorted({side.bars.nearest(section.start_ticks): section.role for section in sections}.items())
    starts = [0, *(bar for bar, _ in begins[1:])]
    stops = [*starts[1:], count]
    return [(role, a, b) for (_, role), a, b in zip(begins, starts, stops, strict=True) if b > a]


def _options(role: str, sections: Sequence[tuple[str, int, int]], place: float, num_bars: int) -> list[tuple[int, int]]:
    """Returns the bars of the sections that may stand for a role; where there is none, of the one at the same place."""
    wishes = next((row for row in ALIKE if row[0] == role), (role,))
    for wish in wishes:
        found = [(start, stop) for name, start, stop in sections if name == wish]
        if found:
            return found
    nearest = min(sections, key=lambda s: abs((s[1] + s[2]) / 2 / num_bars - place))
    return [nearest[1:]]


def partner(track: Track, near: Song, far: Song) -> int | None:
    """Returns the place of the track of the other song that a track is blended with; None for none.

    The second of a role goes with the second of that role, and round again where the other has fewer.
    """
    place = [t.id for t in near.tracks if t.role == track.role].index(track.id)
    for role in PARTNERS.get(track.role, ()):
        found = [i for i, t in enumerate(far.tracks) if t.role == role and t.notes]
        if found:
            return found[place % len(found)]
    return None


def player_of(side: Side, track: int) -> GridPlayer | None:
    """Returns the notes on the grid of a track by its place; None for one beyond the 64th of its role."""
    role = side.song.tracks[track].role
    slot = sum(t.role == role for t in side.song.tracks[:track])
    wanted = (ROLES.index(role), slot)
    return next((player for player in side.grid.players if (player.role, player.slot) == wanted), None)


def roots_of(chord: Ints) -> Ints:
    """Returns the pitch class of the root of each chord in the frame."""
    return root_above(chord)
