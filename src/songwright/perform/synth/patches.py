"""Every patch of the synthesiser, as data: oscillators, filter, envelopes, and how it moves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """Attack, decay and release in seconds; the level held in between, 0 to 1."""

    attack: float = 0.005
    decay: float = 0.2
    sustain: float = 1.0
    release: float = 0.15


@dataclass(frozen=True, slots=True)
class Oscillators:
    """What vibrates.

    Attributes:
        shape: see `wavetable.harmonics`.
        count: how many, detuned against each other and spread over the stereo field.
        detune_cents: from the lowest to the highest.
        width: 0 mono to 1 fully spread.
        sub: level of a sine an octave below.
        noise: level of breath noise.
        fm_ratio, fm_depth: a sine modulator (times the note's frequency, radians at full velocity); 0 is off.
        pulse_width: of squares.
    """

    shape: str = "saw"
    count: int = 1
    detune_cents: float = 0.0
    width: float = 0.0
    sub: float = 0.0
    noise: float = 0.0
    fm_ratio: float = 0.0
    fm_depth: float = 0.0
    pulse_width: float = 0.5


@dataclass(frozen=True, slots=True)
class Filter:
    """A low-pass that follows the note.

    Attributes:
        cutoff_hz: at middle C with the envelope at rest.
        envelope_octaves: how far the envelope opens it at full velocity.
        tracking: 0 fixed to 1 moving with the pitch.
        resonance: quality; 0.7 is flat.
        order: two-pole stages.
        envelope: its shape.
        lfo_hz, lfo_octaves: slow movement.
    """

    cutoff_hz: float = 20000.0
    envelope_octaves: float = 0.0
    tracking: float = 0.5
    resonance: float = 0.7
    order: int = 1
    envelope: Envelope = Envelope()
    lfo_hz: float = 0.0
    lfo_octaves: float = 0.0


@dataclass(frozen=True, slots=True)
class Patch:
    """One sound.

    Attributes:
        oscillators, filter, amplitude: see their classes.
        gain: linear, to bring all patches to a like level.
        mono: one note at a time; touching notes glide.
        glide_seconds: how long a glide lasts.
        drive: tanh saturation, 0 is off.
        pitch_drop_semitones, pitch_drop_seconds: a fall at the start of each note (808 basses).
        vibrato_hz, vibrato_cents: grows in over the first half second.
    """

    oscillators: Oscillators = Oscillators()
    filter: Filter = Filter()
    amplitude: Envelope = Envelope()
    gain: float = 0.3
    mono: bool = False
    glide_seconds: float = 0.06
    drive: float = 0.0
    pitch_drop_semitones: float = 0.0
    pitch_drop_seconds: float = 0.03
    vibrato_hz: float = 5.2
    vibrato_cents: float = 0.0


_PLUCK = Envelope(0.002, 0.25, 0.0, 0.15)

PATCHES: dict[str, Patch] = {
    "sub_bass": Patch(
        Oscillators("sine", noise=0.0), Filter(), Envelope(0.008, 0.3, 0.9, 0.08), 0.6, True, 0.05, drive=0.6
    ),
    "bass_808": Patch(
        Oscillators("sine"),
        Filter(),
        Envelope(0.003, 2.2, 0.25, 0.12),
        0.7,
        True,
        0.09,
        1.6,
        pitch_drop_semitones=9.0,
        pitch_drop_seconds=0.035,
    ),
    "reese_bass": Patch(
        Oscillators("saw", 3, 34.0, 0.5, sub=0.7),
        Filter(420.0, 0.8, 0.4, 0.9, lfo_hz=0.35, lfo_octaves=0.9),
        Envelope(0.006, 0.3, 0.9, 0.1),
        0.4,
        True,
        0.05,
        drive=0.8,
    ),
    "acid_bass": Patch(
        Oscillators("saw"),
        Filter(280.0, 3.2, 0.4, 5.0, 1, Envelope(0.002, 0.22, 0.05, 0.1)),
        Envelope(0.002, 0.5, 0.6, 0.05),
        0.42,
        True,
        0.05,
        drive=0.9,
    ),
    "pluck_bass": Patch(
        Oscillators("square", sub=0.6),
        Filter(350.0, 2.6, 0.5, 1.4, 1, Envelope(0.001, 0.16, 0.1, 0.1)),
        Envelope(0.002, 0.5, 0.45, 0.07),
        0.42,
        True,
        0.0,
    ),
    "saw_bass": Patch(
        Oscillators("saw", 2, 12.0, 0.2, sub=0.5),
        Filter(600.0, 1.6, 0.5, 1.0, 1, Envelope(0.002, 0.3, 0.3, 0.1)),
        Envelope(0.003, 0.4, 0.8, 0.08),
        0.4,
        True,
        0.03,
    ),
    "super_saw": Patch(
        Oscillators("saw", 7, 38.0, 0.95, sub=0.15),
        Filter(7000.0, 0.8, 0.5, 0.8),
        Envelope(0.008, 0.4, 0.85, 0.25),
        0.3,
    ),
    "analog_lead": Patch(
        Oscillators("saw", 2, 11.0, 0.25),
        Filter(2600.0, 1.6, 0.6, 1.5, 1, Envelope(0.004, 0.35, 0.5, 0.2)),
        Envelope(0.006, 0.3, 0.85, 0.14),
        0.34,
        True,
        0.045,
        0.4,
        vibrato_cents=16.0,
    ),
    "soft_lead": Patch(
        Oscillators("triangle", 2, 7.0, 0.2, noise=0.02),
        Filter(5200.0, 0.5),
        Envelope(0.02, 0.3, 0.9, 0.2),
        0.42,
        True,
        0.06,
        vibrato_cents=18.0,
    ),
    "square_synth": Patch(
        Oscillators("square", 1, 0.0, 0.0),
        Filter(6000.0, 0.6, 0.6),
        Envelope(0.003, 0.25, 0.75, 0.08),
        0.28,
        True,
        0.0,
        vibrato_cents=12.0,
    ),
    "portamento_lead": Patch(
        Oscillators("square", 2, 9.0, 0.2, pulse_width=0.35),
        Filter(4200.0, 0.9, 0.6, 1.2),
        Envelope(0.01, 0.3, 0.9, 0.16),
        0.32,
        True,
        0.12,
        vibrato_cents=14.0,
    ),
    "synth_pluck": Patch(
        Oscillators("saw", 3, 16.0, 0.7),
        Filter(900.0, 3.2, 0.6, 1.2, 1, Envelope(0.001, 0.18, 0.0, 0.15)),
        Envelope(0.002, 0.4, 0.15, 0.22),
        0.36,
    ),
    "synth_keys": Patch(
        Oscillators("triangle", 2, 6.0, 0.5, fm_ratio=14.0, fm_depth=0.12),
        Filter(4800.0, 1.0),
        Envelope(0.003, 1.2, 0.35, 0.25),
        0.4,
    ),
    "fm_bell": Patch(
        Oscillators("sine", 2, 4.0, 0.6, fm_ratio=3.5, fm_depth=2.2), Filter(), Envelope(0.002, 1.6, 0.0, 0.9), 0.38
    ),
    "synth_stab": Patch(
        Oscillators("saw", 4, 22.0, 0.8),
        Filter(1800.0, 2.0, 0.5, 1.1, 1, Envelope(0.002, 0.2, 0.2, 0.1)),
        Envelope(0.003, 0.3, 0.55, 0.1),
        0.32,
    ),
    "arp_synth": Patch(
        Oscillators("square", 2, 10.0, 0.6, pulse_width=0.3),
        Filter(1500.0, 2.2, 0.6, 1.4, 1, _PLUCK),
        Envelope(0.002, 0.3, 0.3, 0.14),
        0.32,
    ),
    "analog_pad": Patch(
        Oscillators("saw", 5, 26.0, 0.9),
        Filter(1400.0, 0.8, 0.4, 0.8, 1, Envelope(0.9, 1.5, 0.6, 1.0), 0.12, 0.4),
        Envelope(0.45, 0.8, 0.9, 0.9),
        0.28,
    ),
    "glass_pad": Patch(
        Oscillators("triangle", 4, 18.0, 0.9, fm_ratio=4.0, fm_depth=0.35),
        Filter(6500.0, 0.0, 0.3, lfo_hz=0.1, lfo_octaves=0.5),
        Envelope(0.5, 1.0, 0.85, 1.2),
        0.3,
    ),
    "dark_pad": Patch(
        Oscillators("saw", 4, 22.0, 0.85, sub=0.3),
        Filter(480.0, 0.7, 0.5, 1.0, 2, Envelope(1.4, 2.0, 0.5, 1.2), 0.08, 0.5),
        Envelope(0.7, 1.0, 0.9, 1.2),
        0.4,
    ),
    "string_machine": Patch(
        Oscillators("strings", 4, 20.0, 0.9),
        Filter(5200.0, 0.2, 0.3, 0.7, lfo_hz=0.6, lfo_octaves=0.15),
        Envelope(0.12, 0.5, 0.95, 0.45),
        0.24,
    ),
}
"""Name of each pitched patch (also a key of `score.instruments.INSTRUMENTS`)."""
