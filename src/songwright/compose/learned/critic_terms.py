"""The critic's terms by name: what is measured, and which side of the usual is the wrong one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from songwright.compose.learned import critic_band as band
from songwright.compose.learned import critic_harmony as harmony
from songwright.compose.learned import critic_tune as tune
from songwright.compose.learned.critic_view import Heard

Side = Literal["low", "high", "both"]


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is judged.

    Attributes:
        measure: returns a number of what is heard, NaN where there is too little.
        wrong: which values count against a song: those below what real music has, those above, or both.
    """

    measure: Callable[[Heard], float]
    wrong: Side


TERMS: dict[str, Term] = {
    "strong_beats_on_chord": Term(tune.strong_beats_on_chord, "low"),
    "tune_on_chord": Term(tune.tune_on_chord, "low"),
    "dissonance_by_step": Term(tune.dissonance_by_step, "low"),
    "leap_recovery": Term(tune.leap_recovery, "low"),
    "mean_interval": Term(tune.mean_interval, "both"),
    "wide_leaps": Term(tune.wide_leaps, "high"),
    "tune_range": Term(tune.tune_range, "both"),
    "one_climax": Term(tune.one_climax, "low"),
    "arch": Term(tune.arch, "both"),
    "in_scale": Term(tune.in_scale, "low"),
    "turns": Term(tune.stepwise_turns, "both"),
    "phrase_ends_on_chord": Term(tune.phrase_ends_on_chord, "low"),
    "phrase_ends_stable": Term(tune.phrase_ends_stable, "low"),
    "phrase_ends_held": Term(tune.phrase_ends_held, "low"),
    "phrase_length": Term(tune.phrase_length, "both"),
    "rests": Term(tune.rests, "both"),
    "notes_per_bar": Term(tune.notes_per_bar, "both"),
    "rhythm_variety": Term(tune.rhythm_variety, "both"),
    "syncopation": Term(tune.syncopation, "both"),
    "off_beats": Term(tune.off_beats, "both"),
    "rhythm_returns": Term(tune.rhythm_returns, "both"),
    "motif_returns": Term(tune.motif_returns, "both"),
    "motif_varied": Term(tune.motif_varied, "both"),
    "motif_order": Term(tune.motif_order, "low"),
    "joints": Term(tune.joints, "high"),
    "cadences": Term(harmony.cadences, "low"),
    "changes_on_strong_beats": Term(harmony.changes_on_strong_beats, "low"),
    "steady_harmonic_rhythm": Term(harmony.steady_harmonic_rhythm, "low"),
    "chords_per_bar": Term(harmony.chords_per_bar, "both"),
    "diatonic": Term(harmony.diatonic, "low"),
    "strong_progressions": Term(harmony.strong_progressions, "low"),
    "common_tones": Term(harmony.common_tones, "high"),
    "chord_variety": Term(harmony.chord_variety, "both"),
    "tonic_share": Term(harmony.tonic_share, "both"),
    "chords_return": Term(harmony.chords_return, "low"),
    "ends_at_home": Term(harmony.ends_at_home, "low"),
    "clashes": Term(harmony.clashes, "high"),
    "bass_on_root": Term(harmony.bass_on_root, "low"),
    "bass_on_chord": Term(harmony.bass_on_chord, "low"),
    "bass_moves": Term(harmony.bass_moves, "both"),
    "parallels": Term(harmony.parallels, "high"),
    "comping_leads": Term(harmony.comping_leads, "high"),
    "backing_on_chord": Term(harmony.backing_on_chord, "low"),
    "groove_steady": Term(band.groove_steady, "both"),
    "backbeat": Term(band.backbeat, "low"),
    "kick_on_one": Term(band.kick_on_one, "low"),
    "drums_on_beat": Term(band.on_the_beat, "low"),
    "kick_and_snare_apart": Term(band.kick_and_snare_apart, "low"),
    "touch": Term(band.touch, "both"),
    "fills": Term(band.fills, "low"),
    "bass_with_kick": Term(band.bass_with_kick, "low"),
    "bass_steady": Term(band.bass_steady, "both"),
    "chorus_lift": Term(band.chorus_lift, "low"),
    "chorus_higher": Term(band.chorus_higher, "low"),
    "sections_return": Term(band.sections_return, "both"),
    "sections_differ": Term(band.sections_differ, "low"),
}
