"""`Piece`: the arrays that the symbolic metrics read, made from a Song or straight from a corpus.

Metrics compare like with like: whatever a corpus does not have (drums, chords, sections) is empty, and a metric that
needs it gives None.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from songwright.score.drums import drum_group
from songwright.score.song import Song, Track
from songwright.score.theory import parse_chord

Ints = NDArray[np.int64]
_EMPTY: Ints = np.zeros((0, 3), dtype=np.int64)


@dataclass(frozen=True)
class Piece:
    """One piece on the written grid.

    Attributes:
        bar_ticks: (bars + 1,) bar lines, the end included.
        melody: (notes, 3) start, duration, pitch of the tune, in order, one note at a time.
        accompaniment: (notes, 3) of all other pitched notes but the bass.
        bass: (notes, 3).
        kicks: (strokes,) starts of kick drums.
        chords: (chords, 2) start and a bit set of pitch classes (bit 0 is C); no chord is 0.
        section_ticks: (sections, 2) start and end.
        name: of the file or song.
    """

    bar_ticks: Ints
    melody: Ints
    accompaniment: Ints = field(default_factory=lambda: _EMPTY)
    bass: Ints = field(default_factory=lambda: _EMPTY)
    kicks: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    chords: Ints = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    section_ticks: Ints = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    name: str = ""

    @property
    def num_bars(self) -> int:
        """How many bars there are."""
        return len(self.bar_ticks) - 1


def note_rows(track: Track) -> Ints:
    """Returns (notes, 3) start, duration and pitch of a track, in order."""
    rows = sorted((n.start_ticks, n.duration_ticks, n.pitch) for n in track.notes)
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def skyline(rows: Ints) -> Ints:
    """Returns the highest note at every onset, each cut where the next begins: a tune out of several voices."""
    if not len(rows):
        return rows
    order = np.lexsort((-rows[:, 2], rows[:, 0]))
    rows = rows[order]
    rows = rows[np.concatenate([[True], np.diff(rows[:, 0]) > 0])]
    following = np.append(rows[1:, 0], np.iinfo(np.int64).max)
    return np.column_stack([rows[:, 0], np.minimum(rows[:, 1], following - rows[:, 0]), rows[:, 2]])


def from_song(song: Song) -> Piece:
    """Returns the arrays of a song. The tune is every track of role melody or vocal; offsets are left out."""
    groups: dict[str, list[Ints]] = {"melody": [], "accompaniment": [], "bass": []}
    kicks: list[int] = []
    for track in song.tracks:
        if track.is_drums:
            kicks += [n.start_ticks for n in track.notes if drum_group(n.pitch) == "kick"]
        elif track.role in ("melody", "vocal"):
            groups["melody"].append(note_rows(track))
        elif track.role == "bass":
            groups["bass"].append(note_rows(track))
        elif track.role != "effects":
            groups["accompaniment"].append(note_rows(track))
    joined = {name: np.concatenate(rows) if rows else _EMPTY for name, rows in groups.items()}
    chords = [(c.start_ticks, chord_bits(c.symbol)) for c in song.chords]
    return Piece(
        bar_ticks=np.array([*song.bar_starts(), song.duration_ticks], dtype=np.int64),
        melody=skyline(joined["melody"]),
        accompaniment=joined["accompaniment"][np.argsort(joined["accompaniment"][:, 0], kind="stable")],
        bass=skyline(joined["bass"]),
        kicks=np.array(sorted(set(kicks)), dtype=np.int64),
        chords=np.array(chords, dtype=np.int64).reshape(-1, 2),
        section_ticks=np.array([(s.start_ticks, s.end_ticks) for s in song.sections], dtype=np.int64).reshape(-1, 2),
        name=song.title,
    )


def chord_bits(symbol: str) -> int:
    """Returns the pitch classes of a chord symbol as a bit set; 0 for no chord."""
    chord = parse_chord(symbol)
    return 0 if chord is None else sum(1 << pitch_class for pitch_class in chord.pitch_classes)


def bar_of(piece: Piece, ticks: Ints) -> Ints:
    """Returns the bar in which each tick lies, -1 before the first."""
    return np.searchsorted(piece.bar_ticks, ticks, side="right") - 1


def onset_grid(piece: Piece, rows: Ints, steps: int = 16) -> NDArray[np.bool_]:
    """Returns (bars, steps): where in each bar notes begin, every bar divided alike."""
    grid = np.zeros((piece.num_bars, steps), dtype=bool)
    bars = bar_of(piece, rows[:, 0])
    inside = (bars >= 0) & (bars < piece.num_bars)
    bars = bars[inside]
    lengths = np.diff(piece.bar_ticks)[bars]
    places = (rows[inside, 0] - piece.bar_ticks[bars]) * steps // np.maximum(lengths, 1)
    grid[bars, np.clip(places, 0, steps - 1)] = True
    return grid
