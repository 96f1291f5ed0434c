"""What is known before each event of an example, told to the network beside the events: `features` of whole examples.

A small network should not have to count beats or search for the chord that sounds: where in the bar and the section
the music stands, the chord and the tune there (those that are given also ahead), the part's own last notes, and the
syllables still to be sung are computed here. Column t depends on events before t and on what is given, never on what
is to be written; `tracker` computes the same one event at a time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens import echoes
from songwright.compose.tokens.controls import CONTROLS
from songwright.compose.tokens.grid import DRUM_STEPS
from songwright.compose.tokens.vocabulary import (
    CONTROL_LEVELS,
    DRUM_ROLES,
    ENERGY_LEVELS,
    INSTRUMENT_NAMES,
    KIND,
    LENGTH,
    LENGTHS,
    MAX_BAR_NUMBER,
    MAX_BAR_STEPS,
    MAX_SECTION_BARS,
    POSITION,
    QUALITY_NAMES,
    ROLES,
    SECTIONS,
    STYLES,
    VALUE,
    VALUES,
    WORD,
    Kind,
    Word,
)
from songwright.compose.tokens.windows import ELAPSED, ENERGY, KEY, LEFT, METER, SECTION, Example

Ints = NDArray[np.int64]
FAR = 96
"""Distances in steps are told apart up to here."""

MOST_SYLLABLES = 31
_DISTANCE = FAR + 2
FEATURES: dict[str, int] = {
    "role": len(ROLES) + 1, "state": 3, "follows": 4, "segment": 3, "bar": MAX_BAR_NUMBER + 1,
    "section": len(SECTIONS) + 1, "energy": ENERGY_LEVELS + 1, "elapsed": MAX_SECTION_BARS + 2,
    "left": MAX_SECTION_BARS + 1, "meter": VALUES["meter"].size + 1, "key": VALUES["key"].size + 1,
    "position": MAX_BAR_STEPS + 1,
    "root": 14, "quality": len(QUALITY_NAMES) + 1, "next_root": 14, "next_quality": len(QUALITY_NAMES) + 1,
    "until_chord": _DISTANCE, "tune": 129, "tune_sounds": 3, "next_tune": 129, "until_tune": _DISTANCE,
    "last": 257, "before_last": 257, "since_last": _DISTANCE, "last_holds": _DISTANCE, "next": 257,
    "stress": 4, "line_left": MOST_SYLLABLES + 2, "next_line": MOST_SYLLABLES + 2,
    "style": len(STYLES), "instrument": len(INSTRUMENT_NAMES) + 1,
    **{kind.name.lower(): CONTROL_LEVELS + 1 for kind in CONTROLS},
    **{f"echo_{back}_{what}": size for back in echoes.BACK for what, size in echoes.SIZES.items()},
}  # fmt: skip
"""Name and size of every feature, in order.

0 says that there is no such thing; "follows" is what comes after the part: 1 another part, 2 another bar, 3 the hole or
the end; "segment" 2 is the hole; "stress" 3 is that no syllable is left.
"""

FEATURE_SIZES = tuple(FEATURES.values())
NAMES = tuple(FEATURES)
_AT = {name: place for place, name in enumerate(NAMES)}
_PART_FEATURES = ("role", "state", "instrument", *(kind.name.lower() for kind in CONTROLS))
_FIRST_ECHO = f"echo_{echoes.BACK[0]}_position"


@dataclass(frozen=True, slots=True)
class WordPlan:
    """The syllables that a part has to sing in an example, in order.

    Attributes:
        stresses: of each, `Word.UNSTRESSED` or `Word.STRESSED`.
        lines: syllable with which each line begins.
        hole: (syllables, lines) that belong into the hole.
        before_hole: (syllables, lines) before it.
    """

    stresses: tuple[int, ...]
    lines: tuple[int, ...]
    hole: tuple[int, int] = (0, 0)
    before_hole: tuple[int, int] = (0, 0)


def features(example: Example) -> NDArray[np.int16]:
    """Returns (F, T): what is known before each event, in the order of `FEATURES`."""
    after = np.zeros((len(FEATURES), example.num_steps), dtype=np.int16)
    clock = _clock(example)
    _tell_parts(after, example)
    _tell_bars(after, example, clock)
    _tell_chords(after, example, clock)
    _tell_tune(after, example, clock)
    _tell_own_notes(after, example, clock)
    after[_AT[_FIRST_ECHO] :] = echoes.echoes(example, hole_bars(example))
    for index in np.unique(example.parts_of[example.codes[WORD] > 0]).tolist():
        _tell_words(after, example, index)
    out = np.zeros_like(after)
    out[:, 1:] = after[:, :-1]
    return out


@dataclass(frozen=True, slots=True)
class _Clock:
    """Where in time each event stands.

    Attributes:
        lines: (bars + 1,) bar lines in steps.
        position: (T,) place in the bar of the last event of the part, 0 before its first.
        now: (T,) the same from the beginning of the example; meaningless outside of bars.
        in_bar: (T,) whether the event stands in a bar.
        hole: (start, end) of the hole in steps from the beginning; both the end without one.
    """

    lines: Ints
    position: Ints
    now: Ints
    in_bar: NDArray[np.bool_]
    hole: tuple[int, int]


def _clock(example: Example) -> _Clock:
    kinds = example.codes[KIND]
    lines = np.concatenate([[0], np.cumsum(example.bar_steps)])
    own = np.maximum.accumulate(np.where(kinds != Kind.TIE, np.arange(len(kinds)), 0))
    placed = (kinds == Kind.NOTE) | (kinds == Kind.CHORD) | (kinds == Kind.LINE)
    position = np.where(placed, example.codes[POSITION], 0)[own].astype(np.int64)
    now = lines[np.maximum(example.bars, 0)] + np.maximum(position - 1, 0)
    first, last = hole_bars(example)
    return _Clock(lines, position, now, example.bars >= 0, (int(lines[first]), int(lines[last])))


def hole_bars(example: Example) -> tuple[int, int]:
    """Returns the first bar of the hole and the first after it; both the number of bars without one."""
    inside = example.bars[example.fill + 1 :]
    inside = inside[inside >= 0]
    return (int(inside.min()), int(inside.max()) + 1) if len(inside) else (len(example.bar_steps),) * 2


def part_rows(example: Example) -> Ints:
    """Returns (parts + 1, 8): role, state, instrument and controls; the last row is for outside of parts."""
    rows = np.zeros((len(example.parts) + 1, len(_PART_FEATURES)), dtype=np.int64)
    for row, chosen in zip(rows, example.parts, strict=False):
        row[:3] = (chosen.part.role + 1, 2 if chosen.is_target else 1, chosen.part.instrument + 1)
        row[3:] = np.array(chosen.controls) + 1
    return rows


def bar_rows(example: Example) -> Ints:
    """Returns (bars + 1, 7) the features of each bar; the last row is for outside of bars."""
    table = example.bar_table
    rows = np.zeros((len(table) + 1, 7), dtype=np.int64)
    rows[:-1, 0] = np.arange(1, len(table) + 1)
    rows[:-1, 1:3] = table[:, [SECTION, ENERGY]]
    rows[:-1, 3] = np.where(table[:, SECTION] > 0, table[:, ELAPSED] + 1, 0)
    rows[:-1, 4] = table[:, LEFT]
    rows[:-1, 5:7] = table[:, [METER, KEY]] + 1
    return rows


BAR_FEATURES = ("bar", "section", "energy", "elapsed", "left", "meter", "key")
"""Columns of `bar_rows`."""

PART_FEATURES = _PART_FEATURES
"""Columns of `part_rows`."""


def _tell_parts(after: NDArray[np.int16], example: Example) -> None:
    after[[_AT[name] for name in PART_FEATURES]] = part_rows(example)[example.parts_of].T
    after[_AT["style"]] = example.style
    kinds = example.codes[KIND]
    codes = np.zeros(len(Kind), dtype=np.int16)
    codes[[Kind.TRACK, Kind.BAR, Kind.FILL, Kind.EOS]] = (1, 2, 3, 3)
    opens = np.flatnonzero(codes[kinds])
    following = codes[kinds[opens]][np.searchsorted(opens, np.arange(len(kinds) - 1), side="right")]
    after[_AT["follows"], :-1] = np.where(example.parts_of[:-1] >= 0, following, 0)


def _tell_bars(after: NDArray[np.int16], example: Example, clock: _Clock) -> None:
    after[[_AT[name] for name in BAR_FEATURES]] = bar_rows(example)[example.bars].T
    after[_AT["segment"]] = np.where(clock.in_bar, 1 + (np.arange(example.num_steps) > example.fill), 0)
    after[_AT["position"]] = np.where(example.parts_of >= 0, clock.position, 0)


def _neighbours(times: Ints, steps: Ints, clock: _Clock, fill: int, *, ahead: bool) -> tuple[Ints, Ints]:
    """Returns (T,) the last known event at or before now and the one known after it, -1 for none.

    Args:
        times: of the events, rising.
        steps: where in the example each stands.
        clock: of the example.
        fill: where FILL stands.
        ahead: whether all events are known from the beginning; else those that have come.
    """
    count, now = len(times), clock.now
    here = np.searchsorted(times, now, side="right") - 1
    following = here + 1
    if not ahead and count:
        at = np.arange(len(now))
        low, high = np.searchsorted(times, clock.hole)
        outside = np.concatenate([np.arange(low), np.arange(high, count)])
        known = np.searchsorted(steps[outside], at, side="right")
        filled = low + np.searchsorted(steps[low:high], at, side="right")
        # Before FILL: places among the events outside of the hole. A place in the hole falls back to before it.
        place = np.where(here < low, here, np.where(here < high, low - 1, here - (high - low)))
        place = np.minimum(place, known - 1)
        after = np.where(place + 1 < known, place + 1, -1)
        whole = np.append(outside, -1)
        # After FILL: all outside is known, and the hole up to `filled`.
        inner = np.where(here >= high, here, np.minimum(here, filled - 1))
        beyond = np.where((inner + 1 >= filled) & (inner + 1 < high), high, inner + 1)
        late = at > fill
        here = np.where(late, inner, np.where(place >= 0, whole[place], -1))
        following = np.where(late, beyond, whole[after])
    following = np.where(following < count, following, -1)
    return np.where(clock.in_bar, here, -1), np.where(clock.in_bar, following, -1)


def _in_time(example: Example, clock: _Clock, at: Ints) -> tuple[Ints, Ints]:
    """Returns times and steps of positioned events, in order of time."""
    times = clock.lines[example.bars[at]] + example.codes[POSITION, at] - 1
    order = np.argsort(times, kind="stable")
    return times[order], at[order]


def _distance(there: Ints, now: Ints, exists: NDArray[np.bool_]) -> Ints:
    found: Ints = np.where(exists, 1 + np.clip(there - now, 0, FAR), 0)
    return found


def _tell_chords(after: NDArray[np.int16], example: Example, clock: _Clock) -> None:
    at = np.flatnonzero(example.codes[KIND] == Kind.CHORD)
    if not len(at):
        return
    times, steps = _in_time(example, clock, at)
    given = not example.parts[int(example.parts_of[at[0]])].is_target
    here, following = _neighbours(times, steps, clock, example.fill, ahead=given)
    numbers = example.codes[VALUE, steps].astype(np.int64) - VALUES["chord"].start
    root, quality = chord_features(numbers)
    after[_AT["root"]] = np.where(here >= 0, root[here], 0)
    after[_AT["quality"]] = np.where(here >= 0, quality[here], 0)
    after[_AT["next_root"]] = np.where(following >= 0, root[following], 0)
    after[_AT["next_quality"]] = np.where(following >= 0, quality[following], 0)
    after[_AT["until_chord"]] = _distance(times[following], clock.now, following >= 0)


def chord_features(numbers: Ints) -> tuple[Ints, Ints]:
    """Returns root and quality of chord numbers as features: no chord is root 1 without quality."""
    root, quality = np.divmod(numbers - 1, len(QUALITY_NAMES))
    return np.where(numbers > 0, root + 2, 1), np.where(numbers > 0, quality + 1, 0)


def tune_part(example: Example) -> int:
    """Returns the part whose notes the others are told: the voice, else the melody; -1 if there is none."""
    for name in ("vocal", "melody"):
        role = ROLES.index(name)
        for index, chosen in enumerate(example.parts):
            if chosen.part.role == role:
                return index
    return -1


def _tell_tune(after: NDArray[np.int16], example: Example, clock: _Clock) -> None:
    index = tune_part(example)
    at = np.flatnonzero((example.codes[KIND] == Kind.NOTE) & (example.parts_of == index))
    if index < 0 or not len(at):
        return
    times, steps = _in_time(example, clock, at)
    ahead = not example.parts[index].is_target
    here, following = _neighbours(times, steps, clock, example.fill, ahead=ahead)
    pitch = example.codes[VALUE, steps].astype(np.int64) - VALUES["pitch"].start + 1
    ends = times + example.codes[LENGTH, steps] - LENGTHS["steps"].start + 1
    after[_AT["tune"]] = np.where(here >= 0, pitch[here], 0)
    after[_AT["tune_sounds"]] = np.where(here >= 0, 1 + (ends[here] <= clock.now), 0)
    after[_AT["next_tune"]] = np.where(following >= 0, pitch[following], 0)
    after[_AT["until_tune"]] = _distance(times[following], clock.now, following >= 0)


def _tell_own_notes(after: NDArray[np.int16], example: Example, clock: _Clock) -> None:
    """Tells every part its last two notes, how long ago and for how long yet, and the next one beyond a hole."""
    kinds, parts = example.codes[KIND], example.parts_of
    num_steps = example.num_steps
    at = np.flatnonzero((kinds == Kind.NOTE) | (kinds == Kind.CHORD))
    if not len(at):
        return
    at = at[np.argsort(parts[at], kind="stable")]
    owner, seat = parts[at], parts[at] * num_steps + at
    times = clock.lines[example.bars[at]] + example.codes[POSITION, at] - 1
    sounds = kinds[at] == Kind.NOTE
    lengths = example.codes[LENGTH, at] - LENGTHS["steps"].start + 1
    ends = times + np.where(lengths > 0, lengths, DRUM_STEPS)
    pitch = _own_pitch(example, at)
    every = np.arange(num_steps)
    last = np.searchsorted(seat, parts * num_steps + every, side="right") - 1
    first_of = np.searchsorted(owner, np.arange(len(example.parts) + 1))
    floor = first_of[parts]
    before = last - 1
    following = np.full(num_steps, -1)
    late = every > example.fill
    if late.any():
        early = np.flatnonzero(at < example.fill)
        key = owner[early] * (int(clock.lines[-1]) + 1) + times[early]
        span = int(clock.lines[-1]) + 1
        left_place = np.searchsorted(key, parts * span + clock.hole[0]) - 1
        right_place = np.searchsorted(key, parts * span + clock.hole[1])
        padded = np.append(early, -1)
        left = np.where(left_place >= 0, padded[left_place], -1)
        right = padded[np.minimum(right_place, len(early))]
        fresh = (last >= floor) & (at[last] > example.fill)
        second = fresh & ((before < floor) | (at[np.maximum(before, 0)] < example.fill))
        before = np.where(late & ~fresh, left - 1, np.where(late & second, left, before))
        last = np.where(late & ~fresh, left, last)
        following = np.where(late & (right >= 0) & (owner[right] == parts), right, -1)
    playing = parts >= 0
    has_last, has_before = playing & (last >= floor), playing & (before >= floor) & (last >= floor)
    after[_AT["last"]] = np.where(has_last, pitch[last], 0)
    after[_AT["before_last"]] = np.where(has_before, pitch[np.maximum(before, 0)], 0)
    after[_AT["since_last"]] = _distance(clock.now, times[last], has_last)
    after[_AT["last_holds"]] = _distance(ends[last], clock.now, has_last & sounds[last])
    after[_AT["next"]] = np.where(playing & (following >= 0), pitch[following], 0)


def _own_pitch(example: Example, at: Ints) -> Ints:
    """Returns pitches as features: 1 to 128, drums from 129, chords 0."""
    values = example.codes[VALUE, at].astype(np.int64)
    drums = np.array([chosen.part.role in DRUM_ROLES for chosen in example.parts])[example.parts_of[at]]
    pitch = np.where(drums, values - VALUES["drum"].start + 129, values - VALUES["pitch"].start + 1)
    found: Ints = np.where(example.codes[KIND, at] == Kind.NOTE, pitch, 0)
    return found


def word_plan(example: Example, index: int) -> WordPlan | None:
    """Returns what a part sings in an example; None if it sings nothing."""
    mine = np.flatnonzero((example.parts_of == index) & (example.codes[KIND] != Kind.TRACK))
    words = example.codes[WORD, mine]
    begins = (words == Word.UNSTRESSED) | (words == Word.STRESSED)
    if not begins.any():
        return None
    order = np.argsort(example.bars[mine], kind="stable")
    mine, begins, words = mine[order], begins[order], words[order]
    is_line = example.codes[KIND, mine] == Kind.LINE
    counted = np.cumsum(begins)
    lines = (counted - begins)[is_line]
    in_hole = mine > example.fill
    hole = (int(begins[in_hole].sum()), int(is_line[in_hole].sum()))
    early = example.bars[mine] < hole_bars(example)[0]
    before = (int(begins[early].sum()), int(is_line[early].sum()))
    return WordPlan(tuple(words[begins].tolist()), tuple(lines.tolist()), hole, before)


def _tell_words(after: NDArray[np.int16], example: Example, index: int) -> None:
    plan = word_plan(example, index)
    if plan is None:
        return
    mine = example.parts_of == index
    at = np.flatnonzero(mine)
    words, kinds = example.codes[WORD, at], example.codes[KIND, at]
    begins = ((words == Word.UNSTRESSED) | (words == Word.STRESSED)).astype(np.int64)
    lines = (kinds == Kind.LINE).astype(np.int64)
    order = np.argsort(example.bars[at], kind="stable")
    sung, begun = np.zeros(len(at), dtype=np.int64), np.zeros(len(at), dtype=np.int64)
    sung[order], begun[order] = np.cumsum(begins[order]), np.cumsum(lines[order])
    stress, left, following = word_features(plan, sung, begun)
    after[_AT["stress"], at], after[_AT["line_left"], at], after[_AT["next_line"], at] = stress, left, following


def word_features(plan: WordPlan, sung: Ints, begun: Ints) -> tuple[Ints, Ints, Ints]:
    """Returns the stress of the next syllable, what is left of the line + 1, and the next line's length + 1 if none is.

    Args:
        plan: of the part.
        sung: syllables that have been sung.
        begun: lines that have begun.
    """
    total = len(plan.stresses)
    stresses = np.array([*plan.stresses, 3])
    edges = np.array([*plan.lines, total, total])
    end = edges[np.minimum(begun, len(plan.lines))]
    left = np.maximum(end - sung, 0)
    size = edges[np.minimum(begun + 1, len(plan.lines) + 1)] - end
    following = np.where(left == 0, np.minimum(size, MOST_SYLLABLES) + 1, 0)
    return stresses[np.minimum(sung, total)], np.minimum(left, MOST_SYLLABLES) + 1, following
