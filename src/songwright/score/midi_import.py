"""MIDI files of any program as a `Song`: `read_midi`.

One track for every chunk, port, channel and program with notes. Aftertouch, system exclusive messages and
channels without notes are not kept. Writing lives in `midi`, guesses in `roles`, bytes in `smf`.
"""

import json
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from songwright.errors import DataError, InputError
from songwright.files import slug
from songwright.score.instruments import INSTRUMENTS, from_program
from songwright.score.midi_words import place_words, sung_events
from songwright.score.roles import drum_role, guess_key, guess_roles, sections_from_marks
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
    MidiFile,
    decode_text,
    load_smf,
)
from songwright.score.song import (
    SECTION_ROLES,
    TICKS_PER_QUARTER,
    TRACK_ROLES,
    ChordSpan,
    Control,
    KeyChange,
    MeterChange,
    Note,
    PitchBend,
    Section,
    Song,
    Syllable,
    TempoChange,
    Track,
    check,
)
from songwright.score.theory import key_of_signature, parse_chord, parse_key
from songwright.score.words_on_notes import singer_of_data, syllable_of_row, with_words, without_unknown

HEADER = "songwright"
SCHEMA = 1
MAX_TRACKS = 1024
MAX_BARS = 50_000
MAX_SHARED = 500_000
"""Controllers and bends that chunks on one channel may share, counted once for each."""

_DRUM_CHANNEL = 9
Seat = tuple[int, int]
Change = TypeVar("Change", TempoChange, MeterChange, KeyChange)


@dataclass
class _Chunk:
    """What one chunk says, in ticks of 960 to the quarter.

    Attributes:
        name: its first track name.
        port: where its channels sound.
        notes: of each channel, with the program not yet known.
        changes: of each channel: controllers and bends in file order.
        lyrics: lyric events; line breaks are kept as ``/`` before or after the text.
        texts: text events, which karaoke files use for words.
        about: the JSON of our own ``songwright track`` text.
    """

    name: str = ""
    port: int = 0
    notes: dict[int, list[Note]] = field(default_factory=lambda: defaultdict(list))
    changes: dict[int, list[Control | PitchBend]] = field(default_factory=lambda: defaultdict(list))
    lyrics: list[tuple[int, str]] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Whole:
    """What the chunks say together: maps, marks, programs, and our own header."""

    tempos: dict[int, TempoChange] = field(default_factory=dict)
    meters: dict[int, MeterChange] = field(default_factory=dict)
    keys: dict[int, KeyChange] = field(default_factory=dict)
    programs: dict[Seat, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    marks: list[tuple[int, str]] = field(default_factory=list)
    own: list[tuple[int, str]] = field(default_factory=list)
    own_keys: dict[int, KeyChange] = field(default_factory=dict)
    end: int = 0


def read_midi(path: Path) -> Song:
    """Returns the music of a MIDI file of any format and clock.

    Ticks are scaled to 960 a quarter, halves to the even tick. Program changes split a channel into tracks; overlapping
    notes of one pitch are paired first in, first out; notes without an end last as long as their chunk; notes without
    length get one tick. Keys, roles and sections are guessed where the file is silent; a file by `to_midi_bytes`
    gives its sections, chords, roles and instruments back.

    Raises:
        DataError: the file is no MIDI file, is broken, beyond the limits, or holds no notes.
    """
    file = load_smf(path)
    whole = _Whole()
    chunks = []
    shift = 0
    for events, end in zip(file.chunks, file.ends, strict=True):
        chunks.append(_read_chunk(events, end, shift, file.ticks_per_quarter, whole))
        whole.end = max(whole.end, _scaled(shift + end, file.ticks_per_quarter))
        if file.format == 2:
            shift += -(-end // file.ticks_per_quarter) * file.ticks_per_quarter
    if not any(chunk.notes for chunk in chunks):
        raise DataError(path, "no notes in it")
    try:
        song = _song(file, chunks, whole, path)
        check(song)
    except (InputError, KeyError, TypeError, ValueError) as error:
        raise DataError(path, f"cannot be read as a song: {error}") from error
    return song


def _scaled(tick: int, ticks_per_quarter: int) -> int:
    """Returns a tick of the file in ours, halves to the even."""
    whole, rest = divmod(tick * TICKS_PER_QUARTER, ticks_per_quarter)
    return whole + (2 * rest > ticks_per_quarter or (2 * rest == ticks_per_quarter and whole % 2 == 1))


def _read_chunk(events: tuple[Event, ...], end: int, shift: int, clock: int, whole: _Whole) -> _Chunk:
    chunk = _Chunk()
    chunk.port = next((e.data[0] for e in events if e.status == META and e.kind == PORT and e.data), 0)
    waiting: dict[tuple[int, int], deque[tuple[int, int]]] = defaultdict(deque)
    at_tick, tick = -1, 0
    for event in events:
        if event.tick != at_tick:
            at_tick, tick = event.tick, _scaled(event.tick + shift, clock)
        kind, channel = event.status & 0xF0, event.status & 0x0F
        if event.status == META:
            _read_meta(event, tick, chunk, whole)
        elif kind == NOTE_ON and event.value:
            waiting[channel, event.kind].append((tick, event.value))
        elif kind in (NOTE_ON, NOTE_OFF):
            if waiting[channel, event.kind]:
                start, velocity = waiting[channel, event.kind].popleft()
                chunk.notes[channel].append(Note(start, max(1, tick - start), event.kind, velocity))
        elif kind == CONTROL:
            chunk.changes[channel].append(Control(tick, event.kind, event.value))
        elif kind == BEND:
            chunk.changes[channel].append(PitchBend(tick, (event.value << 7 | event.kind) - 8192))
        elif kind == PROGRAM:
            whole.programs[chunk.port, channel].append((tick, event.kind))
    last = _scaled(end + shift, clock)
    for (channel, pitch), notes in waiting.items():
        for start, velocity in notes:
            chunk.notes[channel].append(Note(start, max(1, last - start), pitch, velocity))
    return chunk


def _read_meta(event: Event, tick: int, chunk: _Chunk, whole: _Whole) -> None:
    data = event.data
    if event.kind == TEMPO and len(data) == 3:
        bpm = 60e6 / max(1, int.from_bytes(data, "big"))
        whole.tempos[tick] = TempoChange(tick, min(2000.0, max(4.0, bpm)))
    elif event.kind == METER and len(data) >= 2 and data[0] and data[1] <= 6:
        whole.meters[tick] = MeterChange(tick, data[0], 1 << data[1])
    elif event.kind == KEY and len(data) == 2:
        fifths = data[0] - 256 if data[0] > 127 else data[0]
        if -7 <= fifths <= 7 and tick not in whole.keys:
            whole.keys[tick] = KeyChange(tick, key_of_signature(fifths, "minor" if data[1] else "major"))
    elif event.kind == TRACK_NAME and not chunk.name:
        chunk.name = decode_text(data)[:200].strip()
    elif event.kind == LYRIC:
        chunk.lyrics.append((tick, _words_of(data)))
    elif event.kind == MARKER:
        whole.marks.append((tick, decode_text(data)))
    elif event.kind == TEXT and data.startswith(HEADER.encode() + b" "):
        text = decode_text(data)[len(HEADER) + 1 :]
        if text.startswith("track {"):
            chunk.about = _json(text[6:])
        elif text.startswith("key "):
            whole.own_keys[tick] = KeyChange(tick, text[4:])
        else:
            whole.own.append((tick, text))
    elif event.kind == TEXT:
        chunk.texts.append((tick, _words_of(data)))


def _words_of(data: bytes) -> str:
    """Returns the text of a lyric event, with a slash for a line break at either end."""
    text = decode_text(data)
    return "/" * data.startswith((b"\r", b"\n")) + text + "/" * (data.endswith((b"\r", b"\n")) and bool(text))


def _json(text: str) -> Mapping[str, Any]:
    """Returns a JSON object, or an empty one for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _song(file: MidiFile, chunks: list[_Chunk], whole: _Whole, path: Path) -> Song:
    head = next((_json(text) for tick, text in whole.own if tick == 0 and text.startswith("{")), {})
    ours = head.get("schema") == SCHEMA
    tracks = _tracks(chunks, whole, share=not ours, path=path)
    if not ours:
        tracks = list(guess_roles(tracks))
    tempos = _steps(whole.tempos, TempoChange(0, 120.0))
    meters = _meter_steps(_steps(whole.meters, MeterChange(0, 4, 4)))
    if ours:
        whole.keys |= {tick: key for tick, key in whole.own_keys.items() if parse_key(key.key)}
    keys = _steps(whole.keys, guess_key(tracks))
    titled = [c.name for c in chunks[:1] if c.name and (file.format == 0 or not c.notes)]
    song = Song(
        title=titled[0] if titled else path.stem,
        style=str(head.get("style", "")) if ours else "",
        seed=int(head.get("seed", 0)) if ours else 0,
        tempos=tempos,
        meters=meters,
        keys=keys,
        tracks=tuple(_unique_ids(tracks)),
        provenance={"source": path.name},
    )
    note_end = max(n.end_ticks for t in song.tracks for n in t.notes)
    end = _whole_bars(meters, note_end, whole.end)
    if ours and isinstance(head.get("duration_ticks"), int):
        end = min(max(0, head["duration_ticks"]), max(end, whole.end))
    song = replace(song, duration_ticks=end)
    if _num_bars(song) > MAX_BARS:
        raise DataError(path, f"more than {MAX_BARS} bars: this is no song")
    if ours:
        song = replace(song, sections=_own_sections(whole), chords=_own_chords(whole))
    else:
        song = replace(song, sections=sections_from_marks(whole.marks, song.bar_starts(), end, song.tracks))
    own_words = _own_syllables(whole) if ours else ()
    if own_words:
        return without_unknown(replace(song, syllables=own_words))
    chunked = [(c.name, words) for c, words in ((c, sung_events(c.lyrics, c.texts, path)) for c in chunks) if words]
    return with_words(without_unknown(song), place_words(song, chunked), mark_vocal=not ours)


def _own_syllables(whole: _Whole) -> tuple[Syllable, ...]:
    """Returns the syllables that our writer put into text events, a line in each."""
    found: list[Syllable] = []
    for _, text in whole.own:
        if text.startswith("syllables ["):
            found += [syllable_of_row(row) for row in json.loads(text[10:])]
    return tuple(found)


def _steps(changes: Mapping[int, Change], first: Change) -> tuple[Change, ...]:
    """Returns a map in order, beginning at 0, without changes that change nothing."""
    ordered = [changes[t] for t in sorted(changes)]
    if not ordered or ordered[0].tick > 0:
        ordered.insert(0, first)
    out = ordered[:1]
    for change in ordered[1:]:
        if isinstance(change, MeterChange) or replace(change, tick=0) != replace(out[-1], tick=0):
            out.append(change)
    return tuple(out)


def _meter_steps(meters: tuple[MeterChange, ...]) -> tuple[MeterChange, ...]:
    """Returns the metres without repeats that fall on a bar line anyway."""
    out = [meters[0]]
    for meter in meters[1:]:
        same = replace(meter, tick=0) == replace(out[-1], tick=0)
        if not (same and (meter.tick - out[-1].tick) % out[-1].bar_ticks == 0):
            out.append(meter)
    return tuple(out)


def _whole_bars(meters: tuple[MeterChange, ...], note_end: int, file_end: int) -> int:
    """Returns the end of the bar in which the last note ends, or of the last whole empty bar the file has after it."""
    last = meters[-1]
    bars = -(-max(0, note_end - last.tick) // last.bar_ticks)
    bars = max(1, bars, (file_end - last.tick) // last.bar_ticks)
    return last.tick + bars * last.bar_ticks


def _num_bars(song: Song) -> int:
    ends = [m.tick for m in song.meters[1:]] + [song.duration_ticks]
    return sum(-(-(end - m.tick) // m.bar_ticks) for m, end in zip(song.meters, ends, strict=True))


def _tracks(chunks: list[_Chunk], whole: _Whole, *, share: bool, path: Path) -> list[Track]:
    """Returns a track for each chunk, channel and program with notes.

    Args:
        chunks: as read.
        whole: programs by port and channel.
        share: whether changes on a channel reach the notes of other chunks there, as on an instrument.
        path: for errors.
    """
    seats: dict[Seat, list[int]] = defaultdict(list)
    for index, chunk in enumerate(chunks):
        for channel in chunk.changes:
            seats[chunk.port, channel].append(index)
    tracks: list[Track] = []
    shared = 0
    for index, chunk in enumerate(chunks):
        for channel in sorted(chunk.notes):
            givers = seats[chunk.port, channel] if share else [index]
            changes = [c for giver in givers for c in chunks[giver].changes.get(channel, ())]
            changes.sort(key=lambda c: c.tick)
            by_program = _by_program(chunk.notes[channel], _programs_of(whole, (chunk.port, channel)))
            shared += len(changes) * len(by_program)
            if len(tracks) + len(by_program) > MAX_TRACKS or shared > MAX_SHARED:
                raise DataError(path, f"more than {MAX_TRACKS} players: this is no song")
            alone = len(chunk.notes) == 1 and len(by_program) == 1
            for program, notes in by_program.items():
                tracks.append(_track(chunk, channel, program, notes, changes, alone=alone))
    return tracks


def _programs_of(whole: _Whole, seat: Seat) -> list[tuple[int, int]]:
    """Returns (tick, program) of a channel in order of time, chunks in order of the file."""
    return sorted(whole.programs.get(seat, ()), key=lambda p: p[0])


def _by_program(notes: list[Note], programs: list[tuple[int, int]]) -> dict[int, list[Note]]:
    ticks = [tick for tick, _ in programs]
    found: dict[int, list[Note]] = {}
    for note in sorted(notes):
        place = bisect_right(ticks, note.start_ticks) - 1
        program = programs[place][1] if place >= 0 else 0
        found.setdefault(program, []).append(note)
    return found


def _track(
    chunk: _Chunk,
    channel: int,
    program: int,
    notes: list[Note],
    changes: list[Control | PitchBend],
    *,
    alone: bool,
) -> Track:
    drums = channel == _DRUM_CHANNEL
    about = chunk.about if alone else {}
    name = from_program(program, drums=drums)
    role = drum_role(notes) if drums else "counter_melody"
    if about.get("role") in TRACK_ROLES and (about["role"] in ("drums", "percussion")) == drums:
        role = about["role"]
    if about.get("instrument") in INSTRUMENTS and INSTRUMENTS[about["instrument"]].program == program:
        name = about["instrument"]
    sung = about.get("sung")
    if isinstance(sung, list) and len(sung) == len(notes):
        notes = [replace(n, syllable=int(s)) if isinstance(s, int) else n for n, s in zip(notes, sung, strict=True)]
    readable = chunk.name if alone and chunk.name else name.replace("_", " ").capitalize()
    return Track(
        id=slug(str(about.get("id", readable)), 40),
        role=role,
        instrument=name,
        name=readable,
        notes=tuple(notes),
        controls=tuple(c for c in changes if isinstance(c, Control)),
        bends=tuple(c for c in changes if isinstance(c, PitchBend)),
        singer=singer_of_data(about.get("singer")),
    )


def _unique_ids(tracks: list[Track]) -> list[Track]:
    seen: set[str] = set()
    out = []
    for track in tracks:
        unique, count = track.id, 2
        while unique in seen:
            unique, count = f"{track.id}-{count}", count + 1
        seen.add(unique)
        out.append(replace(track, id=unique))
    return out


def _own_sections(whole: _Whole) -> tuple[Section, ...]:
    labels = dict(whole.marks)
    found = []
    for tick, text in whole.own:
        about = _json(text[8:]) if text.startswith("section {") else {}
        if about.get("role") in SECTION_ROLES and tick in labels:
            energy = min(1.0, max(0.0, float(about["energy"])))
            found.append(Section(labels[tick], about["role"], tick, int(about["duration_ticks"]), energy))
    return tuple(found)


def _own_chords(whole: _Whole) -> tuple[ChordSpan, ...]:
    found = []
    for tick, text in whole.own:
        words = text.split(" ")
        if words[0] == "chord" and len(words) >= 3:
            symbol = " ".join(words[1:-1])
            parse_chord(symbol)
            found.append(ChordSpan(tick, int(words[-1]), symbol))
    return tuple(found)
