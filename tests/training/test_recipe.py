"""Recipes are read whole or refused with one line that names the key."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from songwright.errors import ConfigError
from songwright.training.recipe import RunSettings, from_table, read_recipe

TINY = Path(__file__).parent / "tiny"


@dataclass(frozen=True)
class Inner:
    dim: int = 4


@dataclass(frozen=True)
class Outer:
    count: int
    share: float = 0.5
    kind: Literal["a", "b"] = "a"
    shifts: tuple[int, int] = (0, 0)
    names: tuple[str, ...] = ()
    inner: Inner = Inner()
    limit: int | None = None
    table: Mapping[str, Any] | None = None
    place: Path = Path()
    on: bool = False

    def __post_init__(self):
        if self.count < 0:
            raise ValueError("count: expected 0 or more")


def test_every_kind_of_field_is_read():
    table = {
        "name": "passed over", "count": 3, "share": 1, "kind": "b", "shifts": [-1, 2], "names": ["x"],
        "inner": {"dim": 8}, "limit": 5, "table": {"any": []}, "place": "a/b", "on": True,
    }  # fmt: skip
    read = from_table(Outer, table)
    assert read == Outer(3, 1.0, "b", (-1, 2), ("x",), Inner(8), 5, {"any": []}, Path("a/b"), True)
    assert isinstance(read.share, float)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "key 'count' is missing"),
        ({"count": 1, "shar": 2}, "no key 'shar'; did you mean 'share'?"),
        ({"count": 1, "zzz": 2}, "no key 'zzz'; known: count, share"),
        ({"count": 1.5}, "count: expected int, got 1.5"),
        ({"count": True}, "count: expected int, got True"),
        ({"count": 1, "on": 1}, "on: expected bool, got 1"),
        ({"count": 1, "kind": "c"}, "expected one of 'a', 'b'; got 'c'"),
        ({"count": 1, "shifts": [1]}, r"shifts: expected tuple\[int, int\], got \[1\]"),
        ({"count": 1, "names": [1]}, "names: expected str, got 1"),
        ({"count": 1, "inner": {"dimm": 1}}, "inner: no key 'dimm'; did you mean 'dim'?"),
        ({"count": 1, "limit": "x"}, r"limit: expected int \| None, got 'x'"),
        ({"count": -1}, "count: expected 0 or more"),
    ],
)
def test_wrong_tables_are_refused(table, message):
    with pytest.raises(ConfigError, match=message):
        from_table(Outer, table)


def test_overrides_win():
    recipe = read_recipe(
        TINY,
        ["optimiser.lr=1", "task.dim=32", "run.precision=bfloat16", "optimiser.betas=[0.8, 0.9]", "task.new.deep='x'"],
    )
    assert (recipe.optimiser.lr, recipe.optimiser.betas, recipe.run.precision) == (1.0, (0.8, 0.9), "bfloat16")
    assert recipe.task == {"name": "tiny", "dim": 32, "batch": 8, "length": 12, "new": {"deep": "x"}}
    assert (recipe.name, recipe.run.seed) == ("tiny", 3)
    assert read_recipe(TINY).tables()["run"]["precision"] == "float32"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("lr=1", "expected section.key=value"),
        ("optimiser.lr", "expected section.key=value"),
        ("optimizer.lr=1", r"no section \[optimizer\]; did you mean 'optimiser'?"),
        ("run.sed=1", "no key 'sed'; did you mean 'seed'?"),
        ("optimiser.lr=fast", "lr: expected float, got 'fast'"),
        ("optimiser.lr=0", "optimiser.lr: expected above 0, got 0"),
        ("run.log_every=0", "run.log_every: expected 1 or more"),
        ("run.precision=float8", "expected one of 'bfloat16', 'float32'"),
        ("task.name.x=1", "'name' is a value, not a section"),
        ("task.name=1", r"\[task\] needs a name"),
        ("schedule.max_steps=0", "1 or more"),
    ],
)
def test_wrong_overrides_are_refused(override, message):
    with pytest.raises(ConfigError, match=message):
        read_recipe(TINY, [override])


def test_what_is_no_recipe_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="is no recipe"):
        read_recipe(tmp_path)
    (tmp_path / "task.py").touch()
    for text, message in (("[task", "not TOML"), ("x = 1", "no section"), ("run = 1\n", "expected a section")):
        (tmp_path / "config.toml").write_text(text)
        with pytest.raises(ConfigError, match=message):
            read_recipe(tmp_path)


def test_every_number_of_a_run_is_checked():
    for name in RunSettings.__dataclass_fields__:
        if name not in ("seed", "precision", "compile", "start"):
            with pytest.raises(ConfigError, match=name):
                RunSettings(**{name: -1})
