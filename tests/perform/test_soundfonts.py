import hashlib
import io
import subprocess
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from songwright.errors import DataError, InputError
from songwright.perform import fluid, soundfonts
from songwright.perform.soundfonts import FontPackage, fetch, find_soundfont
from songwright.perform.timeline import Performance


@pytest.fixture(autouse=True)
def empty_machine(tmp_path, monkeypatch):
    monkeypatch.delenv(soundfonts.SOUNDFONT_VARIABLE, raising=False)
    monkeypatch.setattr(soundfonts, "user_folder", lambda: tmp_path / "user")
    (tmp_path / "system").mkdir()
    (tmp_path / "user").mkdir()


def test_the_bundled_font_is_the_last_resort(tmp_path):
    choice = find_soundfont(system_folders=[tmp_path / "system"])
    assert (choice.name, choice.source, choice.quality) == ("TimGM6mb", "bundled", "small")
    assert choice.path.is_file()


def test_each_place_wins_over_the_next(tmp_path, monkeypatch):
    def look(explicit=None):
        return find_soundfont(explicit, system_folders=[tmp_path / "nowhere", tmp_path / "system"])

    (tmp_path / "system" / "FluidR3_GM.sf2").write_bytes(b"")
    assert look().name == "FluidR3"
    (tmp_path / "system" / "MuseScore_General_Lite.sf3").write_bytes(b"")
    assert (look().name, look().source, look().quality) == ("MuseScore_General", "system", "good")
    (tmp_path / "user" / "mine.SF2").write_bytes(b"")
    (tmp_path / "user" / "notes.txt").write_bytes(b"")
    assert (look().name, look().source, look().licence) == ("mine", "user folder", "unknown")
    monkeypatch.setenv(soundfonts.SOUNDFONT_VARIABLE, str(tmp_path / "system" / "FluidR3_GM.sf2"))
    assert look().source == "environment"
    assert look(tmp_path / "user" / "mine.SF2").source == "flag"


def test_links_are_followed_to_the_font_that_sounds(tmp_path):
    (tmp_path / "MuseScore_General_Lite.sf3").write_bytes(b"")
    (tmp_path / "system" / "MuseScore_General.sf3").symlink_to(tmp_path / "MuseScore_General_Lite.sf3")
    assert find_soundfont(system_folders=[tmp_path / "system"]).path.name == "MuseScore_General_Lite.sf3"


def test_a_named_font_that_is_not_there(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="--soundfont"):
        find_soundfont(tmp_path / "none.sf2")
    monkeypatch.setenv(soundfonts.SOUNDFONT_VARIABLE, str(tmp_path))
    with pytest.raises(InputError, match=soundfonts.SOUNDFONT_VARIABLE):
        find_soundfont()


FONT = bytes(range(256)) * 40
MEMBER = "usr/share/sounds/tiny.sf3"


def _deb(font=FONT, member="./" + MEMBER):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:xz") as archive:
        entry = tarfile.TarInfo(member)
        entry.size = len(font)
        archive.addfile(entry, io.BytesIO(font))
    parts = [("debian-binary", b"2.0\n"), ("control.tar.gz", b"odd"), ("data.tar.xz", tar.getvalue())]
    data = b"!<arch>\n"
    for name, content in parts:
        data += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode() + content
        data += b"\n" * (len(content) % 2)
    return data


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def package(tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def make(served, claimed=None):
        (folder / "font.deb").write_bytes(served)
        claimed = served if claimed is None else claimed
        address = f"http://127.0.0.1:{server.server_port}"
        urls = (f"{address}/missing.deb", f"{address}/font.deb")
        sums = (hashlib.sha256(data).hexdigest() for data in (claimed, FONT))
        return FontPackage(urls, len(claimed), next(sums), MEMBER, next(sums))

    yield make
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_font_is_fetched_checked_and_not_fetched_again(tmp_path, package):
    shown = []
    offer = package(_deb())
    path = fetch(offer, tmp_path / "user" / "new", lambda stage, done: shown.append(done))
    assert path.read_bytes() == FONT
    assert shown == sorted(shown)
    assert shown[-1] == 1.0
    (tmp_path / "served" / "font.deb").unlink()
    assert fetch(offer, tmp_path / "user" / "new") == path


@pytest.mark.parametrize("served", [_deb()[:-1], _deb() + b"x" * 10_000_000, b""])
def test_other_bytes_are_refused_and_nothing_is_left(tmp_path, package, served):
    with pytest.raises(InputError, match="cannot fetch"):
        fetch(package(served, claimed=_deb()), tmp_path / "user")
    assert not list((tmp_path / "user").iterdir())


@pytest.mark.parametrize(
    "served", [_deb(FONT[::-1]), _deb(member="./other"), b"no archive", _deb()[:300], b"!<arch>\n" * 20]
)
def test_a_package_without_the_font_is_refused(tmp_path, package, served):
    with pytest.raises(DataError):
        fetch(package(served), tmp_path / "user")
    assert not list((tmp_path / "user").iterdir())


def test_what_we_fetch_is_well_described():
    offer = soundfonts.MUSESCORE_GENERAL
    assert all(url.startswith("https://") for url in offer.urls)
    assert len(offer.sha256) == len(offer.font_sha256) == 64


def test_fluidsynth_missing_failing_and_hanging(tmp_path, monkeypatch):
    monkeypatch.setattr(fluid.shutil, "which", lambda _: None)
    with pytest.raises(InputError, match="install it"):
        fluid.FluidPlayer(tmp_path / "a.sf2")
    monkeypatch.setattr(fluid.shutil, "which", lambda _: "/bin/false")
    notes = Performance(np.array([0.0]), np.array([0.2]), np.array([69]), np.array([100]))
    player = fluid.FluidPlayer(tmp_path / "a.sf2")
    with pytest.raises(InputError, match="fluidsynth failed"):
        player.render(notes, "violin", sample_rate=44100, num_samples=100)

    def hang(command, **rest):
        raise subprocess.TimeoutExpired(command, rest["timeout"])

    monkeypatch.setattr(fluid.subprocess, "run", hang)
    with pytest.raises(InputError, match="longer than 60 s"):
        player.render(notes, "violin", sample_rate=44100, num_samples=100)
