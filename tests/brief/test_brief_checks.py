"""`validate`: one clear line for every value that no song can be made of."""

import math

import pytest

from songwright.brief.brief import Brief
from songwright.brief.checks import validate
from songwright.errors import InputError

BAD = [
    {"tempo_bpm": 0}, {"tempo_bpm": -1}, {"tempo_bpm": 1e9}, {"tempo_bpm": math.nan}, {"tempo_bpm": math.inf},
    {"tempo_bpm": "fast"}, {"duration_seconds": 0}, {"duration_seconds": 36_000}, {"duration_seconds": math.nan},
    {"key": "H#"}, {"key": "A minorish"}, {"meter": "3"}, {"meter": "0/4"}, {"meter": "4/5"}, {"styles": ("jaz",)},
    {"styles": ("полька",)}, {"instruments": ("giutar",)}, {"excluded_instruments": ("xyz",)}, {"voice": "robot"},
    {"form": ("verse", "chrous")}, {"energy": 2.0}, {"tempo_word": "quick"}, {"meter": "²/4"},
]  # fmt: skip


@pytest.mark.parametrize("values", BAD, ids=str)
def test_bad_values_are_one_line(values):
    with pytest.raises(InputError) as error:
        validate(Brief(**values))
    assert "\n" not in str(error.value) and len(str(error.value)) < 250


def test_good_values_pass():
    brief = Brief(
        styles=("hip_hop",),
        tempo_bpm=20,
        duration_seconds=900,
        key="F# minor",
        meter="12/8",
        instruments=("drums", "cello"),
    )
    assert validate(brief) is brief
    assert validate(Brief()) == Brief()
    assert validate(Brief(key="minor")).key == "minor"


def test_nearest_names_are_told():
    with pytest.raises(InputError, match="jazz"):
        validate(Brief(styles=("jaz",)))
    with pytest.raises(InputError, match="hip_hop"):
        validate(Brief(styles=("Hip-Hop",)))
    with pytest.raises(InputError, match="polka"):
        validate(Brief(styles=("plka",)), styles=("polka", "jazz"))
