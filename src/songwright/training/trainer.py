"""The training loop: steps, validations, checkpoints, and an exact going-on after any kind of stop.

What a step learns depends on its number alone (batches, dropout and learning rate are drawn from it), so that a resumed
training ends with the weights of one that never stopped, bit for bit on the same CPU and number of threads.
"""

import contextlib
import errno
import hashlib
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from songwright.errors import CheckpointError, ConfigError, InputError, SongwrightError
from songwright.training.batches import Batches
from songwright.training.checkpoint import load_model, restore_folder, save_model, sweep
from songwright.training.curves import Curves
from songwright.training.meter import Meter
from songwright.training.optimiser import Optimiser, learning_rate
from songwright.training.processes import Processes, connect
from songwright.training.recipe import Recipe
from songwright.training.state import Progression, State, StateStore, owned
from songwright.training.task import LossParts, SamplingTask, Task
from songwright.training.weights import RunningMean, fill, load_weights, model_tensors, to_arrays

Say = Callable[[str], None]
OF_DATA = ("data", "ledger")
"""What a model's config says of the pieces it learned from; those of a fine-tuning may be others."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


class DivergedError(SongwrightError):
    """The loss or a gradient stopped being a number."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Args:
        step: optimiser steps done, in all runs.
        reason: "steps", "patience", "hours", "minutes" or "stopped".
        best_nats: the lowest validation, infinite before the first.
        best_step: its step.
        folder: holds `best/`, `last/`, `state/` and the curves.
    """

    step: int
    reason: str
    best_nats: float
    best_step: int
    folder: Path

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do; else another run goes on."""
        return self.reason in ("steps", "patience")


def train(
    task: Task,
    recipe: Recipe,
    out: Path,
    *,
    resume: bool = True,
    device: str = "auto",
    progress: Say | None = None,
    stop: Callable[[], bool] | None = None,
    minutes: float = 0.0,
) -> Outcome:
    """Trains until the steps are done, patience or time is over, or it is asked to stop; returns how it ended.

    Args:
        task: what is learned.
        recipe: how.
        out: gets `best/` and `last/` (model folders), `state/`, `curves.csv`, `curves.png` and `samples/`.
        resume: whether to go on from the state in `out`; else what is there is forgotten.
        device: "auto", "cpu", "cuda", …
        progress: gets a line now and then.
        stop: asked after every step whether to write the state and leave.
        minutes: of this run, after which it writes the state and leaves; 0 for no limit.

    Raises:
        DivergedError: the loss is not finite; the newest checkpoint is that of a sound step.
        CheckpointError: the state in `out` cannot be gone on with.
        ConfigError: the state in `out` belongs to another recipe.
        InputError: no such device, `out` is in use, or it cannot be written (a full disk).
    """
    processes = connect(device)
    threads = torch.get_num_threads()
    devices = [processes.device] if processes.device.type == "cuda" else []
    with _writing(out), owned(out) if processes.is_first else contextlib.nullcontext():
        try:
            with torch.random.fork_rng(devices):
                if recipe.run.threads:
                    torch.set_num_threads(recipe.run.threads)
                say = progress if progress is not None and processes.is_first else _say_nothing
                run = _Run(task, recipe, out, processes, say)
                try:
                    run.begin(resume=resume)
                    return run.go(stop or (lambda: False), minutes)
                finally:
                    run.close()
        finally:
            torch.set_num_threads(threads)


class _Run:
    """One run of one training: all its moving parts."""

    def __init__(self, task: Task, recipe: Recipe, out: Path, processes: Processes, say: Say) -> None:
        self.task, self.recipe, self.out, self.processes, self.say = task, recipe, out, processes, say
        self.device = processes.device
        _reseed(self.device, recipe.run.seed, "weights")
        self.model = task.build_model().to(self.device)
        if recipe.run.compile:
            self.model.compile()
        self.optimiser = Optimiser(self.model, recipe.optimiser)
        self.mean = RunningMean(self.model, recipe.optimiser.ema)
        self.batches = Batches(task, recipe.run.seed, self.device, recipe.run.prefetch)
        self.store = StateStore(out / "state")
        self.at = Progression()
        self.tables = _tables(task, recipe)
        self.pending: list[tuple[int, dict[str, Tensor]]] = []
        self.measures: dict[str, float] = {}  # of the validation after the last step, if there was one
        self.curves: Curves | None = None
        self.meter = Meter(self.device, 0.0, 0, 0)

    def begin(self, *, resume: bool) -> None:
        """Takes up the state on disk, or forgets it."""
        if self.processes.is_first:
            for name in ("best", "last"):
                restore_folder(self.out / name)
            sweep(self.out)
            sweep(self.store.folder)
            if not resume:
                self.store.clear()
        state = self.store.load() if resume else None
        if state is not None:
            self._check_recipe(state)
            self._restore(state)
        elif self.recipe.run.start:
            self._start_from(Path(self.recipe.run.start))
        size = sum(parameter.numel() for parameter in self.model.parameters())
        self.say(
            f"{self.recipe.name}: {size:,} parameters on {self.device}"
            + (f" and {self.processes.count - 1} more" if self.processes.count > 1 else "")
            + (f", going on from step {self.at.step:,}" if self.at.step else "")
        )
        if self.processes.is_first:
            self.curves = Curves(self.out, self.at.step)
        self.meter = Meter(self.device, self.at.hours, self.at.step, self.at.tokens)

    def go(self, stop: Callable[[], bool], minutes: float) -> Outcome:
        """Steps until something ends it."""
        run, last = self.recipe.run, self.recipe.schedule.max_steps
        reason = self._ended()
        while not reason:
            self._advance()
            step = self.at.step
            at_log = step % run.log_every == 0 or step == last
            if at_log:
                self._settle(show=True)
            if step % run.validate_every == 0 or step == last:
                self._validate()
            if run.sample_every and step % run.sample_every == 0:
                self._sample()
            reason = self._ended() or self._interrupted(stop, minutes, at_log)
            if reason or step % run.checkpoint_every == 0:
                self._save()
        return Outcome(self.at.step, reason, self.at.best_nats, self.at.best_step, self.out)

    def close(self) -> None:
        """Ends threads and files."""
        self.batches.close()
        if self.curves is not None:
            self.curves.close()

    def _advance(self) -> None:
        """One optimiser step; nothing here waits for the device."""
        step, run = self.at.step, self.recipe.run
        self.model.train()
        sums: dict[str, Tensor] = {}
        for part in range(run.accumulate):
            number = (step * run.accumulate + part) * self.processes.count + self.processes.rank
            batch = self.batches.get(number, self.processes.count)
            _reseed(self.device, run.seed, "step", number)
            with self._autocast():
                parts = self.task.loss(self.model, batch)
            (parts.nats if parts.objective is None else parts.objective).backward()  # type: ignore[no-untyped-call]
            for name, value in _sums(parts, self.device).items():
                sums[name] = sums[name] + value if name in sums else value
        self.processes.add_up([*self.optimiser.gradients(), *sums.values()])
        lr = learning_rate(step, self.recipe.optimiser.lr, self.recipe.schedule)
        norm = self.optimiser.step(lr, sums["count"])
        self.mean.update(step + 1)
        self.pending.append((step + 1, {**sums, "gradient_norm": norm}))
        self.at = replace(self.at, step=step + 1)
        self.measures = {}

    def _settle(self, *, show: bool = False) -> None:
        """Fetches what the steps since the last time cost, checks it, and adds it to the curves."""
        if not self.pending:
            return
        fetched = iter(torch.stack([value for _, named in self.pending for value in named.values()]).double().tolist())
        sums: dict[str, float] = defaultdict(float)
        for step, named in self.pending:
            values = {name: next(fetched) for name in named}
            if not all(map(math.isfinite, values.values())):
                raise DivergedError(self._where(step, values))
            for name, value in values.items():
                sums[name] += value
        count, norm = sums.pop("count"), sums.pop("gradient_norm") / len(self.pending)
        self.pending.clear()
        self.at = replace(self.at, tokens=self.at.tokens + round(count))
        self.meter.measure(self.at.step, self.at.tokens)
        lr = learning_rate(self.at.step - 1, self.recipe.optimiser.lr, self.recipe.schedule)
        values = {**{name: total / count for name, total in sums.items()}, "gradient_norm": norm, "lr": lr}
        self._record("train", {**values, "tokens_per_second": self.meter.tokens_per_second})
        if show:
            self._show(values)

    def _validate(self) -> None:
        self._settle()
        begun = time.monotonic()
        measures: dict[str, float] = {}
        with self._evaluating():
            if self.processes.is_first:
                measures = {name: float(value) for name, value in self.task.validate(self.model).items()}
        nats = self.processes.from_first(measures.get("nats", math.nan))[0]
        if not math.isfinite(nats):
            raise DivergedError(self._where(self.at.step, {"validation nats": nats}))
        if nats < self.at.best_nats:
            self.at = replace(self.at, nats=nats, best_nats=nats, best_step=self.at.step, stale=0)
            self._save_model("best", measures)
        else:
            self.at = replace(self.at, nats=nats, stale=self.at.stale + 1)
        self.measures = measures
        self._record("validation", measures)
        if self.curves is not None:
            self.curves.draw()
        rest = "".join(
            f"  {name} {value:.4f}" for name, value in measures.items() if name != "nats" and "/" not in name
        )
        self.say(
            f"step {self.at.step:,}  validation {nats:.4f}{rest}  "
            f"(best {self.at.best_nats:.4f} at {self.at.best_step:,})"
        )
        self.meter.leave_out(time.monotonic() - begun)

    def _sample(self) -> None:
        self._settle()
        begun = time.monotonic()
        if self.processes.is_first and isinstance(self.task, SamplingTask):
            folder = self.out / "samples" / f"step-{self.at.step:08d}"
            folder.mkdir(parents=True, exist_ok=True)
            with self._evaluating():
                self.task.sample(self.model, folder, self.at.step)
        self.meter.leave_out(time.monotonic() - begun)

    def _save(self) -> None:
        """Writes the state and the model as it is now."""
        self._settle()
        begun = time.monotonic()
        self.at = replace(self.at, hours=self.meter.hours)
        if self.processes.is_first:
            parts = {"model": model_tensors(self.model), "mean": self.mean.means, "adam": self.optimiser.tensors()}
            tensors = {f"{part}.{name}": t for part, named in parts.items() for name, t in named.items()}
            # The state comes last: a kill before it has these steps done, and all of this written, once more.
            self._save_model("last", self.measures)
            self.store.save(State(self.at, self.tables, to_arrays(tensors)))
        self.meter.leave_out(time.monotonic() - begun)

    def _save_model(self, name: str, validation: dict[str, float]) -> None:
        if not self.processes.is_first:
            return
        with self.mean.in_place():
            arrays = to_arrays(model_tensors(self.model))
        config = {
            **self.tables["model"],
            "step": self.at.step,
            "validation": validation,
            "recipe": {name: table for name, table in self.tables.items() if name != "model"},
        }
        save_model(self.out / name, arrays, config)

    def _start_from(self, folder: Path) -> None:
        """Takes up the weights of a trained model, and notes whose they are; everything else begins anew."""
        config, weights = load_model(folder)
        found, wanted = ({**table, **dict.fromkeys(OF_DATA)} for table in (config, self.tables["model"]))
        for name in wanted:
            for key, its, ours in _differences(name, found.get(name), wanted[name]):
                raise CheckpointError(
                    folder, f"of another model: its {key} is {_short(its)}, this recipe's {_short(ours)}"
                )
        load_weights(self.model, weights, folder)
        self.mean = RunningMean(self.model, self.recipe.optimiser.ema)
        self.tables["start"] = {key: config.get(key) for key in ("weights_sha256", "step", *OF_DATA, "recipe")}
        self.say(f"{self.recipe.name}: begins with the weights of {folder}")

    def _restore(self, state: State) -> None:
        path = self.store.newest() or self.store.folder
        parts: dict[str, dict[str, object]] = defaultdict(dict)
        for name, array in state.tensors.items():
            part, _, rest = name.partition(".")
            parts[part][rest] = array
        load_weights(self.model, parts["model"], path)  # type: ignore[arg-type]
        fill(self.mean.means, parts["mean"], path)  # type: ignore[arg-type]
        self.optimiser.load(parts["adam"], state.progression.step, path)  # type: ignore[arg-type]
        self.at = state.progression
        if "start" in state.tables:
            self.tables["start"] = state.tables["start"]

    def _check_recipe(self, state: State) -> None:
        """What is learned, and from what, may not change under way; how long and how fast may."""
        for section, keys in (
            ("task", None),
            ("model", None),
            ("run", ("seed", "accumulate")),
            ("optimiser", ("ema",)),
        ):
            now = self.tables[section]
            then = state.tables.get(section, now)
            for key in sorted(keys or {*then, *now}):
                if then.get(key) != now.get(key):
                    raise ConfigError(
                        f"{self.out} was begun with [{section}] {key} = {_short(then.get(key))}, now it is "
                        f"{_short(now.get(key))}: give another folder with -o, or --fresh to begin anew"
                    )

    def _ended(self) -> str:
        patience = self.recipe.run.patience
        if self.at.step >= self.recipe.schedule.max_steps:
            return "steps"
        return "patience" if patience and self.at.stale >= patience else ""

    def _interrupted(self, stop: Callable[[], bool], minutes: float, at_log: bool) -> str:
        """Returns why to leave with work left; several processes have to agree and do so at log steps alone."""
        if self.processes.count > 1 and not at_log:
            return ""
        limit = self.recipe.run.max_hours
        reasons = {
            "stopped": stop(),
            "minutes": bool(minutes) and self.meter.minutes >= minutes,
            "hours": bool(limit) and self.meter.hours >= limit,
        }
        flags = self.processes.from_first(*map(float, reasons.values()))
        return next((reason for reason, flag in zip(reasons, flags, strict=True) if flag), "")

    def _show(self, values: dict[str, float]) -> None:
        limit, meter = self.recipe.run.max_hours, self.meter
        left = meter.eta(self.recipe.schedule.max_steps - self.at.step, limit - meter.hours if limit else None)
        self.say(
            f"step {self.at.step:,}/{self.recipe.schedule.max_steps:,}  nats {values['nats']:.4f}  "
            f"lr {values['lr']:.2e}  norm {values['gradient_norm']:.2f}  {meter.steps_per_second:.3g} steps/s  "
            f"{meter.tokens_per_second:,.0f} tokens/s  {meter.memory_mib():,.0f} MiB  {left} left"
        )

    def _where(self, step: int, values: dict[str, float]) -> str:
        run = self.recipe.run
        if values.get("count") == 0:
            return f"step {step} has nothing to learn: the task counted no predictions in any of its batches"
        bad = ", ".join(f"{name} {value}" for name, value in values.items() if not math.isfinite(value))
        first = (step - 1) * run.accumulate * self.processes.count
        kept = self.store.newest()
        return (
            f"step {step} is no longer finite: {bad} (batch {first}, seed {run.seed}); "
            + (f"{kept} and {self.out / 'best'} are from before" if kept else "nothing was written yet")
            + "; try a lower optimiser.lr, a longer warm-up or run.precision float32"
        )

    def _record(self, group: str, values: dict[str, float]) -> None:
        if self.curves is not None:
            self.curves.add(self.at.step, self.meter.hours, {f"{group}/{name}": v for name, v in values.items()})

    @contextlib.contextmanager
    def _evaluating(self) -> Iterator[None]:
        self.model.eval()
        with torch.no_grad(), self.mean.in_place(), self._autocast():
            yield

    def _autocast(self) -> torch.autocast:
        low = self.recipe.run.precision == "bfloat16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=low)


@contextlib.contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Turns a full or read-only disk into one line."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        place = error.filename or out
        raise InputError(
            f"cannot write {place}: {error.strerror or error}; the last checkpoint in {out} is unharmed: "
            f"mend that and run the same command again"
        ) from error


def _say_nothing(line: str) -> None:
    """What the other processes say."""


def _sums(parts: LossParts, device: torch.device) -> dict[str, Tensor]:
    named = {"nats": parts.nats, "count": parts.count, **parts.shown}
    if parts.objective is not None:
        named["objective"] = parts.objective
    return {
        name: value.detach().to(device, torch.float32, non_blocking=True).reshape(()) for name, value in named.items()
    }


def _reseed(device: torch.device, seed: int, *scope: str | int) -> None:
    """Seeds torch's own generators for one place that draws.

    torch.manual_seed would also note a traceback for each kind of accelerator that is not there, at every step.
    """
    text = "\x1f".join([str(seed), *map(str, scope)])
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(number)
    elif device.type == "mps":
        torch.mps.manual_seed(number)


def _tables(task: Task, recipe: Recipe) -> dict[str, Any]:
    """Returns the recipe's tables and the model's config as JSON keeps them."""
    try:
        tables: dict[str, Any] = json.loads(json.dumps({**recipe.tables(), "model": dict(task.model_config())}))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{recipe.folder}: model_config() gives what JSON cannot hold: {error}") from error
    return tables


def _differences(name: str, found: object, wanted: object) -> Iterator[tuple[str, object, object]]:
    """Yields (key, found, wanted) of what differs between two models; dropout is no part of a model."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        for key in sorted({*found, *wanted}):
            yield from _differences(f"{name}.{key}", found.get(key), wanted.get(key))
    elif found != wanted and not name.endswith("dropout"):
        yield name, found, wanted


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
