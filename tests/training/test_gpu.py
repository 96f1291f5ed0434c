"""Training on a GPU, where there is one: no step waits for it, and a state moves between machines."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from songwright.training import trainer
from songwright.training.checkpoint import load_model

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.usefixtures("no_pictures"),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_no_step_waits_for_the_gpu(tmp_path, tiny, monkeypatch, precision):
    advance = trainer._Run._advance

    def watched(run):
        if run.at.step:  # the first step sets things up
            torch.cuda.set_sync_debug_mode("error")
        try:
            advance(run)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(trainer._Run, "_advance", watched)
    task, recipe = tiny(f"run.precision={precision}", "schedule.max_steps=40", "run.accumulate=2")
    outcome = trainer.train(task, recipe, tmp_path, device="cuda")
    assert outcome.step == 40
    assert outcome.best_nats < 2.4


def test_a_state_goes_from_machine_to_machine(tmp_path, tiny):
    short, longer = tiny("schedule.max_steps=10"), tiny("schedule.max_steps=12")
    trainer.train(*short, tmp_path / "begun", device="cpu")
    assert trainer.train(*longer, tmp_path / "begun", device="cuda").step == 12
    assert trainer.train(*tiny("schedule.max_steps=14"), tmp_path / "begun", device="cpu").step == 14
    assert load_model(tmp_path / "begun/last")[0]["step"] == 14
