"""How fast a training goes and what it takes: the line that is shown while it runs."""

import sys
import time

import torch


class Meter:
    """Time, speed and memory of one run.

    Args:
        device: where it computes.
        hours_before: wall-clock time of the runs before.
        step: optimiser steps done before.
        tokens: predictions learned from before.
    """

    def __init__(self, device: torch.device, hours_before: float, step: int, tokens: int) -> None:
        self.device, self.hours_before = device, hours_before
        self.begun = time.monotonic()
        self.apart = 0.0
        self.mark = (self.begun, 0.0, step, tokens)
        self.steps_per_second = self.tokens_per_second = 0.0

    @property
    def minutes(self) -> float:
        """Wall-clock minutes of this run."""
        return (time.monotonic() - self.begun) / 60

    @property
    def hours(self) -> float:
        """Wall-clock hours of all runs together."""
        return self.hours_before + self.minutes / 60

    def leave_out(self, seconds: float) -> None:
        """Takes time for validating or writing out of the speeds."""
        self.apart += seconds

    def measure(self, step: int, tokens: int) -> None:
        """Sets the speeds to those since the measurement before."""
        now = time.monotonic()
        then, apart, old_step, old_tokens = self.mark
        seconds = max(1e-9, now - then - (self.apart - apart))
        if step > old_step:
            self.steps_per_second = (step - old_step) / seconds
            self.tokens_per_second = (tokens - old_tokens) / seconds
        self.mark = (now, self.apart, step, tokens)

    def eta(self, steps_left: int, hours_left: float | None) -> str:
        """Returns the time that is left as h:mm:ss, by steps or by hours, whichever ends first."""
        if self.steps_per_second <= 0:
            return "?"
        seconds = steps_left / self.steps_per_second
        if hours_left is not None:
            seconds = min(seconds, max(0.0, hours_left * 3600))
        return f"{int(seconds // 3600)}:{int(seconds // 60) % 60:02d}:{int(seconds) % 60:02d}"

    def memory_mib(self) -> float:
        """Returns the peak memory: of the GPU where one computes, else of this process; 0 where nobody can tell."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 2**20
        try:
            import resource
        except ImportError:  # Windows
            return 0.0
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)
