"""How velocity, key and controllers bend a zone's generators: SoundFont modulators.

Reference: SoundFont Technical Specification 2.04, sections 8.2, 8.4 and 9.5; where it is silent, fluidsynth's way.
Volume, expression, pan, modulation wheel, sustain and pitch wheel change while a note sounds, so the player applies
them itself; everything else is read once, when the note begins.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

PEAK_ATTENUATION_CB = 960.0
_NO_CONTROLLER, _VELOCITY, _KEY, _WHEEL, _WHEEL_RANGE = 0, 2, 3, 14, 16
_CONTROLLER_FLAG = 0x80
_FILTER_CUTOFF = 8


@dataclass(frozen=True, slots=True)
class Modulator:
    """One connection: target += amount x source x scale.

    Attributes:
        source, scale: packed descriptions of what is read and by which curve.
        target: the generator that it adds to.
        amount: in the target's unit.
        absolute: whether the sum's sign is dropped.
    """

    source: int
    target: int
    amount: float
    scale: int = 0
    absolute: bool = False

    @property
    def identity(self) -> tuple[int, int, int, bool]:
        """What makes two modulators the same one, so that the later replaces or adds to the earlier."""
        return self.source, self.target, self.scale, self.absolute

    @property
    def controllers(self) -> tuple[int, ...]:
        """MIDI controllers that it reads."""
        return tuple(s & 0x7F for s in (self.source, self.scale) if s & _CONTROLLER_FLAG)

    def value(self, velocity: int, key: int, controller: Callable[[int], int]) -> float:
        """Returns what it adds to its target.

        Args:
            velocity: 1 to 127.
            key: MIDI note number.
            controller: gives the value of a MIDI controller now.
        """
        result = self.amount * _source(self.source, velocity, key, controller)
        if self.scale:
            result *= _source(self.scale, velocity, key, controller)
        return abs(result) if self.absolute else result


VELOCITY_TO_ATTENUATION = Modulator(0x0502, 48, PEAK_ATTENUATION_CB)
VOLUME_TO_ATTENUATION = Modulator(0x0587, 48, PEAK_ATTENUATION_CB)
EXPRESSION_TO_ATTENUATION = Modulator(0x058B, 48, PEAK_ATTENUATION_CB)
PAN_TO_PAN = Modulator(0x028A, 17, 500.0)
WHEEL_TO_VIBRATO = Modulator(0x0081, 6, 50.0)

DEFAULTS = (
    VELOCITY_TO_ATTENUATION,
    VOLUME_TO_ATTENUATION,
    EXPRESSION_TO_ATTENUATION,
    PAN_TO_PAN,
    WHEEL_TO_VIBRATO,
)
"""What every zone has unless it says otherwise. Velocity does not close the filter, as in fluidsynth."""


def is_default_filter(modulator: Modulator) -> bool:
    """Whether this is the specification's default from velocity to the filter, which fluidsynth leaves out."""
    return modulator.source == 0x0102 and modulator.target == _FILTER_CUTOFF and modulator.scale in (0x0D02, 0x0C02)


def concave(x: float) -> float:
    """Returns the concave curve: 0 at 0, 1 at 1, and for 1 - x the decibels of x squared over 96."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    return min(1.0, -400.0 / PEAK_ATTENUATION_CB * math.log10(1.0 - x))


def convex(x: float) -> float:
    """Returns the convex curve: the concave one turned around."""
    return 1.0 - concave(1.0 - x)


def attenuation_cb(value: float) -> float:
    """Returns how far a controller (or velocity) value turns down, in centibels, by the default concave curve."""
    return PEAK_ATTENUATION_CB * concave(1.0 - value / 127.0)


def _source(packed: int, velocity: int, key: int, controller: Callable[[int], int]) -> float:
    index = packed & 0x7F
    span = 127.0
    if packed & _CONTROLLER_FLAG:
        raw = float(controller(index))
    elif index == _NO_CONTROLLER:
        return 1.0
    elif index == _VELOCITY:
        raw = float(velocity)
    elif index == _KEY:
        raw = float(key)
    elif index == _WHEEL:
        raw, span = 64.0, 128.0
    elif index == _WHEEL_RANGE:
        raw = 2.0
    else:
        return 0.0
    x = raw / span
    if packed & 0x100:
        x = 1.0 - x
    if packed & 0x200:
        x = 2.0 * x - 1.0
        return math.copysign(_curve(packed >> 10, abs(x), 0.0), x)
    return _curve(packed >> 10, x, 0.5)


def _curve(kind: int, x: float, threshold: float) -> float:
    if kind == 1:
        return concave(x)
    if kind == 2:
        return convex(x)
    if kind == 3:
        return 1.0 if x >= threshold else 0.0
    return x
