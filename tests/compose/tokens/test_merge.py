"""What the grid takes is counted, and comes back where nothing was written anew."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from token_songs import wild_songs

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.tokens.grid import on_grid
from songwright.compose.tokens.losses import Losses, losses
from songwright.compose.tokens.merge import merge
from songwright.score.song import ChordSpan, Note, Section, Song, Syllable, TempoChange, Track, check


@pytest.fixture(scope="module")
def sung():
    """A song of our own with voices, offsets, singers and a mix."""
    return compose_song(Brief(styles=("rock",), seed=3, vocal=True, duration_seconds=40))


def test_what_was_not_written_anew_is_the_original(sung):
    assert merge(sung, on_grid(sung)) == sung


def test_only_what_was_written_anew_changes(sung):
    decoded = on_grid(sung)
    bass = next(t for t in decoded.tracks if t.role == "bass")
    cut = bass.notes[: len(bass.notes) // 2]
    written = replace(bass, notes=(*cut, Note(cut[-1].start_ticks + 960, 480, 41, 66)))
    merged = merge(sung, decoded.with_track(written))
    check(merged)
    for before, after in zip(sung.tracks, merged.tracks, strict=True):
        if before.role != "bass":
            assert before == after
            continue
        assert after.notes[-1] == written.notes[-1] and len(after.notes) == len(written.notes)
        assert after.notes[:-1] == before.notes[: len(cut)]
        assert (after.mix, after.name, after.id) == (before.mix, before.name, before.id)
    assert merged.syllables == sung.syllables and merged.chords == sung.chords


def test_words_of_both_are_numbered_anew(sung):
    decoded = on_grid(sung)
    voice = next(t for t in decoded.tracks if t.role == "vocal")
    moved = tuple(replace(n, pitch=n.pitch + 1) if i % 2 else n for i, n in enumerate(voice.notes))
    merged = merge(sung, decoded.with_track(replace(voice, notes=moved)))
    check(merged)
    texts = {s.text for s in merged.syllables}
    assert "" in texts and len(texts) > 3
    assert [s.id for s in merged.syllables] == list(range(len(merged.syllables)))


def test_a_new_player_is_added(sung):
    decoded = on_grid(sung)
    new = Track("percussion_9", "percussion", "standard_kit", notes=(Note(0, 240, 70, 90),))
    merged = merge(sung, replace(decoded, tracks=(*decoded.tracks, new)))
    check(merged)
    assert merged.tracks[-1] == new and merged.tracks[:-1] == sung.tracks


@settings(max_examples=60, deadline=None)
@given(wild_songs())
def test_merging_keeps_every_rule_of_songs(song):
    merged = merge(song, on_grid(song))
    check(merged)
    assert on_grid(merged).tracks == on_grid(song).tracks


def test_losses_count_what_they_say():
    notes = (Note(0, 480, 60, 90), Note(7, 480, 60, 80), Note(500, 100, 62, 90), Note(960, 960, 64, 90))
    song = Song(
        duration_ticks=7680,
        tempos=(TempoChange(0, 100.0), TempoChange(3840, 101.0), TempoChange(5000, 160.0)),
        sections=(Section("a", "verse", 0, 3840, 0.5), Section("b", "chorus", 3900, 3780, 0.5)),
        chords=(ChordSpan(0, 1920, "C"), ChordSpan(1920, 1920, "C"), ChordSpan(3840, 3840, "what")),
        tracks=(Track("a", "melody", "flute", notes=notes),),
        syllables=(Syllable(0, "la"),),
    )
    found = losses(song)
    assert (found.notes, found.moved, found.shift_ticks, found.merged) == (4, 2, 7 + 20, 1)
    assert (found.stretched, found.unknown_chords, found.joined_chords, found.moved_sections) == (1, 1, 1, 1)
    assert (found.tempos, found.held_tempos) == (2, 1)
    tidy = losses(on_grid(song))
    assert tidy == Losses(notes=3, chords=2, tempos=1, sections=2)
    assert (found + tidy).notes == 7
