"""The file layer of SoundFont 2 and 3: chunks, record tables and sample memory, every size checked.

What presets and zones mean lives in `soundfont`. Reference: SoundFont Technical Specification 2.04, sections 4 to 7.
"""

import io
import struct
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.errors import DataError, InputError

_BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
_GENERATOR = np.dtype([("kind", "<u2"), ("amount", "<i2")])
_MODULATOR = np.dtype([(n, "<i2" if n == "amount" else "<u2") for n in ("source", "target", "amount", "scale", "kind")])
_RECORDS: dict[bytes, np.dtype[np.void]] = {
    b"phdr": np.dtype(
        [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("rest", "V12")]
    ),
    b"pbag": _BAG,
    b"pmod": _MODULATOR,
    b"pgen": _GENERATOR,
    b"inst": np.dtype([("name", "S20"), ("bag", "<u2")]),
    b"ibag": _BAG,
    b"imod": _MODULATOR,
    b"igen": _GENERATOR,
    b"shdr": np.dtype(
        [
            ("name", "S20"),
            ("start", "<u4"),
            ("end", "<u4"),
            ("loop_start", "<u4"),
            ("loop_end", "<u4"),
            ("rate", "<u4"),
            ("root", "u1"),
            ("correction", "i1"),
            ("link", "<u2"),
            ("kind", "<u2"),
        ]
    ),
}  # fmt: skip
_VORBIS, _ROM = 0x10, 0x8000
_CACHE_BYTES = 192 << 20
_MAX_SAMPLE_FRAMES = 1 << 26

Table = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class SampleHeader:
    """One recording in the font.

    Attributes:
        loop_start, loop_end: in samples from the recording's beginning.
        rate: samples per second.
        root: MIDI note that it sounds at this rate.
        correction_cents: how much to raise it to be in tune.
    """

    loop_start: int
    loop_end: int
    rate: int
    root: int
    correction_cents: int


class SampleMemory:
    """The recordings of a font, read from the mapped file or decoded from Ogg Vorbis when first asked for.

    Decoded recordings are kept up to a bound, the least lately used go first; safe to share between threads.
    """

    def __init__(self, path: Path, headers: Table, pcm: NDArray[np.uint8], low_bytes: NDArray[np.uint8] | None) -> None:
        self._path = path
        self._headers = headers
        self._pcm = pcm
        self._low_bytes = low_bytes
        self._decoded: OrderedDict[int, NDArray[np.float32]] = OrderedDict()
        self._decoded_bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._headers)

    def header(self, index: int) -> SampleHeader:
        """Returns what the font says of a recording."""
        row = self._headers[index]
        base = 0 if int(row["kind"]) & _VORBIS else int(row["start"])
        root = int(row["root"])
        return SampleHeader(
            loop_start=int(row["loop_start"]) - base,
            loop_end=int(row["loop_end"]) - base,
            rate=min(max(int(row["rate"]), 400), 192_000),
            root=root if root <= 127 else 60,
            correction_cents=int(row["correction"]),
        )

    def read(self, index: int) -> NDArray[np.float32]:
        """Returns a recording in [-1, 1], (samples,); it may be empty and must not be written to.

        Raises:
            DataError: a compressed recording cannot be decoded.
        """
        row = self._headers[index]
        if int(row["kind"]) & _ROM:
            return np.zeros(0, np.float32)
        if not int(row["kind"]) & _VORBIS:
            return self._read_pcm(int(row["start"]), int(row["end"]))
        with self._lock:
            if index in self._decoded:
                self._decoded.move_to_end(index)
                return self._decoded[index]
        samples = self._decode(index)
        with self._lock:
            if index not in self._decoded:
                self._decoded[index] = samples
                self._decoded_bytes += samples.nbytes
            while self._decoded_bytes > _CACHE_BYTES and len(self._decoded) > 1:
                self._decoded_bytes -= self._decoded.popitem(last=False)[1].nbytes
        return samples

    def _read_pcm(self, start: int, end: int) -> NDArray[np.float32]:
        high = self._pcm[2 * start : 2 * end].view("<i2")
        if self._low_bytes is None:
            return high.astype(np.float32) * np.float32(1 / 32768)
        low = self._low_bytes[start:end].astype(np.float32)
        return (high.astype(np.float32) * np.float32(256) + low) * np.float32(1 / 8388608)

    def _decode(self, index: int) -> NDArray[np.float32]:
        import soundfile

        row = self._headers[index]
        name = _text(row["name"])
        data = self._pcm[int(row["start"]) : int(row["end"])].tobytes()
        try:
            with soundfile.SoundFile(io.BytesIO(data)) as file:
                if file.frames > _MAX_SAMPLE_FRAMES:
                    raise DataError(self._path, f"sample '{name}' claims {file.frames} frames")
                samples: NDArray[np.float32] = file.read(dtype="float32", always_2d=True)[:, 0]
        except soundfile.SoundFileError as error:
            raise DataError(self._path, f"compressed sample '{name}' cannot be decoded: {error}") from error
        return np.ascontiguousarray(samples)


@dataclass(frozen=True)
class FontFile:
    """A font's tables, checked: every index that a table holds into another is in range and rises.

    Attributes:
        name: the font's own name.
        tables: records by the specification's chunk names; each ends with a record that only marks the end.
        samples: the recordings.
    """

    name: str
    tables: Mapping[bytes, Table]
    samples: SampleMemory


def read_font(path: Path) -> FontFile:
    """Returns the tables of a .sf2 or .sf3 file; sample data stays on disk until it is needed.

    Raises:
        InputError: the file is not there or may not be read.
        DataError: it is no soundfont, or broken.
    """
    try:
        data = np.memmap(path, dtype=np.uint8, mode="r")
    except (OSError, ValueError) as error:
        if path.is_file() and path.stat().st_size == 0:
            raise DataError(path, "expected a soundfont, the file is empty") from error
        raise InputError(f"cannot read soundfont {path}: {getattr(error, 'strerror', None) or error}") from error
    view = memoryview(data)  # type: ignore[arg-type]
    if len(view) < 12 or bytes(view[:4]) != b"RIFF" or bytes(view[8:12]) != b"sfbk":
        raise DataError(path, "expected a soundfont (RIFF sfbk), this is something else")
    (size,) = struct.unpack_from("<I", view, 4)
    if size + 8 > len(view):
        raise DataError(path, f"truncated: says {size + 8} bytes, has {len(view)}")
    chunks: dict[bytes, tuple[int, int]] = {}
    for kind, start, end in _chunks(path, view, 12, size + 8):
        if kind == b"LIST" and end - start >= 4:
            chunks.update((k, (a, b)) for k, a, b in _chunks(path, view, start + 4, end))
    tables = {kind: _table(path, data, chunks, kind) for kind in _RECORDS}
    _check_tables(path, tables)
    name = bytes(view[slice(*chunks.get(b"INAM", (0, 0)))])
    return FontFile(_text(name) or path.stem, tables, _sample_memory(path, data, chunks, tables[b"shdr"]))


def _text(raw: bytes) -> str:
    return bytes(raw).split(b"\0")[0].decode("latin-1").strip()


def _chunks(path: Path, view: memoryview, start: int, end: int) -> list[tuple[bytes, int, int]]:
    """Returns (kind, start, end) of each chunk; a missing padding byte after an odd chunk is forgiven."""
    found = []
    while start + 8 <= end:
        kind = bytes(view[start : start + 4])
        (size,) = struct.unpack_from("<I", view, start + 4)
        if start + 8 + size > end:
            raise DataError(path, f"chunk {kind!r} says {size} bytes, only {end - start - 8} are left")
        found.append((kind, start + 8, start + 8 + size))
        start += 8 + size
        if size % 2 and start < end and view[start] == 0:
            start += 1
    return found


def _table(path: Path, data: NDArray[np.uint8], chunks: dict[bytes, tuple[int, int]], kind: bytes) -> Table:
    if kind not in chunks:
        raise DataError(path, f"no '{kind.decode()}' table")
    start, end = chunks[kind]
    record = _RECORDS[kind]
    if (end - start) % record.itemsize or end == start:
        raise DataError(path, f"table '{kind.decode()}' has {end - start} bytes, not records of {record.itemsize}")
    return np.frombuffer(data[start:end].tobytes(), record)


def _check_tables(path: Path, tables: dict[bytes, Table]) -> None:
    if len(tables[b"phdr"]) < 2:
        raise DataError(path, "no presets")
    for owner, column, owned in (
        (b"phdr", "bag", b"pbag"),
        (b"inst", "bag", b"ibag"),
        (b"pbag", "generator", b"pgen"),
        (b"pbag", "modulator", b"pmod"),
        (b"ibag", "generator", b"igen"),
        (b"ibag", "modulator", b"imod"),
    ):
        index = tables[owner][column].astype(np.int64)
        if np.any(np.diff(index) < 0) or index[-1] > len(tables[owned]):
            raise DataError(path, f"table '{owner.decode()}' points outside of '{owned.decode()}'")
    for table, kind, limit in ((b"pgen", 41, len(tables[b"inst"]) - 1), (b"igen", 53, len(tables[b"shdr"]) - 1)):
        used = tables[table][: len(tables[table]) - 1]
        index = used["amount"][used["kind"] == kind].view("<u2")
        if len(index) and int(index.max()) >= limit:
            raise DataError(
                path, f"a zone asks for {'instrument' if kind == 41 else 'sample'} {index.max()} of {limit}"
            )


def _sample_memory(
    path: Path, data: NDArray[np.uint8], chunks: dict[bytes, tuple[int, int]], headers: Table
) -> SampleMemory:
    start, end = chunks.get(b"smpl", (0, 0))
    headers = headers[:-1]
    compressed = (headers["kind"] & _VORBIS) != 0
    limit = np.where(compressed, end - start, (end - start) // 2)
    bad = (headers["start"] > headers["end"]) | (headers["end"] > limit)
    bad &= (headers["kind"] & _ROM) == 0
    if np.any(bad):
        raise DataError(path, f"sample '{_text(headers[np.argmax(bad)]['name'])}' lies outside of the sample data")
    low_start, low_end = chunks.get(b"sm24", (0, 0))
    low = data[low_start:low_end] if low_end - low_start >= (end - start) // 2 > 0 and not np.any(compressed) else None
    return SampleMemory(path, headers, data[start:end], low)
