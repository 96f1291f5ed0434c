"""One note of a patch: frequencies, envelopes, and the stereo sound before the track's controllers."""

import numpy as np
from numpy.typing import NDArray

from songwright.perform.synth.patches import Envelope, Patch
from songwright.perform.synth.wavetable import play, tables
from songwright.seeding import generator


def envelope(shape: Envelope, held: int, total: int, sample_rate: int) -> NDArray[np.float32]:
    """Returns (total,) an envelope that attacks in a line, decays and releases exponentially.

    Args:
        shape: times and level.
        held: samples until the note is let go.
        total: length of the result.
        sample_rate: hertz.
    """
    attack = max(1, int(shape.attack * sample_rate))
    rising = np.arange(1, min(attack, total) + 1, dtype=np.float32) / attack
    seconds = np.arange(max(0, total - attack), dtype=np.float32) / sample_rate
    falling = shape.sustain + (1.0 - shape.sustain) * np.exp(-4.0 * seconds / max(shape.decay, 1e-3))
    curve = np.concatenate([rising, falling.astype(np.float32)])[:total]
    if held < total:
        at = curve[held - 1] if held else np.float32(0.0)
        tail = np.arange(total - held, dtype=np.float32) / sample_rate
        fade = np.exp(-5.0 * tail / max(shape.release, 1e-3)).astype(np.float32)
        ramp = np.linspace(1.0, 0.0, total - held, dtype=np.float32)
        curve[held:] = at * fade * np.minimum(1.0, ramp * 8.0)
    return curve


def sustained(
    patch: Patch,
    semitones: NDArray[np.float64] | float,
    velocity: int,
    num_samples: int,
    sample_rate: int,
    name: str = "",
) -> NDArray[np.float32]:
    """Returns (2, num_samples) a note without its amplitude envelope.

    Args:
        patch: the sound.
        semitones: the pitch as MIDI note, one value or (num_samples,).
        velocity: 1 to 127; opens the filter.
        num_samples: length.
        sample_rate: hertz.
        name: of the patch; it seeds the phases of the detuned oscillators.
    """
    osc = patch.oscillators
    seconds = np.arange(num_samples) / sample_rate
    pitch = np.broadcast_to(np.asarray(semitones, dtype=np.float64), num_samples)
    if patch.vibrato_cents:
        depth = patch.vibrato_cents / 100.0 * np.clip((seconds - 0.25) / 0.5, 0.0, 1.0)
        pitch = pitch + depth * np.sin(2 * np.pi * patch.vibrato_hz * seconds)
    if patch.pitch_drop_semitones:
        pitch = pitch + patch.pitch_drop_semitones * np.exp(-seconds / patch.pitch_drop_seconds)
    frequency = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    phase = np.cumsum(frequency) / sample_rate
    strength = velocity / 127.0
    cutoff = _cutoff(patch, pitch, strength, seconds, num_samples, sample_rate)
    highest = int(np.ceil(pitch.max() + osc.detune_cents / 200.0))
    table = tables(osc.shape, highest, sample_rate, patch.filter.resonance, patch.filter.order, osc.pulse_width)
    phases = generator(0, "synth", name, "phase").random(osc.count)
    wobble: NDArray[np.float64] | float = 0.0
    if osc.fm_depth:
        fade = np.exp(-2.5 * seconds / max(patch.amplitude.decay, 0.1))
        room = np.clip((0.45 * sample_rate / frequency - 1.0) / osc.fm_ratio - 1.0, 0.0, 1.0)
        index = osc.fm_depth * strength * (0.25 + 0.75 * fade) * room / (2 * np.pi)
        wobble = index * np.sin(2 * np.pi * phase * osc.fm_ratio)
    out = np.zeros((2, num_samples), dtype=np.float32)
    for i in range(osc.count):
        place = 0.0 if osc.count == 1 else 2.0 * i / (osc.count - 1) - 1.0
        ratio = 2.0 ** (place * osc.detune_cents / 2400.0)
        wave = play(table, phase * ratio + phases[i] + wobble, cutoff)
        angle = np.pi / 4 * (1.0 + place * osc.width * (1 if i % 2 else -1))
        out[0] += np.float32(np.cos(angle)) * wave
        out[1] += np.float32(np.sin(angle)) * wave
    out *= np.float32(1.0 / osc.count**0.5)
    if osc.sub:
        sub = tables("sine", highest, sample_rate)
        out += np.float32(osc.sub * 0.7) * play(sub, phase * 0.5, 20000.0)
    if osc.noise:
        out += np.float32(osc.noise) * generator(0, "synth", name, "noise").standard_normal(out.shape, np.float32)
    if patch.drive:
        out = saturate(out, patch.drive)
    return out


def saturate(waveform: NDArray[np.float32], drive: float) -> NDArray[np.float32]:
    """Returns tanh saturation at four times the sample rate, so that what it adds above half the rate is filtered off.

    Args:
        waveform: (channels, samples).
        drive: 0 is off.
    """
    from scipy.signal import resample_poly

    raised = resample_poly(waveform, 4, 1, axis=1)
    bent = np.tanh(raised * (1.0 + drive)) / np.tanh(1.0 + drive)
    lowered = resample_poly(bent, 1, 4, axis=1)[:, : waveform.shape[1]]
    return np.asarray(lowered, dtype=np.float32)


def _cutoff(
    patch: Patch,
    pitch: NDArray[np.float64],
    strength: float,
    seconds: NDArray[np.float64],
    total: int,
    sample_rate: int,
) -> NDArray[np.float32] | float:
    """Returns the filter's cutoff over the note, one value where it stands still."""
    f = patch.filter
    if f.cutoff_hz >= 20000.0 and not f.lfo_octaves:
        return 20000.0
    octaves = f.tracking * (pitch - 60.0) / 12.0
    if f.envelope_octaves:
        octaves = octaves + f.envelope_octaves * (0.3 + 0.7 * strength) * envelope(
            f.envelope, total, total, sample_rate
        )
    if f.lfo_octaves:
        octaves = octaves + f.lfo_octaves * np.sin(2 * np.pi * f.lfo_hz * seconds)
    return np.asarray(f.cutoff_hz * 2.0**octaves, dtype=np.float32)
