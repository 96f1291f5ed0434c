"""The vocabulary files are whole: known names, enough words, no word with two meanings; enough is understood."""

import importlib.util
import sys
from pathlib import Path

import pytest

from songwright.brief import words
from songwright.brief.conclusions import excluded_members, generic_families, image_moods, mood_energy
from songwright.brief.text import stem, tokens_of
from songwright.score.instruments import INSTRUMENTS

STYLES = {
    "blues", "classical", "country", "disco", "hip_hop", "jazz", "metal", "pop", "reggae", "rock", "rnb", "soul",
    "funk", "gospel", "folk", "bossa_nova", "salsa", "house", "techno", "drum_and_bass", "synthwave", "lofi", "trap",
    "ambient", "cinematic", "waltz", "punk", "mandarin_ballad", "guofeng", "reggaeton", "afrobeat", "russian_romance",
}  # fmt: skip
ALLOWED = {
    "styles": STYLES,
    "styles_weak": STYLES,
    "moods": set(mood_energy()),
    "images": set(image_moods()),
    "instruments": {"drums", *INSTRUMENTS, *generic_families()},
    "excluded_instruments": {"drums", *INSTRUMENTS},
    "voice": {"male", "female", "child", "choir", "any", "instrumental"},
    "tempo_word": {"very_slow", "slow", "medium", "fast", "very_fast"},
}


@pytest.fixture(scope="module")
def benchmark():
    path = Path(__file__).parents[2] / "benchmarks" / "brief.py"
    spec = importlib.util.spec_from_file_location("brief_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_value_is_known(language):
    for keys, meaning in words.load(language).phrases.items():
        for name, value in meaning.values:
            assert value in ALLOWED.get(name, {value}), (keys, name, value)


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_there_is_enough(language):
    vocabulary = words.load(language)
    for name, least in (("styles", 250), ("moods", 250), ("instruments", 150), ("images", 150), ("traits", 100)):
        assert sum(any(n == name for n, _ in m.values) for m in vocabulary.phrases.values()) >= least, name
    styles = {value for m in vocabulary.phrases.values() for name, value in m.values if name == "styles"}
    assert styles == STYLES
    assert len({m.artist for m in [*vocabulary.phrases.values(), *vocabulary.cued_artists.values()] if m.artist}) >= 60


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_no_word_has_two_meanings(language):
    listed = words.listed_twice(language)
    assert listed == []


def test_images_and_families_name_what_exists():
    assert {mood for moods in image_moods().values() for mood in moods} <= set(mood_energy())
    for family, choices in generic_families().items():
        assert set(choices.values()) <= set(INSTRUMENTS) and set(choices) - {"default"} <= STYLES | {"bluegrass"}, (
            family
        )
    assert set(excluded_members("guitar")) == {name for name, i in INSTRUMENTS.items() if i.family == "guitar"}
    assert excluded_members("cello") == ["cello"]
    for group in words.common()["excluded"]:
        assert set(excluded_members(group)) <= set(INSTRUMENTS)


def test_russian_endings_come_off():
    assert {stem(w) for w in ("гитара", "гитары", "гитаре", "гитару", "гитарой", "гитарами")} == {"гитар"}
    assert {stem(w) for w in ("грустный", "грустная", "грустное", "грустные", "грустного", "грустно")} == {"грустн"}
    assert stem("рок") == "рок" and stem("весёлый") == stem("веселая")


def test_tokens_keep_their_places():
    text = "Lo-fi хип-хоп, R&B风格!"
    tokens = tokens_of(text, {})
    assert [text[t.start : t.end] for t in tokens] == ["Lo", "fi", "хип", "хоп", ",", "R&B", "风", "格", "!"]


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_f1_of_the_tuning_half(benchmark, language):
    assert len(benchmark.prompts(language)) >= 100
    assert benchmark.score(benchmark.halves(language)["tuning"]).f1 >= 0.93


def test_f1_can_fall(benchmark):
    wrong = [{"prompt": "a jazz waltz", "expect": {"styles": ["metal"], "voice": "male"}}]
    assert benchmark.score(wrong).f1 == 0.0


@pytest.mark.parametrize(
    "phrase", ["boom bap", "drum & bass", "rock'n'roll", "веселые песни", "хип-хоп", "蓝调", "r&b风", "café"]
)
def test_short_cuts_agree_with_the_tokens(phrase):
    full = tuple(token.key for token in tokens_of(phrase, words.to_simplified()) if token.script)
    assert words._keys(phrase) == full


def test_chinese_vocabulary_is_simplified():
    traditional = set(words.to_simplified())
    assert not [keys for keys in words.load("zh").phrases for key in keys if len(key) == 1 and ord(key) in traditional]
