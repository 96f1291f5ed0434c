import pytest

from songwright.errors import DataError, InputError
from songwright.score.kern import parse_kern, read_kern
from songwright.score.song import TICKS_PER_QUARTER as Q


def kern(*rows):
    return "\n".join(row.replace(" / ", "\t") for row in rows) + "\n"


TWO_STAVES = kern(
    "!!!OTL: Little piece",
    "!!!OMD: Allegro. [quarter] = 96",
    "**kern / **dynam / **kern",
    '*I"Pianoforte / * / *',
    "*k[b-] / * / *k[b-]",
    "*d: / * / *d:",
    "*M3/4 / * / *M3/4",
    "4D / f / 4f",
    "=1 / =1 / =1",
    "4A 4D / p / 8.aL",
    ". / . / 16gJ",
    "[2D / . / 4b-^",
    ". / . / qee",
    ". / . / 12f#",
    ". / . / 12g",
    ". / . / 12aa-",
    "=2 / =2 / =2",
    "4D] / . / 2.r",
    "2AA / . / .",
    "== / == / ==",
    "*- / *- / *-",
)


def rows(track):
    return [(n.start_ticks / Q, n.duration_ticks / Q, n.pitch) for n in track.notes]


def test_notes_ties_chords_graces_and_tuplets():
    song = parse_kern(TWO_STAVES)
    right, left = song.tracks
    assert rows(left) == [(0, 1, 50), (1, 1, 50), (1, 1, 57), (2, 3, 50), (5, 2, 45)]
    third = 1 / 3
    assert [n for n in rows(right)] == [
        (0, 1, 65), (1, 0.75, 69), (1.75, 0.25, 67), (2, 1, 70), (3, pytest.approx(third), 66),
        (pytest.approx(3 + third), pytest.approx(third), 67), (pytest.approx(3 + 2 * third), pytest.approx(third), 80),
    ]  # fmt: skip


def test_maps_title_and_loudness():
    song = parse_kern(TWO_STAVES)
    assert song.title == "Little piece" and song.tempos[0].bpm == 96
    assert [k.key for k in song.keys] == ["D minor"]
    assert [(m.tick // Q, m.numerator, m.denominator) for m in song.meters] == [(0, 1, 4), (1, 3, 4)]
    loud = {n.start_ticks // Q: n.velocity for n in song.tracks[0].notes}
    assert loud[0] > loud[2] > loud[1]


def test_spines_split_and_join():
    text = kern(
        "**kern / **text", "*M2/4 / *", "=1 / =1", "*^ / *", "4c / 2e / la-", "4d / . / -la", "*v / *v / *", "=2 / =2",
        "2g / end", "*- / *-",
    )  # fmt: skip
    song = parse_kern(text)
    assert rows(song.tracks[0]) == [(0, 1, 60), (0, 2, 64), (1, 1, 62), (2, 2, 67)]
    assert [(s.text, s.word) for s in song.syllables] == [("la", "lala"), ("la", "lala"), ("end", "end")]


@pytest.mark.parametrize(
    "text",
    ["", "no spines at all\n", kern("**kern", "*-"), kern("**kern / **kern", "4c", "*- / *-"),
     kern("**text", "la", "*-"), kern("**kern", "4cccccccccccc", "*-")],
)  # fmt: skip
def test_what_is_no_score_is_refused(text):
    with pytest.raises(InputError):
        parse_kern(text)


def test_files(tmp_path):
    path = tmp_path / "a.krn"
    path.write_text(TWO_STAVES)
    assert len(read_kern(path).tracks) == 2
    path.write_bytes(bytes(range(256)) * 10)
    with pytest.raises(DataError):
        read_kern(path)
    with pytest.raises(DataError):
        read_kern(tmp_path / "none.krn")
