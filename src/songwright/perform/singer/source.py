"""What a singing voice is made from: the contract of sources that speak and of banks that sing.

A *source* speaks a line slowly and flat; `world` stretches it onto the notes. A *bank* sings phones at given times and
pitches by itself. Sources live in `sources/`, one file each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from songwright.score.song import Syllable
from songwright.score.sung import SungPhone


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line to speak.

    Attributes:
        syllables: in order, all with phonemes; each once, whatever number of notes it has.
        pitch_hz: median pitch at which it will be sung.
    """

    syllables: tuple[Syllable, ...]
    pitch_hz: float


@dataclass(frozen=True, slots=True)
class SourcePhone:
    """A phone as it was spoken.

    Attributes:
        symbol: espeak mnemonic.
        syllable: index into `SourceLine.syllables`.
        start_seconds, end_seconds: in the waveform.
        is_nucleus: whether it is the syllable's vowel (or syllabic consonant).
    """

    symbol: str
    syllable: int
    start_seconds: float
    end_seconds: float
    is_nucleus: bool


@dataclass(frozen=True)
class SpokenLine:
    """A line as a source spoke it.

    Attributes:
        waveform: (samples,) in [-1, 1].
        sample_rate: samples per second.
        phones: in order; every syllable has exactly one nucleus.
    """

    waveform: NDArray[np.float32]
    sample_rate: int
    phones: tuple[SourcePhone, ...]


class Source(Protocol):
    """Speaks lines. Cheap to make; safe to share between threads."""

    @property
    def identity(self) -> str:
        """What decides the sound: engine, version, voice. The same text promises the same sound."""
        ...

    def languages(self) -> tuple[str, ...]:
        """Returns the languages it speaks; empty for all."""
        ...

    def speak(self, lines: Sequence[SourceLine]) -> list[SpokenLine]:
        """Returns each line spoken slowly and flat.

        Raises:
            SongwrightError: the engine failed; one line that says what to do.
        """
        ...


class Bank(Protocol):
    """Sings by itself: phones at times, with a pitch and an effort. Safe to share between threads."""

    @property
    def identity(self) -> str:
        """What decides the sound."""
        ...

    def languages(self) -> tuple[str, ...]:
        """Returns the languages it sings."""
        ...

    def sing(
        self,
        phones: Sequence[SungPhone],
        syllables: Sequence[Syllable],
        f0_hz: NDArray[np.float64],
        effort: NDArray[np.float64],
        *,
        hop_seconds: float,
        sample_rate: int,
    ) -> NDArray[np.float32]:
        """Returns a line of song, (samples,), beginning at time 0.

        Args:
            phones: of one line, times counted from its beginning.
            syllables: those that the phones name.
            f0_hz: pitch of every frame, 0 where unvoiced.
            effort: 0 soft to 1 loud, every frame.
            hop_seconds: distance of frames.
            sample_rate: of the result.
        """
        ...
