"""`Judges`: who decides where rules and the style book leave several ways to go on; without one, tables and chance."""

from dataclasses import dataclass

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
    """

    harmony: HarmonyJudge | None = None
    tunes: TuneNetwork | None = None
    takes: TakeJudge | None = None

    @property
    def name(self) -> str:
        """What provenance calls the composer."""
        return "learned" if self.harmony or self.tunes or self.takes else "statistical"


NOBODY = Judges()
