"""What may be written: which tokens each stream allows at a place, so that every event is one of the language.

The grammar keeps events in order and inside their bar, one note at a time where a part is a single voice, notes in
their range and on their grid, chords among those allowed. What a caller wants beyond it is a `Rules` of its own.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.piece import HARMONY_ROLE
from songwright.compose.tokens.vocabulary import (
    DRUM_ROLES,
    KIND,
    LENGTH,
    LENGTHS,
    POSITION,
    ROLES,
    VALUE,
    VALUES,
    VELOCITIES,
    VELOCITY,
    VOCABULARY_SIZES,
    Kind,
    Word,
)

Mask = NDArray[np.bool_]
Event = NDArray[np.int64]
SINGLE_VOICES = frozenset(ROLES.index(role) for role in ("melody", "vocal", "bass", "counter_melody"))
"""Roles that play one note at a time."""


@dataclass(slots=True)
class Place:
    """Where the next event of a part stands.

    Attributes:
        bar: of the example.
        role: of the part, place in `ROLES`.
        bar_steps: length of the bar.
        last: position of the part's last event in this bar, -1 before the first.
        last_value: its number in the value stream.
        count: events of the part in this bar so far.
    """

    bar: int
    role: int
    bar_steps: int
    last: int = -1
    last_value: int = 0
    count: int = 0


class Rules(Protocol):
    """What a part must keep beyond the language itself."""

    def allow(self, stream: int, place: Place, event: Event) -> Mask | None:
        """Returns (V,) what the stream may hold, or None for anything grammatical.

        Args:
            stream: which is asked for; those before it are in `event`. For the kind stream NOTE or CHORD stands for
                going on, BAR for ending the bar.
            place: where.
            event: (6,) so far.
        """


@dataclass(frozen=True)
class PartRules:
    """The usual rules of a part.

    Attributes:
        low, high: lowest and highest pitch.
        pitch_classes: (12,) which may sound; None for all.
        grid: positions are multiples of one of these many steps.
        lengths: lengths are multiples of one of these.
        chords: (number of chord numbers,) which chords are allowed; None for all.
        drums: GM drums that may be struck; empty for all.
        most: events in a bar.
        least: events in a bar before it may end; by bar, 0 beyond.
        slash: whether chords may stand over another bass.
    """

    low: int = 0
    high: int = 127
    pitch_classes: Mask | None = None
    grid: tuple[int, ...] = (6, 8)
    lengths: tuple[int, ...] = (3, 8)
    chords: Mask | None = None
    drums: frozenset[int] = frozenset()
    most: int = 48
    least: tuple[int, ...] = ()
    slash: bool = True

    def allow(self, stream: int, place: Place, event: Event) -> Mask | None:
        """See `Rules`."""
        if stream == KIND:
            mask = np.ones(VOCABULARY_SIZES[KIND], dtype=bool)
            if place.count >= self.most:
                mask[[Kind.NOTE, Kind.CHORD, Kind.LINE]] = False
            elif place.bar < len(self.least) and place.count < self.least[place.bar]:
                mask[Kind.BAR] = False
            return mask
        if stream == POSITION:
            return self._places(place)
        if stream == VALUE:
            return self._values(place)
        if stream == LENGTH and event[KIND] == Kind.NOTE:
            return _multiples(self.lengths, 0, VOCABULARY_SIZES[LENGTH])
        if stream == LENGTH and event[KIND] == Kind.CHORD and not self.slash:
            return _only(0, VOCABULARY_SIZES[LENGTH])
        return None

    def _places(self, place: Place) -> Mask:
        """Returns the grid, less the end of the bar that the events still due there need."""
        mask = _multiples(self.grid, 1, VOCABULARY_SIZES[POSITION]).copy()
        mask[1 + place.bar_steps :] = False
        due = self.least[place.bar] - place.count - 1 if place.bar < len(self.least) else 0
        if due > 0:
            mask[np.flatnonzero(mask)[-due:]] = False
        return mask

    def _values(self, place: Place) -> Mask | None:
        if place.role == HARMONY_ROLE:
            return _chord_values(None if self.chords is None else np.asarray(self.chords, dtype=bool).tobytes())
        if place.role in DRUM_ROLES:
            return _drum_values(self.drums)
        classes = None if self.pitch_classes is None else np.asarray(self.pitch_classes, dtype=bool).tobytes()
        return _pitch_values(self.low, self.high, classes)


@dataclass(frozen=True)
class FixedEvents:
    """Rules under which everything but the pitches is given: rhythm, loudness, words.

    Attributes:
        bars: of each bar of the example the events (6, n) of the part, without TRACK.
        pitches: (128,) which may sound.
        reach: semitones that a note may move from where it was.
    """

    bars: tuple[NDArray[np.int16], ...]
    pitches: Mask
    reach: int = 12

    def only(self, stream: int, place: Place, ends: Kind) -> Mask:
        """Returns (V,) the one token that is given, or the pitches that a note may have."""
        events = self.bars[place.bar]
        if place.count >= events.shape[1]:
            return _only(ends, VOCABULARY_SIZES[stream])
        event = events[:, place.count]
        span = VALUES["pitch"]
        if stream != VALUE or event[KIND] != Kind.NOTE or event[VALUE] >= span.stop:
            return _only(int(event[stream]), VOCABULARY_SIZES[stream])
        near = np.abs(np.arange(128) - (int(event[VALUE]) - span.start)) <= self.reach
        mask = np.zeros(VOCABULARY_SIZES[VALUE], dtype=bool)
        mask[span.start : span.stop] = self.pitches & near
        if not mask.any():
            mask[event[VALUE]] = True
        return mask

    def allow(self, stream: int, place: Place, event: Event) -> Mask | None:
        """See `Rules`; `only` says it all."""
        return None


@lru_cache(maxsize=256)
def _chord_values(chords: bytes | None) -> Mask:
    """Returns the numbers of all chords, or of those that a mask has; like all that is kept, not to be written to."""
    mask = np.zeros(VOCABULARY_SIZES[VALUE], dtype=bool)
    chord = VALUES["chord"]
    mask[chord.start : chord.stop] = True if chords is None else np.frombuffer(chords, dtype=bool)
    return _kept(mask)


@lru_cache(maxsize=256)
def _drum_values(drums: frozenset[int]) -> Mask:
    mask = np.zeros(VOCABULARY_SIZES[VALUE], dtype=bool)
    span = VALUES["drum"]
    mask[[span.start + d for d in (drums or range(span.size))]] = True
    return _kept(mask)


@lru_cache(maxsize=256)
def _pitch_values(low: int, high: int, classes: bytes | None) -> Mask:
    mask = np.zeros(VOCABULARY_SIZES[VALUE], dtype=bool)
    pitches = np.arange(128)
    inside = (pitches >= low) & (pitches <= high)
    if classes is not None:
        inside &= np.frombuffer(classes, dtype=bool)[pitches % 12]
    mask[VALUES["pitch"].start : VALUES["pitch"].stop] = inside
    return _kept(mask)


def _kept(mask: Mask) -> Mask:
    mask.flags.writeable = False
    return mask


@lru_cache(maxsize=256)
def _multiples(of: tuple[int, ...], first: int, size: int) -> Mask:
    """Returns which numbers, counted from `first` (a length's number is one less than it), are multiples."""
    steps = np.arange(size) - first
    mask = np.zeros(size, dtype=bool)
    for number in of:
        mask |= steps % number == 0
    mask[:first] = False
    if not first:
        mask[0] = True
    return _kept(mask)


def _only(token: int, size: int) -> Mask:
    mask = np.zeros(size, dtype=bool)
    mask[token] = True
    return mask


def grammatical(stream: int, place: Place, event: Event, ends: Kind) -> Mask:
    """Returns (V,) what the language allows next.

    Args:
        stream: which is asked for.
        place: where.
        event: (6,) what stands in the streams before.
        ends: kind of the event that follows the part in this bar.
    """
    mask = np.zeros(VOCABULARY_SIZES[stream], dtype=bool)
    kind = Kind.CHORD if place.role == HARMONY_ROLE else Kind.NOTE
    if stream == KIND:
        mask[ends] = not _says_chord(place)
        mask[kind] = _first_position(place) < place.bar_steps
        return mask
    if stream == POSITION:
        mask[1 + _first_position(place) : 1 + (1 if _says_chord(place) else place.bar_steps)] = True
        return mask
    drums = place.role in DRUM_ROLES
    if stream == VALUE:
        span = VALUES["chord" if kind == Kind.CHORD else "drum" if drums else "pitch"]
        start = span.start
        if kind == Kind.NOTE and event[POSITION] == place.last + 1 and place.count:
            start = place.last_value + 1  # notes of one moment rise
        mask[start : span.stop] = True
    elif stream == LENGTH:
        if kind == Kind.CHORD:
            mask[0] = True
            mask[LENGTHS["bass"].start : LENGTHS["bass"].stop] = True
        elif drums:
            mask[0] = True
        else:
            mask[LENGTHS["steps"].start : LENGTHS["steps"].stop] = True
    elif stream == VELOCITY and kind == Kind.NOTE:
        mask[VELOCITIES["level"].start : VELOCITIES["level"].stop] = True
    else:
        mask[Word.NONE] = True
    return mask


def _says_chord(place: Place) -> bool:
    """Whether the chord in force has to be said now, as it is at the beginning of every bar."""
    return place.role == HARMONY_ROLE and place.last < 0


def _first_position(place: Place) -> int:
    """Returns the first position where the next event may stand."""
    if place.last < 0:
        return 0
    together = place.role not in SINGLE_VOICES and place.role != HARMONY_ROLE
    return place.last if together and place.last_value < VALUES["drum"].stop - 1 else place.last + 1


def allowed(stream: int, place: Place, event: Event, ends: Kind, rules: Rules | None) -> Mask:
    """Returns (V,) what may be written: the grammar's, narrowed by the rules as far as anything is left.

    A rule that would leave nothing is not kept: the language goes before wishes. A part goes on in a bar only where the
    rules leave it a place, and puts a note on top of the last one only where they leave it a pitch.
    """
    if isinstance(rules, FixedEvents):
        return rules.only(stream, place, ends)
    mask = grammatical(stream, place, event, ends)
    wanted = None if rules is None else rules.allow(stream, place, event)
    if wanted is None or rules is None:
        return mask
    if stream == KIND:
        wanted = wanted.copy()
        wanted[ends] = wanted[Kind.BAR]
        places = rules.allow(POSITION, place, event)
        if places is not None and not (grammatical(POSITION, place, event, ends) & places).any():
            wanted[[Kind.NOTE, Kind.CHORD]], wanted[ends] = False, True
    elif stream == POSITION and place.last >= 0 and mask[place.last + 1]:
        values = rules.allow(VALUE, place, event)
        if values is not None and not values[place.last_value + 1 :].any():
            wanted = wanted.copy()
            wanted[place.last + 1] = False
    narrowed: Mask = mask & wanted
    return narrowed if narrowed.any() else mask
