"""Where the letters of a word divide between its syllables, as printed music divides them.

For English, letters and sounds are aligned first (`align`), then each boundary is set among the consonants between two
vowels (`english_texts`). Other alphabets divide by their vowel letters (`even_texts`).
"""

import unicodedata
from collections.abc import Sequence
from itertools import accumulate, pairwise

from songwright.lyrics.phonology.data import table
from songwright.lyrics.phonology.syllabify import Sound

_SPELLINGS = {sound: frozenset(groups) for sound, groups in table("english_spellings.txt").items()}
_PAIRS = {
    ("k", "s"): "x", ("g", "z"): "x", ("k", "S"): "x", ("j", "u:"): "u", ("j", "U@"): "u", ("j", "@"): "u",
    ("w", "V"): "o", ("w", "A:"): "oi", ("t", "s"): "z", ("j", "U"): "u",
}  # fmt: skip
_VOWELS = frozenset("aeiouy")
_SILENT = {
    "e": 0.6,
    "h": 0.9,
    "w": 1.2,
    "b": 1.4,
    "k": 1.4,
    "g": 1.4,
    "l": 1.4,
    "t": 1.6,
    "u": 1.6,
    "p": 1.6,
    "c": 1.7,
    "d": 1.7,
}
_LAX = frozenset(("I", "E", "a", "V", "U", "0"))
_KEPT = frozenset(("ll", "ss", "ff", "zz"))
_ENDINGS = ("less", "ness", "ful", "ment", "ward", "wards")
_LONGEST = 5

Span = tuple[int, int]


def plain(text: str) -> str:
    """Returns text in small letters without accents, letter for letter; what has no plain letter becomes ``'``."""
    letters = []
    for char in text.lower():
        base = unicodedata.normalize("NFD", char)[:1]
        letters.append(base if len(char) == 1 and base.isascii() and base.isalpha() else "'")
    return "".join(letters)


def align(letters: str, phonemes: Sequence[str]) -> list[Span]:
    """Returns for each phoneme the letters that write it, as (start, end); cheapest way over a table of spellings.

    Silent letters at the beginning go to the first phoneme, others to the one before them, so the spans tile the word
    but for phonemes that share a letter (the x of box): those get it first, then an empty span.
    """
    rows, columns = len(letters) + 1, len(phonemes) + 1
    best = [[float("inf")] * columns for _ in range(rows)]
    back: list[list[tuple[int, int]]] = [[(0, 0)] * columns for _ in range(rows)]
    best[0][0] = 0.0
    for i in range(rows):
        for j in range(columns):
            for di, dj, cost in _moves(letters, phonemes, i, j):
                total = best[i][j] + cost
                if total < best[i + di][j + dj] - 1e-9:
                    best[i + di][j + dj] = total
                    back[i + di][j + dj] = (i, j)
    return _spans(back, len(letters), len(phonemes))


def _moves(letters: str, phonemes: Sequence[str], i: int, j: int) -> list[tuple[int, int, float]]:
    """Returns steps from letter i, phoneme j: (letters taken, phonemes taken, cost)."""
    moves: list[tuple[int, int, float]] = []
    if i < len(letters):
        moves.append((1, 0, 0.1 if letters[i] == "'" else _SILENT.get(letters[i], 2.2)))
    if j == len(phonemes):
        return moves
    symbol = phonemes[j]
    known = _SPELLINGS.get(symbol, frozenset())
    for length in range(1, min(_LONGEST, len(letters) - i) + 1):
        group = letters[i : i + length]
        if group in known:
            odd = 0.3 if group[0] in _VOWELS and symbol[0] not in "aeiouAEIOUV@03jw" else 0.0
            moves.append((length, 1, 0.3 - 0.1 * min(length, 3) + odd))
    if i < len(letters):
        vowel = symbol[0] in "aeiouAEIOUV@03"
        moves.append((1, 1, 2.0 if vowel == (letters[i] in _VOWELS) else 6.0))
        pair = _PAIRS.get(tuple(phonemes[j : j + 2]))  # type: ignore[arg-type]
        if pair and letters.startswith(pair, i):
            moves.append((len(pair), 2, 0.1))
    moves.append((0, 1, 0.5 if symbol in ("r", "j", "@") else 3.0))
    return moves


def _spans(back: list[list[tuple[int, int]]], i: int, j: int) -> list[Span]:
    steps: list[tuple[int, int, int, int]] = []
    while (i, j) != (0, 0):
        i0, j0 = back[i][j]
        steps.append((i0, i, j0, j))
        i, j = i0, j0
    spans: list[list[int]] = []
    for i0, i1, j0, j1 in reversed(steps):
        if j1 == j0:
            if spans:
                spans[-1][1] = i1
            continue
        start = i0 if spans else 0
        spans.append([start, i1])
        spans += [[i1, i1] for _ in range(j1 - j0 - 1)]
    return [(a, b) for a, b in spans]


def english_texts(word: str, sounds: Sequence[Sound]) -> list[str]:
    """Returns the letters of each syllable of an English word; joined they are the word."""
    if len(sounds) < 2:
        return [word] * len(sounds)
    letters = plain(word)
    listed = table("english_divisions.txt").get(letters.removesuffix("'s"))
    if listed and listed[0].count("-") == len(sounds) - 1:
        edges = [0, *accumulate(len(piece) for piece in listed[0].split("-")[:-1]), len(word)]
        return [word[a:b] for a, b in pairwise(edges)]
    spans = align(letters, [p for s in sounds for p in s.phonemes])
    places: list[int] = []
    first = 0
    for before, after in pairwise(sounds):
        nucleus = first + before.nucleus
        first += len(before.phonemes)
        places.append(_boundary(letters, spans, nucleus, first, first + after.nucleus, before))
    edges = [0, *places, len(word)]
    for k in range(1, len(edges)):  # never backwards, whatever the alignment was
        edges[k] = max(edges[k], edges[k - 1])
    return [word[a:b] for a, b in pairwise(edges)]


def _boundary(letters: str, spans: list[Span], nucleus: int, first: int, follower: int, before: Sound) -> int:
    """Returns the letter at which the syllable after `nucleus` begins.

    Args:
        letters: of the word.
        spans: of each phoneme.
        nucleus: index of the vowel before.
        first: index of the first phoneme that is sung with the next vowel.
        follower: index of the next vowel.
        before: the syllable before.
    """
    units = [k for k in range(nucleus + 1, follower) if spans[k][1] > spans[k][0]]
    if not units:
        return spans[follower][0]
    rest = letters[spans[follower][0] :]
    for ending in _ENDINGS:
        if letters.endswith(ending) and len(rest) < len(ending) and spans[nucleus][1] <= len(letters) - len(ending):
            return len(letters) - len(ending)
    short = before.phonemes[before.nucleus] in _LAX and before.stress > 0
    only = letters[slice(*spans[units[0]])].rstrip("e'") if len(units) == 1 else ""
    if rest in ("ing", "in'", "ings"):
        stem = letters[: spans[follower][0]]
        if stem.endswith("th") and stem[:-2] not in _BEFORE_TH:
            return len(stem) - 2
        if len(only) == 2 and only[0] == only[1] and only not in _KEPT:
            return spans[units[0]][0] + 1
        if len(units) < 3 and not _opens(letters, spans, units):
            return spans[follower][0]
    if (
        (rest in ("ed", "es") or rest.startswith(("able", "ably")))
        and len(units) < 3
        and not (len(only) == 2 and only[0] == only[1])
    ):
        return spans[follower][0]
    if len(units) == 1:
        start, end = spans[units[0]]
        if len(only) == 2 and only[0] == only[1]:
            return start + 1
        if only in ("ck", "x", "tch", "dg"):
            return end
        if only == "st":
            return start + 1
        return end if short and not rest.startswith("le") else start
    left = [k for k in units if k < first]
    if not left and short and not rest.startswith("le"):
        left = units[:1]
    if left:
        start, end = spans[left[-1]]
        doubled = end - start == 2 and letters[start] == letters[start + 1]
        return start + 1 if doubled and letters[end : end + 1] in ("i", "u") else end
    start, end = spans[units[0]]
    doubled = end - start >= 2 and letters[start] == letters[start + 1]
    return start + 1 if doubled else start


_BEFORE_TH = ("no", "brea", "ba", "clo", "soo", "tee", "loa", "wri", "see", "smoo", "swa")


def _opens(letters: str, spans: list[Span], units: list[int]) -> bool:
    """Whether consonants before -ing can only begin it, as in light-ning and dar-ling."""
    if len(units) < 2:
        return False
    last = letters[slice(*spans[units[-1]])]
    before = letters[slice(*spans[units[-2]])]
    return (last[:1] in "lnr" and before[:1] not in "lr") or (
        before[:1] == "r" and last[:1] == "l" and letters[:3] == "dar"
    )


def even_texts(word: str, count: int, vowels: str) -> list[str]:
    """Returns the letters of each of `count` syllables, divided before the consonant that precedes a vowel letter.

    Where the vowels written are not as many as the syllables, the word is divided evenly, or, with more syllables than
    letters, the last ones get empty texts.
    """
    if count < 2:
        return [word] * count
    low = word.lower()
    groups = [i for i, c in enumerate(low) if c in vowels and (i == 0 or low[i - 1] not in vowels or len(vowels) < 14)]
    if len(groups) != count:
        singles = [i for i, c in enumerate(low) if c in vowels]
        groups = singles if len(singles) == count else []
    if not groups:
        edges = [round(k * len(word) / count) for k in range(count + 1)]
        return [word[a:b] for a, b in pairwise(edges)]
    edges = [0]
    for before, after in pairwise(groups):
        edges.append(max(before + 1, after - 1) if after - before > 1 else after)
    edges.append(len(word))
    return [word[a:b] for a, b in pairwise(edges)]
