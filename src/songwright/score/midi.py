"""The performance as a Standard MIDI File: `to_midi_bytes`, and `read_midi` for files of any program.

Played times are written (written place plus `Note.offset_ticks`), so a file sounds as the song does and cannot give the
written grid back; `song.json` can. What only songwright reads back stands in text events beginning with ``songwright``.
Reading lives in `midi_import`; bytes in `smf`.
"""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from songwright.score.instruments import instrument
from songwright.score.midi_import import HEADER, SCHEMA, read_midi
from songwright.score.smf import (
    BEND,
    CONTROL,
    KEY,
    LYRIC,
    MARKER,
    META,
    METER,
    NOTE_OFF,
    NOTE_ON,
    PORT,
    PROGRAM,
    TEMPO,
    TEXT,
    TRACK_NAME,
    Event,
    to_smf_bytes,
)
from songwright.score.song import TICKS_PER_QUARTER, Note, Song, Track
from songwright.score.sung import word_places
from songwright.score.theory import parse_key, signature_of
from songwright.score.words_on_notes import singer_data, syllable_row

__all__ = ["played_notes", "read_midi", "to_midi_bytes"]

DRUM_CHANNEL = 9
_VOLUME, _PAN, _REVERB = 7, 10, 91
_LOOK_AHEAD = 16
"""How many later notes of one pitch are checked for running into each other; more at once is no music."""

_OFF, _SETUP, _CHANGE, _TEXT, _ON = range(5)
"""Order of events that fall on one tick."""


def to_midi_bytes(song: Song) -> bytes:
    """Returns the song as a format 1 file of 960 ticks to the quarter: a chunk of maps and marks, then one a track.

    Section names are markers, chord symbols and what markers cannot say are text events; mix settings become volume,
    pan and reverb controllers where the track has none of its own. More than fifteen melodic tracks share a channel if
    they have the same program and neither moves a controller, otherwise they get a further port. The same song gives
    the same bytes.
    """
    chunks = [_conductor(song)]
    for track, (port, channel) in zip(song.tracks, _channels(song.tracks), strict=True):
        chunks.append(_track_events(song, track, port, channel))
    ends = [max(song.duration_ticks, chunk[-1].tick) for chunk in chunks]
    return to_smf_bytes(chunks, ends, TICKS_PER_QUARTER)


def played_notes(track: Track) -> tuple[Note, ...]:
    """Returns the notes as they sound: offsets moved into the starts, never below 0, in order.

    A note that would run into the next one of its pitch only because of offsets, or that encloses it, ends where that
    one begins, so that no note-off can be taken for the other's.
    """
    out: list[Note] = []
    by_pitch = sorted(track.notes, key=lambda n: (n.pitch, n.start_ticks + n.offset_ticks, n.duration_ticks))
    for _, group in groupby(by_pitch, key=lambda n: n.pitch):
        notes = list(group)
        for i, note in enumerate(notes):
            start = max(0, note.start_ticks + note.offset_ticks)
            end = max(start + 1, note.end_ticks + note.offset_ticks)
            for later in notes[i + 1 : i + 1 + _LOOK_AHEAD]:
                later_start = max(0, later.start_ticks + later.offset_ticks)
                if later_start >= end:
                    break
                later_end = max(later_start + 1, later.end_ticks + later.offset_ticks)
                if later_start > start and (note.end_ticks <= later.start_ticks or later_end < end):
                    end = later_start
                    break
            out.append(Note(start, end - start, note.pitch, note.velocity, 0, note.syllable))
    return tuple(sorted(out, key=lambda n: (n.start_ticks, n.pitch, n.duration_ticks)))


def _text(tick: int, text: str, kind: int = TEXT) -> Event:
    return Event(tick, META, kind, 0, text.encode("utf-8", "replace"))


def _conductor(song: Song) -> list[Event]:
    """Returns title, maps, section marks and chord symbols."""
    head = {"schema": SCHEMA, "style": song.style, "seed": song.seed, "duration_ticks": song.duration_ticks}
    events = [_text(0, song.title, TRACK_NAME), _text(0, f"{HEADER} {json.dumps(head, ensure_ascii=False)}")]
    for _, line in groupby(song.syllables, key=lambda s: s.line):
        rows = json.dumps([syllable_row(s) for s in line], ensure_ascii=False)
        events.append(_text(0, f"{HEADER} syllables {rows}"))
    for meter in song.meters:
        data = bytes((meter.numerator & 0xFF, meter.denominator.bit_length() - 1, 24, 8))
        events.append(Event(meter.tick, META, METER, 0, data))
    for change in song.keys:
        data = bytes((signature_of(change.key) & 0xFF, int(parse_key(change.key).is_minor)))
        events.append(Event(change.tick, META, KEY, 0, data))
        events.append(_text(change.tick, f"{HEADER} key {change.key}"))
    for tempo in song.tempos:
        microseconds = min(0xFFFFFF, max(1, round(60e6 / tempo.bpm)))
        events.append(Event(tempo.tick, META, TEMPO, 0, microseconds.to_bytes(3, "big")))
    for section in song.sections:
        about = {"role": section.role, "energy": section.energy, "duration_ticks": section.duration_ticks}
        events.append(_text(section.start_ticks, section.label, MARKER))
        events.append(_text(section.start_ticks, f"{HEADER} section {json.dumps(about)}"))
    for chord in song.chords:
        events.append(_text(chord.start_ticks, f"{HEADER} chord {chord.symbol} {chord.duration_ticks}"))
    return sorted(events, key=lambda e: e.tick)


def _track_events(song: Song, track: Track, port: int, channel: int) -> list[Event]:
    notes = played_notes(track)
    about: dict[str, Any] = {"id": track.id, "role": track.role, "instrument": track.instrument}
    if track.singer is not None:
        about["singer"] = singer_data(track.singer)
    if any(n.syllable is not None for n in notes):
        about["sung"] = [n.syllable for n in sorted(notes)]
    head = [_text(0, track.name or track.id, TRACK_NAME), _text(0, f"{HEADER} track {json.dumps(about)}")]
    if port:
        head.append(Event(0, META, PORT, 0, bytes((port,))))
    head.append(Event(0, PROGRAM | channel, instrument(track.instrument).program))
    rows = [(0, _SETUP, e) for e in _mix_controls(track, channel)]
    rows += [(c.tick, _CHANGE, Event(c.tick, CONTROL | channel, c.controller, c.value)) for c in track.controls]
    for bend in track.bends:
        value = bend.value + 8192
        rows.append((bend.tick, _CHANGE, Event(bend.tick, BEND | channel, value & 0x7F, value >> 7)))
    rows += [(e.tick, _TEXT, e) for e in _lyrics(song, notes)]
    for n in notes:
        rows.append((n.start_ticks, _ON, Event(n.start_ticks, NOTE_ON | channel, n.pitch, n.velocity)))
        rows.append((n.end_ticks, _OFF, Event(n.end_ticks, NOTE_OFF | channel, n.pitch, 64)))
    rows.sort(key=lambda row: row[:2])
    return head + [event for _, _, event in rows]


def _mix_controls(track: Track, channel: int) -> Iterator[Event]:
    """Yields volume, pan and reverb of the mix at the start, unless default or set by the track itself."""
    own = {c.controller for c in track.controls}
    if track.mix.gain_db != 0.0 and _VOLUME not in own:
        yield Event(0, CONTROL | channel, _VOLUME, _seven_bits(100 * 10 ** (track.mix.gain_db / 40)))
    if track.mix.pan != 0.0 and _PAN not in own:
        yield Event(0, CONTROL | channel, _PAN, _seven_bits(64 + 63 * track.mix.pan))
    if track.mix.reverb_db > -60.0 and _REVERB not in own:
        yield Event(0, CONTROL | channel, _REVERB, _seven_bits(127 * 10 ** (track.mix.reverb_db / 20)))


def _seven_bits(value: float) -> int:
    return max(0, min(127, round(value)))


def _lyrics(song: Song, notes: tuple[Note, ...]) -> Iterator[Event]:
    """Yields each sung syllable once, where its first note sounds; a hyphen joins it to the next of its word."""
    texts = {s.id: s.text for s in song.syllables}
    places = word_places(song.syllables)
    before: int | None = None
    for note in notes:
        if note.syllable is not None and note.syllable != before and note.syllable in texts:
            joined = places[note.syllable] in ("begin", "middle")
            yield _text(note.start_ticks, texts[note.syllable] + ("-" if joined else ""), LYRIC)
        before = note.syllable


def _channels(tracks: tuple[Track, ...]) -> list[tuple[int, int]]:
    """Returns port and channel of every track: drums on channel 10, one kit to a port; melodic ones fill ports."""
    places: list[tuple[int, int]] = []
    kits: list[int] = []
    users: list[Track] = []
    for track in tracks:
        program = instrument(track.instrument).program
        if track.is_drums:
            if program not in kits:
                kits.append(program)
            places.append((kits.index(program), DRUM_CHANNEL))
            continue
        shared = None if len(users) < 15 else next((i for i, user in enumerate(users) if _may_share(user, track)), None)
        if shared is None:
            users.append(track)
            shared = len(users) - 1
        port, seat = divmod(shared, 15)
        places.append((min(port, 127), seat + (seat >= DRUM_CHANNEL)))
    return places


def _may_share(a: Track, b: Track) -> bool:
    same = instrument(a.instrument).program == instrument(b.instrument).program
    plain = not (a.controls or a.bends or b.controls or b.bends)
    return same and plain and a.mix == b.mix
