"""One voice: what a region becomes for a key and velocity, and its sound before loudness and place.

A `Tone` is all that shapes the waveform before its envelope. Notes with equal tones share one waveform, which is what
makes a song of thousands of notes cheap: see `player`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.perform.sampler.dsp import (
    cents_to_hz,
    control_seconds,
    lowpass,
    read_at,
    resample,
    stretch,
    sweep_lowpass,
    unroll,
)
from songwright.perform.sampler.envelope import Envelope, Oscillator
from songwright.perform.sampler.modulators import PAN_TO_PAN, WHEEL_TO_VIBRATO
from songwright.perform.sampler.riff import SampleHeader
from songwright.perform.sampler.soundfont import Region

_GENERATOR_ATTENUATION = 0.4
"""Fonts are written for hardware that took initialAttenuation at 0.4 of its face value; all players follow."""
_CUTOFF_GRID_CENTS = 50.0
"""Cutoffs are rounded to this, which nobody hears (a quarter of a decibel), so that notes share their waveforms."""
_MIN_RELEASE_TIMECENTS = -7200.0
_MIN_LOOP = 2
_SWEEP_GRID_CENTS, _RELEASE_GRID_CENTS = 40.0, 200.0
_SWEEP_HEARD_CENTS = 600.0
_HEARD_SHARE = 0.45
"""Of a tail: what comes after is more than 40 dB down."""
_MIN_RATIO, _MAX_RATIO = 1 / 64, 64.0
_FILTER_REACH = 256
"""Samples past the end that the resampler may look at."""


@dataclass(frozen=True, slots=True)
class Tone:
    """What shapes a voice's waveform. Equal tones sound the same sample by sample.

    Attributes:
        sample: index of the recording.
        start, end: the part of it that is played.
        loop: first sample of the loop and the one after its last, from `start`; None without.
        repeats: rounds before the loop is left, if it is left on release.
        ratio: playing speed at the steady pitch, in recorded samples per sounding sample.
        steady_cents: how far the modulation envelope moves the pitch when it has settled; part of `ratio`.
        cutoff_cents, resonance_cb: the lowpass.
        envelope: the modulation envelope, if it does anything, with how far it moves pitch and cutoff.
        tremolo: the modulation oscillator, if it does anything, with how far it moves pitch, cutoff and loudness.
        vibrato: the vibrato oscillator, with how far it moves the pitch.
    """

    sample: int
    start: int
    end: int
    loop: tuple[int, int] | None
    repeats: int | None
    ratio: float
    steady_cents: float
    cutoff_cents: float
    resonance_cb: float
    envelope: tuple[Envelope, float, float] | None
    tremolo: tuple[Oscillator, float, float, float] | None
    vibrato: tuple[Oscillator, float] | None

    @property
    def source(self) -> tuple[object, ...]:
        """What decides the straight wave."""
        return self.sample, self.start, self.end, self.loop, self.repeats, self.ratio


@dataclass(frozen=True, slots=True)
class Voice:
    """A region at a key and velocity.

    Attributes:
        tone: its waveform, without vibrato from the modulation wheel.
        vibrato: the vibrato oscillator, for the wheel.
        wheel_cents: vibrato depth of the full modulation wheel.
        gain: amplitude, with volume at 100 and expression at 127.
        pan: -500 left to 500 right; `pan_span` is what the pan controller adds at either end.
        envelope: loudness over time.
        leaves_loop: whether the loop ends with the note.
        exclusive_class: a new voice silences older ones of its class; 0 is none.
    """

    tone: Tone
    vibrato: Oscillator
    wheel_cents: float
    gain: float
    pan: float
    pan_span: float
    envelope: Envelope
    leaves_loop: bool
    exclusive_class: int


def make_voice(
    region: Region,
    header: SampleHeader,
    length: int,
    sample_rate: int,
    played: tuple[int, int],
    controller: Callable[[int], int],
) -> Voice:
    """Returns the voice of a region.

    Args:
        region: the zone.
        header: of its recording.
        length: samples in its recording.
        sample_rate: of the sound to make.
        played: key and velocity.
        controller: value of a MIDI controller when the note begins.
    """
    g = list(region.generators)
    key = int(g[46]) if g[46] >= 0 else played[0]
    velocity = int(g[47]) if g[47] > 0 else played[1]
    g[48] *= _GENERATOR_ATTENUATION
    pan_span = wheel_cents = 0.0
    for mod in region.modulators:
        if mod.identity == PAN_TO_PAN.identity:
            pan_span = mod.amount
        elif mod.identity == WHEEL_TO_VIBRATO.identity:
            wheel_cents = mod.amount
        else:
            g[mod.target] += mod.value(velocity, key, controller)
    vibrato = Oscillator(_seconds(g[23]), cents_to_hz(min(max(g[24], -16000.0), 4500.0)))
    return Voice(
        tone=_tone(g, region.sample, header, length, sample_rate, key, vibrato),
        vibrato=vibrato,
        wheel_cents=wheel_cents,
        gain=10.0 ** (-min(max(g[48], 0.0), 1440.0) / 200.0),
        pan=float(g[17]),
        pan_span=pan_span,
        envelope=_envelope(g, 33, key, _MIN_RELEASE_TIMECENTS),
        leaves_loop=int(g[54]) & 3 == 3,
        exclusive_class=int(g[57]),
    )


def _tone(
    g: Sequence[float],
    sample: int,
    header: SampleHeader,
    length: int,
    sample_rate: int,
    key: int,
    vibrato: Oscillator,
) -> Tone:
    start = int(min(max(g[0] + 32768 * g[4], 0), length))
    end = int(min(max(length + g[1] + 32768 * g[12], start), length))
    loop_start = int(header.loop_start + g[2] + 32768 * g[45]) - start
    loop_end = min(int(header.loop_end + g[3] + 32768 * g[50]), end) - start
    loops = int(g[54]) & 1 == 1 and loop_start >= 0 and loop_end - loop_start >= _MIN_LOOP
    root = g[58] if 0 <= g[58] <= 127 else header.root
    cents = (key - root) * g[56] + 100.0 * g[51] + g[52] + header.correction_cents
    envelope = (_envelope(g, 25, key, -12000.0), float(g[7]), float(g[11]))
    steady_cents = envelope[0].sustain * envelope[1]
    oscillator = Oscillator(_seconds(g[21]), cents_to_hz(min(max(g[22], -16000.0), 4500.0)))
    tremolo = (oscillator, float(g[5]), float(g[10]), float(g[13]))
    return Tone(
        sample=sample,
        start=start,
        end=end,
        loop=(loop_start, loop_end) if loops else None,
        repeats=None,
        ratio=min(max(_speed(cents + steady_cents) * header.rate / sample_rate, _MIN_RATIO), _MAX_RATIO),
        steady_cents=steady_cents,
        cutoff_cents=round(min(max(g[8], 1500.0), 13500.0) / _CUTOFF_GRID_CENTS) * _CUTOFF_GRID_CENTS,
        resonance_cb=round(float(min(max(g[9], 0.0), 960.0)), 1),
        envelope=envelope if any(envelope[1:]) else None,
        tremolo=tremolo if any(tremolo[1:]) else None,
        vibrato=(vibrato, float(g[6])) if g[6] else None,
    )


def _envelope(g: Sequence[float], first: int, key: int, min_release: float) -> Envelope:
    """Returns the envelope whose delay is generator `first`: 25 for modulation, 33 for loudness."""
    scale = 60 - key
    return Envelope(
        delay_seconds=_seconds(g[first]),
        attack_seconds=_seconds(g[first + 1]),
        hold_seconds=_seconds(g[first + 2] + g[first + 6] * scale),
        decay_seconds=_seconds(g[first + 3] + g[first + 7] * scale),
        sustain=float(1.0 - min(max(g[first + 4], 0.0), 1000.0) / 1000.0),
        release_seconds=_seconds(max(g[first + 5], min_release)),
    )


def _speed(cents: float) -> float:
    return math.exp2(min(max(cents, -24000.0), 24000.0) / 1200.0)


def _seconds(timecents: float) -> float:
    return math.exp2(min(max(timecents, -12000.0), 8000.0) / 1200.0)


def moving_cents(
    tone: Tone, num_samples: int, sample_rate: int, bend_cents: NDArray[np.float64] | None = None
) -> NDArray[np.float64] | None:
    """Returns how far a tone strays from its steady pitch at control points; None if it never does.

    Args:
        tone: what sounds.
        num_samples: for how long.
        sample_rate: samples per second.
        bend_cents: what the channel bends, at control points.
    """
    seconds = control_seconds(num_samples, sample_rate)
    cents = np.zeros(len(seconds)) if bend_cents is None else bend_cents
    if tone.envelope is not None and tone.envelope[1]:
        cents = cents + tone.envelope[0].levels(seconds) * tone.envelope[1] - tone.steady_cents
    if tone.tremolo is not None and tone.tremolo[1]:
        cents = cents + tone.tremolo[0].values(seconds) * tone.tremolo[1]
    if tone.vibrato is not None:
        cents = cents + tone.vibrato[0].values(seconds) * tone.vibrato[1]
    if not np.any(cents):
        return None
    return np.clip(cents, 1200.0 * math.log2(_MIN_RATIO / tone.ratio), 1200.0 * math.log2(_MAX_RATIO / tone.ratio))


def straight_wave(tone: Tone, recording: NDArray[np.float32], num_samples: int) -> NDArray[np.float32]:
    """Returns the recording at the tone's steady pitch: the same for all tones of one `source`.

    Args:
        tone: what sounds.
        recording: the whole recording that it reads. (samples,)
        num_samples: samples wanted.

    Returns:
        (samples,), at most `num_samples`, fewer if the recording ends before.
    """
    part = recording[tone.start : tone.end]
    margin = 64 + int(_FILTER_REACH * max(tone.ratio, 1.0))
    source = unroll(part, tone.loop, int(num_samples * tone.ratio) + margin, tone.repeats)
    return resample(source, tone.ratio)[:num_samples]


def samples_read(num_samples: int, cents: NDArray[np.float64] | None) -> int:
    """Returns how much of a straight wave is enough for a tone that strays from its pitch."""
    return num_samples if cents is None else int(num_samples * 2.0 ** max(0.0, float(cents.max()) / 1200.0)) + 16


def bent_wave(wave: NDArray[np.float32], num_samples: int, cents: NDArray[np.float64] | None) -> NDArray[np.float32]:
    """Returns a straight wave read at a speed that moves.

    Args:
        wave: at least as long as `samples_read` says unless the recording ends. (samples,)
        num_samples: samples wanted.
        cents: what `moving_cents` gave.

    Returns:
        (samples,), at most `num_samples`, fewer if the recording ends before.
    """
    if cents is not None:
        speed = stretch(np.exp2(cents / 1200.0), num_samples)
        positions = np.concatenate(([0.0], np.cumsum(speed[:-1], dtype=np.float64)))
        wave = read_at(wave, positions[: int(np.searchsorted(positions, len(wave)))])
    return wave[:num_samples]


def finished_wave(
    tone: Tone, wave: NDArray[np.float32], sample_rate: int, start: int = 0, released: int | None = None
) -> NDArray[np.float32]:
    """Returns a bent wave, or a part of it, filtered and in tremolo.

    Args:
        tone: what sounds.
        wave: (samples,).
        sample_rate: samples per second.
        start: sample since the onset at which the part begins.
        released: sample since the onset at which the modulation envelope is let go, if it is.
    """
    if len(wave) == 0:
        return wave
    seconds = control_seconds(len(wave), sample_rate) + start / sample_rate
    cutoff = _moving_cutoff(tone, seconds, math.inf if released is None else released / sample_rate)
    if cutoff is None:
        wave = lowpass(wave, cents_to_hz(tone.cutoff_cents), tone.resonance_cb, sample_rate)
    else:
        grid = _SWEEP_GRID_CENTS if released is None else _RELEASE_GRID_CENTS
        wave = sweep_lowpass(wave, cutoff, tone.resonance_cb, sample_rate, grid)
    if tone.tremolo is not None and tone.tremolo[3]:
        gain = 10.0 ** (tone.tremolo[0].values(seconds) * tone.tremolo[3] / 200.0)
        wave = wave * stretch(gain, len(wave))
    return wave


def release_sweeps(tone: Tone, held_seconds: float, tail_seconds: float) -> bool:
    """Whether letting go of the modulation envelope moves the cutoff so far that one hears it in the tail."""
    if tone.envelope is None or abs(tone.envelope[2]) < _SWEEP_HEARD_CENTS:
        return False
    envelope, _, to_cutoff = tone.envelope
    share = min(envelope.level_at(held_seconds), _HEARD_SHARE * tail_seconds / envelope.release_seconds)
    return abs(to_cutoff) * share >= _SWEEP_HEARD_CENTS


def _moving_cutoff(tone: Tone, seconds: NDArray[np.float64], released_seconds: float) -> NDArray[np.float64] | None:
    cutoff = np.full(len(seconds), tone.cutoff_cents)
    if tone.envelope is not None:
        cutoff += tone.envelope[0].levels(seconds, released_seconds) * tone.envelope[2]
    if tone.tremolo is not None:
        cutoff += tone.tremolo[0].values(seconds) * tone.tremolo[2]
    far = np.abs(cutoff - tone.cutoff_cents).max() >= _CUTOFF_GRID_CENTS
    return cutoff if far else None
