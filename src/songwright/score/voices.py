"""Voice types and the singers of the house: what they can sing. How they sound is in `perform/singer/voices.toml`."""

import difflib
from dataclasses import dataclass
from typing import Literal

from songwright.errors import InputError

Gender = Literal["female", "male", "child"]


@dataclass(frozen=True, slots=True)
class VoiceType:
    """A kind of voice; pitches are MIDI notes as they sound.

    Attributes:
        gender: whose voice it is.
        low, high: what it can reach in a song.
        tessitura: where most of a tune should lie.
    """

    gender: Gender
    low: int
    high: int
    tessitura: tuple[int, int]


VOICE_TYPES: dict[str, VoiceType] = {
    "soprano": VoiceType("female", 60, 81, (64, 76)),
    "mezzo": VoiceType("female", 57, 77, (60, 72)),
    "alto": VoiceType("female", 53, 74, (57, 69)),
    "tenor": VoiceType("male", 48, 69, (53, 65)),
    "baritone": VoiceType("male", 45, 66, (48, 61)),
    "bass": VoiceType("male", 40, 62, (43, 57)),
    "child": VoiceType("child", 60, 77, (62, 74)),
}
"""Ranges of untrained popular singers, not of opera."""


@dataclass(frozen=True, slots=True)
class HouseSinger:
    """A named voice.

    Attributes:
        voice_type: key into `VOICE_TYPES`.
        character: what people read.
    """

    voice_type: str
    character: str


SINGERS: dict[str, HouseSinger] = {
    "clara": HouseSinger("mezzo", "warm female voice"),
    "iris": HouseSinger("soprano", "soft, breathy female voice"),
    "vera": HouseSinger("alto", "powerful female voice"),
    "adam": HouseSinger("tenor", "clear male voice"),
    "leo": HouseSinger("baritone", "soft male voice"),
    "rex": HouseSinger("tenor", "powerful male voice"),
    "boris": HouseSinger("bass", "low male voice"),
    "mia": HouseSinger("child", "child's voice"),
}
"""The voices of the house; each sings every language."""


def house_singer(name: str) -> HouseSinger:
    """Returns the singer of this name.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    if name in SINGERS:
        return SINGERS[name]
    near = difflib.get_close_matches(name, SINGERS, n=2, cutoff=0.4)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    raise InputError(f"no singer '{name}'{hint}; singers: {', '.join(SINGERS)}")
