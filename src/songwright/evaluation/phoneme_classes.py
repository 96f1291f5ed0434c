"""The classes of sounds that the recogniser tells apart in each language, and how espeak's mnemonics fold into them.

The table is `phonemes.toml`. Class 0 of every language is silence.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from songwright.errors import InputError

Kind = Literal["stop", "fricative", "nasal", "vowel"]
SILENCE = 0
_TONE = re.compile(r"(?<=[^\d])\d+$")
_GLIDES = (";", ":", "|", "")


@dataclass(frozen=True)
class PhonemeClasses:
    """The classes of a language.

    Attributes:
        language: ``en``, ``zh`` or ``ru``.
        names: of every class; the first is silence.
        folding: mnemonic → the classes it is heard as, one after the other.
        kinds: of every class: ``stop, fricative, nasal`` (nasals, liquids and glides) or ``vowel``.
        voiceless: whether a class has no voice; silence too.
    """

    language: str
    names: tuple[str, ...]
    folding: dict[str, tuple[int, ...]]
    kinds: tuple[Kind, ...]
    voiceless: tuple[bool, ...]

    def fold(self, symbol: str) -> tuple[int, ...]:
        """Returns the classes of a mnemonic; empty for glides that belong to the phone before, and marks.

        Raises:
            InputError: no class is known for it.
        """
        if symbol in _GLIDES:
            return ()
        found = self.folding.get(symbol) or self.folding.get(_TONE.sub("", symbol))
        if found is None:
            raise InputError(f"the recogniser has no class for '{symbol}' in '{self.language}'")
        return found

    def knows(self, symbols: Iterable[str]) -> bool:
        """Returns whether every one of these mnemonics can be folded."""
        return all(s in _GLIDES or s in self.folding or _TONE.sub("", s) in self.folding for s in symbols)

    def kind(self, symbol: str) -> Kind:
        """Returns the kind of a mnemonic, of its first class where it is heard as two."""
        classes = self.fold(symbol)
        return self.kinds[classes[0]] if classes else "nasal"


def languages() -> tuple[str, ...]:
    """Returns the languages that the recogniser hears."""
    return tuple(_table())


@cache
def phoneme_classes(language: str) -> PhonemeClasses:
    """Returns the classes of a language.

    Raises:
        InputError: the recogniser was not trained in it.
    """
    if language not in _table():
        raise InputError(f"the recogniser hears {', '.join(_table())}, not '{language}'")
    table = _table()[language]
    names = ("", *table["classes"])
    index = {name: i for i, name in enumerate(names)}
    folding: dict[str, tuple[int, ...]] = {
        symbol: (index[name],) for name, symbols in table["classes"].items() for symbol in symbols
    }
    folding |= {symbol: tuple(index[name] for name in parts) for symbol, parts in table["joined"].items()}
    kinds: dict[str, Kind] = {}
    for name in table["kinds"]["stop"]:
        kinds[name] = "stop"
    for name in table["kinds"]["fricative"]:
        kinds[name] = "fricative"
    for name in table["kinds"]["nasal"]:
        kinds[name] = "nasal"
    voiceless = {"", *table["kinds"]["voiceless"]}
    return PhonemeClasses(
        language, names, folding, tuple(kinds.get(n, "vowel") for n in names), tuple(n in voiceless for n in names)
    )


@cache
def _table() -> dict[str, dict[str, dict[str, list[str]]]]:
    text = files("songwright.evaluation").joinpath("phonemes.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
