"""Safe files: everything is written aside, flushed to disk, and renamed; names from data are made harmless."""

import contextlib
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from songwright.errors import InputError

_WINDOWS_RESERVED = {"con", "prn", "aux", "nul", *(f"{p}{i}" for p in ("com", "lpt") for i in range(1, 10))}


def slug(text: str, limit: int = 60) -> str:
    """Returns a file name made from free text: letters and digits of any script, joined by hyphens.

    Args:
        text: anything, for instance a song's title or prompt.
        limit: the longest name, in characters; UTF-8 bytes are kept under 200.

    Returns:
        A name that is safe on Linux, macOS and Windows; ``"untitled"`` if nothing is left.
    """
    text = unicodedata.normalize("NFKC", text).lower()
    name = "-".join(re.findall(r"\w+", text))[:limit].strip("-_")
    while len(name.encode()) > 200:
        name = name[:-1]
    if not name or name in _WINDOWS_RESERVED:
        return "untitled" if not name else f"{name}-song"
    return name


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file so that either the old or the whole new content is there, whatever happens meanwhile.

    Args:
        path: the file; its folder must exist.
        data: the content.
    """
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".partial", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            file.close()
            Path(file.name).chmod(0o644)  # temporary files are made for their owner alone
            Path(file.name).replace(path)
        except BaseException:
            file.close()
            Path(file.name).unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def staged_folder(target: Path, *, force: bool = False) -> Iterator[Path]:
    """Gives a folder to fill that becomes `target` only if the block ends without an error.

    Args:
        target: the folder to make.
        force: whether an existing folder may be replaced; it stays as it was until the new one is whole.

    Yields:
        An empty folder beside the target, on the same file system.

    Raises:
        InputError: the target exists and may not be replaced, or its parent cannot be written.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise InputError(f"{target} is a file: give a folder with -o")
    target = target.absolute()
    if target.is_dir() and any(target.iterdir()) and not force:
        raise InputError(f"{target} is there already: use --force to replace it, or another folder with -o")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".partial"))
    except OSError as error:
        raise InputError(f"cannot write into {target.parent}: {error.strerror}") from error
    try:
        aside.chmod(0o755)
        yield aside
        if target.exists():
            old = aside.with_suffix(".old.partial")
            target.rename(old)
            aside.rename(target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            aside.rename(target)
    except OSError as error:
        raise InputError(f"cannot finish {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
