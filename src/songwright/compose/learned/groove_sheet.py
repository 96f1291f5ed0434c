"""`Sheet`: a groove of a style book as the network reads and writes it, and as strokes of the book again.

Drummers were learned from alone, without a band around them, told their style, tempo and how busy they are
(Groove MIDI): so a sheet shows the drums alone. Which groove is the better one is not decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from songwright.compose.arrange.drum_patterns import Hit
from songwright.compose.arrange.drummer import Bars
from songwright.compose.arrange.grooves import MARKS, levels_of
from songwright.compose.learned.scribe import Written
from songwright.compose.learned.strokes import Stroke, StrokeRules
from songwright.compose.plan import SongPlan
from songwright.compose.style import Style
from songwright.compose.tokens.controls import CONTROLS, UNSAID, measure
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.piece import Part, index_piece
from songwright.compose.tokens.vocabulary import (
    GRID,
    INSTRUMENT_NAMES,
    KIND,
    POSITION,
    ROLES,
    STYLES,
    TICKS_PER_STEP,
    VALUE,
    VALUES,
    VELOCITIES,
    VELOCITY,
    VELOCITY_LEVELS,
    Kind,
)
from songwright.compose.tokens.windows import Choice, ChosenPart, Example, build
from songwright.score.drums import DRUM_NAMES, DRUMS
from songwright.score.song import TICKS_PER_QUARTER, KeyChange, MeterChange, Note, Song, TempoChange, Track

DRUMS_ROLE = ROLES.index("drums")
KIT = "standard_kit"
"""The kit on which drummers were recorded."""

FREE = ("kick", "snare", "closed_hat", "open_hat", "pedal_hat", "ride", "ride_bell")
"""Drums that may be struck where the book does not strike them; of all others the book's strokes stay."""

BARS = 2
"""Bars that are written at least."""

SOFT = MARKS[:2]
"""Marks of snares beside the backbeat."""

_LENGTH = TICKS_PER_QUARTER // 4
_HALF, _THIRDS = GRID // 2, 2 * GRID // 3


@dataclass(frozen=True)
class Sheet:
    """A groove and what is told of it.

    Attributes:
        plan: the form.
        style: the style book.
        told: the style that the network is told, one of `STYLES`.
        book: the groove as it is written.
        triplets: whether its beats are parted into thirds.
    """

    plan: SongPlan
    style: Style
    told: str
    book: Bars
    triplets: bool

    @property
    def swung(self) -> bool:
        """Whether eighths are written straight and played as triplets."""
        return self.style.feel.swing_unit == 8 and self.style.feel.swing >= 0.5

    def example(
        self, bars: Sequence[Sequence[Hit]], *, hole: tuple[int, int] | None = None, told: bool = True
    ) -> Example:
        """Returns the example of some bars of drums, perhaps with a hole, told how busy the book is.

        Args:
            bars: from the first on.
            hole: bars that are to be written; None to have them all read.
            told: whether the style is said.
        """
        notes = {
            (i, self._stroke(hit)): Note(
                i * self.plan.bar_ticks + self._step(hit) * TICKS_PER_STEP, _LENGTH, DRUMS[hit.drum], self._loud(hit)
            )
            for i, bar in enumerate(bars)
            for hit in bar
        }
        song = Song(
            style=self.told,
            duration_ticks=len(bars) * self.plan.bar_ticks,
            tempos=(TempoChange(0, self.plan.tempo_bpm),),
            meters=(MeterChange(0, self.plan.numerator, self.plan.denominator),),
            keys=(KeyChange(0, "C major"),),
            tracks=(Track("drums", "drums", KIT, notes=tuple(sorted(notes.values()))),),
        )
        piece = index_piece(encode(song).codes)
        chosen = ChosenPart(Part(DRUMS_ROLE, 0, INSTRUMENT_NAMES.index(KIT)), True, self._controls())
        return build(piece, Choice(0, len(bars), (chosen,), hole, say_style=told, style=STYLES.index(self.told)))

    @property
    def hole(self) -> tuple[int, int]:
        """Bars that are written, after and before as many others that are heard."""
        count = max(BARS, len(self.book))
        return count, 2 * count

    def page(self) -> Example:
        """Returns the example that the network writes into: the groove, a hole, and the groove again."""
        return self.example(repeated(self.book, 3 * self.hole[0]), hole=self.hole)

    def rules(self) -> StrokeRules:
        """Returns what must stay of the groove in the hole, and what may come to it between the beats.

        It may be any of the groove's drums that are `FREE`; where the hat is closed it may be opened too.
        """
        drums = {hit.drum for bar in self.book for hit in bar}
        drums |= {"open_hat"} if "closed_hat" in drums else set()
        pitches = sorted(DRUMS[drum] for drum in drums.intersection(FREE))
        grid = GRID // 3 if self.triplets or self.swung else GRID // 4
        free = tuple(
            (step, pitch)
            for step in range(0, self.plan.bar_ticks // TICKS_PER_STEP, grid)
            if step % GRID
            for pitch in pitches
        )
        certain = [
            tuple(sorted({self._stroke(hit) for hit in bar if self.is_certain(hit)}))
            for bar in repeated(self.book, self.hole[0])
        ]
        return StrokeRules((*(() for _ in certain), *certain), free)

    def is_certain(self, hit: Hit) -> bool:
        """Whether a stroke is of the backbone: on a beat, accented, a straight eighth, an opened hat, a rarer drum.

        One-drop, clave and four-on-the-floor are of these; between the beats a drummer is free.
        """
        if hit.drum not in FREE or hit.drum == "open_hat" or hit.mark == "X" or hit.tick % TICKS_PER_QUARTER == 0:
            return True
        straight = not self.triplets and not self.swung and hit.tick % (TICKS_PER_QUARTER // 2) == 0
        return straight and hit.mark != "g" and hit.drum not in ("kick", "snare")

    def hits(self, written: Written) -> Bars:
        """Returns the strokes that were written into the hole; those of the book as it marks them."""
        known = [{self._stroke(hit): hit for hit in bar} for bar in repeated(self.book, self.hole[0])]
        step_ticks = next((hit.step_ticks for bar in self.book for hit in bar), _LENGTH)
        bars: list[list[Hit]] = [[] for _ in known]
        for i in np.flatnonzero(written.free & (written.codes[KIND] == Kind.NOTE)).tolist():
            stroke = (int(written.codes[POSITION, i]) - 1, int(written.codes[VALUE, i]) - VALUES["drum"].start)
            bar = int(written.bars[i]) - self.hole[0]
            hit = known[bar].get(stroke)
            if hit is None:
                hit = self._new(stroke, int(written.codes[VELOCITY, i]) - VELOCITIES["level"].start, step_ticks)
            bars[bar].append(hit)
        return tuple(tuple(sorted(bar)) for bar in bars)

    def _new(self, stroke: Stroke, level: int, step_ticks: int) -> Hit:
        """Returns a stroke that the book has not, with the mark that is nearest to its loudness."""
        step, pitch = stroke
        drum, velocity = DRUM_NAMES[pitch], (level + 0.5) * 128 / VELOCITY_LEVELS
        levels = levels_of(self.style, drum)
        mark = min(SOFT if drum == "snare" else MARKS, key=lambda mark: abs(levels[mark] - velocity))
        beat, rest = divmod(step, GRID)
        inside = _HALF if self.swung and rest == _THIRDS else rest
        return Hit((beat * GRID + inside) * TICKS_PER_STEP, drum, mark, step_ticks)

    def _stroke(self, hit: Hit) -> Stroke:
        return self._step(hit), DRUMS[hit.drum]

    def _step(self, hit: Hit) -> int:
        """Returns the place of a stroke on the grid, swung eighths on the last third of their beat."""
        beat, rest = divmod(round(hit.tick / TICKS_PER_STEP), GRID)
        return beat * GRID + (_THIRDS if self.swung and rest == _HALF else rest)

    def _loud(self, hit: Hit) -> int:
        """Returns the velocity of a stroke before the song's own dynamics."""
        mark = hit.mark if hit.mark in MARKS else "x"
        return int(np.clip(round(levels_of(self.style, hit.drum)[mark]), 1, 127))

    def _controls(self) -> tuple[int, ...]:
        """Returns how busy the book's groove is; of everything else nothing is said."""
        strokes = sorted({(bar, *self._stroke(hit)) for bar, hits in enumerate(self.book) for hit in hits})
        table = np.array(strokes, dtype=np.int64).reshape(-1, 3)
        events = np.zeros((6, len(table)), dtype=np.int16)
        events[KIND], events[POSITION] = Kind.NOTE, 1 + table[:, 1]
        events[VALUE] = VALUES["drum"].start + table[:, 2]
        steps = np.full(len(self.book), self.plan.bar_ticks // TICKS_PER_STEP)
        density = measure(events, table[:, 0], DRUMS_ROLE, steps)[0]
        return (density, *(UNSAID for _ in CONTROLS[1:]))


def repeated(bars: Bars, count: int) -> list[tuple[Hit, ...]]:
    """Returns so many bars of a groove."""
    return [bars[i % len(bars)] for i in range(count)]
