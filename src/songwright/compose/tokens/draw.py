"""Drawing examples from pieces: which bars, which parts, what is to be written. Pure functions of a generator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.augment import frame_shift
from songwright.compose.tokens.controls import UNSAID, measure
from songwright.compose.tokens.piece import (
    KIND_OF_ROLE,
    TARGET_KINDS,
    Piece,
    part_events,
    sounding_parts,
)
from songwright.compose.tokens.vocabulary import INSTRUMENT_NAMES, ROLES, STYLES
from songwright.compose.tokens.windows import MAX_BARS, Choice, ChosenPart
from songwright.score.instruments import INSTRUMENTS

Ints = NDArray[np.int64]
_HEADER_STEPS = 8
"""Events of a header beside its parts, EOS and FILL."""

_PART_STEPS = 7
"""Events of a header for each part, at most."""

_BAR_STEPS = 2.2
"""Events of a bar beside its parts, on average."""

_ORDER = ("harmony", "vocal", "melody", "bass", "drums", "chords", "pad", "counter_melody", "backing_vocal",
          "percussion", "effects")  # fmt: skip
_RANK = {ROLES.index(role): rank for rank, role in enumerate(_ORDER)}
_KITS = [i for i, name in enumerate(INSTRUMENT_NAMES) if INSTRUMENTS[name].family == "kit"]
_PITCHED = [i for i in range(len(INSTRUMENT_NAMES)) if i not in _KITS]
_TUNES = (_ORDER.index("vocal"), _ORDER.index("melody"))


@dataclass(frozen=True, slots=True)
class DrawSettings:
    """How examples are drawn.

    Attributes:
        max_bars: most bars.
        min_bars: fewer only where the piece is shorter or too thick.
        max_parts: most parts.
        part_weights: how often a kind of `TARGET_KINDS` is the first to be written, against the others.
        everything: share of examples in which every part is to be written.
        onwards: share in which a part and all that come after it are (harmony, tune, bass, drums, accompaniment), given
            those before it.
        solo: share in which one part alone is, mostly given those before it (the harmony: given the tune). In the rest
            each part beyond the first is thrown a coin for.
        alone: share of the latter two in which nothing is given beside what is to be written.
        shuffle: share in which parts stand in any order; else what is given comes first, and the harmony before others.
        hole: share with a hole.
        controls: chance of each control to be said.
        unsaid: share in which neither controls nor style are said at all.
        louder: most velocity levels of loudness by which an example is moved.
        swap: chance that a part is said to be played by any other instrument, and of another style to be told: those
            that no corpus has are then known to mean little, not unheard of.
    """

    max_bars: int = MAX_BARS
    min_bars: int = 4
    max_parts: int = 8
    part_weights: Mapping[str, float] = field(default_factory=dict)
    everything: float = 0.3
    onwards: float = 0.25
    solo: float = 0.3
    alone: float = 0.12
    shuffle: float = 0.15
    hole: float = 0.2
    controls: float = 0.5
    unsaid: float = 0.1
    louder: int = 2
    swap: float = 0.25


def draw_choice(piece: Piece, max_steps: int, settings: DrawSettings, random: np.random.Generator) -> Choice:
    """Returns what an example of a piece is made of.

    Args:
        piece: at least one part sounds in it.
        max_steps: most events of the example (a single bar that is thicker may exceed it).
        settings: how.
        random: decides.
    """
    start = _draw_start(piece, settings, random)
    parts, num_targets = _draw_parts(piece, start, settings, random)
    parts, num_targets, stop = _fit(piece, start, parts, num_targets, max_steps, settings)
    targets = set(parts[:num_targets])
    ordered = _ordered(piece, parts, targets, settings, random)
    silent = random.random() < settings.unsaid
    shift = frame_shift(int(piece.keys[start]))
    if abs(shift) >= 5:
        shift += int(random.integers(0, 2)) * (-12 if shift > 0 else 12)
    chance = 0.0 if silent else settings.controls
    chosen = tuple(_chosen(piece, part, start, stop, shift, part in targets, chance, random) for part in ordered)
    chosen = tuple(_swapped(part, settings.swap, random) for part in chosen)
    style = int(random.integers(1, len(STYLES))) if random.random() < settings.swap / 2 else None
    num_bars = stop - start
    hole = None
    if num_bars >= 3 and random.random() < settings.hole:
        length = int(random.integers(1, max(2, num_bars * 2 // 3)))
        first = int(random.integers(0, num_bars - length))
        hole = (first, first + length)
    return Choice(start, stop, chosen, hole, shift, _louder(settings, random), not silent, style)


def _swapped(chosen: ChosenPart, chance: float, random: np.random.Generator) -> ChosenPart:
    """Returns a part whose instrument is perhaps another, a kit for a kit."""
    part = chosen.part
    if part.instrument < 0 or random.random() >= chance:
        return chosen
    options = _KITS if part.instrument in _KITS else _PITCHED
    return replace(chosen, part=replace(part, instrument=options[int(random.integers(len(options)))]))


def _louder(settings: DrawSettings, random: np.random.Generator) -> int:
    return int(random.integers(-settings.louder, settings.louder + 1))


def _draw_start(piece: Piece, settings: DrawSettings, random: np.random.Generator) -> int:
    """Returns the first bar: half of the time where a section begins; where something sounds."""
    sounding = np.flatnonzero((piece.lengths > 1).any(axis=0))
    latest = max(int(sounding[0]), int(sounding[-1]) + 1 - settings.min_bars)
    options = sounding[sounding <= latest]
    heads = options[(piece.elapsed[options] == 0) & (piece.sections[options] >= 0)]
    if len(heads) and random.random() < 0.5:
        options = heads
    return int(options[random.integers(len(options))])


def _draw_parts(piece: Piece, start: int, settings: DrawSettings, random: np.random.Generator) -> tuple[list[int], int]:
    """Returns parts, those to be written first, and how many these are."""
    stop = min(piece.num_bars, start + 8)
    present = list(sounding_parts(piece, start, stop))
    kinds = [TARGET_KINDS[KIND_OF_ROLE[piece.parts[part].role]] for part in present]
    weights = np.array([settings.part_weights.get(kind, 1.0) / kinds.count(kind) for kind in kinds])
    if not weights.sum():
        weights[:] = 1.0
    first = present[int(random.choice(len(present), p=weights / weights.sum()))]
    others = sorted((part for part in present if part != first), key=lambda part: _RANK[piece.parts[part].role])
    targets, given = _roles_of(piece, first, others, settings, random)
    targets = [first, *targets][: settings.max_parts]
    return [*targets, *given[: settings.max_parts - len(targets)]], len(targets)


def _roles_of(
    piece: Piece, first: int, others: Sequence[int], settings: DrawSettings, random: np.random.Generator
) -> tuple[list[int], list[int]]:
    """Returns which other parts are to be written too, and which are given."""
    rank = _RANK[piece.parts[first].role]
    before = [part for part in others if _RANK[piece.parts[part].role] <= rank]
    coins = random.random(len(others)) < 0.5
    manner, alone, usual = random.random(3).tolist()
    if manner < settings.everything:
        return list(others), []
    if manner < settings.everything + settings.onwards:
        return [part for part in others if part not in before], before
    if manner < settings.everything + settings.onwards + settings.solo:
        targets = []
        given = before if usual < 0.7 else [part for part, coin in zip(others, coins, strict=True) if coin]
        if rank == 0 and usual < 0.7:
            given = [part for part in others if _RANK[piece.parts[part].role] in _TUNES][:1]
    else:
        targets = [part for part, coin in zip(others, coins, strict=True) if coin]
        given = [part for part in others if part not in targets]
    return targets, [] if alone < settings.alone else given


def _fit(
    piece: Piece, start: int, parts: list[int], num_targets: int, max_steps: int, settings: DrawSettings
) -> tuple[list[int], int, int]:
    """Returns parts and the bar to stop at so that the example is not too long: given parts go before bars do."""
    limit = min(piece.num_bars, start + settings.max_bars)
    lengths = piece.lengths[:, start:limit]
    while True:
        steps = lengths[parts].sum(axis=0) + _BAR_STEPS + num_targets
        total = _HEADER_STEPS + _PART_STEPS * len(parts) + np.cumsum(steps)
        fits = int(np.searchsorted(total, max_steps, side="right"))
        if fits >= min(settings.min_bars, limit - start) or len(parts) == 1:
            return parts, num_targets, start + max(1, fits)
        parts = parts[:-1]
        num_targets = min(num_targets, len(parts))


def _ordered(
    piece: Piece, parts: Sequence[int], targets: set[int], settings: DrawSettings, random: np.random.Generator
) -> list[int]:
    """Returns parts in the order in which they stand in a bar."""
    manner = random.random()
    mixed = [int(part) for part in random.permutation(np.array(parts))]
    if manner < settings.shuffle / 2:
        return mixed
    if manner < settings.shuffle:
        return sorted(mixed, key=lambda part: part in targets)
    return sorted(parts, key=lambda part: (part in targets, _RANK[piece.parts[part].role], part))


def _chosen(
    piece: Piece, part: int, start: int, stop: int, shift: int, is_target: bool, chance: float,
    random: np.random.Generator,
) -> ChosenPart:  # fmt: skip
    said = random.random(5) < chance
    if not is_target or not said.any():
        return ChosenPart(piece.parts[part], is_target)
    events, bars = part_events(piece, part, start, stop)
    levels = measure(events, bars, piece.parts[part].role, piece.bar_steps[start:stop], shift)
    kept = tuple(level if say else UNSAID for level, say in zip(levels, said.tolist(), strict=True))
    return ChosenPart(piece.parts[part], is_target, kept)


def is_useful(piece: Piece) -> bool:
    """Returns whether anything sounds in a piece, so that examples can be drawn from it."""
    return bool((piece.lengths > 1).any())
