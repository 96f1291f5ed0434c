"""The tune: phrases planned over the form, rhythms and pitches drawn from models learned from lead sheets."""

from songwright.compose.melody.write import Melody, write_melody

__all__ = ["Melody", "write_melody"]
