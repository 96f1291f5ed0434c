"""The recipe of the melody tables: readers on small texts of our own, contexts, and that fitting learns."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest

from songwright.compose.melody import features as f

RECIPE = Path(__file__).parents[2] / "recipes" / "melody"
NAMES = ("corpora", "observations", "loglinear")

ABC = """
X: 1
T: Of our own
M: 4/4
L: 1/8
K: G
D2 | G2 A2 B>c d2 | (3efg d2 ^c4 | cBAG- G2 z2 | G8 |]

X: 2
T: In six
M: 6/8
K: Am
A3 Bcd | e3 A3 | _B2A G2=B | A6 | A3 e3 | cBA c3 | A6 |]

X: 3
T: No key
M: 4/4
C D E F | G A B c | C D E F | G A B c |
"""
SHEET = """<score-partwise><part id="P1">
<measure><attributes><divisions>2</divisions><key><fifths>1</fifths><mode>major</mode></key>
<time><beats>4</beats><beat-type>4</beat-type></time></attributes>
<note><pitch><step>D</step><octave>4</octave></pitch><duration>2</duration></note></measure>
%s
</part></score-partwise>"""
BAR = """<measure><harmony><root><root-step>%s</root-step></root><kind text="%s">x</kind></harmony>
<note><pitch><step>G</step><octave>4</octave></pitch><duration>4</duration></note>
<note><rest/><duration>1</duration></note>
<note><pitch><step>F</step><alter>1</alter><octave>4</octave></pitch><duration>3</duration></note></measure>"""


@pytest.fixture
def recipe() -> Iterator[dict[str, ModuleType]]:
    kept = {name: sys.modules.pop(name, None) for name in NAMES}
    sys.path.insert(0, str(RECIPE))
    try:
        yield {name: importlib.import_module(name) for name in NAMES}
    finally:
        sys.path.remove(str(RECIPE))
        for name, module in kept.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module


def tunes(recipe: dict[str, ModuleType], tmp_path: Path) -> list:
    path = tmp_path / "own.abc"
    path.write_text(ABC)
    return list(recipe["corpora"].read_abc([path], 3))


def test_abc_is_read(recipe, tmp_path):
    first, second = tunes(recipe, tmp_path)
    assert (first.metre, first.mode, second.metre, second.mode) == ("4/4", 0, "6/8", 1)
    assert first.notes[0] == (12, 4, 62 - 7)
    assert first.notes[3][:2] == (24, 3) and first.notes[4][:2] == (27, 1)
    assert [p + 7 for _, _, p in first.notes[:5]] == [62, 67, 69, 71, 72]
    assert not all(first.exact) and first.notes[10][2] + 7 == 73
    assert [p + 9 for _, _, p in second.notes if (p + 9) % 12 == 10] == [70]


def test_ties_and_natural_signs(recipe, tmp_path):
    first, second = tunes(recipe, tmp_path)
    tied = [n for n in first.notes if n[2] + 7 == 67]
    assert tied[1][1] == 6
    assert second.notes[9][2] + 9 == 71


def test_lead_sheets_are_read(recipe):
    bars = "".join(BAR % pair for pair in [("G", ""), ("D", "7"), ("E", "m")] * 3)
    tune = recipe["corpora"]._lead_sheet(ElementTree.fromstring(SHEET % bars), "own")
    assert tune.notes[0] == (12, 4, 62 - 7 - 9)
    assert tune.mode == 1
    assert tune.notes[1][:2] == (16, 8) and tune.notes[2][:2] == (26, 6)
    assert tune.chords[2] == (48, 0, (0, 3, 7))
    assert tune.chords[0][1] == 3


def test_cells_and_places(recipe, tmp_path):
    first, second = tunes(recipe, tmp_path)
    observations = recipe["observations"]
    cells = observations.cells_of(first)
    assert cells[1] == "x---x---x--xx---"
    assert cells[2] is None
    assert observations.cells_of(second)[0] == "x-----x-x-x-"
    places = observations.note_places(first, 16)
    assert places[0] == 0 and places[-1] == 3 and places[-2] == 3


def test_contexts_hold_what_stood_a_bar_before(recipe, tmp_path):
    _, second = tunes(recipe, tmp_path)
    rows = recipe["observations"].note_rows([second])
    assert len(rows["target"]) == len(second.notes) - 1
    assert (rows["chord_root"] == 12).all()
    context = recipe["observations"].pitch_batch(rows, np.arange(len(rows["target"])))
    index = f.pitch_indices(context)
    assert index.shape == (len(f.TEMPLATES), len(rows["target"]), f.NUM_INTERVALS)
    for k in range(len(f.TEMPLATES)):
        assert (index[k] >= f.PITCH_OFFSETS[k]).all() and (index[k] < f.PITCH_OFFSETS[k + 1]).all()
    second_bar = next(i for i, n in enumerate(second.notes[1:]) if n[0] == 12)
    assert rows["quoted"][second_bar][0] == second.notes[0][2]


def test_fitting_finds_what_decides(recipe):
    random = np.random.default_rng(0)
    cause = random.integers(0, 3, 600)
    target = np.where(random.random(600) < 0.9, cause, random.integers(0, 3, 600))

    def indices(rows):
        return (cause[rows][:, None] * 3 + np.arange(3))[None]

    weights = recipe["loglinear"].fit(indices, target, 9, epochs=6, batch=32)
    assert weights.reshape(3, 3).argmax(axis=1).tolist() == [0, 1, 2]
    assert recipe["loglinear"].nats(weights, indices, target) < 0.5 < np.log(3)
