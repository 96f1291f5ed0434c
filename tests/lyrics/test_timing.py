"""When words are sung: from notes and phones to LRC, SRT and JSON, and LRC back."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songwright.errors import InputError
from songwright.lyrics.read import read_lyrics
from songwright.lyrics.timing import timed_lyrics, to_json, to_lrc, to_srt, to_word_lrc
from songwright.score.song import Note, Section, Singer, Song, Syllable, TempoChange, Track
from songwright.score.sung import SungPhone

LYRICS = [
    ["Hel-lo dark-ness,", "my old friend"],
    ["你-好，-世-界", "我-爱-你"],
    ["Ве-тер, ве-тер", "ты мне пой"],
]


def sung_song(lines, *, bpm=120.0):
    """A song that sings each line in a bar of eighths, the last syllable on two notes, with a backing voice."""
    syllables, notes = [], []
    for number, line in enumerate(lines):
        at = number * 3840
        for word in line.split():
            han = any("\u4e00" <= c <= "\u9fff" for c in word)
            parts = word.split("-")
            for part in parts:
                whole = part if han else "".join(parts)
                syllables.append(Syllable(len(syllables), part, whole, line=number, language="zh" if han else "en"))
                notes.append(Note(at, 480, 60, 80, 10, syllables[-1].id))
                at += 480
        notes.append(Note(at, 480, 62, 80, 0, syllables[-1].id))
    middle = len(lines) // 2 * 3840
    sections = (
        Section("Verse 1", "verse", 0, middle, 0.5),
        Section("Chorus", "chorus", middle, len(lines) * 3840 - middle, 0.8),
    )
    back = Syllable(len(syllables), "ooh", "ooh", line=len(lines))
    return Song(
        title="A [song]",
        duration_ticks=len(lines) * 3840,
        tempos=(TempoChange(0, bpm),),
        sections=sections,
        tracks=(
            Track("lead", "vocal", "voice", "Lead", tuple(notes), singer=Singer("clara")),
            Track("back", "backing_vocal", "voice", "Back", (Note(960, 960, 67, 80, 0, back.id),)),
        ),
        syllables=(*syllables, back),
    )


@pytest.mark.parametrize("lines", LYRICS)
def test_words_and_lines_take_the_times_of_their_notes(lines):
    timed = timed_lyrics(sung_song(lines), (), "lead")
    assert timed.singer == "clara" and [line.number for line in timed.lines] == [0, 1]
    assert [line.section for line in timed.lines] == ["Verse 1", "Chorus"]
    assert [line.text.replace(" ", "") for line in timed.lines] == [s.replace("-", "").replace(" ", "") for s in lines]
    for line in timed.lines:
        spans = [(s.start_seconds, s.end_seconds) for w in line.words for s in w.syllables]
        assert spans == sorted(spans) and line.start_seconds == pytest.approx(line.number * 2 + 10 / 1920)
        assert spans[-1][1] - spans[-1][0] == pytest.approx(0.5, abs=0.01)
        assert all(w.start_seconds < w.end_seconds for w in line.words)


def test_phones_move_the_beginnings():
    song = sung_song(LYRICS[0])
    phones = (
        SungPhone("h", 0, 0.02, 0.08, False),
        SungPhone("E", 0, 0.08, 0.25, True),
        SungPhone("u:", 99, 0, 1, True),
    )
    word = timed_lyrics(song, phones, "lead").lines[0].words[0]
    assert word.start_seconds == 0.02 and word.text == "Hello"
    assert [(p.symbol, p.is_nucleus) for p in word.syllables[0].phonemes] == [("h", False), ("E", True)]
    assert word.syllables[0].note_seconds == pytest.approx(10 / 1920) and word.syllables[1].phonemes == ()


def test_a_line_sung_twice_is_there_twice():
    chorus = "la la la"
    timed = timed_lyrics(sung_song([chorus, "Hel-lo you", chorus, "Hel-lo me"]), (), "lead")
    assert [line.text for line in timed.lines] == [chorus, "Hello you", chorus, "Hello me"]
    assert timed.lines[2].start_seconds - timed.lines[0].start_seconds == pytest.approx(4.0)


@pytest.mark.parametrize("write", [to_lrc, to_word_lrc])
@pytest.mark.parametrize("lines", LYRICS)
@settings(deadline=None, max_examples=20)
@given(bpm=st.floats(40.0, 200.0))
def test_lrc_reads_back_the_same_lines_and_times(write, lines, bpm):
    timed = timed_lyrics(sung_song(lines * 2, bpm=bpm), (), "lead")
    back = read_lyrics(write(timed))
    assert back.title == "A (song)" and [line.text for line in back.lines()] == [line.text for line in timed.lines]
    for mine, theirs in zip(timed.lines, back.lines(), strict=True):
        assert theirs.start_seconds == pytest.approx(mine.start_seconds, abs=0.01)
        if write is to_word_lrc:
            assert theirs.word_seconds == pytest.approx([w.start_seconds for w in mine.words], abs=0.01)


def test_subtitles_read_back_and_never_overlap():
    timed = timed_lyrics(sung_song(LYRICS[0] * 2), (), "lead")
    text = to_srt(timed)
    assert text.startswith("1\n00:00:00,005 --> 00:00:0") and "\n\n2\n00:00:02,005 --> " in text
    back = list(read_lyrics(text).lines())
    assert [line.text for line in back] == [line.text for line in timed.lines]
    assert [line.start_seconds for line in back] == pytest.approx(
        [line.start_seconds for line in timed.lines], abs=0.001
    )


def test_json_has_every_word_syllable_and_phoneme():
    song = sung_song(LYRICS[0])
    phones = [SungPhone("@", s.id, 0.25 * i, 0.25 * i + 0.2, True) for i, s in enumerate(song.syllables)]
    data = json.loads(to_json(timed_lyrics(song, phones, "lead")))
    assert (data["format"], data["schema_version"], data["track"]) == ("songwright.lyrics", 1, "lead")
    syllables = [s for line in data["lines"] for word in line["words"] for s in word["syllables"]]
    assert [s["id"] for s in syllables] == list(range(len(song.syllables) - 1))
    for item in (*data["lines"], *(w for line in data["lines"] for w in line["words"]), *syllables,
                 *(p for s in syllables for p in s["phonemes"])):  # fmt: skip
        assert item["start_seconds"] < item["end_seconds"]
    assert all(len(s["phonemes"]) == 1 for s in syllables)


def test_tracks_without_words_and_tracks_that_are_not_there():
    song = sung_song(LYRICS[0])
    silent = replace(song, tracks=(replace(song.tracks[0], notes=(Note(0, 960, 60, 80),)), song.tracks[1]))
    timed = timed_lyrics(silent, (), "lead")
    assert timed.lines == () and to_srt(timed) == "" and json.loads(to_json(timed))["lines"] == []
    with pytest.raises(InputError, match="tracks: lead, back"):
        timed_lyrics(song, (), "drums")
