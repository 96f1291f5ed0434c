"""`Voice`: how a singer of the house sounds; the numbers are in `voices.toml`, what a recording says comes on top."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from songwright.errors import ConfigError
from songwright.score.song import Singer
from songwright.score.voices import house_singer

DEFAULT_SINGER = "clara"
EQUALISER_HZ = (125, 250, 500, 1000, 2000, 4000, 8000, 16000)
"""Bands of ``eq_125_db`` and so on."""
_FILE = Path(__file__).with_name("voices.toml")
_LIMITS: dict[str, tuple[float, float]] = {
    "formant_scale": (0.7, 1.45),
    "upper_formant_scale": (0.8, 1.25),
    "tract_ratio": (0.8, 1.25),
    "detune_cents": (-60.0, 60.0),
    "tilt_db_per_octave": (-6.0, 6.0),
    "breathiness": (0.0, 1.0),
    "effort": (-0.4, 0.4),
    "vibrato_rate_hz": (3.5, 8.0),
    "vibrato_cents": (0.0, 45.0),
    "vibrato_delay_seconds": (0.1, 1.5),
    "ring_db": (-6.0, 14.0),
    "ring_hz": (2200.0, 4200.0),
    "attack": (0.0, 1.0),
    "scoop_cents": (0.0, 150.0),
    "glide_seconds": (0.03, 0.2),
    "drift_cents": (0.0, 12.0),
    "jitter": (0.0, 0.02),
    "shimmer_db": (0.0, 1.0),
    "air_db": (-12.0, 12.0),
    "consonant_db": (-12.0, 12.0),
    "source_pitch": (0.0, 99.0),
    **{f"eq_{hz}_db": (-18.0, 18.0) for hz in EQUALISER_HZ},
}


@dataclass(frozen=True, slots=True)
class Voice:
    """A singing voice.

    Attributes:
        variant: espeak variant that speaks for it.
        source_pitch: espeak's pitch setting, 0 to 99.
        formant_scale: length of the vocal tract: above 1 is shorter than the source's.
        upper_formant_scale: the same for what lies above 2.5 kHz, on top.
        tilt_db_per_octave: brighter (above 0) or darker above 500 Hz.
        breathiness: 0 pressed, 0.5 usual, 1 breathy.
        effort: how much more effort (0 to 1) the singer makes than the score asks.
        vibrato_rate_hz, vibrato_cents, vibrato_delay_seconds: of long notes; cents to each side.
        ring_db, ring_hz: the singer's formant at full effort.
        attack: 0 soft onsets, 1 hard ones.
        scoop_cents: from how far below phrases begin.
        glide_seconds: how long the pitch takes to the next note.
        drift_cents: slow wandering, standard deviation.
        jitter, shimmer_db: roughness from frame to frame, as a share and in decibels.
        air_db: the band above 8 kHz.
        consonant_db: consonants against vowels.
        detune_cents: how far the whole part lies from the written pitch; a second take of the same singer.
        equaliser_db: gain in each band of `EQUALISER_HZ`.
    """

    variant: str
    source_pitch: float
    formant_scale: float
    upper_formant_scale: float
    tilt_db_per_octave: float
    breathiness: float
    effort: float
    vibrato_rate_hz: float
    vibrato_cents: float
    vibrato_delay_seconds: float
    ring_db: float
    ring_hz: float
    attack: float
    scoop_cents: float
    glide_seconds: float
    drift_cents: float
    jitter: float
    shimmer_db: float
    air_db: float
    consonant_db: float
    detune_cents: float = 0.0
    equaliser_db: tuple[float, ...] = (0.0,) * len(EQUALISER_HZ)


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def voice_of(singer: Singer | None) -> Voice:
    """Returns how a singer sounds; the default one if None.

    Raises:
        InputError: no singer of this name.
        ConfigError: a parameter is unknown or outside its limits.
    """
    singer = singer or Singer(DEFAULT_SINGER)
    house_singer(singer.name)
    table = _table()
    values: dict[str, Any] = {**table["common"], **table[singer.name]}
    for name, value in singer.parameters.items():
        if name not in _LIMITS:
            raise ConfigError(f"singer {singer.name}: no parameter '{name}'; parameters: {', '.join(_LIMITS)}")
        low, high = _LIMITS[name]
        if not low <= float(value) <= high:
            raise ConfigError(f"singer {singer.name}: {name} is {value}; expected {low:g} to {high:g}")
        values[name] = float(value)
    values["formant_scale"] = float(values["formant_scale"]) * float(values.pop("tract_ratio", 1.0))
    equaliser = tuple(float(values.pop(f"eq_{hz}_db", 0.0)) for hz in EQUALISER_HZ)
    names = {f.name for f in fields(Voice)}
    known: dict[str, Any] = {k: v if k == "variant" else float(v) for k, v in values.items() if k in names}
    return replace(Voice(**known), equaliser_db=equaliser)
