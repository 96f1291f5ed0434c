"""The learned composer against the tables of the statistical one, on songs that neither learned from.

    python benchmarks/learned.py --data FOLDER --composer FOLDER [--exact FOLDER] [--songs 40] [--markdown]

Tunes and harmony in nats (lower is better) and by forced choice: what people wrote against nine others in the same
rhythm, key and range (chance 10 %); bass and drums by forced choice alone. With --exact, the same weights exported as
float32, what eight bits cost. In square brackets: 95 % intervals, songs drawn again. What is compared, and what each
side is told, stands in `learned_tunes`, `learned_harmony` and `learned_band`.
"""

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import learned_band as band
import learned_harmony as harmony
import learned_tunes as tunes
from learned_reading import HEARD_BARS, bootstrap, songs_of
from songwright.compose.learned.composer import load_composer
from songwright.compose.learned.onnx_steps import OnnxStepModel
from songwright.score.song import Song

TUNE_CORPORA = ("pop909", "openewld")
BAND_CORPORA = {"bass": ("pop909-hands",), "chords": ("pop909-hands",), "drums": ("groove-midi", "freedoom-midi")}
MEASURES = ("tunes", "harmony", "band", "int8")
KIND_EXAMPLES, KIND_LENGTH = 12, 384
Interval = tuple[float, float, float]


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        measure: what is measured.
        corpus: where.
        count: how many notes, chords or choices.
        unit: "nats" (less is better) or "share" (more is).
        table: of the statistical composer, with its interval; None where it has no counterpart.
        network: of the learned composer.
        gain: how much better the network is, with its interval; None without a counterpart.
    """

    measure: str
    corpus: str
    count: int
    unit: str
    table: Interval | None
    network: Interval
    gain: Interval | None


def nats_line(
    measure: str, corpus: str, counts: Sequence[float], table: Sequence[float], network: Sequence[float]
) -> Line:
    """Returns a line of nats from sums of songs."""
    given, learned = np.array(table), np.array(network)
    return Line(
        measure, corpus, int(sum(counts)), "nats", bootstrap(given, counts), bootstrap(learned, counts),
        bootstrap(given - learned, counts),
    )  # fmt: skip


def choice_line(
    measure: str, corpus: str, rows: Sequence[tuple[str, float, float]] | Sequence[tuple[str, float]]
) -> Line:
    """Returns a line of shares from (song, won by the table, won by the network), or without the table."""
    songs: dict[str, list[Sequence[float]]] = defaultdict(list)
    for name, *won in rows:
        songs[name].append(won)
    counts = [len(won) for won in songs.values()]
    if not rows:
        return Line(measure, corpus, 0, "share", None, bootstrap((), ()), None)
    sums = np.array([np.sum(won, axis=0) for won in songs.values()])  # (songs, 1 or 2)
    learned = sums[:, -1]
    if sums.shape[1] == 1:
        return Line(measure, corpus, len(rows), "share", None, bootstrap(learned, counts), None)
    return Line(
        measure, corpus, len(rows), "share", bootstrap(sums[:, 0], counts), bootstrap(learned, counts),
        bootstrap(learned - sums[:, 0], counts),
    )  # fmt: skip


def tune_lines(network: OnnxStepModel, options: argparse.Namespace) -> list[Line]:
    """Returns nats a note and forced choices of phrases, corpus by corpus."""
    found = []
    for corpus in TUNE_CORPORA:
        held = tunes.tunes_of(options.data, corpus, options.songs)
        rows = tunes.scores(network, held)
        notes, table = [r.notes for r in rows], [r.table for r in rows]
        found.append(nats_line("pitch of a note", corpus, notes, table, [r.network for r in rows]))
        found.append(nats_line("… both together", corpus, notes, table, [r.both for r in rows]))
        asked = tunes.choices(held, 1, options.seed)
        for before, name in ((0, "phrase, alone"), (tunes.PHRASE_BARS, "phrase, after four bars")):
            found.append(choice_line(name, corpus, tunes.forced_choice(network, asked, before)))
    return found


def harmony_lines(network: OnnxStepModel, songs: Mapping[str, Mapping[str, Song]], seed: int) -> list[Line]:
    """Returns nats a chord, which and when, and forced choices of progressions, corpus by corpus."""
    found = []
    for corpus, group in harmony.GROUP_OF.items():
        held = songs[corpus]
        rows = harmony.scores(network, list(held.values()), group, HEARD_BARS)
        counts = [row.chords for row in rows]
        table, learned = (np.array([getattr(row, side) for row in rows]) for side in ("table", "network"))
        for name, part in (("chord: which", [0]), ("chord: when", [1]), ("chord: both", [0, 1])):
            found.append(
                nats_line(name, corpus, counts, table[:, part].sum(axis=1), learned[:, part].sum(axis=1))
            )  # fmt: skip
        asked = harmony.choices(held, 2, seed)
        found.append(choice_line("progression", corpus, harmony.forced_choice(network, held, asked, group)))
    return found


def band_lines(network: OnnxStepModel, songs: Mapping[str, Mapping[str, Song]], seed: int) -> list[Line]:
    """Returns forced choices of bars of bass and drums."""
    found = []
    for role, corpora in BAND_CORPORA.items():
        for corpus in corpora:
            every = [e for name, song in songs[corpus].items() for e in band.excerpts_of(name, song, role, 2, seed)]
            mine = list({e.name: e for e in every}.values())
            takes = [(e, band.style_takes(e, seed)) for e in mine]
            others = [(e, band.strangers(e, every, seed)) for e in every]
            for name, asked in (("the style book's", takes), ("other songs'", others)):
                rows = band.forced_choice(network, asked)
                if rows:
                    found.append(choice_line(f"{role}, against {name}", corpus, rows))
    return found


def int8_lines(
    network: OnnxStepModel, exact: OnnxStepModel, songs: Mapping[str, Mapping[str, Song]], seed: int
) -> list[Line]:
    """Returns nats a note by kind of part: float32 in the place of the table, int8 in that of the network."""
    found = kind_nats_of(network, exact, songs, seed)
    lines = []
    for kind, rows in found.items():
        (whole, notes), (eighth, _) = rows["float32"], rows["int8"]
        lines.append(nats_line(f"{kind}, a note", "all", notes, whole, eighth))
    return lines


def kind_nats_of(
    network: OnnxStepModel, exact: OnnxStepModel, songs: Mapping[str, Mapping[str, Song]], seed: int
) -> dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Returns nats of the same examples under both exports, by kind of part."""
    return band.kind_nats({"int8": network, "float32": exact}, songs, KIND_EXAMPLES, KIND_LENGTH, seed)


def as_table(lines: Sequence[Line], *, markdown: bool, sides: tuple[str, str] = ("table", "network")) -> str:
    """Returns the lines as a table; `sides` are the two that are compared."""
    heads = ["measure", "corpus", "n", "", *sides, "better by"]
    rows = [
        [line.measure, line.corpus, f"{line.count:,}", line.unit, _told(line.table, line.unit),
         _told(line.network, line.unit), _told(line.gain, line.unit, sign="+")]
        for line in lines
    ]  # fmt: skip
    if markdown:
        return "\n".join("| " + " | ".join(row) + " |" for row in [heads, ["---"] * len(heads), *rows])
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in [heads, *rows])


def _told(interval: Interval | None, unit: str, sign: str = "") -> str:
    if interval is None:
        return ""
    if unit == "share":
        mean, low, high = (f"{100 * value:{sign}.0f}" for value in interval)
        return f"{mean} % [{low}, {high}]"
    mean, low, high = (f"{value:{sign}.3f}" for value in interval)
    return f"{mean} [{low}, {high}]"


def arguments() -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"), help="folder of the corpora")
    parser.add_argument("--composer", type=Path, help="what `songwright export` wrote; else the one that ships")
    parser.add_argument("--exact", type=Path, help="the same weights exported with --dtype float32")
    parser.add_argument("--songs", type=int, default=40, help="most songs of a corpus; 0 for all that are held apart")
    parser.add_argument("--only", default=",".join(MEASURES), help="which measures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data FOLDER or set SONGWRIGHT_DATA")
    options.data = Path(options.data)
    return options


def main() -> None:
    """Prints the table."""
    options = arguments()
    wanted = options.only.split(",")
    unknown = [name for name in wanted if name not in MEASURES]
    if unknown:
        sys.exit(f"no measure is called {', '.join(unknown)}: {', '.join(MEASURES)}")
    network = load_composer(options.composer, threads=options.threads)
    names = {*harmony.GROUP_OF, *(corpus for corpora in BAND_CORPORA.values() for corpus in corpora)}
    only_tunes = wanted == ["tunes"]
    songs = {} if only_tunes else {name: songs_of(name, options.data, options.songs) for name in sorted(names)}
    measures = {
        "tunes": lambda: tune_lines(network, options),
        "harmony": lambda: harmony_lines(network, songs, options.seed),
        "band": lambda: band_lines(network, songs, options.seed),
        "int8": lambda: (
            int8_lines(network, load_composer(options.exact, threads=options.threads), songs, options.seed)
            if options.exact
            else []
        ),
    }
    made: dict[str, list[Line]] = {}
    for name in wanted:
        started = time.process_time()
        made[name] = [line for line in measures[name]() if line.count]
        print(f"{name}: {time.process_time() - started:.0f} s of the processor", file=sys.stderr, flush=True)
    lines = [line for name, found in made.items() if name != "int8" for line in found]
    if lines:
        print(as_table(lines, markdown=options.markdown))
    if made.get("int8"):
        print("\n" + as_table(made["int8"], markdown=options.markdown, sides=("float32", "int8")))
    if options.json:
        told = {name: [asdict(line) for line in found] for name, found in made.items()}
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
