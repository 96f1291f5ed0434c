"""The body of one ABC voice: its signs as measures of notes, chord symbols and words.

Reference: the ABC music standard 2.1, chapters 4 to 6. Headers and songs are in `abc`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import takewhile

from songwright.errors import InputError
from songwright.score.song import TICKS_PER_QUARTER
from songwright.score.sung import Place
from songwright.score.theory import Key, key_of_signature, parse_chord, pitch_class, signature_of

WHOLE = 4 * TICKS_PER_QUARTER
MAX_NOTES = 200_000
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
_MODES = {"": "major", "maj": "major", "ion": "major", "m": "minor", "min": "minor", "aeo": "minor",
          "mix": "mixolydian", "dor": "dorian", "phr": "phrygian", "lyd": "lydian", "loc": "locrian"}  # fmt: skip
_NO_KEY = re.compile(
    r"\b(clef|middle|octave|transpose|stafflines|staffscale|t)\s*=\s*\S+|\b(treble|bass|alto|tenor)\S*"
)
_TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_NOTE = r"(?P<acc>\^\^|__|\^|_|=)?(?P<name>[A-Ga-g])(?P<oct>[,']*)(?P<len>\d*/*\d*)"
_SIGNS = re.compile(
    r"(?P<text>\"[^\"]*\")|(?P<skip>![^!\s]*!|\+[A-Za-z]+\+|\{[^}]*\}|[~.`$\\]|y\d*|[H-WhtuvT](?=[\s~.uvTHLMPS]*[\^_=A-Ga-gz\[({\"]))"
    r"|\[(?P<field>[A-Za-z]):(?P<value>[^\]]*)\]"
    r"|\((?P<tuplet>\d)(?::(?P<of>\d*))?(?::(?P<count>\d*))?|(?P<slur>[()])"
    r"|(?P<bar>:*\|+[\]:|]*(?:\s*\[?(?P<end1>\d[\d,-]*))?|::+(?:\s*\[?(?P<end2>\d[\d,-]*))?|\[\||\[(?P<end3>\d[\d,-]*))"
    r"|\[(?P<chord>(?:(?:\"[^\"]*\"|![^!]*!|[.~uv])*(?:\^\^|__|\^|_|=)?[A-Ga-g][,']*\d*/*\d*-?\s*)+)\](?P<chordlen>\d*/*\d*)"
    r"|(?P<rest>[zxZX])(?P<restlen>\d*/*\d*)|" + _NOTE + r"|(?P<broken>>+|<+)|(?P<tie>-)|(?P<over>&)"
)
_INNER = re.compile(_NOTE + r"(?P<tie>-)?")


@dataclass
class Measure:
    """What stands between two bar lines, in ticks from the first.

    Attributes:
        notes: (start, length, pitch, whether tied to the next of its pitch, index in the voice's list of words or -1).
        chords: (start, symbol).
        length: how long it is.
        meter, key, bpm: what changes at its beginning.
        opens, closes: whether a repeat begins or ends with it.
        endings: of which turns it is the ending; empty outside endings.
    """

    notes: list[tuple[Fraction, Fraction, int, bool, int]] = field(default_factory=list)
    chords: list[tuple[Fraction, str]] = field(default_factory=list)
    length: Fraction = Fraction(0)
    meter: tuple[int, int] | None = None
    key: str = ""
    bpm: float = 0.0
    opens: bool = False
    closes: bool = False
    endings: tuple[int, ...] = ()


def read_length(text: str) -> Fraction:
    """Returns the factor of a length such as ``"3/2"``, ``"/"`` or ``""``."""
    top, slash, bottom = text.partition("/")
    if not slash:
        return Fraction(int(top or 1))
    halves = bottom.count("/") + 1
    digits = bottom.strip("/")
    below = int(digits) if digits else 2**halves
    if below == 0:
        raise InputError(f"a note of length {text}")
    return Fraction(int(top or 1), below)


def read_key(text: str) -> tuple[str, dict[str, int]] | None:
    """Returns a key and the accidentals of its signature by letter; None where the field names no key.

    Raises:
        InputError: its mode is unknown.
    """
    words = _NO_KEY.sub("", text)
    match = re.match(r"^\s*([A-G])([#b]?)\s*([A-Za-z]*)(.*)$", words)
    if words.strip().startswith(("HP", "Hp")):
        return "A mixolydian", {"F": 1, "C": 1}
    if not match:
        return ("C major", {}) if words.strip().lower() == "none" or not text.strip() else None
    word = match.group(3)
    mode = _MODES.get(word if word == "m" else word[:3].lower())
    if mode is None:
        if word.lower() not in ("exp",):
            raise InputError(f"key '{text.strip()}': unknown mode")
        mode = "major"
    fifths = signature_of(f"{match.group(1)}{match.group(2)} {mode}")
    signs = dict.fromkeys("FCGDAEB"[: max(0, fifths)], 1) | dict.fromkeys("BEADGCF"[: max(0, -fifths)], -1)
    for sign, letter in re.findall(r"(\^\^|__|\^|_|=)([A-Ga-g])", match.group(4)):
        signs[letter.upper()] = _ACCIDENTALS[sign]
    return key_of_signature(fifths, mode if Key(0, mode) else "major"), signs


def read_meter(text: str) -> tuple[int, int] | None:
    """Returns numerator and denominator; None for free metre."""
    word = text.strip().split(" ")[0] if text.strip() else ""
    named = {"C": (4, 4), "C|": (2, 2)}
    if word in named:
        return named[word]
    match = re.match(r"^\(?(\d+(?:\s*\+\s*\d+)*)\)?\s*/\s*(\d+)", text.strip())
    if not match:
        return None
    top, bottom = sum(int(n) for n in match.group(1).split("+")), int(match.group(2))
    return (top, bottom) if 0 < top <= 64 and bottom in (1, 2, 4, 8, 16, 32, 64) else None


def read_tempo(text: str) -> float:
    """Returns quarters a minute; 0 if the field gives none."""
    bare = re.sub(r'"[^"]*"', "", text)
    match = re.search(r"(\d+)\s*/\s*(\d+)(?:\s+\d+\s*/\s*\d+)*\s*=\s*(\d+(?:\.\d+)?)", bare)
    if match and int(match.group(2)):
        return 4.0 * int(match.group(1)) / int(match.group(2)) * float(match.group(3))
    match = re.search(r"=\s*(\d+)|^\s*(\d+)\s*$", bare)
    return float(match.group(1) or match.group(2)) if match else 0.0


def chord_symbol(text: str) -> str:
    """Returns the symbol in quotation marks as the program writes it; empty if it is a remark."""
    bare = text.strip().strip("()").replace("♯", "#").replace("♭", "b")
    if not bare or bare[0] in "^_<>@":
        return ""
    first = re.split(r"[\s;,]", bare)[0]
    first = re.sub(r"/([a-g])", lambda m: "/" + m.group(1).upper(), first)
    try:
        chord = parse_chord(first) if first[:1] in "ABCDEFG" else None
    except InputError:
        return ""
    return first if chord is not None else ""


class Voice:
    """Reads the lines of one voice.

    Args:
        unit: length of a note without a number, in ticks.
        key: name and signature.
        meter: in force, None for free.
        octave: how many octaves the voice sounds above what is written.
    """

    def __init__(
        self, unit: Fraction, key: tuple[str, dict[str, int]], meter: tuple[int, int] | None, octave: int = 0
    ) -> None:
        self.measures: list[Measure] = [Measure()]
        self.words: list[tuple[str, Place, bool]] = []
        self._unit, self._signature, self._meter, self._octave = unit, key[1], meter, octave
        self._at = Fraction(0)
        self._accidentals: dict[str, int] = {}
        self._broken, self._stretch, self._left = Fraction(1), Fraction(1), 0
        self._line: list[tuple[Measure, int]] = []
        self._line_bars: list[int] = []
        self._sung_line = False
        self._count = 0

    def field(self, name: str, value: str) -> None:
        """Changes key, metre, unit length or tempo from here on."""
        measure = self.measures[-1]
        if name == "K" and (key := read_key(value)) is not None:
            measure.key, self._signature = key
        elif name == "M":
            self._meter = read_meter(value)
            measure.meter = self._meter
        elif name == "L" and "/" in value:
            top, _, bottom = value.partition("/")
            self._unit = Fraction(WHOLE * int(top.strip() or 1), int(re.match(r"\s*\d+", bottom).group()))  # type: ignore[union-attr]
        elif name == "Q":
            measure.bpm = read_tempo(value)

    def music(self, line: str) -> None:
        """Reads one line of signs."""
        self._line, self._line_bars, self._sung_line = [], [0], False
        last: tuple[Measure, int] | None = None
        for sign in _SIGNS.finditer(line):
            kind = sign.lastgroup
            if sign.group("text"):
                symbol = chord_symbol(sign.group("text")[1:-1])
                if symbol:
                    self.measures[-1].chords.append((self._at, symbol))
            elif sign.group("field"):
                self.field(sign.group("field"), sign.group("value"))
            elif sign.group("tuplet"):
                self._tuplet(sign)
            elif sign.group("bar"):
                self._bar(sign)
                last = None
            elif sign.group("chord") or sign.group("name"):
                last = self._sound(sign)
            elif sign.group("rest"):
                self._rest(sign.group("rest"), sign.group("restlen"))
                last = None
            elif sign.group("broken"):
                self._break(sign.group("broken"), last)
            elif sign.group("tie") and last is not None:
                measure, first = last
                for i in range(first, len(measure.notes)):
                    start, length, pitch, _, word = measure.notes[i]
                    measure.notes[i] = (start, length, pitch, True, word)
            elif kind == "over":
                self._at = Fraction(0)

    def _tuplet(self, sign: re.Match[str]) -> None:
        count = int(sign.group("tuplet"))
        compound = self._meter is not None and self._meter[1] == 8 and self._meter[0] % 3 == 0
        of = int(sign.group("of") or 0) or _TUPLETS.get(count, 3 if compound else 2)
        self._stretch, self._left = Fraction(of, max(1, count)), int(sign.group("count") or 0) or count

    def _advance(self, factor: Fraction) -> Fraction:
        """Returns the length of the next note or rest and counts down tuplet and broken rhythm."""
        length = self._unit * factor * self._broken
        self._broken = Fraction(1)
        if self._left:
            length *= self._stretch
            self._left -= 1
        self._count += 1
        if self._count > MAX_NOTES or length > 1000 * WHOLE:
            raise InputError("more notes than any tune has")
        return length

    def _sound(self, sign: re.Match[str]) -> tuple[Measure, int]:
        measure = self.measures[-1]
        first = len(measure.notes)
        if sign.group("chord"):
            inner = list(_INNER.finditer(re.sub(r'"[^"]*"|![^!]*!', "", sign.group("chord"))))
            step = self._advance(read_length(inner[0].group("len")) * read_length(sign.group("chordlen")))
            for note in inner:
                measure.notes.append((self._at, step, self._pitch(note), note.group("tie") is not None, -1))
        else:
            step = self._advance(read_length(sign.group("len")))
            measure.notes.append((self._at, step, self._pitch(sign), False, -1))
        if self._line_bars:
            self._line.append((measure, first))
        self._at += step
        measure.length = max(measure.length, self._at)
        return measure, first

    def _rest(self, name: str, text: str) -> None:
        if name in "ZX" and self._meter is not None:
            bar = Fraction(WHOLE * self._meter[0], self._meter[1])
            for i in range(min(1000, int(read_length(text)))):
                if i:
                    self.measures.append(Measure())
                self.measures[-1].length = bar
            self._at = bar
            return
        self._at += self._advance(read_length(text))
        self.measures[-1].length = max(self.measures[-1].length, self._at)

    def _break(self, signs: str, last: tuple[Measure, int] | None) -> None:
        short = Fraction(1, 2 ** len(signs))
        before = 2 - short if signs[0] == ">" else short
        if last is None:
            return
        measure, first = last
        start, length = measure.notes[first][:2]
        measure.notes[first:] = [(s, n * before, p, tie, word) for s, n, p, tie, word in measure.notes[first:]]
        self._at = start + length * before
        measure.length = max((s + n for s, n, *_ in measure.notes), default=Fraction(0))
        self._broken = 2 - before

    def _bar(self, sign: re.Match[str]) -> None:
        text = sign.group("bar")
        marks = re.sub(r"[\d,\s-]", "", text)
        ending = sign.group("end1") or sign.group("end2") or sign.group("end3") or ""
        measure = self.measures[-1]
        closes = marks.startswith(":")
        opens = (marks.endswith(":") and marks != ":") or "::" in marks
        if measure.length > 0:
            measure.closes = measure.closes or closes
            measure = Measure()
            self.measures.append(measure)
            self._line_bars.append(len(self._line))
        elif closes and len(self.measures) > 1:
            self.measures[-2].closes = True
        measure.opens = measure.opens or opens
        if ending:
            measure.endings = _turns(ending)
        elif closes or opens or marks in ("||", "|]", "[|"):
            measure.endings = ()
        self._at = Fraction(0)
        self._accidentals = {}

    def _pitch(self, note: re.Match[str]) -> int:
        letter, marks = note.group("name"), note.group("oct")
        octave = (1 if letter.islower() else 0) + marks.count("'") - marks.count(",") + self._octave
        place = letter.upper() + str(octave)
        if note.group("acc"):
            self._accidentals[place] = _ACCIDENTALS[note.group("acc")]
        alter = self._accidentals.get(place, self._signature.get(letter.upper(), 0))
        pitch = 60 + 12 * octave + _LETTERS[letter.upper()] + alter
        if not 0 <= pitch <= 127:
            raise InputError(f"note {note.group()} out of range")
        return pitch

    def sing(self, text: str) -> None:
        """Puts a line of words (the first verse) under the notes of the line read last."""
        if self._sung_line:
            return
        self._sung_line = True
        place = 0
        for piece, where, starts in _syllables(text):
            if piece == "|":
                place = next((b for b in self._line_bars if b > place), place)
            elif place < len(self._line):
                if piece not in ("*", "_"):
                    measure, first = self._line[place]
                    begin = measure.notes[first][0]
                    here = takewhile(lambda n, begin=begin: n[0] == begin, measure.notes[first:])  # type: ignore[misc]
                    top = first + max(enumerate(here), key=lambda n: n[1][2])[0]
                    start, length, pitch, tie, _ = measure.notes[top]
                    measure.notes[top] = (start, length, pitch, tie, len(self.words))
                    self.words.append((piece, where, starts))
                place += 1


def _turns(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for piece in text.split(","):
        first, _, last = piece.partition("-")
        if first.isdigit():
            found.extend(range(int(first), int(last) + 1) if last.isdigit() else (int(first),))
    return tuple(n for n in found if 1 <= n <= 9)


def _syllables(text: str) -> Iterator[tuple[str, Place, bool]]:
    """Yields the syllables of a line of words, and ``*``, ``_`` and ``|`` as they are; whether each begins the line."""
    inside = False
    first = True
    for word in re.findall(r"[*_|]|(?:\\-|[^\s*_|])+", text):
        if word in "*_|":
            yield word, "single", False
            continue
        pieces = re.split(r"(?<!\\)(-)", word)
        texts = [p for p in pieces if p and p != "-"]
        joins = word.endswith("-") and not word.endswith("\\-")
        for i, piece in enumerate(texts):
            goes_on = i + 1 < len(texts) or joins
            where: Place = ("middle" if goes_on else "end") if inside else ("begin" if goes_on else "single")
            yield piece.replace("\\-", "-").replace("~", " ").strip(), where, first
            inside, first = goes_on, False
        extra = len(re.findall(r"-", word)) - (len(texts) - 1) - int(joins) if texts else word.count("-")
        for _ in range(max(0, extra)):
            yield "_", "single", False


__all__ = ["Measure", "Voice", "chord_symbol", "pitch_class", "read_key", "read_length", "read_meter", "read_tempo"]
