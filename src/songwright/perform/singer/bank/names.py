"""How banks write the sounds of English, Russian and Chinese: for each espeak mnemonic the usual names, best first.

A name of several words stands for several phonemes one after the other. IPA comes last: some banks use it.
"""

from songwright.perform.singer.phones import Kind

_ENGLISH: dict[str, str] = {
    "p": "p", "b": "b", "t": "t", "t2": "t", "?": "q|t", "d": "d", "t#": "dx|d", "k": "k", "g": "g|ɡ", "tS": "ch|tʃ",
    "dZ": "jh|dʒ", "f": "f", "v": "v", "T": "th|θ", "D": "dh|ð", "s": "s", "z": "z", "S": "sh|ʃ", "Z": "zh|ʒ",
    "h": "hh|h", "m": "m", "n": "n", "N": "ng|ŋ", "l": "l", "l^": "l", "r": "r|ɹ", "w": "w", "j": "y|j",
    "n-": "ax n|ah n|ə n", "m-": "ax m|ah m|ə m", "@L": "ax l|ah l|ə l", "l-": "ax l|ah l", "r-": "er|ax r",
    "i:": "iy|i|iː", "i": "iy|i|iː", "I": "ih|ɪ|iy", "I2": "ih|ɪ|iy", "I#": "ih|ɪ|iy", "I3": "ih|ɪ|iy",
    "E": "eh|ɛ|e", "E2": "eh|ɛ|e", "E#": "eh|ɛ|e", "e": "eh|ɛ|e", "a": "ae|æ|a", "aa": "ae|æ|a", "0": "aa|ɑ|ɑː",
    "A:": "aa|ɑ|ɑː", "A": "aa|ɑ|ɑː", "0#": "aa|ɑ|ɑː", "O:": "ao|ɔ|ɔː", "O2": "ao|ɔ|ɔː", "O": "ao|ɔ|ɔː",
    "U": "uh|ʊ", "u:": "uw|u|uː", "u": "uw|u|uː", "V": "ah|ʌ", "@": "ax|ah|ə", "@2": "ax|ah|ə", "@-": "ax|ah|ə",
    "a#": "ax|ah|ə", "@3": "ax|ah|ə", "@5": "ax|ah|ə", "3:": "er|ɝ|ɜː", "3": "er|ɚ|ə", "eI": "ey|eɪ|e",
    "aI": "ay|aɪ|aa iy", "OI": "oy|ɔɪ|ao iy", "aU": "aw|aʊ|aa uw", "oU": "ow|oʊ|o", "o": "ow|oʊ|o", "oU#": "ow|oʊ",
    "A@": "aa r|ɑ ɹ", "O@": "ao r|ɔ ɹ", "o@": "ao r|ɔ ɹ", "e@": "eh r|ɛ ɹ", "i@": "ih r|ɪ ɹ|iy r", "i@3": "ih r|iy r",
    "U@": "uh r|ʊ ɹ", "aI3": "ay er|aɪ ɚ", "aI@": "ay ax|ay ah", "aU@": "aw ax|aw ah", "aU3": "aw er|aʊ ɚ",
}  # fmt: skip
_RUSSIAN: dict[str, str] = {
    "ts": "ts|c", "tS;": "ch|tɕ", "tS": "ch|tɕ", "S": "sh|ʂ", "Z": "zh|ʐ", "S;": "sch|shh|shch|ɕː|sh", "x": "h|x|kh",
    "x;": "hh|xj|h|x", "j": "j|y|jh", "R": "r", "R2": "r", "*": "r", "l^": "l", "Q": "g",
    "i": "ii|i", "I": "i|ii", "I2": "i|ii", "i2": "i|ii", "I^": "i|ii", "y": "yy|y|ɨ|i", "Y": "y|yy|ɨ|i",
    "e": "ee|e", "E": "ee|e", "E#": "ay|e|ee", "E2": "e|ee", "a": "aa|a", "A": "aa|a", "V": "a|ay|aa", "aa": "aa|a",
    "@": "ay|a", "@-": "ay|a", "a#": "ay|a", "@2": "ay|a", "o": "oo|o", "8": "oo|o", "O": "oo|o", "u": "uu|u",
    "u#": "u|uu", "U": "u|uu", 'u"': "uj|u", "ja": "j aa|ja|j a", "ju": "j uu|ju|j u",
}  # fmt: skip
_CHINESE: dict[str, str] = {
    "p": "b", "ph": "p", "m": "m", "f": "f", "t": "d", "th": "t", "n": "n", "l": "l", "k": "g", "kh": "k", "X": "h",
    "tS;": "j", "tS;h": "q", "S;": "x", "ts.": "zh", "ts.h": "ch", "s.": "sh", "z.": "r", "ts": "z", "tsh": "c",
    "s": "s", "A": "a", "a": "a", "o": "o", "o-": "e", "@": "e", "i": "i", "u": "u", "y": "v", "N": "ng",
}  # fmt: skip
_TABLES = {"en": _ENGLISH, "ru": _RUSSIAN, "zh": _CHINESE, "cmn": _CHINESE}
_SOFT = "bvgdzklmnprstf"
NEAREST: dict[Kind, tuple[str, ...]] = {
    "vowel": ("ax", "ah", "a", "aa", "e", "eh", "o"),
    "nasal": ("n", "m", "ng", "l"),
    "liquid": ("l", "r", "n", "d"),
    "glide": ("y", "j", "w", "i", "u", "l"),
    "voiced_fricative": ("z", "v", "dh", "zh", "d", "l", "r", "s", "f"),
    "unvoiced_fricative": ("s", "f", "sh", "x", "h", "t"),
    "voiced_stop": ("d", "b", "g", "t", "p", "k"),
    "unvoiced_stop": ("t", "p", "k", "d", "b", "g"),
    "unvoiced_affricate": ("ch", "q", "ts", "c", "t", "s"),
    "voiced_affricate": ("jh", "j", "zh", "d", "z", "t"),
}
"""For each kind of phone what may stand for it, best first."""


def candidates(symbol: str, language: str) -> tuple[str, ...]:
    """Returns the ways in which banks may write a phone, best first; the mnemonic itself where no table knows it."""
    table = _TABLES.get(language.split("-")[0], {})
    known = table.get(symbol)
    if known is not None:
        lower = tuple(known.split("|"))
        return (*lower, *(way.upper() for way in lower if way.isascii()))
    if language == "ru" and symbol.endswith(";") and symbol[:1] in _SOFT:
        hard = symbol[0]
        return (hard * 2, f"{hard}j", f"{hard}'", f"{hard}ʲ", hard)
    return (symbol, symbol.rstrip(":"), symbol.rstrip(";"))
