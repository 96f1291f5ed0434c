"""A recipe: the settings of one training, read from the `config.toml` of its folder and checked. No torch here.

A recipe folder holds `config.toml` ([task], [optimiser], [schedule], [run]) and `task.py` with
`make_task(table, folder)`; what trains is `training.trainer`.
"""

import dataclasses
import difflib
import importlib.util
import sys
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from songwright.errors import ConfigError

if TYPE_CHECKING:
    from songwright.training.task import Task

CONFIG_FILE = "config.toml"
TASK_FILE = "task.py"

_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True, slots=True)
class OptimiserSettings:
    """AdamW and what goes with it.

    Args:
        lr: the highest learning rate.
        betas: decay of the first and second moment.
        epsilon: added to the root of the second moment.
        weight_decay: pull towards zero, of matrices alone (never of biases and gains).
        clip_norm: gradients of a larger norm are scaled down to it; 0 never.
        ema: decay of the running mean of the weights, which is what is validated and shipped; 0 for none.
    """

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.95)
    epsilon: float = 1e-8
    weight_decay: float = 0.1
    clip_norm: float = 1.0
    ema: float = 0.999

    def __post_init__(self) -> None:
        _check(self.lr > 0, "optimiser.lr", "above 0", self.lr)
        _check(all(0 <= b < 1 for b in self.betas), "optimiser.betas", "two numbers from 0 to below 1", self.betas)
        _check(self.epsilon > 0, "optimiser.epsilon", "above 0", self.epsilon)
        _check(self.weight_decay >= 0, "optimiser.weight_decay", "0 or more", self.weight_decay)
        _check(self.clip_norm >= 0, "optimiser.clip_norm", "0 or more", self.clip_norm)
        _check(0 <= self.ema < 1, "optimiser.ema", "from 0 to below 1", self.ema)


@dataclasses.dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """How the learning rate goes: up a straight line, then down a cosine, by steps alone.

    Args:
        max_steps: optimiser steps of the whole training.
        warmup_steps: steps until the highest rate.
        final_fraction: the last rate as a part of the highest; 1 keeps it constant.
    """

    max_steps: int = 1000
    warmup_steps: int = 100
    final_fraction: float = 0.05

    def __post_init__(self) -> None:
        _check(self.max_steps > 0, "schedule.max_steps", "1 or more", self.max_steps)
        _check(self.warmup_steps >= 0, "schedule.warmup_steps", "0 or more", self.warmup_steps)
        _check(0 <= self.final_fraction <= 1, "schedule.final_fraction", "from 0 to 1", self.final_fraction)


@dataclasses.dataclass(frozen=True, slots=True)
class RunSettings:
    """How a training runs; none of these but the seed, `accumulate` and `precision` changes what is learned.

    Args:
        seed: every draw follows from it.
        accumulate: batches whose gradients are summed for one step.
        precision: of the products while training and validating; weights, moments and means stay float32.
        threads: of torch on the CPU; 0 leaves torch's own number.
        prefetch: batches made ahead in threads while an accelerator computes; 0 makes each when it is needed.
        compile: whether torch.compile is used for calls of the model.
        log_every: steps between two rows of the curves and two lines of progress.
        validate_every: steps between two validations; the last step is always validated.
        checkpoint_every: steps between two written states; an end or a stop always writes one.
        sample_every: steps between two calls of the task's `sample`; 0 never.
        patience: validations without a gain after which the training ends; 0 never ends it.
        max_hours: hours of all runs together after which it stops, to be gone on with; 0 never stops it.
        start: a model folder whose weights are trained on, or fine-tuned; empty for weights drawn anew.
    """

    seed: int = 0
    accumulate: int = 1
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    threads: int = 0
    prefetch: int = 4
    compile: bool = False
    log_every: int = 50
    validate_every: int = 500
    checkpoint_every: int = 500
    sample_every: int = 0
    patience: int = 0
    max_hours: float = 0.0
    start: str = ""

    def __post_init__(self) -> None:
        for name in ("accumulate", "log_every", "validate_every", "checkpoint_every"):
            _check(getattr(self, name) > 0, f"run.{name}", "1 or more", getattr(self, name))
        for name in ("threads", "prefetch", "sample_every", "patience", "max_hours"):
            _check(getattr(self, name) >= 0, f"run.{name}", "0 or more", getattr(self, name))


@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    """One training, whole.

    Args:
        folder: where it was read from.
        task: the table handed to the recipe's `make_task`; `name` says what is trained.
        optimiser: AdamW.
        schedule: the learning rate.
        run: how it runs.
    """

    folder: Path
    task: Mapping[str, Any]
    optimiser: OptimiserSettings = dataclasses.field(default_factory=OptimiserSettings)
    schedule: ScheduleSettings = dataclasses.field(default_factory=ScheduleSettings)
    run: RunSettings = dataclasses.field(default_factory=RunSettings)

    @property
    def name(self) -> str:
        """What is trained."""
        return str(self.task["name"])

    def tables(self) -> dict[str, Any]:
        """Returns the settings as plain tables, for JSON."""
        return {
            "task": dict(self.task),
            "optimiser": dataclasses.asdict(self.optimiser),
            "schedule": dataclasses.asdict(self.schedule),
            "run": dataclasses.asdict(self.run),
        }


def read_recipe(folder: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Returns the recipe of a folder.

    Args:
        folder: holds `config.toml` and `task.py`; or another such file beside them, ``recipes/composer/base.toml``.
        overrides: settings that win, like ``optimiser.lr=1e-4`` or ``task.network.dim=64``.

    Raises:
        ConfigError: a file is missing or a setting is unknown, of the wrong type or out of range.
    """
    path = folder if folder.suffix == ".toml" else folder / CONFIG_FILE
    folder = path.parent
    if not path.is_file() or not (folder / TASK_FILE).is_file():
        raise ConfigError(f"{folder} is no recipe: expected a folder with {CONFIG_FILE} and {TASK_FILE}")
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    for override in overrides:
        _override(tables, override)
    sections = {"optimiser": OptimiserSettings, "schedule": ScheduleSettings, "run": RunSettings}
    for name, table in tables.items():
        if name not in {"task", *sections}:
            raise ConfigError(f"{path}: no section [{name}]{_nearest(name, ['task', *sections])}")
        if not isinstance(table, Mapping):
            raise ConfigError(f"{path}: expected a section [{name}], got a single value")
    task = tables.get("task", {})
    if not isinstance(task.get("name"), str):
        raise ConfigError(f"{path}: [task] needs a name, like name = 'jsb'")
    return Recipe(
        folder=folder,
        task=task,
        **{name: from_table(kind, tables.get(name, {}), f"{path} [{name}]") for name, kind in sections.items()},
    )


def load_task(recipe: Recipe) -> "Task":
    """Returns the task that the recipe's `task.py` makes of the table [task].

    Raises:
        ConfigError: `task.py` has no `make_task`.
    """
    path = recipe.folder / TASK_FILE
    name = f"songwright_recipe_{path.parent.name.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=[str(path.parent)])
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that `from . import` and dataclasses find it
    spec.loader.exec_module(module)
    make = getattr(module, "make_task", None)
    if make is None:
        raise ConfigError(f"{path} has no make_task(table, folder)")
    task: Task = make(recipe.task, recipe.folder)
    return task


def from_table(kind: type[_T], table: Mapping[str, Any], where: str = "[task]") -> _T:
    """Returns a settings dataclass filled from a table, with every key and type checked.

    Args:
        kind: the dataclass; its fields may be numbers, strings, booleans, Literals, tuples, mappings, other such
            dataclasses, and any of them or None.
        table: the values; a key `name` is passed over where the dataclass has no such field.
        where: what the error names.

    Raises:
        ConfigError: a key is unknown (the nearest is named), missing, or of the wrong type.
    """
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            if key == "name":
                continue
            raise ConfigError(f"{where}: no key '{key}'{_nearest(key, list(fields))}")
        values[key] = _convert(hints[key], value, f"{where} {key}")
    missing = dataclasses.MISSING
    for key, field in fields.items():
        if key not in values and field.default is missing and field.default_factory is missing:
            raise ConfigError(f"{where}: the key '{key}' is missing")
    try:
        return kind(**values)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        for part in parts:
            try:
                return None if part is type(None) and value is None else _convert(part, value, where)
            except ConfigError:
                continue
    elif origin is Literal:
        if value in parts:
            return value
        raise ConfigError(f"{where}: expected one of {', '.join(map(repr, parts))}; got {value!r}")
    elif origin is tuple and isinstance(value, list | tuple):
        if len(parts) == 2 and parts[1] is ...:
            return tuple(_convert(parts[0], item, where) for item in value)
        if len(parts) == len(value):
            return tuple(_convert(part, item, where) for part, item in zip(parts, value, strict=True))
    elif dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return from_table(typing.cast(type, hint), value, where)
    elif isinstance(value, Mapping) and (origin or hint) in (dict, Mapping, typing.get_origin(Mapping[str, Any])):
        return value
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif hint is Path and isinstance(value, str):
        return Path(value)
    elif isinstance(hint, type) and isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    wanted = hint.__name__ if isinstance(hint, type) and origin is None else str(hint)
    raise ConfigError(f"{where}: expected {wanted}, got {value!r}")


def _override(tables: dict[str, Any], text: str) -> None:
    path, separator, written = text.partition("=")
    keys = path.strip().split(".")
    if not separator or len(keys) < 2 or not all(keys):
        raise ConfigError(f"--set {text}: expected section.key=value, like optimiser.lr=1e-4")
    try:
        value = tomllib.loads(f"value = {written.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = written.strip()
    table = tables
    for key in keys[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {text}: '{key}' is a value, not a section")
    table[keys[-1]] = value


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(known)}"


def _check(good: bool, key: str, wanted: str, value: object) -> None:
    if not good:
        raise ConfigError(f"{key}: expected {wanted}, got {value!r}")
