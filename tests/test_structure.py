"""Holds the layout: arrows point down, files and functions stay small, nothing heavy at start-up, no banned package."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "songwright"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# From the ground floor up: a package may import those in its set, itself, and the modules at the root.
ALLOWED = {
    "audio": set(),
    "score": set(),
    "speech": set(),
    "brief": {"score"},
    "neural": set(),
    "lyrics": {"score", "brief", "speech"},
    "training": {"neural"},
    "compose": {"score", "brief", "lyrics", "neural"},
    "perform": {"audio", "score", "speech"},
    "collection": {"audio", "score", "lyrics", "training", "compose", "perform"},
    "evaluation": {
        "audio", "score", "speech", "brief", "neural", "lyrics", "training", "compose", "perform", "collection",
    },
    "engines": {"audio", "score", "speech", "brief", "neural", "lyrics", "compose", "perform", "evaluation"},
    "cli": {
        "audio", "score", "speech", "brief", "neural", "lyrics", "training", "compose", "perform", "collection",
        "evaluation", "engines",
    },
}  # fmt: skip
ROOT_MODULES = {"errors", "files", "progress", "seeding", "splits"}
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
BANNED = {"torchaudio", "torchvision", "torchcodec", "tensorflow", "fadtk", "frechet-audio-distance", "pedalboard"}
HEAVY = {"numpy", "scipy", "soundfile", "symusic", "PIL", "pretty_midi", "torch", "onnxruntime", "soxr"}


def imports(path):
    """Yields every module of songwright that a file imports, types-only imports included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("songwright"))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("songwright"):
            if node.module == "songwright":
                yield from (f"songwright.{alias.name}" for alias in node.names)
            else:
                yield node.module


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_arrows_point_down(path):
    room = path.relative_to(PACKAGE).parts[0]
    if room.endswith(".py"):
        return
    allowed = ALLOWED[room] | {room} | ROOT_MODULES | {"__version__"}
    used = {name.split(".")[1] for name in imports(path) if "." in name}
    assert used <= allowed, f"{path.relative_to(ROOT)} imports {sorted(used - allowed)}"


def test_root_modules_import_no_room():
    for name in ROOT_MODULES:
        used = {n.split(".")[1] for n in imports(PACKAGE / f"{name}.py") if "." in n}
        assert used <= ROOT_MODULES, name


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_sizes(path):
    name = str(path.relative_to(PACKAGE))
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 600 or name in LONG_FILES, f"{name} is over 600 lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            where = f"{name}:{node.name}"
            assert length <= 80 or where in LONG_FUNCTIONS, f"{where} has {length} lines"
            if node.name == "__init__":
                count = len(node.args.args) + len(node.args.kwonlyargs) - 1
                assert count <= 8, f"{where} takes {count} parameters"


def test_modules_say_what_lives_in_them():
    for path in SOURCES:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_nothing_unfinished():
    for path in SOURCES:
        found = re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b|\bpickle\b", path.read_text(encoding="utf-8"))
        assert not found, f"{path}: {found}"


def test_start_up_loads_nothing_heavy():
    code = "import sys; from songwright.cli.main import build_parser; build_parser(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert not HEAVY & set(loaded.split())


def test_no_banned_package_is_named_or_installed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    assert not BANNED & {re.split(r"[<>=\[ ]", n)[0].lower() for n in named}
    assert "torch" not in " ".join(project["dependencies"])
    assert not BANNED & {d.metadata["Name"].lower() for d in distributions()}
