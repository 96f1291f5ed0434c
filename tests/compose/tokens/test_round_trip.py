"""The law of the event language: decoding what was encoded gives the song on the grid, and the grid is idempotent."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from token_songs import wild_songs

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.tokens.decode import decode
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.grid import on_grid
from songwright.compose.tokens.vocabulary import KIND, STREAMS, VALUE, VOCABULARY_SIZES, Kind, vocabulary_hash
from songwright.errors import InputError
from songwright.score.song import Note, Song, Track, check


@settings(max_examples=100, deadline=None)
@given(wild_songs())
def test_decoding_gives_the_song_on_the_grid(song):
    codes = encode(song).codes
    gridded = on_grid(song)
    check(gridded)
    assert decode(codes) == gridded
    assert on_grid(gridded) == gridded
    assert np.array_equal(encode(gridded).codes, codes)
    assert codes.dtype == np.int16 and codes.min() >= 0
    assert (codes.max(axis=1) < VOCABULARY_SIZES).all()


@pytest.mark.parametrize(("style", "sung"), [("pop", True), ("jazz", False), ("waltz", True), ("techno", False)])
def test_our_own_songs_come_back(style, sung):
    song = compose_song(Brief(styles=(style,), seed=5, vocal=sung, instrumental=not sung, duration_seconds=40))
    gridded = on_grid(song)
    assert decode(encode(song).codes) == gridded
    assert [t.role for t in gridded.tracks] == [t.role for t in song.tracks]
    assert len(gridded.syllables) >= len(song.syllables) > 0 or not sung
    assert max(abs(a.start_ticks - b.start_ticks) for a, b in zip(song.sections, gridded.sections, strict=True)) == 0
    for before, after in zip(song.tracks, gridded.tracks, strict=True):
        assert {(n.start_ticks + 20) // 40 * 40 for n in before.notes} == {n.start_ticks for n in after.notes}


def test_bars_may_come_in_any_order():
    song = compose_song(Brief(styles=("folk",), seed=1, instrumental=True, duration_seconds=40))
    events = encode(song)
    pieces = np.split(events.codes, events.bar_offsets, axis=1)
    header, bars, last = pieces[0], pieces[1:-1], pieces[-1]
    hole = bars[4:8]
    moved = np.concatenate([header, *bars[:4], *bars[8:30], *hole, *bars[30:], last], axis=1)
    assert not np.array_equal(moved, events.codes)
    assert decode(moved) == decode(events.codes)


def test_offsets_begin_bars():
    song = Song(duration_ticks=3840 * 70, tracks=(Track("a", "bass", "flute", notes=(Note(960, 20_000, 40, 90),)),))
    events = encode(song)
    assert (events.codes[KIND, events.bar_offsets[:-1]] == Kind.BAR).all()
    assert events.codes[KIND, events.bar_offsets[-1]] == Kind.EOS
    assert len(events.bar_offsets) == 71
    assert events.codes[VALUE, events.bar_offsets[64]] == events.codes[VALUE, events.bar_offsets[0]]
    assert np.count_nonzero(events.codes[KIND] == Kind.TIE) == 2


@pytest.mark.parametrize("damage", range(7))
def test_broken_events_are_refused(damage):
    song = compose_song(Brief(styles=("folk",), seed=1, instrumental=True, duration_seconds=20))
    codes = encode(song).codes.copy()
    kinds = codes[KIND]
    first_bar = int(np.argmax(kinds == Kind.BAR))
    note = int(np.argmax(kinds == Kind.NOTE))
    if damage == 0:
        codes = codes[:5]
    elif damage == 1:
        codes = codes[:, :first_bar]
    elif damage == 2:
        codes = codes[:, np.arange(codes.shape[1]) != first_bar]
    elif damage == 3:
        codes[VALUE, note] = 2000
    elif damage == 4:
        codes[1, note] = 190
    elif damage == 5:
        codes[:, first_bar - 2] = codes[:, 1]
    else:
        codes[0, note] = Kind.TIE
        codes[0, note - 1] = Kind.BAR
    with pytest.raises(InputError) as error:
        decode(codes)
    assert "\n" not in str(error.value)


def test_the_meaning_of_numbers_is_pinned():
    assert len(STREAMS) == len(VOCABULARY_SIZES) == 6
    assert vocabulary_hash() == "75272a424b27229b"


def test_tokens_need_numpy_alone():
    modules = ("batches", "decode", "losses", "tracker")
    code = "import sys; " + "; ".join(f"import songwright.compose.tokens.{name}" for name in modules)
    code += "; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    heavy = {"torch", "scipy", "soundfile", "symusic", "PIL", "pretty_midi", "onnxruntime", "soxr", "safetensors"}
    assert not heavy & {name.partition(".")[0] for name in run.stdout.split()}
