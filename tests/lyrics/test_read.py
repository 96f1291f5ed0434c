"""Sheets with tags: sections, words, backing words, repeats, bounds; and text out and in again."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from songwright.errors import DataError, InputError
from songwright.lyrics.language import check_language, detect_language
from songwright.lyrics.plain import MAX_LINES
from songwright.lyrics.read import read_lyrics, read_lyrics_file, to_text
from songwright.lyrics.sheet import LyricLine, LyricSection, LyricSheet, Word, join_words
from songwright.lyrics.tags import parse_tag, parse_times
from songwright.score.song import SECTION_ROLES


def form(sheet):
    return [(s.role, len(s.lines)) for s in sheet.sections]


def texts(sheet):
    return [line.text for line in sheet.lines()]


TAGS = {
    "verse": "verse", "Chorus 2": "chorus", "Verse 1: soft, piano": "verse", "intro 8 bars": "intro",
    "Instrumental": "interlude", "guitar solo": "solo", "inst-short": "interlude", "intro-short": "intro",
    "outro-medium": "outro", "Pre-Chorus": "prechorus", "Post-Chorus": "chorus", "Hook": "chorus",
    "Drop": "drop", "Build": "build", "Build-Up": "build", "Break": "interlude", "Breakdown": "breakdown",
    "Interlude": "interlude", "Refrain": "chorus", "Rap": "verse", "Spoken Word": "interlude",
    "Ad-lib": "interlude", "End": "outro", "Final Chorus": "chorus", "Verse II": "verse",
    "Epic Chorus": "chorus", "Instrumental Break": "interlude", "Fade Out": "outro", "piano intro": "intro",
    "Chorus x2": "chorus", "Middle 8": "bridge", "主歌": "verse", "主歌1": "verse", "副歌": "chorus",
    "最后副歌": "chorus", "桥段": "bridge", "预副歌": "prechorus", "前奏": "intro", "间奏": "interlude",
    "尾奏": "outro", "说唱": "verse", "念白": "interlude", "主歌二": "verse", "吉他独奏": "solo",
    "第二段主歌": "verse", "куплет": "verse", "Куплет 2": "verse", "Припев": "chorus", "Бридж": "bridge",
    "Вступление": "intro", "Проигрыш": "interlude", "Кода": "outro", "Речитатив": "verse",
    "Последний припев": "chorus", "Предприпев": "prechorus", "соло гитары": "solo", "Strophe 1": "verse",
    "Refrão": "chorus", "Estribillo": "chorus", "Couplet 3": "verse", "サビ": "chorus", "후렴": "chorus",
}  # fmt: skip


@pytest.mark.parametrize("tag", TAGS)
def test_tags_of_many_languages(tag):
    found = parse_tag(tag)
    assert found is not None and found.role == TAGS[tag]


@pytest.mark.parametrize(
    "text", ["Banana", "Rihanna", "soft piano", "I love you", "", "x" * 300, "我爱你", "дождь", "2"]
)
def test_other_words_are_no_tags(text):
    assert parse_tag(text) is None


def test_lengths_labels_and_descriptions_of_tags():
    assert (parse_tag("intro 8 bars").num_bars, parse_tag("intro 8 bars").label) == (8, "")
    assert parse_tag("inst-medium").num_bars == 8 and parse_tag("前奏 4小节").num_bars == 4
    assert parse_tag("Intro: 16 bars, strings").num_bars == 16
    assert (
        parse_tag("Verse 1: soft, piano").description == "soft, piano" and parse_tag("Verse 1: soft").label == "Verse 1"
    )
    assert parse_tag("Chorus (x3)").times == 3 and parse_tag("Припев 2 раза").times == 1
    assert parse_tag("Rap").delivery == "rap" and parse_tag("念白").delivery == "spoken"


@pytest.mark.parametrize(
    ("mark", "times"),
    [("x2", 2), ("2x", 2), ("×3", 3), ("х2", 2), ("2 раза", 2), ("重复", 2), ("twice", 2), ("bis", 2), ("3次", 3),
    ("x99", 8),
     ("x1", None), ("xx", None), ("2", None), ("hello", None), ("repeat 3", 3)],
)  # fmt: skip
def test_repeat_marks(mark, times):
    assert parse_times(mark) == times


SHEETS = {
    "[Verse 1]\nA line\n(Bridge)\nB line\nVerse 2:\nC line\n\nChorus\nD line": ["verse", "bridge", "verse", "chorus"],
    "**Verse 1:**\nA line\n\n## Chorus\nB line": ["verse", "chorus"],
    "主歌1\n天空很蓝\n副歌：\n我爱你\n间奏\n【主歌2】\n海很宽\n［副歌］": [
        "verse",
        "chorus",
        "interlude",
        "verse",
        "chorus",
    ],
    "Куплет 1:\nМы идём\n\nПрипев:\nВетер пой\n\nКуплет 2\nСнова ночь\n\nПрипев": [
        "verse",
        "chorus",
        "verse",
        "chorus",
    ],
    "Мы идём домой\nПо снегу\n\nПрипев:\nВетер пой\n\nСнова ночь\nИ снег\n\nПрипев.": [
        "verse",
        "chorus",
        "verse",
        "chorus",
    ],
    "[Intro]\n[Verse]\nA line\n[Guitar Solo]\n\nB line\n[End]": ["intro", "verse", "solo", "verse"],
    "Припев: Ветер пой мне\nи не молчи\n\nКуплет: Снова ночь": ["chorus", "verse"],
}


@pytest.mark.parametrize("text", SHEETS)
def test_sheets_as_people_write_them(text):
    sheet = read_lyrics(text)
    assert [s.role for s in sheet.sections] == SHEETS[text] and not sheet.notes


def test_a_chorus_alone_is_sung_again():
    sheet = read_lyrics("[verse]\na b\n[chorus]\nla la\n(hey)\n[verse]\nc d\n[chorus]\n[Chorus x2]\n[verse]")
    assert form(sheet) == [
        ("verse", 1),
        ("chorus", 1),
        ("verse", 1),
        ("chorus", 1),
        ("chorus", 1),
        ("chorus", 1),
        ("verse", 0),
    ]
    assert sheet.sections[3].lines == sheet.sections[1].lines and "no words" in sheet.notes[0]
    assert read_lyrics("[chorus]\nla\n[chorus, instrumental]").sections[1].lines == ()


def test_repeats_of_lines_and_sections():
    assert (
        texts(read_lyrics("[verse]\nла ла (2 раза)\nдом x3\n你好（重复）"))
        == ["ла ла"] * 2 + ["дом"] * 3 + ["你好"] * 2
    )
    assert form(read_lyrics("[chorus]\na\nb\n(x2)\n[verse]\nc")) == [("chorus", 2), ("chorus", 2), ("verse", 1)]
    assert texts(read_lyrics("x2 times I called")) == ["x2 times I called"]


def test_words_in_parentheses_are_backing():
    sheet = read_lyrics(
        "[verse]\n(Hey!)\nI walk (I walk) alone (all alone)\n(ooh la)\nstay (here\nwith me) now\n我走（我走）"
    )
    lines = list(sheet.lines())
    assert [line.text for line in lines] == ["Hey!", "I walk alone", "stay", "now", "我走"]
    assert [join_words(line.backing) for line in lines] == ["", "I walk all alone ooh la", "here", "with me", "我走"]


def test_ways_of_singing():
    sheet = read_lyrics("[Rap]\nyo yo\n[sung] la la\n[Verse]\n*so low*\n(spoken) hear me\nla\n[Spoken Word]\nonce")
    assert [line.delivery for line in sheet.lines()] == ["rap", "sung", "spoken", "spoken", "sung", "spoken"]
    assert texts(sheet)[2:4] == ["so low", "hear me"]


def test_what_is_not_understood_is_told_and_not_sung():
    sheet = read_lyrics("[verse: soft]\nla [laughs] la\n[Banana]\nlo 🎉\n男：走吧\n[Banana]")
    assert texts(sheet) == ["la la", "lo", "走吧"] and len(sheet.notes) == 5
    assert sum("Banana" in n for n in sheet.notes) == 1 and any("soft" in n for n in sheet.notes)


def test_titles_and_credits_are_not_sung():
    assert read_lyrics("My Song\n\n[verse]\nla la").title == "My Song"
    assert read_lyrics("# Night Train\n\n[verse]\nla").title == "Night Train"
    sheet = read_lyrics("歌名：远方\n作词：某人\n作曲：某人\n\n天空很蓝\n海很宽")
    assert sheet.title == "远方" and texts(sheet) == ["天空很蓝", "海很宽"] and len(sheet.notes) == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Don't stop, “never” — 24/7!", ["Don't", "stop,", "“never”—", "24/7!"]),
        ("love你，真的 OK吗？", ["love", "你，", "真", "的", "OK", "吗？"]),
        ("你好 世界…", ["你", "好，", "世", "界…"]),
        ("「你」走", ["「你」", "走"]),
        ("— Привет, 2000-й год", ["Привет,", "2000-й", "год"]),
        ("e\u0301te\u0301 \u200bl\u00ada\u200f", ["été", "la"]),
        ("one / two", ["one", "two"]),
    ],
)
def test_words(line, words):
    assert [w.text for found in read_lyrics(f"[verse]\n{line}\n").lines() for w in found.words] == words


def test_lines_are_printed_as_they_were_written():
    for line in ("Я — ты, и дождь", "我爱你……永远", "“你”走了", "love 你不变", "rock 'n' roll"):
        assert texts(read_lyrics(f"[verse]\n{line}")) == [line]


@pytest.mark.parametrize("text", ["", " \n\n", "🎉🎉\n\u200b", "...\n---", "\0"])
def test_no_words_is_an_error_that_helps(text):
    with pytest.raises(InputError, match="write at least one line"):
        read_lyrics(text)


def test_only_tags_is_an_instrumental():
    sheet = read_lyrics("[intro]\n[guitar solo 8 bars]\n[outro]")
    assert form(sheet) == [("intro", 0), ("solo", 0), ("outro", 0)] and "instrumental" in sheet.notes[0]


def test_one_line_and_two_thousand():
    assert form(read_lyrics("hello")) == [("verse", 1)]
    for head in ("", "[verse]\n"):
        sheet = read_lyrics(head + "\n".join(f"line {i} of the song" + "\n" * (i % 5 == 4) for i in range(2000)))
        assert len(list(sheet.lines())) == MAX_LINES and any("1800" in n for n in sheet.notes)
    assert len(list(read_lyrics("[verse]\n" + "la x8\n" * 200).lines())) == MAX_LINES


@pytest.mark.parametrize(
    "text", ["a" * 500_000, "(" * 250_000 + "la" + ")" * 250_000, "la " * 150_000, "[" * 300_000 + "la"]
)
def test_endless_lines_are_cut_with_a_note(text):
    sheet = read_lyrics("hello\n" + text)
    assert texts(sheet)[0] == "hello" and "divide it" in sheet.notes[0]


def test_right_to_left_text_is_kept():
    sheet = read_lyrics("[verse]\nשלום \u202eעולם\u202c")
    assert sheet.language == "he" and texts(sheet) == ["שלום עולם"] and len(sheet.notes) == 2


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hold me close and never let me go", "en"), ("你是我的远方 my love", "zh"), ("Позови меня, позови", "ru"),
        ("Світить місяць, ніч ясна, їдуть козаки", "uk"), ("君の名前を呼ぶ夜に", "ja"), ("사랑해 너를", "ko"),
        ("Ich weiß nicht, was soll es bedeuten", "de"), ("Je ne sais pas pourquoi tu es parti", "fr"),
        ("No sé por qué te quiero tanto, mi amor, y tú no", "es"),
        ("Non so perché ti amo, sei tu che mi fai male", "it"),
        ("Eu não sei por que você não vem, meu coração", "pt"), ("Σ' αγαπώ", "el"), ("أحبك", "ar"),
        ("मैं तुमसे प्यार", "hi"),
        ("la la la", "en"), ("", "en"), ("123", "en"),
    ],
)  # fmt: skip
def test_languages(text, language):
    assert detect_language(text) == language


def test_a_language_can_be_set():
    assert (
        read_lyrics("la la", language="ru").language == "ru"
        and check_language("zh-CN") == check_language("cmn") == "zh"
    )
    with pytest.raises(InputError, match="language code"):
        read_lyrics("la", language="klingon please")


RUSSIAN, CHINESE = "[Куплет]\nПозови меня, позови\nчерез сто лет", "[主歌]\n天空很蓝，我想起你\n海很宽"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(RUSSIAN, "utf-8"), (RUSSIAN, "utf-8-sig"), (RUSSIAN, "utf-16"), (RUSSIAN, "utf-16-le"), (RUSSIAN, "cp1251"),
     (CHINESE, "utf-8"), (CHINESE, "gb18030"), (CHINESE, "utf-16-be"), ("[verse]\nCafé über señor", "cp1252")],
)  # fmt: skip
def test_files_of_many_encodings(tmp_path, text, encoding):
    path = tmp_path / "words.txt"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert read_lyrics_file(path) == read_lyrics(text)


def test_files_that_are_none(tmp_path):
    path = tmp_path / "words.txt"
    with pytest.raises(DataError, match="cannot be read"):
        read_lyrics_file(path)
    path.write_bytes(b"la " * 400_000)
    with pytest.raises(DataError, match="at most"):
        read_lyrics_file(path)
    for data in (b"", b"\x7fELF\0\0\0\1" * 50, b"\xff\xfe\x00"):
        path.write_bytes(data)
        with pytest.raises(DataError):
            read_lyrics_file(path)


PIECES = st.sampled_from([
    "Hello", "don't,", "love你", "我爱你，", "天 空", "Дождь", "— да", "(ooh)", "(yeah", "back)", "x2", "(x2)",
    "[verse]", "[Chorus]",
    "[Rap]", "[spoken] ", "*low*", "🎉", "Bridge", "副歌", "Припев:", "[Banana]", "/", "24/7", "...",
    "[00:12.50]", "<00:13.00>",
    "[ti:Song]", "（重复）", "[intro 8 bars]", "[Solo]", "[End]", "- ", "1.", "Title: x", "#", "**b**",
    "[Chorus x2]", "spoken: a",
    "\u202e", "שלום", "君の", "(", ")", "[", "]", "：", "男：", "|", "'", "[la:de]", "[Verse 2: soft]", "~",
    "Chorus", "[", "“",
])  # fmt: skip
LINES = st.lists(st.lists(PIECES, max_size=5).map(" ".join), max_size=12).map("\n".join)


@settings(deadline=None, max_examples=250)
@given(LINES)
def test_anything_is_read_or_refused_and_read_again_the_same(text):
    try:
        sheet = read_lyrics(text)
    except InputError:
        return
    again = read_lyrics(to_text(sheet))
    assert replace(again, notes=()) == replace(sheet, notes=())


@example("\u3400\U00020000")
@settings(deadline=None, max_examples=150)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_and_read_again_the_same(text):
    try:
        sheet = read_lyrics(text)
    except InputError:
        return
    assert replace(read_lyrics(to_text(sheet)), notes=()) == replace(sheet, notes=())


WORDS = st.sampled_from(["night", "don't,", "Sea!", "我", "爱", "дождь", "2000", "café"]).map(Word)


@st.composite
def sheets(draw):
    sections = []
    for _ in range(draw(st.integers(1, 4))):
        role = draw(st.sampled_from(SECTION_ROLES))
        label = draw(st.sampled_from(["", f"{role.capitalize()} 2"]))
        lines = []
        for _ in range(draw(st.integers(0, 3))):
            words = tuple(draw(st.lists(WORDS, min_size=1, max_size=4)))
            backing = tuple(draw(st.lists(WORDS, max_size=2)))
            lines.append(LyricLine(words, backing, draw(st.sampled_from(["sung", "rap", "spoken"]))))
        sections.append(LyricSection(role, tuple(lines), label, draw(st.none() | st.integers(1, 16))))
    return LyricSheet(
        tuple(sections), draw(st.sampled_from(["en", "zh", "ru", "de"])), draw(st.sampled_from(["", "A song"]))
    )


@settings(deadline=None, max_examples=150)
@given(sheets())
def test_sheets_come_back_from_text(sheet):
    assert replace(read_lyrics(to_text(sheet)), notes=()) == sheet
