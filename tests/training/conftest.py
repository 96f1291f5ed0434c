"""What the tests of training share: the smallest recipe with other settings, and no pictures."""

from pathlib import Path

import pytest

TINY = Path(__file__).parent / "tiny"


@pytest.fixture
def tiny():
    """Returns a function that gives the task and the recipe of `tiny` with settings that win."""
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    from songwright.training.recipe import load_task, read_recipe

    def read(*overrides):
        recipe = read_recipe(TINY, overrides)
        return load_task(recipe), recipe

    return read


@pytest.fixture
def no_pictures(monkeypatch):
    """Keeps matplotlib out, which takes longer to draw than the smallest network to train."""
    monkeypatch.setattr("songwright.training.curves.draw_curves", lambda points, path: False)
