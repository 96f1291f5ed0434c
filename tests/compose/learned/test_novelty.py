"""What was learned from is found again in any key and at half or double time; chance, scales and figures are not."""

from dataclasses import replace

import numpy as np
import pytest

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.learned.lines import BREAK, make_line, skyline, song_lines
from songwright.compose.learned.melody_file import INDEX_FILE, load_index, save_index
from songwright.compose.learned.melody_index import MelodyIndex
from songwright.compose.learned.novelty import Neighbour, Shared, as_dict, nearest, novel, told, too_near
from songwright.errors import DataError
from songwright.score.song import MeterChange, Note, Song, Track
from songwright.seeding import generator

STEPS = (-5, -4, -3, -2, -2, -1, 1, 2, 2, 3, 4, 5)
VALUES = (240, 480, 480, 480, 960, 960, 1440)


def tune(name, notes=60, start=0):
    """A random walk with a random rhythm, by name; (start, duration, pitch)."""
    random = generator(7, name)
    found, pitch, tick = [], 67, start
    for _ in range(notes):
        length = int(random.choice(VALUES))
        found.append((tick, length, pitch))
        tick += length
        pitch = int(np.clip(pitch + random.choice(STEPS), 55, 80))
    return found


def song_of(notes, role="melody", meter=(4, 4)):
    track = Track("lead", role, "violin", notes=tuple(Note(s, d, p, 80) for s, d, p in notes))
    end = max((s + d for s, d, _ in notes), default=0)
    return Song(duration_ticks=end, meters=(MeterChange(0, *meter),), tracks=(track,) if notes else ())


def index_of(songs):
    lines = {name: song_lines(song)[0] for name, song in songs.items()}
    starts = np.cumsum([0, *(len(line) for line in lines.values())])[:-1]
    advance = [np.diff(line.bars, prepend=line.bars[0]) for line in lines.values()]
    return MelodyIndex(
        (np.concatenate([x.intervals() for x in lines.values()]), np.concatenate([x.times() for x in lines.values()])),
        np.concatenate(advance).astype(np.uint8), starts, np.arange(len(lines)),
        np.array([line.bars[0] for line in lines.values()]), ["melody"] * len(lines), list(lines),
        {"own": {"licence": "CC0-1.0", "attribution": "nobody"}},
    )  # fmt: skip


@pytest.fixture(scope="module")
def index():
    return index_of({f"own/{i}": song_of(tune(f"piece {i}", 200)) for i in range(30)})


def test_a_copied_melody_is_found_where_it_stands_in_any_key(index):
    theirs = tune("piece 4", 200)
    taken = theirs[50:110]
    own = tune("something else", 40)
    offset = own[-1][0] + own[-1][1] - taken[0][0]
    made = song_of(own + [(s + offset, d, p - 3) for s, d, p in taken])
    found = nearest(made, index)
    for one in (found.tune, found.pitches):
        assert (one.corpus, one.piece, one.track) == ("own", "own/4", "lead")
        assert abs(one.notes - 60) <= 1
        assert one.piece_bar == taken[0][0] // 3840 + 1
        assert one.bar == (taken[0][0] + offset) // 3840 + 1
    assert abs(found.tune.bars - (taken[-1][0] + taken[-1][1] - taken[0][0]) / 3840) < 0.5
    assert too_near(found)
    assert "own/4" in told(found)
    assert as_dict(found)["too_near"] is True


@pytest.mark.parametrize(("times", "speed"), [((2, 1), 2.0), ((1, 2), 0.5)])
def test_half_and_double_time_hide_nothing(index, times, speed):
    up, down = times
    stretched = [(s * up // down, d * up // down, p + 2) for s, d, p in tune("piece 9", 200)[:80]]
    found = nearest(song_of(stretched), index)
    assert (found.tune.piece, found.tune.speed, found.tune.notes) == ("own/9", speed, 80)


def test_another_rhythm_leaves_the_pitches(index):
    other = [(480 * i, 480, p) for i, (_, _, p) in enumerate(tune("piece 2", 200)[:70])]
    found = nearest(song_of(other), index)
    assert found.tune is None or found.tune.notes < 20
    assert (found.pitches.piece, found.pitches.notes, found.pitches.rhythm) == ("own/2", 70, False)
    assert too_near(found)


def test_shuffled_notes_and_other_tunes_share_next_to_nothing(index):
    theirs = tune("piece 4", 200)
    order = generator(3, "shuffle").permutation(len(theirs))
    shuffled = [(s, d, theirs[i][2]) for (s, d, _), i in zip(theirs, order, strict=True)]
    for notes in (shuffled, tune("nobody's", 200)):
        found = nearest(song_of(notes), index)
        assert not too_near(found)
        assert all(one is None or one.notes < 20 for one in (found.tune, found.pitches))


@pytest.mark.parametrize(
    "notes",
    [
        [(480 * i, 480, 60) for i in range(200)],
        [(480 * i, 480, 60 + abs(i % 14 - 7)) for i in range(200)],
        [(480 * i, 480, (60, 64, 67, 64)[i % 4]) for i in range(200)],
    ],
    ids=["one note", "scale", "figure"],
)
def test_what_everybody_plays_belongs_to_nobody(notes):
    owned = index_of({"own/it": song_of(notes), **{f"own/{i}": song_of(tune(f"piece {i}", 200)) for i in range(9)}})
    assert not too_near(nearest(song_of(notes), owned))


def test_eight_bars_are_counted_in_the_songs_own_metre(index):
    notes = tune("piece 5", 200)[:52]
    whole = nearest(song_of(notes), index).tune
    waltz = nearest(song_of(notes, meter=(3, 4)), index).tune
    assert waltz.notes == whole.notes == 52
    assert waltz.bars == pytest.approx(whole.bars * 4 / 3, abs=0.1)
    late = [(s + (38400 if i >= 26 else 0), d, p) for i, (s, d, p) in enumerate(notes)]
    assert nearest(song_of(late), index).tune.bars < whole.bars  # a long rest is no melody


def test_nothing_to_compare(index):
    drums = Track("kit", "drums", "standard_kit", notes=tuple(Note(480 * i, 240, 36, 90) for i in range(50)))
    for empty in (Song(), Song(duration_ticks=3840 * 20, tracks=(drums,)), song_of(tune("one", 1))):
        assert nearest(empty, index) == Neighbour()
    assert not too_near(Neighbour())
    assert "nothing" in told(Neighbour())


def test_composing_goes_on_until_nothing_is_too_near(index):
    copy, other = song_of(tune("piece 4", 200)), song_of(tune("new", 120))
    asked = []

    def compose(attempt):
        asked.append(attempt)
        return other if attempt == 2 else copy

    song, neighbour = novel(compose, 4, index)
    assert (song, asked) == (other, [0, 1, 2])
    assert not too_near(neighbour)
    part = song_of(tune("piece 4", 200)[:90])
    song, neighbour = novel(lambda attempt: part if attempt == 1 else copy, 3, index)
    assert song is part
    assert too_near(neighbour)


def test_the_top_of_chords_is_the_line_where_nobody_sings():
    assert skyline([0, 0, 0, 480, 960], [480, 480, 1920, 960, 1440], [60, 64, 72, 67, 74]).tolist() == [2, 4]
    notes = [(0, 480, 60), (0, 480, 64), (480, 480, 65), (960, 480, 60)]
    assert [x.pitches.tolist() for x in song_lines(song_of(notes, role="chords"))] == [[64, 65, 60]]
    empty = np.zeros(0, dtype=np.int64)
    assert len(make_line(empty, empty, empty, np.array([0, 96]), 24)) == 0


def test_the_file_holds_the_index_and_damage_is_one_line(index, tmp_path):
    path = tmp_path / "lines.npz"
    assert save_index(index, path) == path.stat().st_size
    again = load_index(path)
    assert np.array_equal(again.intervals, index.intervals)
    assert (again.names, again.roles, again.ledger) == (index.names, index.roles, index.ledger)
    assert nearest(song_of(tune("piece 3", 80)), again) == nearest(song_of(tune("piece 3", 80)), index)
    whole = path.read_bytes()
    arrays = dict(np.load(path))
    damaged = [b"", b"not this", whole[: len(whole) // 2], whole[:300] + b"\xff" * 300 + whole[600:]]
    for i, data in enumerate(damaged):
        bad = tmp_path / f"bad{i}.npz"
        bad.write_bytes(data)
        with pytest.raises(DataError) as error:
            load_index(bad)
        assert "\n" not in str(error.value)
    wrong = {"starts": arrays["starts"][1:], "pieces": arrays["pieces"] + 40, "schema": np.int16(9), "text": b"{"}
    for i, (name, value) in enumerate(wrong.items()):
        bad = tmp_path / f"wrong{i}.npz"
        np.savez(bad, **{**arrays, name: np.frombuffer(value, np.uint8) if isinstance(value, bytes) else value})
        with pytest.raises(DataError, match="make it anew"):
            load_index(bad)
    with pytest.raises(DataError, match="missing"):
        load_index(tmp_path / "none.npz")


def test_the_shipped_index_knows_what_was_learned_and_whose_it_is():
    index = load_index()
    assert INDEX_FILE.stat().st_size < 2_500_000
    assert len(index) > 1_000_000
    assert {name.split("/")[0] for name in index.names} == set(index.ledger)
    assert all(entry["licence"] and entry["attribution"] for entry in index.ledger.values())
    at = int(index.starts[[i for i, p in enumerate(index.pieces) if index.names[p].startswith("openewld")][40]])
    pitches = 60 + np.cumsum(np.where(index.intervals[at : at + 60] == BREAK, 0, index.intervals[at : at + 60]))
    found = nearest(song_of([(480 * i, 480, int(p)) for i, p in enumerate(pitches)]))
    assert isinstance(found.pitches, Shared)
    assert found.pitches.notes >= 40


def test_a_composed_song_is_new():
    song = compose_song(Brief(styles=("folk",), seed=2, duration_seconds=60.0))
    found = nearest(song)
    assert not too_near(found)
    assert nearest(replace(song, title="another")) == found
