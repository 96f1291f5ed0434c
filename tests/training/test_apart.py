"""Trainings in processes of their own, none of which has more than torch, numpy and safetensors: killed, asked, two."""

import json
import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

from songwright.errors import InputError
from songwright.training.checkpoint import load_model
from songwright.training.processes import connect

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks its trainings")

BARE = {"torch", "torchgen", "functorch", "numpy", "safetensors", "songwright"}
BENEATH = {
    "typing_extensions",
    "filelock",
    "fsspec",
    "jinja2",
    "markupsafe",
    "mpmath",
    "networkx",
    "sympy",
    "setuptools",
}
"""What a machine for training has: these, and what these cannot do without."""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Returns the folder that `apart.py` filled and what it told."""
    folder = tmp_path_factory.mktemp("apart")
    names = {name for name in packages_distributions() if name.isidentifier() and not name.startswith("_")}
    assert {"scipy", "soundfile", "PIL", "pytest"} <= names
    program = Path(__file__).with_name("apart.py")
    done = subprocess.run(
        [sys.executable, str(program), str(folder), ",".join(sorted(names - BARE - BENEATH))],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder, json.loads(done.stdout)


def test_killed_trainings_end_bit_identical(told):
    killed = told[1]["killed"]
    assert killed["same"] == {"forked": True, "random": True, "operations": True}
    assert killed["kills"] >= 1
    assert killed["operations"] >= 4


def test_a_bare_machine_trains(told):
    folder, (code, text) = told[0], told[1]["bare"]
    assert code == 0
    assert "done after 4 steps (steps); best validation" in text
    assert load_model(folder / "bare/best")[0]["step"] == 4
    assert not (folder / "bare/curves.png").exists()


def test_a_request_to_end_leaves_a_state(told):
    folder, text = told[0], told[1]["asked"]
    assert "(stopped)" in text.splitlines()[-1]
    step = int((folder / "asked/state/latest").read_text().strip().removeprefix("step-"))
    assert step >= 3
    assert load_model(folder / "asked/last")[0]["step"] == step


def test_two_processes_learn_what_one_does_with_two_parts(told):
    folder = told[0]
    assert told[1]["two"] == [True, True]
    one, two = load_model(folder / "one/last")[1], load_model(folder / "two/last")[1]
    for name in one:
        if name != "seen":  # counts what one process saw
            assert np.allclose(one[name], two[name], atol=1e-6), name
    infos = [json.loads((folder / name / "state/step-00000006/state.json").read_text()) for name in ("one", "two")]
    assert infos[0]["tokens"] == infos[1]["tokens"] == 6 * 2 * 88
    assert infos[0]["best_nats"] == pytest.approx(infos[1]["best_nats"], rel=1e-6)


def test_several_processes_need_accelerate(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install accelerate"):
        connect("cpu")
