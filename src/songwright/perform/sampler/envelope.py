"""Envelopes and oscillators that move slower than sound. Reference: SoundFont 2.04, sections 8.1.2 and 9.1.7."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.perform.sampler.modulators import PEAK_ATTENUATION_CB

FALL_NEPERS = PEAK_ATTENUATION_CB / 200.0 * math.log(10.0)
"""What a full decay or release takes away: 96 dB, as fluidsynth has it, in natural units of amplitude."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Delay, attack, hold, decay, sustain, release.

    Attributes:
        delay_seconds, attack_seconds, hold_seconds: as they say.
        decay_seconds: how long a fall through the whole range would take.
        sustain: level held, as a share of the range: 1 at the top, 0 at the bottom.
        release_seconds: how long a fall through the whole range would take after the note-off.
    """

    delay_seconds: float
    attack_seconds: float
    hold_seconds: float
    decay_seconds: float
    sustain: float
    release_seconds: float

    @property
    def decay_start_seconds(self) -> float:
        """When the decay begins."""
        return self.delay_seconds + self.attack_seconds + self.hold_seconds

    def silent_after_seconds(self, floor: float) -> float:
        """Returns when a held volume envelope falls below an amplitude for good; infinity if never."""
        if math.exp(-FALL_NEPERS * (1.0 - self.sustain)) >= floor:
            return math.inf
        fall = -math.log(max(min(floor, 1.0), 1e-12)) / FALL_NEPERS
        return self.decay_start_seconds + fall * self.decay_seconds

    def amplitudes(self, num_samples: int, sample_rate: int) -> NDArray[np.float32]:
        """Returns the held volume envelope as amplitude: straight attack, decay straight in decibels, (samples,)."""
        curve = np.ones(num_samples, np.float32)
        delay = min(round(self.delay_seconds * sample_rate), num_samples)
        attack = min(delay + round(self.attack_seconds * sample_rate), num_samples)
        decay = min(round(self.decay_start_seconds * sample_rate), num_samples)
        curve[:delay] = 0.0
        steps = max(1.0, self.attack_seconds * sample_rate)
        curve[delay:attack] = np.minimum((np.arange(attack - delay) + 0.5) / steps, 1.0)
        rate = FALL_NEPERS / max(self.decay_seconds * sample_rate, 1.0)
        end = min(decay + math.ceil((1.0 - self.sustain) * max(self.decay_seconds * sample_rate, 1.0)), num_samples)
        curve[decay:end] = np.exp(np.arange(end - decay, dtype=np.float32) * np.float32(-rate))
        curve[end:] = math.exp(-FALL_NEPERS * (1.0 - self.sustain))
        return curve

    def levels(self, seconds: NDArray[np.float64], released_seconds: float = math.inf) -> NDArray[np.float64]:
        """Returns the modulation envelope, 0 to 1: convex attack, straight decay and release, as long as `seconds`."""
        after = np.maximum(seconds - released_seconds, 0.0) / max(self.release_seconds, 1e-6)
        seconds = np.minimum(seconds, released_seconds)
        risen = np.clip((seconds - self.delay_seconds) / max(self.attack_seconds, 1e-6), 0.0, 1.0)
        convex = 1.0 + np.log10(np.maximum(risen, 1e-6)) * (400.0 / PEAK_ATTENUATION_CB)
        fallen = np.maximum((seconds - self.decay_start_seconds) / max(self.decay_seconds, 1e-6), 0.0)
        level = np.where(risen < 1.0, np.clip(convex, 0.0, 1.0), np.maximum(1.0 - fallen, self.sustain))
        return np.maximum(np.where(seconds < self.delay_seconds, 0.0, level) - after, 0.0)

    def level_at(self, seconds: float) -> float:
        """Returns the modulation envelope at one time, held so far: see `levels`."""
        if seconds < self.delay_seconds:
            return 0.0
        risen = min((seconds - self.delay_seconds) / max(self.attack_seconds, 1e-6), 1.0)
        if risen < 1.0:
            return max(0.0, 1.0 + math.log10(max(risen, 1e-6)) * (400.0 / PEAK_ATTENUATION_CB))
        fallen = max((seconds - self.decay_start_seconds) / max(self.decay_seconds, 1e-6), 0.0)
        return max(1.0 - fallen, self.sustain)


def release(seconds: float, sample_rate: int, num_samples: int) -> NDArray[np.float32]:
    """Returns the fall after a note-off, from 1, straight in decibels, (samples,)."""
    rate = FALL_NEPERS / max(seconds * sample_rate, 1.0)
    return np.asarray(np.exp(np.arange(num_samples, dtype=np.float32) * np.float32(-rate)), np.float32)


@dataclass(frozen=True, slots=True)
class Oscillator:
    """A triangle that starts at 0 and rises after a delay."""

    delay_seconds: float
    hz: float

    def values(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the oscillator, -1 to 1. Same shape as `seconds`."""
        phase = np.maximum(seconds - self.delay_seconds, 0.0) * self.hz
        return np.abs((phase - 0.25) % 1.0 - 0.5) * 4.0 - 1.0
