"""What it costs to keep a model in fewer bits: size and validation of the same weights as float32, float16 and int8."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from songwright.training.checkpoint import MODEL_FILE, Dtype, load_model, save_model
from songwright.training.processes import connect
from songwright.training.task import Task
from songwright.training.weights import load_weights

DTYPES: tuple[Dtype, ...] = ("float32", "float16", "int8")


@dataclass(frozen=True, slots=True)
class Cost:
    """One precision.

    Args:
        dtype: how floats are stored.
        num_bytes: of the weights' file.
        nats: the task's validation with the weights as they come back, computed in float32.
    """

    dtype: Dtype
    num_bytes: int
    nats: float


def compare(task: Task, folder: Path, *, device: str = "auto", dtypes: Sequence[Dtype] = DTYPES) -> tuple[Cost, ...]:
    """Returns size and validation of a model in each precision.

    Args:
        task: what it was trained on.
        folder: the model.
        device: where to validate.
        dtypes: the precisions, the first being what the others are held against.

    Raises:
        CheckpointError: the model cannot be read or is not one of this task.
    """
    config, tensors = load_model(folder)
    place = connect(device).device
    model = task.build_model().to(place).eval()
    costs = []
    with tempfile.TemporaryDirectory(prefix="songwright-") as aside:
        for dtype in dtypes:
            target = Path(aside) / dtype
            save_model(target, tensors, config, dtype)
            load_weights(model, load_model(target)[1], target)
            with torch.no_grad():
                nats = float(task.validate(model)["nats"])
            costs.append(Cost(dtype, (target / MODEL_FILE).stat().st_size, nats))
    return tuple(costs)


def as_table(costs: Sequence[Cost]) -> str:
    """Returns the costs as a Markdown table."""
    rows = ["| stored as | bytes | validation nats | more than the first |", "|---|---|---|---|"]
    first = costs[0].nats
    rows += [f"| {c.dtype} | {c.num_bytes:,} | {c.nats:.5f} | {c.nats - first:+.5f} |" for c in costs]
    return "\n".join(rows)


def ship(folder: Path, target: Path, dtype: Dtype) -> int:
    """Writes a model in another precision, with its config; returns the bytes of the weights' file.

    Raises:
        CheckpointError: the model cannot be read.
        InputError: its weights do not fit into the precision.
    """
    config, tensors = load_model(folder)
    save_model(target, tensors, config, dtype)
    return (target / MODEL_FILE).stat().st_size
