"""Russian: stress of words written by hand, written stress, prepositions without a vowel, yo, numbers."""

from pathlib import Path

import pytest

from songwright.lyrics.phonetics import sound_out_words

HERE = Path(__file__).parent
VOWELS = "аеёиоуыэюя"


def listed(name):
    rows = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [word for row in rows if not row.startswith("#") for word in row.split()]


def stressed(word):
    return [i for i, s in enumerate(word.syllables) if s.stress == 1]


def wanted(word):
    mark = word.index("+") if "+" in word else word.index("ё") if "ё" in word else len(word)
    return 0 if mark == len(word) else sum(c in VOWELS for c in word[:mark])


def words(text):
    return sound_out_words(text.split(), "ru")


@pytest.mark.parametrize(
    ("name", "least", "share"), [("ru_stressed_words.txt", 300, 1.0), ("ru_unseen_words.txt", 100, 0.95)]
)
def test_stress(name, least, share):
    rows = listed(name)
    assert len(rows) >= least
    texts = [row.replace("+", "") for row in rows]
    texts = [text for word in texts for text in (word, "—и.")]  # a neighbour, so that none asks for a case
    sounded = sound_out_words(texts, "ru")[::2]
    wrong = [
        row
        for row, word in zip(rows, sounded, strict=True)
        if wanted(row) not in stressed(word) and len(word.syllables) > 1
    ]
    assert len(wrong) <= (1 - share) * len(rows), wrong
    for row, word in zip(rows, sounded, strict=True):
        assert len(word.syllables) == sum(c in VOWELS for c in row)
        assert "".join(s.text for s in word.syllables) == word.text


@pytest.mark.parametrize("text", ["за́мок", "з+амок", "зАмок", "за́мок!"])
def test_a_written_stress_wins(text):
    (word,) = words(text)
    assert stressed(word) == [0]
    assert word.syllables[0].phonemes == ("z", "A")
    assert word.syllables[1].phonemes == ("m", "a", "k")
    assert "".join(s.text for s in word.syllables) == text


@pytest.mark.parametrize("text", ["Замок", "ЗАМОК", "замок"])
def test_capitals_of_names_are_no_stress(text):
    assert stressed(words(text)[0]) == [1]


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("в ночи", "v n o"), ("в тебе", "f t; i"), ("к ней", "k n ; e j"), ("к дому", "g d o"), ("с неба", "s n ; e"),
        ("с другом", "z d r u"), ("в эту", "v E"),
    ],
)  # fmt: skip
def test_prepositions_without_a_vowel(text, sound):
    preposition, word = words(text)
    assert preposition.syllables == ()
    assert " ".join(word.syllables[0].phonemes) == sound
    assert "".join(s.text for s in word.syllables) == word.text


def test_particles_without_a_vowel():
    first, particle, last = words("если б ты")
    assert particle.syllables == ()
    assert first.syllables[-1].phonemes[-1] == "p"
    assert len(last.syllables) == 1


def test_a_preposition_at_the_end_is_not_lost():
    first, last = words("иди к")
    assert last.syllables == () and first.syllables[-1].phonemes[-1] == "k"
    assert words("в")[0].syllables == ()


def test_yo_and_everything():
    assert [w.syllables[-1].phonemes[w.syllables[-1].nucleus] for w in words("ее еще мое идет")] == ["8"] * 4
    assert "8" in words("все пройдёт")[0].syllables[0].phonemes
    assert "e" in words("все люди")[0].syllables[0].phonemes


def test_case_shows_in_the_stress():
    assert stressed(words("берега реки")[1]) == [0]
    assert stressed(words("у реки")[1]) == [1]
    assert stressed(words("в лесу")[1]) == [1]
    assert stressed(words("на берегу")[1]) == [2]
    assert stressed(words("к лесу")[1]) == [0]


def test_open_vowels_for_singing():
    (word,) = words("хорошо")
    assert [s.phonemes for s in word.syllables] == [("x", "a"), ("r", "a"), ("S", "o")]


@pytest.mark.parametrize(
    ("text", "count"), [("1999", 11), ("№5", 3), ("21", 4), ("1000000", 2), ("км", 4), ("90-х", 5), ("TV", 2)]
)
def test_numbers_and_abbreviations(text, count):
    (word,) = words(text)
    assert len(word.syllables) >= count - 1
    assert "".join(s.text for s in word.syllables) == text


def test_vocables():
    assert [len(w.syllables) for w in words("о-о-о на-на-на эй ууу ммм ля-ля")] == [3, 3, 1, 1, 1, 2]
    assert stressed(words("на-на")[0]) == [0, 1]
