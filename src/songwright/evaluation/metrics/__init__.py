"""The symbolic metrics of the musicality table, one file each: pure functions of a `Piece` (or of two sets of them)."""

from collections.abc import Callable

from songwright.evaluation.metrics.bass import bass_kick_coincidence, bass_root_on_one
from songwright.evaluation.metrics.chord_tones import chord_tone_ratio
from songwright.evaluation.metrics.density import density_contrast
from songwright.evaluation.metrics.empty_bars import empty_bar_share
from songwright.evaluation.metrics.groove_consistency import groove_consistency
from songwright.evaluation.metrics.intervals import interval_histogram
from songwright.evaluation.metrics.pitch_class_entropy import pitch_class_entropy
from songwright.evaluation.metrics.repetition import repetition_index
from songwright.evaluation.metrics.scale_consistency import scale_consistency
from songwright.evaluation.piece import Piece

METRICS: dict[str, Callable[[Piece], float | None]] = {
    "pitch_class_entropy": pitch_class_entropy,
    "scale_consistency": scale_consistency,
    "groove_consistency": groove_consistency,
    "chord_tone_ratio": chord_tone_ratio,
    "repetition_index": repetition_index,
    "empty_bar_share": empty_bar_share,
    "density_contrast": density_contrast,
    "bass_root_on_one": bass_root_on_one,
    "bass_kick_coincidence": bass_kick_coincidence,
}
"""Name of each metric of one piece; None means that the piece does not have what it needs."""

__all__ = ["METRICS", "interval_histogram"]
