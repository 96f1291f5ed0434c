"""The tables beside these modules: text files, a key and its values on each line."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def table(name: str) -> Mapping[str, tuple[str, ...]]:
    """Returns a table as key and values; lines that begin with # are notes."""
    text = files("songwright.lyrics.phonology").joinpath(name).read_text(encoding="utf-8")
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("# "))
    return {key: tuple(values) for key, *values in rows}


def names(name: str, key: str) -> frozenset[str]:
    """Returns the values of one key as a set."""
    return frozenset(table(name)[key])
