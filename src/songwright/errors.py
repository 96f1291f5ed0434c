"""Every error that songwright raises for a reason outside itself.

A message says what was expected, what came, and what to do. The command line prints it on one line and exits 2.
"""

from pathlib import Path


class SongwrightError(Exception):
    """Root of all errors that are the user's or the machine's to mend."""


class ConfigError(SongwrightError):
    """A setting or style file holds something it may not hold."""


class InputError(SongwrightError):
    """An argument, prompt or flag cannot be used as given."""


class DataError(SongwrightError):
    """A file cannot be read as what it should be.

    Args:
        path: the file at fault.
        message: what was expected and what came.
    """

    def __init__(self, path: Path | str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = Path(path)


class CheckpointError(DataError):
    """A model, or the state of a training, cannot be used: damaged, of another version, or of another kind."""


class MissingDependencyError(SongwrightError):
    """A feature needs an optional package.

    Args:
        package: the import name that is missing.
        extra: the extra of songwright that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs the package '{package}': pip install 'songwright[{extra}]'")
        self.package = package
        self.extra = extra
