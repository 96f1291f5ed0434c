import pytest

from songwright.collection.lines import with_lines
from songwright.collection.words import language_of, with_stress
from songwright.score.abc import parse_abc

HYMN = """X:1
T:Test
M:4/4
L:1/4
K:C
C | C D E F | G3 G | A G F E | D3 G | G F E D | C4 |
w: A- maz- ing grace how sweet the sound That saved a wretch like me I once was lost
"""


def lines_of(song):
    count = 1 + max(s.line for s in song.syllables)
    return ["".join(s.text + ("" if s.text != s.word and not s.word.endswith(s.text) else " ") for s in song.syllables
                    if s.line == n).strip() for n in range(count)]  # fmt: skip


def test_lines_begin_at_capitals_after_long_notes():
    song = with_lines(parse_abc(HYMN), "en")
    assert [line.split()[0] for line in lines_of(song)][:2] == ["Amazing", "That"]
    assert [s.id for s in song.syllables] == list(range(len(song.syllables)))


def test_lines_never_begin_inside_a_word_and_are_no_longer_than_a_breath():
    words = " ".join(["A- lle- lu- ia"] * 12)
    music = "|".join(["C C C C"] * 12)
    song = with_lines(parse_abc(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}|\nw: {words}\n"))
    assert len(song.syllables) == 48
    for before, after in zip(song.syllables, song.syllables[1:], strict=False):
        assert after.line - before.line in (0, 1)
        assert after.line == before.line or after.text == "A"
    assert max(sum(s.line == n for s in song.syllables) for n in range(48)) <= 24


def test_stress_of_english_words():
    (song,) = with_stress([parse_abc(HYMN)], "en")
    found = {s.text: s.stress for s in song.syllables}
    assert (found["A"], found["maz"], found["ing"]) == (0, 1, 0)
    assert found["grace"] == 1 and found["the"] == 0 and song.syllables[0].language == "en"


def test_an_unknown_language_leaves_stress_alone():
    (song,) = with_stress([parse_abc(HYMN)], "")
    assert {s.stress for s in song.syllables} == {0}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("the rose that is in my heart and of thy hand", "en"), ("ich hab im Traum geweinet und mir träumte du", "de"),
        ("je suis dans la nuit et les étoiles que tu vois", "fr"), ("xyz qqq www", ""), ("", ""),
    ],
)  # fmt: skip
def test_languages(text, code):
    assert language_of(text.split()) == code
