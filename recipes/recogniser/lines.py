"""What is spoken for the recogniser: lines of real words, lines of sung poetry, and lines of words that do not exist.

Words that do not exist are put together from the onsets, vowels and codas of real ones, so that the network learns
sounds and not a language. A tenth of the words and poems is held out for validation and test.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from songwright.evaluation.phoneme_classes import phoneme_classes
from songwright.speech.espeak import phonemes, split_marks

LANGUAGES = ("en", "zh", "ru")


@dataclass(frozen=True)
class Material:
    """What lines of one language are made from.

    Attributes:
        words: real words.
        poems: lines of the corpora; may be empty.
        onsets, vowels, codas: mnemonics of the words' parts.
    """

    words: tuple[str, ...]
    poems: tuple[str, ...]
    onsets: tuple[str, ...]
    vowels: tuple[str, ...]
    codas: tuple[str, ...]


def is_held_out(text: str, percent: int) -> bool:
    """Returns whether a word or line belongs to validation and test."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") % 100 < percent


def read_material(language: str, data: Path | None, percent: int, *, held_out: bool) -> Material:
    """Returns the words, poems and parts of words of one side of the split.

    Args:
        language: ``en``, ``zh`` or ``ru``.
        data: folder of the corpora, or None for words alone.
        percent: share held out.
        held_out: which side.
    """
    text = (Path(__file__).parent / "words" / f"{language}.txt").read_text(encoding="utf-8")
    words = [w for w in dict.fromkeys(text.split()) if is_held_out(w, percent) == held_out]
    poems = [p for p in _poems(language, data) if is_held_out(p, percent) == held_out]
    onsets, vowels, codas = _parts(language, words)
    return Material(tuple(words), tuple(poems), onsets, vowels, codas)


def make_lines(material: Material, language: str, count: int, random: np.random.Generator) -> list[str]:
    """Returns lines to speak: a third real words, a third poems if there are any, the rest invented words."""
    lines = []
    for i in range(count):
        if i % 3 == 1 and material.poems:
            lines.append(material.poems[int(random.integers(len(material.poems)))])
        elif i % 3 == 2:
            lines.append(" ".join(_invented(material, language, random) for _ in range(int(random.integers(2, 6)))))
        else:
            picked = random.choice(len(material.words), int(random.integers(3, 8)))
            lines.append((" " if language != "zh" else "").join(material.words[j] for j in picked))
    return lines


def _poems(language: str, data: Path | None) -> list[str]:
    if data is None:
        return []
    if language == "en":
        rows = []
        for path in sorted((data / "open-hymnal").glob("*.abc")):
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith(("w:", "W:")):
                    joined = re.sub(r"\s*-\s*", "", line[2:].replace("~", " "))
                    rows.append(" ".join(re.sub(r"[^A-Za-z' ]", " ", joined).split()))
        return [r for r in dict.fromkeys(rows) if 12 <= len(r) <= 60]
    if language == "zh":
        rows = []
        for path in sorted((data / "chinese-lyric-poetry" / "宋词").glob("ci.song.*.json"))[:6]:
            rows += [p for poem in json.loads(path.read_text(encoding="utf-8")) for p in poem["paragraphs"]]
        return [r for r in dict.fromkeys(rows) if 5 <= len(r) <= 16]
    return []


def _parts(language: str, words: list[str]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Returns the onsets, vowels and codas of words, each kind of part as often as the root of its count."""
    classes = phoneme_classes(language)
    counts: tuple[dict[str, int], dict[str, int], dict[str, int]] = ({}, {}, {})
    for rows in phonemes(words, language):
        for word in rows:
            symbols = [
                re.sub(r"(?<=\D)\d+$", "", split_marks(p)[0]) if language == "zh" else split_marks(p)[0] for p in word
            ]
            symbols = [s for s in symbols if s]
            if not classes.knows(symbols):
                continue
            vowel = [
                bool(classes.fold(s)) and any(classes.kinds[c] == "vowel" for c in classes.fold(s)) for s in symbols
            ]
            if True not in vowel:
                continue
            first, last = vowel.index(True), len(vowel) - 1 - vowel[::-1].index(True)
            for part, table in (("".join(symbols[:first]), counts[0]), ("".join(symbols[last + 1 :]), counts[2])):
                table[part] = table.get(part, 0) + 1
            for s, is_vowel in zip(symbols, vowel, strict=True):
                if is_vowel:
                    counts[1][s] = counts[1].get(s, 0) + 1
    return tuple(tuple(p for p, n in table.items() for _ in range(round(n**0.5))) for table in counts)  # type: ignore[return-value]


def _invented(material: Material, language: str, random: np.random.Generator) -> str:
    """Returns a word that does not exist, as mnemonics in brackets."""

    def pick(parts: tuple[str, ...]) -> str:
        return parts[int(random.integers(len(parts)))]

    syllables = int(random.integers(1, 3 if language == "zh" else 4))
    stressed = int(random.integers(syllables))
    text = ""
    for i in range(syllables):
        mark = "'" if i == stressed or language == "zh" else ""
        text += f"{pick(material.onsets)}{mark}{pick(material.vowels)}"
        text += pick(material.codas) if i == syllables - 1 or random.random() < 0.15 else ""
    return f"[[{text}]]"
