"""Makes the songs in docs/samples again: python docs/make_samples.py [NAME …].

Each is a plain songwright command; the mix is then written as a small OGG file. `docs/samples/README.md` comes from
the same table.
"""

import shlex
import sys
import tempfile
from pathlib import Path

import soundfile

from songwright.cli.main import main as songwright

FOLDER = Path(__file__).parent / "samples"
LARGEST_BYTES = 600_000
SONGS: tuple[tuple[str, str], ...] = (
    ("come_home", '"warm R&B ballad, male singer" --lyrics docs/samples/come_home.txt --duration 0:58'),
    ("summer_lane", '"sunny acoustic folk song about a summer road, soft female voice" --duration 0:55 --seed 1'),
    ("harbour_lights", '"upbeat disco song about the sea, powerful female singer" --duration 0:56 --seed 2'),
    ("night_drive", '"synthwave about driving through the city at night, male voice" --duration 0:56 --seed 4'),
    ("rainy_night", '"慢的国语情歌，关于下雨的夜晚，女声" --duration 0:58'),
    ("moon_river_town", '"国风歌曲，关于月亮和故乡，男声" --duration 0:57 --seed 3'),
    ("metro", '"быстрый панк про метро, мужской голос" --duration 0:50 --seed 2'),
    ("snow", '"тихая песня про снег, мягкий женский голос" --duration 0:57 --seed 1'),
)
"""Name of each song and the arguments of `songwright make`."""


def make(name: str, arguments: str) -> int:
    """Makes one song and its OGG file; returns the file's size."""
    with tempfile.TemporaryDirectory() as aside:
        song = Path(aside) / "song"
        if songwright(["make", *shlex.split(arguments), "-o", str(song), "--quiet"]) != 0:
            raise SystemExit(f"{name}: the song could not be made")
        samples, rate = soundfile.read(song / "mix.wav", dtype="float32")
    path = FOLDER / f"{name}.ogg"
    for level in (0.5, 0.6, 0.7, 0.8, 0.9):  # of compression
        with soundfile.SoundFile(path, "w", rate, 2, format="OGG", subtype="VORBIS", compression_level=level) as file:
            for start in range(0, len(samples), 1 << 16):
                file.write(samples[start : start + (1 << 16)])
        if path.stat().st_size <= LARGEST_BYTES:
            break
    return path.stat().st_size


def page() -> str:
    """Returns `docs/samples/README.md`."""
    rows = "\n".join(f"| [{name}]({name}.ogg) | `songwright make {arguments}` |" for name, arguments in SONGS)
    return (
        "# Eight short songs\n\nEach was made by the command beside it, with nothing done by hand; words without a "
        "`--lyrics` file are songwright's own.\n`python docs/make_samples.py` makes all of them again.\n\n"
        f"| song | command |\n|---|---|\n{rows}\n"
    )


def main(names: list[str]) -> None:
    """Makes the named songs, or all."""
    FOLDER.mkdir(exist_ok=True)
    unknown = set(names) - {name for name, _ in SONGS}
    if unknown:
        raise SystemExit(f"no song {', '.join(sorted(unknown))}; songs: {', '.join(name for name, _ in SONGS)}")
    for name, arguments in SONGS:
        if not names or name in names:
            sys.stdout.write(f"{name}: {make(name, arguments) / 1000:.0f} kB\n")
    (FOLDER / "README.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
