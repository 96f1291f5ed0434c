"""How espeak writes its mnemonics in IPA, asked of espeak-ng 1.52: what piper voices were trained on."""

_TABLES: dict[str, dict[str, str]] = {
    "en": {
        "?": "ʔ", "t2": "t", "t#": "ɾ", "g": "ɡ", "tS": "tʃ", "dZ": "dʒ", "T": "θ", "D": "ð", "S": "ʃ", "Z": "ʒ",
        "n-": "n̩", "N": "ŋ", "r": "ɹ", "r-": "ɹ", "i:": "iː", "I": "ɪ", "I2": "ɪ", "I#": "ᵻ", "I3": "ɪ", "E": "ɛ",
        "E2": "ɛ", "E#": "ɛ", "a": "æ", "aa": "æ", "0": "ɑː", "A:": "ɑː", "A": "ɑː", "0#": "ɑː", "O:": "ɔː", "O2": "ɔ",
        "O": "ɔ", "U": "ʊ", "u:": "uː", "V": "ʌ", "@": "ə", "@2": "ə", "@-": "ə", "a#": "ɐ", "@3": "ɚ", "@5": "ə",
        "3:": "ɜː", "3": "ɚ", "eI": "eɪ", "aI": "aɪ", "OI": "ɔɪ", "aU": "aʊ", "oU": "oʊ", "oU#": "oʊ", "A@": "ɑːɹ",
        "O@": "ɔːɹ", "o@": "ɔːɹ", "e@": "ɛɹ", "i@": "iə", "i@3": "ɪɹ", "U@": "ʊɹ", "@L": "əl", "aI3": "aɪɚ",
        "aI@": "aɪə", "aU@": "aʊə", "aU3": "aʊɚ",
    },
    "ru": {
        "g": "ɡ", "Q": "ɣ", "tS;": "tʃʲ", "tS": "tʃ", "dZ;": "dʒʲ", "z;": "ʑ", "S": "ʃ", "Z": "ʒ", "S;": "ɕ", "l": "ɭ",
        "l^": "ɭ", "R": "r", "R2": "r", "*": "ɾ", "I": "ɪ", "I2": "e", "i2": "i", "I^": "ɪ", "Y": "ø", "E": "ɛ",
        "E#": "ɛ", "E2": "ɛ", "a": "ɑ", "A": "ɑ", "V": "ʌ", "aa": "ɑ", "@": "ə", "@-": "ə", "a#": "a", "@2": "ə",
        "8": "ɵ", "O": "o", "u#": "u", "U": "u", 'u"': "u",
    },
    "zh": {
        "N": "ŋ", "X": "χ", "tS;": "tɕ", "tS;h": "tɕh", "S;": "ɕ", "z.": "ʐ", "i[": "i̪", "A": "ɑ", "@": "ə",
        "@r": "ər", "Au": "ɑu", "iA": "iɑ", "iE": "iɛ", "u@": "uə", "y&": "yæ", "yE": "yɛ", "y@": "yə", "ong": "onɡ",
    },
}  # fmt: skip


def ipa_of(symbol: str, language: str) -> str:
    """Returns a mnemonic in IPA: by the language's table, softness as ʲ, length as ː, otherwise as it stands."""
    known = _TABLES.get(language.split("-")[0], {}).get(symbol)
    if known is not None:
        return known
    if symbol.endswith(";"):
        return ipa_of(symbol[:-1], language) + "ʲ"
    return symbol.replace(":", "ː").rstrip("#-^23")
