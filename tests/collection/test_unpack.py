import io
import tarfile

import pytest

from songwright.collection.unpack import corpus_folder
from songwright.errors import DataError, InputError


def archive(path, *members):
    with tarfile.open(path, "w:xz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = content
                tar.addfile(info)


def test_a_folder_or_its_archive(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    with pytest.raises(InputError, match=r"neither songs/ nor songs\.tar\.xz"):
        corpus_folder(data, "songs", out)
    archive(data / "songs.tar.xz", ("songs/a/b.txt", b"hello"))
    assert (corpus_folder(data, "songs", out) / "songs/a/b.txt").read_bytes() == b"hello"
    (data / "songs.tar.xz").write_bytes(b"gone")
    assert corpus_folder(data, "songs", out) == out
    (data / "songs").mkdir()
    assert corpus_folder(data, "songs", out) == data


@pytest.mark.parametrize(
    "members",
    [
        [("songs/a", b"x"), ("../evil", b"x")], [("/etc/evil", b"x")], [("other/a", b"x")],
        [("songs/../../evil", b"x")], [("songsother/a", b"x")], [],
    ],
)  # fmt: skip
def test_nothing_is_written_outside(tmp_path, members):
    archive(tmp_path / "songs.tar.xz", *members)
    with pytest.raises(DataError):
        corpus_folder(tmp_path, "songs", tmp_path / "out")
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["songs.tar.xz"]


def test_links_are_left_out_and_broken_archives_refused(tmp_path):
    link = (tarfile.SYMTYPE, "/etc/passwd")
    archive(tmp_path / "songs.tar.xz", ("songs/link", link), ("songs/a", b"x"))
    folder = corpus_folder(tmp_path, "songs", tmp_path / "out")
    assert [p.name for p in (folder / "songs").iterdir()] == ["a"]
    (tmp_path / "other.tar.xz").write_bytes((tmp_path / "songs.tar.xz").read_bytes()[:60])
    with pytest.raises(DataError, match="cannot be unpacked"):
        corpus_folder(tmp_path, "other", tmp_path / "out")


def test_sizes_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("songwright.collection.unpack.MAX_BYTES", 100)
    archive(tmp_path / "songs.tar.xz", ("songs/a", b"x" * 60), ("songs/b", b"x" * 60))
    with pytest.raises(DataError, match="larger"):
        corpus_folder(tmp_path, "songs", tmp_path / "out")
