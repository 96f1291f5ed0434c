"""From the phones of a Mandarin syllable to its pinyin without tone, which is how banks write Chinese."""

from collections.abc import Sequence

_INITIALS = {
    "p": "b", "ph": "p", "m": "m", "f": "f", "t": "d", "th": "t", "n": "n", "l": "l", "k": "g", "kh": "k", "X": "h",
    "tS;": "j", "tS;h": "q", "S;": "x", "ts.": "zh", "ts.h": "ch", "s.": "sh", "z.": "r", "ts": "z", "tsh": "c",
    "s": "s",
}  # fmt: skip
_FINALS = {
    "A": "a", "A n": "an",
    "o": "o", "o-": "e", "@": "e", "ai": "ai", "ei": "ei", "Au": "ao", "ou": "ou", "a n": "an", "@ n": "en",
    "A N": "ang", "@ N": "eng", "ong": "ong", "@r": "er", "i": "i", "i.": "i", "i[": "i", "iA": "ia", "iE": "ie",
    "j Au": "iao", "iou": "iu", "iE n": "ian", "i n": "in", "iA N": "iang", "i N": "ing", "j ong": "iong", "io": "io",
    "u": "u", "w A": "ua", "uo": "uo", "w o": "uo", "uai": "uai", "w ai": "uai", "uei": "ui", "w ei": "ui",
    "ua n": "uan", "w a n": "uan", "u@ n": "un", "w u@ n": "un", "w o- n": "un", "w A N": "uang", "w u@ N": "ueng",
    "y": "v", "yE": "ve", "y& n": "van", "y@ n": "vn", "m-": "m",
}  # fmt: skip
_ALONE = {
    "i": "yi", "ia": "ya", "ie": "ye", "iao": "yao", "iu": "you", "ian": "yan", "in": "yin", "iang": "yang",
    "ing": "ying", "iong": "yong", "io": "yo", "u": "wu", "ua": "wa", "uo": "wo", "uai": "wai", "ui": "wei",
    "uan": "wan", "un": "wen", "uang": "wang", "ueng": "weng", "v": "yu", "ve": "yue", "van": "yuan", "vn": "yun",
}  # fmt: skip
_AFTER_GLIDE = {
    "a": "ia", "an": "ian", "ang": "iang", "ao": "iao", "e": "ie", "i": "i", "ie": "ie", "in": "in", "ing": "ing",
    "ia": "ia", "iu": "iu", "ou": "iu", "v": "v", "ve": "ve", "van": "van", "vn": "vn", "io": "io", "ian": "ian",
    "iang": "iang", "ong": "iong",
}  # fmt: skip


def pinyin_of(phonemes: Sequence[str]) -> str:
    """Returns the pinyin of a syllable, ``lv`` for lü, ``ju`` for jü; empty if the phones are no Mandarin syllable."""
    plain = [p.rstrip("0123456789") or p for p in phonemes]
    initial = _INITIALS.get(plain[0], "") if len(plain) > 1 else ""
    rest = plain[1:] if initial else plain
    final = _FINALS.get(" ".join(rest), "")
    if not final and rest[0] == "j":
        final = _AFTER_GLIDE.get(_FINALS.get(" ".join(rest[1:]), ""), "")
    elif not final and rest[0] == "w":
        inner = _FINALS.get(" ".join(rest[1:]), "")
        final = inner if inner.startswith("u") else {"ei": "ui", "en": "un", "eng": "ueng", "o": "uo"}.get(
            inner, f"u{inner}" if inner else ""
        )  # fmt: skip
    if not final:
        return ""
    if not initial:
        return _ALONE.get(final, final)
    if initial in "bpmf" and final == "uo":
        final = "o"
    if initial in ("j", "q", "x"):
        final = final.replace("v", "u")
    return initial + final
