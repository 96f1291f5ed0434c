"""The composer that comes with the program: small, open, used by default, and never in need of torch."""

import re
import subprocess
import sys

import pytest

from songwright.brief.brief import Brief
from songwright.compose.composers import composer_named
from songwright.compose.learned.composer import SHIPPED, has_composer, load_composer
from songwright.compose.learned.onnx_steps import read_config
from songwright.score.song import check

BRIEF = Brief(styles=("folk",), seed=3, instrumental=True, duration_seconds=40.0)


@pytest.fixture(scope="module")
def learned():
    return composer_named()(BRIEF)


def test_it_is_there_and_small():
    assert has_composer()
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 8 * 2**20


def test_everything_it_learned_from_may_be_learned_from():
    ledger = read_config(SHIPPED)["ledger"]
    assert len(ledger) > 5
    for name, entry in ledger.items():
        assert entry["usable"] and entry["licence"] and entry["attribution"], name
        assert not re.search(r"\b(NC|SA|GPL|ND)\b", entry["licence"]), (name, entry["licence"])


def test_it_composes_by_default_and_differs_from_the_tables(learned):
    check(learned)
    assert learned.provenance["composer"] == "learned"
    plain = composer_named("statistical")(BRIEF)
    assert plain.provenance["composer"] == "statistical"
    assert plain.sections == learned.sections and plain.tracks != learned.tracks


def test_the_same_song_again_without_torch(learned):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from songwright.brief.brief import Brief\n"
        "from songwright.compose.composers import composer_named\n"
        "from songwright.score.song import to_json\n"
        f"sys.stdout.buffer.write(to_json(composer_named()({BRIEF!r})).encode())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    from songwright.score.song import to_json

    assert done.stdout.decode() == to_json(learned)


def test_the_number_of_threads_changes_nothing(learned):
    from songwright.compose.compose import compose_song
    from songwright.compose.learned.composer import judges_of

    assert compose_song(BRIEF, judges=judges_of(load_composer(threads=1))) == learned
