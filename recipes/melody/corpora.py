"""Readers of the four corpora of tunes: every song becomes notes on a grid of sixteenths, counted from its tonic.

What cannot be understood (no key, polyphony, odd metres) is skipped, never guessed.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from songwright.errors import InputError
from songwright.score.theory import parse_chord, parse_key, pitch_class

GROUPS = ("pop909", "openewld", "hymn", "folk")
STEPS = {"4/4": 16, "C": 16, "C|": 16, "2/2": 16, "2/4": 16, "4/2": 16, "3/4": 12, "3/2": 12, "6/8": 12, "6/4": 12}
FAMILY = {"4/4": "4/4", "C": "4/4", "C|": "4/4", "2/2": "4/4", "2/4": "4/4", "4/2": "4/4", "3/4": "3/4", "3/2": "3/4",
          "6/8": "6/8", "6/4": "6/8"}  # fmt: skip


@dataclass(frozen=True)
class Tune:
    """One tune.

    Attributes:
        id: names it for the split; transposed copies of one song share it.
        group: index into `GROUPS`.
        metre: ``"4/4"``, ``"3/4"`` or ``"6/8"``.
        mode: 0 major-like, 1 minor-like.
        notes: (start, length, pitch) in sixteenths from a bar line and semitones from a tonic below the tune.
        exact: whether each note fell on the grid.
        chords: (start, root above the tonic, pitch classes above the tonic), None for no chord.
        phrases: bars (counted from 0) in which phrases begin.
        tempo_bpm: if known.
    """

    id: str
    group: int
    metre: str
    mode: int
    notes: tuple[tuple[int, int, int], ...]
    exact: tuple[bool, ...]
    chords: tuple[tuple[int, int, tuple[int, ...]], ...]
    phrases: tuple[int, ...]
    tempo_bpm: float = 0.0


def read_pop909(folder: Path) -> Iterator[Tune]:
    """Yields the pop songs with hand-made phrase marks (Dai, Zhang and Dannenberg 2020)."""
    for song in sorted((folder / "pop909" / "structure").iterdir()):
        keys = (song / "analyzed_key.txt").read_text().split()
        if len(keys) != 1:
            continue
        key = parse_key(keys[0].replace(":", " "))
        rows = [tuple(map(int, line.split())) for line in (song / "melody.txt").read_text().splitlines()]
        notes, at = [], 0
        for pitch, length in rows:
            if pitch:
                notes.append((at, length, pitch - key.tonic))
            at += length
        chords = []
        beat = 0.0
        for line in (song / "finalized_chord.txt").read_text().splitlines():
            name, tones = line.split("[")[0].strip(), line.split("[")[1].split("]")[0]
            if ":" in name:
                root = (pitch_class(name.split(":")[0]) - key.tonic) % 12
                above = sorted((int(t) - key.tonic - root) % 12 for t in tones.split(","))
                chords.append((round(beat * 4), root, tuple((root + t) % 12 for t in above)))
            beat += float(line.split()[-1])
        bars, phrases = 0, list[int]()
        for letter, count in re.findall(r"([A-Za-z])(\d+)", (song / "human_label1.txt").read_text()):
            if letter.isupper() and letter != "X":
                phrases.extend(range(bars, bars + int(count) - 1, 4))
            bars += int(count)
        tempo = float((song / "tempo.txt").read_text().split()[0])
        yield Tune(f"pop909/{song.name}", 0, "4/4", int(key.is_minor), tuple(notes), (True,) * len(notes),
                   tuple(chords), tuple(phrases), tempo)  # fmt: skip


def read_openewld(folder: Path) -> Iterator[Tune]:
    """Yields lead sheets from compressed MusicXML."""
    for path in sorted((folder / "openewld" / "dataset").rglob("*.mxl")):
        with zipfile.ZipFile(path) as archive:
            name = next(n for n in archive.namelist() if n.endswith(".xml") and "META" not in n)
            root = ElementTree.fromstring(archive.read(name))
        tune = _lead_sheet(root, f"openewld/{path.stem}")
        if tune:
            yield tune


def _lead_sheet(root: ElementTree.Element, name: str) -> Tune | None:
    part = root.find("part")
    keys = {(k.findtext("fifths", "0"), k.findtext("mode", "major")) for k in root.iter("key")}
    metres = {f"{t.findtext('beats')}/{t.findtext('beat-type')}" for t in root.iter("time")}
    if part is None or len(keys) != 1 or len(metres) != 1 or (metre := metres.pop()) not in STEPS:
        return None
    fifths, mode = keys.pop()
    tonic = (int(fifths) * 7 + (9 if mode == "minor" else 0)) % 12
    sheet = _Sheet(tonic)
    scale = 2.0 if metre in ("3/2", "6/4") else 1.0
    bar = STEPS[metre] / (2 if metre == "2/4" else 1)
    at = 0.0
    for number, measure in enumerate(part.iter("measure")):
        length = sheet.measure(measure, at if number else 0.0, 4.0 / scale)
        if number == 0 and length < bar - 0.01:
            sheet.shift(bar - length)
            length = bar
        at += bar
    notes, exact = sheet.finished()
    if len(notes) < 16:
        return None
    minor = mode == "minor"
    chords = tuple(sheet.chords)
    if not minor and chords and chords[-1][1] == 9 and 0 in chords[-1][2]:  # the sheets call their minor keys major
        minor = True
        notes = tuple((s, n, p - 9) for s, n, p in notes)
        chords = tuple((s, (r - 9) % 12, tuple((p - 9) % 12 for p in pcs)) for s, r, pcs in chords)
    bars = int(at / STEPS[metre])
    return Tune(name, 1, FAMILY[metre], int(minor), notes, exact, chords, tuple(range(0, bars, 4)))


class _Sheet:
    """Collects the notes and chords of one lead sheet."""

    def __init__(self, tonic: int) -> None:
        self.tonic, self.divisions = tonic, 1.0
        self.notes: list[tuple[float, float, int]] = []
        self.chords: list[tuple[int, int, tuple[int, ...]]] = []
        self.tied = False

    def measure(self, measure: ElementTree.Element, start: float, steps: float) -> float:
        at = longest = 0.0
        for item in measure:
            if item.tag == "attributes" and item.findtext("divisions"):
                self.divisions = float(item.findtext("divisions", "1"))
            length = float(item.findtext("duration", "0")) / self.divisions * steps
            if item.tag == "harmony":
                self._harmony(item, start + at)
            elif item.tag == "backup":
                at -= length
            elif item.tag == "forward":
                at += length
            elif item.tag == "note" and item.find("grace") is None and item.find("chord") is None:
                if item.findtext("voice", "1") == "1" and item.find("pitch") is not None:
                    self._note(item, start + at, length)
                at += length
            longest = max(longest, at)
        return longest

    def _note(self, item: ElementTree.Element, at: float, length: float) -> None:
        octave, alter = int(item.findtext("pitch/octave", "4")), round(float(item.findtext("pitch/alter", "0")))
        pitch = 12 * (octave + 1) + pitch_class(item.findtext("pitch/step", "C")) + alter - self.tonic
        ties = {t.get("type") for t in item.findall("tie")}
        last = self.notes[-1] if self.notes else None
        if "stop" in ties and last and last[2] == pitch and abs(last[0] + last[1] - at) < 0.1:
            self.notes[-1] = (last[0], last[1] + length, pitch)
        else:
            self.notes.append((at, length, pitch))

    def _harmony(self, item: ElementTree.Element, at: float) -> None:
        kind = item.find("kind")
        step = item.findtext("root/root-step")
        if step is None or kind is None:
            return
        alter = round(float(item.findtext("root/root-alter", "0")))
        name = step + ("#" * alter if alter >= 0 else "b" * -alter)
        try:
            chord = parse_chord(name + (kind.get("text") or ""))
        except InputError:
            chord = parse_chord(name + ("m" if "minor" in (kind.text or "") else ""))
        if chord:
            pcs = tuple((p - self.tonic) % 12 for p in chord.pitch_classes)
            self.chords.append((round(at), (chord.root - self.tonic) % 12, pcs))

    def shift(self, steps: float) -> None:
        self.notes = [(s + steps, n, p) for s, n, p in self.notes]
        self.chords = [(round(s + steps), r, p) for s, r, p in self.chords]

    def finished(self) -> tuple[tuple[tuple[int, int, int], ...], tuple[bool, ...]]:
        return _on_grid(self.notes)


def _on_grid(notes: list[tuple[float, float, int]]) -> tuple[tuple[tuple[int, int, int], ...], tuple[bool, ...]]:
    rows: list[tuple[int, int, int]] = []
    exact: list[bool] = []
    for start, length, pitch in sorted(notes):
        first, end = round(start), round(start + length)
        if rows and first <= rows[-1][0]:
            exact[-1] = False
            continue
        rows.append((first, max(1, end - first), pitch))
        exact.append(abs(first - start) < 0.02 and abs(end - start - length) < 0.02 and end > first)
    for i, (a, b) in enumerate(pairwise(rows)):
        rows[i] = (a[0], min(a[1], b[0] - a[0]), a[2])
    return tuple(rows), tuple(exact)


_TOKEN = re.compile(
    r"(?P<skip>\"[^\"]*\"|![^!]*!|\+[^+]*\+|\{[^}]*\}|~|\.|[HLMOPSTuv](?=[\^_=A-Ga-g(]))"
    r"|(?P<field>\[[A-Za-z]:[^\]]*\])|(?P<tuplet>\((\d)(?::(\d?))?(?::(\d?))?)"
    r"|(?P<chord>\[[\^_=A-Ga-g,'/0-9]+\](?P<chordlen>\d*/*\d*))"
    r"|(?P<note>(?P<acc>\^\^|__|\^|_|=)?(?P<name>[A-Ga-gzxZ])(?P<oct>[,']*)(?P<len>\d*/*\d*))"
    r"|(?P<broken>[<>]+)|(?P<tie>-)|(?P<bar>[|:\[\]]+\d?)"
)
_MODES = {
    "": 0,
    "maj": 0,
    "ion": 0,
    "mix": -1,
    "m": -3,
    "min": -3,
    "aeo": -3,
    "dor": -2,
    "phr": -4,
    "lyd": 1,
    "loc": -5,
}


def read_abc(paths: list[Path], group: int) -> Iterator[Tune]:
    """Yields tunes from ABC files: the first voice of each."""
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="replace")
        for block in re.split(r"(?m)^(?=X:)", text)[1:]:
            tune = _abc_tune(block, f"{path.parent.name}/{path.stem}", group)
            if tune:
                yield tune


def _abc_tune(block: str, name: str, group: int) -> Tune | None:
    fields: dict[str, str] = {}
    body: list[str] = []
    first_voice, voice = "", ""
    for line in block.splitlines():
        line = line.split("%")[0].strip()
        match = re.match(r"^([A-Za-z]):(.*)$", line)
        inline = re.match(r"^\[V:\s*(\S+?)\]", line)
        if match and match.group(1) == "V":
            voice = match.group(2).split()[0] if match.group(2).split() else ""
            first_voice = first_voice or voice
        elif match and match.group(1) not in "wW":
            if body and match.group(1) in "KM" and match.group(2).strip() != fields.get(match.group(1)):
                return None
            fields.setdefault(match.group(1), match.group(2).strip())
        elif not match and line:
            current = inline.group(1) if inline else voice
            if not first_voice or current == first_voice:
                body.append(line[inline.end() :] if inline else line)
    metre = fields.get("M", "").replace(" ", "")
    if metre not in STEPS or "K" not in fields or not body:
        return None
    reader = _Abc(fields, metre)
    if not reader.key_known:
        return None
    notes, exact, bars = reader.read(" ".join(body))
    if len(notes) < 16:
        return None
    title = re.sub(r"\W+", "", fields.get("T", "")).lower()
    return Tune(f"{GROUPS[group]}/{title or name}", group, FAMILY[metre], reader.mode, notes, exact, (),
                tuple(range(0, bars, 4)))  # fmt: skip


class _Abc:
    """Reads the body of one ABC tune."""

    def __init__(self, fields: dict[str, str], metre: str) -> None:
        self.metre = metre
        match = re.match(r"^([A-G])([#b]?)\s*([A-Za-z]*)", fields["K"])
        self.key_known = bool(match)
        if not match:
            return
        shift = _MODES.get(match.group(3)[:3].lower() if match.group(3) != "m" else "m")
        self.key_known = shift is not None
        self.tonic = pitch_class(match.group(1) + match.group(2))
        fifths = (self.tonic * 7 + 5) % 12 - 5 if match.group(2) != "b" else -((12 - self.tonic * 7 % 12) % 12)
        fifths += shift or 0
        self.mode = int((shift or 0) <= -2)
        self.signature = {
            **dict.fromkeys("FCGDAEB"[: max(0, fifths)], 1), **dict.fromkeys("BEADGCF"[: max(0, -fifths)], -1)
        }  # fmt: skip
        unit = fields.get("L")
        if unit and "/" in unit:
            self.unit = 16.0 / float(unit.split("/")[1].strip())
        else:
            top, _, bottom = metre.replace("C|", "4/4").replace("C", "4/4").partition("/")
            self.unit = 1.0 if float(top) / float(bottom) < 0.75 else 2.0
        if metre in ("3/2", "6/4", "4/2"):
            self.unit /= 2

    def read(self, body: str) -> tuple[tuple[tuple[int, int, int], ...], tuple[bool, ...], int]:
        bar = STEPS[self.metre] / (2 if self.metre == "2/4" else 1)
        bars: list[list[tuple[float, float, int]]] = [[]]
        accidentals: dict[str, int] = {}
        at, stretch, left, pending, tied = 0.0, 1.0, 0, 1.0, False
        lengths: list[float] = []
        for token in _TOKEN.finditer(body):
            if token.group("note") or token.group("chord"):
                text = token.group("note") or token.group("chord")[1:]
                inner = _TOKEN.match(text)
                if not inner or not inner.group("note"):
                    continue
                length = self.unit * _abc_length(inner.group("len")) * pending
                if token.group("chord"):
                    length *= _abc_length(token.group("chordlen"))
                if left:
                    length, left = length * stretch, left - 1
                pending = 1.0
                if inner.group("name") not in "zxZ":
                    pitch = self._pitch(inner, accidentals)
                    last = bars[-1][-1] if bars[-1] else (bars[-2][-1] if len(bars) > 1 and bars[-2] else None)
                    if tied and last and last[2] == pitch and bars[-1]:
                        bars[-1][-1] = (last[0], last[1] + length, pitch)
                    elif tied and last and last[2] == pitch:
                        bars[-2][-1] = (last[0], last[1] + length, pitch)
                    else:
                        bars[-1].append((at, length, pitch))
                tied = False
                at += length
            elif token.group("broken"):
                count = len(token.group("broken"))
                long, short = 2 - 0.5**count, 0.5**count
                first = long if token.group("broken")[0] == ">" else short
                if bars[-1]:
                    s, n, p = bars[-1][-1]
                    if abs(s + n - at) < 0.01:
                        bars[-1][-1] = (s, n * first, p)
                        at = s + n * first
                pending = short if token.group("broken")[0] == ">" else long
            elif token.group("tie"):
                tied = True
            elif token.group("tuplet"):
                count = int(token.group(4))
                stretch, left = {2: 1.5, 3: 2 / 3, 4: 0.75}.get(count, 1.0), count
            elif token.group("bar") and at > 0:
                bars.append([])
                lengths.append(at)
                accidentals, at = {}, 0.0
        lengths.append(at)
        return self._joined(bars, lengths, bar)

    def _joined(
        self, bars: list[list[tuple[float, float, int]]], lengths: list[float], bar: float
    ) -> tuple[tuple[tuple[int, int, int], ...], tuple[bool, ...], int]:
        """Returns the bars one after another; short bars at repeats are joined, a short first bar is an upbeat."""
        notes: list[tuple[float, float, int]] = []
        start = 0.0
        for i, (rows, length) in enumerate(zip(bars, lengths, strict=True)):
            if i == 0 and 0 < length < bar - 0.01:
                start = bar - length
            notes.extend((s + start, n, p) for s, n, p in rows)
            start += length
            if length >= bar - 0.01 or (i == 0 and length < bar):
                start = round(start / bar) * bar
        rows_on_grid, exact = _on_grid(notes)
        return rows_on_grid, exact, int(start / STEPS[self.metre])

    def _pitch(self, note: re.Match[str], accidentals: dict[str, int]) -> int:
        letter = note.group("name")
        name = letter.upper() + note.group("oct")
        octave = (1 if letter.islower() else 0) + note.group("oct").count("'") - note.group("oct").count(",")
        if note.group("acc"):
            accidentals[name] = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}[note.group("acc")]
        alter = accidentals.get(name, self.signature.get(letter.upper(), 0))
        return 60 + 12 * octave + pitch_class(letter.upper()) + alter - self.tonic


def _abc_length(text: str) -> float:
    if not text:
        return 1.0
    top, slash, bottom = text.partition("/")
    if not slash:
        return float(top)
    if set(bottom) <= {"/"}:
        return float(top or 1) / float(1 << (1 + len(bottom)))
    return float(top or 1) / float(bottom.strip("/") or 2)


def read_all(folder: Path) -> list[Tune]:
    """Returns the tunes of all corpora, in a fixed order."""
    folk = sorted((folder / "folk-abc").rglob("*.abc"))
    return [
        *read_pop909(folder),
        *read_openewld(folder),
        *read_abc(sorted((folder / "open-hymnal").glob("*.abc")), 2),
        *read_abc(folk, 3),
    ]
