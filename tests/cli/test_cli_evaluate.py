import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from songwright.cli.main import main

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

PIECE = [[67, 62, 59, 43]] * 8 + [[69, 62, -1, 43]] * 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from songwright.neural.chorale_features import codes_of
    from songwright.neural.chorale_head import TINY
    from songwright.neural.chorale_model import ChoraleModel
    from songwright.training.checkpoint import save_model

    torch.manual_seed(0)
    codes = torch.from_numpy(codes_of(np.array(PIECE)))
    model = ChoraleModel(TINY, codes, torch.tensor([len(PIECE)]))
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    target = tmp_path_factory.mktemp("model") / "tiny"
    save_model(target, tensors, {"kind": "chorale", "network": dataclasses.asdict(TINY)}, dtype="int8")
    return target


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.json"
    path.write_text(json.dumps({"train": [PIECE], "valid": [PIECE, PIECE[4:]]}), encoding="utf-8")
    return path


def test_nll_as_json_and_as_text(folder, data, capsys):
    line = ["evaluate", "nll", str(folder), "--data", str(data), "--metric", "note"]
    assert main([*line, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["tokens"] == 4 * 28 and result["pieces"] == 2
    assert result["split"] == "valid" and result["metric"] == "note" and 0 < result["nats"] < 10
    assert main(line) == 0
    text = capsys.readouterr().out
    assert f"{result['nats']:.4f} nats per note" in text and "valid" in text
    assert main([*line, "--split", "train", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["split"] == "train"


def test_mistakes_are_one_line(folder, data, tmp_path, capsys):
    for model, file, metric in (
        (tmp_path / "none", data, "note"),
        (folder, tmp_path / "none.json", "note"),
        (folder, data, "bars"),
        (folder, data, "frame"),
    ):
        assert main(["evaluate", "nll", str(model), "--data", str(file), "--metric", metric]) == 2
        error = capsys.readouterr().err
        assert error.startswith("songwright: ") and error.count("\n") == 1


def test_a_missing_package_is_one_line_that_says_how_to_get_it():
    code = "import sys; sys.modules['torch'] = None; from songwright.cli.main import main; sys.exit(main(sys.argv[1:]))"
    recipe = Path(__file__).parents[2] / "recipes" / "jsb"
    done = subprocess.run(
        [sys.executable, "-c", code, "train", str(recipe)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "songwright: this needs the package 'torch': pip install 'songwright[train]'\n"
