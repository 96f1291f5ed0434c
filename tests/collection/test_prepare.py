import json

import numpy as np
import pytest

from songwright.cli.main import main
from songwright.collection.catalogue import CORPORA
from songwright.collection.corpus import Source
from songwright.collection.prepare import prepare, side_of, table, title_of
from songwright.compose.tokens.vocabulary import vocabulary_hash
from songwright.errors import InputError
from songwright.splits import held_out
from songwright.training.shards import open_shards

TUNE = "X:{n}\nT:The {title} Reel\nR:reel\nM:4/4\nL:1/8\nK:D\nA2|{bars}|d4:|\n\n"
BILLBOARD = """# title: A
# artist: B
# metre: 4/4
# tonic: A

0.0\tsilence
1.0\tA, verse, | A:maj | D:maj E:7 | . | A:maj |
9.0\tB, chorus, | F#:min | D:maj . E:7 . | x2, (voice)
17.0\t| A:maj | A:maj |
21.0\tsilence
"""
BARS = "|".join(["d2f2 a2f2", "g2e2 B2g2"] * 4)


@pytest.fixture
def data(tmp_path):
    folk = tmp_path / "data" / "folk-abc" / "book"
    folk.mkdir(parents=True)
    titles = ("Silver Spear", "Mountain Road", "Windy Gap", "Old Bush", "Long Note", "Wise Maid", "Green Fields")
    tunes = [TUNE.format(n=i, title=title, bars=BARS) for i, title in enumerate(titles)]
    (folk / "one.abc").write_text("".join(tunes) + "X:9\nT:Broken\nK:Q\nabc|\n\nX:10\nT:Short one\nK:C\nabc|\n")
    chart = tmp_path / "data" / "mcgill-billboard"
    (chart / "salami_chords").mkdir(parents=True)
    (chart / "index.csv").write_text("id,title,artist\n1,A,B\n2,A,B\n3,,\n")
    (chart / "salami_chords" / "0001.txt").write_text(BILLBOARD)
    return tmp_path / "data"


def test_shards_ledger_and_what_was_skipped(data, tmp_path):
    out = tmp_path / "out"
    tallies = prepare(data, out, ["folk-abc", "mcgill-billboard"], jobs=1)
    shards = open_shards(out, vocabulary=vocabulary_hash())
    assert len(shards) == 8
    assert shards.manifest["ledger"]["mcgill-billboard"]["licence"] == "CC0-1.0"
    folk = tallies[0]
    assert sum(folk.pieces.values()) == 7 and folk.notes == 7 * 34
    assert [piece for piece, _ in folk.skipped] == ["book/one/7", "book/one/8"]
    assert all("\n" not in why and str(data) not in why for _, why in folk.skipped)
    for piece in shards.pieces:
        source = next(s for s in CORPORA[piece.corpus].find(data) if f"{piece.corpus}/{s.id}" == piece.id)
        assert (piece.split == "valid") == held_out(source.song)
    bars = shards.array(len(shards) - 1, "bar_offsets")
    assert len(bars) == 10 + 1
    text = "\n".join(table(tallies))
    assert "folk-abc" in text and "together" in text


def test_the_same_bytes_again_without_reading_anything_twice(data, tmp_path, monkeypatch):
    out = tmp_path / "out"
    prepare(data, out, ["folk-abc"], jobs=1)
    first = {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}
    monkeypatch.setattr("songwright.collection.prepare._work", lambda job: 1 / 0)
    prepare(data, out, ["folk-abc"], jobs=1)
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()} == first


def test_a_run_that_was_stopped_goes_on(data, tmp_path):
    whole, out = tmp_path / "whole", tmp_path / "out"
    prepare(data, whole, ["folk-abc"], jobs=1)
    prepare(data, out, ["folk-abc"], jobs=1)
    kept = sorted((out / ".pieces" / "folk-abc").iterdir())
    kept[0].unlink()
    (out / "manifest.json").unlink()
    seen = []
    prepare(data, out, ["folk-abc"], jobs=1, progress=lambda stage, share: seen.append(stage))
    assert (out / "manifest.json").read_bytes() == (whole / "manifest.json").read_bytes()
    assert "reading" in seen


def test_several_processes_give_the_same(data, tmp_path):
    prepare(data, tmp_path / "a", ["folk-abc", "mcgill-billboard"], jobs=1)
    prepare(data, tmp_path / "b", ["folk-abc", "mcgill-billboard"], jobs=2)
    assert (tmp_path / "a/manifest.json").read_bytes() == (tmp_path / "b/manifest.json").read_bytes()


def test_titles_are_on_one_side_in_every_corpus():
    hymn = Source("x", None, song="hymn/amazinggrace")
    sheet = Source("y", None, song="openewld/Amazing_Grace", about=("title=Amazing_Grace",))
    assert title_of(hymn) == title_of(sheet) == "amazinggrace"
    held = frozenset({"amazinggrace"})
    assert side_of("open-hymnal", hymn, held) == side_of("openewld", sheet, held) == "valid"
    assert side_of("folk-abc", Source("z", None, song="folk/reel"), frozenset({""})) in ("train", "valid")
    assert side_of("groove-midi", Source("z", None, song="a", split="test"), held) == "test"


def test_every_corpus_says_what_may_be_done_with_it():
    for name, corpus in CORPORA.items():
        assert corpus.name == name and corpus.licence and corpus.attribution
        assert corpus.usable or corpus.why_not
    banned = {name for name, corpus in CORPORA.items() if not corpus.usable}
    assert banned == {"nottingham", "openmsx-midi", "jsb-chorales", "js-fakes"}


def test_mistakes_are_one_line(data, tmp_path, capsys):
    with pytest.raises(InputError, match="no corpus 'pop'"):
        prepare(data, tmp_path / "o", ["pop"])
    with pytest.raises(InputError, match="neither"):
        prepare(data, tmp_path / "o", ["groove-midi"])
    assert main(["prepare-scores", str(tmp_path / "nowhere")]) == 2
    assert main(["prepare-scores", str(data), "-o", str(tmp_path / "o"), "--corpora", " , "]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_command(data, tmp_path, capsys):
    out = tmp_path / "shards"
    arguments = ["prepare-scores", str(data), "-o", str(out), "--corpora", "folk-abc", "--jobs", "1"]
    assert main(arguments) == 0
    shown = capsys.readouterr()
    assert "skipped folk-abc/book/one/7" in shown.err and "folk-abc" in shown.out
    assert len(json.loads((out / "manifest.json").read_text())["pieces"]) == 7
    assert np.load(next((out / ".pieces/folk-abc").iterdir()), allow_pickle=False).files
