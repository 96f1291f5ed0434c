"""Which soundfont sounds: the one asked for, the best one installed, or the small one that comes with `pretty_midi`.

Also fetches a good one. What is inside of a soundfont is read in `sampler`.
"""

import hashlib
import importlib.util
import io
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from songwright.errors import DataError, InputError
from songwright.files import write_bytes
from songwright.progress import Progress, silent

SOUNDFONT_VARIABLE = "SONGWRIGHT_SOUNDFONT"
_APT_PACKAGE = "musescore-general-soundfont-small"
_SUFFIXES = (".sf3", ".sf2")
_TIMEOUT_SECONDS = 30.0
_APT_TIMEOUT_SECONDS = 600.0
_MUSESCORE = (
    "MuseScore_General.sf3",
    "MuseScore_General_Full.sf3",
    "MuseScore_General.sf2",
    "MuseScore_General_Lite.sf3",
)
_FLUID = ("FluidR3_GM.sf2", "FluidR3_GM.sf3", "FluidR3Mono_GM.sf3")
SYSTEM_FOLDERS = (
    Path("/usr/share/sounds/sf3"),
    Path("/usr/share/sounds/sf2"),
    Path("/usr/share/soundfonts"),
    Path("/usr/local/share/soundfonts"),
    Path("/opt/homebrew/share/soundfonts"),
)
"""Where systems keep their soundfonts."""


@dataclass(frozen=True, slots=True)
class SoundfontChoice:
    """A soundfont and how it was found.

    Attributes:
        path: the file, links followed.
        name: what people read.
        source: who chose it: ``flag, environment, user folder, system, bundled``.
        licence: of the font, as far as we know it.
        quality: ``good``, ``small`` (every instrument sounds, but plainly) or ``unknown``.
    """

    path: Path
    name: str
    source: str
    licence: str
    quality: str


@dataclass(frozen=True, slots=True)
class FontPackage:
    """A Debian package that holds a soundfont, and what its bytes must be.

    Attributes:
        urls: where it lies, tried in order.
        num_bytes, sha256: of the package.
        member: path of the font inside.
        font_sha256: of the font.
    """

    urls: tuple[str, ...]
    num_bytes: int
    sha256: str
    member: str
    font_sha256: str


MUSESCORE_GENERAL = FontPackage(
    urls=(
        f"https://deb.debian.org/debian/pool/main/m/{_APT_PACKAGE}/{_APT_PACKAGE}_0.2.1-1_all.deb",
        "https://snapshot.debian.org/file/dc3a14735151057185cc1bc2003ce08139719186",
    ),
    num_bytes=34_150_714,
    sha256="65f9c1cb658c49e8713d2c95238d5d26868f520341f74a4fe26248a8f763c739",
    member="usr/share/sounds/sf3/MuseScore_General_Lite.sf3",
    font_sha256="916aaca6b0eb9f9083eb42399614acb2ff4ec72ce28dffff1814592a9696b479",
)
"""MuseScore_General 0.2.1, MIT licence, by S. Christian Collins after Frank Wen's FluidR3; 34 MB to fetch."""


def user_folder() -> Path:
    """Returns the folder of the user where fetched soundfonts are kept; it need not exist."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "songwright" / "soundfonts"


def find_soundfont(explicit: Path | None = None, *, system_folders: Sequence[Path] = SYSTEM_FOLDERS) -> SoundfontChoice:
    """Returns the soundfont to play with; the same machine always answers the same.

    Args:
        explicit: the file the user named, which always wins; then the variable ``SONGWRIGHT_SOUNDFONT``, the user's
            folder, the system's MuseScore_General, its FluidR3, and the small bundled font.
        system_folders: where to look for the system's.

    Raises:
        InputError: the named file is not there, or no font is found at all.
    """
    named = os.environ.get(SOUNDFONT_VARIABLE)
    if explicit is not None:
        return _named(explicit, "flag", "--soundfont")
    if named:
        return _named(Path(named), "environment", SOUNDFONT_VARIABLE)
    fetched = sorted(p for p in user_folder().glob("*") if p.suffix.lower() in _SUFFIXES and p.is_file())
    if fetched:
        return _choice(min(fetched, key=_rank), "user folder")
    for name in (*_MUSESCORE, *_FLUID):
        for folder in system_folders:
            if (folder / name).is_file():
                return _choice(folder / name, "system")
    return _choice(_bundled(), "bundled")


def get_soundfont(progress: Progress = silent) -> Path:
    """Installs MuseScore_General and returns where it is: by apt-get for root on Debian, otherwise by download.

    Args:
        progress: shown how much is done.

    Raises:
        InputError: no network, or no room.
        DataError: what came is not what was expected; nothing is kept of it.
    """
    installed = Path("/", MUSESCORE_GENERAL.member)
    if installed.is_file() or _apt_install(progress):
        return installed
    return fetch(MUSESCORE_GENERAL, user_folder(), progress)


def fetch(package: FontPackage, folder: Path, progress: Progress = silent) -> Path:
    """Downloads a package, checks it, and writes the font inside into a folder; returns the font's path.

    Raises:
        InputError: no address answers, or the folder cannot be written.
        DataError: the package or the font in it has other bytes than it should.
    """
    target = folder / Path(package.member).name
    if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == package.font_sha256:
        return target
    font = _unpack(_download(package, progress), package)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(target, font)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror or error}") from error
    progress("soundfont", 1.0)
    return target


def _named(path: Path, source: str, where: str) -> SoundfontChoice:
    path = path.expanduser()
    if not path.is_file():
        raise InputError(f"no soundfont at {path} ({where}): give a .sf2 or .sf3 file")
    return _choice(path, source)


def _choice(path: Path, source: str) -> SoundfontChoice:
    path = path.resolve()
    if path.name in _MUSESCORE:
        return SoundfontChoice(path, "MuseScore_General", source, "MIT, parts public domain and CC0", "good")
    if path.name in _FLUID:
        return SoundfontChoice(path, "FluidR3", source, "MIT", "good")
    if path.name == "TimGM6mb.sf2":
        return SoundfontChoice(path, "TimGM6mb", source, "GPL-2.0-or-later", "small")
    return SoundfontChoice(path, path.stem, source, "unknown", "unknown")


def _rank(path: Path) -> tuple[int, str]:
    names = (*_MUSESCORE, *_FLUID)
    return (names.index(path.name) if path.name in names else len(names)), path.name


def _bundled() -> Path:
    spec = importlib.util.find_spec("pretty_midi")
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / "TimGM6mb.sf2"
        if path.is_file():
            return path
    raise InputError("no soundfont found: run 'songwright doctor --get-soundfont', or name one with --soundfont")


def _apt_install(progress: Progress) -> bool:
    """Installs the Debian package if we may; returns whether it is there now."""
    program = shutil.which("apt-get")
    if program is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    progress("soundfont", 0.0)
    command = [program, "install", "-y", "--no-install-recommends", _APT_PACKAGE]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_APT_TIMEOUT_SECONDS,
            check=True,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    progress("soundfont", 1.0)
    return Path("/", MUSESCORE_GENERAL.member).is_file()


def _download(package: FontPackage, progress: Progress) -> bytes:
    reasons = []
    for url in package.urls:
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:
                data = bytearray()
                while block := answer.read(1 << 18):
                    data += block
                    progress("soundfont", min(len(data) / package.num_bytes, 1.0) * 0.95)
                    if len(data) > package.num_bytes:
                        break
        except (OSError, urllib.error.URLError, ValueError) as error:
            reasons.append(f"{url}: {getattr(error, 'reason', None) or error}")
            continue
        if hashlib.sha256(data).hexdigest() == package.sha256:
            return bytes(data)
        reasons.append(f"{url}: expected {package.num_bytes} bytes of sha256 {package.sha256[:12]}…, got others")
    raise InputError(f"cannot fetch the soundfont ({'; '.join(reasons)}): name one with --soundfont")


def _unpack(data: bytes, package: FontPackage) -> bytes:
    """Returns the font inside of a Debian package (an ar archive with a compressed tar in it)."""
    try:
        with tarfile.open(fileobj=io.BytesIO(_ar_member(data, b"data.tar"))) as archive:
            member = next(m for m in archive if m.name.removeprefix("./") == package.member and m.isfile())
            file = archive.extractfile(member)
            font = file.read() if file else b""
    except (ValueError, StopIteration, tarfile.TarError, lzma.LZMAError, EOFError, OSError) as error:
        raise DataError(package.urls[0], f"cannot find {package.member} in the package: {error}") from error
    if hashlib.sha256(font).hexdigest() != package.font_sha256:
        raise DataError(package.urls[0], f"the font in the package is not the one with sha256 {package.font_sha256}")
    return font


def _ar_member(data: bytes, prefix: bytes) -> bytes:
    if not data.startswith(b"!<arch>\n"):
        raise ValueError("no ar archive")
    at = 8
    while at + 60 <= len(data):
        size = int(data[at + 48 : at + 58])
        if data[at : at + 16].startswith(prefix):
            return data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    raise ValueError("the archive has no data")
