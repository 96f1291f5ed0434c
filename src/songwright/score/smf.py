"""Standard MIDI Files as events: bytes in, bytes out, nothing musical.

Read with limits, in our own code: whatever the bytes say, reading ends soon, with events or with one clear line. What
the events mean for a song is in `midi` and `midi_import`.

Reference: Standard MIDI Files 1.0 (RP-001), MIDI Manufacturers Association.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from songwright.errors import DataError

MAX_FILE_BYTES = 16_000_000
MAX_EVENTS = 1_000_000
MAX_QUARTERS = 100_000
"""Longest piece, in quarter notes: ten hours at 160 a minute."""

META = 0xFF
TEXT, TRACK_NAME, LYRIC, MARKER, PORT, END, TEMPO, METER, KEY = 0x01, 0x03, 0x05, 0x06, 0x21, 0x2F, 0x51, 0x58, 0x59
NOTE_OFF, NOTE_ON, CONTROL, PROGRAM, BEND = 0x80, 0x90, 0xB0, 0xC0, 0xE0
_DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}


class Event(NamedTuple):
    """One event.

    Attributes:
        tick: from the start of its chunk, in the file's own ticks.
        status: 0x80 to 0xEF for a channel message, or `META`.
        kind: first data byte, or the type of a meta event.
        value: second data byte, or 0.
        data: bytes of a meta event.
    """

    tick: int
    status: int
    kind: int
    value: int = 0
    data: bytes = b""


@dataclass(frozen=True)
class MidiFile:
    """A file's events.

    Attributes:
        format: 0 one chunk, 1 chunks side by side, 2 chunks one after another.
        ticks_per_quarter: the file's clock.
        chunks: events of each track chunk, in order of time.
        ends: last tick of each chunk, its end mark included.
    """

    format: int
    ticks_per_quarter: int
    chunks: tuple[tuple[Event, ...], ...]
    ends: tuple[int, ...]


def load_smf(path: Path) -> MidiFile:
    """Returns the events of a file.

    Raises:
        DataError: it cannot be read, or is no MIDI file, or is broken, or beyond the limits.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise DataError(path, f"{size / 1e6:.0f} MB: MIDI files are read up to {MAX_FILE_BYTES // 1_000_000} MB")
        return parse_smf(path.read_bytes(), path)
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}") from error


def parse_smf(data: bytes, path: Path) -> MidiFile:
    """Returns the events in the bytes of a file (an RMID wrapper is taken off).

    Raises:
        DataError: as `load_smf`; `path` is only named.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        data = data[data.find(b"MThd") :]
    if data[:4] != b"MThd":
        what = "an empty file" if not data else f"a file that begins with {data[:4]!r}"
        raise DataError(path, f"expected a MIDI file (MThd), got {what}")
    length = int.from_bytes(data[4:8], "big")
    if len(data) < 14 or length < 6 or 8 + length > len(data):
        raise DataError(path, "the MIDI header is cut off")
    kind, declared, division = (int.from_bytes(data[i : i + 2], "big") for i in (8, 10, 12))
    if kind > 2:
        raise DataError(path, f"MIDI format {kind} does not exist; expected 0, 1 or 2")
    if division & 0x8000:
        raise DataError(path, "time is counted in film frames (SMPTE); expected ticks per quarter note")
    if division == 0:
        raise DataError(path, "0 ticks per quarter note; expected 1 to 32767")
    chunks, ends = _chunks(data, 8 + length, declared, division, path)
    return MidiFile(kind, division, tuple(chunks), tuple(ends))


def _chunks(
    data: bytes, position: int, declared: int, division: int, path: Path
) -> tuple[list[tuple[Event, ...]], list[int]]:
    chunks: list[tuple[Event, ...]] = []
    ends: list[int] = []
    room = MAX_EVENTS
    while position + 8 <= len(data) and len(chunks) < declared:
        name, length = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "big")
        position += 8
        if position + length > len(data):
            raise DataError(path, f"the file is cut off: a chunk of {length} bytes has {len(data) - position}")
        if name == b"MTrk":
            events, end = _read_chunk(memoryview(data)[position : position + length], division, room, path)
            room -= len(events)
            chunks.append(tuple(events))
            ends.append(end)
        position += length
    if len(chunks) < declared or not chunks:
        raise DataError(path, f"the header promises {declared} tracks, the file holds {len(chunks)}")
    return chunks, ends


def _read_chunk(data: memoryview, division: int, room: int, path: Path) -> tuple[list[Event], int]:
    """Returns a chunk's channel and meta events, and its last tick; system exclusive messages are passed over."""
    events: list[Event] = []
    append = events.append
    position, tick, status, size = 0, 0, 0, len(data)
    last = MAX_QUARTERS * division
    try:
        while position < size:
            delta, position = _length(data, position)
            tick += delta
            if tick > last:
                raise DataError(path, f"longer than {MAX_QUARTERS} quarter notes: this is no song")
            first = data[position]
            if first < 0x80 and not status:
                raise DataError(path, "a message without a status byte: the file is broken")
            if first < 0x80 or first < 0xF0:
                if first >= 0x80:
                    status = first
                    position += 1
                two = _DATA_BYTES[status & 0xF0] == 2
                value = data[position + 1] if two else 0
                if data[position] > 127 or value > 127:
                    raise DataError(path, "a data byte above 127: the file is broken")
                append(Event(tick, status, data[position], value))
                position += 2 if two else 1
            elif first in (META, 0xF0, 0xF7):
                kind = data[position + 1] if first == META else 0
                length, position = _length(data, position + (2 if first == META else 1))
                if position + length > size:
                    raise IndexError
                if kind == END and first == META:
                    break
                if first == META:
                    append(Event(tick, META, kind, 0, bytes(data[position : position + length])))
                position += length
            else:
                raise DataError(path, f"a message 0x{first:02X} that a file may not hold: the file is broken")
            if len(events) > room:
                raise DataError(path, f"more than {MAX_EVENTS} events: this is no song")
    except IndexError:
        raise DataError(path, "a track ends in the middle of a message: the file is broken") from None
    return events, tick


def _length(data: memoryview, position: int) -> tuple[int, int]:
    """Returns a number of variable length (at most four bytes) and where it ends."""
    value = 0
    for _ in range(4):
        byte = data[position]
        position += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, position
    raise IndexError


def to_smf_bytes(chunks: list[list[Event]], ends: list[int], ticks_per_quarter: int) -> bytes:
    """Returns a format 1 file.

    Args:
        chunks: events of each chunk in order of time, without end marks.
        ends: tick of each chunk's end mark.
        ticks_per_quarter: the clock.
    """
    head = (
        b"MThd" + (6).to_bytes(4, "big") + b"".join(n.to_bytes(2, "big") for n in (1, len(chunks), ticks_per_quarter))
    )
    return head + b"".join(_write_chunk(events, end) for events, end in zip(chunks, ends, strict=True))


def _write_chunk(events: list[Event], end: int) -> bytes:
    out = bytearray()
    tick = 0
    for event in events:
        out += _number(event.tick - tick)
        tick = event.tick
        if event.status == META:
            out += bytes((META, event.kind)) + _number(len(event.data)) + event.data
        elif _DATA_BYTES[event.status & 0xF0] == 2:
            out += bytes((event.status, event.kind, event.value))
        else:
            out += bytes((event.status, event.kind))
    out += _number(max(0, end - tick)) + bytes((META, END, 0))
    return b"MTrk" + len(out).to_bytes(4, "big") + bytes(out)


def _number(value: int) -> bytes:
    """Returns a number in the file's variable length."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))


_GB_COMMON = range(0xB0, 0xD8)


def decode_text(data: bytes) -> str:
    """Returns text of unknown encoding: UTF-8, else what the bytes look like of GB 18030, Windows-1251 and Latin-1."""
    data = data.split(b"\0", 1)[0]
    try:
        return data.decode("utf-8").strip("\r\n")
    except UnicodeDecodeError:
        pass
    high = [b for b in data if b >= 0x80]
    runs = "".join("x" if b >= 0x80 else " " for b in data).split()
    if max(map(len, runs)) >= 3 and sum(b >= 0xE0 for b in high) >= 0.5 * len(high) and min(high) >= 0xA8:
        return data.decode("cp1251", errors="replace").strip("\r\n")
    if all(len(run) % 2 == 0 for run in runs):
        leads = [b for run in _high_runs(data) for b in run[::2]]
        if sum(b in _GB_COMMON for b in leads) >= 0.7 * len(leads):
            try:
                return data.decode("gb18030").strip("\r\n")
            except UnicodeDecodeError:
                pass
    return data.decode("latin-1").strip("\r\n")


def _high_runs(data: bytes) -> list[bytes]:
    return bytes(b if b >= 0x80 else 0x20 for b in data).split()
