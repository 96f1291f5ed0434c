"""Numbers and abbreviations as words in English, Mandarin and Russian.

A written number becomes a list of words, which are then looked up like any others. Its letters: the digits go to the
first syllable, the others have empty texts, so that the syllables still spell what was written.
"""

import re

from songwright.lyrics.phonology.data import table

NUMBER = re.compile(r"[№#$€£¥₽]?\d[\d.,:/]*(?:(?:st|nd|rd|th|s|'s|-?(?:й|я|е|го|х))\b)?[%°]?")

_ONES, _TENS = table("number_words.txt")["en.ones"], table("number_words.txt")["en.tens"]
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_SIGNS = {
    "en": {"№": "number", "#": "number", "%": "percent", "°": "degrees", "$": "dollars", "€": "euros", "£": "pounds",
           "¥": "yen", "₽": "rubles"},
    "ru": {"№": "номер", "#": "номер", "%": "процентов", "°": "градусов", "$": "долларов", "€": "евро",
           "£": "фунтов", "¥": "иен", "₽": "рублей"},
    "zh": {"№": "第", "#": "第", "%": "百分之", "°": "度", "$": "美元", "€": "欧元", "£": "英镑", "¥": "元",
           "₽": "卢布"},
}  # fmt: skip

_RU_ONES, _RU_TENS = table("number_words.txt")["ru.ones"], table("number_words.txt")["ru.tens"]
_RU_DECADES = {"сорок": "сороков", "девяносто": "девяност", "пятьдесят": "пятидесят", "шестьдесят": "шестидесят",
               "семьдесят": "семидесят", "восемьдесят": "восьмидесят"}  # fmt: skip
_RU_HUNDREDS = table("number_words.txt")["ru.hundreds"]
_RU_RU_HUNDREDS = table("number_words.txt")["ru.hundreds"]
_ZH_DIGITS = "零一二三四五六七八九"

ABBREVIATIONS = {
    "en": {
        "mr": "mister", "mrs": "missus", "ms": "miz", "dr": "doctor", "st": "street", "ave": "avenue", "vs": "versus",
        "feat": "featuring", "ft": "featuring", "etc": "et cetera", "jr": "junior", "sr": "senior", "no": "number",
        "a.m": "ay em", "p.m": "pee em", "u.s.a": "you ess ay", "u.s": "you ess", "d.j": "dee jay", "t.v": "tee vee",
        "o.k": "oh kay", "&": "and", "@": "at", "+": "plus",
    },
    "ru": {
        "км": "километр", "кг": "килограмм", "см": "сантиметр", "мм": "миллиметр", "руб": "рублей", "г": "год",
        "ул": "улица", "др": "другие", "т.д": "так далее", "т.е": "то есть", "тв": "тэ вэ", "сша": "сэ шэ а",
        "ссср": "эс эс эс эр", "рф": "эр эф", "мгу": "эм гэ у", "&": "и", "+": "плюс",
    },
    "zh": {"&": "和", "+": "加", "%": "百分之"},
}  # fmt: skip
"""Written without the last full stop, in small letters."""

_DOTTED = {"en": {"st", "no", "sr", "jr", "ave", "feat", "ft"}, "ru": {"г", "ул", "др", "руб", "см"}, "zh": set()}


def expand(core: str, tail: str, language: str) -> list[str] | None:
    """Returns the words that a number or abbreviation stands for, or None if it is neither.

    Args:
        core: from its first to its last letter or digit.
        tail: what follows, to see a full stop or a percent sign.
        language: ``en``, ``zh`` or ``ru``.
    """
    low = core.lower()
    short = ABBREVIATIONS.get(language, {}).get(low)
    if short is not None and (low not in _DOTTED.get(language, set()) or tail.startswith(".")):
        return short.split()
    return None


def number_words(text: str, language: str) -> list[str]:
    """Returns a number as words: ``"1999"`` in English is nineteen ninety nine, in Chinese 一九九九.

    Args:
        text: what `NUMBER` matches, sign and ending included.
        language: ``en``, ``zh`` or ``ru``.
    """
    signs = _SIGNS[language]
    before = [signs[c] for c in text[:1] if c in signs]
    after = [signs[c] for c in text[-1:] if c in signs and len(text) > 1]
    ending = re.search(r"(st|nd|rd|th|'?s)[%°]?$", text)
    words: list[str] = []
    parts = [p for p in re.split(r"[/:]", re.sub(r"(?<=\d),(?=\d{3})", "", text)) if re.search(r"\d", p)]
    for part in parts:
        words += _part(part, language, year=len(parts) == 1 and before in ([], ["number"]))
    if language == "en" and ending:
        words = _ended(words, ending.group(1).strip("'"))
    if language == "ru" and re.search("[хХ]$", text) and words[-1] in _RU_TENS:
        words[-1] = f"{_RU_DECADES.get(words[-1], words[-1].replace('ь', ''))}ых"
    if language == "zh" and (after == ["百分之"] or before == ["第"]):
        return [*after, *before, *words]
    if before in (["number"], ["номер"]):
        return [*before, *words, *after]
    return [*words, *after, *before]


def _part(part: str, language: str, *, year: bool) -> list[str]:
    digits = re.findall(r"\d+", part)
    points = {"en": "point", "ru": "и", "zh": "点"}
    whole = _WHOLE[language](digits[0], year and len(digits) == 1)
    if len(digits) < 2:
        return whole
    tail: list[str] = []
    for group in digits[1:]:
        tail.append(points[language])
        tail += [word for digit in group for word in _WHOLE[language](digit, False)]
    return whole + tail


def english_number(value: int) -> list[str]:
    """Returns a number below a thousand million in English, without "and"."""
    words: list[str] = []
    for size, name in ((1_000_000, "million"), (1000, "thousand")):
        if value >= size:
            words += [*english_number(value // size), name]
            value %= size
    if value >= 100:
        words += [_ONES[value // 100], "hundred"]
        value %= 100
    if value >= 20:
        words.append(_TENS[value // 10])
        value %= 10
        if value:
            words.append(_ONES[value])
    elif value or not words:
        words.append(_ONES[value])
    return words


def _english(digits: str, year: bool) -> list[str]:
    if len(digits) > 9 or (len(digits) > 1 and digits[0] == "0"):
        return [("oh" if d == "0" else _ONES[int(d)]) for d in digits]
    value = int(digits)
    if year and len(digits) == 4 and 1100 <= value < 2100 and not 2000 <= value < 2010:
        low = value % 100
        tail = ["hundred"] if low == 0 else ["oh", _ONES[low]] if low < 10 else english_number(low)
        return [*english_number(value // 100), *tail]
    return english_number(value)


def _ended(words: list[str], ending: str) -> list[str]:
    last = words[-1]
    if ending == "s":
        return [*words[:-1], last[:-1] + "ies" if last.endswith("y") else last + "s"]
    if last in _ORDINALS:
        return [*words[:-1], _ORDINALS[last]]
    return [*words[:-1], last[:-1] + "ieth" if last.endswith("y") else last + "th"]


def russian_number(value: int) -> list[str]:
    """Returns a number below a thousand million in Russian, nominative."""
    words: list[str] = []
    forms = ((1_000_000, ("миллион", "миллиона", "миллионов")), (1000, ("тысяча", "тысячи", "тысяч")))
    for size, names in forms:
        count = value // size
        if not count:
            continue
        spoken = russian_number(count) if count > 1 else []
        if size == 1000 and spoken:
            spoken[-1] = {"один": "одна", "два": "две"}.get(spoken[-1], spoken[-1])
        teen = 10 < count % 100 < 20
        form = 2 if teen or count % 10 in (0, 5, 6, 7, 8, 9) else 0 if count % 10 == 1 else 1
        words += [*spoken, names[form]]
        value %= size
    if value >= 100:
        words.append(_RU_HUNDREDS[value // 100])
        value %= 100
    if value >= 20:
        words.append(_RU_TENS[value // 10])
        value %= 10
        if value:
            words.append(_RU_ONES[value])
    elif value or not words:
        words.append(_RU_ONES[value])
    return words


def _russian(digits: str, year: bool) -> list[str]:
    if len(digits) > 9 or (len(digits) > 1 and digits[0] == "0"):
        return [_RU_ONES[int(d)] for d in digits]
    return russian_number(int(digits))


def chinese_number(value: int) -> str:
    """Returns a number below 10^12 in Chinese characters."""
    if value == 0:
        return "零"
    text, pending = "", False
    for size, unit in ((10**8, "亿"), (10**4, "万")):
        if value >= size:
            text += chinese_number(value // size) + unit
            value %= size
            pending = 0 < value < size // 10
    for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, size)
        if digit:
            text += ("零" if pending else "") + _ZH_DIGITS[digit] + unit
            pending = False
        elif text and value:
            pending = True
    return text[1:] if text.startswith("一十") else text


def _chinese(digits: str, year: bool) -> list[str]:
    if len(digits) > 12 or (len(digits) > 1 and digits[0] == "0") or (year and len(digits) == 4 and digits[0] in "12"):
        return ["".join(_ZH_DIGITS[int(d)] for d in digits)]
    return [chinese_number(int(digits))]


_WHOLE = {"en": _english, "ru": _russian, "zh": _chinese}
