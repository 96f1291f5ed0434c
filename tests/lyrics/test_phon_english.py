"""English: syllables of words written by hand, vocables, numbers, homographs."""

import itertools
from pathlib import Path

import pytest

from songwright.lyrics.phonetics import sound_out_words
from songwright.lyrics.phonology.english import split_fire
from songwright.lyrics.phonology.spelling import align

HERE = Path(__file__).parent


def listed(name):
    rows = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [word for row in rows if not row.startswith("#") for word in row.split()]


def divided(text):
    return ["-".join(s.text or "~" for s in word.syllables) for word in sound_out_words(text.split(), "en")]


def sounds(text):
    return [" ".join(p for s in word.syllables for p in s.phonemes) for word in sound_out_words(text.split(), "en")]


def test_words_are_divided_as_in_print():
    words = listed("en_divided_words.txt")
    assert len(words) >= 150
    got = ["-".join(s.text for s in w.syllables) for w in sound_out_words([w.replace("-", "") for w in words], "en")]
    assert got == words


def test_unseen_words_are_mostly_divided_so():
    words = listed("en_unseen_words.txt")
    sounded = sound_out_words([w.replace("-", "") for w in words], "en")
    right = sum("-".join(s.text for s in w.syllables) == word for w, word in zip(sounded, words, strict=True))
    counted = sum(len(w.syllables) == word.count("-") + 1 for w, word in zip(sounded, words, strict=True))
    assert right >= 0.92 * len(words)
    assert counted >= 0.98 * len(words)


@pytest.mark.parametrize(
    ("text", "syllables"),
    [
        ("ooh oooooh ohhh ahh la na hey yeah yeahhh whoa woah uh mmm hmm shh huh ay", [1] * 17),
        ("la-la-la ah-ah uh-huh mm-hmm na-na-na-na", [3, 2, 2, 2, 4]),
        ("wanna gonna gotta 'cause 'til lovin' c'mon y'all I'd they'll ev'ry", [2, 2, 2, 1, 1, 2, 2, 1, 1, 1, 2]),
        ("looove nooo sooo freeee goooood babyyy", [1, 1, 1, 1, 1, 2]),
        ("TV DJ OK NYC U.S.A. L.A. a.m. Mr. St.", [2, 2, 2, 3, 3, 2, 2, 2, 1]),
        ("1999 24/7 90s 1st 100% $5 3.5 9:30 007", [5, 5, 2, 1, 5, 3, 3, 3, 4]),
    ],
)
def test_counts(text, syllables):
    assert [len(word.syllables) for word in sound_out_words(text.split(), "en")] == syllables


def test_texts_of_numbers_and_initials():
    assert divided("1999, (24/7) TV's O.K.") == ["1999,-~-~-~-~", "(24/7)-~-~-~-~", "T-V's", "O.-K."]


def test_function_words():
    words = sound_out_words(["the", "end", "of", "a", "day", "and", "the", "night", "I", "know"], "en")
    assert [w.syllables[0].phonemes for w in words[:4]] == [("D", "i"), ("E", "n", "d"), ("V", "v"), ("@",)]
    assert words[6].syllables[0].phonemes == ("D", "@")
    assert [w.syllables[0].stress for w in words] == [0, 1, 0, 0, 1, 0, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("text", "place", "sound"),
    [
        ("close your eyes", 0, "k l oU z"), ("close to you", 0, "k l oU s"), ("we live here", 1, "l I v"),
        ("live music", 0, "l aI v"), ("our lives", 1, "l aI v z"), ("a single tear", 2, "t i@3"),
        ("I've read it", 1, "r E d"),
    ],
)  # fmt: skip
def test_homographs(text, place, sound):
    assert sounds(text)[place] == sound


def test_curly_apostrophes_and_marks():
    assert divided("“don’t” (hey!) heart-beat, singin’ rock’n’roll") == [
        "“don’t”", "(hey!)", "heart--beat,", "sing-in’", "rock-’n’-roll",
    ]  # fmt: skip


def test_fire_may_be_two():
    fire, hours, love = (w.syllables[0] for w in sound_out_words(["fire", "hours,", "love"], "en"))
    for syllable in (fire, hours):
        first, second = split_fire(syllable)
        assert first.text + second.text == syllable.text
        assert first.is_open and second.phonemes[0] == "3" and second.nucleus == 0
    assert split_fire(love) is None


def test_alignment_tiles_the_word():
    spans = align("beautiful", ["b", "j", "u:", "t#", "I", "f", "@L"])
    assert spans[0][0] == 0 and spans[-1][1] == 9
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    assert align("xyzzy", []) == []
    assert len(align("", ["h", "@"])) == 2
