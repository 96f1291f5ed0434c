"""The notated layer as MusicXML 4.0: `to_musicxml_bytes`, and `read_musicxml` for files of any program.

What is kept is listed in ``docs/formats.md`` and computed by `notation.notated`. Reading lives in `musicxml_import`.
Reference: W3C MusicXML 4.0, musicxml.xsd (the order of elements).
"""

import json
import re
from collections import defaultdict
from xml.sax.saxutils import escape, quoteattr

from songwright.score.drums import DRUM_NAMES
from songwright.score.harmony_marks import KINDS
from songwright.score.instruments import instrument
from songwright.score.musicxml_import import FIELD, read_musicxml
from songwright.score.notation import Grid, Piece, bar_pieces, in_voices, notated
from songwright.score.song import TICKS_PER_QUARTER, ChordSpan, Note, Song, Track
from songwright.score.sung import Place, word_places
from songwright.score.theory import parse_chord, parse_key, signature_of, spell
from songwright.score.words_on_notes import singer_data, syllable_row

__all__ = ["read_musicxml", "to_musicxml_bytes"]

_MODES = {"major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian"}
_CONTROL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CHORD_ROOT = re.compile(r"^([A-G])([#b♯♭]*)(.*?)(?:/([A-G])([#b♯♭]*))?$")
_LOUD = 90
"""Velocity that MusicXML calls 100 percent."""


def to_musicxml_bytes(song: Song) -> bytes:
    """Returns the written notes as an uncompressed partwise score; the same song gives the same bytes."""
    written = notated(song)
    bars = written.bar_starts() or (0,)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
        '"http://www.musicxml.org/dtds/partwise.dtd">',
        '<score-partwise version="4.0">',
        f"<work><work-title>{_text(song.title)}</work-title></work>",
        f"<identification><encoding><software>songwright</software></encoding><miscellaneous>{_own(written)}"
        "</miscellaneous></identification>",
        "<part-list>",
    ]
    for i, track in enumerate(written.tracks):
        lines += _part_head(track, f"P{i + 1}", i)
    lines.append("</part-list>")
    lyrics = _Lyrics(written)
    for i, track in enumerate(written.tracks):
        lines.append(f'<part id="P{i + 1}">')
        lines += _Part(written, track, f"P{i + 1}", lyrics, bars).measures(first=i == 0)
        lines.append("</part>")
    lines.append("</score-partwise>\n")
    return "\n".join(lines).encode("utf-8")


def _text(text: str) -> str:
    return escape(_CONTROL.sub("", text))


def _own(song: Song) -> str:
    """Returns what MusicXML has no place for, for our own reader."""
    data = {
        "style": song.style,
        "seed": song.seed,
        "swing": song.swing,
        "duration_ticks": song.duration_ticks,
        "keys": [[k.tick, k.key] for k in song.keys],
        "tempos": [[t.tick, t.bpm] for t in song.tempos],
        "sections": [[s.label, s.role, s.start_ticks, s.duration_ticks, s.energy] for s in song.sections],
        "tracks": [[t.id, t.role, t.instrument, singer_data(t.singer)] for t in song.tracks],
        "syllables": [syllable_row(s) for s in song.syllables],
    }
    return f'<miscellaneous-field name="{FIELD}">{_text(json.dumps(data, ensure_ascii=False))}</miscellaneous-field>'


def _part_head(track: Track, part: str, index: int) -> list[str]:
    """Returns name and instruments of a part: one for each drum of a kit."""
    lines = [f'<score-part id="{part}"><part-name>{_text(track.name)}</part-name>']
    program = instrument(track.instrument).program + 1
    drums = sorted({n.pitch for n in track.notes}) if track.is_drums else []
    names = [(f"{part}-I{p + 1}", DRUM_NAMES.get(p, str(p)).replace("_", " ")) for p in drums]
    names = names or [(f"{part}-I1", track.instrument.replace("_", " "))]
    lines += [f'<score-instrument id="{i}"><instrument-name>{n}</instrument-name></score-instrument>' for i, n in names]
    channel = 10 if track.is_drums else index % 15 + 1 + (index % 15 >= 9)
    for place, (name, _) in enumerate(names):
        unpitched = f"<midi-unpitched>{drums[place] + 1}</midi-unpitched>" if drums else ""
        lines.append(
            f'<midi-instrument id="{name}"><midi-channel>{channel}</midi-channel>'
            f"<midi-program>{program}</midi-program>{unpitched}</midi-instrument>"
        )
    return [*lines, "</score-part>"]


class _Lyrics:
    """Texts of syllables and their places in words.

    Args:
        song: with its syllables.
    """

    def __init__(self, song: Song) -> None:
        self._texts = {s.id: s.text for s in song.syllables}
        self._places: dict[int, Place] = word_places(song.syllables)

    def element(self, syllable: int, before: int | None) -> str:
        """Returns the lyric of a note, given the syllable of the note before it."""
        if syllable not in self._texts:
            return ""
        if syllable == before:
            return f'<lyric number="1" name="{syllable}"><extend type="continue"/></lyric>'
        syllabic, text = self._places[syllable], _text(self._texts[syllable])
        return f'<lyric number="1" name="{syllable}"><syllabic>{syllabic}</syllabic><text>{text}</text></lyric>'


class _Part:
    """Writes one track.

    Args:
        song: as notated.
        track: what is written.
        part: its id in the file.
        lyrics: of the song.
        bars: ticks of the bar lines.
    """

    def __init__(self, song: Song, track: Track, part: str, lyrics: _Lyrics, bars: tuple[int, ...]) -> None:
        self.song, self.track, self.part, self.bars = song, track, part, bars
        self.grid = Grid(song, track.notes)
        self.voices = [bar_pieces(self.grid, voice) for voice in in_voices(track.notes)] or [{}]
        self._names = [[spell(p, signature_of(k.key), parse_key(k.key).mode) for p in range(12)] for k in song.keys]
        self._key_ticks = [k.tick for k in song.keys]
        self._pitches: dict[tuple[int, int], str] = {}
        self._sung: dict[Note, str] = {}
        before: int | None = None
        for note in track.notes:
            if note.syllable is not None:
                self._sung[note] = lyrics.element(note.syllable, before)
            before = note.syllable

    def measures(self, *, first: bool) -> list[str]:
        """Returns every measure.

        Args:
            first: whether this part carries tempo, sections and chords.
        """
        marks = _marks(self.song) if first else {}
        lines: list[str] = []
        for bar, start in enumerate(self.bars):
            end = self.grid.ends[bar]
            lines.append(f'<measure number="{bar + 1}">')
            lines += self._attributes(bar, start)
            lines += _placed(start, [(t, m) for t in sorted(marks) if start <= t < end for m in marks[t]])
            for number, voice in enumerate(self.voices):
                pieces = voice.get(bar)
                if pieces is None and number:
                    continue
                if number:
                    lines.append(f"<backup><duration>{end - start}</duration></backup>")
                for piece in pieces or [Piece(start, end - start)]:
                    self._write(lines, piece, number + 1)
            lines.append("</measure>")
        return lines

    def _attributes(self, bar: int, start: int) -> list[str]:
        end = self.grid.ends[bar]
        key = [k for k in self.song.keys if start <= k.tick < end] if bar else [self.song.keys[0]]
        meter = [m for m in self.song.meters if m.tick == start]
        if not key and not meter:
            return []
        text = "<attributes>" + ("" if bar else f"<divisions>{TICKS_PER_QUARTER}</divisions>")
        for change in key[-1:]:
            mode = parse_key(change.key)
            name = mode.mode if mode.mode in _MODES else "minor" if mode.is_minor else "major"
            text += f"<key><fifths>{signature_of(change.key)}</fifths><mode>{name}</mode></key>"
        for m in meter:
            text += f"<time><beats>{m.numerator}</beats><beat-type>{m.denominator}</beat-type></time>"
        if not bar:
            text += f"<clef>{self._clef()}</clef>"
        return [text + "</attributes>"]

    def _clef(self) -> str:
        if self.track.is_drums:
            return "<sign>percussion</sign>"
        mean = sum(n.pitch for n in self.track.notes) / max(1, len(self.track.notes))
        return "<sign>F</sign><line>4</line>" if mean < 57 else "<sign>G</sign><line>2</line>"

    def _write(self, lines: list[str], piece: Piece, voice: int) -> None:
        """Adds the elements of one piece, a chord's notes from below."""
        value = "" if not piece.kind else f"<type>{piece.kind}</type>{'<dot/>' * piece.dots}"
        if piece.triplet:
            value += (
                "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>"
            )
        tuplet = f'<tuplet type="{piece.bracket}"/>' if piece.bracket else ""
        length = f"<duration>{piece.duration}</duration>"
        if not piece.notes:
            rest = "<rest/>" if piece.kind else '<rest measure="yes"/>'
            notations = f"<notations>{tuplet}</notations>" if tuplet else ""
            lines.append(f"<note>{rest}{length}<voice>{voice}</voice>{value}{notations}</note>")
            return
        ties = '<tie type="stop"/>' * piece.tied_from + '<tie type="start"/>' * piece.tied_to
        shown = '<tied type="stop"/>' * piece.tied_from + '<tied type="start"/>' * piece.tied_to
        for i, note in enumerate(piece.notes):
            chord = "<chord/>" if i else ""
            sounding = ""
            if self.track.is_drums:
                sounding = f'<instrument id="{self.part}-I{note.pitch + 1}"/>'
            marks = shown + (tuplet if not i else "")
            notations = f"<notations>{marks}</notations>" if marks else ""
            lyric = "" if piece.tied_from else self._sung.get(note, "")
            lines.append(
                f'<note dynamics="{note.velocity * 100 / _LOUD:.2f}">{chord}{self._pitch(note)}{length}{ties}{sounding}'
                f"<voice>{voice}</voice>{value}{notations}{lyric}</note>"
            )

    def _pitch(self, note: Note) -> str:
        """Returns the pitch as the key in force spells it, or a drum's place on the staff."""
        key = sum(t <= note.start_ticks for t in self._key_ticks) - 1
        known = self._pitches.get((key, note.pitch))
        if known is None:
            known = self._pitches[key, note.pitch] = self._new_pitch(self._names[key][note.pitch % 12], note.pitch)
        return known

    def _new_pitch(self, name: str, pitch: int) -> str:
        if self.track.is_drums:
            step, octave = _staff_place(pitch)
            return (
                f"<unpitched><display-step>{step}</display-step><display-octave>{octave}</display-octave></unpitched>"
            )
        alter = name.count("#") - name[1:].count("b")
        octave = (pitch - alter) // 12 - 1
        sign = f"<alter>{alter}</alter>" if alter else ""
        return f"<pitch><step>{name[0]}</step>{sign}<octave>{octave}</octave></pitch>"


_PLACES = {35: "E4", 36: "F4", 37: "C5", 38: "C5", 39: "C5", 40: "C5", 41: "A4", 43: "A4", 45: "B4", 47: "D5", 48: "D5",
           50: "E5", 42: "G5", 44: "D4", 46: "G5", 49: "A5", 57: "A5", 51: "F5", 53: "F5", 59: "F5"}  # fmt: skip


def _staff_place(pitch: int) -> tuple[str, int]:
    place = _PLACES.get(pitch, "B5")
    return place[0], int(place[1])


def _placed(start: int, marks: list[tuple[int, str]]) -> list[str]:
    """Returns marks at their ticks, by going forward from the bar line and back again."""
    lines: list[str] = []
    at = start
    for tick, mark in marks:
        if tick > at:
            lines.append(f"<forward><duration>{tick - at}</duration></forward>")
            at = tick
        lines.append(mark)
    if at > start:
        lines.append(f"<backup><duration>{at - start}</duration></backup>")
    return lines


def _marks(song: Song) -> dict[int, list[str]]:
    """Returns sections, tempos and chords by tick."""
    marks: dict[int, list[str]] = defaultdict(list)
    for section in song.sections:
        label = _text(section.label)
        marks[section.start_ticks].append(
            f'<direction placement="above"><direction-type><rehearsal>{label}</rehearsal></direction-type></direction>'
        )
    for tempo in song.tempos:
        if tempo.tick < max(song.duration_ticks, 1):
            marks[tempo.tick].append(
                '<direction placement="above"><direction-type><metronome><beat-unit>quarter</beat-unit>'
                f"<per-minute>{tempo.bpm:.6g}</per-minute></metronome></direction-type>"
                f'<sound tempo="{tempo.bpm:.10g}"/></direction>'
            )
    for chord in song.chords:
        marks[chord.start_ticks].append(_harmony(chord))
    return marks


def _harmony(span: ChordSpan) -> str:
    """Returns a chord symbol; its suffix, as written, is the text of its kind."""
    chord = parse_chord(span.symbol)
    match = _CHORD_ROOT.match(span.symbol.strip().replace("6/9", "69"))
    if chord is None or match is None:
        return '<harmony><root><root-step text="">C</root-step></root><kind text="N.C.">none</kind></harmony>'
    step, sign, suffix, bass_step, bass_sign = match.groups()
    kind, degrees = KINDS[chord.quality]
    text = f"<root><root-step>{step}</root-step>{_alter('root', sign)}</root>"
    text += f"<kind text={quoteattr(_CONTROL.sub('', suffix))}>{kind}</kind>"
    if bass_step:
        text += f"<bass><bass-step>{bass_step}</bass-step>{_alter('bass', bass_sign)}</bass>"
    for value, alter, how in degrees:
        text += (
            f"<degree><degree-value>{value}</degree-value><degree-alter>{alter}</degree-alter>"
            f"<degree-type>{how}</degree-type></degree>"
        )
    return f"<harmony>{text}</harmony>"


def _alter(what: str, sign: str | None) -> str:
    sign = (sign or "").replace("♯", "#").replace("♭", "b")
    alter = sign.count("#") - sign.count("b")
    return f"<{what}-alter>{alter}</{what}-alter>" if alter else ""
