"""How much network and table of pitches are trusted where both judge a tune: the exponents in `compose.melody.pitch`.

    python benchmarks/learned_shares.py --data FOLDER [--composer FOLDER] [--songs 0]

Both say what they expect of every note of the tunes held apart (see `learned_tunes`); the exponents are those with
which the product of their probabilities costs the fewest nats. They are fitted on every second tune and measured on the
others, and the other way round; the last line, of all corpora alike and fitted on all tunes, is what the program takes.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from learned import TUNE_CORPORA
from learned_tunes import Opinions, opinions, tunes_of
from songwright.compose.learned.composer import load_composer

Shares = tuple[float, float]
NETWORK, TABLE = (1.0, 0.0), (0.0, 1.0)


def mean_nats(told: Sequence[Opinions], shares: Shares) -> float:
    """Returns nats a note of some tunes with these exponents of network and table."""
    return sum(float(one.nats(*shares).sum()) for one in told) / sum(len(one.target) for one in told)


def fitted(groups: Sequence[Sequence[Opinions]]) -> Shares:
    """Returns the exponents with the fewest nats, every group counting alike."""
    from scipy.optimize import minimize

    def cost(shares: Sequence[float]) -> float:
        return sum(mean_nats(group, (shares[0], shares[1])) for group in groups) / len(groups)

    found = minimize(cost, (0.5, 0.5), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-5, "maxiter": 120}).x
    return float(found[0]), float(found[1])


def main() -> None:
    """Prints nats and exponents, corpus by corpus and of all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("SONGWRIGHT_DATA"), help="folder of the corpora")
    parser.add_argument("--composer", type=Path, help="what `songwright export` wrote; else the one that ships")
    parser.add_argument("--songs", type=int, default=0, help="most tunes of a corpus; 0 for all that are held apart")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data FOLDER or set SONGWRIGHT_DATA")
    network = load_composer(options.composer, threads=options.threads)
    groups = []
    for corpus in TUNE_CORPORA:
        told = [
            one for one in opinions(network, tunes_of(Path(options.data), corpus, options.songs)) if one is not None
        ]
        halves = (told[::2], told[1::2])
        shares = [fitted([half]) for half in halves]
        apart = [mean_nats(other, share) for other, share in zip(halves[::-1], shares, strict=True)]
        print(
            f"{corpus}: {len(told)} tunes; network {mean_nats(told, NETWORK):.3f}, table {mean_nats(told, TABLE):.3f}, "
            f"both, measured apart, {sum(apart) / 2:.3f} nats a note; exponents "
            + " and ".join(f"{network_share:.2f}, {table_share:.2f}" for network_share, table_share in shares),
            flush=True,
        )
        groups.append(told)
    best = fitted(groups)
    print(f"all alike: exponents {best[0]:.2f} (network), {best[1]:.2f} (table)")
    for corpus, group in zip(TUNE_CORPORA, groups, strict=True):
        print(f"  {corpus}: {mean_nats(group, best):.3f} nats a note")


if __name__ == "__main__":
    main()
