"""The Russian bank: every line keeps its metre and its rhyme by sound, and nothing in it stands twice."""

import re
from collections import Counter
from dataclasses import replace
from functools import lru_cache

import pytest

from songwright.lyrics.bank import SLOT, THEMES, Bank, Frame, load_bank, problems
from songwright.speech.espeak import phonemes, split_marks

VOWELS = "аеёиоуыэюя"
SOUNDS = {
    "'": "",
    ";": "",
    "8": "o",
    "A": "a",
    "V": "a",
    "@": "a",
    "E": "e",
    "I": "i",
    "y": "i",
    "#": "",
    "-": "",
    "U": "u",
    '"': "",
}
MARKED = (
    "утра́, окна́, уже́, голоса́, города́, поля́, моря́, дела́, дома́, пото́м, следа́, письма́, облака́, бока́, что́-то, чьи́-то, "
    "че́й-то, чём-то, полплане́ты, полконфе́ты, по-пре́жнему, мою́, моя́, носки́, темно́, стены́, счастли́во, крыло́, чуть-чу́ть, "
    "круго́м, глаза́, бегу́, сверли́т, догоре́в, зага́дывай, де́довых, виду́, тополя́, ветра́, полплеча́, грусти́, тени́, зимы́, "
    "бу́ду, через, нам, обо, будто, этот, эту, недоуме́ньем, по́здней, весу́, поры́, стои́м, часу́, дедла́йн, созво́н, "
    "неска́занных, сдвинутые те́ни, не сто́ит, чего-то сто́ит, откроем о́кна, в ночи́, по са́мому, "
    "боле́й, ходу́, светло́, колеса́, но́ут, пахнет до́ма, е́сть"
)
"""Words that espeak stresses elsewhere or that have two readings, as the bank means them (with the word before, if that
tells the reading); without a mark: unstressed."""
LETTERS = dict(zip("аеёиоуыэюя", "aeoiouieua", strict=True))
WEAK = str.maketrans({"a": "e", "i": "e", "o": "e"})


@lru_cache(maxsize=1)
def spoken() -> dict[str, tuple[list[str], list[int]]]:
    """Returns of every line its sounds, and for each vowel the stress that espeak gives it."""
    lines = [SLOT.sub("", line) for frame in load_bank("ru").frames for line in frame.lines]
    words = sorted({word for line in lines for word in words_of(line)})
    table = dict(zip(words, phonemes(words, "ru"), strict=True))
    marks = {word.replace("\u0301", ""): stress_of(word) for word in MARKED.split(", ")}
    found = {}
    for line in lines:
        sounds: list[str] = []
        stresses: list[int] = []
        for before, word in zip(["", *words_of(line)], words_of(line), strict=False):
            if not any(letter in VOWELS for letter in word):
                sounds.append(word)
                continue
            vowel = -1
            for phone in (p for group in table[word] for p in group):
                symbol, stress = split_marks(phone)
                if symbol in ("@-", "I^"):
                    continue
                vowel += is_vowel(symbol.removeprefix("j"))
                mark = marks.get(f"{before} {word}", marks.get(word))
                if mark is not None and is_vowel(symbol.removeprefix("j")):
                    stress = int(vowel == mark)
                    if stress:
                        symbol = LETTERS[[letter for letter in word if letter in VOWELS][vowel]]
                if symbol.startswith(("ja", "ju")):
                    sounds.append("j")
                    symbol = symbol[1:]
                if is_vowel(symbol):
                    stresses.append(stress if stress == 1 else 0)
                    sounds.append(("'" if stress == 1 else "") + plain(symbol))
                elif plain(symbol):
                    sounds.append(plain(symbol))
        found[line] = (sounds, stresses)
    return found


def stress_of(word: str) -> int:
    """Returns which vowel of a marked word is stressed; -1 for none."""
    word = word.rpartition(" ")[2]
    before = word.partition("\u0301")[0] if "\u0301" in word else word[: word.find("ё") + 1]
    return sum(letter in VOWELS for letter in before) - 1


def words_of(line: str) -> list[str]:
    return re.findall(r"[а-яё]+(?:-[а-яё]+)*", line.lower())


def is_vowel(symbol: str) -> bool:
    return bool(symbol) and symbol[0] in "aAVeEiIoOuUy@8"


def plain(symbol: str) -> str:
    for old, new in SOUNDS.items():
        symbol = symbol.replace(old, new)
    return symbol.lower()


def rhyme_of(line: str) -> tuple[str, ...]:
    """Returns the sounds from the last stressed vowel on; weak vowels alike, a final [j] after a weak vowel dropped.

    Of an open stressed end the consonant before it belongs to the rhyme too.
    """
    sounds, _ = spoken()[SLOT.sub("", line)]
    at = max(i for i, sound in enumerate(sounds) if sound.startswith("'"))
    tail = [s.removeprefix("'") for s in sounds[at:]]
    if len(tail) == 1:
        return (sounds[at - 1], *tail)
    tail = [s for s, a, b in zip(tail, [None, *tail], [*tail[1:], None], strict=False)
            if not (s == "j" and a and b and is_vowel(a) and is_vowel(b))]  # fmt: skip
    weak = [tail[0], *(s.translate(WEAK) if is_vowel(s) else s for s in tail[1:])]
    if weak[-1] == "j" and is_vowel(weak[-2]) and len(weak) > 2:
        weak = weak[:-1]
    return tuple(s for s, before in zip(weak, [None, *weak[:-1]], strict=True) if s != before)


def metre_faults(bank: Bank, frame: Frame) -> list[str]:
    faults = []
    for index, line in enumerate(frame.lines):
        if SLOT.search(line):
            continue
        template = bank.metres[frame.metre].template(index)
        stresses = spoken()[line][1]
        if len(stresses) != len(template):
            faults.append(f"{frame.name}: {line!r} is spoken with {len(stresses)} vowels, not {len(template)}")
            continue
        at = 0
        for word in words_of(line):
            count = sum(letter in VOWELS for letter in word)
            for place in range(at, at + count):
                if count > 1 and stresses[place] and template[place] == ".":
                    faults.append(f"{frame.name}: {line!r}: the stress of {word!r} is off the beat")
            at += count
    return faults


def rhyme_faults(frame: Frame) -> list[str]:
    if any(SLOT.search(line) for line in frame.lines):
        return []
    faults = []
    for i, first in enumerate(frame.scheme):
        for j in range(i + 1, len(frame.scheme)):
            if first == frame.scheme[j] != "x" and rhyme_of(frame.lines[i]) != rhyme_of(frame.lines[j]):
                faults.append(f"{frame.name}: {frame.lines[i]!r} / {frame.lines[j]!r}: "
                              f"{rhyme_of(frame.lines[i])} {rhyme_of(frame.lines[j])}")  # fmt: skip
    return faults


@pytest.fixture(scope="module")
def bank() -> Bank:
    return load_bank("ru")


def test_no_problem_is_found_by_the_loader(bank: Bank) -> None:
    assert problems(bank) == []


def test_every_line_keeps_its_metre(bank: Bank) -> None:
    assert [fault for frame in bank.frames for fault in metre_faults(bank, frame)] == []


def test_every_rhyme_is_exact_by_sound(bank: Bank) -> None:
    assert [fault for frame in bank.frames for fault in rhyme_faults(frame)] == []


def test_the_check_of_metre_and_rhyme_can_fail(bank: Bank) -> None:
    frame = next(f for f in bank.frames if f.metre == "i98" and f.scheme == "abab")
    first, second, third, fourth = frame.lines
    assert metre_faults(bank, replace(frame, lines=(second, first, third, fourth)))
    assert rhyme_faults(replace(frame, scheme="aabb"))


def test_there_is_enough_for_every_theme(bank: Bank) -> None:
    assert bank.num_lines >= 420
    for theme in THEMES:
        roles = Counter(role for frame in bank.frames if theme in frame.themes for role in frame.roles)
        assert roles["verse"] >= 2 and roles["chorus"] >= 1, theme
        assert bank.keywords[theme], theme


def test_frames_do_not_share_runs_of_words(bank: Bank) -> None:
    seen: dict[tuple[str, ...], str] = {}
    for frame in bank.frames:
        words = words_of(" ".join(frame.lines))
        for at in range(len(words) - 5):
            run = tuple(words[at : at + 6])
            assert seen.setdefault(run, frame.name) == frame.name, run


def test_yo_is_written_and_the_singer_has_no_gender(bank: Bank) -> None:
    lines = [line.lower() for frame in bank.frames for line in frame.lines]
    assert not [
        x for x in lines if re.search(r"\b(еще|мое|твое|все-таки|идет|поет|зовет|тепл[оы]й|черный|зеленый)\b", x)
    ]
    assert not [x for x in lines if re.search(r"\bя (?:не |уже |ещё |всё )?[а-яё]+(?:л|ла|лся|лась)\b", x)]
    assert not [x for x in lines if re.search(r"\bты (?:не |уже |ещё |всё )?[а-яё]+(?:л|ла|лся|лась)\b", x)]
