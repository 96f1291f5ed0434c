"""Random generators, one for each place that draws: (seed, stage, section, track) decide the numbers.

A change in one place therefore never moves the draws of another (local edits stay local).
"""

import hashlib

import numpy as np


def generator(seed: int, *scope: str | int) -> np.random.Generator:
    """Returns the generator of one place in the program.

    Args:
        seed: the song's seed.
        *scope: what draws, from wide to narrow: stage, then section, then track, e.g. ``"melody", "chorus 1", "lead"``.

    Returns:
        A PCG64 generator that is the same on every machine for the same arguments.
    """
    text = "\x1f".join([str(int(seed)), *map(str, scope)])
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))
