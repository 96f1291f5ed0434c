"""Chords of whole songs: no gaps, same role same chords, home at the end, the style's vocabulary, constraints."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songwright.compose.harmony import Constraints, write_harmony
from songwright.compose.harmony.functions import function_of, make_vocabulary, quality_of, spell
from songwright.compose.harmony.write import Bars, idiom_bars, laid_out
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Idiom, Style, parse_style
from songwright.score.song import ChordSpan
from songwright.score.theory import MODES, QUALITIES, Chord, Key, parse_chord, parse_key, parse_roman

STYLE = """
title = "Test"
family = "pop"
tempo_bpm = [90, 110, 130]
modes = { major = 1.0 }
[harmony]
major = ["I", "ii7", "IV", "V7", "vi", "bVII", "I/3"]
minor = ["i", "iv", "v", "V7", "bVI", "bVII", "bIII", "ii7b5"]
chord_beats = { "4" = 0.6, "2" = 0.3, "8" = 0.1 }
loop_bars = { "4" = 0.6, "8" = 0.4 }
idioms = [{ mode = "minor", chords = "i | bVII | bVI bVII | V7", sections = ["chorus"] }]
idiom_share = 0.5
[[form]]
sections = ["verse 8 0.5"]
[[part]]
id = "bass"
kind = "bass"
instruments = ["electric_bass_finger"]
"""
FORM = (("intro", 4), ("verse", 16), ("prechorus", 8), ("chorus", 8), ("verse", 16), ("bridge", 6), ("chorus", 8))


@pytest.fixture(scope="module")
def style() -> Style:
    """A small style of our own."""
    return parse_style("test", STYLE)


def make_plan(
    key: str = "C major", meter: tuple[int, int] = (4, 4), form: tuple[tuple[str, int], ...] = FORM, lift: int = 0
) -> SongPlan:
    """Returns a plan with these sections; the last one is lifted."""
    sections, bar = [], 0
    for i, (role, bars) in enumerate(form):
        shift = lift if i == len(form) - 1 else 0
        sections.append(SectionPlan(f"{role} {i}", role, bar, bars, 0.5, key_shift=shift))  # type: ignore[arg-type]
        bar += bars
    return SongPlan("Test", "test", 0, parse_key(key), 110.0, *meter, tuple(sections))


def chords_of(plan: SongPlan, spans: tuple[ChordSpan, ...], index: int) -> list[tuple[int, int, str]]:
    """Returns (start in section, length, symbol) of a section, cut at its borders."""
    first, end = plan.start_ticks(plan.sections[index]), plan.end_ticks(plan.sections[index])
    return [
        (max(s.start_ticks, first) - first, min(s.end_ticks, end) - max(s.start_ticks, first), s.symbol)
        for s in spans
        if s.end_ticks > first and s.start_ticks < end
    ]


def chord(symbol: str) -> Chord:
    """Returns the chord of a symbol that is one."""
    found = parse_chord(symbol)
    assert found is not None
    return found


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    tonic=st.integers(0, 11),
    mode=st.sampled_from(["major", "minor", "dorian", "mixolydian", "harmonic_minor", "blues", "phrygian"]),
    meter=st.sampled_from([(4, 4), (3, 4), (6, 8), (12, 8), (2, 4), (5, 4), (7, 8), (9, 8)]),
    bars=st.lists(st.integers(1, 17), min_size=1, max_size=6),
)
def test_chords_fill_the_song_and_end_at_home(
    seed: int, tonic: int, mode: str, meter: tuple[int, int], bars: list[int]
) -> None:
    roles = ["intro", "verse", "chorus", "bridge", "chorus", "outro"]
    plan = replace(make_plan(meter=meter, form=tuple(zip(roles, bars, strict=False))), key=Key(tonic, mode))
    spans = write_harmony(plan, parse_style("test", STYLE), seed=seed)
    assert spans[0].start_ticks == 0
    assert spans[-1].end_ticks == plan.num_bars * plan.bar_ticks
    assert all(a.end_ticks == b.start_ticks and a.symbol != b.symbol for a, b in pairwise(spans))
    assert all(span.duration_ticks > 0 for span in spans)
    assert chord(spans[-1].symbol).root == tonic
    assert spans[-1].duration_ticks >= plan.bar_ticks


@pytest.mark.parametrize("key", ["C major", "A minor", "Eb major"])
@pytest.mark.parametrize("seed", range(6))
def test_the_same_role_has_the_same_chords(style: Style, key: str, seed: int) -> None:
    plan = make_plan(key)
    spans = write_harmony(plan, style, seed=seed)
    assert chords_of(plan, spans, 1) == chords_of(plan, spans, 4)
    loop = chords_of(plan, spans, 3)
    last = chords_of(plan, spans, 6)
    bar = plan.bar_ticks
    assert [row for row in loop if row[0] + row[1] <= 6 * bar] == [row for row in last if row[0] + row[1] <= 6 * bar]


def test_roles_differ_from_each_other(style: Style) -> None:
    different = 0
    for seed in range(20):
        plan = make_plan()
        spans = write_harmony(plan, style, seed=seed)
        roots = [tuple(chord(row[2]).root for row in chords_of(plan, spans, i)) for i in (1, 3, 5)]
        different += len(set(roots)) == 3
    assert different >= 18


def test_seed_decides(style: Style) -> None:
    plan = make_plan()
    songs = [write_harmony(plan, style, seed=seed) for seed in range(12)]
    assert songs[3] == write_harmony(plan, style, seed=3)
    assert len(set(songs)) >= 11


def test_a_lifted_section_is_transposed(style: Style) -> None:
    plain, lifted = (
        chords_of(make_plan(lift=lift), write_harmony(make_plan(lift=lift), style, seed=5), 6) for lift in (0, 2)
    )
    assert [(a, n, chord(s).transposed(2)) for a, n, s in plain] == [(a, n, chord(s)) for a, n, s in lifted]


@pytest.mark.parametrize("meter", [(4, 4), (3, 4), (6, 8), (5, 4)])
def test_a_lift_is_prepared_by_the_dominant_of_the_new_key(style: Style, meter: tuple[int, int]) -> None:
    for seed in range(4):
        plain, lifted = (make_plan(meter=meter, lift=lift) for lift in (0, 2))
        before, after = (write_harmony(plan, style, seed=seed) for plan in (plain, lifted))
        rows = chords_of(lifted, after, 5)
        assert chord(rows[-1][2]) == Chord(9, "7")
        assert rows[-1][1] <= lifted.bar_ticks // 2 + lifted.beat_ticks
        early = lifted.bar_ticks * 5
        assert [r for r in rows if sum(r[:2]) <= early] == [
            r for r in chords_of(plain, before, 5) if sum(r[:2]) <= early
        ]


def test_only_the_vocabulary_is_used(style: Style) -> None:
    allowed = {parse_roman(r) for r in style.harmony.major}
    for seed in range(15):
        for span in write_harmony(make_plan(), style, seed=seed):
            assert chord(span.symbol) in allowed, span


def test_inversions_only_pass_by_step(style: Style) -> None:
    seen = 0
    for seed in range(60):
        spans = write_harmony(make_plan(), style, seed=seed)
        for before, span in pairwise(spans):
            if chord(span.symbol).bass is not None:
                seen += 1
                way = (chord(span.symbol).bass_pitch_class - chord(before.symbol).bass_pitch_class) % 12
                assert way in (1, 2, 10, 11)
    assert seen > 0


def test_dominants_close_jazz_and_classical_songs(style: Style) -> None:
    strict = replace(style, family="classical")
    for seed in range(10):
        spans = write_harmony(make_plan(), strict, seed=seed)
        assert chord(spans[-2].symbol).root in (7, 11)


def test_blues_has_twelve_bars(style: Style) -> None:
    book = replace(style.harmony, major=("I7", "IV7", "V7"), loop_bars={"12": 1.0}, idiom_share=0.0)
    blues = replace(style, harmony=book)
    plan = make_plan(form=(("verse", 12), ("verse", 12), ("outro", 4)))
    for seed in range(8):
        rows = chords_of(plan, write_harmony(plan, blues, seed=seed), 0)
        at = {bar: next(s for a, n, s in rows if a <= bar * plan.bar_ticks < a + n) for bar in range(12)}
        assert (at[0], at[4], at[5], at[6], at[8]) == ("C7", "F7", "F7", "C7", "G7")


def test_idioms_are_taken_as_written(style: Style) -> None:
    book = replace(style.harmony, idiom_share=1.0)
    plan = make_plan("A minor")
    rows = chords_of(plan, write_harmony(plan, replace(style, harmony=book), seed=0), 3)
    assert [s for _, _, s in rows][:5] == ["Am", "G", "F", "G", "E7"]


def test_modal_songs_stay_in_their_mode(style: Style) -> None:
    for seed in range(10):
        for span in write_harmony(make_plan("D dorian"), style, seed=seed):
            assert set(chord(span.symbol).pitch_classes) <= set(parse_key("D dorian").pitch_classes), span


@pytest.mark.parametrize("seed", range(8))
def test_constraints_are_met(style: Style, seed: int) -> None:
    wish = Constraints(start="vi", cadence=("IV", "V7"), num_borrowed=1, avoid=("ii7",), roles=("verse",))
    plan = make_plan(form=(("verse", 8), ("verse", 8), ("outro", 4)))
    rows = chords_of(plan, write_harmony(plan, style, seed=seed, constraints=wish), 0)
    symbols = [s for _, _, s in rows]
    assert symbols[0] == "Am"
    assert symbols[-2:] == ["F", "G7"]
    assert "Dm7" not in symbols
    assert "Bb" in symbols


def test_constraints_can_ask_for_a_chord_and_an_end(style: Style) -> None:
    wish = Constraints(end="IV", must_contain=("ii7",))
    plan = make_plan(form=(("verse", 8), ("chorus", 8)))
    symbols = [s for _, _, s in chords_of(plan, write_harmony(plan, style, seed=1, constraints=wish), 0)]
    assert symbols[-1] == "F"
    assert "Dm7" in symbols


@given(
    root=st.integers(0, 11),
    quality=st.sampled_from(sorted(QUALITIES)),
    bass=st.one_of(st.none(), st.integers(0, 11)),
    tonic=st.integers(0, 11),
    mode=st.sampled_from(sorted(MODES)),
)
def test_spelling_is_read_back(root: int, quality: str, bass: int | None, tonic: int, mode: str) -> None:
    written = Chord(root, quality, None if bass == root else bass)
    assert chord(spell(written, Key(tonic, mode))) == written


@pytest.mark.parametrize(
    ("key", "roman", "symbol"),
    [
        ("C major", "bVII", "Bb"),
        ("C major", "#idim7", "C#dim7"),
        ("D minor", "V7", "A7"),
        ("G minor", "V7/7", "D7/F#"),
        ("E major", "bVI", "C"),
        ("F minor", "bVI", "Db"),
        ("F# major", "viidim", "E#dim"),
        ("A minor", "bII", "Bb"),
    ],
)
def test_spelling_follows_the_key(key: str, roman: str, symbol: str) -> None:
    assert spell(parse_roman(roman).transposed(parse_key(key).tonic), parse_key(key)) == symbol


def test_vocabulary_takes_the_probability_of_near_functions() -> None:
    vocabulary = make_vocabulary(("I", "IVmaj7", "V9sus4", "vi7"), Key(0, "major"))
    taken = vocabulary.transfer
    assert taken[function_of(parse_roman("V7"))].tolist() == [0, 0, 1, 0]
    assert taken[function_of(parse_roman("V"))].tolist() == [0, 0, 1, 0]
    assert taken[function_of(parse_roman("bVI"))].sum() == 0
    assert taken[function_of(parse_roman("VI7"))].tolist() == [0, 0, 0, 0.5]
    assert vocabulary.index("IV") == 1
    assert quality_of(parse_roman("V9sus4")) == quality_of(parse_roman("V7"))


@given(num_bars=st.integers(1, 33), loop=st.integers(1, 12), beats=st.integers(1, 4))
def test_loops_fill_sections_and_keep_their_end(num_bars: int, loop: int, beats: int) -> None:
    romans = ["I", "IV V", "vi", "ii V", "iii", "IV", "I V", "vi", "ii", "V", "I", "V7"][:loop]
    bars: Bars = idiom_bars(Idiom("major", " | ".join(romans)), beats)
    spans = laid_out(bars, num_bars, beats)
    assert spans[0][0] == 0
    assert all(a + length == b for (a, length, _), (b, _, _) in pairwise(spans))
    assert spans[-1][0] + spans[-1][1] == num_bars * beats
    assert spans[-1][2] == bars.spans[-1][2]
