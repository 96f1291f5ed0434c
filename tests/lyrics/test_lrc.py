"""Timed files in: LRC, enhanced LRC, SRT and WebVTT."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songwright.lyrics.read import read_lyrics, to_text


def rows(text):
    return [(line.start_seconds, line.text) for line in read_lyrics(text).lines()]


def test_stamps_tags_and_several_times_of_one_line():
    text = "[ti:Night]\n[ar:Nobody]\n[by:me]\n[00:10.00][01:10.50]La la\n[00:15]Lo\n[00:20:25]Li\n[1:00.5]Lu\n"
    assert rows(text) == [(10.0, "La la"), (15.0, "Lo"), (20.25, "Li"), (60.5, "Lu"), (70.5, "La la")]
    sheet = read_lyrics(text)
    assert sheet.title == "Night" and not sheet.notes


@pytest.mark.parametrize(
    ("offset", "start"), [("+500", 9.5), ("-250", 10.25), ("0", 10.0), ("20000", 0.0), ("what", 10.0)]
)
def test_a_positive_offset_shows_words_sooner(offset, start):
    assert rows(f"[offset:{offset}]\n[00:10.00]La") == [(start, "La")]


def test_word_times():
    (line,) = read_lyrics("[00:10.00]<00:10.00>One <00:10.50>two three <00:12.50>four<00:13.00>").lines()
    assert line.text == "One two three four" and line.start_seconds == 10.0
    assert line.word_seconds[:2] == (10.0, 10.5) and line.word_seconds[3] == 12.5 and 10.5 < line.word_seconds[2] < 12.5
    (line,) = read_lyrics("[00:01.00]<00:01.00>你<00:01.40>好<00:01.80>吗<00:02.20>").lines()
    assert [w.text for w in line.words] == ["你", "好", "吗"] and line.word_seconds == (1.0, 1.4, 1.8)
    (line,) = read_lyrics("[00:01.00]Hel[00:01.20]lo [00:01.60]you").lines()
    assert line.text == "Hello you" and line.word_seconds == (1.0, 1.6)
    (line,) = read_lyrics("<00:03.00>No <00:04.00>stamp").lines()
    assert line.start_seconds == 3.0 and line.word_seconds == (3.0, 4.0)


def test_sections_inside_timed_files():
    sheet = read_lyrics("[00:01.00][Verse]\n[00:02.00]la (oh)\n[Chorus]\n[00:05.00]lo x2\n[00:09.00][Solo]\n")
    assert [(s.role, len(s.lines)) for s in sheet.sections] == [("verse", 1), ("chorus", 2), ("solo", 0)]
    assert [line.start_seconds for line in sheet.lines()] == [2.0, 5.0, None]


def test_gaps_and_empty_stamps_divide_stanzas():
    verse = [f"[00:{10 + 3 * i}.00]line number {i}" for i in range(4)]
    other = [f"[00:{40 + 3 * i}.00]other {i} words" for i in range(4)]
    for between in ("", "[00:22.00]\n"):
        sheet = read_lyrics("\n".join(verse) + "\n" + between + "\n".join(other))
        assert [len(s.lines) for s in sheet.sections] == [4, 4]


def test_credits_at_the_head_are_not_sung():
    sheet = read_lyrics("[00:00.00]作词 : 某人\n[00:01.00]作曲 : 某人\n[00:10.00]天空很蓝\n[00:13.00]海很宽")
    assert [line.text for line in sheet.lines()] == ["天空很蓝", "海很宽"] and len(sheet.notes) == 2


SRT = """1
00:00:01,000 --> 00:00:03,500
<i>♪ Hello world ♪</i>

2
00:00:04,000 --> 00:00:06,000
- two lines
{\\an8}of text

3
00:01:10,250 --> 00:01:12,000
1999
"""


def test_subtitles():
    assert rows(SRT) == [(1.0, "Hello world"), (4.0, "two lines"), (5.125, "of text"), (70.25, "1999")]
    sheet = read_lyrics(SRT.replace("\n", "\r\n"))
    assert rows(SRT) == [(line.start_seconds, line.text) for line in sheet.lines()] and not sheet.notes
    assert len(sheet.sections) == 2


def test_web_subtitles():
    assert rows("WEBVTT\n\n00:01.000 --> 00:03.000 align:start\nHello\n\n00:04.000 --> 00:05.000\nworld\n") == [
        (1.0, "Hello"),
        (4.0, "world"),
    ]


@pytest.mark.parametrize(
    "text", ["[99999:00]la", "[00:99.99]la", "[00:01.00", "<00:01>", "00:00:01,000 --> x\nla", "[00:1]la"]
)
def test_odd_stamps_do_no_harm(text):
    try:
        sheet = read_lyrics(text)
    except Exception as error:
        assert type(error).__name__ == "InputError"
    else:
        assert replace(read_lyrics(to_text(sheet)), notes=()) == replace(sheet, notes=())


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 600_000), st.sampled_from(["la lo", "你好吗", "ночь", "hey"])), min_size=1,
                max_size=8), st.booleans())  # fmt: skip
def test_times_come_back_to_the_millisecond(lines, words):
    text = ""
    for at, line in sorted(lines):
        stamp = f"{at // 60000:02d}:{at // 1000 % 60:02d}.{at % 1000:03d}"
        text += f"[{stamp}]" + (f"<{stamp}>" if words else "") + line + "\n"
    sheet = read_lyrics(text)
    assert [line.start_seconds for line in sheet.lines()] == [at / 1000 for at, _ in sorted(lines)]
    assert replace(read_lyrics(to_text(sheet)), notes=()) == replace(sheet, notes=())
