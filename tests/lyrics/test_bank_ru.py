"""The Russian bank: every line keeps its metre and its rhyme as it will be sung, and nothing in it stands twice."""

import re
from collections import Counter
from dataclasses import replace
from functools import lru_cache

import pytest

from songwright.lyrics.assemble import line_of
from songwright.lyrics.bank import SLOT, THEMES, Bank, Frame, load_bank, problems
from songwright.lyrics.phonetics import sound_out
from songwright.lyrics.sheet import LyricLine, LyricSection, LyricSheet

FREE = {"чуть-чуть", "через", "всё-таки", "обо", "этот", "эту", "будто"}
"""Light words that verse may set off the beat."""
PLAIN = {"8": "o", "A": "a", "V": "a", "@": "a", "E": "e", "I": "i", "y": "i", "U": "u"}
WEAK = str.maketrans({"a": "e", "i": "e", "o": "e"})


@lru_cache(maxsize=1)
def spoken() -> dict[str, LyricLine]:
    """Returns every line of the bank with its sounds."""
    texts = [SLOT.sub("", line) for frame in load_bank("ru").frames for line in frame.lines]
    sheet = LyricSheet((LyricSection("verse", tuple(line_of(text, "ru") for text in texts)),), "ru")
    return dict(zip(texts, sound_out(sheet).sections[0].lines, strict=True))


def words_of(line: str) -> list[str]:
    return re.findall(r"[а-яё]+(?:-[а-яё]+)*", line.lower())


def plain(symbol: str) -> str:
    """Returns a sound without softness; what is heard alike at the end of a line is written alike."""
    symbol = re.sub(r"[;#\"^]", "", symbol)
    return PLAIN.get(symbol, symbol).lower()


def rhyme_of(text: str, template: str) -> tuple[str, ...]:
    """Returns the sounds from the vowel on the last beat; weak vowels alike, [j] beside a weak vowel dropped.

    Of an open stressed end the consonant before it belongs to the rhyme too.
    """
    syllables = spoken()[text].syllables
    at = template.rindex("x")
    before = [plain(p) for s in syllables[:at] for p in s.phonemes] + [plain(p) for p in syllables[at].phonemes]
    nucleus = len(before) - len(syllables[at].phonemes) + syllables[at].nucleus
    tail = [*before[nucleus:], *(plain(p) for s in syllables[at + 1 :] for p in s.phonemes)]
    tail = [p for p in tail if p]
    if len(tail) == 1:
        return (next(p for p in reversed(before[:nucleus]) if p), *tail)
    weak = [tail[0], *(p.translate(WEAK) for p in tail[1:])]
    kept = [p for i, p in enumerate(weak) if not (p == "j" and i and weak[i - 1] in "aeiou" and i + 1 < len(weak))]
    if len(kept) > 2 and kept[-1] == "j" and kept[-2] in "aeiou" and kept[-2] is not kept[0]:
        kept = kept[:-1]
    return tuple(p for p, earlier in zip(kept, [None, *kept[:-1]], strict=True) if p != earlier)


def metre_faults(bank: Bank, frame: Frame) -> list[str]:
    faults = []
    for index, text in enumerate(frame.lines):
        if SLOT.search(text):
            continue
        template = bank.metres[frame.metre].template(index)
        line = spoken()[text]
        if len(line.syllables) != len(template):
            faults.append(f"{frame.name}: {text!r} has {len(line.syllables)} syllables, not {len(template)}")
            continue
        at = 0
        for word in line.words:
            stresses = [s.stress == 1 for s in word.syllables]
            beats = [mark != "." for mark in template[at : at + len(stresses)]]
            off = len(stresses) > 1 and any(stress and not beat for stress, beat in zip(stresses, beats, strict=True))
            if off and not FREE & set(words_of(word.text)):
                faults.append(f"{frame.name}: {text!r}: the stress of {word.text!r} is off the beat")
            at += len(stresses)
    return faults


def rhyme_faults(bank: Bank, frame: Frame) -> list[str]:
    faults = []
    template = bank.metres[frame.metre].template
    for i, first in enumerate(frame.scheme):
        for j in range(i + 1, len(frame.scheme)):
            a, b = frame.lines[i], frame.lines[j]
            if first != frame.scheme[j] or first == "x" or SLOT.search(a + b):
                continue
            if rhyme_of(a, template(i)) != rhyme_of(b, template(j)):
                faults.append(f"{frame.name}: {a!r} / {b!r}: {rhyme_of(a, template(i))} {rhyme_of(b, template(j))}")
    return faults


@pytest.fixture(scope="module")
def bank() -> Bank:
    return load_bank("ru")


def test_no_problem_is_found_by_the_loader(bank: Bank) -> None:
    assert problems(bank) == []


def test_every_line_keeps_its_metre(bank: Bank) -> None:
    assert [fault for frame in bank.frames for fault in metre_faults(bank, frame)] == []


def test_every_rhyme_is_exact_by_sound(bank: Bank) -> None:
    assert [fault for frame in bank.frames for fault in rhyme_faults(bank, frame)] == []


def test_the_check_of_metre_and_rhyme_can_fail(bank: Bank) -> None:
    frame = next(f for f in bank.frames if f.metre == "i98" and f.scheme == "abab")
    first, second, third, fourth = frame.lines
    assert metre_faults(bank, replace(frame, lines=(second, first, third, fourth)))
    assert rhyme_faults(bank, replace(frame, scheme="aabb"))


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
