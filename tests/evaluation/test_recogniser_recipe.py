import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

RECIPE = Path(__file__).parents[2] / "recipes" / "recogniser"


@pytest.fixture(scope="module")
def voices():
    return tomllib.loads((RECIPE / "config.toml").read_text(encoding="utf-8"))["voices"]


def test_no_voice_is_in_two_lists(voices):
    train, validation, test = (set(voices[k]) for k in ("train", "validation", "test"))
    assert len(train - set(voices["left_out"])) >= 16 and len(test) >= 4
    assert not train & validation and not train & test and not validation & test


def test_no_voice_that_sings_was_learned_from(voices):
    """Whoever gives a singer another variant must keep it off the recogniser's lists, or train again."""
    text = files("songwright.perform.singer").joinpath("voices.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    sings = {row["variant"] for row in table.values() if "variant" in row}
    heard = set(voices["train"]) - set(voices["left_out"]) | set(voices["validation"]) | set(voices["test"])
    assert sings and not sings & heard, f"{sorted(sings & heard)} sing, and the recogniser knows them"
