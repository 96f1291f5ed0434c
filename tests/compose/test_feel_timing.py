"""Properties of feel: swing, one shared timing, the bass on the kick, programmed styles on the grid."""

from dataclasses import replace

import numpy as np
import pytest

from songwright.compose.arrange.feel import apply_feel, swing_offsets
from songwright.compose.arrange.grooves import SongTiming, groove_table, levels_of, load_tables
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Feel, FormBook, HarmonyBook, Style
from songwright.errors import ConfigError
from songwright.score.song import Note, Track
from songwright.score.theory import parse_key

BARS = 16


def make_style(**feel) -> Style:
    harmony = HarmonyBook(("I",), ("i",), {"4": 1.0}, {"4": 1.0})
    return Style("test", "Test", "rock", (90, 100, 120), {"major": 1.0}, harmony, (FormBook(("verse 8 0.5",)),), (),
                 feel=Feel(**feel))  # fmt: skip


def make_plan(numerator: int = 4, denominator: int = 4) -> SongPlan:
    section = SectionPlan("Verse 1", "verse", 0, BARS, 0.5)
    return SongPlan("t", "test", 0, parse_key("C major"), 100.0, numerator, denominator, (section,))


def line(role: str, pitch: int, step: int, *, offset: int = 0, name: str = "") -> Track:
    notes = tuple(Note(t, 100, pitch, 90, offset) for t in range(0, BARS * 3840, step))
    return Track(name or role, role, "standard_kit", notes=notes)


def offsets(track: Track) -> np.ndarray:
    return np.array([n.offset_ticks for n in track.notes])


MS = 60000 / (100.0 * 960)


def test_written_grid_is_untouched():
    tracks = (line("drums", 36, 960), line("bass", 40, 480), line("chords", 60, 480))
    felt = apply_feel(tracks, make_plan(), make_style(groove_midi="funk", swing=0.4), seed=1)
    assert [t.id for t in felt] == [t.id for t in tracks]
    for before, after in zip(tracks, felt, strict=True):
        assert [replace(n, offset_ticks=0) for n in after.notes] == list(before.notes)


def test_bass_meets_the_kick_within_five_milliseconds():
    style = make_style(groove_midi="rock", lay_back_ms={"bass": 12.0})
    drums, bass = apply_feel((line("drums", 36, 960), line("bass", 40, 480)), make_plan(), style, seed=2)
    kicks = {n.start_ticks: n.offset_ticks for n in drums.notes}
    apart = [abs(n.offset_ticks - kicks[n.start_ticks]) * MS for n in bass.notes if n.start_ticks in kicks]
    assert len(apart) == BARS * 4
    assert max(apart) <= 5.0
    assert np.std(list(kicks.values())) > 0


def test_programmed_styles_stay_on_the_grid():
    style = make_style(programmed=True, groove_midi="hiphop")
    for track in apply_feel((line("drums", 42, 240), line("bass", 40, 480)), make_plan(), style, seed=0):
        assert not offsets(track).any()


def test_full_swing_is_the_triplet_and_triplets_stay():
    style, plan = make_style(swing=1.0, swing_unit=8), make_plan()
    ticks = np.array([0, 240, 320, 480, 640, 720, 960, 1440])
    assert swing_offsets(ticks, plan, style).tolist() == [0, 80, 0, 160, 0, 80, 0, 160]
    sixteenths = make_style(swing=0.5, swing_unit=16)
    assert swing_offsets(np.array([0, 240, 480, 720, 160]), plan, sixteenths).tolist() == [0, 40, 0, 40, 0]
    assert not swing_offsets(np.array([480, 960]), make_plan(6, 8), style).any()


def test_the_band_shares_one_timing():
    tracks = (line("drums", 42, 240), line("chords", 60, 240, name="keys"), line("chords", 64, 240, name="guitar"))
    drums, keys, guitar = (offsets(t) for t in apply_feel(tracks, make_plan(), make_style(groove_midi="funk"), seed=4))
    assert np.corrcoef(keys, guitar)[0, 1] > 0.6
    assert np.corrcoef(drums, keys)[0, 1] > 0.4


def test_human_timing_is_small_and_not_constant():
    (drums,) = apply_feel((line("drums", 38, 240),), make_plan(), make_style(groove_midi="soul"), seed=5)
    ms = offsets(drums) * MS
    assert 2.0 < ms.std() < 15.0
    assert np.abs(ms).max() < 35.0


def test_strums_are_kept_and_effects_do_not_move():
    plan, style = make_plan(), make_style(groove_midi="pop")
    plain, strummed = (apply_feel((line("chords", 60, 960, offset=o),), plan, style, seed=0)[0].notes for o in (0, 25))
    assert {b.offset_ticks - a.offset_ticks for a, b in zip(plain[1:], strummed[1:], strict=True)} == {25}
    (effect,) = apply_feel((line("effects", 60, 3840),), plan, style, seed=0)
    assert not offsets(effect).any()


def test_a_chord_stays_together():
    notes = tuple(Note(t, 100, p, 90) for t in range(0, 38400, 480) for p in (60, 64, 67))
    (chords,) = apply_feel((Track("keys", "chords", "electric_piano", notes=notes),), make_plan(), make_style(), seed=0)
    together = offsets(chords).reshape(-1, 3)
    assert (together == together[:, :1]).all()


def test_nothing_sounds_before_the_song():
    for seed in range(6):
        for track in apply_feel((line("drums", 36, 960), line("bass", 40, 960)), make_plan(), make_style(), seed=seed):
            assert track.notes[0].offset_ticks >= 0


def test_lay_back_of_a_drum_and_of_a_part():
    style = make_style(programmed=True, lay_back_ms={"snare": 10.0, "keys": 5.0})
    drums, keys = apply_feel((line("drums", 38, 960), line("chords", 60, 960, name="keys")), make_plan(), style, seed=0)
    assert set(offsets(drums)) == {16}
    assert set(offsets(keys)) == {8}


def test_other_seed_other_performance():
    plan, style = make_plan(), make_style(groove_midi="jazz")
    first, again, other = (apply_feel((line("drums", 51, 480),), plan, style, seed=s) for s in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("name", ["funk", "hiphop", "dance", "rock", "jazz", "latin", "pop", "soul"])
def test_learned_levels_rise_from_ghost_to_accent(name):
    style = make_style(groove_midi=name)
    for drum in ("kick", "snare", "closed_hat", "ride", "crash"):
        levels = list(levels_of(style, drum).values())
        assert levels == sorted(levels)
        assert 1 <= levels[0] < levels[-1] <= 127


def test_tables_are_of_training_data_and_small():
    tables = load_tables()
    assert {"all", "funk", "rock", "jazz"} <= set(tables)
    for table in tables.values():
        for steps in (16, 12):
            for row in table[f"steps{steps}"].values():
                assert len(row["late_ms"]) == len(row["curve"]) == steps
                assert np.abs(row["late_ms"]).max() < 60


def test_drift_is_smooth():
    timing = SongTiming(make_plan(), make_style(groove_midi="funk"), seed=3)
    ticks = np.arange(0, BARS * 3840, 3840)
    beat = timing.common_ms(ticks + 960) - timing.common_ms(ticks + 720)
    far = timing.common_ms(ticks[8:]) - timing.common_ms(ticks[:-8])
    assert np.std(beat) < np.std(far) + 3.0


def test_every_style_of_the_dataset_has_drummers():
    names = "afrobeat afrocuban blues country dance funk gospel highlife hiphop jazz latin middleeastern neworleans pop"
    for name in [*names.split(), "punk", "reggae", "rock", "soul", ""]:
        assert groove_table(make_style(groove_midi=name))["bars"] > 0


def test_unknown_drummers_are_named():
    with pytest.raises(ConfigError, match="polka"):
        groove_table(make_style(groove_midi="polka"))
