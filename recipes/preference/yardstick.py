"""Measures real windows of the training side, by which attempts are rewarded: `yardstick.py [--windows N]`.

Writes `yardstick.json`; SONGWRIGHT_SHARDS names the shards.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from ground import CORPORA, YARDSTICK, Ground, open_ground

from songwright.compose.learned.practice import WindowSettings, draw_window, song_of
from songwright.compose.learned.rewards import KINDS, Yardstick, calibrate, measured
from songwright.files import write_bytes
from songwright.seeding import generator
from songwright.training.shards import shards_folder

SEED = 1


def make_yardstick(ground: Ground, settings: WindowSettings, count: int) -> Yardstick:
    """Returns what is usual in so many real windows of every kind of part."""
    pieces = ground.pieces("train")
    rows = {
        kind: [
            measured(song_of(draw_window(pieces, kind, settings, generator(SEED, "yardstick", kind, i))), kind)
            for i in range(count)
        ]
        for kind in KINDS
    }
    return calibrate(rows)


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=300, help="of every kind of part")
    args = parser.parse_args()
    table = make_yardstick(open_ground(shards_folder(), CORPORA), WindowSettings(), args.windows).as_table()
    write_bytes(YARDSTICK, (json.dumps(table, indent=1) + "\n").encode())
    print(json.dumps(table))


if __name__ == "__main__":
    main()
