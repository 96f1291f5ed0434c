"""Mandarin: readings, tones after sandhi, and sounds that espeak speaks back."""

from pathlib import Path

import pytest

from songwright.lyrics.phonetics import sound_out_words, stress_marks
from songwright.lyrics.phonology.data import table
from songwright.lyrics.phonology.vowels import inventory
from songwright.lyrics.sheet import LyricLine
from songwright.speech.espeak import Utterance, speak

HERE = Path(__file__).parent


def phrases(name):
    rows = [row.split() for row in (HERE / name).read_text(encoding="utf-8").splitlines() if not row.startswith("#")]
    return {row[0]: row[1:] for row in rows}


def read(text):
    """Returns phonemes and tone of each character, read one word each."""
    return [(s.phonemes, s.tone) for word in sound_out_words(list(text), "zh") for s in word.syllables]


def expected(readings):
    sounds = table("mandarin_syllables.txt")
    rows = []
    for reading in readings:
        phonemes, tone = sounds[reading[:-1]], int(reading[-1])
        rows.append(((*phonemes[:-1], "@") if tone == 5 and phonemes[-1] == "o-" else phonemes, tone))
    return rows


def test_characters_of_several_readings():
    wanted = phrases("zh_readings.txt")
    assert len(wanted) >= 60
    wrong = [text for text, readings in wanted.items() if read(text) != expected(readings)]
    assert wrong == []


def test_phrases_beyond_the_rules():
    wanted = phrases("zh_unseen_readings.txt")
    right = sum(read(text) == expected(readings) for text, readings in wanted.items())
    assert right >= 0.9 * len(wanted)


def test_espeak_speaks_every_syllable_back():
    sounds = list(table("mandarin_syllables.txt").values())
    assert len(sounds) > 400
    vowels, consonants = inventory("zh")
    assert {p for row in sounds for p in row} <= vowels | consonants
    groups = [sounds[i : i + 8] for i in range(0, len(sounds), 8)]
    lines = ["||".join("|".join(f"'{p}" if p in vowels else p for p in row) for row in group) for group in groups]
    spoken = speak([Utterance(f"[[{line}]]") for line in lines], "zh")
    for group, line in zip(groups, spoken, strict=True):
        assert [p.symbol for p in line.phones] == [p for row in group for p in row]


def test_one_character_one_syllable_with_its_letters():
    words = sound_out_words(["我在", "银行，", "（门口）", "等"], "zh")
    assert [[s.text for s in w.syllables] for w in words] == [["我", "在"], ["银", "行，"], ["（门", "口）"], ["等"]]


def test_stress_and_neutral_tones():
    row = LyricLine(tuple(sound_out_words([*list("妈妈的月亮"), "吗？"], "zh")))
    assert stress_marks(row) == (1, 0, 0, 1, 0, 0)
    assert [s.tone for s in row.syllables] == [1, 5, 5, 4, 5, 5]


@pytest.mark.parametrize(
    ("text", "tones"),
    [("2024年", [4, 2, 4, 4, 2]), ("520", [2, 3, 4, 2]), ("100%", [3, 1, 1, 4, 3]), ("第1次", [4, 1, 4])],
)
def test_numbers(text, tones):
    (word,) = sound_out_words([text], "zh")
    assert "".join(s.text for s in word.syllables) == text
    assert [s.tone for s in word.syllables][-1] == tones[-1]
    assert len(word.syllables) == len(tones)


def test_breaks_stop_the_change_of_tones():
    assert [s.tone for w in sound_out_words(["你，", "好"], "zh") for s in w.syllables] == [3, 3]
    assert [s.tone for w in sound_out_words(["你", "好"], "zh") for s in w.syllables] == [2, 3]
