"""Rewards: what is usual is worth nothing, what theory forbids costs, and silence is no way out."""

import json
from dataclasses import replace

import numpy as np
import pytest

from songwright.compose.learned.rewards import KINDS, OWN, WEIGHTS, Yardstick, calibrate, measured, terms_of
from songwright.errors import ConfigError
from songwright.score.song import ChordSpan, Note, Song, Track

BARS = 12
ROOTS = {"C": 0, "F": 5, "G": 7, "Am": 9}
TONES = {"C": (60, 64, 67, 72), "F": (60, 65, 69, 72), "G": (59, 62, 67, 71), "Am": (60, 64, 69, 72)}
SCALE = (59, 60, 62, 64, 65, 67, 69, 71, 72)


def song(seed):
    """A band that keeps to its chords: chord tones on strong beats, steps between them, roots, a backbeat."""
    random = np.random.default_rng(seed)
    names = [("C", "Am", "F", "G")[i % 4] if random.random() < 0.8 else "C" for i in range(BARS)]
    tune, last = [], 67
    for bar, name in enumerate(names):
        for beat in range(4):
            options = TONES[name] if beat % 2 == 0 else SCALE
            near = sorted(options, key=lambda p: (abs(p - last) + 3 * random.random(), p))
            last = near[0] if beat % 2 == 0 else near[1]
            tune.append(Note(bar * 3840 + beat * 960, 960, int(last), 90))
    bass = [Note(i * 1920, 1920, 36 + ROOTS[names[i // 2]], 90) for i in range(2 * BARS)]
    drums = [Note(i * 960, 240, 38 if i % 2 else 36, 100) for i in range(4 * BARS)]
    drums += [Note(i * 480, 240, 42, 80) for i in range(8 * BARS)]
    if random.random() < 0.5:
        drums.append(Note(4 * 960 - 480, 240, 38, 100))
    tracks = (
        Track("tune", "melody", "flute", notes=tuple(tune)),
        Track("bass", "bass", "electric_bass_finger", notes=tuple(bass)),
        Track("drums", "drums", "standard_kit", notes=tuple(sorted(drums))),
    )
    spans = tuple(ChordSpan(i * 3840, 3840, name) for i, name in enumerate(names))
    return Song(duration_ticks=BARS * 3840, chords=spans, tracks=tracks)


@pytest.fixture(scope="module")
def yardstick():
    return calibrate({kind: [measured(song(seed), kind) for seed in range(20)] for kind in KINDS})


def with_notes(made, role, change):
    tracks = [replace(t, notes=change(t.notes)) if t.role == role else t for t in made.tracks]
    return replace(made, tracks=tuple(tracks))


def test_what_is_usual_is_worth_nothing_on_average(yardstick):
    for kind in KINDS:
        rewards = [yardstick.reward(song(seed), kind).total for seed in range(20)]
        assert np.mean(rewards) == pytest.approx(0.0, abs=0.25)
        values = [yardstick.judge(measured(song(seed), kind), kind).terms["fullness"] for seed in range(20)]
        assert np.mean(values) == pytest.approx(0.0, abs=1e-9)


def test_a_semitone_beside_the_chords_costs(yardstick):
    made = song(30)
    for role, kind in (("melody", "melody"), ("bass", "bass")):
        moved = with_notes(made, role, lambda notes: tuple(replace(n, pitch=n.pitch + 1) for n in notes))
        assert yardstick.reward(moved, kind).total < yardstick.reward(made, kind).total - 0.3


def test_chords_that_do_not_fit_the_tune_cost(yardstick):
    made = song(31)
    foreign = tuple(replace(span, symbol="F#") for span in made.chords)
    assert yardstick.reward(replace(made, chords=foreign), "harmony").total < yardstick.reward(made, "harmony").total


def test_a_drummer_without_places_costs(yardstick):
    made = song(32)
    random = np.random.default_rng(0)

    def scatter(notes):
        places = random.integers(0, BARS * 16, size=len(notes)) * 240
        return tuple(sorted(replace(n, start_ticks=int(p)) for n, p in zip(notes, places, strict=True)))

    assert yardstick.reward(with_notes(made, "drums", scatter), "drums").total < (
        yardstick.reward(made, "drums").total - 0.3
    )


@pytest.mark.parametrize("kind", KINDS)
def test_silence_costs_and_is_not_unknown(yardstick, kind):
    made = song(33)
    if kind == "harmony":
        silent = replace(made, chords=())
    else:
        silent = replace(made, tracks=tuple(t for t in made.tracks if t.role != kind))
    values = measured(silent, kind)
    assert values["presence"] == 0.0
    assert np.isfinite(values["fullness"])
    assert yardstick.judge(values, kind).total < yardstick.reward(made, kind).total - 0.5


def test_every_measure_has_a_name_a_weight_and_no_double():
    for kind in KINDS:
        terms = terms_of(kind)
        assert set(terms) == {*WEIGHTS[kind], *OWN}
        assert all(weight > 0 for _, weight in terms.values())


def test_a_yardstick_comes_back_from_json(yardstick):
    again = Yardstick.from_table(json.loads(json.dumps(yardstick.as_table())))
    for kind in KINDS:
        one, two = (y.reward(song(34), kind).total for y in (yardstick, again))
        assert one == pytest.approx(two, abs=1e-3)


@pytest.mark.parametrize(
    "table",
    [
        {"melody": {"fullness": [1.0, 2.0]}},
        {"kazoo": {"fullness": [1, 1, 1]}},
        [],
        {"melody": {}},
        {"melody": {"fullness": [1, 1, 1], "loud": [1, 1, 1]}},
    ],
)
def test_a_broken_yardstick_is_one_line(table):
    with pytest.raises(ConfigError, match="calibrate it anew"):
        Yardstick.from_table(table)


def test_too_few_windows_are_refused():
    with pytest.raises(ConfigError, match="at least 8"):
        calibrate({"melody": [measured(song(0), "melody")]})
    with pytest.raises(ConfigError, match="no rewards for 'bass'"):
        Yardstick({}).reward(song(0), "bass")
