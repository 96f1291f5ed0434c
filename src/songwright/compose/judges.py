"""`Judges`: who decides where rules and the style book leave several ways to go on; without one, tables and chance."""

from dataclasses import dataclass

from songwright.compose.arrange.drummer import Drummer
from songwright.compose.arrange.takes import TakeJudge
from songwright.compose.harmony.write import HarmonyJudge
from songwright.compose.melody.model import TuneNetwork


@dataclass(frozen=True, slots=True)
class Judges:
    """The judges of a song; any may be missing.

    Attributes:
        harmony: among progressions that the style allows.
        tunes: of every next pitch of a tune.
        takes: among the figures that the style book has for the parts that it judges.
        drummer: plays the grooves of the style book, its backbone kept.
    """

    harmony: HarmonyJudge | None = None
    tunes: TuneNetwork | None = None
    takes: TakeJudge | None = None
    drummer: Drummer | None = None

    @property
    def name(self) -> str:
        """What provenance calls the composer."""
        return "learned" if self.harmony or self.tunes or self.takes or self.drummer else "statistical"


NOBODY = Judges()
