"""Names of the General MIDI drums, and the groups that become one stem each."""

DRUMS: dict[str, int] = {
    "kick": 36, "kick_2": 35, "snare": 38, "snare_2": 40, "rim": 37, "clap": 39,
    "closed_hat": 42, "pedal_hat": 44, "open_hat": 46,
    "floor_tom": 41, "floor_tom_2": 43, "low_tom": 45, "mid_tom": 47, "mid_tom_2": 48, "high_tom": 50,
    "crash": 49, "crash_2": 57, "splash": 55, "china": 52, "ride": 51, "ride_2": 59, "ride_bell": 53,
    "tambourine": 54, "cowbell": 56, "vibraslap": 58,
    "high_bongo": 60, "low_bongo": 61, "mute_conga": 62, "open_conga": 63, "low_conga": 64,
    "high_timbale": 65, "low_timbale": 66, "high_agogo": 67, "low_agogo": 68, "cabasa": 69, "maracas": 70,
    "short_whistle": 71, "long_whistle": 72, "short_guiro": 73, "long_guiro": 74, "claves": 75,
    "high_wood_block": 76, "low_wood_block": 77, "mute_cuica": 78, "open_cuica": 79,
    "mute_triangle": 80, "open_triangle": 81, "shaker": 82, "bell_tree": 84, "castanets": 85,
    "mute_surdo": 86, "open_surdo": 87,
}  # fmt: skip
"""Name of each drum and its General MIDI note number."""

DRUM_NAMES: dict[int, str] = {pitch: name for name, pitch in DRUMS.items()}

_GROUPS: dict[str, str] = {
    "kick": "kick", "kick_2": "kick",
    "snare": "snare", "snare_2": "snare", "rim": "snare", "clap": "snare",
    "closed_hat": "hats", "pedal_hat": "hats", "open_hat": "hats",
    "floor_tom": "toms", "floor_tom_2": "toms", "low_tom": "toms", "mid_tom": "toms", "mid_tom_2": "toms",
    "high_tom": "toms",
    "crash": "cymbals", "crash_2": "cymbals", "splash": "cymbals", "china": "cymbals", "ride": "cymbals",
    "ride_2": "cymbals", "ride_bell": "cymbals",
}  # fmt: skip

DRUM_GROUPS = ("kick", "snare", "hats", "toms", "cymbals", "percussion")


def drum_group(pitch: int) -> str:
    """Returns which stem a drum of a drum track belongs to: one of `DRUM_GROUPS`."""
    return _GROUPS.get(DRUM_NAMES.get(pitch, ""), "percussion")
