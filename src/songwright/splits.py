"""One held-out share of every corpus, the same for every table, network and measure of the program."""

import hashlib


def held_out(name: str, percent: int = 12) -> bool:
    """Returns whether a piece belongs to the share that nothing in the program learns from.

    Args:
        name: corpus and piece, e.g. ``"pop909/001"``; a hash of it decides, so the split never moves.
        percent: the share.
    """
    return hashlib.blake2b(name.encode(), digest_size=4).digest()[0] * 100 // 256 < percent
