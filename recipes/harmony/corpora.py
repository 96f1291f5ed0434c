"""Readers of the four corpora: every song becomes sections of chord functions with their lengths in beats.

Chords are counted from the tonic that the corpus states (local key in openscore-lieder). What cannot be understood is
skipped as a whole song or as "no chord", never guessed.
"""

import csv
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from xml.etree import ElementTree

from songwright.compose.harmony.functions import DIMINISHED, DOMINANT, MAJOR, MINOR, NUM_QUALITIES
from songwright.errors import InputError
from songwright.score.theory import pitch_class

NO_CHORD = -1


@dataclass(frozen=True)
class Event:
    """A chord function (or `NO_CHORD`) from a beat of its section on, for some beats."""

    start_beat: float
    num_beats: float
    function: int


@dataclass(frozen=True)
class MelodyNote:
    """A melody note: beat in its section, length, pitch class above the tonic."""

    start_beat: float
    num_beats: float
    degree: int


@dataclass(frozen=True)
class CorpusSection:
    """A run of chords in one key."""

    role: str
    mode: int
    beats_per_bar: int
    num_bars: int
    events: tuple[Event, ...]
    first_bar: int = 0
    melody: tuple[MelodyNote, ...] = ()


@dataclass(frozen=True)
class CorpusSong:
    """A song: what identifies it (for the split), its corpus, and its sections."""

    id: str
    group: str
    sections: tuple[CorpusSection, ...] = field(default=())


def merged(events: list[Event], limit_beats: float) -> tuple[Event, ...]:
    """Returns the events with repeated functions joined, up to a longest length."""
    joined: list[Event] = []
    for event in events:
        last = joined[-1] if joined else None
        if last and last.function == event.function and last.num_beats + event.num_beats <= limit_beats:
            joined[-1] = Event(last.start_beat, last.num_beats + event.num_beats, last.function)
        else:
            joined.append(event)
    return tuple(joined)


def diatonic_quality(degree: int, mode: int) -> int:
    """Returns the quality that a chord without a third has by its place in the key."""
    minors = (0, 5, 7, 2) if mode else (2, 4, 9)
    return MINOR if degree in minors else MAJOR


_HARTE = re.compile(r"^([A-G][#b]*):([^/(]*)(\([^)]*\))?(?:/.*)?$")


def harte_function(text: str, tonic: int, mode: int) -> int:
    """Returns the function of a chord in Harte's notation, e.g. ``"F#:min7/b3"``."""
    match = _HARTE.match(text)
    if not match:
        return NO_CHORD
    root, kind, additions = match.groups()
    degree = (pitch_class(root) - tonic) % 12
    added = additions or ""
    if kind.startswith("min"):
        quality = DIMINISHED if "b5" in added else MINOR
    elif kind.startswith(("dim", "hdim")):
        quality = DIMINISHED
    elif kind in ("7", "9", "11", "13") or re.search(r"(?<![#b\d])b7", added):
        quality = DOMINANT
    elif kind.startswith("aug"):
        quality = DOMINANT if degree == 7 else MAJOR
    elif kind in ("1", "5"):
        quality = diatonic_quality(degree, mode)
    else:
        quality = MAJOR
    return degree * NUM_QUALITIES + quality


# --- mcgill-billboard -------------------------------------------------------------------------------------------------

_BILLBOARD_ROLES = (
    ("verse", "verse"), ("pre-chorus", "prechorus"), ("prechorus", "prechorus"), ("chorus", "chorus"),
    ("refrain", "chorus"), ("bridge", "bridge"), ("middle", "bridge"), ("intro", "intro"), ("interlude", "intro"),
    ("transition", "intro"), ("vamp", "intro"), ("outro", "outro"), ("coda", "outro"), ("fadeout", "outro"),
    ("ending", "outro"), ("solo", "solo"), ("instrumental", "solo"), ("break", "solo"),
)  # fmt: skip


def billboard_role(name: str) -> str:
    """Returns the role of a section's name."""
    return next((role for word, role in _BILLBOARD_ROLES if word in name.lower()), "other")


def read_billboard(folder: Path) -> Iterator[CorpusSong]:
    """Yields the songs of mcgill-billboard, each once."""
    with (folder / "mcgill-billboard" / "index.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["title"]]
    seen = set()
    for row in rows:
        name = f"{row['title']} / {row['artist']}".lower()
        path = folder / "mcgill-billboard" / "salami_chords" / f"{int(row['id']):04d}.txt"
        if name in seen or not path.exists():
            continue
        seen.add(name)
        sections = billboard_sections(path.read_text(encoding="utf-8"))
        if sections:
            yield CorpusSong(name, "billboard", sections)


def billboard_sections(text: str) -> tuple[CorpusSection, ...]:
    """Returns the sections of one annotation."""
    beats, tonic = 4, 0
    rows: list[tuple[str, int, int, list[list[str]]]] = []
    for line in text.splitlines():
        if line.startswith("# metre:"):
            top, bottom = line.split(":")[1].strip().split("/")
            beats = felt_beats(int(top), int(bottom))
        elif line.startswith("# tonic:"):
            tonic = pitch_class(line.split(":")[1].strip())
        if line.startswith("#") or "\t" not in line or "|" not in line:
            continue
        body = line.split("\t", 1)[1]
        head, _, rest = body.partition("|")
        bars, _, tail = rest.rpartition("|")
        names = [n.strip() for n in head.split(",") if n.strip()]
        times = re.search(r"\bx(\d+)", tail)
        row = [bar.split() for bar in bars.split("|")] * (int(times.group(1)) if times else 1)
        if names and not re.fullmatch(r"[A-Z]+'*", names[0]):
            names = ["", *names]
        named = len(names) > 1
        if rows and not named and (rows[-1][1], rows[-1][2]) == (tonic, beats):
            rows[-1][3].extend(row)
        else:
            role = billboard_role(names[1]) if named else (rows[-1][0] if rows else "other")
            rows.append((role, tonic, beats, row))
    weights = [0, 0]
    for _, key, _, bars_ in rows:
        for chord in (c for bar in bars_ for c in bar):
            function = harte_function(chord, key, 0)
            if function // NUM_QUALITIES == 0 and ":5" not in chord and ":1" not in chord:
                weights[function % NUM_QUALITIES == MINOR] += 1
    mode = int(weights[1] > weights[0])
    return tuple(s for row in rows if (s := _billboard_section(*row, mode=mode)))


def _billboard_section(role: str, tonic: int, beats: int, bars: list[list[str]], mode: int) -> CorpusSection | None:
    events: list[Event] = []
    for number, bar in enumerate(bars):
        chords = [c for c in bar if not c.startswith("(")]
        previous = events[-1].function if events else NO_CHORD
        for i, chord in enumerate(chords):
            if chord not in (".", "->", "*") and not chord.startswith("&"):
                previous = harte_function(chord, tonic, mode)
            length = beats / len(chords)
            events.append(Event(number * beats + i * length, length, previous))
    if not events or all(e.function == NO_CHORD for e in events):
        return None
    return CorpusSection(role, mode, beats, len(bars), merged(events, 4 * beats))


def felt_beats(numerator: int, denominator: int) -> int:
    """Returns felt beats of a bar: 2, 3 or 4."""
    if denominator == 8 and numerator % 3 == 0:
        numerator //= 3
    return numerator if numerator in (2, 3, 4) else (2 if numerator < 2 else 4)


# --- pop909 -----------------------------------------------------------------------------------------------------------

_POP909_ROLES = {"i": "intro", "o": "outro", "x": "intro", "A": "verse", "B": "chorus", "b": "prechorus"}


def read_pop909(folder: Path) -> Iterator[CorpusSong]:
    """Yields the songs of pop909: chords and human phrase labels on the beat grid of its structure annotations."""
    for path in sorted((folder / "pop909" / "structure").iterdir()):
        key = (path / "analyzed_key.txt").read_text().split(":")
        tonic, mode = pitch_class(key[0].strip()), int(key[1].strip().startswith("min"))
        events, beat = [], 0.0
        for line in (path / "finalized_chord.txt").read_text().splitlines():
            parts = line.split()
            if parts:
                function = harte_function(parts[0], tonic, mode)
                events.append(Event(beat, float(parts[-1]), function))
                beat += float(parts[-1])
        phrases = re.findall(r"([A-Za-z])(\d+)", (path / "human_label1.txt").read_text())
        if not events or abs(sum(int(n) for _, n in phrases) * 4 - beat) > 16:
            continue
        sections, first = [], 0.0
        for letter, bars in phrases:
            end = first + int(bars) * 4
            inside = [
                Event(max(e.start_beat, first) - first, length, e.function)
                for e in events
                if (length := min(e.start_beat + e.num_beats, end) - max(e.start_beat, first)) > 0
            ]
            role = _POP909_ROLES.get(letter, "chorus" if letter.isupper() else "other")
            if inside and any(e.function != NO_CHORD for e in inside):
                sections.append(CorpusSection(role, mode, 4, int(bars), merged(inside, 16)))
            first = end
        yield CorpusSong(path.name, "pop909", tuple(sections))


# --- openewld ---------------------------------------------------------------------------------------------------------

_XML_KINDS = {
    "dominant": DOMINANT, "dominant-ninth": DOMINANT, "dominant-11th": DOMINANT, "dominant-13th": DOMINANT,
    "augmented-seventh": DOMINANT, "minor": MINOR, "minor-seventh": MINOR, "minor-sixth": MINOR, "minor-ninth": MINOR,
    "minor-11th": MINOR, "minor-13th": MINOR, "major-minor": MINOR, "diminished": DIMINISHED,
    "diminished-seventh": DIMINISHED, "half-diminished": DIMINISHED,
}  # fmt: skip


def read_openewld(folder: Path) -> Iterator[CorpusSong]:
    """Yields the lead sheets of openewld, with their melodies."""
    for path in sorted((folder / "openewld" / "dataset").rglob("*.mxl")):
        with zipfile.ZipFile(path) as archive:
            name = next(n for n in archive.namelist() if n.endswith(".xml") and "META" not in n)
            root = ElementTree.fromstring(archive.read(name))
        sections = lead_sheet_sections(root)
        if sections:
            yield CorpusSong(path.stem, "openewld", sections)


def lead_sheet_sections(root: ElementTree.Element) -> tuple[CorpusSection, ...]:
    """Returns the runs of one key and metre of a lead sheet's first part."""
    part = root.find("part")
    if part is None:
        return ()
    state = _LeadSheet()
    for measure in part.findall("measure"):
        state.measure(measure)
    state.close()
    return tuple(state.sections)


class _LeadSheet:
    """Walks the measures of a lead sheet."""

    def __init__(self) -> None:
        self.sections: list[CorpusSection] = []
        self.tonic, self.mode, self.beats, self.quarters, self.divisions = 0, 0, 4, 4.0, 1
        self.onsets: list[tuple[float, int]] = []
        self.notes: list[MelodyNote] = []
        self.bars = 0
        self.started = False

    def measure(self, measure: ElementTree.Element) -> None:
        """Adds one measure; a new key or metre begins a new section."""
        for attributes in measure.findall("attributes"):
            self._attributes(attributes)
        position, scale = 0.0, self.beats / self.quarters
        length = 0.0
        found: list[tuple[float, int]] = []
        notes: list[MelodyNote] = []
        for item in measure:
            if item.tag == "harmony":
                offset = float(item.findtext("offset", "0")) / self.divisions
                found.append(((position + offset) * scale, self._function(item)))
            elif item.tag == "note" and item.find("chord") is None and item.find("grace") is None:
                duration = float(item.findtext("duration", "0")) / self.divisions
                step = item.findtext("pitch/step")
                if step and duration:
                    pitch = pitch_class(step) + int(item.findtext("pitch/alter", "0"))
                    notes.append(MelodyNote(position * scale, duration * scale, (pitch - self.tonic) % 12))
                position += duration
            elif item.tag in ("backup", "forward"):
                shift = float(item.findtext("duration", "0")) / self.divisions
                position += shift if item.tag == "forward" else -shift
            length = max(length, position)
        if not self.started and length < self.quarters - 0.01 and not found:
            return
        self.started = True
        base = self.bars * self.beats
        self.onsets += [(base + beat, function) for beat, function in found]
        self.notes += [MelodyNote(base + n.start_beat, n.num_beats, n.degree) for n in notes]
        self.bars += 1

    def _attributes(self, attributes: ElementTree.Element) -> None:
        self.divisions = int(attributes.findtext("divisions", str(self.divisions)))
        fifths, beats = attributes.findtext("key/fifths"), attributes.findtext("time/beats")
        tonic, mode, count, quarters = self.tonic, self.mode, self.beats, self.quarters
        if fifths is not None:
            mode = int((attributes.findtext("key/mode") or "major").startswith("min"))
            tonic = (int(fifths) * 7 + (9 if mode else 0)) % 12
        if beats is not None and beats.isdigit():
            bottom = int(attributes.findtext("time/beat-type", "4"))
            count, quarters = felt_beats(int(beats), bottom), int(beats) * 4 / bottom
        if (tonic, mode, count, quarters) != (self.tonic, self.mode, self.beats, self.quarters):
            self.close()
            self.tonic, self.mode, self.beats, self.quarters = tonic, mode, count, quarters

    def _function(self, harmony: ElementTree.Element) -> int:
        step, kind = harmony.findtext("root/root-step"), (harmony.findtext("kind") or "").strip()
        if not step or kind in ("none", ""):
            return NO_CHORD
        degree = (pitch_class(step) + int(float(harmony.findtext("root/root-alter", "0"))) - self.tonic) % 12
        if kind == "suspended-fourth" and "7" in (harmony.find("kind").attrib.get("text", "")):  # type: ignore[union-attr]
            return degree * NUM_QUALITIES + DOMINANT
        flat_five = any(d.findtext("degree-value") == "5" and d.findtext("degree-alter") == "-1"
                        for d in harmony.findall("degree"))  # fmt: skip
        if kind in ("minor", "minor-seventh") and flat_five:
            return degree * NUM_QUALITIES + DIMINISHED
        if kind == "augmented" and degree == 7:
            return degree * NUM_QUALITIES + DOMINANT
        if kind == "power":
            return degree * NUM_QUALITIES + diatonic_quality(degree, self.mode)
        return degree * NUM_QUALITIES + _XML_KINDS.get(kind, MAJOR)

    def close(self) -> None:
        """Ends the section that is open."""
        end = self.bars * self.beats
        onsets = [*sorted(self.onsets), (end, NO_CHORD)]
        events = [
            Event(beat, following - beat, function)
            for (beat, function), (following, _) in pairwise(onsets)
            if following > beat
        ]
        if events and self.bars >= 4:
            tonic, mode = heard_key(events, self.notes, self.mode)
            moved = [Event(e.start_beat, e.num_beats, _moved(e.function, -tonic)) for e in events]
            notes = tuple(MelodyNote(n.start_beat, n.num_beats, (n.degree - tonic) % 12) for n in self.notes)
            chords = merged(moved, 4 * self.beats)
            self.sections.append(CorpusSection("other", mode, self.beats, self.bars, chords, melody=notes))
        self.onsets, self.notes, self.bars = [], [], 0


_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10, 11))


def heard_key(events: list[Event], notes: list[MelodyNote], stated_mode: int) -> tuple[int, int]:
    """Returns (tonic above the stated one, mode) of a lead sheet: many state no mode, and some a wrong signature.

    The melody's share in the scale counts most, then the last and first chords, then what is stated.

    Args:
        events: chords over the stated tonic.
        notes: melody over the stated tonic.
        stated_mode: 0 or 1.
    """
    total = sum(n.num_beats for n in notes) or 1.0
    best, found = -1.0, (0, stated_mode)
    for tonic in range(12):
        for mode in (0, 1):
            inside = sum(n.num_beats for n in notes if (n.degree - tonic) % 12 in _SCALES[mode]) / total
            home = tonic * NUM_QUALITIES + (MINOR if mode else MAJOR)
            value = 2.0 * inside + 0.3 * (events[-1].function == home) + 0.15 * (events[0].function == home)
            value += 0.1 * (tonic == 0 and mode == stated_mode)
            if value > best:
                best, found = value, (tonic, mode)
    return found


def _moved(function: int, shift: int) -> int:
    return function if function == NO_CHORD else (function + shift * NUM_QUALITIES) % (12 * NUM_QUALITIES)


# --- openscore-lieder -------------------------------------------------------------------------------------------------

_RNTXT_KEY = re.compile(r"^([A-Ga-g])([#b-]*):$")
_NUMERAL = re.compile(r"^([#b]*)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i|Cad|N|Ger|It|Fr)(.*)$")
_DEGREES = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
_MINOR_DEGREES = {"i": 0, "ii": 2, "iii": 3, "iv": 5, "v": 7, "vi": 8, "vii": 10}


def roman_function(text: str, mode: int) -> int:
    """Returns the function of a RomanText numeral such as ``"V65/V"`` in a major (0) or minor (1) key."""
    head, *over = text.split("/")
    match = _NUMERAL.match(head)
    if not match:
        return NO_CHORD
    sign, numeral, figures = match.groups()
    if numeral in ("Ger", "It", "Fr"):
        root, quality = 8, DOMINANT
    elif numeral == "N":
        root, quality = 1, MAJOR
    elif numeral == "Cad":
        root, quality = 7, MAJOR
    else:
        lower = numeral.lower()
        root = (_MINOR_DEGREES if mode else _DEGREES)[lower] + sign.count("#") - sign.count("b")
        if lower == "vii" and mode and ("o" in figures or "ø" in figures):
            root = 11
        seventh = bool(re.match(r"^[+]?(7|65|43|42|2)", figures))
        if "o" in figures or "ø" in figures:
            quality = DIMINISHED
        elif numeral.islower():
            quality = MINOR
        else:
            quality = DOMINANT if seventh and (lower == "v" or over or (lower == "vii" and mode)) else MAJOR
        if figures.startswith("64") and lower == "i" and not over:
            root, quality = 7, MAJOR
    for upper in over:
        inner = _NUMERAL.match(upper)
        if not inner or inner.group(2).lower() not in _DEGREES:
            return NO_CHORD
        root += (_MINOR_DEGREES if mode else _DEGREES)[inner.group(2).lower()]
        root += inner.group(1).count("#") - inner.group(1).count("b")
    return root % 12 * NUM_QUALITIES + quality


def read_lieder(folder: Path) -> Iterator[CorpusSong]:
    """Yields the roman-numeral analyses of openscore-lieder in runs of one local key, four bars or longer."""
    base = folder / "openscore-lieder" / "scores"
    for path in sorted(base.rglob("*.rntxt")):
        sections = romantext_sections(path.read_text(encoding="utf-8"))
        if sections:
            yield CorpusSong(str(path.parent.relative_to(base)), "lieder", sections)


def romantext_sections(text: str) -> tuple[CorpusSection, ...]:
    """Returns the runs of one local key of an analysis."""
    beats, pulses, current = 4, 4, None
    rows: list[tuple[tuple[int, int], int, float, int, int]] = []  # key, bar, beat, function, beats per bar
    for line in text.splitlines():
        if line.startswith("Time Signature:"):
            top, bottom = line.split(":")[1].strip().split("/")
            beats = felt_beats(int(top), int(bottom))
            pulses = int(top)
            continue
        match = re.match(r"^m(\d+)\S*\s+(.*)$", line)
        if not match or "=" in line:
            continue
        bar, beat = int(match.group(1)), 0.0
        for token in match.group(2).split():
            key = _RNTXT_KEY.match(token)
            if key:
                name = key.group(1).upper() + key.group(2).replace("-", "b")
                current = (pitch_class(name), int(key.group(1).islower()))
            elif re.fullmatch(r"b\d+(\.\d+)?", token):
                beat = (float(token[1:]) - 1) * beats / (pulses if pulses in (2, 3, 4) else beats)
            elif current and token not in ("||", "||:", ":||"):
                rows.append((current, bar, min(beat, beats - 0.01), roman_function(token, current[1]), beats))
    sections = []
    for (key, _), run in groupby(rows, key=lambda row: (row[0], row[4])):
        items = list(run)
        first, last, count = items[0][1], items[-1][1], items[0][4]
        if last - first < 3:
            continue
        starts = [(bar - first) * count + math.floor(beat * 2) / 2 for _, bar, beat, _, _ in items]
        ends = [*starts[1:], (last - first + 1) * count]
        events = [Event(s, e - s, item[3]) for s, e, item in zip(starts, ends, items, strict=True) if e > s]
        sections.append(
            CorpusSection("other", key[1], count, last - first + 1, merged(events, 4 * count), first_bar=first)
        )
    return tuple(sections)


READERS = {"billboard": read_billboard, "pop909": read_pop909, "openewld": read_openewld, "lieder": read_lieder}


def read_all(folder: Path) -> Iterator[CorpusSong]:
    """Yields every song of the four corpora.

    Raises:
        InputError: a corpus is missing.
    """
    for name in ("mcgill-billboard", "pop909", "openewld", "openscore-lieder"):
        if not (folder / name).is_dir():
            raise InputError(f"{folder / name} is missing: unpack {name} there (see the README)")
    for reader in READERS.values():
        yield from reader(folder)
