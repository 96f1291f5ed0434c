"""Real music as `Piece`s, from the folders of the open data sets. Nothing here trains on it."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from songwright.errors import DataError, SongwrightError
from songwright.evaluation.piece import Ints, Piece, from_song
from songwright.score.song import TICKS_PER_QUARTER

_SIXTEENTH = TICKS_PER_QUARTER // 4


def pop909(folder: Path) -> Iterator[Piece]:
    """Yields the pieces of POP909's structure annotations: tune, chords and phrases on one grid.

    Args:
        folder: the data folder that holds ``pop909/structure``.

    Raises:
        DataError: the data is not there.
    """
    root = folder / "pop909" / "structure"
    if not root.is_dir():
        raise DataError(root, "expected POP909's structure folder: unpack pop909 into the data folder")
    for path in sorted(p for p in root.iterdir() if p.is_dir()):
        yield _pop909_piece(path)


def _pop909_piece(path: Path) -> Piece:
    melody, tick = [], 0
    for line in (path / "melody.txt").read_text().splitlines():
        pitch, length = (int(x) for x in line.split()[:2])
        if pitch > 0:
            melody.append((tick, length * _SIXTEENTH, pitch))
        tick += length * _SIXTEENTH
    chords, at = [], 0
    for line in (path / "finalized_chord.txt").read_text().splitlines():
        match = re.match(r"\S+ \[([^\]]*)\] -?\d+ (\d+)", line)
        if match:
            bits = sum(1 << int(c) % 12 for c in match.group(1).split(",") if c.strip())
            chords.append((at, bits))
            at += int(match.group(2)) * TICKS_PER_QUARTER
    sections, start = [], 0
    for _, bars in re.findall(r"([A-Za-z])(\d+)", (path / "human_label1.txt").read_text()):
        end = start + int(bars) * 4 * TICKS_PER_QUARTER
        sections.append((start, end))
        start = end
    num_bars = max(start, tick) // (4 * TICKS_PER_QUARTER)
    return Piece(
        bar_ticks=np.arange(num_bars + 1, dtype=np.int64) * 4 * TICKS_PER_QUARTER,
        melody=_rows(melody),
        chords=np.array(chords, dtype=np.int64).reshape(-1, 2),
        section_ticks=np.array(sections, dtype=np.int64).reshape(-1, 2),
        name=f"pop909/{path.name}",
    )


def openewld(folder: Path) -> Iterator[Piece]:
    """Yields the lead sheets of OpenEWLD that read cleanly: tune and chords."""
    from songwright.score.musicxml import read_musicxml

    root = folder / "openewld" / "dataset"
    if not root.is_dir():
        raise DataError(root, "expected OpenEWLD's dataset folder: unpack openewld into the data folder")
    for path in sorted(root.rglob("*.mxl")):
        try:
            piece = from_song(read_musicxml(path))
        except SongwrightError:
            continue
        melody = piece.melody if len(piece.melody) else piece.accompaniment
        yield Piece(piece.bar_ticks, melody, chords=piece.chords, name=f"openewld/{path.stem}")


def multitrack(folder: Path, archive: str) -> Iterator[Piece]:
    """Yields the multi-track MIDI files of ``freedoom-midi`` or ``openmsx-midi`` that have a bass and drums."""
    from songwright.score.midi import read_midi

    root = folder / archive
    if not root.is_dir():
        raise DataError(root, f"expected the folder of {archive}: unpack it into the data folder")
    for path in sorted(root.rglob("*.mid")):
        try:
            piece = from_song(read_midi(path))
        except SongwrightError:
            continue
        if len(piece.bass) and len(piece.kicks):
            yield piece


def _rows(notes: list[tuple[int, int, int]]) -> Ints:
    return np.array(notes, dtype=np.int64).reshape(-1, 3)
