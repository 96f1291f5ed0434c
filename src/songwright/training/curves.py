"""Curves of a training: `curves.csv`, a picture of it, and TensorBoard events where that is installed.

The CSV is long: one row per number, `step,hours,name,value`. Names begin with `train/` (means since the row before) or
`validation/`.
"""

import csv
import importlib.util
import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from songwright.files import write_bytes

CSV_FILE = "curves.csv"
PNG_FILE = "curves.png"
HEADER = ("step", "hours", "name", "value")
Points = dict[str, list[tuple[int, float]]]


class Curves:
    """The curves of one output folder; rows of steps after the one it starts from are forgotten.

    Args:
        folder: holds the files.
        step: the step that the training goes on from.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self.path = folder / CSV_FILE
        rows = [row for row in _rows(self.path) if int(row[0]) <= step]
        lines = [",".join(HEADER), *(",".join(row) for row in rows)]
        write_bytes(self.path, ("\n".join(lines) + "\n").encode())
        self.board = _board(folder / "tensorboard", step)

    def add(self, step: int, hours: float, values: Mapping[str, float]) -> None:
        """Adds one row for each value."""
        lines = [f"{step},{hours:.5f},{name},{value:.9g}\n" for name, value in values.items()]
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write("".join(lines))
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(name, value, step)

    def draw(self) -> None:
        """Writes the picture, by matplotlib or else Pillow; without both there is none."""
        draw_curves(read_curves(self.path), self.path.with_name(PNG_FILE))

    def close(self) -> None:
        """Ends TensorBoard's file."""
        if self.board is not None:
            self.board.close()


def read_curves(path: Path) -> Points:
    """Returns (step, value) pairs of a `curves.csv` by name; lines that a kill cut short are passed over."""
    points: Points = defaultdict(list)
    for step, _, name, value in _rows(path):
        points[name].append((int(step), float(value)))
    return dict(points)


def draw_curves(points: Points, path: Path) -> bool:
    """Draws training and validation nats over steps into a PNG, and measures of groups below, as they change.

    Args:
        points: what `read_curves` returns.
        path: the picture; Pillow alone draws no groups.

    Returns:
        Whether it was drawn: False without matplotlib and Pillow, or with nothing to draw.
    """
    shown = {name: values for name in ("train/nats", "validation/nats") if (values := _finite(points.get(name, [])))}
    if not shown:
        return False
    if importlib.util.find_spec("matplotlib") is not None:
        _with_matplotlib(shown, _grouped(points), path)
    elif importlib.util.find_spec("PIL") is not None:
        _with_pillow(shown, path)
    else:
        return False
    return True


DASHES = ("-", "--")
"""Of the first ten lines of a group and the next ten: there are ten colours."""

COLOURS = {"train/nats": "#8a8f98", "validation/nats": "#c2410c"}


def _grouped(points: Points) -> dict[str, Points]:
    """Returns the measures of every group of the validation, such as ``corpus/pop909``, by their names in it."""
    groups: dict[str, Points] = defaultdict(dict)
    for name, values in points.items():
        parts = name.split("/")
        if len(parts) == 3 and parts[0] == "validation" and _finite(values):
            groups[parts[1]][parts[2]] = _finite(values)
    return groups


def _with_matplotlib(shown: Points, groups: dict[str, Points], path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4 * (1 + len(groups))), dpi=120, layout="constrained")
    first, *others = figure.subplots(1 + len(groups), squeeze=False, sharex=True)[:, 0]
    for name, values in shown.items():
        steps, nats = zip(*values, strict=True)
        best = min(values, key=lambda point: point[1])
        label = f"{name.split('/')[0]}: last {nats[-1]:.4f}, lowest {best[1]:.4f} at step {best[0]:,}"
        first.plot(steps, nats, color=COLOURS[name], label=label, marker="." if len(values) < 40 else "", linewidth=1.4)
    first.set_ylim(*_bounds(shown))
    first.set_ylabel("nats")
    for axes, (group, lines) in zip(others, groups.items(), strict=True):
        for place, (name, values) in enumerate(lines.items()):
            steps, nats = zip(*values, strict=True)
            lowest = min(values, key=lambda point: point[1])
            label = f"{name} {nats[-1]:.3f}" + (f" ({lowest[1]:.3f} at {lowest[0]:,})" if lowest[1] < nats[-1] else "")
            axes.plot(
                steps,
                [value - nats[0] for value in nats],
                label=label,
                marker=".",
                linewidth=1.2,
                linestyle=DASHES[place // 10 % 2],
            )
        axes.set_ylabel(f"validation nats since the first, by {group}")
    for axes in (first, *others):
        axes.grid(alpha=0.3)
        if axes is first:
            axes.legend(fontsize="small")
        else:  # beside the lines: one that rises would lie under it
            axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    (others or [first])[-1].set_xlabel("step")
    FigureCanvasAgg(figure).print_png(str(path))  # type: ignore[no-untyped-call]


def _with_pillow(shown: Points, path: Path) -> None:
    from PIL import Image, ImageDraw

    width, height, left, top, right, bottom = 840, 480, 70, 20, 820, 440
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    low, high = _bounds(shown)
    last = max(step for values in shown.values() for step, _ in values) or 1

    def place(step: float, nats: float) -> tuple[float, float]:
        share = (min(nats, high) - low) / (high - low)
        return left + (right - left) * step / last, bottom - (bottom - top) * share

    for part in range(6):
        nats, step = low + (high - low) * part / 5, last * part / 5
        draw.line([place(0, nats), place(last, nats)], fill="#e2e4e8")
        draw.text((8, place(0, nats)[1] - 6), f"{nats:.4g}", fill="black")
        draw.text((place(step, low)[0] - 10, bottom + 8), f"{step:,.0f}", fill="black")
    for line, (name, values) in enumerate(shown.items()):
        draw.line([place(*point) for point in values], fill=COLOURS[name], width=2)
        lowest = min(nats for _, nats in values)
        draw.text(
            (right - 330, top + 4 + 14 * line), f"{name}: last {values[-1][1]:.4f}, lowest {lowest:.4f}", COLOURS[name]
        )
    image.save(path)


def _bounds(shown: Points) -> tuple[float, float]:
    """Returns the range of nats to draw: the first steep fall of the training loss may leave the picture."""
    values = sorted(value for points in shown.values() for _, value in points)
    low, high = values[0], values[min(len(values) - 1, int(0.97 * len(values)))]
    room = max(0.05 * (high - low), 1e-6 * max(1.0, abs(high)))
    return low - room, high + room


def _finite(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    return [point for point in points if math.isfinite(point[1])]


def _rows(path: Path) -> list[list[str]]:
    if not path.is_file():
        return []
    good: list[list[str]] = []
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.reader(line for line in file if line.endswith("\n")):
            if len(row) == len(HEADER) and row[0].isdigit():
                good.append(row)
    return good


def _board(folder: Path, step: int) -> Any:
    """Returns TensorBoard's writer, or None where it is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1)
