"""Who composes, by name."""

from dataclasses import replace

import pytest

from songwright.brief.brief import Brief
from songwright.compose import composers
from songwright.compose.compose import compose_song
from songwright.compose.composers import Composer, composer_named
from songwright.compose.learned.novelty import Neighbour
from songwright.errors import CheckpointError, InputError

BRIEF = Brief(styles=("folk",), seed=3, instrumental=True, duration_seconds=40.0)


def test_the_statistical_composer_has_no_judges():
    found = composer_named("statistical")
    assert found == Composer(name="statistical") and found(BRIEF) == compose_song(BRIEF)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        composer_named(str(tmp_path / "nowhere"))
    with pytest.raises(CheckpointError):
        composer_named(str(tmp_path))


def test_a_song_that_is_too_near_is_made_anew_with_a_seed_of_its_own(monkeypatch):
    seen = []
    monkeypatch.setattr(composers, "compose_song", lambda brief, **_: seen.append(brief) or compose_song(brief))
    monkeypatch.setattr("songwright.compose.learned.novelty.too_near", lambda neighbour: len(seen) < 3)
    monkeypatch.setattr("songwright.compose.learned.novelty.nearest", lambda song, index=None: Neighbour())
    song = Composer()(BRIEF)
    assert len({brief.seed for brief in seen}) == 3 and seen[0] == BRIEF
    assert song == compose_song(replace(BRIEF, seed=seen[2].seed))
