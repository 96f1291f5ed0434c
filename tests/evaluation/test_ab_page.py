"""The blind page is blind, fair in level and length, and its key tells who was who."""

import json
import re
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import ab_page
from songwright.audio.loudness import integrated_lufs, true_peak_dbtp
from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.score.song import check


@pytest.fixture(scope="module")
def key():
    return ab_page.make_key(seed=3, count=20)


@pytest.fixture(scope="module")
def song():
    return compose_song(Brief(styles=("pop",), seed=1, instrumental=True))


def test_twenty_pairs_by_both_in_an_order_that_tells_nothing(key):
    assert [pair["number"] for pair in key["pairs"]] == list(range(1, 21))
    assert all({pair["a"], pair["b"]} == {"statistical", "learned"} for pair in key["pairs"])
    first = [pair["a"] for pair in key["pairs"]]
    assert 4 <= first.count("learned") <= 16
    assert any(a == b for a, b in pairwise(first)) and any(a != b for a, b in pairwise(first))
    assert ab_page.make_key(3, 20) == key != ab_page.make_key(4, 20)


def test_the_page_names_no_composer_and_no_seed(key):
    html = ab_page.page_html(key).lower()
    for word in ("statistical", "learned", "network", "neural", "critic", "candidate", "key.json"):
        assert word not in html
    assert not any(str(pair["seed"]) in html for pair in key["pairs"])


def test_the_page_is_the_same_whoever_is_a(key):
    turned = {**key, "pairs": [{**pair, "a": pair["b"], "b": pair["a"]} for pair in key["pairs"]]}
    assert ab_page.page_html(turned) == ab_page.page_html(key)


def test_file_names_are_neutral(key):
    html = ab_page.page_html(key)
    names = set(re.findall(r"[\w-]+\.mp3", html))
    assert names == {ab_page.audio_name(pair["number"], letter) for pair in key["pairs"] for letter in "ab"}
    assert all(re.fullmatch(r"pair-\d\d-[ab]\.mp3", name) for name in names)


def test_the_page_needs_nothing_from_elsewhere_and_has_its_data(key):
    html = ab_page.page_html(key)
    assert "http:" not in html and "https:" not in html and "/*" not in html.split("<script>")[1]
    page = json.loads(re.search(r"const PAGE = (.*);\n", html).group(1))
    assert len(page["pairs"]) == 20 and set(page["pairs"][0]) == {"number", "style", "a", "b"}


def test_every_language_says_everything():
    keys = {language: set(texts) for language, texts in ab_page.TEXTS.items()}
    assert set(keys) == {"en", "zh", "ru"}
    assert keys["en"] == keys["zh"] == keys["ru"]
    used = set(re.findall(r'data-text="(\w+)"', ab_page.TEMPLATE.read_text(encoding="utf-8")))
    assert used <= keys["en"]


def test_the_key_decodes_answers(key):
    answers = {"page": key["page"], "answers": {"1": "a", "2": "b", "5": "same"}}
    pairs = key["pairs"]
    assert ab_page.decode(answers, key) == [
        ("1", pairs[0]["style"], pairs[0]["a"]),
        ("2", pairs[1]["style"], pairs[1]["b"]),
        ("5", pairs[4]["style"], "no difference"),
    ]
    with pytest.raises(SystemExit, match="of page other"):
        ab_page.decode({**answers, "page": "other"}, key)


def test_an_excerpt_crosses_the_edge_into_the_chorus(song):
    part = ab_page.around_chorus(song)
    check(part)
    assert abs(part.duration_seconds - ab_page.EXCERPT_SECONDS) < 3
    assert [s.role for s in part.sections][:1] != ["chorus"] and "chorus" in [s.role for s in part.sections]


def test_an_excerpt_keeps_what_players_hold_down(song):
    first = song.bar_starts()[8]
    track = song.tracks[0]
    held = replace(track, controls=(ab_page.Control(0, 64, 127), ab_page.Control(first + 10, 64, 0)))
    held = replace(held, mix=replace(held.mix, automation=((0, -3.0), (first + 5, -1.0))))
    whole = song.with_track(held)
    part = ab_page.with_players(ab_page.excerpt(whole, first, first + 4 * 3840), whole, first)
    assert part.tracks[0].controls == (ab_page.Control(0, 64, 127), ab_page.Control(10, 64, 0))
    assert part.tracks[0].mix.automation == ((0, -3.0), (5, -1.0))


def test_takes_are_equally_loud_and_never_too_loud():
    random = np.random.default_rng(0)
    quiet = (0.02 * random.standard_normal((2, 44100))).astype(np.float32)
    peaky = quiet.copy()
    peaky[:, 22050] = 0.9
    made = ab_page.same_loudness([quiet, peaky])
    levels = [integrated_lufs(wave, 44100) for wave in made]
    assert levels[0] == pytest.approx(levels[1], abs=0.01)
    assert max(true_peak_dbtp(wave) for wave in made) <= ab_page.PEAK_DBTP + 0.01
