"""The street's last part: what an edit left alone is taken from the song that was edited."""

from dataclasses import replace

import pytest

from songwright.engines.score import Earlier, render_score
from songwright.perform.earlier import Reuse
from songwright.score.song import Note, Song, Track, TrackMix


def song():
    def tune(pitch):
        return tuple(Note(i * 960, 800, pitch + i, 90) for i in range(4))

    return Song(
        duration_ticks=3840,
        tracks=(
            Track("lead", "melody", "flute", notes=tune(72)),
            Track("bass", "bass", "electric_bass_finger", notes=tune(36), mix=TrackMix(reverb_db=-20.0)),
        ),
    )


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs") / "first"
    render_score(song(), folder)
    return folder


def test_an_edit_plays_only_what_it_changed_and_leaves_the_first_song_its_files(first, tmp_path):
    edited = song().with_track(replace(song().track("lead"), instrument="violin"))
    made = render_score(edited, tmp_path / "second", edited_from=first)
    old, new = (folder / "stems" / "bass.wav" for folder in (first, made.folder))
    assert made.report["stems_reused"] == ["bass"]
    assert new.read_bytes() == old.read_bytes() and new.stat().st_ino != old.stat().st_ino
    fresh = render_score(edited, tmp_path / "fresh")
    assert fresh.report["stems_reused"] == []
    for name in ("mix.wav", "premaster.wav", "stems/lead.wav", "stems/bass.wav"):
        assert (fresh.folder / name).read_bytes() == (made.folder / name).read_bytes()


@pytest.mark.parametrize("force", [False, True])
def test_where_stems_are_taken_from(first, tmp_path, force):
    target = tmp_path / "target"
    replaced = Reuse(target) if force else None
    assert Earlier(target if force else None).reuse == replaced
    assert Earlier(target if force else None, first).reuse == Reuse(first, stays=True)
    assert Earlier(target if force else None, tmp_path).reuse == replaced  # nothing was rendered there
    assert Earlier(first if force else None, first).reuse == Reuse(first, stays=not force)
