"""How long work tells where it stands; drawing it is the command line's business."""

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called as ``progress(stage, fraction)`` with the stage's name and how much of that stage is done, 0 to 1."""


def silent(stage: str, fraction: float) -> None:
    """Shows nothing: the default of every long function."""
