"""The banks: enough lines, well formed, metre and rhyme of English against the phonetics, broken files told."""

from collections import Counter

import pytest

from songwright.errors import DataError
from songwright.lyrics import bank as bank_module
from songwright.lyrics.bank import LANGUAGES, SLOT, THEMES, Frame, load_bank, problems
from songwright.lyrics.metre import fits, free_stresses, shapes, words_of


@pytest.fixture(scope="module")
def english():
    bank = load_bank("en")
    words = sorted({word for frame in bank.frames for line in frame.lines for word in words_of(SLOT.sub(" ", line))})
    return bank, dict(zip(words, shapes(words, "en"), strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_bank_is_large_and_sound(language):
    bank = load_bank(language)
    assert bank.num_lines >= 400
    assert problems(bank) == []


def test_every_english_line_keeps_its_metre(english):
    bank, known = english
    for frame in bank.frames:
        for index, line in enumerate(frame.lines):
            stresses, at = [], 0
            for found in [*SLOT.finditer(line), None]:
                text = line[at : found.start() if found else len(line)]
                stresses += free_stresses(known[word] for word in words_of(text))
                place = (found[2] or "") if found else ""
                stresses += [int(mark == "x" and len(place) > 1) for mark in place]
                at = found.end() if found else at
            assert fits(stresses, bank.metres[frame.metre].template(index)), (frame.name, line, stresses)


def test_english_lines_rhyme_truly_where_their_scheme_says(english):
    bank, known = english
    for frame in bank.frames:
        families: dict[str, set[str]] = {}
        for letter, line in zip(frame.scheme, frame.lines, strict=True):
            if letter != "x" and not SLOT.search(line):
                families.setdefault(letter, set()).add(words_of(line)[-1])
        for words in families.values():
            assert len({known[word].rhyme for word in words}) == 1, (frame.name, words)
            assert len(words) > 1 or frame.hook or SLOT.search(" ".join(frame.lines)), (frame.name, words)


def test_each_metre_of_english_has_sixty_lines_and_a_closing_line(english):
    bank, _ = english
    lines = Counter()
    for frame in bank.frames:
        lines[frame.metre] += len(frame.lines)
    assert set(lines) == set(bank.metres) and min(lines.values()) >= 60
    singles = {frame.metre for frame in bank.frames if len(frame.lines) == 1}
    assert singles == set(bank.metres)


def test_every_theme_is_written_about(english):
    bank, _ = english
    assert {theme for frame in bank.frames for theme in frame.themes} == set(THEMES)
    assert set(bank.keywords) == set(THEMES)


def test_titles_are_words_of_their_hook(english):
    bank, _ = english
    for frame in bank.frames:
        if frame.hook and "{" not in frame.title:
            assert set(words_of(frame.title)) <= set(words_of(frame.lines[frame.hook[0]])), frame.name


def frame(**values):
    fields = {
        "name": "x:1", "lines": ("A line",), "metre": "i8", "roles": ("verse",), "places": ("middle",),
        "themes": ("love",), "person": "i", "mood": "dark", "tense": "any", "scenes": (), "threads": (), "scheme": "x",
        "hook": (), "title": "", "archaic": False,
    }  # fmt: skip
    return Frame(**{**fields, **values})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"metre": "nine"}, "metre 'nine'"),
        ({"themes": ("cheese",)}, "theme 'cheese'"),
        ({"scheme": "aa"}, "scheme 'aa'"),
        ({"hook": (4,)}, "hook points outside"),
        ({"lines": ("a {fruit}",)}, "slot 'fruit'"),
        ({"lines": ("a {subject}",)}, "needs a template"),
        ({"lines": ("a", "b"), "scheme": "aa", "roles": ("chorus",)}, "needs hook and title"),
    ],
)
def test_broken_frames_are_told(english, values, message):
    bank, _ = english
    found = list(bank_module._frame_problems(bank, frame(**values)))
    assert any(message in problem for problem in found), found


def test_frame_with_unknown_field_is_refused():
    with pytest.raises(DataError, match="colour"):
        bank_module._frame("en/x.toml:1", {"text": "a", "metre": "i8", "colour": "red"})
