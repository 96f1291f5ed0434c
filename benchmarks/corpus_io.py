"""Reads every MIDI and MusicXML file of the open data and checks that what was read survives writing.

    python benchmarks/corpus_io.py --data FOLDER [--limit 100]

For MIDI the song of the written file must equal the song that was written: notes, tempos, metres, keys, programs,
controllers and bends. For MusicXML the notated layer must be equal.
What notation cannot hold (more than four voices, finer values) is settled before, by `notated`.
Prints one row a corpus, and each failure.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from songwright.errors import SongwrightError
from songwright.score.midi import read_midi, to_midi_bytes
from songwright.score.notation import notated
from songwright.score.song import Song

MIDI = ("pop909", "pop909-cl", "groove-midi", "freedoom-midi", "openmsx-midi", "js-fakes", "nottingham")
MUSICXML = ("openewld", "openscore-lieder", "openscore-quartets")


def performance_of(song: Song) -> tuple[object, ...]:
    """Returns what a MIDI file must keep."""
    tracks = [(t.instrument, t.is_drums, t.notes, t.controls, t.bends) for t in song.tracks]
    return song.duration_ticks, song.tempos, song.meters, song.keys, tracks, song.syllables


def notation_of(song: Song) -> tuple[object, ...]:
    """Returns what a MusicXML file must keep."""
    tracks = [(t.name, t.is_drums, sorted((n.start_ticks, n.pitch, n.duration_ticks) for n in t.notes))
              for t in song.tracks]  # fmt: skip
    return song.duration_ticks, song.tempos, song.meters, song.keys, song.chords, song.sections, tracks


def check(
    files: list[Path],
    suffix: str,
    read: Callable[[Path], Song],
    write: Callable[[Song], bytes],
    kept: Callable[[Song], tuple[object, ...]],
) -> tuple[list[str], float, int]:
    """Returns failures, seconds spent reading, and the number of notes."""
    failures: list[str] = []
    seconds, notes = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"copy{suffix}"
        for file in files:
            try:
                started = time.perf_counter()
                song = read(file)
                seconds += time.perf_counter() - started
                notes += sum(len(t.notes) for t in song.tracks)
                copy.write_bytes(write(song))
                if kept(read(copy)) != kept(notated(song) if suffix == ".musicxml" else song):
                    failures.append(f"{file}: not the same after writing and reading")
            except SongwrightError as error:
                failures.append(str(error))
    return failures, seconds, notes


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"), help="folder of the corpora")
    parser.add_argument("--limit", type=int, default=0, help="files of each corpus, evenly spread; 0 takes all")
    parser.add_argument("--only", help="one corpus")
    args = parser.parse_args()
    if args.data is None:
        parser.error("give --data FOLDER or set SONGWRIGHT_DATA")
    print(f"{'corpus':<20}{'files':>7}{'failed':>8}{'notes':>10}{'files/s':>9}")
    for corpus in (*MIDI, *MUSICXML):
        if args.only and corpus != args.only:
            continue
        xml = corpus in MUSICXML
        kinds = (".mxl", ".musicxml", ".xml") if xml else (".mid", ".midi")
        files = sorted(p for p in (args.data / corpus).rglob("*") if p.suffix.lower() in kinds)
        files = files[:: max(1, len(files) // args.limit)] if args.limit else files
        if xml:
            from songwright.score.musicxml import read_musicxml, to_musicxml_bytes

            failures, seconds, notes = check(files, ".musicxml", read_musicxml, to_musicxml_bytes, notation_of)
        else:
            failures, seconds, notes = check(files, ".mid", read_midi, to_midi_bytes, performance_of)
        rate = len(files) / max(seconds, 1e-9)
        print(f"{corpus:<20}{len(files):>7}{len(failures):>8}{notes:>10}{rate:>9.0f}", flush=True)
        for failure in failures[:10]:
            print(f"    {failure}")


if __name__ == "__main__":
    main()
