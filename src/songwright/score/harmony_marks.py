"""Chord symbols as MusicXML's kinds and degrees, both ways."""

from xml.etree.ElementTree import Element

from songwright.errors import InputError
from songwright.score.theory import NO_CHORD, QUALITIES, parse_chord
from songwright.score.xml_file import number

Degree = tuple[int, int, str]
_SHARP_11: Degree = (11, 1, "add")
KINDS: dict[str, tuple[str, tuple[Degree, ...]]] = {
    "": ("major", ()), "m": ("minor", ()), "dim": ("diminished", ()), "aug": ("augmented", ()),
    "sus2": ("suspended-second", ()), "sus4": ("suspended-fourth", ()), "5": ("power", ()), "6": ("major-sixth", ()),
    "m6": ("minor-sixth", ()), "69": ("major-sixth", ((9, 0, "add"),)), "m69": ("minor-sixth", ((9, 0, "add"),)),
    "7": ("dominant", ()), "maj7": ("major-seventh", ()), "m7": ("minor-seventh", ()), "mmaj7": ("major-minor", ()),
    "dim7": ("diminished-seventh", ()), "m7b5": ("half-diminished", ()), "aug7": ("augmented-seventh", ()),
    "augmaj7": ("major-seventh", ((5, 1, "alter"),)), "7sus4": ("suspended-fourth", ((7, -1, "add"),)),
    "7sus2": ("suspended-second", ((7, -1, "add"),)), "9": ("dominant-ninth", ()), "maj9": ("major-ninth", ()),
    "m9": ("minor-ninth", ()), "9sus4": ("suspended-fourth", ((7, -1, "add"), (9, 0, "add"))),
    "mmaj9": ("major-minor", ((9, 0, "add"),)), "add9": ("major", ((9, 0, "add"),)),
    "madd9": ("minor", ((9, 0, "add"),)),
    "add11": ("major", ((11, 0, "add"),)), "11": ("dominant-11th", ()), "m11": ("minor-11th", ()),
    "maj11": ("major-11th", ()), "13": ("dominant-13th", ()), "maj13": ("major-13th", ()), "m13": ("minor-13th", ()),
    "13sus4": ("suspended-fourth", ((7, -1, "add"), (9, 0, "add"), (13, 0, "add"))),
    "7b5": ("dominant", ((5, -1, "alter"),)), "7b9": ("dominant", ((9, -1, "add"),)),
    "7#9": ("dominant", ((9, 1, "add"),)), "7#11": ("dominant", (_SHARP_11,)), "7b13": ("dominant", ((13, -1, "add"),)),
    "maj7#11": ("major-seventh", (_SHARP_11,)), "7#5#9": ("augmented-seventh", ((9, 1, "add"),)),
    "7b5b9": ("dominant", ((5, -1, "alter"), (9, -1, "add"))), "7#5b9": ("augmented-seventh", ((9, -1, "add"),)),
    "9#11": ("dominant-ninth", (_SHARP_11,)), "13b9": ("dominant", ((9, -1, "add"), (13, 0, "add"))),
    "9b5": ("dominant-ninth", ((5, -1, "alter"),)), "m9b5": ("half-diminished", ((9, 0, "add"),)),
}  # fmt: skip
"""Kind and degrees of every chord quality."""

_KIND_QUALITIES = {kind: quality for quality, (kind, degrees) in KINDS.items() if not degrees}
_KIND_QUALITIES |= {"other": "", "Neapolitan": "", "Italian": "7", "French": "7b5", "German": "7", "pedal": "5",
                    "Tristan": "m7b5", "": ""}  # fmt: skip
_DEGREES = {1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 11, 9: 14, 11: 17, 13: 21}
_STEPS = tuple("CDEFGAB")


def symbol_of(harmony: Element) -> str:
    """Returns the chord symbol of a harmony: its own text if that is one, else what kind and degrees say."""
    kind = harmony.find("kind")
    name = (kind.text or "").strip() if kind is not None else ""
    root = _note_name(harmony, "root")
    if name == "none" or not root:
        return NO_CHORD
    bass = _note_name(harmony, "bass")
    slash = f"/{bass}" if bass else ""
    text = kind.get("text") if kind is not None else None
    quality = _quality(name, harmony)
    if text is not None:
        try:
            shown = parse_chord(f"{root}{text}{slash}")
            if shown is not None and shown.quality == quality:
                return f"{root}{text}{slash}"
        except InputError:
            pass
    return f"{root}{quality}{slash}"


def _note_name(harmony: Element, what: str) -> str:
    step = (harmony.findtext(f"{what}/{what}-step") or "").strip()
    if step not in _STEPS:
        return ""
    alter = max(-2, min(2, int(number(harmony.findtext(f"{what}/{what}-alter")))))
    return step + ("#" * alter if alter > 0 else "b" * -alter)


def _quality(kind: str, harmony: Element) -> str:
    """Returns the quality nearest to a kind with its degrees."""
    base = _KIND_QUALITIES.get(kind, "")
    degrees = []
    for d in harmony.iterfind("degree"):
        value, alter = int(number(d.findtext("degree-value"))), int(number(d.findtext("degree-alter")))
        degrees.append((value, alter, (d.findtext("degree-type") or "add").strip()))
    if not degrees:
        return base
    for quality, (name, wanted) in KINDS.items():
        if name == kind and sorted(wanted) == sorted(degrees):
            return quality
    tones = set(QUALITIES[base])
    for value, alter, how in degrees:
        plain = _DEGREES.get(value, 0)
        near = {t for t in tones if abs(t % 12 - plain % 12) <= 1 and value not in (9, 11, 13)}
        if how in ("alter", "subtract"):
            tones -= near or {plain}
        if how != "subtract":
            tones.add(plain + alter)
    classes = {t % 12 for t in tones}
    return next((q for q, i in QUALITIES.items() if {t % 12 for t in i} == classes), base)
