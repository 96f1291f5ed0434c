"""`decode`: events back to a song, whatever order their bars come in."""

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.encode import Codes
from songwright.compose.tokens.grid import DRUM_STEPS, GridPlayer, GridSong, to_song
from songwright.compose.tokens.vocabulary import (
    DRUM_ROLES,
    HARMONY,
    KIND,
    LENGTH,
    LENGTHS,
    MAX_BAR_NUMBER,
    NUM_STREAMS,
    POSITION,
    ROLES,
    VALUE,
    VALUES,
    VELOCITIES,
    VELOCITY,
    VOCABULARY_SIZES,
    WORD,
    Kind,
    Range,
    meter_steps,
)
from songwright.errors import InputError
from songwright.score.song import Song

Ints = NDArray[np.int64]
_HARMONY_ROLE = ROLES.index(HARMONY)
_FULL = np.array([meter_steps(place) for place in range(VALUES["meter"].size)])


def decode(codes: Codes) -> Song:
    """Returns the song of events: `decode(encode(song).codes)` is `on_grid(song)`.

    Bars stand in the order of their numbers, wherever they come; controls, BOS, EOS, FILL and PAD say nothing to it.

    Args:
        codes: (6, T).

    Raises:
        InputError: the events are not of this language: numbers outside their range, notes before any bar or part, a
            part that no PLAYER names, bars that are missing or come twice.
    """
    return to_song(decode_grid(codes))


def decode_grid(codes: Codes) -> GridSong:
    """Returns the song on the grid; see `decode`."""
    return _parsed(_checked(codes))


def _parsed(codes: Ints) -> GridSong:
    kinds = codes[KIND]
    header_end = int(np.argmax(kinds == Kind.BAR)) if (kinds == Kind.BAR).any() else len(kinds)
    if header_end == len(kinds):
        raise InputError("events without a bar: expected at least one BAR after the header")
    header = codes[:, :header_end]
    order = _bar_order(codes)
    num_bars = len(order)
    bar = np.cumsum(kinds == Kind.BAR) - 1
    bar[header_end:] = order[bar[header_end:]]
    meters = _dense(codes, bar, header_end, Kind.METER, "meter", num_bars)
    lengths = np.zeros(num_bars, dtype=np.int64)
    at = kinds == Kind.BAR
    lengths[bar[at]] = codes[LENGTH, at]
    bar_steps = np.where(lengths > 0, lengths, _FULL[meters])
    starts = np.concatenate([[0], np.cumsum(bar_steps)])
    part, slot = _parts(codes, header_end)
    styles = header[VALUE, header[KIND] == Kind.STYLE]
    return GridSong(
        style=int(styles[-1]) - VALUES["style"].start if len(styles) else 0,
        bar_steps=bar_steps,
        meters=meters,
        tempos=_dense(codes, bar, header_end, Kind.TEMPO, "tempo", num_bars),
        keys=_dense(codes, bar, header_end, Kind.KEY, "key", num_bars),
        sections=_sections(codes, bar),
        chords=_chords(codes, bar, starts, part),
        players=_players(codes, header, bar, starts, part, slot),
    )


def _checked(codes: Codes) -> Ints:
    """Returns the events as wide integers if all are in the vocabulary."""
    if codes.ndim != 2 or codes.shape[0] != NUM_STREAMS:
        raise InputError(f"events must have shape ({NUM_STREAMS}, steps), not {codes.shape}")
    limits = np.array(VOCABULARY_SIZES)[:, None]
    wide = codes.astype(np.int64)
    if (wide < 0).any() or (wide >= limits).any():
        raise InputError("events with numbers outside the vocabulary: made by another version of it?")
    return wide


def _within(numbers: Ints, span: Range, what: str) -> Ints:
    """Returns numbers of a stream counted from the beginning of their range."""
    if len(numbers) and (numbers.min() < span.start or numbers.max() >= span.stop):
        raise InputError(f"{what} out of its range: expected {span.start} to {span.stop - 1}")
    return numbers - span.start


def _bar_order(codes: Ints) -> Ints:
    """Returns for each BAR, as they come, which bar of the song it is; numbers go round after 63."""
    numbers = _within(codes[VALUE, codes[KIND] == Kind.BAR], VALUES["bar"], "number of a bar")
    half = MAX_BAR_NUMBER // 2
    steps = (np.diff(numbers) + half - 1) % MAX_BAR_NUMBER - (half - 1)
    places = np.concatenate([[0], np.cumsum(steps)])
    places -= places.min()
    if len(np.unique(places)) != len(places) or places.max() != len(places) - 1:
        raise InputError("bars are missing or come twice")
    found: Ints = places
    return found


def _dense(codes: Ints, bar: Ints, header_end: int, kind: Kind, name: str, num_bars: int) -> Ints:
    """Returns (bars,) what is in force: from the header, then from each change."""
    at = np.flatnonzero(codes[KIND] == kind)
    values = _within(codes[VALUE, at], VALUES[name], name)
    if not len(at) or at[0] >= header_end:
        raise InputError(f"events whose header has no {kind.name}")
    changes = np.full(num_bars, -1, dtype=np.int64)
    changes[0] = values[at < header_end][-1]
    inside = at >= header_end
    changes[bar[at[inside]]] = values[inside]
    filled: Ints = changes[np.maximum.accumulate(np.where(changes >= 0, np.arange(num_bars), 0))]
    return filled


def _parts(codes: Ints, header_end: int) -> tuple[Ints, Ints]:
    """Returns the role and slot of the part that each event belongs to, -1 outside of parts."""
    kinds = codes[KIND]
    opens = np.isin(kinds, (Kind.TRACK, Kind.BAR, Kind.FILL))
    last = np.maximum.accumulate(np.where(opens, np.arange(len(kinds)), 0))
    inside = kinds[last] == Kind.TRACK
    _within(codes[VALUE, kinds == Kind.TRACK], VALUES["role"], "role of a part")
    _within(codes[LENGTH, kinds == Kind.TRACK], LENGTHS["slot"], "slot of a part")
    needs = np.isin(kinds, (Kind.NOTE, Kind.TIE, Kind.LINE, Kind.CHORD))
    if (needs & ~inside).any() or needs[:header_end].any():
        raise InputError("notes or chords outside of any part: expected BAR, then TRACK before them")
    role = np.where(inside, codes[VALUE, last] - VALUES["role"].start, -1)
    slot = np.where(inside, codes[LENGTH, last] - LENGTHS["slot"].start, -1)
    return role, slot


def _sections(codes: Ints, bar: Ints) -> Ints:
    at = np.flatnonzero(codes[KIND] == Kind.SECTION)
    roles = _within(codes[VALUE, at], VALUES["section"], "section")
    energies = _within(codes[LENGTH, at], LENGTHS["energy"], "energy of a section")
    rows = np.column_stack([bar[at], roles, energies])
    found: Ints = rows[np.argsort(rows[:, 0], kind="stable")]
    return found


def _places(codes: Ints, bar: Ints, starts: Ints, at: Ints) -> Ints:
    """Returns the step of the song at which positioned events begin."""
    positions = codes[POSITION, at]
    if len(at) and (positions.min() < 1 or (positions > np.diff(starts)[bar[at]]).any()):
        raise InputError("a position outside of its bar")
    found: Ints = starts[bar[at]] + positions - 1
    return found


def _chords(codes: Ints, bar: Ints, starts: Ints, part: Ints) -> Ints:
    at = np.flatnonzero(codes[KIND] == Kind.CHORD)
    if (part[at] != _HARMONY_ROLE).any():
        raise InputError("a chord outside of the part 'harmony'")
    numbers = _within(codes[VALUE, at], VALUES["chord"], "chord")
    slash = codes[LENGTH, at] > 0
    bass = np.where(slash, codes[LENGTH, at] - LENGTHS["bass"].start + 1, 0)
    _within(codes[LENGTH, at][slash], LENGTHS["bass"], "bass of a chord")
    rows = np.column_stack([_places(codes, bar, starts, at), numbers, bass])
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    fresh = np.ones(len(rows), dtype=bool)
    fresh[1:] = (rows[1:, 1:] != rows[:-1, 1:]).any(axis=1)
    found: Ints = rows[fresh]
    return found


def _players(codes: Ints, header: Ints, bar: Ints, starts: Ints, part: Ints, slot: Ints) -> tuple[GridPlayer, ...]:
    kinds = codes[KIND]
    seats = np.where(part >= 0, part * LENGTHS["slot"].size + slot, -1)
    at = np.flatnonzero(kinds == Kind.NOTE)
    rows = _note_rows(codes, bar, starts, at, part)
    note_seats = seats[at]
    named = []
    for i in np.flatnonzero(header[KIND] == Kind.PLAYER).tolist():
        role = int(header[VALUE, i]) - VALUES["role"].start
        place = int(header[LENGTH, i]) - LENGTHS["slot"].start
        if not 0 <= role < len(ROLES) or not 0 <= place < LENGTHS["slot"].size:
            raise InputError("a PLAYER without role or slot")
        if role == _HARMONY_ROLE:
            continue
        follows = header[:, i + 1] if i + 1 < header.shape[1] else np.zeros(NUM_STREAMS, dtype=np.int64)
        if follows[KIND] != Kind.INSTRUMENT:
            raise InputError("a PLAYER without an INSTRUMENT after it")
        name = _within(follows[VALUE : VALUE + 1], VALUES["instrument"], "instrument")
        mine = rows[note_seats == role * LENGTHS["slot"].size + place]
        mine = mine[np.lexsort((mine[:, 2], mine[:, 1], mine[:, 0]))]
        named.append(GridPlayer(role, place, int(name[0]), mine))
    known = {player.role * LENGTHS["slot"].size + player.slot for player in named}
    if len(known) != len(named) or not set(np.unique(note_seats).tolist()) <= known:
        raise InputError("a part plays that no PLAYER names, or one is named twice")
    return tuple(named)


def _note_rows(codes: Ints, bar: Ints, starts: Ints, at: Ints, part: Ints) -> Ints:
    """Returns (notes, 6) as in `GridPlayer`, in the order of the events."""
    kinds = codes[KIND]
    drums = np.isin(part[at], list(DRUM_ROLES))
    if (part[at] == _HARMONY_ROLE).any():
        raise InputError("a note in the part 'harmony'")
    values = codes[VALUE, at]
    pitches = np.where(drums, values - VALUES["drum"].start, values - VALUES["pitch"].start)
    if len(at) and (pitches.min() < 0 or pitches.max() > 127):
        raise InputError("a pitch where a drum is played, or the other way round")
    lengths = np.where(drums, DRUM_STEPS, codes[LENGTH, at] - LENGTHS["steps"].start + 1)
    if len(at) and (lengths.min() < 1 or lengths.max() > LENGTHS["steps"].size):
        raise InputError("a note without length")
    ties = np.flatnonzero(kinds == Kind.TIE)
    if len(ties):
        if not np.isin(kinds[ties - 1], (Kind.NOTE, Kind.TIE)).all():
            raise InputError("a TIE that follows no note")
        more = _within(codes[LENGTH, ties], LENGTHS["steps"], "length of a TIE") + 1
        np.add.at(lengths, np.searchsorted(at, ties) - 1, more)
    levels = _within(codes[VELOCITY, at], VELOCITIES["level"], "velocity")
    lines = np.zeros(len(at), dtype=np.int64)
    begins = np.flatnonzero(kinds == Kind.LINE)
    if len(begins):
        following = np.searchsorted(at, begins)
        counts = _within(codes[VALUE, begins], VALUES["syllables"], "syllables of a line")
        inside = following < len(at)
        inside[inside] &= kinds[begins[inside] + 1] == Kind.NOTE
        lines[following[inside]] = counts[inside]
    return np.column_stack([_places(codes, bar, starts, at), pitches, lengths, levels, codes[WORD, at], lines])
