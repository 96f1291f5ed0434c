"""The tune: phrases planned over the form, rhythms and pitches drawn from models learned from lead sheets."""

from songwright.compose.melody.phrase_plan import PhrasePlan, Setting
from songwright.compose.melody.phrases import Line, write_phrase
from songwright.compose.melody.write import Melody, write_melody

__all__ = ["Line", "Melody", "PhrasePlan", "Setting", "write_melody", "write_phrase"]
