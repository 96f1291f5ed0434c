"""`Tracker`: the features of `features` one event at a time, for writing what is not there yet.

Plain numbers and lists: it runs once for every event of every candidate.
"""

import copy
from bisect import bisect_right
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.echoes import BACK, EchoTracker
from songwright.compose.tokens.features import (
    FAR,
    FEATURES,
    MOST_SYLLABLES,
    WordPlan,
    bar_rows,
    chord_features,
    hole_bars,
    part_rows,
    tune_part,
    word_plan,
)
from songwright.compose.tokens.grid import DRUM_STEPS
from songwright.compose.tokens.piece import HARMONY_ROLE
from songwright.compose.tokens.vocabulary import DRUM_ROLES, LENGTHS, VALUES, Kind, Word
from songwright.compose.tokens.windows import Example

_FOLLOWS = {Kind.TRACK: 1, Kind.BAR: 2, Kind.FILL: 3, Kind.EOS: 3}
_ENDS = (int(Kind.FILL), int(Kind.EOS))
_NOTE, _CHORD, _LINE, _TIE = int(Kind.NOTE), int(Kind.CHORD), int(Kind.LINE), int(Kind.TIE)
_BAR, _FILL, _TRACK = int(Kind.BAR), int(Kind.FILL), int(Kind.TRACK)
_BAR_NUMBERS, _STEPS, _CHORDS = VALUES["bar"].start, LENGTHS["steps"].start, VALUES["chord"].start
_DRUM_SHIFT, _PITCH_SHIFT = 129 - VALUES["drum"].start, 1 - VALUES["pitch"].start
_CHORD_FEATURES = [
    (int(root), int(quality)) for root, quality in zip(*chord_features(np.arange(VALUES["chord"].size)), strict=True)
]
_NEW_WORD = (int(Word.UNSTRESSED), int(Word.STRESSED))
_NO_ECHO = [0] * (2 * len(BACK))
_SILENT = -1
"""When a chord stops sounding: it is no sound."""


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

    def fork(self) -> "_Known":
        """Returns the same, to go on by itself."""
        return _Known(list(self.times), list(self.values), list(self.ends))


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
        rows = part_rows(example).tolist()
        self._parts = [(row[:2], row[2:]) for row in rows]
        self._bars: list[list[int]] = bar_rows(example).tolist()
        self._lines: list[int] = np.concatenate([[0], np.cumsum(example.bar_steps)]).tolist()
        self._style = example.style
        self._drums = [chosen.part.role in DRUM_ROLES for chosen in example.parts]
        self._tune = tune_part(example)
        self._chords, self._tunes = _Known(), _Known()
        self._own = [_Known() for _ in example.parts]
        harmony = next((i for i, chosen in enumerate(example.parts) if chosen.part.role == HARMONY_ROLE), -1)
        self._chords_ahead = harmony >= 0 and not example.parts[harmony].is_target
        self._tune_ahead = self._tune >= 0 and not example.parts[self._tune].is_target
        self._look_ahead(example, harmony)
        self._hole = hole_bars(example)
        self._echoes = EchoTracker()
        plans = {i: word_plan(example, i) for i in range(len(example.parts))} | (words or {})
        self._words = {i: _Sung(plan) for i, plan in plans.items() if plan is not None}
        self._bar = self._part = -1
        self._position = 0
        self._filling = self._past = False
        self.features: NDArray[np.int16] = np.zeros(len(FEATURES), dtype=np.int16)

    def fork(self) -> "Tracker":
        """Returns a tracker that goes on from here by itself; what never changes is shared."""
        fork = copy.copy(self)
        fork._chords, fork._tunes = self._chords.fork(), self._tunes.fork()
        fork._own = [known.fork() for known in self._own]
        fork._echoes = self._echoes.fork()
        fork._words = {part: replace(sung) for part, sung in self._words.items()}
        return fork

    def _look_ahead(self, example: Example, harmony: int) -> None:
        """Learns the chords and the tune where they are given."""
        rows = zip(example.codes.T.tolist(), example.bars.tolist(), example.parts_of.tolist(), strict=True)
        for (kind, position, value, length, _, _), bar, part in rows:
            if kind == _CHORD and self._chords_ahead and part == harmony:
                self._chords.add(self._lines[bar] + position - 1, value - _CHORDS)
            elif kind == _NOTE and self._tune_ahead and part == self._tune:
                time = self._lines[bar] + position - 1
                self._tunes.add(time, value + _PITCH_SHIFT, time + length - _STEPS + 1)

    def feed(self, event: NDArray[np.integer], part: int, follows: Kind | None = None) -> None:
        """Goes on by one event.

        Args:
            event: (6,).
            part: place of the part it belongs to (TRACK too), -1 outside of parts.
            follows: what comes after the part that the event opens or belongs to: TRACK, BAR, FILL or EOS.
        """
        kind, position, value, length, _, word = event.tolist()
        if kind == _BAR:
            self._open_bar(value - _BAR_NUMBERS)
        elif kind in _ENDS:
            self._bar = -1
            self._filling = self._filling or kind == _FILL
        self._part = part
        if part < 0 or kind == _TRACK:
            self._position = 0
            self._echoes.open_part()
        elif kind != _TIE:
            self._position = position
            self._keep(kind, position, value, length, word)
        self.features = np.array(self._told(follows), dtype=np.int16)

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

    def _keep(self, kind: int, position: int, value: int, length: int, word: int) -> None:
        """Keeps what a note, chord or line means for what comes."""
        part, time = self._part, self._lines[self._bar] + position - 1
        sung = self._words.get(part)
        if kind == _NOTE:
            drums = self._drums[part]
            pitch = value + (_DRUM_SHIFT if drums else _PITCH_SHIFT)
            end = time + (DRUM_STEPS if drums else length - _STEPS + 1)
            self._own[part].add(time, pitch, end)
            self._echoes.feed(part, self._bar, position, value, pitch)
            if part == self._tune and not self._tune_ahead:
                self._tunes.add(time, pitch, end)
            if sung is not None and word in _NEW_WORD:
                sung.sung += 1
        elif kind == _CHORD:
            self._own[part].add(time, 0, _SILENT)
            self._echoes.feed(part, self._bar, position, value, _CHORD_FEATURES[value - _CHORDS][0])
            if not self._chords_ahead:
                self._chords.add(time, value - _CHORDS)
        elif kind == _LINE:
            self._echoes.feed_line(position)
            if sung is not None:
                sung.begun += 1

    def _told(self, follows: Kind | None) -> list[int]:
        """Returns all features in their order."""
        part, bar = self._part, self._bar
        if bar < 0:
            out = [0] * len(FEATURES)
            out[_STYLE] = self._style
            return out
        now = self._lines[bar] + max(self._position - 1, 0)
        seat, kind = self._parts[part]
        inside = part >= 0
        after = _FOLLOWS[follows] if inside and follows is not None else 0
        return [
            *seat, after, 1 + self._filling, *self._bars[bar], self._position if inside else 0,
            *self._told_chords(now), *self._told_tune(now), *(self._told_own(now) if inside else (0, 0, 0, 0, 0)),
            *(self._told_words() if inside else (0, 0, 0)), self._style, *kind,
            *(self._echoes.tell(part, bar) if inside else _NO_ECHO),
        ]  # fmt: skip

    def _told_chords(self, now: int) -> tuple[int, ...]:
        known = self._chords
        at = bisect_right(known.times, now)
        here = _CHORD_FEATURES[known.values[at - 1]] if at else (0, 0)
        if at >= len(known.times):
            return (*here, 0, 0, 0)
        return (*here, *_CHORD_FEATURES[known.values[at]], _distance(known.times[at] - now))

    def _told_tune(self, now: int) -> tuple[int, int, int, int]:
        known = self._tunes
        at = bisect_right(known.times, now)
        pitch, sounds = (known.values[at - 1], 1 + (known.ends[at - 1] <= now)) if at else (0, 0)
        if at >= len(known.times):
            return pitch, sounds, 0, 0
        return pitch, sounds, known.values[at], _distance(known.times[at] - now)

    def _told_own(self, now: int) -> tuple[int, int, int, int, int]:
        known = self._own[self._part]
        at = bisect_right(known.times, now)
        beyond = known.values[at] if self._filling and at < len(known.times) else 0
        if not at:
            return 0, 0, 0, 0, beyond
        before = known.values[at - 2] if at > 1 else 0
        since, end = _distance(now - known.times[at - 1]), known.ends[at - 1]
        left = 0 if end == _SILENT else _distance(end - now)
        return known.values[at - 1], before, since, left, beyond

    def _told_words(self) -> tuple[int, int, int]:
        state = self._words.get(self._part)
        if state is None:
            return 0, 0, 0
        plan = state.plan
        total, lines = len(plan.stresses), len(plan.lines)
        end = plan.lines[state.begun] if state.begun < lines else total
        left = max(end - state.sung, 0)
        following = 0
        if not left:
            after = plan.lines[state.begun + 1] if state.begun + 1 < lines else total
            following = 1 + min(after - end, MOST_SYLLABLES)
        stress = plan.stresses[state.sung] if state.sung < total else 3
        return stress, 1 + min(left, MOST_SYLLABLES), following


_STYLE = list(FEATURES).index("style")


def _distance(steps: int) -> int:
    return 1 + min(max(steps, 0), FAR)
