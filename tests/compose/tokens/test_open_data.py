"""Every piece of the open data comes back from tokens; skipped where SONGWRIGHT_DATA names no folder."""

import importlib.util
import os
from pathlib import Path

import pytest

from songwright.errors import SongwrightError

DATA = os.environ.get("SONGWRIGHT_DATA", "")
SCRIPT = Path(__file__).parents[3] / "benchmarks" / "token_round_trip.py"


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="SONGWRIGHT_DATA is not set")
def test_every_piece_comes_back():
    spec = importlib.util.spec_from_file_location("token_round_trip", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    read, broken = 0, []
    for corpus, name, reader in script.pieces(Path(DATA), []):
        try:
            song = reader()
        except SongwrightError:
            continue
        read += 1
        found = script.verdict(song)
        if found:
            broken.append(f"{corpus}/{name}: {found}")
    assert read and not broken
