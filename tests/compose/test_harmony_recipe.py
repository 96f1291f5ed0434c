"""The recipe of the harmony tables: readers on small texts of our own, counting, and that training learns."""

import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest

from songwright.compose.harmony.functions import DIMINISHED, DOMINANT, MAJOR, MINOR, NUM_QUALITIES, function_of
from songwright.compose.harmony.model import model_from_arrays
from songwright.score.theory import parse_roman

RECIPE = Path(__file__).parents[2] / "recipes" / "harmony"

BILLBOARD = """# title: Nothing
# artist: Nobody
# metre: 4/4
# tonic: G

0.0\tsilence
0.3\tA, intro, | G:maj | E:min9 |
10.1\tB, verse, | G:maj . C:maj . | D:sus4(b7) D:7 | x2
20.0\t| (3/4) G:maj | N |
# tonic: A
30.0\tC, chorus, | A:maj | A:maj | E:5 | F#:hdim7 |, (voice
40.0\tend
"""
ROMANTEXT = """Composer: Nobody
Time Signature: 3/4

m1 d: i
m2 iv64 b3 V7
m3 i
m4 viio7
m5 F: I b2 V65/V b3 V
m6 I
m7 I64 b2 V7
m8 I
"""


@pytest.fixture(scope="module")
def recipe() -> Iterator[tuple[ModuleType, ModuleType]]:
    """The recipe's modules, corpora and build."""
    sys.path.insert(0, str(RECIPE))
    try:
        yield importlib.import_module("corpora"), importlib.import_module("build")
    finally:
        sys.path.remove(str(RECIPE))
        for name in ("corpora", "build"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("text", "degree", "quality"),
    [
        ("G:maj", 0, MAJOR), ("E:min9", 9, MINOR), ("D:7/3", 7, DOMINANT), ("D:sus4(b7,9)", 7, DOMINANT),
        ("F#:hdim7", 11, DIMINISHED), ("A:5", 2, MINOR), ("D:1", 7, MAJOR), ("D:aug", 7, DOMINANT),
        ("Eb:maj6(9)", 8, MAJOR), ("C:maj(#11)", 5, MAJOR),
    ],
)  # fmt: skip
def test_chords_in_hartes_notation(recipe: tuple[ModuleType, ModuleType], text: str, degree: int, quality: int) -> None:
    assert recipe[0].harte_function(text, 7, 0) == degree * NUM_QUALITIES + quality


def test_no_chord_is_no_function(recipe: tuple[ModuleType, ModuleType]) -> None:
    assert recipe[0].harte_function("N", 0, 0) == recipe[0].NO_CHORD


def test_billboard_sections(recipe: tuple[ModuleType, ModuleType]) -> None:
    intro, verse, chorus = recipe[0].billboard_sections(BILLBOARD)
    names = ("I", "IV", "V7", "V", "vi")
    one, four, five, plain_five, six = (function_of(parse_roman(r)) for r in names)
    assert (intro.role, verse.role, chorus.role) == ("intro", "verse", "chorus")
    assert [(e.start_beat, e.num_beats, e.function) for e in intro.events] == [(0, 4, one), (4, 4, six)]
    assert [(e.num_beats, e.function) for e in verse.events[:3]] == [(2, one), (2, four), (4, five)]
    assert verse.num_bars == 6
    assert [(e.num_beats, e.function) for e in chorus.events[:2]] == [(8, one), (4, plain_five)]


@pytest.mark.parametrize(
    ("text", "mode", "roman"),
    [
        ("V65", 0, "V7"), ("V7/V", 0, "II7"), ("i64", 1, "V"), ("viio7", 1, "viidim7"), ("VI", 1, "bVI"),
        ("iiø65", 1, "ii7b5"), ("Ger7", 0, "bVI7"), ("N6", 1, "bII"), ("ii7", 0, "ii7"), ("bVII", 0, "bVII"),
        ("V/iv", 1, "I"),
    ],
)  # fmt: skip
def test_roman_numerals(recipe: tuple[ModuleType, ModuleType], text: str, mode: int, roman: str) -> None:
    assert recipe[0].roman_function(text, mode) == function_of(parse_roman(roman))


def test_romantext_runs(recipe: tuple[ModuleType, ModuleType]) -> None:
    minor, major = recipe[0].romantext_sections(ROMANTEXT)
    assert (minor.mode, minor.num_bars, minor.beats_per_bar) == (1, 4, 3)
    assert (major.mode, major.num_bars, major.first_bar) == (0, 4, 5)
    assert [(e.start_beat, e.num_beats) for e in minor.events] == [(0, 3), (3, 2), (5, 1), (6, 3), (9, 3)]


def test_lead_sheets_are_heard_in_their_key(recipe: tuple[ModuleType, ModuleType]) -> None:
    def measure(root: str, kind: str, notes: str) -> str:
        pitches = "".join(
            f"<note><pitch><step>{n[0]}</step><alter>{-len(n[1:])}</alter></pitch><duration>1</duration></note>"
            for n in notes.split()
        )
        head = f"<harmony><root><root-step>{root}</root-step></root><kind>{kind}</kind></harmony>"
        return f"<measure>{{}}{head}{pitches}</measure>"

    bars = [measure(*row) for row in (("F", "major", "F A C F"), ("C", "dominant", "G Bb E C"),
            ("B", "none", "Bb A G E"), ("F", "major", "F C A F"))]  # fmt: skip
    attributes = (
        "<attributes><divisions>1</divisions><key><fifths>0</fifths><mode>major</mode></key>"
        "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    )
    xml = "<score><part>" + bars[0].format(attributes) + "".join(b.format("") for b in bars[1:]) + "</part></score>"
    (section,) = recipe[0].lead_sheet_sections(ElementTree.fromstring(xml))
    one, five = function_of(parse_roman("I")), function_of(parse_roman("V7"))
    assert [e.function for e in section.events] == [one, five, recipe[0].NO_CHORD, one]
    assert [n.degree for n in section.melody[:4]] == [0, 4, 7, 0]


def test_training_learns_a_loop(recipe: tuple[ModuleType, ModuleType]) -> None:
    corpora, build = recipe
    loop = [function_of(parse_roman(r)) for r in ("I", "V", "vi", "IV")]
    events = tuple(corpora.Event(4.0 * i, 4.0, loop[i % 4]) for i in range(64))
    section = corpora.CorpusSection("verse", 0, 4, 64, events)
    data = list(build.observations(section, "billboard"))
    assert [(o.function, o.context.bar) for o in data[:2]] == [(loop[0], 0), (loop[1], 1)]
    assert data[5].context.echo == loop[1]
    arrays = build.train(data, data, build.melody_table([]), 0)
    nats = build.score(model_from_arrays(arrays), data)
    assert nats[8:].sum(axis=1).mean() < 0.2
    first_order, unigram = (build.baseline(data, data, order).sum(axis=1).mean() for order in (1, 0))
    assert first_order < unigram
    assert unigram == pytest.approx(math.log(4), abs=0.3)


def test_split_is_by_song_and_never_moves(recipe: tuple[ModuleType, ModuleType]) -> None:
    corpora, build = recipe
    parts = [build.part_of(corpora.CorpusSong(str(i), "pop909", ())) for i in range(2000)]
    assert 0.10 < parts.count("test") / 2000 < 0.15
    assert 0.07 < parts.count("tune") / 2000 < 0.13
    listed = set((RECIPE / "splits" / "pop909_test.txt").read_text().split())
    assert listed
    assert all(build.part_of(corpora.CorpusSong(name, "pop909", ())) == "test" for name in listed)


def test_lengths_are_counted_to_the_nearest(recipe: tuple[ModuleType, ModuleType]) -> None:
    assert [recipe[1].duration_index(b) for b in (0.5, 1, 5, 16, 40)] == [0, 0, 4, 7, 7]
    assert np.all(recipe[1].discounts_of({1: 10, 2: 5, 3: 3, 4: 2}) > 0)
