from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from songwright.errors import InputError
from songwright.files import slug, staged_folder, write_bytes


@given(st.text(max_size=300))
def test_slug_is_one_safe_name(text):
    name = slug(text)
    assert name and name == Path(name).name and name not in (".", "..")
    assert not set(name) & set('/\\:*?"<>|\0 ') and len(name.encode()) <= 200


def test_slug_keeps_all_scripts():
    assert slug("An Upbeat—Disco song!") == "an-upbeat-disco-song"
    assert slug("关于海的歌") == "关于海的歌"
    assert slug("Песня о море") == "песня-о-море"
    assert slug("../../etc/passwd") == "etc-passwd"
    assert slug("???") == "untitled" and slug("CON") == "con-song"


def test_folder_appears_only_when_whole(tmp_path):
    target = tmp_path / "song"
    with pytest.raises(RuntimeError), staged_folder(target) as aside:
        (aside / "half").write_text("x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with staged_folder(target) as aside:
        (aside / "whole").write_text("x")
        assert not target.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["song"]


def test_existing_folder_needs_force_and_survives_a_failure(tmp_path):
    target = tmp_path / "song"
    target.mkdir()
    (target / "mine").write_text("keep")
    with pytest.raises(InputError, match="--force"), staged_folder(target):
        pass
    with pytest.raises(KeyboardInterrupt), staged_folder(target, force=True):
        raise KeyboardInterrupt
    assert (target / "mine").read_text() == "keep"
    with staged_folder(target, force=True) as aside:
        (aside / "new").write_text("x")
    assert [p.name for p in target.iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["song"]


def test_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"), staged_folder(tmp_path / "file", force=True):
        pass


def test_write_bytes_replaces_whole(tmp_path):
    write_bytes(tmp_path / "a", b"one")
    write_bytes(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two" and len(list(tmp_path.iterdir())) == 1
