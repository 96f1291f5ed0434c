"""The commands that the documents show are commands that the program has."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from songwright.cli.main import build_parser

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(path):
    """Yields every line of a document's shell blocks and every command in backticks."""
    text = path.read_text(encoding="utf-8")
    for block in re.findall(r"```(?:sh|shell|bash)\n(.*?)```", text, re.DOTALL):
        yield from (line for line in block.splitlines() if line.strip() and not line.startswith("#"))
    yield from re.findall(r"`((?:songwright (?:make|sing|render|inspect|doctor)|make|python) ?[^`]*)`", text)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_commands_of_the_program_are_understood(path):
    for line in commands(path):
        words = shlex.split(line, comments=True)
        if words and words[0] == "songwright" and words[1:] and not set(line) & set("[]…|"):
            try:
                build_parser().parse_args(words[1:])
            except SystemExit as stop:
                assert stop.code == 0, f"{path.name}: {line}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_scripts_and_links_are_there(path):
    for line in commands(path):
        for word in line.split():
            if re.fullmatch(r"(benchmarks|recipes|docs)/[\w/]+\.(py|sh)", word):
                assert (ROOT / word).is_file(), f"{path.name}: {line}"
    for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), f"{path.name} links {link}"


def test_targets_of_the_makefile():
    for line in commands(ROOT / "README.md"):
        words = shlex.split(line, comments=True)
        if words and words[0] == "make":
            done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
