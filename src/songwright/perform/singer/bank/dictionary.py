"""From syllables to a bank's own phonemes: by its dictionary (pinyin), by tables of names, by the nearest sound."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from songwright.errors import DataError
from songwright.perform.singer.bank.config import BankConfig, read_text, read_yaml
from songwright.perform.singer.bank.names import NEAREST, candidates
from songwright.perform.singer.bank.pinyin import pinyin_of
from songwright.perform.singer.phones import kind_of
from songwright.score.song import Syllable

_LOG = logging.getLogger(__name__)
_SILENT = ("SP", "AP", "pau", "cl", "vf")
_CODES = {"zh": ("zh", "cmn"), "en": ("en",), "ru": ("ru",)}


@dataclass(frozen=True)
class BankPhones:
    """A syllable in a bank's phonemes.

    Attributes:
        onset: before the vowel.
        rest: the vowel and what follows.
    """

    onset: tuple[str, ...]
    rest: tuple[str, ...]


@dataclass
class Dictionary:
    """A bank's dictionary.

    Attributes:
        entries: phonemes of each grapheme, by language ("" where the file says none).
        vowels: the phonemes that are held.
        tokens: names of all phonemes of the model.
    """

    entries: dict[str, dict[str, tuple[str, ...]]]
    vowels: frozenset[str]
    tokens: frozenset[str]
    _told: set[str] = field(default_factory=set, repr=False)

    def languages(self) -> tuple[str, ...]:
        """Returns the languages that its files and phonemes name; Chinese if its graphemes are pinyin."""
        named = {key for key in self.entries if key} | {t.split("/")[0] for t in self.tokens if "/" in t}
        plain = self.entries.get("", {})
        if {"zhang", "xiao"} <= set(plain):
            named.add("zh")
        if {"hh", "dh"} <= {t.rsplit("/", 1)[-1].lower() for t in self.tokens}:
            named.add("en")
        return tuple(sorted(named))

    def phones(self, syllable: Syllable) -> BankPhones:
        """Returns a syllable in the bank's phonemes; what it does not have is told once and sung by the nearest."""
        language = syllable.language or "en"
        if language in ("zh", "cmn"):
            known = self._entry(pinyin_of(syllable.phonemes), language)
            if known:
                return self._divided(known)
        rows = [self._named(p, language) for p in syllable.phonemes]
        if not all(rows):
            known = self._entry(syllable.text.casefold().strip(), language)
            if known:
                return self._divided(known)
        names = [row or (self._nearest(p, language),) for row, p in zip(rows, syllable.phonemes, strict=True)]
        at = syllable.nucleus
        onset = [name for row in names[:at] for name in row]
        return BankPhones(tuple(n for n in onset if n), tuple(n for row in names[at:] for n in row if n))

    def _entry(self, grapheme: str, language: str) -> tuple[str, ...] | None:
        for code in (*_CODES.get(language, (language,)), ""):
            found = self.entries.get(code, {}).get(grapheme)
            named = found and [self._token(p, language) for p in found]
            if named and all(named):
                return tuple(n for n in named if n)
        return None

    def _divided(self, phonemes: Sequence[str]) -> BankPhones:
        at = next((i for i, p in enumerate(phonemes) if p in self.vowels), len(phonemes) - 1)
        return BankPhones(tuple(phonemes[:at]), tuple(phonemes[at:]))

    def _named(self, symbol: str, language: str) -> tuple[str, ...]:
        """Returns the first way of writing a phone in which the bank has all parts; empty if none."""
        for way in candidates(symbol, language):
            found = [self._token(name, language) for name in way.split()]
            if all(found):
                return tuple(name for name in found if name)
        return ()

    def _token(self, name: str, language: str) -> str | None:
        ways = [name, *(f"{code}/{name.rsplit('/', 1)[-1]}" for code in _CODES.get(language, (language,)))]
        return next((way for way in ways[::-1] if way in self.tokens), None)

    def _nearest(self, symbol: str, language: str) -> str:
        """Returns the nearest sound that the bank has, told once for each."""
        wanted = NEAREST[kind_of(symbol)]
        plain = {t.rsplit("/", 1)[-1].lower(): t for t in sorted(self.tokens, reverse=True)}
        found = next((plain[name] for name in wanted if name in plain), "")
        if not found and kind_of(symbol) == "vowel":
            found = min(self.vowels & self.tokens, default="")
        if symbol not in self._told:
            self._told.add(symbol)
            _LOG.warning("the bank has no '%s' (%s); it sings '%s' for it", symbol, language, found or "nothing")
        return found


def read_dictionary(config: BankConfig) -> Dictionary:
    """Returns the dictionaries in a bank's folder (`dsdict*.yaml`, or `dictionary*.txt`) as one.

    Raises:
        DataError: there is none, or one cannot be read.
    """
    entries: dict[str, dict[str, tuple[str, ...]]] = {}
    vowels: set[str] = set()
    files = [p for folder in (config.root, config.root / "dsdur") for p in sorted(folder.glob("dsdict*.yaml"))]
    texts = sorted(config.root.glob("dictionary*.txt")) if not files else []
    for path in (*files, *texts):
        if not path.resolve().is_relative_to(config.root):
            raise DataError(path, "leads out of the voicebank; files must be inside it")
        code = path.stem.partition("-")[2].partition("-")[0].lower()
        rows = _yaml_rows(path, vowels) if path.suffix == ".yaml" else _text_rows(path)
        table = entries.setdefault({"cmn": "zh"}.get(code, code), {})
        for grapheme, phonemes in rows.items():
            table.setdefault(grapheme.casefold(), phonemes)
    if not entries:
        raise DataError(config.root, "has no phoneme dictionary: expected dsdict.yaml (or dsdict-<language>.yaml)")
    tokens = frozenset(t for t in config.phonemes if t not in _SILENT)
    if not vowels:
        vowels = {t for t in tokens if re.match(r"[aeiouvyAEIOU]", t.rsplit("/", 1)[-1]) and t not in ("v", "y")}
    return Dictionary(entries, frozenset(vowels), tokens)


def _yaml_rows(path: Path, vowels: set[str]) -> dict[str, tuple[str, ...]]:
    value = read_yaml(path)
    if not isinstance(value, dict):
        raise DataError(path, "expected 'symbols' and 'entries'")
    symbols = value.get("symbols") or []
    rows: dict[str, tuple[str, ...]] = {}
    for symbol in symbols if isinstance(symbols, list) else []:
        if isinstance(symbol, dict) and str(symbol.get("type")) == "vowel" and symbol.get("symbol") not in _SILENT:
            vowels.add(str(symbol.get("symbol")))
    for entry in value.get("entries") or []:
        phonemes = entry.get("phonemes") if isinstance(entry, dict) else None
        if isinstance(phonemes, list) and phonemes:
            rows.setdefault(str(entry.get("grapheme")), tuple(str(p) for p in phonemes))
    return rows


def _text_rows(path: Path) -> dict[str, tuple[str, ...]]:
    rows = {}
    for line in read_text(path).splitlines():
        grapheme, _, phonemes = line.partition("\t")
        if phonemes.split():
            rows[grapheme.strip()] = tuple(phonemes.split())
    return rows
