"""How loud instruments are by themselves, and how loud each part should be in a mix.

Soundfonts and patches differ by tens of decibels. Every instrument therefore plays a short reference phrase once; its
gain brings that phrase to one loudness, before its inserts and once more after them. Faders then mean the same for
every instrument: `ROLE_LEVELS_DB` is the balance of a mix, and a style's fader is a taste on top of it.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from songwright.audio.loudness import integrated_lufs
from songwright.perform.effects.chain import apply_chain
from songwright.perform.timeline import Performance, Player
from songwright.score.drums import DRUMS
from songwright.score.instruments import instrument as find_instrument
from songwright.score.song import Insert, Singer
from songwright.score.voices import VOICE_TYPES, house_singer

CHORDAL_ROLES = ("chords", "pad")
"""Roles that are calibrated by chords."""

REFERENCE_LUFS = -20.0
"""Loudness of every reference phrase after calibration, before the fader: inserts may count on it."""

ROLE_LEVELS_DB: dict[str, float] = {
    "melody": -8.0,
    "vocal": -7.0,
    "counter_melody": -12.0,
    "backing_vocal": -14.0,
    "chords": -9.0,
    "pad": -11.5,
    "bass": -9.0,
    "percussion": -18.0,
    "effects": -17.0,
    "kick": -10.0,
    "snare": -11.0,
    "hats": -18.0,
    "toms": -12.0,
    "cymbals": -15.5,
}
"""Level of each role, and of each group of drums, relative to `REFERENCE_LUFS`.

The lead is on top; kick, snare and bass are the foundation; chords stand behind, pads furthest (chords and pads are
measured by whole chords but play softer than they are measured, hence the small distance here). The numbers leave
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
        self._phrases: dict[tuple[int, str, str, str], NDArray[np.float32]] = {}
        self._lock = threading.Lock()
        self._playing: dict[tuple[int, str, str, str], threading.Lock] = {}

    def gains(
        self,
        player: Player,
        instrument: str,
        inserts: Sequence[Insert] = (),
        *,
        phrase: str = "tune",
        singer: Singer | None = None,
    ) -> tuple[float, float]:
        """Returns two gains as factors: before the inserts, and after them.

        Args:
            player: who plays.
            instrument: key into `INSTRUMENTS`.
            inserts: the track's effects; they should change the colour of a part, not its place in the mix.
            phrase: what it plays: ``tune``, ``chords``, or a group of drums if it is a kit.
            singer: who, if it is a voice.
        """
        key = (id(player), instrument, phrase, repr(singer))
        sound = self._phrases.get(key)
        if sound is None:
            with self._lock:
                alone = self._playing.setdefault(key, threading.Lock())
            with alone:
                sound = self._phrases.get(key)
                if sound is None:
                    sound = self._phrases[key] = self._play(player, instrument, phrase, singer)
        before = _gain(level_lufs(sound, self._sample_rate), _LARGEST_GAIN_DB)
        if not inserts:
            return before, 1.0
        coloured = apply_chain(sound * np.float32(before), self._sample_rate, inserts)
        return before, _gain(level_lufs(coloured, self._sample_rate), _LARGEST_TRIM_DB)

    def _play(self, player: Player, instrument: str, phrase: str, singer: Singer | None) -> NDArray[np.float32]:
        """Returns the reference phrase, dry. (2, samples)."""
        played = replace(reference_performance(instrument, phrase, singer), singer=singer)
        num_samples = int((played.end_seconds[-1] + 0.4) * self._sample_rate)
        return player.render(played, instrument, sample_rate=self._sample_rate, num_samples=num_samples)


def reference_performance(instrument: str, phrase: str = "tune", singer: Singer | None = None) -> Performance:
    """Returns what an instrument is measured by.

    Args:
        instrument: key into `INSTRUMENTS`.
        phrase: ``tune``: three notes in its usual register; ``chords``: the three together, twice; a group of drums:
            three strokes of it.
        singer: a voice sings it in the middle of its tessitura.
    """
    known = find_instrument(instrument)
    length = _SLOW_NOTE_SECONDS if known.family in _SLOW_FAMILIES else _NOTE_SECONDS
    if phrase in _DRUM_PHRASES:
        pitches = [DRUMS[name] for name in _DRUM_PHRASES[phrase]]
        beats = list(range(len(pitches)))
    else:
        usual = _tessitura_centre(singer) if singer is not None else _CENTRES.get(known.family, 63)
        centre = int(np.clip(usual, known.low + 5, max(known.low + 5, known.high - 5)))
        pitches, beats = [centre - 5, centre, centre + 4], [0, 1, 2]
        if phrase == "chords":
            pitches, beats = pitches * 2, [0, 0, 0, 1, 1, 1]
    starts = np.asarray(np.array(beats) * length, dtype=np.float64)
    return Performance(
        start_seconds=starts,
        end_seconds=np.asarray(starts + 0.95 * length, dtype=np.float64),
        pitches=np.array(pitches, dtype=np.int64),
        velocities=np.full(len(pitches), _VELOCITY, dtype=np.int64),
    )


def _tessitura_centre(singer: Singer) -> int:
    low, high = VOICE_TYPES[house_singer(singer.name).voice_type].tessitura
    return (low + high) // 2


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
