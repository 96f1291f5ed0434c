"""A training that was stopped, killed or met a full disk ends as if nothing had been."""

import errno
import itertools
import os
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from songwright.errors import CheckpointError, ConfigError, InputError
from songwright.training.checkpoint import load_model
from songwright.training.state import StateStore, owned
from songwright.training.trainer import DivergedError, train

pytestmark = pytest.mark.usefixtures("no_pictures")


def same_weights(one, two):
    for name in ("best", "last"):
        first, second = load_model(one / name)[1], load_model(two / name)[1]
        assert first.keys() == second.keys()
        assert all(np.array_equal(first[key], second[key]) for key in first), name


def test_stops_and_limits_are_gone_on_with(tmp_path, tiny):
    task, recipe = tiny("schedule.max_steps=12", "run.validate_every=6")
    train(task, recipe, tmp_path / "whole", device="cpu")
    calls = itertools.count(1)
    first = train(task, recipe, tmp_path / "parts", device="cpu", stop=lambda: next(calls) == 5)
    assert (first.step, first.reason, first.is_finished) == (5, "stopped", False)
    assert load_model(tmp_path / "parts/last")[0]["validation"] == {}
    assert set(load_model(tmp_path / "whole/last")[0]["validation"]) == {"nats", "right"}
    second = train(task, recipe, tmp_path / "parts", device="cpu", minutes=1e-9)
    assert (second.step, second.reason) == (6, "minutes")
    short = tiny("schedule.max_steps=12", "run.validate_every=6", "run.max_hours=1e-9")[1]
    assert train(task, short, tmp_path / "parts", device="cpu").reason == "hours"
    last = train(task, recipe, tmp_path / "parts", device="cpu")
    assert (last.step, last.reason, last.is_finished) == (12, "steps", True)
    same_weights(tmp_path / "whole", tmp_path / "parts")
    before = (tmp_path / "parts/state/latest").stat().st_mtime_ns
    assert train(task, recipe, tmp_path / "parts", device="cpu") == last
    assert (tmp_path / "parts/state/latest").stat().st_mtime_ns == before
    longer = train(task, tiny("schedule.max_steps=14", "run.validate_every=6")[1], tmp_path / "parts", device="cpu")
    assert longer.step == 14
    fresh = train(task, recipe, tmp_path / "parts", device="cpu", resume=False)
    assert fresh == last
    same_weights(tmp_path / "whole", tmp_path / "parts")
    assert {p.name for p in (tmp_path / "parts/state").iterdir()} == {"latest", "step-00000010", "step-00000012"}


def test_a_loss_that_is_no_number_stops_and_keeps_the_sound_checkpoint(tmp_path, tiny):
    task, recipe = tiny("task.poison=13", "run.log_every=40")
    with pytest.raises(DivergedError, match=r"step 14 is no longer finite: nats nan.*\(batch 13, seed 3\)") as caught:
        train(task, recipe, tmp_path, device="cpu")
    assert "step-00000010" in str(caught.value)
    assert "\n" not in str(caught.value)
    config, tensors = load_model(tmp_path / "last")
    assert config["step"] == 10
    assert all(np.isfinite(array).all() for array in tensors.values())
    with pytest.raises(DivergedError, match="step 14"):
        train(task, recipe, tmp_path, device="cpu")


def test_a_step_without_predictions_is_named(tmp_path, tiny, monkeypatch):
    task, recipe = tiny("schedule.max_steps=2", "run.log_every=1")
    whole = type(task).loss
    monkeypatch.setattr(type(task), "loss", lambda *given: replace(whole(*given), count=torch.tensor(0)))
    with pytest.raises(DivergedError, match="step 1 has nothing to learn"):
        train(task, recipe, tmp_path, device="cpu")


@pytest.mark.parametrize("moment", [0, 1, 3, 5, 6])
def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, tiny, monkeypatch, moment):
    task, recipe = tiny("schedule.max_steps=4", "run.checkpoint_every=2", "run.validate_every=4", "task.dropout=0")
    train(task, recipe, tmp_path / "whole", device="cpu")
    calls = itertools.count(1)
    train(task, recipe, tmp_path / "full", device="cpu", stop=lambda: next(calls) == 2)
    writes = itertools.count()
    sync = os.fsync

    def full(handle):
        if next(writes) > moment:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device") as caught:
        train(task, recipe, tmp_path / "full", device="cpu")
    assert "unharmed" in str(caught.value)
    monkeypatch.undo()
    monkeypatch.setattr("songwright.training.curves.draw_curves", lambda points, path: False)
    load_model(tmp_path / "full/last")
    assert StateStore(tmp_path / "full/state").load().progression.step >= 2
    train(task, recipe, tmp_path / "full", device="cpu")
    same_weights(tmp_path / "whole", tmp_path / "full")
    assert not [*(tmp_path / "full").rglob("*.partial")]


def test_damaged_and_foreign_states_are_refused(tmp_path, tiny):
    overrides = ("schedule.max_steps=6", "run.checkpoint_every=2", "run.validate_every=6")
    task, recipe = tiny(*overrides)
    train(task, recipe, tmp_path, device="cpu")
    newest = StateStore(tmp_path / "state").newest()
    for name, damage in (
        ("state.safetensors", lambda data: data[:-3]),
        ("state.safetensors", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
        ("state.safetensors", lambda data: b"PK\x03\x04" + data),
        ("state.json", lambda data: data[:40]),
        ("state.json", lambda data: data.replace(b'"schema": 1', b'"schema": 2')),
        ("state.json", lambda data: data.replace(b'"step"', b'"stop"')),
    ):
        whole = (newest / name).read_bytes()
        (newest / name).write_bytes(damage(whole))
        with pytest.raises(CheckpointError, match=r"Delete .*step-00000006 to go on from step-00000004") as caught:
            train(task, recipe, tmp_path, device="cpu")
        assert "\n" not in str(caught.value)
        (newest / name).write_bytes(whole)
    for change, message in (
        ("task.dim=8", r"begun with \[task\] dim = None, now it is 8"),
        ("run.seed=4", r"\[run\] seed = 3, now it is 4"),
        ("run.accumulate=2", r"\[run\] accumulate = 1"),
        ("optimiser.ema=0.5", r"\[optimiser\] ema = 0.9"),
    ):
        other = tiny(*overrides, change)
        if change == "task.dim=8":
            recipe.task.pop("dim")
            train(task, recipe, tmp_path / "without", device="cpu")
        with pytest.raises(ConfigError, match=message):
            train(*other, tmp_path / "without" if change == "task.dim=8" else tmp_path, device="cpu")
    for path in newest.iterdir():
        path.unlink()
    newest.rmdir()
    task, recipe = tiny(*overrides)
    assert train(task, recipe, tmp_path, device="cpu").step == 6


def test_other_data_is_another_training(tmp_path, tiny, monkeypatch):
    task, recipe = tiny("schedule.max_steps=2")
    train(task, recipe, tmp_path, device="cpu")
    monkeypatch.setattr(type(task), "model_config", lambda self: {"kind": "tiny", "vocabulary_hash": "other"})
    with pytest.raises(ConfigError, match=r"begun with \[model\]"):
        train(task, recipe, tmp_path, device="cpu")
    monkeypatch.setattr(type(task), "model_config", lambda self: {"kind": object()})
    with pytest.raises(ConfigError, match="what JSON cannot hold"):
        train(task, recipe, tmp_path, device="cpu")


def test_a_folder_has_one_owner(tmp_path):
    pytest.importorskip("fcntl")
    with owned(tmp_path), pytest.raises(InputError, match="another training"), owned(tmp_path):
        pass
    with owned(tmp_path):
        pass
