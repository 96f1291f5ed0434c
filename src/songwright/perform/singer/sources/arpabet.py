"""English for engines that know ARPAbet: the singer's own phones become invented words with a given pronunciation.

So the engine's dictionary has no say, syllables always agree with the score, and nothing of the lyrics' text reaches
the engine. Phones that came back are counted to the singer's phones again.
"""

import logging
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from songwright.perform.singer.source import SourceLine, SourcePhone, SpokenLine
from songwright.perform.singer.sources.espeak import EspeakSource
from songwright.score.song import Syllable
from songwright.speech.espeak import SpeechError

TIMEOUT_SECONDS = 60.0
VOWELS = frozenset(["aa", "ae", "ah", "ao", "aw", "ax", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw"])
_LOG = logging.getLogger(__name__)
_TABLE: dict[str, str] = {
    "p": "p", "b": "b", "t": "t", "t2": "t", "?": "t", "d": "d", "t#": "d", "k": "k", "g": "g", "tS": "ch", "dZ": "jh",
    "f": "f", "v": "v", "T": "th", "D": "dh", "s": "s", "z": "z", "S": "sh", "Z": "zh", "h": "hh", "m": "m", "n": "n",
    "N": "ng", "l": "l", "l^": "l", "r": "r", "w": "w", "j": "y", "x": "k", "C": "sh", "n-": "ax n", "m-": "ax m",
    "r-": "er", "l-": "ax l", "@L": "ax l", "@l": "ax l",
    "i:": "iy", "i": "iy", "I": "ih", "I2": "ih", "I#": "ih", "I3": "ih", "E": "eh", "E2": "eh", "E#": "eh", "e": "eh",
    "a": "ae", "aa": "ae", "0": "aa", "A:": "aa", "A": "aa", "0#": "aa", "O:": "ao", "O2": "ao", "O": "ao",
    "U": "uh", "u:": "uw", "u": "uw", "V": "ah", "@": "ax", "@2": "ax", "@-": "ax", "a#": "ax", "@3": "ax", "@5": "ax",
    "3:": "er", "3": "er", "eI": "ey", "aI": "ay", "OI": "oy", "aU": "aw", "oU": "ow", "o": "ow", "oU#": "ow",
    "A@": "aa r", "O@": "ao r", "o@": "ao r", "e@": "eh r", "i@": "ih r", "i@3": "ih r", "U@": "uh r",
    "aI3": "ay r", "aI@": "ay r", "aU@": "aw r", "aU3": "aw r",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class EngineWord:
    """An invented word.

    Attributes:
        name: small letters only.
        syllables: of each the ARPAbet phones and the stress (1 or 0).
    """

    name: str
    syllables: tuple[tuple[tuple[str, ...], int], ...]


@dataclass(frozen=True)
class EngineLine:
    """A line as an engine is told it.

    Attributes:
        words: in order.
        owners: for each ARPAbet phone, which phone of the line it belongs to.
        phones: of the line: (mnemonic, syllable, is nucleus).
    """

    words: tuple[EngineWord, ...]
    owners: tuple[int, ...]
    phones: tuple[tuple[str, int, bool], ...]

    @property
    def sent(self) -> tuple[str, ...]:
        """All ARPAbet phones in order."""
        return tuple(p for word in self.words for phones, _ in word.syllables for p in phones)


def arpabet(syllable: Syllable) -> tuple[tuple[str, ...], ...] | None:
    """Returns the ARPAbet phones of each phone of a syllable, with exactly one vowel; None if it cannot be said."""
    rows = [_TABLE.get(p, "").split() for p in syllable.phonemes]
    if not all(rows):
        return None
    for i, row in enumerate(rows):
        if i == syllable.nucleus and not VOWELS & set(row):
            rows[i] = ["ax", *row]
    if sum(p in VOWELS for row in rows for p in row) != 1:
        return None
    return tuple(tuple(row) for row in rows)


def engine_line(line: SourceLine) -> EngineLine | None:
    """Returns what an engine is told; None if a syllable is not English or cannot be written in ARPAbet."""
    words: list[list[tuple[tuple[str, ...], int]]] = []
    owners: list[int] = []
    phones: list[tuple[str, int, bool]] = []
    for i, syllable in enumerate(line.syllables):
        rows = arpabet(syllable) if (syllable.language or "en").startswith("en") else None
        if rows is None:
            return None
        before = line.syllables[i - 1] if i else None
        inside = (
            before is not None and syllable.word and before.word == syllable.word and syllable.text != syllable.word
        )
        if not inside:
            words.append([])
        words[-1].append((tuple(p for row in rows for p in row), int(syllable.stress == 1)))
        for k, row in enumerate(rows):
            owners += [len(phones)] * len(row)
            phones.append((syllable.phonemes[k], i, k == syllable.nucleus))
    named = tuple(EngineWord(_name(k), tuple(syllables)) for k, syllables in enumerate(words))
    return EngineLine(named, tuple(owners), tuple(phones))


def _name(index: int) -> str:
    """Returns a word that can be said (others are spelled out) and that no dictionary has."""
    name = "v"
    for _ in range(3):
        index, last = divmod(index, 40)
        name += "aeiou"[last % 5] + "bdgklmnr"[last // 5]
    return name


def timed(line: EngineLine, rows: Sequence[tuple[str, float]]) -> tuple[SourcePhone, ...] | None:
    """Returns the phones of a line with their times; None if the engine said something else.

    Args:
        line: as sent.
        rows: (ARPAbet phone, end in seconds) as they came back, pauses included.
    """
    starts = [0.0, *(end for _, end in rows)]
    said = [(name, a, b) for (name, b), a in zip(rows, starts, strict=False) if name not in ("pau", "sil", "h#")]
    if tuple(name for name, _, _ in said) != line.sent:
        return None
    found = []
    for k, (symbol, syllable, nucleus) in enumerate(line.phones):
        mine = [(a, b) for owner, (_, a, b) in zip(line.owners, said, strict=True) if owner == k]
        if mine[-1][1] <= mine[0][0]:
            return None
        found.append(SourcePhone(symbol, syllable, mine[0][0], mine[-1][1], nucleus))
    return tuple(found)


def speak_english(
    engine: str, lines: Sequence[SourceLine], speak: Callable[[list[EngineLine]], list[SpokenLine | None]]
) -> list[SpokenLine]:
    """Returns each line as an engine spoke it; lines that it cannot speak are spoken by espeak, and the log says so.

    Args:
        engine: its name.
        lines: in any languages.
        speak: returns None for a line that came back as something else.
    """
    told = [engine_line(line) for line in lines]
    asked = [i for i, one in enumerate(told) if one is not None]
    answers = speak([one for one in told if one is not None]) if asked else []
    result: list[SpokenLine | None] = [None] * len(lines)
    for i, answer in zip(asked, answers, strict=True):
        result[i] = answer
    missing = [i for i, answer in enumerate(result) if answer is None]
    if missing:
        _LOG.warning("%s speaks English only: espeak speaks %d of %d lines", engine, len(missing), len(lines))
        for i, spoken in zip(missing, EspeakSource("klatt4").speak([lines[i] for i in missing]), strict=True):
            result[i] = spoken
    return [answer for answer in result if answer is not None]


def run_engine(program: str, package: str, arguments: Sequence[str], *, accept: Sequence[int] = (0,)) -> str:
    """Returns what a speech program printed.

    Args:
        program: its name on the path.
        package: of Debian and Ubuntu that brings it.
        arguments: no shell sees them.
        accept: exit codes that are no failure.

    Raises:
        SpeechError: it is not installed, hung, or failed; one line.
    """
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT_SECONDS, check=False
        )
    except FileNotFoundError:
        raise SpeechError(
            f"the voice source '{program}' is not installed: apt install {package}, or sing with espeak"
        ) from None
    except subprocess.TimeoutExpired:
        raise SpeechError(
            f"{program} gave no answer within {TIMEOUT_SECONDS:.0f} s and was stopped; try again or sing with espeak"
        ) from None
    if done.returncode not in accept:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SpeechError(f"{program} failed ({lines[-1] if lines else done.returncode}): apt install {package}")
    return done.stdout.decode("utf-8", "replace")
