"""How loud instruments are by themselves, and how loud each part should be in a mix.

Soundfonts and patches differ by tens of decibels. Every instrument therefore plays a short reference phrase once; its
gain brings that phrase to one loudness, before its inserts and once more after them. Faders then mean the same for
every instrument: `ROLE_LEVELS_DB` is the balance of a mix, and a style's fader is a taste on top of it.
"""

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from songwright.audio.loudness import integrated_lufs
from songwright.perform.effects.chain import apply_chain
from songwright.perform.timeline import Performance, Player
from songwright.score.drums import DRUMS
from songwright.score.instruments import instrument as find_instrument
from songwright.score.song import Insert

REFERENCE_LUFS = -20.0
"""Loudness of every reference phrase after calibration, before the fader: inserts may count on it."""

ROLE_LEVELS_DB: dict[str, float] = {
    "melody": -9.0,
    "vocal": -8.0,
    "counter_melody": -13.5,
    "backing_vocal": -14.0,
    "chords": -12.5,
    "pad": -16.0,
    "bass": -9.0,
    "percussion": -18.0,
    "effects": -17.0,
    "kick": -10.0,
    "snare": -11.0,
    "hats": -19.0,
    "toms": -12.0,
    "cymbals": -17.0,
}
"""Level of each role, and of each group of drums, relative to `REFERENCE_LUFS`.

The lead is on top; kick, snare and bass are the foundation; chords stand behind, pads furthest. The numbers leave
room for the sum of a full arrangement, because stems are fixed: they are never scaled by what others do.
"""

_DRUM_PHRASES: dict[str, tuple[str, ...]] = {
    "kick": ("kick",),
    "snare": ("snare",),
    "hats": ("closed_hat", "closed_hat", "open_hat"),
    "toms": ("high_tom", "mid_tom", "floor_tom"),
    "cymbals": ("crash", "ride", "ride"),
    "percussion": ("tambourine", "open_conga", "shaker"),
}
_VELOCITY = 100
_NOTE_SECONDS, _SLOW_NOTE_SECONDS = 0.45, 1.1
_SLOW_FAMILIES = ("ensemble", "pad", "effect", "sound")
_CENTRES = {"bass": 38, "kit": 60}
_LARGEST_GAIN_DB, _LARGEST_TRIM_DB = 40.0, 24.0


class Calibration:
    """Measures instruments, each once; safe to share between threads.

    Args:
        sample_rate: of the songs.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._phrases: dict[tuple[int, str, str], NDArray[np.float32]] = {}
        self._lock = threading.Lock()

    def gains(
        self, player: Player, instrument: str, inserts: Sequence[Insert] = (), *, drums: str = ""
    ) -> tuple[float, float]:
        """Returns two gains as factors: before the inserts, and after them.

        Args:
            player: who plays.
            instrument: key into `INSTRUMENTS`.
            inserts: the track's effects; they should change the colour of a part, not its place in the mix.
            drums: which group of drums is meant, if it is a kit.
        """
        key = (id(player), instrument, drums)
        phrase = self._phrases.get(key)
        if phrase is None:
            with self._lock:
                phrase = self._phrases.setdefault(key, self._phrase(player, instrument, drums))
        before = _gain(level_lufs(phrase, self._sample_rate), _LARGEST_GAIN_DB)
        if not inserts:
            return before, 1.0
        coloured = apply_chain(phrase * np.float32(before), self._sample_rate, inserts)
        return before, _gain(level_lufs(coloured, self._sample_rate), _LARGEST_TRIM_DB)

    def _phrase(self, player: Player, instrument: str, drums: str) -> NDArray[np.float32]:
        """Returns the reference phrase, dry. (2, samples)."""
        played = reference_performance(instrument, drums)
        num_samples = int((played.end_seconds[-1] + 0.4) * self._sample_rate)
        return player.render(played, instrument, sample_rate=self._sample_rate, num_samples=num_samples)


def reference_performance(instrument: str, drums: str = "") -> Performance:
    """Returns three notes in the instrument's usual register, or three strokes of a group of drums."""
    known = find_instrument(instrument)
    if drums:
        pitches = [DRUMS[name] for name in _DRUM_PHRASES[drums]]
    else:
        centre = int(np.clip(_CENTRES.get(known.family, 63), known.low + 5, max(known.low + 5, known.high - 5)))
        pitches = [centre - 5, centre, centre + 4]
    length = _SLOW_NOTE_SECONDS if known.family in _SLOW_FAMILIES else _NOTE_SECONDS
    starts = np.arange(len(pitches), dtype=np.float64) * length
    return Performance(
        start_seconds=np.asarray(starts, dtype=np.float64),
        end_seconds=np.asarray(starts + 0.95 * length, dtype=np.float64),
        pitches=np.array(pitches, dtype=np.int64),
        velocities=np.full(len(pitches), _VELOCITY, dtype=np.int64),
    )


def level_lufs(waveform: NDArray[np.float32], sample_rate: int) -> float:
    """Returns how loud a phrase is for a mix: K-weighted, but deep sounds count at least 4 dB under their plain power.

    The K weighting hardly hears 40 Hz; trusting it alone would make a sub bass fill the whole headroom.
    """
    power = float(np.mean(np.square(waveform, dtype=np.float64).sum(axis=0)))
    plain = -0.691 + 10 * np.log10(max(power, 1e-12)) - 4.0
    return float(max(integrated_lufs(waveform, sample_rate), plain))


def _gain(measured_lufs: float, limit_db: float) -> float:
    """Returns the factor from a measured loudness to the reference; 1 for silence."""
    if measured_lufs <= -69.0:
        return 1.0
    return float(10 ** (np.clip(REFERENCE_LUFS - measured_lufs, -limit_db, limit_db) / 20))
