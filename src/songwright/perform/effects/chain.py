"""`EFFECTS`: every insert by name, and the chains made of them.

A new effect is a function ``(waveform, sample_rate, *, ...) -> waveform`` in this package, a line in `EFFECTS` with
the ranges of its parameters, and a test.
"""

import difflib
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import ConfigError
from songwright.perform.effects import drive, dynamics, filters, modulation, texture, vocal
from songwright.score.song import Insert

Range = tuple[float, float]


@dataclass(frozen=True)
class Effect:
    """One kind of insert.

    Attributes:
        function: ``(waveform, sample_rate, *, ...)``; its keyword arguments are the parameters, with their defaults.
        ranges: lowest and highest value of each parameter.
        tempo: whether the function takes ``beat_seconds``, the length of a quarter note.
        sides: whether it treats left and right differently; the others do a mono sound once.
    """

    function: Callable[..., NDArray[np.float32]]
    ranges: Mapping[str, Range]
    tempo: bool = False
    sides: bool = False


_HZ: Range = (0.0, 22000.0)
_SHELF: Range = (-24.0, 24.0)
_SHARE: Range = (0.0, 1.0)
_DRIVE: Range = (-12.0, 60.0)
_SLOW_HZ: Range = (0.0, 20.0)

EFFECTS: dict[str, Effect] = {
    "eq": Effect(
        filters.eq,
        {
            "low_cut_hz": _HZ, "high_cut_hz": _HZ, "low_shelf_db": _SHELF, "low_shelf_hz": (20.0, 2000.0),
            "high_shelf_db": _SHELF, "high_shelf_hz": (500.0, 20000.0), "peak_hz": (20.0, 20000.0),
            "peak_db": _SHELF, "peak_q": (0.1, 20.0),
        },
    ),
    "compressor": Effect(
        dynamics.compressor,
        {
            "threshold_db": (-60.0, 0.0), "ratio": (1.0, 100.0), "attack_ms": (0.0, 500.0),
            "release_ms": (1.0, 5000.0), "makeup_db": (-24.0, 36.0), "mix": _SHARE,
        },
    ),
    "deesser": Effect(
        vocal.deesser, {"frequency_hz": (1000.0, 16000.0), "excess_db": (-40.0, 20.0), "range_db": (0.0, 24.0)}
    ),
    "plate": Effect(
        vocal.plate, {"seconds": (0.2, 6.0), "level_db": (-60.0, 0.0), "predelay_ms": (0.0, 200.0)}, sides=True
    ),
    "gate": Effect(dynamics.gate, {"threshold_db": (-100.0, 0.0), "release_ms": (1.0, 5000.0)}),
    "transient": Effect(dynamics.transient, {"attack_db": _SHELF, "sustain_db": _SHELF}),
    "limiter": Effect(dynamics.limiter, {"ceiling_db": (-40.0, 0.0)}),
    "saturation": Effect(drive.saturation, {"drive_db": _DRIVE, "mix": _SHARE}),
    "tape": Effect(drive.tape, {"drive_db": _DRIVE, "wow": _SHARE}),
    "amp": Effect(drive.amp, {"drive_db": _DRIVE, "tone": _SHARE}),
    "cabinet": Effect(drive.cabinet, {"size": _SHARE}),
    "double": Effect(drive.double, {"delay_ms": (0.0, 60.0), "detune_cents": (0.0, 50.0)}, sides=True),
    "vinyl": Effect(texture.vinyl, {"noise_db": (-120.0, -10.0), "wear": _SHARE}, sides=True),
    "lofi": Effect(texture.lofi, {"bits": (2.0, 24.0), "rate_hz": (1000.0, 48000.0), "antialias": _SHARE}),
    "width": Effect(texture.width, {"amount": (0.0, 3.0)}, sides=True),
    "chorus": Effect(modulation.chorus, {"rate_hz": _SLOW_HZ, "depth_ms": (0.0, 20.0), "mix": _SHARE}, sides=True),
    "flanger": Effect(
        modulation.flanger,
        {"rate_hz": _SLOW_HZ, "depth_ms": (0.0, 10.0), "feedback": (-0.9, 0.9), "mix": _SHARE}, sides=True,
    ),
    "phaser": Effect(modulation.phaser, {"rate_hz": _SLOW_HZ, "depth": _SHARE, "mix": _SHARE}, sides=True),
    "tremolo": Effect(
        modulation.tremolo, {"rate_hz": _SLOW_HZ, "rate_beats": (0.0, 64.0), "depth": _SHARE}, tempo=True
    ),
    "auto_wah": Effect(modulation.auto_wah, {"depth": _SHARE}, sides=True),
    "rotary": Effect(modulation.rotary, {"speed_hz": _SLOW_HZ}, sides=True),
}  # fmt: skip
"""What an insert may be: kind, function, parameters."""


def check_insert(insert: Insert) -> None:
    """Raises ConfigError if the insert's kind or a parameter is unknown or out of range; names the nearest."""
    effect = EFFECTS.get(insert.kind)
    if effect is None:
        raise ConfigError(f"unknown effect '{insert.kind}'; {_nearest(insert.kind, EFFECTS)}")
    for name, value in insert.parameters.items():
        if name not in effect.ranges:
            raise ConfigError(f"effect {insert.kind} has no parameter '{name}'; {_nearest(name, effect.ranges)}")
        low, high = effect.ranges[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ConfigError(f"effect {insert.kind}: {name} must be a number, not {value!r}")
        if not low <= value <= high:
            raise ConfigError(f"effect {insert.kind}: {name} must be {low:g} to {high:g}, not {value:g}")


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    return f"nearest: {near[0]}" if near else f"known: {', '.join(known)}"


def defaults(kind: str) -> dict[str, float]:
    """Returns the parameters of a kind of effect with their default values."""
    signature = inspect.signature(EFFECTS[kind].function)
    return {name: float(signature.parameters[name].default) for name in EFFECTS[kind].ranges}


def apply_chain(
    waveform: NDArray[np.float32], sample_rate: int, inserts: Sequence[Insert], *, beat_seconds: float = 0.5
) -> NDArray[np.float32]:
    """Returns the waveform after every insert, in order. The waveform given is left as it is.

    Args:
        waveform: (2, samples), or (1, samples) of a sound that is the same on both sides; it stays so as long as the
            inserts let it.
        sample_rate: samples per second.
        inserts: kinds and parameters.
        beat_seconds: length of a quarter note, for effects that move with the beat.

    Raises:
        ConfigError: an insert is not valid.
    """
    for insert in inserts:
        check_insert(insert)
    for insert in inserts:
        effect = EFFECTS[insert.kind]
        extra = {"beat_seconds": beat_seconds} if effect.tempo else {}
        if effect.sides and len(waveform) == 1:
            waveform = np.repeat(waveform, 2, axis=0)
        waveform = effect.function(waveform, sample_rate, **insert.parameters, **extra)
    return waveform
