"""`LearnedDrummer`: plays the grooves of a style book as the drummers would that the network learned from.

The backbone of a groove stays, the network writes what lies between (`groove_sheet`): kicks, ghost notes, opened hats,
gaps. Of several attempts and the book's own the one is played that says the most about its style.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from songwright.compose.arrange.drummer import Bars, Groove
from songwright.compose.learned.groove_sheet import Sheet, repeated
from songwright.compose.learned.judge import Reader
from songwright.compose.learned.scribe import Scribe
from songwright.compose.plan import SongPlan
from songwright.compose.style import Part, Style
from songwright.compose.tokens.batches import stack
from songwright.compose.tokens.vocabulary import KIND, POSITION, VALUE
from songwright.neural.sampling import SamplingSettings
from songwright.neural.step_model import StepModel
from songwright.seeding import generator

THINNEST, FULLEST = 0.8, 1.25
"""How many strokes an attempt may have for each of the book's."""

SETTINGS = SamplingSettings(temperature=0.95, top_p=0.97)
TOLD = {
    "rock": "rock", "metal": "rock", "pop": "pop", "punk": "punk", "funk": "funk",
    "soul": "soul", "rnb": "hip_hop", "bossa_nova": "latin", "salsa": "latin", "afrobeat": "afrobeat",
    "disco": "disco",
}  # fmt: skip
"""Style book → the style that the network is told.

Those of which it learned from five performances or more, and which came no further from their drummers by it
(`benchmarks/learned_drums.py`): jazz and Mandarin ballads did.
"""


class Network(StepModel, Reader, Protocol):
    """A network that writes and reads."""


@dataclass(frozen=True)
class LearnedDrummer:
    """An `arrange.drummer.Drummer`.

    Attributes:
        network: what writes and reads.
        attempts: of each groove.
    """

    network: Network
    attempts: int = 4

    def play(self, plan: SongPlan, style: Style, part: Part, grooves: Sequence[Groove], *, seed: int) -> list[Bars]:
        """Returns the bars of each groove; see `arrange.drummer.Drummer`.

        Styles of which no drummers were learned from, and metres other than four quarters, keep the book's.
        How busy a groove may become is bounded, so that louder ones stay fuller.
        """
        played = {groove.number: groove.bars for groove in grooves}
        told = TOLD.get(style.name, "")
        if told and (plan.numerator, plan.denominator) == (4, 4):
            for groove in sorted(grooves, key=lambda groove: groove.intensity):
                triplets = part.pattern[groove.number].grid % 3 == 0
                sheet = Sheet(plan, style, told, groove.bars, triplets)
                low, high = _limits(groove, grooves, played)
                random = [generator(seed, "drummer", part.id, groove.number, i) for i in range(self.attempts)]
                fitting = [bars for bars in self._attempts(sheet, random) if low <= _strokes(bars) <= high]
                played[groove.number] = self._best(sheet, [groove.bars, *fitting])
        return [played[groove.number] for groove in grooves]

    def _attempts(self, sheet: Sheet, random: Sequence[np.random.Generator]) -> list[Bars]:
        """Returns some bars between others of the book's groove as the network has them, once for each generator."""
        scribe = Scribe(self.network, sheet.page(), rules={0: sheet.rules()}, settings=SETTINGS)
        return [sheet.hits(written) for written in scribe.write(random, max_steps=self.network.max_steps)]

    def _best(self, sheet: Sheet, candidates: Sequence[Bars]) -> Bars:
        """Returns the candidate whose strokes the style explains best.

        A style explains what is likelier, event by event, when the network is told it than when it is not.
        """
        count = max(map(len, candidates))
        whole = list(dict.fromkeys(tuple(repeated(bars, count)) for bars in candidates))
        if len(whole) == 1:
            return whole[0]
        batch = stack([sheet.example(bars, told=told) for told in (False, True) for bars in whole])
        nats = self.network.nats(batch.codes.astype(np.int64), batch.features.astype(np.int64), batch.mask)
        costs = nats[:, (KIND, POSITION, VALUE)].sum(axis=(1, 2)) / batch.mask[:, KIND].sum(axis=1)
        without, told = costs.reshape(2, -1)
        return whole[int(np.argmax(without - told))]


def _strokes(bars: Bars) -> float:
    """Returns strokes for each bar."""
    return sum(map(len, bars)) / len(bars)


def _limits(groove: Groove, grooves: Sequence[Groove], played: dict[int, Bars]) -> tuple[float, float]:
    """Returns between how many strokes a bar a groove may have.

    Of two grooves the louder one stays the fuller one where it was, and where it was not they come no further apart.
    """
    own = _strokes(groove.bars)
    quieter = [_strokes(played[g.number]) for g in grooves if g.intensity < groove.intensity]
    louder = [_strokes(g.bars) for g in grooves if g.intensity > groove.intensity]
    low = max(THINNEST * own, min(own, max(quieter, default=0.0)))
    return low, min(FULLEST * own, max(own, min(louder, default=FULLEST * own)))
