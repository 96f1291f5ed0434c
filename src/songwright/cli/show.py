"""Progress on the terminal: one line a stage with the time left; quiet when nobody looks."""

import sys
import time
from types import TracebackType
from typing import Self, TextIO


class ProgressLine:
    """Draws the stages of a long command as one changing line; in a pipe it writes nothing.

    Args:
        stream: where to draw, usually standard error.
        quiet: draw nothing at all.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._active = not quiet and self._stream.isatty()
        self._stage = ""
        self._started = time.monotonic()
        self._drawn = 0.0

    def __enter__(self) -> Self:
        """Starts drawing."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Clears the line."""
        if self._active:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def __call__(self, stage: str, fraction: float) -> None:
        """Draws where a stage stands (see `songwright.progress.Progress`)."""
        if not self._active:
            return
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._started = stage, now
        elif now - self._drawn < 0.1 and fraction < 1.0:
            return
        self._drawn = now
        filled = round(24 * max(0.0, min(1.0, fraction)))
        left = ""
        if 0.02 < fraction < 1.0 and now - self._started > 0.5:
            left = f"  {(now - self._started) * (1 - fraction) / fraction:3.0f} s left"
        self._stream.write(f"\r\x1b[K{stage:<10} {'━' * filled}{'╌' * (24 - filled)} {fraction:4.0%}{left}")
        self._stream.flush()
