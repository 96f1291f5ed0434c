"""The Chinese bank: every line has the characters of its metre and its rhyme by the thirteen families of finals."""

import re
from collections import Counter
from dataclasses import replace
from functools import lru_cache

import pytest
from pypinyin import Style, pinyin

from songwright.lyrics.bank import SLOT, THEMES, Bank, Frame, load_bank, problems

FAMILIES = {
    "a": "a ia ua", "o": "o uo e", "ie": "ie ve", "i": "i v -i er", "u": "u", "ai": "ai uai", "ei": "ei uei",
    "ao": "ao iao", "ou": "ou iou", "an": "an ian uan van", "en": "en in uen vn", "ang": "ang iang uang",
    "eng": "eng ing ueng ong iong",
}  # fmt: skip
FAMILY_OF = {final: family for family, finals in FAMILIES.items() for final in finals.split()}
HAN = re.compile(r"[\u3400-\u9fff]")


@lru_cache(maxsize=4096)
def sound_of_end(line: str) -> tuple[str, int]:
    """Returns the family of the last character's final and its tone, 5 for the neutral one."""
    final, initial = (pinyin(line, style=s, strict=True, neutral_tone_with_five=True)[-1][0]
                      for s in (Style.FINALS_TONE3, Style.INITIALS))  # fmt: skip
    if not final.rstrip("12345"):  # the sound "n" alone
        return "en", 5
    tone = int(final[-1]) if final[-1].isdigit() else 5
    plain = final.rstrip("12345").replace("ü", "v")
    if plain == "i" and initial in ("zh", "ch", "sh", "r", "z", "c", "s"):
        plain = "-i"
    return FAMILY_OF[plain], tone


def metre_faults(bank: Bank, frame: Frame) -> list[str]:
    """Returns what is wrong with the number of characters, and characters that are none."""
    faults = []
    for index, line in enumerate(frame.lines):
        if SLOT.search(line):
            continue
        wanted = len(bank.metres[frame.metre].template(index))
        if len(HAN.findall(line)) != wanted or not re.fullmatch(r"[\u3400-\u9fff，]+", line):
            faults.append(f"{frame.name}: {line!r} is not {wanted} characters")
    return faults


def rhyme_faults(frame: Frame) -> list[str]:
    """Returns pairs of lines that should rhyme and do not, or end on one character."""
    faults = []
    for i, first in enumerate(frame.scheme):
        for j in range(i + 1, len(frame.scheme)):
            if first == frame.scheme[j] != "x" and not (SLOT.search(frame.lines[i]) or SLOT.search(frame.lines[j])):
                a, b = sound_of_end(frame.lines[i]), sound_of_end(frame.lines[j])
                if a[0] != b[0] or frame.lines[i][-1] == frame.lines[j][-1]:
                    faults.append(f"{frame.name}: {frame.lines[i]!r} / {frame.lines[j]!r}: {a[0]} {b[0]}")
    return faults


@pytest.fixture(scope="module")
def bank() -> Bank:
    return load_bank("zh")


def test_no_problem_is_found_by_the_loader(bank: Bank) -> None:
    assert problems(bank) == []


def test_every_line_has_the_characters_of_its_metre(bank: Bank) -> None:
    assert [fault for frame in bank.frames for fault in metre_faults(bank, frame)] == []


def test_every_rhyme_is_of_one_family(bank: Bank) -> None:
    assert [fault for frame in bank.frames for fault in rhyme_faults(frame)] == []


def test_the_checks_can_fail(bank: Bank) -> None:
    frame = next(f for f in bank.frames if f.scheme == "aaxa")
    first, *others = frame.lines
    assert metre_faults(bank, replace(frame, lines=(first + "了", *others)))
    assert rhyme_faults(replace(frame, lines=(first, first, *others[1:])))


def test_most_sections_close_on_a_level_tone(bank: Bank) -> None:
    tones = Counter(sound_of_end(f.lines[-1])[1] for f in bank.frames if len(f.lines) == 4 and not f.archaic)
    assert tones[1] + tones[2] >= 0.5 * tones.total()
    assert tones[5] <= 0.06 * tones.total()


def test_there_is_enough_for_every_theme(bank: Bank) -> None:
    assert bank.num_lines >= 420
    for theme in THEMES:
        roles = Counter(role for frame in bank.frames if theme in frame.themes for role in frame.roles)
        assert roles["verse"] >= 2 and roles["chorus"] >= 1, theme
        assert bank.keywords[theme], theme
    assert sum(len(f.lines) for f in bank.frames if "rap" in f.roles) >= 24


def test_old_words_stay_in_the_frames_that_are_marked(bank: Bank) -> None:
    assert sum(len(f.lines) for f in bank.frames if f.archaic) >= 60
    old = re.compile(r"[兮汝卿吾]|(?<!偶)尔|红尘|胭脂|红颜|白衣|长亭|青衫|画舫|琵琶|烟雨|江湖|不负|何处|何时")
    assert not [x for f in bank.frames if not f.archaic for x in f.lines if old.search(x)]


def test_frames_do_not_share_runs_of_characters(bank: Bank) -> None:
    seen: dict[str, str] = {}
    for frame in bank.frames:
        for line in frame.lines:
            text = "".join(HAN.findall(line))
            for at in range(len(text) - 5):
                run = text[at : at + 6]
                assert seen.setdefault(run, frame.name) == frame.name, run
