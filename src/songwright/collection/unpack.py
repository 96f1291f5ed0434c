"""Archives of the data folder, unpacked without trust: nothing outside the folder, no links, bounded sizes."""

import lzma
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from songwright.errors import DataError, InputError

MAX_FILES = 200_000
MAX_FILE_BYTES = 200_000_000
MAX_BYTES = 4_000_000_000


def corpus_folder(data: Path, name: str, unpacked: Path) -> Path:
    """Returns the folder that holds a corpus's own folder: the data folder, or where its archive was unpacked.

    Args:
        data: holds ``NAME/`` or ``NAME.tar.xz``.
        name: of the corpus.
        unpacked: archives are unpacked into this folder, once.

    Raises:
        InputError: neither is there.
        DataError: the archive is broken, or reaches outside its folder, or is beyond the limits.
    """
    if (data / name).is_dir():
        return data
    archive = data / f"{name}.tar.xz"
    if not archive.is_file():
        raise InputError(f"{data} holds neither {name}/ nor {name}.tar.xz: give the folder with the data, or leave it "
                         "out with --corpora")  # fmt: skip
    if not (unpacked / name).is_dir():
        unpacked.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=unpacked, prefix=f".{name}.", suffix=".partial"))
        try:
            unpack(archive, aside, name)
            (aside / name).rename(unpacked / name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return unpacked


def unpack(archive: Path, folder: Path, name: str) -> None:
    """Unpacks the regular files of an archive whose every path begins with a name.

    Raises:
        DataError: the archive is broken, holds a path elsewhere, or is beyond the limits.
    """
    total = 0
    try:
        with tarfile.open(archive, "r:xz") as tar:
            for count, member in enumerate(tar):
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts or path.parts[:1] not in ((name,), (".",), ()):
                    raise DataError(archive, f"holds '{member.name[:80]}', outside {name}/: not unpacked")
                total += member.size
                if count >= MAX_FILES or member.size > MAX_FILE_BYTES or total > MAX_BYTES:
                    raise DataError(archive, "more or larger files than any corpus has: not unpacked")
                if member.isfile():
                    _write(tar, member, folder / path)
    except (tarfile.TarError, lzma.LZMAError, EOFError, OSError) as error:
        raise DataError(archive, f"cannot be unpacked: {error}") from error
    if not (folder / name).is_dir():
        raise DataError(archive, f"holds no folder {name}/")


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = tar.extractfile(member)
    if source is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(source, file)
