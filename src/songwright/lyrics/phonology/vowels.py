"""Which espeak mnemonics carry a syllable.

`inventory.txt` lists what English, Mandarin and Russian are sung with, after `english`, `mandarin` and `russian` have
replaced reduced sounds by full ones; `is_vowel` knows the vowels of every espeak language by their first letter.
"""

from songwright.lyrics.phonology.data import names

_VOWEL_LETTERS = frozenset("aeiouyAEIOUVWY@&023456789")
_SYLLABIC = frozenset(("l-", "m-", "n-", "N-", "r-", "l:", "r:", "r*", "ja", "ja#", "ju"))


def is_vowel(symbol: str) -> bool:
    """Returns whether an espeak mnemonic, without marks, is a vowel or a syllabic consonant."""
    if symbol in _SYLLABIC:
        return True
    letter = symbol[1:2] if symbol.startswith("?") else symbol[:1]
    return letter in _VOWEL_LETTERS


def inventory(language: str) -> tuple[frozenset[str], frozenset[str]]:
    """Returns the vowels and the consonants that ``en``, ``zh`` or ``ru`` is sung with."""
    return names("inventory.txt", f"{language}.vowels"), names("inventory.txt", f"{language}.consonants")
