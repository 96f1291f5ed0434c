"""Sounding out of whole sheets: what holds in every language."""

import re
from dataclasses import replace
from pydoc_data.topics import topics

import pytest

from songwright.lyrics import phonetics
from songwright.lyrics.phonetics import metre, rhyme_key, rhymes, sound_out, sound_out_words, stress_marks
from songwright.lyrics.phonology.vowels import inventory, is_vowel
from songwright.lyrics.sheet import LyricLine, LyricSection, LyricSheet, Word
from songwright.speech.espeak import SpeechError

CONSONANTS = ["б", "в", "г", "д", "ж", "з", "к", "л", "м", "н", "п", "р", "с", "т", "ф", "х", "ц", "ч", "ш", "щ", "й"]
VOWELS = ["а", "е", "ё", "и", "о", "у", "ы", "э", "ю", "я"]
RUSSIAN = [c + v + end for c in ["", *CONSONANTS] for v in VOWELS for end in ("", "нь", "т", "рь")] + [
    v + c + w for v in "аеио" for c in CONSONANTS for w in "аеиоя"
]


def english_words():
    words = set(re.findall(r"\b[a-z]+(?:'[a-z]+)?\b", " ".join(topics.values())))
    return sorted(words)[::2]


def line(text, **more):
    return LyricLine(tuple(Word(w) for w in text.split()), **more)


def sheet(*lines, language="en"):
    return LyricSheet((LyricSection("verse", tuple(lines)),), language)


@pytest.mark.parametrize(("language", "words"), [("en", english_words()), ("ru", RUSSIAN)])
def test_every_syllable_of_many_words(language, words):
    assert len(words) > 1000
    vowels, consonants = inventory(language)
    for word in sound_out_words(words, language):
        if word.text in ("в", "к", "с"):
            continue
        assert word.syllables, word.text
        assert "".join(s.text for s in word.syllables) == word.text
        for s in word.syllables:
            assert [i for i, p in enumerate(s.phonemes) if is_vowel(p)] == [s.nucleus], word
            assert s.phonemes[s.nucleus] in vowels, word
            assert {p for i, p in enumerate(s.phonemes) if i != s.nucleus} <= consonants, word


def test_a_sheet_keeps_all_that_it_had():
    original = sheet(
        line(
            "Hello (there) —",
            backing=(Word("oh"), Word("oh")),
            delivery="rap",
            start_seconds=1.5,
            word_seconds=(1.5, 2.0, 3.0),
        ),
        line("..."),
        LyricLine(),
    )
    original = replace(
        original, sections=(*original.sections, LyricSection("intro", num_bars=4)), title="T", notes=("n",)
    )
    sounded = sound_out(original)
    bare = [replace(row, words=tuple(Word(w.text) for w in row.words), backing=tuple(Word(w.text) for w in row.backing))
            for row in sounded.lines()]  # fmt: skip
    assert bare == list(original.lines())
    assert (sounded.title, sounded.notes, sounded.sections[1]) == ("T", ("n",), original.sections[1])
    first = next(sounded.lines())
    assert [len(w.syllables) for w in first.words] == [2, 1, 0]
    assert [len(w.syllables) for w in first.backing] == [1, 1]
    assert all(w.language == "en" for row in sounded.lines() for w in (*row.words, *row.backing))


def test_one_question_for_each_language(monkeypatch):
    asked = []

    def ask(texts, language):
        asked.append(language)
        return real(texts, language)

    real = phonetics.phonemes
    monkeypatch.setattr(phonetics, "phonemes", ask)
    sound_out(sheet(line("love is all"), line("привет my love"), line("你好 love"), line("ночь и день")))
    assert sorted(asked) == ["en", "ru"]


def test_the_same_sheet_sounds_the_same():
    song = sheet(line("wide open skies"), line("over you"))
    assert sound_out(song) == sound_out(sound_out(song))


@pytest.mark.parametrize(
    ("text", "base", "languages"),
    [
        ("我爱 you 宝贝", "zh", ["zh", "en", "zh"]),
        ("baby я твой", "ru", ["en", "ru", "ru"]),
        ("love 你 7", "en", ["en", "zh", "en"]),
        ("7 дней love", "en", ["en", "ru", "en"]),
        ("ich liebe dich", "de", ["de", "de", "de"]),
        ("愛してる", "ja", ["ja"]),
    ],
)
def test_languages_of_mixed_lines(text, base, languages):
    words = sound_out_words(text.split(), base)
    assert [w.language for w in words] == languages
    assert all(w.syllables for w in words)


def test_languages_within_a_word():
    (word,) = sound_out_words(["我love你!"], "zh")
    assert [s.text for s in word.syllables] == ["我", "love", "你!"]
    assert word.syllables[1].phonemes == ("l", "V", "v")


@pytest.mark.parametrize(
    ("language", "words", "counts"),
    [
        ("de", ["Straße", "träumen", "Nacht"], [2, 2, 1]),
        ("fr", ["amour", "nuit", "chanson"], [2, 1, 2]),
        ("es", ["corazón", "noche", "luz"], [3, 2, 1]),
        ("it", ["amore", "italiano", "cuore"], [3, 4, 2]),
        ("ja", ["さくら", "ゆめ"], [3, 2]),
        ("ko", ["사랑", "나"], [2, 1]),
    ],
)
def test_other_languages(language, words, counts):
    sounded = sound_out_words(words, language)
    assert [len(w.syllables) for w in sounded] == counts
    assert ["".join(s.text for s in w.syllables) for w in sounded] == words
    assert all(sum(map(is_vowel, s.phonemes)) == 1 for w in sounded for s in w.syllables)


@pytest.mark.parametrize("text", ["—", "...", "😀", "♪♪", "", "!?", "\u200f", "\x07"])
def test_signs_have_no_sound(text):
    assert sound_out_words([text], "en")[0].syllables == ()


@pytest.mark.parametrize("text", ["שלום", "مرحبا", "Ωmega", "สวัสดี", "नमस्ते", "a\u0301b", "x\x00y", "ﬁne", "x" * 300])
def test_odd_words_lose_no_letter(text):
    (word,) = sound_out_words([text], "en")
    assert word.syllables
    assert "".join(s.text for s in word.syllables) == text


def test_an_unknown_language_is_told():
    with pytest.raises(SpeechError, match="does not speak the language 'xx'"):
        sound_out(sheet(line("hello"), language="xx"))


def test_metre_and_stress():
    row = LyricLine(tuple(sound_out_words(["the", "night", "is", "falling", "over", "my", "hallelujah"], "en")))
    assert metre(row) == "010101000010"
    assert len(metre(row)) == len(stress_marks(row)) == len(row.syllables)
    assert stress_marks(row)[-4:] == (2, 0, 1, 0)


@pytest.mark.parametrize(
    ("language", "a", "b", "rhyme"),
    [
        ("en", "night", "light", True), ("en", "fire", "higher", True), ("en", "hour", "power", True),
        ("en", "together", "weather", True), ("en", "night", "day", False), ("en", "love", "move", False),
        ("en", "station", "creation", True), ("en", "door", "more", True), ("en", "remember", "december", True),
        ("ru", "любовь", "вновь", True), ("ru", "друг", "вдруг", True), ("ru", "друг", "стук", True),
        ("ru", "огня", "меня", True), ("ru", "огня", "тебя", False), ("ru", "ночь", "прочь", True),
        ("ru", "мечта", "вода", False), ("ru", "года", "всегда", True), ("ru", "ветер", "вечер", False),
        ("zh", "光", "望", True), ("zh", "爱", "海", True), ("zh", "天", "年", True), ("zh", "家", "花", True),
        ("zh", "心", "风", False), ("zh", "梦", "空", True), ("zh", "你", "我", False),
    ],
)  # fmt: skip
def test_rhymes(language, a, b, rhyme):
    first, second = sound_out_words([a, b], language)
    assert rhymes(first, second) is rhyme, (rhyme_key(first), rhyme_key(second))
    assert rhymes(first, first)


def test_no_rhyme_without_sound_or_across_languages():
    dash, day = sound_out_words(["—", "day"], "en")
    assert rhyme_key(dash) == ""
    assert not rhymes(dash, dash)
    assert not rhymes(day, sound_out_words(["给"], "zh")[0])
