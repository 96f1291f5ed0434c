"""What the two models of melody look at: the same templates for learning (recipes/melody) and for writing.

Both models are log-linear: the score of a candidate is a sum of learned weights, one from each template, picked by a
context and by an attribute of the candidate. Softmax over the candidates makes it a probability. Pitches here count
from a tonic (0, 12, 24… are tonics), time in sixteenths.

Reference: Berger, Della Pietra and Della Pietra, "A maximum entropy approach to natural language processing",
Computational Linguistics 1996.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.score.theory import MODES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

REACH = 12
NUM_INTERVALS = 2 * REACH + 1
NO_INTERVAL = NUM_INTERVALS
INTERVALS: Ints = np.arange(-REACH, REACH + 1)
LAGS = (1, 2, 4)
"""Distances in bars at which a tune may quote itself."""

# Classes of a pitch against the chord under it.
ROOT, THIRD, FIFTH, SEVENTH, SCALE, CHROMATIC, SCALE_ALONE, CHROMATIC_ALONE = range(8)
NUM_TONES = 8

_CLASS_OF = np.searchsorted([-7.5, -2.5, -0.5, 0.5, 2.5, 7.5], np.arange(-12, 13))
_CLASSES = np.append(_CLASS_OF, 7)
"""Interval token to: 0 leap down by more than a fifth, 1 leap down, 2 step down, 3 same, 4…6 up likewise, 7 none."""

TEMPLATES: tuple[tuple[str, int, int], ...] = (
    # name, number of contexts, number of attributes of a candidate
    ("interval by corpus", 4, NUM_INTERVALS),
    ("interval by interval before", NUM_INTERVALS + 1, NUM_INTERVALS),
    ("interval by two directions", 64, NUM_INTERVALS),
    ("degree by degree before", 24, 12),
    ("chord tone by accent and length", 80, NUM_TONES),
    ("degree over chord", 26, 12),
    ("interval by rhythm", 20, NUM_INTERVALS),
    ("register", 8, 11),
    ("degree by place in phrase", 32, 12),
    ("interval by place in phrase", 4, NUM_INTERVALS),
    ("quotes one bar before", 3, 12),
    ("quotes two bars before", 3, 12),
    ("quotes four bars before", 3, 12),
    ("resolution", 40, 7),
    ("degree by two degrees", 24 * 8, 12),
)
PITCH_OFFSETS: Ints = np.cumsum([0, *(a * b for _, a, b in TEMPLATES)])
NUM_PITCH_WEIGHTS = int(PITCH_OFFSETS[-1])


def chord_classes(mode: int, root: int | None, tones: tuple[int, ...]) -> Ints:
    """Returns the class of each of the twelve degrees over a chord.

    Args:
        mode: 0 major-like, 1 minor-like.
        root: pitch class above the tonic; None without a chord.
        tones: the chord's pitch classes above the tonic.
    """
    scale = MODES["minor" if mode else "major"]
    if root is None:
        return np.array([SCALE_ALONE if d in scale else CHROMATIC_ALONE for d in range(12)])
    classes = np.array([SCALE if d in scale else CHROMATIC for d in range(12)])
    for tone in tones:
        above = (tone - root) % 12
        classes[tone % 12] = (
            ROOT if above == 0 else THIRD if above in (3, 4) else FIFTH if above in (6, 7, 8) else SEVENTH
        )
    return classes


def accent(step: int, bar_steps: int) -> int:
    """Returns the metrical place of a step: 0 first of the bar, 1 its middle, 2 a beat, 3 an eighth, 4 between."""
    place = step % bar_steps
    if place == 0:
        return 0
    if bar_steps == 12:
        return 2 if place % 4 == 0 else 3 if place % 2 == 0 else 4
    return 1 if place == 8 else 2 if place % 4 == 0 else 3 if place % 2 == 0 else 4


def compound_accent(step: int) -> int:
    """Returns the metrical place of a step in 6/8 (twelve steps)."""
    place = step % 12
    return 0 if place == 0 else 1 if place == 6 else 3 if place % 2 == 0 else 4


def length_class(steps: int) -> int:
    """Returns 0 for a sixteenth, 1 under a quarter, 2 under a half, 3 longer."""
    return 0 if steps < 2 else 1 if steps < 4 else 2 if steps < 8 else 3


@dataclass
class PitchContext:
    """What is known before a note's pitch is chosen, for many tunes at once (all arrays of the same length).

    Attributes:
        before: pitch of the note before.
        interval_before: token (0 to 24) of the interval into it, 25 for none.
        class_before: class (0 to 7) of the interval before that.
        tone_before: class of the note before against its chord.
        tones: (notes, 12) class of every degree now.
        centre: where the tune lies.
        quoted: (notes, lags) pitch one, two and four bars before at the same place, -99 for none.
        quoted_interval: (notes, lags) interval into that, 99 for none.
        copying: (notes, lags) 0 nothing was quoted before, 1 the note before was a quote, 2 it was not.
        mode, group, accent, length, length_before, chord_root, place: small classes, as in `TEMPLATES`.
    """

    before: Ints
    interval_before: Ints
    class_before: Ints
    tone_before: Ints
    tones: Ints
    centre: Floats
    quoted: Ints
    quoted_interval: Ints
    copying: Ints
    mode: Ints
    group: Ints
    accent: Ints
    length: Ints
    length_before: Ints
    chord_root: Ints
    place: Ints


def interval_token(semitones: Ints) -> Ints:
    """Returns intervals as tokens, those beyond an octave folded to it."""
    return np.clip(semitones, -REACH, REACH) + REACH


def interval_class(token: Ints) -> Ints:
    """Returns the class (direction and size) of interval tokens."""
    return _CLASSES[token]


def pitch_indices(c: PitchContext) -> Ints:
    """Returns, for every template, note and candidate interval, the index of the weight: (templates, notes, 25)."""
    return np.stack(list(each_pitch_index(c)))


def each_pitch_index(c: PitchContext) -> Iterator[Ints]:
    """Yields the rows of `pitch_indices`, one template at a time."""
    n = len(c.before)
    candidate = c.before[:, None] + INTERVALS  # (N, 25)
    degree = candidate % 12
    tokens = np.broadcast_to(np.arange(NUM_INTERVALS), (n, NUM_INTERVALS))
    tone = np.take_along_axis(c.tones, degree, axis=1)
    register = np.clip(np.round((candidate - c.centre[:, None]) / 2.0).astype(np.int64), -5, 5) + 5
    last_class = _CLASSES[c.interval_before]
    before_degree = c.before % 12
    sizes = _CLASSES[tokens]
    rows: list[tuple[Ints, Ints]] = [
        (c.group, tokens),
        (c.interval_before, tokens),
        (c.class_before * 8 + last_class, tokens),
        (before_degree * 2 + c.mode, degree),
        ((c.group * 5 + c.accent) * 4 + c.length, tone),
        (c.chord_root * 2 + c.mode, degree),
        (c.length_before * 5 + c.accent, tokens),
        (last_class, register),
        ((c.place * 4 + c.group) * 2 + c.mode, degree),
        (c.place, tokens),
        *((c.copying[:, k], _quote(c, k, candidate)) for k in range(len(LAGS))),
        (c.tone_before * 5 + c.accent, sizes),
        ((before_degree * 2 + c.mode) * 8 + last_class, degree),
    ]
    for t, (context, attribute) in enumerate(rows):
        yield (PITCH_OFFSETS[t] + context * TEMPLATES[t][2])[:, None] + attribute


def _quote(c: PitchContext, lag: int, candidate: Ints) -> Ints:
    """Returns how a candidate relates to what stood there bars before: same pitch or not, and how like the interval."""
    quoted, interval = c.quoted[:, lag, None], c.quoted_interval[:, lag, None]
    near = np.where(candidate == quoted, 1, 0)
    alike = np.where(
        interval == INTERVALS,
        0,
        np.where((np.abs(INTERVALS - interval) <= 1) & (INTERVALS * interval > 0), 1,
                 np.where(INTERVALS * interval > 0, 2, 3)),
    )  # fmt: skip
    known = np.where(np.abs(interval) > 50, 4, alike)
    return np.where(quoted < -50, 0, 1 + near * 5 + known)


# --- rhythm ---------------------------------------------------------------------------------------------------------

PLACES = 4
"""Bars of a phrase that the rhythm model tells apart."""
DENSITIES, SYNCOPATIONS = 5, 3


def cell_onsets(cell: str) -> tuple[int, ...]:
    """Returns the steps of a rhythm cell (``x`` begin, ``-`` hold, ``.`` rest) on which notes begin."""
    return tuple(i for i, c in enumerate(cell) if c == "x")


def syncopation_of(cell: str) -> float:
    """Returns the share of notes that begin off the beat and sound through the next one (0 to 1).

    The beat is a quarter, in cells of twelve steps marked by the caller as compound a dotted quarter; here a weak
    onset counts when the next stronger place (within its beat level) has no onset of its own.
    """
    onsets = cell_onsets(cell)
    if not onsets:
        return 0.0
    count = 0
    for i in onsets:
        level = 1 if i % 2 else 2 if i % 4 else 0
        if level and i + level < len(cell) and cell[i + level] == "-":
            count += 1
        elif level and i + level >= len(cell) and i % 4:
            count += int(cell[-1] != "." and i % 2 == 1)
    return count / len(onsets)


@dataclass(frozen=True)
class CellTables:
    """What the rhythm model needs to know about its vocabulary of one metre.

    Attributes:
        cells: the vocabulary, most frequent first.
        first_half, second_half: index of each cell's halves among all halves.
        num_halves: how many halves there are.
        alike: (cells, cells) `likeness`.
        opening: 0 begins with an onset, 1 holds over the bar line, 2 rests.
        closing: 0 sounds at its end, 1 rests.
    """

    cells: tuple[str, ...]
    first_half: Ints
    second_half: Ints
    num_halves: int
    alike: Ints
    opening: Ints
    closing: Ints


def cell_tables(cells: tuple[str, ...]) -> CellTables:
    """Returns what `rhythm_indices` looks up for a vocabulary."""
    half = len(cells[0]) // 2
    halves = sorted({c[:half] for c in cells} | {c[half:] for c in cells})
    index = {h: i for i, h in enumerate(halves)}
    return CellTables(
        cells,
        np.array([index[c[:half]] for c in cells]),
        np.array([index[c[half:]] for c in cells]),
        len(halves),
        likeness(cells),
        np.array([{"x": 0, "-": 1, ".": 2}[c[0]] for c in cells]),
        np.array([int(c[-1] == ".") for c in cells]),
    )


def likeness(cells: tuple[str, ...]) -> Ints:
    """Returns how alike all pairs are, by onsets.

    0 not, 1 in the first half, 2 in the second, 3 but for two steps, 4 in all onsets, 5 the same cell.
    """
    onsets = np.array([[c == "x" for c in cell] for cell in cells])
    half = onsets.shape[1] // 2
    first, second = _differences(onsets[:, :half]), _differences(onsets[:, half:])
    opens = np.asarray(onsets[:, :half].any(axis=1))
    closes = np.asarray(onsets[:, half:].any(axis=1))
    far = first + second
    table = (far <= 2).astype(np.int8) * 3
    table[(second == 0) & closes[:, np.newaxis]] = 2
    table[(first == 0) & opens[:, np.newaxis]] = 1
    table[far == 0] = 4
    np.fill_diagonal(table, 5)
    return table.astype(np.int64)


def _differences(rows: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Returns the number of differing entries of all pairs of rows of at most eight."""
    codes = np.packbits(rows, axis=1)[:, 0]
    ones = np.array([bin(code).count("1") for code in range(256)], np.uint8)
    return np.asarray(ones[codes[:, np.newaxis] ^ codes[np.newaxis, :]])


def rhythm_templates(tables: CellTables) -> tuple[tuple[str, int, int], ...]:
    """Returns (name, contexts, attributes) of the rhythm model's templates for one vocabulary."""
    v, h = len(tables.cells), tables.num_halves
    return (
        ("cell by corpus", 4, v),
        ("cell by place in phrase", PLACES, v),
        ("cell by density", DENSITIES, v),
        ("cell by syncopation", SYNCOPATIONS, v),
        ("first half after half", h + 1, h),
        ("opening after closing", 3 * PLACES, 3),
        ("like one bar before", PLACES * 2, 6),
        ("like two bars before", PLACES * 2, 6),
        ("like four bars before", PLACES * 2, 6),
    )


def rhythm_indices(
    tables: CellTables, group: Ints, place: Ints, density: Ints, syncopation: Ints, history: Ints
) -> Ints:
    """Returns the index of the weight for every template, bar and cell: (templates, bars, cells).

    Args:
        tables: of the vocabulary.
        group: corpus of each bar, (bars,).
        place: its place in the phrase.
        density: class of the tune's density.
        syncopation: class of the tune's syncopation.
        history: (bars, 3) cells one, two and four bars before; -1 for none or unknown.
    """
    return np.stack(list(each_rhythm_index(tables, group, place, density, syncopation, history)))


def each_rhythm_index(
    tables: CellTables, group: Ints, place: Ints, density: Ints, syncopation: Ints, history: Ints
) -> Iterator[Ints]:
    """Yields the rows of `rhythm_indices`, one template at a time."""
    v = len(tables.cells)
    every = np.broadcast_to(np.arange(v), (len(group), v))
    last = history[:, 0]
    closing = np.where(last < 0, 2, tables.closing[last])
    rows: list[tuple[Ints, Ints]] = [
        (group, every),
        (place, every),
        (density, every),
        (syncopation, every),
        (
            np.where(last < 0, tables.num_halves, tables.second_half[last]),
            np.broadcast_to(tables.first_half, every.shape),
        ),
        (closing * PLACES + place, np.broadcast_to(tables.opening, every.shape)),
    ]
    for k in range(len(LAGS)):
        known = history[:, k] >= 0
        rows.append((place * 2 + known, np.where(known[:, None], tables.alike[history[:, k]], 0)))
    templates = rhythm_templates(tables)
    offsets = np.cumsum([0, *(a * b for _, a, b in templates)])
    for t, (context, attribute) in enumerate(rows):
        yield (offsets[t] + context * templates[t][2])[:, None] + attribute
