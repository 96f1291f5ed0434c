"""Songs composed by several processes are those of one, whatever becomes of the others."""

import io
import json
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from songwright.brief.brief import Brief
from songwright.brief.brief import to_json as brief_to_json
from songwright.compose import side_by_side
from songwright.compose.candidates import best_song, candidate_brief, compose_candidates
from songwright.compose.composers import composer_named
from songwright.compose.side_by_side import SongProcess, compose_all
from songwright.compose.song_process import answer
from songwright.errors import InputError
from songwright.progress import silent
from songwright.score.song import Song, from_json, to_json

BRIEF = Brief(styles=("folk",), seed=7, duration_seconds=30, instrumental=True, moods=("calm",))


@pytest.fixture(scope="module")
def composer():
    return composer_named("statistical")


@pytest.fixture(scope="module")
def alone(composer):
    return compose_candidates(BRIEF, 5, composer)


@pytest.fixture(autouse=True)
def nothing_stays():
    """No thread outlives a call."""
    before = threading.active_count()
    yield
    assert threading.active_count() == before


class Stand:
    """Stands for another process, which makes of every brief what it is told to."""

    begun: threading.Event
    stopped = 0

    def __init__(self, name):
        self.name, self.is_stopped = name, threading.Event()

    def is_ready(self):
        return True

    def song(self, brief, told):
        told(0.5)
        type(self).begun.set()
        return self.made(brief)

    def made(self, brief):
        return Song(title="there", seed=brief.seed, duration_ticks=1920)

    def stop(self):
        type(self).stopped += 1
        self.is_stopped.set()

    def close(self):
        assert self.is_stopped.is_set()


@pytest.fixture
def stands(monkeypatch):
    def put(**methods):
        kind = type("Put", (Stand,), {"begun": threading.Event(), "stopped": 0, **methods})
        monkeypatch.setattr(side_by_side, "SongProcess", kind)
        return kind

    return put


def briefs(count):
    return [replace(BRIEF, seed=seed) for seed in range(count)]


def here(brief, progress):
    return Song(title="here", seed=brief.seed, duration_ticks=1920)


def test_another_process_composes_the_same_songs(composer, alone):
    process = SongProcess(composer.name)
    try:
        assert process.is_ready()
        told = []
        for number in (3, 0):
            song = process.song(candidate_brief(BRIEF, number), told.append)
            assert song == alone[0][number].song
            assert to_json(song) == to_json(alone[0][number].song)
        assert told[0] == 0.0 and 1.0 in told
    finally:
        process.stop()
        process.close()


def test_two_processes_make_what_one_makes(composer, alone):
    seen = []
    found = compose_candidates(
        BRIEF, 5, composer, composer=composer.name, processes=2, progress=lambda _, share: seen.append(share)
    )
    assert found == alone
    assert seen == sorted(seen) and seen[-1] == 1.0


def test_songs_come_in_the_order_of_briefs_whoever_composes(stands):
    stands()

    def slow(brief, progress):
        assert side_by_side.SongProcess.begun.wait(10)
        return here(brief, progress)

    songs = compose_all(briefs(9), slow, composer="x", processes=3, progress=silent)
    assert [song.seed for song in songs] == list(range(9))
    assert {song.title for song in songs} == {"here", "there"}


@pytest.mark.parametrize("ready", [True, False])
def test_what_another_process_cannot_do_is_done_here(stands, ready):
    kind = stands(made=lambda self, brief: None, is_ready=lambda self: ready)
    songs = compose_all(briefs(4), here, composer="x", processes=3, progress=silent)
    assert [(song.seed, song.title) for song in songs] == [(seed, "here") for seed in range(4)]
    assert kind.stopped == 2


def test_a_process_that_cannot_be_started_is_not_missed(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    songs = compose_all(briefs(3), here, composer="x", processes=2, progress=silent)
    assert [song.title for song in songs] == ["here"] * 3


def test_the_error_of_the_first_brief_that_fails_is_raised(stands):
    """The other process takes the second brief and fails late; the third, which failed before, is not what is told."""
    third = threading.Event()

    def made(self, brief):
        if brief.seed == 1:
            assert third.wait(10)
        return None

    kind = stands(made=made)

    def compose(brief, progress):
        if brief.seed == 0:
            assert kind.begun.wait(10)
        if brief.seed == 2:
            third.set()
        if brief.seed:
            raise InputError(f"brief {brief.seed}")
        return here(brief, progress)

    with pytest.raises(InputError, match="brief 1"):
        compose_all(briefs(6), compose, composer="x", processes=2, progress=silent)
    assert kind.stopped == 1


def test_an_interrupt_stops_the_others(stands):
    def made(self, brief):
        assert self.is_stopped.wait(10)
        return None

    kind = stands(made=made)

    def compose(brief, progress):
        assert kind.begun.wait(10)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compose_all(briefs(4), compose, composer="x", processes=2, progress=silent)
    assert kind.stopped == 1


def test_a_composer_without_a_name_stays_here(stands):
    kind = stands()
    assert best_song(BRIEF, 2, lambda brief, progress: here(brief, progress), processes=2).title == "here"
    assert kind.stopped == 0


def test_a_process_that_was_killed_answers_nothing(composer):
    process = SongProcess(composer.name)
    process.stop()
    assert not process.is_ready()
    assert process.song(BRIEF, lambda share: None) is None
    process.close()


def test_what_a_process_is_told_in_another_language_ends_it():
    root = [sys.executable, "-P", "-m", "songwright.compose.song_process", "statistical"]
    done = subprocess.run(root, input="no brief\n", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0 and done.stdout == '{"ready": true}\n'


def test_answers_are_whole_lines(composer):
    out = io.StringIO()
    answer(lambda brief, progress: progress("compose", 0.25) or here(brief, progress), ["\n".join(
        [json.dumps(brief_to_json(BRIEF))])], out.write)  # fmt: skip
    ready, share, song = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (ready, share) == ({"ready": True}, {"done": 0.25})
    assert from_json(song["song"]) == here(BRIEF, silent)
