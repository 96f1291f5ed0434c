import re

import pytest

from songwright.compose.style import load_style, parse_style, style_names
from songwright.errors import ConfigError, InputError

TEXT = """
title = "Test"
family = "dance"
tempo_bpm = [100, 110, 120]
modes = { minor = 1.0 }
lead = "tune"

[harmony]
major = ["I", "V7"]
minor = ["i", "V7"]
chord_beats = { "4" = 1.0 }
loop_bars = { "4" = 1.0 }

[[form]]
sections = ["verse 8 0.5", "chorus 8 0.9"]

[[part]]
id = "drums"
kind = "drums"
instruments = ["standard_kit"]

[[part.pattern]]
kick = "X... X... X... X..."
snare = ".... X..."
"""


@pytest.mark.parametrize("name", style_names())
def test_every_book_reads(name):
    style = load_style(name)
    assert style.name == name and style.form and style.part
    assert style.parts_of("lead") or style.parts_of("riff") or style.lead != "tune"


def test_no_two_books_share_a_pattern():
    owner = {}
    for name in style_names():
        for part in load_style(name).part:
            for pattern in part.pattern:
                if pattern.generator:
                    continue
                content = (part.kind, pattern.meter, pattern.grid, pattern.line, tuple(sorted(pattern.lanes.items())))
                assert owner.setdefault(content, name) == name, f"{name} and {owner[content]}: {content}"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("family =", "famly =", "did you mean 'family'"),
        ('"dance"', '"dace"', "none of"),
        ("kick =", "kik =", "unknown key 'kik'"),
        ('kick = "X', 'kick = "q', "steps are"),
        ("[100,", "[100, 0,", "expected 3 values"),
        ("[100,", "[115,", "must rise"),
        ('"tune"', '"song"', "none of tune, riff, loop"),
        ("[harmony]", "[harmony", "style x"),
        ('"V7"]', '"VX"]', "quality 'X'"),
        ("verse 8 0.5", "verse 8 1.5", "out of range"),
        ("verse 8", "vers 8", "out of range"),
        ('"standard_kit"', '"standart_kit"', "nearest: standard_kit"),
        ('snare = ".... X..."', 'snare = "...."', None),
        ('snare = ".... X..."', 'snare = "....."', "lane snare has 5 steps"),
        ("minor = 1.0", "moll = 1.0", "unknown modes"),
        ('kick = "X... X... X... X..."\nsnare = ".... X..."', 'line = "1 ."', "drum lanes belong"),
    ],
)
def test_mistakes_are_named(before, after, message):
    assert before in TEXT
    changed = TEXT.replace(before, after, 1)
    if message is None:
        assert parse_style("x", changed).part[0].pattern[0].steps == 16
    else:
        with pytest.raises(ConfigError, match=re.escape(message)):
            parse_style("x", changed)


def test_unknown_style_names_the_nearest():
    with pytest.raises(InputError, match="nearest: disco"):
        load_style("dicso")


def test_hostile_names_open_nothing():
    for name in ("../disco", "/etc/passwd", "disco.toml", ""):
        with pytest.raises(InputError):
            load_style(name)


def test_style_pages_are_what_the_books_say():
    import subprocess
    import sys
    from pathlib import Path

    script = Path(__file__).parent.parent.parent / "docs" / "make_style_pages.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}run python docs/make_style_pages.py"
