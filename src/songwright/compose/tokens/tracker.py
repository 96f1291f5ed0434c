"""`Tracker`: the features of `features` one event at a time, for writing what is not there yet."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.echoes import BACK, EchoTracker
from songwright.compose.tokens.features import (
    BAR_FEATURES,
    FAR,
    MOST_SYLLABLES,
    NAMES,
    PART_FEATURES,
    WordPlan,
    bar_rows,
    chord_features,
    hole_bars,
    part_rows,
    tune_part,
    word_plan,
)
from songwright.compose.tokens.piece import HARMONY_ROLE
from songwright.compose.tokens.vocabulary import (
    DRUM_ROLES,
    KIND,
    LENGTH,
    LENGTHS,
    POSITION,
    VALUE,
    VALUES,
    WORD,
    Kind,
    Word,
)
from songwright.compose.tokens.windows import Example

_AT = {name: place for place, name in enumerate(NAMES)}
_PART_AT = [_AT[name] for name in PART_FEATURES]
_BAR_AT = [_AT[name] for name in BAR_FEATURES]
_FIRST_ECHO = len(NAMES) - 2 * len(BACK)
_FOLLOWS = {Kind.TRACK: 1, Kind.BAR: 2, Kind.FILL: 3, Kind.EOS: 3}
_STARTS_WORD = (Word.UNSTRESSED, Word.STRESSED)


@dataclass(slots=True)
class _Known:
    """Events that are known, in order of time.

    Attributes:
        times: of each, rising.
        values: what each is.
        ends: when each stops sounding.
    """

    times: list[int] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def add(self, time: int, value: int, end: int = 0) -> None:
        """Puts an event after all that are not later."""
        place = bisect_right(self.times, time)
        self.times.insert(place, time)
        self.values.insert(place, value)
        self.ends.insert(place, end)


@dataclass(slots=True)
class _Sung:
    """How far a part has come in its words."""

    plan: WordPlan
    sung: int = 0
    begun: int = 0


class Tracker:
    """Walks through an example whose given events are known and whose others are being written.

    After `feed` of every event before t, `features` is what `features.features` has in column t.

    Args:
        example: gives the parts, bars, and all given events; of parts that are to be written it may hold nothing.
        words: what parts sing, by place; what the example itself sings where left out.
    """

    def __init__(self, example: Example, words: dict[int, WordPlan] | None = None) -> None:
        self._parts = part_rows(example)
        self._bars = bar_rows(example)
        self._lines = np.concatenate([[0], np.cumsum(example.bar_steps)]).tolist()
        self._style = example.style
        self._roles = [chosen.part.role for chosen in example.parts]
        self._tune = tune_part(example)
        self._chords, self._tunes = _Known(), _Known()
        self._own = [_Known() for _ in example.parts]
        harmony = [i for i, role in enumerate(self._roles) if role == HARMONY_ROLE]
        self._chords_ahead = bool(harmony) and not example.parts[harmony[0]].is_target
        self._tune_ahead = self._tune >= 0 and not example.parts[self._tune].is_target
        for step in range(example.num_steps):
            self._look_ahead(example, step, harmony)
        self._hole = hole_bars(example)
        self._echoes = EchoTracker()
        plans = {i: word_plan(example, i) for i in range(len(example.parts))} | (words or {})
        self._words = {i: _Sung(plan) for i, plan in plans.items() if plan is not None}
        self._bar = self._part = -1
        self._position = 0
        self._filling = self._past = False
        self.features: NDArray[np.int16] = np.zeros(len(NAMES), dtype=np.int16)

    def _look_ahead(self, example: Example, step: int, harmony: Sequence[int]) -> None:
        part, event = int(example.parts_of[step]), example.codes[:, step]
        if part < 0 or event[KIND] not in (Kind.NOTE, Kind.CHORD):
            return
        time = self._lines[int(example.bars[step])] + int(event[POSITION]) - 1
        if self._chords_ahead and part in harmony:
            self._chords.add(time, int(event[VALUE]) - VALUES["chord"].start)
        elif self._tune_ahead and part == self._tune:
            self._tunes.add(time, *_pitch_and_end(event, time, drums=False))

    def feed(self, event: NDArray[np.integer], part: int, follows: Kind | None = None) -> None:
        """Goes on by one event.

        Args:
            event: (6,).
            part: place of the part it belongs to (TRACK too), -1 outside of parts.
            follows: what comes after the part that the event opens or belongs to: TRACK, BAR, FILL or EOS.
        """
        kind = Kind(int(event[KIND]))
        if kind == Kind.BAR:
            self._open_bar(int(event[VALUE]) - VALUES["bar"].start)
        elif kind in (Kind.FILL, Kind.EOS):
            self._bar = -1
            self._filling = self._filling or kind == Kind.FILL
        self._part = part
        if part < 0 or kind == Kind.TRACK:
            self._position = 0
            self._echoes.open_part()
        elif kind != Kind.TIE:
            self._position = int(event[POSITION])
            self._note(event, kind)
        self._tell(follows)

    def _open_bar(self, bar: int) -> None:
        self._bar = bar
        self._echoes.open_bar(bar)
        for sung in self._words.values():
            if bar == self._hole[1] and not self._filling and not self._past:
                sung.sung += sung.plan.hole[0]
                sung.begun += sung.plan.hole[1]
            elif bar == self._hole[0] and self._filling:
                sung.sung, sung.begun = sung.plan.before_hole
        self._past = self._past or bar == self._hole[1]

    def _note(self, event: NDArray[np.integer], kind: Kind) -> None:
        """Keeps what a note, chord or line means for what comes."""
        part, time = self._part, self._lines[self._bar] + int(event[POSITION]) - 1
        self._echoes.feed(kind, part, self._bar, int(event[POSITION]), int(event[VALUE]))
        if kind == Kind.NOTE:
            drums = self._roles[part] in DRUM_ROLES
            pitch, end = _pitch_and_end(event, time, drums=drums)
            self._own[part].add(time, pitch, end)
            if part == self._tune and not self._tune_ahead:
                self._tunes.add(time, pitch, end)
        elif kind == Kind.CHORD:
            self._own[part].add(time, 0, time + (int(event[LENGTH]) or 6))
            if not self._chords_ahead:
                self._chords.add(time, int(event[VALUE]) - VALUES["chord"].start)
        sung = self._words.get(part)
        if sung is not None:
            sung.sung += event[WORD] in _STARTS_WORD
            sung.begun += kind == Kind.LINE

    def _tell(self, follows: Kind | None) -> None:
        out = np.zeros(len(NAMES), dtype=np.int16)
        out[_AT["style"]] = self._style
        self.features = out
        if self._bar < 0:
            return
        out[_BAR_AT] = self._bars[self._bar]
        out[_AT["segment"]] = 1 + self._filling
        now = self._lines[self._bar] + max(self._position - 1, 0)
        self._tell_chords(out, now)
        self._tell_tune(out, now)
        if self._part < 0:
            return
        out[_PART_AT] = self._parts[self._part]
        out[_AT["follows"]] = 0 if follows is None else _FOLLOWS[follows]
        out[_AT["position"]] = self._position
        self._tell_own(out, now)
        self._tell_words(out)
        out[_FIRST_ECHO:] = self._echoes.tell(self._part, self._bar)

    def _tell_chords(self, out: NDArray[np.int16], now: int) -> None:
        known = self._chords
        at = bisect_right(known.times, now)
        for place, root, quality in ((at - 1, "root", "quality"), (at, "next_root", "next_quality")):
            if 0 <= place < len(known.times):
                out[_AT[root]], out[_AT[quality]] = chord_features(np.int64(known.values[place]))  # type: ignore[arg-type]
        if at < len(known.times):
            out[_AT["until_chord"]] = _distance(known.times[at] - now)

    def _tell_tune(self, out: NDArray[np.int16], now: int) -> None:
        known = self._tunes
        at = bisect_right(known.times, now)
        if at:
            out[_AT["tune"]] = known.values[at - 1]
            out[_AT["tune_sounds"]] = 1 + (known.ends[at - 1] <= now)
        if at < len(known.times):
            out[_AT["next_tune"]] = known.values[at]
            out[_AT["until_tune"]] = _distance(known.times[at] - now)

    def _tell_own(self, out: NDArray[np.int16], now: int) -> None:
        known = self._own[self._part]
        at = bisect_right(known.times, now)
        if at:
            out[_AT["last"]] = known.values[at - 1]
            out[_AT["since_last"]] = _distance(now - known.times[at - 1])
            out[_AT["last_holds"]] = _distance(known.ends[at - 1] - now)
        if at > 1:
            out[_AT["before_last"]] = known.values[at - 2]
        if self._filling and at < len(known.times):
            out[_AT["next"]] = known.values[at]

    def _tell_words(self, out: NDArray[np.int16]) -> None:
        state = self._words.get(self._part)
        if state is None:
            return
        plan = state.plan
        total, lines = len(plan.stresses), len(plan.lines)
        end = plan.lines[state.begun] if state.begun < lines else total
        left = max(end - state.sung, 0)
        out[_AT["stress"]] = plan.stresses[state.sung] if state.sung < total else 3
        out[_AT["line_left"]] = 1 + min(left, MOST_SYLLABLES)
        if not left:
            following = plan.lines[state.begun + 1] if state.begun + 1 < lines else total
            out[_AT["next_line"]] = 1 + min(following - end, MOST_SYLLABLES)


def _distance(steps: int) -> int:
    return 1 + min(max(steps, 0), FAR)


def _pitch_and_end(event: NDArray[np.integer], time: int, *, drums: bool) -> tuple[int, int]:
    """Returns the pitch as a feature, and when the note stops sounding."""
    if drums:
        return int(event[VALUE]) - VALUES["drum"].start + 129, time + 6
    return int(event[VALUE]) - VALUES["pitch"].start + 1, time + int(event[LENGTH]) - LENGTHS["steps"].start + 1
