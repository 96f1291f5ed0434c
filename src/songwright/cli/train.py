"""Train a network from a recipe: a folder with config.toml and task.py; the same command goes on where it stopped."""

from songwright.training.__main__ import EXAMPLES, add_arguments, run

__all__ = ["EXAMPLES", "add_arguments", "run"]
