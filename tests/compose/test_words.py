"""Words on a given tune, and songs with words from end to end."""

import hashlib
import json
from itertools import pairwise

import numpy as np
import pytest
from word_sheets import SONG, VERSE, line, sheet

from songwright.brief.brief import Brief
from songwright.compose import song_words as words_module
from songwright.compose.casting_voice import choose_singer, wants_voice, with_singer
from songwright.compose.compose import compose_song, style_of
from songwright.compose.melody.word_lines import word_line
from songwright.compose.words import divide, melisma_owners, set_words, split_notes, top_line
from songwright.errors import InputError
from songwright.lyrics.sheet import LyricSection, LyricSheet
from songwright.score.song import Note, Song, Syllable, Track


def tune(*lengths, rest_after=(), start=0):
    notes, at = [], start
    for i, length in enumerate(lengths):
        notes.append(Note(at, length, 60 + (5 * i) % 8, 80))
        at += length + (960 if i in rest_after else 0)
    return Track("melody", "melody", "violin", notes=tuple(notes))


def sung(track, syllables):
    """Asserts that nothing is lost and returns how many notes each syllable has."""
    ids = [n.syllable for n in track.notes]
    assert list(dict.fromkeys(ids)) == [s.id for s in syllables] == list(range(len(syllables)))
    assert ids == sorted(ids)
    assert all(a.end_ticks <= b.start_ticks for a, b in zip(track.notes, track.notes[1:], strict=False))
    return [ids.count(s.id) for s in syllables]


TWO = sheet(("verse", VERSE[:2]))


def test_as_many_notes_as_syllables_needs_no_word():
    track, syllables, told = set_words(tune(*[480] * 9, 960, *[480] * 9, 960, rest_after=(9,)), TWO)
    assert sung(track, syllables) == [1] * 20 and not told
    assert track.role == "vocal" and track.instrument == "voice"
    assert {s.line for s in syllables} == {0, 1} and syllables[10].line == 1


def test_too_few_notes_are_split_and_told_line_by_line():
    given = tune(*[960] * 5, *[960] * 10, rest_after=(4,))
    track, syllables, told = set_words(given, TWO)
    sung(track, syllables)
    assert [n.pitch for n in track.notes[:2]] == [60, 60]
    assert {n.start_ticks for n in given.notes} <= {n.start_ticks for n in track.notes}
    assert len(told) == 1 and "line 1" in told[0] and "10 syllables on 5 notes" in told[0]


def test_too_many_notes_are_sung_on_open_syllables():
    track, syllables, told = set_words(tune(*[480] * 13, rest_after=()), sheet(("verse", VERSE[:1])))
    counts = sung(track, syllables)
    assert sum(counts) == 13 and "several notes" in told[0]
    open_ones = [i for i, s in enumerate(syllables) if s.nucleus == len(s.phonemes) - 1]
    assert sum(counts[i] - 1 for i in open_ones) >= 2


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20, 30, 60, 200])
def test_nothing_is_ever_dropped(count):
    given = tune(*[960 if i % 8 == 7 else 480 for i in range(count)], rest_after=tuple(range(7, count, 8)))
    track, syllables, told = set_words(given, SONG)
    sung(track, syllables)
    starts = {n.start_ticks for n in track.notes}
    assert {n.start_ticks for n in given.notes} <= starts and told
    assert len(syllables) % SONG.num_syllables == 0


def test_words_go_round_where_the_tune_is_twice_as_long():
    _, syllables, told = set_words(tune(*[480] * 40), TWO)
    assert len(syllables) == 2 * TWO.num_syllables and "2 times" in told[0]


def test_lines_end_where_the_tune_rests():
    notes = tune(*[480] * 8, rest_after=(4,)).notes
    assert divide(notes, [4, 4]) == [(0, 5), (5, 8)]
    assert divide(notes, [8]) == [(0, 8)]


def test_splitting_keeps_to_the_grid_and_says_when_it_cannot():
    parts = split_notes([Note(0, 960, 60, 80)], 3)
    assert [n.duration_ticks for n in parts] == [240, 240, 480] or sum(n.duration_ticks for n in parts) == 960
    assert all(n.start_ticks % 240 == 0 for n in parts)
    with pytest.raises(InputError, match="do not fit"):
        split_notes([Note(0, 3, 60, 80)], 5)


def test_a_struck_note_begins_a_syllable():
    words = word_line(line("la-1 la-1"))
    notes = [Note(0, 480, 60, 80), Note(480, 480, 62, 80), Note(960, 480, 62, 80)]
    assert melisma_owners(notes, words) == [0, 0, 1]


def test_chords_are_sung_by_their_top_and_lyrics_replaced():
    pair = (Note(0, 960, 60, 80, 0, 0), Note(0, 960, 67, 80), Note(480, 480, 64, 80))
    assert [n.pitch for n in top_line(pair)] == [67, 64]
    song = Song(
        tracks=(tune(480, 480), Track("voice", "vocal", "voice", notes=pair)), syllables=(Syllable(0, "old"),)
    )  # fmt: skip
    track, syllables, _ = set_words(song, sheet(("verse", ("new-1 words-1.",))))
    assert track.id == "voice" and [s.text for s in syllables] == ["new", "words"]


def test_nothing_to_sing_or_to_sing_on_is_said():
    with pytest.raises(InputError, match="no notes"):
        set_words(Track("x", "melody", "violin"), TWO)
    with pytest.raises(InputError, match="nothing that can be sung"):
        set_words(tune(480), LyricSheet((LyricSection("intro"),)))
    with pytest.raises(InputError, match="no pitched notes"):
        set_words(Song(), TWO)


# --- end to end ------------------------------------------------------------------------------------------------------


def test_a_song_is_sung_from_end_to_end(monkeypatch):
    ready = words_module.SongWords(SONG, None, ("a note",))
    monkeypatch.setattr("songwright.compose.compose.song_words", lambda *_: ready)
    song = compose_song(Brief(styles=("rock",), seed=2, lyrics="x"))
    lead = song.track("vocal_lead")
    assert lead.singer is not None and lead.singer.name == song.provenance["singer"]
    words = [s for s in song.syllables if s.id in {n.syllable for n in lead.notes}]
    assert [s.text for s in words][: len(VERSE[0].split())] == [w.split("-")[0] for w in VERSE[0].split()]
    assert len(words) == sum(len(x.syllables) for x in SONG.lines())
    assert song.provenance["notes"] == ["a note"] and song.provenance["voice_source"] == "espeak"
    known = {s.id for s in song.syllables}
    assert all(n.syllable is None or n.syllable in known for t in song.tracks for n in t.notes)


def test_a_concluded_voice_changes_nothing(monkeypatch):
    ready = words_module.SongWords(SONG, None)
    monkeypatch.setattr("songwright.compose.compose.song_words", lambda *_: ready)
    brief = Brief(styles=("country",), seed=4, lyrics="x")
    told = with_singer(brief, *choose_singer(brief, style_of(brief)))
    assert told.singer and told.voice_type and told.voice_source == "espeak"
    assert compose_song(told).tracks == compose_song(brief).tracks
    assert not wants_voice(Brief(styles=("ambient",)), style_of(Brief(styles=("ambient",))))


AS_BEFORE = {
    "pop": "9aff6b189ca8d26a", "jazz": "91238f4a5843b549", "techno": "0a84b30d6aab51f6", "waltz": "675f9b665382739c",
}  # fmt: skip


@pytest.mark.parametrize(("style", "expected"), AS_BEFORE.items())
def test_instrumental_songs_are_as_they_were(style, expected):
    song = compose_song(Brief(styles=(style,), seed=7).with_said(instrumental=True, duration_seconds=60.0))
    rows = [[t.id, *([n.start_ticks, n.duration_ticks, n.pitch, n.velocity, n.offset_ticks] for n in t.notes)]
            for t in song.tracks]  # fmt: skip
    assert hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16] == expected
    assert not song.syllables and "singer" not in song.provenance


def test_every_note_belongs_to_one_line():
    random = np.random.default_rng(1)
    for _ in range(40):
        lines = int(random.integers(1, 20))
        count = int(random.integers(lines, 200))
        given = tune(*random.choice([240, 480, 1920], count).tolist(), rest_after=tuple(random.integers(0, count, 9)))
        spans = divide(given.notes, random.choice([1, 5, 8, 60], lines).tolist())
        assert spans[0][0] == 0 and spans[-1][1] == count and all(start < end for start, end in spans)
        assert all(one[1] == other[0] for one, other in pairwise(spans))
