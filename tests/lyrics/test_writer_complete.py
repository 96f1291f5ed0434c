"""Half-written words are completed without touching what is given; a language model's lines are checked one by one."""

import builtins
import json
from dataclasses import replace

import pytest

from fake_llm import fake_model
from songwright.errors import MissingDependencyError
from songwright.lyrics import llm_writer
from songwright.lyrics.assemble import assemble, line_of
from songwright.lyrics.complete import is_open, missing
from songwright.lyrics.metre import line_lengths
from songwright.lyrics.request import LyricRequest, SectionRequest
from songwright.lyrics.sheet import LyricSection, LyricSheet
from songwright.lyrics.writer import complete_lyrics, write_lyrics

SECTIONS = (SectionRequest("verse", 4), SectionRequest("chorus", 4, 7.0), SectionRequest("verse", 4))
REQUEST = LyricRequest("en", subject="rain", sections=SECTIONS, seed=2)
VERSE = (
    "The rain came in beneath the door",
    "I put a towel on the tiles",
    "...",
    "And thought of you for miles and miles",
)


def sheet(*sections):
    rows = [
        LyricSection(role, tuple(line_of(text, "en") for text in lines), label, bars)
        for role, lines, label, bars in sections
    ]
    return LyricSheet(tuple(rows), "en")


def lines_of(section):
    return [line.text for line in section.lines]


@pytest.fixture(autouse=True)
def no_model(monkeypatch):
    monkeypatch.delenv(llm_writer.MODEL_VARIABLE, raising=False)


def test_open_lines_are_known():
    assert all(is_open(line_of(text, "en")) for text in ("...", "…", "?", "……", ". . ."))
    assert not any(is_open(line_of(text, "en")) for text in ("a ...", "Oh?", "1"))


def test_open_line_is_written_and_given_lines_stay():
    given = sheet(("verse", VERSE, "Verse 1", None))
    done = complete_lyrics(given, REQUEST)
    lines = lines_of(done.sections[0])
    assert [lines[i] for i in (0, 1, 3)] == [VERSE[i] for i in (0, 1, 3)]
    assert done.sections[0].lines[0] is given.sections[0].lines[0]
    assert lines[2] not in ("...", "") and abs(line_lengths([lines[2]], "en")[0] - 8) <= 1
    assert "written" in done.notes[-1]


def test_empty_sections_get_their_sisters_number_of_lines():
    first = (*VERSE[:2], "It found the rug, it found the bed", VERSE[3])
    done = complete_lyrics(
        sheet(("verse", first, "", None), ("chorus", (), "", None), ("verse", (), "", None)), REQUEST
    )
    assert [len(section.lines) for section in done.sections] == [4, 4, 4]
    assert not set(lines_of(done.sections[2])) & set(first)
    lengths = line_lengths(lines_of(done.sections[2]), "en")
    assert all(abs(n - 8) <= 2 for n in lengths)


def test_empty_chorus_takes_the_words_of_the_given_one():
    chorus = ("Let it rain", "Let it pour", "Let it rain", "Evermore")
    done = complete_lyrics(sheet(("chorus", chorus, "", None), ("chorus", (), "", None)), REQUEST)
    assert lines_of(done.sections[1]) == list(chorus)


def test_short_verse_is_filled_up_to_its_sister():
    first = (*VERSE[:2], "It found the rug, it found the bed", VERSE[3])
    done = complete_lyrics(sheet(("verse", first, "", None), ("verse", VERSE[:2], "", None)), REQUEST)
    assert len(done.sections[1].lines) == 4
    assert lines_of(done.sections[1])[:2] == list(VERSE[:2])


def test_instrumental_and_finished_sheets_stay():
    whole = sheet(("intro", (), "", 8), ("verse", VERSE[:2], "", None), ("verse", (), "", 8), ("outro", (), "", None))
    assert complete_lyrics(whole, REQUEST) is whole
    assert missing(whole, REQUEST)[2] == ()


def test_written_line_rhymes_with_its_given_partner_where_the_bank_can():
    hits = 0
    for seed in range(6):
        verse = ("I wrote it on the kitchen wall", "And then I went to bed", "I heard you walking down the hall", "...")
        done = complete_lyrics(sheet(("verse", verse, "", None)), replace(REQUEST, seed=seed))
        hits += lines_of(done.sections[0])[3].split()[-1] in {
            "head",
            "said",
            "bread",
            "dead",
            "red",
            "shed",
            "fed",
            "instead",
        }
    assert hits >= 5


@pytest.mark.parametrize(("language", "given"), [("zh", "雨落在旧街口"), ("ru", "Дождь идёт по крыше")])
def test_other_languages_are_completed(language, given):
    section = LyricSection("verse", tuple(line_of(text, language) for text in (given, "…", "…", "…")))
    done = complete_lyrics(LyricSheet((section,), language), replace(REQUEST, language=language))
    lines = lines_of(done.sections[0])
    assert lines[0] == given and len(set(lines)) == 4 and "…" not in lines


@pytest.fixture
def server(monkeypatch):
    with fake_model(monkeypatch, llm_writer.MODEL_VARIABLE) as model:
        yield model


def song(line="I hold a cup of tea today"):
    return {"title": "A Cup of Tea", "sections": [[line] * 4, ["Tea for me and tea for you"] * 4, [line] * 4]}


def test_lines_that_fit_are_taken_and_others_are_ours(server):
    own = assemble(REQUEST)
    answer = song()
    answer["sections"][0][1] = "Much too short"
    answer["sections"][0][2] = 7
    answer["sections"][1] = "no list"
    server.answer = (200, "Here you go: " + json.dumps(answer), 0.0)
    done = write_lyrics(REQUEST)
    first = lines_of(done.sections[0])
    kept = line_lengths(own.sections[0], "en")
    assert first[1:3] == list(own.sections[0][1:3])
    assert [new == "I hold a cup of tea today" for new in (first[0], first[3])] == [
        abs(kept[i] - 8) <= 1 for i in (0, 3)
    ]
    assert lines_of(done.sections[1]) == list(own.sections[1])
    assert done.title == "A Cup of Tea" and "of 12 lines" in done.notes[0]
    assert '"syllables"' in server.asked[0]["messages"][1]["content"]


@pytest.mark.parametrize(
    "answer", [(200, "sorry", 0.0), (500, "{}", 0.0), (200, '{"sections": 3}', 0.0), (200, "{", 0.0)]
)
def test_nonsense_leaves_our_words(server, answer):
    server.answer = answer
    done = write_lyrics(REQUEST)
    assert tuple(tuple(lines_of(s)) for s in done.sections) == assemble(REQUEST).sections
    assert "our own" in done.notes[0]


def test_slow_model_is_given_up(server):
    server.answer = (200, json.dumps(song()), 1.0)
    own = assemble(REQUEST)
    written, notes = llm_writer.rewrite(own, REQUEST, timeout_seconds=0.2)
    assert written == own and "did not answer" in notes[0]


def test_model_may_not_change_given_lines(server):
    server.answer = (200, json.dumps({"sections": [["Now all of this is something else"] * 4]}), 0.0)
    lines = lines_of(complete_lyrics(sheet(("verse", VERSE, "", None)), REQUEST).sections[0])
    assert [lines[i] for i in (0, 1, 3)] == [VERSE[i] for i in (0, 1, 3)]
    assert lines[2] == "Now all of this is something else"


def test_missing_package_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "openai":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setenv(llm_writer.MODEL_VARIABLE, "tiny")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"songwright\[llm\]"):
        write_lyrics(REQUEST)
