"""Numbers in free text: tempo, length, key, metre and decade, in digits and in words of three languages.

Every finding carries its place, so that the reader can take it out before it looks at the words.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from songwright.brief.text import BARRIER, lower

MIN_TEMPO_BPM, MAX_TEMPO_BPM = 20.0, 400.0
MIN_DURATION_SECONDS, MAX_DURATION_SECONDS = 10.0, 900.0


@dataclass(frozen=True, slots=True)
class Finding:
    """A value found in the text.

    Attributes:
        name: the Brief field.
        value: its value; None when the number is absurd.
        start, end: its place.
    """

    name: str
    value: Any
    start: int
    end: int


_EN = {
    "half a": 0.5, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30,
    "forty": 40, "forty five": 45, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
    "a hundred": 100, "one hundred": 100, "a hundred and ten": 110, "a hundred and twenty": 120,
    "one hundred and twenty": 120, "one twenty": 120, "one forty": 140,
}  # fmt: skip
_RU = {
    "одна": 1, "одну": 1, "один": 1, "две": 2, "два": 2, "три": 3, "четыре": 4, "пять": 5, "шесть": 6, "семь": 7,
    "восемь": 8, "девять": 9, "десять": 10, "двенадцать": 12, "пятнадцать": 15, "двадцать": 20, "тридцать": 30,
    "сорок": 40, "пятьдесят": 50, "шестьдесят": 60, "семьдесят": 70, "восемьдесят": 80, "девяносто": 90, "сто": 100,
    "сто двадцать": 120, "сто сорок": 140, "полторы": 1.5, "полтора": 1.5,
}  # fmt: skip
_ZH_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "兩": 2, "〇": 0}


def _either(words: dict[str, float]) -> str:
    return "|".join(re.escape(word).replace(r"\ ", r"[\s-]+") for word in sorted(words, key=len, reverse=True))


_DIGITS = r"\d{1,9}(?:[.,]\d{1,3})?"
_EN_NUMBER = rf"(?<!\w)(?:{_DIGITS}|{_either(_EN)})"
_RU_NUMBER = rf"(?<!\w)(?:{_DIGITS}|{_either(_RU)})"
_ZH_NUMERALS = "零〇一二三四五六七八九十百两兩"
_ZH_NUMBER = rf"(?<![\d.{_ZH_NUMERALS}])(?:\d{{1,9}}(?:\.\d{{1,3}})?|[{_ZH_NUMERALS}]{{1,9}})"


def number(text: str) -> float:
    """Returns the value of a number in digits, or in English, Russian or Chinese words."""
    text = re.sub(r"[\s-]+", " ", text.strip())
    if text in _EN or text in _RU:
        return float(_EN.get(text, _RU.get(text, 0)))
    if re.fullmatch(_DIGITS, text):
        return float(text.replace(",", "."))
    total, current = 0, 0
    for character in text:
        if character in "十百":
            total += (current or 1) * (10 if character == "十" else 100)
            current = 0
        else:
            current = _ZH_DIGITS.get(character, 0)
    tens_after_hundred = len(text) > 1 and text[-2] == "百" and current
    return float(total + (current * 10 if tens_after_hundred else current))


_BPM = (
    r"b\.?p\.?m\b|beats[\s-]per[\s-]minute|beats?/min\w*|бпм\b|уд(?:ар\w*)?\.?(?:\s*(?:в|/)\s*мин\w*)?(?!\w)"
    r"|拍(?:/分钟?|每分钟?)?"
)
_TEMPO = re.compile(
    rf"(?P<a>(?<![\w/.])(?<!\d[:,])-?{_DIGITS}(?:e\d{{1,4}})?|(?<![{_ZH_NUMERALS}])[{_ZH_NUMERALS}]{{2,9}})(?:\s*(?:-|~|to|до|到|至)\s*"
    rf"(?P<b>{_DIGITS}))?\s*(?:{_BPM})|(?<!\w)(?P<w>{_either(_EN | _RU)})\s+(?:{_BPM})"
)
_TEMPO_NAMED = re.compile(
    r"(?:\b(?:tempo|bpm)|темп\w*|скорост\w*|速度|节奏速度|每分钟|每分鐘|拍速|♩|=)\s*(?:of|is|at|about|around|approx\w*|ca|为|為|是|在|大约|约|в|около|примерно|-|:|=|~|\s)*\s*"
    rf"(?P<a>(?<![\d.])-?{_DIGITS}(?:e\d{{1,4}})?)(?![:\d/])(?:\s*拍|\s*次)?"
)
_TEMPO_AFTER = re.compile(r"(?<![\w/.:])(?P<a>\d{2,3})\s*(?:的?速度|的?节奏)")
_CLOCK = re.compile(
    r"(?<![\d/.])(?<!\d:)(?<!\bat )(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)(?![\d:/])(?:\s*(?:min\w*|мин\w*|分钟))?"
)
_SHORT_TIME = re.compile(r"(?<!\w)(\d{1,2})\s?m(?:in)?\s?([0-5]?\d)\s?s(?:ec)?\b")
_EN_TIME = re.compile(
    rf"(?P<min>{_EN_NUMBER})(?P<half>\s+and\s+a\s+half)?[\s-]*(?P<unit>hours?|hrs?|minutes?|mins?|m)(?![a-z])"
    rf"(?P<half2>\s+and\s+a\s+half)?(?:[\s,]*(?:and\s+)?(?P<sec>{_EN_NUMBER})[\s-]*(?:seconds?|secs?|s)\b|\s(?P<bare>[0-5]\d)(?=\s*(?:$|[,.;)])))?"
    rf"|\((?P<paren>\d{{2}})s\)|(?P<only>{_EN_NUMBER})[\s-]*(?:seconds?|secs?)\b|(?P<clip>\d{{2}})s\b(?=\s+(?:long|clip|jingle|loop|intro|ad|spot))"
    r"|\b(?P<s>[14]5)s\b"
)
_RU_TIME = re.compile(
    rf"(?P<min>{_RU_NUMBER})?(?P<half>\s+с\s+половиной)?[\s-]*(?<!\w)(?P<unit>полминут\w*|час\w{{0,2}}|минут\w*|мин)(?!\w)\.?"
    rf"(?:\s*(?:и\s+)?(?P<sec>{_RU_NUMBER})(?:\s*(?:секунд\w*|сек|с)(?!\w))?)?"
    rf"|(?P<only>{_RU_NUMBER})[\s-]*(?:секунд\w*|сек)(?!\w)"
)
_ZH_TIME = re.compile(
    rf"(?P<min>{_ZH_NUMBER})\s*(?:个)?(?P<unit>小时|小時|分钟|分鐘|分(?!之))(?P<half>半)?(?:零?(?P<sec>{_ZH_NUMBER})\s*秒?)?"
    rf"|(?P<halfmin>半分钟|半分鐘)|(?P<only>{_ZH_NUMBER})\s*秒"
)
_METER = re.compile(r"(?<![\d/])(\d{1,2})\s?/\s?(2|4|8|16)(?![\d/])\s*(?:拍子?|time\b|meter\b|metre\b|такт\w*)?")
_RU_METER = re.compile(
    r"(?<!\w)(две|три|четыре|пять|шесть|семь|девять|двенадцать)\s+(четверт\w+|восьм\w+)"
)  # fmt: skip
_ZH_METER = re.compile(r"([四八])([二三四五六九])拍|([四八])分之([二三四五六七九]|十二)拍?|([三四])拍子")
_KEY_PREFIX = (
    r"(?P<prefix>\bin\s+(?:the\s+key\s+of\s+)?|\bkey\s*(?:of\b|is\b|:|=|-)*\s*"
    r"|тональност\w*\s*:?\s*|[调調]性?:?\s*)?"
)
_MODE = (
    r"major|minor|maj|min|dorian|phrygian|lydian|mixolydian|locrian|aeolian|ionian|moll|dur|"
    r"harmonic minor|melodic minor|minor pentatonic|major pentatonic"
)
_KEY = re.compile(
    rf"{_KEY_PREFIX}(?<![\w#'])(?P<note>[A-Ha-h])(?P<sign>[#♯b♭]?)(?P<word>[\s-]?(?:sharp|flat))?"
    rf"(?:[\s-]*(?i:(?P<mode>{_MODE}))\b|(?P<short>m)(?![\w']))"
)
_KEY_ALONE = re.compile(
    r"(?:(?P<in>\bin\s+)|(?P<of>\bkey\s*(?:of\b|is\b|:|=)\s*|调性?[:：]\s*|調性?[:：]\s*|тональност\w*\s*:\s*))"
    r"(?P<note>[A-G])(?P<sign>[#♯b♭]?)(?P<word>[\s-](?:sharp|flat))?(?=\s*(?:$|[^\w\s'#-]))"
    r"|(?:(?<=[,;])|(?<=[,;] ))(?P<n3>[A-G])(?=\s*(?:$|[,;.)]))"
    r"|(?<!\w)(?P<n2>[A-G])(?P<s2>[#♯♭]|[\s-](?:sharp|flat)|b(?!\w))(?![\w])"
)
_MODE_ALONE = re.compile(
    r"(?:\bin\s+)?(?:\ba\s+)?\b(minor|major)\s+(?:key|mode|scale|tonality|chords?)\b|\bin\s+(minor|major)\b"
    r"|(?:^|[,;|.\u241e])\s*(minor|major)\s*(?=$|[,;|.])|(?<!\w)(минор|мажор)\w*|([大小])[调調]"
)
_RU_NOTES = {"до": "C", "ре": "D", "ми": "E", "фа": "F", "соль": "G", "ля": "A", "си": "B"}
_RU_KEY = re.compile(
    r"(?<!\w)(до|ре|ми|фа|соль|ля|си)(?:[\s-]*(диез|бемоль)\w*)?[\s-]+(мажор|минор|дорийск|фригийск|лидийск|миксолидийск)\w*"
)
_RU_MODES = {"мажор": "major", "минор": "minor", "дорийск": "dorian", "фригийск": "phrygian", "лидийск": "lydian",
             "миксолидийск": "mixolydian"}  # fmt: skip
_ZH_KEY = re.compile(
    r"([降升]?)([A-Ga-g])([b#♭♯降升]?)\s*(自然|和声|旋律|和聲)?\s*(大[调調]|小[调調]|多利亚|多利亞|弗里吉亚|利底亚|混合利底亚)"
)
_ZH_MODES = {"大": "major", "小": "minor", "多": "dorian", "弗": "phrygian", "利": "lydian", "混": "mixolydian"}
_DECADE = re.compile(
    r"(?<![\d.])'?((?:1[89]|20)?\d0)(?:'?s\b|-?\s?(?:е|х|ых|ые|ти)(?!\w)(?:\s+год\w*)?|\s*(?:годов|годы)(?!\w)|年代)"
)
_YEAR = re.compile(r"(?<![\d.:])(1[89]\d\d|20[0-2]\d)(?:\s*(?:год\w*|г\.|年))?(?![\d.:])(?!\s*(?:bpm|拍|уд))")
_ZH_DECADE = re.compile(r"([二三四五六七八九零])十?年代|(千禧年?|两千年代)")
_RU_DECADE = re.compile(
    r"(двадцат|тридцат|сороков|пятидесят|шестидесят|семидесят|восьмидесят|девяност|нулев)(?:ых|ые|ыми|ым)(?!\w)"
)
_RU_DECADES = {
    "двадцат": 20, "тридцат": 30, "сороков": 40, "пятидесят": 50, "шестидесят": 60, "семидесят": 70, "восьмидесят": 80,
    "девяност": 90, "нулев": 0,
}  # fmt: skip


def find_numbers(text: str) -> list[Finding]:
    """Returns the numbers of normalised text, earliest first, none inside another.

    Args:
        text: from `text.normalise`; parts that were taken out are barriers.
    """
    low = lower(text)
    taken = [False] * len(text)
    found: list[Finding] = []
    for reader, cased in _READERS:
        for finding in reader(text if cased else low):
            if finding.end > finding.start and not any(taken[finding.start : finding.end]):
                taken[finding.start : finding.end] = [True] * (finding.end - finding.start)
                found.append(finding)
    return sorted(found, key=lambda finding: finding.start)


def tempo_value(value: float) -> float | None:
    """Returns the tempo, or None if nobody can play it."""
    return value if MIN_TEMPO_BPM <= value <= MAX_TEMPO_BPM else None


def _meters(low: str) -> Iterator[Finding]:
    for match in _METER.finditer(low):
        if 1 <= int(match[1]) <= 15:
            yield Finding("meter", f"{int(match[1])}/{match[2]}", *match.span())
    for match in _RU_METER.finditer(low):
        yield Finding("meter", f"{int(number(match[1]))}/{4 if match[2].startswith('ч') else 8}", *match.span())
    for match in _ZH_METER.finditer(low):
        under, over = (match[1] or match[3], match[2] or match[4]) if not match[5] else ("四", match[5])
        yield Finding("meter", f"{int(number(over))}/{int(number(under))}", *match.span())


def _tempos(low: str) -> Iterator[Finding]:
    for match in _TEMPO.finditer(low):
        value = _plain(match["a"] or match["w"])
        if match["b"]:
            value = (value + _plain(match["b"])) / 2
        yield Finding("tempo_bpm", tempo_value(value), *match.span())
    for match in _TEMPO_AFTER.finditer(low):
        yield Finding("tempo_bpm", tempo_value(_plain(match["a"])), *match.span())
    for match in _TEMPO_NAMED.finditer(low):
        yield Finding("tempo_bpm", tempo_value(_plain(match["a"])), *match.span())


def _plain(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return number(text)


def _durations(low: str) -> Iterator[Finding]:
    for match in _CLOCK.finditer(low):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        yield _duration(3600 * hours + 60 * minutes + seconds, match)
    for match in _SHORT_TIME.finditer(low):
        yield _duration(60 * int(match[1]) + int(match[2]), match)
    for match in _EN_TIME.finditer(low):
        if match["min"]:
            unit = 3600 if match["unit"].startswith("h") else 60
            whole = number(match["min"]) + (0.5 if match["half"] or match["half2"] else 0)
            if not (match["unit"] == "m" and not match["min"][0].isdigit()):
                yield _duration(whole * unit + number(match["sec"] or match["bare"] or "0"), match)
        else:
            yield _duration(number(match["only"] or match["paren"] or match["clip"] or match["s"]), match)
    for match in _RU_TIME.finditer(low):
        if match["unit"]:
            unit = {"п": 30, "ч": 3600, "м": 60}[match["unit"][0]]
            whole = number(match["min"] or "1") + (0.5 if match["half"] else 0)
            if match["min"] or match["unit"] in ("минута", "минуту", "полминуты") or match["sec"]:
                yield _duration(whole * unit + number(match["sec"] or "0"), match)
        else:
            yield _duration(number(match["only"]), match)
    for match in _ZH_TIME.finditer(low):
        if match["min"]:
            unit = 3600 if match["unit"].startswith("小") else 60
            whole = number(match["min"]) + (0.5 if match["half"] else 0)
            yield _duration(whole * unit + number(match["sec"] or "0"), match)
        else:
            yield _duration(30.0 if match["halfmin"] else number(match["only"]), match)


def _duration(seconds: float, match: re.Match[str]) -> Finding:
    possible = MIN_DURATION_SECONDS <= seconds <= MAX_DURATION_SECONDS
    return Finding("duration_seconds", float(seconds) if possible else None, *match.span())


def _keys(text: str) -> Iterator[Finding]:
    for match in _KEY.finditer(text):
        note, mode = match["note"], (match["mode"] or match["short"]).lower()
        bare = note == "a" and not match["sign"] and not match["word"]
        rest = text[match.end() :]
        if match["short"] and (note.islower() or (re.match(r"\s+[Ii]\b", rest))):
            continue
        if bare and _is_article(text, match):
            continue
        if note in "hH" and mode not in ("moll", "dur"):
            continue
        yield Finding("key", _key_name(note, match["sign"] or match["word"] or "", mode), *match.span())
    for match in _KEY_ALONE.finditer(text):
        sign = match["sign"] or match["word"] or match["s2"] or ""
        yield Finding("key", _key_name(match["note"] or match["n2"] or match["n3"], sign, "major"), *match.span())


def _is_article(text: str, match: re.Match[str]) -> bool:
    """Whether the "a" of "a minor" is no note: "in a minor key", "a minor problem"."""
    behind = text[match.end() :]
    if "-" in match[0]:
        return False
    if match["prefix"]:
        return bool(re.match(r"\s+(?:key|scale|mode)", behind))
    alone = not text[: match.start()].strip() or text[: match.start()].rstrip()[-1] in ",;.|:" + BARRIER
    return not alone or bool(re.match(r"\s+\w", behind))


def _key_name(note: str, sign: str, mode: str) -> str:
    sign = sign.strip(" -").lower()
    mark = {"": "", "#": "#", "♯": "#", "sharp": "#", "диез": "#", "升": "#"}.get(sign, "b")
    full = {"m": "minor", "min": "minor", "moll": "minor", "aeolian": "minor", "maj": "major", "dur": "major",
            "ionian": "major"}.get(mode, mode)  # fmt: skip
    return f"{'B' if note in 'hH' else note.upper()}{mark} {full}"


def _keys_in_words(low: str) -> Iterator[Finding]:
    for match in _RU_KEY.finditer(low):
        yield Finding("key", _key_name(_RU_NOTES[match[1]], match[2] or "", _RU_MODES[match[3]]), *match.span())
    for match in _ZH_KEY.finditer(low):
        mode = _ZH_MODES[match[5][0]]
        mode = {"和": "harmonic ", "旋": "melodic "}.get((match[4] or " ")[0], "") + mode
        yield Finding("key", _key_name(match[2], match[1] or match[3], mode), *match.span())


def _modes(low: str) -> Iterator[Finding]:
    for match in _MODE_ALONE.finditer(low):
        word = next(group for group in match.groups() if group)
        start = match.start() + len(match[0]) - len(match[0].lstrip(",;|. \u241e"))
        yield Finding("key", "minor" if word in ("minor", "минор", "小") else "major", start, match.end())


def _eras(low: str) -> Iterator[Finding]:
    for match in _DECADE.finditer(low):
        yield Finding("era", _decade(int(match[1])), *match.span())
    for match in _ZH_DECADE.finditer(low):
        value = "2000s" if match[2] else _decade(int(number(match[1])) * 10)
        yield Finding("era", value, *match.span())
    for match in _RU_DECADE.finditer(low):
        yield Finding("era", _decade(_RU_DECADES[match[1]]), *match.span())
    for match in _YEAR.finditer(low):
        yield Finding("era", f"{match[1][:3]}0s", *match.span())


def _decade(number: int) -> str:
    if number >= 100:
        return f"{number}s"
    return f"20{number:02}s" if number < 20 else f"19{number}s"


_READERS: tuple[tuple[Callable[[str], Iterator[Finding]], bool], ...] = (
    (_meters, False),
    (_keys_in_words, False),
    (_keys, True),
    (_modes, False),
    (_tempos, False),
    (_durations, False),
    (_eras, False),
)
