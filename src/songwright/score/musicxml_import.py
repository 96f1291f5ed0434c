"""MusicXML files of any program as a `Song`: `read_musicxml`.

Partwise scores, plain or zipped (.mxl). Grace and cue notes are passed over, repeats not unfolded, a part with several
staves is one track, transposing parts are read as they sound. Writing lives in `musicxml`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from songwright.errors import DataError, InputError
from songwright.files import slug
from songwright.score.harmony_marks import symbol_of
from songwright.score.instruments import INSTRUMENTS, from_program
from songwright.score.roles import guess_key, guess_mode, guess_roles, sections_from_marks
from songwright.score.song import (
    SECTION_ROLES,
    TICKS_PER_QUARTER,
    TRACK_ROLES,
    ChordSpan,
    KeyChange,
    MeterChange,
    Note,
    Section,
    Song,
    TempoChange,
    Track,
    check,
)
from songwright.score.sung import Place
from songwright.score.theory import MODES, NO_CHORD, key_of_signature, parse_key
from songwright.score.words_on_notes import Heard, singer_of_data, syllable_of_row, with_words, without_unknown
from songwright.score.xml_file import load_xml, number, parse_xml

FIELD = "songwright"
MAX_TICKS = 100_000 * TICKS_PER_QUARTER
MAX_PARTS = 256

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_STAFF_DRUMS = {"E4": 35, "F4": 36, "D4": 44, "A4": 43, "B4": 45, "C5": 38, "D5": 47, "E5": 50, "F5": 51, "G5": 42,
                "A5": 49, "B5": 49}  # fmt: skip
_UNITS = {"whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25}


@dataclass
class _Measure:
    """What one measure of one part holds, in ticks from its bar line."""

    notes: list[tuple[int, int, Element]] = field(default_factory=list)
    harmonies: list[tuple[int, Element]] = field(default_factory=list)
    tempos: list[tuple[int, float]] = field(default_factory=list)
    keys: list[tuple[int, int, str]] = field(default_factory=list)
    marks: list[tuple[int, str]] = field(default_factory=list)
    meter: tuple[int, int] | None = None
    length: int = 0
    implicit: bool = False


@dataclass
class _State:
    """What goes on from measure to measure of a part: the clock, and how far it sounds from what is written."""

    scale: int | Fraction = TICKS_PER_QUARTER
    transpose: int = 0
    transposes: dict[int, int] = field(default_factory=dict)


def read_musicxml(path: Path) -> Song:
    """Returns the music of a MusicXML file.

    Raises:
        DataError: it is no such file, is broken, declares entities, or is beyond the limits.
    """
    root = parse_xml(load_xml(path), path)
    if root.tag == "score-timewise":
        raise DataError(path, "a timewise score; expected a partwise one (export it again)")
    if root.tag != "score-partwise":
        raise DataError(path, f"expected MusicXML, got <{root.tag[:40]}>")
    try:
        song = _song(root, path)
        check(song)
    except (InputError, ValueError, KeyError, TypeError, OverflowError, ZeroDivisionError) as error:
        raise DataError(path, f"cannot be read as a song: {error}") from error
    return song


def _song(root: Element, path: Path) -> Song:
    own = _own(root)
    parts = root.findall("part")
    if not parts or len(parts) > MAX_PARTS:
        raise InputError(f"{len(parts)} parts; expected 1 to {MAX_PARTS}")
    read = [_read_part(part) for part in parts]
    starts, meters, end = _bars([measures for measures, _ in read])
    heads = {head.get("id", ""): head for head in root.iter("score-part")}
    tracks = [
        _track(heads.get(part.get("id", ""), Element("score-part")), measures, starts, state, own, i)
        for i, (part, (measures, state)) in enumerate(zip(parts, read, strict=True))
    ]
    song = Song(
        title=(root.findtext("work/work-title") or root.findtext("movement-title") or path.stem).strip(),
        duration_ticks=end,
        tempos=_tempos([measures for measures, _ in read], starts),
        meters=meters,
        keys=_keys([measures for measures, _ in read], starts, [t for t, _ in tracks]),
        chords=_chords([measures for measures, _ in read], starts, end),
        tracks=_unique([t for t, _ in tracks]),
        provenance={"source": path.name},
    )
    if own:
        return _with_own(song, own)
    heard = [words for track, words in tracks if track.notes]
    song = replace(song, tracks=guess_roles([t for t in song.tracks if t.notes]))
    song = with_words(song, dict(enumerate(heard)), mark_vocal=True)
    marks = sorted((starts[i] + at, text) for ms, _ in read[:1] for i, m in enumerate(ms) for at, text in m.marks)
    return replace(song, sections=sections_from_marks(marks, song.bar_starts(), end, song.tracks))


def _own(root: Element) -> Mapping[str, Any]:
    """Returns what our writer put into its own field, or nothing."""
    for entry in root.iterfind("identification/miscellaneous/miscellaneous-field"):
        if entry.get("name") == FIELD:
            try:
                value = json.loads(entry.text or "")
            except (ValueError, RecursionError):
                return {}
            return value if isinstance(value, dict) else {}
    return {}


def _read_part(part: Element) -> tuple[list[_Measure], _State]:
    state = _State()
    measures = []
    for index, element in enumerate(part.iterfind("measure")):
        measure = _read_measure(element, state)
        state.transposes[index] = state.transpose
        measures.append(measure)
    return measures, state


def _read_measure(element: Element, state: _State) -> _Measure:
    measure = _Measure(implicit=element.get("implicit") == "yes" or element.get("number") == "0")
    at: int | Fraction = 0
    onset: int | Fraction = 0
    for child in element:
        if child.tag == "note":
            if child.find("grace") is not None or child.find("cue") is not None:
                continue
            length = _duration(child, state)
            if child.find("chord") is None:
                onset, at = at, at + length
            if child.find("rest") is None:
                measure.notes.append((round(onset), round(onset + length), child))
        elif child.tag == "backup":
            at = max(0, at - _duration(child, state))
        elif child.tag == "forward":
            at += _duration(child, state)
        elif child.tag == "attributes":
            _read_attributes(child, round(at), measure, state)
        elif child.tag == "harmony":
            offset = Fraction(number(child.findtext("offset"))) * state.scale
            measure.harmonies.append((max(0, round(at + offset)), child))
        elif child.tag in ("direction", "sound"):
            _read_direction(child, at, measure, state)
        measure.length = max(measure.length, round(at))
    return measure


def _duration(element: Element, state: _State) -> int | Fraction:
    value = number(element.findtext("duration"))
    if value < 0:
        raise InputError("a negative duration")
    return value * state.scale if isinstance(value, int) else Fraction(value) * state.scale


def _read_attributes(element: Element, at: int, measure: _Measure, state: _State) -> None:
    divisions = element.findtext("divisions")
    if divisions:
        per_quarter = Fraction(divisions.strip())
        if per_quarter <= 0:
            raise InputError(f"divisions {divisions}")
        scale = Fraction(TICKS_PER_QUARTER) / per_quarter
        state.scale = int(scale) if scale.denominator == 1 else scale
    beats, beat_type = element.findtext("time/beats"), element.findtext("time/beat-type")
    if beats and beat_type and re.fullmatch(r"\s*\d+(\s*\+\s*\d+)*\s*", beats):
        measure.meter = (sum(int(b) for b in beats.split("+")), int(beat_type))
    fifths = element.findtext("key/fifths")
    if fifths and -7 <= int(fifths) <= 7:
        mode = (element.findtext("key/mode") or "").strip().lower()
        mode = {"aeolian": "minor", "ionian": "major"}.get(mode, mode)
        measure.keys.append((at, int(fifths), mode if mode in MODES else ""))
    if element.find("transpose") is not None:
        octaves = number(element.findtext("transpose/octave-change"))
        state.transpose = int(number(element.findtext("transpose/chromatic")) + 12 * octaves)


def _read_direction(element: Element, at: int | Fraction, measure: _Measure, state: _State) -> None:
    place = max(0, round(at + Fraction(number(element.findtext("offset"))) * state.scale))
    sound = element if element.tag == "sound" else element.find("sound")
    tempo = sound.get("tempo") if sound is not None else None
    if tempo is None:
        per_minute = element.findtext("direction-type/metronome/per-minute") or ""
        found = re.search(r"\d+(\.\d+)?", per_minute)
        unit = _UNITS.get(element.findtext("direction-type/metronome/beat-unit") or "", 0.0)
        dotted = 1.5 if element.find("direction-type/metronome/beat-unit-dot") is not None else 1.0
        tempo = str(float(found.group()) * unit * dotted) if found and unit else None
    if tempo is not None and float(tempo) > 0:
        measure.tempos.append((place, min(2000.0, max(4.0, float(tempo)))))
    for kind in ("rehearsal", "words"):
        text = element.findtext(f"direction-type/{kind}")
        if text and text.strip():
            measure.marks.append((place, text.strip()))


def _bars(parts: list[list[_Measure]]) -> tuple[list[int], tuple[MeterChange, ...], int]:
    """Returns the bar lines, the metres (short measures have their own), and the end."""
    starts: list[int] = []
    meters: list[MeterChange] = []
    nominal = (4, 4)
    at = 0
    for index in range(max(map(len, parts))):
        here = [part[index] for part in parts if index < len(part)]
        nominal = next((m.meter for m in here if m.meter), nominal)
        if nominal[0] <= 0 or nominal[1] not in (1, 2, 4, 8, 16, 32, 64):
            raise InputError(f"metre {nominal[0]}/{nominal[1]}")
        full = TICKS_PER_QUARTER * 4 * nominal[0] // nominal[1]
        held = max(m.length for m in here)
        short = 0 < held < full and (index == 0 or any(m.implicit for m in here))
        shown = _meter_of(held) if short or held > full else nominal
        meter = MeterChange(at, *shown)
        if not meters or (meters[-1].numerator, meters[-1].denominator) != shown:
            meters.append(meter)
        starts.append(at)
        at += meter.bar_ticks
        if at > MAX_TICKS:
            raise InputError("longer than 100000 quarter notes")
    return starts, tuple(meters), at


def _meter_of(ticks: int) -> tuple[int, int]:
    """Returns a metre for a measure of unusual length, rounded up to a sixty-fourth."""
    for unit in (4, 8, 16, 32):
        if ticks % (TICKS_PER_QUARTER * 4 // unit) == 0:
            return ticks // (TICKS_PER_QUARTER * 4 // unit), unit
    return -(-ticks // 60), 64


def _tempos(parts: list[list[_Measure]], starts: list[int]) -> tuple[TempoChange, ...]:
    found: dict[int, float] = {}
    for part in parts:
        for start, measure in zip(starts, part, strict=False):
            for at, bpm in measure.tempos:
                found.setdefault(start + at, bpm)
    tempos = [TempoChange(tick, found[tick]) for tick in sorted(found)]
    if not tempos or tempos[0].tick > 0:
        tempos.insert(0, TempoChange(0, 120.0))
    return tuple(t for i, t in enumerate(tempos) if i == 0 or t.bpm != tempos[i - 1].bpm)


def _keys(parts: list[list[_Measure]], starts: list[int], tracks: list[Track]) -> tuple[KeyChange, ...]:
    """Returns the keys of the first part that has any, major or minor by the notes where the file does not say."""
    for part in parts:
        signs = [(s + at, fifths, mode) for s, m in zip(starts, part, strict=False) for at, fifths, mode in m.keys]
        if signs:
            guessed = guess_mode(signs[0][1], tracks)
            found = [KeyChange(tick, key_of_signature(fifths, mode or guessed)) for tick, fifths, mode in signs]
            found = [replace(found[0], tick=0), *(k for k in found[1:] if k.tick > 0)]
            return tuple(k for i, k in enumerate(found) if i == 0 or (k.key != found[i - 1].key))
    return (guess_key(tracks),)


def _chords(parts: list[list[_Measure]], starts: list[int], end: int) -> tuple[ChordSpan, ...]:
    """Returns the chords of the first part that has any, each up to the next; silence before the first is N.C."""
    for part in parts:
        found = {s + at: symbol_of(e) for s, m in zip(starts, part, strict=False) for at, e in m.harmonies}
        if found:
            found.setdefault(0, NO_CHORD)
            ticks = sorted(t for t in found if t < end)
            stops = [*ticks[1:], end]
            return tuple(ChordSpan(a, b - a, found[a]) for a, b in zip(ticks, stops, strict=True))
    return ()


def _track(
    head: Element,
    measures: list[_Measure],
    starts: list[int],
    state: _State,
    own: Mapping[str, Any],
    index: int,
) -> tuple[Track, list[Heard]]:
    """Returns one part as a track, and its syllables by the place of their note."""
    drum_keys = {
        e.get("id", ""): int(number(e.findtext("midi-unpitched"), 39)) - 1 for e in head.iter("midi-instrument")
    }
    drums = any(n.find("unpitched") is not None for m in measures for _, _, n in m.notes)
    drums = drums or head.findtext("midi-instrument/midi-channel") == "10"
    program = int(number(head.findtext("midi-instrument/midi-program"), 1)) - 1
    notes: list[Note] = []
    sung: list[Heard] = []
    verse = _first_verse(measures)
    open_ties: dict[tuple[str, int], int] = {}
    for bar, measure in enumerate(measures):
        for start, end, element in measure.notes:
            pitch = _pitch(element, state.transposes[bar], drum_keys)
            if pitch is None or end <= start:
                continue
            a, b = starts[bar] + start, starts[bar] + end
            place = (element.findtext("voice") or "1", pitch)
            ties = {t.get("type") for t in element.iterfind("tie")}
            before = open_ties.pop(place, None) if "stop" in ties else None
            if before is not None and notes[before].end_ticks == a:
                notes[before] = replace(notes[before], duration_ticks=b - notes[before].start_ticks)
            else:
                before = len(notes)
                notes.append(Note(a, b - a, pitch, _velocity(element), 0, _own_syllable(element) if own else None))
                lyric = next((e for e in element.iterfind("lyric") if e.get("number", "1") == verse), None)
                text = _lyric_text(lyric) if lyric is not None else ""
                if lyric is not None and text:
                    sung.append(Heard(before, text, _syllabic(lyric)))
            if "start" in ties:
                open_ties[place] = before
    name = (head.findtext("part-name") or "").strip()
    track = Track(
        id=slug(name or f"part {index + 1}", 40),
        role="drums" if drums else "counter_melody",
        instrument=from_program(min(127, max(0, program)), drums=drums),
        name=name,
        notes=tuple(notes),
    )
    order = sorted(range(len(notes)), key=lambda i: (notes[i].start_ticks, notes[i].pitch, notes[i].duration_ticks))
    rank = {old: new for new, old in enumerate(order)}
    return replace(track, notes=tuple(notes[i] for i in order)), [replace(h, note=rank[h.note]) for h in sung]


def _own_syllable(element: Element) -> int | None:
    lyric = element.find("lyric")
    name = lyric.get("name", "") if lyric is not None else ""
    return int(name) if name.isdigit() else None


def _first_verse(measures: list[_Measure]) -> str:
    """Returns the number of the verse to sing: 1, or the first that a part has."""
    numbers = {e.get("number", "1") for m in measures for _, _, n in m.notes for e in n.iterfind("lyric")}
    return "1" if "1" in numbers or not numbers else min(numbers, key=lambda n: (len(n), n))


def _lyric_text(lyric: Element) -> str:
    """Returns the text of a lyric; words that share a note stay apart, joined by a space."""
    text = ""
    for child in lyric:
        if child.tag == "text":
            text += child.text or ""
        elif child.tag == "elision":
            text += " "
    return " ".join(text.split())


def _syllabic(lyric: Element) -> Place:
    """Returns where a lyric stands in its word; of two words on one note, where the first begins and the last ends."""
    found = [(e.text or "").strip() for e in lyric.iterfind("syllabic")] or ["single"]
    begins, ends = found[0] not in ("middle", "end"), found[-1] not in ("begin", "middle")
    return ("single" if ends else "begin") if begins else ("end" if ends else "middle")


def _velocity(element: Element) -> int:
    return max(1, min(127, round(number(element.get("dynamics"), 88.89) * 0.9)))


def _pitch(element: Element, transpose: int, drum_keys: Mapping[str, int]) -> int | None:
    """Returns the sounding pitch, a drum's number, or None for what has no pitch in MIDI."""
    instrument = element.find("instrument")
    if element.find("unpitched") is not None:
        known = drum_keys.get(instrument.get("id", "")) if instrument is not None else None
        if known is not None and 0 <= known <= 127:
            return known
        step = (element.findtext("unpitched/display-step") or "").strip()
        return _STAFF_DRUMS.get(step + (element.findtext("unpitched/display-octave") or "").strip(), 38)
    step = (element.findtext("pitch/step") or "").strip()
    if step not in _STEPS:
        return None
    octave, alter = number(element.findtext("pitch/octave"), 4), number(element.findtext("pitch/alter"))
    pitch = round(_STEPS[step] + alter + 12 * (octave + 1)) + transpose
    return pitch if 0 <= pitch <= 127 else None


def _unique(tracks: list[Track]) -> tuple[Track, ...]:
    counts: dict[str, int] = defaultdict(int)
    out = []
    for track in tracks:
        counts[track.id] += 1
        out.append(track if counts[track.id] == 1 else replace(track, id=f"{track.id}-part-{counts[track.id]}"))
    return tuple(out)


def _with_own(song: Song, own: Mapping[str, Any]) -> Song:
    """Returns the song with what our own field says of it, as far as it still fits the notes."""
    tracks = []
    for i, track in enumerate(song.tracks):
        about = own.get("tracks", [])[i : i + 1]
        if about and about[0][1] in TRACK_ROLES and about[0][2] in INSTRUMENTS:
            track = replace(track, id=slug(str(about[0][0])), role=about[0][1], instrument=about[0][2])
            track = replace(track, singer=singer_of_data(about[0][3] if len(about[0]) > 3 else None))
        tracks.append(track)
    sections = [
        Section(str(label), role, int(start), int(length), min(1.0, max(0.0, float(energy))))
        for label, role, start, length, energy in own.get("sections", [])
        if role in SECTION_ROLES and 0 <= int(start) < song.duration_ticks
    ]
    keys = tuple(KeyChange(int(tick), str(key)) for tick, key in own.get("keys", []) if parse_key(str(key)))
    tempos = tuple(TempoChange(int(tick), float(bpm)) for tick, bpm in own.get("tempos", []))
    song = replace(
        song,
        style=str(own.get("style", "")),
        seed=int(own.get("seed", 0)),
        swing=float(own.get("swing", 0.0)),
        tracks=tuple(tracks),
        sections=tuple(sections),
        keys=keys or song.keys,
        tempos=tempos or song.tempos,
        syllables=tuple(syllable_of_row(row) for row in own.get("syllables", [])),
    )
    return without_unknown(song)
