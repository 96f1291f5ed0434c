"""What all notes of a channel share: volume, expression, pan, bend, modulation wheel and pedal over time."""

import numpy as np
from numpy.typing import NDArray

from songwright.perform.sampler.dsp import control_seconds, stretch
from songwright.perform.timeline import Performance

MODULATION, VOLUME, PAN, EXPRESSION, PEDAL = 1, 7, 10, 11, 64
DEFAULT_VOLUME, DEFAULT_EXPRESSION, DEFAULT_PAN = 100, 127, 64
_DEFAULTS = {VOLUME: DEFAULT_VOLUME, EXPRESSION: DEFAULT_EXPRESSION, PAN: DEFAULT_PAN}
_STEP_SECONDS = 0.004
_GLIDE_SECONDS = 0.02


class Curve:
    """A controller over time: steps are rounded off, close steps become a straight glide.

    Args:
        points: (seconds, value) in order.
        initial: value before the first point.
    """

    def __init__(self, points: list[tuple[float, float]], initial: float) -> None:
        self.initial = initial
        self._step_seconds = np.array([p[0] for p in points], np.float64)
        self._steps = np.array([initial, *(p[1] for p in points)], np.float64)
        gaps = np.diff(self._step_seconds, prepend=-1.0)
        ramps = np.where(gaps <= _GLIDE_SECONDS, gaps, _STEP_SECONDS)
        self._seconds = np.repeat(self._step_seconds, 2)
        self._seconds[0::2] -= ramps
        self._values = np.repeat(self._steps, 2)[1:-1]
        self.moves = bool(np.any(self._steps != self._steps[0]))
        """Whether there is any change at all."""

    def at(self, seconds: float) -> float:
        """Returns the value in force, steps taken exactly when they come."""
        if not self.moves:
            return self.initial
        return float(self._steps[np.searchsorted(self._step_seconds, seconds, side="right")])

    def constant_over(self, start_seconds: float, end_seconds: float) -> bool:
        """Whether nothing changes between two times."""
        if not self.moves:
            return True
        first = np.searchsorted(self._step_seconds, start_seconds, side="right")
        last = np.searchsorted(self._step_seconds, end_seconds + _GLIDE_SECONDS, side="right")
        return bool(np.all(self._steps[first : last + 1] == self._steps[first]))

    def values(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the value at every time. Same shape as `seconds`."""
        if not len(self._seconds):
            return np.full(len(seconds), self.initial)
        return np.interp(seconds, self._seconds, self._values)


class Channel:
    """The controllers of one performance.

    Args:
        performance: whose controls and bends.
    """

    def __init__(self, performance: Performance) -> None:
        first = float(performance.start_seconds[0]) if performance.num_notes else 0.0
        points: dict[int, list[tuple[float, float]]] = {}
        for seconds, controller, value in performance.controls:
            points.setdefault(controller, []).append((seconds, float(value)))
        self._curves = {c: _curve(p, _DEFAULTS.get(c, 0), first) for c, p in points.items()}
        scale = performance.bend_range_semitones * 100.0 / 8192.0
        self.bend_cents = _curve([(s, v * scale) for s, v in performance.bends], 0.0, first)
        self.wheel = self.curve(MODULATION)

    def curve(self, controller: int) -> Curve:
        """Returns a controller over time."""
        if controller not in self._curves:
            self._curves[controller] = Curve([], float(_DEFAULTS.get(controller, 0)))
        return self._curves[controller]

    def release_seconds(self, end_seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns when notes fall silent that are let go at these times: the pedal holds them until it comes up."""
        pedal = self.curve(PEDAL)
        if not pedal.moves and pedal.initial < 64:
            return end_seconds
        changes, down = pedal._step_seconds, pedal._steps >= 64
        ups = np.append(changes[~down[1:]], np.inf)
        held = down[np.searchsorted(changes, end_seconds, side="right")]
        return np.where(held, ups[np.searchsorted(ups[:-1], end_seconds, side="right")], end_seconds)

    @property
    def pan_moves(self) -> bool:
        """Whether the pan controller changes while notes sound."""
        return self.curve(PAN).moves

    def pan_gains(self, pan: float, span: float) -> tuple[float, float]:
        """Returns the gains of left and right where the knob rests, for a voice's own pan and what the knob adds."""
        left, right = _pan_law(pan + span * _knob(np.array([self.curve(PAN).initial])))
        return float(left[0]), float(right[0])

    def moving_pan_gains(
        self, pan: float, span: float, num_samples: int, sample_rate: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns the same where the knob moves, (samples,) each."""
        seconds = control_seconds(num_samples, sample_rate)
        left, right = _pan_law(pan + span * _knob(self.curve(PAN).values(seconds)))
        return stretch(left, num_samples), stretch(right, num_samples)

    def apply_volume(self, sound: NDArray[np.float32], sample_rate: int) -> None:
        """Turns a channel's sound, made at the default volume, up and down in place, (channels, samples)."""
        volume, expression = self.curve(VOLUME), self.curve(EXPRESSION)
        if not volume.moves and not expression.moves:
            gain = (volume.initial / DEFAULT_VOLUME * expression.initial / DEFAULT_EXPRESSION) ** 2
            if gain != 1.0:
                sound *= np.float32(gain)
            return
        num_samples = sound.shape[1]
        seconds = control_seconds(num_samples, sample_rate)
        share = volume.values(seconds) / DEFAULT_VOLUME * expression.values(seconds) / DEFAULT_EXPRESSION
        sound *= stretch(share**2, num_samples)


def _curve(points: list[tuple[float, float]], default: float, first_seconds: float) -> Curve:
    """Returns a curve that starts where the last point before the first note leaves it."""
    before = sum(1 for seconds, _ in points if seconds <= first_seconds)
    return Curve(points[before:], points[before - 1][1] if before else float(default))


def _knob(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the pan controller as -1 to 1; 64 is the middle and both 0 and 1 are hard left (MIDI RP-036)."""
    return np.asarray((np.maximum(values, 1.0) - 64.0) / 63.0, np.float64)


def _pan_law(pan: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    angle = (np.clip(pan, -500.0, 500.0) + 500.0) / 1000.0 * (np.pi / 2.0)
    return np.cos(angle), np.sin(angle)
