"""The harmony of a blend, and how notes that are not blended follow it."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from songwright.compose.learned.bars.cells import harmony_bars, moved_chord, root_above
from songwright.compose.learned.bars.coder import BarCoder, between
from songwright.compose.learned.bars.kinds import CELL, CELLS, KNOWN
from songwright.compose.learned.bars.writing import WHITE
from songwright.compose.learned.blend_sides import Side
from songwright.compose.learned.rewrite import with_chords
from songwright.compose.tokens.grid import chord_number, chord_of
from songwright.compose.tokens.vocabulary import QUALITY_NAMES
from songwright.score.song import ChordSpan, Note
from songwright.score.theory import NO_CHORD, QUALITIES, Chord

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
PLAIN = ("", "m", "7", "maj7", "m7")
"""Qualities of chords that no song had to bring."""

SURE = 0.5
"""A bass under a chord other than its root has to be likelier than this."""


@dataclass(frozen=True)
class Harmony:
    """The chords of a blend, in the frame.

    Attributes:
        chord: (W, CELLS) chord numbers.
        under: (W, CELLS) bass pitch class + 1, 0 for the root.
        kept: (W,) where the chords that the nearer song names stay as they are.
    """

    chord: Ints
    under: Ints
    kept: Bools


def blended_harmony(near: Side, far: Side, pairs: Ints, share: float, coder: BarCoder) -> Harmony:
    """Returns the chords between two songs.

    Chords change where either song changes them, and are chords of either or plain ones of the scale. Where both stay
    what the network hears in the nearer song, its own chords stay. A song that names no chords adds none.

    Args:
        near: the song whose form it is.
        far: the other.
        pairs: (W,) windows of the other.
        share: of the other, 0 to 1.
        coder: the networks.
    """
    chord, under = near.chord.copy(), near.under.copy()
    both = np.flatnonzero((pairs >= 0) & (near.chord > 0).all(1))
    both = both[(far.chord[pairs[both]] > 0).all(1)]
    if near.has_chords == far.has_chords and len(both):
        network = coder.networks["harmony"]
        shape = network.shape
        mine = harmony_bars(shape, near.windows, near.chord, near.under).take(both)
        theirs = harmony_bars(shape, far.windows, far.chord, far.under).take(pairs[both])
        start, end = network.encode(mine), network.encode(theirs)
        here = network.decode(start, mine.condition, mine.mask)
        there = network.decode(between(start, end, share), mine.condition, mine.mask)
        known = _known_chords(near.chord, far.chord)
        for row, window in enumerate(both.tolist()):
            partner = int(pairs[window])
            cuts = sorted(_changes(near, window) | _changes(far, partner))
            now = _chosen({name: said[row] for name, said in there.items()}, cuts, known)
            own = _chosen({name: said[row] for name, said in here.items()}, cuts, known)
            if now != own:
                row_chord, row_under = _spread(now, cuts)
                alike = _alike(near.chord[window], far.chord[partner]) | (row_chord == near.chord[window])
                chord[window] = np.where(alike, near.chord[window], row_chord)
                under[window] = np.where(alike, near.under[window], row_under)
    elif far.has_chords and not near.has_chords:
        have = np.flatnonzero(pairs >= 0)
        chord[have], under[have] = far.chord[pairs[have]], far.under[pairs[have]]
    kept = ((chord == near.chord) & (under == near.under)).all(1)
    if not near.has_chords:
        kept = (pairs < 0) | (not far.has_chords)  # guessed chords are never written, lent ones always
    return Harmony(chord, under, kept)


def _known_chords(*chords: Ints) -> Ints:
    """Returns the chords that may be written: those of the songs, and the plain ones of the white keys."""
    found = {int(number) for numbers in chords for number in np.unique(numbers[numbers > 0])}
    for quality in PLAIN:
        for root in range(12):
            if all(WHITE[(root + i) % 12] for i in QUALITIES[quality]):
                found.add(chord_number(Chord(root, quality)))
    return np.array(sorted(found))


def _alike(first: Ints, second: Ints) -> Bools:
    """Returns where two chords have the same root and third: between them lies nothing else."""
    both = KNOWN[first] * KNOWN[second]
    root = both[:, 12:].argmax(-1)
    third = [both[np.arange(len(root)), (root + i) % 12] > 0 for i in (3, 4)]
    found: Bools = both[:, 12:].any(-1) & (third[0] | third[1])
    return found


def _changes(side: Side, window: int) -> frozenset[int]:
    """Returns the eighths of a window at which a chord begins."""
    row, cells = side.chord[window], int(side.windows.cells[window])
    return frozenset([0, *(cell // 2 for cell in range(1, cells) if row[cell] != row[cell - 1])])


def _chosen(said: Mapping[str, NDArray[np.float32]], cuts: Sequence[int], known: Ints) -> tuple[tuple[int, int], ...]:
    """Returns the likeliest chord from each cut on, and how far above its root the bass is (0 the root)."""
    tones = said["tones"].astype(np.float64)
    yes, no = -np.logaddexp(0.0, -tones), -np.logaddexp(0.0, tones)
    has = KNOWN[known][:, :12] > 0
    nats = np.where(has, yes[:, None], no[:, None]).sum(-1)  # (slots, known)
    nats += _normal(said["root"])[:, 1 + root_above(known)]
    bass = np.exp(_normal(said["under"]))
    found = []
    for start, stop in zip(cuts, [*cuts[1:], len(nats)], strict=True):
        number = int(known[nats[start:stop].sum(0).argmax()])
        odds = bass[start:stop].mean(0)
        at = int(odds.argmax())
        in_chord = KNOWN[number][(root_above(np.array(number)) + at) % 12] > 0
        found.append((number, at if odds[at] > SURE and in_chord else 0))
    return tuple(found)


def _normal(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns log-probabilities."""
    wide = logits.astype(np.float64)
    found: NDArray[np.float64] = wide - np.logaddexp.reduce(wide, axis=-1, keepdims=True)
    return found


def _spread(chords: Sequence[tuple[int, int]], cuts: Sequence[int]) -> tuple[Ints, Ints]:
    """Returns the chord and its bass in every cell."""
    at = np.searchsorted(2 * np.array(cuts), np.arange(CELLS), side="right") - 1
    number, above = np.array(chords)[at].T
    return number, np.where(above > 0, 1 + (root_above(number) + above) % 12, 0)


def chord_spans(near: Side, harmony: Harmony) -> tuple[ChordSpan, ...]:
    """Returns the chords of the blend's score; where they were kept they are the same objects, as far as they reach."""
    if harmony.kept.all():
        return near.song.chords
    own = {id(span) for span in near.song.chords}
    spans: Sequence[ChordSpan] = near.song.chords or (ChordSpan(0, int(near.bars.ticks[-1]), NO_CHORD),)
    for window in np.flatnonzero(~harmony.kept).tolist():
        start = int(near.windows.starts[window])
        end = start + int(near.windows.steps[window])
        row = moved_chord(harmony.chord[[window]], -near.shift[[window]])[0]
        bass = harmony.under[window]
        bass = np.where(bass > 0, 1 + (bass - 1 - int(near.shift[window])) % 12, 0)
        cells = int(near.windows.cells[window])
        cuts = [c for c in range(cells) if not c or (row[c], bass[c]) != (row[c - 1], bass[c - 1])]
        ticks = [near.tick(start + CELL * c) for c in cuts] + [near.tick(end)]
        new = []
        for i, cell in enumerate(cuts):
            chord = chord_of(int(row[cell]), int(bass[cell]))
            symbol = NO_CHORD if chord is None else chord.symbol(flats=near.key(window).flats)
            new.append(ChordSpan(ticks[i], ticks[i + 1] - ticks[i], symbol))
        spans = with_chords(spans, new, ticks[0], ticks[-1])
    return _joined(spans, own)


def _joined(spans: Sequence[ChordSpan], own: Set[int]) -> tuple[ChordSpan, ...]:
    """Returns spans of which neighbours of one name are one, but those that stood apart before (by their ids)."""
    found: list[ChordSpan] = []
    for span in spans:
        joins = bool(found) and (found[-1].symbol, found[-1].end_ticks) == (span.symbol, span.start_ticks)
        if joins and not (id(span) in own and id(found[-1]) in own):
            found[-1] = replace(found[-1], duration_ticks=span.end_ticks - found[-1].start_ticks)
        else:
            found.append(span)
    return tuple(found)


def followed(note: Note, old: int, new: int, shift: int, *, is_bass: bool = False) -> Note:
    """Returns a note as it goes when the chord under it becomes another; the same object where nothing changes.

    A tone of the chord goes to the nearest one of the new chord (in the bass, to the same degree of it), any other to
    the nearest one of scale or chord.

    Args:
        note: as it sounds.
        old: chord number in the frame; 0 for none changes nothing.
        new: the chord that it becomes.
        shift: into the frame.
        is_bass: whether roots follow roots.
    """
    if old == new or not old or not new:
        return note
    pitch = note.pitch + shift
    tones = KNOWN[new][:12] > 0
    if is_bass:
        degree = (pitch - _root(old)) % 12
        move = (_root(new) - _root(old) + 6) % 12 - 6
        if degree == 0:
            return _at(note, pitch + move, shift)
        pitch += move
    good = tones if KNOWN[old][note_class(note, shift)] > 0 else tones | WHITE
    return _at(note, nearest(pitch, good), shift)


def note_class(note: Note, shift: int) -> int:
    """Returns the pitch class of a note in the frame."""
    return (note.pitch + shift) % 12


def nearest(pitch: int, classes: Bools) -> int:
    """Returns the pitch of one of these classes that is nearest to a pitch, the lower of two."""
    return next(p for away in range(13) for p in (pitch - away, pitch + away) if classes[p % 12])


def _root(number: int) -> int:
    return (number - 1) // len(QUALITY_NAMES)


def _at(note: Note, pitch: int, shift: int) -> Note:
    pitch -= shift
    pitch = pitch + 12 if pitch < 0 else pitch - 12 if pitch > 127 else pitch
    return note if pitch == note.pitch else replace(note, pitch=pitch)
