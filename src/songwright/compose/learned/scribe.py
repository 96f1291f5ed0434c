"""The scribe: writes the parts of an example that are to be written, event by event, several candidates side by side.

What is given is fed as it stands; at every part that is to be written the network chooses, under the grammar and the
part's rules, until it says that the part ends in this bar. All rows share one batch; each has its own random numbers.
What they have in common is read by one of them, and a row that has ended leaves the batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from songwright.compose.learned.grammar import Event, Place, Rules, allowed
from songwright.compose.tokens.features import WordPlan
from songwright.compose.tokens.tracker import Tracker
from songwright.compose.tokens.vocabulary import KIND, NUM_STREAMS, POSITION, VALUE, Kind
from songwright.compose.tokens.windows import Example
from songwright.errors import InputError
from songwright.neural.sampling import SamplingSettings, sample
from songwright.neural.step_model import Codes, StepModel

Ints = NDArray[np.int64]
_OPENERS = {int(kind): kind for kind in (Kind.TRACK, Kind.BAR, Kind.FILL, Kind.EOS)}
MOST_IN_A_BAR = 64
FEWEST_ROWS = 2
"""Products of one row may be rounded otherwise than those of several, so several never become one."""

_RESERVE = 8


@dataclass(frozen=True)
class Written:
    """One candidate.

    Attributes:
        codes: (6, T) all events, given ones too.
        bars: (T,) bar of the example of each; -1 outside of bars.
        parts: (T,) part of each; -1 outside of parts.
        free: (T,) which were chosen by the network.
        ended: (T,) part that was ended by the event; -1 for none.
        log_probabilities: (T,) nats of each chosen event, ends of parts included; 0 elsewhere.
    """

    codes: Codes
    bars: Ints
    parts: Ints
    free: NDArray[np.bool_]
    ended: Ints
    log_probabilities: NDArray[np.float64]

    def likelihood(self, part: int) -> float:
        """Returns the mean log-probability of what was chosen for a part: its events, and where it ends in each bar."""
        mine = (self.free & (self.parts == part)) | (self.ended == part)
        return float(self.log_probabilities[mine].sum() / max(1, np.count_nonzero(mine)))


def skeleton(example: Example, from_bar: int = 0) -> tuple[Example, NDArray[np.bool_]]:
    """Returns the example without what is to be written, and which of its TRACK events open something to write.

    Args:
        example: as built; with a hole only what lies in the hole is written.
        from_bar: bars before it keep what they have, where there is no hole.
    """
    steps = np.arange(example.num_steps)
    has_hole = example.fill < example.num_steps
    inside = steps > example.fill if has_hole else example.bars >= from_bar
    written = example.targets & inside
    opens = example.codes[KIND] == Kind.TRACK
    keep = ~written | opens
    bare = replace(
        example, codes=example.codes[:, keep], mask=example.mask[:, keep], bars=example.bars[keep],
        parts_of=example.parts_of[keep], fill=int(np.count_nonzero(keep[: example.fill])),
    )  # fmt: skip
    return bare, (written & opens)[keep]


def follows_of(kinds: NDArray[np.int16]) -> list[Kind]:
    """Returns for each event which kind ends the part that it opens or belongs to: TRACK, BAR, FILL or EOS."""
    found, following = [Kind.EOS] * len(kinds), Kind.EOS
    for i, kind in reversed(list(enumerate(kinds.tolist()))):
        found[i] = following
        following = _OPENERS.get(kind, following)
    return found


@dataclass
class _Row:
    """One candidate while it is written."""

    tracker: Tracker
    cursor: int
    place: Place | None = None
    event: Event = field(default_factory=lambda: np.zeros(NUM_STREAMS, dtype=np.int64))
    nats: float = 0.0
    forced: bool = False
    events: list[Event] = field(default_factory=list)
    bars: list[int] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    free: list[bool] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    log_probabilities: list[float] = field(default_factory=list)

    def fork(self) -> "_Row":
        """Returns a row that goes on from here by itself."""
        return _Row(
            self.tracker.fork(), self.cursor, events=list(self.events), bars=list(self.bars), parts=list(self.parts),
            free=list(self.free), ended=list(self.ended), log_probabilities=list(self.log_probabilities),
        )  # fmt: skip


class Scribe:
    """Writes candidates of one example.

    Args:
        model: the network.
        example: what is given and what is to be written.
        rules: of parts, by their place in the example.
        settings: one for all streams or one for each.
        from_bar: bars before it keep what they have.
        words: what parts sing, by their place.
    """

    def __init__(
        self,
        model: StepModel,
        example: Example,
        *,
        rules: Mapping[int, Rules] | None = None,
        settings: SamplingSettings | Sequence[SamplingSettings] | None = None,
        from_bar: int = 0,
        words: Mapping[int, WordPlan] | None = None,
    ) -> None:
        self.model, self.rules = model, dict(rules or {})
        self.bare, self.opens = skeleton(example, from_bar)
        self.words = None if words is None else dict(words)
        one = settings or SamplingSettings()
        self.settings = [one] * NUM_STREAMS if isinstance(one, SamplingSettings) else list(one)
        self.follows = follows_of(self.bare.codes[KIND])

    def write(self, random: Sequence[np.random.Generator], *, max_steps: int) -> tuple[Written, ...]:
        """Returns one candidate for each generator.

        Args:
            random: of each row; a row is the same whatever others are written beside it.
            max_steps: most events, given ones included.

        Raises:
            InputError: what is given alone is longer than that.
        """
        self.max_steps = max_steps
        first = int(np.flatnonzero(self.opens)[0]) if self.opens.any() else self.bare.num_steps - 1
        if self.bare.num_steps + _RESERVE > max_steps:
            raise InputError(f"{self.bare.num_steps} given events leave no room in {max_steps}: ask for fewer bars")
        rows = self._begin(first, len(random))
        step, active = first + 1, self._left(rows, list(range(len(rows))))
        while active:
            self._step([rows[i] for i in active], step, [random[i] for i in active])
            step += 1
            active = self._left(rows, active)
        return tuple(_finished(row) for row in rows)

    def _begin(self, first: int, count: int) -> list[_Row]:
        """Feeds what is given up to the first part that is to be written, by one row, and returns the rows."""
        tracker = Tracker(self.bare, self.words)
        lead = _Row(tracker, 0)
        self.model.start(1, self.max_steps)
        for i in range(first + 1):
            self._tell(i, [tracker.features])
            self._given(lead)
        self.model.prefill(np.stack(lead.events, axis=1)[None])
        self._tell(first + 1, [tracker.features])
        self.model.logits()
        self.model.reorder(np.zeros(count, dtype=np.int64))
        rows = [lead.fork() for _ in range(count)]
        for row in rows:
            self._open(row)
        return rows

    def _left(self, rows: list[_Row], active: list[int]) -> list[int]:
        """Returns the rows of the batch that go on, having taken the others out of it; places of some are filled."""
        going = [place for place, i in enumerate(active) if rows[i].cursor < self.bare.num_steps]
        fewest = min(FEWEST_ROWS, len(active))
        if not going:
            return []
        if len(going) == len(active) or len(active) == fewest:
            return active
        ended = [place for place in range(len(active)) if place not in going]
        kept = sorted([*going, *ended[: max(0, fewest - len(going))]])
        late = [place for place in kept if place >= len(kept)]
        places = [place if place in kept else late.pop(0) for place in range(len(kept))]
        self.model.reorder(np.array(places))
        return [active[place] for place in places]

    def _tell(self, step: int, features: Sequence[NDArray[np.int16]]) -> None:
        self.model.set_features(step, np.stack(features).astype(np.int64))

    def _given(self, row: _Row) -> None:
        """Takes the next event as it is given."""
        i = row.cursor
        self._keep(row, self.bare.codes[:, i].astype(np.int64), int(self.bare.bars[i]), int(self.bare.parts_of[i]))
        row.tracker.feed(self.bare.codes[:, i], int(self.bare.parts_of[i]), self.follows[i])
        row.cursor += 1

    def _keep(self, row: _Row, event: Event, bar: int, part: int, nats: float = 0.0, *, free: bool = False) -> None:
        row.events.append(event)
        row.bars.append(bar)
        row.parts.append(part)
        row.free.append(free)
        row.ended.append(-1)
        row.log_probabilities.append(nats)

    def _open(self, row: _Row) -> None:
        """Begins to write where the event just taken opens a part that is to be written."""
        i = row.cursor - 1
        if not self.opens[i]:
            return
        part, bar = int(self.bare.parts_of[i]), int(self.bare.bars[i])
        row.place = Place(bar, self.bare.parts[part].part.role, int(self.bare.bar_steps[bar]))

    def _step(self, rows: list[_Row], step: int, random: Sequence[np.random.Generator]) -> None:
        """Writes one event of every row."""
        self._tell(step, [row.tracker.features for row in rows])
        for row in rows:
            row.nats, row.forced = 0.0, row.place is None
            row.event = np.zeros(NUM_STREAMS, dtype=np.int64)
        for stream in range(NUM_STREAMS):
            self._stream(rows, stream, step, random)
            self.model.feed(np.array([row.event[stream] for row in rows]))
        for row in rows:
            self._taken(row)

    def _stream(self, rows: list[_Row], stream: int, step: int, random: Sequence[np.random.Generator]) -> None:
        asking, masks = [], []
        for i, row in enumerate(rows):
            if row.forced:
                if row.cursor < self.bare.num_steps:
                    row.event[stream] = self.bare.codes[stream, row.cursor]
                continue
            assert row.place is not None
            ends = self.follows[row.cursor - 1]
            part = int(self.bare.parts_of[row.cursor - 1])
            mask = allowed(stream, row.place, row.event, ends, self.rules.get(part))
            left = self.max_steps - step - (self.bare.num_steps - row.cursor)
            if stream == KIND and (row.place.count >= MOST_IN_A_BAR or left < _RESERVE):
                mask[:] = False
                mask[ends] = True
            if np.count_nonzero(mask) == 1:
                row.event[stream] = int(mask.argmax())
            else:
                asking.append(i)
                masks.append(mask)
            if stream == KIND and asking[-1:] != [i]:
                row.forced = row.event[KIND] == ends
        if not asking:
            return
        logits = self.model.logits()[asking]
        drawn = sample(logits, self.settings[stream], [random[i] for i in asking], allowed=np.stack(masks))
        for i, token, nats in zip(asking, drawn.tokens, drawn.log_probabilities, strict=True):
            row = rows[i]
            row.event[stream] = token
            row.nats += float(nats)
            if stream == KIND:
                row.forced = token == self.follows[row.cursor - 1]

    def _taken(self, row: _Row) -> None:
        """Moves a row on by the event that it now holds."""
        if row.cursor >= self.bare.num_steps:
            return
        if row.place is None or row.forced:
            ended = row.place is not None
            row.place = None
            self._given(row)
            if ended:
                row.ended[-1] = int(self.bare.parts_of[row.cursor - 2])
                row.log_probabilities[-1] = row.nats
            self._open(row)
            return
        i, place = row.cursor - 1, row.place
        part = int(self.bare.parts_of[i])
        self._keep(row, row.event, place.bar, part, row.nats, free=True)
        row.tracker.feed(row.event, part, self.follows[i])
        place.last, place.last_value = int(row.event[POSITION]) - 1, int(row.event[VALUE])
        place.count += 1


def _finished(row: _Row) -> Written:
    return Written(
        np.stack(row.events, axis=1), np.array(row.bars), np.array(row.parts), np.array(row.free),
        np.array(row.ended), np.array(row.log_probabilities),
    )  # fmt: skip
