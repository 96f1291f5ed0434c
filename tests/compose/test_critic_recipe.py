"""The recipe of the critic's table: ways to spoil a song, the regression, and that the critic reads its table."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.learned.critic import cost, critic_of, load_critic
from songwright.compose.learned.critic_terms import TERMS
from songwright.score.song import Song, check
from songwright.seeding import generator

RECIPE = Path(__file__).parents[2] / "recipes" / "critic"
spec = importlib.util.spec_from_file_location("critic_recipe", RECIPE / "build.py")
build = importlib.util.module_from_spec(spec)
sys.modules["critic_recipe"] = build
spec.loader.exec_module(build)
CORRUPTIONS = build.CORRUPTIONS


@pytest.fixture(scope="module")
def songs():
    return [compose_song(Brief(styles=(style,), seed=2, instrumental=True)) for style in ("pop", "rock")]


@pytest.mark.parametrize("kind", sorted(CORRUPTIONS))
def test_a_spoilt_song_is_another_song_and_still_one(kind, songs):
    song, other = songs
    spoilt = CORRUPTIONS[kind](song, generator(0, kind), other)
    check(spoilt)
    assert spoilt.duration_ticks == song.duration_ticks and spoilt.keys == song.keys
    assert (spoilt.tracks, spoilt.chords, spoilt.sections) != (song.tracks, song.chords, song.sections)
    assert spoilt == CORRUPTIONS[kind](song, generator(0, kind), other)
    assert CORRUPTIONS[kind](Song(duration_ticks=3840), generator(0, kind), other) is None


def test_each_way_touches_what_it_says(songs):
    song, other = songs
    roles = {"octave jumps": {"melody"}, "wrong bass": {"bass"}, "random strokes": {"drums"}}
    for kind, touched in roles.items():
        spoilt = CORRUPTIONS[kind](song, generator(0, kind), other)
        assert {a.role for a, b in zip(song.tracks, spoilt.tracks, strict=True) if a != b} == touched
    for kind in ("wrong chords", "shifted chords"):
        spoilt = CORRUPTIONS[kind](song, generator(0, kind), other)
        assert spoilt.tracks == song.tracks and spoilt.chords != song.chords


def test_made_songs_are_cut_to_what_a_corpus_has(songs):
    sheet = build.cut_to(songs[0], build.SOURCES["openewld"])
    assert {t.role for t in sheet.tracks} == {"melody"} and sheet.chords and not sheet.sections
    drums = build.cut_to(songs[0], build.SOURCES["groove-midi"])
    assert {t.role for t in drums.tracks} == {"drums"} and not drums.chords


def test_costs_are_the_critic_s_own():
    values = np.random.default_rng(0).normal(0, 3, (50, len(TERMS)))
    means, spreads = np.full(len(TERMS), 0.5), np.full(len(TERMS), 1.5)
    found = build.costs_of(values, means, spreads)
    for t, term in enumerate(TERMS.values()):
        assert found[:, t] == pytest.approx([cost(v, 0.5, 1.5, term.wrong) for v in values[:, t]])


def test_the_regression_finds_what_tells_and_never_weighs_below_0():
    random = np.random.default_rng(0)
    labels = random.random(2000) < 0.5
    useful = labels + random.normal(0, 1, 2000)
    gains = np.column_stack([useful, random.normal(0, 1, 2000), random.normal(0, 1, 2000) - labels])
    weights, bias = build.nonnegative_logistic(gains, labels, np.ones(2000))
    assert weights[0] == pytest.approx(1.0, abs=0.15) and bias == pytest.approx(-0.5, abs=0.15)
    assert weights[1] < 0.1 and weights[2] == 0.0


def fake_rows(seed):
    """Real pieces around 0; others worse in the first three terms."""
    random = np.random.default_rng(seed)
    kinds = ([build.REAL] * 40 + ["random notes"] * 40) * len(build.SOURCES)
    values = random.normal(0, 1, (len(kinds), len(TERMS)))
    values[np.array(kinds) != build.REAL, :3] -= 1.5
    corpora = tuple(name for name in build.SOURCES for _ in range(80))
    return build.Rows(values, tuple(kinds), corpora)


def test_a_learned_table_is_one_that_the_critic_reads(tmp_path):
    table = build.learn(fake_rows(0))
    table["likelihood"] = {"mean": -1.0, "spread": 0.5, "cost": 0.5, "weight": 0.1, "nats": 0.05}
    critic = critic_of(json.loads(json.dumps(table)))
    found = [critic.weighings[name].weight for name in TERMS]
    assert min(found[:3]) > 0.1 > np.mean(found[3:])
    assert critic.nats == 0.05
    valid = fake_rows(1)
    gains, total = build.totals(table, valid)
    assert build.within(total, valid, "random notes", build.SOURCES) > 0.8
    assert gains.shape == valid.values.shape
    assert "| random notes | 0.9" in build.report(table, valid, valid)


def test_real_and_other_kinds_weigh_alike():
    rows = fake_rows(0)
    weights = build.importance(rows)
    assert weights.sum() == pytest.approx(len(weights))
    assert weights[rows.real].sum() == pytest.approx(len(weights) / 2)


def test_area_under_the_curve():
    low, high = np.arange(10.0), np.arange(10.0) + 20
    assert build.auc(high, low) == 1.0 and build.auc(low, high) == 0.0 and build.auc(low, low) == 0.5
    assert np.isnan(build.auc(low[:2], high))


def test_the_shipped_table_prefers_real_structure_to_every_way_of_spoiling(songs):
    song, other = songs
    critic = load_critic()
    whole = critic.score(song).total
    worse = [critic.score(c(song, generator(0, k), other)).total < whole for k, c in CORRUPTIONS.items()]
    assert sum(worse) >= len(worse) - 1


def test_the_recipe_and_the_table_know_the_same_corpora():
    table = json.loads((Path(build.TABLE_FILE)).read_text())
    assert set(table["pieces"]) == set(build.SOURCES)
    assert load_critic() == critic_of(table)
