"""Model folders: what is saved comes back, as near as its precision; everything else is refused in one line."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("safetensors")

from songwright.errors import CheckpointError, InputError
from songwright.seeding import generator
from songwright.training import checkpoint
from songwright.training.checkpoint import CONFIG_FILE, MODEL_FILE, load_model, quantise_rows, save_model

CONFIG = {"kind": "k", "vocabulary_hash": "v", "network": {"dim": 3}, "名": "å"}


def weights():
    random = generator(0, "weights")
    return {
        "matrix": random.normal(size=(7, 5)).astype(np.float32),
        "kernel": random.normal(size=(4, 3, 2)) * 1e-3,
        "vector": random.normal(size=6).astype(np.float32),
        "scalar": np.float32(2.5).reshape(()),
        "empty": np.zeros((0, 3), np.float32),
        "ids": np.arange(5, dtype=np.int64),
        "small": np.arange(-3, 3, dtype=np.int8).reshape(2, 3),
    }


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_what_is_saved_comes_back(tmp_path, dtype):
    save_model(tmp_path / "m", weights(), CONFIG, dtype)
    config, tensors = load_model(tmp_path / "m", kind="k", vocabulary="v")
    assert {key: config[key] for key in CONFIG} == CONFIG
    assert (config["dtype"], config["schema"]) == (dtype, 1)
    assert set(tensors) == set(weights())
    for name, array in weights().items():
        back = tensors[name]
        assert back.shape == array.shape
        if not np.issubdtype(array.dtype, np.floating):
            assert (back.dtype, back.tolist()) == (array.dtype, array.tolist())
            continue
        assert back.dtype == np.float32
        if dtype == "float32":
            assert np.array_equal(back, array.astype(np.float32))
        elif dtype == "float16" or array.ndim < 2:
            assert np.allclose(back, array, rtol=2**-10, atol=1e-7)
        elif array.size:
            peak = np.abs(array.reshape(len(array), -1)).max(1).reshape(-1, *[1] * (array.ndim - 1))
            assert (np.abs(back - array) <= peak / 127 * 0.503).all()
    again = tmp_path / "again"
    save_model(again, tensors, CONFIG, dtype)
    for name, array in load_model(again)[1].items():
        assert np.allclose(array, tensors[name], rtol=1e-3, atol=1e-7), name


def test_int8_is_a_quarter(tmp_path):
    matrix = {"m": generator(0, "big").normal(size=(64, 256)).astype(np.float32)}
    sizes = {}
    for dtype in ("float32", "float16", "int8"):
        save_model(tmp_path / dtype, matrix, {}, dtype)
        sizes[dtype] = (tmp_path / dtype / MODEL_FILE).stat().st_size
    assert sizes["int8"] < 64 * 256 + 64 * 2 + 250
    assert sizes["float16"] < 2 * 64 * 256 + 150
    assert sizes["float32"] < 4 * 64 * 256 + 150


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=6), st.sampled_from([1e-12, 1e-6, 1e-3, 1.0]))
def test_no_value_is_off_by_more_than_half_a_scale(values, factor):
    array = np.array([values, [0.0] * len(values)]) * factor
    whole, scale = quantise_rows(array)
    assert (whole.dtype, scale.dtype) == (np.int8, np.float16)
    error = np.abs(whole * scale.astype(np.float64)[:, None] - array)
    assert (error <= 0.5001 * scale.astype(np.float64)[:, None]).all()
    assert whole[1].any() == np.False_
    assert (np.abs(whole) <= 127).all()


@pytest.mark.parametrize(
    ("tensors", "dtype", "message"),
    [
        ({"w": np.array([1.0, np.nan])}, "float32", "'w' holds numbers that are not finite"),
        ({"w": np.array([[np.inf]])}, "int8", "not finite"),
        ({"w": np.array([1e5])}, "float16", "too large for float16"),
        ({"w": np.array([1e5])}, "int8", "too large for float16"),
        ({"w": np.array([[1e8]])}, "int8", "too large for int8"),
        ({"w": np.ones((1, 1)), "w.scale": np.ones(1)}, "int8", "is taken"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_the_old_model_stays(tmp_path, tensors, dtype, message):
    save_model(tmp_path / "m", weights(), CONFIG)
    with pytest.raises(InputError, match=message):
        save_model(tmp_path / "m", tensors, CONFIG, dtype)
    assert set(load_model(tmp_path / "m")[1]) == set(weights())
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_damaged_models_are_refused(tmp_path):
    folder = tmp_path / "m"
    save_model(folder, weights(), CONFIG)
    whole = (folder / MODEL_FILE).read_bytes()
    altered = whole[:-1] + bytes([whole[-1] ^ 1])
    huge = (2**63 - 1).to_bytes(8, "little") + whole[8:]
    wrong_header = whole[:8] + b"[" + whole[9:]
    cases = [(whole[:cut], "damaged or truncated") for cut in (0, 7, 8, 50, len(whole) - 1)]
    cases += [(whole + b"x", "damaged"), (altered, "altered"), (huge, "damaged"), (wrong_header, "damaged")]
    cases += [(b"\x80\x04\x95" + whole, "pickled"), (b"PK\x03\x04rest of a zip", "pickled")]
    for data, message in cases:
        (folder / MODEL_FILE).write_bytes(data)
        with pytest.raises(CheckpointError, match=message) as caught:
            load_model(folder)
        assert "\n" not in str(caught.value)
    (folder / MODEL_FILE).unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_model(folder)


def test_models_of_other_kinds_are_refused(tmp_path):
    folder = tmp_path / "m"
    save_model(folder, weights(), CONFIG)
    with pytest.raises(CheckpointError, match="kind is 'k', expected 'other'"):
        load_model(folder, kind="other")
    with pytest.raises(CheckpointError, match="vocabulary hash is 'v', expected 'w'"):
        load_model(folder, vocabulary="w")
    text = (folder / CONFIG_FILE).read_text(encoding="utf-8")
    for content, message in (
        (json.dumps({**json.loads(text), "schema": 7}), "written as version 7"),
        ("{", "not JSON"),
        ("[]", "expected an object"),
        ("{}", "written as version None"),
    ):
        (folder / CONFIG_FILE).write_text(content)
        with pytest.raises(CheckpointError, match=message):
            load_model(folder)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_model(tmp_path)
    (tmp_path / "file").write_bytes(b"PK\x03\x04")
    with pytest.raises(CheckpointError, match="pickled"):
        load_model(tmp_path / "file")
    (tmp_path / "file").write_bytes(b"other")
    with pytest.raises(CheckpointError, match="expected a folder"):
        load_model(tmp_path / "file")


def test_the_models_own_facts_cannot_be_overruled(tmp_path):
    save_model(tmp_path / "m", weights(), {"schema": 9, "dtype": "float8", "weights_sha256": "0"})
    assert load_model(tmp_path / "m")[0]["dtype"] == "float32"


def test_what_torch_saves_is_refused(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.ones(2)}, tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match="pickled"):
        load_model(tmp_path / "model.pt")
    torch.save({"w": torch.ones(2)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match="pickled"):
        load_model(tmp_path / "old.pt")


@pytest.mark.parametrize("moment", range(3))
def test_a_kill_between_the_renames_is_mended(tmp_path, monkeypatch, moment):
    folder = tmp_path / "m"
    save_model(folder, weights(), {"age": "old"})
    calls = []

    class Killed(BaseException):
        pass

    def rename(path, target):
        if len(calls) == moment:
            raise Killed
        calls.append(path)
        return path.replace(target)

    monkeypatch.setattr(checkpoint.Path, "rename", rename)
    try:
        save_model(folder, weights(), {"age": "new"})
    except Killed:
        assert moment < 2
    monkeypatch.undo()
    checkpoint.restore_folder(folder)
    assert load_model(folder)[0]["age"] == ("old" if moment < 2 else "new")
    assert [p.name for p in tmp_path.iterdir()] == ["m"]


def test_a_header_whose_length_begins_like_a_pickle_is_read(tmp_path):
    for size in range(1, 400):
        data = checkpoint.pack({"n" * size: np.zeros(1, np.float32)})
        if data.startswith(b"\x80"):
            (tmp_path / "weights").write_bytes(data)
            assert list(checkpoint.read_tensors(tmp_path / "weights")) == ["n" * size]
            return
    pytest.fail("no header of such a length was made")
