"""Words without tags: the form that people hear in them; and long lines divided."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songwright.errors import InputError
from songwright.lyrics.divide import divide_long_lines, estimate_syllables
from songwright.lyrics.read import read_lyrics
from songwright.lyrics.sheet import LyricLine, LyricSection, LyricSheet, SheetSyllable, Word

V1 = [
    "Morning found me walking home",
    "With my shoes held in my hand",
    "Every window held a story",
    "That I still don't understand",
]
V2 = [
    "Monday came with empty pockets",
    "And a letter on the floor",
    "You had written seven reasons",
    "And I read them at the door",
]
V3 = [
    "Winter laid its silver blanket",
    "On the tracks we used to know",
    "And the whistle of the night train",
    "Sang to nobody below",
]
C = ["So hold on, hold on to the light", "We are only passing through the night", "Hold on, hold on to the sound",
     "We'll be dancing when the sun comes round"]  # fmt: skip
C_LAST = [*C[:3], "We'll be singing when the sun goes down"]
P = ["And I feel it coming closer", "Closer than before"]
P2 = ["And I fall a little deeper", "Deeper than before"]
B = ["What if all of this was nothing but a dream that we were dreaming in the rain", "Would you still", "Remember me"]
OOH, END = ["Ooh ooh ooh"], ["Hold on"]
ZH1 = ["窗外的雨落在旧的屋檐", "你的名字写在泛黄的信笺", "我数着每一盏路灯入眠", "梦里你还是当年的容颜"]
ZH2 = ["街角的风吹散了那些烟", "咖啡凉了你还没有出现", "我把思念折成一只纸船", "放它漂向没有你的明天"]
ZHC = ["如果时间能够倒流", "我不会松开你的手", "如果泪水能够回头", "我愿陪你走到最后"]
RU1 = [
    "За окном опять метёт зима",
    "И фонарь качается во мгле",
    "Я схожу, наверное, с ума",
    "Без тебя на этой на земле",
]
RU2 = ["Поезда уходят в никуда", "Провода поют о чём-то мне", "Ты сказала: это навсегда", "И растаяла в чужом окне"]
RUC = ["Позови меня, позови", "Через тысячу снежных лет", "Потому что у нас в крови", "Недосказанный твой ответ"]
RUC_LAST = ["Позови меня, позови", "Через тысячу долгих лет", "Потому что у нас в крови", "Недосказанный твой ответ"]

FORMS = {
    "vcvc": ([V1, C, V2, C], "verse chorus verse chorus"),
    "prechorus, bridge, changed last chorus": (
        [V1, P, C, V2, P, C, B, C_LAST],
        "verse prechorus chorus verse prechorus chorus bridge chorus",
    ),
    "three verses": ([V1, C, V2, C, V3, C], "verse chorus verse chorus verse chorus"),
    "intro and outro": ([OOH, V1, C, V2, C, B, C, END], "intro verse chorus verse chorus bridge chorus outro"),
    "frame": ([["Ooh ooh", "Ah ah"], V1, C, V2, C, ["Ooh ooh", "Ah ah"]], "intro verse chorus verse chorus outro"),
    "one stanza": ([V1], "verse"),
    "a poem": ([V1, V2, V3], "verse verse verse"),
    "verse and hook": ([V1, C], "verse chorus"),
    "chorus glued to the verse": ([V1 + C, V2 + C, C], "verse chorus verse chorus chorus"),
    "two verses first": ([V1, V2, C, V3, C], "verse verse chorus verse chorus"),
    "prechorus with other words": ([V1, P, C, V2, P2, C], "verse prechorus chorus verse prechorus chorus"),
    "chorus first": ([C, V1, C, V2, C], "chorus verse chorus verse chorus"),
    "double choruses": ([V1, C, C, V2, C, C], "verse chorus chorus verse chorus chorus"),
    "a short refrain": ([V1, ["Let it go, let it go", "Let it go, let it go"], V2], "verse chorus verse"),
    "Chinese": ([ZH1, ZHC, ZH2, ZHC], "verse chorus verse chorus"),
    "Chinese, chorus once": ([ZH1, ZHC], "verse chorus"),
    "Russian": ([RU1, RUC, RU2, RUC_LAST], "verse chorus verse chorus"),
    "Russian poem": ([RU1, RU2], "verse verse"),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms(name):
    blocks, roles = FORMS[name]
    sheet = read_lyrics("\n\n".join("\n".join(block) for block in blocks))
    assert " ".join(s.role for s in sheet.sections) == roles
    assert [line.text for line in sheet.lines()] == [line for block in blocks for line in block]


@pytest.mark.parametrize("name", ["vcvc", "three verses", "a poem", "Chinese"])
@pytest.mark.parametrize("join", ["\n", "\n\n"])
def test_forms_without_stanzas(name, join):
    blocks, roles = FORMS[name]
    sheet = read_lyrics(join.join(line for block in blocks for line in block))
    assert [(s.role, len(s.lines)) for s in sheet.sections] == [(role, 4) for role in roles.split()]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from([V1, V2, C, P, B, OOH, ZH1, RUC]), min_size=1, max_size=9), st.sampled_from(["\n", "\n\n"])
)
def test_no_line_is_lost_whatever_the_form(blocks, join):
    sheet = read_lyrics(join.join("\n".join(block) for block in blocks))
    assert [line.text for line in sheet.lines()] == [line for block in blocks for line in block]
    assert all(section.lines for section in sheet.sections)


def test_a_line_of_sixty_syllables_is_divided_at_its_commas():
    long = "Over the hills and far away, under the moon and over the sea, into the night where nobody goes, " * 2
    line = next(iter(read_lyrics("[verse]\n" + long).lines()))
    assert estimate_syllables(line.words) >= 52
    parts = list(divide_long_lines(read_lyrics("[verse]\n" + long + "(oh)"), 14).lines())
    assert [w for part in parts for w in part.words] == list(line.words) and len(parts) == 6
    assert all(part.text.endswith(",") for part in parts)
    assert [len(part.backing) for part in parts] == [0] * 5 + [1]


def test_long_lines_are_divided_by_their_syllables_and_keep_their_times():
    word = Word("a", "en", (SheetSyllable("a", ("@",), 0),) * 3)
    line = LyricLine((word,) * 6, (), "rap", 2.0, (2.0, 3.0, 4.0, 5.0, 6.0, 7.0))
    parts = list(divide_long_lines(LyricSheet((LyricSection("verse", (line,)),)), 10).lines())
    assert [len(part.syllables) for part in parts] == [9, 9]
    assert [part.start_seconds for part in parts] == [2.0, 5.0] and {part.delivery for part in parts} == {"rap"}
    with pytest.raises(InputError, match="1 or more"):
        divide_long_lines(LyricSheet(), 0)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(["night,", "我", "爱，", "колокольчики", "a", "interval"]), min_size=1, max_size=40),
       st.integers(1, 20))  # fmt: skip
def test_divided_lines_are_short_enough_and_whole(words, most):
    sheet = read_lyrics("[verse]\n" + " ".join(words))
    divided = divide_long_lines(sheet, most)
    before, after = next(iter(sheet.lines())), list(divided.lines())
    assert [w for part in after for w in part.words] == list(before.words)
    assert all(estimate_syllables(part.words) <= most or len(part.words) == 1 for part in after)
    assert divide_long_lines(divided, most) == divided


@pytest.mark.parametrize(
    ("text", "count"),
    [("hello", 2), ("time", 1), ("любовь", 2), ("爱", 1), ("rhythm", 1), ("2000", 4), ("—", 0), ("the", 1)],
)
def test_estimates(text, count):
    assert estimate_syllables((Word(text),)) == count
