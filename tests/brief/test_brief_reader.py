"""The reader: the two real prompts, what each kind of word does, traps, and properties over any text."""

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from songwright.brief.brief import from_json, to_json
from songwright.brief.checks import validate
from songwright.brief.reader import read_prompt
from songwright.errors import InputError


def test_first_real_prompt():
    brief = read_prompt("R&B song with fresh vibe and blue color and rythmic melody by male singer with drums")
    assert brief.styles == ("rnb",) and brief.origin("styles") == "said"
    assert brief.moods == ("fresh", "cool", "melancholic")
    assert brief.images == ("blue",)
    assert brief.voice == "male"
    assert brief.instruments == ("drums",)
    assert brief.traits == ("rhythmic_melody",)
    assert brief.not_understood == ()
    assert brief.origin("energy") == "inferred"
    assert any("rythmic" in note for note in brief.notes)


def test_second_real_prompt():
    brief = read_prompt("R＆B风格 方大同音色 节奏与律动 蓝色 风格清澈")
    assert brief.language == "zh"
    assert brief.styles == ("rnb",) and brief.origin("styles") == "said"
    assert brief.artist_hint == "方大同"
    assert brief.voice == ""
    assert brief.traits == ("rhythmic", "groove", "clear")
    assert brief.images == ("blue",)
    assert brief.not_understood == ()
    assert any("方大同" in note and "copied" in note for note in brief.notes)


TRAPS = {
    "a folk tale about rock climbing in the country house": (),
    "a song about metal detectors, jazz": ("jazz",),
    "my house is empty": (),
    "the trap she set for me": (),
    "song for Punk, my dog": (),
    "关于金属探测器的爵士乐": ("jazz",),
    "关于摇滚乐手的一首民谣": ("folk",),
    "песня про металлоискатель, джаз": ("jazz",),
    "рэп про металл и джаз": ("hip_hop",),
    'pop song called "Heavy Metal Heart"': ("pop",),
    "pop, lyrics: the jazz is dead, the metal heart": ("pop",),
    "mouse in the corner": (),
    "a base in the north": (),
    "I want a rock song": ("rock",),
    "a mix of rock, soul and funk": ("rock", "soul", "funk"),
    "song in a country style": ("country",),
}


@pytest.mark.parametrize("prompt", TRAPS)
def test_subject_nouns_do_not_set_the_style(prompt):
    assert read_prompt(prompt).styles == TRAPS[prompt]


def test_base_is_not_bass_and_mouse_is_not_house():
    assert read_prompt("a mouse at the base camp").instruments == ()
    assert "mouse" in read_prompt("a mouse, jazz").not_understood


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ("gutiar", "instruments", ("steel_guitar",)),
        ("metla", "styles", ("metal",)),
        ("saxaphone", "instruments", ("tenor_sax",)),
        ("regae", "styles", ("reggae",)),
        ("барбаны", "instruments", ("drums",)),
        ("техоно", "styles", ("techno",)),
    ],
)
def test_one_typing_mistake_is_understood(written, field, value):
    brief = read_prompt(f"{written}, please")
    assert getattr(brief, field) == value
    assert brief.not_understood == ()


NEGATED = {
    "jazz without guitar": "jazz_guitar",
    "no drums please": "drums",
    "I don't want any drums": "drums",
    "no piano or drums": "drums",
    "no piano, bass or drums": "drums",
    "не надо барабанов": "drums",
    "барабанов не надо": "drums",
    "без пианино и барабанов": "drums",
    "不要鼓": "drums",
    "没有钢琴和鼓": "drums",
    "鼓不要": "drums",
}


@pytest.mark.parametrize("prompt", NEGATED)
def test_negation(prompt):
    brief = read_prompt(prompt)
    assert NEGATED[prompt] in brief.excluded_instruments
    assert NEGATED[prompt] not in brief.instruments


def test_negation_ends():
    brief = read_prompt("no drums, just piano and cello")
    assert brief.excluded_instruments == ("drums",)
    assert brief.instruments == ("acoustic_grand_piano", "cello")
    brief = read_prompt("not only jazz but also funk")
    assert brief.styles == ("jazz", "funk")
    assert read_prompt("without drums and with guitar").instruments == ("steel_guitar",)


def test_no_guitar_means_no_guitar_at_all():
    excluded = read_prompt("rock without guitars").excluded_instruments
    assert {"nylon_guitar", "distortion_guitar", "clean_guitar", "jazz_guitar"} <= set(excluded)


def test_what_is_refused_is_told():
    brief = read_prompt("not sad, no rock, piano")
    assert brief.moods == () and brief.styles == ()
    assert any("sad" in note and "rock" in note for note in brief.notes)


@pytest.mark.parametrize(
    "prompt", ["a song, no vocals", "instrumental piano", "без вокала", "纯音乐", "不要人声", "no singing"]
)
def test_instrumental(prompt):
    assert read_prompt(prompt).instrumental


def test_what_was_said_is_kept_against_the_style():
    brief = read_prompt("60 bpm punk")
    assert (brief.styles, brief.tempo_bpm, brief.origin("tempo_bpm")) == (("punk",), 60.0, "said")


def test_an_artist_is_a_hint_only():
    brief = read_prompt("like Daft Punk")
    assert brief.artist_hint == "Daft Punk"
    assert brief.styles == ("house",) and brief.origin("styles") == "inferred"
    assert brief.era == "2000s" and brief.origin("era") == "inferred"
    said = read_prompt("a waltz like Daft Punk, 1950s")
    assert said.styles == ("waltz",) and said.era == "1950s"
    assert read_prompt("in the style of Quentin Zorblax").artist_hint == "Quentin Zorblax"
    assert read_prompt("the queen of the night").artist_hint == ""
    assert read_prompt("like Queen").artist_hint == "Queen"


def test_absurd_numbers_are_listed_not_used():
    for prompt in ("techno at 9000 bpm", "techno, tempo 0", "techno tempo -1", "techno, tempo 1e9"):
        brief = read_prompt(prompt)
        assert brief.tempo_bpm is None and brief.not_understood and brief.notes, prompt
    brief = read_prompt("10 hours of rain, ambient")
    assert brief.duration_seconds is None and brief.not_understood == ("10 hours",)


def test_energy_follows_what_was_said():
    assert read_prompt("calm").energy < 0.3 < 0.8 < read_prompt("energetic").energy
    assert read_prompt("very loud and calm").energy == 0.8
    assert read_prompt("песня").energy is None


def test_images_do_not_contradict_moods():
    assert "dreamy" not in read_prompt("an energetic disco song about the sea").moods
    assert "dreamy" in read_prompt("a song about the sea").moods


def test_general_words_mean_what_the_style_plays():
    assert read_prompt("metal with guitar").instruments == ("distortion_guitar",)
    assert read_prompt("bossa nova with guitar").instruments == ("nylon_guitar",)
    assert read_prompt("jazz with bass").instruments == ("acoustic_bass",)
    assert read_prompt("funky bassline, slap bass").instruments == ("slap_bass",)


def test_a_stand_in_is_told():
    brief = read_prompt("with guzheng")
    assert brief.instruments == ("koto",) and any("guzheng" in note for note in brief.notes)


def test_title_and_lyrics_are_taken_whole():
    brief = read_prompt('a ballad called "Blue Trap House" with lyrics: "no drums tonight"')
    assert brief.title == "Blue Trap House" and brief.lyrics == "no drums tonight"
    assert brief.styles == () and brief.excluded_instruments == ()
    tagged = read_prompt("soul, female\n[Verse]\nmetal rain\n[Chorus]\njazz")
    assert tagged.styles == ("soul",) and tagged.lyrics.startswith("[Verse]")
    assert read_prompt("歌名《山海之间》，国风").title == "山海之间"
    assert read_prompt("песня под названием «Белые ночи»").title == "Белые ночи"


def test_form():
    assert read_prompt("pop, AABA").form == ("verse", "verse", "bridge", "verse")
    assert read_prompt("verse, chorus, verse, chorus").form == ("verse", "chorus", "verse", "chorus")
    assert read_prompt("a rock song with a solo").form == ()


def test_everything_unknown_is_listed():
    brief = read_prompt("jazz with a zorblax and 会飞的鲸鱼 и пельмени")
    assert "zorblax" in brief.not_understood
    assert any("鲸鱼" in word for word in brief.not_understood)
    assert "пельмени" in brief.not_understood


def test_mixed_languages():
    brief = read_prompt("грустный lo-fi 钢琴 at 70 bpm")
    assert (brief.moods, brief.styles, brief.tempo_bpm) == (("sad",), ("lofi",), 70.0)
    assert brief.instruments == ("acoustic_grand_piano",)


def test_traditional_equals_simplified():
    old, new = read_prompt("憂傷的搖滾樂，電吉他"), read_prompt("忧伤的摇滚乐，电吉他")
    assert (old.styles, old.moods, old.instruments) == (new.styles, new.moods, new.instruments)
    assert old.styles == ("rock",)


@pytest.mark.parametrize("text", ["", "   ", "\x00\x07", "...", "😀😀", "\u200b"])
def test_nothing_to_read(text):
    with pytest.raises(InputError, match="empty"):
        read_prompt(text)


def test_too_long():
    with pytest.raises(InputError, match="at most 20000"):
        read_prompt("jazz " * 20_000)
    assert read_prompt("jazz " * 3_900).styles == ("jazz",)


def test_control_characters_are_dropped():
    assert read_prompt("ja\x07zz\x00 \x1b[31m piano").instruments == ("acoustic_grand_piano",)


SNIPPETS = st.sampled_from(
    re.findall(
        r"\S+",
        "no not about in the style of like jazz rock house drums guitar , . : « 《 called lyrics: 90 bpm 3:30 6/8 a"
        " minor без про в стиле барабаны рок ля минор 不要 关于 的 摇滚 鼓 a小调 两分半 verse chorus AABA -1 1e9 80s",
    )
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(SNIPPETS, max_size=25).map(" ".join)))
def test_any_text_gives_a_valid_brief_or_a_clear_error(text):
    try:
        brief = read_prompt(text)
    except InputError as error:
        assert str(error) and "\n" not in str(error)
        return
    validate(brief)
    assert brief == read_prompt(text)
    assert from_json(to_json(brief)) == brief


def test_same_brief_in_another_process():
    prompt = "не грустный lo-fi jazz с гитарой, 蓝色, like Daft Punk, no drums, gutiar"
    imports = "from songwright.brief.reader import read_prompt; from songwright.brief.brief import to_json"
    code = f"{imports}; print(to_json(read_prompt({prompt!r})))"
    command = [sys.executable, "-c", code]
    runs = [
        subprocess.run(
            command, capture_output=True, check=True, env={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stdout.decode().strip() == to_json(read_prompt(prompt)).strip()


@pytest.mark.parametrize(
    "text", ["1" * 19_999, "十" * 19_999, "²", "jazz ²²", "a" + " " * 19_000 + "b", "A" * 19_999, '"' * 99 + "a"]
)
def test_runs_of_one_character_are_read(text):
    brief = read_prompt(text)
    assert brief.tempo_bpm is None and brief.duration_seconds is None


def test_other_peoples_titles_are_not_ours():
    assert read_prompt('a song like "Bohemian Rhapsody" by Queen').title == ""
    assert read_prompt("周杰伦《晴天》那种感觉的歌").title == ""
    band = read_prompt("песня в стиле группы «Кино», про лето")
    assert (band.title, band.artist_hint) == ("Лето", "Кино")


def test_refusing_a_part_does_not_refuse_the_instrument():
    assert read_prompt("blues guitar, no guitar solo").excluded_instruments == ()
    assert read_prompt("techno with no melody just drums").instruments == ("drums",)
    assert read_prompt("I hate country, give me blues").styles == ("blues",)


def test_names_inside_a_sentence_are_not_mended():
    assert read_prompt("a jazz tune by Jaz Metol").styles == ("jazz",)
    assert read_prompt("Sad Pinao Ballad").instruments == ("acoustic_grand_piano",)


def test_colouring_words_give_way():
    assert read_prompt("symphonic orchestral metal").styles == ("metal",)
    assert read_prompt("orchestral").styles == ("cinematic",)


@pytest.mark.parametrize(
    ("prompt", "subject"),
    [
        ("pop about my cat, who never sleeps, piano", "my cat, who never sleeps"),
        ("про кота, который любит рок, поп", "кота, который любит рок"),
        ("песня о том, как мы ждали весну, под гитару", "как мы ждали весну"),
        ("以冬天为主题的爵士钢琴曲", "冬天"),
        ("关于妈妈做的菜的温暖民谣", "妈妈做的菜"),
        ("Theme: dancing alone. Disco.", "dancing alone"),
        ("a song about love in the style of Adele", "love"),
        ("про дорогу под гитару", "дорогу"),
    ],
)
def test_subject_ends_where_the_wish_begins(prompt, subject):
    assert read_prompt(prompt).subject == subject
