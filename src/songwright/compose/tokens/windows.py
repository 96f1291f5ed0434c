"""An example: some bars of a piece, some of its parts, which of them are to be written, perhaps a hole to be filled.

`Choice` says which, `build` makes the events and what is learned of them. Training draws choices (see `draw`), the
program makes its own; both get the same examples, without torch.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.augment import shift_velocities, transpose
from songwright.compose.tokens.controls import CONTROLS, UNSAID
from songwright.compose.tokens.encode import Codes
from songwright.compose.tokens.piece import Part, Piece
from songwright.compose.tokens.vocabulary import (
    DRUM_ROLES,
    KIND,
    LENGTH,
    LENGTHS,
    MAX_BAR_NUMBER,
    MAX_SECTION_BARS,
    NUM_STREAMS,
    POSITION,
    VALUE,
    VALUES,
    VELOCITIES,
    VELOCITY,
    WORD,
    Kind,
)
from songwright.errors import InputError

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
MAX_BARS = MAX_BAR_NUMBER // 2
"""Most bars of an example: over that, numbers that go round could be misread around a hole."""

MIN_LEVELS = 3
"""A part whose notes have fewer different velocities was not played but typed: its loudness teaches nothing."""

METER, KEY, SECTION, ENERGY, ELAPSED, LEFT = range(6)
"""Columns of `Example.bar_table`."""


@dataclass(frozen=True, slots=True)
class ChosenPart:
    """A part of an example.

    Attributes:
        part: which; it may be new to the piece, then it is silent there.
        is_target: whether it is to be written; else it is given.
        controls: levels as from `controls.measure`; `UNSAID` where nothing is said.
    """

    part: Part
    is_target: bool = True
    controls: tuple[int, ...] = (UNSAID,) * len(CONTROLS)


@dataclass(frozen=True, slots=True)
class Choice:
    """What an example is made of.

    Attributes:
        start, stop: bars of the piece.
        parts: in the order in which they stand in every bar.
        hole: bars (of the example) that come last, after everything around them; None for none.
        shift: semitones by which all is transposed, see `augment.frame_shift`.
        louder: velocity levels by which all is made louder.
        say_style: whether the style is told.
        style: place in `STYLES` that is told instead of the piece's own; None for that.
    """

    start: int
    stop: int
    parts: tuple[ChosenPart, ...]
    hole: tuple[int, int] | None = None
    shift: int = 0
    louder: int = 0
    say_style: bool = True
    style: int | None = None


@dataclass(frozen=True)
class Example:
    """Events with what is known about each.

    Attributes:
        codes: (6, T) int16, BOS first, EOS last.
        mask: (6, T) which numbers are learned: those of the parts that are to be written, and the kind of the event
            that ends each of them.
        bars: (T,) bar of the example in which each event stands; -1 in the header, at FILL and EOS.
        parts_of: (T,) place in `parts` of the part of each event (its TRACK too), -1 outside of parts.
        fill: where FILL stands; T without a hole.
        parts: as chosen.
        bar_steps: (bars,) lengths of the bars.
        bar_table: (bars, 6) metre, key, section + 1, its energy + 1, bars since it began, bars left of it (0 for none).
        style: place in `STYLES`, 0 when it is not said.
    """

    codes: Codes
    mask: Mask
    bars: Ints
    parts_of: Ints
    fill: int
    parts: tuple[ChosenPart, ...]
    bar_steps: Ints
    bar_table: Ints
    style: int

    @property
    def num_steps(self) -> int:
        """T."""
        return int(self.codes.shape[1])

    @property
    def targets(self) -> Mask:
        """(T,) whether each event belongs to a part that is to be written; `parts_of` -1 is not."""
        found: Mask = np.array([*(p.is_target for p in self.parts), False])[self.parts_of]
        return found


@dataclass
class _Rows:
    """Blocks of events that become an example."""

    blocks: list[Codes] = field(default_factory=list)
    bars: list[int] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)

    def add(self, block: Codes, bar: int, part: int) -> None:
        """Appends a block that stands in one bar and part."""
        self.blocks.append(block)
        self.bars.append(bar)
        self.parts.append(part)


def build(piece: Piece, choice: Choice) -> Example:
    """Returns the example of a choice.

    Raises:
        InputError: the bars are not in the piece, too many, or the hole is not within them.
    """
    num_bars = choice.stop - choice.start
    if not 0 <= choice.start < choice.stop <= piece.num_bars or num_bars > MAX_BARS:
        raise InputError(f"bars {choice.start} to {choice.stop} of {piece.num_bars}: expected 1 to {MAX_BARS} within")
    hole = choice.hole or (num_bars, num_bars)
    if not 0 <= hole[0] <= hole[1] <= num_bars:
        raise InputError(f"hole {hole} is not within {num_bars} bars")
    rows = _Rows()
    header = header_events(piece, choice)
    rows.add(header, -1, -1)
    places = _part_places(piece, choice)
    order = [*range(hole[0]), *range(hole[1], num_bars), *range(*hole)]
    fill = -1
    for bar in order:
        if choice.hole is not None and bar == hole[0]:
            fill = sum(block.shape[1] for block in rows.blocks)
            rows.add(_single(Kind.FILL), -1, -1)
        _add_bar(rows, piece, choice, places, bar)
    rows.add(_single(Kind.EOS), -1, -1)
    lengths = [block.shape[1] for block in rows.blocks]
    codes = np.concatenate(rows.blocks, axis=1)
    codes[:, header.shape[1] :] = transpose(codes[:, header.shape[1] :], choice.shift)
    if choice.louder:
        codes = shift_velocities(codes, choice.louder)
    example = Example(
        codes=codes,
        mask=np.zeros(codes.shape, dtype=bool),
        bars=np.repeat(rows.bars, lengths),
        parts_of=np.repeat(rows.parts, lengths),
        fill=codes.shape[1] if fill < 0 else fill,
        parts=choice.parts,
        bar_steps=piece.bar_steps[choice.start : choice.stop],
        bar_table=_bar_table(piece, choice),
        style=told_style(piece, choice),
    )
    example.mask[:] = _mask(example, hole)
    return example


def _single(kind: Kind, value: int = 0) -> Codes:
    row = np.zeros((NUM_STREAMS, 1), dtype=np.int16)
    row[KIND], row[VALUE] = kind, value
    return row


def header_events(piece: Piece, choice: Choice) -> Codes:
    """Returns the header of an example: style, metre, tempo and key where it begins, parts and what is said of them."""
    at = choice.start
    rows: list[tuple[int, int, int]] = [(Kind.BOS, 0, 0)]
    style = told_style(piece, choice)
    if style:
        rows.append((Kind.STYLE, VALUES["style"].start + style, 0))
    rows.append((Kind.METER, VALUES["meter"].start + int(piece.meters[at]), 0))
    rows.append((Kind.TEMPO, VALUES["tempo"].start + int(piece.tempos[at]), 0))
    rows.append((Kind.KEY, VALUES["key"].start + moved_key(int(piece.keys[at]), choice.shift), 0))
    for chosen in choice.parts:
        part = chosen.part
        rows.append((Kind.PLAYER, VALUES["role"].start + part.role, LENGTHS["slot"].start + part.slot))
        if part.instrument >= 0:
            rows.append((Kind.INSTRUMENT, VALUES["instrument"].start + part.instrument, 0))
        for kind, level in zip(CONTROLS, chosen.controls, strict=True):
            if level != UNSAID:
                rows.append((kind, VALUES[kind.name.lower()].start + level, 0))
    codes = np.zeros((NUM_STREAMS, len(rows)), dtype=np.int16)
    codes[(KIND, VALUE, LENGTH), :] = np.array(rows).T
    return codes


def told_style(piece: Piece, choice: Choice) -> int:
    """Returns the place in `STYLES` of the style that an example is told, 0 for none."""
    if not choice.say_style:
        return 0
    return piece.style if choice.style is None else choice.style


def moved_key(key: int, shift: int) -> int:
    """Returns the number of a key some semitones higher."""
    modes = VALUES["key"].size // 12
    return (key // modes + shift) % 12 * modes + key % modes


def track_event(part: Part) -> Codes:
    """Returns (6, 1) the TRACK that opens a part in a bar."""
    row = _single(Kind.TRACK, VALUES["role"].start + part.role)
    row[LENGTH] = LENGTHS["slot"].start + part.slot
    return row


def _part_places(piece: Piece, choice: Choice) -> list[int]:
    """Returns for each chosen part its place in the piece, -1 for one that is new."""
    known = {(part.role, part.slot): place for place, part in enumerate(piece.parts)}
    return [known.get((chosen.part.role, chosen.part.slot), -1) for chosen in choice.parts]


def _add_bar(rows: _Rows, piece: Piece, choice: Choice, places: list[int], bar: int) -> None:
    at = choice.start + bar
    first = int(piece.bar_starts[at])
    head = [piece.codes[:, first : first + 1].copy()]
    head[0][VALUE] = VALUES["bar"].start + bar
    if bar:
        for kind, values, name in (
            (Kind.METER, piece.meters, "meter"), (Kind.TEMPO, piece.tempos, "tempo"), (Kind.KEY, piece.keys, "key"),
        ):  # fmt: skip
            if values[at] != values[at - 1]:
                head.append(_single(kind, VALUES[name].start + int(values[at])))
    event = int(piece.sections[at])
    if event >= 0 and (bar == 0 or not piece.elapsed[at]):
        elapsed = int(piece.elapsed[at])
        section = piece.codes[:, event : event + 1].copy()
        section[POSITION] = min(elapsed, MAX_SECTION_BARS)
        section[VELOCITY] = VELOCITIES["bars"].start + _left(section, elapsed) - 1
        head.append(section)
    rows.add(np.concatenate(head, axis=1), bar, -1)
    for index, (chosen, place) in enumerate(zip(choice.parts, places, strict=True)):
        start, stop = (int(piece.starts[place, at]), int(piece.stops[place, at])) if place >= 0 else (0, 0)
        if stop > start:
            rows.add(piece.codes[:, start:stop], bar, index)
        elif chosen.is_target:
            rows.add(track_event(chosen.part), bar, index)


def _left(section: Codes, elapsed: int) -> int:
    """Returns how many bars of a section are left, itself included, from its event at its beginning."""
    whole = int(section[VELOCITY, 0]) - VELOCITIES["bars"].start + 1
    return max(1, whole - elapsed)


def _bar_table(piece: Piece, choice: Choice) -> Ints:
    table = np.zeros((choice.stop - choice.start, 6), dtype=np.int64)
    table[:, METER] = piece.meters[choice.start : choice.stop]
    table[:, KEY] = [moved_key(key, choice.shift) for key in piece.keys[choice.start : choice.stop].tolist()]
    events = piece.sections[choice.start : choice.stop]
    inside = events >= 0
    elapsed = piece.elapsed[choice.start : choice.stop]
    found = piece.codes[:, events]
    table[:, SECTION] = np.where(inside, found[VALUE] - VALUES["section"].start + 1, 0)
    table[:, ENERGY] = np.where(inside, found[LENGTH] - LENGTHS["energy"].start + 1, 0)
    table[:, ELAPSED] = np.where(inside, np.minimum(elapsed, MAX_SECTION_BARS), 0)
    whole = found[VELOCITY] - VELOCITIES["bars"].start + 1
    table[:, LEFT] = np.where(inside, np.maximum(1, whole - elapsed), 0)
    return table


def _mask(example: Example, hole: tuple[int, int]) -> Mask:
    """Returns (6, T) which numbers are learned."""
    kinds, bars = example.codes[KIND], example.bars
    inside = example.targets & ((bars < hole[1]) | (np.arange(len(kinds)) > example.fill))
    content = inside & (kinds != Kind.TRACK)
    ends = np.zeros(len(kinds), dtype=bool)
    ends[1:] = inside[:-1] & ~content[1:]
    note, tie, chord = content & (kinds == Kind.NOTE), content & (kinds == Kind.TIE), content & (kinds == Kind.CHORD)
    drums, typed, unsung = (_of_parts(example, flags) for flags in _manners(example))
    mask = np.zeros(example.codes.shape, dtype=bool)
    mask[KIND] = content | ends
    mask[POSITION] = note | chord | (content & (kinds == Kind.LINE))
    mask[VALUE] = note | chord
    mask[LENGTH] = (note & ~drums) | tie | chord
    mask[VELOCITY] = note & ~typed
    mask[WORD] = note & ~unsung
    return mask


def _of_parts(example: Example, flags: list[bool]) -> Mask:
    found: Mask = np.array([*flags, False])[example.parts_of]
    return found


def _manners(example: Example) -> tuple[list[bool], list[bool], list[bool]]:
    """Returns of each part whether it is drums, whether its loudness was typed, and whether nothing in it is sung."""
    codes = example.codes
    notes = codes[KIND] == Kind.NOTE
    size = VELOCITIES["level"].stop
    seats = example.parts_of[notes] * size + codes[VELOCITY, notes]
    levels = np.bincount(seats, minlength=size * len(example.parts)).reshape(len(example.parts), size)
    sung = set(example.parts_of[codes[WORD] > 0].tolist())
    typed: list[bool] = ((levels > 0).sum(axis=1) < MIN_LEVELS).tolist()
    drums = [chosen.part.role in DRUM_ROLES for chosen in example.parts]
    return drums, typed, [index not in sung for index in range(len(example.parts))]
