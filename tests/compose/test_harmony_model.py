"""The learned model: probabilities, strict tables, the walk's distribution, and Viterbi under a melody."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

from songwright.compose.harmony import harmonise_melody
from songwright.compose.harmony import model as harmony_model
from songwright.compose.harmony.constraints import Target, resample
from songwright.compose.harmony.functions import NUM_FUNCTIONS, START, function_of, make_vocabulary
from songwright.compose.harmony.harmonise import melody_fit
from songwright.compose.harmony.manners import manners_for, pair_costs
from songwright.compose.harmony.model import (
    DURATIONS,
    FUNCTION_SHAPE,
    GROUPS,
    NO_DURATION,
    NO_ECHO,
    Context,
    Shape,
    load_model,
    make_chain,
    model_from_arrays,
    pack,
)
from songwright.compose.harmony.progression import Loop, Meter, Progression, period_twins
from songwright.compose.harmony.rhythm import Rhythm, chord_lengths
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Style, parse_style
from songwright.errors import DataError
from songwright.score.song import Note
from songwright.score.theory import Key, parse_chord, parse_key, parse_roman
from songwright.seeding import generator

CONTEXT = Context(0, 0, 1, (START, START, START), (NO_DURATION, NO_DURATION), 4, 0, 0, 4)
STYLE = """
title = "Test"
family = "folk"
tempo_bpm = [90, 110, 130]
modes = { major = 1.0 }
[harmony]
major = ["I", "ii", "IV", "V7", "vi"]
minor = ["i", "iv", "V7", "bVI"]
chord_beats = { "4" = 0.5, "2" = 0.5 }
loop_bars = { "4" = 1.0 }
[[form]]
sections = ["verse 8 0.5"]
[[part]]
id = "bass"
kind = "bass"
instruments = ["electric_bass_finger"]
"""
TUNE = (60, 60, 67, 67, 69, 69, 67, 0, 65, 65, 64, 64, 62, 62, 60, 0)
"""A nursery tune; 0 holds the note before."""


@pytest.fixture(scope="module")
def style() -> Style:
    """A small style of our own."""
    return parse_style("test", STYLE)


def tune_plan(bars: int = 4, meter: tuple[int, int] = (4, 4), key: str = "C major") -> SongPlan:
    """Returns a plan of one verse."""
    section = SectionPlan("Verse", "verse", 0, bars, 0.5)
    return SongPlan("Test", "test", 0, parse_key(key), 100.0, *meter, (section,))


def tune_notes(transpose: int = 0) -> list[Note]:
    """Returns the nursery tune."""
    return [Note(i * 960, 1920 if i % 8 == 6 else 960, pitch + transpose, 90) for i, pitch in enumerate(TUNE) if pitch]


def table_arrays() -> dict[str, np.ndarray]:
    """Returns the arrays that ship."""
    with np.load(harmony_model.TABLES_PATH, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


@pytest.mark.parametrize("group", range(len(GROUPS)))
@pytest.mark.parametrize("mode", [0, 1])
def test_distributions_are_distributions(group: int, mode: int) -> None:
    model = load_model()
    random = np.random.default_rng(group)
    for _ in range(20):
        h = random.integers(0, NUM_FUNCTIONS + 1, 3)
        context = replace(
            CONTEXT, mode=mode, group=group, history=(int(h[0]), int(h[1]), int(h[2])), bar=int(random.integers(8))
        )
        p, d = model.next_function(context), model.next_duration(context, 0)
        assert p.shape == (NUM_FUNCTIONS,)
        assert d.shape == (len(DURATIONS),)
        assert p.sum() == pytest.approx(1)
        assert d.sum() == pytest.approx(1)
        assert p.min() > 0
        assert d.min() > 0


def test_memory_does_not_change_answers() -> None:
    model = load_model()
    known: dict[int, np.ndarray] = {}
    for bar in (0, 3, 0):
        context = replace(CONTEXT, bar=bar, history=(0, 20, START))
        assert np.array_equal(model.next_function(context), model.next_function(context, known))


def test_the_model_has_learned_cadences() -> None:
    dominant, tonic = function_of(parse_roman("V7")), function_of(parse_roman("I"))
    for group in range(len(GROUPS)):
        context = replace(CONTEXT, group=group, history=(dominant, tonic, tonic), bar=4)
        assert load_model().next_function(context).argmax() == tonic


def test_back_off_is_interpolated_with_discounts() -> None:
    shape = Shape(3, (-1, 0), (1,), 1)
    keys = pack(((), (5,)))
    arrays = {
        "steps": np.diff(np.array(keys), prepend=0), "sizes": np.array([2, 1]), "outcomes": np.array([0, 1, 2]),
        "counts": np.array([3, 1, 2]), "discounts": np.array([[0.5, 0.6, 0.7], [0.4, 0.8, 0.9]]),
        "exponents": np.ones((1, 1)),
    }  # fmt: skip
    chain = make_chain(shape, arrays)
    lower = np.array([2.3 / 4, 0.5 / 4, 0]) + (0.7 + 0.5) / 4 / 3
    assert chain.distribution(((), (5,)), 0) == pytest.approx(np.array([0, 0, 1.2 / 2]) + 0.8 / 2 * lower)
    assert chain.distribution(((), (6,)), 0) == pytest.approx(lower)


@pytest.mark.parametrize("name", ["melody", "functions_steps", "durations_exponents"])
def test_tables_that_lack_a_part_are_refused(name: str) -> None:
    arrays = table_arrays()
    del arrays[name]
    with pytest.raises(DataError, match=r"recipes/harmony/build\.py"):
        model_from_arrays(arrays)


@pytest.mark.parametrize("name", ["functions_counts", "functions_sizes", "durations_discounts", "functions_exponents"])
def test_tables_of_another_shape_are_refused(name: str) -> None:
    arrays = table_arrays()
    arrays[name] = arrays[name][:-1]
    with pytest.raises(DataError, match="do not fit"):
        model_from_arrays(arrays)


def test_outcomes_out_of_range_are_refused() -> None:
    arrays = table_arrays()
    arrays["functions_outcomes"] = arrays["functions_outcomes"] + FUNCTION_SHAPE.num_outcomes
    with pytest.raises(DataError, match="do not fit"):
        model_from_arrays(arrays)


@pytest.mark.parametrize("content", [b"", b"no zip file", b"PK\x03\x04 cut off"])
def test_broken_files_are_refused(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "harmony.npz"
    path.write_bytes(content)
    monkeypatch.setattr(harmony_model, "TABLES_PATH", path)
    with pytest.raises(DataError, match=r"harmony\.npz"):
        load_model.__wrapped__()


def test_tables_stay_small() -> None:
    assert harmony_model.TABLES_PATH.stat().st_size <= 400_000


def test_the_walk_samples_its_target() -> None:
    key = Key(0, "major")
    vocabulary = make_vocabulary(("I", "IV", "V", "vi"), key)
    loop = Loop(load_model(), vocabulary, CONTEXT, Meter(4, 2), np.ones(4))
    target = Target(loop, manners_for("verse", "pop", False, vocabulary, ()))
    random = generator(0, "test")
    state = loop.draw((4, 4), (0, 1), random)
    states = {
        entries: state.with_entry(0, entries[0]).with_entry(1, entries[1]) for entries in product(range(4), range(4))
    }
    weights = {entries: np.exp(target.log_weight(s)) for entries, s in states.items()}
    total = sum(weights.values())
    seen: Counter[tuple[int, ...]] = Counter()
    for _ in range(6000):
        state = resample(state, target, random, num_steps=1)
        seen[state.entries()] += 1
    distance = sum(abs(seen[entries] / 6000 - weight / total) for entries, weight in weights.items()) / 2
    assert distance < 0.06


def test_periods_repeat_all_but_their_end() -> None:
    twins = period_twins((4,) * 8, 8, 4)
    assert twins == (0, 1, 2, 3, 0, 1, 2, 7)
    loop = Progression((), 8, 4, twins)
    assert loop.twins[7] == 7


def test_manners_know_voice_leading() -> None:
    vocabulary = make_vocabulary(("I", "ii7", "V7", "VI7", "#idim7", "IV"), Key(0, "major"))
    one, two, five, six, passing, four = (vocabulary.index(r) for r in ("I", "ii7", "V7", "VI7", "#idim7", "IV"))
    costs = pair_costs(vocabulary, strict=True, jazz=True)
    assert costs[six, two] == 0 < costs[six, four]
    assert costs[passing, two] == 0 < costs[passing, one]
    assert costs[two, five] == 0 < costs[five, two]
    assert pair_costs(vocabulary, strict=False, jazz=False)[five, four] == 0


@pytest.mark.parametrize("meter", [(4, 4), (3, 4), (6, 8), (12, 8), (5, 4)])
def test_lengths_fill_the_loop_and_keep_to_bars(meter: tuple[int, int], style: Style) -> None:
    plan = tune_plan(meter=meter)
    beats = plan.bar_ticks // plan.beat_ticks
    lengths = chord_lengths(style, beats, plan.beat_ticks / 960)
    for seed in range(10):
        drawn = Rhythm(load_model(), CONTEXT, beats, lengths).draw(4, generator(seed, "test"))
        assert sum(drawn) == 4 * beats
        start = 0
        for length in drawn:
            assert start % beats + length <= beats or (start % beats == 0 and length % beats == 0)
            start += length


def test_a_tune_gets_the_chords_a_child_would_play(style: Style) -> None:
    spans = harmonise_melody(tune_notes(), tune_plan(), style)
    roots = {s.start_ticks: parse_chord(s.symbol) for s in spans}
    assert spans[0].symbol == "C"
    assert spans[-1].symbol == "C"
    assert {"F", "G7"} <= {s.symbol for s in spans}
    assert all(chord is not None for chord in roots.values())


@pytest.mark.parametrize(("meter", "bars"), [((4, 4), 4), ((3, 4), 7), ((6, 8), 5), ((5, 4), 3)])
def test_harmonised_chords_fill_the_plan(meter: tuple[int, int], bars: int, style: Style) -> None:
    plan = tune_plan(bars, meter)
    spans = harmonise_melody(tune_notes(), plan, style)
    assert spans[0].start_ticks == 0
    assert spans[-1].end_ticks == plan.num_bars * plan.bar_ticks
    assert all(a.end_ticks == b.start_ticks for a, b in pairwise(spans))


def test_harmonising_moves_with_the_key(style: Style) -> None:
    low = harmonise_melody(tune_notes(), tune_plan(), style)
    high = harmonise_melody(tune_notes(3), tune_plan(key="Eb major"), style)
    assert [(s.start_ticks, s.symbol) for s in high] == [
        (s.start_ticks, {"C": "Eb", "F": "Ab", "G7": "Bb7", "Dm": "Fm", "Am": "Cm"}[s.symbol]) for s in low
    ]


def test_melody_weight_decides_how_much_is_heard(style: Style) -> None:
    plan, notes = tune_plan(), tune_notes()
    other = [replace(note, pitch=note.pitch + 2) for note in notes]
    assert harmonise_melody(notes, plan, style, melody_weight=0) == harmonise_melody(
        other, plan, style, melody_weight=0
    )
    assert harmonise_melody(notes, plan, style) != harmonise_melody(other, plan, style)
    assert harmonise_melody([], plan, style) == harmonise_melody(notes, plan, style, melody_weight=0)


def test_chord_tones_fit_best() -> None:
    plan = tune_plan(1)
    functions = [function_of(parse_roman(r)) for r in ("I", "ii", "IV", "V", "vi")]
    triad = [Note(i * 960, 960, pitch, 90) for i, pitch in enumerate((60, 64, 67, 72))]
    fit = melody_fit(triad, plan, functions, load_model()).sum(axis=0)
    assert fit.argmax() == 0
    assert NO_ECHO not in functions
