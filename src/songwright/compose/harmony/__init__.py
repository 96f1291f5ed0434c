"""Harmony: the chords of a song, sampled from a model learned from real songs, inside a style's vocabulary."""

from songwright.compose.harmony.constraints import Constraints
from songwright.compose.harmony.harmonise import harmonise_melody
from songwright.compose.harmony.write import write_harmony

__all__ = ["Constraints", "harmonise_melody", "write_harmony"]
