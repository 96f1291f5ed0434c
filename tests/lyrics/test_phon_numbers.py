"""Numbers as words."""

import pytest

from songwright.lyrics.phonology.numbers import NUMBER, chinese_number, english_number, number_words, russian_number


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("1999", "en", "nineteen ninety nine"), ("1900", "en", "nineteen hundred"),
        ("1905", "en", "nineteen oh five"),
        ("2005", "en", "two thousand five"), ("2024", "en", "twenty twenty four"),
        ("24/7", "en", "twenty four seven"),
        ("90s", "en", "nineties"), ("21st", "en", "twenty first"),
        ("20th", "en", "twentieth"), ("12th", "en", "twelfth"),
        ("1,000,000", "en", "one million"), ("$100", "en", "one hundred dollars"),
        ("3.14", "en", "three point one four"),
        ("007", "en", "oh oh seven"), ("0", "en", "zero"), ("9:30", "en", "nine thirty"), ("1234567890123", "en",
         "one two three four five six seven eight nine oh one two three"),
        ("№5", "ru", "номер пять"), ("2002", "ru", "две тысячи два"), ("21000", "ru", "двадцать одна тысяча"),
        ("5000000", "ru", "пять миллионов"), ("111", "ru", "сто одиннадцать"), ("80-х", "ru", "восьмидесятых"),
        ("20-х", "ru", "двадцатых"), ("1999", "zh", "一九九九"), ("3000", "zh", "三千"), ("100%", "zh", "百分之 一百"),
        ("3.5", "zh", "三 点 五"),
    ],
)  # fmt: skip
def test_number_words(text, language, words):
    assert NUMBER.fullmatch(text)
    assert number_words(text, language) == words.split()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "零"), (10, "十"), (15, "十五"), (105, "一百零五"), (110, "一百一十"), (1005, "一千零五"),
     (10010, "一万零一十"),
     (100500, "十万零五百"), (10**8, "一亿"), (20304, "二万零三百零四")],
)  # fmt: skip
def test_chinese(value, text):
    assert chinese_number(value) == text


@pytest.mark.parametrize("speak", [english_number, russian_number, chinese_number])
def test_every_number_has_its_own_words(speak):
    values = [*range(1200), *range(1900, 2100), *range(99_990, 100_020), *range(1_000_000, 1_000_030)]
    spoken = [" ".join(speak(value)) for value in values]
    assert len(set(spoken)) == len(values)
    assert all(spoken)
