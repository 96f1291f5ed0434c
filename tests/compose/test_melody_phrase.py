"""The models' tables, and phrases to given syllables."""

import io
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_melody import chords, plan, style

from songwright.compose.melody import PhrasePlan, Setting, write_phrase
from songwright.compose.melody import features as f
from songwright.compose.melody.model import METRES, TABLES_FILE, load_model
from songwright.compose.melody.phrase_plan import usable_degrees
from songwright.compose.melody.rhythm import with_count
from songwright.compose.melody.sections import phrase_bars, shapes_of
from songwright.errors import DataError, InputError
from songwright.score.theory import parse_chord, parse_key
from songwright.seeding import generator


def setting() -> Setting:
    song = plan()
    return Setting(song, style(), chords(song))


@pytest.mark.parametrize("count", [1, 3, 7, 12, 19, 26])
def test_phrase_has_exactly_the_given_syllables(count):
    stresses = tuple(int(i % 3 == 0) for i in range(count))
    wanted = PhrasePlan(0, 4, syllables=count, stresses=stresses)
    line = write_phrase(load_model(), wanted, setting(), generator(0, "t", count))
    assert len(line.slots) == len(line.pitches) == count
    phrase = line.phrase(setting())
    assert (phrase.syllables, phrase.stresses) == (count, stresses)
    assert all(wanted.low <= p <= wanted.high for p in line.pitches)


def test_stressed_syllables_find_strong_places():
    shares = {}
    for name, stresses in (("even", (1, 0) * 4), ("odd", (0, 1) * 4)):
        strong = []
        for seed in range(12):
            wanted = PhrasePlan(0, 4, syllables=8, stresses=stresses)
            line = write_phrase(load_model(), wanted, setting(), generator(seed, "stress"))
            strong += [s % 8 == 0 for (s, _), stress in zip(line.slots, stresses, strict=True) if stress]
        shares[name] = np.mean(strong)
    assert shares["even"] > 0.5
    assert shares["odd"] > 0.35


@pytest.mark.parametrize(
    "bad", [{"num_bars": 0}, {"syllables": 0}, {"syllables": 3, "stresses": (1,)}, {"low": 70, "high": 72}]
)
def test_impossible_phrases_are_refused(bad):
    with pytest.raises(InputError):
        PhrasePlan(**{"start_ticks": 0, "num_bars": 4, **bad})


@given(st.lists(st.integers(2, 8), min_size=1, max_size=12), st.integers(1, 14))
@settings(max_examples=60, deadline=None)
def test_rhythms_are_split_and_joined_to_a_count(lengths, count):
    starts = np.cumsum([0, *lengths])[:-1].tolist()
    slots = tuple(zip(starts, lengths, strict=True))
    result = with_count(slots, count)
    assert len(result) == min(count, sum(lengths)) or len(result) == count
    assert sum(n for _, n in result) == sum(lengths)
    assert all(a[0] + a[1] <= b[0] for a, b in pairwise(result))


@given(st.integers(1, 64), st.floats(0.5, 6.0))
def test_phrases_fill_their_section(num_bars, bar_seconds):
    lengths = phrase_bars(num_bars, bar_seconds)
    assert sum(lengths) == num_bars
    assert min(lengths) >= 1
    assert len(shapes_of(len(lengths))) == len(lengths)


def test_chord_tones_bend_the_scale():
    minor, major = parse_key("A minor"), parse_key("C major")
    assert 10 not in usable_degrees(parse_chord("E7").transposed(-9), minor)
    assert 11 in usable_degrees(parse_chord("E7").transposed(-9), minor)
    assert 5 not in usable_degrees(parse_chord("D7"), major)
    assert 11 not in usable_degrees(parse_chord("Bb"), major)
    assert 9 not in usable_degrees(parse_chord("Fm"), major)
    assert usable_degrees(None, major) == (0, 2, 4, 5, 7, 9, 11)


def test_models_are_probabilities_over_all_metres():
    for metre in METRES:
        rhythm = load_model(metre).rhythm
        zero = np.zeros(1, np.int64)
        scores = rhythm.scores(zero, zero, zero, zero, np.full((1, 3), -1))
        assert scores.shape == (1, len(rhythm.tables.cells))
        assert np.isfinite(scores).all()
        assert scores.std() > 0.5


def test_likeness_counts_onsets():
    table = f.likeness(("x---x---x---x---", "x-------x---x---", "x---x---x-x-x-x-", "..xx....xx..x.xx"))
    assert table.diagonal().tolist() == [5, 5, 5, 5]
    assert table[0, 1] == 2
    assert table[0, 2] == 1
    assert table[0, 3] == 0
    assert (table == table.T).all()


def test_broken_tables_are_refused(tmp_path: Path):
    with np.load(TABLES_FILE) as data:
        arrays = {name: data[name] for name in data.files}
    meta = json.loads(arrays["meta"].tobytes().decode())

    def written(**changes: np.ndarray) -> Path:
        buffer = io.BytesIO()
        np.savez(buffer, **{k: v for k, v in (arrays | changes).items() if v is not None})
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.npz"
        path.write_bytes(buffer.getvalue())
        return path

    def text(change: dict) -> np.ndarray:
        return np.frombuffer(json.dumps(meta | change).encode(), np.uint8)

    assert load_model("4/4", written()).pitch.shape == (f.NUM_PITCH_WEIGHTS,)
    broken = [
        written(pitch=arrays["pitch"][:-1]),
        written(pitch=np.full_like(arrays["pitch"], np.nan)),
        written(pitch=None),
        written(meta=text({"schema_version": 9})),
        written(meta=text({"cells": {"4/4": ["xyz"]}})),
        written(meta=np.zeros(4, np.uint8)),
        tmp_path / "missing.npz",
    ]
    (tmp_path / "text.npz").write_bytes(b"not a zip")
    for path in [*broken, tmp_path / "text.npz"]:
        with pytest.raises(DataError):
            load_model("4/4", path)
