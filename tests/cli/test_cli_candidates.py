"""``make --candidates``: the number reaches the composer, nonsense is one line, and the summary says what was taken."""

from pathlib import Path

import pytest

from songwright.cli.main import main
from songwright.evaluation.report import summarise


@pytest.mark.parametrize(("flags", "count"), [([], 1), (["--candidates", "8"], 8)])
def test_the_number_reaches_the_engine(flags, count, monkeypatch, tmp_path):
    seen = {}

    def made(brief, folder, **options):
        seen.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr("songwright.engines.score.make_song", made)
    code = main(["make", "a waltz", "-o", str(tmp_path / "waltz"), "-q", *flags])
    assert seen["candidates"] == count and code != 0


@pytest.mark.parametrize("count", ["0", "-2", "1000"])
def test_impossible_numbers_are_one_line_and_leave_nothing(count, capsys, tmp_path):
    folder = tmp_path / "waltz"
    assert main(["make", "a waltz", "-o", str(folder), "-q", "--candidates", count]) == 2
    said = capsys.readouterr().err.strip()
    assert "expected 1 to 64" in said and "\n" not in said
    assert not folder.exists() and not list(Path(tmp_path).iterdir())


def test_the_summary_tells_the_choice():
    row = {"asked": None, "measured": 1.0}
    scores = [{"seed": 5, "total": 1.25, "terms": {}}, {"seed": 77, "total": 2.0, "terms": {}}]
    report = {
        "title": "A", "style": "pop", "seed": 77, "length_seconds": row, "tempo_bpm": row,
        "key": {"written": "C major", "measured": "C major"}, "loudness_lufs": row, "true_peak_dbtp": row,
        "sections": [], "soundfont": {"file": "f", "source": "s"}, "not_understood": [],
        "provenance": {"candidates": {"chosen": 1, "scores": scores}},
    }  # fmt: skip
    assert "took candidate 1 of 0 to 1 (seed 77); the critic: +1.25, +2.00" in summarise(report)
    assert "candidate" not in summarise({**report, "provenance": {}})
